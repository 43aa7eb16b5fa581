"""A list that somebody picks from: what is found, what keys do, how it looks, and line by line."""

from __future__ import annotations

import io
import os
import sys

import pytest

from runner.picking import Choice, Question, by_lines, matching
from runner.picking.menu import Menu
from runner.widths import columns_of
from tests.terminals import open_terminal, resize

LINT = Choice("lint", "Check the style", ("quick",))
OLD = Choice("tests-3.12-old", "Run the tests", ("slow", "ci"))
NEW = Choice("tests-3.13-new", "Run the tests", ("slow",))
DOCS = Choice("docs", "Build the pages; lint them")
CHOICES = [LINT, OLD, NEW, DOCS]


# Searching. ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["lint", "tests-3.12-old", "tests-3.13-new", "docs"]),
        ("LINT", ["lint", "docs"]),  # a name, and what another is about
        ("old", ["tests-3.12-old"]),
        ("slow", ["tests-3.12-old", "tests-3.13-new"]),  # a tag
        ("run", ["tests-3.12-old", "tests-3.13-new"]),
        ("t313", ["tests-3.13-new"]),  # letters in order, where nothing has them together
        ("zzz", []),
    ],
)
def test_what_is_typed_finds(query: str, names: list[str]):
    assert [CHOICES[place].name for place in matching(query, CHOICES)] == names


def test_a_name_that_begins_with_it_comes_before_names_that_have_it():
    names = ["type-docs", "docs", "tags", "pages"]
    choices = [*map(Choice, names[:2]), Choice("tags", tags=("docs",)), Choice("pages", "docs")]

    assert [names[place] for place in matching("docs", choices)] == [
        "docs",
        "type-docs",
        "tags",
        "pages",
    ]


def test_letters_in_their_order_are_found_in_whatever_case():
    assert matching("dH", [Choice("Docs-html"), Choice("hd")]) == [0]


# Keys. --------------------------------------------------------------------------------


def pressed(*keys: str, several: bool = True) -> Menu:
    menu = Menu(Question("Run which?", "runs", several), CHOICES)
    for key in keys:
        menu.press(key)
    return menu


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["enter"], ["lint"]),
        (["down", "enter"], ["tests-3.12-old"]),
        (["ctrl-n", "ctrl-n", "ctrl-p", "enter"], ["tests-3.12-old"]),
        (["up", "enter"], ["docs"]),  # around
        (["end", "down", "enter"], ["lint"]),
        (["end", "home", "enter"], ["lint"]),
        (["page down", "enter"], ["tests-3.12-old"]),  # of one row, before it was shown
        (["page up", "enter"], ["lint"]),
        (["o", "l", "d", "enter"], ["tests-3.12-old"]),
        (["o", "l", "x", "backspace", "enter"], ["tests-3.12-old"]),
        (["n", "e", "w", "ctrl-u", "enter"], ["lint"]),
        (["down", "backspace", "ctrl-u", "enter"], ["tests-3.12-old"]),  # nothing to take back
        (["s", "-", "x", "ctrl-w", "down", "enter"], ["tests-3.13-new"]),
        (["down", " ", "up", " ", "enter"], ["tests-3.12-old", "lint"]),  # as they were marked
        (["tab", "tab", "enter"], ["lint", "tests-3.12-old"]),
        (["down", "back tab", " ", "enter"], ["tests-3.12-old", "lint"]),
        (["tab", "up", " ", "end", "enter"], ["docs"]),  # marked no more
        (["s", "l", "o", "w", "ctrl-a", "enter"], ["tests-3.12-old", "tests-3.13-new"]),
        (["ctrl-a", "ctrl-a", "enter"], ["lint"]),
        ([" ", "n", "e", "w", "enter"], ["lint"]),  # what was marked stays so
        (["left", "delete", "ctrl-x", "enter"], ["lint"]),  # mean nothing
    ],
)
def test_keys_pick(keys: list[str], names: list[str]):
    assert [CHOICES[place].name for place in pressed(*keys).picked] == names


@pytest.mark.parametrize("key", ["escape", "ctrl-c", "ctrl-d", "ctrl-g"])
def test_keys_that_leave(key: str):
    menu = pressed("tab", key)

    assert menu.is_left
    assert menu.picked == []


@pytest.mark.parametrize("keys", [[], ["z", "z", "enter"], ["z", "z", " ", "down", "up", "tab"]])
def test_where_nothing_is_found_nothing_is_picked(keys: list[str]):
    menu = pressed(*keys)

    assert menu.picked == []
    assert not menu.is_left


@pytest.mark.parametrize("key", [" ", "tab", "back tab", "ctrl-a"])
def test_where_one_is_wanted_none_is_marked(key: str):
    menu = pressed(key, "down", "enter", several=False)

    assert menu.marked == {}
    assert [CHOICES[place].name for place in menu.picked] == ["tests-3.12-old"]


# How it looks. ------------------------------------------------------------------------


def test_the_list_below_what_is_typed():
    assert pressed("s", "down", " ").lines(80, 24) == [
        "Run which? s",
        "    tests-3.12-old  Run the tests  [slow, ci]",
        "> ✓ tests-3.13-new  Run the tests  [slow]",
        "    docs            Build the pages; lint them",
        "    lint            Check the style  [quick]",
        "4 jobs, 1 marked; Space marks, Enter runs, Esc leaves",
    ]


def test_fewer_rows_leave_the_lines_below_where_they_are():
    assert pressed("o", "l", "d").lines(80, 24) == [
        "Run which? old",
        ">   tests-3.12-old  Run the tests  [slow, ci]",
        "",
        "",
        "",
        "1 of 4 jobs; Space marks, Enter runs, Esc leaves",
    ]


def test_nothing_found_is_said():
    assert pressed("z", "z").lines(40, 24)[:2] == [
        "Run which? zz",
        "    nothing has it; Backspace goes back",
    ]


def test_forty_columns():
    assert pressed("ctrl-a").lines(40, 24) == [
        "Run which?",
        "> ✓ lint            Check the style  […",
        "  ✓ tests-3.12-old  Run the tests  [sl…",
        "  ✓ tests-3.13-new  Run the tests  [sl…",
        "  ✓ docs            Build the pages; l…",
        "4 jobs, 4 marked",
        "Space marks, Enter runs, Esc leaves",
    ]


def test_where_no_signs_but_ascii_are_shown():
    assert pressed(" ").lines(34, 24, unicode=False)[1:3] == [
        "> + lint            Check the ...",
        "    tests-3.12-old  Run the te...",
    ]


def test_a_few_columns_show_the_name_alone_and_cut_in_its_middle():
    assert pressed().lines(14, 24)[1:5] == [
        ">   lint",
        "    test…-old",
        "    test…-new",
        "    docs",
    ]


def test_signs_of_two_columns():
    menu = Menu(Question("Run which?", "runs"), [Choice("日本語", "日本語日本語日本語"), LINT])

    assert menu.lines(28, 24)[1:3] == [">   日本語  日本語日本語日…", "    lint    Check the styl…"]


@pytest.mark.parametrize("columns", [1, 2, 5, 20, 40, 80, 200])
@pytest.mark.parametrize("rows", [1, 2, 4, 10, 24])
def test_no_line_is_wider_and_few_are_more_than_the_terminal_has(columns: int, rows: int):
    menu = pressed(*"a long search that is wider than a small terminal")
    lines = [*menu.lines(columns, rows), *pressed().lines(columns, rows)]

    assert max(map(columns_of, lines)) <= max(columns - 1, 2)
    assert len(menu.lines(columns, rows)) <= max(rows - 1, 3)


def many(count: int = 1000) -> Menu:
    choices = [Choice(f"s{number}") for number in range(count)]
    return Menu(Question("Run which?", "runs"), choices)


def rows_of(menu: Menu) -> list[str]:
    _, *rows, _, _ = menu.lines(40, 10)
    return rows


def test_ten_rows_show_a_page_with_what_is_stood_at():
    menu = many()
    assert rows_of(menu) == [">   s0", "    s1", "    s2", "    s3", "    s4", "    s5"]

    menu.press("page down")
    assert rows_of(menu) == [">   s6", "    s7", "    s8", "    s9", "    s10", "    s11"]

    menu.press("up")
    assert rows_of(menu)[-1] == ">   s5"

    menu.press("end")
    assert rows_of(menu) == ["    s994", "    s995", "    s996", "    s997", "    s998", ">   s999"]


def test_of_a_high_terminal_twenty_rows_are_taken():
    assert len(many().lines(80, 60)) == 1 + 20 + 1


def test_the_end_of_a_long_search_is_shown():
    assert pressed(*"abcdefghijklmnop").prompt(22) == "Run which? ghijklmnop"


def test_colours_repeat_what_signs_say():
    lines = pressed(" ").lines(80, 24, paint=lambda color, text: f"<{color}>{text}</>")

    assert lines[1] == "> ✓ <bold>lint</>            Check the style  [quick]"
    assert lines[-1].startswith("<thin>4 jobs, 1 marked;")


# Line by line. ------------------------------------------------------------------------


def asked(answers: str, choices: list[Choice] = CHOICES, *, several: bool = True):
    """The names that were picked, and what was written."""
    out = io.StringIO()
    question = Question("Run which?", "runs", several)
    picked = by_lines.ask(question, choices, out, io.StringIO(answers))
    return [choices[place].name for place in picked], out.getvalue()


ASKED = "Run which? Numbers (1 3-5), a name, or letters to search; nothing leaves: "


def test_numbers_are_picked_from_a_numbered_list():
    names, shown = asked("4 1-2,1\n")

    assert names == ["docs", "lint", "tests-3.12-old"]
    assert shown == (
        "1  lint  Check the style  [quick]\n"
        "2  tests-3.12-old  Run the tests  [slow, ci]\n"
        "3  tests-3.13-new  Run the tests  [slow]\n"
        "4  docs  Build the pages; lint them\n" + ASKED
    )


def test_names_are_picked():
    assert asked("docs lint\n")[0] == ["docs", "lint"]


def test_letters_search_and_the_numbers_are_those_of_what_was_found():
    names, shown = asked("new\n1\n")

    assert names == ["tests-3.13-new"]
    assert shown.endswith(ASKED + "1  tests-3.13-new  Run the tests  [slow]\n" + ASKED)


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_lines_are_folded_to_the_terminal():
    keyboard, inside = open_terminal()
    resize(inside, 30)
    with open(inside, "w", encoding="utf-8") as stream:
        by_lines.ask(Question("Run which?", "runs"), [DOCS], stream, io.StringIO("\n"))
        shown = os.read(keyboard, 4096).decode()
        while not shown.endswith("leaves: "):  # a terminal gives what it has by now
            shown += os.read(keyboard, 4096).decode()
    os.close(keyboard)

    assert shown.split("\r\n") == [
        "1  docs  Build the pages;",
        "   lint them",
        "Run which? Numbers (1 3-5), a",
        "name, or letters to search;",
        "nothing leaves: ",
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("5", "5: the numbers are 1 to 4\n"),
        ("1 3-9", "3-9: the numbers are 1 to 4\n"),
        ("0", "0: the numbers are 1 to 4\n"),
        ("3-1", "3-1: the numbers are 1 to 4\n"),
        ("zzz", "nothing has 'zzz'\n"),
    ],
)
def test_an_answer_that_means_nothing_is_told_and_asked_again(answer: str, told: str):
    names, shown = asked(f"{answer}\n2\n")

    assert names == ["tests-3.12-old"]
    assert shown.endswith(ASKED + told + ASKED)


@pytest.mark.parametrize(("answer", "end"), [("\n", ": "), ("", ": \n")])
def test_no_answer_leaves(answer: str, end: str):
    names, shown = asked(answer)

    assert names == []
    assert shown.endswith(end)


def test_where_one_is_wanted_two_are_asked_about_again():
    names, shown = asked("1 2\n2\n", several=False)

    assert names == ["tests-3.12-old"]
    assert "Run which? A number, a name" in shown
    assert "one of them, please\n" in shown


def test_of_many_forty_are_listed():
    names, shown = asked("41\ns999\n", [Choice(f"s{number}") for number in range(1000)])

    assert names == ["s999"]
    assert shown.splitlines()[38:41] == [
        "39  s38",
        "40  s39",
        "and 960 jobs more, which letters find",
    ]
    assert "41: the numbers are 1 to 40\n" in shown
