"""`runenv --init`: a first envfile for the project that is here, and what to do with it.

The text is written beside its place and loaded from there, as with --convert: what does not
load never becomes the envfile. One that is there is never replaced.
"""

from __future__ import annotations

import os
import sys

from runner.aside import write_aside
from runner.convert.write import write
from runner.envs.pythons_found import found_versions
from runner.errors import PASSED, UsageError
from runner.finding import NAME, NOXFILE
from runner.init.decide import decide
from runner.init.look import look
from runner.init.told import told
from runner.load import load_project
from runner.settings import settle
from runner.shown import show
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Request, Settings

ASIDE = "envfile.new.py"  # where the text is until it has been loaded
_DOC = "The sessions of this project: what runs, and what it needs."


def main(request: Request) -> int:
    """Look at the folder, write the envfile, and tell what was seen."""
    settings = settle(request.given, os.environ, {}, {})
    if "sessions" in request.given:
        name = settings.sessions[0]
        raise UsageError(
            f"--init takes no name, and got {name!r}",
            mend=f"the folder of a project is named by -C: runenv -C {name} --init",
        )
    envfile = _place_of(settings)
    folder = os.path.dirname(envfile)
    shown = os.path.relpath(envfile)
    if os.path.lexists(envfile):
        raise UsageError(
            f"there is an {NAME} already: {shown}",
            mend="--init writes a first one; `runenv --list` shows what this one has",
        )
    seen = look(folder)
    decided = decide(seen, sys.version_info[:2], found_versions)
    aside = os.path.join(folder, ASIDE)
    text = write(decided.declared, "", doc=_DOC).text
    write_aside(aside, text)
    # Raises where it does not load, with the lines; the text is still there to look at.
    load_project(aside, may_install=False)
    with open(envfile, "x", encoding="utf-8") as stream:  # never over one written meanwhile
        stream.write(text)
    os.unlink(aside)
    here = found_versions(decided.python or seen.metadata.requires_python or ">=3.8")
    again = "runenv" if os.path.basename(envfile) == NAME else show(("runenv", "--file", shown))
    tell(sys.stderr, "\n".join(told(seen, decided, shown, here, again)) + "\n")
    return PASSED


def _place_of(settings: Settings) -> str:
    """The path of the envfile to write: in the project's folder, or as --file names it."""
    start = os.path.abspath(settings.directory or "")
    if not os.path.isdir(start):
        raise UsageError(
            f"there is no folder {settings.directory}",
            mend="give --directory a folder that exists",
        )
    if settings.file is None:
        return os.path.join(start, NAME)
    path = os.path.normpath(os.path.join(start, os.path.expanduser(settings.file)))
    if os.path.isdir(path):
        path = os.path.join(path, NAME)
    if not os.path.isdir(os.path.dirname(path)):
        raise UsageError(
            f"there is no folder {os.path.dirname(settings.file)}",
            mend="an envfile lies in the folder of its project: name one that exists",
        )
    if os.path.basename(path) == NOXFILE:
        raise UsageError(
            f"--init writes no {NOXFILE}, which is nox's",
            mend=f"leave --file away: {NAME} is found without it, and before a {NOXFILE}",
        )
    return path
