"""Errors that say what, where and the mend; near words; a user's traceback without our frames."""

from __future__ import annotations

import sys

import pytest

from runner.errors import (
    CommandFailed,
    CommandTimedOut,
    EnvfileError,
    EnvironmentBroken,
    InterpreterMissing,
    Interrupted,
    JobError,
    Mistake,
    RunnerError,
    SessionFailed,
    SessionSkipped,
    UsageError,
    cut_traceback,
    did_you_mean,
    nearest,
)
from runner.keywords import keyword_test


def test_an_error_is_shown_with_its_place_and_mend():
    assert str(RunnerError("it broke")) == "it broke"
    assert str(RunnerError("it broke", where="a.py:1")) == "a.py:1: it broke"
    assert (
        str(RunnerError("it broke", where="a.py:1", mend="mend it")) == "a.py:1: it broke\nmend it"
    )


def test_an_envfile_error_is_its_first_mistake_and_holds_all():
    mistakes = [Mistake("envfile.py:1", "one", "mend"), Mistake("envfile.py:2", "two")]
    error = EnvfileError(mistakes)

    assert (error.where, error.what, error.mend) == ("envfile.py:1", "one", "mend")
    assert error.mistakes == mistakes


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RunnerError, 2),
        (UsageError, 2),
        (JobError, 1),
        (InterpreterMissing, 1),
        (EnvironmentBroken, 1),
        (SessionFailed, 1),
        (CommandFailed, 1),
        (CommandTimedOut, 124),
    ],
)
def test_each_kind_has_its_exit_code(kind: type[RunnerError], code: int):
    assert kind("it broke").exit_code == code


def test_a_failed_command_knows_its_code():
    assert CommandFailed("it broke").returncode == 1
    assert CommandTimedOut("it broke", returncode=-9).returncode == -9


def test_no_except_exception_catches_an_interruption():
    assert not issubclass(Interrupted, Exception)
    assert Interrupted("SIGTERM", 143).exit_code == 143


def test_a_skip_is_no_failure_of_a_job():
    assert not issubclass(SessionSkipped, JobError)


def test_the_nearest_word_is_found_whatever_its_case():
    assert nearest("LNIT", ["tests", "Lint"]) == "Lint"
    assert nearest("zzz", ["tests", "lint"]) is None
    assert nearest("lint", []) is None


def test_of_words_that_differ_in_case_the_first_is_meant():
    assert nearest("LINT", ["Lint", "lint"]) == "Lint"


def test_a_near_word_is_asked_for_and_a_far_one_is_not():
    assert did_you_mean("lnt", ["lint"]) == "did you mean 'lint'?"
    assert did_you_mean("zzz", ["lint"]) == ""


@pytest.mark.parametrize("typed", ["tset", "tsets", "tess", "etsts", "testing"])
def test_two_slips_in_a_short_word_are_near(typed: str):
    assert nearest(typed, ["docs", "tests"]) == "tests"


@pytest.mark.parametrize("typed", ["tax", "build", "docs", "t", ""])
def test_another_short_word_is_not_near(typed: str):
    assert nearest(typed, ["tests", "lint"]) is None


# Tracebacks. ----------------------------------------------------------------------------


def caught_by(function) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def frames_in(text: str) -> list[str]:
    """The functions that the frames of a traceback are of."""
    return [line.rpartition("in ")[2] for line in text.splitlines() if line.startswith("  File")]


def test_our_frames_are_cut_and_the_users_stay():
    text = cut_traceback(caught_by(lambda: keyword_test("(")))

    assert frames_in(text) == ["caught_by", "<lambda>"]
    assert text.splitlines()[0] == "Traceback (most recent call last):"
    assert text.splitlines()[-3] == "runner.errors.UsageError: -k: a word is missing here"


def test_causes_and_contexts_are_cut_too():
    def caused():
        try:
            keyword_test("(")
        except UsageError as error:
            raise ValueError("one") from error

    def in_context():
        try:
            caused()
        except ValueError:
            raise KeyError("two")  # noqa: B904  # the context is what is tested

    text = cut_traceback(caught_by(in_context))

    assert frames_in(text) == ["caused", "in_context", "caused", "caught_by", "in_context"]
    assert "selection.py" not in text


def test_a_suppressed_context_is_not_shown():
    def suppresses():
        try:
            keyword_test("(")
        except UsageError:
            raise ValueError("one") from None

    assert frames_in(cut_traceback(caught_by(suppresses))) == ["caught_by", "suppresses"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no exception groups")
def test_the_exceptions_of_a_group_are_cut_too():
    def groups():
        raise ExceptionGroup("many", [caught_by(lambda: keyword_test("("))])  # noqa: F821

    assert "selection.py" not in cut_traceback(caught_by(groups))
