"""Signals, crashes and killed runs: what is left, what is said, and with which code."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

MARK = "MARK_OF_A_TEST"

# What jobs run, each in a shell that says when it is there.
COMMANDS = {
    "a child": "echo here >> here; exec sleep 1000",
    "a grandchild": "sleep 1000 & echo here >> here; wait",
    "a grandchild in a session of its own": "setsid sleep 1000 & echo here >> here; wait",
    "a pipeline": "echo here >> here; sleep 1000 | sleep 1000 | cat",
    "a grandchild that is deaf": "trap '' INT TERM HUP; sleep 1000 & echo here >> here; wait; sleep 1000",
}
SLOW = ("a grandchild that is deaf",)  # its grace is waited for


class How(NamedTuple):
    """How jobs run, and how many of them."""

    arguments: tuple[str, ...]
    worker: str
    jobs: int


ONE = How((), "", 1)
FORK, SPAWN = How(("-j", "4"), "fork", 4), How(("-j", "4"), "spawn", 4)
IDS = {ONE: "one job", FORK: "fork", SPAWN: "spawn"}


def marked(mark: str) -> list[int]:
    """All processes of this machine that have the mark in their environment."""
    found: list[int] = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/environ", "rb") as stream:
                variables = stream.read()
            with open(f"/proc/{entry}/stat", encoding="latin-1") as stream:
                state = stream.read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in variables.split(b"\0") and state not in "ZX":
            found.append(int(entry))
    return found


def wait_until_none_is_left(folder: Folder) -> None:
    deadline = time.monotonic() + 60
    while marked(folder.environ[MARK]):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.02)


@pytest.fixture
def faulty(folder: Folder) -> Iterator[Folder]:
    """A project folder of whose runs nothing is left, whatever the test finds."""
    folder.environ[MARK] = str(folder.root)
    yield folder
    for pid in marked(folder.environ[MARK]):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def started(folder: Folder, command: str, how: How) -> Iterator[subprocess.Popen[str]]:
    """A run whose jobs have all come to their commands."""
    folder.envfile(
        f"""
        @runner.session(python=False)
        @runner.parametrize("n", list(range({how.jobs})))
        def s(session, n):
            try:
                session.run("sh", "-c", {command!r}, external=True)
            finally:
                with open("finally", "a") as stream:
                    print(n, file=stream)

        @runner.session(python=False)
        def later(session): ...
        """
    )
    env = {"RUNENV_WORKER": how.worker} if how.worker else {}
    process = folder.start(*how.arguments, env=env, start_new_session=True)
    here = folder.root / "here"
    try:
        while not here.exists() or len(here.read_text().split()) < how.jobs:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def the_finally_blocks_ran(folder: Folder, how: How) -> bool:
    return sorted((folder.root / "finally").read_text().split()) == [
        str(n) for n in range(how.jobs)
    ]


CASES = [
    pytest.param(
        command,
        how,
        marks=[pytest.mark.slow] if command in SLOW else [],
        id=f"{command} - {IDS[how]}",
    )
    for command in COMMANDS
    for how in (ONE, FORK, SPAWN)
    # With one job a command is ended with its group, and this one has left it.
    if not (how is ONE and command == "a grandchild in a session of its own")
]
IN_WORKERS = [case for case in CASES if case.values[1] is not ONE]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
@pytest.mark.parametrize(("command", "how"), CASES)
def test_a_signal_ends_all_and_the_summary_is_written(
    faulty: Folder, command: str, how: How, number: signal.Signals
):
    with started(faulty, COMMANDS[command], how) as process:
        # As a terminal does it, Ctrl-C comes to the whole group; the others to us alone.
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, err = process.communicate(timeout=60)

    assert marked(faulty.environ[MARK]) == []
    assert process.returncode == CODES[number]
    assert the_finally_blocks_ran(faulty, how)
    assert len(re.findall(rf"^! interrupted +s-n\d .*{number.name}", err, re.MULTILINE)) >= how.jobs
    assert re.search("^- skipped +later +not started: the run was interrupted", err, re.MULTILINE)
    assert "Traceback" not in err


@pytest.mark.parametrize(("command", "how"), IN_WORKERS)
def test_of_a_killed_run_nothing_is_left(faulty: Folder, command: str, how: How):
    with started(faulty, COMMANDS[command], how) as process:
        process.kill()
        wait_until_none_is_left(faulty)

    assert the_finally_blocks_ran(faulty, how)


@pytest.mark.parametrize(("command", "how"), IN_WORKERS)
def test_of_a_killed_worker_nothing_is_left_and_the_others_go_on(
    faulty: Folder, command: str, how: How
):
    with started(faulty, COMMANDS[command], how) as process:
        os.kill(worker_of(faulty, "s-n0"), signal.SIGKILL)
        while commands_of(faulty, "s-n0"):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)

    assert marked(faulty.environ[MARK]) == []
    assert process.returncode == 143
    assert re.search(r"failed +s-n0 .* its worker was ended by SIGKILL\n", err)
    interrupted = set(re.findall(r"^! interrupted +(s-n\d) ", err, re.MULTILINE))
    assert interrupted == {"s-n1", "s-n2", "s-n3"}


def commands_of(folder: Folder, job: str) -> list[int]:
    """What runs of a job's commands."""
    return [
        pid
        for pid in marked(folder.environ[MARK])
        if f"RUNENV_JOB={job}".encode() in read(pid, "environ").split(b"\0")
    ]


def worker_of(folder: Folder, job: str) -> int:
    """What has started a job's commands: the first ancestor that is none of them."""
    commands = commands_of(folder, job)
    parents = {int(read(pid, "stat").rpartition(b")")[2].split()[1]) for pid in commands}
    # One that has left its shell has init, or the worker itself, as its parent.
    (worker,) = parents - {*commands}
    return worker


def read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as stream:
            return stream.read()
    except OSError:
        return b""
