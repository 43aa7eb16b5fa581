"""What [tool.poetry] says of dependencies, in the spelling of PEP 508.

Rules: https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re

from runner.convert.tables import list_in, strings_in, table_in
from runner.init.seen import Source
from runner.settings import is_dict
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def poetry_sources(
    poetry: Mapping[object, object],
) -> tuple[tuple[Source, ...], tuple[str, ...], str]:
    """The groups, what the project itself depends on, and the Pythons that it asks for.

    What stands for no release, a folder or a repository, is left out.
    """
    groups = {
        name: table_in(poetry, "group", name, "dependencies")
        for name in strings_in(poetry.get("group"))
    }
    old = table_in(poetry, "dev-dependencies")
    if old:
        groups.setdefault("dev", old)
    sources = tuple(
        Source("list", f"group {name} of poetry", _requirements(table))
        for name, table in groups.items()
    )
    main = table_in(poetry, "dependencies")
    own = {name: said for name, said in main.items() if name != "python"}
    return sources, _requirements(own), ",".join(_clauses(str(main.get("python", ""))))


def _requirements(table: Mapping[object, object]) -> tuple[str, ...]:
    found = [_requirement(name, said) for name, said in strings_in(table).items()]
    return tuple(text for text in found if text)


def _requirement(name: str, said: object) -> str:
    if isinstance(said, str):
        return name + ",".join(_clauses(said))
    if not is_dict(said) or not isinstance(said.get("version"), str) or said.get("optional"):
        return ""
    extras = list_in(said.get("extras"))
    shown = f"[{','.join(extras)}]" if extras else ""
    markers = [str(said["markers"])] if said.get("markers") else []
    for clause in _clauses(str(said.get("python", ""))):
        sign, version = re.match(r"([<>=!~]*)(.*)", clause, re.S).groups()  # type: ignore[union-attr]  # it matches all
        markers.append(f'python_version {sign or "=="} "{version}"')
    text = name + shown + ",".join(_clauses(str(said["version"])))
    return f"{text}; {' and '.join(markers)}" if markers else text


def _clauses(constraint: str) -> list[str]:
    """`^1.2` → `>=1.2`, `<2.0`. None of what PEP 440 cannot say: `1 || 2`."""
    if "||" in constraint or " | " in constraint:
        return []
    found: list[str] = []
    for part in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", constraint.strip()):
        match = re.fullmatch(r"([\^~<>=!]*)\s*v?(.+)", part)
        if match is None or part == "*":
            continue
        sign, version = match[1], match[2].strip()
        numbers = [int(n) for n in re.findall(r"\d+", version.split("-")[0])[:3]]
        if sign in ("^", "~") and numbers:
            found += [f">={version}", f"<{_next(numbers, sign)}"]
        elif sign == "" and version.endswith(".*"):
            found.append(f"=={version}")
        else:
            found.append(f"{sign or '=='}{version}")
    return found


def _next(numbers: list[int], sign: str) -> str:
    """The first version that does not fit any more."""
    if sign == "~":
        at = 1 if len(numbers) > 1 else 0
    else:
        at = next((n for n, number in enumerate(numbers) if number), len(numbers) - 1)
    return ".".join(map(str, [*numbers[:at], numbers[at] + 1]))
