"""What happened at once, side by side."""

from __future__ import annotations

import heapq

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    T = TypeVar("T")


def in_lanes(items: Iterable[T], span: Callable[[T], tuple[float, float]]) -> list[tuple[T, int]]:
    """Each item, by its start, with the first lane in which nothing else is under way.

    span: when an item starts and how long it takes.
    """
    placed: list[tuple[T, int]] = []
    free: list[int] = []
    busy: list[tuple[float, int]] = []  # until when, which
    for item in sorted(items, key=lambda item: span(item)[0]):
        start_s, duration_s = span(item)
        while busy and busy[0][0] <= start_s + 1e-6:  # to the microsecond
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (start_s + duration_s, lane))
        placed.append((item, lane))
    return placed
