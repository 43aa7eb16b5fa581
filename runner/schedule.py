"""Starts each job once everything that it comes after has passed.

Knows nothing of environments or processes: an executor takes the jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.running import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.executors import Executor
    from runner.model import Job, Plan

GOOD = ("passed", "cached")


def run(
    plan: Plan,
    executor: Executor,
    *,
    posargs: tuple[str, ...] = (),
    fail_fast: bool = False,
    find: Callable[[str], Sequence[Job]] = lambda _: (),
    settled: Callable[[Outcome], None] = lambda _: None,
) -> tuple[Outcome, ...]:
    """The outcome of every job, in the order in which they were settled.

    find: the jobs that a name given to `session.notify` stands for, with those
    that they require before them. settled: told of each outcome as it comes.
    """
    waiting: dict[str, tuple[Job, tuple[str, ...]]] = {
        job.name: (job, posargs) for job in plan.jobs
    }
    running: set[str] = set()
    outcomes: dict[str, Outcome] = {}
    stopped = ""  # why nothing more is started
    lost = False  # something did not pass since we last looked at what waits for it
    told = False  # the executor knows what waits

    def settle(outcome: Outcome) -> None:
        outcomes[outcome.job] = outcome
        settled(outcome)

    # Approach: as long as something waits or runs,
    # - settle what can no longer run, since what it requires did not pass;
    # - start, in the plan's order, what waits for nothing and finds room;
    # - wait for one job to end, and add the jobs that it notified.
    while waiting or running:
        if stopped or lost:
            for name, (job, _) in list(waiting.items()):
                reason = stopped or _lost_cause(job, outcomes)
                if reason:
                    del waiting[name]
                    settle(Outcome(job=name, result="skipped", reason=reason))
            lost = False
        while executor.has_room():
            ready = next((n for n, (job, _) in waiting.items() if _may_start(job, outcomes)), None)
            if ready is None:
                break
            job, words = waiting.pop(ready)
            running.add(ready)
            executor.start(job, words)
        if not running:
            continue
        if not told:
            executor.expect([job for job, _ in waiting.values()])
            told = True
        outcome = executor.wait()
        running.remove(outcome.job)
        settle(outcome)
        lost = outcome.result not in GOOD
        if outcome.result == "interrupted":
            stopped = "not started: the run was interrupted"
            executor.stop()
        elif fail_fast and outcome.result not in (*GOOD, "skipped") and not stopped:
            stopped = f"not started: {outcome.job} did not pass (--fail-fast)"
            executor.stop()
        if not stopped:
            for target, words_or_none in outcome.notified:
                words = posargs if words_or_none is None else words_or_none
                for job in find(target):
                    if job.name not in outcomes and job.name not in running:
                        waiting.setdefault(job.name, (job, words))
                        told = False
            lost = lost or bool(outcome.notified)  # they may require what did not pass
    return tuple(outcomes.values())


def _may_start(job: Job, outcomes: dict[str, Outcome]) -> bool:
    return all(needed in outcomes for needed in job.requires)


def _lost_cause(job: Job, outcomes: dict[str, Outcome]) -> str:
    """Why a job cannot run any more; empty while it can."""
    for needed in job.requires:
        outcome = outcomes.get(needed)
        if outcome is not None and outcome.result not in GOOD:
            return f"{needed} did not pass"
    return ""
