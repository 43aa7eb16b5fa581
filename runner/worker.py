"""The far end of an executor: a job's id in, events and its outcome out.

A copy of the process that has loaded the envfile (`executors/fork.py`), or a new
interpreter that loads it as that one did (`executors/spawn.py`). What a job
prints, where it goes and what it does to the process stays here.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial

from runner.descendants import GRACE_S, adopt_orphans, end_children
from runner.errors import Interrupted, RunnerError
from runner.executors.wire import to_line
from runner.handlers import pthread_sigmask, set_signal
from runner.model import Request
from runner.opening import open_project
from runner.perform import perform
from runner.plan import make_plan
from runner.record import Record
from runner.reports import make_terminal
from runner.running import Outcome, Said
from runner.selection import find_jobs
from runner.settings import BY_NAME, is_list
from runner.signals import signals_as_exceptions
from runner.typed import TYPE_CHECKING
from runner.world import make_world, stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from runner.model import Job, Project, Settings
    from runner.reports.terminal import Terminal
    from runner.running import Event
    from runner.world import World

    _Emit = Callable[[Event], None]

if sys.platform == "win32":
    import base64
else:
    from runner.signals import UNTIL_ANSWERED
_MORE_S = 2.0  # for what its function does last


class Run(Record):
    """What the workers of a run have in common."""

    began_s: float
    made: set[str]  # the environments that are as this run wants them
    color: Literal["always", "never"]
    columns: int
    run_id: str = ""
    grace_s: float = GRACE_S  # for what is asked to end
    answers: Mapping[str, bool] = {}  # as in World


def _jobs_named(name: str, project: Project) -> tuple[Job, ...]:
    """The jobs that a name given to `session.notify` stands for, each after what it requires."""
    return make_plan(project.jobs, find_jobs(name, project.jobs), frozenset()).jobs


def work(
    job: Job,
    posargs: tuple[str, ...],
    control: socket.socket,
    *,
    world: World,
    run: Run,
    terminal: Terminal,
) -> None:
    """Do a job in this process, which is there for it alone, and tell of it.

    terminal: what was made before this process was copied, for `sys.stderr` as it was then.
    """
    here = terminal if terminal.stream is sys.stderr else terminal_of(world.settings, run)

    def act(tell: Callable[[Event], None]) -> Outcome:
        return _perform(job, posargs, world, _told_here(here, tell))

    _do(job.name, act, control, run.grace_s)


def orders(
    job: Job, posargs: tuple[str, ...], *, request: Request, run: Run
) -> Mapping[str, object]:
    """What a worker that is a new interpreter must know, fit for JSON."""
    return {
        "job": job.name,
        "posargs": posargs,
        "given": request.given,
        "own": request.own,
        "began_s": run.began_s,
        "made": sorted(run.made),
        "color": run.color,
        "columns": run.columns,
        "run_id": run.run_id,
        "grace_s": run.grace_s,
        "answers": run.answers,
    }


def main() -> None:
    """Do the job that standard input tells of, in this new interpreter."""
    told = json.loads(sys.stdin.buffer.read())
    if sys.platform == "win32":
        control = socket.fromshare(base64.b64decode(told["control"]))
    else:
        control = socket.socket(fileno=told["control"])
        control.set_inheritable(False)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    sys.argv = ["runenv"]
    given = given_of(told["given"])
    posargs, own = tuple(told["posargs"]), tuple(told["own"])
    run = Run(
        told["began_s"],
        set(told["made"]),
        told["color"],
        told["columns"],
        told["run_id"],
        told["grace_s"],
        told["answers"],
    )

    def act(tell: Callable[[Event], None]) -> Outcome:
        request = Request(verb="run", argument=None, given=given, posargs=posargs, own=own)
        project, settings = open_project(request, os.environ, again=True)
        emit = _told_here(terminal_of(settings, run), tell)
        job = next((job for job in project.jobs if job.name == told["job"]), None)
        if job is None:
            what = f"loaded again, the envfile has no job {told['job']!r}"
            mend = "let it declare the same whenever it is loaded"
            emit(Said(job=told["job"], level="error", text=f"{what}\n{mend}"))
            return Outcome(job=told["job"], result="failed", reason=what)
        return _perform(job, posargs, world_of(project, settings, run), emit)

    _do(told["job"], act, control, run.grace_s)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def given_of(told: Mapping[str, object]) -> dict[str, object]:
    """Settings as a command line gives them, out of JSON."""
    return {
        name: tuple(value) if is_list(value) and BY_NAME[name].kind == "many" else value
        for name, value in told.items()
    }


def terminal_of(settings: Settings, run: Run) -> Terminal:
    """What shows what a job tells among what it writes."""
    shown = settings._replace(color=run.color)
    made = make_terminal(sys.stderr, shown, os.environ, width=run.columns)
    made.is_behind_names = settings.output == "live"
    return made


def _told_here(here: Terminal, tell: Callable[[Event], None]) -> _Emit:
    """What tells an event to who reads what the job writes, and to the parent."""

    def emit(event: Event) -> None:
        here.hear(event)
        tell(event)

    return emit


def world_of(project: Project, settings: Settings, run: Run) -> World:
    """What the jobs of a run act on, who tells nothing yet: of a copy made before it is copied."""
    return make_world(
        project,
        settings,
        dict(os.environ),
        emit=lambda _: None,
        find=partial(_jobs_named, project=project),
        made=run.made,
        began_s=run.began_s,
        run_id=run.run_id,
        answers=run.answers,
    )


def _perform(job: Job, posargs: tuple[str, ...], world: World, emit: _Emit) -> Outcome:
    world = world._replace(emit=stamped(emit))
    try:
        return perform(job, posargs, world)
    finally:
        world.guard.close()
        if world.store is not None:
            world.store.close()


def _do(name: str, act: Callable[[_Emit], Outcome], control: socket.socket, grace_s: float) -> None:
    """Do it, answering signals as a run of one job does, and tell of it."""
    own = os.getpid()
    # A Thread would be waited for until it runs, 0.3 ms of each job.
    _thread.start_new_thread(_watch, (control, grace_s))
    adopt_orphans()
    # Else what is printed stands behind what we say, and what commands write.
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # none where the envfile replaced it
    if reconfigure is not None:
        reconfigure(line_buffering=True)

    def tell(told: Event | Outcome) -> None:
        # A copy that the session function has made of this process tells nothing.
        if os.getpid() == own:
            with suppress(OSError):  # the run is gone
                control.sendall(to_line(told))

    try:
        with signals_as_exceptions():
            if sys.platform != "win32":
                pthread_sigmask(signal.SIG_UNBLOCK, UNTIL_ANSWERED)
            outcome = act(tell)
    except KeyboardInterrupt:
        outcome = Outcome(job=name, result="interrupted", reason="SIGINT")
    except Interrupted as error:
        outcome = Outcome(job=name, result="interrupted", reason=error.signal_name)
    except RunnerError as error:  # an envfile that cannot be loaded again
        print(error, file=sys.stderr)
        outcome = Outcome(job=name, result="failed", reason=error.what)
    if os.getpid() != own:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        set_signal(number, int(signal.SIG_IGN))
    end_children()
    tell(outcome)


def _watch(control: socket.socket, grace_s: float) -> None:
    """End this process, and all that it has started, when the run is gone.

    To be started while those signals are blocked that the main thread answers.
    """
    with suppress(OSError):
        control.recv(1)  # nobody writes there: what comes is the end
    if sys.platform != "win32":
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGTERM)
        time.sleep(grace_s + _MORE_S)
        end_children()
    os._exit(1)


if __name__ == "__main__":
    main()
