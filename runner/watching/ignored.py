"""Which files of a project are not watched: what git ignores, and what no person edits.

Knows nothing of changes.
"""

from __future__ import annotations

import os
import re
import subprocess

from runner.aside import writer_of
from runner.requirements.local import Leftovers, in_git, without_git_places
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What editors write beside a file that they save: vim, Emacs, JetBrains, gedit, and systems' own.
_ASIDE = re.compile(
    r".*~|\..*\.sw[a-z]|4913|\.#.*|#.*#|.*___jb_(tmp|old)___|\.goutputstream-.*|\.DS_Store"
)

_LIST = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
_CHECK = ("check-ignore", "-z", "--stdin")


def is_aside(name: str) -> bool:
    """Whether a file of that name is what an editor, or one of us, writes beside another."""
    return _ASIDE.fullmatch(name) is not None or writer_of(name) is not None


class Ignored:
    """Tells what is not watched of a project, asked once for each new name."""

    def __init__(self, root: str, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = without_git_places(environ)
        self._said: set[str] = set()  # absolute, by whoever has told us
        self._begin()

    def _begin(self) -> None:
        self._leftovers = Leftovers(self._root)
        self._by_git: set[str] = set()
        # A project in a folder that git ignores is invisible to it.
        self._asks_git = in_git(self._root) and self._git("check-ignore", "-q", ".")[0] == 1
        if self._asks_git:
            _, listed = self._git(*_LIST)
            self._by_git = {self._path(name) for name in listed}

    def forget(self) -> None:
        """What git ignores may be something else now."""
        self._begin()

    def add(self, paths: Iterable[str]) -> None:
        """These are not watched, nor what lies below them."""
        self._said |= set(paths)

    def was_told(self, path: str) -> bool:
        """Whether it is one of those that somebody has added."""
        return path in self._said

    def is_folder(self, path: str) -> bool:
        """Whether a folder is not watched, as far as is known without asking git anew."""
        name = os.path.relpath(path, self._root).replace(os.sep, "/")
        return path in self._said or path in self._by_git or self._leftovers.is_folder(name)

    def is_file(self, path: str, name: str) -> bool:
        """Whether a file is not watched, as far as is known without asking git anew."""
        if path in self._said or path in self._by_git or name == ".git":
            return True
        return Leftovers.is_file(name) or is_aside(name)

    def learn(self, new: Iterable[str]) -> None:
        """Ask git for these, which were not there when it was asked before."""
        names = [os.path.relpath(path, self._root).replace(os.sep, "/") for path in new]
        if names and self._asks_git:
            _, ignored = self._git(*_CHECK, names=names)
            self._by_git |= {self._path(name) for name in ignored}

    def _path(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._root, name))

    def _git(self, *arguments: str, names: Iterable[str] = ()) -> tuple[int, list[str]]:
        """How git ended, and the names that it told; 128 where it is not there."""
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self._root,
                env=self._environ,
                input="".join(f"{name}\0" for name in names),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
                start_new_session=True,  # Ctrl-C is ours to answer
            )
        except OSError:
            return 128, []
        return done.returncode, done.stdout.split("\0")[:-1]
