"""Sessions that share an environment: one folder, one install of what all of them need."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Folder
from tests.features.test_environments import INSTALLED, PRINT_INSTALLED, library

TWO = f"""
@runner.session(environment="dev", deps=["one"])
def lint(session):
    {PRINT_INSTALLED}

@runner.session(env="dev", deps=["two"])
def tests(session):
    session.run("python", "-c", "import two; print(two.version)")
    {PRINT_INSTALLED}
"""


def two_sessions(folder: Folder) -> Folder:
    """Two sessions with one environment and different commands."""
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(TWO)
    return folder


def test_they_have_one_folder_and_what_all_of_them_need(folder: Folder):
    done = two_sessions(folder).passes()

    assert done.out == "one1.0 two1.0\n1.0\none1.0 two1.0\n"
    assert sorted(p.name for p in (folder.root / ".runenv").glob("[!.]*")) == [
        "CACHEDIR.TAG",
        "dev",
    ]


def test_it_is_the_same_when_only_one_of_them_runs(folder: Folder):
    assert two_sessions(folder).passes("lint").out == "one1.0 two1.0\n"


def test_runs_that_alternate_reuse_it(folder: Folder):
    two_sessions(folder).passes("lint")

    for name in ("tests", "lint", "tests", "lint"):
        done = folder.passes("-v", name)
        assert "reused" in done.err
        assert "install " not in done.err


def test_one_that_runs_nothing_and_one_that_runs_much_reuse_it(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        @runner.session(environment="dev")
        def nothing(session): pass

        @runner.session(environment="dev", deps=["one"])
        def much(session):
            session.run("python", "-V")
            session.run_install("python", "-V")
            session.run("python", "-V")
        """
    )
    folder.passes("nothing")

    for name in ("much", "nothing", "much"):
        done = folder.passes("-v", name)
        assert "reused" in done.err
        assert "install one" not in done.err


def test_a_need_that_one_of_them_has_no_more_rebuilds_it_for_all(folder: Folder):
    two_sessions(folder).passes()

    folder.envfile(TWO.replace('deps=["one"]', "deps=[]"))
    done = folder.passes("lint")

    assert "deps changed (-one)" in done.err
    assert done.out == "two1.0\n"


def test_what_a_command_of_one_installed_is_noticed_before_the_next(folder: Folder):
    folder.wheel("stray")
    folder.envfile(
        f"""
        @runner.session(environment="dev")
        def first(session):
            session.run("pip", "install", "stray")

        @runner.session(environment="dev")
        def second(session):
            {PRINT_INSTALLED}
        """
    )

    done = folder.passes()

    assert "something other than its steps changed it (+stray 1.0" in done.err
    assert "stray" not in done.out.splitlines()[-1]


def test_an_install_in_the_function_of_one_is_an_error_with_the_mend(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        @runner.session(environment="dev")
        def lint(session):
            session.install("one")

        @runner.session(environment="dev")
        def tests(session): pass
        """
    )

    done = folder.run("lint")

    assert done.code == 1
    assert "session.install was called in an environment that is shared, 'dev'" in done.err
    assert "--> envfile.py:6" in done.err
    assert "declare what it installs (deps=[...], groups=[...])" in done.err


def test_fresh_makes_it_once_in_a_run(folder: Folder):
    two_sessions(folder).passes()

    err = folder.passes("--fresh").err

    assert err.count("--fresh") == 1
    assert err.count("install one two") == 1


def test_reuse_false_makes_it_once_in_a_run(folder: Folder):
    two_sessions(folder)
    folder.envfile(TWO.replace("deps=", "reuse=False, deps="))
    folder.passes()

    assert folder.passes().err.count("rebuilt from the store") == 1


def test_it_is_prepared_ahead_for_the_first_of_them_alone(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        import os, time

        @runner.session(python=False)
        def first(session):
            while not os.path.exists(".runenv/dev/runenv.json"):
                time.sleep(0.01)

        @runner.session(environment="dev", deps=["one"])
        def second(session):
            session.run("python", "-c", "import one")

        @runner.session(environment="dev")
        def third(session):
            session.run("python", "-c", "import one")
        """
    )

    err = folder.passes().err

    assert err.count(" s ahead (") == 1
    assert "waiting for" not in err


def test_jobs_of_one_parametrized_session_may_share(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        f"""
        @runner.session(environment="dev", deps=["one"])
        @runner.parametrize("api", ["old", "new"])
        def tests(session, api):
            {PRINT_INSTALLED}
        """
    )

    done = folder.passes()

    assert done.out == "one1.0\none1.0\n"
    assert (folder.root / ".runenv/dev").is_dir()
    assert not (folder.root / ".runenv/tests-old").exists()


def test_with_several_pythons_each_has_its_own(folder: Folder):
    folder.envfile(
        """
        import sys

        own = ".".join(map(str, sys.version_info[:2]))

        @runner.session(environment="dev", python=[own])
        def lint(session):
            session.run("python", "-c", "import os, sys; print(os.path.basename(sys.prefix))")

        @runner.session(environment="dev", python=[own])
        def tests(session):
            session.run("python", "-c", "import os, sys; print(os.path.basename(sys.prefix))")
        """
    )
    named = json.loads(folder.passes("--list", "--json").out)["jobs"]

    done = folder.passes()

    folders = done.out.splitlines()
    assert folders == [f"dev-{named[0]['python']}"] * 2
    assert [job["environment"] for job in named] == folders


def test_the_project_is_there_for_one_that_does_not_ask_for_it(folder: Folder):
    library(folder)
    folder.envfile(
        f"""
        @runner.session(environment="dev", project="editable")
        def tests(session): pass

        @runner.session(environment="dev")
        def shell(session):
            session.run("python", "-c", {INSTALLED!r})
        """
    )

    assert folder.passes("shell").out == "mine1.0\n"


def test_the_listing_names_the_environment_of_each_job(folder: Folder):
    two_sessions(folder)
    folder.envfile(TWO + "\n@runner.session(python=False)\ndef bare(session): pass\n")

    jobs = json.loads(folder.passes("--list", "--json").out)["jobs"]

    assert {job["name"]: job["environment"] for job in jobs} == {
        "lint": "dev",
        "tests": "dev",
        "bare": None,
    }


def test_explain_says_with_whom_and_installs_what_all_need(folder: Folder):
    done = two_sessions(folder).passes("--explain", "lint")

    assert "  shared with  tests\n" in done.out
    assert "  installs     one two\n" in done.out


def test_explain_as_json_names_those_that_share(folder: Folder):
    (job,) = json.loads(two_sessions(folder).passes("--explain", "--json", "lint").out)["jobs"]

    assert (job["shared_with"], job["path"]) == (["tests"], str(folder.root / ".runenv/dev"))


def test_usage_names_the_environment_and_those_that_share(folder: Folder):
    out = two_sessions(folder).passes("--usage", "lint").out

    assert "  environment  dev\n  shared with  tests\n  deps         one, two\n" in out


@pytest.mark.parametrize("name", ["lint", "tests"])
def test_clean_of_one_deletes_it_and_says_whose_it_was(folder: Folder, name: str):
    two_sessions(folder).passes()

    done = folder.passes("--clean", name)

    assert done.out.startswith("deleted dev (of lint, tests): ")
    assert not (folder.root / ".runenv/dev").exists()


def test_a_shell_script_finds_it_under_its_name(folder: Folder):
    folder.envfile('@runner.session(environment="Dev")\ndef lint(session): print(session.env_dir)')

    done = folder.passes()

    # Upper case is folded on some systems, so a hash of the name stands behind it.
    assert done.out.startswith(str(folder.root / ".runenv/Dev-"))


def test_one_whose_end_fails_does_not_keep_it_from_the_next(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        import os

        @runner.session(environment="dev", deps=["one"])
        def first(session):
            session.run("python", "-V")
            os.unlink(".runenv/dev/runenv.json")
            os.mkdir(".runenv/dev/runenv.json")  # as a full disk would be, for root too

        @runner.session(environment="dev", deps=["one"])
        def second(session): pass
        """
    )

    done = folder.run()

    assert "runenv.json.new cannot be used: Is a directory\n" in done.err
    assert "waiting for" not in done.err
    assert "dev stands where an environment belongs, and it was not made by runenv" in done.err
    assert done.code == 1
