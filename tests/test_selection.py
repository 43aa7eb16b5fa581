"""What was asked for, as the jobs that are meant."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import UsageError
from runner.keywords import keyword_test
from runner.model import (
    Axis,
    Job,
    Needs,
    Param,
    SessionSpec,
    Settings,
)
from runner.plan import expand
from runner.selection import find_jobs, select

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def spec(name: str, **changes: Any) -> SessionSpec:
    plain = SessionSpec(name, print, "envfile.py:1", "", (), False, (), NEEDS, (), (), (), True)
    return plain._replace(**changes)


def expanded(*specs: SessionSpec) -> tuple[Job, ...]:
    notes: list[tuple[str, str, str]] = []
    jobs = expand(specs, lambda range: (), lambda *note: notes.append(note))
    assert notes == []
    return jobs


API = Axis(("api",), (Param(("old",)), Param(("new",), None, ("fast",))), "envfile.py:1")
JOBS = expanded(
    spec("lint", tags=("style", "Fast")),
    spec("tests", pythons=("3.10", "3.13"), names_python=True, axes=(API,)),
    spec("docs-site", tags=("docs",), default=False),
)


def chosen(*names: str, jobs: tuple[Job, ...] = JOBS, **said: Any) -> list[str]:
    return [job.name for job in select(jobs, Settings(sessions=names, **said)).jobs]


def trouble(*names: str, jobs: tuple[Job, ...] = JOBS, **said: Any) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        select(jobs, Settings(sessions=names, **said))
    return caught.value.what, caught.value.mend


# Names. ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("lint", ["lint"]),
        ("tests", ["tests-3.10-old", "tests-3.10-new", "tests-3.13-old", "tests-3.13-new"]),
        ("tests-3.13-old", ["tests-3.13-old"]),
        ("tests-3.13", ["tests-3.13-old", "tests-3.13-new"]),
        ("tests-old", ["tests-3.10-old", "tests-3.13-old"]),
        ("tests-*-old", ["tests-3.10-old", "tests-3.13-old"]),
        ("tests-3.1[3]-*", ["tests-3.13-old", "tests-3.13-new"]),
        ("t?sts", ["tests-3.10-old", "tests-3.10-new", "tests-3.13-old", "tests-3.13-new"]),
        ("tests-3.13(api='old')", ["tests-3.13-old"]),
        ('tests-3.13( api = "old" )', ["tests-3.13-old"]),
        ("tests(api='new')", ["tests-3.10-new", "tests-3.13-new"]),
        ("docs-site", ["docs-site"]),
    ],
)
def test_a_name_is_a_job_a_family_a_glob_a_part_or_noxs_spelling(name: str, jobs: list[str]):
    assert chosen(name) == jobs


def test_the_order_is_the_one_asked_for_and_each_job_comes_once():
    assert chosen("tests-3.13-old", "lint", "tests-old") == [
        "tests-3.13-old",
        "lint",
        "tests-3.10-old",
    ]


def test_a_jobs_own_name_goes_before_a_family_of_that_name():
    jobs = expanded(
        spec("a", axes=(Axis(("b",), (Param(("b",)),), "envfile.py:1"),)),
        spec("a-b-c"),
    )

    assert chosen("a-b", jobs=jobs) == ["a-b"]


def test_parts_may_be_left_out_where_they_are_equal():
    axis = Axis(("x",), (Param((1,), "a-a-b"), Param((2,), "a-c")), "envfile.py:1")
    jobs = expanded(spec("t", pythons=("3.12",), names_python=True, axes=(axis,)))

    assert chosen("t-a-b", jobs=jobs) == ["t-3.12-a-a-b"]
    assert chosen("t-3.12-a-c", jobs=jobs) == ["t-3.12-a-c"]


def test_blanks_inside_of_quotes_belong_to_the_value():
    axis = Axis(("x",), (Param(("a b",)), Param(("ab",))), "envfile.py:1")
    jobs = expanded(spec("t", axes=(axis,)))

    assert chosen("t(x='a b')", jobs=jobs) == ["t-a_b"]


@pytest.mark.parametrize(
    ("value", "spelled"),
    [
        ([42], "t-3.12(x=[ 0x2A, ])"),
        ("Joe's", r"t(x='Joe\'s')"),
        ('"a"', r't ( x = "\"a\"" )'),
    ],
)
def test_parameters_may_be_spelled_otherwise(value: object, spelled: str):
    axis = Axis(("x",), (Param((value,)), Param(("other",))), "envfile.py:1")
    jobs = expanded(spec("t", pythons=("3.12",), names_python=True, axes=(axis,)))

    assert chosen(spelled, jobs=jobs) == [jobs[0].name]


@pytest.mark.parametrize("name", ["t(x=[42.0])", "t(x=[42)", "t(x=\0)", "u(x=[0x2a])"])
def test_what_is_no_spelling_of_the_parameters_is_unknown(name: str):
    axis = Axis(("x",), (Param(([42],)),), "envfile.py:1")

    assert trouble(name, jobs=expanded(spec("t", axes=(axis,))))[0] == (
        f"no session or job is named {name!r}"
    )


@pytest.mark.parametrize(
    "name", ["tests-", "tests-3.1", "tests-3.13-", "tests-x", "lint-x", "", "x*"]
)
def test_a_name_that_is_none_of_these_is_unknown(name: str):
    assert trouble(name)[0] == f"no session or job is named {name!r}"


def test_an_unknown_name_is_told_with_the_near_one():
    assert trouble("lnt") == (
        "no session or job is named 'lnt'",
        "did you mean 'lint'?\n`runenv --list` shows them all",
    )


def test_all_unknown_names_are_told_together():
    assert trouble("lnt", "lint", "zzz", "docssite") == (
        "no sessions or jobs are named 'lnt' and 'zzz' and 'docssite'",
        "lnt: did you mean 'lint'?\ndocssite: did you mean 'docs-site'?\n`runenv --list` shows them all",
    )


def test_a_verb_typed_as_a_name_leads_to_its_option():
    assert trouble("list")[1] == "did you mean runenv --list?\n`runenv --list` shows them all"


def test_jobs_of_one_name_are_found_for_notify():
    assert [job.name for job in find_jobs("tests-new", JOBS)] == [
        "tests-3.10-new",
        "tests-3.13-new",
    ]


# Without names. ------------------------------------------------------------------------


def test_without_names_the_sessions_of_the_default_run():
    assert chosen() == [job.name for job in JOBS if job.name != "docs-site"]
    assert chosen(default=("docs-site", "lint")) == ["docs-site", "lint"]


def test_an_empty_default_is_an_error():
    assert trouble(default=())[0] == "nothing is named, and the default is nothing"


def test_no_session_by_default_is_an_error():
    jobs = expanded(spec("a", default=False))

    assert trouble(jobs=jobs)[0] == "nothing is named, and no session runs by default"


def test_only_what_was_named_counts_as_named():
    assert select(JOBS, Settings(sessions=("lint",))).named == {"lint"}
    assert select(JOBS, Settings()).named == frozenset()
    assert select(JOBS, Settings(tag=("docs",))).named == frozenset()


def test_what_narrows_leaves_of_the_named_only_what_is_left():
    selected = select(JOBS, Settings(sessions=("tests",), python=("3.13",), keyword=("old",)))

    assert selected.named == {"tests-3.13-old"}


# Pythons. --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pythons"),
    [
        ("3.13", ["3.13"]),
        ("3", ["3.9", "3.13", "3.13t", "3.12.4", "python3.14"]),
        ("3.1", []),
        ("3.12", ["3.12.4"]),
        ("3.13t", ["3.13t"]),
        ("python3.13", ["3.13"]),
        ("cpython-3.13", ["3.13"]),
        ("py3.13", ["3.13"]),
        ("3.14", ["python3.14"]),
        ("pypy3.11", ["pypy3.11"]),
        ("pypy3", ["pypy3.11"]),
        ("/opt/python", ["/opt/python"]),
        (">=3.10", ["3.13", "3.12.4", "python3.14"]),
        (">=3.9,<3.13", ["3.9", "3.12.4"]),
        ("<=3.12", ["3.9", "3.12.4"]),
        ("!=3.13", ["3.9", "3.12.4", "python3.14"]),
        (">=3.12t", ["3.13t"]),
    ],
)
def test_a_python_is_a_version_a_range_or_what_the_envfile_wrote(text: str, pythons: list[str]):
    there = ("3.9", "3.13", "3.13t", "3.12.4", "python3.14", "pypy3.11", "/opt/python", ">=3.9")
    jobs = (
        *(
            expanded(spec(f"s{number}", pythons=(python,)))[0]
            for number, python in enumerate(there)
        ),
        *expanded(spec("none")),
    )

    if pythons:
        assert [job.python for job in select(jobs, Settings(python=(text,))).jobs] == pythons
    else:
        assert trouble(jobs=jobs, python=(text,))[0] == f"no selected job runs on Python {text}"


def test_pythons_add_up():
    assert chosen("tests-old", python=("3.10", ">=3.13")) == ["tests-3.10-old", "tests-3.13-old"]


def test_a_range_that_is_none_is_an_error():
    assert trouble(python=(">=x",)) == ("--python cannot be '>=x'", "write 3.12 or '>=3.11'")


def test_a_python_on_which_nothing_runs_is_told_with_those_that_there_are():
    assert trouble("tests", python=("3.9", "3.8")) == (
        "no selected job runs on Python 3.9, 3.8",
        "there are 3.10, 3.13",
    )
    assert trouble("lint", python=("3.9",))[1] == "none of them names a Python"


# Tags. ------------------------------------------------------------------------------------


def test_tags_select_among_all_jobs_and_add_up():
    assert chosen(tag=("docs",)) == ["docs-site"]
    assert chosen(tag=("style", "fast")) == ["lint", "tests-3.10-new", "tests-3.13-new"]


def test_a_tag_narrows_names():
    assert chosen("tests", "lint", tag=("fast",)) == ["tests-3.10-new", "tests-3.13-new"]


def test_a_tag_that_nothing_has_is_told_with_the_near_one():
    assert trouble(tag=("stile",)) == (
        "no selected job has the tag stile",
        "did you mean 'style'?",
    )
    assert trouble(tag=("x", "y")) == (
        "no selected job has the tag x or y",
        "there are style, Fast, fast, docs",
    )
    assert trouble("lint", tag=("docs",))[1] == "there are style, Fast, fast, docs"
    assert trouble(tag=("x",), jobs=expanded(spec("a")))[1] == "no session has tags"


# Keywords. ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "jobs"),
    [
        ("lint", ["lint"]),
        ("LINT", ["lint"]),
        ("docs", ["docs-site"]),
        ("fast", ["lint", "tests-3.10-new", "tests-3.13-new"]),
        ("not tests", ["lint", "docs-site"]),
        ("not not lint", ["lint"]),
        ("tests and old", ["tests-3.10-old", "tests-3.13-old"]),
        ("lint or docs", ["lint", "docs-site"]),
        ("lint or tests and 3.10 and old", ["lint", "tests-3.10-old"]),
        ("(lint or tests) and not (3.10 or old)", ["lint", "tests-3.13-new"]),
        ("tests AND(OLD)And NOT 3.10", ["tests-3.13-old"]),
        ("not not(not(lint))", ["tests-3.10-old", "tests-3.10-new", "tests-3.13-old", "tests-3.13-new", "docs-site"]),
    ],
)  # fmt: skip
def test_keywords_match_names_and_tags(expression: str, jobs: list[str]):
    assert chosen(keyword=(expression,)) == jobs


@pytest.mark.parametrize(
    ("expression", "what", "caret"),
    [
        ("", "a word is missing here", 0),
        ("and", "a word is missing here", 0),
        ("lint and", "a word is missing here", 8),
        ("lint or or x", "a word is missing here", 8),
        ("not", "a word is missing here", 3),
        ("()", "a word is missing here", 1),
        ("(lint", "a ) is missing here", 5),
        ("(lint x)", "a ) is missing here", 6),
        ("lint tests", "'and' or 'or' is missing before this", 5),
        ("lint)", "'and' or 'or' is missing before this", 4),
        ("lint not x", "'and' or 'or' is missing before this", 5),
    ],
)
def test_an_expression_that_cannot_be_read_is_pointed_at(expression: str, what: str, caret: int):
    with pytest.raises(UsageError) as caught:
        keyword_test(expression)

    assert caught.value.what == f"-k: {what}"
    assert caught.value.mend == f"{expression}\n{' ' * caret}^"


def test_an_expression_of_many_parentheses_is_no_crash():
    expression = "(" * 5000 + "lint" + ")" * 5000

    with pytest.raises(UsageError) as caught:
        keyword_test(expression)

    assert caught.value.what == "-k: it is nested too deep"


def test_expressions_narrow_one_after_another():
    assert chosen(keyword=("tests", "old", "not 3.10")) == ["tests-3.13-old"]


def test_all_that_is_given_narrows_together():
    assert chosen("tests", "lint", python=("3.13",), tag=("fast",), keyword=("new",)) == [
        "tests-3.13-new"
    ]


def test_when_nothing_is_left_it_is_told_of_what():
    assert trouble("tests", keyword=("lint",)) == (
        "no selected job matches the keyword 'lint'",
        "there are tests-3.10-old, tests-3.10-new, tests-3.13-old, tests-3.13-new",
    )


def test_of_many_only_the_first_are_told():
    jobs = expanded(*(spec(f"s{number}") for number in range(10)))

    assert trouble(jobs=jobs, keyword=("x",))[1] == (
        "there are s0, s1, s2, s3, s4, s5, s6, s7 and 2 more"
    )
