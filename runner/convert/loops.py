"""The loops that make the names of several sessions, and their Pythons.

Pure. Knows nothing of what the sessions do.
"""

from __future__ import annotations

import re

from runner.convert.factors import python_of
from runner.convert.families import axes_of, named_axes
from runner.convert.products import products_of
from runner.convert.words import Block, list_of, quoted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.families import Axis
    from runner.convert.model import Environment
    from runner.convert.products import Products


def loop_axes(members: Sequence[Environment]) -> list[Axis]:
    """The axes of loops that make all the names; [] where names are listed one by one."""
    return _axes(axes_of([one.name for one in members]), members)


def _axes(axes: list[Axis], members: Sequence[Environment]) -> list[Axis]:
    """The axes where their loops tell the Pythons; else []."""
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


def variables_of(members: Sequence[Environment]) -> list[Axis]:
    """The parts of the names that are variables of the loops."""
    products = products_of([one.name for one in members])
    return loop_axes(members) or (_axes_of_products(products, members) if products else [])


def loops_of(members: Sequence[Environment]) -> tuple[list[Block], str, str]:
    """The heads of the loops, and in them the expressions of the name and of the Python."""
    axes = loop_axes(members)
    if not axes:
        products = products_of([one.name for one in members])
        axes = _axes_of_products(products, members) if products else []
        if products and axes:
            return _loops_of_products(products, axes, members)
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
            if _spelling(axis.words):
                parts += "-" + _spelling(axis.words)
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


def _spelling(words: Sequence[str]) -> str:
    """How a version stands in each of the words; "" where it does not in the same way."""
    versions = [python_of(word) or "" for word in words]
    spellings = {
        "py{python.replace('.', '')}": ["py" + version.replace(".", "") for version in versions],
        "py{python}": ["py" + version for version in versions],
        "{python}": versions,
    }
    return next((spelling for spelling, all_of in spellings.items() if all_of == list(words)), "")


def _axes_of_products(products: Products, members: Sequence[Environment]) -> list[Axis]:
    axes = _axes(named_axes(products.columns), members)
    ok = all(len(a.words) == 1 or _spelling(a.words) for a in axes if a.name == "python")
    return axes if ok else []


def _loops_of_products(
    products: Products, axes: Sequence[Axis], members: Sequence[Environment]
) -> tuple[list[Block], str, str]:
    wide = [n for n, axis in enumerate(axes) if len(axis.words) > 1]
    ahead = len(products.blocks[0])
    entries: list[Block | str] = []
    for block in products.blocks:
        columns = [_values(axes[n], block[n]) for n in wide if n < ahead]
        if all(len(column) == 1 for column in columns):
            entries.append(f"({', '.join(column[0] for column in columns)})")
        else:
            entries.append(Block("*product(", tuple(map(list_of, columns)), ")"))
    variables = ", ".join(axes[n].name for n in wide if n < ahead)
    loops = [Block(f"for {variables} in [", tuple(entries), "]:")]
    loops += [_for(axes[n].name, _values(axes[n], axes[n].words)) for n in wide if n >= ahead]
    parts = [
        axis.words[0]
        if len(axis.words) == 1
        else _spelling(axis.words)
        if axis.name == "python"
        else f"{{{axis.name}}}"
        for axis in axes
    ]
    has_python = any(axes[n].name == "python" for n in wide)
    return loops, f'f"{"-".join(parts)}"', "python" if has_python else _same_python(members)


def _values(axis: Axis, words: Sequence[str]) -> list[str]:
    """The values of its variable, as they are written."""
    is_python = axis.name == "python"
    return [quoted(python_of(word) or word if is_python else word) for word in words]


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
