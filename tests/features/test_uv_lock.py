"""lock="uv": what is installed is what the project's uv.lock says."""

from __future__ import annotations

import subprocess

import pytest

from runner.envs.uv import find_uv
from tests.conftest import Folder
from tests.features.test_environments import BUILD_BACKEND, PRINT_INSTALLED, lines

pytestmark = pytest.mark.measured

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "mine"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["one{one}"]

[project.optional-dependencies]
more = ["three"]

[dependency-groups]
test = ["two"]
dev = ["four"]
"""


def uv(folder: Folder, *arguments: str) -> None:
    subprocess.run(
        [find_uv(), *arguments],
        cwd=folder.root,
        env=folder.environ,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def locked(folder: Folder) -> Folder:
    """A project whose lock has the first versions, and wheels of newer ones."""
    for name in ("one", "two", "three", "four"):
        folder.wheel(name)
    folder.write("backend.py", BUILD_BACKEND)
    folder.write("src/mine.py", "value = 1\n")
    folder.write("pyproject.toml", PROJECT.format(one=""))
    uv(folder, "lock")
    for name in ("one", "two", "three", "four"):
        folder.wheel(name, "2.0")
    return folder


def declare(folder: Folder, arguments: str) -> None:
    folder.envfile(
        f"@runner.session(lock='uv', {arguments})\ndef show(session):\n    {PRINT_INSTALLED}"
    )


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        ("", "one1.0"),
        ("groups=['test']", "two1.0"),
        ("extras=['more']", "one1.0 three1.0"),
        ("groups=['test'], project='editable'", "mine1.0 one1.0 two1.0"),
        ("extras=['more'], project='wheel'", "mine1.0 one1.0 three1.0"),
        ("groups=['test'], backend='virtualenv'", "two1.0"),
        ("project='wheel', backend='virtualenv'", "mine1.0 one1.0"),
    ],
)
def test_it_is_installed_exactly(locked: Folder, arguments: str, installed: str):
    declare(locked, arguments)

    assert lines(locked)[0] == installed


@pytest.mark.parametrize("variable", ["UV_FROZEN", "UV_LOCKED"])
def test_what_is_set_for_uv_run_does_not_disturb(locked: Folder, variable: str):
    declare(locked, "groups=['test']")

    assert locked.passes(env={variable: "1"}).out == "two1.0\n"


def test_a_second_run_starts_no_process(locked: Folder):
    declare(locked, "groups=['test']")
    locked.passes()

    done = locked.passes("-v")

    assert "environment: reused" in done.err
    assert "export" not in done.err


def test_another_lock_makes_another_environment(locked: Folder):
    declare(locked, "groups=['test']")
    locked.passes()
    uv(locked, "lock", "--upgrade-package", "two")

    out, told = lines(locked)

    assert out == "two2.0"
    assert "rebuilt" in told
    assert "uv.lock changed" in told


def test_what_changed_in_other_parts_of_pyproject_changes_nothing(locked: Folder):
    declare(locked, "groups=['test']")
    locked.passes()
    locked.write("pyproject.toml", PROJECT.format(one="") + "\n[tool.ruff]\nline-length = 80\n")

    assert lines(locked)[1].startswith("reused")


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_a_lock_that_does_not_fit_is_an_error(locked: Folder, verbose: list[str]):
    declare(locked, "project='editable'")
    locked.write("pyproject.toml", PROJECT.format(one=">1"))

    done = locked.run(*verbose)

    assert done.code == 1
    assert "error: uv.lock is not what uv would make of pyproject.toml\n" in done.err
    assert "\n  run `uv lock`\n" in done.err


def test_a_group_that_is_not_there_is_told_with_the_near_one(locked: Folder):
    declare(locked, "groups=['tests']")

    done = locked.run()

    assert "group 'tests' is not in [dependency-groups] of pyproject.toml" in done.err
    assert "did you mean 'test'?" in done.err


def test_no_virtual_environment_is_left_in_the_project(locked: Folder):
    declare(locked, "groups=['test']")
    locked.passes()

    assert not (locked.root / ".venv").exists()


def test_a_folder_that_the_lock_names_is_installed_as_it_is_now(locked: Folder):
    locked.write(
        "lib/backend.py", BUILD_BACKEND.replace('"mine"', '"lib"').replace("mine.py", "lib.py")
    )
    locked.write("lib/src/lib.py", "value = 1\n")
    locked.write("lib/version.txt", "1.0")
    locked.write(
        "lib/pyproject.toml",
        PROJECT.partition("[project]")[0] + '[project]\nname = "lib"\ndynamic = ["version"]\n',
    )
    locked.write(
        "pyproject.toml",
        PROJECT.format(one="") + 'lib = ["lib"]\n\n[tool.uv.sources]\nlib = { path = "lib" }\n',
    )
    uv(locked, "lock")
    locked.envfile(
        """
        @runner.session(lock="uv", groups=["lib"])
        def show(session):
            session.run("python", "-c", "import lib; print(lib.value)")
        """
    )
    assert lines(locked)[0] == "1"

    locked.write("lib/src/lib.py", "value = 2\n")
    out, told = lines(locked)

    assert out == "2"
    assert "sources of lib changed" in told
