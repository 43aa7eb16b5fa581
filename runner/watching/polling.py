"""A bell that rings again and again, for where the system tells of no changes.

The more there is to look at, the less often: looking takes a twentieth of the time of one CPU
at most.
"""

from __future__ import annotations

import threading

from runner.signals import Moment, in_background
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OFTEN_S = 0.5
_SHARE = 20  # of the time that one look took, between two


class Polling:
    """Rings every half a second, or less often where a look takes long."""

    def __init__(self, ring: Callable[[], None], took_s: Callable[[], float], why: str) -> None:
        """took_s: how long the last look took, in seconds. why: it is this one, for people."""
        self.told = f"polling: {why}"
        self._ring = ring
        self._took_s = took_s
        self._ended = threading.Event()
        self._began = False

    def listen(self, folders: Iterable[str]) -> None:
        """It rings whatever there is to look at."""
        del folders
        if not self._began:
            self._began = True
            in_background(self._go, Moment())

    def _go(self) -> None:
        while not self._ended.wait(max(_OFTEN_S, _SHARE * self._took_s())):
            self._ring()

    def close(self) -> None:
        self._ended.set()
