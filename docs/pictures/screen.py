"""What a terminal shows after some bytes: the part of ECMA-48 that runenv and tools in a run use.

Nothing scrolls away: the screen is as high as what was written.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\x1b\[([?\d;]*)([@-~])              # a control sequence
      | \x1b\][^\x07\x1b]*(?:\x07|\x1b\\)  # a title, a link
      | \x1b.
      | ([\x00-\x1f])
      | ([^\x00-\x1f\x1b]+)""",
    re.VERBOSE,
)


class Style(NamedTuple):
    """How a cell looks."""

    color: int | None = None  # 0 to 7 of ECMA-48, 8 to 15 the bright ones
    bold: bool = False
    thin: bool = False


class Cell(NamedTuple):
    """One place on the screen."""

    sign: str
    style: Style


class Screen:
    """Rows of cells, and a cursor."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[Cell]] = [[]]
        self._row = self._column = 0
        self._style = Style()

    def write(self, text: str) -> None:
        """What the text does to the screen."""
        for found in _TOKEN.finditer(text):
            parameters, final, control, plain = found.groups()
            if plain:
                for sign in plain:
                    self._put(sign)
            elif control == "\n":
                self._move(self._row + 1, self._column)
            elif control == "\r":
                self._column = 0
            elif control == "\b":
                self._column = max(0, self._column - 1)
            elif final == "m":
                self._style = styled(self._style, parameters)
            elif final == "A":
                self._move(max(0, self._row - int(parameters or 1)), self._column)
            elif final == "K":
                del self.rows[self._row][self._column :]
            elif final == "J":
                del self.rows[self._row][self._column :]
                del self.rows[self._row + 1 :]

    def text(self) -> str:
        """What a reader sees of it."""
        return "\n".join("".join(cell.sign for cell in row).rstrip() for row in self.rows)

    def _put(self, sign: str) -> None:
        if self._column == self.columns:
            self._move(self._row + 1, 0)
        row = self.rows[self._row]
        row += [Cell(" ", Style())] * (self._column + 1 - len(row))
        row[self._column] = Cell(sign, self._style)
        self._column += 1

    def _move(self, row: int, column: int) -> None:
        self._row, self._column = row, column
        self.rows += [[] for _ in range(row + 1 - len(self.rows))]


def styled(style: Style, parameters: str) -> Style:
    """A style after a sequence of ECMA-48's SGR."""
    codes = [int(code or 0) for code in parameters.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Style()
        elif code == 1:
            style = style._replace(bold=True)
        elif code == 2:
            style = style._replace(thin=True)
        elif code == 22:
            style = style._replace(bold=False, thin=False)
        elif code == 39:
            style = style._replace(color=None)
        elif 30 <= code <= 37:
            style = style._replace(color=code - 30)
        elif 90 <= code <= 97:
            style = style._replace(color=code - 82)
        elif code in (38, 48):  # of 256 colours, or red, green and blue
            kind = codes.pop(0) if codes else 0
            first, *_ = [*codes[: 1 if kind == 5 else 3], 0]
            del codes[: 1 if kind == 5 else 3]
            if code == 38 and kind == 5 and first < 16:
                style = style._replace(color=first)
    return style
