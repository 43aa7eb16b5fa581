"""Every file of an environment with its state, and trees made of links from it.

A manifest is taken when an environment's steps are done. A file that has not the
size, time and mode that it had is not what a step installed; a tree is linked only
as long as all of them have. Knows nothing of journals or of where trees are kept.
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress

from runner.envs.folder import JOURNAL
from runner.record import Record
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FILES = "runenv.files.json"  # in an environment: its manifest

FileState = list[int]  # size, time in nanoseconds, mode; a list, as JSON has it

# Ours, and what uv locks environments with: no step installs them.
_NOT_INSTALLED = frozenset({JOURNAL, f"{JOURNAL}.new", FILES, ".lock"})
_BYTECODE = "__pycache__"
_HAS_DIR_FD = {os.open, os.link, os.stat} <= os.supports_dir_fd


_NO_INODES: Mapping[str, Mapping[str, int]] = {}


class Manifest(Record):
    """What is in a tree: folders from the top down, "" the first."""

    folders: dict[str, dict[str, FileState]]  # of each the files
    links: dict[str, str]  # symbolic links, with where they lead
    inodes: Mapping[str, Mapping[str, int]] = _NO_INODES
    """The files' inodes as it was taken, by folder. In one process alone: it is not kept."""


class Changed(Exception):
    """A file is not what the manifest says."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name  # from the top of the tree


def take(root: str) -> Manifest:
    """The manifest of what is in a folder now; no link is followed."""
    folders: dict[str, dict[str, FileState]] = {}
    links: dict[str, str] = {}
    inodes: dict[str, dict[str, int]] = {}
    left = [""]
    while left:
        above = left.pop()
        files: dict[str, FileState] = {}
        numbers: dict[str, int] = {}
        with os.scandir(os.path.join(root, above)) as entries:
            for entry in entries:
                name = f"{above}/{entry.name}" if above else entry.name
                if entry.is_dir(follow_symlinks=False):
                    left.append(name)
                elif entry.is_symlink():
                    links[name] = os.readlink(entry.path)
                elif above or (
                    entry.name not in _NOT_INSTALLED and not entry.name.startswith(f"{FILES}.")
                ):
                    found = entry.stat(follow_symlinks=False)
                    files[entry.name] = [found.st_size, found.st_mtime_ns, found.st_mode]
                    numbers[entry.name] = entry.inode()
        folders[above], inodes[above] = files, numbers
    return Manifest(folders, links, inodes)


def state_of(path: str) -> FileState:
    """A file's state. Raises OSError where it is not there."""
    found = os.lstat(path)
    return [found.st_size, found.st_mtime_ns, found.st_mode]


def changes(
    root: str, manifest: Manifest, own: Mapping[str, FileState | None] | None = None
) -> Iterator[str]:
    """The files that are gone, were added, or are not what they were.

    own: the states of those that are other files here than in the manifest; None:
    not in it any more. Bytecode is Python's own to write, and is passed over, as is
    what was added beside the folders of an environment (temporary ones of sessions).
    """
    own = own or {}
    own_folders = _folders_of(name for name, state in own.items() if state is not None)
    for above, files in manifest.folders.items():
        if above.endswith(_BYTECODE):
            continue
        folder = os.path.join(root, above)
        try:
            descriptor = os.open(folder, os.O_RDONLY) if _HAS_DIR_FD else -1
        except OSError:
            descriptor = -1
        try:
            if above:
                there = descriptor if descriptor >= 0 else folder
                for path in _added(there, above, manifest):
                    if own.get(path) is None and path not in own_folders:
                        yield path
            for name, state in files.items():
                try:
                    found = (
                        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                        if descriptor >= 0
                        else os.lstat(os.path.join(folder, name))
                    )
                    now: FileState | None = [found.st_size, found.st_mtime_ns, found.st_mode]
                    if now == state:
                        continue
                except OSError:
                    now = None
                path = f"{above}/{name}" if above else name
                if path not in own or own[path] not in (None, now):
                    yield path
        finally:
            if descriptor >= 0:
                os.close(descriptor)
    for path, target in manifest.links.items():
        if link_at(os.path.join(root, path)) != target:
            yield path
    listed = manifest.folders
    for path, own_state in own.items():
        above, _, name = path.rpartition("/")
        if own_state is None or name in listed.get(above, ()):
            continue
        if state_or_none(os.path.join(root, path)) != own_state:
            yield path


def _folders_of(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        above = name.rpartition("/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found


def _added(folder: int | str, above: str, manifest: Manifest) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return  # its files are told to be gone
    files = manifest.folders[above]
    for name in names:
        path = f"{above}/{name}"
        known = name in files or path in manifest.folders or path in manifest.links
        if not known and name != _BYTECODE:
            yield path


def link_at(path: str) -> str:
    """Where a symbolic link leads; empty where there is none."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def state_or_none(path: str) -> FileState | None:
    """A file's state; None where it is not there."""
    try:
        return state_of(path)
    except OSError:
        return None


def link(source: str, target: str, manifest: Manifest, besides: frozenset[str]) -> None:
    """Make in a folder that is there what a manifest says, by links to the files of another.

    besides: files that are left out. Raises Changed for a file that is not what
    the manifest says, OSError where no links can be made; what was linked so far is
    then still there.
    """
    for above, files in manifest.folders.items():
        to = os.path.join(target, above)
        if above:
            os.mkdir(to)
        if files:
            inodes = manifest.inodes.get(above, {})
            link_files(os.path.join(source, above), to, above, files, besides, inodes)
    for name, leads_to in manifest.links.items():
        _link_symbolic(os.path.join(source, name), os.path.join(target, name), leads_to)


def link_files(
    source: str,
    target: str,
    above: str,
    files: Mapping[str, FileState],
    besides: frozenset[str],
    inodes: Mapping[str, int],
) -> None:
    """Link files of one folder into another, but those in `besides`; errors as for `link`.

    Each is compared once the link holds it, so that one that is replaced meanwhile is
    seen; where its inode is known, also one with its size and time put back.
    above: the folder's name, from the top of the tree.
    """
    prefix = f"{above}/" if above else ""
    if not _HAS_DIR_FD:
        for name, state in files.items():
            if prefix + name not in besides:
                inode = inodes.get(name)
                if not _link_one(os.path.join(source, name), os.path.join(target, name)):
                    inode = None
                found = os.lstat(os.path.join(target, name))
                _compare(found, state, inode, prefix + name)
        return
    # Relative to two open folders: half the time of whole paths (Linux).
    here, there = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
    try:
        for name, state in files.items():
            if prefix + name in besides:
                continue
            inode = inodes.get(name)
            try:
                os.link(name, name, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)
            except FileNotFoundError:
                raise Changed(prefix + name) from None
            except OSError as error:
                if error.errno != errno.EMLINK:
                    raise
                _copy(os.path.join(source, name), os.path.join(target, name))
                inode = None
            found = os.stat(name, dir_fd=there, follow_symlinks=False)
            _compare(found, state, inode, prefix + name)
    finally:
        os.close(here)
        os.close(there)


def _compare(found: os.stat_result, state: FileState, inode: int | None, name: str) -> None:
    same = [found.st_size, found.st_mtime_ns, found.st_mode] == state
    if not same or inode not in (None, found.st_ino):
        raise Changed(name)


def _link_symbolic(source: str, target: str, leads_to: str) -> None:
    """A symbolic link, the same inode where the system can: nobody can write into one."""
    if os.link in os.supports_follow_symlinks:  # else the file itself would be linked
        with suppress(OSError):
            os.link(source, target, follow_symlinks=False)
            if link_at(target) == leads_to:
                return
            os.unlink(target)
    os.symlink(leads_to, target)


def _link_one(source: str, target: str) -> bool:
    """Whether it is a link, and not a copy."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno != errno.EMLINK:
            raise
        _copy(source, target)
        return False
    return True


def _copy(source: str, target: str) -> None:
    """A file that has all the links that the file system allows: 65,000 on ext4, 1,023 on NTFS."""
    from shutil import copy2  # 7 ms that only such a file costs

    copy2(source, target, follow_symlinks=False)


# As text. -----------------------------------------------------------------------------


def to_text(manifest: Manifest) -> str:
    """The manifest as JSON."""
    return json.dumps(manifest[:2], separators=(",", ":"))


def from_text(text: str) -> Manifest:
    """The manifest that was written. Raises ValueError for anything else."""
    data: object = json.loads(text)
    folders, links = data if is_list(data) and len(data) == 2 else (None, None)
    if not is_dict(folders) or not is_dict(links) or "" not in folders:
        raise ValueError("no manifest")
    if not all(is_dict(files) for files in folders.values()):
        raise ValueError("no manifest")
    return Manifest(cast("dict[str, dict[str, FileState]]", folders), cast("dict[str, str]", links))
