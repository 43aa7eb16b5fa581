"""What a board says: a line for each job that runs, and one with totals.

Values in, lines out. Knows nothing of terminals.
"""

from __future__ import annotations

from runner.record import Record
from runner.reports.words import counts
from runner.typed import TYPE_CHECKING
from runner.widths import columns_of, cut, cut_in_the_middle, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.running import Result

_GAP = "  "
_LEAST_TEXT = 4  # columns; fewer say nothing
_LEAST_ESTIMATE_S = 1.0  # of what is over sooner nobody asks when it will be


class Running(Record):
    """A job that runs."""

    job: str
    since_s: float
    is_preparing: bool  # its environment is not ready
    last: str  # what it wrote last, on one line
    usual_s: float | None  # how long it takes when it passes; None: nobody knows


class State(Record):
    """A run as its board shows it."""

    began_s: float
    running: Sequence[Running]  # the first that was started first
    waiting: int
    results: Sequence[Result]  # of what has ended
    is_ending: bool = False  # a signal has come


def board_lines(
    state: State,
    now_s: float,
    columns: int,
    rows: int,
    *,
    more: str = "…",
    paint: Callable[[str, str], str] = lambda _, text: text,
) -> list[str]:
    """The lines of the board, each narrower than so many columns.

    They fill two thirds of the rows at most: above stands what has ended. paint:
    puts a text in a colour, which takes no columns. more: stands for what is cut.
    """
    # The last column stays free: who writes into it may be on the next line, or not.
    columns -= 1
    room = max(1, rows * 2 // 3) - 1
    shown = state.running
    if len(shown) > room:
        shown = shown[: max(0, room - 1)]
    left_out = len(state.running) - len(shown)
    # Whatever follows is laid out below what was there before, job by job.
    names = [cut_in_the_middle(run.job, columns * 2 // 5, more) for run in shown]
    took = [whole_duration(now_s - run.since_s) for run in shown]
    usual = [_estimate(run) for run in shown]
    wide = [max(map(columns_of, column), default=0) for column in (names, took, usual)]
    lines: list[str] = []
    for run, name, time, estimate in zip(shown, names, took, usual, strict=True):
        cells = [
            ("bold", padded(name, wide[0]) + _GAP),
            ("", time.rjust(wide[1])),
            ("thin", padded(estimate, wide[2]) + _GAP),
            ("bold", f"preparing{_GAP}" if run.is_preparing else ""),
            ("", run.last),
        ]
        lines.append(_line(cells, columns, more, paint))
    if left_out and room:
        lines.append(cut(f"and {left_out} more", columns, more))
    lines.append(paint("thin", cut(_totals(state, now_s), columns, more)))
    return lines


def _line(
    cells: Sequence[tuple[str, str]], columns: int, more: str, paint: Callable[[str, str], str]
) -> str:
    """The cells, colours and texts, as far as they fit; the one that does not is cut."""
    line = ""
    for color, text in cells:
        told = text.rstrip(" ")
        fitting = cut(told, columns, more)
        if fitting == told or columns >= _LEAST_TEXT:
            line += paint(color, fitting)
        line += text[len(told) :]
        columns = max(0, columns - columns_of(text))
    return line.rstrip(" ")


def _estimate(run: Running) -> str:
    if run.usual_s is None or run.usual_s < _LEAST_ESTIMATE_S:
        return ""
    return f" of ~{whole_duration(run.usual_s + 0.5)}"


def _totals(state: State, now_s: float) -> str:
    told = [f"{len(state.running)} running"]
    if state.waiting:
        told.append(f"{state.waiting} waiting")
    if state.results:
        told.append(counts(list(state.results)))
    ending = "ending: " if state.is_ending else ""
    return f"{ending}{', '.join(told)}; {whole_duration(now_s - state.began_s)}"


def whole_duration(seconds: float) -> str:
    """`7 s`, `2 min 05 s`, `1 h 02 min`: what has passed of it."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    if not minutes:
        return f"{rest} s"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left:02d} min" if hours else f"{minutes} min {rest:02d} s"
