"""runenv is killed at every moment of a build: the next run is right, and nothing is left behind.

No moment is chosen by a clock: a run is killed when it has told a line, or when
a file is there that the build writes at that point.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FULL
from tests.features.test_environments import library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

SHOW = """
@runner.session(deps=["one"], backend={backend!r})
def show(session):
    session.install("two")
    session.run("python", "-c", "import one, two; print(one.version, two.version)")
"""

BACKENDS = pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])

# What is there in the order in which a build makes it; {site} is its site-packages.
MOMENTS = [
    ".runenv/.locks/show",
    ".runenv/show/runenv.json",
    ".runenv/show/bin",
    ".runenv/show/pyvenv.cfg",
    ".runenv/show/bin/python",
    ".runenv/show/bin/activate",
    "{site}",
    "{site}/one.py",
    "{site}/one-1.0.dist-info",
    "{site}/two.py",
    "{site}/two-1.0.dist-info/RECORD",
]

# Builds the project `slow`, and stops in the middle of it where a pipe says so.
SLOW_BACKEND = """
import os, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    if os.path.exists("hold"):
        os.rename("hold", "held")
        open("pipe").read()
    name = "slow-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("slow.py", "version = '1.0'\\n")
        wheel.writestr("slow-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: slow\\nVersion: 1.0\\n")
        wheel.writestr("slow-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("slow-1.0.dist-info/RECORD", "")
    return name
"""


def wait_until(is_so: Callable[[], bool], run: subprocess.Popen[str]) -> None:
    """Returns when it is so, or when the run has ended."""
    while not is_so() and run.poll() is None:
        os.sched_yield()


def kill(run: subprocess.Popen[str]) -> None:
    run.kill()
    run.wait(timeout=60)
    for stream in (run.stdout, run.stderr):
        if stream is not None:
            stream.close()


def names_in(folder: Folder) -> set[str]:
    return {entry.name for entry in (folder.root / ".runenv").iterdir()}


def mentioning(path: Path) -> list[str]:
    """The command lines of processes that name a path."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True
    )
    return [line for line in listing.stdout.splitlines() if str(path) in line]


def names_in_environment(folder: Folder) -> list[str]:
    return sorted(path.name for path in (folder.root / ".runenv/show").iterdir())


def assert_next_run_is_right(folder: Folder) -> None:
    done = folder.passes()

    assert done.out == "1.0 1.0\n"
    ours = {".cache", ".gitignore", ".history", ".ignore", ".key", ".locks", "CACHEDIR.TAG"}
    assert names_in(folder) - ours == {"show"}
    names = names_in_environment(folder)
    assert [name for name in names if "runenv" in name] == ["runenv.files.json", "runenv.json"]
    assert "environment: reused" in folder.passes().err


@BACKENDS
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_was_killed_when_a_file_was_there(folder: Folder, backend: str, moment: str):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend=backend))
    site = f".runenv/show/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    awaited = folder.root / moment.format(site=site)

    run = folder.start(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: os.path.lexists(awaited), run)
    kill(run)

    assert_next_run_is_right(folder)


@BACKENDS
@pytest.mark.parametrize("number", range(1, 6))
def test_a_run_that_was_killed_after_it_told_a_line(folder: Folder, backend: str, number: int):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend=backend))

    run = folder.start(stdout=subprocess.DEVNULL)
    assert run.stderr is not None
    for _ in range(number):
        run.stderr.readline()
    kill(run)

    assert_next_run_is_right(folder)


@pytest.mark.parametrize("moment", [".runenv/.trash", ".runenv/show/runenv.json"])
def test_a_run_that_was_killed_while_it_deleted(folder: Folder, moment: str):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend="uv"))
    folder.passes()
    before = (folder.root / ".runenv/show/runenv.json").stat().st_ino

    def is_so() -> bool:
        try:
            return (folder.root / moment).stat().st_ino != before
        except FileNotFoundError:
            return False

    run = folder.start("--fresh", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(is_so, run)
    kill(run)

    assert_next_run_is_right(folder)


def test_what_a_killed_run_left_beside_the_environments_is_gone(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend="uv"))
    folder.write(".runenv/.trash/show-1-0/bin/python", "")
    folder.write(".runenv/.new-show/runenv.json.new", "{")

    assert_next_run_is_right(folder)


@BACKENDS
def test_an_installer_that_outlives_its_run_keeps_the_next_one_waiting(
    folder: Folder, backend: str
):
    folder.write("slow/backend.py", SLOW_BACKEND)
    folder.write(
        "slow/pyproject.toml",
        """
        [build-system]
        requires = []
        build-backend = "backend"
        backend-path = ["."]

        [project]
        name = "slow"
        version = "1.0"
        """,
    )
    folder.write("slow/hold", "")
    os.mkfifo(folder.root / "slow/pipe")
    folder.envfile(
        f"""
        @runner.session(deps=["./slow"], backend={backend!r})
        def show(session): session.run("python", "-c", "import slow; print(slow.version)")
        """
    )
    killed = folder.start(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until((folder.root / "slow/held").exists, killed)
    kill(killed)

    following = folder.start()
    assert following.stderr is not None
    told = ""
    while "waiting for" not in told:
        line = following.stderr.readline()
        assert line, told
        told += line
    with open(folder.root / "slow/pipe", "w"):
        pass  # the build goes on
    out, _ = following.communicate(timeout=120)

    assert f"waiting for what process {killed.pid} started and left" in told
    assert (following.returncode, out) == (0, "1.0\n")
    assert mentioning(folder.root) == []


@pytest.mark.parametrize("number", range(3))
def test_two_first_runs_at_once_are_both_green(folder: Folder, number: int):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend="uv"))

    runs = [folder.start() for _ in range(2)]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [(out, code) for out, _, code in ended] == [("1.0 1.0\n", 0)] * 2
    assert sum("environment: created" in err for _, err, _ in ended) == 1
    assert sum("environment: reused" in err for _, err, _ in ended) == 1


def test_sessions_that_are_made_anew_at_once_do_not_trip_over_each_other(folder: Folder):
    names = "abcdef"
    folder.envfile(
        "\n".join(
            f"@runner.session\ndef {name}(session): session.run('python', '-c', 'print(\"{name}\")')\n"
            for name in names
        )
    )
    folder.passes()

    runs = [folder.start("--fresh", name) for name in names]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [(out, code) for out, _, code in ended] == [(f"{name}\n", 0) for name in names], ended
    assert ".trash" not in names_in(folder)


def test_a_signal_while_an_installer_runs_ends_it_and_the_next_run_is_right(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(SHOW.format(backend="uv"))

    run = folder.start()
    wait_until((folder.root / ".runenv/show/pyvenv.cfg").exists, run)
    run.send_signal(signal.SIGTERM)
    _, err = run.communicate(timeout=60)

    assert run.returncode == 143
    assert "interrupted" in err
    assert_next_run_is_right(folder)


# Every moment of a build. -------------------------------------------------------------

WHOLE = """
@runner.session(deps=["one"], project="wheel", backend={backend!r})
def show(session):
    session.install("two")
    session.run("python", "-c", "import mine, one, two; print(mine.value, one.version, two.version)")
"""


def made(folder: Folder, backend: str) -> None:
    """A project whose environment takes a build and two installs."""
    for name in ("one", "two"):
        folder.wheel(name)
    library(folder)
    folder.envfile(WHOLE.format(backend=backend))


def entries(folder: Folder) -> int:
    """How many files and folders are in the environment folder."""
    return sum(len(names) + len(files) for _, names, files in os.walk(folder.root / ".runenv"))


def kill_group(run: subprocess.Popen[str]) -> None:
    """Kill a run with all that is in its process group."""
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    kill(run)


def assert_next_two_are_right(folder: Folder, value: int, what: str) -> None:
    done = folder.run()
    assert (done.code, done.out) == (0, f"{value} 1.0 1.0\n"), f"{what}\n{done.err}"
    again = folder.run()
    assert (again.code, again.out) == (0, f"{value} 1.0 1.0\n"), f"{what}\n{again.err}"
    assert "environment: reused" in again.err, f"{what}\n{done.err}\n{again.err}"
    assert not [n for n in names_in(folder) if n.startswith(".new")], what
    wheels = folder.root / ".runenv/.wheels"
    assert not [path for path in wheels.iterdir() if path.name.startswith(".new")], what


@pytest.mark.parametrize("fifth", [0, *(pytest.param(n, marks=FULL) for n in range(1, 5))])
@BACKENDS
def test_a_build_that_is_killed_at_each_of_fifty_moments(folder: Folder, backend: str, fifth: int):
    made(folder, backend)
    folder.passes()
    whole = entries(folder)

    for number in range(fifth, 50, 5):
        shutil.rmtree(folder.root / ".runenv")
        shutil.rmtree(folder.environ["RUNENV_STORE"])  # else it would be linked, not built
        enough = whole * number // 50
        run = folder.start(start_new_session=True, stderr=subprocess.DEVNULL)
        wait_until(lambda enough=enough: entries(folder) >= enough, run)
        kill_group(run)

        assert_next_two_are_right(folder, 1, f"{enough} of {whole} files")


@BACKENDS
def test_a_wheel_that_is_replaced_is_replaced_whenever_the_run_is_killed(
    folder: Folder, backend: str
):
    made(folder, backend)
    folder.passes()
    root = folder.root / ".runenv"
    values = count(2)

    def change() -> int:
        value = next(values)
        folder.write("src/mine.py", f"value = {value}\n")
        return value

    for number in range(1, 5):  # lines: the job, the build, the install, the environment
        value = change()
        run = folder.start(start_new_session=True, stdout=subprocess.DEVNULL)
        assert run.stderr is not None
        for _ in range(number):
            run.stderr.readline()
        kill_group(run)
        assert_next_two_are_right(folder, value, f"after line {number}")

    site = next((root / "show/lib").glob("*/site-packages"))
    for path in (root / "show/runenv.json", site / "mine.py", site / "mine-1.0.dist-info"):
        for gone in (False, True):
            value = change()
            before = path.stat().st_ino if path.exists() else 0

            def is_so(path: Path = path, before: int = before, gone: bool = gone) -> bool:
                try:
                    return path.stat().st_ino != before and not gone
                except FileNotFoundError:
                    return gone

            run = folder.start(start_new_session=True, stderr=subprocess.DEVNULL)
            wait_until(is_so, run)
            kill_group(run)
            assert_next_two_are_right(folder, value, f"{path.name} {'gone' if gone else 'new'}")


@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=FULL)])
@BACKENDS
def test_four_runs_at_once_are_all_green(folder: Folder, backend: str, rounds: int):
    made(folder, backend)

    for number in range(1, rounds + 1):
        if number % 2:  # else only the wheel is replaced
            shutil.rmtree(folder.root / ".runenv", ignore_errors=True)
        folder.write("src/mine.py", f"value = {number}\n")
        runs = [folder.start() for _ in range(4)]
        ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

        wanted = [(f"{number} 1.0 1.0\n", 0)] * 4
        assert [(out, code) for out, _, code in ended] == wanted, ended
        told = [err for _, err, _ in ended]
        assert sum("environment: reused" in err for err in told) == 3, told
