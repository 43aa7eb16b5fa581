"""`confirm=`: a session that runs when somebody has said yes."""

from __future__ import annotations

import sys

import pytest

from tests.conftest import IN_ALL_WAYS, Folder, in_a_way
from tests.features.test_interactive import Terminal

POSIX_TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

ENVFILE = """
    @runner.session(python=False)
    def build(session): print("built")

    @runner.session(python=False, requires=["build"], confirm="Publish it?")
    @runner.parametrize("to", ["here", "there"])
    def publish(session, to): print(f"published {to}")

    @runner.session(python=False, requires=["publish"])
    def tell(session): print("told")
    """
NOBODY = "nobody has said yes to 'Publish it?'"


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.envfile(ENVFILE)
    return folder


def answered(folder: Folder, answer: str, *arguments: str, env: dict[str, str] | None = None):
    """What the screen shows behind the answer, and the exit code."""
    with Terminal(folder, *arguments, env=env) as terminal:
        terminal.read_until("publish (2 jobs): Publish it? [y/N] ")
        before = len(terminal.seen)
        terminal.type(answer)
        terminal.rest()
        return terminal.seen[before:].replace("\r", ""), terminal.process.returncode


@POSIX_TERMINALS
def test_one_question_before_the_run_is_for_all_jobs_of_a_session(project: Folder):
    shown, code = answered(project, "y\n")

    assert [
        line for line in shown.splitlines() if line in ("built", "told") or "published" in line
    ] == [
        "built",
        "published here",
        "published there",
        "told",
    ]
    assert code == 0


@POSIX_TERMINALS
@pytest.mark.parametrize("worker", ["fork", "spawn"])
def test_the_answer_reaches_workers(project: Folder, worker: str):
    env = {"RUNENV_JOBS": "2", "RUNENV_WORKER": worker}

    shown, code = answered(project, "YES\n", env=env)

    assert "published here\n" in shown
    assert "published there\n" in shown
    assert code == 0


@POSIX_TERMINALS
@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04", "what\nno\n"])
def test_without_a_yes_it_is_skipped_with_what_requires_it(project: Folder, answer: str):
    shown, code = answered(project, answer)

    assert "\nbuilt\n" in shown
    assert "published" not in shown
    assert "told" not in shown
    rows = [" ".join(line.split()) for line in shown.splitlines() if "- skipped" in line]
    assert rows == [
        "- skipped publish-here 0.00 s 'Publish it?' was not answered with yes",
        "- skipped tell publish-here did not pass",
        "- skipped publish-there 0.00 s 'Publish it?' was not answered with yes",
    ]
    assert ("y or n\n" in shown) == (answer == "what\nno\n")
    assert shown.startswith("\n\n") or answer != "\x04"  # the cursor stands behind the question
    assert code == 0  # as of any job that was skipped and not named


@POSIX_TERMINALS
@pytest.mark.measured
def test_a_no_to_what_was_named_is_not_what_was_asked_for(project: Folder):
    _, code = answered(project, "n\n", "publish")

    assert code == 1


@POSIX_TERMINALS
@pytest.mark.measured
def test_ctrl_c_at_the_question_runs_nothing(project: Folder):
    shown, code = answered(project, "\x03")

    assert shown.endswith("interrupted\n")
    assert "built" not in shown
    assert code == 130


@POSIX_TERMINALS
def test_what_is_not_selected_is_not_asked_about(project: Folder):
    with Terminal(project, "build") as terminal:
        shown = terminal.rest()

    assert "Publish" not in shown
    assert terminal.process.returncode == 0


@POSIX_TERMINALS
def test_who_says_that_nobody_is_there_is_not_asked(project: Folder):
    with Terminal(project, "--non-interactive") as terminal:
        shown = terminal.rest()

    assert "[y/N]" not in shown
    assert NOBODY in shown


@POSIX_TERMINALS
def test_where_the_question_would_not_be_seen_it_is_not_asked(project: Folder):
    log = project.root / "log"
    with log.open("wb") as stream, Terminal(project, "publish-here", stderr=stream) as terminal:
        terminal.type("n\n")  # for one that asks all the same
        shown = terminal.rest()

    assert "[y/N]" not in shown + log.read_text()
    assert f"error: {NOBODY}\n" in log.read_text()


@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_where_nobody_can_be_asked_it_fails_and_the_others_go_on(project: Folder, way: str):
    there = in_a_way(way, project)
    there.envfile(ENVFILE)

    done = there.run("publish-here", "tell")

    assert "built" in done.out
    assert "published" not in done.out
    assert f"error: {NOBODY}\n  --> envfile.py:7\n  --yes says it beforehand" in done.err
    assert "[y/N]" not in done.err
    assert done.code == 1


@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_yes_may_be_said_beforehand(project: Folder, way: str):
    there = in_a_way(way, project)
    there.envfile(ENVFILE)

    assert "published here\n" in there.passes("publish-here", "--yes").out


def test_the_variable_says_yes_too(project: Folder):
    assert "published here\n" in project.passes("publish-here", env={"RUNENV_YES": "1"}).out


def test_what_was_notified_and_not_selected_needs_a_yes_as_well(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def build(session): session.notify("publish")

        @runner.session(python=False, confirm="Publish it?", default=False)
        def publish(session): print("published")
        """
    )

    done = folder.run()

    assert (done.code, done.out) == (1, "")
    assert NOBODY in done.err
    assert folder.passes("--yes").out == "published\n"


def test_an_attempt_without_a_yes_is_the_last(folder: Folder):
    folder.envfile(
        "@runner.session(python=False, confirm='Sure?', retries=2)\ndef publish(session): ...\n"
    )

    assert "trying again" not in folder.run().err


def test_usage_tells_the_question(project: Folder):
    assert "  confirm   Publish it?\n" in project.passes("--usage", "publish").out + "\n"
