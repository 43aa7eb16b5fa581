"""Environments: reused only when nothing differs, made anew with the reason told, never torn."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

from runner.envs.pythons_found import found_versions
from tests.conftest import Folder, make_wheel

INSTALLED = (
    "import importlib.metadata as m; "
    "print(*sorted(d.name + d.version for d in m.distributions() if d.name not in ('pip', 'setuptools', 'wheel')))"
)
PRINT_INSTALLED = f'session.run("python", "-c", {INSTALLED!r})'

# A build backend of standard library alone: no test fetches one.
BUILD_BACKEND = """
import base64, hashlib, os, zipfile

NAME, VERSION = "mine", open("version.txt").read().strip() if os.path.exists("version.txt") else "1.0"

def _wheel(folder, files):
    info = f"{NAME}-{VERSION}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\nProvides-Extra: more\\nRequires-Dist: tool; extra == 'more'\\n"
    files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[f"{info}/RECORD"] = "".join(f"{n},,\\n" for n in [*files, f"{info}/RECORD"])
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {"mine.py": open("src/mine.py").read()})

def build_editable(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {"mine.pth": os.path.abspath("src") + "\\n"})
"""


def library(folder: Folder, code: str = "value = 1") -> None:
    """A project that builds without any build requirement."""
    folder.write("backend.py", BUILD_BACKEND)
    folder.write(
        "pyproject.toml",
        """
        [build-system]
        requires = []
        build-backend = "backend"
        backend-path = ["."]

        [project]
        name = "mine"
        dynamic = ["version"]

        [project.optional-dependencies]
        more = ["tool"]

        [dependency-groups]
        test = ["tool"]
        """,
    )
    folder.write("src/mine.py", code + "\n")


def lines(folder: Folder, *arguments: str) -> tuple[str, str]:
    """What a run printed, and what it said of its environment."""
    done = folder.passes(*arguments)
    told = [line for line in done.err.splitlines() if "environment:" in line]
    return done.out.strip(), told[-1].split("environment: ", 1)[1] if told else ""


def test_a_removed_dependency_is_gone(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    declare = "@runner.session(deps={deps})\ndef show(session):\n    " + PRINT_INSTALLED
    folder.envfile(declare.format(deps=["one", "two"]))
    assert lines(folder)[0] == "one1.0 two1.0"

    folder.envfile(declare.format(deps=["one"]))
    out, told = lines(folder)

    assert out == "one1.0"
    assert told.startswith("rebuilt")
    assert "deps changed (-two)" in told


def test_an_added_dependency_is_told(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    declare = "@runner.session(deps={deps})\ndef show(session):\n    " + PRINT_INSTALLED
    folder.envfile(declare.format(deps=["one"]))
    lines(folder)

    folder.envfile(declare.format(deps=["one", "two"]))
    out, told = lines(folder)

    assert out == "one1.0 two1.0"
    assert "deps changed (+two)" in told


def test_a_requirements_file_is_followed(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write("requirements.txt", "-r more.txt\n")
    folder.write("more.txt", "one\n")
    folder.envfile(
        f"@runner.session(requirements=['requirements.txt'])\ndef show(session):\n    {PRINT_INSTALLED}"
    )
    lines(folder)

    folder.write("more.txt", "two\n")
    out, told = lines(folder)

    assert out == "two1.0"
    assert "more.txt changed" in told


def test_constraints_are_kept_and_followed(folder: Folder):
    folder.wheel("one", "1.0")
    folder.wheel("one", "2.0")
    folder.write("limits.txt", "one<2\n")
    folder.envfile(
        f"@runner.session(deps=['one'], constraints=['limits.txt'])\ndef show(session):\n    {PRINT_INSTALLED}"
    )
    assert lines(folder)[0] == "one1.0"

    folder.write("limits.txt", "one<3\n")
    out, told = lines(folder)

    assert out == "one2.0"
    assert "limits.txt changed" in told


def test_a_group_is_followed(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write("pyproject.toml", "[dependency-groups]\ntest = ['one']\nother = []\n")
    folder.envfile(f"@runner.session(groups=['test'])\ndef show(session):\n    {PRINT_INSTALLED}")
    lines(folder)

    folder.write("pyproject.toml", "[dependency-groups]\ntest = ['one']\nother = ['two']\n")
    assert lines(folder)[1].startswith("reused")

    folder.write("pyproject.toml", "[dependency-groups]\ntest = ['one', 'two']\n")
    out, told = lines(folder)

    assert out == "one1.0 two1.0"
    assert "+two" in told


@pytest.mark.parametrize("mode", ["wheel", "editable"])
def test_the_project_is_installed_with_its_extras(folder: Folder, mode: str):
    folder.wheel("tool")
    library(folder)
    folder.envfile(
        f"""
        @runner.session(project="{mode}", extras=["more"])
        def show(session):
            {PRINT_INSTALLED}
            session.run("python", "-c", "import mine; print(mine.value)")
        """
    )

    assert lines(folder)[0] == "mine1.0 tool1.0\n1"
    assert lines(folder)[1].startswith("reused")


@pytest.mark.parametrize(("mode", "state"), [("wheel", "wheel replaced"), ("editable", "reused")])
def test_changed_code_of_the_project_is_what_runs(folder: Folder, mode: str, state: str):
    library(folder)
    folder.envfile(
        f"""
        @runner.session(project="{mode}")
        def show(session):
            session.run("python", "-c", "import mine; print(mine.value)")
        """
    )
    lines(folder)

    folder.write("src/mine.py", "value = 2\n")
    out, told = lines(folder)

    assert out == "2"
    assert told.startswith(state)


@pytest.mark.parametrize("mode", ["wheel", "editable"])
def test_changed_metadata_of_the_project_rebuilds(folder: Folder, mode: str):
    library(folder)
    folder.envfile(
        f"@runner.session(project='{mode}')\ndef show(session): session.run('python', '-V')"
    )
    lines(folder)

    with (folder.root / "pyproject.toml").open("a") as stream:
        stream.write("\n[tool.other]\nx = 1\n")

    assert "pyproject.toml changed" in lines(folder)[1]


def test_only_the_environments_concerned_are_rebuilt(folder: Folder):
    folder.wheel("one")
    folder.write("a.txt", "one\n")
    folder.write("b.txt", "one\n")
    folder.envfile(
        """
        @runner.session(requirements=["a.txt"])
        def a(session): session.run("python", "-V")

        @runner.session(requirements=["b.txt"])
        def b(session): session.run("python", "-V")
        """
    )
    folder.passes()

    folder.write("b.txt", "one  # again\n")
    err = folder.passes().err

    assert err.count("environment: reused") == 1
    assert err.count("environment: rebuilt") == 1


def test_session_install_is_replayed_and_reused(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        f"@runner.session\ndef show(session):\n    session.install('one')\n    {PRINT_INSTALLED}"
    )
    assert lines(folder)[0] == "one1.0"

    done = folder.passes()

    assert "install" not in done.err


def test_a_session_install_that_was_taken_out_is_gone_when_a_command_runs(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    body = "@runner.session(deps=['two'])\ndef show(session):\n{}    " + PRINT_INSTALLED
    folder.envfile(body.format("    session.install('one')\n"))
    assert lines(folder)[0] == "one1.0 two1.0"

    folder.envfile(body.format(""))

    assert lines(folder)[0] == "two1.0"


def test_a_changed_session_install_rebuilds_and_says_so(folder: Folder):
    folder.wheel("one", "1.0")
    folder.wheel("one", "2.0")
    body = (
        "@runner.session\ndef show(session):\n    session.install('one=={}')\n    "
        + PRINT_INSTALLED
    )
    folder.envfile(body.format("1.0"))
    lines(folder)

    folder.envfile(body.format("2.0"))
    out, told = lines(folder)

    assert out == "one2.0"
    assert "install changed (one==1.0 → one==2.0)" in told


def test_a_further_session_install_goes_on_top(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    body = (
        "@runner.session\ndef show(session):\n    session.install('one')\n{}    " + PRINT_INSTALLED
    )
    folder.envfile(body.format(""))
    lines(folder)

    # A command ran after the first install: on top of what it left is not what a
    # fresh run would do, so the environment is made anew.
    folder.envfile(body.format("    session.install('two')\n"))
    assert lines(folder)[0] == "one1.0 two1.0"
    assert lines(folder)[1].startswith("reused")


def test_what_a_command_installed_is_noticed_and_told(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    body = "@runner.session(deps=['one'])\ndef show(session):\n{}    " + PRINT_INSTALLED
    folder.envfile(body.format("    session.run('pip', 'install', 'two')\n"))
    assert lines(folder)[0].endswith("one1.0 two1.0")

    folder.envfile(body.format(""))
    out, told = lines(folder)

    assert out == "one1.0"
    assert "something other than its steps changed it (+two 1.0" in told


def test_an_install_after_a_command_that_installed_is_never_reused(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(
        f"""
        @runner.session
        def show(session):
            session.run("pip", "install", "-q", "two")
            session.install("one")
            {PRINT_INSTALLED}
        """
    )
    assert lines(folder)[0] == "one1.0 two1.0"

    out, told = lines(folder)

    assert out == "one1.0 two1.0"
    assert told.startswith("rebuilt")


def test_pip_is_there_in_every_way_that_people_call_it(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        @runner.session
        def show(session):
            session.run("pip", "install", "-q", "one")
            session.run("python", "-m", "pip", "list")
            session.run("pip3", "uninstall", "-q", "-y", "one")
            session.run("pip", "--version")
            assert "has no 'download'" in session.run("pip", "download", "x", silent=True, success_codes=[1])
        """
    )

    out = folder.passes().out

    assert "one     1.0" in out
    assert "pip (by uv " in out


def test_a_real_pip_takes_the_place_of_uvs(folder: Folder):
    make_wheel(
        folder.wheels,
        "pip",
        "99.0",
        files={"pip/__init__.py": "", "pip/__main__.py": "print('the real one')"},
    )
    folder.envfile(
        "@runner.session(deps=['pip'])\ndef show(session): session.run('python', '-m', 'pip')"
    )

    assert folder.passes().out == "the real one\n"


@pytest.mark.parametrize("backend", ["virtualenv", "venv"])
def test_the_other_backends_make_and_reuse_environments(folder: Folder, backend: str):
    folder.wheel("one")
    folder.envfile(
        f"@runner.session(deps=['one'], backend='{backend}')\ndef show(session):\n    {PRINT_INSTALLED}"
    )

    assert lines(folder)[0] == "one1.0"
    out, told = lines(folder)
    assert out == "one1.0"
    assert told.startswith("reused")


def test_what_a_variable_asks_of_uv_venv_is_asked_of_it(folder: Folder):
    folder.envfile("@runner.session\ndef s(session): ...\n")

    done = folder.run(env={"UV_VENV_SEED": "1"})

    # uv looks for them in an index alone, and is offline here.
    assert "Failed to install seed packages" in done.err
    assert done.code == 1


def test_another_backend_rebuilds(folder: Folder):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()

    assert "backend changed (uv → venv)" in folder.passes("--backend", "venv").err


def test_fresh_and_reuse_false_rebuild(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def a(session): session.run("python", "-V")

        @runner.session(reuse=False)
        def b(session): session.run("python", "-V")
        """
    )
    folder.passes()

    assert "--fresh" in lines(folder, "a", "--fresh")[1]
    assert "reuse=False" in lines(folder, "b")[1]


def test_upgrade_takes_what_is_newer_now(folder: Folder):
    folder.wheel("one", "1.0")
    folder.envfile(f"@runner.session(deps=['one'])\ndef show(session):\n    {PRINT_INSTALLED}")
    lines(folder)
    folder.wheel("one", "2.0")

    assert lines(folder)[0] == "one1.0"
    assert lines(folder, "--upgrade")[0] == "one2.0"


def test_no_install_uses_what_is_there_and_says_what_differs(folder: Folder):
    folder.wheel("one")
    declare = "@runner.session(deps={})\ndef show(session):\n    " + PRINT_INSTALLED
    folder.envfile(declare.format(["one"]))
    lines(folder)

    folder.envfile(declare.format(["one", "two"]))
    out, told = lines(folder, "--no-install")

    assert out == "one1.0"
    assert "kept" in told
    assert "+two" in told


def test_no_install_without_an_environment_is_an_error(folder: Folder):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")

    done = folder.run("--no-install")

    assert done.code == 1
    assert "run once without --no-install" in done.err


def test_a_failed_install_shows_its_output_and_is_never_reused(folder: Folder):
    folder.envfile(
        "@runner.session(deps=['missing-thing'])\ndef show(session): session.run('python', '-V')"
    )

    for _ in range(2):
        done = folder.run()
        assert done.code == 1
        assert "missing-thing" in done.err
        assert "the install failed" in done.err


def test_a_half_made_environment_is_rebuilt(folder: Folder):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()
    journal = folder.root / ".runenv/show/runenv.json"
    journal.write_text(json.dumps({**json.loads(journal.read_text()), "state": "changing"}))

    assert "an earlier run failed or was stopped while it changed it" in lines(folder)[1]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 99}', '{"format":1,"state":"whole"}', "\x00" * 50]
)
def test_a_journal_that_cannot_be_read_rebuilds(folder: Folder, text: str):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()
    (folder.root / ".runenv/show/runenv.json").write_text(text)

    assert "it has no journal that can be read" in lines(folder)[1]


@pytest.mark.parametrize("part", ["pyvenv.cfg", "bin/python", "lib"])
@pytest.mark.measured
def test_a_damaged_environment_is_rebuilt(folder: Folder, part: str):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()
    path = folder.root / ".runenv/show" / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    out, told = lines(folder)

    assert out.startswith("Python 3.")
    assert "is gone" in told


def test_a_moved_project_rebuilds(folder: Folder):
    folder.wheel("one", scripts={"one": "one:main"}, files={"one.py": "def main(): print('ran')"})
    folder.envfile("@runner.session(deps=['one'])\ndef show(session): session.run('one')")
    folder.passes()
    moved = folder.root.with_name("moved")
    folder.root.rename(moved)
    folder.root = moved

    out, told = lines(folder)

    assert out == "ran"
    assert "location changed" in told


def test_a_link_where_an_environment_belongs_is_refused(folder: Folder, tmp_path):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    (folder.root / ".runenv").mkdir()
    (folder.root / ".runenv/show").symlink_to(precious)

    done = folder.run()

    assert done.code == 1
    assert "it is a link" in done.err
    assert (precious / "data").read_text() == "mine"


def test_a_folder_of_somebody_else_is_refused(folder: Folder):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    (folder.root / ".runenv/show").mkdir(parents=True)
    (folder.root / ".runenv/show/data").write_text("mine")

    for arguments in (["--fresh"], []):
        done = folder.run(*arguments)
        assert done.code == 1
        assert "it was not made by runenv" in done.err
    assert (folder.root / ".runenv/show/data").read_text() == "mine"


def test_a_link_inside_an_environment_is_not_followed_by_deletion(folder: Folder, tmp_path):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    (folder.root / ".runenv/show/link").symlink_to(precious)

    folder.passes("--fresh")

    assert (precious / "data").read_text() == "mine"
    assert not (folder.root / ".runenv/.trash").exists()


def test_names_that_differ_in_case_have_two_folders(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def lint(session): print(session.env_dir)

        @runner.session
        def Lint(session): print(session.env_dir)
        """
    )

    first, second = folder.passes().out.split()

    assert os.path.basename(first) == "lint"
    assert os.path.basename(second).lower().startswith("lint-")


def test_the_environment_folder_is_ignored_by_git_and_backups(folder: Folder):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    folder.passes()

    assert (folder.root / ".runenv/.gitignore").read_text() == "*\n"
    assert (
        (folder.root / ".runenv/CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_clean_deletes_what_is_named(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def a(session): session.run("python", "-V")

        @runner.session
        def b(session): session.run("python", "-V")
        """
    )
    folder.passes()

    assert folder.passes("--clean", "a").out.startswith("deleted a: ")
    assert sorted(
        p.name for p in (folder.root / ".runenv").iterdir() if not p.name.startswith(".")
    ) == [
        "CACHEDIR.TAG",
        "b",
    ]
    assert folder.passes("--clean").out.startswith("deleted b: ")
    assert folder.passes("--clean").out.startswith("nothing to delete")


def test_two_runs_of_one_session_at_once_are_both_green(folder: Folder):
    folder.wheel("one")
    folder.envfile(f"@runner.session(deps=['one'])\ndef show(session):\n    {PRINT_INSTALLED}")

    runs = [folder.start("--fresh") for _ in range(2)]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [code for _, _, code in ended] == [0, 0]
    assert [out for out, _, _ in ended] == ["one1.0\n", "one1.0\n"]


def test_a_run_that_waits_says_for_which_process(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def show(session):
            session.run("python", "-c", "print('in', flush=True); input()")
        """
    )
    first = folder.start(stdin=-1)
    assert first.stdout is not None
    assert first.stdout.readline() == "in\n"
    second = folder.start(stdin=-1)
    assert second.stderr is not None
    told = ""
    while "waiting for" not in told:
        line = second.stderr.readline()
        assert line, told
        told += line

    assert f"waiting for process {first.pid}" in told
    first.communicate("\n", timeout=60)
    second.communicate("\n", timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_session_without_environment_cannot_install(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef show(session): session.install('x')")

    done = folder.run()

    assert done.code == 1
    assert "has no environment" in done.err


def test_explain_says_what_would_happen_and_does_nothing(folder: Folder):
    folder.wheel("one")
    declare = "@runner.session(deps={})\ndef show(session):\n    " + PRINT_INSTALLED
    folder.envfile(declare.format(["one"]))

    assert "would be created" in folder.passes("--explain").out
    assert not (folder.root / ".runenv/show").exists()
    folder.passes()
    assert "would be reused" in folder.passes("--explain").out
    folder.envfile(declare.format(["one", "two"]))
    assert "would be rebuilt: deps changed (+two)" in folder.passes("--explain").out
    (told,) = json.loads(folder.passes("--explain", "--json").out)["jobs"]
    assert (told["environment"], told["reason"]) == ("rebuilt", "deps changed (+two)")


def test_a_python_of_another_version_rebuilds(folder: Folder):
    declare = "@runner.session(python={!r})\ndef show(session): session.run('python', '-V')"
    folder.envfile(declare.format(None))
    folder.passes()
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    others = [v for v in found_versions(">=3.10") if v != mine]
    if not others:
        pytest.skip("one Python from 3.10 on is all that this machine has")
    folder.envfile(declare.format(others[0]))

    out, told = lines(folder)

    assert out.startswith(f"Python {others[0]}.")
    assert "python changed" in told


def test_a_variable_that_sets_an_option_of_virtualenv_is_followed(folder: Folder):
    folder.envfile("@runner.session(backend='virtualenv')\ndef show(session): ...")
    folder.passes()

    told = folder.passes(env={"VIRTUALENV_SYSTEM_SITE_PACKAGES": "1"}).err

    assert "rebuilt" in told
    assert "$VIRTUALENV_SYSTEM_SITE_PACKAGES" in told
