"""Reads pyproject.toml: the requirements of its groups and of its extras.

Groups by PEP 735, extras by the core metadata of PEP 621, names compared by
PEP 503 and PEP 685. The library `dependency-groups` does the first too, but it
brings `packaging` (30 ms), and this is on the way to every warm run.
"""

from __future__ import annotations

import functools
import re
import sys

from runner.errors import EnvironmentBroken, did_you_mean
from runner.requirements.files import read_bytes
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GROUPS = "[dependency-groups]"
_EXTRAS = "[project.optional-dependencies]"


class Pyproject:
    """What a pyproject.toml says; `shown` is how messages call the file."""

    def __init__(self, path: str, shown: str, *, where: str = "") -> None:
        self.shown = shown
        data = read_bytes(path, shown, where=where)
        try:
            content = _parse(data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise EnvironmentBroken(
                "the file is not UTF-8, as TOML is", where=shown, mend="save it as UTF-8"
            ) from None
        except ValueError as error:  # tomllib's own is one
            raise EnvironmentBroken(
                f"the file is not TOML: {error}", where=shown, mend="mend it there"
            ) from None
        self.content = content

    def group_requirements(self, name: str) -> tuple[str, ...]:
        """The requirements of a dependency group with all that it includes (PEP 735)."""
        table = self._table(self.content.get("dependency-groups", {}), _GROUPS)
        groups = self._by_normal_name(table, "group", _GROUPS)
        return tuple(self._expand_group(name, groups, {}))

    def _expand_group(
        self, name: str, groups: dict[str, tuple[str, object]], path: dict[str, str]
    ) -> list[str]:
        """path: the groups whose expansion we are in, by normal name."""
        normal = normal_name(name)
        if normal in path:
            names = list(path)
            circle = [path[inner] for inner in names[names.index(normal) :]]
            raise EnvironmentBroken(
                f"these groups include each other: {' -> '.join([*circle, circle[0]])}",
                where=self.shown,
                mend="take one of the includes away",
            )
        if normal not in groups:
            including = [f", which group {group!r} includes," for group in path.values()]
            raise self._unknown("group", name, _GROUPS, groups, "".join(including[-1:]))
        written, items = groups[normal]
        path = {**path, normal: written}
        requirements: list[str] = []
        for item in self._list(items, f"group {written!r}"):
            included = _include(item)
            if included is not None:
                requirements += self._expand_group(included, groups, path)
            else:
                requirements.append(self._requirement(item, f"group {written!r}", include=True))
        return requirements

    def extra_requirements(self, name: str) -> tuple[str, ...]:
        """The requirements of an extra alone, without those of the project itself.

        `project[other]` among them stands for those of the extra `other`.
        Raises EnvironmentBroken where only a build of the project can tell.
        """
        extras = self._extras()
        if extras is None:
            raise EnvironmentBroken(
                f"extra {name!r} is not written in {_EXTRAS}: only a build of the project tells it",
                where=self.shown,
                mend='install the project with it: project="wheel"',
            )
        found: dict[str, None] = {}
        self._expand_extra(name, extras, found, set())
        return tuple(found)

    def _expand_extra(
        self,
        name: str,
        extras: dict[str, tuple[str, object]],
        found: dict[str, None],
        seen: set[tuple[str, str]],
        marker: str = "",
    ) -> None:
        normal = normal_name(name)
        if normal not in extras:
            raise self._unknown("extra", name, _EXTRAS, extras)
        if (normal, marker) in seen:
            return  # extras may name each other, pip takes each once
        seen.add((normal, marker))
        written, items = extras[normal]
        project = normal_name(str(self._table(self.content["project"], "[project]").get("name")))
        for item in self._list(items, f"extra {written!r}"):
            text = self._requirement(item, f"extra {written!r}")
            inner = re.fullmatch(_SELF, text)
            if inner and normal_name(inner["name"]) == project:
                both = _joined(marker, (inner["marker"] or "").strip())
                for other in (inner["extras"] or "").split(","):
                    if other.strip():
                        self._expand_extra(other.strip(), extras, found, seen, both)
            else:
                found[with_marker(text, marker)] = None

    def check_extras(self, names: Iterable[str]) -> None:
        """Raise EnvironmentBroken for an extra that the project cannot have.

        pip only warns of it and goes on without. Where the extras are known to
        none but the build backend, every name is taken.
        """
        extras = self._extras()
        if extras is None:
            return
        for name in names:
            if normal_name(name) not in extras:
                raise self._unknown("extra", name, _EXTRAS, extras)

    def _extras(self) -> dict[str, tuple[str, object]] | None:
        """The extras by normal name; None where they are not written here (PEP 621)."""
        if "project" not in self.content:
            return None
        project = self._table(self.content["project"], "[project]")
        dynamic = project.get("dynamic", [])
        if isinstance(dynamic, list) and "optional-dependencies" in dynamic:
            return None
        table = self._table(project.get("optional-dependencies", {}), _EXTRAS)
        return self._by_normal_name(table, "extra", _EXTRAS)

    # Checks. ---------------------------------------------------------------------

    def _table(self, value: object, name: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise EnvironmentBroken(
                f"{name} is not a table", where=self.shown, mend=f"write {name} above its lines"
            )
        return cast("dict[str, object]", value)

    def _list(self, value: object, name: str) -> Sequence[object]:
        if not isinstance(value, list):
            raise EnvironmentBroken(
                f"{name} is {_toml_kind(value)} where a list belongs",
                where=self.shown,
                mend='write a list of requirements: ["pytest", "coverage"]',
            )
        return cast("list[object]", value)

    def _requirement(self, item: object, name: str, *, include: bool = False) -> str:
        if isinstance(item, str) and item.strip()[:1].isalnum():
            return item.strip()
        kinds = 'a requirement or {include-group = "..."}' if include else "a requirement"
        raise EnvironmentBroken(
            f"{name} holds {item!r}, which is not {kinds}",
            where=self.shown,
            mend='a requirement is a string such as "pytest>=8"; paths and options of pip '
            "cannot stand there (PEP 508)",
        )

    def _by_normal_name(
        self, table: dict[str, object], kind: str, name: str
    ) -> dict[str, tuple[str, object]]:
        found: dict[str, tuple[str, object]] = {}
        for written, value in table.items():
            normal = normal_name(written)
            if normal in found:
                both = f"{found[normal][0]!r} and {written!r}"
                raise EnvironmentBroken(
                    f"{name} has one {kind} twice: {both} are the same name",
                    where=self.shown,
                    mend="take one away, or name it otherwise",
                )
            found[normal] = (written, value)
        return found

    def _unknown(
        self, kind: str, name: str, table: str, known: dict[str, tuple[str, object]], more: str = ""
    ) -> EnvironmentBroken:
        names = [written for written, _ in known.values()]
        has = f"{self.shown} has {', '.join(names)}" if names else f"{self.shown} has no {kind}s"
        if kind == "group" and not names:
            sample = _SAMPLES.get(normal_name(name), "pytest")
            has += f'; write there what it needs:\n    {table}\n    {name} = ["{sample}"]'
        hint = did_you_mean(name, names)
        return EnvironmentBroken(
            f"{kind} {name!r}{more} is not in {table} of {self.shown}",
            mend=f"{hint} {has}" if hint else has,
        )


# What a group of that name holds most often.
_SAMPLES = {"docs": "sphinx", "lint": "ruff", "types": "mypy", "typing": "mypy", "dev": "ruff"}


def normal_name(name: str) -> str:
    """The name in the form in which names are compared (PEP 503, PEP 685)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.lru_cache(maxsize=8)
def _parse(text: str) -> dict[str, object]:
    # By content, so that jobs of one run parse a file once and still see it
    # change. Only who declares groups or extras pays for the import (15 ms).
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    return tomllib.loads(text)


def _include(item: object) -> str | None:
    """The group that `{include-group = "name"}` names, None for any other item."""
    if not isinstance(item, dict):
        return None
    table = cast("dict[str, object]", item)
    name = table.get("include-group")
    return name if isinstance(name, str) and len(table) == 1 else None


def _toml_kind(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return "a string" if isinstance(value, str) else repr(value)


# Markers of extras that name other extras of the project. --------------------------

_SELF = r"(?P<name>[\w.-]+)\s*(\[(?P<extras>[^\]]*)\])?\s*(;(?P<marker>.*))?"


def _joined(one: str, other: str) -> str:
    return f"({one}) and ({other})" if one and other else one or other


def with_marker(requirement: str, marker: str) -> str:
    """The requirement, for where the marker holds too (PEP 508).

    After a URL the marker begins with a blank and a semicolon; in what is not
    one the first semicolon begins it.
    """
    if not marker:
        return requirement
    url = "@" in requirement.partition(";")[0]
    bare, _, own = requirement.partition(" ;" if url else ";")
    return f"{bare.strip()} ; {_joined(own.strip(), marker)}"
