"""noxfiles run as they are."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from runner.envs.uv import find_uv
from tests.conftest import Done, Folder
from tests.features.test_environments import BUILD_BACKEND, PRINT_INSTALLED

pytestmark = pytest.mark.measured

NOTICE = "noxfile.py is run, as nox would"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def nox(folder: Folder):
    """Writes a noxfile and runs it."""

    def run(text: str, *arguments: str, env: dict[str, str] | None = None) -> Done:
        folder.write("noxfile.py", f"import nox\n{textwrap.dedent(text)}")
        return folder.run(*arguments, env=env)

    return run


def names(done: Done) -> list[str]:
    """The names of a listing."""
    assert done.code == 0, done.err
    return [job["name"] for job in json.loads(done.out)["jobs"]]


LISTED = ("--list", "--json")


# Which file. ---------------------------------------------------------------------------


def test_a_folder_with_a_noxfile_alone_runs_it_and_says_so_once(nox, folder: Folder):
    done = nox("@nox.session(python=False)\ndef lint(session): print('linted')\n")

    assert done.out == "linted\n"
    assert done.err.count(NOTICE) == 1


def test_under_j_it_is_said_once(nox):
    sessions = (
        "@nox.session(python=False)\ndef a(s): ...\n@nox.session(python=False)\ndef b(s): ...\n"
    )

    for kind in ("fork", "spawn"):
        done = nox(sessions, "-j2", env={"RUNENV_WORKER": kind})
        assert (done.code, done.err.count(NOTICE)) == (0, 1)


def test_an_envfile_beside_it_is_taken(nox, folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef mine(session): ...\n")

    done = nox("@nox.session\ndef theirs(session): ...\n", *LISTED)

    assert (names(done), done.err) == (["mine"], "")


def test_a_noxfile_that_is_named_is_run_without_a_word(nox):
    done = nox("@nox.session(python=False)\ndef a(s): ...\n", "-f", "noxfile.py", *LISTED)

    assert (names(done), done.err) == (["a"], "")


def test_a_noxfile_of_another_name_is_known_by_what_it_imports(folder: Folder):
    folder.write("ci/tasks.py", "from nox import session\n\n@session\ndef a(s): ...\n")

    assert names(folder.run("-f", "ci/tasks.py", *LISTED)) == ["a"]


# import nox. --------------------------------------------------------------------------


def test_every_module_that_noxfiles_import_is_there(nox):
    done = nox(
        """
        import nox.command, nox.logger, nox.project, nox.registry, nox.sessions, nox.virtualenv
        from nox import Session, options, param, parametrize, session
        from nox.logger import logger
        from nox.sessions import Session as Same
        from nox.virtualenv import CondaEnv, PassthroughEnv, ProcessEnv, VirtualEnv

        assert Same is Session

        @session(python=False)
        def a(session: Session) -> None:
            assert isinstance(session, Session) and isinstance(session.virtualenv, PassthroughEnv)
            logger.warning("from %s", "the logger")
            logger.success("done")
            assert "a" in nox.registry.get()
        """
    )

    assert done.code == 0
    assert "from the logger\ndone\n" in done.err


def test_a_process_can_be_run_beside_the_session_by_nox_s_popen(nox):
    done = session(
        nox,
        """
        from nox.popen import popen
        assert nox.command.popen is popen
        print(popen([sys.executable, "-c", "print('kept'); exit(3)"], silent=True))
        print(popen([sys.executable, "-c", "print('shown')"], env={}))
        popen([sys.executable], silent=True, stdout=1)
        """,
    )

    assert (done.code, done.out) == (1, "(3, 'kept\\n')\nshown\n(0, '')\n")
    assert "silent=True keeps what stdout= would be given" in done.err


def test_another_nox_that_is_imported_already_is_left_alone(nox, folder: Folder):
    folder.write("lib/nox/__init__.py", "theirs = True\n")
    folder.write("lib/nox/sub.py", "")
    folder.write(
        "lib/sitecustomize.py", "import nox, nox.sub, atexit, sys\nkept = sys.modules['nox']\n"
    )
    text = """
        import sys

        @nox.session(python=False)
        def a(session):
            import nox as late
            import nox.command
            assert late is nox and nox.session and "nox.sub" not in sys.modules

        def look():
            import nox as after
            print(after.theirs, "nox.sub" in sys.modules, "nox.command" in sys.modules)

        import atexit
        atexit.register(look)
        """

    done = nox(
        text,
        env={
            "PYTHONPATH": f"{folder.root / 'lib'}:{folder.environ['PYTHONPATH']}",
        },
    )

    assert (done.code, done.out) == (0, "True True False\n")


def test_modules_beside_it_and_on_its_own_path_are_found(nox, folder: Folder):
    folder.write("beside.py", "import nox\n\n@nox.session(python=False)\ndef of_beside(s): ...\n")
    folder.write("tools/deep.py", "value = 'deep'\n")
    done = nox(
        """
        import sys
        import beside
        sys.path.insert(0, "tools")

        @nox.session(python=False)
        def a(session):
            from deep import value
            print(value)
        """,
        "a",
        "of_beside",
    )

    assert (done.code, done.out) == (0, "deep\n")


def test_main_is_not_called_and_what_is_printed_is_not_in_a_listing(nox):
    done = nox(
        """
        print("loading")

        @nox.session(python=False)
        def a(s): ...

        if __name__ == "__main__":
            nox.main()
        """,
        *LISTED,
    )

    assert names(done) == ["a"]
    assert "loading" in done.err


# Declarations and names. -----------------------------------------------------------------


def test_sessions_are_declared_in_every_way(nox):
    done = nox(
        """
        import functools

        @nox.session
        def bare(session): ...

        @nox.session()
        def empty(session): ...

        @nox.session(py="3.12", name="with blank", tags=["t"], default=False, venv_params=["-q"],
                     reuse_venv=True, download_python="auto", venv_backend="virtualenv")
        def many(session): ...

        def plain(session): ...
        nox.session(plain, name="called", python=False)

        mine = functools.partial(nox.session, python=False)

        def wrapper(**options):
            return nox.session(reuse_venv=True, **options)

        @mine(name="of-partial")
        def a(session): ...

        @wrapper()
        def of_wrapper(session):
            bare(session)

        @nox.session(name="again")
        @nox.session
        def twice(session): ...
        """,
        *LISTED,
    )

    assert names(done) == [
        "bare",
        "empty",
        "with blank",
        "called",
        "of-partial",
        "of_wrapper",
        "twice",
        "again",
    ]


PARAMETRIZED = """
    @nox.session(python=["3.12", "3.11", "3.12"], tags=["t"])
    @nox.parametrize("django,db", [("4.2", "pg"), nox.param("5.0", "my", id="new", tags=["n"])])
    @nox.parametrize("fast", [True, False], ids=["fast", None])
    def tests(session, django, db, fast):
        print(django, db, fast)

    @nox.parametrize("python", ["3.11"])
    @nox.session
    def above(session): ...

    @nox.session(python=["3.12"])
    @nox.parametrize("x", [])
    def nothing(session, x): ...
    """


def test_parameters_stand_in_names_as_in_nox(nox):
    assert names(nox(PARAMETRIZED, *LISTED))[:5] == [
        "tests-3.12(fast, django='4.2', db='pg')",
        "tests-3.12(fast=False, django='4.2', db='pg')",
        "tests-3.12(fast, new)",
        "tests-3.12(fast=False, new)",
        "tests-3.11(fast, django='4.2', db='pg')",
    ]


def test_none_among_pythons_is_the_one_that_runs_us_and_has_no_name(nox):
    noxfile = """
        @nox.session(python=[None, "3.12"])
        def tests(session): ...
        """
    assert names(nox(noxfile, *LISTED)) == ["tests", "tests-3.12"]


def test_of_pythons_of_which_one_is_a_number_that_alone_is_told(nox):
    done = nox("@nox.session(python=[None, 3.12])\ndef tests(session): ...", "--list")

    assert done.code == 2
    assert "error: python holds 3.12, which is not a string" in done.err
    assert "holds None" not in done.err


def test_a_parameter_named_python_chooses_it(nox):
    jobs = json.loads(nox(PARAMETRIZED, *LISTED, "above").out)["jobs"]

    assert [(j["name"], j["python"], j["parameters"]) for j in jobs] == [
        ("above(python='3.11')", "3.11", {})
    ]


@pytest.mark.parametrize(
    "name",
    [
        "tests-3.12(fast=False, django='4.2', db='pg')",
        'tests-3.12( fast=False,django="4.2",db="pg" )',
        "tests-3.12-fastFalse-django4.2-pg",
    ],
)
def test_a_name_is_accepted_in_both_spellings(nox, name: str):
    assert names(nox(PARAMETRIZED, *LISTED, name)) == [
        "tests-3.12(fast=False, django='4.2', db='pg')"
    ]


def test_a_name_with_a_python_means_all_parameters(nox):
    assert len(names(nox(PARAMETRIZED, *LISTED, "tests-3.11"))) == 4


def test_a_session_without_parameters_skips_itself(nox):
    done = nox(PARAMETRIZED, "nothing")

    assert "its parametrize has no values" in done.err


def test_two_jobs_of_one_name_are_two(nox):
    done = nox(
        """
        @nox.session(python=False)
        @nox.parametrize("x", [1, 2], ids=["same", "same"])
        def a(session, x): print(x)
        """,
        "a(same)",
    )

    assert (done.code, done.out) == (0, "1\n2\n")


def test_the_last_session_of_a_name_is_taken_and_a_line_says_so(nox):
    done = nox(
        "@nox.session(python=False)\ndef a(s): print(1)\n"
        "@nox.session(python=False, name='a')\ndef b(s): print(2)\n"
    )

    assert done.out == "2\n"
    assert (
        "warning: noxfile.py:4: a second session is named 'a'; the first, noxfile.py:2," in done.err
    )


# Options. -----------------------------------------------------------------------------------

THREE = """
    @nox.session(python=False, tags=["x"])
    def a(session): print("a")

    @nox.session(python=False, default=False)
    def b(session): print("b", *session.posargs)

    @nox.session(python=False, tags=["x", "y"])
    def c(session): print("c")
    """


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ("", "a\nc\n"),
        ("nox.options.sessions = ['b', 'a']", "b\na\n"),
        ("nox.options.sessions.append('b')", "b\n"),
        ("nox.options.tags = ['y']", "c\n"),
        ("nox.options.keywords = 'not a and not b'", "c\n"),
    ],
)
def test_the_options_say_what_runs(nox, options: str, ran: str):
    assert nox(options + "\n" + textwrap.dedent(THREE)).out == ran


def test_what_is_named_wins_over_the_options(nox):
    assert nox("nox.options.tags = ['y']\n" + textwrap.dedent(THREE), "b", "--", "p").out == "b p\n"


def test_every_option_is_there(nox):
    done = nox(
        """
        for name in dir(nox.options):
            setattr(nox.options, name, getattr(nox.options, name))
        nox.options.envdir = ".envs"
        nox.options.default_venv_backend = "none"
        nox.options.stop_on_first_error = True
        nox.options.reuse_existing_virtualenvs = True
        nox.options.error_on_missing_interpreters = True

        @nox.session
        def a(session): session.error("no")

        @nox.session
        def b(session): ...
        """
    )

    assert done.code == 1
    assert "(--fail-fast)" in done.err


def test_an_option_that_there_is_not_is_told_with_the_near_name(nox):
    done = nox("nox.options.sesions = ['a']\n")

    assert done.code == 2
    assert "nox.options has no 'sesions'; did you mean 'sessions'?" in done.err
    assert "--> noxfile.py:2" in done.err


@pytest.mark.parametrize(
    ("variables", "ran"),
    [
        ({"NOXSESSION": "b,c"}, "b\nc\n"),
        ({"NOX_DEFAULT_VENV_BACKEND": "none", "NOXSESSION": "c"}, "c\n"),
    ],
)
def test_variables_of_nox_count_for_noxfiles(nox, variables: dict[str, str], ran: str):
    assert nox(THREE, env=variables).out == ran


def test_a_variable_with_parameters_is_not_parted_in_them(nox):
    text = """
        @nox.session(python=False)
        @nox.parametrize("x,y", [(1, 2)])
        def p(session, x, y): print(x + y)
        """

    assert nox(text, env={"NOXSESSION": "p(x=1,y=2)"}).out == "3\n"


def test_pythons_can_be_added_and_forced(nox):
    text = """
        @nox.session(python=["3.12"])
        def several(s): ...

        @nox.session(python="3.12")
        def one(s): ...

        @nox.session
        def none(s): ...
        """

    assert names(nox(text, *LISTED, env={"NOXEXTRAPYTHON": "3.11"})) == [
        "several-3.12",
        "several-3.11",
        "one-3.12",
        "one-3.11",
        "none",
    ]
    assert names(nox(text, *LISTED, env={"NOXFORCEPYTHON": "3.11"})) == [
        "several-3.11",
        "one-3.11",
        "none-3.11",
    ]


def test_variables_of_nox_do_not_count_for_envfiles(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef a(s): print('a')\n")

    assert folder.passes(env={"NOXSESSION": "zzz"}).out == "a\n"


@pytest.mark.parametrize(("ci", "code"), [(None, 0), ("true", 1)])
def test_a_python_that_is_missing_is_skipped_but_in_ci(nox, ci: str | None, code: int):
    text = """
        @nox.session(python=["9.9"])
        def old(s): ...

        @nox.session(python=False)
        def fine(s): ...
        """

    done = nox(text, env={"CI": ci} if ci else {})

    assert done.code == code


# Requires. -----------------------------------------------------------------------------------


def test_what_is_required_runs_before_with_its_python_filled_in(nox):
    text = f"""
        @nox.session(python=["{HERE}"], venv_backend="venv", requires=["b-{{python}}", "c"])
        def a(session): print("a")

        @nox.session(python=["{HERE}"], venv_backend="venv")
        def b(session): print("b")

        @nox.session(python=False)
        def c(session): print("c")
        """

    assert nox(text, "a").out == "b\nc\na\n"


WRONG = """
    @nox.session(python=False, requires=["bb"])
    def a(session): ...

    @nox.session(python=False)
    def b(session): print("b")

    @nox.session(python=False, requires=["d"])
    def c(session): ...

    @nox.session(python=False, requires=["c", "b"])
    def d(session): ...
    """


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a", "session 'a' requires 'bb', which no session is named\n  --> noxfile.py:3"),
        ("c", "these require each other: c -> d -> c\n  --> noxfile.py:9"),
    ],
)
def test_what_cannot_be_required_fails_what_requires_it_alone(nox, name: str, told: str):
    assert nox(WRONG, "b").out == "b\n"
    done = nox(WRONG, name)

    assert done.code == 1
    assert told in done.err


# The session. -----------------------------------------------------------------------------------


def session(nox, body: str, *arguments: str, decorator: str = "@nox.session(python=False)") -> Done:
    """A run of a session with that body."""
    lines = textwrap.dedent(body).strip().splitlines()
    return nox(
        "import os, subprocess, sys\n"
        f"{decorator}\ndef tests(session):\n" + "".join(f"    {line}\n" for line in lines),
        *arguments,
    )


def test_a_command_returns_as_in_nox(nox):
    done = session(
        nox,
        """
        say = ("python", "-c", "import sys; print('out', flush=True); print('err', file=sys.stderr)")
        assert session.run(*say) is True
        assert session.run(*say, silent=True) == "out\\nerr\\n"
        assert session.run(*say, silent=True, stderr=subprocess.DEVNULL) == "out\\n"
        assert session.run("python", "-c", "exit(3)", success_codes=[0, 3]) is True
        with open("kept", "w") as stream:
            session.run(*say, stdout=stream)
        assert open("kept").read() == "out\\nerr\\n"
        assert session.run(max, 1, 2) == 2
        """,
    )

    assert done.code == 0, done.err


def test_a_command_that_fails_can_be_caught_by_nox_s_exception(nox):
    done = session(
        nox,
        """
        try:
            session.run("python", "-c", "exit(3)")
        except nox.command.CommandFailed as error:
            print("code", error.return_code)
        raise nox.command.CommandFailed("mine")
        """,
    )

    assert (done.code, done.out) == (1, "code 3\n")
    assert "error: mine\n  --> noxfile.py:9" in done.err


def test_variables_are_merged_and_none_takes_one_away(nox):
    show = (
        '\'import os; print([os.environ.get(n) for n in ("A", "B", "C", "NOX_CURRENT_SESSION")])\''
    )
    done = session(
        nox,
        f"""
        session.env["A"] = "session"
        session.env.update(B="session")
        session.run("python", "-c", {show}, env={{"B": "run", "HOME": None, "C": "c"}})
        """,
    )

    assert done.out == "['session', 'run', 'c', 'tests']\n"


def test_the_working_folder_is_left_again(nox, folder: Folder):
    (folder.root / "deep").mkdir()
    done = session(
        nox,
        """
        with session.chdir("deep"):
            print(os.path.basename(os.getcwd()))
        session.cd("deep")
        print(os.path.basename(os.getcwd()), os.path.basename(session.invoked_from))
        """,
    )

    assert done.out == "deep\ndeep project\n"


def test_posargs_can_be_changed_and_handed_on(nox):
    done = nox(
        """
        @nox.session(python=False)
        def tests(session):
            session.posargs.remove("-v")
            session.posargs.append("more")
            print(*session.posargs)
            session.notify("report(draft=False)", posargs=["x"])
            session.notify(other)

        @nox.session(python=False, default=False)
        @nox.parametrize("draft", [True, False])
        def report(session, draft):
            print("report", draft, *session.posargs)

        @nox.session(python=False, default=False, name="by another name")
        def other(session):
            print("other", *session.posargs)
        """,
        "tests",
        "--",
        "-v",
        "p",
    )

    assert done.out == "p more\nreport False x\nother -v p\n"


def test_what_it_tells_is_formatted_as_by_a_logger(nox):
    done = session(
        nox,
        """
        session.log("a %s and %d", "b", 3)
        session.warn("100%")
        session.debug("hidden")
        session.skip("no", "reason")
        """,
    )

    assert "a b and 3\n" in done.err
    assert "100%" in done.err
    assert "hidden" not in done.err
    assert "no reason" in done.err


def test_an_error_fails_it(nox):
    assert session(nox, 'session.error("not", "today")').code == 1


def test_what_public_noxfiles_reach_into_is_there(nox):
    done = session(
        nox,
        """
        runner = session._runner
        assert runner.friendly_name == runner.name == session.name == "tests"
        assert runner.func.python == session.python == False
        config = runner.global_config
        assert (config.no_install, config.install_only, config.non_interactive) == (False, False, True)
        assert config.posargs == [] and config.reuse_existing_virtualenvs is None
        assert [(s.friendly_name, chosen) for s, chosen in runner.manifest.list_all_sessions()] == [("tests", True)]
        assert "tests" in runner.manifest
        assert session.venv_backend == session.virtualenv.venv_backend == "none"
        assert session.bin_paths is None and not runner.venv._reused
        assert session.cache_dir.is_dir()
        assert nox.Session(runner).name == "tests"
        print("all")
        """,
    )

    assert (done.code, done.out) == (0, "all\n"), done.err


def test_no_command_is_run_with_install_only(nox):
    done = session(
        nox,
        """
        assert session.run("python", "-c", "print('run')") is None
        session.run_install("python", "-c", "print('install')")
        session.run_always("python", "-c", "print('always')")
        """,
        "--install-only",
    )

    assert done.out == "install\nalways\n"


def test_a_function_that_is_run_and_raises_fails_the_session(nox):
    done = session(nox, "session.run(lambda: 1 / 0)")

    assert done.code == 1
    assert "<lambda> raised ZeroDivisionError: division by zero" in done.err


# Environments. --------------------------------------------------------------------------------


def test_an_environment_is_reused_where_nox_would_make_it_anew(nox, folder: Folder):
    folder.wheel("one")
    body = f"session.install('one')\n{PRINT_INSTALLED}"

    first = session(nox, body, decorator="@nox.session")
    second = session(nox, body, decorator="@nox.session")

    assert first.out.split() == second.out.split() == ["one1.0"]
    assert "created" in first.err
    assert "reused" in second.err
    assert "install one" not in second.err


def test_it_is_made_anew_where_it_would_not_be_the_same(nox, folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    session(nox, f"session.install('one')\n{PRINT_INSTALLED}", decorator="@nox.session")

    done = session(
        nox, f"session.install('two')\n{PRINT_INSTALLED}", decorator="@nox.session(reuse_venv=True)"
    )

    assert done.out.split() == ["two1.0"]


def test_an_install_that_only_some_runs_make_fails_no_run(nox, folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    body = f"""
        session.install("one")
        session.run("python", "-V", silent=True)
        if session.posargs:
            session.install("two")
        {PRINT_INSTALLED}
        """

    with_two = session(nox, body, "--", "x", decorator="@nox.session")
    without = session(nox, body, decorator="@nox.session")

    assert with_two.out.split() == ["one1.0", "two1.0"]
    assert (without.code, without.out.split()) == (0, ["one1.0"]), without.err


def test_a_failed_install_can_be_caught(nox):
    done = session(
        nox,
        """
        try:
            session.install("there-is-no-such-package")
        except nox.command.CommandFailed:
            print("caught")
        """,
        decorator="@nox.session",
    )

    assert (done.code, done.out) == (0, "caught\n"), done.err


def test_a_program_from_outside_is_run_with_a_line_that_says_so(nox):
    git = "session.run('git', '--version', silent=True)"

    done = session(nox, git, decorator="@nox.session")
    strict = session(nox, git, decorator="nox.options.error_on_external_run = True\n@nox.session")
    meant = session(nox, git.replace("True", "True, external=True"), decorator="@nox.session")

    assert (done.code, strict.code, meant.code) == (0, 1, 0)
    assert "git is no program of the environment" in done.err
    assert "git is no program" not in meant.err


def test_a_temporary_folder_is_empty_at_first(nox):
    body = """
        tmp = session.create_tmp()
        print(os.listdir(tmp), session.env["TMPDIR"] == tmp)
        open(os.path.join(session.create_tmp(), "file"), "w").close()
        assert os.listdir(session.create_tmp()) == ["file"]
        """

    first = session(nox, body, decorator="@nox.session")
    second = session(nox, body, decorator="@nox.session")
    kept = session(nox, body, decorator="@nox.session(reuse_venv=True)")

    assert (first.out, second.out) == ("[] True\n", "[] True\n")
    assert kept.out == "['file'] True\n"


def test_signs_in_a_name_are_not_in_its_folder(nox, folder: Folder):
    folder.wheel("tool", scripts={"tool": "tool:main"}, files={"tool.py": "def main(): print(1)"})
    text = """
        @nox.session(name="a b")
        @nox.parametrize("x", ["c/d", '"'])
        def a(session, x):
            session.install("tool")
            session.run("tool")
        """

    assert nox(text).out == "1\n1\n"
    made = [path.parent.name[:-8] for path in (folder.root / ".nox/.runenv").glob("*/runenv.json")]
    assert sorted(made) == ["a_b_x_____-", "a_b_x__c_d__-"]


@pytest.mark.parametrize(
    ("option", "place"),
    [("", ".nox/.runenv/tests"), ("nox.options.envdir = 'build'\n", "build/.runenv/tests")],
)
def test_environments_are_in_nox_s_folder(nox, folder: Folder, option: str, place: str):
    assert session(nox, "pass", decorator=option + "@nox.session").code == 0
    assert (folder.root / place / "runenv.json").is_file()
    assert not (folder.root / ".runenv").exists()


def test_the_table_says_where_environments_are(nox, folder: Folder):
    folder.write("pyproject.toml", "[tool.runenv]\nenvdir = 'mine'\n")

    assert session(nox, "pass", decorator="@nox.session").code == 0
    assert (folder.root / "mine/tests/runenv.json").is_file()


def test_backends_have_nox_s_names(nox):
    show = "print(session.venv_backend, session.virtualenv.location == str(session.env_dir))"

    for decorator, shown in [
        ("@nox.session", "virtualenv"),
        ("@nox.session(venv_backend='uv|virtualenv')", "uv"),
        ("@nox.session(venv_backend='venv')", "venv"),
    ]:
        assert session(nox, show, decorator=decorator).out == f"{shown} True\n"


# nox.project, needs_version, scripts. ---------------------------------------------------------


def test_pyproject_is_read_with_nox_s_functions(nox, folder: Folder):
    folder.write(
        "pyproject.toml",
        """
        [project]
        name = "mine"
        requires-python = ">=3.10"
        classifiers = [
            "Programming Language :: Python :: 3.12",
            "Programming Language :: Python :: 3.9",
            "Programming Language :: Python :: 3.14",
            "Programming Language :: Python :: Free Threading",
        ]
        [dependency-groups]
        test = ["pytest", {include-group = "more"}]
        more = ["more"]
        """,
    )
    done = nox(
        """
        P = nox.project.load_toml("pyproject.toml")
        assert nox.project.python_versions(P) == ["3.9", "3.12", "3.14", "3.14t"]
        assert nox.project.python_versions(P, max_version="3.12") == ["3.10", "3.11", "3.12"]
        assert nox.project.dependency_groups(P, "test") == ("pytest", "more")
        try:
            nox.project.load_toml("none.toml")
        except FileNotFoundError:
            pass

        @nox.session(python=False)
        def a(s): ...
        """,
        *LISTED,
    )

    assert names(done) == ["a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (">=2024.1.1", ""),
        (">=2099.1", "this noxfile needs nox >=2099.1, and this runenv does as nox 2026.10.20"),
        ("2024.1.1", "needs_version: '2024.1.1' is no version specifier"),
    ],
)
def test_the_version_that_it_needs_is_nox_s(nox, text: str, told: str):
    done = nox(f"nox.needs_version = {text!r}\n@nox.session\ndef a(s): ...\n", *LISTED)

    assert (done.code, told in done.err) == (2 if told else 0, True)


def test_what_its_script_block_names_is_installed_but_for_nox(folder: Folder):
    folder.wheel("one")
    folder.write(
        "noxfile.py",
        """
        # /// script
        # dependencies = ["nox>=2024", "one"]
        # ///
        import nox
        import one

        @nox.session(python=False)
        def a(session):
            print(one.version)
        """.replace("\n        ", "\n").lstrip(),
    )

    assert folder.passes().out == "1.0\n"


# nox_uv and nox_poetry. -----------------------------------------------------------------------

PYPROJECT = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]

    [project]
    name = "mine"
    version = "1.0"
    requires-python = ">=3.10"
    dependencies = ["one"]

    [dependency-groups]
    test = ["two"]
    """


def test_groups_of_nox_uv_are_installed_from_uv_lock(folder: Folder):
    for name in ("one", "two", "three"):
        folder.wheel(name)
    folder.write("backend.py", BUILD_BACKEND)
    folder.write("src/mine.py", "value = 1\n")
    folder.write("pyproject.toml", PYPROJECT)
    lock = [find_uv(), "lock"]
    subprocess.run(lock, cwd=folder.root, env=folder.environ, check=True, capture_output=True)
    folder.write(
        "noxfile.py",
        f"""
        from nox import Session, options
        from nox_uv import session

        options.default_venv_backend = "uv"

        @session(python=["{HERE}"], uv_groups=["test"])
        def tests(session: Session) -> None:
            {PRINT_INSTALLED}

        @session(python=["{HERE}"], uv_only_groups=["test"])
        def alone(session: Session) -> None:
            {PRINT_INSTALLED}
        """,
    )

    assert folder.passes("tests").out.split() == ["mine1.0", "one1.0", "two1.0"]
    assert folder.passes("alone").out.split() == ["two1.0"]


def test_nox_poetry_installs_the_versions_of_its_lock(folder: Folder):
    folder.wheel("one", "1.0")
    folder.wheel("one", "2.0")
    folder.write("poetry.lock", '[[package]]\nname = "one"\nversion = "1.0"\n')
    folder.write(
        "noxfile.py",
        f"""
        from nox_poetry import Session, session

        @session
        def tests(session: Session) -> None:
            session.install("one")
            {PRINT_INSTALLED}
        """,
    )

    assert folder.passes().out.split() == ["one1.0"]
