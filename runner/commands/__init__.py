"""What one can ask: the table of verbs, a module each."""

from __future__ import annotations

from importlib import import_module

from runner.settings import envdir_in
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Protocol

    from runner.model import Project, Request, Settings

    class Verb(Protocol):
        """What a verb's module has."""

        def main(self, request: Request, /) -> int:
            """Do what is asked; the exit code."""
            ...


VERBS = (
    "run",
    "watch",
    "list",
    "usage",
    "explain",
    "graph",
    "shell",
    "exec",
    "link",
    "clean",
    "lock",
    "matrix",
    "merge",
    "doctor",
    "init",
    "convert",
    "completion",
    "help",
    "version",
)


def failed_before(project: Project, settings: Settings) -> frozenset[str] | None:
    """The jobs that did not pass when they last ran; None where nobody asks (--failed)."""
    if not settings.failed:
        return None
    from runner.history import lost_jobs, path_in, read  # nothing else of most verbs needs it

    envdir = envdir_in(project.root, settings)
    return lost_jobs(read(path_in(envdir)))


def picked(request: Request, project: Project, settings: Settings) -> Settings:
    """The settings, with the jobs that somebody chooses now where that is asked for (--pick)."""
    if not settings.pick:
        return settings
    from runner.commands.pick import pick  # hardly anybody asks for it

    return pick(request, project, settings, failed_before(project, settings))


def load_verb(name: str) -> Verb:
    """The module of a verb; it is imported only now."""
    return cast("Verb", import_module(f"runner.commands.{name}"))
