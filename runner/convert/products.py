"""Names that are no product of their parts, but several: `py{38,39}-a, py{310,311}-{a,b}`.

Pure. Knows nothing of Pythons or of how loops are written.
"""

from __future__ import annotations

from itertools import product
from math import prod

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Row = tuple[str, ...]
_Columns = tuple[tuple[str, ...], ...]  # the words of each part of the names


class Products(Record):
    """Names as rows of parts: all the blocks, and for each of their rows all of the rest."""

    blocks: tuple[
        tuple[tuple[str, ...], ...], ...
    ]  # of each its columns, of which it is the product
    rest: tuple[tuple[str, ...], ...]  # the columns behind them, which are the same for all

    @property
    def columns(self) -> list[tuple[str, ...]]:
        """The words of each part of the names."""
        ahead = zip(*self.blocks, strict=True)
        merged = [tuple(dict.fromkeys(w for words in column for w in words)) for column in ahead]
        return [*merged, *self.rest]


def products_of(names: Sequence[str]) -> Products | None:
    """The products that make the names, in their order; None where listing them is as short."""
    rows = [tuple(name.split("-")) for name in names]
    if len({len(row) for row in rows}) != 1:
        return None
    width = len(rows[0])
    for ahead in range(1, width + 1):
        first = list(dict.fromkeys(row[:ahead] for row in rows))
        rest = _columns([row[ahead:] for row in rows])
        if [a + b for a in first for b in product(*rest)] == rows:
            blocks = _blocks(first)
            return Products(tuple(blocks), rest) if 1 < len(blocks) <= len(first) / 2 else None
    return None


def _blocks(rows: Sequence[_Row]) -> list[_Columns]:
    """The rows in as few pieces as are products."""
    # From the last on: of each row the fewest pieces from there, and where the first of them ends.
    fewest: dict[int, tuple[int, int]] = {len(rows): (0, 0)}
    for start in reversed(range(len(rows))):
        fewest[start] = min((1 + fewest[end][0], end) for end in _ends(rows, start))
    found: list[_Columns] = []
    start = 0
    while start < len(rows):
        end = fewest[start][1]
        found.append(_columns(rows[start:end]))
        start = end
    return found


def _ends(rows: Sequence[_Row], start: int) -> Iterator[int]:
    """Where pieces end that begin there and are products."""
    columns: tuple[dict[str, None], ...] = tuple({} for _ in rows[start])
    for end in range(start + 1, len(rows) + 1):
        for column, word in zip(columns, rows[end - 1], strict=True):
            column[word] = None
        # Only a piece of as many rows needs a second look.
        as_many = prod(map(len, columns)) == end - start
        if as_many and list(product(*columns)) == list(rows[start:end]):
            yield end


def _columns(rows: Sequence[_Row]) -> _Columns:
    return tuple(tuple(dict.fromkeys(column)) for column in zip(*rows, strict=True))
