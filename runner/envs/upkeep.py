"""Deletes in the environment folder what nobody needs any more, and tells what that freed.

Knows nothing of jobs: which environments are to go is handed in. What another
run uses stays, and so does what is not ours.
"""

from __future__ import annotations

import os

from runner import run_folders
from runner.amounts import size_in_words
from runner.envs import folder
from runner.envs.lock import Lock
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK_BYTES = 512  # what st_blocks counts, whatever the file system's own block (POSIX)


class InUse(Exception):
    """Another process holds the lock."""


class Kept(Record):
    """What was to be deleted and is still there."""

    name: str
    why: str


class Freed:
    """Counts what the disk gets back of trees that are deleted."""

    def __init__(self) -> None:
        self._plain_bytes = 0  # of folders and links
        self._files: dict[tuple[int, int], _File] = {}

    @property
    def freed_bytes(self) -> int:
        """What the disk has got back: a file of several links once, when the last is gone."""
        gone = (file.size_bytes for file in self._files.values() if file.seen >= file.links)
        return self._plain_bytes + sum(gone)

    @property
    def linked_bytes(self) -> int:
        """What is still there under another name: in uv's cache, or in another environment."""
        return sum(f.size_bytes for f in self._files.values() if f.seen < f.links)

    def count(self, path: str) -> int:
        """The size in bytes of a tree that is about to go, as du has it: each file once."""
        total = 0
        known: set[tuple[int, int]] = set()
        for status, is_file in _statuses(path):
            size = _size_bytes(status)
            if not is_file:
                self._plain_bytes += size
                total += size
                continue
            identity = (status.st_dev, status.st_ino)
            file = self._files.get(identity, _File(0, status.st_nlink, size))
            self._files[identity] = file._replace(seen=file.seen + 1)
            if identity not in known:
                known.add(identity)
                total += size
        return total

    def in_words(self) -> str:
        """What the disk has got back; a hard link into uv's cache gives it nothing."""
        linked = size_in_words(self.linked_bytes)
        more = f"; {linked} more is linked from elsewhere, such as uv's cache"
        return f"{size_in_words(self.freed_bytes)} freed" + (more if self.linked_bytes else "")


class Upkeep:
    """Deletes in one environment folder and counts what that frees."""

    def __init__(self, envdir: str, tell: Callable[[str, int], None]) -> None:
        """tell: called with what was deleted and its size in bytes."""
        self.kept: list[Kept] = []
        self.freed = Freed()
        self._envdir = envdir
        self._tell = tell

    def environment(self, name: str, told: str) -> None:
        """The environment is gone, unless another run uses it or it is not ours."""
        self._locked(name, told, folder.lock_name(name), folder.remove)

    def leftovers(self) -> None:
        """What runs that were killed have left, and what could not be deleted then, is gone."""
        for above in ("", folder.BUILDS):
            home = os.path.join(self._envdir, above)
            if os.path.islink(home):
                continue
            trash = os.path.join(home, ".trash")
            if _is_folder(trash) and os.listdir(trash):
                size = self.freed.count(trash)
                folder.empty_trash(home)
                self._tell("what was removed earlier", size)
        for name in folder.half_made_in(self._envdir):
            told = f"{name}, left by a run that was killed"
            whole = os.path.join(os.path.dirname(name), os.path.basename(name)[len(folder.NEW) :])
            self._locked(name, told, folder.lock_name(whole), folder.remove)

    def runs(self, before_s: float) -> None:
        """Artifacts and logs of runs that were before then are gone."""
        for kind in (run_folders.ARTIFACTS, run_folders.LOGS):
            home = os.path.join(self._envdir, kind)
            for run in run_folders.runs_in(home):
                path = os.path.join(home, run)
                if os.stat(path).st_mtime <= before_s:
                    size = self.freed.count(path)
                    run_folders.remove_run(home, run)
                    self._tell(f"the {kind} of run {run}", size)

    def wheels(self, before_s: float) -> None:
        """Wheels of local projects that were last used before then are gone."""
        home = os.path.join(self._envdir, ".wheels")
        for project in _folders_in(home):
            lock = f".wheels-{project.removeprefix(folder.NEW)}"
            if project.startswith(folder.NEW):
                told = f"{project}, left by a build that was killed"
                self._locked(os.path.join(".wheels", project), told, lock, remove_tree)
                continue
            for content in _folders_in(os.path.join(home, project)):
                place = os.path.join(".wheels", project, content)
                path = os.path.join(self._envdir, place)
                if os.stat(path).st_mtime <= before_s:
                    told = f"the wheel {_wheel_in(path)}"
                    self._locked(place, told, lock, remove_tree)

    def _locked(self, name: str, told: str, lock: str, remove: Callable[[str], None]) -> None:
        """Remove what stands in the environment folder."""
        path = os.path.join(self._envdir, name)
        try:
            with Lock(os.path.join(self._envdir, ".locks", lock), _refuse_to_wait):
                trouble = "" if remove is remove_tree else folder.why_not_ours(path)
                if trouble:
                    self.kept.append(Kept(name, trouble))
                    return
                size = self.freed.count(path)
                remove(path)
        except InUse as holder:
            self.kept.append(Kept(name, f"{holder} uses it"))
        except EnvironmentBroken as error:
            self.kept.append(Kept(name, error.what))
        else:
            self._tell(told, size)


def _refuse_to_wait(holder: str) -> None:
    raise InUse(holder)


def last_used_s(envdir: str, name: str) -> float:
    """When a job last held the environment, as time.time() has it.

    Whoever locks it writes its number into the file of the lock.
    """
    stamps = [
        _mtime_s(os.path.join(envdir, ".locks", folder.lock_name(name))),
        _mtime_s(os.path.join(envdir, name, folder.JOURNAL)),
    ]
    return max(stamps)


def _mtime_s(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


# Sizes. -------------------------------------------------------------------------------


class _File(Record):
    seen: int  # how many of its links were deleted
    links: int
    size_bytes: int


def sizes_bytes(path: str) -> Iterator[int]:
    """The size of each thing in a tree on the disk; of a file that comes again 0."""
    known: set[tuple[int, int]] = set()
    for status, _ in _statuses(path):
        identity = (status.st_dev, status.st_ino)
        yield 0 if identity in known else _size_bytes(status)
        known.add(identity)


def _size_bytes(status: os.stat_result) -> int:
    blocks = getattr(status, "st_blocks", None)  # Windows has none
    return status.st_size if blocks is None else blocks * _BLOCK_BYTES


def _statuses(path: str) -> Iterator[tuple[os.stat_result, bool]]:
    """The status of everything in a tree, and whether it is a file; no link is followed."""
    left = [path]
    while left:
        here = left.pop()
        try:
            status = os.lstat(here)
            yield status, os.path.isfile(here) and not os.path.islink(here)
            if _is_folder(here):
                left += [os.path.join(here, name) for name in os.listdir(here)]
        except OSError:
            continue  # gone meanwhile, or not ours to look into


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _folders_in(path: str) -> list[str]:
    if not _is_folder(path):
        return []
    return [name for name in sorted(os.listdir(path)) if _is_folder(os.path.join(path, name))]


def _wheel_in(path: str) -> str:
    names = [name for _, _, files in os.walk(path) for name in files if name.endswith(".whl")]
    return names[0] if names else os.path.basename(path)
