"""A graph in layers, each behind all that it waits for: where its boxes and lines lie.

Knows nothing of jobs or of how it is drawn. The way of Sugiyama, Tagawa and Toda (1981)
at its shortest: layers by the longest path, places within a layer by the mean of the
neighbours' places, a line that passes a layer has a place in it as a box has.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from itertools import pairwise

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Node = str | tuple[str, str, int]  # a name; or a line from, to, where it passes a layer

_SWEEPS = 4  # over all layers; more of them change little


def in_layers(waits: Mapping[str, Sequence[str]]) -> list[list[Node]]:
    """The nodes of each layer, the first in order first, and the lines that pass it.

    waits: what each node stands behind, all of them nodes, in no circle.
    """
    depth: dict[str, int] = {}
    for name in TopologicalSorter(waits).static_order():
        depth[name] = max((depth[other] + 1 for other in waits[name]), default=0)
    layers: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in waits:
        layers[depth[name]].append(name)
    for name, others in waits.items():
        for other in others:
            for layer in range(depth[other] + 1, depth[name]):
                layers[layer].append((other, name, layer))
    before, behind = _neighbours(waits, depth)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for layer in order:
            fixed = layers[layer - 1 if down else layer + 1]
            layers[layer] = _ordered(layers[layer], fixed, before if down else behind)
    return layers


def way_of(start: str, end: str, layers: Iterable[Sequence[Node]]) -> list[Node]:
    """The nodes that the line from `start` to `end` goes through, both among them."""
    passed = [
        n for layer in layers for n in layer if not isinstance(n, str) and n[:2] == (start, end)
    ]
    return [start, *passed, end]


def _neighbours(
    waits: Mapping[str, Sequence[str]], depth: Mapping[str, int]
) -> tuple[dict[Node, list[Node]], dict[Node, list[Node]]]:
    """The nodes in the layer before each node, and those in the layer behind it."""
    before: dict[Node, list[Node]] = {}
    behind: dict[Node, list[Node]] = {}
    for name, others in waits.items():
        for other in others:
            passed = [(other, name, layer) for layer in range(depth[other] + 1, depth[name])]
            way: list[Node] = [other, *passed, name]
            for one, next_ in pairwise(way):
                before.setdefault(next_, []).append(one)
                behind.setdefault(one, []).append(next_)
    return before, behind


def _ordered(
    layer: Sequence[Node], fixed: Sequence[Node], neighbours: Mapping[Node, Sequence[Node]]
) -> list[Node]:
    """The nodes of a layer by where their neighbours lie; one without stays where it is."""
    place = {node: number / max(1, len(fixed) - 1) for number, node in enumerate(fixed)}
    mean: dict[Node, float] = {}
    for number, node in enumerate(layer):
        near = [place[other] for other in neighbours.get(node, ())]
        mean[node] = sum(near) / len(near) if near else number / max(1, len(layer) - 1)
    return sorted(layer, key=lambda node: mean[node])
