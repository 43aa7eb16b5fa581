"""The jobs of a run and what they waited for, drawn as SVG for the page.

Knows nothing of how a layout is found.
"""

from __future__ import annotations

from graphlib import CycleError
from html import escape

from runner.reports.layers import lay_out
from runner.typed import TYPE_CHECKING
from runner.widths import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.reports.collected import JobStory
    from runner.reports.layers import Node

_MOST_JOBS, _MOST_LINES = 150, 600  # more is no picture any more
_LETTER, _ROW, _BOX, _GAP, _MARGIN = 7.3, 32, 24, 56, 8  # pixels


def draw(jobs: Sequence[JobStory]) -> str:
    """The drawing; empty where nothing waited for anything, or where it would be too much."""
    numbers = {job.name: number for number, job in enumerate(jobs)}
    waits = {j.name: [n for n in (*j.requires, *j.after) if n in numbers] for j in jobs}
    awaited = {name for names in waits.values() for name in names}
    waits = {name: names for name, names in waits.items() if names or name in awaited}
    if not waits or len(waits) > _MOST_JOBS or sum(map(len, waits.values())) > _MOST_LINES:
        return ""
    try:
        layers, ways = lay_out(waits)
    except CycleError:  # of a noxfile; what is in it could not run
        return ""
    boxes = _boxes(layers)
    wide = max(x + w for x, _, w in boxes.values()) + _MARGIN
    high = max(map(len, layers)) * _ROW + _MARGIN
    lines = [
        _line([boxes[node] for node in ways[other, job.name]], follows=other in job.after)
        for job in jobs
        for other in waits.get(job.name, ())
    ]
    drawn = [_box(jobs[numbers[name]], numbers[name], boxes[name]) for name in waits]
    size = f'width="{wide:.0f}" height="{high}" viewBox="0 0 {wide:.0f} {high}"'
    label = 'role="img" aria-label="what waits for what; each job tells it too"'
    return f'<div class="graph"><svg {size} {label}>{"".join(lines + drawn)}</svg></div>'


def _boxes(layers: Sequence[Sequence[Node]]) -> Mapping[Node, tuple[float, float, float]]:
    """Of each node its left edge, its middle and its width; of a line a point that is as wide."""
    highest = max(map(len, layers))
    boxes: dict[Node, tuple[float, float, float]] = {}
    left = float(_MARGIN)
    for layer in layers:
        names = (node for node in layer if isinstance(node, str))
        wide = max(map(columns_of, names), default=0) * _LETTER + 18
        top = (highest - len(layer)) * _ROW / 2 + _MARGIN / 2 + _ROW / 2
        for number, node in enumerate(layer):
            boxes[node] = (left, top + number * _ROW, wide)
        left += wide + _GAP
    return boxes


def _line(way: Sequence[tuple[float, float, float]], *, follows: bool) -> str:
    """A line out of the right edge of the first box, into the left one of the last."""
    (x, y, wide), *rest = way
    path = [f"M{x + wide:.1f} {y:.1f}"]
    at = x + wide
    for number, (left, middle, across) in enumerate(rest, 1):
        half = (left - at) / 2
        path.append(
            f"C{at + half:.1f} {y:.1f} {left - half:.1f} {middle:.1f} {left:.1f} {middle:.1f}"
        )
        if number < len(rest):  # on through a layer
            path.append(f"H{left + across:.1f}")
            left += across
        at, y = left, middle
    head = f"M{at - 6:.1f} {y - 3.5:.1f}l6 3.5l-6 3.5"  # never dotted itself
    kind = ' class="follows"' if follows else ""
    return f'<path{kind} d="{"".join(path)}"/><path d="{head}"/>'


def _box(job: JobStory, number: int, box: tuple[float, float, float]) -> str:
    x, y, wide = box
    name = escape(job.name)
    kind = job.result.replace(" ", "-")
    return (
        f'<a href="#job-{number}" class="{kind}">'
        f'<rect x="{x:.1f}" y="{y - _BOX / 2:.1f}" width="{wide:.1f}" height="{_BOX}" rx="4"/>'
        f'<text x="{x + wide / 2:.1f}" y="{y + 4:.1f}">{name}</text>'
        f"<title>{name}: {job.result}</title></a>"
    )
