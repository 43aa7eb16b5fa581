"""What two tools say of the same environments, in words that can be compared."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from runner.convert.asked import (
    Compared,
    Difference,
    Facts,
    Sight,
    Untold,
    compare,
    installed,
    json_in,
    no_answer,
    normal,
    ours_of,
    requirement,
    split_project,
)
from runner.convert.inert import Reason
from runner.convert.recorded import Places, Recorded, record
from runner.load import load_project
from runner.model import Job

SIGHT = Sight("/p", ("/w/a/bin",))
PLACES = Places("/w/a", "/w", "3.11.7")


def test_what_both_say_is_compared_in_the_order_of_the_other_tool():
    theirs: dict[str, Facts] = {"b": {"deps": ("x",), "tags": ()}, "a": {"deps": ("x",)}, "c": {}}
    ours: dict[str, Facts] = {"a": {"deps": ("x",), "python": ()}, "b": {"deps": ()}, "d": {}}

    assert compare(theirs, ours, [Untold("a", ("tags",), "why")]) == Compared(
        labels=("deps",),
        differences=(
            Difference("b", "deps", ("x",), ()),
            Difference("c", "", ("is there",), ()),
            Difference("d", "", (), ("is there",)),
        ),
        untold=(Untold("a", ("tags",), "why"),),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('told\n{"a": 1}\n', {"a": 1}),
        ("[\n1\n]", [1]),
        ("{no\n[2]", [2]),
        ("nothing", None),
    ],
)
def test_json_begins_on_some_line(text: str, found: object):
    assert json_in(text) == found


def test_a_tool_that_says_nothing_at_all_is_told():
    assert no_answer("tox", "tox config", " \n").what == "tox does not answer: it wrote nothing"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/p", "."),
        ("/p/tests", "tests"),
        ("/pq/tests", "/pq/tests"),
        ("--in=/p/a:/p/b", "--in=a:b"),
        ("/w/a/lib/python3.11/site-packages/x", "/w/a/site-packages/x"),
    ],
)
def test_paths_are_seen_from_the_root(text: str, shown: str):
    assert SIGHT.text(text) == shown


def test_the_program_of_an_environment_has_its_name_alone():
    assert SIGHT.words(["/w/a/bin/python", "./x", "/p", "./"]) == ("python", "x", ".", ".")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one >= 1, <2", "one<2,>=1"),
        ("-r  a.txt", "-r a.txt"),
        ("--requirement=./a.txt", "-r a.txt"),
        ("-c/p/c.txt", "-c c.txt"),
        ("-e .", "-e ."),
        ("./sub", "sub"),
        ("/p", "."),
        ("--no-deps", "--no-deps"),
    ],
)
def test_a_requirement_has_one_spelling(text: str, shown: str):
    assert requirement(text, SIGHT) == shown


def test_requirements_for_the_project_are_told_apart():
    assert split_project(["one", ".[a, b]", "-e ./[c]"]) == (["one"], ["a", "b", "c"], "editable")
    assert split_project(["."]) == ([], [], "installed")


def test_an_install_is_taken_apart():
    words = ("-U", "one", "-r", "a.txt", "--group", "g", "-e")

    assert installed(words) == ["-U", "one", "-r a.txt", "--group g", "-e"]


def test_names_of_extras_are_normal():
    assert normal(["B_x", "a", "b-X"]) == ("a", "b-x")


def job(folder: Path, body: str, declared: str = "") -> tuple[Job, str, str]:
    """The job of an envfile, its source, and the envfile."""
    source = (
        f"import os\n\nimport runner\n\n\n@runner.session({declared})\ndef a(session):\n"
        + "".join(f"    {line}\n" for line in dedent(body).splitlines())
    )
    path = folder / "envfile.py"
    path.write_text(source)
    return load_project(str(path)).jobs[0], source, str(path)


def told(folder: Path, body: str, declared: str = "") -> Facts:
    """What an envfile says of its only job."""
    one, source, file = job(folder, body, declared)
    recorded = record(one, source, file, str(folder), PLACES)
    assert isinstance(recorded, Recorded)
    sight = Sight(str(folder), ("/w/a/bin",))
    facts, untold = ours_of(one, recorded, sight, is_default=True)
    assert untold == []
    return facts


def test_what_a_function_tells_its_session_is_written_down(tmp_path: Path):
    facts = told(
        tmp_path,
        """\
        session.install("two", "-r", "b.txt", "--group", "h")
        session.install(".[y]")
        session.env["B"] = session.python_version
        session.run_install("python", "make.py")
        with session.chdir("sub"):
            session.run("x", env={"C": "3"}, check=False)
        session.chdir("docs")
        session.run("y", session.create_tmp(), session.cache_dir, success_codes=[1])
        session.log("nothing"), session.artifact("z"), session.notify("other")
        session.run("python", "-c", "print()", silent=True).strip()
        """,
        'python="3.11", deps=["one"], groups=["g"], extras=["x"], env={"A": "1", "D": None}, tags=["t"]',
    )

    assert facts == {
        "python": ("3.11",),
        "default": ("yes",),
        "groups": ("g", "h"),
        "tags": ("t",),
        "after": (),
        "deps": ("-r b.txt", "one", "two"),
        "extras": ("x", "y"),
        "project": ("installed",),
        "variables": ("A=1", "B=3.11.7"),
        "folder": ("docs",),
        "setup": ("python make.py",),
        "commands": ("C=3 - x", "! y /w/a/tmp /w", "python -c 'print()'"),
    }
    assert not (tmp_path / "docs").exists()


def test_one_that_skips_itself_has_no_commands(tmp_path: Path):
    facts = told(tmp_path, 'session.run("x")\nsession.skip("no")\n', 'project="editable"')

    assert "commands" not in facts
    assert facts["project"] == ("editable",)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("session.background('x')", "ValueError: it has a command in the background"),
        ("session.run('x', nothing=1)", "UsageError: session.run has no option 'nothing'"),
        ("session.install()", "UsageError: session.install was called without arguments"),
    ],
)
def test_one_that_ends_otherwise_is_told(tmp_path: Path, body: str, reason: str):
    one, source, file = job(tmp_path, body)

    found = record(one, source, file, str(tmp_path), PLACES)

    assert isinstance(found, Reason)
    assert found.called
    assert found.text.startswith(reason)


def test_packages_of_conda_and_of_scripts_are_installs(tmp_path: Path):
    one, source, file = job(
        tmp_path,
        'session.conda_install("gdal")\nsession.install_and_run_script("s.py", "x")\n',
    )

    found = record(one, source, file, str(tmp_path), PLACES)

    assert isinstance(found, Recorded)
    assert found.installs == (("gdal",), ("--script", "s.py"))
    assert [told.argv for told in found.commands] == [("python", "s.py", "x")]


def test_variables_that_a_function_reaches_by_another_name_are_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REACHED", "before")
    one, source, file = job(tmp_path, "env = os.environ\nenv['REACHED'] = 'after'\n")

    assert isinstance(record(one, source, file, str(tmp_path), PLACES), Recorded)
    assert os.environ["REACHED"] == "before"
