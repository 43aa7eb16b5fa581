"""The files of a project as they are sent to another machine: which there are, and what they hold.

Knows nothing of how they travel.
"""

from __future__ import annotations

import hashlib
import os
import stat
from functools import partial

from runner.errors import UsageError
from runner.executors.delivered import Content
from runner.requirements.local import SourceDigests
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.executors.delivered import Entry

_MOST_BYTES = 8 << 20  # sent at once, and a file that is larger


def content_of(root: str) -> Content:
    """The files of a project: what git would keep, else all but the usual leftovers.

    Raises EnvironmentBroken for a file that cannot be read.
    """
    sources = SourceDigests()
    entries: list[Entry] = []
    paths: dict[str, str] = {}
    for name in sorted(sources.files(root)):
        path = os.path.join(root, name)
        try:
            state = os.lstat(path)
            if stat.S_ISLNK(state.st_mode):
                entries.append((name, "l", os.readlink(path)))
            elif stat.S_ISREG(state.st_mode):
                digest = sources.of_file(path).removeprefix("sha256:")
                paths[digest] = path
                entries.append((name, "x" if state.st_mode & 0o111 else "f", digest))
        except FileNotFoundError:
            continue  # deleted, and still in the index
    return Content(tuple(entries), partial(_read, root, paths))


def _read(root: str, paths: Mapping[str, str], digests: Sequence[str]) -> list[bytes]:
    """The bytes of the first of these. Raises UsageError for one that is no longer what it was."""
    found: list[bytes] = []
    size_bytes = 0
    for digest in digests:
        content = b""
        path = paths[digest]
        if os.path.isfile(path):
            with open(path, "rb") as stream:
                content = stream.read()
        if hashlib.sha256(content).hexdigest() != digest:
            where = os.path.relpath(path, root)
            raise UsageError(f"{where} has changed while the run began", mend="run it again")
        found.append(content)
        size_bytes += len(content)
        if size_bytes >= _MOST_BYTES:
            break
    return found
