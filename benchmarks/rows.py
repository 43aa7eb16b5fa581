"""What a part of the benchmark is: cases, whose contenders take turns and give rows.

A part is a module beside this one, with the words that `Part` tells. Knows nothing of how
rows are written (`page.py`).
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tools import PEERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from measure import Contender, Took
    from tools import Tool

    Taken = Mapping[str, Sequence[Took]]

FLOOR = "floor"  # the session's commands, started by a script that imports nothing
BY_HAND = "by hand"
RUNENV = "runenv"
LESS = "*"  # behind the name of a tool that does less than what is measured
_COMPARED = [tool.label for tool in PEERS]


class Asked(NamedTuple):
    """What a figure is to be at most."""

    of: str  # what is in front of the limit: "bare interpreter +", "by hand ×", ""
    figure: float  # what it is
    at_most: float

    @property
    def met(self) -> bool:
        # A multiple below nothing comes of differences on a machine with other work: no proof.
        proof = self.figure > 0 or "×" not in self.of
        return proof and self.figure <= self.at_most


class Row(NamedTuple):
    """One line of the tables."""

    case: str
    unit: str  # the figure that is compared: cpu_ms, wall_ms, peak_mib, mib or inodes
    figures: Mapping[str, Mapping[str, Sequence[float]]]  # contender → unit → one a round
    asked: Asked | None = None
    floor: str = FLOOR  # the contender that does the least

    def median(self, contender: str) -> float | None:
        """The middle of the compared figure, None for who is not there."""
        if contender not in self.figures:
            return None
        return statistics.median(self.figures[contender][self.unit])

    @property
    def best_peer(self) -> str | None:
        """The tool beside runenv with the least, if there is one."""
        peers = [name for name in self.figures if name in _COMPARED]
        return min(peers, key=lambda name: self.median(name) or 0.0, default=None)

    def ratio_to(self, contender: str | None) -> float | None:
        """What runenv takes as a multiple of another's; None where one is not there, or nothing."""
        ours, theirs = self.median(RUNENV), self.median(contender) if contender else None
        return ours / theirs if ours is not None and theirs and theirs >= _SHOWN else None


_SHOWN = 0.05  # less is shown as 0.0


class Case(NamedTuple):
    """Contenders by label that take turns, and the rows that come of what they took."""

    name: str
    contenders: Mapping[str, Contender]
    rows: Callable[[Taken], Iterable[Row]]
    writes: bool = True  # False: nothing that a disk would be busy with


class Place(NamedTuple):
    """Where a part is measured, and with what."""

    folder: Path  # there is none yet
    environ: Mapping[str, str]
    tools: Sequence[Tool]  # runenv, and the peers unless it is alone
    floor: str  # a script: AT_ONCE TIMES COMMAND …


class Part(Protocol):
    """What such a module has; its first lines are the page's words on it."""

    TITLE: str
    ROUNDS: int
    NEEDS: Sequence[str]  # packages whose wheels are fetched before

    def cases(self, place: Place) -> Iterator[Case]:
        """Each is measured before the next is asked for."""


def figures_in(runs: Sequence[Took]) -> dict[str, list[float]]:
    """Of each unit, one a round."""
    return {unit: [getattr(run, unit) for run in runs] for unit in ("cpu_ms", "wall_ms")}


def figures_of(took: Taken, prefix: str = "") -> dict[str, dict[str, list[float]]]:
    """Of each contender whose label begins so, with the rest of its label."""
    return {
        label.removeprefix(prefix): figures_in(runs)
        for label, runs in took.items()
        if label.startswith(prefix)
    }


def differences(more: Sequence[Took], less: Sequence[Took], by: int = 1) -> dict[str, list[float]]:
    """What one took above another in the same round, for each of so many."""
    ours, theirs = figures_in(more), figures_in(less)
    return {
        unit: [(a - b) / by for a, b in zip(ours[unit], theirs[unit], strict=True)] for unit in ours
    }


def middle(runs: Sequence[Took], unit: str = "cpu_ms") -> float:
    """The median of what was taken."""
    return statistics.median(getattr(run, unit) for run in runs)
