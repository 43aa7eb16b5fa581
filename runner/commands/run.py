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
from runner.envs.folder import read_key
from runner.envs.wheels import Wheels
from runner.executors.local import Local
from runner.load import open_project
from runner.perform import perform
from runner.plan import make_plan
from runner.process import Stop, signals_as_exceptions
from runner.process import run as run_command
from runner.reports import make_terminal
from runner.requirements import SourceDigests
from runner.running import JobEnded, Report
from runner.selection import find_jobs, select
from runner.shown import show
from runner.world import World, envdir_of, make_store, may_need_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.envs.wheels import Builder
    from runner.model import Job, Request
    from runner.running import Event


_GRACE_S = 5.0  # for an installer that is no longer needed


def main(request: Request) -> int:
    """Run what is asked for; the exit code says whether all of it passed."""
    project, settings = open_project(request, os.environ)
    selected = select(project.jobs, settings)
    plan = make_plan(project.jobs, selected.jobs, selected.named)
    reporter = make_terminal(sys.stderr, settings, os.environ)

    def find(name: str) -> tuple[Job, ...]:
        return make_plan(project.jobs, find_jobs(name, project.jobs), frozenset()).jobs

    envdir = envdir_of(project, settings)
    sources = SourceDigests(
        key=partial(read_key, envdir), memory=os.path.join(envdir, ".cache", "sources.json")
    )

    def make_builder() -> Builder:
        from runner.envs.builds import Builds  # 1.5 ms that only a build costs

        return Builds(envdir, world.environ, sources)

    world = World(
        project=project,
        settings=settings,
        emit=reporter.hear,
        run=run_command,
        show=show,
        environ=dict(os.environ),
        sources=sources,
        wheels=Wheels(
            envdir,
            again=settings.fresh or settings.upgrade,
            marks=sources.marks,
            make_builder=make_builder,
        ),
        find=find,
        made=set(),
        store=make_store(project, settings, os.environ),
        began_s=time.time(),
    )
    stop = Stop()

    def prepare(job: Job, emit: Callable[[Event], None]) -> None:
        prepare_ahead(job, world._replace(emit=emit, run=partial(run_command, stop=stop)))

    ahead = Ahead(
        prepare, reporter.hear, is_wanted=lambda job: may_need_work(job, world), stop=stop
    )
    working = world._replace(take=ahead.take)
    executor = Local(lambda job, posargs: perform(job, posargs, working), ahead.expect)
    started = time.monotonic()
    with signals_as_exceptions():
        try:
            outcomes = schedule.run(
                plan,
                executor,
                posargs=request.posargs,
                fail_fast=settings.fail_fast,
                find=find,
                settled=lambda outcome: reporter.hear(JobEnded(outcome=outcome)),
            )
        finally:
            ahead.end(_GRACE_S)
            if world.store is not None:
                world.store.close()
        interrupted_by = next((o.reason for o in outcomes if o.result == "interrupted"), "")
        report = Report(
            outcomes=outcomes,
            duration_s=time.monotonic() - started,
            interrupted_by=interrupted_by,
        )
        reporter.close(report)
    return exit_code(report, selected.named, skip_missing=settings.skip_missing)


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
