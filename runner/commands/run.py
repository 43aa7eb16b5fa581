"""`runenv [NAME …]`: runs the selected jobs. Every room of the house meets here."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from runner import errors, schedule
from runner.ahead import Ahead
from runner.bench import prepare_ahead
from runner.commands import failed_before
from runner.envs.folder import make_envdir, read_key
from runner.errors import Interrupted, ReportUnwritten
from runner.executors.local import Local
from runner.history import Remember, path_in, read
from runner.load import open_project
from runner.perform import perform
from runner.plan import make_plan
from runner.process import Stop, signals_as_exceptions
from runner.process import run as run_command
from runner.reports import Several, make_terminal
from runner.requirements import SourceDigests
from runner.run_folders import make_run_id
from runner.running import JobEnded, Outcome, Report
from runner.selection import find_jobs, select
from runner.shown import show
from runner.world import World, envdir_of, make_store, make_wheels, may_need_work, stamped

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model import Job, Plan, Project, Request, Settings
    from runner.reports import Reporter
    from runner.running import Event


_GRACE_S = 5.0  # for an installer that is no longer needed


def main(request: Request) -> int:
    """Run what is asked for; the exit code says whether all of it passed."""
    project, settings = open_project(request, os.environ)
    selected = select(project.jobs, settings, failed_before(project, settings))
    plan = make_plan(project.jobs, selected.jobs, selected.named)
    started = time.monotonic()
    store = make_store(project, settings, os.environ)
    reporter = make_reporter(
        project, settings, request.posargs, started, store.home if store is not None else ""
    )
    emit = stamped(reporter.hear)

    def find(name: str) -> tuple[Job, ...]:
        return make_plan(project.jobs, find_jobs(name, project.jobs), frozenset()).jobs

    envdir = envdir_of(project, settings)
    sources = SourceDigests(
        key=partial(read_key, envdir), memory=os.path.join(envdir, ".cache", "sources.json")
    )

    world = World(
        project=project,
        settings=settings,
        emit=emit,
        run=run_command,
        show=show,
        environ=dict(os.environ),
        sources=sources,
        wheels=make_wheels(envdir, settings, sources, os.environ),
        find=find,
        made=set(),
        store=store,
        run_id=make_run_id(time.time()),
        began_s=time.time(),
    )
    stop = Stop()

    def prepare(job: Job, emit: Callable[[Event], None]) -> None:
        run = partial(run_command, stop=stop)
        prepare_ahead(job, world._replace(emit=stamped(emit), run=run, wait=stop.wait))

    ahead = Ahead(
        prepare, reporter.hear, is_wanted=lambda job: may_need_work(job, world), stop=stop
    )
    working = world._replace(take=ahead.take)
    executor = Local(lambda job, posargs: perform(job, posargs, working), ahead.expect)
    outcomes: list[Outcome] = []
    interrupted_by = ""

    def settled(outcome: Outcome) -> None:
        outcomes.append(outcome)
        emit(JobEnded(outcome=outcome))

    with signals_as_exceptions():
        try:
            try:
                schedule.run(
                    plan,
                    executor,
                    posargs=request.posargs,
                    fail_fast=settings.fail_fast,
                    find=find,
                    settled=settled,
                )
            finally:
                ahead.end(_GRACE_S)
                if world.store is not None:
                    world.store.close()
        except KeyboardInterrupt:  # between two jobs; in one it is an outcome
            interrupted_by = "SIGINT"
        except Interrupted as error:
            interrupted_by = error.signal_name
        outcomes += _not_started(plan, outcomes)
        report = Report(
            outcomes=tuple(outcomes),
            duration_s=time.monotonic() - started,
            interrupted_by=next(
                (o.reason for o in outcomes if o.result == "interrupted"), interrupted_by
            ),
        )
        code = exit_code(report, selected.named, skip_missing=settings.skip_missing)
        try:
            reporter.close(report._replace(exit_code=code))
        except ReportUnwritten as error:
            error.exit_code = code or errors.FAILED
            raise
    return code


def make_reporter(
    project: Project,
    settings: Settings,
    posargs: tuple[str, ...],
    started_s: float,
    store_home: str,
) -> Reporter:
    """Who hears of the run: the terminal, the history, and whoever writes a report."""
    envdir = envdir_of(project, settings)
    at, history = time.time(), path_in(envdir)
    reporters: list[Reporter] = [make_terminal(sys.stderr, settings, os.environ)]
    if not settings.install_only:  # in which nothing of a job has run
        make_folder = partial(make_envdir, envdir, project.root, store_home)
        reporters.append(Remember(history, at=at, narrowed=bool(posargs), make_folder=make_folder))
    if settings.report or "GITHUB_ACTIONS" in os.environ or "GITHUB_STEP_SUMMARY" in os.environ:
        from runner.reports.collected import Beginning, Collector  # most runs need none of it
        from runner.reports.files import Files, clear, files_of
        from runner.reports.github import GitHub, is_here

        files = files_of(settings, project.root)
        clear(files)
        beginning = Beginning(
            root=project.root,
            envfile=project.envfile,
            jobs={job.name: job for job in project.jobs},
            posargs=posargs,
            at=at,
            clock_s=started_s,
            history=read(history),
        )
        github = [GitHub(os.environ, sys.stderr).tell] if is_here(os.environ) else []
        reporters.append(Collector(beginning, [*github, Files(files).tell]))
    return Several(reporters)


def _not_started(plan: Plan, outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes of the jobs that have none, where a signal came between two."""
    settled = {outcome.job for outcome in outcomes}
    return [
        Outcome(job.name, "skipped", "not started: the run was interrupted")
        for job in plan.jobs
        if job.name not in settled
    ]


def exit_code(report: Report, named: frozenset[str], *, skip_missing: bool) -> int:
    """What the run exits with (design.md, "The command line")."""
    if report.interrupted_by:
        return {"SIGINT": errors.INTERRUPTED, "SIGTERM": errors.TERMINATED, "SIGHUP": 129}[
            report.interrupted_by
        ]
    results = {outcome.result for outcome in report.outcomes}
    if "failed" in results:
        return errors.FAILED
    if "timed out" in results:
        return errors.TIMED_OUT
    skipped = {outcome.job for outcome in report.outcomes if outcome.result == "skipped"}
    if skipped & named and not skip_missing:
        return errors.FAILED
    return errors.PASSED if results & set(schedule.GOOD) else errors.FAILED
