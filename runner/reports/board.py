"""What a person at a terminal sees of several jobs at once: what runs, below what has ended.

The lines of the board are written over as they change; the output of a job comes
in one piece above them when it has ended, byte for byte.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from runner.reports.block import Block
from runner.reports.board_lines import Running, State, board_lines
from runner.reports.screen import Screen
from runner.reports.texts import on_one_line
from runner.running import EnvironmentReady, JobEnded
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from runner.reports.logs import Logs
    from runner.reports.terminal import Terminal
    from runner.running import Event, Report, Result

_BETWEEN_S = 0.1  # between two drawings
_KEPT_BYTES = 4096  # of what a job wrote last: a line on any screen, with its colours


class Board(Block):
    """Writes the output of each job when it has ended, and below it draws what runs."""

    def __init__(
        self,
        terminal: Terminal,
        logs: Logs,
        rerun: Callable[[str], str],
        usual_s: Mapping[str, float] = {},
        *,
        on_closed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """usual_s: how long jobs take when they pass, as far as anybody knows."""
        super().__init__(terminal, logs, rerun, on_closed=on_closed, clock=clock)
        self._usual_s = usual_s
        self._screen = Screen(terminal.stream)
        self._more = "…" if terminal.unicode else "..."
        self._began_s = clock()
        self._drawn_s = float("-inf")
        self._has_changed = True
        self._preparing: set[str] = set()
        self._written: dict[str, bytes] = {}  # the end of it, of each job that runs
        self._waiting: set[str] = set()
        self._results: list[Result] = []
        self._is_ending = False
        self._must_stop = False  # Ctrl-Z has come
        if sys.platform != "win32":
            self.answers = {
                int(signal.SIGWINCH): self._note_size,
                int(signal.SIGTSTP): self._note_stop,
            }

    # What happens. ----------------------------------------------------------------------

    def begin(self, job: str) -> None:
        super().begin(job)
        self._waiting.discard(job)
        self._preparing.add(job)
        self._written[job] = b""
        self._has_changed = True

    def take(self, job: str, stream: int, data: bytes) -> None:
        super().take(job, stream, data)
        if len(data) < _KEPT_BYTES:
            data = self._written[job] + data
        self._written[job] = data[-_KEPT_BYTES:]
        self._has_changed = True

    def expect(self, jobs: Sequence[str]) -> None:
        self._waiting.update(jobs)
        self._has_changed = True

    def note(self, event: Event) -> None:
        if isinstance(event, EnvironmentReady):
            self._preparing.discard(event.job)
            self._has_changed = True

    def cut(self) -> None:
        self._is_ending = self._has_changed = True
        super().cut()

    def hear(self, event: Event) -> None:
        if isinstance(event, JobEnded):
            job = event.outcome.job
            self._waiting.discard(job)
            self._preparing.discard(job)
            self._written.pop(job, None)
            self._results.append(event.outcome.result)
            self._has_changed = True
            if job in self._since:
                self._screen.erase()  # it is drawn again below what is written now
        super().hear(event)

    def end(self) -> None:
        super().end()
        self._screen.erase()

    def close(self, report: Report) -> None:
        self._screen.erase()
        super().close(report)

    # Drawing. ---------------------------------------------------------------------------

    def tick(self) -> float:
        if self._must_stop:
            self._stop()
        now = self._clock()
        # The times on it are whole seconds of the run.
        left = _BETWEEN_S if self._has_changed else 1.0 - (self._drawn_s - self._began_s) % 1
        left += self._drawn_s - now
        if left > 0:
            return left
        self._drawn_s = now
        columns, rows = self._screen.size()
        if not columns or not self._since or not self._screen.is_ours():
            self._has_changed = False
            return min(super().tick(), 1.0)
        self._told_s = now
        lines = board_lines(
            self._state(), now, columns, rows, more=self._more, paint=self._terminal.paint
        )
        self._has_changed = not self._screen.draw(lines)
        return _BETWEEN_S if self._has_changed else 1.0 - (now - self._began_s) % 1

    def _state(self) -> State:
        running = [
            Running(
                job=self._shown(job),
                since_s=since_s,
                is_preparing=job in self._preparing,
                last=self._last_line(job),
                usual_s=self._usual_s.get(job),
            )
            for job, since_s in self._since.items()
        ]
        return State(self._began_s, running, len(self._waiting), self._results, self._is_ending)

    def _last_line(self, job: str) -> str:
        """The last line with anything in it that a job wrote, be it unfinished."""
        lines = self._written[job].decode("utf-8", "ignore").replace("\r", "\n").split("\n")
        shown = (self._shown(line).strip() for line in reversed(lines))
        line = next(filter(None, shown), "")
        head = self._shown(f"── {job} ─"), self._shown(f"-- {job} -")  # of its block
        return "" if line.startswith(head) else line

    def _shown(self, text: str) -> str:
        """The text on one line, as far as the terminal's encoding has its signs."""
        encoding = self._terminal.stream.encoding or "ascii"
        return on_one_line(text).encode(encoding, "replace").decode(encoding)

    # Signals. ---------------------------------------------------------------------------

    def _note_size(self, _number: int, _frame: FrameType | None) -> None:
        self._has_changed = True

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: stop, as soon as nothing is drawn."""
        if self._screen.is_drawn:
            self._must_stop = True  # the signal wakes the loop, which calls `tick`
        else:
            self._stop()

    def _stop(self) -> None:
        """Stop as the signal does that has no handler, and go on when we are told to."""
        self._must_stop = False
        self._screen.erase()
        if sys.platform != "win32":
            before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, before)
        self._has_changed = True
