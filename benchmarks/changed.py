"""A run after one source file has changed, where the session has the project as a wheel: it is
built anew, replaces the old one, and is imported. CPU time.

The floor is the backend's own work: its `build_wheel`, called in an environment that has it.
hatch is not there, for it keeps the wheel that it has.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from floors import make_environment, remove
from measure import Contender
from projects import BACKENDS, Project, change, sessions, write_library, write_project
from rows import RUNENV, Asked, Case, Place, Row, figures_of, middle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rows import Taken

TITLE = "A changed source file"
ROUNDS = 9
NEEDS = ("hatchling", "setuptools")
HOOK = "build_wheel"


def cases(place: Place) -> Iterator[Case]:
    for backend in BACKENDS:
        yield changed(place, backend)


def changed(place: Place, backend: str) -> Case:
    """A project with this backend."""

    def rows(took: Taken) -> Iterator[Row]:
        above = middle(took[RUNENV]) - middle(took[HOOK])
        asked = Asked("the backend's build +", above, 60)
        yield Row(f"changed, {backend}", "cpu_ms", figures_of(took), asked, HOOK)

    here = place.folder / backend
    contenders = {HOOK: hook(place, here, backend)}
    for tool in place.tools:
        if tool.label != "hatch":
            project = here / tool.folder
            write_project(project, Project(sessions(1, "python", "-c", "import mine"), (), backend))
            contenders[tool.label] = Contender(tool.running(), project, partial(touch, project))
    return Case(f"changed, {backend}", contenders, rows)


def hook(place: Place, folder: Path, backend: str) -> Contender:
    """The backend alone."""
    python = make_environment(place, folder / "kept", [backend])
    project = folder / "hand"
    project.mkdir()
    write_library(project, backend)
    code = f'import {BACKENDS[backend]} as it; it.build_wheel("dist")'
    return Contender([str(python), "-c", code], project, partial(touch, project))


def touch(project: Path) -> None:
    """One file is another, and nothing that a backend leaves is there."""
    remove(project / "build", project / "dist")
    change(project)


if __name__ == "__main__":
    from speed import main

    main("changed")
