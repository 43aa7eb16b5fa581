"""The board of `-j N` at real terminals: what is seen, and what is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import Folder
from tests.features.test_interactive import LOGIN
from tests.features.test_parallel import KINDS, declare
from tests.terminals import AtTerminal, open_terminal, resize
from tests.test_board import Emulated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")


class Terminal(AtTerminal):
    """A terminal of some size in which runenv runs, and all that it was sent."""

    def __init__(
        self,
        folder: Folder,
        *arguments: str,
        columns: int = 80,
        env: dict[str, str] | None = None,
        program: str = LOGIN,
        **popen: object,
    ) -> None:
        self.keyboard, inside = open_terminal()
        self.resize(columns)
        self.sent = bytearray()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), inside)
        environ = {**folder.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **(env or {})}
        options: dict[str, object] = {"cwd": folder.root, "env": environ, **streams, **popen}
        self.process = subprocess.Popen(  # type: ignore[call-overload]  # handed on
            [sys.executable, "-c", program, *arguments], start_new_session=True, **options
        )
        os.close(inside)

    def resize(self, columns: int) -> None:
        resize(self.keyboard, columns)

    def read_until(self, pattern: str) -> None:
        """Read until what was sent matches, behind what was read for before."""
        begin = len(self.sent)
        while not re.search(pattern, self.sent[begin:].decode(errors="replace"), re.S):
            assert self._read(), f"{pattern!r} did not come: {self.sent!r}"

    def rest(self) -> str:
        """All that was sent, once nothing runs there any more."""
        while self._read():
            pass
        self.process.wait(timeout=60)
        return self.sent.decode()

    def _read(self) -> bytes:
        try:
            data = os.read(self.keyboard, 65536)
        except OSError:  # what Linux has for its end
            data = b""
        self.sent += data
        return data


@pytest.fixture(params=KINDS)
def many(request: pytest.FixtureRequest, folder: Folder) -> Folder:
    """A project folder whose runs have workers of one kind."""
    folder.environ["RUNENV_WORKER"] = request.param
    return folder


HELD = """
@runner.session(python=False)
def quick(session):
    wait_for("show quick")
    print("quick is over")

@runner.session(python=False)
def held(session):
    print("the held one " * 30, flush=True)
    wait_for("go")

@runner.session(python=False, requires=["held"])
def last(session): ...
"""


def seen(sent: str, columns: int = 1000) -> list[str]:
    """The lines that a terminal shows that was sent this."""
    terminal = Emulated(columns)
    terminal.feed(sent)
    return terminal.lines()


def is_clean(sent: str) -> bool:
    """Whether nothing of a board is left, and no mode of the terminal was changed."""
    return not any(" running" in row for row in seen(sent)) and "\x1b[?" not in sent


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (40, "the held one the held one …"),
        (200, "the held one " * 14 + "the …"),
    ],
)
def test_what_runs_stands_below_what_has_ended(many: Folder, columns: int, line: str):
    declare(many, HELD)

    with Terminal(many, "-j", "2", columns=columns, env={"NO_COLOR": "1"}) as terminal:
        terminal.read_until(rf"held   \d+ s  {line}\x1b\[K\r\n2 running, 1 waiting; \d+ s\x1b")
        (many.root / "show quick").touch()
        terminal.read_until(r"quick is over\r\n.*1 running, 1 waiting, 1 passed; ")
        (many.root / "go").touch()
        sent = terminal.rest()

    assert terminal.process.returncode == 0
    assert is_clean(sent)
    assert not re.search(r"\x1b\[[0-9;]+m", sent)
    shown = seen(sent)
    assert shown.count("quick is over") == 1
    assert shown[-2:] == [shown[-2], ""]
    assert shown[-2].startswith("3 passed in ")


def test_environments_that_are_being_prepared_are_shown_as_such(many: Folder):
    many.wheel("tool")
    declare(many, HELD + '\n@runner.session(deps=["tool"])\ndef env(session): ...\n')

    with Terminal(many, "-j", "2", "env", "held") as terminal:
        terminal.read_until(r"env\x1b\[0m +\d s +\x1b\[1mpreparing\x1b\[0m")
        (many.root / "go").touch()
        assert is_clean(terminal.rest())


def test_estimates_come_from_earlier_runs(many: Folder):
    declare(many, HELD)
    (many.root / "go").touch()
    (many.root / "show quick").touch()
    many.passes("-j", "2")
    history = many.root / ".runenv/.history"
    history.write_text(
        re.sub(r'"held","passed",[\d.]+', '"held","passed",65.0', history.read_text())
    )
    (many.root / "go").unlink()

    with Terminal(many, "-j", "2", env={"NO_COLOR": "1"}) as terminal:
        terminal.read_until(r"held +\d+ s of ~1 min 05 s  the held one")
        (many.root / "go").touch()
        terminal.rest()


def test_bytes_of_a_block_are_what_the_job_wrote(many: Folder):
    declare(
        many,
        HELD
        + """
@runner.session(python=False)
def odd(session):
    os.write(1, bytes(range(256)) * 2)
""",
    )

    with Terminal(many, "-j", "2", "odd", "held", columns=60) as terminal:
        terminal.read_until("2 running|1 passed")
        terminal.read_until("1 running, 1 passed")
        (many.root / "go").touch()
        while terminal._read():
            pass

    assert (bytes(range(256)) * 2).replace(b"\n", b"\r\n") in terminal.sent


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_leaves_a_clean_screen(many: Folder, name: str, code: int):
    declare(many, HELD)

    with Terminal(many, "-j", "2") as terminal:
        terminal.read_until("2 running, 1 waiting")
        terminal.process.send_signal(getattr(signal, name))
        sent = terminal.rest()

    assert terminal.process.returncode == code
    assert is_clean(sent)
    assert " interrupted in " in seen(sent)[-2] or "skipped in " in seen(sent)[-2]


@pytest.mark.measured
def test_an_error_leaves_a_clean_screen(folder: Folder):
    declare(
        folder,
        HELD
        + """
@runner.session(python=False)
def breaks(session):
    os.mkdir(".runenv/logs/latest/late.log")
    wait_for("go")

@runner.session(python=False, requires=["breaks"])
def late(session): ...
""",
    )

    with Terminal(folder, "-j", "2", "late", "held") as terminal:
        terminal.read_until("2 running, 1 waiting")
        (folder.root / "go").touch()
        sent = terminal.rest()

    assert terminal.process.returncode == 1
    assert is_clean(sent)
    assert "cannot be used: Is a directory" in sent


def test_a_board_is_as_wide_as_its_terminal_now(folder: Folder):
    declare(folder, HELD)

    with Terminal(folder, "-j", "2", columns=100, env={"NO_COLOR": "1"}) as terminal:
        terminal.read_until(r"held   \d+ s  (the held one ){6}the held…\x1b\[K")
        terminal.resize(50)
        terminal.process.send_signal(signal.SIGWINCH)  # to a group in the foreground, this is
        # Of the three lines one was wrapped.
        terminal.read_until(r"\r\x1b\[4A.*held   \d+ s  (the held one ){2}the held o…\x1b\[K")
        (folder.root / "go").touch()
        (folder.root / "show quick").touch()
        terminal.rest()


# Runs runenv as a shell with job control does: in a group of its own.
SHELL = """
import fcntl, os, signal, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
def foreground(group):
    if sys.argv[1] == "foreground":
        os.tcsetpgrp(0, group)
child = subprocess.Popen([sys.executable, "-m", "runner", *sys.argv[2:]], preexec_fn=os.setpgrp)
foreground(child.pid)
while True:
    pid, status = os.waitpid(child.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        break
    foreground(os.getpgrp())
    print("stopped", flush=True)
    input()
    foreground(child.pid)
    os.kill(child.pid, signal.SIGCONT)
print("code", os.waitstatus_to_exitcode(status))
"""


@pytest.mark.measured
def test_ctrl_z_takes_the_board_away_until_the_run_goes_on(many: Folder):
    declare(many, HELD)

    with Terminal(many, "foreground", "-j", "2", program=SHELL) as terminal:
        terminal.read_until("2 running, 1 waiting")
        os.write(terminal.keyboard, b"\x1a")
        terminal.read_until("stopped")
        begun = terminal.sent.decode()
        assert is_clean(begun)
        os.write(terminal.keyboard, b"\n")
        terminal.read_until("2 running, 1 waiting")
        (many.root / "show quick").touch()
        (many.root / "go").touch()
        sent = terminal.rest()

    assert is_clean(sent)
    assert seen(sent)[-2] == "code 0"


def test_in_the_background_of_a_terminal_nothing_is_drawn(folder: Folder):
    declare(folder, HELD)
    (folder.root / "show quick").touch()

    with Terminal(folder, "background", "-j", "2", program=SHELL) as terminal:
        terminal.read_until("quick is over")
        (folder.root / "go").touch()
        sent = terminal.rest()

    assert " running" not in sent
    assert "\x1b[K" not in sent
    assert "3 passed in " in sent


@pytest.mark.parametrize(
    ("columns", "env", "arguments"),
    [
        (39, {}, []),
        (0, {}, []),
        (80, {"TERM": "dumb"}, []),
        (80, {"TERM": ""}, []),
        (80, {"CI": "true"}, []),
        (80, {}, ["--output", "block"]),
        (80, {}, ["-q"]),
    ],
)
def test_elsewhere_there_is_no_board(
    folder: Folder, columns: int, env: dict[str, str], arguments: list[str]
):
    declare(folder, HELD)
    (folder.root / "go").touch()

    with Terminal(folder, "-j", "2", *arguments, columns=columns, env=env) as terminal:
        terminal.read_until("the held one.*\r\n")
        (folder.root / "show quick").touch()
        sent = terminal.rest()

    assert terminal.process.returncode == 0
    assert not re.search(r"\x1b\[[AJK0-9]*[AJK]", sent)


def test_who_reads_a_pipe_may_write_to_the_terminal_so_there_is_no_board(folder: Folder):
    declare(folder, HELD)
    (folder.root / "go").touch()
    (folder.root / "show quick").touch()

    with Terminal(folder, "-j", "2", stdout=subprocess.PIPE) as terminal:
        sent = terminal.rest()
        assert terminal.process.stdout is not None
        out = terminal.process.stdout.read()
        terminal.process.stdout.close()

    assert b"quick is over\n" in out
    assert "\x1b[K" not in sent


def test_what_goes_to_a_file_is_no_part_of_the_terminal(folder: Folder):
    declare(folder, HELD)

    with (
        open(folder.root / "out", "wb") as out,
        Terminal(folder, "-j", "2", stdout=out) as terminal,
    ):
        terminal.read_until("2 running, 1 waiting")
        (folder.root / "go").touch()
        (folder.root / "show quick").touch()
        sent = terminal.rest()

    assert is_clean(sent)
    # As the last line of a job that runs it is on the board, and stands in no block.
    assert "quick is over\r\n" not in sent
    assert b"\x1b" not in (folder.root / "out").read_bytes()
    assert b"quick is over\n" in (folder.root / "out").read_bytes()


def test_a_terminal_that_is_stopped_does_not_stop_the_jobs(many: Folder):
    declare(
        many,
        HELD
        + """
@runner.session(python=False)
def writes(session):
    wait_for("the terminal is stopped")
    for _ in range(20):  # longer than from one drawing to the next, and more than pipes hold
        print("line\\n" * 20_000, flush=True)
        time.sleep(0.01)
    touch("written")
    wait_for("go")
""",
    )

    with Terminal(many, "-j", "2", "writes", "held") as terminal:
        terminal.read_until("2 running")
        os.write(terminal.keyboard, b"\x13")  # Ctrl-S
        (many.root / "the terminal is stopped").touch()
        while not (many.root / "written").exists():
            time.sleep(0.005)
        os.write(terminal.keyboard, b"\x11")  # Ctrl-Q
        (many.root / "go").touch()
        sent = terminal.rest()

    assert terminal.process.returncode == 0
    assert sent.count("line\r\n") == 400_000
