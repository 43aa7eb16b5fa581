"""What a person sees of a run: every line as it is written."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from runner.model import Settings
from runner.reports import make_terminal
from runner.reports.terminal import Terminal
from runner.running import (
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
from tests.terminals import open_terminal, resize


class Stream(io.TextIOWrapper):
    """A stream in an encoding whose bytes can be looked at."""

    def __init__(self, encoding: str) -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding, newline="\n")

    def text(self) -> str:
        return self.raw_bytes.getvalue().decode(self.encoding)


def hear(*events: Event, encoding: str = "utf-8", width: int = 40, **said: Any) -> str:
    """What is written for the events."""
    stream = Stream(encoding)
    how = {"color": False, "verbose": False, "quiet": False, **said}
    terminal = Terminal(stream, width=width, **how)
    for event in events:
        terminal.hear(event)
    return stream.text()


def close(
    *outcomes: Outcome, encoding: str = "utf-8", by: str = "", width: int = 0, **said: Any
) -> str:
    """What is written at the end."""
    stream = Stream(encoding)
    how = {"color": False, "verbose": False, "quiet": False, **said}
    Terminal(stream, width=width, **how).close(
        Report(outcomes=outcomes, duration_s=75.4, interrupted_by=by)
    )
    return stream.text()


def ready(state: Any, reason: str = "", duration_s: float = 0.213) -> EnvironmentReady:
    return EnvironmentReady("lint", state, reason, "/p/.runenv/lint", "cpython 3.13.0", duration_s)


# The head of a job. --------------------------------------------------------------------------


def test_a_jobs_head_fills_the_line_with_its_description():
    assert hear(JobStarted("lint", "Check the style.")) == (
        "\n── lint ────────────── Check the style.\n"
    )


def test_a_head_in_ascii():
    assert hear(JobStarted("lint", ""), encoding="ascii") == (
        "\n-- lint -------------------------------\n"
    )


def test_a_description_that_has_no_room_is_left_out():
    assert hear(JobStarted("lint", "x" * 27)) == ("\n── lint ─── " + "x" * 27 + "\n")
    assert hear(JobStarted("lint", "x" * 28)) == "\n── lint ───────────────────────────────\n"


def test_a_name_longer_than_the_line_is_whole():
    assert hear(JobStarted("lint", ""), width=5) == "\n── lint ──\n"


# Environments. -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ready("none"), "environment: none (cpython 3.13.0)"),
        (ready("reused"), "environment: reused (cpython 3.13.0)"),
        (ready("created"), "environment: created in 0.21 s (cpython 3.13.0)"),
        (
            ready("rebuilt", "python changed (3.12.1 → 3.13.0)", 12.34),
            "environment: rebuilt in 12.3 s: python changed (3.12.1 → 3.13.0) (cpython 3.13.0)",
        ),
        (
            ready("kept", "deps changed (+six)"),
            "environment: kept as it is (--no-install): deps changed (+six) (cpython 3.13.0)",
        ),
    ],
)
def test_an_environment_is_told_with_why(event: EnvironmentReady, line: str):
    assert hear(event, width=0) == f"{line}\n"


def test_a_line_that_is_longer_than_the_terminal_is_wide_goes_on_below():
    told = hear(
        ready("rebuilt", "deps changed (+a-package-with-a-name-that-is-longer-than-a-line)")
    )

    assert told == (
        "environment: rebuilt in 0.21 s: deps\n"
        "    changed\n"
        "    (+a-package-with-a-name-that-is-longer-than-a-line)\n"
        "    (cpython 3.13.0)\n"
    )


def test_a_reason_stands_below_its_row_where_there_is_little_room_beside_it():
    failed = Outcome("tests-3.13", "failed", duration_s=0.8, reason="pytest exited with code 1")

    assert close(failed, width=57) == (
        "\n✗ failed    tests-3.13    0.80 s\n    pytest exited with code 1\n"
    )
    assert close(failed, width=59) == (
        "\n✗ failed    tests-3.13    0.80 s  pytest exited with code\n" + " " * 34 + "1\n"
    )
    assert close(failed, width=60) == (
        "\n✗ failed    tests-3.13    0.80 s  pytest exited with code 1\n"
    )


def test_an_arrow_that_cannot_be_shown_is_made_of_two_signs():
    assert "(a -> b)" in hear(ready("rebuilt", "python changed (a → b)"), encoding="latin-1")


# Commands and words. ---------------------------------------------------------------------------


def test_commands_are_shown_by_their_kind():
    run = CommandStarted("lint", "ruff check .", "run")
    install = CommandStarted("lint", "install ruff", "install")
    make = CommandStarted("lint", "uv venv", "make")

    assert hear(run, install, make) == "$ ruff check .\ninstall ruff\n"
    assert hear(run, install, make, verbose=True) == "$ ruff check .\ninstall ruff\nuv venv\n"


def test_of_a_command_of_megabytes_the_beginning_is_shown():
    long = CommandStarted("lint", f"python -c {'x' * 10_000_000}", "run")

    assert hear(long) == f"$ python -c {'x' * 3990} ... and 9,996,010 more characters\n"


def test_words_are_told_by_their_level():
    words = [Said("lint", level, f"{level} it") for level in ("debug", "info", "warning", "error")]

    assert hear(*words) == "info it\nwarning: warning it\nerror: error it\n"
    assert hear(*words, verbose=True) == "debug it\ninfo it\nwarning: warning it\nerror: error it\n"
    assert hear(*words, quiet=True) == "warning: warning it\nerror: error it\n"


def test_further_lines_stand_in():
    assert hear(Said("lint", "error", "one\ntwo\nthree")) == "error: one\n  two\n  three\n"


def test_a_further_line_is_folded_where_it_reaches_the_last_column():
    line = f"{'a' * 18} {'b' * 18}"  # with the 2 before it, 39

    assert hear(Said("a", "error", f"x\n{line}")) == f"error: x\n  {line}\n"
    assert hear(Said("a", "error", f"x\n{line}b")) == f"error: x\n  {'a' * 18}\n    {'b' * 19}\n"


def test_output_that_was_kept_back_is_shown_as_it_is():
    assert hear(Shown("lint", "a\tb\x1b[0m\n\n"), Shown("lint", "c"), Shown("lint", "")) == (
        "a\tb\x1b[0m\n\nc\n"
    )


def test_quiet_shows_only_what_went_wrong():
    events = [
        JobStarted("lint", ""),
        ready("created"),
        CommandStarted("lint", "ruff", "run"),
        JobEnded(Outcome("lint", "passed")),
    ]

    assert hear(*events, quiet=True) == ""
    assert hear(Shown("lint", "why"), quiet=True) == "why\n"


def test_the_end_of_a_job_is_left_to_the_table():
    assert hear(JobEnded(Outcome("lint", "failed", "it broke"))) == ""


def test_no_text_moves_the_cursor():
    event = CommandStarted("lint", "echo \x1b[2J\x07\udc80", "run")

    assert hear(event) == "$ echo \\x1b[2J\\x07\\udc80\n"
    assert hear(Said("lint", "info", "a\rb\nc\x1b")) == "a\\rb\n  c\\x1b\n"
    assert hear(JobStarted("l\x1bint", "")).startswith("\n── l\\x1bint ─")


def test_what_the_encoding_lacks_is_written_out():
    assert hear(Said("lint", "info", "ä → ☃"), encoding="latin-1") == "ä \\u2192 \\u2603\n"


# The table. --------------------------------------------------------------------------------------

OUTCOMES = (
    Outcome("lint", "passed", "", 0.213),
    Outcome("tests-3.13", "failed", "pytest exited with code 1", 61.0),
    Outcome("docs", "skipped", "lint did not pass"),
    Outcome("slow", "timed out", "sleep took longer than 1 s", 1.0),
    Outcome("known", "cached", "", 0.0),
    Outcome("last", "interrupted", "SIGINT", 9.996),
)


def test_the_table_has_a_row_for_each_job_and_how_many_of_each_there_were():
    assert close(*OUTCOMES, by="SIGINT") == (
        "\n"
        "✓ passed       lint            0.21 s\n"
        "✗ failed       tests-3.13  1 min 01 s  pytest exited with code 1\n"
        "- skipped      docs                    lint did not pass\n"
        "✗ timed out    slow            1.00 s  sleep took longer than 1 s\n"
        "✓ cached       known\n"
        "! interrupted  last            10.0 s  SIGINT\n"
        "1 passed, 1 failed, 1 skipped, 1 timed out, 1 cached, 1 interrupted in 1 min 15 s\n"
    )


def test_the_table_in_ascii():
    assert close(*OUTCOMES[:3], encoding="ascii") == (
        "\n"
        "+ passed    lint            0.21 s\n"
        "x failed    tests-3.13  1 min 01 s  pytest exited with code 1\n"
        "- skipped   docs                    lint did not pass\n"
        "1 passed, 1 failed, 1 skipped in 1 min 15 s\n"
    )


def test_one_job_needs_no_totals():
    assert close(OUTCOMES[0]) == "\n✓ passed    lint    0.21 s\n"


def test_of_a_run_of_nothing_there_is_nothing_to_say():
    assert close() == ""


def test_a_run_of_nothing_says_so_when_it_was_interrupted():
    assert close(by="SIGTERM") == "\nnothing ran in 1 min 15 s\n"


def test_quiet_tells_only_of_what_did_not_pass():
    assert close(OUTCOMES[0], OUTCOMES[4], quiet=True) == ""
    assert close(*OUTCOMES[:2], quiet=True) == (
        "\n"
        "✗ failed    tests-3.13  1 min 01 s  pytest exited with code 1\n"
        "1 passed, 1 failed in 1 min 15 s\n"
    )


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.001, "0.00 s"), (9.994, "9.99 s"), (9.996, "10.0 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (3601, "60 min 01 s")],
)  # fmt: skip
def test_durations_are_as_exact_as_a_person_needs(seconds: float, told: str):
    assert close(Outcome("a", "passed", "", seconds)) == f"\n✓ passed    a  {told:>8}\n"


# Narrow terminals, and signs of two columns. --------------------------------------------------------


def test_an_error_and_its_mend_are_folded_and_the_commands_in_it_are_whole():
    text = "no session of that name is declared\nenvfile.py:12\nname one that is there: runenv --exec tests -- python"

    assert hear(Said("a", "error", text)) == (
        "error: no session of that name is\n"
        "  declared\n"
        "  envfile.py:12\n"
        "  name one that is there:\n"
        "    runenv --exec tests -- python\n"
    )


def test_behind_the_names_of_jobs_there_is_less_room():
    stream = Stream("utf-8")
    terminal = Terminal(stream, width=60, color=False, verbose=False, quiet=False)
    terminal.is_behind_names = True
    assert terminal.room() == 60

    terminal.hear(JobStarted("tests-3.13", ""))

    assert terminal.room() == 60 - len("tests-3.13 | ")
    assert stream.text() == "\n── tests-3.13 ────────────────────────────────\n"


def test_the_columns_of_wide_signs_are_counted():
    assert close(Outcome("日本", "passed", "", 1), Outcome("tests", "skipped", "so", 0)) == (
        "\n✓ passed    日本     1.00 s\n- skipped   tests            so\n1 passed, 1 skipped in 1 min 15 s\n"
    )
    assert hear(JobStarted("日本", "日本")) == "\n── 日本 ────────────────────────── 日本\n"


# Colour. -------------------------------------------------------------------------------------------


def test_colours():
    assert hear(CommandStarted("lint", "ruff", "run"), color=True) == "\x1b[1m$ ruff\x1b[0m\n"
    assert hear(CommandStarted("lint", "install x", "install"), color=True) == (
        "\x1b[2minstall x\x1b[0m\n"
    )
    assert hear(Said("a", "info", "x"), Said("a", "error", "y"), color=True) == (
        "x\n\x1b[1;31merror: \x1b[0my\n"
    )
    assert hear(ready("created"), ready("reused"), color=True, width=0) == (
        "environment: created in 0.21 s (cpython 3.13.0)\n"
        "\x1b[2menvironment: reused (cpython 3.13.0)\x1b[0m\n"
    )
    assert hear(JobStarted("lint", "Told."), color=True) == (
        "\n── \x1b[1mlint\x1b[0m ─────────────────────────\x1b[2m Told.\x1b[0m\n"
    )


def test_the_columns_of_the_table_stand_below_each_other_in_colour_too():
    assert close(*OUTCOMES[:2], color=True) == (
        "\n"
        "\x1b[32m✓ passed\x1b[0m    lint            0.21 s\n"
        "\x1b[1;31m✗ failed\x1b[0m    tests-3.13  1 min 01 s  pytest exited with code 1\n"
        "1 passed, 1 failed in 1 min 15 s\n"
    )


# Streams. --------------------------------------------------------------------------------------------


def test_the_width_is_the_terminals():
    ours, theirs = open_terminal()
    resize(theirs, 30)
    with open(theirs, "w", encoding="utf-8") as stream, open(ours, "rb", buffering=0) as screen:
        reporter = make_terminal(stream, Settings(), {"TERM": "xterm"})
        reporter.hear(JobStarted("lint", ""))
        written = screen.read(1000).decode()

    assert written == "\r\n── \x1b[1mlint\x1b[0m ─────────────────────\r\n"


def test_without_a_terminal_there_are_80_columns_and_no_colour(tmp_path):
    with open(tmp_path / "log", "w", encoding="utf-8") as stream:
        reporter = make_terminal(stream, Settings(), {})
        reporter.hear(JobStarted("lint", ""))

    assert (tmp_path / "log").read_text("utf-8") == f"\n── lint {'─' * 71}\n"


def test_a_stream_without_a_file_has_80_columns():
    stream = io.StringIO()
    Terminal(stream, color=False, verbose=False, quiet=False).hear(JobStarted("lint", ""))

    assert stream.getvalue() == f"\n-- lint {'-' * 71}\n"


def test_a_reader_that_went_away_stops_nothing():
    reading, writing = os.pipe()
    os.close(reading)
    stream = open(writing, "w", encoding="utf-8")  # noqa: SIM115  # closing it is tested
    terminal = Terminal(stream, color=False, verbose=False, quiet=False)

    terminal.hear(Said("lint", "info", "x"))
    terminal.close(Report(outcomes=(), duration_s=0.0))

    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_stream_that_was_closed_stops_nothing():
    stream = Stream("utf-8")
    terminal = Terminal(stream, color=False, verbose=False, quiet=False, width=40)
    stream.close()

    with pytest.raises(ValueError, match="closed file"):
        stream.write("x")
    terminal.hear(Said("lint", "info", "x"))


def test_an_encoding_that_nobody_knows_shows_ascii():
    class Odd(io.StringIO):
        encoding = "no-such-encoding"  # type: ignore[assignment]  # what a broken locale gives

    assert Terminal(Odd(), color=False, verbose=False, quiet=False).unicode is False
