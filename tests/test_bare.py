"""Environments that are written without a program are what `python -m venv` makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.envs import bare
from runner.envs.interpreters import InterpreterMissing, find
from runner.running import Interpreter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the backend makes it")

SCRIPTS = {
    "activate": "activate",
    "activate.csh": "activate.csh",
    "activate.fish": "activate.fish",
    "Activate.ps1": "activate.ps1",
}


@pytest.fixture(scope="module", params=["3.10", "3.11", "3.12", "3.13"])
def interpreter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A Python of each version that is here; in place of another the one that runs us."""
    cache_dir = str(tmp_path_factory.mktemp("cache"))
    try:
        return find(request.param, cache_dir=cache_dir)
    except InterpreterMissing:
        return find(None, cache_dir=cache_dir)


@pytest.fixture
def running(tmp_path: Path) -> Interpreter:
    return find(None, cache_dir=str(tmp_path / "cache"))


def written(place: Path, interpreter: Interpreter) -> Path:
    place.mkdir()
    assert bare.write(str(place), interpreter)
    return place


def ask(place: Path, code: str) -> object:
    words = [place / "bin/python", "-I", "-c", f"import json, sys, sysconfig; print({code})"]
    return json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)


FACTS = "json.dumps([sys.prefix, sys.base_prefix, sysconfig.get_path('purelib'), sysconfig.get_path('platlib'), sys.path[-1], sys.version.split()[0]])"


def test_its_python_says_of_itself_what_it_says_in_one_of_venv(
    interpreter: Interpreter, tmp_path: Path
):
    here, there = tmp_path / "a", tmp_path / "b"
    by_venv = [interpreter.path, "-m", "venv", "--without-pip", here]
    subprocess.run(by_venv, check=True)
    told = ask(here, FACTS)
    here.rename(there)

    assert ask(written(here, interpreter), FACTS) == told


def test_its_scripts_are_those_of_venv(interpreter: Interpreter, tmp_path: Path):
    place, other = tmp_path / "here", tmp_path / "other"
    subprocess.run([interpreter.path, "-m", "venv", "--without-pip", place], check=True)
    place.rename(other)
    written(place, interpreter)

    for theirs, ours in SCRIPTS.items():
        assert (place / "bin" / ours).read_bytes() == (other / "bin" / theirs).read_bytes()


@pytest.mark.parametrize("shell", [s for s in ("sh", "bash", "zsh") if shutil.which(s)])
def test_a_shell_is_in_it_and_out_again(interpreter: Interpreter, tmp_path: Path, shell: str):
    place = written(tmp_path / "here", interpreter)
    script = ". here/bin/activate; command -v python; deactivate; command -v python"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    done = subprocess.run(
        [shell, "-c", script], cwd=tmp_path, env=environ, capture_output=True, check=True, text=True
    )

    inside, outside = done.stdout.splitlines()
    assert (inside, outside != inside) == (str(place / "bin/python"), True)


def test_a_link_to_a_python_leads_to_its_library(running: Interpreter, tmp_path: Path):
    link = tmp_path / "shims/python"
    link.parent.mkdir()
    link.symlink_to(running.path)

    place = written(tmp_path / "here", running._replace(path=str(link)))

    assert ask(place, "json.dumps(sys.base_prefix)") == ask(
        written(tmp_path / "other", running), "json.dumps(sys.base_prefix)"
    )


# Where the backend makes it. ------------------------------------------------------------


def refuses(interpreter: Interpreter, place: Path) -> bool:
    """Whether nothing was written."""
    place.mkdir(exist_ok=True)
    return not bare.write(str(place), interpreter) and list(place.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"implementation": "pypy"},
        {"version": "3.99.0"},  # what is there is none of that version
        {"free_threaded": True},
    ],
)
def test_a_python_of_which_it_does_not_know_all_is_left_to_the_backend(
    running: Interpreter, tmp_path: Path, change: dict[str, object]
):
    assert refuses(running._replace(**change), tmp_path / "here")  # type: ignore[arg-type]


def test_so_is_a_place_that_a_shell_would_have_quoted(running: Interpreter, tmp_path: Path):
    assert refuses(running, tmp_path / "a b")


@pytest.fixture
def scripts(running: Interpreter, tmp_path: Path) -> tuple[Interpreter, Path]:
    """A Python whose own scripts may be changed, and their folder."""
    name = "python" + ".".join(running.version.split(".")[:2])
    found = Path(running.real_path).parent.parent / "lib" / name / "venv/scripts"
    lib = tmp_path / "usr/lib" / name
    shutil.copytree(found, lib / "venv/scripts")
    (lib / "os.py").touch()
    path = str(tmp_path / "usr/bin/python")
    return running._replace(path=path, real_path=path), lib / "venv/scripts"


def test_so_is_a_python_whose_scripts_were_left_out(
    scripts: tuple[Interpreter, Path], tmp_path: Path
):
    interpreter, folder = scripts
    (folder / "common/activate").unlink()

    assert refuses(interpreter, tmp_path / "here")


def test_so_is_a_python_whose_distutils_is_to_be_patched(
    scripts: tuple[Interpreter, Path], tmp_path: Path
):
    interpreter, folder = scripts
    lib = folder.parent.parent
    lib.rename(lib.parent / "python3.9")

    assert refuses(interpreter._replace(version="3.9.18"), tmp_path / "here")


def test_so_is_a_script_that_wants_what_nobody_has_heard_of(
    scripts: tuple[Interpreter, Path], tmp_path: Path
):
    interpreter, folder = scripts
    with open(folder / "common/activate", "a") as stream:
        stream.write("NEW=__VENV_WHATEVER__\n")

    assert refuses(interpreter, tmp_path / "here")


# By the versions of Python that have the placeholders so.
@pytest.mark.parametrize(
    "line, prompt",
    [
        ('P="__VENV_PROMPT__"', "(here) "),  # up to 3.12
        ("P=__VENV_PROMPT__", "(here) "),  # the same, mended for odd paths
        ('P=__VENV_PROMPT__"$ "', "(here) $ "),
        ('P="(__VENV_PROMPT__) "', "(here) "),  # from 3.13 on
        ('P="("__VENV_PROMPT__") "', "(here) "),
    ],
)
def test_a_prompt_is_right_in_each_form_that_pythons_have(
    scripts: tuple[Interpreter, Path], tmp_path: Path, line: str, prompt: str
):
    interpreter, folder = scripts
    (folder / "common/activate").write_text(f"{line}\n")

    place = written(tmp_path / "here", interpreter)

    done = subprocess.run(
        ["sh", "-c", f'. {place}/bin/activate; printf "%s" "$P"'], capture_output=True, check=True
    )
    assert done.stdout.decode() == prompt
