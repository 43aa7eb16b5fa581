"""Environments that are not there yet, of packages that lie unpacked in uv's cache. Wall time, less
that of the same run with the environment there: what is left is what the environment cost.

First of its kind: nothing is in the store; the floor is `uv venv` and `uv pip install` by hand.
Known: an environment with the same needs was made before, here or in another project; the floor
is `cp -al`, a clone by hard links. nox and tox with virtualenv make one small and one typical
environment, and are left out where they take minutes.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from floors import anew, environment_script, make_environment, remove
from measure import Contender, run_once
from projects import Project, sessions, write_project
from rows import (
    BY_HAND,
    FLOOR,
    RUNENV,
    Asked,
    Case,
    Place,
    Row,
    differences,
    figures_in,
    figures_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rows import Taken
    from tools import Tool


class Packages(NamedTuple):
    """What is installed, and what a session of someone who needs it executes."""

    names: tuple[str, ...]
    code: str

    def project(self, count: int = 1) -> Project:
        """Sessions with it."""
        return Project(sessions(count, "python", "-c", self.code), self.names)


SETS = {
    "small": Packages(("small",), "import small"),
    "typical": Packages(
        ("pytest", "pytest-cov", "hypothesis", "requests", "rich"),
        "import pytest, pytest_cov.plugin, hypothesis, requests, rich.console",
    ),
    "large": Packages(
        ("numpy", "pandas", "scipy", "matplotlib", "ruff", "mypy"),
        "import numpy, pandas, scipy.stats, matplotlib.figure, mypy.build",
    ),
}
TITLE = "New environments"
ROUNDS = 5
NEEDS = tuple(name for packages in SETS.values() for name in packages.names if name != "small")
WARM = " warm"  # behind the label of the run with the environment there
CLONE = "cp -al"


def cases(place: Place) -> Iterator[Case]:
    for title in SETS:
        yield first(place, title, 1)
    for count in (2, 3):
        yield first(place, "typical", count)
    for title in SETS:
        yield known(place, title)
    for title in ("typical", "large"):
        yield first_import(place, title)


# Nothing of the kind was there before. --------------------------------------------------


def first(place: Place, title: str, count: int) -> Case:
    """So many sessions with one set."""
    packages = SETS[title]
    several = f"{count} sessions, " if count > 1 else ""
    name = f"first of its kind, {several}{title}"

    def rows(took: Taken) -> Iterator[Row]:
        yield row(name, took, BY_HAND, 1.0)

    here = place.folder / name.replace(" ", "-")
    contenders = by_hand(here / "hand", packages, count)
    for tool in fit(place, title, count):
        contenders |= cold_and_warm(tool, here / tool.folder, packages.project(count))
    return Case(name, contenders, rows)


def by_hand(folder: Path, packages: Packages, count: int) -> dict[str, Contender]:
    """What somebody types who makes the environments and runs the commands in them."""
    folder.mkdir(parents=True)
    made = [folder / f"s{number}" for number in range(count)]
    runs = [f"{one}/bin/python -c '{packages.code}'" for one in made]
    steps = [
        f"{environment_script(one, packages.names)} && {run}"
        for one, run in zip(made, runs, strict=True)
    ]
    return {
        BY_HAND: anew(["sh", "-c", " && ".join(steps)], folder, *made),
        BY_HAND + WARM: Contender(["sh", "-c", " && ".join(runs)], folder),
    }


def cold_and_warm(tool: Tool, folder: Path, project: Project) -> dict[str, Contender]:
    """A tool's run without its environments, and with them."""
    write_project(folder, project)
    data = folder / "data"  # where hatch has its environments, and its store runenv
    variables = {"HATCH_DATA_DIR": str(data), "RUNENV_STORE": str(data)}
    new = anew(tool.running(), folder, folder / ".runenv", folder / ".nox", folder / ".tox", data)
    warm = Contender(tool.running(), folder)
    return {
        tool.label: new._replace(variables=variables),
        tool.label + WARM: warm._replace(variables=variables),
    }


# The store knows what is asked for. -----------------------------------------------------


def known(place: Place, title: str) -> Case:
    """The same set again: in a project whose folder of environments is gone, and in a new one."""
    packages, here = SETS[title], place.folder / f"known-{title}"
    ours = runenv(place)
    variables = {"RUNENV_STORE": str(here / "store")}

    def project_again(folder: Path) -> None:
        remove(folder)
        write_project(folder, packages.project())

    teacher, gone, other = here / "teacher", here / "gone", here / "other"
    for folder in (teacher, gone, other):
        project_again(folder)
    teach = Contender(ours.running(), teacher, variables=variables)
    run_once(teach, place.environ)  # its session imports the set, as people's do
    again = {
        "environments removed": (gone, partial(remove, gone / ".runenv")),
        "another project": (other, partial(project_again, other)),
    }
    clone = here / "clone"
    source = str(gone / ".runenv" / "s0")
    contenders = {}
    for way, (folder, before) in again.items():
        contenders[way] = Contender(ours.running(), folder, before, variables)
        contenders[way + WARM] = Contender(ours.running(), folder, variables=variables)
    contenders[CLONE] = anew(["cp", "-al", source, str(clone)], here, clone)
    contenders |= by_hand(here / "hand", packages, 1)

    def rows(took: Taken) -> Iterator[Row]:
        for way in again:
            renamed = {RUNENV: took[way], RUNENV + WARM: took[way + WARM]}
            beside = {label: took[label] for label in (CLONE, BY_HAND, BY_HAND + WARM)}
            yield row(f"known, {title}, {way}", {**beside, **renamed}, CLONE, 1.2)

    return Case(f"known, {title}", contenders, rows)


# What an environment is worth to the first who uses it. ---------------------------------


def first_import(place: Place, title: str) -> Case:
    """The import of a set in an environment that was just made, timed alone."""
    packages, here = SETS[title], place.folder / f"import-{title}"
    ours = runenv(place)
    variables = {"RUNENV_STORE": str(here / "store")}
    projects = {"teacher": packages, "project": packages._replace(code="pass")}
    runs = {}
    for folder, imported in projects.items():
        write_project(here / folder, imported.project())
        runs[folder] = Contender(ours.running(), here / folder, variables=variables)
    run_once(runs["teacher"], place.environ)
    made, hand = here / "project" / ".runenv", here / "hand"

    def make() -> None:
        remove(made)
        run_once(runs["project"], place.environ)

    def by_uv() -> None:
        make_environment(place, hand, packages.names)

    in_ours = [str(made / "s0" / "bin" / "python"), "-c", packages.code]
    in_theirs = [str(hand / "bin" / "python"), "-c", packages.code]
    contenders = {
        RUNENV: Contender(in_ours, here, make),
        FLOOR: Contender(in_ours, here),
        BY_HAND: Contender(in_theirs, here, by_uv),
    }

    def rows(took: Taken) -> Iterator[Row]:
        yield Row(f"first import, {title}", "wall_ms", figures_of(took))

    return Case(f"first import, {title}", contenders, rows)


# What the cases share. ------------------------------------------------------------------


def runenv(place: Place) -> Tool:
    return next(tool for tool in place.tools if tool.label == RUNENV)


def fit(place: Place, title: str, count: int) -> list[Tool]:
    """Those that make so many environments with the set while somebody waits."""
    quick = title != "large" and count == 1
    return [tool for tool in place.tools if tool.installs_with_uv or quick]


def row(name: str, took: Taken, floor: str, at_most: float) -> Row:
    """What is above the run with the environment there, where there is one."""
    figures = {
        label: differences(runs, took[label + WARM]) if label + WARM in took else figures_in(runs)
        for label, runs in took.items()
        if not label.endswith(WARM)
    }
    ours, least = (statistics.median(figures[label]["wall_ms"]) for label in (RUNENV, floor))
    return Row(name, "wall_ms", figures, Asked(f"{floor} ×", ours / least, at_most), floor)


if __name__ == "__main__":
    from speed import main

    main("cold")
