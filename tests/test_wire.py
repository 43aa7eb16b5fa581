"""What a worker tells is what its run hears."""

from __future__ import annotations

import pytest

from runner.executors.wire import from_line, to_line
from runner.running import JobEnded, Outcome, Shown
from tests.contracts.test_reporters import EVENTS, ODD


@pytest.mark.parametrize(
    "told",
    [
        *(event._replace(at_s=1.5) for event in EVENTS if not isinstance(event, JobEnded)),
        Outcome(
            "lint",
            "passed",
            ODD,
            1.5,
            (("a", None), ("b", ("-k", ODD)), ("c", ())),
            3,
            0,
            ("tcp://w:1",),
        ),
    ],
)
def test_it_comes_as_it_was_told(told):
    line = to_line(told)

    assert line.count(b"\n") == 1
    assert from_line(line) == told


def test_how_a_job_ended_is_not_told_as_an_event():
    assert to_line(JobEnded(Outcome("lint", "passed"))) == b""


def test_of_very_much_output_the_end_is_told_and_how_much_was_left_out():
    told = from_line(to_line(Shown("lint", "x" * 300_000 + "the end")))

    assert isinstance(told, Shown)
    assert (len(told.text), told.text[-8:], told.left_out) == (200_000, "xthe end", 100_007)
