"""Files that are there whole or not at all: written beside their place, then renamed into it.

Knows nothing of what stands in them.
"""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress


def keep(path: str, content: str | bytes) -> None:
    """The file has the content, where it can be written.

    For what saves the next run some time and decides nothing.
    """
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_aside(path, content)


def make_folder(path: str) -> None:
    """The folder is there, for a file that a person names. Raises OSError."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:  # a file stands there
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def touch(path: str) -> None:
    """The file is there and has the time of now. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o666))
    os.utime(path)


def write_aside(path: str, content: str | bytes) -> None:
    """The file has the content, whole or not at all."""
    replace(path, f"{os.path.basename(path)}.{own_name()}", content)


def own_name() -> str:
    """What no other writer has in the name of a file that is written aside."""
    return f"{os.getpid()}-{threading.get_ident()}"


def writer_of(name: str) -> int | None:
    """The process that writes, or wrote, a file of that name aside; None for other names."""
    process, _, thread = name.rpartition(".")[2].partition("-")
    return int(process) if process.isdecimal() and thread.isdecimal() else None


def replace(path: str, aside_name: str, content: str | bytes) -> None:
    """The file has the content, which was written to a file of that name beside it."""
    # No fsync: it is there against a killed process, not against a power cut,
    # after which a torn journal is read as none.
    aside = os.path.join(os.path.dirname(path), aside_name)
    try:
        if isinstance(content, bytes):
            with open(aside, "wb") as stream:
                stream.write(content)
        else:
            with open(aside, "w", encoding="utf-8") as lines:
                lines.write(content)
        os.replace(aside, path)
    except OSError:
        with suppress(OSError):  # where it was made: on a full disk the next attempt needs the room
            os.unlink(aside)
        raise
