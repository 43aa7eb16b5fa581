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
from tests.terminals import AtTerminal, open_terminal

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
WAIT = "echo here >> here; while [ ! -e go ]; do sleep 0.02; done"
WAITER = "a command that waits for a file"
SERVER = "a server beside it"
COMMANDS[SERVER] = COMMANDS["a grandchild"]  # twice: as a server, and as a command
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


def command_of(pid: int) -> str:
    """What a process runs; empty where it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return stream.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def wait_until_none_is_left(folder: Folder, but: int = 0) -> None:
    """but: how many belong to the test."""
    deadline = time.monotonic() + 60
    while len(left := marked(folder.environ[MARK])) > but:
        assert time.monotonic() < deadline, f"processes are left: {list(map(command_of, left))}"
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
    declare(folder, command, how)
    env = {"RUNENV_WORKER": how.worker} if how.worker else {}
    process = folder.start(*how.arguments, env=env, start_new_session=True)
    try:
        wait_until_all_are_here(folder, command, how, process)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def declare(folder: Folder, command: str, how: How) -> None:
    """Jobs that run it, all of them the same."""
    words = ["sh", "-c", WAIT if command == WAITER else COMMANDS[command]]
    folder.environ["RUNENV_GRACE"] = "1"
    folder.envfile(
        f"""
        @runner.session(python=False)
        @runner.parametrize("n", list(range({how.jobs})))
        def s(session, n):
            try:
                if {command == SERVER}:
                    session.background(*{words}, external=True)
                session.run(*{words}, external=True)
            finally:
                with open("finally", "a") as stream:
                    print(n, file=stream)

        @runner.session(python=False)
        def later(session): ...
        """
    )


def wait_until_all_are_here(
    folder: Folder, command: str, how: How, process: subprocess.Popen[str] | subprocess.Popen[bytes]
) -> None:
    here = folder.root / "here"
    count = how.jobs * (1 + (command == SERVER))
    while not here.exists() or len(here.read_text().split()) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


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
AT_A_TERMINAL = [
    pytest.param(command, marks=[pytest.mark.slow] if command in SLOW else [])
    for command in COMMANDS
]
ALONE = [case for case in CASES if case.values[1] is ONE]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
@pytest.mark.parametrize(("command", "how"), CASES)
def test_a_signal_ends_all_and_the_summary_is_written(
    faulty: Folder, command: str, how: How, number: signal.Signals
):
    with started(faulty, command, how) as process:
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
    with started(faulty, command, how) as process:
        process.kill()
        wait_until_none_is_left(faulty)

    assert the_finally_blocks_ran(faulty, how)


@pytest.mark.parametrize(("command", "how"), ALONE)
def test_of_a_killed_run_of_one_job_nothing_is_left(faulty: Folder, command: str, how: How):
    with started(faulty, command, how) as process:
        process.kill()
        wait_until_none_is_left(faulty)


# A shell with job control at a terminal of its own: what it runs is a group of its own
# in the foreground, and does not lose the terminal with what started it.
SHELL = """
import fcntl, os, signal, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)

def begin():
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)

run = subprocess.Popen([sys.executable, "-m", "runner", *sys.argv[1:]], preexec_fn=begin)
with open("pid", "w") as stream:
    print(run.pid, file=stream)
run.wait()
"""


@contextmanager
def started_at_a_terminal(folder: Folder, command: str) -> Iterator[int]:
    """A run of one job, by its number, in the foreground of a terminal that outlives it."""
    declare(folder, command, ONE)
    terminal, theirs = open_terminal()
    shell: subprocess.Popen[str] = subprocess.Popen(
        [sys.executable, "-c", SHELL],
        cwd=folder.root,
        env=folder.environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        text=True,
    )
    os.close(theirs)
    try:
        wait_until_all_are_here(folder, command, ONE, shell)
        yield int((folder.root / "pid").read_text())
    finally:
        shell.kill()
        shell.wait(timeout=60)
        os.close(terminal)


@pytest.mark.parametrize("command", AT_A_TERMINAL)
def test_of_a_run_that_is_killed_at_a_terminal_nothing_is_left(faulty: Folder, command: str):
    with started_at_a_terminal(faulty, command) as run:
        os.kill(run, signal.SIGKILL)
        wait_until_none_is_left(faulty, but=1)


@pytest.mark.parametrize(("command", "how"), IN_WORKERS)
def test_of_a_killed_worker_nothing_is_left_and_the_others_go_on(
    faulty: Folder, command: str, how: How
):
    with started(faulty, command, how) as process:
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


# Stopped. ------------------------------------------------------------------------------

# Makes its standard input the terminal that controls it, and goes on as a shell with job control.
LOGIN = """
import fcntl, os, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
"""


class Shell(AtTerminal):
    """An interactive shell at a terminal, whose keyboard and screen are here."""

    def __init__(self, folder: Folder) -> None:
        self.keyboard, inside = open_terminal()
        self.seen = ""
        environ = {name: value for name, value in folder.environ.items() if name != MARK}
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOGIN],
            cwd=folder.root,
            env={**environ, "TERM": "dumb", "PS1": "ready> ", "HISTFILE": ""},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def __enter__(self) -> Shell:
        self.read_until("ready> ")
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        os.close(self.keyboard)
        self.process.wait(timeout=60)

    def read_until(self, text: str) -> str:
        """What the screen shows up to a text, from what was read for before."""
        while text not in self.seen:
            self.seen += os.read(self.keyboard, 4096).decode(errors="replace")
        shown, _, self.seen = self.seen.partition(text)
        return shown


def states_of(folder: Folder) -> set[str]:
    """T: stopped. D: a shell that waits for a copy of it, stopped before it became `sleep`."""
    return {
        [*read(pid, "stat").decode().rpartition(")")[2].split(), ""][0]
        for pid in marked(folder.environ[MARK])
    } - {""}


def start_in_a_shell(shell: Shell, folder: Folder, how: How) -> None:
    """Jobs run that wait for a file, in a shell's foreground."""
    declare(folder, WAITER, how)
    words = [f"{MARK}={folder.environ[MARK]}", sys.executable, "-m", "runner", *how.arguments]
    worker = f"RUNENV_WORKER={how.worker} " if how.worker else ""
    shell.type(worker + " ".join(words) + "\n")
    wait_until_all_are_here(folder, WAITER, how, shell.process)


WAYS = [pytest.param(how, id=IDS[how]) for how in IDS]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.measured
def test_ctrl_z_stops_all_and_fg_lets_it_go_on(faulty: Folder, how: How):
    with Shell(faulty) as shell:
        start_in_a_shell(shell, faulty, how)

        shell.type("\x1a")
        shell.read_until("Stopped")
        shell.read_until("ready> ")
        while not states_of(faulty) <= {"T", "D"}:  # of a pipeline one stops after the other
            time.sleep(0.01)
        shell.type("fg\n")
        while "T" in states_of(faulty):
            time.sleep(0.01)
        (faulty.root / "go").touch()
        shown = shell.read_until("ready> ")
        shell.type("echo code $?.\n")
        shell.read_until("code 0.")

    assert len(set(re.findall(r"passed +(s-n\d)", shown))) == how.jobs
    assert marked(faulty.environ[MARK]) == []


@pytest.mark.parametrize("how", WAYS)
def test_of_a_stopped_run_that_is_killed_nothing_is_left(faulty: Folder, how: How):
    with Shell(faulty) as shell:
        start_in_a_shell(shell, faulty, how)
        shell.type("\x1a")
        shell.read_until("Stopped")

        shell.type("kill -9 %1\n")

        wait_until_none_is_left(faulty)


# What watches over a run of one job. -----------------------------------------------------


def test_one_shell_watches_over_a_run_and_none_over_one_without_commands(folder: Folder):
    folder.envfile(
        """
        import os
        from runner.descendants import processes

        def count_children():
            return sum(one.parent == os.getpid() for one in processes().values())

        @runner.session(python=False)
        def a(session):
            print(count_children())
            session.run("true", external=True)
            session.run("true", external=True)

        @runner.session(python=False)
        def b(session):
            session.run("true", external=True)
            session.background("sleep", "1000", external=True)
            print(count_children())
        """
    )

    assert folder.passes().out == "0\n2\n"


def test_a_copy_that_a_session_makes_of_us_does_not_keep_its_command_alive(faulty: Folder):
    faulty.envfile(
        """
        import os, signal

        @runner.session(python=False)
        def s(session):
            session.run("true", external=True)
            if not (copy := os.fork()):
                os.setsid()
                signal.pause()
            session.run("sh", "-c", "echo here >> here; sleep 1000", external=True)
        """
    )
    run = faulty.start(start_new_session=True, stdout=None, stderr=None)
    while not (faulty.root / "here").exists():
        assert run.poll() is None

    run.kill()
    run.wait()

    wait_until_none_is_left(faulty, but=1)


def test_a_command_that_cannot_be_watched_over_runs_all_the_same(folder: Folder):
    folder.envfile(
        """
        import resource

        @runner.session(python=False)
        def s(session):
            # Enough files for the command, and not for the pipe to who watches over it.
            resource.setrlimit(resource.RLIMIT_NOFILE, (5, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            session.run("echo", "it runs", external=True)
        """
    )

    assert folder.passes().out == "it runs\n"
