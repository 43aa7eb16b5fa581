"""Ahead of trouble: a right next run or one clear error, and nothing changed outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, Folder
from tests.features.test_environments import PRINT_INSTALLED, library, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths and mounts of POSIX")

MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"
BACKENDS = pytest.mark.parametrize(
    "backend", ["uv", pytest.param("virtualenv", marks=pytest.mark.slow)]
)


def python_of_its_own(place: Path) -> Path:
    """A Python that has a site-packages of its own: a copy of the program, links to its library."""
    real = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]  # it is there
    library = place / "lib" / MINOR
    (library / "site-packages").mkdir(parents=True)
    (place / "bin").mkdir()
    shutil.copy(real, place / "bin/python")
    for entry in (Path(sys.base_prefix) / "lib" / MINOR).iterdir():
        if entry.name != "site-packages":
            (library / entry.name).symlink_to(entry)
    return place / "bin/python"


def everything_in(place: Path) -> list[str]:
    """All files below a folder but bytecode."""
    return sorted(
        str(path.relative_to(place)) for path in place.rglob("*") if "__pycache__" not in path.parts
    )


# Disks. --------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


@BACKENDS
def test_a_full_disk_is_told_and_the_next_run_with_room_is_right(
    folder: Folder, small_disk: Path, backend: str
):
    folder.environ["UV_CACHE_DIR"] = str(small_disk / "cache")  # so that uv has to write it there
    folder.wheel("big", files={"big.py": "x = '" + os.urandom(3_000_000).hex() + "'\n"})
    folder.envfile(
        f"@runner.session(deps=['big'], backend={backend!r})\ndef show(session):\n    {PRINT_INSTALLED}"
    )
    arguments = ("--envdir", str(small_disk / "envs"))

    full = folder.run(*arguments)
    remount(small_disk, "size=200m")
    with_room = folder.run(*arguments)

    assert full.code == 1
    assert "No space left on device" in full.err
    assert "/runner/" not in full.err.replace(str(folder.root), "")  # no traceback of ours
    assert (with_room.code, with_room.out) == (0, "big1.0\n"), with_room.err


@pytest.mark.measured
def test_a_disk_that_is_full_before_anything_is_written_is_told(folder: Folder, small_disk: Path):
    folder.envfile("@runner.session\ndef show(session): ...")
    with open(small_disk / "filler", "wb") as stream:
        try:
            while True:
                stream.write(bytes(1 << 16))
                stream.flush()
        except OSError:
            pass

    done = folder.run("--envdir", str(small_disk / "envs"))

    assert done.code == 1
    assert "No space left on device" in done.err
    assert done.err.count("error:") == 1
    assert "/runner/" not in done.err.replace(str(folder.root), "")


def test_a_folder_that_cannot_be_written_is_told(folder: Folder, small_disk: Path):
    folder.envfile("@runner.session(deps=[])\ndef show(session): session.run('python', '-V')")
    arguments = ("--envdir", str(small_disk / "envs"))
    remount(small_disk, "size=100m")
    folder.passes(*arguments)
    remount(small_disk, "ro")

    again = folder.run(*arguments)
    fresh = folder.run("--fresh", *arguments)
    remount(small_disk, "rw")

    assert "Read-only file system" in again.err
    assert "Read-only file system" in fresh.err
    assert (again.code, fresh.code) == (1, 1)
    assert again.err.count("error:") == fresh.err.count("error:") == 1
    assert "environment: reused" in folder.passes(*arguments).err


# Pythons. -------------------------------------------------------------------------


@BACKENDS
def test_a_python_that_is_gone_is_told_and_one_in_its_place_is_used(
    folder: Folder, tmp_path: Path, backend: str
):
    folder.wheel("one")
    python = python_of_its_own(tmp_path / "py")
    folder.envfile(
        f"@runner.session(deps=['one'], python={str(python)!r}, backend={backend!r})\n"
        f"def show(session):\n    {PRINT_INSTALLED}"
    )
    assert lines(folder)[0] == "one1.0"
    kept = python.read_bytes()
    python.unlink()

    gone = folder.run()
    python.write_bytes(kept)
    python.chmod(0o755)
    out, told = lines(folder)

    assert gone.code == 1
    assert f"{str(python)!r} cannot be used as a Python" in gone.err
    assert out == "one1.0"
    assert told.startswith("rebuilt")
    assert "interpreter's file changed" in told


DAMAGES = {
    "no pyvenv.cfg": "rm pyvenv.cfg",
    "an empty pyvenv.cfg": ": > pyvenv.cfg",
    "no lib": "rm -r lib",
    "no bin": "rm -r bin",
    "python no program": "rm bin/python; echo x > bin/python",
    "python not executable": "rm bin/python; cp /bin/true bin/python; chmod 644 bin/python",
    "nothing but the journal": "rm -r bin lib pyvenv.cfg",
}


@BACKENDS
@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_is_installed_into_the_python_of_a_damaged_environment(
    folder: Folder, tmp_path: Path, backend: str, damage: str
):
    for name in ("one", "two"):
        folder.wheel(name)
    python = python_of_its_own(tmp_path / "py")
    before = everything_in(tmp_path / "py")
    body = (
        f"@runner.session(python={str(python)!r}, backend={backend!r})\n"
        "def show(session):\n    session.install('one')\n    session.install(*session.posargs)\n"
        f"    {PRINT_INSTALLED}"
    )
    folder.envfile(body.replace("(*session.posargs)", "('two')"))
    folder.passes()
    subprocess.run(["/bin/sh", "-c", DAMAGES[damage]], cwd=folder.root / ".runenv/show", check=True)

    assert lines(folder)[0] == "one1.0 two1.0"
    assert everything_in(tmp_path / "py") == before


# What the caller has set. ---------------------------------------------------------


def installing(backend: str) -> str:
    return (
        f"@runner.session(deps=['one'], backend={backend!r})\n"
        "def show(session):\n    session.install('two')\n"
        f"    {PRINT_INSTALLED}\n"
        "    session.run('python', '-c', 'import one, two')\n"
    )


@BACKENDS
def test_where_the_caller_installs_to_is_not_where_we_do(
    folder: Folder, tmp_path: Path, backend: str
):
    folder.wheel("one", requires=("three",))
    for name in ("two", "three"):
        folder.wheel(name)
    elsewhere = tmp_path / "elsewhere"
    # Set where our own Python has started, which they would lead astray as any other.
    hindering = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
    folder.envfile(
        f"import os\nos.environ.update({dict.fromkeys(hindering, str(elsewhere))!r})\n"
        + installing(backend)
    )
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "one.py").write_text("raise SystemExit('not ours')")
    env = {
        "PIP_TARGET": str(elsewhere),
        "PIP_PREFIX": str(elsewhere),
        "PIP_ROOT": str(elsewhere),
        "PIP_USER": "1",
        "PIP_PYTHON": str(elsewhere),
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_DRY_RUN": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(hostile)]),
        "PYTHONUSERBASE": str(elsewhere),
        "VIRTUAL_ENV": str(elsewhere),
        "CONDA_PREFIX": str(elsewhere),
        "UV_PROJECT": str(elsewhere),
        "UV_PROJECT_ENVIRONMENT": str(elsewhere),
        "UV_PYTHON": str(elsewhere),
        "UV_SYSTEM_PYTHON": "1",
        "UV_WORKING_DIR": str(elsewhere),
        "UV_WORKING_DIRECTORY": str(elsewhere),
        "UV_DRY_RUN": "1",
    }

    done = folder.passes(env=env)

    assert done.out == "one1.0 three1.0 two1.0\n"
    assert not elsewhere.exists()


def test_pythonhome_of_the_caller_is_not_ours(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(installing("uv"))

    assert folder.passes(env={"PYTHONHOME": sys.base_prefix}).out == "one1.0 two1.0\n"


def test_pip_no_deps_is_followed_and_known(folder: Folder):
    folder.wheel("one", requires=("three",))
    for name in ("two", "three"):
        folder.wheel(name)
    folder.envfile(installing("virtualenv"))

    assert lines(folder)[0] == "one1.0 three1.0 two1.0"
    without = folder.passes(env={"PIP_NO_DEPS": "1"})

    assert without.out == "one1.0 two1.0\n"
    assert "$PIP_NO_DEPS added" in without.err
    assert lines(folder)[0] == "one1.0 three1.0 two1.0"


@pytest.mark.parametrize(
    "setting", ["user = true", "target = {elsewhere}", "prefix = {elsewhere}", "root = {elsewhere}"]
)
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["virtualenv"])
def test_what_pip_conf_says_of_places_is_not_followed(
    folder: Folder, tmp_path: Path, setting: str, backend: str
):
    elsewhere = tmp_path / "elsewhere"
    folder.wheel("one")
    folder.wheel("two")
    library(folder)
    folder.write("pip.conf", f"[install]\n{setting.format(elsewhere=elsewhere)}\n")
    folder.envfile(installing(backend).replace("deps=['one']", "deps=['one'], project='wheel'"))

    done = folder.run(env={"PIP_CONFIG_FILE": str(folder.root / "pip.conf")})

    name = setting.split()[0]
    if name == "user":
        assert done.out == "mine1.0 one1.0 two1.0\n", done.err
    else:
        assert done.code == 1
        assert f"the setting {name!r} sends what is installed elsewhere" in done.err
    assert not elsewhere.exists()


@pytest.mark.parametrize("setting", ["target", "prefix", "python", "system"])
def test_what_uv_toml_says_of_places_is_not_followed(folder: Folder, tmp_path: Path, setting: str):
    elsewhere = tmp_path / "elsewhere"
    folder.wheel("one")
    folder.wheel("two")
    value = "true" if setting == "system" else f"'{elsewhere}'"
    folder.write("uv.toml", f"[pip]\n{setting} = {value}\n")
    folder.envfile(installing("uv"))

    done = folder.run()

    if setting in ("target", "prefix"):
        assert done.code == 1
        assert f"the setting {setting!r} sends what is installed elsewhere" in done.err
        assert done.err.count("error:") == 1
    else:
        assert done.out == "one1.0 two1.0\n"
    assert not elsewhere.exists()


def test_without_a_home_all_is_as_ever(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.envfile(installing("uv"))
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "USER", "LOGNAME"):
        folder.environ.pop(name, None)

    assert lines(folder)[0] == "one1.0 two1.0"
    assert lines(folder)[1].startswith("reused")


@BACKENDS
def test_modules_of_the_project_with_names_of_the_standard_library_are_in_nobodys_way(
    folder: Folder, backend: str
):
    folder.wheel("one")
    folder.wheel("two")
    for name in (
        "logging",
        "json",
        "runner",
        "subprocess",
        "typing",
        "pip",
        "uv",
        "virtualenv",
        "email",
        "zipfile",
    ):
        folder.write(f"{name}.py", "raise SystemExit('a module of the project')\n")
    text = installing(backend).replace('"python", "-c"', '"python", "-I", "-c"')
    text = text.replace("'python', '-c'", "'python', '-I', '-c'")
    folder.envfile(text + "    session.run('pip', 'list', silent=True)\n")

    # From elsewhere: `python -m runner` would take the project's runner.py for us.
    done = folder.run("-C", str(folder.root), cwd=folder.root.parent)

    assert (done.code, done.out) == (0, "one1.0 two1.0\n"), done.err


# Places. -------------------------------------------------------------------------

NAMES = {
    "blanks": "a b  c",
    "quotes": 'it\'s "quoted"',
    "shell": "$HOME `x` & ; | * ?",
    "percent": "100%s {x} #y",
    "not ascii": "Grüße 東京 🐍",
    "a line end": "two\nlines",
    "a dash": "-rf",
    "127 bytes": "x" * 127,
    "255 bytes": "y" * 255,
    "deep": "/".join(["deep" * 20] * 3),
}


@BACKENDS
@pytest.mark.parametrize("name", NAMES)
def test_a_project_lies_where_it_lies(folder: Folder, backend: str, name: str):
    folder.wheel(
        "tool", scripts={"tool": "tool:main"}, files={"tool.py": "def main(): print('ran')\n"}
    )
    folder.root = folder.root / NAMES[name]
    folder.root.mkdir(parents=True)
    library(folder)
    folder.envfile(
        f"""
        @runner.session(deps=["tool"], project="wheel", backend={backend!r})
        def show(session):
            session.run("tool")
            session.run("python", "-c", "import mine; print(mine.value)")
            session.run("pip", "--version", silent=True)
        """
    )

    done = folder.run()

    if done.code:
        assert done.err.count("error:") == 1, done.err
        assert name == "a line end" or (backend, name) in [("virtualenv", "quotes"), ("virtualenv", "shell")]  # fmt: skip
    else:
        assert done.out == "ran\n1\n"
        assert "environment: reused" in folder.passes().err


@BACKENDS
def test_a_colon_in_the_place_of_environments_is_told(folder: Folder, backend: str):
    folder.root = folder.root / "a:b"
    folder.root.mkdir()
    folder.envfile(f"@runner.session(backend={backend!r})\ndef show(session): ...")

    done = folder.run()

    assert done.code == 1
    assert done.err.count("error:") == 1
    assert "has a ':' in it" in done.err
    folder.passes("--envdir", str(folder.root.parent / "envs"))


def test_links_among_our_own_files_lead_nowhere(folder: Folder, tmp_path: Path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    (folder.root / ".runenv").mkdir()
    (folder.root / ".runenv/.new-show").symlink_to(precious)

    done = folder.run()

    assert everything_in(precious) == ["data"]
    assert (precious / "data").read_text() == "mine"
    assert done.code == 0
    assert not (folder.root / ".runenv/show").is_symlink()


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_what_stands_where_the_environment_folder_belongs_stays(
    folder: Folder, tmp_path: Path, kind: str
):
    folder.envfile("@runner.session\ndef show(session): session.run('python', '-V')")
    place = folder.root / ".runenv"
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "elsewhere")
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere/data").write_text("mine")

    done = folder.run("--fresh")

    if kind == "file":
        assert done.code == 1
        assert done.err.count("error:") == 1
        assert place.read_text() == "mine"
    elif kind == "link":
        assert done.code == 0  # a larger disk, say
        assert (tmp_path / "elsewhere/data").read_text() == "mine"


# Names. ---------------------------------------------------------------------------

LONG = "x" * 500


@pytest.mark.parametrize(
    "name",
    ["..", "../up", "a/b", "a\\b", ".", ".locks", ".new-show", "-x", "a b", "a\tb", "a\x00b", "a\x1b[0m", "", " ", "a:b", "a*", "🐍", "con", "nul.txt", LONG, "é", "e\u0301", "CACHEDIR.TAG", "a.", "...", ".key", "~", "%2e%2e"],
)  # fmt: skip
def test_a_name_is_a_folder_of_its_own_or_an_error(folder: Folder, name: str):
    folder.envfile(f"@runner.session(name={name!r})\ndef show(session): print(session.env_dir)")

    done = folder.run()

    envs = folder.root / ".runenv"
    if done.code == 2:
        assert done.err.count("error:") == 1
        assert not envs.exists()
        return
    assert done.code == 0, done.err
    made = Path(done.out.rstrip("\n"))
    assert made.parent == envs
    assert len(os.fsencode(made.name)) < 120
    assert not made.name.startswith(".")
    assert (made / "runenv.json").is_file()
    assert sorted(p.name for p in folder.root.iterdir()) == [".runenv", "envfile.py"]


def test_names_that_are_almost_the_same_have_folders_that_differ(folder: Folder):
    names = ["lint", "Lint", "LINT", "a.b", "a-b", "a_b", "a+b", "x" * 500, "x" * 499 + "y"]  # fmt: skip
    ids = ["old", "OLD", "Old"]
    folder.envfile(
        f"""
        for n, name in enumerate({names!r}):
            @runner.session(name=name, python=None)
            def f(session): print(session.env_dir)

        @runner.session
        @runner.parametrize("x", [runner.param(1, id=i) for i in {ids!r}])
        def family(session, x): print(session.env_dir)
        """
    )

    done = folder.passes()

    made = done.out.splitlines()
    folded = {unicodedata.normalize("NFC", path).casefold() for path in made}
    assert len(folded) == len(made) == len(names) + len(ids)


def test_a_store_that_cannot_be_used_is_told_once_in_a_run(folder: Folder):
    store = folder.write("file", "") / "store"
    folder.envfile(
        """
        @runner.session
        def one(session): ...

        @runner.session
        def two(session): ...
        """
    )

    err = folder.passes(f"--store={store}").err

    assert err.count("warning: ") == 1
    assert (
        f"warning: the store cannot be used: {store}: Not a directory;"
        " name another folder with --store=DIR, or --store=none\n"
    ) in err
