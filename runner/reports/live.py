"""What a person sees of several jobs at once: each line as it comes, behind its job's name."""

from __future__ import annotations

import time

from runner.reports.block import Block
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.reports.logs import Logs
    from runner.reports.terminal import Terminal
    from runner.running import Outcome

_LONGEST_BYTES = 1 << 20  # of a line that is waited for; a longer one is shown as several


class Live(Block):
    """Writes whole lines as jobs write them, and a table at the end."""

    def __init__(
        self,
        terminal: Terminal,
        logs: Logs,
        rerun: Callable[[str], str],
        *,
        on_closed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(terminal, logs, rerun, on_closed=on_closed, clock=clock)
        self._begun: dict[tuple[str, int], bytes] = {}  # lines without their ends yet

    def take(self, job: str, stream: int, data: bytes) -> None:
        super().take(job, stream, data)
        begun = self._begun.get((job, stream), b"") + data
        whole, end, rest = begun.rpartition(b"\n")
        if len(rest) >= _LONGEST_BYTES:
            whole, end, rest = begun, b"\n", b""
        self._begun[job, stream] = rest
        self._show(job, stream, whole + end)

    def _show(self, job: str, stream: int, lines: bytes) -> None:
        if lines:
            prefix = f"{job} | ".encode()
            shown = b"".join(prefix + line + b"\n" for line in lines[:-1].split(b"\n"))
            with self._until_cut(job):
                self._write(stream, shown)
            self._told_s = self._clock()

    def _show_end(self, outcome: Outcome) -> None:
        for stream in (1, 2):
            rest = self._begun.pop((outcome.job, stream), b"")
            self._show(outcome.job, stream, rest and rest + b"\n")
        self._terminal.tell_outcome(outcome)
