"""What runs in a Dask worker: it has each job done in a process of its own, and tells of it.

All that is called from afar stands here by name, takes and returns plain data.
The jobs of a run are done by one keeper (`runner/keeper.py`), a process that ends
when this one does. Knows nothing of sessions.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import queue
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from distributed import Status, get_worker

import runner
from runner.executors.delivered import Delivered, cache_home
from runner.executors.frames import Frames, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.executors.frames import Head

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from runner.keeper import main; main()"
_CHUNK_BYTES = 1 << 16
_WINDOW_BYTES = 4 << 20  # told and not yet taken by the client
_POLL_S = 0.1
_END_S = 30.0  # for a keeper to end

_runs: dict[str, _Run] = {}
_stopped: dict[str, str] = {}  # runs that start nothing more, and why
_lock = threading.Lock()


def versions() -> tuple[str, str]:
    """The runenv and the Python of a worker, as far as they must be equal."""
    return runner.__version__, ".".join(platform.python_version_tuple()[:2])


def do_job(orders: str) -> str:
    """Have a job done; what became of it has been told, and is returned too.

    orders: JSON, of `executors/dask.py`.
    """
    told: dict[str, Any] = json.loads(orders)
    worker: Any = get_worker()
    key: str = worker.get_current_task()
    token = uuid.uuid4().hex

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        there = (Status.running, Status.paused, Status.closing_gracefully)
        return (
            task is not None
            and task.state in ("executing", "long-running")
            and worker.status in there
        )

    run = _run_of(told, worker)
    run.tell([(["begin", told["job"], token, worker.address], b"")])
    if tuple(told["versions"]) != versions():
        run.tell([(["misfit", token, *versions()], b"")])
        return ""
    return run.do(told["job"], token, told["posargs"], wanted)


def _run_of(told: dict[str, Any], worker: Any) -> _Run:
    name: str = told["run"]
    with _lock:
        if name not in _runs or _runs[name].is_over:
            _runs[name] = _Run(told, worker)
        return _runs[name]


def put(run: str, name: str, content: Any) -> None:
    """Take what a run of this worker has asked the client for."""
    if run in _runs:
        _runs[run].got.put((name, content))


def took(run: str, size_bytes: int) -> None:
    """The client has taken so much of what was told."""
    if run in _runs:
        _runs[run].took(size_bytes)


def stop(run: str, number: int) -> None:
    """Ask what runs to end: as by a signal, or (0) as by --fail-fast."""
    _stopped[run] = str(number)
    if run in _runs:
        _runs[run].command(["signal", number] if number else ["stop"])


async def end_run(run: str) -> None:
    """Nothing of a run is left in this worker."""
    _stopped[run] = ""
    one = _runs.pop(run, None)
    if one is not None:
        one.close()
        deadline = time.monotonic() + _END_S
        while not one.is_over and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


class _Run:
    """The jobs of one run on this worker."""

    def __init__(self, told: dict[str, Any], worker: Any) -> None:
        self.got: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self.is_over = False
        self._told = told
        self._worker = worker
        self._lock = threading.Lock()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._ended: dict[str, threading.Event] = {}
        self._outcomes: dict[str, str] = {}
        self._room = threading.Condition()
        self._untaken_bytes = 0
        self._is_closed = False

    def tell(self, frames: list[tuple[Head, bytes]]) -> None:
        """Tell the client, in the order in which this is called."""
        plain = [[head, data] for head, data in frames]
        self._worker.log_event(self._told["topic"], [self._worker.address, plain])

    # Jobs. ------------------------------------------------------------------------------

    def do(self, job: str, token: str, posargs: list[str], wanted: Callable[[], bool]) -> str:
        ended = self._ended[token] = threading.Event()
        if self._told["run"] in _stopped or not self._make_ready(wanted):
            return ""
        self.command(["start", job, token, posargs])
        asked = False
        while not ended.wait(_POLL_S):
            if self.is_over:
                break
            if not asked and not wanted():
                asked = True
                self.command(["end", token])
        del self._ended[token]
        if token not in self._outcomes:
            self.tell([(["lost", token], b"")])
        return self._outcomes.pop(token, "")

    def command(self, head: Head) -> None:
        """Tell the keeper something; it may be gone."""
        keeper = self._keeper
        if keeper is not None and keeper.stdin is not None:
            with suppress(OSError, ValueError):
                keeper.stdin.write(to_frame(head))
                keeper.stdin.flush()

    def close(self) -> None:
        """Let the keeper end with all that it has started."""
        self._is_closed = True
        with self._room:
            self._room.notify_all()
        keeper = self._keeper
        if keeper is None:
            self.is_over = True
        elif keeper.stdin is not None:
            with suppress(OSError, ValueError):
                keeper.stdin.close()

    def took(self, size_bytes: int) -> None:
        with self._room:
            self._untaken_bytes -= size_bytes
            self._room.notify_all()

    # The keeper. ------------------------------------------------------------------------

    def _make_ready(self, wanted: Callable[[], bool]) -> bool:
        """The project is here and its keeper runs; False where nobody wants that any more."""
        with self._lock:
            if self._keeper is not None:
                return True
            delivered = Delivered(cache_home(os.environ))
            entries = self._ask("manifest", [], wanted)
            if entries is None:
                return False
            lacking = delivered.lacks(entries)
            while lacking:
                files = self._ask("files", lacking, wanted)
                if files is None:
                    return False
                for content in files:
                    delivered.add(content)
                lacking = delivered.lacks(entries)
            root = delivered.make_folder(self._told["run"], entries)
            delivered.clean()
            self._keeper = self._start(root)
            return True

    def _ask(self, name: str, digests: list[str], wanted: Callable[[], bool]) -> Any:
        """What the client answers; None where nobody waits for it any more."""
        self.tell([(["want", self._told["run"], name, digests], b"")])
        while wanted() and not self._is_closed:
            with suppress(queue.Empty):
                answered, content = self.got.get(timeout=_POLL_S)
                if answered == name:
                    return content
        return None

    def _start(self, root: str) -> subprocess.Popen[bytes]:
        keeper = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            start_new_session=True,
        )
        self._keeper = keeper
        place = {"directory": root, "file": self._told["envfile"]}
        given = {**self._told["given"], **place}
        self.command([{**self._told["keeper"], "root": root, "given": given}])
        threading.Thread(target=self._hand_on, args=(keeper,), daemon=True).start()
        return keeper

    def _hand_on(self, keeper: subprocess.Popen[bytes]) -> None:
        """Tell the client what the keeper tells, no faster than it takes it."""
        assert keeper.stdout is not None
        frames, descriptor = Frames(), keeper.stdout.fileno()
        while data := os.read(descriptor, _CHUNK_BYTES):
            found = frames.feed(data)
            if found and not self._is_closed:
                self._wait_for_room(sum(len(data) for _, data in found))
                self.tell(found)
            for head, line in found:
                if head[0] == "ended" and head[1] in self._ended:
                    self._outcomes[head[1]] = line.decode("ascii")
                    self._ended[head[1]].set()
        keeper.wait()
        self.is_over = True

    def _wait_for_room(self, size_bytes: int) -> None:
        with self._room:
            while self._untaken_bytes > _WINDOW_BYTES and not self._is_closed:
                self._room.wait(_POLL_S)
            self._untaken_bytes += size_bytes
