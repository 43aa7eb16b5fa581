"""`runenv [NAME …]`: runs the selected jobs. Every room of the house meets here."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from functools import partial

from runner import errors, schedule
from runner.ahead import Ahead
from runner.bench import prepare_ahead
from runner.command_line import show_again
from runner.commands import failed_before, picked
from runner.envs.folder import make_envdir
from runner.errors import Interrupted, ReportUnwritten
from runner.executors.local import Local
from runner.history import RECENT_BYTES, Remember, path_in, read, usual_s
from runner.opening import open_project
from runner.perform import perform_among_others
from runner.plan import make_plan
from runner.process import Stop
from runner.process import run as run_command
from runner.record import Record
from runner.reports import Several, make_folds, make_terminal
from runner.run_folders import make_run_id
from runner.running import GOOD, JobEnded, Outcome, Report
from runner.selection import find_jobs, select
from runner.signals import signals_as_exceptions
from runner.telling import tell
from runner.typed import TYPE_CHECKING
from runner.world import envdir_of, make_store, make_world, may_need_work, stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Protocol

    from runner.executors import Executor
    from runner.history import Entry
    from runner.model import Job, Plan, Project, Request, Settings
    from runner.reports import Reporter
    from runner.running import Event, Part
    from runner.selection import Selected

    class Onlooker(Reporter, Protocol):
        """Who watches: has a say in what of the selected runs now, and hears of it."""

        def narrow(self, project: Project, settings: Settings, selected: Selected) -> Selected:
            """What of it runs."""
            ...


_CODES = {"SIGINT": errors.INTERRUPTED, "SIGTERM": errors.TERMINATED, "SIGHUP": 129, "SIGPIPE": 141}


def main(request: Request, onlooker: Onlooker | None = None, *, again: bool = False) -> int:
    """Run what is asked for; the exit code says whether all of it passed.

    again: an earlier run has told what there is to tell of the envfile.
    """
    project, settings = open_project(request, os.environ, again=again)
    settings = picked(request, project, settings)
    selected, part = _select(request, project, settings)
    if onlooker is not None:
        selected = onlooker.narrow(project, settings, selected)
    plan = make_plan(project.jobs, selected.jobs, selected.named)
    if any(job.spec.options for job in plan.jobs):
        from runner.own_options import check_all_given  # what most sessions have none of

        check_all_given(plan.jobs)
    started = time.monotonic()
    listeners = _make_listeners(request, project, settings, started, part)
    if onlooker is not None:
        listeners.append(onlooker)
    answers = _answers(plan, settings)
    # One job alone has the terminal, whatever may run beside it.
    is_alone = not settings.on and (settings.jobs == "1" or len(plan.jobs) <= 1)
    if is_alone:
        crew = _one_at_a_time(project, settings, listeners, answers)
    else:
        crew = _several_at_once(request, project, settings, listeners, answers)
    with crew.signals:
        report = _run(request, project, settings, plan, crew, started)
        code = exit_code(
            report,
            selected.named,
            skip_missing=settings.skip_missing,
            is_part=part is not None,
        )
        try:
            crew.reporter.close(report._replace(exit_code=code))
        except ReportUnwritten as error:
            error.exit_code = code or errors.FAILED
            raise
        if code and is_alone and len(report.outcomes) > 1:
            _tell_again(project, report, request)
    return code


def _run(
    request: Request,
    project: Project,
    settings: Settings,
    plan: Plan,
    crew: Crew,
    started_s: float,
) -> Report:
    """What became of the jobs of the plan, and of those that they notified."""
    emit = stamped(crew.reporter.hear)
    outcomes: list[Outcome] = []
    interrupted_by = ""

    def settled(outcome: Outcome) -> None:
        outcomes.append(outcome)
        emit(JobEnded(outcome=outcome))

    try:
        try:
            schedule.run(
                plan,
                crew.executor,
                posargs=request.posargs,
                fail_fast=settings.fail_fast,
                find=partial(_jobs_named, project=project),
                settled=settled,
                durations=crew.usual_s,
            )
        finally:
            crew.executor.close()
            crew.close()
    except KeyboardInterrupt:  # between two jobs; in one it is an outcome
        interrupted_by = "SIGINT"
    except Interrupted as error:
        interrupted_by = error.signal_name
    outcomes += _not_started(plan, outcomes)
    return Report(
        outcomes=tuple(outcomes),
        duration_s=time.monotonic() - started_s,
        interrupted_by=crew.executor.ended_by or _signal_among(outcomes) or interrupted_by,
    )


def _tell_again(project: Project, report: Report, request: Request) -> None:
    """Tell what runs the failed jobs again: their output may have scrolled away.

    Of several at once each is shown again at the end, with its command.
    """
    failed = {o.job for o in report.outcomes if o.result in ("failed", "timed out")}
    if failed:
        again = show_again([job for job in project.jobs if job.name in failed], request)
        tell(sys.stderr, f"run what failed again: {again}\n")


def _select(request: Request, project: Project, settings: Settings) -> tuple[Selected, Part | None]:
    """What is run here, and which part of several machines' jobs that is; None: all of them."""
    selected = select(project.jobs, settings, failed_before(project, settings))
    if not settings.shard and not settings.plan:
        return selected, None
    from runner.sharded import part_of, told  # most runs are on one machine

    selected, part = part_of(request, project, settings, selected, os.environ)
    if not settings.quiet or not selected.jobs:
        tell(sys.stderr, f"{told(part)}\n")
    return selected, part


def _signal_among(outcomes: list[Outcome]) -> str:
    """The signal that reached a job and with it the run; empty where none did."""
    reasons = (o.reason for o in outcomes if o.result == "interrupted" and o.reason in _CODES)
    return next(reasons, "")


class Crew(Record):
    """Who runs the jobs of a run, and who hears."""

    executor: Executor
    reporter: Reporter
    signals: AbstractContextManager[None]  # how they are answered
    close: Callable[[], None] = lambda: None  # what was begun beside the jobs has ended
    usual_s: Mapping[str, float] = {}  # what jobs take, where that decides which start first


def _several_at_once(
    request: Request,
    project: Project,
    settings: Settings,
    listeners: list[Reporter],
    answers: Mapping[str, bool],
) -> Crew:
    """Jobs in processes of their own."""
    from runner.several import several_at_once  # 12 ms that one at a time is spared

    past = read(path_in(envdir_of(project, settings)), RECENT_BYTES)
    usual = _usual_s(past, narrowed=request.narrows)
    run_id = make_run_id(time.time())
    executor, reporter = several_at_once(
        request, project, settings, listeners, run_id, usual, answers
    )
    return Crew(executor, reporter, nullcontext(), usual_s=_usual_s(past, narrowed=False))


def _one_at_a_time(
    project: Project,
    settings: Settings,
    listeners: list[Reporter],
    answers: Mapping[str, bool],
) -> Crew:
    """Each job in this process, whose commands own the terminal; the next ones prepared beside."""
    folds = make_folds(os.environ)
    reporter = Several([make_terminal(sys.stderr, settings, os.environ, folds=folds), *listeners])
    world = make_world(
        project,
        settings,
        dict(os.environ),
        emit=stamped(reporter.hear),
        find=partial(_jobs_named, project=project),
        made=set(),
        began_s=time.time(),
        run_id=make_run_id(time.time()),
        answers=answers,
    )
    stop = Stop()

    def prepare(job: Job, emit: Callable[[Event], None]) -> None:
        run = partial(run_command, grace_s=world.grace_s, stop=stop)
        prepare_ahead(job, world._replace(emit=stamped(emit), run=run, wait=stop.wait))

    ahead = Ahead(
        prepare, reporter.hear, is_wanted=lambda job: may_need_work(job, world), stop=stop
    )
    guarded = partial(run_command, grace_s=world.grace_s, guard=world.guard)
    working = world._replace(take=ahead.take, run=guarded)

    def close() -> None:
        ahead.end(world.grace_s)
        world.guard.close()
        if world.store is not None:
            world.store.close()

    executor = Local(lambda job, posargs: perform_among_others(job, posargs, working), ahead.expect)
    return Crew(executor, reporter, signals_as_exceptions(), close)


def _jobs_named(name: str, project: Project) -> tuple[Job, ...]:
    """The jobs that a name given to `session.notify` stands for, each after what it requires."""
    return make_plan(project.jobs, find_jobs(name, project.jobs), frozenset()).jobs


def _answers(plan: Plan, settings: Settings) -> dict[str, bool]:
    """What was answered to the sessions of the plan that ask; empty where nobody can be asked."""
    if settings.yes or settings.non_interactive or not any(job.spec.confirm for job in plan.jobs):
        return {}
    from runner.consent import ask_for, can_ask  # few sessions ask

    return ask_for(plan.jobs) if can_ask() else {}


def _usual_s(past: Mapping[str, Sequence[Entry]], *, narrowed: bool) -> dict[str, float]:
    """What jobs usually take, in seconds; narrowed: with arguments of their own."""
    known = {name: usual_s(entries, narrowed=narrowed) for name, entries in past.items()}
    return {name: seconds for name, seconds in known.items() if seconds is not None}


def _make_listeners(
    request: Request, project: Project, settings: Settings, started_s: float, part: Part | None
) -> list[Reporter]:
    """Who hears of the run beside a person: the history, and whoever writes a report.

    part: what of several machines' jobs the run is.
    """
    envdir = envdir_of(project, settings)
    at, history = time.time(), path_in(envdir)
    reporters: list[Reporter] = []
    if not settings.install_only:  # in which nothing of a job has run
        store = make_store(project, settings, os.environ)
        home = store.home if store is not None else ""
        make_folder = partial(make_envdir, envdir, project.root, home)
        narrowed = request.narrows
        reporters.append(Remember(history, at=at, narrowed=narrowed, make_folder=make_folder))
    if settings.report or "GITHUB_ACTIONS" in os.environ or "GITHUB_STEP_SUMMARY" in os.environ:
        from runner.engines import origin_of  # most runs need none of it
        from runner.reports.collected import Beginning, Collector
        from runner.reports.files import Files, clear, files_of
        from runner.reports.github import GitHub, is_here

        files = files_of(settings, project.root)
        clear(files)
        beginning = Beginning(
            root=project.root,
            envfile=project.envfile,
            jobs={job.name: job for job in project.jobs},
            posargs=request.posargs,
            at=at,
            clock_s=started_s,
            history=read(history),
            part=part,
            origin=origin_of(os.environ),
            narrowed=request.narrows,
        )
        github = [GitHub(os.environ, sys.stderr).tell] if is_here(os.environ) else []
        reporters.append(Collector(beginning, [*github, Files(files).tell]))
    return reporters


def _not_started(plan: Plan, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes of the jobs that have none, where a signal came between two."""
    settled = {outcome.job for outcome in outcomes}
    return [
        Outcome(job.name, "skipped", "not started: the run was interrupted")
        for job in plan.jobs
        if job.name not in settled
    ]


def exit_code(
    report: Report, named: frozenset[str], *, skip_missing: bool, is_part: bool = False
) -> int:
    """What the run exits with (design.md, "The command line").

    is_part: other machines run other jobs, so that this one may have none.
    """
    if report.interrupted_by:
        return _CODES[report.interrupted_by]
    results = {outcome.result for outcome in report.outcomes}
    if "failed" in results:
        return errors.FAILED
    if "timed out" in results:
        return errors.TIMED_OUT
    skipped = {outcome.job for outcome in report.outcomes if outcome.result == "skipped"}
    if skipped & named and not skip_missing:
        return errors.FAILED
    return errors.PASSED if is_part or results & set(GOOD) else errors.FAILED
