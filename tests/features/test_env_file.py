"""`env_file=`: variables from files, for a session's commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import IN_ALL_WAYS, Folder, in_a_way

pytestmark = pytest.mark.measured

TOLD = "import os; print(*(os.environ.get(n) for n in ('A', 'B', 'C', 'D', 'PYTHONPATH')))"
ENVFILE = f"""
    runner.options.env_file = ["-no.env", "all.env"]

    @runner.session(python=False, env_file=["one.env"], env={{"C": "session", "D": None}})
    def s(session):
        assert session.env["A"] == "all"
        session.run("python", "-c", {TOLD!r}, external=True)
    """
SECRET = "hunter2hunter2"


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.envfile(ENVFILE)
    folder.write("all.env", "A=all\nB=all\nC=all\nD=all\n")
    folder.write("one.env", "B=one\nPYTHONPATH=src\n")
    return folder


@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_the_files_of_the_session_stand_above_those_of_all_and_below_env(project: Folder, way: str):
    there = in_a_way(way, project)
    there.envfile(ENVFILE)

    # That the caller has a PYTHONPATH is nothing to the session's commands.
    assert there.passes("s").out == "all one session None src\n"


def test_what_the_caller_has_set_wins(project: Folder):
    assert project.passes(env={"B": "caller"}).out == "all caller session None src\n"


def test_what_the_caller_has_set_is_the_session_s_too(folder: Folder):
    code = "import os; print(os.environ['A'])"
    folder.envfile(
        f"""
        @runner.session(python=False, env_file=".env")
        def s(session):
            print(session.env["A"], flush=True)
            session.run("python", "-c", {code!r}, external=True, include_outer_env=False)
        """
    )
    folder.write(".env", "A=file\n")

    assert folder.passes(env={"A": "caller"}).out == "caller\ncaller\n"
    assert folder.passes().out == "file\nfile\n"


def test_a_shell_and_a_command_there_see_them(project: Folder):
    done = project.passes("--exec", "s", "--", "python", "-c", TOLD)

    assert done.out == "all one session None src\n"


def test_no_value_is_kept_or_told(folder: Folder):
    folder.envfile(
        """
        @runner.session(env_file=".env")
        def s(session):
            session.run("python", "-c", "import os; assert os.environ['SECRET']")
        """
    )
    folder.write(".env", f"SECRET={SECRET}\n")

    done = folder.passes("-v", "--report", "r.json", "--report", "r.html", "-j2")
    told = [done.out, done.err, folder.passes("--usage", "s").out, folder.passes("--explain").out]

    kept = [
        path
        for top in (folder.root, Path(folder.environ["RUNENV_STORE"]))
        for path in top.rglob("*")
        if path.is_file() and path.name != ".env" and SECRET.encode() in path.read_bytes()
    ]
    assert kept == []
    assert not any(SECRET in text for text in told)


def test_the_table_of_pyproject_names_files_too(folder: Folder):
    folder.envfile(
        f"@runner.session(python=False)\ndef s(session): session.run('python', '-c', {TOLD!r}, external=True)\n"
    )
    folder.write("pyproject.toml", "[tool.runenv]\nenv_file = ['.env']\n")
    folder.write(".env", "A=1\n")

    assert folder.passes().out == "1 None None None None\n"


def test_what_names_a_file_that_is_missing_for_all_sessions_is_told(folder: Folder):
    folder.envfile(
        "runner.options.env_file = ['all.env']\n"
        "@runner.session(python=False)\ndef s(session): ...\n"
    )

    done = folder.run()

    assert "error: there is no all.env\n  --> runner.options.env_file of the envfile\n" in done.err


def test_what_names_a_missing_file_in_pyproject_is_told(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef s(session): ...\n")
    folder.write("pyproject.toml", "[tool.runenv]\nenv_file = ['all.env']\n")

    assert "\n  --> env_file in [tool.runenv] of pyproject.toml\n" in folder.run().err


def test_usage_tells_the_files(project: Folder):
    assert "env_file  one.env\n" in project.passes("--usage", "s").out
