"""The Dask executor by itself: what it asks a cluster for, what it makes of what that tells."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from runner.errors import UsageError
from runner.executors.delivered import Content
from runner.executors.places import check_place, is_loopback
from runner.executors.wire import to_line
from runner.model import Job
from runner.running import JobStarted, Outcome, Said
from tests.contracts.test_executors import Kept
from tests.test_schedule import job

pytest.importorskip("distributed", reason="distributed is not installed")

from runner.executors.dask import Dask
from runner.executors.dask_cluster import Worker, check_versions
from runner.executors.dask_worker import versions

ONE = {"tcp://one": Worker(1, {}), "tcp://two": Worker(2, {})}


class KilledWorker(Exception):
    """As Dask names it."""


class FakeCluster:
    """Notes what it is asked for; what it tells is what a test has it tell."""

    counts_resources = True

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self.is_there = True
        self.submitted: list[tuple[str, dict[str, float]]] = []
        self.forgotten: list[str] = []
        self.called: list[tuple[Any, ...]] = []
        self._workers = workers

    def workers(self) -> Mapping[str, Worker]:
        return self._workers

    def listen(self, topic: str, hear: Callable[[Any], None]) -> None:
        assert topic == "topic"
        self.tell = lambda worker, *frames: hear(["run", worker, frames])
        self.hear = hear

    def watch(self, tell: Callable[[Any], None]) -> None:
        self.see = tell

    def submit(self, orders, key, resources, done) -> Callable[[], None]:
        self.submitted.append((key, resources))
        self.done = done
        return lambda: self.forgotten.append(key)

    def call(self, function, *told, workers: Sequence[str] | None = None) -> None:
        self.called.append((function.__name__, *told, workers))

    def call_within(self, seconds: float, function, *told) -> None:
        self.called.append((function.__name__, *told))

    def close(self, seconds: float) -> None:
        self.called.append(("close",))

    def begin(self, worker: str, token: str = "t1", name: str = "a", key: str = "") -> None:
        """A worker asks whether it may begin a job."""
        self.tell(worker, (["begin", name, key or self.submitted[-1][0], token], b""))

    def end(self, token: str = "t1", name: str = "a", result: Any = "passed") -> None:
        self.tell("tcp://one", (["ended", token], to_line(Outcome(name, result))))

    @property
    def granted(self) -> list[tuple[str, str]]:
        """The workers and tokens of what was let begin."""
        return [(one[3][0], one[2]) for one in self.called if one[0] == "grant"]


class Crew:
    """An executor, its cluster, what it shows and what is heard of it."""

    def __init__(self, workers: Mapping[str, Worker] = ONE, **more: Any) -> None:
        self.cluster = FakeCluster(workers)
        self.output = Kept()
        self.heard: list[Any] = []
        self.kept: list[Any] = []
        content = Content(
            (("a.txt", "f", "d1"),), lambda digests: [b"bytes of " + d.encode() for d in digests]
        )
        self.executor = Dask(
            self.cluster,  # type: ignore[arg-type]  # all of it that is used
            more.pop("room", None),
            {"run": "run", "topic": "topic"},
            content,
            self.output,
            self.heard.append,
            lambda *made: self.kept.append(made),
            more.pop("grace_s", 5.0),
        )

    def attend(self, times: int = 1) -> None:
        """Hear so much of what has come."""
        for _ in range(times):
            self.executor._attend()


@pytest.fixture
def crews() -> Iterator[Callable[..., Crew]]:
    made: list[Crew] = []

    def make(*arguments: Any, **more: Any) -> Crew:
        made.append(Crew(*arguments, **more))
        return made[-1]

    yield make
    for crew in made:
        crew.cluster.is_there = False  # so that nothing is waited for
        crew.cluster.hear(["run", "tcp://one", []])
        crew.executor.close()


@pytest.fixture
def crew(crews) -> Crew:
    return crews()


def of(**spec: Any) -> Job:
    one = job("a")
    return one._replace(spec=one.spec._replace(**spec))


def begun(crew: Crew, **spec: Any) -> Crew:
    """A job that has begun on the worker one."""
    crew.executor.start(of(**spec), ())
    crew.cluster.begin("tcp://one")
    crew.attend()
    return crew


# Room, and what workers offer. ------------------------------------------------------------


def test_there_is_room_for_as_many_jobs_as_the_workers_have_threads(crew: Crew):
    for name in "abc":
        assert crew.executor.has_room()
        crew.executor.start(job(name), ())

    assert not crew.executor.has_room()


def test_a_worker_that_comes_makes_room(crew: Crew):
    for name in "abc":
        crew.executor.start(job(name), ())
    crew.cluster.see({**ONE, "tcp://three": Worker(1, {})})
    crew.attend()

    assert crew.executor.has_room()


def test_what_is_asked_for_is_handed_to_dask(crews):
    crew = crews({"tcp://one": Worker(1, {"gpu": 2.0, "memory": 8e9})})
    crew.executor.start(of(resources=(("gpu", 1.0),)), ())

    assert [resources for _, resources in crew.cluster.submitted] == [{"gpu": 1.0}]


def test_what_no_worker_offers_fails_the_job_and_the_offers_are_told(crews):
    crew = crews({"tcp://one": Worker(1, {"gpu": 2.0, "memory": 8e9}), "tcp://two": Worker(1, {})})
    crew.executor.start(of(resources=(("gpu", 1.0), ("memory", 16e9))), ())

    outcome = crew.executor.wait()

    assert (outcome.result, crew.cluster.submitted) == ("failed", [])
    assert outcome.reason == (
        "no worker offers gpu=1 memory=1.6e+10: they offer gpu=2 memory=8e+09 or none"
    )


def test_what_one_worker_offers_in_part_and_another_the_rest_is_not_offered(crews):
    crew = crews({"tcp://one": Worker(1, {"gpu": 1.0}), "tcp://two": Worker(1, {"memory": 8e9})})
    crew.executor.start(of(resources=(("gpu", 1.0), ("memory", 1e9))), ())

    assert crew.executor.wait().result == "failed"


def test_where_there_is_no_worker_yet_one_that_fits_may_come(crews):
    crew = crews({})
    crew.executor.start(of(resources=(("gpu", 1.0),)), ())

    assert len(crew.cluster.submitted) == 1


def test_a_waiting_job_fails_when_the_workers_that_come_do_not_fit(crews):
    crew = crews({})
    crew.executor.start(of(resources=(("gpu", 1.0),)), ())
    crew.cluster.see(ONE)

    assert crew.executor.wait().reason == "no worker offers gpu=1: they offer none"


def test_where_nobody_counts_them_resources_are_not_looked_at(crew: Crew):
    crew.cluster.counts_resources = False
    crew.executor.start(of(resources=(("gpu", 1.0),)), ())

    assert len(crew.cluster.submitted) == 1


def test_what_waits_for_a_resource_takes_no_room_until_it_begins(crews):
    crew = crews({"tcp://one": Worker(1, {"gpu": 1.0})})
    crew.executor.start(of(resources=(("gpu", 1.0),)), ())
    assert crew.executor.has_room()

    crew.cluster.begin("tcp://one")
    crew.attend()
    assert not crew.executor.has_room()


# From start to end. -----------------------------------------------------------------------


def test_a_worker_that_asks_may_begin(crew: Crew):
    begun(crew)

    assert crew.cluster.granted == [("tcp://one", "t1")]


def test_a_job_ends_as_its_worker_tells(crew: Crew):
    begun(crew)
    crew.cluster.end(result="failed")

    assert crew.executor.wait() == Outcome("a", "failed")
    assert crew.cluster.forgotten == [crew.cluster.submitted[0][0]]


def test_a_task_of_earlier_may_not_begin(crew: Crew):
    crew.executor.start(job("a"), ())
    crew.cluster.begin("tcp://one", key="of another run")
    crew.attend()

    assert crew.cluster.granted == []


def test_what_runs_of_others_tell_is_not_heard(crew: Crew):
    begun(crew)
    crew.cluster.hear(
        ["another", "tcp://one", [(["ended", "t1"], to_line(Outcome("a", "failed")))]]
    )
    crew.cluster.hear([])  # what makes the scheduler forget
    crew.cluster.end()

    assert crew.executor.wait().result == "passed"


def test_what_a_job_writes_tells_and_makes_is_handed_on(crew: Crew):
    begun(crew)
    told = [
        (["told", "t1"], to_line(JobStarted("a", "", at_s=1000.0))),
        (["told", "t1"], to_line(Said("a", "info", "text", at_s=1002.5))),
        (["out", "t1", 1], b"written"),
        (["file", "t1", "made.txt", 0o644, True], b"made"),
    ]
    before = time.monotonic()
    crew.cluster.tell("tcp://one", *told)
    crew.attend()

    started, said = crew.heard
    assert crew.output.written["a", 1] == b"written"
    assert crew.kept == [("a", ["file", "t1", "made.txt", 0o644, True], b"made")]
    assert said.text == "text"
    assert before <= started.at_s <= time.monotonic()  # by our clock
    assert said.at_s - started.at_s == pytest.approx(2.5)


def test_a_worker_that_lacks_the_project_is_sent_it(crew: Crew):
    crew.cluster.tell("tcp://one", (["want", "entries", []], b""))
    crew.cluster.tell("tcp://one", (["want", "files", ["d1"]], b""))
    crew.attend(2)

    assert crew.cluster.called == [
        ("put", "run", "entries", [("a.txt", "f", "d1")], ["tcp://one"]),
        ("put", "run", "files", [b"bytes of d1"], ["tcp://one"]),
    ]


def test_a_worker_is_told_how_much_was_taken_so_that_it_goes_on(crew: Crew):
    begun(crew)
    for _ in range(3):
        crew.cluster.tell("tcp://one", (["out", "t1", 1], b"x" * 400_000))
    crew.attend(3)

    assert ("took", "run", 1_200_000, ["tcp://one"]) in crew.cluster.called


def test_a_worker_of_another_version_fails_the_job(crew: Crew):
    begun(crew)
    crew.cluster.tell("tcp://one", (["misfit", "t1", "0.0.1", "3.9"], b""))

    ours, python = versions()
    assert crew.executor.wait().reason == (
        "the worker tcp://one has runenv 0.0.1 on Python 3.9,"
        f" and runenv {ours} on Python {python} is here"
    )


# Losses. ----------------------------------------------------------------------------------


def test_a_job_whose_worker_is_lost_runs_again_and_says_so(crew: Crew):
    begun(crew)
    crew.cluster.begin("tcp://two", "t2")
    crew.cluster.end("t2")

    outcome = crew.executor.wait()

    assert crew.cluster.granted == [("tcp://one", "t1"), ("tcp://two", "t2")]
    assert (outcome.result, outcome.lost_workers) == ("passed", ("tcp://one",))
    assert outcome.reason == "ran again: its worker tcp://one was lost"
    assert crew.output.written["a", 2] == b"its worker tcp://one was lost; it runs again\n"
    assert [said.text for said in crew.heard] == ["its worker tcp://one was lost; it runs again"]


def test_a_job_that_fails_when_it_runs_again_says_both(crew: Crew):
    begun(crew)
    crew.cluster.begin("tcp://two", "t2")
    crew.cluster.tell("tcp://two", (["ended", "t2"], to_line(Outcome("a", "failed", "it broke"))))

    assert crew.executor.wait().reason == "it broke; ran again: its worker tcp://one was lost"


def test_what_the_lost_worker_still_tells_is_not_heard(crew: Crew):
    begun(crew)
    crew.cluster.begin("tcp://two", "t2")
    crew.cluster.end("t1", result="failed")
    crew.cluster.end("t2")

    assert crew.executor.wait().result == "passed"


def test_a_second_loss_fails_the_job_and_it_is_not_let_begin(crew: Crew):
    begun(crew)
    crew.cluster.begin("tcp://two", "t2")
    crew.cluster.begin("tcp://three", "t3")

    outcome = crew.executor.wait()

    assert len(crew.cluster.granted) == 2
    assert outcome.lost_workers == ("tcp://one", "tcp://two")
    assert outcome.reason == "its workers tcp://one, tcp://two were lost, and it may not run again"


def test_what_may_not_be_done_twice_is_not_let_begin_again(crew: Crew):
    begun(crew, retries_on_loss=0)
    crew.cluster.begin("tcp://two", "t2")

    outcome = crew.executor.wait()

    assert crew.cluster.granted == [("tcp://one", "t1")]
    assert (outcome.result, outcome.lost_workers) == ("failed", ("tcp://one",))
    assert outcome.reason == "its worker tcp://one was lost, and it may not run again"


def test_that_a_worker_is_gone_is_noticed_where_no_other_takes_the_job(crew: Crew):
    begun(crew, retries_on_loss=0)
    crew.cluster.see({})
    crew.cluster.see({})

    assert crew.executor.wait().result == "failed"


def test_a_worker_that_was_not_seen_once_may_have_come_since(crew: Crew):
    begun(crew, retries_on_loss=0)
    crew.cluster.see({})
    crew.cluster.see(ONE)
    crew.cluster.see({})
    crew.cluster.end()

    assert crew.executor.wait().result == "passed"


def test_a_job_whose_deputy_has_ended_is_handed_out_anew(crew: Crew):
    begun(crew)
    crew.cluster.tell("tcp://one", (["lost", "t1"], b""))
    crew.attend()
    (first, _), (second, _) = crew.cluster.submitted

    assert crew.cluster.forgotten == [first]
    assert first != second


def test_a_job_that_dask_gives_up_for_lost_workers_is_handed_out_as_long_as_it_may(crew: Crew):
    begun(crew)
    crew.cluster.done("error", KilledWorker("a"))
    crew.attend()
    assert len(crew.cluster.submitted) == 2
    crew.cluster.begin("tcp://two", "t2")
    crew.attend()
    crew.cluster.done("error", KilledWorker("a"))

    assert crew.executor.wait().result == "failed"
    assert len(crew.cluster.submitted) == 2


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        ("error", OSError(28, "No space left"), "in its worker: OSError: [Errno 28] No space left"),
        ("error", KilledWorker("a"), "in its worker: KilledWorker: a"),
        ("finished", None, "its worker has told nothing of it"),
        ("cancelled", None, "Dask has cancelled its task"),
    ],
)
def test_what_dask_makes_of_a_task_is_told_where_its_worker_tells_nothing(
    crew: Crew, status: str, error, reason: str
):
    crew.executor.start(job("a"), ())
    crew.cluster.done(status, error)

    assert crew.executor.wait() == Outcome("a", "failed", reason)


def test_when_the_scheduler_is_gone_what_runs_has_failed_and_so_does_what_comes(crew: Crew):
    begun(crew)
    crew.cluster.is_there = False
    assert crew.executor.wait() == Outcome("a", "failed", "the Dask scheduler is gone")

    crew.executor.start(job("b"), ())
    assert crew.executor.wait() == Outcome("b", "failed", "the Dask scheduler is gone")


def test_a_task_that_is_cancelled_with_its_scheduler_is_lost_with_it(crew: Crew):
    begun(crew)
    crew.cluster.done("cancelled", None)
    crew.cluster.is_there = False

    assert crew.executor.wait().reason == "the Dask scheduler is gone"


# The end. ---------------------------------------------------------------------------------


def test_what_no_worker_has_taken_is_skipped_when_the_run_ends(crew: Crew):
    crew.executor.start(job("a"), ())
    crew.executor.stop()
    crew.cluster.begin("tcp://one")
    crew.attend()

    outcome = crew.executor.wait()

    assert outcome.result == "skipped"
    assert outcome.reason == "not started: the run ended before a worker took it"
    assert crew.cluster.granted == []


def test_what_runs_is_asked_to_end(crew: Crew):
    begun(crew)
    crew.executor.stop()
    crew.executor.stop()

    assert [one for one in crew.cluster.called if one[0] == "stop"] == [("stop", "run", 0, None)]


def test_what_is_handed_over_after_that_does_not_start(crew: Crew):
    crew.executor.stop()
    crew.executor.start(job("a"), ())

    assert (crew.executor.wait().result, crew.cluster.submitted) == ("skipped", [])


def test_a_worker_that_tells_nothing_more_is_not_waited_for_for_ever(crews):
    crew = begun(crews(grace_s=-5.0))
    crew.executor.stop()

    outcome = crew.executor.wait()

    assert outcome.result == "failed"
    assert outcome.reason == "asked to end, its worker tcp://one told nothing more"


def test_a_worker_that_is_lost_after_that_is_no_reason_to_run_again(crew: Crew):
    begun(crew)
    crew.executor.end("SIGPIPE")
    crew.cluster.see({})
    crew.cluster.see({})

    assert crew.executor.wait() == Outcome(
        "a", "interrupted", "SIGPIPE", lost_workers=("tcp://one",)
    )


def test_a_job_that_has_passed_when_a_signal_came_may_have_been_cut_short(crew: Crew):
    begun(crew)
    signal.raise_signal(signal.SIGTERM)
    crew.cluster.end()

    assert crew.executor.wait() == Outcome("a", "interrupted", "SIGTERM")
    assert ("stop", "run", int(signal.SIGTERM), None) in crew.cluster.called
    assert not crew.executor.has_room()


def test_after_a_second_ctrl_c_a_worker_that_tells_nothing_is_not_waited_for(
    crews, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runner.executors.dask._MORE_S", 0.0)
    crew = begun(crews(grace_s=1000.0))
    signal.raise_signal(signal.SIGINT)
    crew.attend()
    signal.raise_signal(signal.SIGINT)
    crew.attend()

    assert not crew.executor._jobs
    assert crew.executor.wait().reason == "asked to end, its worker tcp://one told nothing more"
    assert [one for one in crew.cluster.called if one[0] == "stop"] == [
        ("stop", "run", int(signal.SIGINT), None)
    ] * 2


# Where it is, and what is there. -------------------------------------------------------------


@pytest.mark.parametrize("place", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:8786"])
def test_an_address_of_this_machine_is_known(place: str):
    assert is_loopback(place)
    check_place(place)


@pytest.mark.parametrize(
    "place", ["tcp://10.1.2.3:8786", "tcp://head:8786", "tcp://0.0.0.0:1", "tcp://localhost.evil:1"]
)
def test_elsewhere_tls_is_asked_for(place: str):
    with pytest.raises(UsageError, match="without TLS whoever reaches that port"):
        check_place(place)
    check_place(place.replace("tcp", "tls"))


def test_workers_like_us_may_be_used():
    check_versions({"scheduler": versions(), "worker tcp://two": list(versions())})
