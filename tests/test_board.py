"""The board of what runs: its lines, how they are drawn, and when."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import TextIO

import pytest

from runner.reports.board import Board
from runner.reports.board_lines import Running, State, board_lines, whole_duration
from runner.reports.logs import Logs
from runner.reports.screen import Screen
from runner.reports.terminal import Terminal
from runner.reports.texts import on_one_line
from runner.running import EnvironmentReady, JobEnded, Outcome, Report
from runner.widths import columns_of, cut, cut_in_the_middle
from tests.test_block import Clock, Told

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

# Widths. ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("größe", 5),
        ("gro\u0308ße", 5),  # a combining diaeresis
        ("日本", 4),
        ("✓ ok", 4),
        ("a\u20dd", 1),  # a circle around it
        ("🐍", 2),
        ("❤️", 2),
        ("🇩🇪", 4),  # 2 in some terminals
    ],
)
def test_columns_that_a_text_takes(text: str, columns: int):
    assert columns_of(text) == columns


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("日本日本", 7, "日本日…"),
        ("日本日本", 6, "日本…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("abcdef", -3, ""),
    ],
)
def test_a_text_is_cut_to_columns(text: str, columns: int, shown: str):
    assert cut(text, columns, "…") == shown


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("tests-3.12-old", 14, "tests-3.12-old"),
        ("tests-3.12-old", 10, "tests…-old"),
        ("日本日本日本", 8, "日本…本"),
        ("tests", 2, "t…"),
        ("tests", 1, "…"),
        ("tests", 0, ""),
    ],
)
def test_a_name_keeps_its_end(text: str, columns: int, shown: str):
    assert cut_in_the_middle(text, columns, "…") == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\tb\x07\x08\x00c", "a bc"),
        ("\u202eright to left", "right to left"),
        ("no\u00a0break", "no break"),
        ("\x9b2J\u2028x", "2J x"),
        ("cut \x1b[3", "cut 3"),
    ],
)
def test_nothing_on_one_line_moves_the_cursor(text: str, shown: str):
    assert on_one_line(text) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-0.5, "0 s"),
        (0.9, "0 s"),
        (59.99, "59 s"),
        (65, "1 min 05 s"),
        (3599, "59 min 59 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_times_are_whole(seconds: float, shown: str):
    assert whole_duration(seconds) == shown


# Lines. -------------------------------------------------------------------------------


def job(name: str, since_s: float = 0.0, last: str = "", **more: object) -> Running:
    values: dict[str, object] = {"is_preparing": False, "usual_s": None, **more}
    return Running(job=name, since_s=since_s, last=last, **values)  # type: ignore[arg-type]  # handed on


THREE = State(
    began_s=100.0,
    running=[
        job("lint", 132.0, "src/one.py:12: E501"),
        job("tests-3.12", 123.0, "tests/test_one.py .....", usual_s=29.7),
        job("docs", 134.0, "install sphinx", is_preparing=True),
    ],
    waiting=12,
    results=["passed", "failed", "passed"],
)


def test_a_line_for_each_job_and_one_with_totals():
    assert board_lines(THREE, 135.0, 80, 24) == [
        "lint         3 s           src/one.py:12: E501",
        "tests-3.12  12 s of ~30 s  tests/test_one.py .....",
        "docs         1 s           preparing  install sphinx",
        "3 running, 12 waiting, 2 passed, 1 failed; 35 s",
    ]


def test_the_last_line_of_output_is_cut_to_the_width():
    assert board_lines(THREE, 135.0, 40, 24) == [
        "lint         3 s           src/one.py:…",
        "tests-3.12  12 s of ~30 s  tests/test_…",
        "docs         1 s           preparing",
        "3 running, 12 waiting, 2 passed, 1 fai…",
    ]


def test_a_wide_terminal_shows_names_and_lines_in_full():
    state = State(0.0, [job("tests-3.12-" + "long-" * 6, 0.0, "x" * 140)], 0, [])

    assert board_lines(state, 7.0, 200, 24) == [
        f"tests-3.12-long-long-long-long-long-long-  7 s  {'x' * 140}",
        "1 running; 7 s",
    ]


def test_no_line_reaches_the_last_column():
    state = State(
        0.0,
        [
            job("日本" * 40, 0.0, "日本" * 200, usual_s=1e5, is_preparing=True),
            job("a" * 300, 0.0, "🐍" * 300),
        ],
        10**6,
        ["passed"] * 10**4,
    )

    for columns in (1, 2, 3, 9, 25, 39, 40, 41, 80, 200):
        lines = board_lines(state, 1e6, columns, 24)
        assert max(map(columns_of, lines)) < columns


def test_no_more_rows_are_filled_than_two_thirds():
    state = State(0.0, [job(f"j{number}") for number in range(30)], 0, [])

    lines = board_lines(state, 1.0, 80, 24)
    assert len(lines) == 16
    assert lines[-3:] == ["j13  1 s", "and 16 more", "30 running; 1 s"]
    assert board_lines(state, 1.0, 80, 1) == ["30 running; 1 s"]
    assert board_lines(state, 1.0, 80, 4) == ["and 30 more", "30 running; 1 s"]
    assert len(board_lines(state, 1.0, 80, 48)) == 31


def test_nothing_is_estimated_of_what_takes_no_time():
    state = State(0.0, [job("quick", usual_s=0.4), job("slow", usual_s=1.6)], 0, [])

    assert board_lines(state, 0.2, 80, 24)[:2] == ["quick  0 s", "slow   0 s of ~2 s"]


def test_a_run_that_ends_says_so():
    state = State(0.0, [job("lint")], 0, [], is_ending=True)

    assert board_lines(state, 1.0, 80, 24)[-1] == "ending: 1 running; 1 s"


def test_colours_take_no_columns():
    def paint(color: str, text: str) -> str:
        return f"<{color}>{text}</>" if color and text else text

    assert board_lines(THREE, 135.0, 40, 24, paint=paint)[1:3] == [
        "<bold>tests-3.12</>  12 s<thin> of ~30 s</>  tests/test_…",
        "<bold>docs</>         1 s           <bold>preparing</>",
    ]


# A terminal, as far as a board needs one. ------------------------------------------------


class Emulated:
    """What a terminal of so many columns shows of what is written to it."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.rows: list[str] = [""]
        self.at = (0, 0)

    def feed(self, text: str) -> None:
        for token in re.findall(r"\x1b\[[\d;]*[A-Za-z]|.", text, re.S):
            if not token.endswith("m") or len(token) == 1:  # colours
                self._take(token)

    def _take(self, token: str) -> None:
        row, column = self.at
        if token == "\r":
            self.at = (row, 0)
        elif token == "\n":
            self.at = (row + 1, 0)  # as terminals are set up
            if row + 1 == len(self.rows):
                self.rows.append("")
        elif token == "\x1b[K":
            self.rows[row] = self.rows[row][:column]
        elif token == "\x1b[J":
            self.rows[row:] = [self.rows[row][:column]]
        elif token.endswith("A"):
            self.at = (row - int(token[2:-1]), column)
            assert self.at[0] >= 0
        elif token.endswith("C") and len(token) > 1:
            self.at = (row, column + int(token[2:-1]))
        else:
            assert len(token) == 1, token
            assert column < self.columns
            self.rows[row] = (
                self.rows[row].ljust(column)[:column] + token + self.rows[row][column + 1 :]
            )
            self.at = (row, column + 1)

    def lines(self) -> list[str]:
        """The rows down to the cursor's, and further where there is something."""
        rows = [row.rstrip() for row in self.rows]
        while not rows[-1] and len(rows) - 1 > self.at[0]:
            rows.pop()
        return rows


class Watched(Screen):
    """A screen whose size and taking are what a test says."""

    width, height, takes = 80, 24, True

    def size(self) -> os.terminal_size:
        return os.terminal_size((self.width, self.height))

    def is_ours(self) -> bool:
        return True

    def _is_taking(self) -> bool:
        return self.takes


def drawn(stream: Told, terminal: Emulated) -> list[str]:
    terminal.feed(stream.take())
    return terminal.lines()


def test_what_is_drawn_is_drawn_again_in_its_place(told: Told):
    screen, terminal = Watched(told), Emulated()
    terminal.feed("above\n")

    screen.draw(["one", "two, and more", "three"])
    assert drawn(told, terminal) == ["above", "one", "two, and more", "three", ""]
    screen.draw(["1", "2"])
    assert drawn(told, terminal) == ["above", "1", "2", ""]
    screen.erase()
    assert drawn(told, terminal) == ["above", ""]
    assert terminal.at == (1, 0)


def test_what_has_not_changed_is_not_drawn(told: Told):
    screen = Watched(told)
    screen.draw(["one"])
    told.take()

    assert screen.draw(["one"])
    assert told.take() == ""
    screen.erase()
    screen.erase()
    assert told.take() == "\r\x1b[1A\x1b[K\n\x1b[J\x1b[1A"


def test_a_terminal_that_takes_nothing_is_not_waited_for(told: Told):
    screen = Watched(told)
    screen.takes = False

    assert not screen.draw(["one"])
    assert told.take() == ""


def test_a_terminal_that_has_become_narrower_has_wrapped_the_lines(told: Told):
    screen = Watched(told)
    screen.draw(["\x1b[1m" + "x" * 70 + "\x1b[0m", "日本" * 10, ""])
    told.take()
    screen.width = 30

    screen.erase()
    assert told.take() == "\r\x1b[6A\x1b[K\n\x1b[J\x1b[1A"


@POSIX
def test_the_foreground_of_no_terminal_is_ours():
    assert Screen(io.StringIO()).is_ours()
    assert Screen(io.StringIO()).size() == (0, 0)
    with open(os.devnull, "w") as stream:
        assert Screen(stream).is_ours()
        assert Screen(stream).draw(["one"])


# When, and around what. ------------------------------------------------------------------


class Watching(Board):
    """A board on a screen that a test watches."""

    def __init__(self, folder: Path, stream: TextIO, clock: Clock, **usual_s: float) -> None:
        logs = Logs(str(folder), "run", lambda job: job, is_one=True)
        terminal = Terminal(stream, color=False, verbose=False, quiet=False)
        super().__init__(terminal, logs, lambda job: f"runenv {job}", usual_s, clock=clock)
        self.screen = self._screen = Watched(stream)

    def _write(self, stream: int, data: bytes) -> None:
        self._terminal.stream.write(data.decode())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def board(tmp_path: Path, clock: Clock, told: Told) -> Watching:
    return Watching(tmp_path, told, clock, tests=30.0)


def ready(job: str) -> EnvironmentReady:
    return EnvironmentReady(job, "reused", "", "/p", "cpython 3.13.0", 0.1)


def test_a_board_shows_what_runs(board: Watching, clock: Clock, told: Told):
    board.begin("lint")
    board.begin("tests")
    board.expect(["docs", "more"])
    board.take("tests", 1, b"\x1b[32mone\x1b[0m\ntwo 10%\rtwo 20%\r\n\n")
    board.note(ready("tests"))
    clock.now = 5.0

    board.tick()

    assert drawn(told, Emulated()) == [
        "lint   5 s           preparing",
        "tests  5 s of ~30 s  two 20%",
        "2 running, 2 waiting; 5 s",
        "",
    ]


def test_it_is_drawn_ten_times_a_second_at_most(board: Watching, clock: Clock, told: Told):
    board.begin("lint")
    board.tick()
    told.take()

    clock.now = 0.06
    board.take("lint", 1, b"one\n")
    assert board.tick() == pytest.approx(0.04)
    assert told.take() == ""
    clock.now = 0.1
    assert board.tick() == pytest.approx(0.9)
    assert "one" in told.take()


def test_without_a_change_it_is_drawn_when_a_second_has_passed(
    board: Watching, clock: Clock, told: Told
):
    board.begin("lint")
    clock.now = 0.3
    assert board.tick() == pytest.approx(0.7)
    told.take()

    clock.now = 0.9
    assert board.tick() == pytest.approx(0.1)
    assert told.take() == ""
    clock.now = 1.0
    assert board.tick() == 1.0
    assert told.take() != ""


def test_a_block_stands_above_the_board(board: Watching, clock: Clock, told: Told):
    terminal = Emulated()
    for name in ("lint", "tests"):
        board.begin(name)
        board.note(ready(name))
    board.take("lint", 1, b"first\nsecond\n")
    board.tick()
    drawn(told, terminal)

    board.hear(JobEnded(Outcome("lint", "passed", "", 1.0)))
    assert drawn(told, terminal) == ["first", "second", "✓ passed    lint    1.00 s", ""]

    clock.now = 1.0
    board.tick()
    assert drawn(told, terminal)[3:] == [
        "tests  1 s of ~30 s",
        "1 running, 1 passed; 1 s",
        "",
    ]


def test_at_the_end_nothing_of_the_board_is_left(board: Watching, told: Told):
    terminal = Emulated()
    board.begin("lint")
    board.tick()
    board.end()

    assert drawn(told, terminal) == [""]


def test_what_the_terminal_did_not_take_is_drawn_soon(board: Watching, clock: Clock, told: Told):
    board.begin("lint")
    board.screen.takes = False
    assert board.tick() == pytest.approx(0.1)
    assert told.take() == ""

    board.screen.takes = True
    clock.now = 0.2
    board.tick()
    assert told.take() != ""


def test_where_the_size_is_unknown_what_runs_is_told_now_and_then(
    board: Watching, clock: Clock, told: Told
):
    board.screen.width = 0
    board.begin("lint")
    board.tick()
    assert told.take() == ""

    clock.now = 30.0
    assert board.tick() == 1.0
    assert told.take() == "still running: lint (30 s)\n"


def test_a_signal_is_told(board: Watching, told: Told):
    board.begin("lint")
    board.cut()
    board.tick()

    assert "ending: 1 running" in told.take()


def test_of_much_output_a_line_is_kept(board: Watching):
    board.begin("lint")
    for _ in range(100):
        board.take("lint", 1, b"x" * 60_000)
    board.take("lint", 1, b"\n" + b"y" * 100)

    assert len(board._written["lint"]) == 4096
    assert board._last_line("lint") == "y" * 100


def test_the_head_of_a_block_is_no_line_of_output(board: Watching):
    board.begin("lint")
    board.take("lint", 1, "\n── \x1b[1mlint\x1b[0m ────── Check it\n".encode())
    assert board._last_line("lint") == ""

    board.take("lint", 1, b"-- Found it\n")
    assert board._last_line("lint") == "-- Found it"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_line_is_as_wide_in_an_encoding_that_lacks_its_signs(
    encoding: str, tmp_path: Path, clock: Clock
):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    board = Watching(tmp_path, stream, clock)
    board.begin("ü")
    board.take("ü", 1, ("日本" * 60).encode())
    board.tick()

    stream.flush()
    first = raw.getvalue().decode(encoding).partition("\x1b[K")[0].removeprefix("\x1b[m")
    assert len(first) == 79
    assert first.endswith("?...")


def test_a_job_that_never_started_leaves_the_board(board: Watching, told: Told):
    board.expect(["docs"])
    board.begin("lint")
    board.hear(JobEnded(Outcome("docs", "skipped", "lint did not pass")))
    board.tick()

    assert "1 running, 1 skipped; 0 s" in told.take()


def test_the_table_stands_where_the_board_was(board: Watching, told: Told):
    board.begin("lint")
    board.tick()
    told.take()

    board.close(Report((Outcome("lint", "passed", "", 1.0),), 1.0))

    assert told.take().startswith("\r\x1b[2A\x1b[K\n\x1b[J\x1b[1A\n")
