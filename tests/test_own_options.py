"""What stands behind the names of sessions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.command_line import parse
from runner.errors import UsageError
from runner.load import load_project
from runner.model import Job
from runner.own_options import check_all_given, settle_own

ENVFILE = """\
from __future__ import annotations
from pathlib import Path
from typing import Literal
import runner

@runner.session
def lint(session): ...

@runner.session
def release(
    session,
    *,
    part: Literal["major", "minor"] = "minor",
    dry_run: bool = False,
    count: int = 1,
    skip: tuple[str, ...] = (),
    out: Path | None = None,
): ...

@runner.session
@runner.parametrize("api", ["old", "new"])
def tests(session, api, *, count: int = 1, seed: float | None = None): ...

@runner.session(requires=["release"])
def deploy(session, *, target: str, sure: bool): ...
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, ...]:
    envfile = tmp_path_factory.mktemp("project") / "envfile.py"
    return load_project(str(envfile), source=ENVFILE.encode()).jobs


Given = Callable[..., "dict[str, dict[str, object]]"]


def settled(jobs: tuple[Job, ...], *argv: str, here: str = ""):
    return settle_own(parse(argv).own, jobs, here)


@pytest.fixture
def given(jobs: tuple[Job, ...]) -> Given:
    """What jobs are given by a command line, by name; those that get something."""

    def given(*argv: str) -> dict[str, dict[str, object]]:
        return {job.name: dict(job.options) for job in settled(jobs, *argv).jobs if job.options}

    return given


@pytest.fixture
def trouble(jobs: tuple[Job, ...]) -> Callable[..., tuple[str, str]]:
    def trouble(*argv: str) -> tuple[str, str]:
        with pytest.raises(UsageError) as caught:
            settled(jobs, *argv)
        return caught.value.what, caught.value.mend

    return trouble


# What is read without knowing the sessions. ------------------------------------------


def test_without_options_of_sessions_nothing_is_left_to_read():
    assert parse(["lint", "-v", "tests", "--", "--own"]).own == ()


def test_names_and_options_that_are_none_of_ours_keep_their_order():
    request = parse(["lint", "release", "--part", "major", "-p", "3.12", "tests", "--x=1"])

    assert request.own == ("lint", "release", "--part", "major", "tests", "--x=1")
    assert request.given == {"sessions": ("lint", "release"), "python": ("3.12",)}


def test_an_option_of_ours_parts_an_option_from_what_follows():
    assert parse(["release", "--part", "-v", "major"]).own == ("release", "--part", None, "major")


def test_a_name_behind_dash_s_is_no_value():
    assert parse(["release", "--part", "-s", "lint"]).own == ("release", "--part", None, "lint")


def test_a_negative_number_is_a_value():
    assert parse(["release", "--count", "-3"]).own == ("release", "--count", "-3")


@pytest.mark.parametrize("verb", ["--explain", "--graph", "--list"])
def test_verbs_that_tell_what_a_run_does_take_what_a_run_takes(verb: str):
    assert parse([verb, "release", "--part", "major"]).own == ("release", "--part", "major")


def test_what_other_verbs_do_not_take_is_told_with_those_that_do():
    with pytest.raises(UsageError) as caught:
        parse(["--lock", "release", "--part", "major"])

    assert caught.value.mend == (
        "an option of a session goes with a run, --explain, --graph or --list;"
        " of runenv's own: did you mean '--report'?"
    )


def test_behind_the_name_that_a_verb_takes_an_option_is_most_likely_the_sessions():
    with pytest.raises(UsageError) as caught:
        parse(["--usage", "release", "--bump", "major"])

    assert caught.value.mend == (
        "an option of a session goes with a run, --explain, --graph or --list"
    )


def test_an_option_before_a_name_may_be_meant_for_behind_it():
    with pytest.raises(UsageError) as caught:
        parse(["--part", "major", "release"])

    assert caught.value.mend == (
        "did you mean '--report'?; what belongs to a session stands behind its name"
    )


@pytest.mark.parametrize(
    "argv",
    [
        ("--part", "major", "release"),
        ("release", "--usage", "release", "--part", "major"),
        ("--clean", "release", "--part", "major"),
        ("release", "--part", "major", "--matrix", "github"),
        ("--lock", "release", "--part=major"),
    ],
    ids=" ".join,
)
def test_nothing_is_ignored(argv: tuple[str, ...]):
    with pytest.raises(UsageError, match="there is no option --part"):
        parse(argv)


# What it means. -------------------------------------------------------------------------


def test_a_value_stands_behind_its_option_in_either_way(given: Given):
    expected = {"release": {"part": "major", "count": 3}}

    assert given("release", "--part", "major", "--count", "3") == expected
    assert given("release", "--part=major", "--count=3") == expected


def test_a_flag_takes_no_word_and_can_be_turned_off(jobs: tuple[Job, ...], given: Given):
    assert settled(jobs, "release", "--dry-run", "lint").sessions == ("release", "lint")
    assert given("release", "--dry-run", "lint") == {"release": {"dry_run": True}}
    assert given("release", "--no-dry-run") == {"release": {"dry_run": False}}


def test_an_option_belongs_to_the_session_that_it_follows(given: Given):
    assert given("release", "--count", "2", "lint", "tests", "--count", "3") == {
        "release": {"count": 2},
        "tests-old": {"count": 3},
        "tests-new": {"count": 3},
    }


def test_options_behind_a_job_are_that_jobs_alone(given: Given):
    assert given("tests-old", "--count", "2", "tests-new", "--seed", "-.5") == {
        "tests-old": {"count": 2},
        "tests-new": {"seed": -0.5},
    }


def test_options_behind_a_pattern_are_those_of_all_that_have_them(given: Given):
    assert given("*e*", "--count", "2") == {
        "release": {"count": 2},
        "tests-old": {"count": 2},
        "tests-new": {"count": 2},
    }


def test_what_may_be_repeated_adds_up(given: Given):
    argv = ("release", "--skip", "a", "--skip=b", "release", "--skip", "c")

    assert given(*argv) == {"release": {"skip": ("a", "b", "c")}}


def test_the_last_value_behind_a_name_wins(given: Given):
    assert given("release", "--count", "1", "--count", "2") == {"release": {"count": 2}}


def test_the_same_value_may_be_said_again(given: Given):
    argv = ("release", "--count", "1", "release", "--count", "1")

    assert given(*argv) == {"release": {"count": 1}}


def test_a_relative_path_starts_where_it_was_typed(jobs: tuple[Job, ...]):
    def out(text: str, here: str) -> object:
        found = settled(jobs, "release", "--out", text, here=here).jobs
        return dict(found[1].options)["out"]

    there = os.path.abspath("there")
    assert out("a", there) == Path(there, "a")
    assert out(there, os.path.abspath("here")) == Path(there)
    assert out("a", "") == Path("a")


def test_a_job_knows_the_words_that_say_the_same(jobs: tuple[Job, ...]):
    release = settled(jobs, "release", "--dry-run", "--skip", "a b", "--skip", "c").jobs[1]

    assert release.words == ("--dry-run", "--skip=a b", "--skip=c")


# What is wrong. -------------------------------------------------------------------------


def test_an_option_that_the_session_has_not(trouble):
    behind = "what belongs to its commands stands behind --"
    assert trouble("release", "--prt", "x") == (
        "session 'release' has no option --prt",
        f"did you mean '--part'?; {behind}",
    )
    assert trouble("lint", "--qqqq") == ("session 'lint' has no option --qqqq", behind)
    assert trouble("lint", "--part", "x") == (
        "session 'lint' has no option --part",
        "write it behind the name of a session that has it: 'release'",
    )


def test_a_value_that_is_missing(trouble):
    told = ("--part needs a value", "write --part major|minor")

    assert trouble("release", "--part") == told
    assert trouble("release", "--part", "-v", "major") == told
    assert trouble("release", "--part", "--dry-run") == told


def test_a_value_that_is_none(trouble):
    assert trouble("release", "--part", "mayor") == (
        "--part cannot be 'mayor'",
        "did you mean 'major'?",
    )
    assert trouble("release", "--part", "xyz") == (
        "--part cannot be 'xyz'",
        "it is one of major, minor",
    )
    assert trouble("release", "--count", "x") == ("--count cannot be 'x'", "it is a whole number")
    assert trouble("tests", "--seed", "x") == ("--seed cannot be 'x'", "it is a number")


def test_a_flag_with_a_value(trouble):
    assert trouble("release", "--no-dry-run=1") == (
        "--no-dry-run takes no value",
        "write --no-dry-run",
    )


def test_two_values_for_one_job(trouble):
    assert trouble("tests-old", "--count", "1", "tests", "--count", "2") == (
        "job 'tests-old' is named twice, with --count=1 and --count=2",
        "it runs once in a run: run runenv once for each",
    )


def test_a_name_that_there_is_not(trouble):
    assert trouble("relaese", "--part", "x")[0] == "no session or job is named 'relaese'"


def test_what_must_be_given_is_missed_until_it_is(jobs: tuple[Job, ...]):
    def missing(*argv: str) -> tuple[str, str] | None:
        return settled(jobs, *argv).jobs[-1].trouble

    assert jobs[-1].trouble == (
        "session 'deploy' needs --target and --sure",
        "write it behind its name: runenv deploy --target TEXT --sure",
    )
    assert missing("deploy", "--target=x") == (
        "session 'deploy' needs --sure",
        "write it behind its name: runenv deploy --target=x --sure",
    )
    assert missing("deploy", "--target=x", "--no-sure") is None


def test_jobs_that_have_all_may_run(jobs: tuple[Job, ...]):
    check_all_given(jobs[:-1])
    check_all_given(settled(jobs, "deploy", "--target=x", "--sure").jobs)

    with pytest.raises(UsageError) as caught:
        check_all_given(jobs)
    assert caught.value.mend.endswith("; default=False keeps it out of a plain runenv")
