"""The loop: what starts, in which order, and what a failure or a signal stops."""

from __future__ import annotations

from runner import schedule
from runner.model import Job, Needs, Plan, SessionSpec
from runner.running import Outcome

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def job(
    name: str, *requires: str, exclusive: str = "", parallel: bool = True, shared: str = ""
) -> Job:
    spec = SessionSpec(name, print, "envfile.py:1", "", (), False, (), NEEDS, (), (), (), True)
    spec = spec._replace(exclusive=tuple(exclusive.split()), parallel=parallel)
    return Job(name, name, spec, None, (), (), requires, shared)


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
        self.ended_by = ""
        self.at_once: list[set[str]] = []  # what ran together, after each start
        self.expected: list[list[str]] = []

    def has_room(self) -> bool:
        return len(self.running) < self.room

    def expect(self, jobs) -> None:
        self.expected.append([job.name for job in jobs])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        self.started.append((job.name, posargs))
        self.running.append(job.name)
        self.at_once.append(set(self.running))

    def wait(self) -> Outcome:
        name = self.running.pop(0)
        told = ((self.notify[name], None),) if name in self.notify else ()
        return Outcome(name, self.results.get(name, "passed"), notified=told)  # type: ignore[arg-type]

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        pass

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


def following(name: str, *after: str, requires: tuple[str, ...] = ()) -> Job:
    return job(name, *requires)._replace(after=after)


def test_what_follows_a_job_waits_until_it_has_ended():
    executor = FakeExecutor(room=2)

    schedule.run(Plan((job("a"), job("b"), following("c", "a")), frozenset()), executor)

    assert executor.at_once == [{"a"}, {"a", "b"}, {"b", "c"}]


def test_what_follows_a_job_that_failed_runs():
    executor = FakeExecutor(a="failed")

    outcomes = schedule.run(Plan((job("a"), following("b", "a")), frozenset()), executor)

    assert [(one.job, one.result) for one in outcomes] == [("a", "failed"), ("b", "passed")]


def test_what_follows_a_job_that_was_skipped_runs():
    executor = FakeExecutor(a="failed")
    plan = Plan((job("a"), job("b", "a"), following("c", "b")), frozenset())

    outcomes = schedule.run(plan, executor)

    assert [(one.job, one.result) for one in outcomes] == [
        ("a", "failed"),
        ("b", "skipped"),
        ("c", "passed"),
    ]


def test_what_follows_a_job_that_does_not_run_waits_for_nothing():
    executor = FakeExecutor()

    schedule.run(Plan((following("b", "a"),), frozenset()), executor)

    assert executor.names == ["b"]


def test_what_requires_one_job_and_follows_another_waits_for_both():
    executor = FakeExecutor(room=3, a="failed")
    plan = Plan((job("a"), job("b"), following("c", "a", requires=("b",))), frozenset())

    outcomes = schedule.run(plan, executor)

    assert executor.at_once == [{"a"}, {"a", "b"}, {"c"}]
    assert outcomes[-1] == Outcome("c", "passed")


def test_a_notified_job_follows_what_still_runs():
    executor = FakeExecutor(room=2, notify={"a": "c"})
    plan = Plan((job("a"), job("b")), frozenset())

    schedule.run(plan, executor, find=lambda name: [following("c", "b", "zzz")])

    assert executor.at_once == [{"a"}, {"a", "b"}, {"c"}]


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


# Several at once. -----------------------------------------------------------------


def at_once(executor: FakeExecutor, *names: str) -> bool:
    """Whether these ever ran together."""
    return any(set(names) <= running for running in executor.at_once)


def plan(*jobs: Job) -> Plan:
    return Plan(jobs=jobs, named=frozenset())


def test_as_many_run_at_once_as_there_is_room_for():
    executor = FakeExecutor(room=2)

    schedule.run(plan_of(a=[], b=[], c=[]), executor)

    assert executor.at_once == [{"a"}, {"a", "b"}, {"b", "c"}]


def test_what_is_exclusive_by_the_same_word_never_runs_together():
    executor = FakeExecutor(room=4)

    schedule.run(
        plan(job("a", exclusive="db"), job("b", exclusive="db"), job("c", exclusive="port")),
        executor,
    )

    assert executor.names == ["a", "c", "b"]
    assert not at_once(executor, "a", "b")
    assert at_once(executor, "a", "c")


def test_what_is_exclusive_by_two_words_waits_for_both():
    executor = FakeExecutor(room=4)

    schedule.run(
        plan(
            job("a", exclusive="db"),
            job("b", exclusive="port"),
            job("ab", exclusive="db port"),
            job("a2", exclusive="db"),
        ),
        executor,
    )

    assert sorted(executor.names) == ["a", "a2", "ab", "b"]
    assert not any(at_once(executor, "ab", name) for name in ("a", "b", "a2"))


def test_one_that_waits_for_two_things_does_not_keep_others_from_the_one_that_is_free():
    executor = FakeExecutor(room=4)

    schedule.run(
        plan(
            job("a", exclusive="db"),
            job("ab", exclusive="db port"),
            job("a2", exclusive="db"),
            job("b", exclusive="port"),
        ),
        executor,
    )

    assert executor.at_once[1] == {"a", "b"}


def test_what_was_let_go_is_taken_by_the_next_while_one_waits_for_another_thing_too():
    executor = FakeExecutor(room=4)

    schedule.run(
        plan(
            job("a", exclusive="db"),
            job("b", exclusive="port"),
            job("ab", exclusive="db port"),
            job("a2", exclusive="db"),
        ),
        executor,
    )

    assert executor.at_once[2] == {"b", "a2"}


def test_jobs_that_share_an_environment_never_run_together():
    executor = FakeExecutor(room=4)

    schedule.run(plan(job("a", shared="dev"), job("b", shared="dev"), job("c")), executor)

    assert executor.names == ["a", "c", "b"]
    assert not at_once(executor, "a", "b")


def test_nothing_runs_beside_what_is_not_parallel():
    executor = FakeExecutor(room=4)

    schedule.run(plan(job("a"), job("alone", parallel=False), job("b"), job("c", "a")), executor)

    assert sorted(executor.names) == ["a", "alone", "b", "c"]
    assert [running for running in executor.at_once if "alone" in running] == [{"alone"}]


def test_what_is_not_parallel_starts_first_where_it_is_first():
    executor = FakeExecutor(room=4)

    schedule.run(plan(job("alone", parallel=False), job("a"), job("b")), executor)

    assert executor.names == ["alone", "a", "b"]


def test_with_one_at_a_time_the_order_is_the_plans_whatever_is_exclusive():
    executor = FakeExecutor()

    schedule.run(
        plan(job("a", exclusive="db"), job("alone", parallel=False), job("b", exclusive="db")),
        executor,
    )

    assert executor.names == ["a", "alone", "b"]


def test_the_longest_remembered_path_starts_first():
    executor = FakeExecutor(room=2)

    schedule.run(
        plan_of(short=[], a=[], b=["a"], c=["b"]),
        executor,
        durations={"short": 5.0, "a": 1.0, "b": 2.0, "c": 3.0},
    )

    assert executor.names == ["a", "short", "b", "c"]


def test_what_was_never_run_is_taken_to_be_as_long_as_the_others():
    executor = FakeExecutor()

    schedule.run(
        plan_of(short=[], new=[], long=[]), executor, durations={"short": 1.0, "long": 9.0}
    )

    assert executor.names == ["long", "new", "short"]


def test_where_nothing_is_remembered_the_order_is_the_plans():
    executor = FakeExecutor(room=2)

    schedule.run(plan_of(short=[], a=[], b=["a"], c=["b"]), executor, durations={"other": 5.0})

    assert executor.names == ["short", "a", "b", "c"]


def test_fail_fast_ends_what_runs_and_says_for_whose_sake():
    executor = FakeExecutor(room=3, a="failed", b="interrupted")

    outcomes = schedule.run(plan_of(a=[], b=[], c=["b"], d=["c"]), executor, fail_fast=True)

    assert executor.stopped
    assert executor.names == ["a", "b"]
    assert outcomes == (
        Outcome("a", "failed"),
        Outcome("c", "skipped", "not started: a did not pass (--fail-fast)"),
        Outcome("d", "skipped", "not started: a did not pass (--fail-fast)"),
        Outcome("b", "interrupted", "ended: a did not pass (--fail-fast)"),
    )


def test_a_signal_starts_nothing_more_whatever_became_of_what_ran():
    class Ended(FakeExecutor):
        def wait(self) -> Outcome:
            self.ended_by = "SIGTERM"
            return super().wait()

        def has_room(self) -> bool:
            return not self.ended_by and super().has_room()

    outcomes = schedule.run(plan_of(a=[], b=[]), Ended())

    assert outcomes == (
        Outcome("a", "passed"),
        Outcome("b", "skipped", "not started: the run was interrupted"),
    )


def test_a_notified_job_starts_while_others_run():
    executor = FakeExecutor(room=2, notify={"a": "late"})

    schedule.run(plan_of(a=[], b=[]), executor, find=lambda name: [job(name)])

    assert at_once(executor, "b", "late")


def test_a_notified_job_that_runs_is_not_run_again():
    executor = FakeExecutor(room=2, notify={"a": "b"})

    schedule.run(plan_of(a=[], b=[]), executor, find=lambda name: [job(name)])

    assert executor.names == ["a", "b"]


def test_all_that_waits_for_what_failed_is_skipped_in_the_order_of_the_plan():
    executor = FakeExecutor(a="failed")

    outcomes = schedule.run(plan_of(a=[], b=["a"], c=["b"], d=["a"], e=["d", "c"]), executor)

    assert [outcome.job for outcome in outcomes] == ["a", "b", "c", "d", "e"]
    assert outcomes[4].reason == "d did not pass"


# Many. ------------------------------------------------------------------------------


class Counting(str):
    """A name that counts how often it is compared or looked up."""

    __slots__ = ()
    count = 0

    def __hash__(self) -> int:
        Counting.count += 1
        return super().__hash__()


def work_for(count: int, **more: object) -> float:
    """How often a name is looked up for each of so many jobs, half of them a chain."""
    Counting.count = 0
    names = [Counting(f"j{n}") for n in range(count)]
    jobs = [
        job(name, *names[max(0, n - 1) : n] if n % 2 else (), **more)  # type: ignore[arg-type]
        for n, name in enumerate(names)
    ]
    outcomes = schedule.run(Plan(tuple(jobs), frozenset()), FakeExecutor(room=8))
    assert len(outcomes) == count
    return Counting.count / count


def test_the_work_for_a_job_does_not_grow_with_their_number():
    assert work_for(4000) < 1.1 * work_for(500)


def test_nor_where_all_exclude_each_other():
    assert work_for(4000, exclusive="db") < 1.1 * work_for(500, exclusive="db")


def test_nor_where_each_must_be_alone():
    assert work_for(4000, parallel=False) < 1.1 * work_for(500, parallel=False)
