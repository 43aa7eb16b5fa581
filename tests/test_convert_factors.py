"""tox's language of factors."""

from __future__ import annotations

import pytest

from runner.convert.factors import expand_names, holds, python_of, split_condition


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lint", ["lint"]),
        ("py39, lint", ["py39", "lint"]),
        ("py{39,310}-{a,b}", ["py39-a", "py39-b", "py310-a", "py310-b"]),
        ("py3{9-11}", ["py39", "py310", "py311"]),
        ("3.{12-10}", ["3.12", "3.11", "3.10"]),
        ("py3{13-}", ["py313", "py314", "py315"]),
        ("py39{,-cov}", ["py39", "py39-cov"]),
        ("a,,b,", ["a", "b"]),
        ("py-django-4-2", ["py-django-4-2"]),
    ],
)
def test_an_expression_stands_for_names(text: str, names: list[str]):
    assert expand_names(text) == names


def test_a_word_that_is_no_name_is_refused():
    with pytest.raises(ValueError, match=r"a\(b"):
        expand_names("a(b")


@pytest.mark.parametrize(
    ("line", "condition", "rest"),
    [
        ("django42: Django", ((("django42", False),),), "Django"),
        ("py39,py310: x", ((("py39", False),), (("py310", False),)), "x"),
        ("py39-!cov: x: y", ((("py39", False), ("cov", True)),), "x: y"),
        ("{a,b}: x", ((("a", False),), (("b", False),)), "x"),
        ("git+https://host/x", (), "git+https://host/x"),
        ("echo (a): b", (), "echo (a): b"),
    ],
)
def test_a_condition_stands_before_a_line(line: str, condition: object, rest: str):
    assert split_condition(line) == (condition, rest)


@pytest.mark.parametrize(
    ("condition", "name", "answer"),
    [
        ("x", "a", (True, "")),
        ("a: x", "py39-a", (True, "")),
        ("a: x", "py39-b", (False, "")),
        ("!a: x", "py39-b", (True, "")),
        ("a,b: x", "b", (True, "")),
        ("a-b: x", "a", (False, "")),
        ("win32: x", "py39", (True, 'sys.platform == "win32"')),
        ("!win32-a: x", "a", (True, 'sys.platform != "win32"')),
        ("win32,linux: x", "a", (True, 'sys.platform == "win32" or sys.platform == "linux"')),
        ("win32,a: x", "a", (True, "")),
    ],
)
def test_the_platform_of_a_condition_is_left_open(
    condition: str, name: str, answer: tuple[bool, str]
):
    assert holds(split_condition(condition)[0], frozenset(name.split("-"))) == answer


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("py39", "3.9"),
        ("py313t-cov", "3.13t"),
        ("lint-py310", "3.10"),
        ("3.12-a", "3.12"),
        ("pypy3", "pypy3"),
        ("pypy310", "pypy3.10"),
        ("pypy-3.11", "pypy3.11"),
        ("py3", "3"),
        ("py", None),
        ("lint", None),
        ("pypi", None),
    ],
)
def test_a_factor_names_the_python(name: str, python: str | None):
    assert python_of(name) == python
