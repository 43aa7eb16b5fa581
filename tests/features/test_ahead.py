"""Environments that are prepared while earlier jobs run."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from runner import descendants
from tests.conftest import Folder

pytestmark = pytest.mark.measured

# Waits until a file is there, and so until what is prepared ahead has come that far.
WAIT = """
    import glob, time

    def wait_for(path):
        while not glob.glob(path):
            time.sleep(0.01)
    """


def project(folder: Folder, build: str, *, before: str = "") -> None:
    """A project in built/ whose build tells in the file `building` who it is, then does that."""
    folder.write(
        "built/pyproject.toml",
        '[build-system]\nrequires=[]\nbuild-backend="b"\nbackend-path=["."]\n',
    )
    folder.write(
        "built/b.py",
        f"import os, signal, time\n{before}\n"
        'with open("../building.new", "w") as stream:\n    stream.write(str(os.getpid()))\n'
        f'os.replace("../building.new", "../building")\n{build}\n',
    )


def test_the_next_environment_is_made_while_a_job_runs(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            wait_for(".runenv/second/lib/*/site-packages/tool.py")
            print("it is there")

        @runner.session(deps=["tool"])
        def second(session):
            session.run("python", "-c", "import tool; print(tool.version)")
        """
    )

    done = folder.passes()

    assert done.out == "it is there\n1.0\n"
    assert " s ahead (" in done.err
    # What was done ahead is told where the job begins.
    assert done.err.index("── second") < done.err.index("install tool")


def test_all_of_those_to_come_are_prepared_in_turn(folder: Folder):
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            for name in "bcd":
                wait_for(f".runenv/{{name}}/runenv.json")

        @runner.session
        @runner.parametrize("name", ["b", "c", "d"])
        def later(session, name):
            session.run("python", "-c", "")
        """.replace("{name}/", "later-{name}/")
    )

    assert folder.passes().err.count(" s ahead (") == 3


def test_what_fails_ahead_is_told_when_its_turn_comes(folder: Folder):
    project(folder, "1 / 0")
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            wait_for("building")

        @runner.session(deps=["./built"])
        def second(session):
            pass

        @runner.session
        def third(session):
            session.run("python", "-c", "print('third ran')")
        """
    )

    done = folder.run()

    assert (done.code, done.out) == (1, "third ran\n")
    told = done.err[done.err.index("── second") : done.err.index("── third")]
    assert "ZeroDivisionError" in told
    assert "error: the install failed" in told
    assert "install ./built" not in done.err[: done.err.index("── second")]


def test_what_an_earlier_job_changed_is_seen(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write("requirements.txt", "one\n")
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            wait_for(".runenv/second/runenv.json")
            with open("requirements.txt", "w") as stream:
                stream.write("two")

        @runner.session(requirements=["requirements.txt"])
        def second(session):
            session.run("python", "-c", "import two")
        """
    )

    assert "requirements.txt changed" in folder.passes().err


def test_fresh_makes_an_environment_once(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            pass

        @runner.session(deps=["tool"], reuse=False)
        def second(session):
            session.install("tool")
            session.run("python", "-c", "import tool")
        """
    )
    folder.passes()

    err = folder.passes("--fresh").err

    assert err.count("environment: ") == 2
    assert err.count("install tool") == 2


def test_a_failure_that_stops_the_run_stops_what_is_prepared(folder: Folder):
    project(folder, "while True: time.sleep(600)")
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session(python=False)
        def first(session):
            wait_for("building")
            session.error("no")

        @runner.session(deps=["./built"])
        def second(session):
            pass
        """
    )

    done = folder.run("-x")

    assert done.code == 1
    assert "not started: first did not pass" in done.err
    assert int(Path(folder.root, "building").read_text()) not in descendants.processes()


def test_a_signal_while_something_is_prepared_leaves_nothing_behind(folder: Folder):
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    project(folder, "while True: time.sleep(600)", before=stubborn)
    folder.envfile(
        f"""
        {WAIT.replace(chr(10), chr(10) + "    ")}
        @runner.session
        def first(session):
            wait_for("building")
            session.run("python", "-c", "import time; print('ready', flush=True); time.sleep(600)")

        @runner.session(deps=["./built"])
        def second(session):
            pass
        """
    )

    with folder.start() as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)

    assert run.returncode == 143
    assert int(Path(folder.root, "building").read_text()) not in descendants.processes()


def test_a_warm_run_prepares_nothing_ahead(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def first(session):
            session.run("python", "-c", "")

        @runner.session
        def second(session):
            session.run("python", "-c", "")
        """
    )
    folder.passes()

    err = folder.passes().err

    assert err.count("environment: reused") == 2
    assert "ahead" not in err
