"""A project's files as a worker of a cluster has them: by digest, and as a folder of a run.

Files are kept in the worker's cache by what they hold, so that only those travel
that it lacks. A run's folder is made of copies: what a job does to one reaches no
other run. Knows nothing of how files travel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import suppress

from runner.amounts import DAY_S
from runner.aside import touch, write_aside
from runner.record import Record
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING
from runner.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# path, kind ("f", "x": executable, "l": a link), digest or what the link leads to
Entry = tuple[str, str, str]

_KEPT_S = 30 * DAY_S  # a file that no run has asked for
_MOST_BYTES = 8 << 20  # sent at once, and a file that is larger
_LEFT_S = 7 * DAY_S  # a run's folder that nobody has removed


class Content(Record):
    """The files of a project, and the bytes of those that somebody lacks."""

    entries: tuple[Entry, ...]
    read: Callable[[Sequence[str]], list[bytes]]  # of the first of so many digests


def home_in(environ: Mapping[str, str], scratch: str) -> str:
    """The folder that all of this is kept in: in the user's cache, else in a scratch folder."""
    return os.path.join(user_cache(environ) or scratch, "cluster")


class Delivered:
    """What of projects has reached this machine, or leaves it."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._files = os.path.join(home, "files")
        self._runs = os.path.join(home, "runs")

    def _path(self, digest: str) -> str:
        return os.path.join(self._files, digest[:2], digest)

    def lacks(self, entries: Iterable[Entry]) -> list[str]:
        """The digests of the files that are not here."""
        wanted = dict.fromkeys(what for _, kind, what in entries if kind != "l")
        return [digest for digest in wanted if not self._is_used(digest)]

    def _is_used(self, digest: str) -> bool:
        try:
            os.utime(self._path(digest))  # so that it stays
        except OSError:
            return False
        return True

    def add(self, content: bytes) -> str:
        """Keep a file, whole or not at all; its digest."""
        digest = hashlib.sha256(content).hexdigest()
        if not self._is_used(digest):
            path = self._path(digest)
            os.makedirs(self._home, mode=0o700, exist_ok=True)  # others may not read the projects
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_aside(path, content)
        return digest

    def read(self, digests: Iterable[str]) -> list[bytes]:
        """The bytes of the first of these, as many as are sent at once."""
        found: list[bytes] = []
        size_bytes = 0
        for digest in digests:
            with open(self._path(digest), "rb") as stream:
                found.append(stream.read())
            size_bytes += len(found[-1])
            if size_bytes >= _MOST_BYTES:
                break
        return found

    def make_folder(self, run: str, entries: Iterable[Entry]) -> str:
        """A folder of its own for a run on this worker, that has these files.

        Raises OSError for a file that was taken away, ValueError for a path that leads out.
        """
        os.makedirs(self._home, mode=0o700, exist_ok=True)
        root = os.path.realpath(os.path.join(self._runs, f"{run}-{os.getpid()}-{time.time_ns():x}"))
        os.makedirs(root)
        made = {root}
        for name, kind, what in entries:
            path = checked_path(root, name)
            if os.path.dirname(path) not in made:
                made.add(os.path.dirname(path))
                os.makedirs(os.path.dirname(path), exist_ok=True)
            if kind == "l":
                os.symlink(what, path)
            else:
                shutil.copyfile(self._path(what), path)
                if kind == "x":
                    os.chmod(path, 0o755)  # noqa: S103  # a program of the project
        return root

    def clean(self) -> None:
        """What nobody has used for long is gone; looked at once a day."""
        now = time.time()
        looked = os.path.join(self._runs, ".looked")
        if now - _changed(looked) < DAY_S:
            return
        touch(looked)
        for name in os.listdir(self._runs):
            path = os.path.join(self._runs, name)
            if os.path.isdir(path) and now - _changed(path) > _LEFT_S:
                remove_tree(path)
        for above, _, files in os.walk(self._files):
            for name in files:
                path = os.path.join(above, name)
                if now - _changed(path) > _KEPT_S:
                    with suppress(OSError):  # somebody else was faster
                        os.unlink(path)


def _changed(path: str) -> float:
    """When a file was last changed, in seconds since the epoch; 0 where it is not there."""
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def checked_path(root: str, name: str) -> str:
    """Where a file belongs below a folder. Raises ValueError for one that leads out of it."""
    path = os.path.normpath(os.path.join(root, name))
    if os.path.isabs(name) or not path.startswith(root + os.sep):
        raise ValueError(f"{name!r} leads out of {root}")
    return path
