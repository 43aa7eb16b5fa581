"""Runs in environments that are there: each session runs `python -c pass` where one small package
is installed, and before that all is checked that an environment depends on. CPU time.

The floor starts the same commands from a script that imports nothing. Two things are shown and
are compared with nothing: `nox -R`, which checks and installs nothing, and hatch beside the
project's wheel, for it keeps the first wheel whatever changes.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from floors import BARE, bare, by_shell, floor, make_environment
from measure import Contender
from projects import Project, sessions, write_project
from rows import (
    BY_HAND,
    FLOOR,
    LESS,
    RUNENV,
    Asked,
    Case,
    Place,
    Row,
    differences,
    figures_of,
    middle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rows import Taken

TITLE = "Warm runs"
ROUNDS = 15
NEEDS = ("hatchling",)
RUN = ("python", "-c", "pass")
MANY, AT_ONCE = 10, 2
COMMAND = "the session's command"


def cases(place: Place) -> Iterator[Case]:
    python = str(make_environment(place, place.folder / "hand", ["small"]))
    yield single(place, python, Project(sessions(1, *RUN), ["small"]))
    yield single(place, python, Project(sessions(1, *RUN), ["small"], "hatchling"))
    yield many(place, python, "one at a time", 1, at_most=1.5)
    yield many(place, python, f"-j {AT_ONCE}", AT_ONCE, at_most=4.0)


def single(place: Place, python: str, project: Project) -> Case:
    """One session; what is asked is asked with the project's wheel, where most is checked."""
    name = "one session, project's wheel" if project.backend else "one session"

    def rows(took: Taken) -> Iterator[Row]:
        above = middle(took[RUNENV]) - middle(took[BARE])
        asked = Asked("bare interpreter +", above, 28) if project.backend else None
        yield Row(name, "cpu_ms", figures_of(took), asked)

    here = place.folder / ("wheel" if project.backend else "one")
    contenders = {BARE: bare(place), **ways(place, here, python, project)}
    return Case(name, contenders, rows)


def many(place: Place, python: str, how: str, at_once: int, at_most: float) -> Case:
    """Ten sessions, and what each costs beyond as many as run at once.

    Beyond these, because processes for jobs are prepared once, and not at all for a single one.
    """

    def rows(took: Taken) -> Iterator[Row]:
        ten = {label: runs for label, runs in took.items() if label in labels["ten"]}
        yield Row(f"{MANY} sessions, {how}", "cpu_ms", figures_of(took, "ten: "))
        further = {
            label.removeprefix("ten: "): differences(
                runs, took[label.replace("ten", "few", 1)], MANY - at_once
            )
            for label, runs in ten.items()
        }
        above = statistics.median(further[RUNENV]["cpu_ms"]) - middle(took[COMMAND])
        asked = Asked("its own command +", above, at_most)
        yield Row(f"each further session, {how}", "cpu_ms", further, asked)

    contenders = {COMMAND: Contender([python, *RUN[1:]], place.folder)}
    labels = {}
    for title, count in (("few", at_once), ("ten", MANY)):
        here = place.folder / f"{title}-{at_once}"
        all_ = ways(place, here, python, Project(sessions(count, *RUN), ["small"]), at_once)
        labels[title] = {f"{title}: {label}": contender for label, contender in all_.items()}
        contenders |= labels[title]
    return Case(f"{MANY} sessions, {how}", contenders, rows)


def ways(
    place: Place, folder: Path, python: str, project: Project, at_once: int = 1
) -> dict[str, Contender]:
    """The floor, by hand, and all tools, each with a project of its own."""
    command, times = (python, *RUN[1:]), len(project.commands)
    contenders = {
        FLOOR: floor(place, *command, times=times, at_once=at_once),
        BY_HAND: by_shell(place, *command, times=times, at_once=at_once),
    }
    for tool in place.tools:
        if at_once > 1 and not tool.parallel:
            continue
        here = folder / tool.folder
        write_project(here, project)
        argv = tool.running() if at_once == 1 else tool.running_at_once(at_once)
        label = f"hatch{LESS}" if tool.label == "hatch" and project.backend else tool.label
        contenders[label] = Contender(argv, here)
        if tool.unchecked and at_once == 1:
            words = [tool.program, *tool.unchecked]
            contenders[f"nox -R{LESS}"] = Contender(words, here)
    return contenders


if __name__ == "__main__":
    from speed import main

    main("warm")
