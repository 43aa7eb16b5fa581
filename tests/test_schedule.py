"""The loop: what starts, in which order, and what a failure or a signal stops."""

from __future__ import annotations

from runner import schedule
from runner.model import Job, Needs, Plan, SessionSpec
from runner.running import Outcome

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def job(name: str, *requires: str) -> Job:
    spec = SessionSpec(name, print, "envfile.py:1", "", (), False, (), NEEDS, (), (), (), True)
    return Job(name, name, spec, None, (), (), requires)


def plan_of(**requires: list[str]) -> Plan:
    return Plan(
        jobs=tuple(job(name, *needed) for name, needed in requires.items()), named=frozenset()
    )


class FakeExecutor:
    """Ends jobs in the order in which they were started, as it was told."""

    def __init__(self, room: int = 1, notify: dict[str, str] | None = None, **results: str) -> None:
        self.room, self.results, self.notify = room, results, notify or {}
        self.running: list[str] = []
        self.started: list[tuple[str, tuple[str, ...]]] = []
        self.stopped = False
        self.expected: list[list[str]] = []

    def has_room(self) -> bool:
        return len(self.running) < self.room

    def expect(self, jobs) -> None:
        self.expected.append([job.name for job in jobs])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        self.started.append((job.name, posargs))
        self.running.append(job.name)

    def wait(self) -> Outcome:
        name = self.running.pop(0)
        told = ((self.notify[name], None),) if name in self.notify else ()
        return Outcome(name, self.results.get(name, "passed"), notified=told)  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopped = True

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.started]


def results(outcomes: tuple[Outcome, ...]) -> dict[str, str]:
    return {outcome.job: outcome.result for outcome in outcomes}


def test_jobs_run_in_the_order_of_the_plan():
    executor = FakeExecutor()

    schedule.run(plan_of(b=[], a=[], c=[]), executor)

    assert executor.names == ["b", "a", "c"]


def test_posargs_reach_every_job():
    executor = FakeExecutor()

    schedule.run(plan_of(a=[], b=[]), executor, posargs=("-x",))

    assert executor.started == [("a", ("-x",)), ("b", ("-x",))]


def test_what_requires_a_failed_job_is_skipped():
    executor = FakeExecutor(lint="failed")

    outcomes = schedule.run(plan_of(lint=[], tests=["lint"], docs=[]), executor)

    assert Outcome("tests", "skipped", "lint did not pass") in outcomes
    assert executor.names == ["lint", "docs"]


def test_what_requires_a_skipped_job_is_skipped():
    executor = FakeExecutor(lint="skipped")

    outcomes = schedule.run(plan_of(lint=[], tests=["lint"], cover=["tests"]), executor)

    assert results(outcomes) == {"lint": "skipped", "tests": "skipped", "cover": "skipped"}


def test_fail_fast_starts_nothing_after_a_failure():
    executor = FakeExecutor(a="failed")

    outcomes = schedule.run(plan_of(a=[], b=[]), executor, fail_fast=True)

    assert executor.names == ["a"]
    assert outcomes[1] == Outcome("b", "skipped", "not started: a did not pass (--fail-fast)")


def test_fail_fast_goes_on_after_a_skip():
    executor = FakeExecutor(a="skipped")

    schedule.run(plan_of(a=[], b=[]), executor, fail_fast=True)

    assert executor.names == ["a", "b"]


def test_an_interrupted_job_stops_the_run():
    executor = FakeExecutor(a="interrupted")

    outcomes = schedule.run(plan_of(a=[], b=[]), executor)

    assert executor.stopped
    assert results(outcomes) == {"a": "interrupted", "b": "skipped"}


def test_a_job_waits_for_all_that_it_requires():
    executor = FakeExecutor(room=3)

    schedule.run(plan_of(a=[], b=[], c=["a", "b"], d=[]), executor)

    assert executor.names == ["a", "b", "d", "c"]


def test_a_notified_job_runs_once_at_the_end():
    executor = FakeExecutor(notify={"a": "late", "b": "late"})

    schedule.run(plan_of(a=[], b=[]), executor, find=lambda name: [job(name)])

    assert executor.names == ["a", "b", "late"]


def test_a_notified_job_that_was_planned_does_not_run_twice():
    executor = FakeExecutor(notify={"b": "a"})

    schedule.run(plan_of(a=[], b=[]), executor, find=lambda name: [job(name)])

    assert executor.names == ["a", "b"]


def test_a_notified_job_that_requires_a_failure_is_skipped():
    executor = FakeExecutor(notify={"b": "late"}, a="failed")

    outcomes = schedule.run(plan_of(a=[], b=[]), executor, find=lambda name: [job("late", "a")])

    assert results(outcomes)["late"] == "skipped"


def test_each_outcome_is_told_as_it_comes():
    told: list[str] = []

    schedule.run(plan_of(a=[], b=["a"]), FakeExecutor(), settled=lambda o: told.append(o.job))

    assert told == ["a", "b"]


def test_a_chain_of_five_thousand_is_run():
    names = [f"j{n}" for n in range(5000)]
    requires = {name: names[max(0, n - 1) : n] for n, name in enumerate(names)}

    outcomes = schedule.run(plan_of(**requires), FakeExecutor())

    assert len(outcomes) == 5000
