"""What runs in a Dask worker, without Dask: what it tells, and when it waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

pytest.importorskip("distributed", reason="distributed is not installed")

from runner.executors import dask_worker

# A deputy that writes more than may be told before the client has taken it.
TALKATIVE = """
import sys
from runner.executors.frames import to_frame
for _ in range(100):
    sys.stdout.buffer.write(to_frame(["out", "token", 1], bytes(60_000)))
"""


class FakeWorker:
    """Notes what is told."""

    address = "tcp://here"

    def __init__(self) -> None:
        self.told: list[Any] = []

    def log_event(self, topic: str, message: Any) -> None:
        assert topic == "topic"
        self.told.append(message)

    @property
    def heads(self) -> list[Any]:
        return [head for message in self.told if message for head, _ in message[2]]

    @property
    def size_bytes(self) -> int:
        return sum(len(data) for message in self.told for _, data in message[2])


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def run(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run on this worker, which knows of no other."""
    monkeypatch.setattr(dask_worker, "_runs", {})
    monkeypatch.setattr(dask_worker, "_stopped", {})
    told = {"run": "run", "topic": "topic", "versions": dask_worker.versions()}
    dask_worker._runs["run"] = dask_worker._Run(told, worker)
    return dask_worker._runs["run"]


def test_no_more_is_told_than_the_client_takes(run: Any, worker: FakeWorker):
    deputy = subprocess.Popen([sys.executable, "-c", TALKATIVE], stdout=subprocess.PIPE)
    thread = threading.Thread(target=run._hand_on, args=(deputy,))
    thread.start()

    thread.join(0.2)  # it goes on alone where it waits for nothing
    assert thread.is_alive()
    assert worker.size_bytes < 5_000_000

    dask_worker.took("run", 6_000_000)
    thread.join(60)
    assert worker.size_bytes == 6_000_000


def test_a_job_that_was_let_begin_does_not_when_its_run_has_been_stopped(
    run: Any, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
):
    def grant_and_stop(is_wanted: Any) -> bool:
        token = worker.heads[0][3]
        dask_worker.grant("run", token)
        dask_worker.stop("run", 0)
        return True

    commands: list[Any] = []
    monkeypatch.setattr(run, "_make_ready", grant_and_stop)
    monkeypatch.setattr(run, "command", commands.append)
    monkeypatch.setattr(run, "_await_end", lambda job, token: None)
    told = {"job": "a", "posargs": [], "versions": dask_worker.versions()}
    run.do(told, "key", lambda: True)

    assert commands == [["stop"]]


def test_a_job_whose_deputy_has_ended_is_told_to_be_lost(
    run: Any, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
):
    def grant(is_wanted: Any) -> bool:
        dask_worker.grant("run", worker.heads[0][3])
        run.is_over = True
        return True

    monkeypatch.setattr(run, "_make_ready", grant)
    told = {"job": "a", "posargs": [], "versions": dask_worker.versions()}
    run.do(told, "key", lambda: True)

    assert [head[0] for head in worker.heads] == ["begin", "lost"]


def test_when_a_run_ends_what_it_told_is_pushed_out_of_the_scheduler(run: Any, worker: FakeWorker):
    asyncio.run(dask_worker.end_run("run"))

    assert worker.told == [[]] * 1000
