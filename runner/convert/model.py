"""What is read from another tool's file: one model of environments for all formats.

Knows no format and nothing of how an envfile is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Code(Record):
    """A piece of a text that is known when it runs: a Python expression of a string."""

    expression: str
    needs: frozenset[str] = frozenset()  # what it uses: os, sys, ROOT, session, tmp, …
    words: bool = False  # it is a list, of which each item is a word of the command
    default: tuple[str, ...] = ()  # of arguments behind --: what else is taken, as expressions


Text = tuple["str | Code", ...]
"""A string, of pieces that are known now and of such as are not."""


class Command(Record):
    """One command."""

    words: tuple[Text, ...]
    may_fail: bool = False
    must_fail: bool = False
    external: bool = False
    setup: bool = False  # it belongs to making the environment


# (("django42", False), ("win32", True)): all of them, True for those that must not be;
# several of these are alternatives.
Condition = tuple[tuple[tuple[str, bool], ...], ...]

Value_co = TypeVar("Value_co", covariant=True)


# Before Python 3.11 no NamedTuple is generic.
@dataclass(frozen=True)
class Item(Generic[Value_co]):
    """An entry of a setting."""

    value: Value_co
    when: Condition = ()  # as it was written; (): always
    platform: str = ""  # an expression that must be true when it runs; "": always


class Note(Record):
    """What somebody who moves should know."""

    kind: str  # one of KINDS, or what a first envfile says
    line: int  # of the file that is converted; 0: none of its lines
    text: str


KINDS = {
    "approximated": "approximated, so look at these",
    "left": "left, with a comment there",
    "ignored": "ignored by the old tool too",
}


class Environment(Record):
    """An environment of another tool, with all that holds for it."""

    name: str
    source: str  # those with the same one are declared together in the old file
    line: int = 0
    listed: bool = True  # it runs when nothing is named
    python: str | None = None
    pythons: tuple[str, ...] = ()  # several: a job for each
    doc: str = ""
    deps: tuple[Item[Text], ...] = ()
    requirements: tuple[Item[Text], ...] = ()
    constraints: tuple[Item[Text], ...] = ()
    extras: tuple[Item[Text], ...] = ()
    groups: tuple[Item[Text], ...] = ()
    tags: tuple[Item[Text], ...] = ()
    env: tuple[Item[tuple[str, Text]], ...] = ()
    installs: tuple[Item[Command], ...] = ()
    pre: tuple[Item[Command], ...] = ()
    commands: tuple[Item[Command], ...] = ()
    post: tuple[Item[Command], ...] = ()
    project: str = ""  # wheel, sdist, editable; "": it is not installed
    lock: str = ""
    prerelease: str = ""
    resolution: str = ""
    backend_options: tuple[str, ...] = ()
    reuse: bool = True
    folder: Text = ()  # where its commands run; (): the root
    platform: str = ""  # a pattern of sys.platform
    failure_ignored: bool = False
    shares: str = ""  # the environment that it shares with others
    after: tuple[str, ...] = ()  # patterns of the names of others that come before it
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()  # further arguments, with their values
    formats: tuple[tuple[str, str], ...] = ()  # of some axes: their values in names, "x_{value}"
    words: tuple[str, ...] = ()  # what a matrix adds to the name
    notes: tuple[Note, ...] = ()


class Declared(Record):
    """A whole file of another tool."""

    environments: tuple[Environment, ...]
    # Of runner.options: names, or an expression.
    options: tuple[tuple[str, str | tuple[str | Code, ...]], ...] = ()
    notes: tuple[Note, ...] = ()


def literal(text: Text) -> str | None:
    """The string, where all of it is known."""
    return "".join(map(str, text)) if all(isinstance(piece, str) for piece in text) else None


def joined(pieces: Sequence[str | Code]) -> Text:
    """The pieces as a Text, neighbours that are known in one."""
    made: list[str | Code] = []
    for piece in pieces:
        if isinstance(piece, str) and made and isinstance(made[-1], str):
            made[-1] += piece
        elif piece:
            made.append(piece)
    return tuple(made)
