"""What each executor must do, the fake one of the scheduler's tests too."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest

from runner.executors import Executor
from runner.executors.fork import forking
from runner.executors.local import Local
from runner.executors.processes import Processes
from runner.executors.spawn import spawning
from runner.executors.wire import to_line
from runner.model import Job, Request
from runner.running import Event, JobStarted, Outcome
from runner.worker import Run, orders
from tests import clusters
from tests.test_schedule import FakeExecutor, job

# A session for each of the jobs of these tests.
ENVFILE = """
import os, signal, time
import runner

def sessions(*names):
    for name in names:
        runner.session(name=name, python=False)(run)

def run(session):
    print(f"{session.name} prints")
    if "-x" in session.posargs:
        session.error("as it was asked to")
    if session.name in ("waits", "rests"):
        time.sleep(1000)
    if session.name == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf now")
        while True:
            time.sleep(1000)
    if session.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if session.name == "leaves":
        os._exit(3)

sessions("a", "b", "bad", "waits", "rests", "deaf", "killed", "leaves")
"""


class Kept:
    """Keeps what jobs write."""

    is_one = False
    answers: ClassVar[Any] = {}

    def __init__(self) -> None:
        self.written: dict[tuple[str, int], bytes] = {}

    def expect(self, jobs: Sequence[str]) -> None:
        pass

    def begin(self, job: str) -> None:
        for stream in (1, 2):
            self.written[job, stream] = b""

    def take(self, job: str, stream: int, data: bytes) -> None:
        self.written[job, stream] += data

    def tick(self) -> float:
        return 30.0

    def cut(self) -> None:
        pass

    def end(self) -> None:
        pass


def do(job: Job, posargs: tuple[str, ...], control: socket.socket) -> None:
    """What the sessions above do, without an envfile."""
    control.sendall(to_line(JobStarted(job=job.name, doc="")))
    os.write(1, f"{job.name} prints\n".encode())
    if job.name == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    if job.name == "deaf":
        os.write(1, b"deaf now\n")
    while job.name in ("waits", "rests", "deaf"):
        time.sleep(1000)
    if job.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job.name == "leaves":
        os._exit(3)
    control.sendall(to_line(Outcome(job.name, "failed" if "-x" in posargs else "passed")))


def local(_: Path) -> Executor:
    return Local(lambda job, posargs: Outcome(job.name, "failed" if "-x" in posargs else "passed"))


def fake(_: Path) -> Executor:
    return FakeExecutor(bad="failed")


def fork(_: Path, output: Kept | None = None, room: int = 1, **more) -> Processes:
    return Processes(room, forking(do), output or Kept(), **more)


def spawn(folder: Path, output: Kept | None = None, room: int = 1, **more) -> Processes:
    (folder / "envfile.py").write_text(ENVFILE)
    given = {"directory": str(folder), "sessions": ("a",)}
    request = Request(verb="run", argument=None, given=given, posargs=())
    start = spawning(partial(orders, request=request, run=Run(0.0, set(), "never", 80)))
    return Processes(room, start, output or Kept(), **more)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a Dask cluster with one worker, which has room for three jobs."""
    with pytest.MonkeyPatch.context() as patch, clusters.here(threads_per_worker=3) as address:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield address


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")
PROCESSES = [pytest.param(fork, marks=POSIX), spawn]
DASK = pytest.param("dask", marks=[clusters.HAS_DASK, POSIX])
ALL = [local, fake, *PROCESSES, DASK]


@pytest.fixture
def make_any(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """What makes the executor that is the parameter of the test."""
    made: list[Executor] = []

    def make(**more: Any) -> Executor:
        if request.param == "dask":
            (tmp_path / "envfile.py").write_text(ENVFILE)
            address = request.getfixturevalue("address")
            output = more.pop("output", None) or Kept()
            one = clusters.dask(tmp_path, address, output, **{"room": 1, **more})
        else:
            one = request.param(tmp_path, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def executor(make_any) -> Executor:
    return make_any()


NAMES = {local: "local", fake: "fake", fork: "fork", spawn: "spawn"}
SETS = {"executor": ALL, "make": [*PROCESSES, DASK], "make_here": PROCESSES}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test of all is run with each, those of what has processes with these."""
    for fixture in SETS.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(
            "make_any", SETS[fixture], indirect=True, ids=lambda made: NAMES.get(made, made)
        )


def ended(executor: Executor) -> tuple[str, str]:
    """The next job that ends, and how."""
    outcome = executor.wait()
    return outcome.job, outcome.result


def test_at_first_there_is_room(executor: Executor):
    assert executor.has_room()


def test_at_first_no_signal_has_come(executor: Executor):
    assert executor.ended_by == ""


def test_while_a_job_runs_there_is_no_room_for_more_than_was_asked_for(executor: Executor):
    executor.start(job("a"), ())

    assert not executor.has_room()


def test_the_outcome_of_what_was_started_comes_from_wait(executor: Executor):
    executor.start(job("a"), ())

    assert ended(executor) == ("a", "passed")


def test_a_job_that_fails_is_an_outcome_and_no_exception(executor: Executor):
    executor.start(job("bad"), ("-x",))

    assert ended(executor) == ("bad", "failed")


def test_when_a_job_has_ended_there_is_room_for_the_next(executor: Executor):
    executor.start(job("a"), ())
    executor.wait()

    assert executor.has_room()
    executor.start(job("b"), ())
    assert ended(executor) == ("b", "passed")


@pytest.mark.measured
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


def test_it_may_be_closed_while_a_job_runs(executor: Executor):
    executor.start(job("a"), ())


def test_the_local_one_hands_the_job_and_its_posargs_on():
    handed: list[tuple[str, tuple[str, ...]]] = []

    def perform(job: Job, posargs: tuple[str, ...]) -> Outcome:
        handed.append((job.name, posargs))
        return Outcome(job.name, "passed")

    executor = Local(perform)
    executor.start(job("a"), ("-k", "x"))
    executor.wait()

    assert handed == [("a", ("-k", "x"))]


# Those that have a process for each job. -------------------------------------------


@pytest.fixture
def make(make_any) -> Callable[..., Any]:
    return make_any


@pytest.fixture
def make_here(make_any) -> Callable[..., Any]:
    """Of those alone that have their processes on this machine and nothing else there."""
    return make_any


def test_several_run_at_once(make):
    executor = make(room=3)
    for name in ("waits", "a", "b"):
        assert executor.has_room()
        executor.start(job(name), ())

    assert not executor.has_room()
    assert {executor.wait().job, executor.wait().job} == {"a", "b"}


def test_what_a_job_writes_is_handed_on(make):
    output = Kept()
    executor = make(output=output)
    executor.start(job("a"), ())
    executor.wait()

    assert output.written["a", 1] == b"a prints\n"


def test_events_are_heard(make):
    heard: list[Event] = []
    executor = make(hear=heard.append)
    executor.start(job("a"), ())
    executor.wait()

    assert heard[0]._replace(at_s=0.0) == JobStarted(job="a", doc="")


def test_what_is_stopped_is_interrupted(make):
    output = Kept()
    executor = make(output=output)
    executor.start(job("waits"), ())
    wait_for(output, executor, b"waits prints")
    executor.stop()

    outcome = executor.wait()

    assert (outcome.result, outcome.reason) == ("interrupted", "SIGTERM")


def wait_for(output: Kept, executor: Any, *texts: bytes) -> None:
    """Serve the workers until jobs have written these."""
    while not all(any(text in told for told in output.written.values()) for text in texts):
        executor._attend()


@POSIX
@pytest.mark.measured
def test_what_does_not_end_within_its_grace_is_killed(make):
    output = Kept()
    executor = make(output=output, grace_s=-2.0)  # no time at all
    executor.start(job("deaf"), ())
    wait_for(output, executor, b"deaf now")
    executor.stop()

    assert ended(executor) == ("deaf", "interrupted")


@POSIX
def test_a_worker_that_a_signal_ended_is_a_failed_job(make):
    executor = make()
    executor.start(job("killed"), ())

    outcome = executor.wait()

    assert (outcome.result, outcome.reason) == ("failed", "its worker was ended by SIGKILL")


def test_a_worker_that_leaves_early_is_a_failed_job(make):
    executor = make()
    executor.start(job("leaves"), ())

    outcome = executor.wait()

    assert outcome.result == "failed"
    assert outcome.reason == "its worker exited with code 3 before the job had ended"


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on_and_ends_the_run(make, number: signal.Signals):
    output = Kept()
    executor = make(output=output, room=2)
    executor.start(job("waits"), ())
    executor.start(job("rests"), ())
    wait_for(output, executor, b"waits prints", b"rests prints")
    os.kill(os.getpid(), number)

    outcomes = {ended(executor), ended(executor)}
    assert outcomes == {("rests", "interrupted"), ("waits", "interrupted")}
    assert executor.ended_by == number.name
    assert not executor.has_room()


@POSIX
def test_a_second_ctrl_c_does_not_wait_for_the_grace(make):
    output = Kept()
    executor = make(output=output, grace_s=1000.0)
    executor.start(job("deaf"), ())
    wait_for(output, executor, b"deaf now")
    os.kill(os.getpid(), signal.SIGTERM)
    executor._attend()
    os.kill(os.getpid(), signal.SIGINT)

    assert ended(executor) == ("deaf", "interrupted")


@POSIX
def test_when_it_is_closed_signals_are_answered_as_before(make):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    make().close()

    assert before == [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]


@POSIX
def test_when_it_is_closed_no_descriptor_is_left(make_here):
    before = sorted(os.listdir("/dev/fd"))
    executor = make_here(room=2)
    executor.start(job("waits"), ())
    executor.start(job("a"), ())
    executor.close()

    assert sorted(os.listdir("/dev/fd")) == before


@POSIX
def test_that_a_worker_has_ended_is_noticed_where_we_were_started_with_that_signal_blocked(
    make_here,
):
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
    try:
        make_here()
        assert signal.SIGCHLD not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))


def test_what_shares_an_environment_with_the_job_that_starts_is_not_expected_beside_it():
    told: list[str] = []
    executor = Local(
        lambda job, _: Outcome(job.name, "passed"), lambda jobs: told.extend(j.name for j in jobs)
    )
    executor.start(job("first", shared="dev"), ())

    executor.expect([job("second", shared="dev"), job("third")])

    assert told == ["third"]
