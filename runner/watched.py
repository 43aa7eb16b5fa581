"""One run for a watcher, in a process of its own: it does what `runenv` does.

Before it begins it tells, through a pipe, what decides whether a change is one for it, and
what it writes itself; at the end, what has yet to pass. Which of the jobs run now the watcher
has said.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress

from runner.cli import run_and_exit
from runner.commands import run
from runner.errors import EnvfileError
from runner.model import Request
from runner.plan import make_plan
from runner.reports.files import files_of
from runner.running import GOOD, JobStarted
from runner.settings import grace_s
from runner.typed import TYPE_CHECKING
from runner.watching.child import JobRead, Told, line_of
from runner.worker import given_of
from runner.world import envdir_of

if sys.platform == "win32":
    import msvcrt

if TYPE_CHECKING:
    from typing import TextIO

    from runner.model import Job, Project, Settings
    from runner.running import Event, Report
    from runner.selection import Selected


def main(orders: int, telling: int) -> None:
    """Run what one pipe says, and tell by the other; the process ends with the run's exit code."""
    if sys.platform == "win32":
        orders, telling = msvcrt.open_osfhandle(orders, 0), msvcrt.open_osfhandle(telling, 0)
    os.set_inheritable(telling, False)  # else what it starts would keep its watcher waiting
    with open(orders, encoding="utf-8") as stream:
        said = json.load(stream)
    sys.argv = ["runenv"]
    request = Request(
        verb="run",
        argument=None,
        given=given_of(said["given"]),
        posargs=tuple(said["posargs"]),
        own=tuple(said["own"]),
    )
    onlooker = _Onlooker(frozenset(said["only"]), open(telling, "w", encoding="utf-8"))  # noqa: SIM115  # to the end

    def do() -> int:
        try:
            return run.main(request, onlooker, again=said["again"])
        except EnvfileError:
            onlooker.tell(Told(envfile_is_wrong=True))
            raise

    run_and_exit(do)


class _Onlooker:
    """Tells the watcher what it must know, and runs what it says."""

    def __init__(self, only: frozenset[str], stream: TextIO) -> None:
        """only: of what is selected these jobs, if there are any of them; empty: all."""
        self._only = only
        self._stream = stream
        self._told = Told()
        self._started: set[str] = set()
        if sys.platform != "win32":
            # A copy that a session makes of us would keep the watcher waiting.
            os.register_at_fork(after_in_child=stream.close)

    def tell(self, told: Told) -> None:
        """Tell it, if somebody is still there."""
        with suppress(OSError):
            self._stream.write(line_of(told))
            self._stream.flush()

    def narrow(self, project: Project, settings: Settings, selected: Selected) -> Selected:
        """Tell of all that is selected, before it runs; what of it is to run now."""
        self._told = told_of(project, settings, selected)
        self.tell(self._told)
        jobs = tuple(job for job in selected.jobs if job.name in self._only)
        if not jobs:
            return selected
        return selected._replace(jobs=jobs, named=selected.named & self._only)

    def hear(self, event: Event) -> None:
        """Know which jobs had their turn."""
        if isinstance(event, JobStarted):
            self._started.add(event.job)

    def close(self, report: Report) -> None:
        """Tell which have yet to pass: what skips itself need not, but what never started."""
        ended = {
            outcome.job: outcome.result not in GOOD
            and (outcome.result != "skipped" or outcome.job not in self._started)
            for outcome in report.outcomes
        }
        self.tell(self._told._replace(ended=ended))


def told_of(project: Project, settings: Settings, selected: Selected) -> Told:
    """What a watcher must know of a run."""
    jobs = make_plan(project.jobs, selected.jobs, selected.named).jobs
    roots = (project.root, *(part.root for part in project.parts))
    return Told(
        read=(
            project.envfile,
            *project.all_read,
            *(os.path.join(root, "pyproject.toml") for root in roots),
        ),
        ignored=(
            envdir_of(project, settings),
            *(file.path for file in files_of(settings, project.root)),
        ),
        outputs=tuple(
            pattern
            for job in jobs
            for pattern in _from_root(job.spec.outputs, project.root_of(job.spec), project)
        ),
        jobs=tuple(_read_by(job, project, settings) for job in jobs),
        grace_s=grace_s(settings),
    )


def _read_by(job: Job, project: Project, settings: Settings) -> JobRead:
    spec = job.spec
    root = project.root_of(spec)
    own = [*spec.needs.requirements, *spec.needs.constraints, *map(_as_path, spec.env_file)]
    named = [os.path.join(root, name) for name in own]
    named += [os.path.join(project.root, _as_path(name)) for name in settings.env_file]
    files = tuple(map(os.path.normpath, named))
    return JobRead(job.name, job.requires, _from_root(spec.inputs, root, project), files)


def _as_path(variables: str) -> str:
    """What a name of a file of variables stands for."""
    return os.path.expanduser(variables.removeprefix("-"))


def _from_root(patterns: tuple[str, ...], root: str, project: Project) -> tuple[str, ...]:
    """The patterns of a session, from the folder of the project that its envfile is included in."""
    below = os.path.relpath(root, project.root).replace(os.sep, "/")
    return patterns if below == "." else tuple(f"{below}/{pattern}" for pattern in patterns)
