"""`runenv --help`: the options by group, with examples, in 80 columns or as many as there are."""

from __future__ import annotations

import os
import sys
from textwrap import wrap

from runner.colors import columns_of, fold, painter, shows_escapes, wants_color
from runner.settings import OPTIONS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Option, Request

_COLUMNS = 79
_INDENT = 26  # of the descriptions
_NARROW = 60  # columns: with fewer a description stands below its option
_INDENT_BELOW = 8

_FIRST = "Runs the sessions of an envfile.py, each in a virtual environment of its own."
_NAMES = "NAME is a session, a job of one, or a pattern; ARGUMENTS go to the sessions."
_VARIABLES = (
    "Each option has a variable: RUNENV_ENVDIR for --envdir, RUNENV_FAIL_FAST=1 for --fail-fast. "
    "The command line wins over variables, these over the envfile's runner.options, and those "
    "over [tool.runenv] in pyproject.toml."
)
_EXITS = (
    ("0", "all passed"),
    ("1", "a job failed"),
    ("2", "wrong use"),
    ("124", "a timeout, and no other failure"),
    ("130", "interrupted (Ctrl-C)"),
    ("143", "terminated"),
)
_LAST = "A job that was named and skipped counts as failed; so does a run of nothing."

_EXAMPLES = (
    ("runenv", "the default sessions"),
    ("runenv lint tests", "two sessions, in this order"),
    ("runenv tests-3.13-old", "one job of a session"),
    ("runenv 'tests-*' -p 3.13", "what is given narrows together"),
    ("runenv tests -- -x -k parser", "arguments for the session's commands"),
    ("runenv --explain tests", "what would run, and why it is rebuilt"),
)


def main(_request: Request) -> int:
    """Print the help to standard output."""
    color = wants_color("auto", os.environ, shows_escapes(sys.stdout))
    print("\n".join(as_text(color=color, columns=columns_of(sys.stdout))))
    return 0


def as_text(*, color: bool = False, columns: int = 0) -> list[str]:
    """The help in lines; columns: of the terminal, 0 where there is none."""
    paint = painter(color=color)
    room = min(columns or _COLUMNS + 1, _COLUMNS + 1) - 1

    def heading(text: str) -> str:
        return paint("bold", text)

    lines = [
        *wrap(_FIRST, room),
        "",
        f"{heading('Usage:')}  {_usage(room)}",
        "",
    ]
    lines += _indented(_NAMES, 2, room)
    for group in dict.fromkeys(option.group for option in OPTIONS if option.group):
        lines += ["", heading(f"{group}:")]
        for option in OPTIONS:
            if option.group == group:
                lines += _beside(_head(option), option.help, _INDENT, room)
    lines += ["", heading("Examples:")]
    for command, told in _EXAMPLES:
        lines += _beside(f"  {command}", told, _INDENT + 6, room)
    lines += ["", *wrap(_VARIABLES, room), "", heading("Exits with")]
    lines += [line for code, told in _EXITS for line in _beside(f"  {code}", told, 7, room, 0)]
    return [*lines, *wrap(_LAST, room)]


def _usage(room: int) -> str:
    """How it is called; what is in brackets stays together."""
    whole = "runenv [OPTIONS] [NAME\0...] [--\0ARGUMENTS]"
    return fold(whole, room + 1, 8).replace("\0", " ")


def _head(option: Option) -> str:
    short = next((flag for flag in option.flags if not flag.startswith("--")), "")
    long = next(flag for flag in option.flags if flag.startswith("--"))
    return f"  {short + ',' if short else '   '} {option.written(long)}"


def _beside(head: str, told: str, indent: int, room: int, narrow: int = _NARROW) -> list[str]:
    """A text beside what it tells of; below it where the head is long or the terminal narrow."""
    if room < narrow:
        return [head, *_indented(told, _INDENT_BELOW, room)]
    lines = _indented(told, indent, room)
    if len(head) >= indent - 1:
        return [head, *lines]
    return [f"{head:<{indent}}{lines[0][indent:]}", *lines[1:]]


def _indented(text: str, indent: int, room: int) -> list[str]:
    return [" " * indent + line for line in wrap(text, room - indent, break_on_hyphens=False)]
