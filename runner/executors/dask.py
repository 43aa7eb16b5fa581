"""Jobs on a Dask cluster: places and losses are Dask's, all else is as anywhere.

A job begins on a worker when we have granted that: so it never runs oftener than it
may, whatever Dask makes of a lost worker. Knows nothing of sessions or of what a job does.
"""

from __future__ import annotations

import json
import queue
import signal
import time
from contextlib import suppress

from runner.executors import cut_short, dask_worker
from runner.executors.system import ENDING, NAMES
from runner.executors.wire import from_line
from runner.handlers import answer_signals, restore_signals
from runner.running import JobStarted, Outcome, Said
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import Any

    from runner.executors.dask_cluster import Cluster, Worker
    from runner.executors.delivered import Content
    from runner.executors.frames import Head
    from runner.executors.processes import Output
    from runner.model import Job
    from runner.running import Event

_TICK_S = 1.0  # at least so often it is looked at what nobody tells
_MORE_S = 5.0  # beyond the grace, for what was asked to end to be told
_TAKEN_BYTES = 1 << 20  # taken before the worker is told so
_NOT_STARTED = "not started: the run ended before a worker took it"


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
        orders: what a worker must know of the run, fit for JSON.
        keep: takes what a job has made, of the job of that name.
        """
        self.ended_by = ""
        self._cluster = cluster
        self._room, self._orders, self._content = room, orders, content
        self._output, self._hear, self._keep, self._grace_s = output, hear, keep, grace_s
        self._run = str(orders["run"])
        self._came: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self._jobs: dict[str, _Sent] = {}
        self._by_token: dict[str, _Sent] = {}
        self._settled: list[Outcome] = []
        self._taking = 0  # of the jobs those that take room
        self._workers: Mapping[str, Worker] = cluster.workers()
        self._taken_bytes: dict[str, int] = {}
        self._deadline_s = float("inf")
        self._is_stopped = self._is_closed = self._is_lost = False
        cluster.listen(str(orders["topic"]), self._hear_message)
        cluster.watch(lambda workers: self._came.put(("workers", workers)))
        self._before = answer_signals({**dict.fromkeys(ENDING, self._note), **output.answers})

    # What the scheduler asks for. -------------------------------------------------------

    def has_room(self) -> bool:
        if self.ended_by:
            return False
        threads = max(1, sum(worker.threads for worker in self._workers.values()))
        return self._taking + len(self._settled) < (self._room or threads)

    def expect(self, jobs: Sequence[Job]) -> None:
        self._output.expect([job.name for job in jobs])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        self._output.expect([job.name])
        sent = self._jobs[job.name] = _Sent(job, posargs)
        if not self._resources_of(sent):
            self._take_room(sent)
        if self._is_stopped:
            self._settle(sent, Outcome(job.name, "skipped", _NOT_STARTED))
        elif self._is_lost:
            self._settle(sent, Outcome(job.name, "failed", "the Dask scheduler is gone"))
        elif not self._is_unfit(sent):
            self._submit(sent)

    def wait(self) -> Outcome:
        while not self._settled:
            self._attend()
        return self._settled.pop(0)

    def stop(self) -> None:
        if not self._is_stopped:
            self._stop(0)

    def end(self, reason: str) -> None:
        """End the run as if the signal of that name had come."""
        self.ended_by = self.ended_by or reason
        self.stop()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        seconds = self._grace_s + _MORE_S
        try:
            if self._jobs:
                self.stop()
            while self._jobs:
                self._attend()
            if not self._is_lost:
                self._cluster.call_within(seconds, dask_worker.end_run, self._run)
        finally:
            self._cluster.close(seconds)
            restore_signals(self._before)
            self._output.end()

    # The loop. --------------------------------------------------------------------------

    def _attend(self) -> None:
        """Wait until something happens, and do what it asks for."""
        with suppress(queue.Empty):
            what, *told = self._came.get(timeout=max(0.0, min(self._output.tick(), _TICK_S)))
            if what == "frames":
                worker, frames = told
                for head, data in frames:
                    self._take(str(worker), list(head), bytes(data))
            elif what == "workers":
                self._see(told[0])
            elif what == "signal":
                self._answer(signal.Signals(told[0]))
            else:
                self._done(*told)
        if not self._cluster.is_there and not self._is_lost:
            self._lose()
        if time.monotonic() >= self._deadline_s:
            for sent in list(self._jobs.values()):
                reason = f"asked to end, its worker {sent.worker} told nothing more"
                self._settle(sent, Outcome(sent.job.name, "failed", reason))

    def _lose(self) -> None:
        self._is_lost = True
        for sent in list(self._jobs.values()):
            self._settle(sent, Outcome(sent.job.name, "failed", "the Dask scheduler is gone"))

    def _hear_message(self, message: Any) -> None:
        if message and message[0] == self._run:  # a topic is shared
            self._came.put(("frames", *message[1:]))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.put(("signal", number))
        self._output.cut()

    def _answer(self, number: signal.Signals) -> None:
        """Pass the first on, and a further Ctrl-C, which ends the grace."""
        if not self.ended_by:
            self.ended_by = NAMES.get(number, number.name)
            self._stop(number)
        elif number == signal.SIGINT:
            self._deadline_s = min(self._deadline_s, time.monotonic() + _MORE_S)
            self._cluster.call(dask_worker.stop, self._run, int(number))

    def _stop(self, number: int) -> None:
        self._is_stopped = True
        self._deadline_s = time.monotonic() + self._grace_s + _MORE_S
        for sent in list(self._jobs.values()):
            if not sent.token:
                self._settle(sent, Outcome(sent.job.name, "skipped", _NOT_STARTED))
        if not self._is_lost:
            self._cluster.call(dask_worker.stop, self._run, int(number))

    # Jobs. ------------------------------------------------------------------------------

    def _submit(self, sent: _Sent) -> None:
        name = sent.job.name
        orders = json.dumps({**self._orders, "job": name, "posargs": sent.posargs})
        key = sent.key = f"runenv-{self._run}-{name}-{time.time_ns():x}"

        def done(status: str, error: BaseException | None) -> None:
            self._came.put(("done", sent, key, status, error))

        sent.forget = self._cluster.submit(orders, key, dict(sent.job.spec.resources), done)

    def _done(self, sent: _Sent, key: str, status: str, error: BaseException | None) -> None:
        """Dask has settled a task; what became of the job has been told before, as a rule."""
        if self._jobs.get(sent.job.name) is not sent or sent.key != key:
            return
        if not self._cluster.is_there:
            self._lose()
            return
        if type(error).__name__ == "KilledWorker" and (sent.token or sent.lost):
            if not sent.token or self._may_run_again(sent):
                self._submit(sent)
            return
        reasons = {"finished": "its worker has told nothing of it", "error": _in_words(error)}
        reason = reasons.get(status, "Dask has cancelled its task")
        self._settle(sent, Outcome(sent.job.name, "failed", reason))

    def _settle(self, sent: _Sent, outcome: Outcome) -> None:
        del self._jobs[sent.job.name]
        self._by_token.pop(sent.token, None)
        self._taking -= sent.takes_room
        if outcome.result != "skipped":
            self._begin_output(sent)
        if sent.lost and sent.has_run_again:
            again = f"ran again: {_lost_in_words(sent.lost)}"
            outcome = outcome._replace(reason="; ".join(filter(None, [outcome.reason, again])))
        self._settled.append(outcome._replace(lost_workers=tuple(sent.lost)))
        sent.forget()

    def _take_room(self, sent: _Sent) -> None:
        self._taking += not sent.takes_room
        sent.takes_room = True

    def _begin_output(self, sent: _Sent) -> None:
        if not sent.is_shown:
            sent.is_shown = True
            self._output.begin(sent.job.name)

    # Workers. ---------------------------------------------------------------------------

    def _resources_of(self, sent: _Sent) -> tuple[tuple[str, float], ...]:
        return sent.job.spec.resources if self._cluster.counts_resources else ()

    def _is_unfit(self, sent: _Sent) -> bool:
        """Settle a job that no worker can do; where there are none, one may come."""
        asked = self._resources_of(sent)
        offers = [worker.resources for worker in self._workers.values()]
        if not asked or not offers:
            return False
        if any(all(offer.get(name, 0) >= amount for name, amount in asked) for offer in offers):
            return False
        told = sorted({_amounts(offer) for offer in offers})
        reason = f"no worker offers {_amounts(dict(asked))}: they offer {' or '.join(told)}"
        self._settle(sent, Outcome(sent.job.name, "failed", reason))
        return True

    def _see(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        for sent in list(self._jobs.values()):
            if not sent.token:
                self._is_unfit(sent)
            elif sent.worker in workers:
                sent.missed = 0
            else:
                sent.missed += 1  # the first time it may have come since the look
                if sent.missed > 1:
                    self._may_run_again(sent)

    def _may_run_again(self, sent: _Sent) -> bool:
        """Whether a job goes on whose worker was lost; else it is settled."""
        name, worker = sent.job.name, sent.worker
        sent.lost.append(worker)
        del self._by_token[sent.token]
        sent.token = ""
        if self._is_stopped:
            self._settle(sent, Outcome(name, "interrupted", self.ended_by or "SIGTERM"))
        elif len(sent.lost) <= sent.job.spec.retries_on_loss:
            text = f"its worker {worker} was lost; it runs again"
            self._output.take(name, 2, text.encode() + b"\n")
            self._hear(Said(job=name, level="warning", text=text, at_s=time.monotonic()))
            return True
        else:
            reason = f"{_lost_in_words(sent.lost)}, and it may not run again"
            sent.has_run_again = False  # that is said
            self._settle(sent, Outcome(name, "failed", reason))
        return False

    # What workers tell. -----------------------------------------------------------------

    def _take(self, worker: str, head: Head, data: bytes) -> None:
        kind = head[0]
        taken = self._taken_bytes[worker] = self._taken_bytes.get(worker, 0) + len(data)
        if taken >= _TAKEN_BYTES:
            del self._taken_bytes[worker]
            self._cluster.call(dask_worker.took, self._run, taken, workers=[worker])
        if kind == "want":
            what, digests = head[1:]
            files: Any = self._content.read(digests) if digests else list(self._content.entries)
            self._cluster.call(dask_worker.put, self._run, what, files, workers=[worker])
        elif kind == "begin":
            self._grant(worker, *head[1:])
        elif (sent := self._by_token.get(head[1])) is not None:
            self._take_of(sent, head, data)

    def _grant(self, worker: str, name: str, key: str, token: str) -> None:
        """Let a job begin on a worker that is about to; or not, and then its task ends."""
        sent = self._jobs.get(name)
        if sent is None or sent.key != key:
            return
        if sent.token and not self._may_run_again(sent):
            return
        self._take_room(sent)
        self._begin_output(sent)
        sent.has_run_again = bool(sent.lost)
        sent.token, sent.worker, sent.missed = token, worker, 0
        self._by_token[token] = sent
        self._cluster.call(dask_worker.grant, self._run, token, workers=[worker])

    def _take_of(self, sent: _Sent, head: Head, data: bytes) -> None:
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
            self._settle(sent, cut_short(outcome, self.ended_by))
        elif kind == "lost":
            if self._may_run_again(sent):
                sent.forget()
                self._submit(sent)
        elif kind == "misfit":
            reason = dask_worker.misfit(f"worker {sent.worker}", (head[2], head[3]))
            self._settle(sent, Outcome(name, "failed", reason))
        else:
            self._keep(name, head, data)


class _Sent:
    """A job between its start and its end."""

    def __init__(self, job: Job, posargs: tuple[str, ...]) -> None:
        self.job, self.posargs = job, posargs
        self.key = ""  # of the task that does it
        self.forget: Callable[[], None] = lambda: None
        self.token = self.worker = ""  # of the run of it that was granted
        self.lost: list[str] = []  # workers, while they had it
        self.missed = 0  # looks in which its worker was not there
        self.takes_room = self.is_shown = self.has_run_again = False
        self.offset_s = 0.0


def _lost_in_words(workers: Sequence[str]) -> str:
    """That these were lost, one after the other."""
    if len(workers) == 1:
        return f"its worker {workers[0]} was lost"
    return f"its workers {', '.join(workers)} were lost"


def _amounts(resources: Mapping[str, float]) -> str:
    """Resources as they are written for `dask worker`: `gpu=1 memory=8e+09`."""
    return " ".join(f"{name}={amount:g}" for name, amount in sorted(resources.items())) or "none"


def _in_words(error: BaseException | None) -> str:
    """What went wrong in a worker, in one line."""
    return f"in its worker: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
