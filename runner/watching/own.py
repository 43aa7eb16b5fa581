"""Which changes a run makes itself, as far as one can see: no system tells who has written a file.

Knows nothing of how changes are noticed, and of what they start.
"""

from __future__ import annotations

TURNS = 3  # in which a run and no person writes a file
LATE_S = 1.0  # after a run: until then it may be one that writes (`| tee log` does)


class OwnFiles:
    """The files that have changed in several runs in a row, until a person writes them."""

    def __init__(self) -> None:
        self._own: set[str] = set()
        self._turns: dict[str, int] = {}  # runs in a row, up to the last, in which a file changed
        self._late: set[str] = set()  # what changed so soon after the last that it counts for it
        self._ended_s = float("-inf")  # when the last has

    def in_run(self, changed: set[str]) -> tuple[set[str], set[str]]:
        """Of what has changed in a run: what is not its own, and what from now on is."""
        left = changed - self._own
        new = {path for path in left if self._turns.get(path, 0) + 1 >= TURNS}
        self._own |= new
        return left - new, new

    def end(self, changed: set[str], now_s: float) -> None:
        """A run has ended in which that has changed, and was not its own."""
        self._turns = {path: self._turns.get(path, 0) + 1 for path in changed | self._late}
        self._late.clear()
        self._ended_s = now_s

    def between(self, changed: set[str], now_s: float) -> tuple[set[str], set[str]]:
        """As `in_run`, of what has changed since the last run; what comes late is a person's."""
        if now_s < self._ended_s + LATE_S:
            left, new = self.in_run(changed)
            self._late |= left
            return left, new
        self._own -= changed
        return changed, set()
