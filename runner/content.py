"""The files of a project as they are sent to another machine: which there are, and what they hold.

Knows nothing of how they travel.
"""

from __future__ import annotations

import os
import stat

from runner.executors.delivered import Content
from runner.requirements.local import SourceDigests
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.executors.delivered import Delivered, Entry


def content_of(root: str, delivered: Delivered) -> Content:
    """The files of a project: what git would keep, else all but the usual leftovers.

    They are kept as they are now, since a run may write what a worker asks for later:
    its own log, say. Raises OSError for one that cannot be read.
    """
    entries: list[Entry] = []
    for name in sorted(SourceDigests().files(root)):
        path = os.path.join(root, name)
        try:
            state = os.lstat(path)
            if stat.S_ISLNK(state.st_mode):
                entries.append((name, "l", os.readlink(path)))
            elif stat.S_ISREG(state.st_mode):
                with open(path, "rb") as stream:
                    digest = delivered.add(stream.read())
                entries.append((name, "x" if state.st_mode & 0o111 else "f", digest))
        except FileNotFoundError:
            continue  # deleted, and still in the index
    return Content(tuple(entries), delivered.read)


def split_named(
    names: Iterable[str], root: str, content: Content
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Of named files those that travel with the project, and those that are here and do not.

    Only what is named relative to `root` is known: any other may lie on the other machine.
    """
    there = {entry[0] for entry in content.entries}
    sent: list[str] = []
    left: list[str] = []
    for name in dict.fromkeys(names):
        if os.path.isabs(os.path.expanduser(name)):
            continue
        if os.path.normpath(name).replace(os.sep, "/") in there:
            sent.append(name)
        elif os.path.lexists(os.path.join(root, name)):
            left.append(name)
    return tuple(sent), tuple(left)
