"""Many sessions, four at a time: 100 that do nothing, 20 that sleep for half a second, and a graph
whose longest path takes 2 s of the 4 s that there are to do. Without environments where a tool
can do so: what is measured is starting, awaiting and telling of jobs. Wall time, and of those that
do nothing the CPU time that each takes beyond as many as run at once.

The floor of the first is a script that imports nothing, of the others what sleeping takes on so
many CPUs. hatch runs one session after the other and is not there.
"""

from __future__ import annotations

import itertools
import statistics
from typing import TYPE_CHECKING, NamedTuple

from floors import floor
from measure import Contender
from projects import Project, sessions, write_project
from rows import FLOOR, RUNENV, Asked, Case, Place, Row, differences, figures_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rows import Taken

TITLE = "Many sessions"
ROUNDS = 5
NEEDS = ()
AT_ONCE = 4
MANY = 100


class Graph(NamedTuple):
    """Sessions, and the time that they take where nothing is lost."""

    commands: Mapping[str, Sequence[str]]
    ideal_s: float
    requires: Mapping[str, Sequence[str]] = {}


CHAIN = [f"c{number}" for number in range(10)]
GRAPHS = {
    "20 sessions that sleep 0.5 s": Graph(sessions(20, "sleep", "0.5"), 20 * 0.5 / AT_ONCE),
    # Eight short ones stand before the chain in the file.
    "a long path among short ones": Graph(
        {**sessions(8, "sleep", "0.25"), **dict.fromkeys(CHAIN, ("sleep", "0.2"))},
        2.0,
        {after: [before] for before, after in itertools.pairwise(CHAIN)},
    ),
}


def cases(place: Place) -> Iterator[Case]:
    yield nothing(place)
    for number, (name, graph) in enumerate(GRAPHS.items()):
        yield run_of(place, number, name, graph)


def nothing(place: Place) -> Case:
    """Many sessions whose functions are empty, and as many of them as run at once."""
    name = f"{MANY} sessions that do nothing"

    def rows(took: Taken) -> Iterator[Row]:
        many = figures_of(took, "many: ")
        yield Row(name, "wall_ms", many)
        further = {
            label: differences(took[f"many: {label}"], took[f"few: {label}"], MANY - AT_ONCE)
            for label in many
        }
        above = statistics.median(further[RUNENV]["cpu_ms"])
        yield Row("each further of these", "cpu_ms", further, Asked("", above, 5))

    contenders: dict[str, Contender] = {}
    for title, count in (("few", AT_ONCE), ("many", MANY)):
        all_ = {FLOOR: floor(place), **tools(place, title, Project(sessions(count)))}
        contenders |= {f"{title}: {label}": contender for label, contender in all_.items()}
    return Case(name, contenders, rows)


def tools(place: Place, folder: str, project: Project) -> dict[str, Contender]:
    """All that run several at once, without environments, each with a project of its own."""
    found: dict[str, Contender] = {}
    for tool in place.tools:
        if tool.parallel:
            here = place.folder / folder / tool.folder
            write_project(here, project._replace(environments=False))
            found[tool.label] = Contender(tool.running_at_once(AT_ONCE), here)
    return found


def run_of(place: Place, number: int, name: str, graph: Graph) -> Case:
    """One graph."""

    def rows(took: Taken) -> Iterator[Row]:
        yield Row(name, "wall_ms", figures_of(took))

    contenders = {FLOOR: floor(place, "sleep", str(graph.ideal_s))}
    contenders |= tools(place, str(number), Project(graph.commands, requires=graph.requires))
    return Case(name, contenders, rows)


if __name__ == "__main__":
    from speed import main

    main("parallel")
