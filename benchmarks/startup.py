"""What it costs until a tool begins to do something: its version, the list of 10, of 1,000 and of
4,000 sessions, and what a shell starts where TAB is pressed behind the begin of a name. CPU time.

The floor is a script that imports nothing, the bare interpreter `python -c pass`. hatch's sessions
are one matrix, for else it could not run them at once; as many that are named take it longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from floors import BARE, bare, floor
from measure import Contender
from projects import Project, sessions, write_project
from rows import FLOOR, RUNENV, Asked, Case, Place, Row, figures_of, middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rows import Taken
    from tools import Tool

TITLE = "Start-up"
ROUNDS = 25
NEEDS = ()


def cases(place: Place) -> Iterator[Case]:
    ten, thousand, more = (place.folder / str(count) for count in (10, 1000, 4000))
    for folder in (ten, thousand, more):
        count = int(folder.name)
        write_project(folder, Project(sessions(count, "python", "-c", "pass"), ["small"]))
    versions = {tool.label: Contender([tool.program, "--version"], ten) for tool in place.tools}
    yield plain(place, "`--version`", versions, at_most=6)
    yield plain(place, "list 10 sessions", listings(place, ten), at_most=20)
    yield linear(place, thousand, more)
    completions = {
        tool.label: completion(tool, ten)
        for tool in place.tools
        if tool.label.split()[0] in COMPLETED
    }
    yield plain(place, "TAB, 10 sessions", completions, at_most=12)


def plain(place: Place, name: str, tools: Mapping[str, Contender], at_most: float) -> Case:
    """One row: beside the bare interpreter."""

    def rows(took: Taken) -> Iterator[Row]:
        yield row(name, took, at_most)

    return Case(name, {BARE: bare(place), FLOOR: floor(place), **tools}, rows, writes=False)


def linear(place: Place, thousand: Path, more: Path) -> Case:
    """1,000 sessions, and four times as many by runenv."""

    def rows(took: Taken) -> Iterator[Row]:
        label = f"{RUNENV} 4,000"
        fewer = {name: runs for name, runs in took.items() if name != label}
        yield row("list 1,000 sessions", fewer, 60)
        bare, all_ = middle(took[BARE]), {BARE: took[BARE], FLOOR: took[FLOOR]}
        above = [middle(took[name]) - bare for name in (RUNENV, label)]
        asked = Asked("what 1,000 take ×", above[1] / above[0], 4.0)
        figures = figures_of({**all_, RUNENV: took[label]})
        yield Row("list 4,000 sessions", "cpu_ms", figures, asked)

    lists = listings(place, thousand)
    last = {f"{RUNENV} 4,000": lists[RUNENV]._replace(folder=more)}
    floors = {BARE: bare(place), FLOOR: floor(place)}
    return Case("list 1,000 and 4,000 sessions", {**floors, **lists, **last}, rows, writes=False)


def row(name: str, took: Taken, at_most: float) -> Row:
    above = middle(took[RUNENV]) - middle(took[BARE])
    return Row(name, "cpu_ms", figures_of(took), Asked("bare interpreter +", above, at_most))


def listings(place: Place, folder: Path) -> dict[str, Contender]:
    return {tool.label: Contender(tool.listing(), folder) for tool in place.tools}


COMPLETED = ("runenv", "nox")  # tox and hatch offer options alone


def completion(tool: Tool, folder: Path) -> Contender:
    """What bash starts where TAB is pressed behind `runenv s` or `nox -s s`."""
    line = "runenv s" if tool.label == RUNENV else "nox -s s"
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "offered"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    return Contender([tool.program], folder, variables=variables)


if __name__ == "__main__":
    from speed import main

    main("startup")
