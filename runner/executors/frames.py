"""What passes between a cluster's worker and the process that does its jobs: frames.

A line of JSON that says what it is and how many bytes stand behind it. No pickle:
a frame is read as what it says, and executes nothing.
"""

from __future__ import annotations

import json

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    Head = list[Any]  # its first word says what the rest is


def to_frame(head: Head, data: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return json.dumps([len(data), *head]).encode("ascii") + b"\n" + data


class Frames:
    """Reads frames out of pieces that may end anywhere."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._head: Head | None = None
        self._size_bytes = 0

    def feed(self, data: bytes) -> list[tuple[Head, bytes]]:
        """The frames that are whole with this piece."""
        self._begun += data
        found: list[tuple[Head, bytes]] = []
        while True:
            if self._head is None:
                end = self._begun.find(b"\n")
                if end < 0:
                    return found
                self._size_bytes, *self._head = json.loads(self._begun[:end])
                del self._begun[: end + 1]
            if len(self._begun) < self._size_bytes:
                return found
            found.append((self._head, bytes(self._begun[: self._size_bytes])))
            del self._begun[: self._size_bytes]
            self._head = None
