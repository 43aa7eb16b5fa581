"""Asks with a list below what was written, drawn anew at each key.

No alternate screen: what stood above stays, and of the list nothing is left.
"""

from __future__ import annotations

import sys

from runner.keyboard import CLOSED, REDRAW, keys_at
from runner.picking.menu import Menu
from runner.reports.screen import Screen
from runner.telling import tell
from runner.typed import TYPE_CHECKING
from runner.widths import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from runner.picking import Choice, Question

# ECMA-48.
_UP, _RIGHT, _TO_END_OF_LINE, _BELOW = "\x1b[{}A", "\x1b[{}C", "\x1b[K", "\x1b[J"


def ask(
    question: Question,
    choices: Sequence[Choice],
    stream: TextIO,
    *,
    unicode: bool,
    paint: Callable[[str, str], str],
) -> list[int]:
    """The places of the choices that were picked; none where it was left.

    stream: where it is drawn. Raises what signals raise, once the terminal is as it was.
    """
    menu = Menu(question, choices)
    shown = _Shown(stream)
    with keys_at(sys.stdin, shown.size, shown.erase) as keyboard:
        try:
            while not menu.picked and not menu.is_left:
                if not keyboard.has_more():
                    columns, rows = shown.size()
                    lines = menu.lines(columns, rows, unicode=unicode, paint=paint)
                    shown.draw(lines, columns_of(menu.prompt(columns)))
                key = keyboard.read()
                if key == CLOSED:
                    menu.is_left = True
                elif key != REDRAW:
                    menu.press(key)
        finally:
            shown.erase()
    return menu.picked


class _Shown:
    """Lines with the cursor in the first of them, where somebody types."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._screen = Screen(stream)
        self._cursor = 0  # its column
        self._is_drawn = False

    def size(self) -> tuple[int, int]:
        """Columns and rows, now; 80 and 24 where nobody knows."""
        columns, rows = self._screen.size()
        return columns or 80, rows or 24

    def draw(self, lines: Sequence[str], cursor: int) -> None:
        """Draw these in place of what is drawn. cursor: its column in the first line."""
        text = f"{_TO_END_OF_LINE}\n".join(lines)
        up = _UP.format(len(lines) - 1) if len(lines) > 1 else ""
        right = _RIGHT.format(cursor) if cursor else ""
        before = self._to_first()
        self._cursor, self._is_drawn = cursor, True
        tell(self._stream, f"{before}{text}{_BELOW}{up}\r{right}")

    def erase(self) -> None:
        """Nothing of it is left, and the cursor is where it was before."""
        if self._is_drawn:
            # The first line apart, for tmux: as in reports/screen.py.
            tell(self._stream, f"{self._to_first()}{_TO_END_OF_LINE}\n{_BELOW}{_UP.format(1)}")
            self._cursor, self._is_drawn = 0, False

    def _to_first(self) -> str:
        """What moves the cursor to the beginning: a terminal that is narrower now has wrapped."""
        rows = self._cursor // self.size()[0]
        return f"\r{_UP.format(rows)}" if rows else "\r"
