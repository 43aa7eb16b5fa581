"""What a person sees of a run: lines on standard error.

What the user's commands write goes past us, straight to where they sent it.
"""

from __future__ import annotations

from runner.colors import columns_of, fold, fold_around, width_of
from runner.reports.words import SYMBOLS, counts, duration, result_with_attempt
from runner.running import (
    GOOD,
    CommandStarted,
    EnvironmentReady,
    JobEnded,
    JobStarted,
    Said,
    Shown,
)
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from runner.reports import Folds
    from runner.running import Event, Outcome, Report, Result

_COLORS: dict[Result, str] = {
    "passed": "green",
    "cached": "green",
    "failed": "bold_red",
    "skipped": "purple",
    "interrupted": "bold_red",
    "timed out": "bold_red",
}
_LEVELS = {
    "debug": ("", "thin"),
    "info": ("", ""),
    "warning": ("warning: ", "bold_purple"),
    "error": ("error: ", "bold_red"),
}


class Terminal:
    """Writes a run to a stream as it happens, and a table at its end."""

    def __init__(
        self,
        stream: TextIO,
        *,
        color: bool,
        verbose: bool,
        quiet: bool,
        width: int | None = None,
        folds: Folds | None = None,
    ) -> None:
        """width: of the terminal in columns; None: asked for at each job.

        folds: what folds the output of each job, where something shall.
        """
        self.stream = stream
        self._verbose = verbose
        self._quiet = quiet
        self._width = width
        self._folds = folds
        self._is_folding = False
        self._before = 0  # columns that stand before each line
        self.is_behind_names = False  # whether that of its job does
        self._codes: dict[str, str] = {}
        if color:
            from colorlog.escape_codes import escape_codes  # brings logging: only in colour

            self._codes = dict(escape_codes)
        self.unicode = can_show(stream, "✓✗─→")

    def hear(self, event: Event) -> None:
        """Write what the event tells a person."""
        if isinstance(event, Shown):
            self._write(
                event.text if event.text.endswith("\n") or not event.text else event.text + "\n"
            )
        elif isinstance(event, Said):
            self._said(event)
        elif self._quiet:
            return
        elif isinstance(event, JobStarted):
            if self.is_behind_names:
                self._before = width_of(event.job) + len(" | ")
            self.fold(event.job)
            self._line(self._head(event))
        elif isinstance(event, EnvironmentReady):
            self._line(self._environment(event))
        elif isinstance(event, CommandStarted):
            if event.kind == "run":
                self._line(self.paint("bold", f"$ {_safe(_cut(event.show))}"))
            elif event.kind != "make" or self._verbose:
                self._line(self.paint("thin", _safe(event.show)))
        elif isinstance(event, JobEnded):  # the table at the end has its outcome
            self.unfold("\n")  # nobody knows where its commands have left off

    def columns(self) -> int:
        """How wide it is."""
        return self.room() or 80

    def room(self) -> int:
        """How many columns there are for a line; 0 where it may be of any length: no terminal."""
        columns = columns_of(self.stream) if self._width is None else self._width
        return max(_LITTLE, columns - self._before) if columns and self._before else columns

    def fold(self, name: str, ago_s: float = 0.0) -> None:
        """What follows is the output of a job that began so many seconds ago."""
        if self._folds is not None:
            self._write(self._folds.begin(_safe(name), ago_s))
            self._is_folding = True

    def unfold(self, end_of_line: str) -> bool:
        """What follows is not the output of a job; False where nothing was folded.

        end_of_line: where one is missing.
        """
        if self._folds is None or not self._is_folding:
            return False
        self._is_folding = False
        self._write(end_of_line + self._folds.end())
        return True

    def tell_outcome(self, outcome: Outcome, end_of_line: str = "") -> None:
        """Write how a job ended, as the table at the end will have it.

        end_of_line: where one is missing before it.
        """
        if not self._quiet or outcome.result not in GOOD:
            self._line(end_of_line + self._rows((outcome,))[0])

    def tell(self, text: str) -> None:
        """Write a line from us."""
        self._line(self.paint("thin", fold_around(_safe(text), self.room(), _INDENT, 0)))

    def close(self, report: Report) -> None:
        """Write the table of outcomes, and how many of each there were."""
        self.unfold("\n")
        outcomes = report.outcomes
        if self._quiet:
            outcomes = tuple(o for o in outcomes if o.result not in GOOD)
        if not outcomes and (self._quiet or not report.interrupted_by):
            return
        self._line("")
        for row in self._rows(outcomes):
            self._line(row)
        if len(report.outcomes) > 1 or report.interrupted_by:
            self._line(self._totals(report))

    def _head(self, event: JobStarted) -> str:
        columns = self.columns()
        rule = "─" if self.unicode else "-"
        name = _safe(event.job)
        head = f"{rule * 2} {name} "
        doc = _safe(event.doc)
        room = columns - len(head) + len(name) - width_of(name) - 1
        told = f" {doc}" if doc and width_of(doc) + 4 <= room else ""
        painted = f"{rule * 2} {self.paint('bold', name)} "
        return f"\n{painted}{rule * max(2, room - width_of(told))}{self.paint('thin', told)}"

    def _environment(self, event: EnvironmentReady) -> str:
        took = duration(event.duration_s)
        arrow_safe = event.reason if self.unicode else event.reason.replace("→", "->")
        reason = f": {_safe(arrow_safe)}" if event.reason else ""
        ahead = " ahead" if event.ahead else ""
        if event.state in ("none", "reused"):
            color, done = "thin", str(event.state)
        elif event.state == "kept":
            color, done = "purple", f"kept as it is (--no-install){reason}"
        else:
            made = "wheel replaced" if event.state == "updated" else event.state
            source = " from the store" if event.linked else ""
            color, done = "", f"{made}{source} in {took}{ahead}{reason}"
        told = f"environment: {done} ({event.python})"
        return self.paint(color, fold(told, self.room(), _INDENT, 0))

    def _said(self, event: Said) -> None:
        if (event.level == "debug" and not self._verbose) or (
            event.level == "info" and self._quiet
        ):
            return
        word, color = _LEVELS[event.level]
        first, *rest = _safe(event.text, keep="\n").split("\n")
        first = fold_around(first, self.room(), 2, len(word))
        self._line(f"{self.paint(color, word)}{first}" if word else self.paint(color, first))
        for line in rest:
            self._line(f"  {fold_around(line, self.room(), 4, 2)}")

    def _rows(self, outcomes: tuple[Outcome, ...]) -> list[str]:
        """A row for each outcome, its cells below those of the others."""
        rows: list[str] = []
        told = [
            f"{self._symbol(o.result)} {result_with_attempt(o.result, o.attempts)}"
            for o in outcomes
        ]
        names = [_safe(outcome.job) for outcome in outcomes]
        took = [duration(o.duration_s) if o.duration_s > 0 else "" for o in outcomes]
        # At least as wide as most runs need, so that one looks like the next.
        columns = ((10, told, len), (0, names, width_of), (8, took, len))
        wide = [max(least, *map(width, column), 0) for least, column, width in columns]
        for outcome, how, name, time in zip(outcomes, told, names, took, strict=True):
            painted = self.paint(_COLORS[outcome.result], how) + " " * (wide[0] - len(how))
            row = f"{painted}  {name}{' ' * (wide[1] - width_of(name))}  {time:>{wide[2]}}"
            reason = self._reason(outcome, sum(wide) + 6)
            rows.append((row if reason.startswith(" ") else row.rstrip()) + reason)
        return rows

    def _reason(self, outcome: Outcome, column: int) -> str:
        """Why it ended so, from a column on; below the row where there is little room."""
        if not outcome.reason:
            return ""
        reason, columns = _safe(outcome.reason), self.room()
        if columns and columns - column < min(len(reason) + 1, _LITTLE):
            return f"\n{' ' * _INDENT}" + fold(reason, columns, _INDENT)
        return "  " + fold(reason, columns, column)

    def _symbol(self, result: Result) -> str:
        return SYMBOLS[result][0 if self.unicode else 1]

    def _totals(self, report: Report) -> str:
        told = counts([outcome.result for outcome in report.outcomes])
        return f"{told} in {duration(report.duration_s)}"

    def paint(self, color: str, text: str) -> str:
        """The text in a colour, where there are colours."""
        if not color or color not in self._codes or not text:
            return text
        return f"{self._codes[color]}{text}{self._codes['reset']}"

    def _line(self, text: str) -> None:
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        tell(self.stream, text)


def can_show(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has the text."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _safe(text: str, keep: str = "") -> str:
    """The text with control characters written out, so that no name moves the cursor."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


_INDENT = 4  # of lines that belong to the one above
_LITTLE = 24  # columns, in which a sentence would be a pillar

_LONGEST = 4000  # characters of a command: more than a person reads, and pastes


def _cut(text: str) -> str:
    """The text, or its beginning and how much more there is."""
    rest = len(text) - _LONGEST
    return text if rest <= 0 else f"{text[:_LONGEST]} ... and {rest:,} more characters"
