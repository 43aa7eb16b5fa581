"""What an envfile writes for a Python, as the one on this machine that it means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.envs.interpreters import describe, find
from runner.envs.python_answers import running
from runner.envs.pythons_found import in_folders
from runner.errors import InterpreterMissing, JobError
from runner.running import Interpreter
from tests.fake_pythons import bare_environ, make_fake, times_asked, write_program

OWN = ".".join(map(str, sys.version_info[:2]))


class Machine:
    """A home and a PATH with nothing but fakes on them, and a cache of answers."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.path = folder / "path"
        self.cache = folder / "cache"
        self.path.mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        return bare_environ(self.home, self.path)

    def on_path(self, name: str, *release: int, **more: object) -> Path:
        return make_fake(self.path / name, release, **more)  # type: ignore[arg-type]

    def pyenv(self, name: str, *release: int, **more: object) -> Path:
        program = str(more.pop("program", "python3"))
        path = self.home / ".pyenv/versions" / name / "bin" / program
        return make_fake(path, release, **more)  # type: ignore[arg-type]

    def find(self, spec: str) -> Interpreter:
        return find(spec, cache_dir=str(self.cache), environ=self.environ)

    def missing(self, spec: str, kind: type[JobError] = InterpreterMissing) -> tuple[str, str]:
        with pytest.raises(kind) as caught:
            self.find(spec)
        assert type(caught.value) is kind
        return caught.value.what, caught.value.mend


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# Real ones. -----------------------------------------------------------------------------


def test_none_is_the_python_that_runs_runenv(tmp_path: Path):
    found = find(None, cache_dir=str(tmp_path))

    assert found == running()
    assert found.version.startswith(f"{OWN}.")
    assert not (tmp_path / "interpreters.json").exists()


def test_our_own_version_is_found_where_nothing_else_is(machine: Machine):
    assert machine.find(OWN) == running()
    assert machine.find(f"python{OWN}") == running()


@pytest.mark.parametrize(
    "real", [pytest.param(f, id=f.path) for f in in_folders(os.environ) if f.version.release[:2] >= (3, 8)][:3]
)  # fmt: skip
def test_each_real_python_that_a_tool_keeps_is_found_by_its_version(tmp_path: Path, real):
    version = ".".join(map(str, real.version.release))
    found = find(
        real.path,
        cache_dir=str(tmp_path),
        environ=bare_environ(tmp_path, os.path.dirname(real.path)),
    )

    assert found.version.startswith(version)
    assert found.implementation == real.implementation
    assert found.path == real.path


def test_the_python_of_an_environment_stands_for_its_base(machine: Machine, tmp_path: Path):
    base = running().path
    subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)

    found = machine.find(str(tmp_path / "env/bin/python"))

    assert found.real_path == running().real_path
    assert not found.path.startswith(str(tmp_path / "env"))


# Versions. --------------------------------------------------------------------------------


def test_a_version_is_paths_first_though_a_tool_keeps_a_newer_patch(machine: Machine):
    on_path = machine.on_path("python3.12", 3, 12, 1)
    machine.pyenv("3.12.9", 3, 12, 9)

    found = machine.find("3.12")

    assert (found.path, found.version) == (str(on_path), "3.12.1")


def test_a_version_in_full_is_that_one(machine: Machine):
    machine.on_path("python3.12", 3, 12, 1)
    kept = machine.pyenv("3.12.9", 3, 12, 9)

    assert machine.find("3.12.9").path == str(kept)


def test_of_what_tools_keep_the_newest_is_taken(machine: Machine):
    for patch in (2, 10, 9):
        machine.pyenv(f"3.12.{patch}", 3, 12, patch)

    assert machine.find("3.12").version == "3.12.10"


def test_a_name_may_lie_and_the_answer_decides(machine: Machine):
    machine.on_path("python3.12", 3, 9, 1)
    kept = machine.pyenv("3.12.9", 3, 12, 9)

    assert machine.find("3.12").path == str(kept)


def test_a_name_that_tells_too_little_is_asked(machine: Machine):
    plain = machine.on_path("python3", 3, 12, 1)

    assert machine.find("3.12").path == str(plain)
    assert machine.find("3").path == str(plain)


def test_one_that_a_name_hides_is_found_at_last(machine: Machine):
    hidden = machine.pyenv("3.11.1", 3, 12, 1)

    assert machine.find("3.12").path == str(hidden)


def test_one_that_was_found_is_asked_once_for_all_runs(machine: Machine):
    path = machine.on_path("python3.12", 3, 12, 1)

    assert [machine.find("3.12").version for _ in range(3)] == ["3.12.1"] * 3
    assert times_asked(path) == 1


def test_the_free_threaded_build_is_another_python(machine: Machine):
    machine.pyenv("3.13.0", 3, 13, 0)
    threaded = machine.pyenv("3.13.0t", 3, 13, 0, program="python3.13t", free_threaded=True)

    assert machine.find("3.13t").path == str(threaded)
    assert not machine.find("3.13").free_threaded
    assert describe(machine.find("3.13t")) == "cpython 3.13.0t"


def test_a_prerelease_is_found_by_its_version_and_by_its_name(machine: Machine):
    machine.pyenv("3.15.0a2", 3, 15, 0, pre=("a", 2))

    assert machine.find("3.15").version == "3.15.0a2"
    assert machine.find("3.15.0a2").version == "3.15.0a2"


# Ranges. --------------------------------------------------------------------------------


def test_of_a_range_the_newest_minor_version_is_taken(machine: Machine):
    machine.on_path("python3.97", 3, 97, 1)
    machine.pyenv("3.99.9", 3, 99, 9)
    machine.pyenv("3.96.1", 3, 96, 1)

    assert machine.find(">=3.90").version == "3.99.9"
    assert machine.find(">=3.90,<3.98").version == "3.97.1"
    assert machine.find(">=3.90,!=3.97,<=3.98").version == "3.96.1"


def test_of_one_minor_version_paths_goes_first(machine: Machine):
    on_path = machine.on_path("python3.99", 3, 99, 1)
    machine.pyenv("3.99.9", 3, 99, 9)

    assert machine.find(">=3.9").path == str(on_path)


def test_a_range_means_no_prerelease_unless_it_names_one(machine: Machine):
    machine.pyenv("3.99.0a2", 3, 99, 0, pre=("a", 2))
    machine.pyenv("3.98.1", 3, 98, 1)

    assert machine.find(">=3.9").version == "3.98.1"
    assert machine.find(">=3.99a1").version == "3.99.0a2"


def test_a_name_without_a_minor_version_is_asked_for_a_range(machine: Machine):
    plain = machine.on_path("python3", 3, 99, 1)
    broken = write_program(machine.path / "python", "exit 1")

    assert machine.find(">=3.98").path == str(plain)
    assert broken.exists()


# PyPy. ------------------------------------------------------------------------------------


def test_pypy_is_found_by_its_name_and_version(machine: Machine):
    pypy = machine.pyenv("pypy3.11-7.3.19", 3, 11, 11, program="pypy3.11", implementation="pypy")

    assert machine.find("pypy3.11").path == str(pypy)
    assert machine.find("pypy").path == str(pypy)
    assert machine.find("pypy>=3.10").path == str(pypy)
    assert describe(machine.find("pypy3")) == "pypy 3.11.11"


# Paths and names. --------------------------------------------------------------------------


def test_a_path_may_be_absolute_relative_or_from_home(machine: Machine, monkeypatch):
    path = make_fake(machine.home / "opt/mypython", (3, 12, 1))
    monkeypatch.chdir(machine.home)

    assert machine.find(str(path)).path == str(path)
    assert machine.find("opt/mypython").path == str(path)
    assert machine.find("~/opt/mypython").path == str(path)


def test_a_path_that_is_none_is_told_with_what_there_is(machine: Machine, monkeypatch):
    monkeypatch.chdir(machine.path)
    machine.on_path("python3.99", 3, 99, 1)

    what, mend = machine.missing("./nothing")

    assert what == (
        f"'./nothing', which is {machine.path}/nothing, cannot be used as a Python:"
        " there is no such file"
    )
    assert mend.startswith("found: cpython ")
    assert "3.99.1" in mend.splitlines()[0]


def test_a_folder_is_no_python(machine: Machine):
    assert machine.missing(str(machine.path)) == (
        f"{str(machine.path)!r} is a folder, not a Python",
        "write the path of the program in it, such as bin/python",
    )


def test_a_name_is_a_program_on_path(machine: Machine):
    path = machine.on_path("jython", 3, 12, 1)

    assert machine.find("jython").path == str(path)


def test_a_name_that_is_nothing_is_told_with_the_near_one(machine: Machine):
    machine.on_path("python3.99", 3, 99, 1)

    what, mend = machine.missing("pyhton3.99")

    assert what == "'pyhton3.99' is no version, and no Python of that name is on PATH"
    assert mend.startswith("did you mean 'python3.99'?")


def test_a_program_of_that_name_that_is_no_python_is_passed_over(machine: Machine):
    write_program(machine.path / "ruby", "echo no; exit 3")

    what, mend = machine.missing("ruby")

    assert what == "'ruby' is no version, and no Python of that name is on PATH"
    assert mend.splitlines()[0] == (
        f"passed over: {machine.path}/ruby: it ended with 3: and said nothing"
    )


@pytest.mark.parametrize("spec", [">=3.x", "", "312", "=>3.10", "3.10,3.11"])
def test_what_is_misspelt_is_no_missing_python(machine: Machine, spec: str):
    what, mend = machine.missing(spec, JobError)

    assert what == f"{spec!r} is no version and no range of Pythons"
    assert 'write a version ("3.12", "3.13t"), a range' in mend


# Nothing found. -----------------------------------------------------------------------------


def test_what_is_not_found_is_told_with_all_places_looked_at(machine: Machine):
    machine.pyenv("3.12.9", 3, 12, 9)

    what, mend = machine.missing("3.99")
    lines = mend.splitlines()

    assert what == "no Python that fits '3.99' was found"
    assert lines[0].startswith(
        "looked at: PATH (1 folder), pyenv (~/.pyenv/versions); none of mise"
    )
    assert lines[0].endswith("is here")
    assert lines[1].startswith("found: cpython ")
    assert "3.12.9" in lines[1]
    assert lines[2] == (
        "install one, with `uv python install 3.99` for example, or ask for one of these"
    )


def test_a_range_and_a_pypy_that_are_not_found_are_told_as_written(machine: Machine):
    assert "`uv python install '>=3.99'`" in machine.missing(">=3.99")[1]
    assert "`uv python install pypy3.99`" in machine.missing("pypy3.99")[1]


def test_what_was_passed_over_is_told_with_why(machine: Machine):
    for minor in ("", "3", "3.99"):
        write_program(machine.path / f"python{minor}", "exit 1")
    for patch in (1, 2):
        path = machine.home / f".pyenv/versions/3.99.{patch}/bin/python3"
        write_program(path, "echo 'it is broken' >&2; exit 1")

    mend = machine.missing("3.99")[1].splitlines()

    assert [line for line in mend if line.startswith("passed over: ")] == [
        f"passed over: {machine.path}/python: it ended with 1: and said nothing",
        f"passed over: {machine.path}/python3: it ended with 1: and said nothing",
        f"passed over: {machine.path}/python3.99: it ended with 1: and said nothing",
        "passed over: 2 more",
    ]


def test_a_trouble_that_is_over_is_no_trouble(machine: Machine):
    path = write_program(machine.path / "python3.99", "exit 1")
    machine.missing("3.99")
    stamp = path.stat()
    make_fake(path, (3, 99, 1))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    assert machine.find("3.99").version == "3.99.1"
