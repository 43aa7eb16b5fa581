"""The command line as data, and which source of a setting wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.model import Request
from runner.settings import (
    BY_NAME,
    OPTIONS,
    misfit,
    parse,
    read_table,
    settle,
    size_bytes,
    unknown_variables,
    verb_for_word,
    wants_color,
)


def trouble(*argv: str) -> tuple[str, str]:
    """What is wrong with a command line, and the mend."""
    with pytest.raises(UsageError) as caught:
        parse(argv)
    return caught.value.what, caught.value.mend


def given(*argv: str) -> dict[str, object]:
    return dict(parse(argv).given)


# The command line. ------------------------------------------------------------------


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
            "runenv --help shows them all; what belongs to a session stands behind --",
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


# Which source wins. -----------------------------------------------------------------


def test_each_source_gives_way_to_the_one_before():
    sources: list[dict[str, str]] = [{"envdir": "a"}, {"RUNENV_ENVDIR": "b"}, {"envdir": "c"}, {"envdir": "d"}]  # fmt: skip
    won = []
    while sources:
        padded = [{}] * (4 - len(sources)) + sources
        settings = settle(*padded)
        won.append((settings.envdir, settings.origins["envdir"]))
        sources = sources[1:]
    settings = settle({}, {}, {}, {})
    won.append((settings.envdir, settings.origins["envdir"]))

    assert won == [
        ("a", "command line"),
        ("b", "RUNENV_ENVDIR"),
        ("c", "envfile"),
        ("d", "[tool.runenv]"),
        (".runenv", "default"),
    ]


def test_an_empty_variable_sets_nothing():
    assert settle({}, {"RUNENV_ENVDIR": ""}, {}, {}).envdir == ".runenv"


def test_variables_are_read_by_the_kind_of_their_option():
    settings = settle(
        {},
        {
            "RUNENV_FRESH": "Yes",
            "RUNENV_QUIET": "off",
            "RUNENV_PYTHON": "3.11,3.12",
            "RUNENV_KEYWORD": "a,b",
            "RUNENV_COLOR": "never",
        },
        {},
        {"quiet": True},
    )

    assert settings.fresh is True
    assert settings.quiet is False
    assert settings.python == ("3.11", "3.12")
    assert settings.keyword == ("a,b",)
    assert settings.color == "never"


@pytest.mark.parametrize(
    ("variable", "value", "mend"),
    [
        ("RUNENV_FRESH", "maybe", "it is 1 or 0"),
        ("RUNENV_COLOR", "neverr", "did you mean 'never'?"),
        ("RUNENV_BACKEND", "uvv", "did you mean 'uv'?"),
    ],
)
def test_a_variable_that_cannot_be_is_an_error(variable: str, value: str, mend: str):
    with pytest.raises(UsageError) as caught:
        settle({}, {variable: value}, {}, {})

    assert caught.value.what == f"{variable} cannot be {value!r}"
    assert caught.value.mend == mend


def test_lists_of_envfile_and_table_become_tuples():
    settings = settle({}, {}, {"default": ["lint"]}, {"python": ["3.12"]})

    assert settings.default == ("lint",)
    assert settings.python == ("3.12",)


def test_every_setting_has_its_origin():
    settings = settle({"fresh": True}, {}, {}, {})

    assert set(settings.origins) == {o.name for o in OPTIONS if not o.kind.startswith("verb")}
    assert {n for n, origin in settings.origins.items() if origin != "default"} == {"fresh"}


def test_every_setting_of_the_record_is_in_the_table():
    settings = settle({}, {}, {}, {})

    assert set(settings._fields) - {"origins"} == set(settings.origins)


# What a setting may be. ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("fresh", True, ""),
        ("fresh", 1, "it is True or False"),
        ("default", ["a", "b"], ""),
        ("default", (), ""),
        ("default", "lint", "write a list: ['lint']"),
        ("default", ["a", 1], "it is a list of strings"),
        ("default", None, "it is a list of strings"),
        ("envdir", ".envs", ""),
        ("envdir", 5, "it is a string"),
        ("color", "never", ""),
        ("color", "allways", "did you mean 'always'?"),
        ("color", "42", "it is one of auto, always, never"),
        ("backend", "uv|venv", ""),
        ("backend", "uvv", "did you mean 'uv'?"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_what_does(name: str, value: object, mend: str):
    assert misfit(BY_NAME[name], value) == mend


@pytest.mark.parametrize(
    ("table", "what", "mend"),
    [
        ({"defualt": []}, "[tool.runenv] has no 'defualt'", "did you mean 'default'?"),
        ({"fail-fast": True}, "[tool.runenv] has no 'fail-fast'", "did you mean 'fail_fast'?"),
        (
            {"0": True},
            "[tool.runenv] has no '0'",
            "there are python, default, jobs, fail_fast, timeout, skip_missing, backend, envdir, store, store_size, max_age, report, verbose, quiet, output, color",
        ),
        ({"fresh": True}, "[tool.runenv] has no 'fresh'", None),
        ({"default": "a"}, "[tool.runenv]: default cannot be 'a'", "write a list: ['a']"),
    ],
)
def test_a_table_with_what_cannot_be_is_an_error(
    table: dict[str, object], what: str, mend: str | None
):
    with pytest.raises(UsageError) as caught:
        settle({}, {}, {}, table)

    assert (caught.value.where, caught.value.what) == ("pyproject.toml", what)
    assert mend in (None, caught.value.mend)


# [tool.runenv]. ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '[tool.runenv]\ndefault = ["lint"]\n',
        '\ufeff[tool.runenv]\ndefault = ["lint"]\n',
        '[tool]\nrunenv = { default = ["lint"] }\n',
        '[tool]\nrunenv.default = ["lint"]\n',
        '[tool . "runenv"]\ndefault = ["lint"]\n',
    ],
)
def test_the_table_is_read_however_toml_lets_it_be_written(tmp_path: Path, text: str):
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")

    assert read_table(str(tmp_path)) == {"default": ["lint"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not toml, and no concern of ours",
        '[tool.ruff]\nselect = ["A"]\n',
        '[dependency-groups]\ndev = ["runenv-cli"]\n',
        'tool = "runenv"\n',
    ],
)
def test_without_the_table_nothing_is_set(tmp_path: Path, text: str):
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")

    assert read_table(str(tmp_path)) == {}


def test_without_a_pyproject_nothing_is_set(tmp_path: Path):
    assert read_table(str(tmp_path)) == {}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[tool.runenv]\ndefault = [", "pyproject.toml is not TOML: Invalid value"),
        (b"# \xff [tool.runenv]\n", "pyproject.toml is not TOML: 'utf-8' codec can't decode"),
        (b"tool.runenv = 5\n", "[tool.runenv] is no table"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes, what: str):
    (tmp_path / "pyproject.toml").write_bytes(content)

    with pytest.raises(UsageError) as caught:
        read_table(str(tmp_path))

    assert caught.value.where == "pyproject.toml"
    assert caught.value.what.startswith(what)


# Variables and colour. -----------------------------------------------------------------


def test_a_variable_that_sets_nothing_is_told_with_the_near_one():
    environ = {
        "RUNENV_ENVDIRR": "x",
        "RUNENV_COLOR": "x",
        "RUNENV_JOB": "x",
        "RUNENV_QZWYJKMNBPXHGD": "x",
    }

    assert unknown_variables(environ) == [
        "the variable RUNENV_ENVDIRR sets nothing; did you mean 'RUNENV_ENVDIR'?",
        "the variable RUNENV_QZWYJKMNBPXHGD sets nothing",
    ]


@pytest.mark.parametrize(
    ("color", "environ", "is_terminal", "colored"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "False"}, True, True),
    ],
)
def test_colour_is_decided_by_the_option_then_variables_then_the_terminal(
    color: str, environ: dict[str, str], is_terminal: bool, colored: bool
):
    assert wants_color(color, environ, is_terminal) is colored


def test_a_flag_that_may_name_something_stands_alone_or_with_names():
    assert parse(["--upgrade", "lint"]).given == {"upgrade": True, "sessions": ("lint",)}
    assert parse(["--upgrade=one,two", "--upgrade=three"]).given == {
        "upgrade_package": ("one", "two", "three")
    }


@pytest.mark.parametrize(
    "text, expected",
    [
        ("500MB", 500_000_000),
        ("10GB", 10_000_000_000),
        ("1 tb", 1_000_000_000_000),
        ("0", 0),
        ("", None),
        ("GB", None),
        ("10", None),
        ("1.5GB", None),
        ("-1GB", None),
        ("10GiB", None),
    ],
)
def test_a_size_is_a_number_of_bytes(text: str, expected: int | None):
    assert size_bytes(text) == expected


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
