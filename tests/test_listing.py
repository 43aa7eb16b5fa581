"""The listing that completion keeps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from runner.errors import EnvfileError
from runner.listing import Listing, Own, listing_of

ENVFILE = """\
import runner

with open("executed", "a") as stream:
    stream.write("x")


@runner.session(python=["3.10", "3.13"], tags=["slow"])
def tests(session):
    \"\"\"Run the tests.

    All of them.
    \"\"\"


@runner.session
def lint(session):
    pass
"""


@pytest.fixture
def envfile(tmp_path: Path) -> Path:
    path = tmp_path / "envfile.py"
    path.write_text(ENVFILE)
    return path


def listing(envfile: Path) -> Listing:
    return listing_of(str(envfile), str(envfile.parent / "cache"))


def test_a_listing_has_the_options_of_sessions(envfile: Path):
    envfile.write_text(
        "import runner\n@runner.session\n"
        "def s(session, *, count: int = 1, fast: bool = True, of: 'Literal[1, 2]' = 1): ...\n"
    )

    made = listing(envfile)

    assert made.options == {
        "s": (
            Own("--count", "", "int"),
            Own("--fast", "", ""),
            Own("--no-fast", "", ""),
            Own("--of", "", "choice", ("1", "2")),
        )
    }
    assert listing(envfile) == made


def times_executed(envfile: Path) -> int:
    return len((envfile.parent / "executed").read_text())


def kept(envfile: Path) -> Path:
    return next((envfile.parent / "cache/listings").iterdir())


def test_a_listing_has_what_can_be_typed(envfile: Path):
    assert listing(envfile) == Listing(
        sessions={"tests": "Run the tests.", "lint": ""},
        jobs={"tests-3.10": "Run the tests.", "tests-3.13": "Run the tests.", "lint": ""},
        tags=("slow",),
        pythons=("3.10", "3.13"),
    )


def test_an_unchanged_envfile_is_executed_once(envfile: Path):
    assert listing(envfile) == listing(envfile)
    assert times_executed(envfile) == 1


def test_another_time_of_the_file_changes_nothing(envfile: Path):
    listing(envfile)
    envfile.write_text(ENVFILE)
    listing(envfile)

    assert times_executed(envfile) == 1


def test_a_changed_envfile_is_executed_again(envfile: Path):
    listing(envfile)
    envfile.write_text(ENVFILE.replace("def lint", "def style"))

    assert list(listing(envfile).sessions) == ["tests", "style"]


def test_a_changed_module_beside_it_is_noticed(tmp_path: Path):
    envfile = tmp_path / "envfile.py"
    envfile.write_text(
        "import runner, listing_helper\n"
        "@runner.session(tags=listing_helper.TAGS)\ndef a(session): ...\n"
    )
    helper = tmp_path / "listing_helper.py"
    helper.write_text('TAGS = ["one"]\n')
    assert listing(envfile).tags == ("one",)

    helper.write_text('TAGS = ["another"]\n')

    del sys.modules["listing_helper"]  # a TAB is a process of its own
    assert listing(envfile).tags == ("another",)


def test_a_pyproject_that_it_read_is_followed(tmp_path: Path):
    envfile = tmp_path / "envfile.py"
    envfile.write_text(
        "import runner\n"
        'TAGS = runner.project.load_toml(missing_ok=True).get("tags", [])\n'
        "@runner.session(tags=TAGS)\ndef a(session): ...\n"
    )
    assert listing(envfile).tags == ()

    (tmp_path / "pyproject.toml").write_text('tags = ["new"]\n')

    assert listing(envfile).tags == ("new",)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 0}', '{"format": 1, "python": 3}', "\0"],
)
def test_a_file_that_cannot_be_read_is_made_anew(envfile: Path, text: str):
    first = listing(envfile)
    kept(envfile).write_text(text)

    assert listing(envfile) == first
    assert listing(envfile) == first
    assert times_executed(envfile) == 2


def test_other_pythons_on_this_machine_make_it_anew(envfile: Path):
    listing(envfile)
    data = json.loads(kept(envfile).read_text())
    data["pythons here"] = ["3.0"]
    kept(envfile).write_text(json.dumps(data))

    listing(envfile)

    assert times_executed(envfile) == 2


def test_where_nothing_can_be_kept_it_is_executed_each_time(envfile: Path):
    (envfile.parent / "cache").write_text("a file where the folder would be")

    assert listing(envfile) == listing(envfile)
    assert times_executed(envfile) == 2


def test_a_wrong_envfile_has_no_listing(envfile: Path):
    envfile.write_text("import runner\n")

    with pytest.raises(EnvfileError):
        listing(envfile)


def test_where_nobody_knows_of_a_cache_nothing_is_kept(
    envfile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)

    assert list(listing_of(str(envfile), "").sessions) == ["tests", "lint"]
    assert list(tmp_path.rglob("*.json")) == []
