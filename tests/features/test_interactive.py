"""`--shell`, `--exec`, `--on-fail shell` and debuggers, at real terminals."""

from __future__ import annotations

import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from typing import IO

import pytest

from tests.conftest import Folder
from tests.features.test_environments import library
from tests.terminals import AtTerminal, open_terminal

if sys.platform != "win32":
    import fcntl
    import termios

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX"),
    pytest.mark.measured,
]

# Makes its standard input the terminal that controls it, as a login does, and goes on as runenv.
LOGIN = (
    "import fcntl, runpy, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " sys.argv[0] = 'runenv'; runpy.run_module('runner', run_name='__main__')"
)
ESCAPES = re.compile(r"\x1b(\[[0-9;?>=]*[a-zA-Z]|\][^\x07]*\x07|[=>()].?)|\r")


class Terminal(AtTerminal):
    """A terminal in which runenv runs, whose keyboard and screen are here."""

    def __init__(
        self,
        folder: Folder,
        *arguments: str,
        env: dict[str, str] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> None:
        """stderr: where that goes instead."""
        self.keyboard, inside = open_terminal()
        # Wide, since a prompt holds the working folder.
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 400, 0, 0))
        self.seen = ""
        self._at = 0  # behind what was read for, in what is shown
        home = folder.root.parent / "home"
        home.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOGIN, *arguments],
            cwd=folder.root,
            env={
                **folder.environ,
                "TERM": "dumb",
                "HOME": str(home),
                "SHELL": "/bin/sh",
                "PYTHON_BASIC_REPL": "1",
                **(env or {}),
            },
            stdin=inside,
            stdout=inside,
            stderr=stderr or inside,
            start_new_session=True,
        )
        os.close(inside)

    def read_until(self, text: str) -> None:
        """Read until the screen shows a text, behind what was read for before."""
        while (at := ESCAPES.sub("", self.seen).find(text, self._at)) < 0:
            try:
                self.seen += os.read(self.keyboard, 4096).decode(errors="replace")
            except OSError:  # what Linux has for its end
                raise AssertionError(f"{text!r} did not come: {self.seen!r}") from None
        self._at = at + len(text)

    def rest(self) -> str:
        """The screen once nothing runs there any more, without what moves the cursor."""
        try:
            while data := os.read(self.keyboard, 4096):
                self.seen += data.decode(errors="replace")
        except OSError:
            pass
        self.process.wait(timeout=60)
        return ESCAPES.sub("", self.seen)


# --exec. ---------------------------------------------------------------------------------

ONE = """
    @runner.session(env={"COLOR": "blue"}, deps=["tool"])
    def lint(session):
        session.run("python", "-c", "print('the function ran')")

    @runner.session(python=False)
    @runner.parametrize("api", ["old", "new"])
    def tests(session, api): ...
    """


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.wheel("tool")
    folder.envfile(ONE)
    return folder


def test_a_command_runs_in_the_environment_with_the_session_s_variables(project: Folder):
    code = "import os, sys, tool; print(sys.prefix, os.environ['COLOR'], os.environ['RUNENV_JOB'])"

    done = project.passes("--exec", "lint", "--", "python", "-c", code)

    assert done.out == f"{project.root}/.runenv/lint blue lint\n"
    assert "environment: created" in done.err
    assert project.passes("--exec", "lint", "--", "python", "-c", code).err == ""


def test_its_exit_code_is_ours(project: Folder):
    def code_of(*words: str) -> int:
        return project.run("--exec", "tests-old", "--", *words).code

    assert code_of("sh", "-c", "exit 7") == 7
    assert code_of("sh", "-c", "kill -TERM $$") == -signal.SIGTERM
    assert code_of("no-such-program") == 127
    assert code_of("./envfile.py") == 126


def test_it_runs_in_the_working_folder(project: Folder):
    (project.root / "below").mkdir()

    done = project.run("--exec", "tests-new", "--", "pwd", cwd=project.root / "below")

    assert done.out == f"{project.root}/below\n"


def test_it_finds_what_the_function_has_installed(folder: Folder):
    folder.wheel("more")
    folder.envfile("@runner.session\ndef s(session): session.install('more')\n")
    folder.passes()

    folder.passes("--exec", "s", "--", "python", "-c", "import more")

    assert "environment: reused" in folder.passes().err


def test_what_it_changes_is_seen_by_the_next_run(project: Folder):
    project.wheel("stray")
    project.passes("lint")

    project.passes("--exec", "lint", "--", "pip", "install", "-q", "stray")

    assert "environment: rebuilt" in project.passes("lint").err


def test_another_run_waits_until_it_has_ended(project: Folder):
    project.passes("lint")
    with project.start("--exec", "lint", "--", "cat", stdin=subprocess.PIPE) as visiting:
        assert visiting.stdin is not None
        assert visiting.stdout is not None
        visiting.stdin.write("here\n")
        visiting.stdin.flush()
        assert visiting.stdout.readline() == "here\n"
        with project.start("lint") as run:
            assert run.stderr is not None
            lines = iter(run.stderr.readline, "")
            waits = next(line for line in lines if line.startswith("waiting"))
            visiting.communicate()
            run.communicate()

    assert waits == f"waiting for process {visiting.pid}, which uses the same environment\n"
    assert run.returncode == 0


def test_python_ignores_the_end_of_a_pipe_and_the_command_does_not(project: Folder):
    done = project.run("--exec", "tests-old", "--", "sh", "-c", "yes | head -n 1")

    assert (done.out, done.err, done.code) == ("y\n", "", 0)


# --shell. --------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish", "dash"])
def test_a_shell_opens_with_its_prompt_marked_and_hands_its_exit_code_on(
    project: Folder, shell: str
):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    with Terminal(project, "--shell", "lint", env={"SHELL": program}) as terminal:
        terminal.read_until("(lint) ")
        terminal.type("python -c 'import sys, tool; print(sys.prefix)'; echo is $COLOR\n")
        terminal.read_until(f"{project.root}/.runenv/lint")
        terminal.read_until("is blue")
        terminal.type("exit 5\n")
        terminal.rest()

    assert terminal.process.returncode == 5


@pytest.mark.parametrize(
    "shell, file, line",
    [
        ("bash", ".bashrc", "export PATH=/usr/bin:/bin; PS1='mine> '"),
        ("zsh", ".zshrc", "export PATH=/usr/bin:/bin; PROMPT='mine> '"),
        ("zsh", ".zshenv", "PROMPT='mine> '; ZDOTDIR=$HOME/elsewhere"),
    ],
)
def test_the_user_s_own_start_up_files_are_read_first(
    project: Folder, shell: str, file: str, line: str
):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    home = project.root.parent / "home"
    (home / "elsewhere").mkdir(parents=True)
    (home / "elsewhere/.zshrc").write_text("PROMPT='mine> '\n")
    (home / file).write_text(f"{line}\n")
    with Terminal(project, "--shell", "lint", env={"SHELL": program}) as terminal:
        terminal.read_until("(lint) mine> ")
        terminal.type("command -v python; exit\n")
        terminal.read_until(f"{project.root}/.runenv/lint/bin/python")
        terminal.rest()


def test_ctrl_c_in_a_shell_does_not_end_it(project: Folder):
    with Terminal(project, "--shell", "tests-old") as terminal:
        terminal.read_until("(tests-old) ")
        terminal.type("cat\n")
        terminal.read_until("cat")
        terminal.type("here\n")
        terminal.read_until("here")
        terminal.read_until("here")
        terminal.type("\x03")
        terminal.read_until("(tests-old) ")
        terminal.type("exit 3\n")
        terminal.rest()

    assert terminal.process.returncode == 3


def test_a_shell_does_not_keep_other_runs_waiting(project: Folder):
    project.passes("lint")
    with Terminal(project, "--shell", "lint") as terminal:
        terminal.read_until("(lint) ")
        assert project.passes("lint").out == "the function ran\n"
        terminal.type("exit\n")
        terminal.rest()


def test_a_shell_reads_a_script_where_there_is_no_terminal(project: Folder):
    script = project.write("script", "echo $COLOR\nexit 4\n")

    with open(script) as stream:
        done = project.run("--shell", "lint", stdin=stream, env={"SHELL": "/bin/sh"})

    assert (done.out, done.code) == ("blue\n", 4)


# --on-fail shell. ------------------------------------------------------------------------

FAILS = """
    @runner.session(python=False, env={"COLOR": "blue"}, timeout=0.001)
    def s(session):
        try:
            session.run("sh", "-c", "exit 3", cwd="below", env={"SIZE": "big"})
        finally:
            print("finally")
    """


def test_a_shell_opens_where_a_command_failed_and_then_the_job_fails(folder: Folder):
    (folder.root / "below").mkdir()
    folder.envfile(FAILS)
    with Terminal(folder, "--on-fail", "shell") as terminal:
        terminal.read_until("sh exited with code 3; a shell is open where it ran")
        terminal.read_until("(s) ")
        terminal.type("echo $COLOR $SIZE $(basename $(pwd))\n")
        terminal.read_until("blue big below")
        terminal.read_until("(s) ")
        terminal.type("exit\n")
        lines = terminal.rest().splitlines()

    assert terminal.process.returncode == 1
    assert "finally" in lines
    assert "error: sh exited with code 3" in lines


def test_without_a_terminal_no_shell_opens(folder: Folder):
    (folder.root / "below").mkdir()
    folder.envfile(FAILS)

    done = folder.run("--on-fail", "shell")

    assert done.code == 1
    assert "a shell is open" not in done.err


# A session that talks with a person. --------------------------------------------------------


@pytest.mark.parametrize("code", [0, 3])
def test_python_at_its_prompt_is_a_session_like_any_other(folder: Folder, code: int):
    folder.envfile("@runner.session(python=False)\ndef repl(session): session.run('python')\n")
    with Terminal(folder) as terminal:
        terminal.read_until(">>> ")
        terminal.type("6 * 7\n")
        terminal.read_until("\n42\n")
        terminal.read_until(">>> ")
        terminal.type(f"exit({code})\n")
        lines = terminal.rest().splitlines()

    assert terminal.process.returncode == (1 if code else 0)
    assert any(re.match(r"✗ failed +repl" if code else r"✓ passed +repl", line) for line in lines)


# Debuggers. ------------------------------------------------------------------------------


def test_a_debugger_in_a_session_function_reads_the_keyboard(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def s(session):
            value = "unseen"
            breakpoint()
            print(value)
        """
    )
    with Terminal(folder, "s") as terminal:
        terminal.read_until("(Pdb) ")
        terminal.type("p value, session.name\n")
        terminal.read_until("('unseen', 's')")
        terminal.type("value = 'changed'\n")
        terminal.read_until("(Pdb) ")
        terminal.type("c\n")
        assert "changed\n" in terminal.rest()

    assert terminal.process.returncode == 0


def test_a_debugger_in_pytest_reads_the_keyboard(folder: Folder):
    folder.write("test_it.py", "def test_it():\n    value = 'seen'\n    assert value == 'other'\n")
    folder.envfile(
        """
        import sys

        @runner.session(python=False)
        def s(session):
            session.run(sys.executable, "-m", "pytest", "-q", "--pdb", "test_it.py")
        """
    )
    with Terminal(folder, "s") as terminal:
        terminal.read_until("(Pdb) ")
        terminal.type("p value + ' by us'\n")
        terminal.read_until("'seen by us'")
        terminal.type("q\n")
        screen = terminal.rest()

    assert "pytest" in screen
    assert terminal.process.returncode == 1


def test_exec_builds_the_project_that_the_session_installs(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef tests(session): ...\n")

    done = folder.passes(
        "--exec", "tests", "--", "python", "-c", "import mine; print(mine.__name__)"
    )

    assert done.out == "mine\n"
