"""Many sessions, four at a time: 100 that do nothing, 20 that sleep for half a second, and a graph
whose longest path takes 2 s of the 4 s that there are to do. Without environments where a tool
can do so: what is measured is starting, awaiting and telling of jobs. Wall time.

The floor of the first is the same commands from a script that imports nothing, of the others what
sleeping takes on so many CPUs. hatch runs one session after the other and is not there.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from floors import floor
from measure import Contender
from projects import Project, sessions, write_project
from rows import FLOOR, Case, Place, Row, figures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rows import Taken

TITLE = "Many sessions"
ROUNDS = 5
NEEDS = ()
AT_ONCE = 4


class Graph(NamedTuple):
    """Sessions, and the time that they take where nothing is lost."""

    commands: Mapping[str, Sequence[str]]
    ideal_s: float = 0.0
    requires: Mapping[str, Sequence[str]] = {}


CHAIN = [f"c{number}" for number in range(10)]
GRAPHS = {
    "100 sessions that do nothing": Graph(sessions(100, "true")),
    "20 sessions that sleep 0.5 s": Graph(sessions(20, "sleep", "0.5"), 20 * 0.5 / AT_ONCE),
    # Eight short ones stand before the chain in the file.
    "a long path among short ones": Graph(
        {**sessions(8, "sleep", "0.25"), **dict.fromkeys(CHAIN, ("sleep", "0.2"))},
        2.0,
        {after: [before] for before, after in itertools.pairwise(CHAIN)},
    ),
}


def cases(place: Place) -> Iterator[Case]:
    for number, (name, graph) in enumerate(GRAPHS.items()):
        yield run_of(place, number, name, graph)


def run_of(place: Place, number: int, name: str, graph: Graph) -> Case:
    """One graph."""

    def rows(took: Taken) -> Iterator[Row]:
        yield Row(name, "wall_ms", figures_of(took))

    if graph.ideal_s:
        least = floor(place, "sleep", str(graph.ideal_s))
    else:
        least = floor(place, "true", times=len(graph.commands), at_once=AT_ONCE)
    contenders = {FLOOR: least}
    project = Project(graph.commands, requires=graph.requires, environments=False)
    for tool in place.tools:
        if tool.parallel:
            here = place.folder / str(number) / tool.folder
            write_project(here, project)
            contenders[tool.label] = Contender(tool.running_at_once(AT_ONCE), here)
    return Case(name, contenders, rows)


if __name__ == "__main__":
    from speed import main

    main("parallel")
