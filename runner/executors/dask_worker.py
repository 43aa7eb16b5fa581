"""What runs in a Dask worker: it has each job done in another process, and tells of it.

All that is called from afar stands here by name, takes and returns plain data.
The jobs of a run are done by one process, its deputy (`runner/deputy.py`), which ends
when this one does. Knows nothing of sessions.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import queue
import subprocess
import threading
import time
import uuid
from contextlib import suppress

from distributed import Status, get_worker

import runner
from runner.executors.delivered import Delivered, home_in
from runner.executors.frames import Frames, to_frame
from runner.executors.spawn import interpreter
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from runner.executors.frames import Head

_CHUNK_BYTES = 1 << 16
_WINDOW_BYTES = 4 << 20  # told and not yet taken by the client
_POLL_S = 0.1
_END_S = 30.0  # for a deputy to end
_KEPT = 1000  # of what the scheduler keeps of a topic, and of runs that have ended

_runs: dict[str, _Run] = {}
_stopped: dict[str, None] = {}  # runs that start nothing more, the oldest first
_lock = threading.Lock()


def versions() -> tuple[str, str]:
    """The runenv and the Python of a worker, as far as they must be equal."""
    return runner.__version__, ".".join(platform.python_version_tuple()[:2])


def misfit(who: str, theirs: Sequence[str]) -> str:
    """That a worker or a scheduler is not what the client is, which is where this is called."""
    ours = versions()
    return (
        f"the {who} has runenv {theirs[0]} on Python {theirs[1]},"
        f" and runenv {ours[0]} on Python {ours[1]} is here"
    )


def do_job(orders: str) -> None:
    """Have a job done; what became of it is told.

    orders: JSON, of `executors/dask.py`.
    """
    told: dict[str, Any] = json.loads(orders)
    worker: Any = get_worker()
    key: str = worker.get_current_task()

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        there = (Status.running, Status.paused, Status.closing_gracefully)
        return (
            task is not None
            and task.state in ("executing", "long-running")
            and worker.status in there
        )

    _run_of(told, worker).do(told, key, is_wanted)


def _run_of(told: dict[str, Any], worker: Any) -> _Run:
    name: str = told["run"]
    with _lock:
        if name not in _runs or _runs[name].is_closed:
            _runs[name] = _Run(told, worker)
        return _runs[name]


def put(run: str, name: str, content: Any) -> None:
    """Take what a run of this worker has asked the client for."""
    if run in _runs:
        _runs[run].got.put((name, content))


def grant(run: str, token: str) -> None:
    """The client lets a job begin."""
    if run in _runs:
        _runs[run].grant(token)


def took(run: str, size_bytes: int) -> None:
    """The client has taken so much of what was told."""
    if run in _runs:
        _runs[run].took(size_bytes)


def stop(run: str, number: int) -> None:
    """Ask what runs to end: as by a signal, or (0) as by --fail-fast."""
    _note_stopped(run)
    if run in _runs:
        _runs[run].command(["signal", number] if number else ["stop"])


async def end_run(run: str) -> None:
    """Nothing of a run is left in this worker, nor what it has told in the scheduler."""
    _note_stopped(run)
    one = _runs.pop(run, None)
    if one is None:
        return
    one.close()
    deadline = time.monotonic() + _END_S
    while not one.is_over and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    one.forget_told()


def _note_stopped(run: str) -> None:
    _stopped[run] = None
    if len(_stopped) > _KEPT:
        del _stopped[next(iter(_stopped))]


class _Run:
    """The jobs of one run on this worker."""

    def __init__(self, told: dict[str, Any], worker: Any) -> None:
        self.got: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.is_closed = False  # it takes no more jobs
        self.is_over = False  # and nothing of it is left
        self._name: str = told["run"]
        self._told = told
        self._worker = worker
        self._lock = threading.Lock()
        self._deputy: subprocess.Popen[bytes] | None = None
        self._jobs: dict[str, _Asked] = {}  # by token
        self._room = threading.Condition()
        self._untaken_bytes = 0

    def tell(self, frames: list[tuple[Head, bytes]]) -> None:
        """Tell the client, in the order in which this is called."""
        plain = [[head, data] for head, data in frames]
        message = [self._name, self._worker.address, plain]
        self._worker.log_event(self._told["topic"], message)

    def forget_told(self) -> None:
        """What was told is not kept in the scheduler, which keeps the last messages of a topic."""
        for _ in range(_KEPT):
            self._worker.log_event(self._told["topic"], [])

    # Jobs. ------------------------------------------------------------------------------

    def do(self, told: dict[str, Any], key: str, is_wanted: Callable[[], bool]) -> None:
        """Have a job done once the client lets it begin; until it has ended or nobody wants it."""
        token = uuid.uuid4().hex
        job = self._jobs[token] = _Asked(is_wanted)
        try:
            self.tell([(["begin", told["job"], key, token], b"")])
            if tuple(told["versions"]) != versions():
                self.tell([(["misfit", token, *versions()], b"")])
            elif self._make_ready(is_wanted) and self._is_granted(job):
                self.command(["start", told["job"], token, told["posargs"]])
                self._await_end(job, token)
        finally:
            del self._jobs[token]

    def _is_granted(self, job: _Asked) -> bool:
        while not job.granted.wait(_POLL_S):
            if not job.is_wanted() or self._name in _stopped or self.is_closed:
                return False
        return self._name not in _stopped

    def _await_end(self, job: _Asked, token: str) -> None:
        was_asked = False
        while not job.ended.wait(_POLL_S):
            if self.is_over:
                self.tell([(["lost", token], b"")])
                return
            if not was_asked and not job.is_told and not job.is_wanted():
                was_asked = True
                self.command(["end", token])
                # Whoever wanted them is gone: nobody says when it is over.
                if not any(other.is_wanted() for other in list(self._jobs.values())):
                    self.close()

    def grant(self, token: str) -> None:
        if token in self._jobs:
            self._jobs[token].granted.set()

    def command(self, head: Head) -> None:
        """Tell the deputy something; it may be gone."""
        deputy = self._deputy
        if deputy is not None and deputy.stdin is not None:
            with suppress(OSError, ValueError):
                deputy.stdin.write(to_frame(head))
                deputy.stdin.flush()

    def close(self) -> None:
        """Let the deputy end with all that it has started."""
        self.is_closed = True
        with self._room:
            self._room.notify_all()
        deputy = self._deputy
        if deputy is None:
            self.is_over = True
        elif deputy.stdin is not None:
            with suppress(OSError, ValueError):
                deputy.stdin.close()

    def took(self, size_bytes: int) -> None:
        with self._room:
            self._untaken_bytes -= size_bytes
            self._room.notify_all()

    # The deputy. ------------------------------------------------------------------------

    def _make_ready(self, is_wanted: Callable[[], bool]) -> bool:
        """The project is here and its deputy runs; False where nobody wants that any more."""
        with self._lock:
            if self._deputy is not None:
                return True
            delivered = Delivered(home_in(os.environ, self._worker.local_directory))
            entries = self._ask("entries", [], is_wanted)
            if entries is None:
                return False
            while lacking := delivered.lacks(entries):
                files = self._ask("files", lacking, is_wanted)
                if files is None:
                    return False
                for content in files:
                    delivered.add(content)
            root = delivered.make_folder(self._name, entries)
            delivered.clean()
            self._deputy = self._start(root)
            return True

    def _ask(self, what: str, digests: list[str], is_wanted: Callable[[], bool]) -> Any:
        """What the client answers; None where nobody waits for it any more."""
        self.tell([(["want", what, digests], b"")])
        while is_wanted() and not self.is_closed:
            with suppress(queue.Empty):
                answered, content = self.got.get(timeout=_POLL_S)
                if answered == what:
                    return content
        return None

    def _start(self, root: str) -> subprocess.Popen[bytes]:
        deputy = subprocess.Popen(
            interpreter("runner.deputy"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            start_new_session=True,
        )
        self._deputy = deputy
        place = {"directory": root, "file": self._told["envfile"]}
        given = {**self._told["given"], **place}
        self.command([{**self._told["deputy"], "root": root, "given": given}])
        threading.Thread(target=self._hand_on, args=(deputy,), daemon=True).start()
        return deputy

    def _hand_on(self, deputy: subprocess.Popen[bytes]) -> None:
        """Tell the client what the deputy tells, no faster than it takes it."""
        assert deputy.stdout is not None
        frames, descriptor = Frames(), deputy.stdout.fileno()
        while data := os.read(descriptor, _CHUNK_BYTES):
            found = frames.feed(data)
            ended = [self._jobs.get(head[1]) for head, _ in found if head[0] == "ended"]
            for job in filter(None, ended):
                job.is_told = True  # the client may forget its task as soon as it hears that
            if found and not self.is_closed:
                self._wait_for_room(sum(len(data) for _, data in found))
                self.tell(found)
            for job in filter(None, ended):
                job.ended.set()
        deputy.stdout.close()
        deputy.wait()
        self.is_closed = self.is_over = True

    def _wait_for_room(self, size_bytes: int) -> None:
        with self._room:
            while self._untaken_bytes > _WINDOW_BYTES and not self.is_closed:
                self._room.wait(_POLL_S)
            self._untaken_bytes += size_bytes


class _Asked:
    """A job that a task asks for."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self.is_wanted = is_wanted
        self.granted, self.ended = threading.Event(), threading.Event()
        self.is_told = False  # that it has ended
