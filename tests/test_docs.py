"""The reference names what there is, and what it promises is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from runner.declare import Options, session
from runner.handle import Session
from runner.model import Option, RunOptions
from runner.settings import OPTIONS
from tests.conftest import Folder

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
COMMAND_LINE = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
ENVFILE = (REFERENCE / "envfile.md").read_text(encoding="utf-8")


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = readme.partition("passes the tests")[2].split("```")[1].strip()

    assert command.startswith("python3 -m venv")
    assert f"\n{command}\n" in ci


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.flags], ids=lambda o: o.name)
def test_every_option_has_its_row_with_its_variable(option: Option):
    *short, long = option.flags
    cell = ", ".join(f"`{flag}`" for flag in [*short, option.written(long)])
    row = next(line for line in COMMAND_LINE.splitlines() if line.startswith(f"| {cell} |"))

    assert option.variable in row


@pytest.mark.parametrize("argument", session.__kwdefaults__ or {})
def test_every_argument_of_session_is_told(argument: str):
    assert re.search(rf"`{argument}\b", ENVFILE)


@pytest.mark.parametrize("name", Options.__annotations__)
def test_every_option_of_the_envfile_is_told(name: str):
    assert f"`{name}`" in ENVFILE


@pytest.mark.parametrize("name", [n for n in vars(Session) if not n.startswith("_")])
def test_every_member_of_session_is_told(name: str):
    assert re.search(rf"`{name}\b", ENVFILE)


@pytest.mark.parametrize("name", RunOptions.__annotations__)
def test_every_option_of_run_is_told(name: str):
    assert f"`{name}`" in ENVFILE


def validate(text: str, schema: str) -> None:
    jsonschema.validate(json.loads(text), json.loads((REFERENCE / schema).read_text()))


PROJECT = """
    @runner.session(python=["3.11", "3.10"], tags=["t"], deps=[])
    @runner.parametrize("value", ["a", 1, 1.5, None, float("inf"), object])
    def tests(session, value):
        "Run the tests."

    @runner.session(python=False, requires=["tests"], default=False)
    def none(session): ...
    """


def test_the_listing_is_what_its_schema_says(folder: Folder):
    folder.envfile(PROJECT)

    validate(folder.passes("--list", "--json").out, "listing.schema.json")


def test_the_explanation_is_what_its_schema_says(folder: Folder):
    folder.envfile(PROJECT)

    validate(folder.passes("--explain", "--json", "none").out, "explanation.schema.json")


def test_the_findings_are_what_their_schema_says(folder: Folder):
    validate(folder.passes("--doctor", "--json").out, "doctor.schema.json")
