"""`runenv --matrix`: the selected jobs as CI engines take them; nothing is looked for or made."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Folder
from tests.features.test_environments import library

pytestmark = pytest.mark.measured

TESTS = """
    @runner.session(deps=["ruff"])
    def lint(session): ...

    @runner.session(python=["3.99", "pypy3.10"], deps=["pytest"], tags=["t"], default=False)
    @runner.parametrize("api", ["old", 2])
    def tests(session, api): ...
    """


def include(folder: Folder, *arguments: str) -> list[dict[str, object]]:
    """The entries for GitHub."""
    matrix: dict[str, list[dict[str, object]]] = json.loads(
        folder.passes("--matrix", "github", *arguments).out
    )
    assert list(matrix) == ["include"]
    return matrix["include"]


def key(folder: Folder, *arguments: str) -> object:
    """The key of the only entry."""
    (entry,) = include(folder, *arguments)
    return entry["key"]


# Entries. -----------------------------------------------------------------------------------


def test_github_gets_one_line_with_what_a_workflow_may_ask(folder: Folder):
    folder.envfile(TESTS)

    out = folder.passes("--matrix", "github", "tests-3.99-api2", "lint").out

    assert out.count("\n") == 1
    tests, lint = json.loads(out)["include"]
    assert tests.pop("key") != lint.pop("key")
    assert tests == {
        "name": "tests-3.99-api2",
        "jobs": "tests-3.99-api2",
        "family": "tests",
        "python": "3.99",
        "asked": ["3.99"],
        "parameters": {"api": 2},
        "tags": ["t"],
        "estimate_s": None,
    }
    assert lint == {
        "name": "lint",
        "jobs": "lint",
        "family": "lint",
        "python": "",
        "asked": [],
        "parameters": {},
        "tags": [],
        "estimate_s": None,
    }


def test_a_matrix_has_the_default_jobs_and_is_narrowed_as_a_run_is(folder: Folder):
    folder.envfile(TESTS)

    def names(*arguments: str) -> list[object]:
        return [entry["name"] for entry in include(folder, *arguments)]

    assert names() == ["lint"]
    assert names("tests-*", "-k", "old") == ["tests-3.99-old", "tests-pypy3.10-old"]
    assert names("-t", "t", "-p", "3.99") == ["tests-3.99-old", "tests-3.99-api2"]
    assert folder.run("--matrix", "github", "tset").code == 2


def test_nothing_is_made(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel', python=['3.99'])\ndef s(session): ...\n")
    before = sorted(folder.root.rglob("*"))

    folder.passes("--matrix", "json")

    assert sorted(folder.root.rglob("*")) == before


def test_an_entry_has_the_pythons_of_what_its_job_requires(folder: Folder):
    folder.envfile(
        """
        @runner.session(python="3.98")
        def build(session): ...

        @runner.session(python="3.99", requires=[build])
        def tests(session): ...
        """
    )

    (entry,) = include(folder, "tests")

    assert (entry["jobs"], entry["asked"]) == ("tests", ["3.98", "3.99"])
    assert entry["python"] == "3.98\n3.99"


# What the envfile wrote, and what the action setup-python is asked for.
PYTHONS = {
    "3.12": "3.12",
    "python3.12": "3.12",
    "3.12.4": "3.12.4",
    "3.13t": "3.13t",
    "3.14.0rc1": "3.14.0rc1",
    "3.14rc1": "3.14.0rc1",
    "3.14rc1t": "",
    "pypy3.10": "pypy-3.10",
    "pypy": "",
    "graalpy3.11": "",
    "~/bin/python3": "",
    ">=3.10, <3.13": ">=3.10 <3.13",
    "==3.12.*": "3.12",
    "~=3.10": ">=3.10 3",
    "!=3.11": "<3.11 || >3.11",
    ">=3.10,!=3.11,!=3.12": ">=3.10 <3.11 <3.12 || >=3.10 <3.11 >3.12"
    " || >=3.10 >3.11 <3.12 || >=3.10 >3.11 >3.12",
    ">=3.14.0b2": ">=3.14.0b2",
    "pypy>=3.9": "",
}


def test_pythons_are_named_as_setup_python_names_them(folder: Folder):
    sessions = (
        f"@runner.session(python={python!r})\ndef s{number}(session): ...\n"
        for number, python in enumerate(PYTHONS)
    )
    folder.envfile("\n".join(sessions))

    entries = include(folder)

    assert dict(zip(PYTHONS, (entry["python"] for entry in entries), strict=True)) == PYTHONS


def test_what_needs_no_python_of_the_machine_names_none(folder: Folder):
    folder.envfile(
        """
        @runner.session(backend="conda", python="3.12", conda_deps=["gdal"])
        def conda(session): ...

        @runner.session(backend="none")
        def none(session): ...
        """
    )

    assert [entry["python"] for entry in include(folder)] == ["", ""]


def test_that_nothing_runs_by_default_is_a_matrix_without_entries(folder: Folder):
    folder.envfile("runner.options.default = []\n\n@runner.session\ndef s(session): ...\n")

    assert folder.passes("--matrix", "github").out == '{"include":[]}\n'
    assert json.loads(folder.passes("--matrix", "json").out)["entries"] == []
    gitlab = json.loads(folder.passes("--matrix", "gitlab").out)
    assert gitlab["no job is selected"]["script"] == ["true"]
    buildkite = json.loads(folder.passes("--matrix", "buildkite").out)
    assert buildkite["steps"] == [{"label": "no job is selected", "command": "true"}]


# An engine takes so many entries and no more.
LIMITS: dict[str, tuple[int, Callable[[dict], list[str]]]] = {
    "github": (256, lambda got: [f"runenv {entry['jobs']}" for entry in got["include"]]),
    "gitlab": (200, lambda got: [job["script"][0] for job in got.values() if "script" in job]),
    "buildkite": (500, lambda got: [step["command"] for step in got["steps"]]),
    "json": (501, lambda got: [entry["command"] for entry in got["entries"]]),
}


@pytest.mark.parametrize("engine", LIMITS)
def test_more_jobs_than_an_engine_takes_are_packed_in_their_order(folder: Folder, engine: str):
    folder.envfile(
        """
        @runner.session
        @runner.parametrize("n", range(501))
        def s(session, n): ...
        """
    )
    limit, commands_of = LIMITS[engine]

    out = folder.passes("--matrix", engine).out

    commands = [command.split() for command in commands_of(json.loads(out))]
    sizes = {len(command) - 1 for command in commands}
    assert len(commands) == limit
    assert max(sizes) - min(sizes) <= 1
    assert [name for command in commands for name in command[1:]] == [f"s-n{n}" for n in range(501)]
    assert folder.passes("--matrix", engine).out == out


def remember(folder: Folder, **took_s: float) -> None:
    """What jobs took when they last ran."""
    jobs = [[name.replace("_", "-"), "passed", seconds] for name, seconds in took_s.items()]
    folder.write(".runenv/.history", json.dumps({"at": 1.0, "jobs": jobs}))


def test_more_jobs_than_an_engine_takes_are_packed_by_what_they_took(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        @runner.parametrize("n", range(257))
        def s(session, n): ...
        """
    )
    remember(folder, **{f"s_n{n}": 1.0 if n in (3, 200) else 60.0 for n in range(257)})

    entries = include(folder)

    assert len(entries) == 256
    assert [(e["jobs"], e["estimate_s"]) for e in entries if " " in str(e["jobs"])] == [
        ("s-n3 s-n200", 2.0)
    ]


def test_an_entry_tells_how_long_it_takes_with_what_it_requires(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def build(session): ...

        @runner.session(python=False, requires=["build"])
        def tests(session): ...
        """
    )
    remember(folder, build=1.5, tests=3.0)

    assert {e["name"]: e["estimate_s"] for e in include(folder)} == {"build": 1.5, "tests": 4.5}


def test_an_entry_of_several_jobs_is_named_by_the_first(folder: Folder):
    folder.envfile(
        """
        @runner.session(tags=["t"])
        @runner.parametrize("n", range(257))
        def s(session, n): ...
        """
    )

    first, second, *_ = include(folder)

    assert (first["name"], first["jobs"]) == ("s-n0 and 1 more", "s-n0 s-n1")
    assert (first["family"], first["parameters"], first["tags"]) == ("s", {}, ["t"])
    assert (second["name"], second["parameters"]) == ("s-n2", {"n": 2})


def test_the_command_of_an_entry_runs_its_job(folder: Folder):
    folder.envfile("@runner.session\ndef s(session):\n    print(*session.posargs)\n")
    given = ("--matrix", "json", "s", "-x", "--backend", "venv", "--", "-k", "a b")

    (entry,) = json.loads(folder.passes(*given).out)["entries"]

    assert entry["command"] == "runenv --fail-fast --backend=venv s -- -k 'a b'"
    assert folder.passes(*shlex.split(entry["command"])[1:]).out == "-k a b\n"


def test_a_package_to_upgrade_goes_with_the_command(folder: Folder):
    folder.envfile("@runner.session\ndef s(session): ...\n")

    (entry,) = json.loads(folder.passes("--matrix", "json", "--upgrade=one").out)["entries"]

    assert entry["command"] == "runenv --upgrade=one s"


# GitLab and Buildkite. ------------------------------------------------------------------------


def test_gitlab_gets_a_pipeline_with_a_job_for_each_entry(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=["pypy3.10"], requires=["lint"])
        def tests(session): ...

        @runner.session(python=">=3.8, <3.10")
        def lint(session): ...
        """
    )

    pipeline = json.loads(folder.passes("--matrix", "gitlab", "tests").out)

    assert list(pipeline) == ["workflow", ".runenv", "tests-pypy3.10"]
    assert pipeline["tests-pypy3.10"] == {
        "extends": ".runenv",
        "variables": {"PYTHONS": ">=3.8,<3.10 pypy3.10"},
        "cache": {"key": key(folder, "tests"), "paths": [".runenv/.store/"]},
        "script": ["runenv tests-pypy3.10"],
    }
    assert pipeline[".runenv"]["image"] == f"python:3.{sys.version_info.minor}"


def test_a_job_that_has_the_name_of_a_keyword_of_gitlab_is_a_job(folder: Folder):
    folder.envfile("@runner.session\ndef pages(session): ...\n")

    pipeline = json.loads(folder.passes("--matrix", "gitlab").out)

    assert pipeline["runenv pages"]["script"] == ["runenv pages"]


def test_the_pipeline_of_gitlab_gets_the_pythons_that_a_job_asks_for(folder: Folder):
    folder.envfile("@runner.session\ndef s(session): ...\n")
    pipeline = json.loads(folder.passes("--matrix", "gitlab").out)
    here = f"{sys.version_info.major}.{sys.version_info.minor}"

    done = subprocess.run(
        ["/bin/sh", "-euc", pipeline[".runenv"]["before_script"][1]],
        env={**folder.environ, "PYTHONS": f"{here} >={here},<4"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(done.stdout.splitlines()) == 2


def test_buildkite_gets_a_step_for_each_entry(folder: Folder):
    folder.envfile(TESTS)

    pipeline = json.loads(folder.passes("--matrix", "buildkite", "tests-3.99-old", "--", "$A").out)

    assert pipeline == {
        "steps": [
            {
                "label": "tests-3.99-old",
                "command": "runenv tests-3.99-old -- '$$A'",
                "env": {"PYTHONS": "3.99", "STORE_KEY": key(folder, "tests-3.99-old")},
            }
        ]
    }


# Ranges. --------------------------------------------------------------------------------------


def test_a_range_that_depends_on_the_machine_is_warned_of(folder: Folder):
    folder.envfile("@runner.session(python=['>=3.98', '3.12'])\ndef s(session): ...\n")

    done = folder.passes("--matrix", "github")

    assert done.err == (
        "warning: the range '>=3.98' means the Pythons that are here: none\n"
        "  --> envfile.py:3\n"
        '  name the versions, so that no machine decides: python=["3.12", "3.13"]\n'
    )
    assert [entry["python"] for entry in json.loads(done.out)["include"]] == [">=3.98", "3.12"]


def test_a_range_that_is_one_job_is_not_warned_of(folder: Folder):
    folder.envfile("@runner.session(python='>=3.98')\ndef s(session): ...\n")

    assert folder.passes("--matrix", "github").err == ""


# Keys. ----------------------------------------------------------------------------------------


@pytest.fixture
def project(folder: Folder) -> Folder:
    """A project in which all that can be declared is declared."""
    library(folder)
    folder.write("requirements.txt", "one\n-e ./lib\n--find-links ${PLACE}\n")
    folder.write("lib/pyproject.toml", "[project]\nname = 'lib'\nversion = '1'\n")
    folder.write("constraints.txt", "two<2\n")
    declare(folder)
    return folder


def declare(folder: Folder, more: str = "", **changed: str) -> None:
    said = {
        "python": "['3.12']",
        "deps": "['three']",
        "groups": "['test']",
        "extras": "['more']",
        "requirements": "['requirements.txt']",
        "constraints": "['constraints.txt']",
        "project": "'wheel'",
        **changed,
    }
    arguments = ", ".join(f"{name}={value}" for name, value in said.items())
    folder.envfile(
        f"@runner.session\ndef tool(session): ...\n\n"
        f"@runner.session({arguments})\ndef s(session): ...\n{more}"
    )


def test_a_key_is_the_same_in_another_checkout(project: Folder):
    project.passes("tool")  # a key for digests of secrets is there
    other = Folder(project.root.parent / "other", project.wheels, project.wheels)
    shutil.copytree(project.root, other.root)
    (other.root / ".runenv" / ".key").write_bytes(b"another")
    other.environ |= {"PLACE": "elsewhere", "PIP_INDEX_URL": "file:///index", "PATH": "/usr/bin"}

    assert key(other, "s") == key(project, "s")


def test_a_key_tells_the_platform(project: Folder):
    assert str(key(project, "s")).startswith(f"runenv-{sys.platform}")


CHANGES: dict[str, Callable[[Folder], object]] = {
    "deps": lambda p: declare(p, deps="['three<3']"),
    "extras": lambda p: declare(p, extras="[]"),
    "constraints": lambda p: p.write("constraints.txt", "two<3\n"),
    "requirements": lambda p: p.write("requirements.txt", "one>1\n"),
    "an editable project": lambda p: p.write("lib/pyproject.toml", "[project]\nname = 'l'\n"),
    "the group": lambda p: p.write(
        "pyproject.toml",
        (p.root / "pyproject.toml").read_text().replace('test = ["tool"]', 'test = ["tool>2"]'),
    ),
    "python": lambda p: declare(p, python="['3.13']"),
    "the resolution": lambda p: declare(p, resolution="'lowest'"),
    "the backend": lambda p: declare(p, backend="'venv'"),
    "the backend's options": lambda p: declare(p, backend_options="['--system-site-packages']"),
    "a lock": lambda p: p.write("runenv-locks/pylock.s.toml", "lock-version = '1.0'\n"),
    "what is required": lambda p: declare(p, requires="['tool']"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_key_changes_with_what_is_installed(project: Folder, what: str):
    before = key(project, "s")

    CHANGES[what](project)

    assert key(project, "s") != before


NO_CHANGES: dict[str, Callable[[Folder], object]] = {
    "the project's code": lambda p: p.write("src/mine.py", "value = 2\n"),
    "another session": lambda p: declare(p, "@runner.session(deps=['x'])\ndef t(session): ...\n"),
    "another Python": lambda p: declare(p, python="['3.12', '3.13']"),
    "a lock of another Python": lambda p: p.write("runenv-locks/pylock.s@313.toml", "x = 1"),
    "tags": lambda p: declare(p, tags="['t']"),
}


@pytest.mark.parametrize("what", NO_CHANGES)
def test_a_key_stays_with_what_is_installed(project: Folder, what: str):
    before = key(project, "s-3.12")

    NO_CHANGES[what](project)

    assert key(project, "s-3.12") == before


def test_a_lock_counts_for_a_python_that_is_known_on_its_machine_only(project: Folder):
    declare(project, python="'>=3.12'")
    before = key(project, "s")

    project.write("runenv-locks/pylock.s@313.toml", "x = 1")

    assert key(project, "s") != before


def test_the_lock_of_uv_counts_where_a_session_has_it(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(lock='uv', groups=['test'])\ndef s(session): ...\n")
    before = key(folder)

    folder.write("uv.lock", "version = 1\n")

    assert key(folder) != before


def test_a_channel_of_conda_counts(folder: Folder):
    def key_with(channel: str) -> object:
        folder.envfile(
            f"@runner.session(backend='conda', conda_deps=['gdal'], channels=[{channel!r}])\n"
            "def s(session): ...\n"
        )
        return key(folder)

    assert key_with("conda-forge") != key_with("bioconda")


def test_jobs_whose_environments_are_declared_alike_share_a_key(folder: Folder):
    folder.envfile(TESTS)

    old, two, *_ = (entry["key"] for entry in include(folder, "tests"))

    assert old == two


def test_what_a_job_makes_for_another_need_not_be_there_yet(folder: Folder):
    folder.envfile(
        """
        @runner.session
        def build(session): ...

        @runner.session(requirements=["made.txt"], requires=[build])
        def tests(session): ...
        """
    )
    before = key(folder, "tests")

    folder.write("made.txt", "one\n")

    assert key(folder, "tests") != before
