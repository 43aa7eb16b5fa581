"""`runenv --doctor`: what could go wrong here, each with its mend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.checks import Finding
from runner.checks.folders import space_finding
from runner.commands.doctor import as_text
from tests.conftest import Done, Folder

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="rights, links and sh are POSIX's"),
    pytest.mark.measured,
]

AS_ROOT = os.name == "posix" and os.geteuid() == 0

ENVFILE = "@runner.session\ndef lint(session): session.run('python', '-V')\n"


def told(done: Done) -> list[Finding]:
    """The findings in a JSON form."""
    return [Finding(**row) for row in json.loads(done.out)["findings"]]


def findings(folder: Folder, *options: str, **env: str) -> list[Finding]:
    """What the doctor finds."""
    return told(folder.run("--doctor", "--json", *options, env=env))


def of(check: str, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.check == check]


def bad(found: list[Finding]) -> list[Finding]:
    # Which Pythons this machine has, and how much room, is not the test's to decide.
    return [
        f for f in found if f.state != "good" and f.check not in ("pythons", "disk", "variables")
    ]


def test_where_all_is_well_nothing_is_bad_and_the_exit_code_is_0(folder: Folder):
    folder.envfile(ENVFILE)
    folder.passes()

    done = folder.run("--doctor", "--json")

    assert bad(told(done)) == []
    assert (done.code, done.err) == (0, "")
    assert {finding.check for finding in told(done)} == {
        "envfile",
        "python",
        "uv",
        "virtualenv",
        "pip",
        "backend",
        "pythons",
        "store",
        "envdir",
        "journals",
        "locks",
        "disk",
        "uv's cache",
        "link mode",
        "variables",
        "configuration",
    } - ({"configuration"} if not of("configuration", told(done)) else set())


def test_the_text_is_aligned_and_begins_with_a_symbol(folder: Folder):
    folder.envfile(ENVFILE)

    lines = folder.passes("--doctor", env={"PYTHONUTF8": "1"}).out.splitlines()

    assert lines[0] == f"✓ envfile        {folder.root}/envfile.py loads: 1 job"
    assert lines[1].startswith("✓ python         cpython ")


def test_it_changes_nothing(folder: Folder):
    folder.envfile(ENVFILE)

    folder.passes("--doctor")

    assert os.listdir(folder.root) == ["envfile.py"]


def test_it_works_without_an_envfile(folder: Folder):
    done = folder.run("--doctor", "--json")

    assert done.code == 0
    assert of("envfile", told(done)) == [
        Finding(
            "envfile",
            "warning",
            f"no envfile.py in {folder.root} or in a folder above it",
            "write one, or say where it is: --file, --directory",
        )
    ]


def test_all_envfiles_below_are_looked_at_under_all_projects(folder: Folder):
    folder.write("api/envfile.py", f"import runner\n{ENVFILE}")

    found = of("envfile", findings(folder, "--all-projects"))

    assert found == [Finding("envfile", "good", f"{folder.root} loads: 1 job")]


def test_each_mistake_of_an_envfile_is_broken(folder: Folder):
    folder.envfile("@runner.session(deps='x', python=3.1)\ndef a(session): ...\n")

    done = folder.run("--doctor", "--json")

    assert done.code == 1
    assert [(f.state, f.what) for f in of("envfile", told(done))] == [
        ("broken", "envfile.py:3: python=3.1 is a number, in which 3.10 and 3.1 are the same"),
        ("broken", "envfile.py:3: deps is a string where a list belongs"),
    ]


@pytest.mark.parametrize("table", ["[tool.runenv]\nfoo = 1\n", "[tool.runenv\n"])
def test_settings_that_cannot_be_are_broken(folder: Folder, table: str):
    folder.envfile(ENVFILE)
    folder.write("pyproject.toml", table)

    done = folder.run("--doctor", "--json")

    (finding,) = of("settings", told(done))
    assert (done.code, finding.state, bool(finding.mend)) == (1, "broken", True)


def test_a_variable_that_sets_what_cannot_be_is_broken(folder: Folder):
    folder.envfile(ENVFILE)

    assert of("settings", findings(folder, RUNENV_FRESH="maybe")) == [
        Finding("settings", "broken", "RUNENV_FRESH cannot be 'maybe'", "it is 1 or 0")
    ]


def test_a_file_that_was_given_and_is_not_there_is_an_error(folder: Folder):
    done = folder.run("--doctor", "-f", "nosuch.py")

    assert (done.code, done.out) == (2, "")


# Programs. -------------------------------------------------------------------------------


def test_a_program_that_is_no_python_was_passed_over(folder: Folder, tmp_path: Path):
    fake = tmp_path / "bin/python3.12"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho no >&2; exit 3\n")
    fake.chmod(0o755)

    found = findings(folder, PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")

    assert Finding(
        "pythons",
        "warning",
        f"{fake} was passed over: it ended with 3: no",
        "nothing is to be done unless a session asks for it; then install it again",
    ) in of("pythons", found)


# Folders. --------------------------------------------------------------------------------


@pytest.mark.skipif(AS_ROOT, reason="root may write everywhere")
def test_an_environment_folder_that_cannot_be_made_is_broken(folder: Folder):
    folder.envfile(ENVFILE)
    folder.root.chmod(0o555)
    try:
        (finding,) = of("envdir", findings(folder))
    finally:
        folder.root.chmod(0o755)

    assert finding.state == "broken"


@pytest.mark.parametrize(
    ("envdir", "what"),
    [("envfile.py", "is no folder"), ("..", "holds the project itself")],
)
def test_an_environment_folder_that_cannot_be_one_is_broken(folder: Folder, envdir: str, what: str):
    folder.envfile(ENVFILE)

    done = folder.run("--doctor", "--json", "--envdir", envdir)

    (finding,) = of("envdir", told(done))
    assert (done.code, finding.state) == (1, "broken")
    assert what in finding.what


def test_an_environment_folder_that_git_would_commit_is_told(folder: Folder):
    folder.envfile(ENVFILE)
    subprocess.run(["git", "init", "-q"], cwd=folder.root, env=folder.environ, check=True)
    folder.passes()
    assert bad(findings(folder)) == []

    (folder.root / ".runenv/.gitignore").write_text("")

    assert bad(findings(folder)) == [
        Finding(
            "envdir",
            "warning",
            f"git does not ignore {folder.root}/.runenv",
            f"write * into {folder.root}/.runenv/.gitignore",
        )
    ]


def test_links_in_the_environment_folder_are_told(folder: Folder, tmp_path: Path):
    folder.envfile(ENVFILE)
    folder.passes()
    (folder.root / ".runenv/tests").symlink_to(tmp_path)

    assert bad(findings(folder)) == [
        Finding(
            "envdir",
            "warning",
            f"{folder.root}/.runenv/tests is a link: runenv neither uses nor deletes it",
            "move it away",
        )
    ]


def test_journals_that_cannot_be_read_and_those_of_stopped_runs_are_named(folder: Folder):
    folder.envfile(ENVFILE + "@runner.session\ndef b(session): session.run('python', '-V')\n")
    folder.passes()
    (folder.root / ".runenv/b/runenv.json").write_text("{")
    journal = folder.root / ".runenv/lint/runenv.json"
    journal.write_text(journal.read_text().replace('"whole"', '"changing"'))

    assert [(f.what, f.mend.rpartition("; ")[2]) for f in bad(findings(folder))] == [
        ("the journal of b cannot be read", "or runenv --clean b"),
        ("a run was stopped while it changed lint", "or runenv --clean lint"),
    ]


def test_who_holds_a_lock_is_told_and_is_no_last_use(folder: Folder):
    folder.envfile(
        "@runner.session\n"
        "def a(session): session.run('sh', '-c', 'echo here; read line', external=True)\n"
    )
    with folder.start("a", stdin=subprocess.PIPE) as run:
        assert run.stdout
        assert run.stdout.readline() == "here\n"
        found = of("locks", findings(folder))
        run.communicate("\n", timeout=60)
    lock = folder.root / ".runenv/.locks/a"
    before = lock.stat().st_mtime_ns
    after = of("locks", findings(folder))

    assert found == [Finding("locks", "good", f"a is used by process {run.pid}")]
    assert after == [Finding("locks", "good", "no environment is in use")]
    assert lock.stat().st_mtime_ns == before


def test_little_room_is_a_warning_and_none_is_broken():
    assert space_finding("/x", 5_000_000).state == "broken"
    assert space_finding("/x", 900_000_000) == Finding(
        "disk",
        "warning",
        "900.0 MB are free where environments are made",
        "make room on the disk of /x: runenv --clean --stale, uv cache prune",
    )
    assert space_finding("/x", 2_000_000_000).state == "good"


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no second file system")
def test_a_cache_on_another_file_system_is_told(folder: Folder):
    folder.envfile(ENVFILE)
    cache = Path("/dev/shm") / f"runenv-test-{os.getpid()}"
    if os.stat("/dev/shm").st_dev == folder.root.stat().st_dev:
        pytest.skip("it is the same file system")
    try:
        (apart,) = of("link mode", findings(folder, UV_CACHE_DIR=str(cache)))
        (meant,) = of("link mode", findings(folder, UV_CACHE_DIR=str(cache), UV_LINK_MODE="copy"))
    finally:
        shutil.rmtree(cache, ignore_errors=True)

    assert apart == Finding(
        "link mode",
        "warning",
        "uv's cache and the environment folder are on different file systems:"
        " each install copies instead of linking",
        f"set UV_CACHE_DIR to a folder on the file system of {folder.root}/.runenv,"
        " or --envdir to one on that of the cache; UV_LINK_MODE=copy says that it is meant",
    )
    assert meant == Finding("link mode", "good", "copy, as UV_LINK_MODE says")


# Variables and configuration. -------------------------------------------------------------


def test_variables_that_would_mislead_are_told_with_what_becomes_of_them(folder: Folder):
    found = of(
        "variables",
        findings(folder, PIP_TARGET="/t", PIP_NO_DEPS="1", UV_OFFLINE="0", VIRTUAL_ENV="/v"),
    )

    assert (
        Finding("variables", "good", "PIP_TARGET=/t is kept from sessions and installers") in found
    )
    assert (
        Finding("variables", "good", "VIRTUAL_ENV=/v is kept from sessions and installers") in found
    )
    assert (
        Finding(
            "variables",
            "warning",
            "PIP_NO_DEPS is set: where pip installs, requirements of requirements are not installed",
            "unset PIP_NO_DEPS",
        )
        in found
    )
    assert [f.what for f in found if "UV_OFFLINE" in f.what] == []


def test_a_python_path_is_told_since_it_reaches_the_envfile(folder: Folder):
    (finding,) = [f for f in of("variables", findings(folder)) if "PYTHONPATH" in f.what]

    assert finding == Finding(
        "variables",
        "warning",
        f"PYTHONPATH={folder.environ['PYTHONPATH']}: what the envfile imports may come from it;"
        " sessions do not see it",
        "unset PYTHONPATH",
    )


def test_a_missing_home_is_told(folder: Folder):
    del folder.environ["HOME"]

    assert [f.state for f in of("home", findings(folder))] == ["warning"]


def test_configuration_files_in_force_are_named_and_must_be_toml(folder: Folder):
    folder.envfile(ENVFILE)
    folder.write("uv.toml", "no-index = true\n")
    good = of("configuration", findings(folder))
    folder.write("uv.toml", "no-index = \n")

    done = folder.run("--doctor", "--json")

    assert Finding("configuration", "good", f"uv reads {folder.root}/uv.toml") in good
    assert done.code == 1
    assert next(f.what for f in told(done) if f.state == "broken").startswith(
        f"{folder.root}/uv.toml, which uv reads, is not TOML: "
    )


def test_a_configuration_that_installs_elsewhere_is_broken(folder: Folder):
    folder.envfile(ENVFILE)
    folder.write("uv.toml", "[pip]\ntarget = 'elsewhere'\n")

    done = folder.run("--doctor", "--json")

    (finding,) = bad(told(done))
    assert (done.code, finding.check, finding.state) == (1, "configuration", "broken")
    assert "target" in finding.what


# How it is shown. -------------------------------------------------------------------------


FOUND = [
    Finding("uv", "good", "0.9"),
    Finding("uv", "warning", "old", "install\na newer one"),
    Finding("pythons", "broken", "none", "install one"),
]


def test_the_mend_stands_below_what_was_found():
    assert as_text(FOUND, color=False, ascii_only=False) == [
        "✓ uv       0.9",
        "!          old",
        "           install",
        "           a newer one",
        "✗ pythons  none",
        "           install one",
    ]


def test_in_ascii_and_in_colour():
    assert as_text(FOUND[:1], color=False, ascii_only=True) == ["+ uv  0.9"]
    assert as_text(FOUND[2:], color=True, ascii_only=True)[0] == "\x1b[1;31mx\x1b[0m pythons  none"
