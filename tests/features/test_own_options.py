"""Options of sessions, from the command line to what the function is given."""

from __future__ import annotations

import json
import textwrap

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.measured

ENVFILE = """\
    from __future__ import annotations
    from typing import TYPE_CHECKING, Annotated
    import runner
    if TYPE_CHECKING:
        from typing import Literal

    @runner.session(python=False)
    def release(
        session,
        *,
        part: Annotated[Literal["major", "minor"], "what is counted up"] = "minor",
        dry_run: bool = False,
        pause: float | None,
        skip: list[str] = ["nothing"],
    ):
        print("release", part, dry_run, pause, skip, session.posargs)

    @runner.session(python=False, requires=["release"], default=False)
    def deploy(session, *, target: str, sure: bool, quick: bool = True, times: int = 1):
        print("deploy", target, sure, quick)

    @runner.session(python=False, default=False)
    def late(session):
        session.notify("deploy")
    """


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.write("envfile.py", textwrap.dedent(ENVFILE))  # the future stands first
    return folder


def test_the_function_gets_its_defaults(project: Folder):
    assert project.passes().out == "release minor False None ['nothing'] []\n"


@pytest.mark.parametrize("kind", ["", "fork", "spawn"])
def test_the_function_gets_what_was_given_wherever_it_runs(project: Folder, kind: str):
    argv = ["release", "--part", "major", "--dry-run", "--skip", "a", "--skip", "b", "--", "-x"]
    more = ["deploy", "--target", "home", "--no-sure"]

    done = project.run(*(["-j2"] if kind else []), *more, *argv, env={"RUNENV_WORKER": kind})

    assert done.out == "release major True None ['a', 'b'] ['-x']\ndeploy home False True\n"
    assert done.code == 0


def test_options_of_runenv_keep_their_meaning_behind_a_name(project: Folder):
    done = project.run("release", "-q", "--pause", ".5", "--color", "never")

    assert (done.out, done.err) == ("release minor False 0.5 ['nothing'] []\n", "")


def test_a_session_that_is_asked_for_by_another_fails_where_something_is_missing(project: Folder):
    done = project.run("late")

    assert "session 'deploy' needs --target and --sure" in done.err
    assert done.code == 1


def test_nothing_runs_where_something_is_missing(project: Folder):
    done = project.run("release", "deploy")

    assert (done.out, done.code) == ("", 2)


def test_an_explanation_has_them(project: Folder):
    shown = project.run("--explain", "release", "--skip", "a b", "--dry-run")
    told = project.run("--explain", "--json", "release", "--part=major", "deploy")

    assert "  options      '--skip=a b' --dry-run\n" in shown.out
    release, deploy = json.loads(told.out)["jobs"]
    assert release["options"] == ["--part=major"]
    assert (deploy["environment"], deploy["options"]) == ("broken", [])


def test_a_report_has_them_and_the_history_knows_of_them(project: Folder):
    project.passes()
    project.passes("release", "--dry-run", "--skip", "a")
    project.passes("--report", "run.json", "release", "--part", "major", "--skip", "a")

    (job,) = json.loads((project.root / "run.json").read_text())["jobs"]
    assert job["options"] == {"part": "major", "skip": "['a']"}
    assert [run["posargs"] for run in job["earlier"]] == [False, True]


def test_a_block_tells_how_to_run_a_failed_job_again(folder: Folder):
    folder.envfile(
        "@runner.session(python=False)\n"
        "def one(session, *, count: int = 1): session.error('no')\n"
        "@runner.session(python=False)\n"
        "def two(session): ...\n"
    )

    done = folder.run("-j2", "two", "one", "--count", "3")

    assert "runenv one --count=3" in done.err


def test_usage_tells_of_them(project: Folder):
    shown = project.run("--usage", "release", env={"COLUMNS": "80"}).out

    assert (
        "  Options, behind its name:\n"
        "    --part major|minor  what is counted up  (default: minor)\n"
        "    --dry-run\n"
        "    --pause NUMBER\n"
        "    --skip TEXT         (default: nothing; may be repeated)\n"
    ) in shown
    assert (
        "    --target TEXT      (required)\n    --sure, --no-sure  (required)\n    --no-quick\n"
        "    --times N          (default: 1)\n"
    ) in project.run("--usage", "deploy").out


def test_a_path_typed_in_the_folder_of_the_project_stays_as_it_is(folder: Folder):
    folder.envfile(
        "from pathlib import Path\n"
        "@runner.session(python=False)\n"
        "def s(session, *, out: Path): print(out)\n"
    )

    assert folder.passes("s", "--out", "dist").out == "dist\n"


def test_usage_shows_defaults_as_they_are_typed(folder: Folder):
    folder.envfile(
        "import enum\n"
        "Kind = enum.Enum('Kind', 'FAST SLOW')\n"
        "@runner.session\n"
        "def s(session, *, kind: Kind = Kind.SLOW, kinds: list[Kind] = (Kind.FAST, Kind.SLOW)): ...\n"
    )

    assert (
        "    --kind FAST|SLOW   (default: SLOW)\n"
        "    --kinds FAST|SLOW  (default: FAST, SLOW; may be repeated)\n"
    ) in folder.run("--usage", "s").out


def test_a_listing_has_them(project: Folder):
    release, deploy, _ = json.loads(project.run("--list", "--json").out)["jobs"]

    assert release["options"][0] == {
        "name": "part",
        "flag": "--part",
        "kind": "value",
        "takes": "choice",
        "choices": ["major", "minor"],
        "required": False,
        "default": "minor",
        "help": "what is counted up",
    }
    assert [(o["flag"], o["required"], o["default"]) for o in deploy["options"]] == [
        ("--target", True, None),
        ("--sure", True, None),
        ("--quick", False, True),
        ("--times", False, 1),
    ]


def test_a_noxfile_has_none(folder: Folder):
    folder.write(
        "noxfile.py",
        "import nox\n@nox.session(venv_backend='none')\ndef s(session, *, part: str = 'x'): print(part)\n",
    )

    done = folder.run("s", "--part", "y")

    assert "session 's' has no option --part" in done.err
    assert folder.run("s").out == "x\n"
