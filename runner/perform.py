"""One job from its environment to its outcome.

Knows nothing of other jobs, of what was asked, or of who listens.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext

from runner.bench import Bench
from runner.errors import (
    CommandTimedOut,
    InterpreterMissing,
    Interrupted,
    RunnerError,
    SessionFailed,
    SessionSkipped,
    TimeUp,
    UsageError,
    cut_traceback,
    place_of,
)
from runner.handle import Session
from runner.running import JobStarted, Outcome, Said, Shown
from runner.settings import timeout_s
from runner.surroundings import restore_process
from runner.timelimit import TimeLimit
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Job
    from runner.running import Result
    from runner.world import World


def perform_among_others(job: Job, posargs: tuple[str, ...], world: World) -> Outcome:
    """As `perform`, in a process that has other jobs to do: none sees what this one has changed."""
    variables = dict(os.environ)
    try:
        return perform(job, posargs, world)
    finally:
        restore_process(world.project.root, variables)


def perform(job: Job, posargs: tuple[str, ...], world: World) -> Outcome:
    """Run one job; whatever goes wrong in it becomes its Outcome, and no other job's."""
    started = world.clock()
    world.emit(JobStarted(job=job.name, doc=job.spec.doc.partition("\n")[0]))
    seconds, retries = job.spec.timeout_s, job.spec.retries
    if seconds is None:
        seconds = timeout_s(world.settings.timeout)
    # Who looks around in a shell has all the time of the world.
    limit = TimeLimit(None if world.settings.on_fail else seconds)
    number = 1
    variables = dict(os.environ) if retries else {}
    outcome, may_retry = _attempt(job, posargs, world, limit)
    peak_bytes = outcome.peak_bytes
    while may_retry and number <= retries:
        text = f"attempt {number} of {retries + 1} {outcome.result}; trying again"
        world.emit(Said(job=job.name, level="warning", text=text))
        number += 1
        restore_process(world.project.root, variables)
        outcome, may_retry = _attempt(job, posargs, world, limit)
        peak_bytes = max(peak_bytes, outcome.peak_bytes)
    took_s = world.clock() - started
    return outcome._replace(duration_s=took_s, attempts=number, peak_bytes=peak_bytes)


def _attempt(
    job: Job, posargs: tuple[str, ...], world: World, limit: TimeLimit
) -> tuple[Outcome, bool]:
    """What became of the job this time, and whether another attempt may end otherwise."""
    bench = Bench(job, world)
    result: Result = "passed"
    reason = ""
    called = may_retry = False
    try:
        os.chdir(world.project.root_of(job.spec))
        _check_consent(job, world)
        with limit, bench:
            called = True
            try:
                _call(job, posargs, bench)
            finally:
                limit.stop()  # the environment is closed in peace
            if limit.is_up:  # and the session function has caught that
                raise TimeUp
    except BaseException as error:
        settled = _settle(error, job, world, limit)
        if settled is None:
            raise
        result, reason = settled
        # Why an environment cannot be made stays so, and so does a mistake.
        mistaken = not called or isinstance(error, UsageError)
        may_retry = result in ("failed", "timed out") and not mistaken and not limit.is_up
    outcome = Outcome(
        job=job.name,
        result=result,
        reason=reason,
        notified=tuple(bench.notified),
        peak_bytes=bench.peak_bytes,
    )
    return outcome, may_retry


def _check_consent(job: Job, world: World) -> None:
    """Raise where the session asks before it runs, and nobody has said yes."""
    question = job.spec.confirm
    if not question or world.settings.yes or world.answers.get(job.spec.name):
        return
    if job.spec.name in world.answers:
        raise SessionSkipped(f"{question!r} was not answered with yes")
    raise SessionFailed(
        f"nobody has said yes to {question!r}",
        mend="--yes says it beforehand (RUNENV_YES=1); it is asked at a terminal, of what is"
        " selected and what that requires",
    )


def _call(job: Job, posargs: tuple[str, ...], bench: Bench) -> None:
    session = Session(
        job=job,
        posargs=posargs,
        environment=bench.environment,
        env=bench.env,
        interactive=bench.is_interactive,
        hands=bench,
    )
    with job.spec.imports or nullcontext():
        job.spec.function(session, **dict(job.arguments), **given_of(job))


def given_of(job: Job) -> dict[str, object]:
    """What the function is given of its own options."""
    given = dict(job.options)
    # One that may be None and has no default.
    absent = (o.name for o in job.spec.options if o.default is None and not o.required)
    return {**dict.fromkeys(absent), **given} if job.spec.options else given


def _settle(
    error: BaseException, job: Job, world: World, limit: TimeLimit
) -> tuple[Result, str] | None:
    """What an exception makes of the job; None where it is none of the job's."""
    if isinstance(error, Interrupted):
        return "interrupted", error.signal_name
    if isinstance(error, KeyboardInterrupt) and not (limit.is_up and sys.platform == "win32"):
        return "interrupted", "SIGINT"
    if not limit.is_up:
        return _settle_in_time(error, job, world)
    if isinstance(error, (Exception, SystemExit)):
        _settle_in_time(error, job, world)  # what went wrong on the way out is told too
    what = f"the job took longer than {limit.seconds:g} s"
    here = place_of(error, world.project.root) or job.spec.where
    mend = "give it more: timeout= of the session, or --timeout"
    world.emit(Said(job=job.name, level="error", text=f"{what}\n--> {here}\n{mend}"))
    return "timed out", what


def _settle_in_time(error: BaseException, job: Job, world: World) -> tuple[Result, str] | None:
    def tell(text: str) -> None:
        if text:
            world.emit(Said(job=job.name, level="error", text=text))

    if isinstance(error, SessionSkipped):
        return "skipped", error.what
    if isinstance(error, InterpreterMissing) and world.settings.skip_missing:
        return "skipped", error.what
    # Before its function was called, the place is where the session is declared.
    here = place_of(error, world.project.root) or job.spec.where
    if isinstance(error, RunnerError):
        places = dict.fromkeys(filter(None, (error.where, here)))
        tell("\n".join([error.what, *(f"--> {p}" for p in places), *error.mend.splitlines()]))
        return ("timed out" if isinstance(error, CommandTimedOut) else "failed"), error.what
    if isinstance(error, SystemExit):
        reason = f"it called sys.exit({'' if error.code is None else repr(error.code)})"
        tell(f"{reason}\n--> {here}\nreturn to pass, session.error(...) to fail")
        return "failed", reason
    if isinstance(error, Exception):
        world.emit(Shown(job=job.name, text=cut_traceback(error) + "\n"))
        first_line = str(error).partition("\n")[0]
        return "failed", f"{type(error).__name__}: {first_line}" if first_line else type(
            error
        ).__name__
    return None
