"""The loops that make the names of several sessions, and their Pythons.

Pure. Knows nothing of what the sessions do.
"""

from __future__ import annotations

import re

from runner.convert.factors import python_of
from runner.convert.families import axes_of
from runner.convert.words import Block, quoted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.families import Axis
    from runner.convert.model import Environment


def loop_axes(members: Sequence[Environment]) -> list[Axis]:
    """The axes of loops that make all the names; [] where names are listed one by one."""
    axes = axes_of([one.name for one in members])
    wide = [axis for axis in axes if len(axis.words) > 1]
    named = [axis for axis in axes if axis.name.startswith("python")]
    pythons_fit = all(one.python == python_of(one.name) for one in members)
    if len(named) > 1 or not pythons_fit or any("-" in word for a in axes for word in a.words):
        return []
    if not _tells_pythons(named, members):
        return []
    return axes if len(wide) >= 1 else []


def _tells_pythons(named: Sequence[Axis], members: Sequence[Environment]) -> bool:
    """Whether a part of the names tells the Python of each, or all have the same."""
    for axis in named:
        if len(axis.words) > 1:
            return all(map(python_of, axis.words))
    return len({one.python for one in members}) == 1


def loops_of(members: Sequence[Environment]) -> tuple[list[Block], str, str]:
    """The heads of the loops, and in them the expressions of the name and of the Python."""
    axes = loop_axes(members)
    if not axes:
        return _listed(members)
    loops: list[Block] = []
    parts = ""
    python = ""
    for axis in axes:
        if axis.name == "python":
            versions = [python_of(word) for word in axis.words]
            named = [version for version in versions if version]
            if len(axis.words) == 1:
                python = "".join(map(quoted, named))
                parts += f"-{axis.words[0]}"
                continue
            python = "python"
            if all(w == "py" + v.replace(".", "") for w, v in zip(axis.words, named, strict=True)):
                parts += "-py{python.replace('.', '')}"
                loops.append(_for("python", [quoted(v) for v in named]))
            elif all(w == "py" + v for w, v in zip(axis.words, named, strict=True)):
                parts += "-py{python}"
                loops.append(_for("python", [quoted(v) for v in named]))
            elif list(axis.words) == named:
                parts += "-{python}"
                loops.append(_for("python", [quoted(v) for v in named]))
            else:
                pairs = [
                    f"{quoted(w)}: {quoted(v)}" for w, v in zip(axis.words, named, strict=True)
                ]
                alone = len([a for a in axes if len(a.words) > 1]) == 1 == len(axes)
                word = "name" if alone else "py"
                loops.append(Block(f"for {word}, python in {{", tuple(pairs), "}.items():"))
                parts += f"-{{{word}}}"
        elif len(axis.words) == 1:
            parts += f"-{axis.words[0]}"
        else:
            parts += f"-{{{axis.name}}}"
            loops.append(_for(axis.name, [quoted(word) for word in axis.words]))
    name = parts.removeprefix("-")
    only = re.fullmatch(r"\{(\w+)\}", name)
    shown = only[1] if only else f'f"{name}"'
    return loops, shown, python or _same_python(members)


def _for(variable: str, values: list[str]) -> Block:
    return Block(f"for {variable} in [", tuple(values), "]:")


def _same_python(members: Sequence[Environment]) -> str:
    return quoted(members[0].python) if members[0].python else ""


def _listed(members: Sequence[Environment]) -> tuple[list[Block], str, str]:
    pythons = {one.python for one in members}
    if len(pythons) == 1:
        loop = _for("name", [quoted(one.name) for one in members])
        return [loop], "name", _same_python(members)
    pairs = [f"{quoted(one.name)}: {quoted(one.python) if one.python else None}" for one in members]
    return [Block("for name, python in {", tuple(pairs), "}.items():")], "name", "python"
