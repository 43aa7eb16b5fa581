"""Where the envfile is that is meant: the one named, else the nearest."""

from __future__ import annotations

import os

from runner.errors import UsageError, did_you_mean
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Settings

NAME = "envfile.py"
NOXFILE = "noxfile.py"

_FIRST = """\
`runenv --init` writes one for what is here; the smallest, to be saved as envfile.py:

"""
SAMPLE = """\
    import runner

    @runner.session(deps=["pytest"])
    def tests(session: runner.Session) -> None:
        session.run("pytest", *session.posargs)"""


def envfile_in(folder: str) -> str:
    """The envfile of a folder, else its noxfile; empty where it has neither."""
    paths = (os.path.join(folder, name) for name in (NAME, NOXFILE))
    return next((path for path in paths if os.path.isfile(path)), "")


def nearest_envfile(start: str) -> str:
    """That of the folder, else of the nearest above it that has one; empty where none has."""
    folder = start
    while True:
        path = envfile_in(folder)
        above = os.path.dirname(folder)
        if path or above == folder:
            return path
        folder = above


def find_envfile(file: str | None, directory: str | None) -> str:
    """The absolute path of the envfile: the one named, else the nearest above.

    file: as given by --file, relative to `directory`; a folder means the
    envfile in it. directory: where to start, the working folder by default.
    """
    start = _start_in(directory)
    if not os.path.isdir(start):
        raise UsageError(
            f"there is no folder {directory}", mend="give --directory a folder that exists"
        )
    if file is not None:
        path = os.path.join(start, os.path.expanduser(file))
        if os.path.isdir(path):
            path = envfile_in(path) or os.path.join(path, NAME)
        if not os.path.isfile(path):
            raise _no_file(file, path)
        return os.path.normpath(path)
    path = nearest_envfile(start)
    if not path:
        raise UsageError(f"no {NAME} in {start} or in a folder above it", mend=_FIRST + SAMPLE)
    return path


def _start_in(directory: str | None) -> str:
    """The absolute path of the folder, by default the working one, which may be gone."""
    try:
        return os.path.abspath(directory or os.getcwd())
    except FileNotFoundError:
        raise UsageError(
            "the working folder does not exist any more",
            mend="change to one that does, or use --directory",
        ) from None


def find_envfile_of_all(file: str | None, directory: str | None) -> str:
    """As `find_envfile`, for `--all-projects`: in the folder itself, where there need be none."""
    named = os.path.join(_start_in(directory), os.path.expanduser(file or "."))
    envfile = os.path.normpath(os.path.join(named, NAME))
    if os.path.isdir(named) and not os.path.isfile(envfile):
        return envfile
    return find_envfile(file or NAME, directory)


def envfile_meant(settings: Settings) -> str:
    """What `find_envfile` finds for these, or under `--all-projects` `find_envfile_of_all`."""
    find = find_envfile_of_all if settings.all_projects else find_envfile
    return find(settings.file, settings.directory)


def _no_file(file: str, path: str) -> UsageError:
    folder, name = os.path.split(path)
    beside = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    near = did_you_mean(name, [n for n in beside if n.endswith(".py")])
    return UsageError(f"there is no file {file}", mend=near or f"looked for {path}")
