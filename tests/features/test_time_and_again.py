"""`timeout=`, `--timeout` and `retries=`: jobs end, and are tried again."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import IN_ALL_WAYS, Done, Folder, in_a_way


@pytest.fixture(params=IN_ALL_WAYS)
def folder(request: pytest.FixtureRequest, folder: Folder) -> Folder:
    """What is tested here is so in one process and in several."""
    return in_a_way(request.param, folder)


# What counts is which of them wins. The short one is up while a command runs, and not while
# coverage looks at a file for the first time: an exception there leaves its lock locked.
LONG, SHORT, SHORT_S, AT_ONCE = "3600", "0.3", 0.3, "0.001"

ENDLESS = """
    @runner.session(python=False, timeout=0.3)
    def endless(session):
        n = 0
        try:
            while True:
                n += 1
        finally:
            print("finally")

    @runner.session(python=False)
    def next(session):
        print("next")
    """


def test_a_function_that_never_ends_is_ended(folder: Folder):
    folder.envfile(ENDLESS)

    done = folder.run("endless")

    assert done.code == 124
    assert done.out == "finally\n"
    assert "timed out  endless" in done.err
    assert "the job took longer than 0.3 s" in done.err


def test_the_next_job_runs_after_one_whose_time_was_up(folder: Folder):
    folder.envfile(ENDLESS)

    assert sorted(folder.run().out.split()) == ["finally", "next"]


def test_what_a_job_runs_ends_with_its_time_and_its_finally_may_run_commands(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False, timeout=0.5)
        def s(session):
            try:
                session.run("python", "-c", "import time; time.sleep(600)")
            finally:
                session.run("python", "-c", "print('tidied up')")
        """
    )

    done = folder.run()

    assert (done.code, done.out) == (124, "tidied up\n")


def test_a_job_that_catches_all_is_timed_out_all_the_same(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False, timeout=0.3, retries=5)
        def s(session):
            try:
                session.run("python", "-c", "import time; time.sleep(600)")
            except BaseException:
                print("caught")
        """
    )

    done = folder.run()

    assert (done.code, done.out) == (124, "caught\n")


def test_what_fails_on_the_way_out_is_told_beside_the_time(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False, timeout=0.3)
        def s(session):
            try:
                session.run("python", "-c", "import time; time.sleep(600)")
            finally:
                session.error("could not tidy up")
        """
    )

    done = folder.run()

    assert done.code == 124
    assert "error: could not tidy up\n" in done.err
    assert "error: the job took longer than 0.3 s\n" in done.err


COMMAND = """
    runner.options.timeout = {option!r}

    @runner.session(python=False, timeout={own})
    def s(session):
        session.run("python", "-c", "import time; time.sleep({takes})")
    """


@pytest.mark.parametrize(
    "own, option, variable, flag, code",
    [
        (None, SHORT, "", "", 124),
        (None, SHORT_S, "", "", 124),
        (None, AT_ONCE, LONG, "", 0),
        (None, LONG, "1h", SHORT, 124),
        (None, LONG, AT_ONCE, "0", 0),
        (None, LONG, SHORT, "", 124),
        (3600, AT_ONCE, "", AT_ONCE, 0),
        (SHORT_S, LONG, "", LONG, 124),
    ],
)
def test_a_session_s_own_time_wins_then_the_option_the_variable_the_envfile(
    folder: Folder, own: float | None, option: str | float, variable: str, flag: str, code: int
):
    folder.envfile(COMMAND.format(own=own, option=option, takes=600 if code else 0))

    done = folder.run(
        *(["--timeout", flag] if flag else []), env={"RUNENV_TIMEOUT": variable} if variable else {}
    )

    assert done.code == code


def test_the_table_of_pyproject_has_the_timeout_too(folder: Folder):
    folder.write("pyproject.toml", "[tool.runenv]\ntimeout = 0.3\n")
    folder.envfile("@runner.session(python=False)\ndef s(session): session.run('sleep', '600')\n")

    assert folder.run().code == 124


def test_a_timeout_that_is_no_time_is_refused_in_the_envfile(folder: Folder):
    folder.envfile("runner.options.timeout = 'soon'\n@runner.session\ndef s(session): ...\n")

    assert "runner.options.timeout cannot be 'soon'" in folder.run().err


@pytest.mark.measured
def test_the_time_is_that_of_all_attempts(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False, timeout=1, retries=10**9)
        def s(session):
            session.error("again")
        """
    )

    done = folder.run("-q")

    assert done.code == 124
    assert "warning: attempt 1 of 1000000001 failed; trying again" in done.err
    assert "timed out on attempt " in done.err


# Ends when it may; asked to, it waits for that.
TIDY = """
import os, signal, sys, time

def end(*_):
    while not os.path.exists("go"):
        time.sleep(0.01)
    print("tidied up")
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True:
    time.sleep(0.1)  # a signal just before it would not end a long one
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("grace, told", [("0", "ready\n"), ("1h", "ready\ntidied up\n")])
def test_what_is_to_end_has_its_grace_for_that(folder: Folder, grace: str, told: str):
    folder.write("tidy.py", TIDY)
    folder.envfile(
        f"""
        runner.options.grace = {grace!r}

        @runner.session(python=False)
        def s(session):
            with session.background("python", "tidy.py", ready="ready") as server:
                if {grace != "0"}:
                    open("go", "w").close()
            print(open(server.log).read(), end="")
        """
    )

    assert folder.passes().out == told


# Again. --------------------------------------------------------------------------------

FLAKY = """
    import os

    @runner.session(python=False, retries=2)
    def flaky(session):
        n = int(open("count").read()) if os.path.exists("count") else 0
        with open("count", "w") as stream:
            stream.write(str(n + 1))
        {body}
    """


def flaky(folder: Folder, body: str) -> tuple[Done, int]:
    folder.envfile(FLAKY.format(body=body))
    done = folder.run()
    return done, int((folder.root / "count").read_text())


def test_a_job_passes_on_its_second_attempt(folder: Folder):
    done, attempts = flaky(folder, "session.run('python', '-c', f'raise SystemExit({n} < 1)')")

    assert (done.code, attempts) == (0, 2)
    assert "warning: attempt 1 of 3 failed; trying again\n" in done.err
    assert "passed on attempt 2  flaky" in done.err


@pytest.mark.parametrize(
    "body", ["session.error('no')", "1 / 0", "raise SystemExit(1)", "session.run('false')"]
)
def test_a_job_fails_after_its_last_attempt(folder: Folder, body: str):
    done, attempts = flaky(folder, body)

    assert (done.code, attempts) == (1, 3)
    assert "failed on attempt 3  flaky" in done.err


def test_a_command_whose_time_is_up_is_tried_again_with_its_job(folder: Folder):
    sleep = "import time; time.sleep(600)"
    done, attempts = flaky(folder, f"n or session.run('python', '-c', {sleep!r}, timeout=0.1)")

    assert (done.code, attempts) == (0, 2)
    assert "warning: attempt 1 of 3 timed out; trying again\n" in done.err


@pytest.mark.parametrize(
    "body, code",
    [
        ("session.skip('not today')", 0),
        ("raise KeyboardInterrupt", 130),
        ("session.run('true', color=True)", 1),  # a mistake
    ],
)
def test_what_is_no_failure_or_stays_one_is_not_tried_again(folder: Folder, body: str, code: int):
    folder.envfile(
        FLAKY.format(body=body) + "\n    @runner.session(python=False)\n    def ok(s): ...\n"
    )

    done = folder.run()

    assert (done.code, (folder.root / "count").read_text()) == (code, "1")
    assert "attempt" not in done.err


def test_an_environment_that_cannot_be_made_is_not_tried_again(folder: Folder):
    folder.envfile("@runner.session(deps=['nowhere'], retries=3)\ndef s(session): ...\n")

    done = folder.run()

    assert done.code == 1
    assert "attempt" not in done.err


def test_each_attempt_begins_with_its_environment_as_declared(folder: Folder):
    folder.wheel("stray")
    folder.envfile(
        """
        @runner.session(retries=1)
        def s(session):
            code = "import importlib.util as u; raise SystemExit(u.find_spec('stray') is not None)"
            session.run("python", "-c", code)
            print("clean")
            session.run("pip", "install", "-q", "stray")
            session.error("and now again")
        """
    )

    done = folder.run()

    assert done.out == "clean\nclean\n"
    assert "environment: rebuilt" in done.err


def test_attempts_do_not_see_each_other_s_variables_and_folder(folder: Folder):
    (folder.root / "below").mkdir()
    folder.envfile(
        """
        import os

        @runner.session(python=False, retries=1)
        def s(session):
            print(os.path.basename(os.getcwd()), os.environ.get("LEFT"), session.env, session.posargs)
            session.chdir("below")
            os.environ["LEFT"] = session.env["LEFT"] = "behind"
            session.posargs.append("more")
            session.error("again")
        """
    )

    assert folder.run().out == "project None {} []\n" * 2


def test_usage_tells_of_time_and_attempts(folder: Folder):
    folder.envfile("@runner.session(timeout=90, retries=2)\ndef s(session): ...\n")

    lines = folder.passes("--usage", "s").out.splitlines()

    assert lines[-2:] == ["  timeout  90 s", "  retries  2"]
