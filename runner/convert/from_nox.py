"""noxfile.py → envfile.py: the text itself is edited, so that all else in it stays as it is.

A noxfile is Python already. What is nox's in it is found in its syntax tree, and rewritten at
the places of the nodes; comments, blank lines and helpers are not touched.
"""

from __future__ import annotations

import re

from runner.convert.nox_decorators import Decorators
from runner.convert.nox_members import Members
from runner.convert.nox_names import Names
from runner.convert.nox_rewriting import Rewriting
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.convert.model import Note

NAMES = ("noxfile.py",)


class Rewritten(Record):
    """What became of a noxfile."""

    text: str
    sessions: tuple[str, ...]  # the families that stand in it as functions
    declaring: int  # sessions that declare now what they have installed by calls
    notes: tuple[Note, ...]


def rewrite(text: str, read: Callable[[str], str | None]) -> Rewritten | None:
    """The envfile that a noxfile becomes; None where nox is not imported in it.

    read: the text of a file that is named from the noxfile's folder; None: nobody knows.
    Raises ValueError for what is no Python.
    """
    try:
        rewriting = Rewriting(text, read)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    noxfile = rewriting.noxfile
    if not noxfile.has_nox:
        return None
    names, decorators = Names(rewriting), Decorators(rewriting)
    names.rewrite()
    Members(rewriting, decorators).rewrite()
    decorators.rewrite()
    names.add_lines()
    made = _without_nox(rewriting.edits.apply())
    return Rewritten(
        made.strip("\n") + "\n",
        tuple(dict.fromkeys(declared.name for declared in noxfile.declared)),
        decorators.declaring,
        tuple(rewriting.notes),
    )


_BLOCK = re.compile(r"^# /// script\n((?:#[^\n]*\n)*?)# ///\n", re.M)
_NOX = re.compile(r"""["']nox(?:[-_](?:uv|poetry))?\s*(?:\[[^]]*\])?\s*(?:[<>=!~@;][^"']*)?["']""")


def _without_nox(text: str) -> str:
    """The text; its script block (PEP 723) asks for nox no more."""
    found = _BLOCK.search(text)
    if found is None:
        return text
    block = re.sub(rf"^#[ \t]*{_NOX.pattern},?[ \t]*\n", "", found[1], flags=re.M)
    block = re.sub(rf"{_NOX.pattern}\s*,\s*", "", block)
    block = re.sub(rf"(?:,\s*)?{_NOX.pattern}", "", block)
    block = re.sub(r"^# dependencies\s*=\s*\[[\s#]*\]\n", "", block, flags=re.M)
    if not block.replace("#", "").strip():
        return text[: found.start()] + text[found.end() :].lstrip("\n")
    return text[: found.start(1)] + block + text[found.end(1) :]
