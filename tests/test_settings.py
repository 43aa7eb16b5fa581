"""Which source of a setting wins, and what each may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.settings import (
    BY_NAME,
    OPTIONS,
    grace_s,
    misfit,
    read_table,
    settle,
    unknown_variables,
)

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


@pytest.mark.parametrize(
    ("sources", "seconds"),
    [
        (({}, {}, {}, {}), 5.0),
        (({"grace": "2s"}, {"RUNENV_GRACE": "1m"}, {}, {}), 2.0),
        (({}, {"RUNENV_GRACE": "1m"}, {"grace": 7}, {}), 60.0),
        (({}, {}, {"grace": 7}, {"grace": 0.5}), 7.0),
        (({}, {}, {}, {"grace": 0.5}), 0.5),
        (({"grace": "0"}, {}, {}, {}), 0.0),
    ],
)
def test_the_grace_is_5_seconds_or_what_a_source_says(
    sources: tuple[dict[str, str], ...], seconds: float
):
    assert grace_s(settle(*sources)) == seconds


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
        ("grace", 0, ""),
        ("grace", "1m", ""),
        ("grace", -1, "it is a number of seconds, or 5m, 1h"),
        ("grace", "soon", "it is a number of seconds, minutes or hours: 90s, 5m, 1h"),
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
            "there are python, default, jobs, fail_fast, timeout, grace, skip_missing, env_file, backend, envdir, store, store_size, max_age, report, verbose, quiet, output, color",
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


# Variables. -----------------------------------------------------------------


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
