"""`--pick` at real terminals: what is seen, what runs, and that the terminal is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from runner.commands.pick import names_for
from runner.load import load_project
from tests.conftest import ROOT, Folder
from tests.features.test_board import SHELL, Terminal, seen
from tests.features.test_interactive import LOGIN

if sys.platform != "win32":
    import termios

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX"),
    pytest.mark.measured,
]

ENVFILE = """
    @runner.session(python=False, tags=["quick"])
    def lint(session):
        "Check the style."
        print("linted", session.posargs)

    @runner.session(python=False, tags=["slow"], default=False)
    @runner.parametrize("api", ["old", "new"])
    def tests(session, api):
        "Run the tests."
        print("tested", api)

    @runner.session(python=False, default=False)
    def release(session, *, part: str = "minor"):
        print("released", part)
    """
DOWN, ENTER, ESCAPE = "\x1b[B", "\r", "\x1b"
RUN = "import runpy, sys; sys.argv[0] = 'runenv'; runpy.run_module('runner', run_name='__main__')"
DRAWN = r"leaves(\x1b\[0m)?\x1b\[J.*?\x1b\[\d+C"  # to where the cursor stands


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.envfile(ENVFILE)
    return folder


class Picking(Terminal):
    """A terminal at which somebody is asked, without colours; its modes are compared at the end."""

    before: list[object] | None = None

    def __init__(
        self, folder: Folder, *arguments: str, env: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(folder, *arguments, env={"NO_COLOR": "1", **(env or {})}, **more)

    def resize(self, columns: int) -> None:
        super().resize(columns)
        self.before = self.before or self.modes()

    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self.keyboard))

    def press(self, *keys: str) -> None:
        """Press keys when the list is there."""
        self.read_until(DRAWN)
        for key in keys:
            self.type(key)

    def end(self) -> tuple[list[str], int]:
        """What is to be seen at the end, and the exit code."""
        shown = seen(self.rest())
        assert self.modes() == self.before
        return [line for line in shown if line], self.process.returncode


def picked(folder: Folder, *keys: str, words: tuple[str, ...] = ()):
    """The first line that is to be seen, what the sessions wrote, and the exit code."""
    with Picking(folder, "--pick", *words) as terminal:
        terminal.press(*keys)
        shown, code = terminal.end()
    done = [line for line in shown if line.startswith(("linted", "tested", "released"))]
    return shown[0], done, code


def test_the_list_is_below_what_was_asked_and_nothing_of_it_is_left(project: Folder):
    with Picking(project, "--pick") as terminal:
        terminal.press()
        at_first = seen(terminal.sent.decode())
        terminal.type("old")
        terminal.read_until("1 of 4 jobs")
        terminal.type(ENTER)
        shown, code = terminal.end()

    assert at_first == [
        "Run which?",
        ">   lint       Check the style.  [quick]",
        "    tests-old  Run the tests.  [slow]",
        "    tests-new  Run the tests.  [slow]",
        "    release",
        "4 jobs; Space marks, Enter runs, Esc leaves",
    ]
    assert shown[0] == "runenv tests-old"
    assert shown[1].startswith("── tests-old ──")
    assert not any("Esc leaves" in line for line in shown)
    assert code == 0


@pytest.mark.parametrize(
    ("keys", "command", "done"),
    [
        (("\t", DOWN, "\t", ENTER), "runenv lint tests-new", ["linted []", "tested new"]),
        (("slow", "\x01", ENTER), "runenv tests", ["tested old", "tested new"]),
    ],
)
def test_keys(project: Folder, keys: tuple[str, ...], command: str, done: list[str]):
    assert picked(project, *keys) == (command, done, 0)


@pytest.mark.parametrize(
    ("words", "keys", "command", "done"),
    [
        (("-t", "slow"), (ENTER,), "runenv tests-old", ["tested old"]),
        (("tests", "-k", "new", "-v"), (ENTER,), "runenv --verbose tests-new", ["tested new"]),
        (("-j", "2"), ("\x01", ENTER), None, ["linted []", "released minor", "tested new", "tested old"]),
        (("--shard", "1/1"), (ENTER,), "runenv --shard=1/1 lint", ["linted []"]),
        (("lint", "--", "a b"), (ENTER,), "runenv lint -- 'a b'", ["linted ['a b']"]),
        (
            ("lint", "release", "--part", "major", "--fail-fast"),
            ("\x01", ENTER),
            "runenv --fail-fast lint release --part=major",
            ["linted []", "released major"],
        ),
    ],
)  # fmt: skip
def test_what_is_selected_is_offered_and_what_is_asked_for_is_done(
    project: Folder, words: tuple[str, ...], keys: tuple[str, ...], command: str, done: list[str]
):
    project.environ["RUNENV_OUTPUT"] = "board"

    told, ran, code = picked(project, *keys, words=words)

    assert told == (command or "runenv --jobs=2 lint tests release")
    assert (sorted(ran) if command is None else ran) == done
    assert code == 0


def test_only_what_failed_is_offered(project: Folder):
    project.write(
        "envfile.py", project.root.joinpath("envfile.py").read_text().replace("print", "bad", 1)
    )
    assert project.run("lint", "release").code == 1

    with Picking(project, "--pick", "--failed") as terminal:
        terminal.press(ENTER)
        shown, code = terminal.end()

    assert "1 job; Space marks" in terminal.sent.decode()
    assert shown[0] == "runenv lint"
    assert code == 1


def test_what_was_picked_counts_as_named(folder: Folder):
    folder.envfile('@runner.session(python=False)\ndef a(session): session.skip("so")\n')

    assert picked(folder, ENTER)[2] == 1


def test_quiet_does_not_tell_the_command(project: Folder):
    assert picked(project, ENTER, words=("-q",)) == ("linted []", ["linted []"], 0)


# Verbs. -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "keys", "shown"),
    [
        (("--explain",), (ENTER,), ["runenv --explain lint", "lint"]),
        (("--graph",), ("\t", "\t", ENTER), ["runenv --graph lint tests-old", "lint", "tests-old"]),
        (("--graph=mermaid",), (ENTER,), ["runenv --graph=mermaid lint", "flowchart LR"]),
        (
            ("--exec", "--", "echo", "here"),
            (" ", "new", ENTER),
            ["runenv --exec tests-new -- echo here", "here"],
        ),
        (("--exec", "tests", "--", "echo", "a"), (ENTER,), ["runenv --exec tests-old -- echo a", "a"]),
        (("--shell", "-k", "new"), (ENTER, "exit\r"), ["runenv --shell tests-new"]),
    ],
)  # fmt: skip
def test_verbs(project: Folder, words: tuple[str, ...], keys: tuple[str, ...], shown: list[str]):
    with Picking(project, "--pick", *words, env={"SHELL": "/bin/sh"}) as terminal:
        terminal.press(*keys)
        there, code = terminal.end()

    assert there[: len(shown)] == shown
    assert code == 0


def test_a_job_to_link_is_picked_too(project: Folder):
    told, _, code = picked(project, "new", ENTER, words=("--link",))

    assert told == "runenv --link tests-new"
    assert code == 2  # it has no environment


# Names. -------------------------------------------------------------------------------


def names(project: Folder, *chosen: str, **words: str) -> list[tuple[str, tuple[str, ...]]]:
    """The names that mean the chosen jobs. words: what jobs are given, dashes for underscores."""
    loaded = load_project(str(project.root / "envfile.py")).jobs
    given = {name.replace("_", "-"): (word,) for name, word in words.items()}
    jobs = [job._replace(words=given.get(job.name, ())) for job in loaded]
    by_name = {job.name: job for job in jobs}
    return names_for([by_name[name] for name in chosen], jobs)


def test_a_session_stands_for_all_of_its_jobs_where_the_first_of_them_was_marked(project: Folder):
    assert names(project, "tests-new", "lint", "tests-old") == [("tests", ()), ("lint", ())]
    assert names(project, "tests-new", "lint") == [("tests-new", ()), ("lint", ())]


def test_jobs_that_are_given_different_things_are_named_one_by_one(project: Folder):
    assert names(project, "tests-old", "tests-new", tests_old="--a") == [
        ("tests-old", ("--a",)),
        ("tests-new", ()),
    ]


def test_a_session_whose_name_means_one_of_its_jobs_alone_stands_for_none(project: Folder):
    _, old, new, _ = load_project(str(project.root / "envfile.py")).jobs
    old = old._replace(name="tests")  # as a noxfile may call one

    assert names_for([new, old], [old, new]) == [("tests-new", ()), ("tests", ())]


# Leaving. -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "told"),
    [(ESCAPE, "nothing was picked"), ("\x04", "nothing was picked"), ("\x03", "interrupted")],
)
def test_who_leaves_runs_nothing(project: Folder, key: str, told: str):
    assert picked(project, "\t", key) == (told, [], 130)


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129), ("SIGQUIT", 131)]
)
def test_a_signal_puts_the_terminal_back(project: Folder, name: str, code: int):
    with Picking(project, "--pick") as terminal:
        terminal.press()
        assert terminal.modes() != terminal.before
        terminal.process.send_signal(getattr(signal, name))
        shown, returned = terminal.end()

    assert returned == code
    assert shown == ["interrupted" if name == "SIGINT" else f"ended by {name}"]


def test_a_keyboard_that_is_gone_is_left(project: Folder):
    with Picking(project, "--pick") as terminal:
        terminal.press()
        os.close(terminal.keyboard)
        terminal.keyboard = os.open(os.devnull, os.O_RDONLY)

        assert terminal.process.wait(timeout=60) in (129, 130)


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(project: Folder):
    with Picking(project, "foreground", "--pick", program=SHELL) as terminal:
        terminal.press(" ", "old")
        terminal.read_until("1 of 4 jobs, 1 marked")  # signals overtake keys
        terminal.type("\x1a")
        terminal.read_until("stopped")
        assert seen(terminal.sent.decode())[:1] == ["stopped"]
        terminal.type("\n")  # which nobody would get in the modes of keys
        terminal.press()
        assert "Run which? old" in seen(terminal.sent.decode())
        terminal.type(ENTER)
        shown, _ = terminal.end()

    assert "runenv lint" in shown
    assert shown[-1] == "code 0"


def test_an_error_puts_the_terminal_back(project: Folder):
    broken = LOGIN.replace(
        "import fcntl,",
        "from runner.picking import menu; menu.Menu.press = lambda self, key: 1 / 0; import fcntl,",
    )

    with Picking(project, "--pick", program=broken) as terminal:
        terminal.press("a")
        shown, code = terminal.end()

    assert shown[0].startswith("Traceback")
    assert shown[-1].startswith("ZeroDivisionError")
    assert code == 1


# The terminal. ------------------------------------------------------------------------


def test_it_follows_the_size_of_the_terminal(project: Folder):
    with Picking(project, "--pick") as terminal:
        terminal.press()
        begin = len(terminal.sent)
        terminal.resize(30)
        terminal.press()
        shown = seen(terminal.sent[begin:].decode())
        terminal.type(ESCAPE)
        terminal.end()

    assert shown[:3] == [
        "Run which?",
        ">   lint       Check the sty…",
        "    tests-old  Run the tests…",
    ]


def test_a_terminal_that_has_wrapped_what_was_typed_is_drawn_on_from_the_first_of_its_lines(
    project: Folder,
):
    with Picking(project, "--pick") as terminal:
        terminal.press("x" * 30)
        terminal.read_until(r"which\? x{30}")
        begin = len(terminal.sent)
        terminal.resize(20)
        terminal.read_until(r"which\? x{8}\x1b")
        assert "\x1b[2A" in terminal.sent[begin:].decode().partition("Run which?")[0]
        terminal.type(ESCAPE)
        terminal.rest()


def test_of_what_a_session_is_about_the_first_line_is_shown_as_the_terminal_can(folder: Folder):
    folder.envfile(
        '@runner.session(python=False)\ndef a(session):\n    """Größe.\n\n    More."""\n'
    )

    with Picking(folder, "--pick", env={"PYTHONIOENCODING": "ascii"}) as terminal:
        terminal.press(" ")
        terminal.read_until("marked")
        shown = seen(terminal.sent.decode())
        terminal.type(ESCAPE)
        terminal.rest()

    assert shown[:2] == ["Run which?", "> + a  Gr??e."]


def test_what_is_typed_behind_the_last_key_is_the_session_s(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef a(session): print('got', input())\n")

    with Picking(folder, "--pick") as terminal:
        terminal.press("\rhere\n")
        shown, _ = terminal.end()

    assert "got here" in shown


def test_colours_where_they_are_wanted(project: Folder):
    with Picking(project, "--pick", "--color", "always") as terminal:
        terminal.press(ESCAPE)
        assert "> " + "  \x1b[1mlint\x1b[0m" in terminal.sent.decode()
        terminal.rest()


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"RUNENV_OUTPUT": "block"}])
def test_line_by_line(project: Folder, env: dict[str, str]):
    with Picking(project, "--pick", "tests", env=env) as terminal:
        terminal.read_until("nothing leaves: ")
        terminal.type("2\n")
        shown, code = terminal.end()

    assert shown[:2] == [
        "1  tests-old  Run the tests.  [slow]",
        "2  tests-new  Run the tests.  [slow]",
    ]
    assert shown[3] == "runenv tests-new"
    assert "tested new" in shown
    assert "\x1b" not in terminal.sent.decode()
    assert code == 0


def test_what_the_envfile_says_of_the_board_is_not_said_of_the_list(project: Folder):
    envfile = project.root / "envfile.py"
    envfile.write_text(envfile.read_text() + "\nrunner.options.output = 'block'\n")

    assert picked(project, ENTER) == ("runenv lint", ["linted []"], 0)


@pytest.mark.parametrize("words", [(), ("--non-interactive",)])
def test_where_nobody_can_be_asked_it_is_an_error(project: Folder, words: tuple[str, ...]):
    with Picking(
        project, "--pick", *words, **({} if words else {"stdin": subprocess.DEVNULL}), program=RUN
    ) as terminal:
        shown, code = terminal.end()

    assert shown == [
        "error: --pick needs somebody at a terminal",
        "  name what is meant; `runenv --list` shows what there is",
    ]
    assert code == 2


# Nothing of it on other ways. ---------------------------------------------------------


def test_a_run_that_does_not_ask_loads_nothing_of_it(project: Folder):
    code = "import sys; from runner.cli import main; main(['lint']); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-S", "-c", code],  # -S: what .pth files load is not ours
        cwd=project.root,
        env={**project.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(done.stdout.split())
    ours = {name for name in loaded if name.startswith(("runner.picking", "runner.keyboard"))}
    assert "runner.commands.run" in loaded
    assert ours | (loaded & {"runner.commands.pick", "termios"}) == set()
