"""What each reporter must bear: every event, streams of any encoding, nobody listening."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from typing import TextIO, get_args

import pytest

from runner.reports import REPORTERS, Reporter
from runner.reports.block import Block
from runner.reports.board import Board
from runner.reports.live import Live
from runner.reports.logs import Logs
from runner.reports.terminal import Terminal
from runner.reports.words import SYMBOLS
from runner.running import (
    CommandEnded,
    CommandStarted,
    EnvironmentReady,
    Event,
    JobEnded,
    JobStarted,
    Outcome,
    Report,
    Said,
    Shown,
)

# Not in ASCII, not in Latin-1, half of a pair, a cursor's movement, ends of lines.
ODD = "ünï — 日本 🐍 \udcff \x1b[2J \r\n last"

EVENTS: list[Event] = [
    *(JobStarted(job=ODD, doc=doc) for doc in ("", ODD, "long " * 50)),
    *(
        EnvironmentReady(ODD, state, reason, "/p", "cpython 3.13.0", seconds)
        for state in ("reused", "created", "rebuilt", "kept", "none")
        for reason, seconds in (("", 0.0), (f"1.0 → 2.0 {ODD}", 754.2))
    ),
    *(CommandStarted(job=ODD, show=ODD, kind=kind) for kind in ("run", "install", "make")),
    CommandEnded(job=ODD, show=ODD, kind="run", returncode=-9, duration_s=1.5, timed_out=True),
    CommandEnded(job="unheard of", show="x", kind="build", returncode=0, duration_s=1.5),
    *(Shown(job=ODD, text=text) for text in ("", "no end of line", ODD)),
    *(
        Said(job=ODD, level=level, text=text)
        for level in ("debug", "info", "warning", "error")
        for text in ("", ODD)
    ),
    *(JobEnded(Outcome(ODD, result, ODD, 1.5)) for result in SYMBOLS),
]
REPORTS = [
    Report((), 0.0),
    Report((Outcome("lint", "passed", "", 1.5),), 1.5),
    Report(tuple(Outcome(ODD, result, ODD, 61.0) for result in SYMBOLS), 3661.0, "SIGINT"),
]


def terminal(stream: TextIO) -> Reporter:
    return Terminal(stream, color=False, verbose=False, quiet=False)


def coloured_terminal(stream: TextIO) -> Reporter:
    return Terminal(stream, color=True, verbose=True, quiet=False, width=20)


def quiet_terminal(stream: TextIO) -> Reporter:
    return Terminal(stream, color=False, verbose=False, quiet=True)


def block(stream: TextIO) -> Reporter:
    return of_several(Block, stream)


def live(stream: TextIO) -> Reporter:
    return of_several(Live, stream)


def board(stream: TextIO) -> Reporter:
    return of_several(Board, stream)


def of_several(kind: type[Block], stream: TextIO) -> Reporter:
    logs = Logs(tempfile.mkdtemp(), "run", lambda job: "job", is_one=True)
    return kind(Terminal(stream, color=False, verbose=False, quiet=False), logs, str)


MAKERS = [terminal, coloured_terminal, quiet_terminal, board, block, live]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Callable[[TextIO], Reporter]:
    return request.param


def tell_all(reporter: Reporter) -> None:
    for event in EVENTS:
        reporter.hear(event)
    for report in REPORTS:
        reporter.close(report)


def test_there_are_events_of_every_kind():
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_each_reporter_of_the_table_is_tried():
    assert list(REPORTERS) == ["terminal", "board", "block", "live"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8", "utf-16"])
def test_every_event_can_be_told_in_any_encoding(make, encoding: str):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)

    tell_all(make(stream))

    stream.flush()
    assert "interrupted" in raw.getvalue().decode(encoding)


def test_a_stream_of_text_without_an_encoding_is_written_to(make):
    stream = io.StringIO()

    tell_all(make(stream))

    assert "interrupted" in stream.getvalue()


def test_a_pipe_that_nobody_reads_is_borne(make):
    reading, writing = os.pipe()
    os.close(reading)
    raw = io.FileIO(writing, "w")
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)

    tell_all(make(stream))

    raw.close()


def test_a_closed_stream_is_borne(make):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    reporter = make(stream)
    stream.close()

    tell_all(reporter)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_a_full_disk_is_borne(make):
    raw = io.FileIO("/dev/full", "w")
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)

    tell_all(make(stream))

    raw.close()


def test_what_failed_is_told_by_each(make, capfd: pytest.CaptureFixture[str]):
    stream = io.StringIO()
    reporter = make(stream)

    if isinstance(reporter, Block):  # the log has what the job told of itself
        reporter.begin("lint")
        reporter.take("lint", 1, b"it broke\nits output\n")
    reporter.hear(Said("lint", "error", "it broke"))
    reporter.hear(Shown("lint", "its output\n"))
    reporter.close(Report((Outcome("lint", "failed", "ruff exited with code 1", 1.0),), 1.0))

    # Whatever is folded at a narrow terminal.
    shown = " ".join((stream.getvalue() + capfd.readouterr().err).split())
    for told in ("it broke", "its output", "lint", "failed", "ruff exited with code 1"):
        assert told in shown


def test_no_name_or_reason_moves_the_cursor(make):
    stream = io.StringIO()
    reporter = make(stream)
    odd = "\x1b[2J\x07\x08"

    reporter.hear(JobStarted(odd, odd))
    reporter.hear(EnvironmentReady(odd, "rebuilt", odd, "/p", "cpython 3.13.0", 0.1))
    reporter.hear(CommandStarted(odd, odd, "run"))
    reporter.hear(Said(odd, "error", odd))
    reporter.close(Report((Outcome(odd, "failed", odd, 1.0),), 1.0))

    assert "[2J" in stream.getvalue()
    assert not [code for code in ("\x1b[2J", "\x07", "\x08") if code in stream.getvalue()]
