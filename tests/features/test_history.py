"""`runenv --failed`: what did not pass when it last ran."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.measured

# What is in the file `bad` fails.
SESSIONS = """
import os

def ends(session):
    if session.name in open("bad").read().split():
        session.error("it is bad")
    print(session.name)

@runner.session(python=False)
def lint(session):
    ends(session)

@runner.session(python=False, tags=["t"])
@runner.parametrize("api", ["old", "new"])
def tests(session, api):
    ends(session)

@runner.session(python=False, requires=["lint"])
def after(session):
    ends(session)

@runner.session(python=False, default=False)
def skips(session):
    session.skip("not now")
"""


def project(folder: Folder, bad: str) -> Folder:
    folder.envfile(SESSIONS)
    folder.write("bad", bad)
    return folder


def test_what_failed_runs_again_and_nothing_else(folder: Folder):
    project(folder, "tests-new")
    assert folder.run().code == 1

    done = folder.run("--failed")

    assert (done.code, done.out) == (1, "")
    assert "tests-old" not in done.err
    folder.write("bad", "")
    assert folder.passes("--failed").out == "tests-new\n"


def test_when_all_has_passed_there_is_nothing_to_run(folder: Folder):
    project(folder, "tests-new").run()
    folder.write("bad", "")
    folder.passes("--failed")

    done = folder.run("--failed")

    assert done.code == 2
    assert "nothing failed when it last ran" in done.err


def test_what_could_not_start_comes_back_with_what_it_requires(folder: Folder):
    project(folder, "lint").run()
    folder.write("bad", "")

    assert folder.passes("--failed").out == "lint\nafter\n"


def test_it_narrows_with_names_and_tags(folder: Folder):
    project(folder, "lint tests-new tests-old").run()
    folder.write("bad", "")

    assert folder.passes("--failed", "tests-new", "lint").out == "tests-new\nlint\n"
    assert folder.passes("--failed", "-t", "t").out == "tests-old\n"


def test_what_skips_itself_did_not_fail(folder: Folder):
    project(folder, "").run("skips")

    assert folder.run("--failed").code == 2


def test_it_selects_for_other_verbs_too(folder: Folder):
    project(folder, "tests-new").run()

    listed = json.loads(folder.passes("--list", "--failed", "--json").out)
    explained = folder.passes("--explain", "--failed").out

    assert [job["name"] for job in listed["jobs"]] == ["tests-new"]
    assert explained.startswith("tests-new\n")
    assert "tests-old" not in folder.passes("--matrix", "json", "--failed").out


def test_clean_deletes_the_environments_of_what_failed(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def good(session): ...

        @runner.session
        def bad(session):
            session.error("it is bad")
        """
    )
    folder.run()

    folder.passes("--clean", "--failed")

    assert (folder.root / ".runenv/good").is_dir()
    assert not (folder.root / ".runenv/bad").exists()


def test_preparing_environments_is_no_run(folder: Folder):
    project(folder, "tests-new").run()
    folder.write("bad", "")
    folder.passes("--install-only")

    assert folder.passes("--failed").out == "tests-new\n"


def test_a_job_that_does_not_exist_any_more_is_forgotten(folder: Folder):
    project(folder, "tests-new").run()
    folder.envfile("@runner.session(python=False)\ndef lint(session): ...\n")

    assert folder.run("--failed").code == 2


def test_a_session_may_be_named_like_the_history(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def history(session):
            session.error("it is bad")
        """
    )
    folder.run()

    assert "it is bad" in folder.run("--failed").err
    assert (folder.root / ".runenv/history/pyvenv.cfg").is_file()


def test_a_history_that_is_garbage_is_as_none(folder: Folder):
    project(folder, "tests-new").run()
    (folder.root / ".runenv/.history").write_bytes(b"\x00\xff garbage")

    assert folder.run("--failed").code == 2
    assert folder.run().code == 1
    folder.write("bad", "")
    assert folder.passes("--failed").out == "tests-new\n"


def test_the_history_goes_where_the_environments_are(folder: Folder):
    project(folder, "tests-new").run("--envdir", "elsewhere")

    assert (folder.root / "elsewhere/.history").is_file()
    assert folder.run("--failed").code == 2
    assert folder.run("--failed", "--envdir", "elsewhere").code == 1
