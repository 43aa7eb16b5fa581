"""A process for each job, several at once, and one loop that serves them all.

Whatever a job does to its process ends with it. Knows nothing of sessions or of
what a worker does: how one is started is handed in, and so is what becomes of
what it writes.

A worker leads a session of its own, so that Ctrl-C at a terminal reaches us
alone and is passed on once. It holds one end of a socket, by which it tells us
of events and its outcome; when our end is closed, because we were killed say,
it ends itself with all that it has started.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress

from runner.descendants import GRACE_S, adopt_orphans, end_children
from runner.executors import cut_short
from runner.executors.system import (
    CHUNK_BYTES,
    ENDING,
    NAMES,
    a_child_that_ended,
    kill,
    readable,
    send,
)
from runner.executors.wire import from_line
from runner.guard import Guard
from runner.handlers import (
    answer_signals,
    getsignal,
    pthread_sigmask,
    restore_signals,
    set_signal,
)
from runner.record import Record
from runner.running import Outcome
from runner.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from runner.executors.system import Pipe, Process
    from runner.model import Job
    from runner.running import Event

# A worker has its grace for its command, and then this for what its function does last.
_MORE_S = 2.0
# What it started may hold its pipes open when it has ended: they are read until
# nothing came for the first of these times, or something did for the second.
_QUIET_S, _DRAIN_S = 0.5, 2.0

_DESCRIPTORS_OF_WORKER, _OTHER_DESCRIPTORS = 6, 24

if sys.platform != "win32":
    from runner.descendants import continue_children, stop_children


class Ends(Record):
    """A worker's ends of what leads to us."""

    control: socket.socket
    stdout: int
    stderr: int  # the same where both are to stay in one order


class Start(Protocol):
    """Starts a worker. Raises OSError where the system has no room for one.

    forget_parent: to be called in a process that is a copy of ours.
    """

    def __call__(
        self,
        job: Job,
        posargs: tuple[str, ...],
        ends: Ends,
        forget_parent: Callable[[], None],
    ) -> Process: ...


class Output(Protocol):
    """What becomes of what jobs write."""

    @property
    def is_one(self) -> bool:
        """Whether a job's stdout and stderr are to stay in one order."""
        ...

    @property
    def answers(self) -> Mapping[int, Callable[[int, FrameType | None], None]]:
        """How it answers signals that are none of ours, as long as jobs run."""
        ...

    def expect(self, jobs: Sequence[str]) -> None:
        """These jobs wait for their turn."""
        ...

    def begin(self, job: str) -> None:
        """A job is about to start."""
        ...

    def take(self, job: str, stream: int, data: bytes) -> None:
        """A job wrote this to its stdout (1) or stderr (2)."""
        ...

    def tick(self) -> float:
        """Tell what is told now and then, where it is time to; how many seconds that is away."""
        ...

    def cut(self) -> None:
        """Called by a signal: what is being shown need not be shown to its end."""
        ...

    def end(self) -> None:
        """No job runs any more, and none will."""
        ...


class Processes:
    """Runs each job in a process of its own, as many at once as there is room for."""

    def __init__(
        self,
        room: int,
        start: Start,
        output: Output,
        hear: Callable[[Event], None] = lambda _: None,
        *,
        grace_s: float = GRACE_S,
    ) -> None:
        """It answers signals from now on, until it is closed.

        hear: told of each event of each job. grace_s: how long what is to end may take.
        """
        self.room = room
        self.ended_by = ""
        self._start = start
        self._output = output
        self._hear = hear
        self._grace_s = grace_s
        self._workers: dict[int, _Worker] = {}
        self._never_started: list[Outcome] = []
        self._others: list[Pipe] = []
        self._came: list[int] = []
        self._is_closed = False
        _fill_standard_descriptors()
        adopt_orphans()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._take_wake)
        self._before = answer_signals({**dict.fromkeys(ENDING, self._note), **output.answers})
        if sys.platform != "win32":
            if getsignal(signal.SIGTSTP) == signal.SIG_DFL:
                self._before[signal.SIGTSTP] = set_signal(signal.SIGTSTP, self._pause)
            self._before[signal.SIGCHLD] = set_signal(signal.SIGCHLD, _only_wake)
            # A mask is inherited, and whoever started us may have had this one blocked.
            pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
        self._wake_before = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    # What the scheduler asks for. -------------------------------------------------------

    def has_room(self) -> bool:
        return not self.ended_by and len(self._workers) < self.room

    def expect(self, jobs: Sequence[Job]) -> None:
        """Each worker prepares its own environment, so this is only told."""
        self._output.expect([job.name for job in jobs])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        try:
            self._output.begin(job.name)
            worker = self._started(job, posargs)
        except OSError as error:
            if error.filename is not None:
                raise
            reason = f"its worker cannot be started: {error.strerror}"
            self._never_started.append(Outcome(job=job.name, result="failed", reason=reason))
            return
        self._workers[worker.process.pid] = worker

    def _started(self, job: Job, posargs: tuple[str, ...]) -> _Worker:
        ours, theirs = socket.socketpair()
        pipes: list[tuple[int, int]] = []

        def forget_parent() -> None:
            self._forget_all()
            ours.close()  # else it would not see that ours is closed
            for reading, _ in pipes:
                os.close(reading)

        try:
            pipes.append(os.pipe())
            if not self._output.is_one:
                pipes.append(os.pipe())
            ends = Ends(theirs, pipes[0][1], pipes[-1][1])
            worker = _Worker(job.name, self._start(job, posargs, ends, forget_parent), ours)
        except BaseException:
            ours.close()
            for reading, _ in pipes:
                os.close(reading)
            raise
        finally:
            theirs.close()
            for _, writing in pipes:
                os.close(writing)
        worker.control.setblocking(False)
        self._selector.register(
            worker.control, selectors.EVENT_READ, lambda: self._take_told(worker)
        )
        for (reading, _), stream in zip(pipes, (1, 2), strict=False):
            pipe = readable(reading)
            worker.pipes.append(pipe)
            self._selector.register(pipe, selectors.EVENT_READ, self._taker(worker, pipe, stream))
        return worker

    def wait(self) -> Outcome:
        while True:
            if self._never_started:
                return self._never_started.pop()
            for worker in self._workers.values():
                if worker.is_over():
                    return self._settle(worker)
            self._attend()

    def stop(self) -> None:
        for worker in self._workers.values():
            self._tell(worker, signal.SIGTERM)

    def stop_job(self, job: str) -> None:
        """End one of what runs; its outcome still comes from `wait`."""
        for worker in self._workers.values():
            if worker.job == job:
                self._tell(worker, signal.SIGTERM)

    def listen(self, pipe: Pipe, take: Callable[[bytes], None]) -> None:
        """Let `wait` hand on what comes from a pipe; b"" at its end."""

        def read() -> None:
            data = pipe.read()
            if not data:
                self._selector.unregister(pipe)
            take(data)

        self._others.append(pipe)
        self._selector.register(pipe, selectors.EVENT_READ, read)

    def end(self, reason: str) -> None:
        """End the run as if the signal of that name had come."""
        self.ended_by = self.ended_by or reason
        self.stop()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.stop()
            while self._workers:
                self.wait()
        finally:
            for worker in list(self._workers.values()):
                kill(worker.process.pid)
                self._forget(worker)
            end_children()
            self._forget_all()
            self._output.end()

    # The loop. --------------------------------------------------------------------------

    def _attend(self) -> None:
        """Wait until something happens, and do what it asks for."""
        now = time.monotonic()
        times = [worker.deadline - now for worker in self._workers.values()]
        for key, _ in self._selector.select(max(0.0, min([self._output.tick(), *times]))):
            key.data()
        self._reap()
        self._answer_signals()
        for worker in self._workers.values():
            if worker.status is None and time.monotonic() >= worker.deadline:
                worker.deadline = time.monotonic() + _DRAIN_S
                kill(worker.process.pid)

    def _taker(self, worker: _Worker, pipe: Pipe, stream: int) -> Callable[[], None]:
        def take() -> None:
            data = pipe.read()
            if data:
                worker.last_s = time.monotonic()
                self._output.take(worker.job, stream, data)
            else:
                self._selector.unregister(pipe)
                worker.pipes.remove(pipe)
                pipe.close()

        return take

    def _take_told(self, worker: _Worker) -> None:
        """Take note of the events and the outcome that a worker tells."""
        while True:
            try:
                data = worker.control.recv(CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError:  # it is gone
                data = b""
            if not data:
                self._selector.unregister(worker.control)
                worker.control.close()
                return
            *lines, worker.begun = (worker.begun + data).split(b"\n")
            for line in lines:
                told = from_line(line)
                if not isinstance(told, Outcome):
                    self._hear(told)
                else:
                    worker.outcome = cut_short(told, self.ended_by)

    def _settle(self, worker: _Worker) -> Outcome:
        """What became of a worker that is over, of which nothing is kept."""
        self._forget(worker)
        if worker.outcome is not None:
            return worker.outcome
        took_s = time.monotonic() - worker.began_s
        if worker.told:
            name = signal.Signals(worker.told).name
            return Outcome(worker.job, "interrupted", self.ended_by or name, took_s)
        status = worker.status or 0
        if status < 0:
            reason = f"its worker was ended by {_name_of(-status)}"
        else:
            reason = f"its worker exited with code {status} before the job had ended"
        return Outcome(worker.job, "failed", reason, took_s)

    def _forget(self, worker: _Worker) -> None:
        del self._workers[worker.process.pid]
        for pipe in worker.pipes:
            self._selector.unregister(pipe)
            pipe.close()
        if worker.control.fileno() >= 0:
            self._selector.unregister(worker.control)
            worker.control.close()

    def _forget_all(self) -> None:
        """All that is ours is as it was before us; in a worker too."""
        signal.set_wakeup_fd(self._wake_before)
        restore_signals(self._before)
        self._selector.close()
        for one in (self._woken, self._wake):
            one.close()
        for pipe in self._others:
            pipe.close()
        for worker in self._workers.values():
            worker.control.close()
            for pipe in worker.pipes:
                pipe.close()

    # Signals. ---------------------------------------------------------------------------

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)
        self._output.cut()

    if sys.platform != "win32":

        def _pause(self, _number: int, _frame: FrameType | None) -> None:
            """Stop, as Ctrl-Z asks for, with all that we have started, and go on with it.

            At once and not in the loop, which may wait for the terminal to take output.
            """
            stopped = stop_children()
            guard = Guard(self._grace_s)  # stopped, nobody would notice that we are killed
            try:
                with suppress(OSError):
                    guard.stand_by()
                    for pid in list(self._workers):
                        guard.watch(pid, shares_group=True)
                set_signal(signal.SIGTSTP, int(signal.SIG_DFL))
                signal.raise_signal(signal.SIGTSTP)
            finally:
                set_signal(signal.SIGTSTP, self._pause)
                guard.close()
                continue_children(stopped)

    def _take_wake(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)

    def _answer_signals(self) -> None:
        """Pass the first on, and a further Ctrl-C, which ends the grace."""
        while self._came:
            number = signal.Signals(self._came.pop(0))
            if not self.ended_by:
                self.ended_by = NAMES.get(number, number.name)
                for worker in self._workers.values():
                    self._tell(worker, number)
            elif number == signal.SIGINT:
                for worker in self._workers.values():
                    send(worker.process.pid, number)
                    worker.deadline = min(worker.deadline, time.monotonic() + _MORE_S)

    def _tell(self, worker: _Worker, number: int) -> None:
        """Ask a worker to end, once."""
        if not worker.told and worker.status is None:
            worker.told = number
            worker.deadline = time.monotonic() + self._grace_s + _MORE_S
            send(worker.process.pid, number)

    # Ended workers. ---------------------------------------------------------------------

    def _still_running(self) -> dict[int, Process]:
        return {w.process.pid: w.process for w in self._workers.values() if w.status is None}

    def _reap(self) -> None:
        """Take note of the workers that have ended; what they left behind is ended."""
        while pid := a_child_that_ended(self._still_running()):
            worker = self._workers.get(pid)
            if worker is None:  # an orphan of a worker
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
                continue
            # Before it is reaped: its group cannot be another's yet.
            kill(pid)
            worker.status = worker.process.poll()
            worker.last_s = time.monotonic()
            worker.deadline = worker.last_s + _DRAIN_S
            if worker.control.fileno() >= 0:
                self._take_told(worker)
            if worker.outcome is None:
                end_children([w.process.pid for w in self._workers.values() if w.status is None])


class _Worker:
    """A worker between its start and its end."""

    def __init__(self, job: str, process: Process, control: socket.socket) -> None:
        self.job = job
        self.process = process
        self.control = control
        self.pipes: list[Pipe] = []
        self.begun = b""  # of a line that it tells
        self.told = 0  # the signal that it was sent
        self.outcome: Outcome | None = None
        self.status: int | None = None
        self.began_s = self.last_s = time.monotonic()
        self.deadline = float("inf")  # when it is killed, or when its pipes are left

    def is_over(self) -> bool:
        """Whether it has ended, and all was read that it wrote."""
        if self.status is None:
            return False
        now = time.monotonic()
        if not self.pipes or now >= self.deadline or now - self.last_s >= _QUIET_S:
            return True
        self.deadline = min(self.deadline, self.last_s + _QUIET_S)
        return False


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """A signal with a handler wakes the loop."""


def count_with_room(asked: int) -> int:
    """How many jobs may run at once, given how many files may be open."""
    soft = -1  # no limit, or none that we know of
    if sys.platform != "win32":
        from resource import RLIMIT_NOFILE, getrlimit  # Windows has none

        soft, _ = getrlimit(RLIMIT_NOFILE)
    most = (soft - _OTHER_DESCRIPTORS) // _DESCRIPTORS_OF_WORKER
    return asked if soft < 0 else max(1, min(asked, most))


def _fill_standard_descriptors() -> None:
    """None of what we open gets a number below 3, which programs take for their streams."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203  # three times in a run
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
