"""The files that are watched, and which of them have changed since they were looked at.

Knows nothing of when to look. Names, sizes and times say that a file may have changed, and
its content whether it has: what is written again as it was starts no run.
"""

from __future__ import annotations

import os
import stat
import time

from runner.typed import TYPE_CHECKING
from runner.watching.ignored import Ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    Stamp = tuple[int, int, int, int]

# An editor's save and a checkout of many files are one change: nothing has come for the first of
# these times, or something did for the second.
_QUIET_S, _SETTLED_S = 0.1, 3.0

# Of larger files, and of all beyond so many bytes at the start, the stamp alone decides.
_FILE_BYTES, _ALL_BYTES = 1 << 20, 1 << 26


class Tree:
    """The files below a folder that somebody edits, and single ones elsewhere."""

    def __init__(
        self, root: str, environ: Mapping[str, str], written: Container[tuple[int, int]] = ()
    ) -> None:
        """They are as they are now: what changes from here on is seen.

        written: device and number of files that are none of them, whatever they are called.
        """
        self.root = root
        self.took_s = 0.0  # by the last look
        self._ignored = Ignored(root, environ)
        self._written = written
        self._elsewhere: set[str] = set()
        self._known: set[str] | None = None  # paths that git was asked for; None: all that is there
        self._folders: set[str] = set()
        self._stamps = self._scan()
        self._contents: dict[str, int] = {}
        room = _ALL_BYTES
        for path, stamp in self._stamps.items():
            if stamp[1] <= min(_FILE_BYTES, room):
                room -= stamp[1]
                self._note_content(path, stamp)

    def learn(self, elsewhere: Iterable[str], ignored: Iterable[str]) -> None:
        """Watch these files too, and do not watch those, nor what lies below them."""
        self._ignored.add(ignored)
        new = {path for path in elsewhere if not self._is_inside(path)} - self._elsewhere
        self._elsewhere |= new
        for path, stamp in self._single(new).items():
            self._stamps[path] = stamp
            self._note_content(path, stamp)
        if self._known is not None:
            self._known = {path for path in self._known if not self._is_ignored(path)}
        self._stamps = {p: stamp for p, stamp in self._stamps.items() if not self._is_ignored(p)}

    def folders(self) -> set[str]:
        """Those in which a change would be seen."""
        return self._folders | {os.path.dirname(path) for path in self._elsewhere}

    def look(self) -> set[str]:
        """The files that have changed since the last look: written, new, or gone."""
        before = self._stamps
        self._stamps = now = self._scan()
        differ = {p for p in before.keys() | now.keys() if before.get(p) != now.get(p)}
        changed = {path for path in differ if self._note_content(path, now.get(path))}
        if any(os.path.basename(path) == ".gitignore" for path in changed):
            self._ignored.forget()
            self._known = None
            self._stamps = self._scan()
        return changed

    def settled(self, wait: Callable[[float], None] = time.sleep) -> set[str]:
        """All that has changed since the last look, once nothing more does."""
        changed = new = self.look()
        deadline = time.monotonic() + _SETTLED_S
        while new and time.monotonic() < deadline:
            wait(_QUIET_S)
            new = self.look()
            changed = changed | new
        return changed

    def _note_content(self, path: str, stamp: Stamp | None) -> bool:
        """Whether the content is another than was known, or nobody can say; it is known now."""
        if stamp is None:
            self._contents.pop(path, None)
            return True
        before = self._contents.pop(path, None)
        if stamp[1] > _FILE_BYTES:
            return True
        try:
            with open(path, "rb") as stream:
                now = hash((stamp[3], stream.read()))
        except OSError:  # gone, or nobody may read it
            return True
        self._contents[path] = now
        return now != before

    # Which files there are. ------------------------------------------------------------

    def _scan(self) -> dict[str, Stamp]:
        """The stamp of each file that is watched."""
        started = time.monotonic()
        found = self._single(self._elsewhere)
        self._folders = set[str]()
        left = [self.root]
        while left:
            new: list[tuple[str, bool]] = []
            while left:
                folder = left.pop()
                self._folders.add(folder)
                self._look_into(folder, found, left, new)
            self._ignored.learn(path for path, _ in new)
            for path, is_folder in new:
                if not self._ignored_here(path, is_folder=is_folder):
                    if is_folder:
                        left.append(path)
                    else:
                        found.update(self._single([path]))
        self._known = self._folders | found.keys()
        self.took_s = time.monotonic() - started
        return found

    def _look_into(
        self,
        folder: str,
        found: dict[str, Stamp],
        folders: list[str],
        new: list[tuple[str, bool]],
    ) -> None:
        """Note what stands in a folder: files, folders, and what git is to be asked for."""
        try:
            entries = os.scandir(folder)
        except OSError:  # taken away while we looked, or not ours to read
            return
        with entries:
            for entry in entries:
                path = entry.path
                is_folder = entry.is_dir(follow_symlinks=False)
                if self._known is None or path not in self._known:
                    if self._ignored_here(path, is_folder=is_folder):
                        continue
                    if self._known is not None:
                        new.append((path, is_folder))
                        continue
                if is_folder:
                    folders.append(path)
                elif (stamp := self._stamp_of(entry)) is not None:
                    found[path] = stamp

    def _ignored_here(self, path: str, *, is_folder: bool) -> bool:
        if is_folder:
            return self._ignored.is_folder(path)
        return self._ignored.is_file(path, os.path.basename(path))

    def _single(self, paths: Iterable[str]) -> dict[str, Stamp]:
        """The stamps of these files, those that are there."""
        stamps = {path: self._stamp_of(path) for path in paths}
        return {path: stamp for path, stamp in stamps.items() if stamp is not None}

    def _is_inside(self, path: str) -> bool:
        return path.startswith(self.root.rstrip(os.sep) + os.sep)

    def _is_ignored(self, path: str) -> bool:
        """Whether we were told not to watch it, or a folder above it in the project."""
        if not self._is_inside(path):
            return False
        while path != self.root and not self._ignored.was_told(path):
            path = os.path.dirname(path)
        return path != self.root

    def _stamp_of(self, file: os.DirEntry[str] | str) -> Stamp | None:
        """What changes when a file does; None for what is gone, or is no file."""
        try:
            state = os.stat(file)  # Windows: an entry itself knows no number, and old sizes
        except OSError:  # gone, or a link that leads nowhere
            return None
        # A pipe would have us wait for ever.
        if not stat.S_ISREG(state.st_mode) or (state.st_dev, state.st_ino) in self._written:
            return None
        return state.st_mtime_ns, state.st_size, state.st_ino, state.st_mode
