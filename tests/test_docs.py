"""The reference names what there is, and what it promises is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import runner
from runner import __version__, surroundings
from runner.declare import Options, session
from runner.handle import Session
from runner.model import Option, RunOptions, Settings
from runner.settings import OPTIONS, misfit
from tests.conftest import ROOT, Folder
from tests.pages import PAGES, blocks_of, transcript_of

pytestmark = pytest.mark.measured

REFERENCE = ROOT / "docs" / "reference"
COMMAND_LINE = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
ENVFILE = (REFERENCE / "envfile.md").read_text(encoding="utf-8")


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = readme.partition("passes the tests")[2].split("```")[1].strip()

    assert command.startswith("python3 -m venv")
    assert f"\n{command}\n" in ci


@pytest.mark.parametrize("page", [COMMAND_LINE, ENVFILE], ids=["command line", "envfile"])
def test_the_size_that_a_store_may_have_is_the_one_told(page: str):
    assert re.findall(r'`"?(\d+GB)"?`\s\(the default\)', page) == [Settings().store_size]


FIGURES = {  # a line of the README → those of the page on speed, of runenv and of the others
    "a warm session, CPU": ("one session | CPU ms", None),
    "the same with the project as a wheel, CPU": ("one session, project's wheel | CPU ms", None),
    "a listing of ten sessions, CPU": ("list 10 sessions | CPU ms", None),
    "a typical environment that another project has, wall": (
        "known, typical, another project | wall ms",
        "first of its kind, typical | wall ms",
    ),
}


@pytest.mark.parametrize("line", FIGURES)
def test_the_figures_of_the_readme_are_those_of_the_page_on_speed(line: str):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    speed = (ROOT / "docs" / "explanation" / "speed.md").read_text(encoding="utf-8")

    def medians(case: str) -> list[str]:
        """Of a line of a part: the one with quartiles."""
        (found,) = re.findall(rf"^\| {re.escape(case)} \| (.* to .*) \|$", speed, re.MULTILINE)
        return [
            f"{float(cell.split()[0].replace(',', '')):.0f} ms"
            for cell in found.split(" | ")
            if cell != "–"
        ]

    (told,) = re.findall(rf"^\| {line} \| (.*?) \|$", readme, re.MULTILINE)
    ours, *theirs = [cell.strip().removesuffix(" with uv") for cell in told.split("|")]
    of_us, of_others = FIGURES[line]
    assert ours in medians(of_us)
    assert {cell for cell in theirs if cell} <= {*medians(of_others or of_us)}


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


VARIABLES = (REFERENCE / "variables.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(surroundings._NOT_INHERITED))
def test_every_variable_that_is_not_handed_on_is_told(name: str):
    assert f"`{name}`" in VARIABLES.partition("Not handed on")[2]


def test_every_variable_of_ours_that_is_looked_at_is_told():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "runner").rglob("*.py"))
    looked_at = set(re.findall(r'"(RUNENV_[A-Z_]+)"', code))
    settings = {option.variable for option in OPTIONS}

    assert looked_at - settings - {"RUNENV_"} == {"RUNENV_JOB", "RUNENV_WORKER"}
    assert "`RUNENV_JOB`" in VARIABLES
    assert "`RUNENV_WORKER`" in VARIABLES


API = (REFERENCE / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", runner.__all__)
def test_every_public_name_is_in_the_api(name: str):
    assert re.search(rf"^(\.\. \w+(:\w+)?:: {name}(\(\))?|## `runner\.{name}`)$", API, re.MULTILINE)


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


def test_the_matrix_is_what_its_schema_says(folder: Folder):
    folder.envfile(PROJECT)

    validate(folder.passes("--matrix", "json", "none", "tests").out, "matrix.schema.json")


def test_the_store_is_what_its_schema_says(folder: Folder):
    folder.envfile(PROJECT)
    folder.passes("tests-3.11-a")

    validate(folder.passes("--explain", "--store", "--json").out, "store.schema.json")


def test_the_findings_are_what_their_schema_says(folder: Folder):
    validate(folder.passes("--doctor", "--json").out, "doctor.schema.json")


SETTINGS = json.loads((REFERENCE / "settings.schema.json").read_text(encoding="utf-8"))


def test_the_schema_of_the_table_has_all_settings_and_no_others():
    assert set(SETTINGS["properties"]) == {o.name for o in OPTIONS if o.in_envfile}
    jsonschema.Draft202012Validator.check_schema(SETTINGS)


# Values of all kinds, right ones for each setting among them.
VALUES: list[object] = [
    True, False, 0, 1, 4, -1, 0.5, "", "auto", "always", "never", "board", "live", "4", "0", "90s",
    "uv", "none", "uv|venv", "uv | virtualenv", "none|uv", "pip", [], ["tests"], ["run.html"],
    ["run.xml", "run.trace.json"], ["run.pdf"], [1], {}, None,
]  # fmt: skip
# What a pattern would be a second parser of.
SAID_LOOSELY = {"timeout", "grace", "store_size", "max_age"}


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.in_envfile], ids=lambda o: o.name)
def test_the_schema_of_the_table_takes_what_runenv_takes(option: Option):
    validator = jsonschema.Draft202012Validator(SETTINGS)

    for value in VALUES:
        fits = validator.is_valid({option.name: value})
        if option.name in SAID_LOOSELY and isinstance(value, str):
            assert fits
        else:
            assert fits == (not misfit(option, value)), value


# Workflows. ------------------------------------------------------------------------------

CI = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
BLOCKS = [block.text for block in blocks_of(ROOT / "docs/how-to/ci.md") if block.language == "yaml"]


def test_what_workflows_use_is_pinned():
    used = re.findall(r"uses: (.*)|(runenv-cli\S*)|image: (.*)", "\n".join(BLOCKS))
    action = r"actions/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"

    assert len(used) > 5
    loose = ["".join(each) for each in used]
    assert [
        text for text in loose if not re.fullmatch(rf"{action}|runenv-cli==\S+|.+:\S+", text)
    ] == []
    assert f"runenv-cli=={__version__}" in loose


@pytest.mark.skipif(sys.platform == "win32", reason="its machines have Linux")
def test_the_workflow_with_shards_does_what_it_says(folder: Folder):
    folder.envfile(
        "@runner.session(python=False)\n@runner.parametrize('n', range(5))\ndef s(session, n): ...\n"
    )
    folder.write("bin/runenv", f'#!/bin/sh\nexec "{sys.executable}" -m runner "$@"\n').chmod(0o755)
    (folder.root / "build").mkdir()
    block = next(block for block in BLOCKS if "shards.yml" in block)
    plan, shard, merge = re.findall(r"- run: (runenv .*)", block)

    def step(command: str, **env: str) -> int:
        path = f"{folder.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environ = {**folder.environ, "PATH": path, **env}
        return subprocess.run(["bash", "-ec", command], cwd=folder.root, env=environ).returncode

    assert step(plan) == 0
    (folder.root / "shards.json").rename(folder.root / "build" / "shards.json")
    for number in range(4):
        assert step(shard, STRATEGY_JOB_INDEX=str(number), STRATEGY_JOB_TOTAL="4") == 0
    assert step(merge) == 0
    assert "5 passed" in (folder.root / "build" / "run.html").read_text("utf-8")


def test_a_workflow_asks_an_entry_for_what_it_has(folder: Folder):
    folder.envfile(PROJECT)
    (entry,) = json.loads(folder.passes("--matrix", "github", "none").out)["include"]

    asked = set(re.findall(r"matrix\.([a-z]+)", BLOCKS[0]))
    told = re.findall(r"^\| `(\w+)` \|", CI, re.MULTILINE)

    assert asked == {"name", "python", "key", "jobs"}
    assert told == list(entry)


def test_a_workflow_skips_the_matrix_that_has_no_entries(folder: Folder):
    folder.envfile("runner.options.default = []\n\n@runner.session\ndef s(session): ...\n")
    nothing = folder.passes("--matrix", "github").out.strip()

    assert f"if: needs.plan.outputs.matrix != '{nothing}'\n" in BLOCKS[0]


def test_the_steps_that_plan_hand_on_the_matrix_and_fail_as_runenv_does(folder: Folder):
    folder.envfile(PROJECT)
    script = re.search(r"run: \|\n((?: {10}.*\n)+)", BLOCKS[0])[1].replace("runenv", "$RUNENV")
    environ = {
        **folder.environ,
        "GITHUB_OUTPUT": str(folder.root / "output"),
        "RUNENV": f"{sys.executable} -m runner",
    }

    def plan() -> int:
        return subprocess.run(["bash", "-e", "-c", script], cwd=folder.root, env=environ).returncode

    assert plan() == 0
    output = (folder.root / "output").read_text()
    assert output == f"matrix={folder.passes('--matrix', 'github').out}"
    folder.envfile("nonsense")
    assert plan() == 2


# Links. -----------------------------------------------------------------------------------

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub and MyST make them."""
    titles = (title.replace("`", "").lower() for title in HEADING.findall(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path):
    missing = []
    for target, anchor in LINK.findall(page.read_text()):
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor[1:] not in anchors(path)):
            missing.append(target + anchor)

    assert missing == []


def test_every_page_is_in_the_contents():
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    listed = (ROOT / "docs/index.md").read_text()

    assert [str(p) for p in sorted(pages) if str(p) != "index.md" and str(p.with_suffix("")) not in listed] == []  # fmt: skip


# docs/how-to/nox.md


def test_the_example_of_a_noxfile_becomes_what_is_told(folder: Folder):
    page = ROOT / "docs" / "how-to" / "nox.md"
    noxfile, envfile = (block.text for block in blocks_of(page) if block.language == "python")
    (told,) = (
        typed.shown
        for block in blocks_of(page)
        for typed in transcript_of(block)
        if typed.command == "runenv --convert"
    )
    folder.write("noxfile.py", noxfile)
    classifiers = [f"Programming Language :: Python :: {v}" for v in ("3.11", "3.12", "3.13")]
    folder.write("pyproject.toml", f"[project]\nname = 'x'\nclassifiers = {classifiers}\n")

    made = folder.passes("--convert")

    assert (folder.root / "envfile.py").read_text() == envfile
    assert made.err == told
