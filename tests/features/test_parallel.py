"""`-j N`: several jobs at once, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from runner.envs.folder import folder_name
from runner.run_folders import make_run_id
from tests.conftest import Done, Folder
from tests.features.test_environments import library
from tests.terminals import open_terminal

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks, signals and shells")
KINDS = [pytest.param("fork", marks=POSIX), "spawn"]

# What jobs need to wait for each other.
WAIT = """
import os, sys, time

def touch(name):
    open(name, "w").close()

def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.005)

"""


@pytest.fixture(params=KINDS)
def many(request: pytest.FixtureRequest, folder: Folder) -> Folder:
    """A project folder whose runs have workers of one kind."""
    folder.environ["RUNENV_WORKER"] = request.param
    return folder


def declare(folder: Folder, text: str) -> None:
    folder.write("envfile.py", "import runner\n" + WAIT)
    with open(folder.root / "envfile.py", "a") as stream:
        stream.write(text)


def log(folder: Folder, name: str) -> bytes:
    """A log of the last run."""
    return (folder.root / ".runenv/logs/latest" / name).read_bytes()


TWO = """
@runner.session(python=False)
def a(session):
    print("from a")

@runner.session(python=False)
def b(session):
    print("from b")
"""


def merged(folder: Folder, *arguments: str, **popen: object) -> Done:
    """A run whose standard output and error lead to one place."""
    return folder.run(*arguments, stderr=subprocess.STDOUT, **popen)


# Who runs when. -------------------------------------------------------------------


def test_jobs_run_at_once(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def a(session):
    touch("a is here"); wait_for("b is here")

@runner.session(python=False)
def b(session):
    touch("b is here"); wait_for("a is here")
""",
    )

    many.passes("-j", "2")


def test_what_requires_another_waits_for_it(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def first(session):
    touch("done")

@runner.session(python=False, requires=["first"])
def second(session):
    assert os.path.exists("done")
""",
    )

    many.passes("-j", "4")


ONE_AT_A_TIME = """
def hold(session):
    os.mkdir("held")
    time.sleep(0.02)
    os.rmdir("held")
"""


@pytest.mark.parametrize("by", ["exclusive='db'", "parallel=False", "environment='dev'"])
def test_what_must_not_run_at_once_does_not(folder: Folder, by: str):
    how = by if by.startswith("env") else f"python=False, {by}"
    declare(
        folder,
        ONE_AT_A_TIME
        + f"""
@runner.session({how})
@runner.parametrize("number", range(6))
def one(session, number):
    hold(session)
""",
    )

    folder.passes("-j", "6")


def test_a_session_notifies_another(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False, default=False)
def late(session):
    print("late with", *session.posargs)

@runner.session(python=False)
def tells(session):
    session.notify("late", ["these", "words"])
""",
    )

    done = many.passes("-j", "2")

    assert "late with these words\n" in done.out


def test_posargs_reach_every_job(many: Folder):
    declare(many, TWO.replace('"from', '*session.posargs, "from'))

    assert sorted(many.passes("-j", "2", "--", "-k", "ü").out.splitlines()) == [
        "-k ü from a",
        "-k ü from b",
    ]


def test_fail_fast_ends_what_runs_and_starts_nothing_more(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def fails(session):
    wait_for("runs")
    session.error("on purpose")

@runner.session(python=False)
def runs(session):
    try:
        touch("runs"); time.sleep(1000)
    finally:
        print("its finally ran")

@runner.session(python=False)
def never(session):
    print("never")
""",
    )

    done = many.run("-j", "2", "-x")

    assert done.code == 1
    assert done.out == "its finally ran\n"
    assert re.search(r"interrupted +runs .* ended: fails did not pass \(--fail-fast\)", done.err)
    assert re.search(r"skipped +never +not started: fails did not pass", done.err)


def test_one_job_alone_runs_in_this_process(folder: Folder):
    declare(folder, TWO)

    folder.passes("-j", "4", "a")

    assert not (folder.root / ".runenv/logs").exists()


# What a job does to its process stays in it. -----------------------------------------


def test_what_a_job_changes_no_other_job_sees(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def a(session):
    os.environ["CHANGED"] = "1"
    os.chdir("/")
    sys.stdout = None
    sys.path.clear()

@runner.session(python=False, requires=["a"])
def b(session):
    assert "CHANGED" not in os.environ
    assert os.path.exists("envfile.py")
    print("printed")
""",
    )

    assert many.passes("-j", "2").out == "printed\n"


@POSIX
@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("import ctypes; ctypes.string_at(0)", "its worker was ended by SIGSEGV"),
        ("os.abort()", "its worker was ended by SIGABRT"),
        ("os._exit(0)", "its worker exited with code 0 before the job had ended"),
        ("sys.exit(0)", "it called sys.exit(0)"),
        ("os.kill(os.getpid(), 9)", "its worker was ended by SIGKILL"),
    ],
)
def test_a_job_that_ends_its_process_fails_alone(many: Folder, does: str, reason: str):
    declare(many, TWO + f"\n@runner.session(python=False)\ndef bad(session):\n    {does}\n")

    done = many.run("-j", "3")

    assert done.code == 1
    assert sorted(done.out.split("\n")) == ["", "from a", "from b"]
    assert re.search(rf"failed +bad +[\d.]+ s +{re.escape(reason)}\n", done.err)


@POSIX
def test_a_copy_that_a_session_makes_of_itself_tells_nothing(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False)
def forks(session):
    if os.fork() == 0:
        raise RuntimeError("in the copy")
    os.wait()
    print("parent")
""",
    )

    done = many.passes("-j", "2")

    assert "parent\n" in done.out
    assert re.search(r"passed +forks", done.err)


def test_an_envfile_that_declares_another_job_each_time_fails_it(folder: Folder):
    declare(
        folder,
        TWO
        + """
@runner.session(python=False, name=f"pid{os.getpid()}")
def c(session): ...
""",
    )

    done = folder.run("-j", "3", env={"RUNENV_WORKER": "spawn"})

    assert done.code == 1
    assert re.search(r"error: loaded again, the envfile has no job 'pid\d+'\n", done.err)


# What jobs write. -----------------------------------------------------------------


ODD = b"\\0 \\377 \\r\\033[1m\\n no end of line"


def test_bytes_come_through_as_they_are_each_stream_to_its_place(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False)
def odd(session):
    session.run(sys.executable, "-c", "import os; os.write(1, bytes(range(256))); os.write(2, bytes(range(255, -1, -1)))", external=True)
""",
    )

    with many.start("-j", "2", "odd", "a", text=False, encoding=None) as process:
        out, err = process.communicate(timeout=60)

    assert bytes(range(256)) in out
    assert bytes(range(255, -1, -1)) in err
    assert bytes(range(256)) not in err
    assert log(many, "odd.out") == bytes(range(256))


def test_where_both_lead_to_one_place_their_order_is_kept(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False)
def both(session):
    print("first")
    session.log("second")
    session.run(sys.executable, "-c", "import os; [os.write(1 + n % 2, b'%d\\\\n' % n) for n in range(6)]", external=True)
    print("last")
""",
    )

    done = merged(many, "-j", "2", "both", "a")

    block = done.out[done.out.index("first") :]
    assert re.match(r"first\nsecond\n\$ .*\n0\n1\n2\n3\n4\n5\nlast\n", block)
    assert b"\n0\n1\n2\n3\n4\n5\nlast\n" in log(many, "both.log")


def test_the_output_of_a_job_is_one_piece(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
@runner.parametrize("n", [1, 2, 3])
def s(session, n):
    touch(f"here {n}")
    for line in range(50):
        print(n, flush=True)
        if line == 20:
            for other in (1, 2, 3): wait_for(f"here {other}")
""",
    )

    lines = many.passes("-j", "3").out.split()

    assert len(lines) == 150
    assert all(len(set(lines[at : at + 50])) == 1 for at in (0, 50, 100))


def test_live_each_line_stands_behind_its_jobs_name(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False)
def c(session):
    for piece in ("one ", "line\\n", "no end"):
        print(piece, end="", flush=True)
""",
    )

    done = many.passes("-j", "3", "--output", "live")

    assert sorted(done.out.splitlines()) == [
        "a | from a",
        "b | from b",
        "c | no end",
        "c | one line",
    ]
    assert log(many, "c.out") == b"one line\nno end"


@POSIX
@pytest.mark.measured
def test_live_a_line_comes_while_its_job_runs(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def a(session):
    print("waits", flush=True)
    wait_for("go")

@runner.session(python=False)
def b(session): ...
""",
    )

    with many.start("-j", "2", "--output", "live", stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "a | waits\n"
        (many.root / "go").touch()

    assert process.returncode == 0


def test_what_is_no_terminal_gets_no_control_codes(many: Folder):
    declare(many, TWO)

    done = many.passes("-j", "2", "-v")

    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err


def test_colours_are_those_that_were_asked_for(many: Folder):
    declare(many, TWO)

    assert "── \x1b[1ma\x1b[0m" in many.passes("-j", "2", "--color", "always").err


def test_what_failed_is_shown_again_at_the_end_with_what_runs_it_again(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
def bad(session):
    for number in range(100):
        print("line", number)
    session.error("on purpose")

@runner.session(python=False, requires=[])
def good(session):
    wait_for(".runenv/logs/latest/bad.log")
    while b"on purpose" not in open(".runenv/logs/latest/bad.log", "rb").read():
        time.sleep(0.01)
    time.sleep(0.2)
    print("good")
""",
    )

    done = merged(many, "-j", "2", "--", "two words")

    again = done.out[done.out.rindex("bad failed; run it again") :]
    assert again.startswith("bad failed; run it again: runenv bad -- 'two words'\n")
    assert "line 99\nerror: on purpose\n" in again
    assert "line 80\n" not in again
    assert f"all of it: {many.root}/.runenv/logs/" in again
    assert done.code == 1


def test_quietly_only_what_went_wrong_is_told(many: Folder):
    declare(many, TWO)

    done = many.passes("-j", "2", "-q")

    assert done.err == ""
    assert sorted(done.out.splitlines()) == ["from a", "from b"]


def test_a_session_may_be_named_logs(many: Folder):
    declare(many, TWO + "\n@runner.session\ndef logs(session):\n    print('logged')\n")
    many.passes("-j", "3")

    assert log(many, f"{folder_name('logs')}.out") == b"logged\n"
    done = many.passes("--clean")
    assert re.fullmatch(r"deleted logs-\w+: .*\n.*\n", done.out)


def test_the_logs_of_the_last_runs_alone_are_kept(folder: Folder):
    declare(folder, TWO)
    old = [make_run_id(number) for number in range(12)]
    for run in old:
        (folder.root / ".runenv/logs" / run).mkdir(parents=True)

    folder.passes("-j", "2")

    *kept, new, latest = sorted(os.listdir(folder.root / ".runenv/logs"))
    assert (kept, latest) == (old[3:], "latest")
    assert os.readlink(folder.root / ".runenv/logs/latest") == new


# Surroundings. -----------------------------------------------------------------------


@POSIX
def test_where_nobody_reads_standard_output_the_run_ends(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
@runner.parametrize("n", range(40))
def s(session, n):
    print("x" * 100_000)
""",
    )

    with many.start("-j", "2") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 141
    assert "not started: the run was interrupted" in err
    assert "Traceback" not in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.measured
def test_a_full_disk_under_standard_output_is_an_error(many: Folder):
    declare(many, TWO)

    with open("/dev/full", "w") as full:
        done = many.run("-j", "2", stdout=full)

    assert "error: standard output cannot be written: No space left on device\n" in done.err
    assert done.code == 1


@POSIX
def test_with_few_files_allowed_fewer_run_at_once(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
@runner.parametrize("n", range(64))
def s(session, n):
    print(n)
""",
    )
    words = [sys.executable, "-m", "runner", "-j", "64"]

    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", *words],
        cwd=many.root,
        env=many.environ,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(map(int, done.stdout.split())) == list(range(64))
    assert "only 6 at once: no more files may be open (`ulimit -n`)\n" in done.stderr


@POSIX
def test_what_is_told_stands_in_the_block_also_where_the_envfile_has_another_stderr(folder: Folder):
    folder.envfile(
        """
        import os, sys
        sys.stderr = os.fdopen(os.dup(2), "w")

        @runner.session(python=False)
        @runner.parametrize("n", [1, 2])
        def tests(session, n): session.log("told")
        """
    )

    folder.passes("-j", "2", env={"RUNENV_WORKER": "fork"})

    logs = folder.root / ".runenv/logs/latest"
    assert [(logs / f"tests-n{n}.log").read_text().count("told\n") for n in (1, 2)] == [1, 1]


@POSIX
@pytest.mark.parametrize("kind", KINDS)
def test_in_a_locale_without_any_sign_but_ascii_bytes_are_what_jobs_wrote(
    folder: Folder, kind: str
):
    folder.envfile(
        r"""
        @runner.session(python=False)
        @runner.parametrize("n", [1, 2])
        def tests(session, n):
            session.run("printf", r"\303\244\n", external=True)
            session.log("caf\u00e9")
        """
    )
    ascii_only = {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}

    done = folder.run("-j", "2", env={**ascii_only, "RUNENV_WORKER": kind})

    assert (done.code, done.out) == (0, "\u00e4\n\u00e4\n")
    assert done.err.count("caf") == 2


@POSIX
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(many: Folder, closed: str):
    declare(
        many,
        TWO.replace("print(", "touch(session.name); print(").replace(
            '    print("from b")', '    print("from b")\n    session.run("true", external=True)'
        ),
    )
    command = f'exec "$0" -m runner -j 2 {closed}'

    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=many.root, env=many.environ, capture_output=True
    )

    assert done.returncode == 0, done.stderr
    assert (many.root / "a").exists()


@POSIX
def test_much_output_is_copied_to_its_last_byte(many: Folder):
    declare(
        many,
        TWO
        + """
@runner.session(python=False)
def much(session):
    session.run("head", "-c", "30000000", "/dev/zero", external=True)
""",
    )

    with open(many.root / "out", "wb") as out:
        many.run("-j", "2", stdout=out)

    assert (many.root / "out").stat().st_size == 30_000_000 + len("from a\nfrom b\n")


@pytest.mark.measured
def test_a_disk_that_takes_no_logs_is_told(folder: Folder):
    declare(folder, TWO)
    folder.write(".runenv/logs", "a file")

    done = folder.run("-j", "2")

    assert f"error: {folder.root}/.runenv/logs/" in done.err
    assert " cannot be used: Not a directory\n" in done.err
    assert done.code == 1


# Environments. -----------------------------------------------------------------------


def test_equal_needs_are_installed_once(many: Folder):
    many.wheel("tool")
    declare(
        many,
        """
@runner.session(deps=["tool"])
@runner.parametrize("n", range(3))
def s(session, n):
    session.run("python", "-c", "import tool; print(tool.version)")
""",
    )

    done = many.passes("-j", "3")

    assert done.out == "1.0\n" * 3
    assert done.err.count("environment: created in") == 1
    assert done.err.count("environment: created from the store in") == 2


def test_a_project_is_built_once_also_with_fresh(many: Folder):
    library(many)
    declare(
        many,
        """
@runner.session(project="wheel")
@runner.parametrize("n", range(3))
def s(session, n): ...
""",
    )
    many.passes("-j", "3")

    done = many.passes("-j", "3", "--fresh")

    assert done.err.count("build . (what it needs)\n") == 1
    assert done.err.count("build .\n") == 1


def test_with_fresh_an_environment_that_is_shared_is_made_once(many: Folder):
    declare(
        many,
        """
@runner.session(environment="dev")
def a(session): ...

@runner.session(environment="dev")
def b(session): ...
""",
    )
    many.passes("-j", "2")

    done = many.passes("-j", "2", "--fresh")

    assert done.err.count("environment: rebuilt") == 1
    assert done.err.count("environment: reused") == 1


# A terminal. -------------------------------------------------------------------------


@POSIX
def test_ctrl_c_at_a_terminal_reaches_each_job_once(many: Folder):
    declare(
        many,
        """
@runner.session(python=False)
@runner.parametrize("n", [1, 2])
def s(session, n):
    # Short sleeps: a signal just before a long one would not end it.
    code = "import time\\ntry:\\n  print('here', flush=True)\\n  while True: time.sleep(0.1)\\nexcept KeyboardInterrupt: print('told once'); time.sleep(0.3)"
    try:
        session.run(sys.executable, "-c", code, external=True)
    finally:
        print("finally", n)
""",
    )
    terminal, theirs = open_terminal()
    argv = [sys.executable, "-c", LEAD + "import runner.__main__; runner.__main__.run_and_exit()"]
    with subprocess.Popen(
        [*argv, "-j", "2", "--output", "live"],
        cwd=many.root,
        env=many.environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while shown.count(b"| here") < 2:
            shown += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        try:
            while piece := os.read(terminal, 4096):
                shown += piece
        except OSError:  # Linux: all who had it open have closed it
            pass
    os.close(terminal)

    assert process.returncode == 130, shown.decode()
    assert shown.count(b"| told once") == 2
    assert shown.count(b"finally") == 2
    assert shown.count(b"interrupted") >= 4


# Our standard input becomes the terminal that controls us.
LEAD = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "


@POSIX
def test_a_worker_that_ctrl_z_meets_before_it_is_one_is_not_left_stopped(folder: Folder):
    folder.envfile(
        """
        import os, signal

        os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTSTP))

        @runner.session(python=False)
        def one(session): ...

        @runner.session(python=False)
        def two(session): ...
        """
    )

    # In a group that is no orphan, as a shell's jobs are: others are not stopped by this signal.
    assert folder.run("-j", "2", preexec_fn=os.setpgrp).code == 0


def test_what_took_longest_before_starts_first(folder: Folder):
    folder.envfile(
        """
        import os, time

        def note(session):
            with open("order", "a") as stream:
                stream.write(session.name + " ")

        @runner.session(python=False)
        def a(session):
            while "long" not in open("order").read():
                if os.path.exists("b began"):
                    return
                time.sleep(0.01)

        @runner.session(python=False)
        def b(session):
            open("b began", "w").close()
            note(session)

        @runner.session(python=False)
        def long(session):
            note(session)
        """
    )
    folder.write("order", "")
    jobs = [["a", "passed", 2.0], ["b", "passed", 1.0], ["long", "passed", 9.0]]
    folder.write(".runenv/.history", json.dumps({"at": 1.0, "jobs": jobs}))

    folder.passes("-j", "2")

    assert (folder.root / "order").read_text() == "long b "
