"""Where Pythons lie, by the names of files and folders; none is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from runner.envs.python_spec import Version, read_spec
from runner.envs.pythons_found import (
    Found,
    found_versions,
    home_folder,
    in_folders,
    on_path,
    path_folders,
    places,
)
from tests.fake_pythons import bare_environ, write_program

# By name alone: to run one of them would be a mistake that shows.
BROKEN = "exit 1"

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def program(path: Path) -> Path:
    return write_program(path, BROKEN)


def link(path: Path, target: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def told(found: Found) -> tuple[str, tuple[int, ...], bool | None]:
    return found.implementation, found.version.release, found.free_threaded


def known(tmp_path: Path, **variables: Path) -> list[str]:
    """The paths below tmp_path of the Pythons in folders of tools."""
    environ = bare_environ(tmp_path, **variables)
    return [os.path.relpath(found.path, tmp_path) for found in in_folders(environ)]


# Folders of tools. ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "implementation", "release"),
    [
        (".pyenv/versions/3.12.1/bin/python3.12", "cpython", (3, 12, 1)),
        (".pyenv/versions/3.15-dev/bin/python3.15", "cpython", (3, 15)),
        (".pyenv/versions/pypy3.11-7.3.19/bin/pypy3.11", "pypy", (3, 11)),
        (".pyenv/versions/pypy3.11-7.3.19/bin/pypy3", "pypy", (3, 11)),
        (".pyenv/versions/graalpy-24.1.0/bin/graalpy", "graalpy", ()),
        (".local/share/mise/installs/python/3.11.9/bin/python", "cpython", (3, 11, 9)),
        (".asdf/installs/python/3.10.14/bin/python3", "cpython", (3, 10, 14)),
        (
            ".local/share/uv/python/cpython-3.12.5-linux-x86_64-gnu/bin/python3.12",
            "cpython",
            (3, 12, 5),
        ),
        (
            ".local/share/uv/python/pypy-3.11.11-linux-x86_64-gnu/bin/pypy3.11",
            "pypy",
            (3, 11, 11),
        ),
        (".rye/py/cpython@3.12.3/bin/python3", "cpython", (3, 12, 3)),
        (".rye/py/cpython@3.11.1/install/bin/python3", "cpython", (3, 11, 1)),
        (".rye/py/pypy-x86_64-linux@3.10.12/bin/pypy3.10", "pypy", (3, 10, 12)),
        (".local/share/hatch/pythons/3.12/python/bin/python3.12", "cpython", (3, 12)),
        (".local/share/hatch/env/virtual/.pythons/3.9/python/bin/python3", "cpython", (3, 9)),
    ],
)
def test_each_tool_keeps_its_pythons_in_its_own_way(
    tmp_path: Path, path: str, implementation: str, release: tuple[int, ...]
):
    program(tmp_path / path)

    assert in_folders(bare_environ(tmp_path)) == [
        Found(str(tmp_path / path), implementation, Version(release), False)
    ]


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("PYENV_ROOT", "versions/3.12.1"),
        ("MISE_DATA_DIR", "installs/python/3.12.1"),
        ("ASDF_DATA_DIR", "installs/python/3.12.1"),
        ("UV_PYTHON_INSTALL_DIR", "cpython-3.12.1-linux-x86_64-gnu"),
        ("XDG_DATA_HOME", "uv/python/cpython-3.12.1-linux-x86_64-gnu"),
        ("XDG_DATA_HOME", "mise/installs/python/3.12.1"),
        ("RYE_HOME", "py/cpython@3.12.1"),
        ("HATCH_DATA_DIR", "pythons/3.12/python"),
        ("RUNNER_TOOL_CACHE", "Python/3.12.1/x64"),
        ("AGENT_TOOLSDIRECTORY", "Python/3.12.1/arm64"),
    ],
)
def test_a_variable_moves_the_folder_of_its_tool(tmp_path: Path, variable: str, below: str):
    path = program(tmp_path / "moved" / below / "bin/python3.12")
    environ = bare_environ(tmp_path, **{variable: tmp_path / "moved"})

    assert [found.path for found in in_folders(environ)] == [str(path)]


def test_setup_python_tells_the_implementation_and_the_build_by_folders(tmp_path: Path):
    program(tmp_path / "PyPy/3.11.11/x64/bin/pypy3.11")
    program(tmp_path / "GraalPy/24.1.0/x64/bin/graalpy")
    program(tmp_path / "Python/3.13.0/x64-freethreaded/bin/python3.13")
    (tmp_path / "Python/3.13.0/x64-freethreaded.complete").touch()

    found = in_folders(bare_environ(tmp_path, RUNNER_TOOL_CACHE=tmp_path))

    assert [told(each) for each in found] == [
        ("cpython", (3, 13, 0), True),
        ("pypy", (3, 11, 11), False),
        ("graalpy", (), False),
    ]


@pytest.mark.parametrize(
    "folder",
    [
        ".pyenv/versions/3.13.0t",
        ".local/share/uv/python/cpython-3.13.0+freethreaded-linux-x86_64-gnu",
    ],
)
def test_a_free_threaded_build_is_told_by_its_folder(tmp_path: Path, folder: str):
    program(tmp_path / folder / "bin/python3.13t")

    found = in_folders(bare_environ(tmp_path))

    assert [told(each) for each in found] == [("cpython", (3, 13, 0), True)]


def test_final_releases_come_first_and_then_the_newest(tmp_path: Path):
    for version in ("3.9.18", "3.12", "3.12.10", "3.12.9", "3.15.0a1", "3.15.0b2"):
        program(tmp_path / f".pyenv/versions/{version}/bin/python")
    program(tmp_path / ".asdf/installs/python/3.12.11/bin/python")

    assert known(tmp_path) == [
        ".asdf/installs/python/3.12.11/bin/python",
        ".pyenv/versions/3.12.10/bin/python",
        ".pyenv/versions/3.12.9/bin/python",
        ".pyenv/versions/3.12/bin/python",
        ".pyenv/versions/3.9.18/bin/python",
        ".pyenv/versions/3.15.0b2/bin/python",
        ".pyenv/versions/3.15.0a1/bin/python",
    ]


def test_a_folder_whose_name_tells_nothing_is_known_by_where_its_program_leads(tmp_path: Path):
    python = program(tmp_path / ".pyenv/versions/miniforge3-24.3.0-0/bin/python3.12")
    link(python.with_name("python3"), Path("python3.12"))

    found = in_folders(bare_environ(tmp_path))

    assert [told(each) for each in found] == [("cpython", (3, 12), False)]


def test_a_python_registered_with_rye_is_a_link_to_a_program(tmp_path: Path):
    python = program(tmp_path / "opt/bin/python3.12")
    link(tmp_path / ".rye/py/cpython@3.12.3", python)
    link(tmp_path / ".rye/py/mine", python)

    found = in_folders(bare_environ(tmp_path))

    assert [(Path(each.path).name, each.version.release) for each in found] == [
        ("cpython@3.12.3", (3, 12, 3)),
        ("mine", (3, 12)),
    ]


def test_what_is_no_python_to_start_from_is_left_out(tmp_path: Path):
    versions = tmp_path / ".pyenv/versions"
    program(versions / "my-project/bin/python3")
    (versions / "my-project/pyvenv.cfg").touch()  # an environment of pyenv-virtualenv
    (versions / "3.12.1/bin").mkdir(parents=True)  # an installation that broke off
    program(versions / ".3.11.1/bin/python")  # one under way
    program(tmp_path / ".local/share/uv/python/cpython-3.13.0+debug-linux/bin/python3.13")

    assert known(tmp_path) == []


def test_folders_that_cannot_fit_are_not_looked_into(tmp_path: Path):
    program(tmp_path / ".pyenv/versions/3.12.1/bin/python")
    program(tmp_path / ".pyenv/versions/3.11.1/bin/python")

    found = in_folders(bare_environ(tmp_path), read_spec("3.11"))

    assert [each.version.release for each in found] == [(3, 11, 1)]


def test_without_a_home_no_tool_has_a_folder():
    assert places({"PATH": ""}, "linux") == []


def test_the_tools_beside_a_folder_of_shims_are_found_without_their_variables(tmp_path: Path):
    path = program(tmp_path / "opt/pyenv/versions/3.12.1/bin/python3.12")
    program(tmp_path / "opt/pyenv/shims/python3.12")

    found = in_folders({"PATH": str(tmp_path / "opt/pyenv/shims")})

    assert [each.path for each in found] == [str(path)]


def test_a_folder_that_two_tools_name_is_looked_into_once(tmp_path: Path):
    program(tmp_path / ".pyenv/versions/3.12.1/bin/python3.12")
    (tmp_path / ".pyenv/shims").mkdir()

    found = in_folders(bare_environ(tmp_path, tmp_path / ".pyenv/shims"))

    assert len(found) == 1


# Other systems, by their layouts. ---------------------------------------------------


def test_places_of_windows(tmp_path: Path):
    environ = {
        "USERPROFILE": "/home",
        "LOCALAPPDATA": "/local",
        "APPDATA": "/roaming",
        "ProgramFiles": "/programs",
    }

    assert [(place.tool, place.folder) for place in places(environ, "win32")] == [
        ("pyenv", "/home/.pyenv/pyenv-win/versions"),
        ("mise", "/local/mise/installs/python"),
        ("asdf", "/home/.asdf/installs/python"),
        ("uv", "/roaming/uv/python"),
        ("uv", "/roaming/uv/data/python"),
        ("rye", "/home/.rye/py"),
        ("hatch", "/local/hatch/pythons"),
        ("hatch", "/local/hatch/env/virtual/.pythons"),
        ("python.org", "/local/Programs/Python"),
        ("python.org", "/programs"),
        ("python.org", "/local/Python"),
    ]


def test_places_of_macos():
    assert [(place.tool, place.folder) for place in places({"HOME": "/home"}, "darwin")] == [
        ("pyenv", "/home/.pyenv/versions"),
        ("mise", "/home/.local/share/mise/installs/python"),
        ("asdf", "/home/.asdf/installs/python"),
        ("uv", "/home/.local/share/uv/python"),
        ("uv", "/home/Library/Application Support/uv/python"),
        ("rye", "/home/.rye/py"),
        ("hatch", "/home/Library/Application Support/hatch/pythons"),
        ("hatch", "/home/Library/Application Support/hatch/env/virtual/.pythons"),
    ]


def test_pyenv_win_may_be_named_by_its_own_variable():
    assert places({"PYENV": "/pyenv-win"}, "win32")[0].folder == "/pyenv-win/versions"


def test_the_home_folder_is_a_variable_of_the_system():
    environ = {"HOME": "/posix", "USERPROFILE": "/windows"}

    assert home_folder(environ, "linux") == "/posix"
    assert home_folder(environ, "win32") == "/windows"


def test_pythons_of_windows_lie_at_the_top_of_their_folders(tmp_path: Path):
    local = tmp_path / "local"
    program(local / "Programs/Python/Python312/python.exe")
    program(local / "Programs/Python/Python313/python.exe")
    program(local / "Programs/Python/Python313/python3.13t.exe")
    program(local / "Programs/Python/Launcher/python.exe")
    program(local / "Python/pythoncore-3.14-64/python.exe")
    program(tmp_path / "pyenv/versions/3.11.9/python.exe")
    environ = {"LOCALAPPDATA": str(local), "PYENV_ROOT": str(tmp_path / "pyenv")}

    found = in_folders(environ, platform="win32")

    assert [(os.path.relpath(each.path, tmp_path), *told(each)[1:]) for each in found] == [
        ("local/Python/pythoncore-3.14-64/python.exe", (3, 14), False),
        ("local/Programs/Python/Python313/python.exe", (3, 13), False),
        ("local/Programs/Python/Python313/python3.13t.exe", (3, 13), True),
        ("local/Programs/Python/Python312/python.exe", (3, 12), False),
        ("pyenv/versions/3.11.9/python.exe", (3, 11, 9), False),
    ]


def test_a_name_on_the_path_of_windows_ends_in_exe(tmp_path: Path):
    path = program(tmp_path / "3.12.1/python.exe")

    found = list(on_path({"PATH": str(path.parent)}, ("python3.12", "python"), "win32"))

    assert found == [Found(str(path), "cpython", Version((3, 12, 1)), False)]


# PATH. ------------------------------------------------------------------------------


def test_the_pythons_of_path_come_in_its_order_and_the_general_name_first(tmp_path: Path):
    for path in (
        "a/python3.9",
        "a/python3.12",
        "a/python",
        "a/python3",
        "b/pypy3.11",
        "b/python2.7",
    ):
        program(tmp_path / path)
    for other in ("python3-config", "python3.12-gdb.py", "pythonista", "python-argcomplete-tcsh"):
        program(tmp_path / "a" / other)
    (tmp_path / "a/python3.10").write_text("not to be run")
    (tmp_path / "a/python3.11").mkdir()
    link(tmp_path / "a/python3.13", Path("nowhere"))

    found = on_path({"PATH": f"{tmp_path / 'a'}{os.pathsep}{tmp_path / 'b'}"})

    assert [os.path.relpath(each.path, tmp_path) for each in found] == [
        "a/python",
        "a/python3",
        "a/python3.12",
        "a/python3.9",
        "b/pypy3.11",
        "b/python2.7",
    ]


def test_the_name_of_a_program_tells_its_version(tmp_path: Path):
    for name in ("python", "python3", "python3.13", "python3.14t", "pypy3.11", "graalpy"):
        program(tmp_path / name)

    assert {Path(each.path).name: told(each) for each in on_path({"PATH": str(tmp_path)})} == {
        "python": ("cpython", (), None),
        "python3": ("cpython", (3,), None),
        "python3.13": ("cpython", (3, 13), False),
        "python3.14t": ("cpython", (3, 14), True),
        "pypy3.11": ("pypy", (3, 11), False),
        "graalpy": ("graalpy", (), None),
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("usr/python3.11", ("cpython", (3, 11), False)),
        ("versions/3.11.7/bin/python3.11", ("cpython", (3, 11, 7), False)),
        ("versions/3.11.7/bin/python3", ("cpython", (3, 11, 7), False)),
        ("versions/pypy3.11-7.3.19/bin/pypy3.11", ("pypy", (3, 11), False)),
        ("versions/3.13.0/bin/python3.13t", ("cpython", (3, 13, 0), True)),
        ("3.9/bin/python3.11", ("cpython", (3, 11), False)),  # the program's own name wins
        ("usr/snake", ("cpython", (3,), None)),
    ],
)
def test_a_link_tells_by_its_target(
    tmp_path: Path, target: str, expected: tuple[str, tuple[int, ...], bool | None]
):
    program(tmp_path / target)
    link(tmp_path / "bin/python3", tmp_path / target)

    found = list(on_path({"PATH": str(tmp_path / "bin")}))

    assert [told(each) for each in found] == [expected]


def test_folders_of_shims_and_of_the_working_folder_are_no_part_of_path(tmp_path: Path):
    shims, scoop, plain = tmp_path / ".pyenv/shims", tmp_path / "scoop/shims", tmp_path / "bin"
    for folder in (shims, scoop, plain):
        folder.mkdir(parents=True)
    link(tmp_path / "again", plain)
    entries = ["", ".", "bin", shims, f"{shims}/", scoop, plain, tmp_path / "again", "/nowhere"]

    folders = path_folders({"PATH": os.pathsep.join(map(str, entries))})

    assert folders == [str(scoop), str(plain)]


def test_a_folder_of_path_that_is_a_file_has_no_pythons(tmp_path: Path):
    assert list(on_path({"PATH": str(program(tmp_path / "python3"))})) == []


# The versions that are here. --------------------------------------------------------


def versions(spec: str, environ: dict[str, str]) -> tuple[str, ...]:
    """The versions found, without that of the Python that runs the tests."""
    return tuple(found for found in found_versions(spec, environ=environ) if found != OWN)


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A machine with Pythons on PATH and in folders, none of them of the version of the tests."""
    for path in (
        "bin/python3.30",
        "bin/python3.40",
        ".pyenv/versions/3.30.4/bin/python",
        ".pyenv/versions/3.31.2/bin/python",
        ".pyenv/versions/3.41.0a1/bin/python",
        ".pyenv/versions/3.42.0t/bin/python",
        ".pyenv/versions/2.7.18/bin/python",
        ".pyenv/versions/pypy3.33-7.3/bin/pypy3",
        ".pyenv/versions/conda/bin/python3",
    ):
        program(tmp_path / path)
    return bare_environ(tmp_path, tmp_path / "bin")


def test_the_versions_that_fit_a_range_ascend_and_come_once(machine: dict[str, str]):
    assert versions(">=3.30", machine) == ("3.30", "3.31", "3.40")
    assert versions(">=3.30,<3.40", machine) == ("3.30", "3.31")
    assert versions("!=3.31", machine) == ("3.30", "3.40")


def test_a_prerelease_is_found_by_a_range_that_names_one(machine: dict[str, str]):
    assert versions(">=3.41.0a1", machine) == ("3.41",)


def test_free_threaded_builds_and_pypys_are_found_by_their_own_ranges(machine: dict[str, str]):
    assert versions(">=3.13t", machine) == ("3.42t",)
    assert versions("pypy>=3.10", machine) == ("pypy3.33",)


def test_a_patch_that_a_name_does_not_tell_may_fit(machine: dict[str, str]):
    assert versions(">=3.31.3,<3.41", machine) == ("3.40",)
    assert versions(">=3.40.9", machine) == ("3.40",)


def test_the_python_that_runs_runenv_is_found_without_any_variable():
    assert found_versions(f"=={OWN}", environ={}) == (OWN,)


def test_the_variables_are_those_of_the_process_unless_others_are_given():
    assert OWN in found_versions(">=3.8")


def test_what_is_no_range_has_no_versions(machine: dict[str, str]):
    assert found_versions(">=3.x", environ=machine) == ()
