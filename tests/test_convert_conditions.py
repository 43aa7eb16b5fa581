"""The test that a person would write for some of several environments."""

from __future__ import annotations

import pytest

from runner.convert.conditions import on_platform, only_factor
from runner.convert.conditions import test_of as written_test_of
from runner.convert.factors import split_condition

FOUR = ["py39-a", "py39-b", "py310-a", "py310-b"]
CASES = {
    # How it was written, of which names, for which it holds.
    ("a: x", "py39-a py39-b", "py39-a"): '"a" in factors',
    ("!a: x", "py39-a py39-b", "py39-b"): '"a" not in factors',
    ("a,c: x", "z-a z-b z-c", "z-a z-c"): 'not {"a", "c"}.isdisjoint(factors)',
    ("py39-a: x", "py39-a py39-b py310-a", "py39-a"): '"py39" in factors and "a" in factors',
    ("z-a: x", "z-a z-b", "z-a"): '"a" in factors',
    ("a-win32: x", "z-a z-b", "z-a"): '"a" in factors',
    ("a,nobody: x", "z-a z-b", "z-a"): '"a" in factors',
    ("py39-a,!py39-b: x", "py39-a py39-b py310-a py310-b", "py39-a py310-b"): (
        '("py39" in factors and "a" in factors) or ("py39" not in factors and "b" in factors)'
    ),
    ("py39-a,b: x", "py39-a py310-a z-b", "py39-a z-b"): (
        '("py39" in factors and "a" in factors) or "b" in factors'
    ),
    ("py39-!a,py310-!a: x", "py39-a py39-b py310-a py310-b", "py39-b py310-b"): (
        '"a" not in factors'
    ),
    ("py39-!a,py310-!a: x", "py39-a py39-b py310-b py311-b", "py39-b py310-b"): (
        '"a" not in factors and not {"py39", "py310"}.isdisjoint(factors)'
    ),
}


@pytest.mark.parametrize(("case", "test"), CASES.items())
def test_a_condition_is_kept_as_it_was_written(case: tuple[str, str, str], test: str):
    line, names, active = case

    assert written_test_of(active.split(), names.split(), split_condition(line)[0], "name") == test


@pytest.mark.parametrize(
    ("active", "names", "test"),
    [
        (FOUR, FOUR, ""),
        (["py39-a", "py310-a"], FOUR, '"a" in factors'),
        (["z-a", "z-b"], ["z-a", "z-b", "z-c"], '"c" not in factors'),
        (["py39-a"], FOUR, '"py39" in factors and "a" in factors'),
        (["z-a", "z-b"], ["z-a", "z-b", "z-c", "z-d"], 'not {"a", "b"}.isdisjoint(factors)'),
        (["py39-a", "py310-b"], FOUR, 'name in ("py39-a", "py310-b")'),
        (["z"], ["z", "z-a", "z-b", "z-c"], 'name == "z"'),
    ],
)
def test_a_condition_that_nobody_wrote_is_by_factors_else_by_names(
    active: list[str], names: list[str], test: str
):
    assert written_test_of(active, names, (), "name") == test


@pytest.mark.parametrize("line", ["win32: x", "b: x"])
def test_what_was_written_for_others_too_is_not_kept(line: str):
    when = split_condition(line)[0]

    assert written_test_of(["z-a"], ["z-a", "z-b"], when, "name") == '"a" in factors'


@pytest.mark.parametrize(
    ("active", "factor"),
    [(["py39-a", "py310-a"], "a"), (["py39-a", "py39-b"], "py39"), (["py39-a"], "")],
)
def test_the_factor_that_these_alone_have(active: list[str], factor: str):
    assert only_factor(active, FOUR) == factor


@pytest.mark.parametrize(
    ("test", "platform", "both"),
    [
        ("", "", ""),
        ("a", "", "a"),
        ("", "p or q", "p or q"),
        ("a", "p", "a and p"),
        ("a or b", "p or q", "(a or b) and (p or q)"),
    ],
)
def test_a_test_and_a_platform_must_both_be_so(test: str, platform: str, both: str):
    assert on_platform(test, platform) == both
