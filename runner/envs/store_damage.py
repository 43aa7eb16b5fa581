"""Whether each file of an image is what was installed, by its content.

As an image is linked sizes and times are compared; who changes a file and puts its
time back is seen here alone.
"""

from __future__ import annotations

import os

from runner.envs import manifest
from runner.envs.bytecode import bytecode_of
from runner.envs.integrity import (
    digest_of,
    distributions_of,
    manifest_of,
    recorded_in,
    shared_elsewhere,
)
from runner.envs.manifest import FILES
from runner.envs.store import TREE
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.envs.manifest import FileState, Manifest
    from runner.envs.store import Store

_CACHE = "__pycache__"


class Damage(Record):
    """A file of an image that is not what was installed."""

    name: str  # from the top of the environment
    why: str


class Damaged(Record):
    """An image that is not whole."""

    files: tuple[Damage, ...]
    packages: tuple[str, ...]  # whose files in the installer's cache are changed as well


class Check:
    """Checks images; a file that several have is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._digests: dict[tuple[int, int], str] = {}

    def image(self, name: str) -> Damaged | None:
        """What is wrong with an image; None where nothing is."""
        place = self._store.place_of(name)
        tree = os.path.join(place, TREE)
        listed = manifest_of(place)
        image = self._store.image(name)
        if listed is None or image is None or not os.path.isdir(tree):
            return Damaged((Damage(FILES, "it is gone, or cannot be read"),), ())
        # What an archive brought has other times, and is compared when it is first linked.
        is_settled = os.stat(tree).st_ino == image.inode
        found: dict[str, str] = {}
        for changed in manifest.changes(tree, listed) if is_settled else ():
            gone = not os.path.lexists(os.path.join(tree, changed))
            found[changed] = "it is gone" if gone else "its size or time is another"
        recorded = recorded_in(tree, listed)
        for path, digest in recorded.items():
            above, _, file = path.rpartition("/")
            if path in found or file not in listed.folders.get(above, ()):
                continue
            if self._digest(os.path.join(tree, path)) != digest:
                found[path] = "its content is not what RECORD says"
        for path, why in _of_bytecode(tree, listed, bytecode_of(place)) if is_settled else ():
            if path not in recorded:  # a wheel's own may be of any source
                found.setdefault(path, why)
        if not found:
            return None
        sources = [path for path in found if not path.endswith(".pyc")]
        shared = shared_elsewhere(tree, sources)
        return Damaged(
            tuple(Damage(path, why) for path, why in sorted(found.items())),
            tuple(sorted(distributions_of(tree, shared))),
        )

    def _digest(self, path: str) -> str:
        """The sha256 of a file as a RECORD has it; empty where it cannot be read."""
        try:
            with open(path, "rb") as stream:
                status = os.fstat(stream.fileno())
                key = (status.st_dev, status.st_ino)
                if key not in self._digests:
                    self._digests[key] = digest_of(stream)
                return self._digests[key]
        except OSError:
            return ""


def _of_bytecode(
    tree: str, listed: Manifest, joined: Mapping[str, Mapping[str, FileState]]
) -> Iterator[tuple[str, str]]:
    """The bytecode of a tree that is not what was kept, or is not of the source beside it."""
    caches = {above: files for above, files in listed.folders.items() if above.endswith(_CACHE)}
    for above in sorted({*caches, *joined}):
        sources = listed.folders.get(above[: -len(_CACHE) - 1], {})
        for name, state in sorted({**caches.get(above, {}), **joined.get(above, {})}.items()):
            path = f"{above}/{name}"
            now = manifest.state_or_none(os.path.join(tree, path))
            if now != state:
                yield path, "it is gone" if now is None else "its size or time is another"
                continue
            source = sources.get(f"{name.partition('.')[0]}.py")
            if source is not None and not _is_of(os.path.join(tree, path), source):
                yield path, "it is not of the source beside it"


def _is_of(path: str, source: FileState) -> bool:
    """Whether bytecode was compiled from a source of that size and time (PEP 552)."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(16)
    except OSError:
        return False
    if len(head) < 16:
        return False
    if int.from_bytes(head[4:8], "little"):
        return True  # it goes by the source's hash, and Python looks at that
    time_s, size = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
    return time_s == source[1] // 10**9 & 0xFFFFFFFF and size == source[0] & 0xFFFFFFFF
