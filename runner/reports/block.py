"""What a person sees of several jobs at once: each in one piece, when it has ended.

What a job writes is kept in its log, and what a worker says stands in it among that.
Here it is copied to where it belongs, byte for byte.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import contextmanager

from runner.running import JobEnded, Said
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import FrameType

    from runner.reports.logs import Logs
    from runner.reports.terminal import Terminal
    from runner.running import Event, Outcome, Report

_HEARTBEAT_S = 30.0
_LAST_LINES, _LAST_BYTES = 20, 8192  # of a job that failed
_SHOWN_AGAIN = 10  # jobs that failed


class Cut(Exception):
    """What is being shown need not be shown to its end."""


class Block:
    """Writes the output of each job when it has ended, and a table at the end."""

    def __init__(
        self,
        terminal: Terminal,
        logs: Logs,
        rerun: Callable[[str], str],
        *,
        on_closed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """What it acts with.

        terminal: writes what we say. rerun: the command that runs a job again.
        on_closed: called when nobody reads our standard output any more.
        """
        self.on_closed = on_closed
        self.answers: Mapping[int, Callable[[int, FrameType | None], None]] = {}
        self._terminal = terminal
        self._logs = logs
        self._rerun = rerun
        self._clock = clock
        self._since: dict[str, float] = {}  # of what runs
        self._told_s = clock()  # when something was last written
        self._is_writing = False
        self._shown_last = ""

    # What jobs write. -------------------------------------------------------------------

    @property
    def is_one(self) -> bool:
        return self._logs.is_one

    def expect(self, jobs: Sequence[str]) -> None:
        """What waits is not told."""

    def begin(self, job: str) -> None:
        self._logs.begin(job)
        self._since[job] = self._clock()

    def take(self, job: str, stream: int, data: bytes) -> None:
        self._logs.write(job, stream, data)

    def tick(self) -> float:
        now = self._clock()
        left = self._told_s + _HEARTBEAT_S - now
        if left > 0 or not self._since:
            return max(left, 1.0)
        shown = ", ".join(f"{job} ({now - since:.0f} s)" for job, since in self._since.items())
        self._terminal.hear(Said(job="", level="info", text=f"still running: {shown}"))
        self._told_s = now
        return _HEARTBEAT_S

    def cut(self) -> None:
        if self._is_writing:
            raise Cut

    def end(self) -> None:
        """What was shown stays."""

    # What a reporter hears. -------------------------------------------------------------

    def note(self, event: Event) -> None:
        """Hear what a job tells while it runs: who reads its block sees that there."""

    def hear(self, event: Event) -> None:
        """Show a job that has ended; what it told of itself stands in its log."""
        if not isinstance(event, JobEnded) or event.outcome.job not in self._since:
            return
        job = event.outcome.job
        del self._since[job]
        self._show_end(event.outcome)
        self._logs.end(job)
        self._told_s = self._clock()
        self._shown_last = job

    def _show_end(self, outcome: Outcome) -> None:
        job, end_of_line = outcome.job, ""
        self._terminal.fold(job, outcome.duration_s)
        with self._until_cut(job):
            for stream in self._logs.streams:
                for piece in self._logs.pieces(job, stream):
                    self._write(stream, piece)
                    if stream == 2 or self.is_one:  # among what we say
                        end_of_line = "" if piece.endswith(b"\n") else "\n"
        if self._terminal.unfold(end_of_line):
            end_of_line = ""
        self._terminal.tell_outcome(outcome, end_of_line)

    @contextmanager
    def _until_cut(self, job: str) -> Generator[None]:
        try:
            self._is_writing = True
            try:
                yield
            finally:
                self._is_writing = False
        except Cut:
            self._terminal.tell(f"the rest is in {self._logs.path(job, 1)}")
        except OSError as error:
            if error.filename is None:  # standard output
                raise
            self._terminal.tell(f"{error.filename} cannot be read: {error.strerror}")

    def _write(self, stream: int, data: bytes) -> None:
        """Write to our stdout (1) or stderr (2).

        Nobody needs to read what we say, but where nobody reads what the jobs
        say, there is no use in going on.
        """
        try:
            write_all(stream, data)
        except BrokenPipeError:
            if stream == 1:
                self.on_closed()
        except OSError:
            if stream == 1:
                raise

    def close(self, report: Report) -> None:
        """Show again what failed, and the table."""
        failed = [o for o in report.outcomes if o.result in ("failed", "timed out")]
        for outcome in failed[:_SHOWN_AGAIN]:
            self._show_again(outcome)
        if len(failed) > _SHOWN_AGAIN:
            self._terminal.tell(f"{len(failed) - _SHOWN_AGAIN} more failed")
        self._terminal.close(report)
        self._logs.close()

    def _show_again(self, outcome: Outcome) -> None:
        """The last lines of a job that failed, where its log is, and what runs it again."""
        job = outcome.job
        self._terminal.tell("")
        self._terminal.tell(f"{job} {outcome.result}; run it again: {self._rerun(job)}")
        for stream in self._logs.streams if job != self._shown_last else ():  # just above
            lines = self._logs.last_lines(job, stream, _LAST_LINES, _LAST_BYTES)
            if lines:
                self._write(2, lines if lines.endswith(b"\n") else lines + b"\n")
        paths = ", ".join(self._logs.path(job, stream) for stream in self._logs.streams)
        self._terminal.tell(f"all of it: {paths}")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however slowly it is taken."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # noqa: PERF203  # somebody else made it so: terminals are shared
            select.select([], [descriptor], [])
