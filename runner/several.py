"""Several jobs at once: the executor and the reporter that belong together.

Knows what each worker must be told; the scheduler neither knows nor asks.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import suppress
from functools import partial

from runner.colors import can_draw, shows_escapes, wants_color
from runner.command_line import show_again
from runner.envs import choose_backend, folder
from runner.envs.python_answers import running
from runner.errors import RunnerError, UsageError
from runner.executors import fork, spawn
from runner.executors.cpus import usable_cpus
from runner.executors.places import check_place
from runner.executors.processes import Processes, count_with_room
from runner.reports import Several, make_folds, make_for_several, make_terminal
from runner.reports.logs import Logs, lead_to_one_place
from runner.run_folders import LOGS
from runner.running import EnvironmentReady, Said
from runner.settings import grace_s
from runner.typed import TYPE_CHECKING
from runner.worker import Run, orders, terminal_of, work, world_of
from runner.world import envdir_of, make_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from runner.executors import Executor
    from runner.executors.processes import Start
    from runner.model import Project, Request, Settings
    from runner.reports import Reporter
    from runner.running import Event

_KIND = "RUNENV_WORKER"
_BOARD_COLUMNS = 40  # in fewer nothing can be told of a job


def several_at_once(
    request: Request,
    project: Project,
    settings: Settings,
    listeners: Sequence[Reporter],
    run_id: str,
    usual_s: Mapping[str, float],
    answers: Mapping[str, bool],
) -> tuple[Executor, Reporter]:
    """What runs jobs in processes of their own, as many at once as the settings say.

    listeners: who hears of the run beside a person. usual_s: how long jobs take
    when they pass, as far as anybody knows. answers: to what sessions have asked.
    """
    folds = None if settings.quiet else make_folds(os.environ)
    terminal = make_terminal(sys.stderr, settings, os.environ, folds=folds)
    by_name = {job.name: job for job in project.jobs}

    def again(job: str) -> str:
        return show_again([by_name[job]], request)

    how = _output(settings, os.environ)
    logs = _logs(project, settings, run_id)
    reporter = make_for_several(how, terminal, logs, again, usual_s)
    colored = wants_color(settings.color, os.environ, shows_escapes(sys.stderr))
    run = Run(
        began_s=time.time(),
        made=set(),
        color="always" if colored else "never",
        columns=terminal.room(),
        run_id=run_id,
        grace_s=grace_s(settings),
        answers=answers,
    )
    environments = {job.name: job.environment for job in project.jobs}

    def hear(event: Event) -> None:
        if isinstance(event, EnvironmentReady):
            run.made.add(environments[event.job])
        reporter.note(event)
        for listener in listeners:
            listener.hear(event)

    if settings.on:
        check_place(settings.on)
        from runner.on_dask import on_dask  # 1 s, which only who asks for it pays

        def say(text: str) -> None:
            terminal.hear(Said(job="", level="info", text=text))

        far = on_dask(project, settings, run, reporter, hear, say, request.own)
        reporter.on_closed = partial(far.end, "SIGPIPE")
        return far, Several([reporter, *listeners])
    asked = usable_cpus() if settings.jobs == "auto" else int(settings.jobs)
    room = count_with_room(asked)
    if room < asked and settings.jobs != "auto":
        text = f"only {room} at once: no more files may be open (`ulimit -n`)"
        terminal.hear(Said(job="", level="info", text=text))
    start = starting(request, project, settings, run)
    executor = Processes(room, start, reporter, hear, grace_s=run.grace_s)
    reporter.on_closed = partial(executor.end, "SIGPIPE")
    return executor, Several([reporter, *listeners])


def _output(settings: Settings, environ: Mapping[str, str]) -> Literal["board", "block", "live"]:
    """How the output of jobs is shown; a board where a terminal can hold one, else blocks."""
    if settings.output != "board":
        return settings.output
    if settings.quiet or environ.get("CI") or not can_draw(sys.stderr, environ):
        return "block"
    try:
        # Who reads a pipe may write to the terminal as well, when it likes.
        if stat.S_ISFIFO(os.fstat(1).st_mode):
            return "block"
        return "board" if os.get_terminal_size(2).columns >= _BOARD_COLUMNS else "block"
    except OSError:
        return "block"


def starting(request: Request, project: Project, settings: Settings, run: Run) -> Start:
    """What starts a worker: a copy of this process where that is safe, or a new one."""
    kind = os.environ.get(_KIND, "")
    if kind not in ("", "fork", "spawn"):
        raise UsageError(f"{_KIND} cannot be {kind!r}", mend="it is fork or spawn")
    if sys.platform != "win32" and (kind == "fork" or (not kind and fork.is_safe())):
        running()  # looked at once, before it is copied
        if any(not job.spec.needs.backend for job in project.jobs):
            with suppress(RunnerError):  # who needs it says what is wrong
                choose_backend(settings.backend)  # loads it, 2 ms of each copy
        world, shown = world_of(project, settings, run), terminal_of(settings, run)
        return fork.forking(partial(work, world=world, run=run, terminal=shown))
    return spawn.spawning(partial(orders, request=request, run=run))


def _logs(project: Project, settings: Settings, run_id: str) -> Logs:
    """Where this run keeps what its jobs write."""
    return Logs(
        os.path.join(make_envdir(project, settings), LOGS),
        run_id,
        folder.folder_name,
        is_one=lead_to_one_place(1, 2),
    )


def make_envdir(project: Project, settings: Settings) -> str:
    """The folder of environments, which is there now, with its store."""
    envdir = envdir_of(project, settings)
    folder.check_place(envdir)
    store = make_store(project, settings, os.environ)
    if store is not None:  # first, since the key for digests of secrets is in it
        store.make()
    folder.make_envdir(envdir, project.root, "" if store is None else store.home)
    return envdir
