"""`--watch`: runs that follow what is edited, and the keyboard between them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from runner.descendants import processes
from tests.conftest import ROOT, Folder
from tests.features.test_interactive import Terminal

if sys.platform != "win32":
    import termios

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX"),
    pytest.mark.measured,
]

POLLING = {"WATCHFILES_FORCE_POLLING": "1"}
BELLS = [pytest.param({}, id="watchfiles"), pytest.param(POLLING, id="polling")]

KEYS = "waiting for changes (r or Enter: run all; f: what failed; q: quit)"

ECHO = """
    @runner.session(python=False)
    def tests(session):
        session.run("echo", "ran", "tests", *session.posargs)
    """


def sleeping(folder: Folder) -> None:
    """A project whose session starts a process that outlives it, until there is a file `src`."""
    folder.write("sleep.sh", "test -f src && exec echo done\nsleep 1000 &\necho pid $!\nwait\n")
    folder.envfile(
        """
        @runner.session(python=False)
        def tests(session):
            session.run("sh", "sleep.sh")
        """
    )


class Watching:
    """A `runenv --watch` whose output is read as it comes."""

    def __init__(self, folder: Folder, *arguments: str, **popen: Any) -> None:
        self.process = folder.start(
            "--watch",
            *arguments,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **popen},
        )
        self.seen: list[str] = []

    def __enter__(self):
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            self.rest()

    def until(self, text: str) -> list[str]:
        """The lines up to one that holds the text, from where was read to before."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in iter(self.process.stdout.readline, ""):
            self.seen.append(line)
            lines.append(line.rstrip("\n"))
            if text in line:
                return lines
        raise AssertionError(f"{text!r} did not come: {''.join(self.seen)}")

    def rest(self) -> str:
        """What comes until it has ended."""
        assert self.process.stdout is not None
        text = self.process.stdout.read()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        return text


def ran(lines: list[str]) -> list[str]:
    """What the sessions said among these lines."""
    return [line for line in lines if line.startswith("ran")]


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or does within a minute."""
    deadline = time.monotonic() + 60
    while pid in processes():
        if time.monotonic() > deadline:
            return False
    return True


def leave(terminal: Terminal) -> str:
    """Quit once it waits; all that the screen has shown."""
    terminal.read_until(KEYS)
    terminal.type("q")
    return terminal.rest()


# What starts a run. -----------------------------------------------------------------------


@pytest.mark.parametrize("env", BELLS)
def test_a_change_runs_what_is_selected_again(folder: Folder, env: dict[str, str]):
    folder.envfile(ECHO + "\n    @runner.session\n    def other(session): ...\n")
    told = "polling: as WATCHFILES_FORCE_POLLING says" if env else "watchfiles"
    with Watching(folder, "tests", "--", "-x", env=env) as watching:
        assert watching.until("waiting")[0] == f"watching {folder.root} ({told})"
        folder.write("src/a.py", "1")
        folder.write("src/b.py", "1")
        folder.write("src/c.py", "1")
        lines = watching.until("waiting for changes")

    assert lines[0] == "changed: src/a.py and 2 more"
    assert [line for line in lines if "ran" in line] == ["$ echo ran tests -x", "ran tests -x"]


@pytest.mark.parametrize("env", BELLS)
def test_a_change_in_a_run_stops_it_with_all_it_has_started_and_it_begins_anew(
    folder: Folder, env: dict[str, str]
):
    sleeping(folder)
    with Watching(folder, env=env) as watching:
        pid = int(watching.until("pid ")[-1].split()[-1])
        folder.write("src", "1")
        watching.until("changed: src")
        lines = watching.until("done")

    assert any(line.startswith("! interrupted  tests") for line in lines)
    assert is_gone(pid)


def test_a_changed_envfile_is_loaded_anew_with_what_it_imports(folder: Folder):
    folder.write("words.py", "WORD = 'first'\n")
    folder.envfile(
        """
        import words

        @runner.session(python=False)
        def tests(session):
            print("the word is", words.WORD, flush=True)
        """
    )
    with Watching(folder) as watching:
        assert "the word is first" in watching.until("waiting")
        folder.write("words.py", "WORD = 'second'\n")
        assert "the word is second" in watching.until("waiting")
        folder.envfile("nonsense here\n")
        lines = watching.until("waiting")
        assert "error: SyntaxError: invalid syntax" in lines
        folder.envfile(ECHO)
        assert "ran tests" in watching.until("waiting")


def test_what_the_run_writes_itself_starts_none(folder: Folder):
    """Its reports, its environments, what it writes again as it was, what its output goes to."""
    folder.wheel("tool")
    folder.write("same.txt", "same")
    folder.envfile(
        """
        runner.options.report = ["run.html", "below/run.json"]
        runner.options.envdir = "envs"

        @runner.session(deps=["tool"], outputs=["made"])
        def tests(session):
            open("same.txt", "w").write("same")
            open("made", "a").write("more")
            print("ran tests", flush=True)
        """
    )
    log = folder.root / "all.log"
    with log.open("w") as stream, Watching(folder, stderr=stream) as watching:
        watching.until("ran tests")
        wait_for(log, "waiting")
        folder.write("src.py", "1")
        watching.until("ran tests")
        wait_for(log, "waiting", 2)
        folder.write("src.py", "22")
        watching.until("ran tests")
        wait_for(log, "waiting", 3)

    changes = [line for line in log.read_text().splitlines() if line.startswith("changed")]
    assert changes == ["changed: src.py"] * 2
    assert (folder.root / "below" / "run.json").exists()


def wait_for(log: Any, text: str, count: int = 1) -> None:
    """A file has a text so many times."""
    deadline = time.monotonic() + 60
    while log.read_text().count(text) < count:
        assert time.monotonic() < deadline, log.read_text()


def test_what_each_run_writes_otherwise_starts_two_and_no_more(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def tests(session):
            session.run("sh", "-c", "echo $$ >> numbers; echo ran")
        """
    )
    with Watching(folder) as watching:
        lines = watching.until("waiting")
        assert lines.count("changed: numbers") == 2
        assert lines.count("ran") == 3
        assert (
            "numbers changed in 3 runs in a row: taken for written by the run, and no change while"
            " one goes on; outputs= or .gitignore says so for good" in lines
        )
        folder.write("src", "1")
        assert watching.until("waiting")[0] == "changed: src"


@pytest.mark.slow
def test_what_its_output_is_copied_to_is_known_after_three_runs(folder: Folder):
    folder.envfile(ECHO)
    command = f"{sys.executable} -m runner --watch 2>&1 | tee log"
    with subprocess.Popen(
        ["sh", "-c", command],
        cwd=folder.root,
        env=folder.environ,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        try:
            assert any("log changed in 3 runs in a row" in line for line in lines)
            assert any("waiting" in line for line in lines)
            folder.write("src", "1")
            assert next(lines) == "changed: src\n"
            assert any("waiting" in line for line in lines)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture
def packages(folder: Folder) -> Folder:
    """Two projects in one, of which each says what it reads."""
    for name in ("api", "web"):
        folder.write(
            f"packages/{name}/envfile.py",
            f"""
            import runner

            @runner.session(python=False, inputs=["src"])
            def tests(session):
                session.run("echo", "ran", "{name}")
            """,
        )
    return folder


def test_inputs_of_an_included_envfile_start_at_its_folder(packages: Folder):
    with Watching(packages, "--all-projects") as watching:
        watching.until("waiting")
        packages.write("packages/web/src/a.py", "1")
        lines = watching.until("waiting")

    assert lines[0] == "changed: packages/web/src/a.py"
    assert ran(lines) == ["ran web"]


def test_the_pyproject_of_an_included_envfile_decides_like_that_of_the_top(packages: Folder):
    with Watching(packages, "--all-projects") as watching:
        watching.until("waiting")
        packages.write("packages/web/pyproject.toml", "")
        lines = watching.until("waiting")

    assert lines[0] == "changed: packages/web/pyproject.toml"
    assert ran(lines) == ["ran api", "ran web"]


def test_a_file_that_changes_twice_in_a_run_counts_once(folder: Folder):
    folder.write("wait.sh", "trap 'echo more >> src; exit' TERM\necho begun\nsleep 1000 & wait\n")
    folder.envfile(
        """
        @runner.session(python=False)
        def tests(session):
            session.run("sh", "wait.sh")
        """
    )
    with Watching(folder, "--grace", "1s") as watching:
        for text in ("1", "2"):
            watching.until("begun")
            folder.write("src", text)
            watching.until("changed: src")
        assert not any("in a row" in line for line in watching.until("begun"))


def test_a_session_with_inputs_runs_again_for_these_alone(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False, inputs=["docs", "*.md"], requirements=["../docs.txt"])
        def docs(session):
            session.run("echo", "ran", "docs")

        @runner.session(python=False, inputs=["src"])
        def lint(session):
            session.run("echo", "ran", "lint")
        """
    )
    more = folder.root.parent / "more.env"
    more.touch()
    with Watching(folder, env={"RUNENV_ENV_FILE": str(more)}) as watching:
        watching.until("waiting")
        folder.write("other", "1")
        folder.write("docs/a.rst", "1")
        first = watching.until("waiting")
        (folder.root.parent / "docs.txt").write_text("")
        second = watching.until("waiting")
        folder.write("pyproject.toml", "")
        third = watching.until("waiting")
        more.write_text("A=1")
        fourth = watching.until("waiting")

    assert [line for line in first if line.startswith(("ran", "changed"))] == [
        "changed: docs/a.rst",
        "ran docs",
    ]
    assert ran(second) == ["ran docs"]
    assert ran(third) == ["ran docs", "ran lint"]
    assert ran(fourth) == ["ran docs", "ran lint"]


DOCS_THAT_WAIT = """
    @runner.session(python=False, inputs=["docs"])
    def docs(session):
        session.run("sh", "wait.sh")

    @runner.session(python=False, inputs=["src"])
    def lint(session):
        session.run("echo", "ran", "lint")

    @runner.session(python=False, inputs=["other"])
    def other(session):
        session.run("echo", "ran", "other")
    """


def test_what_a_stopped_run_was_to_do_is_still_to_be_done(folder: Folder):
    waits = "if test -e docs/a && ! test -e src; then echo begun; sleep 1000; fi; echo ran docs\n"
    folder.write("wait.sh", waits)
    folder.envfile(DOCS_THAT_WAIT)
    with Watching(folder) as watching:
        watching.until("waiting")
        folder.write("docs/a", "1")
        watching.until("begun")
        folder.write("src", "1")
        watching.until("changed: src")
        lines = watching.until("waiting")

    assert ran(lines) == ["ran docs", "ran lint"]


def test_a_run_of_all_that_was_stopped_is_one_of_all_again(folder: Folder):
    folder.write("wait.sh", "test -e docs && exec echo ran docs; echo begun; sleep 1000\n")
    folder.envfile(DOCS_THAT_WAIT)
    with Watching(folder) as watching:
        watching.until("begun")
        folder.write("docs", "1")
        watching.until("changed: docs")
        lines = watching.until("waiting")

    assert ran(lines) == ["ran docs", "ran lint", "ran other"]


LINT_AND_DOCS = """
    @runner.session(python=False, inputs=["src"])
    def lint(session):
        session.run("test", "-e", "src/mended")

    @runner.session(python=False, inputs=["docs"])
    def docs(session):
        session.skip("there are none")

    @runner.session(python=False, default=False)
    def release(session):
        session.error("no")
    """


def test_what_failed_stays_so_until_it_has_passed(folder: Folder):
    folder.envfile(LINT_AND_DOCS)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        folder.write("docs/a", "1")
        terminal.read_until("skipped   docs")
        terminal.read_until(KEYS)
        terminal.type("f")
        terminal.read_until("failed    lint")
        leave(terminal)

    assert terminal.process.returncode == 1


def test_what_failed_is_mended_when_a_change_has_it_pass(folder: Folder):
    folder.envfile(LINT_AND_DOCS)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        folder.write("src/mended", "1")
        terminal.read_until("passed    lint")
        leave(terminal)

    assert terminal.process.returncode == 0


def test_what_failed_and_is_no_more_is_not_red(folder: Folder):
    folder.envfile(LINT_AND_DOCS)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        folder.envfile(ECHO)
        terminal.read_until("passed    tests")
        leave(terminal)

    assert terminal.process.returncode == 0


def test_f_runs_what_failed_of_what_is_watched_and_all_is_still_watched(folder: Folder):
    folder.envfile(LINT_AND_DOCS)
    folder.run("release")
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        terminal.type("f")
        terminal.read_until("failed    lint")
        terminal.read_until(KEYS)
        folder.write("docs/a", "1")
        terminal.read_until("changed: docs/a")
        terminal.read_until("── docs ")
        rest = leave(terminal)

    assert "release" not in rest
    assert terminal.process.returncode == 1


@pytest.mark.slow
def test_that_a_noxfile_is_run_is_told_once(folder: Folder):
    folder.write(
        "noxfile.py",
        """
        import nox

        @nox.session(venv_backend="none")
        def tests(session):
            session.run("echo", "ran", external=True)
        """,
    )
    with Watching(folder) as watching:
        watching.until("waiting")
        folder.write("src", "1")
        watching.until("waiting")

    told = f"no envfile.py in {folder.root}: noxfile.py is run, as nox would\n"
    assert watching.seen.count(told) == 1


def test_options_of_sessions_and_of_runs_go_with_it(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def release(session, *, part: str = "minor"):
            session.run("echo", "part", part)

        @runner.session(python=False)
        def lint(session): ...
        """
    )
    with Watching(folder, "-j", "2", "release", "--part", "major", "lint") as watching:
        assert "part major" in watching.until("2 passed")


@pytest.mark.parametrize("start", ["os.system('sleep 1000 &')", "os.fork() or signal.pause()"])
def test_a_run_has_ended_that_leaves_something_behind(folder: Folder, start: str):
    folder.envfile(
        f"""
        import os, signal

        @runner.session(python=False)
        def tests(session):
            print("group", os.getpgrp(), flush=True)
            {start}
        """
    )
    with Watching(folder) as watching:
        lines = watching.until("passed")
        group = next(int(line.split()[1]) for line in lines if line.startswith("group"))
        try:
            watching.until("waiting")
        finally:
            os.killpg(group, signal.SIGKILL)


# What ends it. ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_run_and_all(folder: Folder, name: str):
    sleeping(folder)
    # A shell has what it starts in the background ignore SIGINT.
    with Watching(folder, "--grace", "0.5s") as watching:
        pid = int(watching.until("pid ")[-1].split()[-1])
        watching.process.send_signal(signal.Signals[name])
        rest = watching.rest()

    assert watching.process.returncode == 128 + signal.Signals[name]
    assert "! interrupted  tests" in rest
    assert is_gone(pid)


@pytest.mark.slow
def test_where_it_is_killed_the_run_is_ended(folder: Folder):
    sleeping(folder)
    with Watching(folder) as watching:
        pid = int(watching.until("pid ")[-1].split()[-1])
        watching.process.kill()
        watching.rest()

    assert is_gone(pid)


def test_a_name_that_there_is_not_ends_it_at_once(folder: Folder):
    folder.envfile(ECHO)

    done = folder.run("--watch", "tset")

    assert done.code == 2
    assert "error: no session or job is named 'tset'\n" in done.err


def test_an_envfile_that_cannot_be_loaded_is_waited_for(folder: Folder):
    folder.envfile("nonsense here\n")
    with Watching(folder) as watching:
        watching.until("waiting")
        folder.envfile(ECHO)
        assert "ran tests" in watching.until("waiting")


def test_it_cannot_be_asked_for_with_another_verb(folder: Folder):
    folder.envfile(ECHO)

    done = folder.run("--watch", "--list")

    assert done.err == (
        "error: --watch and --list cannot be asked for at once\n  run runenv once for each\n"
    )
    assert done.code == 2


def test_quiet_tells_of_none_of_it(folder: Folder):
    folder.envfile(ECHO)
    with Watching(folder, "-q") as watching:
        watching.until("ran tests")
        folder.write("src", "1")
        watching.until("ran tests")

    assert "".join(watching.seen) == "ran tests\nran tests\n"


# Where watchfiles is not, or cannot go on. --------------------------------------------------


def test_without_watchfiles_it_polls_and_says_so(folder: Folder):
    folder.envfile(ECHO)
    # -S: what is installed is not found.
    done = subprocess.Popen(
        [sys.executable, "-S", "-m", "runner", "--watch"],
        cwd=folder.root,
        env={**folder.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.stdout is not None
    with done:
        first = done.stdout.readline()
        done.terminate()
        done.stdout.read()

    why = "polling: with runenv-cli[watch] the system tells of changes"
    assert first == f"watching {folder.root} ({why})\n"


def test_where_watchfiles_cannot_go_on_it_polls(folder: Folder):
    folder.envfile(ECHO)
    fake = folder.root.parent / "fake"
    fake.mkdir()
    text = "def watch(*_, **__):\n    raise OSError('OS file watch limit reached')\n    yield\n"
    (fake / "watchfiles.py").write_text(text)
    path = f"{fake}{os.pathsep}{folder.environ['PYTHONPATH']}"
    with Watching(folder, env={"PYTHONPATH": path}) as watching:
        watching.until("(polling: watchfiles cannot go on: OS file watch limit reached)")
        folder.write("src", "1")
        watching.until("changed: src")


# At a terminal. ---------------------------------------------------------------------------

READS = """
    @runner.session(python=False)
    def good(session):
        session.run("sh", "-c", "read word; echo got $word")

    @runner.session(python=False)
    def bad(session):
        session.run("sh", "-c", "test -f mended || exit 3")
    """


OUTPUT = 1  # in what tcgetattr tells


def modes(keyboard: int) -> list[Any]:
    return termios.tcgetattr(keyboard)[:4]


def test_a_command_reads_the_keyboard_and_between_runs_keys_are_ours(folder: Folder):
    folder.envfile(READS)
    with Terminal(folder, "--watch", "good", "bad") as terminal:
        before = modes(terminal.keyboard)
        terminal.read_until("$ sh -c 'read")
        terminal.type("first\n")
        terminal.read_until("got first")
        terminal.read_until(KEYS)
        terminal.type("f")
        terminal.read_until("── bad ")
        terminal.read_until("failed")
        terminal.read_until(KEYS)
        terminal.type("\r")
        terminal.read_until("$ sh -c 'read")
        terminal.type("again\n")
        terminal.read_until("got again")
        terminal.read_until(KEYS)
        assert modes(terminal.keyboard) != before
        terminal.type("q")
        rest = terminal.rest()
        after = modes(terminal.keyboard)

    assert (after, rest.count("── good ")) == (before, 2)
    assert terminal.process.returncode == 1


def test_nothing_that_failed_is_nothing_to_run(folder: Folder):
    folder.envfile(ECHO)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        terminal.type("f")
        terminal.read_until("nothing failed when it last ran")
        terminal.type("q")
        terminal.rest()

    assert terminal.process.returncode == 0


def test_what_nobody_has_read_in_a_run_is_forgotten(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def tests(session):
            session.run("sh", "-c", "echo begun; until test -e ../go; do sleep 0.05; done")
        """
    )
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until("done'")
        terminal.read_until("begun")
        terminal.type("q\n")
        (folder.root.parent / "go").touch()
        terminal.read_until(KEYS)
        folder.write("src", "1")
        terminal.read_until("changed: src")
        leave(terminal)

    assert terminal.process.returncode == 0


def test_keys_that_send_letters_behind_escape_are_none_of_ours(folder: Folder):
    folder.envfile(ECHO)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS)
        terminal.type("\x1bOQ\x1bOR\x1b[F")  # F2, F3, End
        folder.write("src", "1")
        terminal.read_until("changed: src")
        rest = leave(terminal)

    assert rest.count("$ echo ran tests") == 2
    assert "nothing failed" not in rest


@pytest.mark.parametrize("when", ["in a run", "between runs"])
def test_ctrl_c_ends_it(folder: Folder, when: str):
    sleeping(folder)
    if when == "between runs":
        folder.write("src", "1")
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until(KEYS if when == "between runs" else "pid ")
        terminal.type("\x03")
        rest = terminal.rest()

    assert terminal.process.returncode == 130
    assert ("! interrupted  tests" in rest) == (when == "in a run")


def test_sigint_to_it_alone_ends_the_run_too(folder: Folder):
    """Ctrl-C would have reached the run as well."""
    sleeping(folder)
    with Terminal(folder, "--watch") as terminal:
        terminal.read_until("pid ")
        terminal.process.send_signal(signal.SIGINT)
        rest = terminal.rest()

    assert terminal.process.returncode == 130
    assert "! interrupted  tests" in rest


@pytest.mark.slow
def test_a_run_that_does_not_end_is_killed(folder: Folder):
    folder.envfile(
        """
        import signal, threading

        @runner.session(python=False)
        def tests(session):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("deaf", flush=True)
            threading.Event().wait()
        """
    )
    with Watching(folder, "--grace", "0") as watching:
        watching.until("deaf")
        watching.process.terminate()
        watching.rest()

    assert watching.process.returncode == 143


@pytest.mark.slow
def test_ctrl_z_gives_the_terminal_back_and_keys_work_again_after_fg_and_bg(folder: Folder):
    folder.envfile(ECHO)
    # As what CI runs is a script of bash, it is there.
    bash = shutil.which("bash") or "bash"
    with Terminal(folder, "--shell", "tests", env={"SHELL": bash}) as terminal:
        terminal.read_until("(tests) ")
        terminal.type(f"{sys.executable} -m runner --watch\n")
        terminal.read_until(KEYS)
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        terminal.type("stty -a\n")
        terminal.read_until(" icanon")
        terminal.type("fg\n")
        terminal.read_until(KEYS)
        terminal.type("r")
        terminal.read_until("$ echo ran tests")
        terminal.read_until(KEYS)
        terminal.type("\x1a")
        terminal.read_until("Stopped")
        terminal.type("bg\n")
        terminal.read_until("&")
        folder.write("src", "1")
        terminal.read_until("changed: src")
        terminal.read_until(KEYS)
        terminal.type("fg\n")
        terminal.read_until(KEYS)
        terminal.type("q")
        terminal.read_until("(tests) ")
        terminal.type("echo code $?; exit\n")

        assert "code 0" in terminal.rest()


@pytest.mark.slow
def test_a_program_that_is_stopped_leaves_the_terminal_as_it_was(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def tests(session):
            session.run("sh", "-c", "stty raw -echo; echo is raw; read word")
        """
    )
    with Terminal(folder, "--watch") as terminal:
        before = modes(terminal.keyboard)
        terminal.read_until("read word'")
        terminal.read_until("is raw")
        assert modes(terminal.keyboard) != before
        folder.envfile(ECHO)
        terminal.read_until(KEYS)
        assert modes(terminal.keyboard)[OUTPUT] == before[OUTPUT]
        terminal.type("q")
        terminal.rest()

        assert modes(terminal.keyboard) == before
