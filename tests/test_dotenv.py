"""Files of variables: what a line means, and which are no lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.dotenv import read_files
from runner.errors import EnvironmentBroken


@pytest.fixture
def read(tmp_path: Path):
    """The variables of a file with this text."""

    def read(text: str, **outer: str) -> dict[str, str]:
        (tmp_path / ".env").write_bytes(text.encode())
        return read_files([(".env", "envfile.py:3", str(tmp_path))], outer)

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=1", "1"),
        ("A=", ""),
        ("  export  A = 1 ", "1"),
        ("A=a b", "a b"),
        ("A=a b # c", "a b"),
        ("A= # c", ""),
        ("A=#fff", "#fff"),
        ("A=a#b", "a#b"),
        ("A=it's", "it's"),
        (r"A=C:\new", r"C:\new"),
        ("A=x=y", "x=y"),
        ("A=1$", "1$"),
        ("A=$1", "$1"),
        ("A='a # b' # c", "a # b"),
        (r"A='a\n$B ${C}'", r"a\n$B ${C}"),
        ("A='a\nb'", "a\nb"),
        ('A=""', ""),
        (r'A="a\nb\t\"\\\$B\d"', 'a\nb\t"\\$B\\d'),
        ('A="a\nb"  # c\n', "a\nb"),
        ("A=1\r\n\r\n", "1"),
        ("\ufeffA=1", "1"),
        ("A=1\nA=2", "2"),
        ("# c\n\n \t\nA=ä", "ä"),
    ],
)
def test_what_a_line_means(read, text: str, value: str):
    assert read(text) == {"A": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=${B}/c", "b/c"),
        ('A="${B}${B}"', "bb"),
        ("A=${NO:-default}", "default"),
        ("A=${EMPTY:-default}", "default"),
        ("A=${EMPTY}", ""),
        ("A=${NO:-}", ""),
    ],
)
def test_other_variables_are_replaced(read, text: str, value: str):
    assert read(text, B="b", EMPTY="") == {"A": value}


def test_what_stands_above_is_known_but_the_caller_has_the_last_word(read):
    assert read("A=file\nB=${A}") == {"A": "file", "B": "file"}
    assert read("A=file\nB=${A}", A="caller") == {"A": "caller", "B": "caller"}


def test_what_is_set_again_is_known_as_it_was_set_last(read, tmp_path: Path):
    assert read("A=1\nA=2\nB=${A}") == {"A": "2", "B": "2"}
    (tmp_path / "one").write_text("A=1\n")
    (tmp_path / "two").write_text("A=2\nB=${A}\n")
    assert read_files([("one", "", str(tmp_path)), ("two", "", str(tmp_path))], {}) == {
        "A": "2",
        "B": "2",
    }


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("A=1\nwords", "the line is not NAME=VALUE", 2),
        ("1A=1", "the line is not NAME=VALUE", 1),
        ("export A", "the line is not NAME=VALUE", 1),
        ("a-b=1", "the line is not NAME=VALUE", 1),
        ("A='1\n2", "the quote of A is not closed", 1),
        ('A="1\\"', "the quote of A is not closed", 1),
        ("B='\n'\nA='1'2", "something stands behind the value of A", 3),
        ("A=$B", "tools do not agree on what a bare $ stands for", 1),
        ('A="$B"', "tools do not agree on what a bare $ stands for", 1),
        ("A=${B", "tools do not agree on what a bare $ stands for", 1),
        ("A=${B-c}", "tools do not agree on what a bare $ stands for", 1),
        ("A=${B}", "${B} is not set", 1),
        ("\nA=a\0", "the value of A has a NUL in it", 2),
    ],
)
def test_what_is_no_line_is_an_error_with_its_place(read, text: str, what: str, line: int):
    with pytest.raises(EnvironmentBroken) as caught:
        read(text)

    assert (caught.value.what, caught.value.where) == (what, f".env:{line}")


def test_the_last_of_several_files_wins_and_knows_those_before(tmp_path: Path):
    (tmp_path / "one").write_text("A=1\nB=1\n")
    (tmp_path / "two").write_text("B=${A}2\n")

    assert read_files([(name, "", str(tmp_path)) for name in ("one", "-no", "-two")], {}) == {
        "A": "1",
        "B": "12",
    }


def test_a_tilde_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # of Windows
    (tmp_path / "one").write_text("A=1\n")

    assert read_files([("~/one", "", "elsewhere"), ("-~/one", "", "elsewhere")], {}) == {"A": "1"}


def test_a_link_that_leads_nowhere_is_no_missing_file(tmp_path: Path):
    (tmp_path / ".env").symlink_to("gone")

    with pytest.raises(EnvironmentBroken, match=r"there is no \.env"):
        read_files([("-.env", "", str(tmp_path))], {})
