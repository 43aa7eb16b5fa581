"""One command: what it is given, what comes back, who gets which signal, and that nothing stays."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from runner import descendants, process
from runner.errors import CommandFailed
from runner.running import Command, Finished
from runner.shown import show
from tests.terminals import AtTerminal, open_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


def run(*argv: str, grace_s: float = 60.0, **more: object) -> Finished:
    """A command in the working folder, with our own variables."""
    options: dict[str, object] = {"cwd": os.getcwd(), "env": dict(os.environ), **more}
    return process.run(Command(argv=argv, **options), grace_s=grace_s)  # type: ignore[arg-type]


def python(code: str, **more: object) -> Finished:
    """A command that is Python code."""
    return run(sys.executable, "-c", textwrap.dedent(code), **more)  # type: ignore[arg-type]


def wait_until(holds: object) -> None:
    """Return once `holds()` is true; fail after a minute."""
    deadline = time.monotonic() + 60
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


def python_that_is_ready(code: str, **more: object) -> Finished:
    """A command that had enough time to write something before it was up."""
    for timeout_s in (0.5, 2.0, 10.0, 60.0):
        finished = python(code, capture="apart", timeout_s=timeout_s, **more)
        if finished.stdout:
            break
    return finished


def wait_for_end_of(pid: int) -> None:
    wait_until(lambda: pid not in descendants.processes())


# What it is given and what comes back. ----------------------------------------------


@pytest.fixture
def streams(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """The descriptors that a command inherits."""
    return capfd


def test_output_that_is_not_captured_goes_where_ours_goes(streams):
    finished = python("import sys; print('out'); print('err', file=sys.stderr)")

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert streams.readouterr() == ("out\n", "err\n")


def test_what_we_printed_before_comes_before(streams):
    code = """
        import os, sys
        from runner import process
        from runner.running import Command
        print("first")
        process.run(Command(argv=("echo", "second"), cwd=os.getcwd(), env=dict(os.environ)))
    """

    python(code, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert streams.readouterr().out == "first\nsecond\n"


def test_streams_of_ours_that_are_closed_do_not_matter(streams):
    code = """
        import os, sys
        from runner import process
        from runner.running import Command
        sys.stdout = None
        sys.stderr.close()
        process.run(Command(argv=("echo", "here"), cwd=os.getcwd(), env=dict(os.environ)))
    """

    finished = python(code, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert (finished.returncode, streams.readouterr().out) == (0, "here\n")


def test_captured_apart():
    finished = python(
        "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", capture="apart"
    )

    assert finished.returncode == 3
    assert (finished.stdout, finished.stderr) == ("out\n", "err\n")
    assert not finished.timed_out
    assert finished.duration_s > 0


def test_captured_merged_is_in_the_order_of_writing():
    finished = python(
        "import os; os.write(1, b'a'); os.write(2, b'b'); os.write(1, b'c')", capture="merged"
    )

    assert (finished.stdout, finished.stderr) == ("abc", "")


def test_bytes_that_are_no_utf8_are_spelt_out():
    finished = python(r"import os; os.write(1, b'caf\xc3\xa9 \xff\r\n')", capture="apart")

    assert finished.stdout == "café \\xff\r\n"


def test_much_on_both_pipes_comes_whole():
    code = """
        import os
        for _ in range(200):
            os.write(1, b"o" * 65536)
            os.write(2, b"e" * 65536)
    """

    finished = python(code, capture="apart")

    assert finished.stdout == "o" * 65536 * 200
    assert finished.stderr == "e" * 65536 * 200


def test_arguments_arrive_exactly():
    words = ("", "a b", "$HOME", "*", "'\"", "\\", "é", "\n")

    finished = run(sys.executable, "-c", "import sys; print(sys.argv[1:])", *words, capture="apart")

    assert finished.stdout == "['', 'a b', '$HOME', '*', '\\'\"', '\\\\', 'é', '\\n']\n"


def test_variables_and_folder_are_those_of_the_command(tmp_path: Path):
    finished = python(
        "import os; print(os.environ.get('A'), 'HOME' in os.environ, os.getcwd())",
        capture="apart",
        cwd=str(tmp_path),
        env={"A": "1"},
    )

    assert finished.stdout == f"1 False {tmp_path}\n"


def test_input_is_its_standard_input():
    finished = python(
        "import sys; print(ascii(sys.stdin.read()))", capture="apart", input="café\nx"
    )

    assert finished.stdout == "'caf\\xe9\\nx'\n"


def test_names_of_files_that_are_no_text_go_back_as_the_bytes_that_they_are():
    code = "import sys; print(sys.stdin.buffer.read())"

    assert python(code, capture="apart", input="a\udcff").stdout == "b'a\\xff'\n"


def test_empty_input_is_the_end_of_the_file():
    assert (
        python("import sys; print(len(sys.stdin.read()))", capture="apart", input="").stdout
        == "0\n"
    )


def test_much_input_and_much_output_do_not_wait_for_each_other():
    code = "import sys, shutil; shutil.copyfileobj(sys.stdin, sys.stdout)"

    assert python(code, capture="apart", input="x" * 3_000_000).stdout == "x" * 3_000_000


def test_input_that_is_not_read_is_no_error():
    assert python("pass", input="x" * 3_000_000).returncode == 0


def test_it_reads_our_standard_input_where_none_is_given():
    code = """
        import os, sys
        from runner import process
        from runner.running import Command
        process.run(Command(argv=("cat",), cwd=os.getcwd(), env=dict(os.environ)))
    """

    finished = python(
        code, capture="apart", input="typed", env={**os.environ, "PYTHONPATH": str(ROOT)}
    )

    assert finished.stdout == "typed"


@pytest.mark.parametrize("returncode, code", [(0, 0), (1, 1), (255, 255), (-2, 130), (-9, 137)])
def test_exit_code_of_a_returncode(returncode: int, code: int):
    assert process.exit_code(returncode) == code


def test_death_by_a_signal_is_a_negative_returncode():
    assert python("import os; os.kill(os.getpid(), 9)").returncode == -9


def test_it_may_be_run_in_a_thread():
    finished = []

    thread = threading.Thread(target=lambda: finished.append(python("print(1)", capture="apart")))
    thread.start()
    thread.join()

    assert finished[0].stdout == "1\n"


def test_how_it_ended_is_known_where_the_caller_ignores_its_children():
    code = """
        import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as inherited from who started us
        from runner import process
        from runner.running import Command
        print(process.run(Command(argv=("false",), cwd="/", env=dict(os.environ))).returncode)
    """

    assert (
        python(code, capture="apart", env={**os.environ, "PYTHONPATH": str(ROOT)}).stdout == "1\n"
    )


# What stays behind. --------------------------------------------------------------------

# Starts a process that outlives it and holds its pipes, and tells that one's number.
LEAVE_ONE = """
    import subprocess, sys
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(other.pid, flush=True)
"""


def test_what_it_leaves_running_with_its_pipe_is_not_waited_for_and_left_alone():
    finished = python(LEAVE_ONE, capture="apart")

    other = int(finished.stdout)
    assert other in descendants.processes()
    os.kill(other, signal.SIGKILL)


def test_what_goes_on_writing_to_its_pipe_is_not_waited_for():
    writing = "import os, time\nwhile True: os.write(1, b'x'); time.sleep(0.01)"
    code = f"""
        import subprocess, sys
        other = subprocess.Popen([sys.executable, "-c", {writing!r}])
        print(other.pid, "", flush=True)
    """

    finished = python(code, capture="apart")

    other, rest = finished.stdout.split(" ", 1)
    assert rest.lstrip("\n").startswith("x")
    wait_for_end_of(int(other))  # nobody reads what it writes


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started():
    code = LEAVE_ONE + "    import time; time.sleep(600)\n"

    finished = python_that_is_ready(code)

    assert finished.timed_out
    assert finished.returncode == -15
    wait_for_end_of(int(finished.stdout))


def test_a_command_may_use_the_grace_to_tidy_up():
    code = """
        import signal, sys, time
        def tidy(*_):
            print("tidied")
            sys.exit(7)
        signal.signal(signal.SIGTERM, tidy)
        print("ready", flush=True)
        while True:
            time.sleep(0.1)  # a signal just before it would not end a long one
    """

    finished = python_that_is_ready(code)

    assert (finished.timed_out, finished.returncode, finished.stdout) == (
        True,
        7,
        "ready\ntidied\n",
    )


def test_what_its_children_do_in_the_grace_is_waited_for(tmp_path: Path):
    go_on, tidied = tmp_path / "go-on", tmp_path / "tidied"
    # The command dies of the signal at once; its child ends when it is let.
    child = f"""
import os, pathlib, signal, sys, time
def tidy(*_):
    while not os.path.exists({str(go_on)!r}):
        time.sleep(0.005)
    pathlib.Path({str(tidied)!r}).touch()
    sys.exit()
signal.signal(signal.SIGTERM, tidy)
print("ready", flush=True)
while True:
    time.sleep(0.1)  # a signal just before it would not end a long one
"""
    code = f"""
        import subprocess, sys
        print(subprocess.Popen([sys.executable, "-c", {child!r}]).wait())
    """
    threading.Timer(1.0, go_on.touch).start()

    finished = python_that_is_ready(code)

    assert finished.timed_out
    assert tidied.exists()


def test_a_command_that_ignores_the_end_of_its_time_is_killed():
    code = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        time.sleep(600)
    """

    finished = python_that_is_ready(code, grace_s=0.1)

    assert (finished.timed_out, finished.returncode, finished.stdout) == (True, -9, "ready\n")


def test_a_time_without_end_is_none():
    assert python("pass", timeout_s=float("inf")).returncode == 0


def test_any_exception_in_the_wait_ends_the_command(tmp_path: Path):
    class AlarmError(Exception):
        pass

    def ring(*_: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    started = tmp_path / "started"
    code = f"""
        import os, pathlib, signal, time
        pathlib.Path({str(started)!r}).write_text(str(os.getpid()) + "\\n")
        os.kill(os.getppid(), signal.SIGALRM)
        time.sleep(600)
    """
    try:
        with pytest.raises(AlarmError):
            python(code)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert int(started.read_text()) not in descendants.processes()


# Signals to us, away from a terminal. ----------------------------------------------------

# Runs Python code as a command and tells how that ended.
RUNNER = """
import fcntl, json, os, sys, termios
from runner import process, signals
from runner.errors import Interrupted
from runner.running import Command

code, options, grace_s = sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])
with signals.signals_as_exceptions():
    try:
        finished = process.run(
            Command(argv=(sys.executable, "-c", code), cwd=os.getcwd(), env=dict(os.environ), **options),
            grace_s=grace_s,
        )
        print("ended", finished.returncode, finished.timed_out)
    except Interrupted as error:
        print("Interrupted", error.signal_name, error.exit_code)
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
"""

# Tells each signal that it gets, and ends when it has had some.
TELL = """
import os, signal, sys, time
count = 0
def tell(number, _):
    global count
    count += 1
    print("got", signal.Signals(number).name, flush=True)
    if count == {ends_after}:
        sys.exit(0)
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), tell)
print("ready", os.getpid(), flush=True)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
while True:
    time.sleep(0.1)  # a signal just before it would not end a long one
"""


class Started(NamedTuple):
    """A runner with its command, which has said that it is ready."""

    process: subprocess.Popen[str]
    command: int

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def rest(self) -> list[str]:
        out, _ = self.process.communicate(timeout=60)
        return out.splitlines()


def popen_runner(
    code: str, *, grace_s: float = 60.0, prefix: str = "", **options: object
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", prefix + RUNNER, code, json.dumps(options), str(grace_s)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def start_runner(code: str, **more: object) -> Started:
    started = Started(popen_runner(code, **more), 0)  # type: ignore[arg-type]
    word, _, pid = started.line().partition(" ")
    assert word == "ready"
    return started._replace(command=int(pid))


def tell(ends_after: int) -> str:
    return TELL.format(ends_after=ends_after)


@pytest.mark.parametrize(
    "name, told",
    [
        ("SIGINT", "KeyboardInterrupt"),
        ("SIGTERM", "Interrupted SIGTERM 143"),
        ("SIGHUP", "Interrupted SIGHUP 129"),
    ],
)
def test_a_signal_is_handed_on_once_and_then_raised(name: str, told: str):
    started = start_runner(tell(ends_after=2))

    started.process.send_signal(getattr(signal, name))
    assert started.line() == f"got {name}"
    # The second signal that it gets is ours, and so no second one came from the runner.
    os.kill(started.command, signal.SIGHUP if name == "SIGTERM" else signal.SIGTERM)

    other = "SIGHUP" if name == "SIGTERM" else "SIGTERM"
    assert started.rest() == [f"got {other}", told]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_no_descendant_outlives_an_interrupted_command(name: str):
    started = start_runner(
        """
import os, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("ready", os.getpid(), flush=True)
print(other.pid, flush=True)
time.sleep(600)
"""
    )
    other = int(started.line())

    started.process.send_signal(getattr(signal, name))
    started.rest()

    assert {started.command, other} & set(descendants.processes()) == set()


def test_what_ignores_a_signal_is_killed_after_the_grace():
    started = start_runner(tell(ends_after=0), grace_s=0.1)

    started.process.send_signal(signal.SIGTERM)

    assert started.rest() == ["got SIGTERM", "Interrupted SIGTERM 143"]
    assert started.command not in descendants.processes()


def test_a_second_ctrl_c_kills_at_once():
    started = start_runner(tell(ends_after=0), grace_s=3600)

    started.process.send_signal(signal.SIGINT)
    assert started.line() == "got SIGINT"
    again_until_it_ends(started.process, lambda: started.process.send_signal(signal.SIGINT))

    assert started.rest() == ["KeyboardInterrupt"]
    assert started.command not in descendants.processes()


def again_until_it_ends(runner: subprocess.Popen[str], press: Callable[[], object]) -> None:
    """Press Ctrl-C as people do: two that come at once count as one."""
    while runner.poll() is None:
        press()
        try:
            runner.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            continue


def test_a_second_term_leaves_the_grace_as_it_is():
    started = start_runner(tell(ends_after=2))

    started.process.send_signal(signal.SIGTERM)
    assert started.line() == "got SIGTERM"
    started.process.send_signal(signal.SIGHUP)
    started.process.send_signal(signal.SIGTERM)
    # The command is still there to end by itself.
    os.kill(started.command, signal.SIGHUP)

    assert started.rest() == ["got SIGHUP", "Interrupted SIGTERM 143"]


def test_a_signal_in_the_grace_of_a_timeout_is_handed_on_and_raised():
    # The end of its time waits for the command until it is ready.
    blocked = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
    started = start_runner(tell(ends_after=2), prefix=blocked, timeout_s=0.01, grace_s=3600)
    assert started.line() == "got SIGTERM"

    started.process.send_signal(signal.SIGINT)

    assert started.rest() == ["got SIGINT", "KeyboardInterrupt"]


def test_the_output_of_an_interrupted_command_is_not_waited_for(tmp_path: Path):
    ready = tmp_path / "ready"
    code = f"""
import os, subprocess, sys, time
words = [sys.executable, "-c", "import time; time.sleep(600)"]
other = subprocess.Popen(words, start_new_session=True)  # out of the group, with the pipe
with open({str(ready)!r}, "w") as stream:
    stream.write(f"{{other.pid}}\\n")
time.sleep(600)
"""
    runner = popen_runner(code, capture="apart")
    wait_until(lambda: ready.exists() and ready.read_text().endswith("\n"))

    runner.send_signal(signal.SIGINT)

    assert runner.communicate(timeout=60)[0] == "KeyboardInterrupt\n"
    os.kill(int(ready.read_text()), signal.SIGKILL)


def test_an_ignored_signal_stays_ignored():
    ignore = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    started = start_runner(tell(ends_after=1), prefix=ignore)

    started.process.send_signal(signal.SIGHUP)
    started.process.send_signal(signal.SIGTERM)

    assert started.rest() == ["got SIGTERM", "Interrupted SIGTERM 143"]


# Signals on a terminal. -------------------------------------------------------------------

# Makes its standard input the terminal that controls it, as a login does.
LOGIN = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"


class Terminal(AtTerminal):
    """A terminal with a runner in its foreground, whose keyboard and screen are here."""

    def __init__(
        self, code: str, *, program: str = RUNNER, grace_s: float = 60.0, **options: object
    ) -> None:
        self.keyboard, inside = open_terminal()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOGIN + program, code, json.dumps(options), str(grace_s)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def read_until(self, text: str) -> None:
        """Read until the screen shows a text."""
        while text not in self.seen:
            self._read_more(text)

    def read_lines(self, count: int) -> None:
        """Read until the screen shows that many lines to their ends; one may come in parts."""
        while self.seen.count("\n") < count:
            self._read_more(f"line {count}")

    def _read_more(self, awaited: str) -> None:
        try:
            self.seen += os.read(self.keyboard, 4096).decode()
        except OSError:  # what Linux has for its end
            raise AssertionError(f"{awaited!r} did not come: {self.seen!r}") from None

    def rest(self) -> list[str]:
        """The lines of the screen once nothing runs there any more."""
        self.process.wait(timeout=60)
        try:
            while data := os.read(self.keyboard, 4096):
                self.seen += data.decode()
        except OSError:
            pass
        return self.seen.replace("^C", "").splitlines()


def test_a_command_reads_the_keyboard():
    with Terminal("print('hello', input('name? '))") as terminal:
        terminal.read_until("name? ")
        terminal.type("Ada\n")

        assert terminal.rest() == ["name? Ada", "hello Ada", "ended 0 False"]


def test_ctrl_c_reaches_the_command_once():
    with Terminal(tell(ends_after=2)) as terminal:
        terminal.read_until("\n")
        command = int(terminal.seen.split()[1])
        terminal.type("\x03")
        terminal.read_until("got SIGINT\r\n")
        # The runner has taken it, too, when it sees a second kind of signal later.
        os.kill(command, signal.SIGHUP)

        assert terminal.rest()[1:] == ["got SIGINT", "got SIGHUP", "KeyboardInterrupt"]


@pytest.mark.measured
def test_a_second_ctrl_c_kills_at_once_on_a_terminal():
    with Terminal(tell(ends_after=0), grace_s=3600) as terminal:
        terminal.read_until("\n")
        command = int(terminal.seen.split()[1])
        terminal.type("\x03")
        terminal.read_until("got SIGINT\r\n")
        again_until_it_ends(terminal.process, lambda: terminal.type("\x03"))

        assert terminal.rest()[-1] == "KeyboardInterrupt"
        assert command not in descendants.processes()


ONE_WITH_A_CHILD = """
import os, signal, subprocess, sys, time
words = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"]
other = subprocess.Popen(words, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
print("pids", os.getpid(), other.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "name, told", [("SIGTERM", "Interrupted SIGTERM 143"), ("SIGHUP", "Interrupted SIGHUP 129")]
)
def test_no_descendant_outlives_a_command_on_a_terminal(name: str, told: str):
    with Terminal(ONE_WITH_A_CHILD) as terminal:
        terminal.read_lines(2)
        terminal.process.send_signal(getattr(signal, name))

        lines = terminal.rest()

    pids = next(line.split()[1:] for line in lines if line.startswith("pids"))
    assert told in lines
    assert set(map(int, pids)) & set(descendants.processes()) == set()


def test_no_descendant_outlives_the_time_of_a_command_on_a_terminal():
    for timeout_s in (1.0, 10.0, 60.0):  # until it had the time to tell its pids
        with Terminal(ONE_WITH_A_CHILD, timeout_s=timeout_s) as terminal:
            lines = terminal.rest()
        if any(line.startswith("pids") for line in lines):
            break

    pids = next(line.split()[1:] for line in lines if line.startswith("pids"))
    assert "ended -15 True" in lines
    assert set(map(int, pids)) & set(descendants.processes()) == set()


def test_what_ignores_ctrl_c_on_a_terminal_is_killed_after_the_grace():
    with Terminal(ONE_WITH_A_CHILD, grace_s=0.5) as terminal:
        terminal.read_lines(2)
        terminal.type("\x03")
        lines = terminal.rest()

    pids = next(line.split()[1:] for line in lines if line.startswith("pids"))
    assert "KeyboardInterrupt" in lines
    assert set(map(int, pids)) & set(descendants.processes()) == set()


# Runs the runner in the background of the terminal, as a shell does for `runenv &`.
BACKGROUND = f"""
import os, signal, subprocess, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
other = subprocess.Popen(
    [sys.executable, "-c", {RUNNER!r}, *sys.argv[1:]], preexec_fn=lambda: os.setpgid(0, 0)
)
print("runner", other.pid, flush=True)
other.wait()
"""


def test_in_the_background_of_a_terminal_an_interrupt_is_handed_on():
    with Terminal(tell(ends_after=1), program=BACKGROUND) as terminal:
        terminal.read_lines(2)
        runner = next(line for line in terminal.seen.splitlines() if line.startswith("runner"))
        os.kill(int(runner.split()[1]), signal.SIGINT)

        assert terminal.rest()[2:] == ["got SIGINT", "KeyboardInterrupt"]


# The list of processes. --------------------------------------------------------------------


def test_both_lists_of_processes_agree_on_us():
    by_proc, by_ps = descendants.processes_of_proc(), descendants.processes_of_ps()

    for found in (by_proc, by_ps):
        assert (found[os.getpid()].parent, found[os.getpid()].group) == (os.getppid(), os.getpgrp())


def test_a_process_that_has_ended_is_in_no_list():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie until it is asked for

    assert child.pid not in descendants.processes_of_proc()
    assert child.pid not in descendants.processes_of_ps()
    child.wait()


# Its first thread has ended, another runs on: as when it is killed, for a moment.
HALF_ENDED = """
import ctypes, subprocess, threading, time
child = subprocess.Popen(["sleep", "1000"])
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
print(child.pid, flush=True)
ctypes.CDLL(None).syscall(60, 0)  # exit(2)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="calls exit(2) by its number"
)
@pytest.mark.measured
def test_what_a_process_has_started_is_ended_while_only_its_first_thread_has():
    done = python(
        f"""
        import subprocess, sys, time
        from pathlib import Path
        from runner.descendants import adopt_orphans, end_children, processes

        adopt_orphans()
        words = [sys.executable, "-c", {HALF_ENDED!r}]
        half = subprocess.Popen(words, stdout=subprocess.PIPE)
        child = int(half.stdout.readline())
        while ") Z " not in Path(f"/proc/{{half.pid}}/stat").read_text():
            time.sleep(0.001)
        print(half.pid in processes())
        end_children()
        print(child in processes())
        """,
        capture="merged",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert done.stdout == "True\nFalse\n"


# What cannot be started. --------------------------------------------------------------------


def failure(*argv: str, **more: object) -> tuple[str, str, int]:
    with pytest.raises(CommandFailed) as raised:
        run(*argv, **more)  # type: ignore[arg-type]
    return raised.value.what, raised.value.mend, raised.value.returncode


def make_script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_program_that_does_not_exist():
    assert failure("nosuch") == (
        "there is no program nosuch",
        "is its name right, and what provides it installed?",
        127,
    )
    assert failure("/no/such")[0] == "there is no program /no/such"


def test_a_script_whose_interpreter_is_gone(tmp_path: Path):
    script = make_script(tmp_path / "tool", "#!/moved/bin/python\n")

    assert failure(script) == (
        f"{script} is a script for /moved/bin/python, which does not exist",
        "was its environment moved?  --fresh makes it anew",
        127,
    )


def test_a_link_to_nothing(tmp_path: Path):
    link = tmp_path / "tool"
    link.symlink_to("gone")

    assert failure(str(link)) == (
        f"{link} is a link to what does not exist",
        "was its environment moved?  --fresh makes it anew",
        127,
    )


def test_a_program_without_permission(tmp_path: Path):
    script = make_script(tmp_path / "a tool", "#!/bin/sh\n", mode=0o644)

    assert failure(script) == (f"{script} may not be executed", f"chmod +x '{script}'", 126)


def test_a_folder_as_a_program(tmp_path: Path):
    assert failure(str(tmp_path)) == (
        f"{tmp_path} is a folder, not a program",
        "name the program in it",
        126,
    )


def test_a_script_without_a_first_line(tmp_path: Path):
    script = make_script(tmp_path / "tool", "echo here\n")

    assert failure(script) == (
        f"{script} is no program of this system, and no script with a #! line",
        'write "#!/bin/sh" or the like in its first line, or run it through its interpreter',
        126,
    )


def test_arguments_that_are_too_long():
    what, mend, code = failure("echo", "x" * 9_000_000, env={"PATH": "/usr/bin:/bin"})

    assert (
        what == "echo: its arguments and variables, 9000025 bytes, are more than this system takes"
    )
    assert (mend, code) == ("hand them on in a file", 126)


def test_a_folder_that_does_not_exist(tmp_path: Path):
    (tmp_path / "file").touch()

    assert failure("echo", cwd=f"{tmp_path}/gone") == (
        f"echo cannot run in {tmp_path}/gone, which does not exist",
        "make the folder first, or give another cwd=",
        126,
    )
    assert (
        failure("echo", cwd=f"{tmp_path}/file")[0]
        == f"echo cannot run in {tmp_path}/file, which is a file"
    )


def test_a_folder_that_may_not_be_entered():
    code = """
        import os, sys
        from runner import process
        from runner.errors import CommandFailed
        from runner.running import Command
        if os.getuid() == 0:
            os.setuid(65534)  # root is stopped by no permission, nobody is
        try:
            process.run(Command(argv=("/bin/echo",), cwd=sys.stdin.read(), env={}))
        except CommandFailed as error:
            print(error.what, error.returncode)
    """
    # Not tmp_path: others may not look into the folder above it.
    with tempfile.TemporaryDirectory() as folder:
        locked = os.path.join(folder, "locked")
        os.mkdir(locked, mode=0)
        os.chmod(folder, 0o755)

        # Nobody may not write where coverage would, so it is left out.
        finished = python(
            code,
            capture="merged",
            input=locked,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_CONFIG": ""},
        )

        assert finished.stdout == f"echo cannot run in {locked}: Permission denied 126\n"


def test_a_variable_that_cannot_be():
    assert failure("echo", env={"A=B": "1"}) == (
        "echo cannot be started: illegal environment variable name",
        "",
        126,
    )


def test_a_name_that_is_too_long():
    assert failure("x/" + "y" * 5000)[0].endswith("cannot be started: File name too long")


# As one can paste it. --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv, shown",
    [
        (("pytest", "-x", "tests/test_a.py::test_b"), "pytest -x tests/test_a.py::test_b"),
        (("echo", ""), "echo ''"),
        (("echo", "a b", "$HOME", "*"), "echo 'a b' '$HOME' '*'"),
        (("python", "-c", "print('a')"), "python -c \"print('a')\""),
        (("echo", "it's $HOME"), "echo 'it'\"'\"'s $HOME'"),
        (("echo", "it's!"), "echo 'it'\"'\"'s!'"),
        (("echo", "é"), "echo 'é'"),
        (("python", "-c", "a\nb"), "python -c 'a\nb'"),
        (("echo", "\x1b[31m'\\ é"), "echo $'\\033[31m\\'\\\\ é'"),
        (("echo", "a\udcffb"), "echo $'a\\377b'"),
        (("echo", "\ud800"), "echo $'\\355\\240\\200'"),
        (("echo", "\u202e"), "echo $'\\342\\200\\256'"),
    ],
)
def test_show(argv: tuple[str, ...], shown: str):
    assert show(argv) == shown


def test_show_with_variables():
    changes = [("A", "1"), ("B", "x y"), ("C", "")]

    assert show(["pytest"], changes) == "A=1 B='x y' C='' pytest"
    assert show(["pytest"], [*changes, ("D", None)]) == "env -u D A=1 B='x y' C='' pytest"


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="no bash")
def test_what_is_shown_means_the_same_to_a_shell():
    every_byte = os.fsdecode(bytes(range(1, 256)))
    words = ["a'b\"c", "\\", "\n", "\t", every_byte, "~", "a=b", "{x,y}", "!x", "#", "é\u200b"]
    words += ["it's", "a'b c"]
    print_words = "import os, sys; print([os.fsencode(w) for w in sys.argv[1:]])"
    shown = show([sys.executable, "-c", print_words, *words])

    told = subprocess.run(
        ["/bin/bash", "-c", shown], capture_output=True, text=True, check=True
    ).stdout

    assert told == f"{[os.fsencode(word) for word in words]}\n"
