"""`runenv NAME`: jobs run, each in its own environment, and the exit code tells."""

from __future__ import annotations

import os
import sys

import pytest

from tests.conftest import IN_ALL_WAYS, POSIX, Folder, in_a_way

SHOW_VERSION = "session.run('python', '-c', 'import tool; print(tool.version)')"


def test_a_session_runs_with_what_it_declares(folder: Folder):
    folder.wheel("tool", "1.5")
    folder.envfile(
        f"""
        @runner.session(deps=["tool"])
        def show(session):
            {SHOW_VERSION}
        """
    )

    done = folder.passes("show")

    assert done.out == "1.5\n"
    assert "created" in done.err


def test_two_sessions_have_two_versions_of_one_library(folder: Folder):
    folder.wheel("tool", "1.5")
    folder.wheel("tool", "2.5")
    folder.envfile(
        f"""
        @runner.session
        @runner.parametrize("tool", [runner.param("tool<2", id="old"), runner.param("tool>=2", id="new")])
        def show(session, tool):
            session.install(tool)
            {SHOW_VERSION}
        """
    )

    assert folder.passes("show-old", "show-new").out == "1.5\n2.5\n"


def test_a_second_run_starts_no_installer(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        f"""
        @runner.session(deps=["tool"])
        def show(session):
            {SHOW_VERSION}
        """
    )
    folder.passes("show")

    # With an empty wheelhouse an installer would fail.
    done = folder.passes("show", env={"PATH": "/usr/bin:/bin"})

    assert "reused" in done.err
    assert "install" not in done.err


def test_posargs_are_handed_on(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def echo(session):
            print(session.posargs)
        """
    )

    assert folder.passes("echo", "--", "-x", "--list").out == "['-x', '--list']\n"


def test_a_failing_command_fails_its_job_and_no_other(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def bad(session):
            session.run("python", "-c", "raise SystemExit(3)")

        @runner.session(python=False)
        def good(session):
            print("good ran")
        """
    )

    done = folder.run()

    assert done.code == 1
    assert done.out == "good ran\n"
    assert "python exited with code 3" in done.err


def test_any_exception_fails_its_job_and_no_other(folder: Folder):
    folder.envfile(
        """
        import sys

        @runner.session(python=False)
        def leaves(session):
            sys.exit(0)

        @runner.session(python=False)
        def breaks(session):
            return 1 / 0

        @runner.session(python=False)
        def good(session):
            print("good ran")
        """
    )

    done = folder.run()

    assert done.code == 1
    assert done.out == "good ran\n"
    assert "ZeroDivisionError: division by zero" in done.err
    assert 'envfile.py", line 12, in breaks' in done.err
    assert "runner/" not in done.err.replace(str(folder.root), "")


def test_what_a_session_changes_in_the_process_is_undone(folder: Folder):
    folder.envfile(
        """
        import os

        @runner.session(python=False)
        def first(session):
            os.environ["LEFT_OVER"] = "1"
            os.chdir("/")

        @runner.session(python=False)
        def second(session):
            print(os.environ.get("LEFT_OVER"), os.getcwd())
        """
    )

    assert folder.passes().out == f"None {folder.root}\n"


def test_the_callers_python_variables_do_not_reach_commands(folder: Folder):
    folder.envfile(
        """
        import os

        @runner.session
        def show(session):
            session.run("python", "-c", "import os; print(os.environ.get('PYTHONPATH'), os.environ['VIRTUAL_ENV'])")
        """
    )

    done = folder.passes(env={"VIRTUAL_ENV": "/elsewhere"})

    assert done.out == f"None {folder.root}/.runenv/show\n"


def test_env_of_the_session_and_of_a_run(folder: Folder):
    folder.envfile(
        """
        SHOW = "import os; print(os.environ.get('A'), os.environ.get('B'))"

        @runner.session(env={"A": "1", "B": None})
        def show(session):
            session.run("python", "-c", SHOW)
            session.run("python", "-c", SHOW, env={"A": None, "B": "2"})
        """
    )

    assert folder.passes(env={"B": "outer"}).out == "1 None\nNone 2\n"


def test_a_program_outside_the_environment_needs_external(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def bad(session):
            session.run("sh", "-c", "echo no")

        @runner.session
        def good(session):
            session.run("sh", "-c", "echo yes", external=True)
        """
    )

    done = folder.run()

    assert (done.code, done.out) == (1, "yes\n")
    assert "the program 'sh' is not in the environment" in done.err
    assert "external=True" in done.err


def test_a_missing_program_names_the_dependency_that_brings_it(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def docs(session):
            session.run("sphinx-build", "docs", "out")
        """
    )

    done = folder.run(env={"PATH": "/nonexistent"})

    assert done.code == 1
    assert 'add "sphinx" to the session\'s deps' in done.err


def test_run_returns_what_was_asked_for(folder: Folder):
    folder.envfile(
        """
        BOTH = "import sys; print('out'); print('err', file=sys.stderr)"

        @runner.session
        def show(session):
            print(session.run("python", "-c", BOTH, silent=True).split())
            finished = session.run("python", "-c", BOTH, capture=True)
            print([finished.returncode, finished.stdout.strip(), finished.stderr.strip()])
            print(session.run("python", "-c", "raise SystemExit(4)", check=False).returncode)
            print(session.run("python", "-c", "raise SystemExit(4)", success_codes=[0, 4]))
            print(session.run("python", "-c", "print(input())", input="typed", silent=True).strip())
        """
    )

    assert folder.passes().out == "['out', 'err']\n[0, 'out', 'err']\n4\nTrue\ntyped\n"


def test_a_command_that_a_signal_ended_is_told_as_such(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def dies(session):
            session.run("python", "-c", "import os; os.kill(os.getpid(), 9)")
        """
    )

    done = folder.run()

    assert done.code == 1
    assert "python was ended by SIGKILL" in done.err


def test_a_timeout_alone_exits_with_124(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def slow(session):
            session.run("python", "-c", "import time; time.sleep(600)", timeout=0.2)
        """
    )

    done = folder.run()

    assert done.code == 124
    assert "took longer than 0.2 s" in done.err


def test_retries_below_zero_are_none(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def show(session):
            session.run("python", "-c", "print('once')", retries=-1)
        """
    )

    assert folder.passes().out == "once\n"


def test_retries_are_made_and_told(folder: Folder):
    folder.envfile(
        """
        COUNT = '''
        import pathlib
        tries = pathlib.Path("tries")
        tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
        raise SystemExit(len(tries.read_text()) < 3)
        '''

        @runner.session
        def flaky(session):
            session.run("python", "-c", COUNT.replace("        ", ""), retries=2)
        """
    )

    done = folder.passes()

    assert (folder.root / "tries").read_text() == "xxx"
    assert "trying again, 1 left" in done.err


def test_skip_and_error_end_the_job_with_their_reason(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.skip("no", "time")

        @runner.session(python=False)
        def b(session):
            session.error("not", "today")

        @runner.session(python=False)
        def c(session):
            pass
        """
    )

    done = folder.run()

    assert done.code == 1
    assert "no time" in done.err
    assert "not today" in done.err


def test_a_skip_among_passes_is_no_failure(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.skip("no time")

        @runner.session(python=False)
        def b(session):
            pass
        """
    )

    assert folder.run().code == 0


def test_a_named_job_that_was_skipped_is_a_failure(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.skip("no time")

        @runner.session(python=False)
        def b(session):
            pass
        """
    )

    assert folder.run("a", "b").code == 1


def test_a_run_in_which_nothing_ran_is_a_failure(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.skip("no time")
        """
    )

    assert folder.run().code == 1


def test_what_requires_a_job_on_a_python_that_is_not_here_fails_or_is_skipped(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=[">=3.10"])
        def tests(session): ...

        @runner.session(python=False, requires=["tests-3.99"])
        def docs(session):
            print("ran")

        @runner.session(python=False, requires=[docs])
        def publish(session):
            print("ran")
        """
    )

    failed = folder.run("publish")
    skipped = folder.run("--skip-missing", "publish")

    assert folder.run("--list").code == 0
    assert (failed.code, failed.out) == (1, "")
    assert "it requires 'tests-3.99', and no Python 3.99 was found" in failed.err
    assert "docs did not pass" in failed.err
    assert (skipped.code, "skipped   docs" in skipped.err) == (1, True)


def test_what_requires_a_failed_job_does_not_run(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def lint(session):
            session.error("ugly")

        @runner.session(python=False, requires=[lint])
        def tests(session):
            print("ran")
        """
    )

    done = folder.run("tests")

    assert (done.code, done.out) == (1, "")
    assert "lint did not pass" in done.err


def test_fail_fast_starts_nothing_more(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.error("no")

        @runner.session(python=False)
        def b(session):
            print("b ran")
        """
    )

    done = folder.run("-x")

    assert (done.code, done.out) == (1, "")


def test_notify_runs_another_session_once(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.notify("late", ["now"])
            session.notify(late)

        @runner.session(python=False, default=False)
        def late(session):
            print("late", session.posargs)
        """
    )

    assert folder.passes().out == "late ['now']\n"


def test_notify_of_an_unknown_session_fails_the_job(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            session.notify("laet")

        @runner.session(python=False, default=False)
        def late(session):
            pass
        """
    )

    done = folder.run()

    assert done.code == 1
    assert "did you mean 'late'?" in done.err


def test_chdir_is_undone_by_with_and_by_the_end_of_the_job(folder: Folder):
    folder.envfile(
        """
        import os

        @runner.session(python=False)
        def a(session):
            os.makedirs("sub/deep")
            with session.chdir("sub"):
                print(os.path.basename(os.getcwd()))
            print(os.path.basename(os.getcwd()))
            session.cd("sub/deep")

        @runner.session(python=False)
        def b(session):
            print(os.path.basename(os.getcwd()))
        """
    )

    assert folder.passes().out == "sub\nproject\nproject\n"


def test_cwd_of_a_run_is_for_that_command_only(folder: Folder):
    folder.envfile(
        """
        import os
        SHOW = "import os; print(os.path.basename(os.getcwd()))"

        @runner.session
        def a(session):
            os.makedirs("sub")
            session.run("python", "-c", SHOW, cwd="sub")
            session.run("python", "-c", SHOW)
        """
    )

    assert folder.passes().out == "sub\nproject\n"


def test_install_only_prepares_and_runs_nothing(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        f"""
        @runner.session(deps=["tool"])
        def show(session):
            {SHOW_VERSION}
            nothing = session.run("python", "-V", silent=True), session.run("python", "-V", capture=True)
            if "--told" in session.posargs:
                print(nothing[0] == "", nothing[1].stdout == "", nothing[1].returncode)
            session.run_install("python", "-c", "print('setting up')")
        """
    )

    assert folder.passes("--install-only", "--", "--told").out == "True True 0\nsetting up\n"
    assert "reused" in folder.passes().err


def test_a_session_knows_itself(folder: Folder):
    folder.envfile(
        """
        import os

        @runner.session(python=["3"], tags=["t"])
        @runner.parametrize("n", [1])
        def show(session, n):
            print(session, session.name, session.python, session.venv_backend, n)
            assert session.bin_paths == [session.bin]
            assert os.path.dirname(session.bin) == session.env_dir
            assert session.python_version.startswith("3.")
            assert session.interactive is False
            assert os.path.isdir(session.create_tmp())
            assert session.env["TMPDIR"] == os.path.join(session.env_dir, "tmp")
            assert os.path.basename(session.cache_dir) == ".cache"
            session.log("told", 1); session.warn("warned"); session.debug("whispered")
        """
    )

    done = folder.passes("show")

    assert done.out == "<runner.Session show-3-n1> show-3-n1 3 uv 1\n"
    assert "told 1" in done.err
    assert "warned" in done.err
    assert "whispered" not in done.err
    assert "whispered" in folder.passes("show", "-v").err


def test_a_script_runs_with_what_its_block_asks_for(folder: Folder):
    folder.wheel("tool", "1.5")
    folder.write(
        "scripts/show.py",
        """
        # /// script
        # requires-python = ">=3.8"
        # dependencies = ["tool"]
        # ///
        import sys, tool
        print(tool.version, sys.argv[1:])
        """,
    )
    folder.envfile(
        """
        @runner.session
        def show(session):
            session.install_and_run_script("scripts/show.py", "a")
        """
    )

    assert folder.passes().out == "1.5 ['a']\n"
    assert "reused" in folder.passes().err


def test_a_failed_command_can_be_caught(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def show(session):
            try:
                session.run("python", "-c", "raise SystemExit(5)")
            except runner.CommandFailed as error:
                print(error.returncode)
        """
    )

    assert folder.passes().out == "5\n"


def test_an_error_that_nobody_reads_still_has_its_exit_code(folder: Folder):
    folder.envfile("")
    reading, writing = os.pipe()
    os.close(reading)

    done = folder.run("--list", "nosuch", stderr=writing)

    os.close(writing)
    assert done.code == 2


def test_python_dash_m_has_no_modules_of_the_working_folder(folder: Folder):
    folder.write("helpers.py", "where = 'the working folder'")
    folder.write("sub/helpers.py", "where = 'beside the envfile'")
    folder.write(
        "sub/envfile.py",
        "import helpers, runner\n"
        "@runner.session(python=False)\n"
        "def s(session): print(helpers.where)\n",
    )

    assert folder.passes("-C", "sub").out == "beside the envfile\n"


@pytest.mark.skipif(sys.platform == "win32", reason="fork")
@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_what_a_session_forks_ends_by_a_signal_as_any_program(folder: Folder, way: str):
    folder = in_a_way(way, folder)
    folder.envfile(
        """
        import multiprocessing, time

        def go_on(up):
            up.set()
            while True:
                time.sleep(0.1)  # a signal just before it would not end a long one

        @runner.session(python=False)
        def s(session):
            fork = multiprocessing.get_context("fork")
            up = fork.Event()
            one = fork.Process(target=go_on, args=(up,))
            one.start()
            up.wait()
            one.terminate()
            one.join()
            print("ended by", -one.exitcode)
        """
    )

    done = folder.passes("s", "-q")

    assert (done.out, done.err) == ("ended by 15\n", "")


FAILING = """
    @runner.session(python=False)
    def one(session, *, part: str = "x"):
        session.error("on purpose")

    @runner.session(python=False)
    def two(session): ...

    @runner.session(python=False, timeout=0.01)
    def three(session):
        session.run("sleep", "100", external=True)
    """


@POSIX
def test_what_runs_the_failed_jobs_again_is_the_last_that_is_told(folder: Folder):
    folder.envfile(FAILING)

    done = folder.run("one", "--part", "a b", "two", "three", "--", "-x")

    assert done.err.splitlines()[-1] == (
        "run what failed again: runenv one '--part=a b' three -- -x"
    )


@POSIX
def test_of_one_job_the_command_that_was_typed_runs_it_again(folder: Folder):
    folder.envfile(FAILING)

    assert "again" not in folder.run("one").err
