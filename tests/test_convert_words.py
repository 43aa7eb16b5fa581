"""Values as Python source."""

from __future__ import annotations

import ast

import pytest

from runner.convert.model import Code, Text, joined, literal
from runner.convert.words import Block, Choice, expression, list_of

ROOT = Code("ROOT")
NAME = Code("name")
GET = Code('os.environ.get("A", "b")')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ((), '""'),
        (("a",), '"a"'),
        ((NAME,), "name"),
        ((ROOT,), "str(ROOT)"),
        ((ROOT, "/a"), 'f"{ROOT}/a"'),
        (("a{}", NAME), 'f"a{{}}{name}"'),
        ((GET, "/a"), "f\"{os.environ.get('A', 'b')}/a\""),
        ((Code('f"{session.bin}/python"'), "3"), 'f"{session.bin}/python3"'),
        (("a\\", NAME), '"a\\\\" + name'),
        (('"', NAME), "'\"' + name"),
        ((ROOT, '"'), "str(ROOT) + '\"'"),
        ((Code("' '.join(x)"), "a"), "' '.join(x) + \"a\""),
        ((Code("a or b"), '"'), "(a or b) + '\"'"),
        ((Code("a if b else c"), "\\"), '(a if b else c) + "\\\\"'),
    ],
)
def test_a_text_is_one_expression(text: Text, shown: str):
    assert expression(text) == shown
    ast.parse(shown)


A, B = '"' + "a" * 40 + '"', '"' + "b" * 40 + '"'


def test_a_list_that_does_not_fit_has_an_item_a_line_also_in_a_list():
    inner = list_of([A, B], "deps")

    assert Block("f(", (inner, "1"), ")").lines("    ", after=",") == [
        "    f(",
        "        deps=[",
        f"            {A},",
        f"            {B},",
        "        ],",
        "        1,",
        "    ),",
    ]


def test_a_list_in_a_list_that_fits_stands_on_one_line():
    assert Block("f(", (list_of(["1", "2"]), Choice("*(", "[1]", "x", "[]")), ")").lines() == [
        "f([1, 2], *([1] if x else []))"
    ]


def test_a_choice_that_fits_stands_on_a_line_of_its_own():
    assert Block("[", (A, Choice("*(", f"[{B}]", "x", "[]")), "]").lines() == [
        "[",
        f"    {A},",
        f"    *([{B}] if x else []),",
        "]",
    ]


def test_a_choice_that_does_not_fit_has_its_test_on_a_line():
    assert Choice("*(", f"[{A}]", f"name == {B}", "[]").lines(after=",") == [
        "*(",
        f"    [{A}]",
        f"    if name == {B}",
        "    else []",
        "),",
    ]


def test_an_empty_list_stays_on_its_line_however_long():
    assert Block("x" * 90 + "(", (), ")").lines() == ["x" * 90 + "()"]


def test_a_text_with_something_unknown_is_no_literal():
    assert literal(("a", "b")) == "ab"
    assert literal(("a", NAME)) is None


def test_neighbours_that_are_known_are_one():
    assert joined(["a", "", "b", NAME, "c", "d"]) == ("ab", NAME, "cd")
