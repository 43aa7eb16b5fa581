"""How the arguments of an installer are read and shown."""

from __future__ import annotations

import pytest

from runner.requirements.arguments import read_arguments, show_arguments, without_secrets


def read(*arguments: str) -> list[tuple[str, str, str]]:
    """Kind, option and value of each."""
    return [(a.kind, a.option, a.value) for a in read_arguments(arguments)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-r", "dev.txt"), [("file", "-r", "dev.txt")]),
        (("-rdev.txt",), [("file", "-r", "dev.txt")]),
        (("--requirement", "dev.txt"), [("file", "--requirement", "dev.txt")]),
        (("--requirement=dev.txt",), [("file", "--requirement", "dev.txt")]),
        (("--requirements", "dev.txt"), [("file", "--requirements", "dev.txt")]),
        (("-qr", "dev.txt"), [("option", "-q", ""), ("file", "-r", "dev.txt")]),
        (("-Urdev.txt",), [("option", "-U", ""), ("file", "-r", "dev.txt")]),
        (("-c", "c.txt"), [("file", "-c", "c.txt")]),
        (("--override", "o.txt"), [("file", "--override", "o.txt")]),
        (("-b", "b.txt"), [("file", "-b", "b.txt")]),
        (("-e", "."), [("editable", "-e", ".")]),
        (("-e=lib",), [("editable", "-e", "lib")]),
        (("--editable=lib",), [("editable", "--editable", "lib")]),
        (("-f", "wheels"), [("links", "-f", "wheels")]),
        (("--group", "test"), [("group", "--group", "test")]),
    ],
)
def test_every_spelling_of_an_option_is_read(
    arguments: tuple[str, ...], expected: list[tuple[str, str, str]]
):
    assert read(*arguments) == expected


def test_the_value_of_an_option_is_not_taken_for_a_requirement():
    assert read("--index-url", "./simple", "pytest") == [
        ("option", "--index-url", "./simple"),
        ("requirement", "", "pytest"),
    ]


def test_an_option_without_a_value_takes_none():
    assert read("--no-deps", "pytest") == [
        ("option", "--no-deps", ""),
        ("requirement", "", "pytest"),
    ]


def test_an_unknown_option_is_kept_with_its_text():
    assert read("--brand-new=3", "pytest") == [
        ("option", "--brand-new=3", ""),
        ("requirement", "", "pytest"),
    ]


def test_a_value_that_is_missing_is_left_to_the_installer():
    (argument,) = read_arguments(["-r"])

    assert (argument.value, argument.tokens) == ("", ("-r",))


def test_an_empty_value_is_kept():
    (argument,) = read_arguments(["--index-url", ""])

    assert argument.tokens == ("--index-url", "")


def test_a_single_dash_is_no_option():
    assert read("-") == [("requirement", "", "-")]


def test_an_empty_argument_says_nothing():
    assert read("", "pytest") == [("requirement", "", "pytest")]


def test_the_same_value_keeps_the_spelling():
    (argument,) = read_arguments(["--requirement=dev.txt"])

    assert argument.with_value("dev.txt") == ("--requirement=dev.txt",)


def test_another_value_stands_apart_from_its_option():
    (argument,) = read_arguments(["--requirement=dev.txt"])

    assert argument.with_value("/p/dev.txt") == ("--requirement", "/p/dev.txt")


def test_another_requirement_stands_alone():
    (argument,) = read_arguments(["./lib"])

    assert argument.with_value("/p/lib") == ("/p/lib",)


def test_an_argument_is_written_in_one_way():
    written = [argument.written() for argument in read_arguments(["-rdev.txt", "-r", "dev.txt"])]

    assert written == ["-r dev.txt", "-r dev.txt"]


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (("pytest", "-r", "requirements.txt", ".[cli]"), "pytest -r requirements.txt .[cli]"),
        (("requests>=2",), '"requests>=2"'),
        (("my lib",), '"my lib"'),
        (("lib @ file:///a$b",), "'lib @ file:///a$b'"),
        (("it's $5",), "'it'\"'\"'s $5'"),
    ],
)
def test_arguments_are_shown_as_a_person_types_them(tokens: tuple[str, ...], shown: str):
    assert show_arguments(tokens) == shown


def test_credentials_are_not_shown():
    assert (
        show_arguments(["--index-url", "https://me:secret@example.org/simple"])
        == '--index-url "https://****@example.org/simple"'
    )


def test_the_user_of_ssh_is_no_secret():
    text = "lib @ git+ssh://git@example.org/lib"

    assert without_secrets(text) == text
