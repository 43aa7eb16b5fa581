"""A graph in layers, each behind all that it waits for: where its boxes and lines lie.

Knows nothing of jobs or of how it is drawn. The way of Sugiyama, Tagawa and Toda (1981)
at its shortest: layers by the longest path, places within a layer by the mean of the
neighbours' places, a line that passes a layer has a place in it as a box has.
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from itertools import pairwise

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Node = str | tuple[str, str, int]  # a name; or a line from, to, where it passes a layer

_SWEEPS = 4  # over all layers; more of them change little


class Laid(Record):
    """A graph in layers, each from its first node to its last."""

    layers: Sequence[Sequence[Node]]  # in each also the lines that pass it
    ways: Mapping[tuple[str, str], Sequence[Node]]  # of each line all nodes, both ends too


def lay_out(waits: Mapping[str, Sequence[str]]) -> Laid:
    """The layers of a graph and the ways of its lines.

    waits: what each node stands behind, all of them nodes. Raises CycleError for a circle.
    """
    depth: dict[str, int] = {}
    for name in TopologicalSorter(waits).static_order():
        depth[name] = max((depth[other] + 1 for other in waits[name]), default=0)
    layers: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in waits:
        layers[depth[name]].append(name)
    ways: dict[tuple[str, str], list[Node]] = {}
    for name, others in waits.items():
        for other in others:
            passed = range(depth[other] + 1, depth[name])
            ways[other, name] = [other, *((other, name, layer) for layer in passed), name]
            for layer in passed:
                layers[layer].append((other, name, layer))
    before: dict[Node, list[Node]] = {}
    behind: dict[Node, list[Node]] = {}
    for way in ways.values():
        for one, next_ in pairwise(way):
            before.setdefault(next_, []).append(one)
            behind.setdefault(one, []).append(next_)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        order = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for layer in order:
            fixed = layers[layer - 1 if down else layer + 1]
            layers[layer] = _ordered(layers[layer], fixed, before if down else behind)
    return Laid(layers, ways)


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
