"""The project's wheel: built once for each content, replaced alone when only sources changed."""

from __future__ import annotations

import json
import shutil
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import virtualenv

from tests.conftest import FULL, Folder
from tests.features.test_environments import PRINT_INSTALLED, library, lines

pytestmark = pytest.mark.measured

MANY = """
    @runner.session(python=["3.10", "3.13"], project="wheel")
    @runner.parametrize("n", [1, 2, 3, 4, 5])
    def tests(session, n):
        session.run("python", "-c", "import mine; print(mine.value)")
    """


def builds(folder: Folder) -> int:
    """How often the project was built: its backend leaves a mark."""
    marks = folder.root.parent / "builds"
    return len(marks.read_text()) if marks.exists() else 0


def counted_library(folder: Folder, code: str = "value = 1") -> None:
    """The library with a backend that counts how often it is asked for a wheel."""
    library(folder, code)
    backend = folder.root / "backend.py"
    backend.write_text(
        backend.read_text().replace(
            "def build_wheel(folder, config_settings=None, metadata_directory=None):\n",
            "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
            f"    open({str(folder.root.parent / 'builds')!r}, 'a').write('x')\n",
        )
    )


def test_ten_jobs_on_two_pythons_build_one_wheel(folder: Folder):
    counted_library(folder)
    folder.envfile(MANY)

    assert folder.passes().out == "1\n" * 10
    assert builds(folder) == 1


def test_unchanged_sources_build_none(folder: Folder):
    counted_library(folder)
    folder.envfile(MANY)
    folder.passes()

    folder.passes()
    folder.passes("--clean")
    folder.passes()

    assert builds(folder) == 1


def test_changed_sources_build_one_and_replace_it_in_all(folder: Folder):
    counted_library(folder)
    folder.envfile(MANY)
    folder.passes()

    folder.write("src/mine.py", "value = 2\n")
    done = folder.passes()

    assert done.out == "2\n" * 10
    assert done.err.count("wheel replaced") == 10
    assert builds(folder) == 2


def test_going_back_to_what_was_built_before_builds_nothing(folder: Folder):
    counted_library(folder)
    folder.envfile(MANY)
    folder.passes("tests-3.10-n1")
    folder.write("src/mine.py", "value = 2\n")
    folder.passes("tests-3.10-n1")

    folder.write("src/mine.py", "value = 1\n")

    assert folder.passes("tests-3.10-n1").out == "1\n"
    assert builds(folder) == 2


def test_the_line_of_a_run_names_the_files_that_changed(folder: Folder):
    library(folder)
    folder.envfile(MANY)
    folder.passes("tests-3.10-n1")

    for number in range(5):
        folder.write(f"src/new{number}.py", "")
    folder.write("src/mine.py", "value = 2\n")

    assert (
        "sources of . changed (src/mine.py, +src/new0.py, +src/new1.py and 3 more)"
        in folder.passes("tests-3.10-n1").err
    )


def test_where_the_old_wheel_is_gone_the_files_are_not_named(folder: Folder):
    library(folder)
    folder.envfile(MANY)
    folder.passes("tests-3.10-n1")
    shutil.rmtree(folder.root / ".runenv/.wheels")

    folder.write("src/mine.py", "value = 2\n")

    assert "sources of . changed (cpython" in folder.passes("tests-3.10-n1").err


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_what_is_kept_of_sources_decides_nothing(folder: Folder, content: str):
    library(folder)
    folder.envfile(MANY)
    folder.passes("tests-3.10-n1")
    (kept,) = (folder.root / ".runenv/.wheels").glob("*/*/sources-*.json")
    kept.write_text(content)

    folder.write("src/mine.py", "value = 2\n")

    assert folder.passes("tests-3.10-n1").out == "2\n"


def test_what_is_kept_of_sources_tells_nothing_of_what_they_hold(folder: Folder):
    library(folder)
    folder.envfile(MANY)
    folder.write("src/password", "1234")
    folder.passes("tests-3.10-n1")
    (kept,) = (folder.root / ".runenv/.wheels").glob("*/*/sources-*.json")

    assert json.loads(kept.read_text()).keys() >= {"src/mine.py", "src/password"}
    assert sha256(b"1234").hexdigest()[:16] not in kept.read_text()


@pytest.mark.parametrize("option", ["--fresh", "--upgrade"])
def test_fresh_and_upgrade_build_again_once(folder: Folder, option: str):
    counted_library(folder)
    folder.envfile(MANY)
    folder.passes()

    folder.passes(option)

    assert builds(folder) == 2


@pytest.mark.parametrize("backend", ["uv", "virtualenv"])
def test_a_wheel_with_other_needs_rebuilds(folder: Folder, backend: str):
    folder.wheel("tool")
    library(folder)
    folder.envfile(
        f"""
        @runner.session(project="wheel", backend="{backend}")
        def show(session):
            {PRINT_INSTALLED}
        """
    )
    assert lines(folder)[0] == "mine1.0"

    backend_py = folder.root / "backend.py"
    text = backend_py.read_text()
    backend_py.write_text(text.replace("Provides-Extra", "Requires-Dist: tool\\nProvides-Extra"))
    out, told = lines(folder)

    assert out == "mine1.0 tool1.0"
    assert told.startswith("rebuilt")
    assert "sources of . changed (backend.py), and its metadata" in told


@pytest.mark.parametrize("backend", ["uv", "virtualenv", "venv"])
def test_a_module_that_is_gone_from_the_sources_is_gone(folder: Folder, backend: str):
    library(folder)
    backend_py = folder.root / "backend.py"
    backend_py.write_text(
        backend_py.read_text().replace(
            '{"mine.py": open("src/mine.py").read()}',
            "{n: open(f'src/{n}').read() for n in ('mine.py', 'sub/__init__.py') if os.path.exists(f'src/{n}')}",
        )
    )
    folder.write("src/sub/__init__.py", "")
    folder.envfile(
        f"""
        @runner.session(project="wheel", backend="{backend}")
        def show(session):
            session.run("python", "-c", "import importlib.util as u; import mine\\ntry: import sub\\nexcept ImportError: print('gone')\\nelse: print('there')")
        """
    )
    assert lines(folder)[0] == "there"

    (folder.root / "src/sub/__init__.py").unlink()
    out, told = lines(folder)

    assert (out, told.split(" in ")[0]) == ("gone", "wheel replaced")


def test_session_install_of_the_project_uses_the_same_wheel(folder: Folder):
    counted_library(folder)
    folder.wheel("tool")
    folder.envfile(
        f"""
        @runner.session(project="wheel")
        def declared(session):
            {PRINT_INSTALLED}

        @runner.session
        def imperative(session):
            session.install(".[more]")
            {PRINT_INSTALLED}
        """
    )

    assert folder.passes().out == "mine1.0\nmine1.0 tool1.0\n"
    assert builds(folder) == 1

    folder.write("src/mine.py", "value = 2\n")
    done = folder.passes("imperative")
    assert "wheel replaced" in done.err
    assert done.out == "mine1.0 tool1.0\n"


def test_a_wheel_is_replaced_beside_what_a_command_did(folder: Folder):
    library(folder)
    folder.wheel("tool")
    folder.envfile(
        f"""
        @runner.session
        def show(session):
            session.run("pip", "install", "tool", silent=True)
            session.install(".")
            {PRINT_INSTALLED}
        """
    )
    folder.passes()
    folder.write("src/mine.py", "value = 2\n")

    assert folder.passes().out == "mine1.0 tool1.0\n"
    assert "rebuilt" in folder.passes().err


def test_a_build_that_fails_shows_its_output_and_leaves_nothing(folder: Folder):
    library(folder)
    backend_py = folder.root / "backend.py"
    good = backend_py.read_text()
    backend_py.write_text(
        good.replace("def _wheel(", "print('no compiler here')\n1 / 0\ndef _wheel(")
    )
    folder.envfile(MANY)

    done = folder.run("tests-3.10-n1")

    assert done.code == 1
    assert "no compiler here" in done.err
    assert "the build of . (what it needs) failed" in done.err
    assert list((folder.root / ".runenv/.wheels").rglob("*")) == []
    backend_py.write_text(good)
    assert folder.passes("tests-3.10-n1").out == "1\n"


def test_a_wheel_for_one_python_is_built_for_each(folder: Folder):
    counted_library(folder)
    backend = folder.root / "backend.py"
    tag = 'TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}-none-any"'
    text = backend.read_text().replace("import base64", f"import sys\n{tag}\nimport base64")
    text = text.replace("Tag: py3-none-any\\n", 'Tag: " + TAG + "\\n').replace(
        "-py3-none-any.whl", "-{TAG}.whl"
    )
    backend.write_text(text)
    folder.envfile(MANY)

    assert folder.passes().out == "1\n" * 10
    assert builds(folder) == 2


def test_sdist_first_finds_a_file_that_is_missing_there(folder: Folder):
    library(folder)
    backend = folder.root / "backend.py"
    backend.write_text(
        backend.read_text()
        + """
import tarfile

def build_sdist(folder, config_settings=None):
    name = f"{NAME}-{VERSION}.tar.gz"
    with tarfile.open(os.path.join(folder, name), "w:gz") as archive:
        for member in ["pyproject.toml", "backend.py", *(["src/mine.py"] if os.path.exists("whole") else [])]:
            archive.add(member, f"{NAME}-{VERSION}/{member}")
        import io
        info = tarfile.TarInfo(f"{NAME}-{VERSION}/PKG-INFO")
        data = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: {VERSION}\\n".encode()
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return name
"""
    )
    folder.envfile(
        """
        @runner.session(project="sdist")
        def show(session):
            session.run("python", "-c", "import mine; print(mine.value)")
        """
    )

    broken = folder.run()
    folder.write("whole", "")
    whole = folder.passes()

    assert broken.code == 1
    assert "src/mine.py" in broken.err
    assert whole.out == "1\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder has these characters on POSIX alone")
def test_a_project_in_an_odd_folder_is_built_and_installed(folder: Folder):
    folder.root = folder.root / "a b#c%20ü"
    folder.root.mkdir()
    library(folder)
    folder.envfile(MANY)

    assert folder.passes("tests-3.10-n1").out == "1\n"


SETUPTOOLS = """
    [build-system]
    requires = ["setuptools"]
    build-backend = "setuptools.build_meta"

    [project]
    name = "mine"
    version = "1.0"

    [tool.setuptools]
    packages = ["mine", "mine.sub"]
    """


def setuptools_library(folder: Folder) -> None:
    """A project that setuptools builds: the wheel that virtualenv brings is found offline."""
    embedded = Path(virtualenv.__file__).parent / "seed" / "wheels" / "embed"
    newest = max(
        embedded.glob("setuptools-*.whl"), key=lambda p: int(p.name.split("-")[1].split(".")[0])
    )
    shutil.copy(newest, folder.wheels)
    folder.write("pyproject.toml", SETUPTOOLS)
    folder.write("mine/__init__.py", "value = 1\n")
    folder.write("mine/sub/__init__.py", "")
    folder.write("mine/sub/old.py", "")
    folder.envfile(
        """
        @runner.session(project="wheel")
        def show(session):
            session.run("python", "-I", "-c", "import importlib.util as u; print(u.find_spec('mine.sub.old') is not None)")
        """
    )


def test_setuptools_keeps_no_module_that_was_deleted(folder: Folder):
    setuptools_library(folder)
    assert lines(folder)[0] == "True"
    assert not (folder.root / "build").exists()

    (folder.root / "mine/sub/old.py").unlink()

    assert lines(folder)[0] == "False"


def test_what_an_earlier_build_left_is_neither_used_nor_deleted(folder: Folder):
    setuptools_library(folder)
    left = folder.write("build/lib/mine/sub/gone.py", "")
    (folder.root / "mine/sub/old.py").rename(folder.root / "old.txt")
    folder.write("build/lib/mine/sub/old.py", "")

    assert lines(folder)[0] == "False"
    assert left.exists()


IN_PLACE = {
    "deps": "@runner.session(deps=['.'])\ndef show(session):\n",
    "a file": "@runner.session(requirements=['r.txt'])\ndef show(session):\n",
    "an option": "@runner.session\ndef show(session):\n    session.install('.', '--config-settings', 'x=y')\n",
}


@pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])
@pytest.mark.parametrize("left", [pytest.param(False, marks=FULL), True])
@pytest.mark.parametrize("way", ["deps", pytest.param("a file", marks=FULL), "an option"])
def test_what_the_installer_builds_itself_has_no_module_that_was_deleted(
    folder: Folder, way: str, left: bool, backend: str
):
    setuptools_library(folder)
    folder.environ["RUNENV_BACKEND"] = backend
    folder.write("r.txt", "./\n")
    shown = (folder.root / "envfile.py").read_text().rpartition("def show(session):\n")[2]
    folder.envfile(IN_PLACE[way] + shown)
    if left:  # by a build of the user's own
        folder.write("build/lib/mine/sub/old.py", "")
    assert lines(folder)[0] == "True"

    (folder.root / "mine/sub/old.py").unlink()

    assert lines(folder)[0] == "False"
    assert (folder.root / "build").exists() == left


def test_a_project_of_loose_modules_is_told_what_setuptools_needs(folder: Folder):
    setuptools_library(folder)
    shutil.rmtree(folder.root / "mine")
    folder.write("mine.py", "")
    folder.write("pyproject.toml", SETUPTOOLS.partition("[tool")[0])

    done = folder.run()

    assert done.code == 1
    assert 'py-modules = ["mymodule"] in pyproject.toml' in done.err
