"""`--link`: `.venv` leads to the environment of a job, where editors look for one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.commands import link
from runner.envs import editor_link
from runner.errors import UsageError
from runner.model import Request
from tests.conftest import Folder

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a junction is no symbolic link"),
    pytest.mark.measured,
]

TWO = """
    @runner.session
    @runner.parametrize("x", ["a", "b"])
    def tests(session, x): ...
    """


@pytest.fixture
def two(folder: Folder) -> Folder:
    """A project with two jobs, each with an environment of its own."""
    folder.envfile(TWO)
    return folder


def test_the_link_leads_to_the_environment_that_a_run_uses(two: Folder):
    out = two.passes("--link", "tests-a").out

    version = ".".join(map(str, sys.version_info[:3]))
    assert out == f".venv leads to .runenv/tests-a (cpython {version})\n"
    assert os.readlink(two.root / ".venv") == ".runenv/tests-a"
    python = two.root / ".venv/bin/python"
    prefix = subprocess.check_output([python, "-c", "import sys; print(sys.prefix)"], text=True)
    assert prefix == f"{two.root}/.venv\n"
    assert "environment: reused" in two.passes("tests-a").err
    assert "git" not in two.passes("--link", "tests-a").err  # which knows nothing of the folder


def test_it_is_turned_to_another_job_and_right_when_that_is_made_anew(two: Folder):
    two.passes("--link", "tests-a")
    two.passes("--link", "tests-b")
    two.passes("--fresh", "tests-b")

    assert os.readlink(two.root / ".venv") == ".runenv/tests-b"
    assert (two.root / ".venv/pyvenv.cfg").exists()


def test_one_job_is_meant(two: Folder):
    done = two.run("--link", "tests")

    assert done.code == 2
    assert done.err == (
        "error: several jobs are meant: tests-a, tests-b\n  name one: runenv --link tests-a\n"
    )


def test_that_git_would_add_it_is_told(two: Folder):
    subprocess.run(["git", "init", "--quiet"], cwd=two.root, env=two.environ, check=True)
    two.write(".gitignore", ".venv/\n.runenv\n")
    told = (
        "git does not ignore .venv: add a line .venv to .gitignore (.venv/ is for folders alone)\n"
    )

    assert two.passes("--link", "tests-a").err.endswith(told)
    two.write(".gitignore", ".venv\n.runenv\n")
    assert two.passes("--link", "tests-a").err == ""


def test_clean_takes_the_link_with_what_it_leads_to(two: Folder):
    two.passes("--link", "tests-a")
    two.passes("tests-b")

    assert ".venv" not in two.passes("--clean", "tests-b").out
    assert "deleted .venv, which led to tests-a\n" in two.passes("--clean", "tests-a").out
    assert not os.path.lexists(two.root / ".venv")


def test_an_included_package_has_its_link_beside_its_envfile(folder: Folder):
    folder.envfile('runner.include("api/envfile.py")')
    folder.write("api/envfile.py", "import runner\n\n@runner.session\ndef lint(session): ...\n")

    out = folder.passes("--link", "api:lint").out

    assert out.startswith(".venv leads to ../.runenv/api@lint (")
    assert os.readlink(folder.root / "api/.venv") == str(folder.root / ".runenv/api@lint")
    assert "deleted api/.venv, which led to api@lint" in folder.passes("--clean").out


def test_where_a_folder_stands_no_environment_is_made(two: Folder):
    (two.root / ".venv").mkdir()

    done = two.run("--link", "tests-a")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {two.root}/.venv is a folder that runenv did not make\n"
        "  move it away, then link again; runenv never replaces it\n"
    )
    assert not (two.root / ".runenv/tests-a").exists()


def test_what_has_nothing_to_link_to_is_told_before_anything_is_made(tmp_path: Path):
    (tmp_path / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=False)\ndef tests(session): ...\n"
    )
    given = {"directory": str(tmp_path)}

    with pytest.raises(UsageError, match="job 'tests' has no environment to link to"):
        link.main(Request("link", "tests", given, ()))
    with pytest.raises(UsageError) as caught:
        link.main(Request("link", "tests", given, ("python", "-V")))
    assert caught.value.mend == "--exec does: runenv --exec tests -- python -V"
    assert os.listdir(tmp_path) == ["envfile.py"]


def test_where_git_is_not_nothing_is_told_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert link._is_ignored(str(tmp_path))


# What may be replaced. --------------------------------------------------------------------


@pytest.fixture
def envdir(tmp_path: Path) -> Path:
    """An environment folder, with one environment in it."""
    (tmp_path / ".runenv/tests").mkdir(parents=True)
    return tmp_path / ".runenv"


def test_a_link_of_ours_may_go_whether_it_leads_anywhere_or_not(envdir: Path):
    link = envdir.parent / ".venv"
    for target in (".runenv/tests", ".runenv/gone"):
        editor_link.lead(str(link), target)
        editor_link.check_free(str(link), str(envdir))

    other = envdir.parent / "other/tests"
    other.mkdir(parents=True)
    (other / "runenv.json").touch()  # of another environment folder
    editor_link.lead(str(link), str(other))
    editor_link.check_free(str(link), str(envdir))


@pytest.mark.parametrize("target", ["/usr", "nowhere", ".runenv", ".runenv/tests/lib"])
def test_a_link_of_somebody_else_may_not(envdir: Path, target: str):
    link = envdir.parent / ".venv"
    link.symlink_to(target)

    with pytest.raises(UsageError, match="which is no environment of runenv"):
        editor_link.check_free(str(link), str(envdir))
    assert editor_link.remove_dangling(str(link), str(envdir)) == ""
    assert os.readlink(link) == target


def test_only_a_link_of_ours_that_leads_nowhere_is_removed(envdir: Path):
    link = envdir.parent / ".venv"
    assert editor_link.remove_dangling(str(link), str(envdir)) == ""
    link.symlink_to(".runenv/tests")
    assert editor_link.remove_dangling(str(link), str(envdir)) == ""
    (envdir / "tests").rmdir()

    assert editor_link.remove_dangling(str(link), str(envdir)) == "tests"
    assert not os.path.lexists(link)
