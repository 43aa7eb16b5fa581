"""Jobs on a Dask cluster: places and losses are Dask's, all else is as anywhere.

What is sent are names of functions of ours and plain data: the standard pickle
refers to a function by its name, and refuses what has none. Knows nothing of
sessions or of what a job does.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import queue
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import distributed

from runner.errors import UsageError
from runner.executors import dask_far as far
from runner.executors.system import ENDING, NAMES
from runner.executors.wire import from_line
from runner.record import Record
from runner.running import JobStarted, Outcome, Said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from runner.executors.delivered import Entry
    from runner.executors.frames import Head
    from runner.executors.processes import Output
    from runner.model import Job
    from runner.running import Event

LOCAL = "local-cluster:"
_DASK: Any = distributed  # whose functions have no types
_CONNECT_S = 10.0
_LOOK_S = 1.0  # at what Dask does not tell
_MORE_S = 5.0  # beyond the grace, for what was asked to end to be told
_TAKEN_BYTES = 1 << 20  # taken before the worker is told so


class Cluster(Record):
    """A connection, and what ends it."""

    client: Any
    close: Callable[[], None]


def connect(where: str) -> Cluster:
    """A connection to the scheduler there, or to a cluster of this machine made for it."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what we say ourselves
    if where.startswith(LOCAL):
        return _make_local(int(where.removeprefix(LOCAL)))
    try:
        client = _DASK.Client(where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TypeError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"there is no Dask scheduler at {where}: {str(error).partition(chr(10))[0]}",
            mend="start one: dask scheduler; Dask's configuration names the files for tls://",
        ) from None
    return Cluster(client, client.close)


def is_loopback(where: str) -> bool:
    """Whether an address never leaves this machine."""
    kind, _, place = where.partition("://")
    host = place.rpartition(":")[0].strip("[]")
    if kind in ("inproc", "unix") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _make_local(count: int) -> Cluster:
    # With keys of its own: other users of this machine reach its ports too.
    security = _DASK.Security.temporary()
    cluster: Any = _DASK.LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        host="127.0.0.1",
        protocol="tls://",
        dashboard_address=None,
        memory_limit=0,
        silence_logs=logging.CRITICAL,
        security=security,
    )
    client: Any = _DASK.Client(cluster, set_as_default=False)

    def close() -> None:
        client.close()
        cluster.close()

    return Cluster(client, close)


class Content(Record):
    """What of a project travels, and the bytes of it that a worker asks for."""

    entries: tuple[Entry, ...]
    read: Callable[[Sequence[str]], list[bytes]]  # the first of so many digests


class Dask:
    """Runs jobs on the workers of a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        room: int | None,
        orders: Mapping[str, object],
        content: Content,
        output: Output,
        hear: Callable[[Event], None],
        keep: Callable[[str, Head, bytes], None],
        grace_s: float,
    ) -> None:
        """It answers signals from now on, until it is closed.

        room: how many jobs at once; None: as many as the workers have threads.
        keep: takes what a job has made, of the job of that name.
        """
        self.ended_by = ""
        self._cluster, self._client = cluster, cluster.client
        self._room, self._orders, self._content = room, orders, content
        self._output, self._hear, self._keep, self._grace_s = output, hear, keep, grace_s
        self._run, self._topic = str(orders["run"]), str(orders["topic"])
        self._came: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._jobs: dict[str, _Sent] = {}
        self._by_token: dict[str, _Sent] = {}
        self._settled: list[Outcome] = []
        self._threads, self._looked_s = 1, 0.0
        self._taken: dict[str, int] = {}
        self._deadline_s = float("inf")
        self._is_stopped = self._is_closed = self._is_lost = False
        self._client.subscribe_topic(self._topic, self._hear_frames)
        self._before: dict[int, Any] = {}
        for number in ENDING:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._note)

    def _hear_frames(self, event: Any) -> None:
        self._came.put(("frames", event))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.put(("signal", number))
        self._output.cut()

    # What the scheduler asks for. -------------------------------------------------------

    def has_room(self) -> bool:
        if self.ended_by:
            return False
        self._look()
        room = self._threads if self._room is None else self._room
        return len(self._jobs) + len(self._settled) < room

    def expect(self, jobs: Sequence[Job]) -> None:
        self._output.expect([job.name for job in jobs])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        self._output.begin(job.name)
        sent = self._jobs[job.name] = _Sent(job)
        if self._is_lost:
            self._settle(sent, Outcome(job.name, "failed", "the Dask scheduler is gone"))
            return
        orders = json.dumps({**self._orders, "job": job.name, "posargs": posargs})
        key = f"runenv-{self._run}-{job.name}-{time.time_ns():x}"
        sent.future = self._client.submit(far.do_job, orders, key=key, pure=False, retries=0)

        def done(future: Any) -> None:
            self._came.put(("done", sent, future.status))

        sent.future.add_done_callback(done)

    def wait(self) -> Outcome:
        while not self._settled:
            self._attend()
        return self._settled.pop(0)

    def stop(self) -> None:
        if not self._is_stopped:
            self._stop(0)

    def _stop(self, number: int) -> None:
        self._is_stopped = True
        self._deadline_s = time.monotonic() + self._grace_s + _MORE_S
        reason = self.ended_by or "SIGTERM"
        for sent in list(self._jobs.values()):
            if not sent.token:
                self._settle(sent, Outcome(sent.job.name, "interrupted", reason))
        if not self._is_lost:
            self._aside(lambda: self._client.run(far.stop, self._run, number, on_error="ignore"))

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._jobs:
                self.stop()
            while self._jobs:
                self._attend()
            if not self._is_lost:
                self._aside(lambda: self._client.run(far.end_run, self._run, on_error="ignore"))
        finally:
            self._aside(self._cluster.close)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._output.end()

    def _aside(self, act: Callable[[], object]) -> None:
        """Do it, or leave it after a time: nobody knows what a cluster answers."""

        def quietly() -> None:
            with suppress(Exception):
                act()

        thread = threading.Thread(target=quietly, daemon=True)
        thread.start()
        thread.join(self._grace_s + _MORE_S)

    # The loop. --------------------------------------------------------------------------

    def _attend(self) -> None:
        with suppress(queue.Empty):
            what, *rest = self._came.get(timeout=max(0.0, min(self._output.tick(), _LOOK_S)))
            if what == "frames":
                _, (worker, frames) = rest[0]
                for head, data in frames:
                    self._take(str(worker), list(head), bytes(data))
            elif what == "signal":
                self._answer(signal.Signals(rest[0]))
            else:
                self._done(*rest)
        self._look()
        if time.monotonic() >= self._deadline_s:
            for sent in list(self._jobs.values()):
                reason = self.ended_by or "SIGTERM"
                self._settle(sent, Outcome(sent.job.name, "interrupted", reason))

    def _look(self) -> None:
        """At what Dask does not tell: its workers, and whether it is there."""
        now = time.monotonic()
        if now - self._looked_s < _LOOK_S:
            return
        self._looked_s = now
        if self._client.status != "running" and not self._is_closed:
            self._lose()
            return
        with suppress(Exception):  # its scheduler may have gone just now
            workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
            self._threads = max(1, sum(worker["nthreads"] for worker in workers.values()))

    def _lose(self) -> None:
        self._is_lost = True
        for sent in list(self._jobs.values()):
            self._settle(sent, Outcome(sent.job.name, "failed", "the Dask scheduler is gone"))

    def _answer(self, number: signal.Signals) -> None:
        if not self.ended_by:
            self.ended_by = NAMES.get(number, number.name)
            self._stop(number)
        elif number == signal.SIGINT:
            self._deadline_s = min(self._deadline_s, time.monotonic() + _MORE_S / 2)
            self._aside(lambda: self._client.run(far.stop, self._run, number, on_error="ignore"))

    def _done(self, sent: _Sent, status: str) -> None:
        """Dask has settled a task; what became of the job has been told before, as a rule."""
        if self._jobs.get(sent.job.name) is not sent:
            return
        if status == "finished":
            line = sent.future.result(timeout=_CONNECT_S)
            reason = "its worker has told nothing of it"
            outcome = from_line(line.encode()) if line else None
            if not isinstance(outcome, Outcome):
                outcome = Outcome(sent.job.name, "failed", reason)
                if self._is_stopped:
                    outcome = Outcome(sent.job.name, "interrupted", self.ended_by or "SIGTERM")
            self._settle(sent, outcome)
        elif status == "error":
            error = sent.future.exception(timeout=_CONNECT_S)
            text = f"Dask: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
            self._settle(sent, Outcome(sent.job.name, "failed", text))
        else:
            self._lose()

    def _settle(self, sent: _Sent, outcome: Outcome) -> None:
        del self._jobs[sent.job.name]
        self._by_token.pop(sent.token, None)
        if sent.lost and outcome.result == "passed":
            outcome = outcome._replace(reason=f"ran again: its worker {sent.lost} was lost")
        self._settled.append(outcome)
        if sent.future is not None and not self._is_lost:
            sent.future.cancel()  # its result is not to be made again when its worker goes

    # What workers tell. -----------------------------------------------------------------

    def _take(self, worker: str, head: Head, data: bytes) -> None:
        kind = head[0]
        self._taken[worker] = self._taken.get(worker, 0) + len(data)
        if self._taken[worker] >= _TAKEN_BYTES:
            size_bytes = self._taken.pop(worker)
            self._call(worker, far.took, self._run, size_bytes)
        if kind == "want":
            asked: Any = list(self._content.entries)
            if head[2] == "files":
                asked = self._content.read(head[3])
            self._call(worker, far.put, self._run, head[2], asked)
        elif kind == "begin":
            self._begin(worker, head[1], head[2])
        elif (sent := self._by_token.get(head[1])) is not None:
            self._take_of(sent, worker, head, data)

    def _call(self, worker: str, function: Callable[..., object], *arguments: object) -> None:
        self._client.run(function, *arguments, workers=[worker], on_error="ignore")

    def _begin(self, worker: str, name: str, token: str) -> None:
        sent = self._jobs.get(name)
        if sent is None:
            return
        if sent.token:
            sent.lost, lost = sent.worker, sent.worker
            del self._by_token[sent.token]
            if sent.number > 1:
                reason = f"its worker {lost} was lost, as the one before"
                self._settle(sent, Outcome(name, "failed", reason))
                return
            text = f"the worker {lost} was lost; running again on {worker}"
            self._output.take(name, 2, text.encode() + b"\n")
            self._hear(Said(job=name, level="warning", text=text, at_s=time.monotonic()))
        sent.number += 1
        sent.token, sent.worker = token, worker
        self._by_token[token] = sent

    def _take_of(self, sent: _Sent, worker: str, head: Head, data: bytes) -> None:
        kind, name = head[0], sent.job.name
        if kind == "out":
            self._output.take(name, head[2], data)
        elif kind == "told":
            event = from_line(data)
            assert not isinstance(event, Outcome)
            if isinstance(event, JobStarted):
                sent.offset_s = time.monotonic() - event.at_s  # their clock is not ours
            self._hear(event._replace(at_s=event.at_s + sent.offset_s))
        elif kind == "ended":
            outcome = from_line(data)
            assert isinstance(outcome, Outcome)
            if self.ended_by and outcome.result in ("passed", "cached"):
                outcome = outcome._replace(result="interrupted", reason=self.ended_by)
            self._settle(sent, outcome)
        elif kind == "lost":
            if not self._is_stopped:
                self._settle(sent, Outcome(name, "failed", f"what did it on {worker} has ended"))
        elif kind == "misfit":
            ours, theirs = far.versions(), (head[2], head[3])
            what = f"runenv {theirs[0]} on Python {theirs[1]} is on {worker}"
            what += f", and runenv {ours[0]} on Python {ours[1]} here"
            self._settle(sent, Outcome(name, "failed", what))
        else:
            self._keep(name, head, data)


class _Sent:
    """A job between its start and its end."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.future: Any = None
        self.number = 0  # how often it has begun
        self.token = self.worker = self.lost = ""
        self.offset_s = 0.0
