"""What each executor must do, the fake one of the scheduler's tests too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.executors import Executor
from runner.executors.local import Local
from runner.model import Job
from runner.running import Outcome
from tests.test_schedule import FakeExecutor, job


def local() -> Executor:
    return Local(lambda job, posargs: Outcome(job.name, "failed" if "-x" in posargs else "passed"))


def fake() -> Executor:
    return FakeExecutor(bad="failed")


@pytest.fixture(params=[local, fake], ids=lambda make: make.__name__)
def executor(request: pytest.FixtureRequest) -> Executor:
    make: Callable[[], Executor] = request.param
    return make()


def test_at_first_there_is_room(executor: Executor):
    assert executor.has_room()


def test_while_a_job_runs_there_is_none(executor: Executor):
    executor.start(job("a"), ())

    assert not executor.has_room()


def test_the_outcome_of_what_was_started_comes_from_wait(executor: Executor):
    executor.start(job("a"), ())

    assert executor.wait() == Outcome("a", "passed")


def test_a_job_that_fails_is_an_outcome_and_no_exception(executor: Executor):
    executor.start(job("bad"), ("-x",))

    assert executor.wait() == Outcome("bad", "failed")


def test_when_a_job_has_ended_there_is_room_for_the_next(executor: Executor):
    executor.start(job("a"), ())
    executor.wait()

    assert executor.has_room()
    executor.start(job("b"), ())
    assert executor.wait().job == "b"


def test_after_stop_the_outcome_of_what_was_started_still_comes(executor: Executor):
    executor.start(job("a"), ())
    executor.stop()

    assert executor.wait().job == "a"


def test_stop_may_come_when_nothing_runs(executor: Executor):
    executor.stop()

    assert executor.has_room()


def test_stop_may_come_twice(executor: Executor):
    executor.start(job("a"), ())
    executor.stop()
    executor.stop()

    assert executor.wait().job == "a"


def test_the_local_one_hands_the_job_and_its_posargs_on():
    handed: list[tuple[str, tuple[str, ...]]] = []

    def perform(job: Job, posargs: tuple[str, ...]) -> Outcome:
        handed.append((job.name, posargs))
        return Outcome(job.name, "passed")

    executor = Local(perform)
    executor.start(job("a"), ("-k", "x"))
    executor.wait()

    assert handed == [("a", ("-k", "x"))]
