"""What is remembered of runs, in real files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.history import (
    Entry,
    Remember,
    is_flaky,
    lost_jobs,
    making_s,
    own_s,
    path_in,
    read,
    usual_s,
)
from runner.running import EnvironmentReady, JobStarted, Outcome, Report
from tests.conftest import ROOT


def add(path: Path, *outcomes: Outcome, at: float = 100.0, started: bool = True, **more) -> None:
    """Remember a run with these outcomes."""
    reporter = Remember(str(path), at=at, narrowed=more.get("narrowed", False))
    for outcome in outcomes:
        if started:
            reporter.hear(JobStarted(outcome.job, ""))
    reporter.close(Report(outcomes, 2.0))


def passed(*seconds: float, narrowed: bool = False) -> list[Entry]:
    return [Entry(1.0, "passed", s, narrowed) for s in seconds]


def results(path: Path, job: str = "lint") -> list[str]:
    return [entry.result for entry in read(str(path)).get(job, [])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(path_in(str(tmp_path)))


# Writing and reading. -----------------------------------------------------------------


def test_a_run_is_read_as_it_was_remembered(path: Path):
    add(path, Outcome("lint", "passed", "", 1.5), Outcome("tests-3.13", "failed", "it broke", 0.25))
    add(path, Outcome("lint", "timed out", "", 9.0), at=200.0, narrowed=True)

    assert read(str(path)) == {
        "lint": [Entry(102.0, "passed", 1.5, False), Entry(202.0, "timed out", 9.0, True)],
        "tests-3.13": [Entry(102.0, "failed", 0.25, False)],
    }


def test_the_memory_that_a_job_had_is_remembered(path: Path):
    add(path, Outcome("lint", "passed", peak_bytes=123_456_789), Outcome("docs", "passed"))

    entries = read(str(path))
    assert (entries["lint"][0].peak_bytes, entries["docs"][0].peak_bytes) == (123_456_789, 0)


def test_what_never_started_is_told_from_what_skipped_itself(path: Path):
    add(path, Outcome("lint", "skipped", "not now", 0.5))
    add(path, Outcome("lint", "skipped", "tests did not pass"), started=False)

    assert results(path) == ["skipped", "not started"]


def test_a_cached_result_is_no_new_one(path: Path):
    add(path, Outcome("lint", "passed", "", 1.5))
    add(path, Outcome("lint", "cached"))

    assert results(path) == ["passed"]


def test_without_a_file_nothing_is_remembered(path: Path):
    assert read(str(path)) == {}


def test_of_a_long_file_the_end_is_read(path: Path):
    for number in range(10):
        add(path, Outcome("old", "passed"), Outcome(f"j{number}", "passed"))

    line = path.stat().st_size // 10
    assert list(read(str(path), 3 * line)) == ["old", "j7", "j8", "j9"]
    assert list(read(str(path), 1)) == ["old", "j9"]  # the last run whatever it takes
    assert len(read(str(path), 100_000)) == 11


def test_what_cannot_be_written_is_no_error(tmp_path: Path):
    add(tmp_path / "nowhere" / "history", Outcome("lint", "passed"))

    assert os.listdir(tmp_path) == []


def test_a_name_that_no_encoding_has_is_remembered(path: Path):
    add(path, Outcome("l\udcffnt-日本", "passed"))

    assert list(read(str(path))) == ["l\udcffnt-日本"]


def test_a_line_that_a_killed_run_left_torn_takes_no_other_along(path: Path):
    add(path, Outcome("lint", "passed"))
    with open(path, "ab") as stream:
        stream.write(b'\n{"at":1,"jobs":[["lint","pas')
    add(path, Outcome("lint", "failed"))

    assert results(path) == ["passed", "failed"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b"1",
        b'{"jobs":[]}',
        b'{"at":1,"jobs":1}',
        b'{"at":1,"jobs":[["lint"]]}',
        b'{"at":NaN,"jobs":[["lint","passed",1]]}',
        b'{"at":1e300,"jobs":[["lint","passed",1]]}',
        b'{"at":1,"jobs":[["lint","passed",Infinity]]}',
        b'{"at":1,"jobs":[["lint","passed",-1]]}',
        b'{"at":1,"jobs":[["lint","exploded",1]]}',
        b'{"at":1,"jobs":[["lint","passed",1,"much"]]}',
        b'{"at":1,"jobs":[["lint","passed",1,-1]]}',
        b'{"at":1,"jobs":[["lint","passed",1,Infinity]]}',
        b'{"at":1,"jobs":' + b"[" * 100_000,
    ],
)
def test_a_line_that_is_none_counts_as_never_written(path: Path, line: bytes):
    add(path, Outcome("lint", "passed"))
    with open(path, "ab") as stream:
        stream.write(b"\n" + line)
    add(path, Outcome("lint", "failed"))

    assert results(path) == ["passed", "failed"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary())
def test_whatever_is_in_the_file_can_be_read(path: Path, content: bytes):
    path.write_bytes(content)
    add(path, Outcome("lint", "passed"))

    assert results(path)[-1:] == ["passed"]


def test_a_folder_in_its_place_is_no_error(path: Path):
    path.mkdir()
    add(path, Outcome("lint", "passed"))

    assert read(str(path)) == {}


# Its bounds. ------------------------------------------------------------------------------


def grow(path: Path) -> None:
    """As much as makes the next run shorten it, of a run that nobody can read."""
    with open(path, "ab") as stream:
        stream.write(b"\n" + b"x" * 1_000_000)


def test_when_the_file_has_grown_the_last_of_each_job_are_kept(path: Path):
    add(path, Outcome("seldom", "failed", "", 7.0))
    for number in range(30):
        add(path, Outcome("often", "passed", "", float(number)), at=float(number), narrowed=True)
    grow(path)
    add(path, Outcome("often", "failed", "", 30.0), at=30.0)

    entries = read(str(path))
    assert path.stat().st_size < 2000
    assert entries["seldom"] == [Entry(102.0, "failed", 7.0, False)]
    assert [entry.duration_s for entry in entries["often"]] == [float(n) for n in range(11, 31)]
    assert entries["often"][0] == Entry(13.0, "passed", 11.0, True)
    assert entries["often"][-1] == Entry(32.0, "failed", 30.0, False)
    assert os.listdir(path.parent) == [path.name]


def test_of_very_many_jobs_the_newest_are_kept(path: Path):
    add(path, *(Outcome(f"old-{n}", "passed") for n in range(9_000)))
    grow(path)
    add(path, *(Outcome(f"new-{n}", "passed") for n in range(9_000)))

    entries = read(str(path))
    assert len(entries) == 10_000
    assert all(f"new-{n}" in entries for n in range(9_000))


MANY = """
import sys
from runner.history import Remember
from runner.running import Outcome, Report
for number in range(200):
    Remember(sys.argv[1], at=1.0, narrowed=False).close(
        Report((Outcome(f"{sys.argv[2]}-{number}", "passed", "", 1.0),), 1.0)
    )
"""


def test_runs_that_end_at_once_lose_nothing(path: Path):
    runs = [
        subprocess.Popen([sys.executable, "-c", MANY, str(path), name], cwd=ROOT) for name in "abcd"
    ]

    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0, 0]
    assert sorted(read(str(path))) == sorted(f"{name}-{n}" for name in "abcd" for n in range(200))


# What follows from it. -----------------------------------------------------------------------


@pytest.mark.parametrize("result", ["failed", "timed out", "interrupted", "not started"])
def test_a_job_is_lost_when_it_did_not_pass_the_last_time(result: str):
    last = Entry(2.0, result, 1.0, False)

    assert lost_jobs({"lint": [*passed(1.0), last]}) == {"lint"}
    assert lost_jobs({"lint": [last, *passed(1.0)]}) == set()


def test_a_job_that_skipped_itself_is_not_lost():
    assert lost_jobs({"lint": [Entry(1.0, "skipped", 0.1, False)]}) == set()


def test_what_is_usual_is_the_median_of_the_last_ten_passes():
    failed = [Entry(1.0, "failed", 0.1, False)] * 10

    assert usual_s(passed(1.0, 2.0, 9.0), narrowed=False) == 2.0
    assert usual_s(passed(1.0, 2.0), narrowed=False) == 1.5
    assert usual_s([*passed(3.0), *failed], narrowed=False) == 3.0
    assert usual_s(passed(*[100.0] * 50, *[1.0] * 10), narrowed=False) == 1.0


def test_runs_with_arguments_are_compared_with_each_other():
    entries = [*passed(10.0), *passed(1.0, narrowed=True)]

    assert usual_s(entries, narrowed=False) == 10.0
    assert usual_s(entries, narrowed=True) == 1.0


def test_of_what_never_passed_nobody_knows_what_is_usual():
    assert usual_s([Entry(1.0, "failed", 1.0, False)], narrowed=False) is None


@pytest.mark.parametrize(
    ("turns", "flaky"),
    [
        ("", False),
        ("PPPPPPPPPP", False),
        ("FFFFFFFFFF", False),
        ("PPPPPFFFFF", False),  # broke
        ("FFFFFPPPPP", False),  # was mended
        ("PPPPFPPPPP", True),
        ("PFP", True),
        ("PSFSP", True),  # a skip is neither
        ("PTPPPPPPPP", True),
        ("PFPFPPPPPPPPPP", False),  # long ago
    ],
)
def test_a_job_is_flaky_that_passes_and_fails_by_turns(turns: str, flaky: bool):
    names = {"P": "passed", "F": "failed", "S": "skipped", "T": "timed out"}

    assert is_flaky([Entry(1.0, names[turn], 1.0, False) for turn in turns]) is flaky


# What jobs and their environments take. -------------------------------------------------


def made(seconds: float, *, ahead: bool = False, state: str = "created") -> EnvironmentReady:
    return EnvironmentReady("lint", state, "", "/e", "cpython 3.13.0", seconds, ahead)  # type: ignore[arg-type]  # a state


def test_what_making_an_environment_took_is_remembered_apart(path: Path):
    reporter = Remember(str(path), at=100.0, narrowed=False)
    for event in (JobStarted("lint", ""), made(3.0), made(2.0, ahead=True)):
        reporter.hear(event)
    reporter.close(Report((Outcome("lint", "passed", "", 4.0),), 5.0))

    (entry,) = read(str(path))["lint"]
    assert (entry.duration_s, entry.making_s, entry.inside_s) == (4.0, 5.0, 3.0)
    assert (own_s([entry], narrowed=False), making_s([entry])) == (1.0, 5.0)


def test_an_environment_that_was_there_took_nothing_to_make(path: Path):
    reporter = Remember(str(path), at=100.0, narrowed=False)
    for state in ("reused", "kept", "none"):
        reporter.hear(made(3.0, state=state))
    reporter.close(Report((Outcome("lint", "passed", "", 4.0),), 5.0))

    (entry,) = read(str(path))["lint"]
    assert (entry.making_s, entry.inside_s, making_s([entry])) == (0.0, 0.0, None)


def test_of_jobs_that_never_passed_nobody_knows_what_they_take():
    assert own_s([Entry(1.0, "failed", 2.0, False)], narrowed=False) is None


def test_of_environments_that_were_made_long_ago_nothing_is_estimated():
    made = [Entry(1.0, "passed", 60.0, False, 0, s, s) for s in [50.0] * 12 + [2.0] * 10]

    assert making_s(made) == 2.0
