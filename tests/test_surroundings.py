"""The variables and programs that a job's commands see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.errors import CommandFailed
from runner.running import Environment, Interpreter
from runner.surroundings import command_variables, find_program, outer_variables

INTERPRETER = Interpreter("/py", "/py", "3.13.0", "cpython", "3.13.0", "linux-x86_64", False, "1:2")
WITHOUT = Environment("", "", "/py", INTERPRETER, "none")


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """One with the program `tool` in it."""
    program(tmp_path / "env/bin/tool")
    path = tmp_path / "env"
    return Environment(str(path), f"{path}/bin", f"{path}/bin/python", INTERPRETER, "uv")


# Variables. -----------------------------------------------------------------------------


def test_what_would_let_the_callers_python_in_is_not_inherited():
    environ = {
        "PYTHONPATH": "/a",
        "PYTHONHOME": "/a",
        "VIRTUAL_ENV": "/a",
        "CONDA_PREFIX": "/a",
        "PIP_TARGET": "/a",
        "UV_PYTHON": "3.8",
        "__PYVENV_LAUNCHER__": "/a",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_INDEX_URL": "x",
        "LANG": "C",
    }

    assert outer_variables(environ) == {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PIP_INDEX_URL": "x",
        "LANG": "C",
    }


def test_the_environment_comes_first_on_path_and_each_change_in_turn(environment: Environment):
    variables = command_variables(
        {"PATH": "/usr/bin", "LANG": "C", "A": "0"},
        environment,
        "lint",
        ({"A": "1", "B": "1", "LANG": None}, {"B": "2", "NEVER": None}),
    )

    assert variables == {
        "PATH": f"{environment.bin}{os.pathsep}/usr/bin",
        "VIRTUAL_ENV": environment.path,
        "RUNENV_JOB": "lint",
        "A": "1",
        "B": "2",
    }


def test_a_session_without_environment_keeps_the_callers_path():
    variables = command_variables({"PATH": "/usr/bin"}, WITHOUT, "lint", ())

    assert variables == {"PATH": "/usr/bin", "RUNENV_JOB": "lint"}


def test_an_empty_path_adds_no_empty_folder_which_would_be_the_working_one(
    environment: Environment,
):
    assert command_variables({"PATH": ""}, environment, "lint", ())["PATH"] == environment.bin


def test_without_a_path_the_systems_own_is_taken(environment: Environment):
    path = command_variables({}, environment, "lint", ())["PATH"]

    assert path == f"{environment.bin}{os.pathsep}{os.defpath}"


# Programs. ------------------------------------------------------------------------------


def found(
    word: str, environment: Environment, cwd: Path, path: str = "", *, external: bool = False
) -> str:
    return find_program(
        word,
        environment=environment,
        variables={"PATH": path},
        cwd=str(cwd),
        external=external,
    )


def missing(word: str, environment: Environment, cwd: Path, path: str = "") -> tuple[str, str, int]:
    with pytest.raises(CommandFailed) as caught:
        found(word, environment, cwd, path)
    return caught.value.what, caught.value.mend, caught.value.returncode


def test_the_environments_program_comes_first(environment: Environment, tmp_path: Path):
    program(tmp_path / "other/tool")

    assert (
        found("tool", environment, tmp_path, str(tmp_path / "other"), external=True)
        == f"{environment.bin}/tool"
    )


def test_a_program_elsewhere_needs_external(environment: Environment, tmp_path: Path):
    other = program(tmp_path / "other/make")
    folders = f"{environment.bin}{os.pathsep}{other.parent}"

    assert missing("make", environment, tmp_path, folders) == (
        "the program 'make' is not in the environment",
        (
            f"if {other} is meant, say so: session.run(..., external=True);"
            ' else add "make" to the session\'s deps'
        ),
        127,
    )
    assert found("make", environment, tmp_path, folders, external=True) == str(other)


def test_without_an_environment_path_decides(tmp_path: Path):
    program(tmp_path / "a/make")
    program(tmp_path / "b/make")

    assert found("make", WITHOUT, tmp_path, f"{tmp_path}/a{os.pathsep}{tmp_path}/b") == str(
        tmp_path / "a/make"
    )
    assert missing("mkae", WITHOUT, tmp_path) == (
        "the program 'mkae' is not on PATH",
        "install it, or look for a typing mistake",
        127,
    )


def test_folders_of_path_start_at_the_commands_own(tmp_path: Path):
    program(tmp_path / "sub/bin/make")

    assert found("make", WITHOUT, tmp_path / "sub", "bin") == str(tmp_path / "sub/bin/make")


def test_a_folder_and_a_file_that_cannot_run_are_no_programs(
    environment: Environment, tmp_path: Path
):
    (Path(environment.bin) / "docs").mkdir()
    (Path(environment.bin) / "data").write_text("")

    assert missing("docs", environment, tmp_path)[2] == 127
    assert missing("data", environment, tmp_path)[2] == 127


@pytest.mark.parametrize(
    ("word", "mend"),
    [
        ("sphinx-build", 'add "sphinx" to the session\'s deps'),
        ("pre-commit", 'add "pre-commit" to the session\'s deps'),
        ("ruff check .", 'a command is given in words: session.run("ruff", "check", ".")'),
    ],
)
def test_a_missing_program_is_told_with_what_brings_it(
    environment: Environment, tmp_path: Path, word: str, mend: str
):
    assert missing(word, environment, tmp_path)[1] == mend


def test_a_path_starts_at_the_commands_folder(environment: Environment, tmp_path: Path):
    assert found("env/bin/../bin/tool", environment, tmp_path) == f"{environment.bin}/tool"
    assert found("./tool", WITHOUT, tmp_path / "x") == str(tmp_path / "x/tool")


def test_a_path_out_of_the_environment_needs_external(environment: Environment, tmp_path: Path):
    assert missing("./run.sh", environment, tmp_path) == (
        "./run.sh lies outside the environment",
        "if that is meant, say so: session.run(..., external=True)",
        126,
    )
    assert found("/bin/sh", environment, tmp_path, external=True) == "/bin/sh"


def test_a_folder_whose_name_begins_like_the_environments_is_outside(
    environment: Environment, tmp_path: Path
):
    assert missing("env-2/tool", environment, tmp_path)[2] == 126
