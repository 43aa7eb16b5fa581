"""The command line as data."""

from __future__ import annotations

import pytest

from runner.command_line import given_words, parse, show_again, verb_for_word
from runner.errors import UsageError
from runner.model import Request


def trouble(*argv: str) -> tuple[str, str]:
    """What is wrong with a command line, and the mend."""
    with pytest.raises(UsageError) as caught:
        parse(argv)
    return caught.value.what, caught.value.mend


def given(*argv: str) -> dict[str, object]:
    return dict(parse(argv).given)


def test_an_empty_command_line_runs():
    assert parse([]) == Request(verb="run", argument=None, given={}, posargs=())


def test_words_are_names_and_what_stands_behind_two_dashes_is_handed_on():
    assert parse(["lint", "tests", "--", "-x", "--", "--list"]) == Request(
        verb="run",
        argument=None,
        given={"sessions": ("lint", "tests")},
        posargs=("-x", "--", "--list"),
    )


def test_options_may_stand_between_names():
    assert given("lint", "-x", "tests", "--fresh") == {
        "sessions": ("lint", "tests"),
        "fail_fast": True,
        "fresh": True,
    }


def test_names_keep_their_order_with_and_without_dash_s():
    assert given("-s", "b", "a", "--session=c") == {"sessions": ("b", "a", "c")}


def test_a_single_dash_is_a_name():
    assert given("-") == {"sessions": ("-",)}


@pytest.mark.parametrize(
    "argv",
    [("-p", "3.12"), ("-p3.12",), ("-p=3.12",), ("--python", "3.12"), ("--python=3.12",)],
    ids=" ".join,
)
def test_a_value_stands_behind_its_option_in_every_usual_way(argv: tuple[str, ...]):
    assert given(*argv) == {"python": ("3.12",)}


def test_short_flags_share_a_dash_and_the_last_may_have_a_value():
    assert given("-xvp3.12") == {"fail_fast": True, "verbose": True, "python": ("3.12",)}
    assert given("-xp", "3.12") == {"fail_fast": True, "python": ("3.12",)}


def test_values_add_up_and_commas_part_them():
    assert given("-t", "a,b", "-t", " c ") == {"tag": ("a", "b", "c")}


def test_a_range_of_versions_keeps_its_commas():
    assert given("-p", "3.10, >=3.11, <3.13, 3.14,>3") == {
        "python": ("3.10", ">=3.11,<3.13", "3.14", ">3")
    }


def test_expressions_and_names_keep_their_commas():
    assert given("-k", "a,b", "-s", "t(a=1, b=2)") == {
        "keyword": ("a,b",),
        "sessions": ("t(a=1, b=2)",),
    }


def test_of_a_single_value_the_last_one_counts():
    assert given("--color", "never", "--color=always") == {"color": "always"}


def test_a_value_may_be_a_single_dash_and_hold_an_equals_sign():
    assert given("--file", "-", "--envdir=a=b") == {"file": "-", "envdir": "a=b"}


@pytest.mark.parametrize(
    ("argv", "verb", "argument"),
    [
        (("--list",), "list", None),
        (("-l",), "list", None),
        (("--usage", "lint"), "usage", "lint"),
        (("--completion=zsh",), "completion", "zsh"),
        (("-h",), "help", None),
        (("--version", "--version"), "version", None),
        (("--list", "--help"), "help", None),
        (("-h", "--usage", "lint"), "help", None),
    ],
)
def test_a_verb_is_an_option(argv: tuple[str, ...], verb: str, argument: str | None):
    request = parse(argv)

    assert (request.verb, request.argument) == (verb, argument)


@pytest.mark.parametrize(
    ("argv", "what", "mend"),
    [
        (("--lsit",), "there is no option --lsit", "did you mean '--list'?"),
        (
            ("-Z",),
            "there is no option -Z",
            "runenv --help shows them all; what belongs to a session stands behind its name or --",
        ),
        (("-xZ",), "there is no option -Z", None),
        (("--fresh=yes",), "--fresh takes no value", "write --fresh"),
        (("-x=1",), "-x takes no value", "write -x"),
        (("--list=1",), "--list takes no value", "write --list"),
        (("--python",), "--python needs a value", "write --python V"),
        (("-p", "-x"), "-p needs a value", "write -p V"),
        (("--usage",), "--usage needs a value", "write --usage NAME"),
        (("-p", ""), "-p needs a value", "write -p V"),
        (("--tag=",), "--tag needs a value", "write --tag T"),
        (("--tag= , ",), "--tag needs a value", "write --tag T"),
        (("--envdir=",), "--envdir needs a value", "write --envdir DIR"),
        (("-f", ""), "-f needs a value", "write -f FILE"),
        (("--usage", ""), "--usage needs a value", "write --usage NAME"),
        (("--color=allways",), "--color cannot be 'allways'", "did you mean 'always'?"),
        (("--color", "42"), "--color cannot be '42'", "it is one of auto, always, never"),
        (("--completion", "tcsh"), "--completion cannot be 'tcsh'", None),
        (("--backend", "uvv"), "--backend cannot be 'uvv'", "did you mean 'uv'?"),
        (
            ("--backend", "uv|podman"),
            "--backend cannot be 'uv|podman'",
            None,
        ),
        (
            ("--list", "--clean"),
            "--list and --clean cannot be asked for at once",
            "run runenv once for each",
        ),
        (("--json",), "--json goes with --list, --explain or --doctor", "runenv --list --json"),
    ],
)
def test_what_cannot_be_meant_is_an_error_with_the_mend(
    argv: tuple[str, ...], what: str, mend: str | None
):
    said, help = trouble(*argv)

    assert said == what
    assert mend in (None, help)


def test_json_goes_with_list_and_explain():
    assert given("--list", "--json") == {"json": True}
    assert given("--json", "--explain") == {"json": True}


def test_a_word_that_names_a_verb_leads_to_its_option():
    assert verb_for_word("list") == "--list"
    assert verb_for_word("fresh") == ""
    assert verb_for_word("lint") == ""


def test_a_flag_that_may_name_something_stands_alone_or_with_names():
    assert parse(["--upgrade", "lint"]).given == {"upgrade": True, "sessions": ("lint",)}
    assert parse(["--upgrade=one,two", "--upgrade=three"]).given == {
        "upgrade_package": ("one", "two", "three")
    }


@pytest.mark.parametrize(
    "words, of_store, store",
    [
        (["--clean", "--store"], "images", None),
        (["--store", "--clean"], "images", None),
        (["--clean", "--store=all"], "all", None),
        (["--clean", "--store=./all"], "images", "./all"),
        (["--explain", "--store=/x"], "images", "/x"),
        (["--store=/x", "tests"], "", "/x"),
        (["--clean"], "", None),
    ],
)
def test_a_verb_is_about_the_store_where_that_stands_beside_it(
    words: list[str], of_store: str, store: str | None
):
    request = parse(words)

    assert (request.of_store, request.given.get("store")) == (of_store, store)


# Told again. ---------------------------------------------------------------------------


def test_options_are_told_as_they_were_given_but_those_that_select():
    options = given("-v", "-j", "2", "-t", "slow", "--upgrade=six", "--shard", "1/2", "tests")

    assert given_words(options) == ["--verbose", "--jobs=2", "--upgrade=six"]
    assert given_words(options, keep=("shard",)) == [
        "--verbose",
        "--jobs=2",
        "--upgrade=six",
        "--shard=1/2",
    ]


def test_what_runs_jobs_again_has_what_decides_what_they_do_and_nothing_else():
    asked = parse(
        (
            *("-C", "sub", "--backend", "venv", "-j", "4", "-x", "--timeout", "5m", "--fresh"),
            *("-t", "slow", "--report", "all.json", "-v", "--no-install", "--", "a b"),
        )
    )

    assert show_again([], asked) == (
        "runenv --directory=sub --backend=venv --timeout=5m --no-install -- 'a b'"
    )
