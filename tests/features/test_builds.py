"""Build environments: kept for a project, remade only when what a build needs differs, and isolated."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.conftest import Folder, make_wheel
from tests.features.test_environments import library
from tests.features.test_wheels import setuptools_library

pytestmark = pytest.mark.measured

SHOW = """
    @runner.session(project="wheel")
    def show(session):
        session.run("python", "-c", "import mine; print(mine.value)")
    """


def repacked(name: str, folder: Folder) -> None:
    """A wheel of a distribution that is installed beside pytest, where installers find it."""
    pytest.importorskip(name)
    found = distribution(name)
    files = [f for f in found.files or () if not str(f).startswith("..") and f.suffix != ".pyc"]
    path = folder.wheels / f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        record = []
        for file in files:
            if file.name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
                continue
            data = Path(str(file.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{file.as_posix()},sha256={digest},{len(data)}")
            archive.writestr(file.as_posix(), data)
        info = next(f.parent.as_posix() for f in files if f.name == "METADATA")
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")


HATCHLING = ("hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove_classifiers")


def pyproject(requires: str, backend: str) -> str:
    return (
        f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
        '[project]\nname = "mine"\nversion = "1.0"\ndescription = "mine"\n'
    )


def project_of(kind: str, folder: Folder) -> None:
    """A package `mine` that this backend builds."""
    folder.envfile(SHOW)
    if kind in ("setuptools", "setup.py", "setup.cfg"):
        setuptools_library(folder)
        folder.envfile(SHOW)
        for name in ("mine/sub/old.py", "mine/sub/__init__.py", "pyproject.toml"):
            (folder.root / name).unlink()
    folder.write("mine/__init__.py", "value = 1\n")
    if kind == "hatchling":
        for name in HATCHLING:
            repacked(name, folder)
        folder.write("pyproject.toml", pyproject("hatchling", "hatchling.build"))
    elif kind == "flit_core":
        repacked("flit_core", folder)
        folder.write("pyproject.toml", pyproject("flit_core", "flit_core.buildapi"))
    elif kind == "setuptools":
        text = pyproject("setuptools", "setuptools.build_meta")
        folder.write("pyproject.toml", text + '[tool.setuptools]\npackages = ["mine"]\n')
    else:
        folder.write("setup.py", "from setuptools import setup\nsetup(**KEYWORDS)\n")
        keywords = "name='mine', version='1.0', packages=['mine']"
        if kind == "setup.cfg":
            folder.write(
                "setup.cfg", "[metadata]\nname = mine\nversion = 1.0\n[options]\npackages = mine\n"
            )
            keywords = ""
        text = (folder.root / "setup.py").read_text()
        (folder.root / "setup.py").write_text(text.replace("**KEYWORDS", keywords))


def environment(folder: Folder) -> Path:
    """The only build environment."""
    (found,) = (p.parent for p in (folder.root / ".runenv/.builds").glob("*/runenv.json"))
    return found


def installs(err: str) -> list[str]:
    """What was installed to build, and how often a hook was called."""
    marks = (" to build .", "build .", ASKED)
    return [line for line in err.splitlines() if line.endswith(marks)]


ASKED = "build . (what it needs)"


# Backends. --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hatchling", "flit_core", "setuptools", "setup.py", "setup.cfg"])
def test_a_change_of_the_sources_takes_the_hook_alone(folder: Folder, kind: str):
    project_of(kind, folder)
    requires = {"setup.py": "setuptools>=40.8.0", "setup.cfg": "setuptools>=40.8.0"}.get(kind, kind)

    first = folder.passes()
    folder.write("mine/__init__.py", "value = 2\n")
    second = folder.passes()

    assert installs(first.err) == [f"install {requires} to build .", ASKED, "build ."]
    assert installs(second.err) == ["build ."]
    assert (first.out, second.out) == ("1\n", "2\n")


def test_a_run_that_builds_nothing_loads_nothing_of_builds(folder: Folder):
    project_of("flit_core", folder)
    first = folder.passes(env={"PYTHONPROFILEIMPORTTIME": "1"})

    second = folder.passes(env={"PYTHONPROFILEIMPORTTIME": "1"})

    assert "runner.envs.builds" in first.err
    assert "runner.envs.builds" not in second.err
    assert "runner.envs.build_system" not in second.err


def test_a_change_of_the_metadata_is_in_the_wheel(folder: Folder):
    project_of("flit_core", folder)
    folder.passes()
    mark = environment(folder) / "mark"
    mark.touch()

    text = (folder.root / "pyproject.toml").read_text()
    folder.write("pyproject.toml", text.replace('"1.0"', '"2.0"'))
    done = folder.passes()

    assert "pyproject.toml changed" in done.err
    assert next((folder.root / ".runenv/show").rglob("mine-2.0.dist-info")).is_dir()
    assert mark.exists()


# A backend of standard library alone, inside the project, that tells what it sees.
TELLS = """
import os, sys
from importlib.metadata import distributions
from library import *
from library import _wheel

def told():
    return {
        "installed": sorted(d.metadata["Name"] for d in distributions() if d.metadata["Name"] not in (None, "pip", "mine")),
        "path": os.environ["PATH"].split(os.pathsep)[0],
        "environment": os.environ.get("VIRTUAL_ENV"),
        "pythonpath": os.environ.get("PYTHONPATH"),
        "sys.path": [p for p in sys.path if "runner" in os.path.basename(os.path.dirname(p))],
        "cwd": os.getcwd(),
        "version": sys.version_info[:2],
    }

def get_requires_for_build_wheel(config_settings=None):
    with open(os.path.join("..", "asked"), "a") as stream:
        stream.write(",".join(told()["installed"]) + ";")
    return open("wants.txt").read().split() if os.path.exists("wants.txt") else []

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {"mine.py": f"value = {told()!r}"})
"""


def telling(folder: Folder, *requires: str, session: str = "") -> None:
    library(folder)
    (folder.root / "backend.py").rename(folder.root / "library.py")
    folder.write("backend.py", TELLS)
    for name in ("one", "two", "three"):
        folder.wheel(name)
    require(folder, *requires)
    folder.envfile(
        f"""
        @runner.session(project="wheel"{session})
        def show(session):
            session.run("python", "-c", "import mine, json; print(json.dumps(mine.value))")
        """
    )


def require(folder: Folder, *requires: str) -> None:
    text = (folder.root / "pyproject.toml").read_text()
    text = re.sub(r"requires = .*", f"requires = {json.dumps(requires)}", text, count=1)
    folder.write("pyproject.toml", text)


def seen(folder: Folder, *arguments: str) -> dict[str, object]:
    """What the backend saw."""
    found: dict[str, object] = json.loads(folder.passes(*arguments).out)
    return found


def test_a_build_sees_what_is_required_and_nothing_of_the_caller(folder: Folder):
    telling(folder, "one")

    told = seen(folder)

    home = str(environment(folder))
    assert told["installed"] == ["one"]
    assert told["path"] == os.path.join(home, "Scripts" if os.name == "nt" else "bin")
    assert told["environment"] == home
    assert told["pythonpath"] is None
    assert told["sys.path"] == []
    assert told["cwd"] == str(folder.root)


@pytest.mark.parametrize("python", ["3.8", "3.10", "3.13"])
def test_each_python_builds_in_an_environment_of_its_own(folder: Folder, python: str):
    telling(folder, "one", session=f", python={python!r}")

    assert seen(folder)["version"] == [int(part) for part in python.split(".")]
    assert environment(folder).name.startswith(f"project-{python}-")


@pytest.mark.parametrize("backend", ["virtualenv", pytest.param("venv", marks=pytest.mark.slow)])
def test_what_comes_with_an_environment_is_not_there_for_a_build(folder: Folder, backend: str):
    telling(folder, "one", session=f", python='3.10', backend={backend!r}")

    assert seen(folder)["installed"] == ["one"]
    assert seen(folder, "--upgrade")["installed"] == ["one"]


def test_a_requirement_that_changes_is_exchanged(folder: Folder):
    telling(folder, "one", "two")
    assert seen(folder)["installed"] == ["one", "two"]

    require(folder, "two", "three")

    assert seen(folder)["installed"] == ["three", "two"]


def test_a_backend_is_asked_where_nothing_is_that_it_asked_for_before(folder: Folder):
    telling(folder, "one")
    folder.write("wants.txt", "two")
    assert seen(folder)["installed"] == ["one", "two"]

    folder.write("wants.txt", "three")
    assert seen(folder)["installed"] == ["one", "three"]
    folder.write("wants.txt", "")

    assert seen(folder)["installed"] == ["one"]
    assert (folder.root.parent / "asked").read_text() == "one;one;one;"


SETUP = """
import os
from setuptools import setup

with open(os.path.join("..", "marks"), "a") as stream:
    stream.write("x")
try:
    import one
    version = one.version
except ImportError:
    version = "0"
setup(name="mine", version=version, packages=["mine"], setup_requires=["one"])
"""


def test_setup_requires_are_asked_for_once_and_then_known(folder: Folder):
    project_of("setup.py", folder)
    folder.wheel("one", "1.5")
    folder.write("setup.py", SETUP)
    marks = folder.root.parent / "marks"

    first = folder.passes()
    assert installs(first.err) == [
        "install setuptools>=40.8.0 to build .",
        ASKED,
        "install one to build .",
        "build .",
    ]
    assert next((folder.root / ".runenv/show").rglob("mine-1.5.dist-info")).is_dir()
    marks.write_text("")
    folder.write("mine/__init__.py", "value = 2\n")
    second = folder.passes()

    assert installs(second.err) == ["build ."]
    assert marks.read_text() == "x"


def test_another_version_of_what_builds_is_asked_again(folder: Folder):
    project_of("flit_core", folder)
    folder.passes()
    (memory,) = (folder.root / ".runenv/.cache/builds").glob("*.json")
    known = json.loads(memory.read_text())
    memory.write_text(json.dumps({**known, "installed": ["old"], "beside": ["old"]}))

    folder.write("mine/__init__.py", "value = 2\n")

    assert installs(folder.passes().err) == [ASKED, "build ."]


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"format": 1, "system": [1, 2, 3]}'])
def test_what_is_remembered_of_a_build_saves_time_and_decides_nothing(folder: Folder, content: str):
    project_of("flit_core", folder)
    folder.passes()
    (memory,) = (folder.root / ".runenv/.cache/builds").glob("*.json")
    memory.write_text(content)

    folder.write("mine/__init__.py", "value = 2\n")

    assert folder.passes().out == "2\n"


@pytest.mark.parametrize("option", ["--fresh", "--upgrade"])
def test_fresh_and_upgrade_make_the_build_environment_anew_and_ask_again(
    folder: Folder, option: str
):
    project_of("flit_core", folder)
    folder.passes()
    mark = environment(folder) / "mark"
    mark.touch()
    folder.envfile(SHOW + SHOW.replace("show", "again"))

    done = folder.passes(option)

    assert installs(done.err) == ["install flit_core to build .", ASKED, "build ."]
    assert not mark.exists()


def test_a_build_environment_that_somebody_changed_is_made_anew(folder: Folder):
    telling(folder, "one")
    seen(folder)
    folder.passes("--clean", "show")
    site = next(environment(folder).rglob("site-packages"))
    make_wheel(site, "two")
    with zipfile.ZipFile(site / "two-1.0-py3-none-any.whl") as archive:
        archive.extractall(site)

    folder.write("src/mine.py", "value = 2\n")

    assert seen(folder)["installed"] == ["one"]


def test_a_build_environment_that_the_question_changed_is_made_anew(folder: Folder):
    telling(folder, "one")
    text = (folder.root / "backend.py").read_text()
    hook = "def get_requires_for_build_wheel(config_settings=None):\n"
    call = "[sys.executable, '-m', 'pip', 'install', 'two']"
    folder.write(
        "backend.py",
        text.replace(hook, f"{hook}    import subprocess; subprocess.run({call}, check=True)\n"),
    )

    assert seen(folder)["installed"] == ["one"]


def test_a_backend_may_be_an_object_of_a_module_in_the_project(folder: Folder):
    library(folder)
    text = (folder.root / "pyproject.toml").read_text()
    folder.write("pyproject.toml", text.replace('"backend"', '"tools.build:backend.hooks"'))
    folder.write("tools/__init__.py", "")
    folder.write(
        "tools/build.py",
        "import backend as module\n\nclass backend:\n    hooks = module\n",
    )
    folder.envfile(SHOW)

    assert folder.passes().out == "1\n"


def test_a_backend_of_the_backend_path_is_taken_from_nowhere_else(folder: Folder):
    telling(folder, "backend")
    folder.wheel("backend")

    assert seen(folder)["installed"] == ["backend"]


def test_a_backend_that_is_not_in_the_backend_path_is_not_found(folder: Folder):
    telling(folder, "one")
    text = (folder.root / "pyproject.toml").read_text()
    folder.write(
        "pyproject.toml", text.replace('build-backend = "backend"', 'build-backend = "one"')
    )

    done = folder.run()

    assert done.code == 1
    assert "one is not in the backend-path" in done.err
    assert "the build of . (what it needs) failed: python exited with code 1" in done.err


def test_a_backend_without_the_hook_is_told(folder: Folder):
    library(folder)
    folder.write("backend.py", "")
    folder.envfile(SHOW)

    done = folder.run()

    assert "the build backend backend has no build_wheel" in done.err
    assert done.code == 1


# What stays the installer's. ----------------------------------------------------------------


@pytest.mark.parametrize("backend", ["uv", "virtualenv"])
def test_constraints_for_builds_are_followed_by_the_installer(folder: Folder, backend: str):
    telling(folder, "one", session=f", backend={backend!r}")
    folder.wheel("one", "2.0")
    limits = folder.write("limits.txt", "one<2\n")
    text = (folder.root / "backend.py").read_text()
    folder.write(
        "backend.py",
        text.replace('sorted(d.metadata["Name"] for', 'sorted(d.metadata["Name"] + d.version for'),
    )
    assert "one2.0" in str(seen(folder)["installed"])

    variable = {"uv": "UV_BUILD_CONSTRAINT", "virtualenv": "PIP_BUILD_CONSTRAINT"}[backend]
    done = folder.passes(env={variable: str(limits)})

    assert "one1.0" in done.out
    assert "one2.0" not in done.out


def test_constraints_for_installs_have_no_say_in_builds(folder: Folder):
    telling(folder, "one")
    folder.wheel("one", "2.0")
    limits = folder.write("limits.txt", "one<2\n")
    text = (folder.root / "backend.py").read_text()
    folder.write(
        "backend.py",
        text.replace('sorted(d.metadata["Name"] for', 'sorted(d.metadata["Name"] + d.version for'),
    )

    assert "one2.0" in folder.passes(env={"UV_CONSTRAINT": str(limits)}).out


# sdists. ------------------------------------------------------------------------------------


def test_setuptools_builds_from_its_sdist(folder: Folder):
    project_of("setuptools", folder)
    folder.envfile(SHOW.replace('"wheel"', '"sdist"'))
    folder.write("mine/data.txt", "not in the sdist")

    first = folder.passes()
    folder.write("mine/__init__.py", "value = 2\n")
    second = folder.passes()

    assert (first.out, second.out) == ("1\n", "2\n")
    assert installs(second.err) == ["build .", ASKED, "build ."]
    assert not list((folder.root / ".runenv/.wheels").glob(".new-*"))


@pytest.mark.parametrize("name", [".hidden", "a b#c%20ü", "x" * 120])
def test_a_project_of_any_name_has_its_build_environment(folder: Folder, name: str):
    folder.root = folder.root / name
    folder.root.mkdir()
    project_of("flit_core", folder)

    assert folder.passes().out == "1\n"
    assert f"deleted .builds/{environment(folder).name}: " in folder.passes("--clean").out


def test_the_history_of_the_project_is_not_that_of_its_sdist(folder: Folder):
    library(folder)
    text = (folder.root / "backend.py").read_text()
    folder.write(
        "backend.py",
        text.replace('{"mine.py": open("src/mine.py").read()}', '{"mine.py": f"value = {top()!r}"}')
        + """
import subprocess, tarfile

def top():
    return subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True).returncode

def build_sdist(folder, config_settings=None):
    with tarfile.open(folder + "/mine-1.0.tar.gz", "w:gz") as archive:
        for name in ("pyproject.toml", "backend.py"):
            archive.add(name, "mine-1.0/" + name)
    return "mine-1.0.tar.gz"
""",
    )
    subprocess.run(["git", "init", "-q", str(folder.root)], check=True)
    folder.envfile(SHOW.replace('"wheel"', '"sdist"'))

    assert folder.passes().out == "128\n"


SDIST = """

def build_sdist(folder, config_settings=None):
    {body}
    return "mine-1.0.tar.gz"
"""
BAD_SDISTS = {
    "nothing is no sdist": "pass",
    "mine-1.0.tar.gz is no sdist: not a gzip file": "open(folder + '/mine-1.0.tar.gz', 'w').write('x' * 99)",
    "mine-1.0.tar.gz is no sdist: it has no folder mine-1.0": "import tarfile; tarfile.open(folder + '/mine-1.0.tar.gz', 'w:gz').close()",
}


@pytest.mark.parametrize("told", BAD_SDISTS)
def test_what_is_no_sdist_is_told(folder: Folder, told: str):
    library(folder)
    text = (folder.root / "backend.py").read_text()
    folder.write("backend.py", text + SDIST.format(body=BAD_SDISTS[told]))
    folder.envfile(SHOW.replace('"wheel"', '"sdist"'))

    done = folder.run()

    assert f"error: {told}" in done.err
    assert done.code == 1


# Together, and killed. ------------------------------------------------------------------------


def test_two_runs_that_build_the_same_build_it_once(folder: Folder):
    telling(folder, "one")
    folder.envfile(SHOW + SHOW.replace("show", "again"))

    runs = [folder.start("show"), folder.start("again")]
    ended = [run.communicate(timeout=120) for run in runs]

    assert [run.returncode for run in runs] == [0, 0], ended
    assert (folder.root.parent / "asked").read_text() == "one;"


WAITS = """
    if os.path.exists("wait"):
        open("waiting", "w").close()
        open("pipe").close()
        os.unlink("wait")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a named pipe of POSIX")
def test_what_a_killed_run_left_building_is_waited_for(folder: Folder):
    telling(folder, "one")
    folder.envfile(SHOW + SHOW.replace("show", "again"))
    text = (folder.root / "backend.py").read_text()
    call = "metadata_directory=None):\n"
    folder.write("backend.py", text.replace(call, call + WAITS.lstrip("\n")))
    folder.write("wait", "")
    os.mkfifo(folder.root / "pipe")

    with folder.start("show") as killed:
        while not (folder.root / "waiting").exists():
            assert killed.poll() is None
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    with folder.start("again") as run:
        assert run.stderr
        told = next(line for line in run.stderr if "waiting for" in line)
        with open(folder.root / "pipe", "w"):
            pass  # what reads it goes on
        out, err = run.communicate(timeout=120)

    assert re.match(
        r"waiting for what process \d+ started and left behind, which makes the same", told
    )
    assert run.returncode == 0, err
    assert "'installed': ['one']" in out


@pytest.mark.skipif(sys.platform == "win32", reason="a process group of POSIX")
@pytest.mark.parametrize("moment", ["install one", "build ."])
def test_a_build_environment_of_a_killed_run_is_right_in_the_next(folder: Folder, moment: str):
    telling(folder, "one")

    with folder.start(start_new_session=True) as run:
        assert run.stderr
        for line in run.stderr:
            if line.startswith(moment):
                break
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()

    assert seen(folder)["installed"] == ["one"]
    assert "build" not in folder.passes().err


# Verbs. -----------------------------------------------------------------------------------------


def test_explain_tells_where_a_build_would_be(folder: Folder):
    telling(folder, "one")
    first = folder.passes("--explain").out
    seen(folder)
    name = os.path.relpath(environment(folder), folder.root)
    folder.write("src/mine.py", "value = 2\n")
    reused = json.loads(folder.passes("--explain", "--json").out)["jobs"][0]
    require(folder, "two")
    rebuilt = folder.passes("--explain").out

    assert f"  builds in    {name}: created\n" in first
    assert reused["builds_in"] == [f"{name}: reused"]
    assert f"  builds in    {name}: rebuilt, build-system.requires changed (one → two)\n" in rebuilt


def test_explain_tells_a_table_that_cannot_be_used(folder: Folder):
    telling(folder)
    folder.write("pyproject.toml", "[build-system]\n")

    done = folder.run("--explain")

    assert done.code == 1
    assert "pyproject.toml: [build-system] cannot be used: it has no requires" in done.out


def test_clean_takes_build_environments_of_no_use(folder: Folder):
    telling(folder, "one")
    seen(folder)
    name = environment(folder).name
    os.utime(folder.root / f".runenv/.locks/.builds-{name}", (0, 0))
    os.utime(environment(folder) / "runenv.json", (0, 0))

    assert "deleted" not in folder.passes("--clean", "--stale=99999").out
    out = folder.passes("--clean", "--stale").out

    assert re.search(rf"deleted \.builds/{name}, not used for \d+ days: ", out)
    assert (folder.root / ".runenv/show").exists()
    assert os.listdir(folder.root / ".runenv/.builds") == []


def test_clean_takes_what_was_half_made_and_removed_beside_build_environments(folder: Folder):
    folder.envfile(SHOW)
    folder.write(".runenv/.builds/.new-x/runenv.json", "{}")
    folder.write(".runenv/.builds/.trash/y/z", "")

    out = folder.passes("--clean").out

    assert "deleted .builds/.new-x, left by a run that was killed: " in out
    assert "deleted what was removed earlier: " in out


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_in_the_place_of_build_environments_is_refused(folder: Folder, tmp_path: Path):
    telling(folder, "one")
    (tmp_path / "mine").mkdir()
    (folder.root / ".runenv").mkdir()
    (folder.root / ".runenv/.builds").symlink_to(tmp_path / "mine")

    done = folder.run()

    assert "/.builds stands where an environment belongs, and it is a link" in done.err
    assert os.listdir(tmp_path / "mine") == []


def test_doctor_counts_build_environments_and_reads_their_journals(folder: Folder):
    telling(folder, "one")
    seen(folder)
    (environment(folder) / "runenv.json").write_text("{}")

    out = folder.run("--doctor").out

    assert ": 2 environments, " in out
    assert f"the journal of .builds/{environment(folder).name} cannot be read" in out
