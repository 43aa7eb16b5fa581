"""What an envfile may ask of pyproject.toml; users write `runner.project.load_toml()`.

The names and their meaning are nox's, so that what people know works.
"""

from __future__ import annotations

import os
import sys

from runner.declare import current_registry
from runner.errors import UsageError, did_you_mean
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["dependency_groups", "load_toml", "python_versions"]

_CLASSIFIER = "Programming Language :: Python :: "
_FREE_THREADING = _CLASSIFIER + "Free Threading"


def load_toml(
    file: str | os.PathLike[str] = "pyproject.toml", *, missing_ok: bool = False
) -> dict[str, Any]:
    """The content of a TOML file, or of a script's `# /// script` block (PEP 723).

    A relative path starts at the envfile's folder. A missing file is an error,
    or an empty dict with `missing_ok`.
    """
    # tomllib costs 15 ms: only envfiles that ask for it pay.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    registry = current_registry()
    path = os.path.join(registry.root, os.fspath(file))
    registry.read.append(path)
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read()
    except FileNotFoundError:
        if missing_ok:
            return {}
        raise UsageError(
            f"there is no {os.fspath(file)}",
            where=registry.caller_outside(__file__),
            mend="write it, or pass missing_ok=True",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{os.fspath(file)} cannot be read: {reason}",
            where=registry.caller_outside(__file__),
            mend="name a file that can be read",
        ) from None
    if not path.endswith(".toml"):
        text = script_block(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{os.fspath(file)} is not TOML: {error}",
            where=registry.caller_outside(__file__),
            mend="mend it there",
        ) from None


def script_block(text: str) -> str:
    """The TOML of the `# /// script` block, by PEP 723; empty where there is none."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if not inside:
            inside = line.rstrip() == "# /// script"
        elif line.rstrip() == "# ///":
            return "\n".join(lines)
        elif line.startswith("#"):
            lines.append(line[2:] if line.startswith("# ") else line[1:])
        else:
            return ""
    return ""


def python_versions(
    pyproject: Mapping[str, Any],
    *,
    max_version: str | None = None,
    free_threaded: bool | None = None,
) -> list[str]:
    """The minor versions that the project says it supports, lowest first.

    From its classifiers ("Programming Language :: Python :: 3.12"); with
    max_version, from `requires-python` up to and including that version.
    free_threaded: behind them "3.14t" and later ones, too; None: where a classifier
    ("Programming Language :: Python :: Free Threading") says so.
    """
    project = pyproject.get("project", {})
    if free_threaded is None:
        classifiers = map(str, project.get("classifiers", ()))
        free_threaded = any(c.startswith(_FREE_THREADING) for c in classifiers)
    found = _minor_versions(project, max_version)
    # In 3.13 it was an experiment, and nobody's classifier means it.
    without_lock = [f"{v}t" for v in found if free_threaded and int(v.partition(".")[2]) >= 14]
    return found + without_lock


def _minor_versions(project: Mapping[str, Any], max_version: str | None) -> list[str]:
    if max_version is None:
        found = {
            tuple(map(int, version.split(".")))
            for text in project.get("classifiers", ())
            for version in [str(text).removeprefix(_CLASSIFIER)]
            if str(text).startswith(_CLASSIFIER)
            and version.count(".") == 1
            and version.replace(".", "").isdigit()
        }
        if not found:
            raise UsageError(
                "pyproject.toml has no classifiers that name Python versions",
                where=current_registry().caller_outside(__file__),
                mend='add "Programming Language :: Python :: 3.12" and the like,'
                " or pass max_version=",
            )
        return [".".join(map(str, version)) for version in sorted(found)]

    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # only where it is asked for

    wanted = project.get("requires-python")
    if not wanted:
        raise UsageError(
            "pyproject.toml has no requires-python",
            where=current_registry().caller_outside(__file__),
            mend='add requires-python = ">=3.10" to [project]',
        )
    major, _, last = max_version.partition(".")
    if not (major.isdigit() and last.isdigit()):
        raise UsageError(
            f"max_version cannot be {max_version!r}",
            where=current_registry().caller_outside(__file__),
            mend='write it like "3.14"',
        )
    try:
        fits = SpecifierSet(wanted)
    except InvalidSpecifier:
        raise UsageError(
            f"requires-python of pyproject.toml cannot be {wanted!r}",
            where=current_registry().caller_outside(__file__),
            mend=f'write it like ">={wanted}"',
        ) from None
    # A bound such as >=3.10.2 still means the minor version 3.10.
    minors = [f"{major}.{minor}" for minor in range(int(last) + 1)]
    return [minor for minor in minors if fits.contains(minor) or fits.contains(f"{minor}.99")]


def dependency_groups(pyproject: Mapping[str, Any], *groups: str) -> tuple[str, ...]:
    """The requirements of the named groups with what they include (PEP 735)."""
    from dependency_groups import resolve  # brings packaging: only where it is asked for

    table = pyproject.get("dependency-groups", {})
    try:
        return resolve(table, *groups)
    except (LookupError, ValueError, TypeError) as error:
        unknown = next((group for group in groups if group not in table), None)
        hint = did_you_mean(unknown, list(table)) if unknown is not None else ""
        raise UsageError(
            f"the dependency groups {', '.join(groups)} cannot be resolved: {error}",
            where=current_registry().caller_outside(__file__),
            mend=hint or f"pyproject.toml has the groups {', '.join(table) or '(none)'}",
        ) from None
