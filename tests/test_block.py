"""Blocks and lines of several jobs: what is shown when."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from runner.reports import Folds, make_folds
from runner.reports.block import Block, Cut
from runner.reports.folds import GitHubFolds, GitLabFolds
from runner.reports.live import Live
from runner.reports.logs import Logs
from runner.reports.terminal import Terminal
from runner.running import JobEnded, Outcome, Report


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Told(io.StringIO):
    """Keeps what we say."""

    encoding = "utf-8"

    def take(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def terminal(stream: io.StringIO) -> Terminal:
    return Terminal(stream, color=False, verbose=False, quiet=False)


def make(kind: type[Block], folder: Path, clock: Clock, stream: io.StringIO) -> Block:
    logs = Logs(str(folder), "run", lambda job: job, is_one=True)
    return kind(terminal(stream), logs, lambda job: f"runenv {job}", clock=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def block(tmp_path: Path, clock: Clock, told: Told) -> Block:
    return make(Block, tmp_path, clock, told)


@pytest.fixture
def live(tmp_path: Path, clock: Clock, told: Told) -> Block:
    return make(Live, tmp_path, clock, told)


def test_after_half_a_minute_of_silence_what_runs_is_told(block: Block, clock: Clock, told: Told):
    block.begin("lint")
    clock.now = 12.0
    block.begin("tests")
    clock.now = 29.0
    assert block.tick() == 1.0
    assert told.take() == ""

    clock.now = 30.0
    assert block.tick() == 30.0

    assert told.take() == "still running: lint (30 s), tests (18 s)\n"


def test_what_was_shown_meanwhile_is_a_sign_of_life_too(block: Block, clock: Clock, told: Told):
    block.begin("lint")
    block.begin("tests")
    clock.now = 20.0
    block.hear(JobEnded(outcome=Outcome("lint", "passed")))
    told.take()
    clock.now = 31.0

    assert block.tick() == 19.0
    assert told.take() == ""


def test_where_nothing_runs_nothing_is_told(block: Block, clock: Clock, told: Told):
    clock.now = 300.0
    block.tick()

    assert told.take() == ""


def test_a_job_that_never_started_has_no_block(block: Block, told: Told):
    block.hear(JobEnded(outcome=Outcome("lint", "skipped")))

    assert told.take() == ""


def test_a_signal_cuts_what_is_being_shown_alone(block: Block):
    block.cut()
    block._is_writing = True

    with pytest.raises(Cut):
        block.cut()


def test_what_was_cut_is_where_it_is_said_to_be(
    block: Block, told: Told, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    block.begin("lint")
    block.take("lint", 1, b"all of it\n")
    block._write = lambda *_: block.cut()  # type: ignore[method-assign]  # a signal comes meanwhile

    block.hear(JobEnded(outcome=Outcome("lint", "passed")))

    assert f"the rest is in {tmp_path}/run/lint.log\n" in told.take()
    assert (tmp_path / "run/lint.log").read_bytes() == b"all of it\n"


def test_live_a_line_without_an_end_is_not_waited_for_for_ever(
    live: Block, capfd: pytest.CaptureFixture[str]
):
    live.begin("a")
    live.take("a", 1, b"x" * (1 << 20))

    assert capfd.readouterr().out == "a | " + "x" * (1 << 20) + "\n"


def test_many_failures_are_not_all_shown_again(
    block: Block, told: Told, capfd: pytest.CaptureFixture[str]
):
    outcomes = tuple(Outcome(f"j{n}", "failed") for n in range(13))
    for outcome in outcomes:
        block.begin(outcome.job)
        block.hear(JobEnded(outcome=outcome))
    told.take()

    block.close(Report(outcomes, 1.0))

    text = told.take()
    assert text.count("failed; run it again: runenv") == text.count("\nall of it: ") == 10
    assert "\n3 more failed\n" in text


def test_the_latest_run_is_linked(tmp_path: Path):
    for run in ("1", "2"):
        Logs(str(tmp_path), run, lambda job: job, is_one=False)

    assert os.readlink(tmp_path / "latest") == "2"


# Folds. ---------------------------------------------------------------------------------


def folded(tmp_path: Path, folds: Folds, text: bytes) -> str:
    """What a job that wrote this looks like where its output is folded."""
    with open(tmp_path / "shown", "w+", encoding="utf-8", newline="") as stream:
        here = Terminal(stream, color=False, verbose=False, quiet=False, folds=folds)
        logs = Logs(str(tmp_path), "run", lambda job: job, is_one=True)
        block = Block(here, logs, str)
        block._write = lambda _, data: stream.write(data.decode())  # type: ignore[assignment, method-assign]  # to one place
        block.begin("100%")
        block.take("100%", 1, text)
        block.hear(JobEnded(outcome=Outcome("100%", "passed", "", 2.0)))
    return (tmp_path / "shown").read_bytes().decode()


def test_a_block_is_a_group_of_github(tmp_path: Path):
    assert folded(tmp_path, GitHubFolds(), b"::warning::its own\n") == (
        "::group::100%25\n::warning::its own\n::endgroup::\n✓ passed    100%    2.00 s\n"
    )


def test_a_group_ends_on_a_line_of_its_own(tmp_path: Path):
    assert "no end\n::endgroup::\n✓" in folded(tmp_path, GitHubFolds(), b"no end")


def test_a_block_is_a_section_of_gitlab(tmp_path: Path):
    name = f"runenv_{os.getpid()}_1"

    assert folded(tmp_path, GitLabFolds(lambda: 1000.5), b"its own\n") == (
        f"\x1b[0Ksection_start:998:{name}[collapsed=true]\r\x1b[0K100%\n"
        f"its own\n\x1b[0Ksection_end:1000:{name}\r\x1b[0K\n✓ passed    100%    2.00 s\n"
    )


def test_each_section_has_its_own_name():
    folds = GitLabFolds(lambda: 0.0)
    first, second = folds.begin("a", 0.0), folds.begin("a", 0.0)

    assert first != second


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, type(None)),
        ({"GITHUB_ACTIONS": "true"}, GitHubFolds),
        ({"GITHUB_ACTIONS": "false"}, type(None)),
        ({"GITLAB_CI": "true"}, GitLabFolds),
        ({"GITHUB_ACTIONS": "true", "RUNENV_JOB": "tests"}, type(None)),
    ],
)
def test_output_is_folded_where_an_engine_shows_it(environ: dict[str, str], kind: type):
    assert type(make_folds(environ)) is kind


def test_how_a_job_ended_stands_on_a_line_of_its_own(
    block: Block, told: Told, capfd: pytest.CaptureFixture[str]
):
    block.begin("lint")
    block.take("lint", 1, b"no end")
    block.hear(JobEnded(outcome=Outcome("lint", "passed", "", 2.0)))

    assert told.take() == "\n✓ passed    lint    2.00 s\n"
    assert capfd.readouterr().out == "no end"
