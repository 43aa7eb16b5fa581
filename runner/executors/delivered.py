"""A project's files as a worker of a cluster has them: by digest, and as a folder of a run.

Files are kept in the worker's cache by what they hold, so that only those travel
that it lacks. A run's folder is made of copies: what a job does to one reaches no
other run. Knows nothing of how files travel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# path, kind ("f", "x": executable, "l": a link), digest or what the link leads to
Entry = tuple[str, str, str]

_KEPT_S = 30 * 24 * 3600  # a file that no run has asked for
_LEFT_S = 7 * 24 * 3600  # a run's folder that nobody has removed


def cache_home(environ: Mapping[str, str]) -> str:
    """The folder that all of this is kept in: the user's cache, else the temporary folder."""
    if sys.platform in ("win32", "darwin"):
        from platformdirs import user_cache_dir  # 27 ms, which Linux is spared

        return os.path.join(user_cache_dir("runenv", appauthor=False), "cluster")
    cache, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if not os.path.isabs(cache):
        cache = os.path.join(home, ".cache") if os.path.isabs(home) else "/tmp"  # noqa: S108  # no home
    return os.path.join(cache, "runenv", "cluster")


class Delivered:
    """What of projects has reached this machine."""

    def __init__(self, home: str) -> None:
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

    def add(self, content: bytes) -> None:
        """Keep a file; whole or not at all."""
        path = self._path(hashlib.sha256(content).hexdigest())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        aside = f"{path}.{os.getpid()}"
        with open(aside, "wb") as stream:
            stream.write(content)
        os.replace(aside, path)

    def make_folder(self, run: str, entries: Iterable[Entry]) -> str:
        """A folder of its own for a run on this worker, that has these files.

        Raises OSError for a file that was taken away, ValueError for a path that leads out.
        """
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
        """What nobody has used for long is gone."""
        now = time.time()
        for home, kept_s in ((self._runs, _LEFT_S), (self._files, _KEPT_S)):
            for folder, folders, files in os.walk(home):
                for name in list(folders) if home == self._runs else files:
                    path = os.path.join(folder, name)
                    with suppress(OSError):
                        if now - os.lstat(path).st_mtime > kept_s:
                            shutil.rmtree(path) if name in folders else os.unlink(path)
                if home == self._runs:
                    break


def checked_path(root: str, name: str) -> str:
    """Where a file belongs below a folder. Raises ValueError for one that leads out of it."""
    path = os.path.normpath(os.path.join(root, name))
    if os.path.isabs(name) or not path.startswith(root + os.sep):
        raise ValueError(f"{name!r} leads out of {root}")
    return path
