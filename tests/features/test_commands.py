"""What one can ask without running anything, and streams that cannot be written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import runner
from tests.conftest import ROOT, Folder
from tests.features.test_environments import library

OWN = ".".join(map(str, sys.version_info[:2]))

ENVFILE = """
runner.options.default = ["lint", "tests-3.13"]

@runner.session(deps=["ruff"], tags=["style"])
def lint(session):
    \"\"\"Check the style.

    And nothing else.
    \"\"\"

@runner.session(python=["3.12", "3.13"], requires=["lint"], env={"A": "1", "B": None})
@runner.parametrize("api", [runner.param("a<2", id="old"), runner.param(2.5, id="new", tags=["fast"])])
def tests(session, api):
    pass

@runner.session(python=False, groups=["docs"])
def docs(session):
    print("docs ran")
"""


def documented(folder: Folder) -> Folder:
    """A project whose envfile has a docstring."""
    folder.write("envfile.py", f'"""The project."""\nimport runner\n{ENVFILE}')
    return folder


# --list. ----------------------------------------------------------------------------------


def test_list_shows_families_with_their_jobs_and_what_runs_by_default(folder: Folder):
    done = documented(folder).passes("--list")

    assert (
        done.out
        == f"""\
The project.
Sessions in {folder.root}/envfile.py:

* lint   Check the style.  [style]
* tests  [fast]
    tests-3.12-old
    tests-3.12-new
    * tests-3.13-old
    * tests-3.13-new
  docs

* run by a plain `runenv`
"""
    )
    assert done.err == ""


def test_list_shows_only_what_was_asked_for(folder: Folder):
    done = documented(folder).passes("--list", "tests-new", "docs")

    assert (
        done.out
        == f"""\
The project.
3 of 6 jobs in {folder.root}/envfile.py

* tests  [fast]
    tests-3.12-new
    * tests-3.13-new
  docs

* run by a plain `runenv`
"""
    )


@pytest.mark.parametrize("options", ["runner.options.default = []", ""])
def test_without_a_default_nothing_is_marked(folder: Folder, options: str):
    folder.envfile(
        f"{options}\n@runner.session(python=False, default=False)\ndef a(session):\n    pass\n"
    )

    assert folder.passes("--list").out == f"Sessions in {folder.root}/envfile.py:\n\n  a\n"


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.measured
def test_a_default_that_names_nothing_is_told_behind_the_listing(
    folder: Folder, options: list[str]
):
    folder.envfile(
        "runner.options.default = ['tets']\n@runner.session(python=False)\ndef tests(session): ...\n"
    )

    done = folder.run("--list", *options)

    assert (done.code, "tests" in done.out) == (2, True)
    assert done.err == (
        "error: no session or job is named 'tets'\n"
        "  --> runner.options.default of the envfile\n"
        "  did you mean 'tests'?\n"
        "  there are tests\n"
    )


def test_list_in_colour(folder: Folder):
    folder.envfile("@runner.session(tags=['t'])\ndef a(session):\n    'Told.'\n")

    assert folder.passes("--list", "--color", "always").out.splitlines()[2] == (
        "\x1b[32m*\x1b[0m \x1b[1ma\x1b[0m  Told.  \x1b[2m[t]\x1b[0m"
    )


GROUPS = """
    @runner.session(group="release", default=False)
    def build(session): "Build it."

    @runner.session(group="docs")
    def docs(session): ...

    @runner.session
    def lint(session): ...

    @runner.session(group="release", default=False, python=["3.12", "3.13"])
    def upload(session): ...
    """


@pytest.mark.measured
def test_list_has_groups_together_behind_what_is_in_none(folder: Folder):
    folder.envfile(GROUPS)

    done = folder.passes("--list")

    assert done.out == (
        f"Sessions in {folder.root}/envfile.py:\n\n"
        "* lint\n"
        "\n"
        "release:\n"
        "  build   Build it.\n"
        "  upload\n"
        "    upload-3.12\n"
        "    upload-3.13\n"
        "\n"
        "docs:\n"
        "* docs\n"
        "\n"
        "* run by a plain `runenv`\n"
    )


def test_list_as_json_has_the_group_of_each_job_in_the_order_of_the_envfile(folder: Folder):
    folder.envfile(GROUPS)

    jobs = json.loads(folder.passes("--list", "--json").out)["jobs"]

    assert [(job["name"], job["group"]) for job in jobs] == [
        ("build", "release"),
        ("docs", "docs"),
        ("lint", None),
        ("upload-3.12", "release"),
        ("upload-3.13", "release"),
    ]


def test_usage_tells_the_group(folder: Folder):
    folder.envfile(GROUPS)

    assert "\n  group  release\n" in folder.passes("--usage", "build").out


def test_list_as_json(folder: Folder):
    listing = json.loads(documented(folder).passes("--list", "--json").out)

    assert {key: listing[key] for key in ("version", "envfile", "description")} == {
        "version": 1,
        "envfile": f"{folder.root}/envfile.py",
        "description": "The project.",
    }
    assert [job["name"] for job in listing["jobs"]] == [
        "lint",
        "tests-3.12-old",
        "tests-3.12-new",
        "tests-3.13-old",
        "tests-3.13-new",
        "docs",
    ]
    assert listing["jobs"][4] == {
        "name": "tests-3.13-new",
        "session": "tests",
        "nox_name": "tests-3.13(new)",
        "description": "",
        "python": "3.13",
        "environment": "tests-3.13-new",
        "parameters": {"api": 2.5},
        "options": [],
        "prefix": None,
        "root": str(folder.root),
        "group": None,
        "tags": ["fast"],
        "requires": ["lint"],
        "after": [],
        "default": True,
        "where": "envfile.py:13",
    }


def test_json_has_what_it_can_hold_and_else_what_python_shows(folder: Folder):
    folder.envfile(
        """
        @runner.session
        @runner.parametrize("a, b, c, d", [(None, True, float("nan"), (1, 2))])
        def odd(session, a, b, c, d):
            "Zäh."
        """
    )

    listing = folder.passes("--list", "--json").out

    assert json.loads(listing)["jobs"][0]["parameters"] == {
        "a": None,
        "b": True,
        "c": "nan",
        "d": "(1, 2)",
    }
    assert listing.isascii()


# --usage, --version. -----------------------------------------------------------------------


def test_usage_tells_all_that_was_declared(folder: Folder):
    done = documented(folder).passes("--usage", "tests-3.13")

    assert (
        done.out
        == """\
tests  (envfile.py:13)

  jobs      tests-3.13-old, tests-3.13-new
  python    3.12, 3.13
  env       A=1, B (taken away)
  tags      fast
  requires  lint
"""
    )


@pytest.mark.measured
def test_usage_has_the_whole_docstring(folder: Folder):
    done = documented(folder).passes("--usage", "lint")

    assert (
        done.out
        == """\
lint  (envfile.py:6)

  Check the style.

  And nothing else.

  deps  ruff
  tags  style
"""
    )


def test_usage_tells_what_has_the_sessions_own_name(folder: Folder):
    folder.envfile("@runner.session(deps=['mypy'])\ndef mypy(session):\n    pass\n")

    assert folder.passes("--usage", "mypy").out == "mypy  (envfile.py:3)\n\n  deps  mypy\n"


def test_usage_of_a_bare_session_is_one_line(folder: Folder):
    folder.envfile("@runner.session\ndef a(session):\n    pass\n")

    assert folder.passes("--usage", "a").out == "a  (envfile.py:3)\n"


def test_usage_of_several_sessions(folder: Folder):
    folder.envfile(
        """
        @runner.session(project="wheel", backend="venv", extras=["x"])
        def a(session):
            pass

        @runner.session
        def b(session):
            pass
        """
    )

    assert (
        folder.passes("--usage", "b", "a").out
        == """\
b  (envfile.py:8)

a  (envfile.py:4)

  extras   x
  project  wheel
  backend  venv
"""
    )


def test_version_is_told(folder: Folder):
    assert folder.passes("--version").out == f"runenv {runner.__version__}\n"


# --explain. ----------------------------------------------------------------------------------


def test_explain_of_each_state(folder: Folder):
    folder.wheel("tool")
    folder.envfile(
        """
        import os

        @runner.session(deps=["tool"])
        def lint(session):
            pass

        @runner.session(requires=["lint"], python=False)
        def docs(session):
            pass

        @runner.session(python="9.9", requires=[docs])
        def missing(session):
            pass

        @runner.session(reuse=False, env={"X": os.environ.get("X", "")})
        def again(session):
            session.run("python", "-V", silent=True)
        """
    )
    folder.passes("again")

    done = folder.run("--explain", "missing", "again")
    first, second, *_ = (json.loads(folder.run("--explain", "--json").out))["jobs"]

    assert done.code == 1
    assert done.out.startswith(
        f"""\
lint
  environment  would be created
  folder       {folder.root}/.runenv/lint
  python       cpython {sys.version.split()[0]} at """
    )
    assert "  backend      uv\n  installs     tool\n\n" in done.out
    assert (
        "\n\ndocs\n  environment  none: its commands run in the caller's\n  after        lint\n\n"
        in done.out
    )
    assert (
        "\nmissing\n  environment  cannot be made: no Python that fits '9.9' was found\n"
        in done.out
    )
    assert "\nagain\n  environment  would be rebuilt from the store: reuse=False\n" in done.out
    assert (first["job"], first["environment"], first["installs"]) == ("lint", "created", ["tool"])
    assert (second["job"], second["after"], second["path"]) == ("docs", ["lint"], "")
    assert not (folder.root / ".runenv/lint").exists()


def test_explain_of_a_reused_and_of_a_kept_environment(folder: Folder):
    declare = "@runner.session(deps={})\ndef lint(session):\n    pass\n"
    folder.wheel("tool")
    folder.envfile(declare.format([]))
    folder.passes()

    reused = folder.passes("--explain").out
    folder.envfile(declare.format(["tool"]))
    kept = folder.passes("--explain", "--no-install").out

    assert reused.splitlines()[1] == (
        "  environment  would be reused: nothing that it was made from has changed"
    )
    assert kept.splitlines()[1] == (
        "  environment  would be kept as it is (--no-install): deps added (+tool)"
    )


@pytest.mark.measured
def test_explain_of_a_wheel_to_be_replaced_names_the_files_that_changed(folder: Folder):
    library(folder)
    folder.write("src/gone.py", "")
    folder.envfile("@runner.session(project='wheel')\ndef lint(session):\n    pass\n")
    created = json.loads(folder.passes("--explain", "--json").out)["jobs"][0]
    folder.passes()

    (folder.root / "src/gone.py").unlink()
    folder.write("src/mine.py", "value = 2\n")
    folder.write("src/new.py", "")
    (job,) = json.loads(folder.passes("--explain", "--json").out)["jobs"]

    assert (created["environment"], created["installs"], created["builds"]) == (
        "created",
        ["."],
        ["."],
    )
    assert (job["environment"], job["installs"], job["builds"]) == ("updated", ["."], ["."])
    assert job["reason"] == "sources of . changed (src/mine.py, +src/new.py, -src/gone.py)"
    assert folder.passes("--explain").out.startswith(
        "lint\n  environment  would get the project's new wheel alone, unless that needs something else:"
        " sources of . changed (src/mine.py, +src/new.py, -src/gone.py)\n"
    )
    out = folder.passes("--explain").out
    assert re.search(
        r"  builds       a wheel of \.\n  builds in    \.runenv/\.builds/\S+: reused\n  installs     \.\n",
        out,
    )


def test_explain_knows_a_wheel_that_was_built_before(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef lint(session):\n    pass\n")
    folder.passes()

    out = folder.passes("--explain", "--fresh").out

    folder.passes("--clean")
    assert "builds       a wheel of ." in out
    assert "builds" not in folder.passes("--explain").out


@pytest.mark.measured
def test_explain_of_what_requires_a_python_that_is_not_here(folder: Folder):
    folder.envfile(
        "@runner.session(python=['>=3.10'])\ndef tests(session): ...\n"
        "@runner.session(python=False, requires=['tests-3.99'])\ndef docs(session): ...\n"
    )

    done = folder.run("--explain", "docs")

    assert done.code == 1
    assert done.out.startswith(
        "docs\n  environment  cannot be made: it requires 'tests-3.99', and no Python 3.99 was found\n"
    )


# --clean. -------------------------------------------------------------------------------------


def test_clean_says_what_it_deleted_and_that_there_is_nothing_more(folder: Folder):
    folder.envfile(
        "@runner.session\ndef a(session):\n    pass\n@runner.session\ndef b(session):\n    pass\n"
    )
    folder.passes()

    assert folder.passes("--clean", "b").out.startswith("deleted b: ")
    assert folder.passes("--clean").out.startswith("deleted a: ")
    assert folder.passes("--clean").out == f"nothing to delete in {folder.root}/.runenv\n"


def test_clean_works_where_the_folder_of_locks_is_gone(folder: Folder):
    folder.envfile("@runner.session\ndef a(session):\n    pass\n")
    folder.passes()
    for lock in (folder.root / ".runenv/.locks").iterdir():
        lock.unlink()
    (folder.root / ".runenv/.locks").rmdir()

    assert folder.passes("--clean").out.startswith("deleted a: ")


# Where there is no envfile. ------------------------------------------------------------------


def test_without_an_envfile_a_first_one_is_shown(folder: Folder):
    done = folder.run()

    assert (done.code, done.out) == (2, "")
    assert (
        done.err
        == f"""\
error: no envfile.py in {folder.root} or in a folder above it
  `runenv --init` writes one for what is here; the smallest, to be saved as envfile.py:

      import runner

      @runner.session(deps=["pytest"])
      def tests(session: runner.Session) -> None:
          session.run("pytest", *session.posargs)
"""
    )


def test_the_envfile_is_found_from_a_folder_below(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef a(session):\n    print('a ran')\n")
    (folder.root / "sub/deep").mkdir(parents=True)

    done = folder.run(cwd=folder.root / "sub/deep")

    assert (done.code, done.out) == (0, "a ran\n")


def test_a_variable_that_sets_nothing_is_told_and_the_run_goes_on(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef a(session):\n    print('a ran')\n")

    done = folder.passes(env={"RUNENV_QUIETT": "1"})

    assert done.out == "a ran\n"
    assert done.err.splitlines()[0] == (
        "warning: the variable RUNENV_QUIETT sets nothing; did you mean 'RUNENV_QUIET'?"
    )


def test_the_table_of_pyproject_sets_what_nothing_else_does(folder: Folder):
    folder.write("pyproject.toml", '[tool]\nrunenv = { default = ["b"], quiet = true }\n')
    folder.envfile(
        """
        @runner.session(python=False)
        def a(session):
            print("a ran")

        @runner.session(python=False)
        def b(session):
            print("b ran")
        """
    )

    assert folder.passes() == (0, "b ran\n", "")
    assert folder.passes(env={"RUNENV_DEFAULT": "a"}).out == "a ran\n"


# Streams. -------------------------------------------------------------------------------------

FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


def shell(folder: Folder, command: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in the folder; `runenv` in it is ours."""
    return subprocess.run(
        ["bash", "-c", f'runenv() {{ "{sys.executable}" -m runner "$@"; }}; {command}'],
        cwd=folder.root,
        env=folder.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def simple(folder: Folder) -> Folder:
    """A project whose one session prints a line."""
    folder.envfile("@runner.session(python=False)\ndef a(session):\n    print('a ran')\n")
    return folder


def test_whoever_has_read_enough_of_a_listing_makes_no_error(folder: Folder):
    lines = "".join(f"@runner.session\ndef s{n}(session):\n    pass\n" for n in range(2000))
    folder.envfile(lines)

    done = shell(folder, 'runenv --list | head -1; echo "${PIPESTATUS[@]}"')

    assert done.stdout == f"Sessions in {folder.root}/envfile.py:\n0 0\n"
    assert done.stderr == ""


@FULL
@pytest.mark.parametrize("arguments", ["--list", "--version", "--usage a", "--help"])
def test_a_full_disk_is_told_without_a_traceback(simple: Folder, arguments: str):
    done = shell(simple, f"runenv {arguments} >/dev/full")

    assert done.returncode == 1
    assert done.stderr == ("error: standard output cannot be written: No space left on device\n")


@FULL
def test_a_log_on_a_full_disk_stops_no_run_and_changes_no_exit_code(simple: Folder):
    done = shell(simple, "runenv 2>/dev/full")

    assert (done.returncode, done.stdout) == (0, "a ran\n")
    assert shell(simple, "runenv b 2>/dev/full").returncode == 2


def test_a_log_that_nobody_reads_stops_no_run(simple: Folder):
    done = shell(simple, 'runenv 2>&1 >out | true; echo "${PIPESTATUS[0]}"')

    assert done.stdout == "0\n"
    assert (simple.root / "out").read_text() == "a ran\n"


@pytest.mark.parametrize(
    ("command", "code", "out"),
    [
        ("runenv --list >&-", 0, ""),
        ("runenv --help >&-", 0, ""),
        ("runenv 2>&-", 0, "a ran\n"),
        ("runenv >&- 2>&- <&-", 0, ""),
        ("runenv b 2>&-", 2, ""),
    ],
)
def test_streams_may_be_closed(simple: Folder, command: str, code: int, out: str):
    done = shell(simple, command)

    assert (done.returncode, done.stdout) == (code, out)
    assert "Traceback" not in done.stderr


# What a session may lean on. --------------------------------------------------------------------


def test_the_shared_folder_is_there_and_git_does_not_see_it(folder: Folder):
    folder.envfile(
        """
        import os

        @runner.session(python=False)
        def a(session):
            with open(os.path.join(session.cache_dir, "kept"), "w") as stream:
                stream.write("kept")
        """
    )

    folder.passes()

    assert (folder.root / ".runenv/.cache/kept").read_text() == "kept"
    assert (folder.root / ".runenv/.gitignore").read_text() == "*\n"


def test_what_runs_nothing_makes_no_folder(simple: Folder):
    simple.passes("--list")
    simple.passes("--explain")
    simple.passes("--usage", "a")

    assert not (simple.root / ".runenv").exists()


def test_a_run_without_environments_is_remembered_where_git_does_not_see_it(simple: Folder):
    simple.passes()

    assert (simple.root / ".runenv/.history").is_file()
    assert (simple.root / ".runenv/.gitignore").read_text() == "*\n"


def test_what_is_remembered_of_pythons_is_nothing_that_git_sees(folder: Folder):
    folder.envfile(f"@runner.session(python={OWN!r}, backend='none')\ndef a(session):\n    pass\n")

    folder.passes()
    explained = Folder(folder.root.parent / "other", folder.wheels, Path(os.devnull))
    explained.root.mkdir()
    explained.envfile(f"@runner.session(python={OWN!r})\ndef a(session):\n    pass\n")
    explained.passes("--explain")

    for each in (folder, explained):
        envdir = each.root / ".runenv"
        assert not envdir.exists() or (envdir / ".gitignore").read_text() == "*\n"


def test_a_module_is_the_same_command(simple: Folder):
    done = subprocess.run(
        [sys.executable, "-c", "import runpy; runpy.run_module('runner', run_name='__main__')"],
        cwd=simple.root,
        env={**simple.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "a ran\n")
