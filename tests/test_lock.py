"""One process at a time: with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.envs.lock import Lock
from tests.conftest import ROOT

HOLD = """\
import sys
from runner.envs.lock import Lock
with Lock(sys.argv[1], lambda holder: print("waits for", holder, flush=True)):
    print("holds", flush=True)
    sys.stdin.readline()
"""


def start(path: Path) -> subprocess.Popen[str]:
    """A process that takes the lock and holds it until it is sent a line."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def fail(holder: str) -> None:
    raise AssertionError(f"waited for {holder}")


def test_a_free_lock_is_taken_at_once_and_again(tmp_path: Path):
    for _ in range(2):
        with Lock(str(tmp_path / "lock"), fail):
            assert (tmp_path / "lock").read_text() == f"process {os.getpid()}".ljust(20) + "\n"


def test_a_second_process_waits_and_is_told_for_whom(tmp_path: Path):
    with start(tmp_path / "lock") as first:
        assert line_of(first) == "holds"
        with start(tmp_path / "lock") as second:
            assert line_of(second) == f"waits for process {first.pid}"

            first.communicate("\n")

            assert line_of(second) == "holds"
            second.communicate("\n")
    assert (first.returncode, second.returncode) == (0, 0)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path):
    with start(tmp_path / "lock") as first:
        assert line_of(first) == "holds"
        first.send_signal(signal.SIGKILL)
        first.communicate()

    with Lock(str(tmp_path / "lock"), fail):
        assert (tmp_path / "lock").read_text() == f"process {os.getpid()}".ljust(20) + "\n"


def test_a_shorter_name_leaves_nothing_of_a_longer_one(tmp_path: Path):
    (tmp_path / "lock").write_text("process 4294967295  \n")

    with start(tmp_path / "lock") as first:
        assert line_of(first) == "holds"
        with start(tmp_path / "lock") as second:
            assert line_of(second) == f"waits for process {first.pid}"
            first.communicate("\n")
            second.communicate("\n")


def test_a_lock_whose_holder_left_no_name_is_anothers(tmp_path: Path):
    with start(tmp_path / "lock") as first:
        assert line_of(first) == "holds"
        (tmp_path / "lock").write_text("")
        with start(tmp_path / "lock") as second:
            assert line_of(second) == "waits for another process"
            first.communicate("\n")
            second.communicate("\n")


def test_an_exception_inside_lets_go(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), Lock(str(tmp_path / "lock"), fail):
        raise ZeroDivisionError

    with Lock(str(tmp_path / "lock"), fail):
        pass


def test_an_exception_of_who_is_told_leaves_no_open_file(tmp_path: Path):
    with start(tmp_path / "lock") as first:
        assert line_of(first) == "holds"
        descriptors = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []

        with pytest.raises(AssertionError, match=f"waited for process {first.pid}"):
            Lock(str(tmp_path / "lock"), fail).__enter__()

        if descriptors:
            assert os.listdir("/proc/self/fd") == descriptors
        first.communicate("\n")


def test_no_command_inherits_the_lock(tmp_path: Path):
    with Lock(str(tmp_path / "lock"), fail):
        command = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False
        )
    with command, start(tmp_path / "lock") as other:
        assert line_of(other) == "holds"
        other.communicate("\n")
        command.communicate(b"\n")
