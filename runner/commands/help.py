"""`runenv --help`: the options by group, with examples, in 80 columns."""

from __future__ import annotations

import os
import sys
from textwrap import wrap

from runner.colors import painter, shows_escapes, wants_color
from runner.settings import OPTIONS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Option, Request

_COLUMNS = 79
_INDENT = 26  # of the descriptions

_HEAD = """\
Runs the sessions of an envfile.py, each in a virtual environment of its own.

{usage}  runenv [OPTIONS] [NAME ...] [-- ARGUMENTS]

  NAME is a session, a job of one, or a pattern; ARGUMENTS go to the sessions.
"""

_EXAMPLES = (
    ("runenv", "the default sessions"),
    ("runenv lint tests", "two sessions, in this order"),
    ("runenv tests-3.13-old", "one job of a session"),
    ("runenv 'tests-*' -p 3.13", "what is given narrows together"),
    ("runenv tests -- -x -k parser", "arguments for the session's commands"),
    ("runenv --explain tests", "what would run, and why it is rebuilt"),
)

_FOOT = """\
Each option has a variable: RUNENV_ENVDIR for --envdir, RUNENV_FAIL_FAST=1 for
--fail-fast. The command line wins over variables, these over the envfile's
runner.options, and those over [tool.runenv] in pyproject.toml.

{exits}  0  all passed          124  a timeout, and no other failure
            1  a job failed        130  interrupted (Ctrl-C)
            2  wrong use           143  terminated
A job that was named and skipped counts as failed; so does a run of nothing.
"""


def main(_request: Request) -> int:
    """Print the help to standard output."""
    color = wants_color("auto", os.environ, shows_escapes(sys.stdout))
    print("\n".join(as_text(color=color)))
    return 0


def as_text(*, color: bool = False) -> list[str]:
    """The help in lines."""
    paint = painter(color=color)

    def heading(text: str) -> str:
        return paint("bold", text)

    lines = _HEAD.format(usage=heading("Usage:")).splitlines()
    for group in dict.fromkeys(option.group for option in OPTIONS if option.group):
        lines += ["", heading(f"{group}:")]
        lines += [line for option in OPTIONS if option.group == group for line in _lines(option)]
    lines += ["", heading("Examples:")]
    lines += [f"  {command:<30}{told}" for command, told in _EXAMPLES]
    return [*lines, "", *_FOOT.format(exits=heading("Exits with")).splitlines()]


def _lines(option: Option) -> list[str]:
    short = next((flag for flag in option.flags if not flag.startswith("--")), "")
    long = next(flag for flag in option.flags if flag.startswith("--"))
    head = f"  {short + ',' if short else '   '} {option.written(long)}"
    told = wrap(option.help, _COLUMNS - _INDENT)
    if len(head) >= _INDENT - 1:
        return [head, *(" " * _INDENT + line for line in told)]
    return [f"{head:<{_INDENT}}{told[0]}", *(" " * _INDENT + line for line in told[1:])]
