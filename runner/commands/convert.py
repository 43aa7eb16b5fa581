"""`runenv --convert [FILE]`: writes an envfile that says what a file of another tool says.

The text is written beside its place and loaded from there, so that what does not load
never becomes the envfile, and an envfile that is there is replaced by a whole one.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.amounts import counted
from runner.aside import write_aside
from runner.convert import NAMES, convert
from runner.convert.model import KINDS
from runner.errors import PASSED, UsageError, did_you_mean
from runner.finding import NAME
from runner.load import load_project
from runner.settings import settle
from runner.telling import tell

if TYPE_CHECKING:
    from runner.convert import Converted
    from runner.model import Request

ASIDE = "envfile.converted.py"  # where the text is until it has been loaded


def main(request: Request) -> int:
    """Convert the file that was named, or the first that there is."""
    settings = settle(request.given, os.environ, {}, {})
    asked = os.path.join(settings.directory or "", request.argument or "")
    path, converted = _converted(asked)
    root = os.path.dirname(os.path.abspath(path))
    envfile = os.path.join(root, NAME)
    if os.path.lexists(envfile) and not settings.force:
        raise UsageError(
            f"there is an {NAME} already: {os.path.relpath(envfile)}",
            mend="runenv --convert --force replaces it",
        )
    aside = os.path.join(root, ASIDE)
    write_aside(aside, converted.text)
    # Raises where it does not load, with the lines; the text is still there to look at.
    jobs = load_project(aside, may_install=False).jobs
    os.replace(aside, envfile)
    tell(sys.stderr, _summary(path, converted, len(jobs)))
    return PASSED


def _converted(asked: str) -> tuple[str, Converted]:
    """The file that is meant, and what came of it."""
    if os.path.isdir(asked):
        found = [os.path.normpath(os.path.join(asked, name)) for name in NAMES]
        paths = [path for path in found if os.path.isfile(path)]
    else:
        paths = [asked]
    for path in paths:
        converted = _convert(path)
        if converted is not None:
            return os.path.normpath(path), converted
    if os.path.isdir(asked):
        raise UsageError(
            f"nothing to convert in {os.path.abspath(asked)}",
            mend=f"looked for what tox and hatch read in {', '.join(NAMES)}",
        )
    raise UsageError(
        f"nothing to convert in {asked}", mend="it says nothing to tox and nothing to hatch"
    )


def _convert(path: str) -> Converted | None:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read()
    except FileNotFoundError:
        near = did_you_mean(os.path.basename(path), list(NAMES))
        raise UsageError(
            f"there is no file {path}", mend=near or f"looked for {os.path.abspath(path)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}", mend="make it readable") from None
    try:
        return convert(path, text)
    except ValueError as error:
        raise UsageError(
            f"{path} cannot be converted: {error}", mend="mend it: the other tool refuses it too"
        ) from None


def _summary(path: str, converted: Converted, jobs: int) -> str:
    """What was made, and what somebody should look at."""
    environments, functions = len(converted.environments), converted.functions
    made = f"{counted(environments, 'environment')} in {counted(functions, 'function')}"
    there = os.path.join(os.path.dirname(path), NAME)
    lines = [f"{path} -> {there}: {made}; it loads, and lists {counted(jobs, 'job')}"]
    for kind, told in KINDS.items():
        notes = [note for note in converted.notes if note.kind == kind]
        lines += [f"{told}:"] if notes else []
        for note in notes:
            place = f"{path}:{note.line}" if note.line else path
            lines.append(f"  {place}  {note.text}")
    return "\n".join(lines) + "\n"
