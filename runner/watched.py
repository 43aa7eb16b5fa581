"""One run for a watcher, in a process of its own: it does what `runenv` does.

Before it begins it tells, through a pipe, what decides whether a change is one for it, and
what it writes itself. Which of the jobs run now the watcher has said.
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
from runner.settings import grace_s
from runner.typed import TYPE_CHECKING
from runner.watching.child import JobRead, Told, line_of
from runner.worker import given_of
from runner.world import envdir_of

if sys.platform == "win32":
    import msvcrt

if TYPE_CHECKING:
    from runner.model import Job, Project, Settings
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
    only = frozenset(said["only"])

    def tell(told: Told) -> None:
        with suppress(OSError), open(telling, "w", encoding="utf-8") as stream:
            stream.write(line_of(told))

    def narrow(project: Project, settings: Settings, selected: Selected) -> Selected:
        tell(told_of(project, settings, selected))
        if not only:
            return selected
        jobs = tuple(job for job in selected.jobs if job.name in only)
        return selected._replace(jobs=jobs, named=selected.named & only)

    def do() -> int:
        try:
            return run.main(request, narrow, again=said["again"])
        except EnvfileError:
            tell(Told(envfile_is_wrong=True))
            raise

    run_and_exit(do)


def told_of(project: Project, settings: Settings, selected: Selected) -> Told:
    """What a watcher must know of a run."""
    jobs = make_plan(project.jobs, selected.jobs, selected.named).jobs
    return Told(
        read=(project.envfile, *project.all_read, os.path.join(project.root, "pyproject.toml")),
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
