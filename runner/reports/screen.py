"""The last lines of a terminal, drawn again in place as they change.

No alternate screen, no cursor that is hidden, no mode that is changed: whatever
ends us, the terminal is as it was. Knows nothing of what is drawn.
"""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress

from runner.reports.texts import on_one_line
from runner.telling import tell
from runner.typed import TYPE_CHECKING
from runner.widths import columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

# ECMA-48, which every terminal that is not dumb knows of.
_UP, _TO_END_OF_LINE, _BELOW, _PLAIN = "\x1b[{}A", "\x1b[K", "\x1b[J", "\x1b[m"


class Screen:
    """Lines below all that was written to a terminal, the cursor below them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: list[str] = []

    def size(self) -> os.terminal_size:
        """Its columns and rows, now; 0 where nobody knows."""
        try:
            return os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return os.terminal_size((0, 0))

    def is_ours(self) -> bool:
        """Whether we are in the terminal's foreground: else somebody types into what we draw."""
        if sys.platform != "win32":
            # One that nobody works at has no foreground.
            with suppress(OSError, ValueError):
                return os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        return True

    @property
    def is_drawn(self) -> bool:
        return bool(self._lines)

    def draw(self, lines: Sequence[str]) -> bool:
        """Draw these in place of what is drawn; False where the terminal takes nothing now."""
        if list(lines) == self._lines:
            return True
        if not self._is_taking():
            return False
        # One write, nothing erased before it is written anew: so nothing flickers. What
        # was written before may have left its colours on.
        drawn = "".join(f"{line}{_TO_END_OF_LINE}\n" for line in lines)
        text = f"{self._up() or _PLAIN}{drawn}{_BELOW}"
        self._lines = list(lines)  # first: a signal may come while it is written
        tell(self._stream, text)
        return True

    def erase(self) -> None:
        """Nothing of what was drawn is left, and the cursor is where it was before."""
        if self._lines:
            # The first line apart: tmux takes it for the whole screen where it is the first
            # of that, and keeps what is erased among the lines that one can scroll back to.
            tell(self._stream, f"{self._up()}{_TO_END_OF_LINE}\n{_BELOW}{_UP.format(1)}")
            self._lines = []

    def _up(self) -> str:
        """What moves the cursor to the first line that is drawn."""
        # A terminal that has become narrower has wrapped what is longer.
        columns = self.size().columns or sys.maxsize
        rows = sum(max(1, -(-columns_of(on_one_line(line)) // columns)) for line in self._lines)
        return f"\r{_UP.format(rows)}" if rows else ""

    def _is_taking(self) -> bool:
        """Whether a write would not wait: Ctrl-S stops a terminal, and must not stop us."""
        if sys.platform != "win32":
            with suppress(OSError, ValueError):  # a stream without a file
                return bool(select.select([], [self._stream.fileno()], [], 0)[1])
        return True
