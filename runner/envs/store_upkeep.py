"""Keeps the store below its cap, and tells what is in it and for whom.

Reads manifests, so that sizes cost no look at each file; whether these are whole is
asked in `store_damage.py`. An image may go at any time: environments hold links of their own.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from hashlib import blake2b
from itertools import chain

from runner.aside import write_aside, writer_of
from runner.envs import bytecode
from runner.envs.folder import NEW
from runner.envs.integrity import manifest_of
from runner.envs.journal import ingredients_from
from runner.envs.journal import read as read_journal
from runner.envs.lock import is_alive, who_holds
from runner.envs.manifest import FILES
from runner.envs.store import GONE, USED
from runner.envs.upkeep import Freed, Kept
from runner.record import Record
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from runner.envs.manifest import FileState
    from runner.envs.store import Image, Store

_FORMAT = 1
_SIZE = "size.json"  # of an image: what `size_of` found, so that it need not look again
_BLOCK_BYTES = 4096  # what most file systems give at once; a folder takes one at least
_LARGE_BYTES = 64 * 1024

_IN_USE_S = 60 * 60  # an image that was used later than so long ago stays
_MOST_RECORDS = 5_000  # of what is known by keys, each some kilobytes
_LEFT_OVER_S = 24 * 60 * 60  # no image takes so long to make


# Sizes. -------------------------------------------------------------------------------


class Size(Record):
    """What an image takes of the disk."""

    shareable: dict[str, tuple[int, int]]  # bytes and inodes, by what equal ones are the same
    own_bytes: int  # of folders and symbolic links, which no image shares
    own_inodes: int


class Total(Record):
    """Bytes and inodes."""

    size_bytes: int
    inodes: int


def size_of(store: Store, name: str) -> Size:
    """The size of an image, from its manifest and the list of its bytecode."""
    place = store.place_of(name)
    times = [bytecode.list_time_ns(place), _time_ns(os.path.join(place, FILES))]
    kept = os.path.join(place, _SIZE)
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        with open(kept, encoding="utf-8") as stream:
            data = json.load(stream)
        if data["format"] == _FORMAT and data["times"] == times:
            shareable, own = data["shareable"], data["own"]
            # As values of a kind, and not one by one: it is asked of a hundred images.
            parts = cast("list[list[object]]", [own, *shareable.values()])
            if set(map(len, parts)) == {2} and set(map(type, chain(*parts))) == {int}:
                return Size(shareable, *own)
    listed = manifest_of(place)
    if listed is None:
        return Size({}, 0, 0)
    joined = bytecode.bytecode_of(place)
    folders = len({*listed.folders, *joined})
    size = Size(
        _shareable([*listed.folders.items(), *joined.items()]),
        own_bytes=folders * _BLOCK_BYTES,
        own_inodes=folders + len(listed.links),
    )
    data = {
        "format": _FORMAT,
        "times": times,
        "shareable": size.shareable,
        "own": [size.own_bytes, size.own_inodes],
    }
    with suppress(OSError):  # the image is gone meanwhile, or the disk is full
        write_aside(kept, json.dumps(data, separators=(",", ":")))
    return size


def _shareable(
    folders: Iterable[tuple[str, Mapping[str, FileState]]],
) -> dict[str, tuple[int, int]]:
    """What another image may hold as well: each large file, and the small ones of a folder.

    Files of equal path, size and time are taken for links to one file: a time has
    nanoseconds, so that two files have the same only where one was linked, or an
    installer has copied both from the same file. Small ones are compared
    by the folder: that makes a hundred digests of an image and not ten thousand, and
    one small file that differs is not worth more.
    """
    found: dict[str, tuple[int, int]] = {}
    for above, files in folders:
        small: list[str] = []
        small_bytes = 0
        for name, (size_bytes, time_ns, *_) in sorted(files.items()):
            blocks = -(-size_bytes // _BLOCK_BYTES) * _BLOCK_BYTES
            text = f"{name}\0{size_bytes}\0{time_ns}\0"
            if size_bytes >= _LARGE_BYTES:
                found[_digest(f"{above}\0{text}")] = (blocks, 1)
            else:
                small.append(text)
                small_bytes += blocks
        if small:
            found[_digest("\0".join((above, *small)))] = (small_bytes, len(small))
    return found


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def total_of(sizes: Iterable[Size]) -> Total:
    """What images take together: what several of them hold counts once."""
    shareable: dict[str, tuple[int, int]] = {}
    size_bytes = inodes = 0
    for size in sizes:
        shareable.update(size.shareable)
        size_bytes += size.own_bytes
        inodes += size.own_inodes
    return Total(
        size_bytes + sum(part[0] for part in shareable.values()),
        inodes + sum(part[1] for part in shareable.values()),
    )


def _holders(sizes: Iterable[Size]) -> dict[str, int]:
    """In how many images each of their parts is."""
    found: dict[str, int] = {}
    for size in sizes:
        for key in size.shareable:
            found[key] = found.get(key, 0) + 1
    return found


def images_in(store: Store) -> list[str]:
    """The names of the images, the last used first."""
    try:
        names = os.listdir(os.path.join(store.home, "images"))
    except OSError:
        return []
    kept = sorted(name for name in names if not name.startswith("."))
    return sorted(kept, key=lambda name: used_s(store, name), reverse=True)


def used_s(store: Store, name: str) -> float:
    """When an environment was last linked from an image, or it was made; as time.time() has it."""
    return _time_s(os.path.join(store.place_of(name), USED))


# The cap. -----------------------------------------------------------------------------


def keep_below(store: Store, cap_bytes: int) -> None:
    """The store is below its cap: images that were not used for the longest time are gone.

    What this run has made stays, and what was used just now, by whatever run.
    """
    for path in leftovers_in(store):
        remove_tree(path)
    _forget_half_written(store)
    _forget_records(store)
    names = images_in(store)
    sizes = {name: size_of(store, name) for name in names}
    too_much_bytes = total_of(sizes.values()).size_bytes - cap_bytes
    if too_much_bytes <= 0:
        return
    holders = _holders(sizes.values())
    before_s = time.time() - _IN_USE_S
    for name in reversed(names):
        if too_much_bytes <= 0:
            return
        if name in store.made or used_s(store, name) > before_s:
            continue
        store.drop(name)
        too_much_bytes -= sizes[name].own_bytes
        for key, part in sizes[name].shareable.items():
            holders[key] -= 1
            if not holders[key]:
                too_much_bytes -= part[0]


def leftovers_in(store: Store) -> list[str]:
    """What runs that were killed have left among the images, and what could not be deleted."""
    home = os.path.join(store.home, "images")
    try:
        names = sorted(os.listdir(home))
    except OSError:
        return []
    paths = {name: os.path.join(home, name) for name in names}
    return [
        path
        for name, path in paths.items()
        if name.startswith(GONE) or (name.startswith(NEW) and _is_left(path))
    ]


def _is_left(path: str) -> bool:
    """Whether nobody makes this image any more."""
    try:
        age_s = time.time() - os.stat(path).st_mtime
    except OSError:
        return False
    if who_holds(os.path.join(path, USED)):
        return False
    # NAME-PROCESS-NUMBER. Whoever makes it has no lock yet at first, and none any more
    # at last.
    process = path.rsplit("-", 2)[1]
    return _is_over(age_s, int(process) if process.isdecimal() else None)


def _is_over(age_s: float, process: int | None) -> bool:
    """Whether a process is not at it any more, so long after it began."""
    # Its number may come again, and on Windows none can be asked.
    return age_s > _LEFT_OVER_S or (process is not None and not is_alive(process))


def _forget_half_written(store: Store) -> None:
    """What runs that were killed were writing beside a file is gone."""
    images = [store.place_of(name) for name in images_in(store)]
    for folder in (store.home, os.path.join(store.home, "known"), *images):
        for name in _names_in(folder):
            process, path = _writer_of(name), os.path.join(folder, name)
            if process is not None and _is_over(time.time() - _time_s(path), process):
                with suppress(OSError):
                    os.unlink(path)


def _writer_of(name: str) -> int | None:
    first, _, rest = name.partition(bytecode.TOLD)
    told = "" if first else rest.partition("-")[0]
    return int(told) if told.isdecimal() else writer_of(name)


def _forget_records(store: Store) -> None:
    """The oldest of what is known is forgotten, where that is more than anybody needs."""
    known, locks = os.path.join(store.home, "known"), os.path.join(store.home, "locks")
    for name in _oldest(known, besides=()):
        with suppress(OSError):
            os.unlink(os.path.join(known, name))
    keys = [name.partition(".")[0] for name in _names_in(known)]
    for name in _oldest(locks, besides=keys):
        path = os.path.join(locks, name)
        # Where somebody takes it at this moment two make the same image, and one is kept.
        with suppress(OSError):
            if not who_holds(path):
                os.unlink(path)


def _oldest(home: str, besides: Iterable[str]) -> list[str]:
    """The files in a folder that are more than there may be of such."""
    names = set(_names_in(home)).difference(besides)
    if len(names) <= _MOST_RECORDS:
        return []
    times = {name: _time_s(os.path.join(home, name)) for name in names}
    return sorted(names, key=lambda name: times[name])[:-_MOST_RECORDS]


def _names_in(home: str) -> list[str]:
    try:
        return os.listdir(home)
    except OSError:
        return []


def _time_s(path: str) -> float:
    return _time_ns(path) / 1e9


def _time_ns(path: str) -> int:
    """When a file was written last; 0 where it is not there."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


# What is in it. -----------------------------------------------------------------------


class Row(Record):
    """One image, as it is told."""

    image: str
    path: str
    size_bytes: int
    own_bytes: int  # of these what no other image holds
    inodes: int
    own_inodes: int
    python: str
    backend: str
    holds: tuple[str, ...]  # what its steps installed, as a person would write it
    environments: tuple[str, ...]  # those that go on from it
    made_s: float  # 0.0: it cannot be used
    used_s: float


def rows_of(store: Store) -> tuple[list[Row], Total]:
    """The images, the last used first, and what they take together."""
    names = images_in(store)
    sizes = {name: size_of(store, name) for name in names}
    holders = _holders(sizes.values())
    return [_row(store, name, sizes[name], holders) for name in names], total_of(sizes.values())


def _row(store: Store, name: str, size: Size, holders: Mapping[str, int]) -> Row:
    image = store.image(name)
    whole = total_of([size])
    alone = {key: part for key, part in size.shareable.items() if holders[key] == 1}
    own = total_of([size._replace(shareable=alone)])
    return Row(
        image=name,
        path=store.place_of(name),
        size_bytes=whole.size_bytes,
        own_bytes=own.size_bytes,
        inodes=whole.inodes,
        own_inodes=own.inodes,
        python=_text(image, "python"),
        backend=_text(image, "backend"),
        holds=holds(image),
        environments=needed_by(store, name),
        made_s=image.made_s if image else 0.0,
        used_s=used_s(store, name),
    )


def _text(image: Image | None, fact: str) -> str:
    value = image.facts.get(fact, "") if image else ""
    return value if isinstance(value, str) else ""


def holds(image: Image | None) -> tuple[str, ...]:
    """What the steps of an image installed, as a person would write it."""
    shows = image.facts.get("shows") if image else ()
    if not isinstance(shows, list):
        return ()
    return tuple(map(str, cast("list[object]", shows)))


def told_as(image: Image | None, name: str) -> str:
    """An image in words: `the image of pytest requests (3f2a1b9c)`."""
    held = "; ".join(filter(None, holds(image))) or "nothing but Python"
    return f"the image of {held} ({name[:8]})" if image else f"an image of no use ({name[:8]})"


def needed_by(store: Store, name: str) -> tuple[str, ...]:
    """The environments that were made of an image and are so still; of no use: none."""
    image = store.image(name)
    if image is None:
        return ()
    return tuple(path for path in store.users_of(name) if _goes_on_from(path, image))


def _goes_on_from(path: str, image: Image) -> bool:
    """Whether an environment has an image's steps, and perhaps more."""
    journal = read_journal(path)
    if journal is None:
        return False
    if journal.image == image.name:
        return True
    try:
        pairs = cast("list[list[list[str]]]", image.facts["entries"])
        entries = tuple(ingredients_from(entry) for entry in pairs)
        made_with = ingredients_from(cast("list[list[str]]", image.facts["made with"]))
    except (KeyError, TypeError, ValueError):
        return False
    same = set(made_with) <= set(journal.ingredients)
    return same and journal.entries[: len(entries)] == entries


# Deleting. ----------------------------------------------------------------------------


class Cleaning:
    """Deletes in the store and counts what that frees."""

    def __init__(self, store: Store, tell: Callable[[str, int], None]) -> None:
        """tell: called with what was deleted and its size in bytes."""
        self.kept: list[Kept] = []
        self.freed = Freed()
        self._store = store
        self._tell = tell

    def leftovers(self) -> None:
        """What killed runs have left is gone."""
        for path in leftovers_in(self._store):
            size = self.freed.count(path)
            remove_tree(path)
            name = os.path.basename(path)
            why = "removed earlier" if name.startswith(GONE) else "left by a run that was killed"
            self._tell(f"{name}, {why}", size)
        _forget_half_written(self._store)

    def images(self, before_s: float | None = None) -> None:
        """Images that no environment goes on from, and those last used before then, are gone."""
        for name in images_in(self._store):
            is_old = before_s is not None and used_s(self._store, name) <= before_s
            if is_old or not needed_by(self._store, name):
                self._image(name)

    def everything(self) -> None:
        """All images, and all that is known by keys, are gone.

        The key for digests of secrets stays: projects have copies of it, and with
        another one their needs would not be seen to be equal.
        """
        for name in images_in(self._store):
            self._image(name)
        for folder in ("known", "locks"):
            home = os.path.join(self._store.home, folder)
            for name in _names_in(home):
                path = os.path.join(home, name)
                with suppress(OSError):
                    if folder != "locks" or not who_holds(path):
                        os.unlink(path)

    def _image(self, name: str) -> None:
        told, place = told_as(self._store.image(name), name), self._store.place_of(name)
        size = self.freed.count(place)
        self._store.drop(name)
        if os.path.isdir(place):
            self.kept.append(Kept(told, "it cannot be deleted"))
        else:
            self._tell(told, size)
