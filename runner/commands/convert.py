"""`runenv --convert [FILE]`: writes an envfile that says what a file of another tool says.

The text is written beside its place and loaded from there, so that what does not load
never becomes the envfile, and an envfile that is there is replaced by a whole one.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from runner.amounts import counted
from runner.aside import write_aside
from runner.commands.check_converted import check
from runner.convert import NAMES, convert
from runner.convert.doctests import CONFIGURATIONS, asks_for_doctests
from runner.convert.model import KINDS
from runner.errors import PASSED, UsageError, did_you_mean
from runner.finding import NAME
from runner.load import load_project
from runner.settings import read_table, settle
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert import Converted
    from runner.model import Request

ASIDE = "envfile.converted.py"  # where the text is until it has been loaded


def main(request: Request) -> int:
    """Convert the file that was named, or the first that there is."""
    settings = settle(request.given, os.environ, {}, {})
    asked = os.path.join(settings.directory or "", request.argument or "")
    if settings.check:
        if settings.force:
            raise UsageError(
                "--check and --force cannot be asked for at once", mend="--check changes nothing"
            )
        return _check(asked, request)
    path, converted, others = _converted(asked)
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
    tell(sys.stderr, _summary(path, converted, len(jobs), others))
    return PASSED


def _check(asked: str, request: Request) -> int:
    """Compare the envfile that is there, or would be, with what the other tool says."""
    folder = asked if os.path.isdir(asked) else os.path.dirname(asked)
    envfile = os.path.join(os.path.abspath(folder), NAME)
    if os.path.lexists(envfile):
        path, text = _said_in(asked), _read(envfile)
    else:
        path, converted, _ = _converted(asked)
        text = converted.text
    project = load_project(envfile, may_install=False, source=text.encode())
    table = read_table(project.root)
    settings = settle(request.given, os.environ, project.options, table)
    return check(path, _read(path), project, text, settings)


def _said_in(asked: str) -> str:
    """The file that an envfile is compared with."""
    if os.path.isfile(asked):
        return asked
    return _converted(asked)[0]


def _converted(asked: str) -> tuple[str, Converted, list[str]]:
    """The file that is meant, what came of it, and the others that could have been meant."""
    if os.path.isdir(asked):
        found = [os.path.normpath(os.path.join(asked, name)) for name in NAMES]
        paths = [path for path in found if os.path.isfile(path)]
    else:
        paths = [asked]
    for number, path in enumerate(paths):
        converted = _convert(path)
        if converted is not None:
            others = [other for other in paths[number + 1 :] if _says_something(other)]
            return os.path.normpath(path), converted, others
    if os.path.isdir(asked):
        raise UsageError(
            f"nothing to convert in {os.path.abspath(asked)}",
            mend=f"looked for what nox, tox and hatch read in {', '.join(NAMES)}",
        )
    raise UsageError(
        f"nothing to convert in {asked}", mend="it says nothing to nox, to tox or to hatch"
    )


def _says_something(path: str) -> bool:
    try:
        return _convert(path) is not None
    except UsageError:
        return True  # what is wrong with it is told when it is named


def _read(path: str) -> str:
    """What stands in a file. Raises UsageError where that cannot be read."""
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return stream.read()
    except FileNotFoundError:
        near = did_you_mean(os.path.basename(path), list(NAMES))
        raise UsageError(
            f"there is no file {path}", mend=near or f"looked for {os.path.abspath(path)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}", mend="make it readable") from None


def _has_doctests(folder: str) -> bool:
    """Whether pytest is configured there to import all modules for their doctests."""
    paths = [os.path.join(folder, name) for name in CONFIGURATIONS]
    return any(asks_for_doctests(_read(path)) for path in paths if os.path.isfile(path))


def _convert(path: str) -> Converted | None:
    text = _read(path)
    try:
        return convert(
            path,
            text,
            partial(_read_beside, path),
            doctests=_has_doctests(os.path.dirname(path)),
        )
    except ValueError as error:
        raise UsageError(
            f"{path} cannot be converted: {error}", mend="mend it: the other tool refuses it too"
        ) from None


def _read_beside(path: str, name: str) -> str | None:
    try:
        with open(os.path.join(os.path.dirname(path), name), encoding="utf-8") as stream:
            return stream.read()
    except (OSError, ValueError):  # a name with a null byte; what is not UTF-8
        return None


def _summary(path: str, converted: Converted, jobs: int, others: list[str]) -> str:
    """What was made, and what somebody should look at."""
    there = os.path.join(os.path.dirname(path), NAME)
    lines = [f"{path} -> {there}: {converted.made}; it loads, and lists {counted(jobs, 'job')}"]
    lines += [f"{other} could be converted too: runenv --convert {other}" for other in others]
    for kind, told in KINDS.items():
        notes = [note for note in converted.notes if note.kind == kind]
        lines += [f"{told}:"] if notes else []
        for note in notes:
            place = f"{path}:{note.line}" if note.line else path
            lines.append(f"  {place}  {note.text}")
    return "\n".join(lines) + "\n"
