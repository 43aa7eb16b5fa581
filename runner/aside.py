"""Files that are there whole or not at all: written beside their place, then renamed into it.

Knows nothing of what stands in them.
"""

from __future__ import annotations

import os
import threading


def write_aside(path: str, text: str) -> None:
    """The file has the text, whole or not at all."""
    replace(path, f"{os.path.basename(path)}.{own_name()}", text)


def own_name() -> str:
    """What no other writer has in the name of a file that is written aside."""
    return f"{os.getpid()}-{threading.get_ident()}"


def replace(path: str, aside_name: str, text: str) -> None:
    """The file has the text, which was written to a file of that name beside it."""
    # No fsync: it is there against a killed process, not against a power cut,
    # after which a torn journal is read as none.
    aside = os.path.join(os.path.dirname(path), aside_name)
    try:
        with open(aside, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(aside, path)
    except OSError:
        _forget(aside)  # a full disk: the next attempt needs the room
        raise


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never made
