"""Prepares the environments of jobs whose turn will come, beside the job that runs.

Knows nothing of environments: what prepares a job is handed in. What it tells is
kept back until the job's turn has come, and so is what goes wrong.
"""

from __future__ import annotations

import threading
from collections import deque

from runner.running import Prepared
from runner.signals import Moment
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.model import Job
    from runner.running import Event

    Prepare = Callable[[Job, Callable[[Event], None]], None]


class Ahead:
    """A thread that prepares, while there is something to prepare."""

    def __init__(
        self,
        prepare: Prepare,
        emit: Callable[[Event], None],
        *,
        is_wanted: Callable[[Job], bool],
        stop: Callable[[], None],
    ) -> None:
        """What it acts with.

        prepare: brings a job's environment to what is declared, and tells of it.
        is_wanted: whether there may be something to do for a job; it is cheap.
        stop: ends what `prepare` does just now, so that it raises; called again,
            by force.
        """
        self._prepare = prepare
        self._emit = emit
        self._is_wanted = is_wanted
        self._stop = stop
        self._lock = threading.Lock()  # of all that follows
        self._seen: set[str] = set()
        self._waiting: deque[_Item] = deque()
        self._begun: dict[str, _Item] = {}
        self._thread: threading.Thread | None = None

    def expect(self, jobs: Iterable[Job]) -> None:
        """These jobs will run, in this order."""
        with self._lock:
            for job in jobs:
                # Of those that share an environment the first alone: the job that
                # uses it holds its lock, for which we would wait.
                if job.environment not in self._seen and self._is_wanted(job):
                    self._waiting.append(_Item(job))
                self._seen.add(job.environment)
            if self._waiting and self._thread is None:
                # A daemon: where it waits for another run's lock, we leave without it.
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def take(self, job: Job) -> Prepared | None:
        """What was prepared for a job whose turn has come, or None where nothing was.

        Waits for the end of what has begun, and from now on tells what it tells.
        """
        with self._lock:
            self._seen.add(job.environment)
            self._waiting = deque(
                item for item in self._waiting if item.job.environment != job.environment
            )
            item = self._begun.pop(job.name, None)
            if item is None:
                return None
            for event in item.events:
                self._emit(event)
            item.events.clear()
            item.is_taken = True
        item.done.within(None)
        return item.prepared

    def end(self, grace_s: float) -> None:
        """Nothing more is prepared, and what is under way has ended or been ended."""
        with self._lock:
            self._waiting.clear()
            thread = self._thread
        if thread is not None:
            self._stop()
            thread.join(grace_s)
            if thread.is_alive():
                self._stop()
                thread.join(grace_s)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                item = self._waiting.popleft()
                self._begun[item.job.name] = item
            error: Exception | None = None
            try:
                self._prepare(item.job, self._listener(item))
            except Exception as raised:  # told when the job's turn has come
                error = raised
            item.prepared = Prepared(error=error)
            item.done.come()

    def _listener(self, item: _Item) -> Callable[[Event], None]:
        def hear(event: Event) -> None:
            with self._lock:
                if item.is_taken:
                    self._emit(event)
                else:
                    item.events.append(event)

        return hear


class _Item:
    """One job under preparation."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.events: list[Event] = []
        self.is_taken = False
        self.prepared: Prepared | None = None
        self.done = Moment()
