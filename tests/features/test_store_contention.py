"""The store under many processes, kills, and disks that cannot: environments whole, the store consistent.

No moment is chosen by a clock: a run is killed when so many files are there, the
number drawn with a seed that an assertion's message tells. TESTS_FULL=1 makes fifty
rounds of the few of every run.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import FULL, Folder
from tests.features.test_crashes import kill_group, wait_until
from tests.features.test_trouble import remount
from tests.stores import (
    differences,
    from_store,
    images,
    left_over,
    project,
    record_troubles,
    snapshot,
    told,
    write_wheel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
]

ALL = os.environ.get("TESTS_FULL") == "1"
PROCESSES = 8
BACKENDS = pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])

SHOW = """
@runner.session(deps=["one", "two"], backend={backend!r})
def show(session):
    session.run("python", "-c", "import one, one.m7, two, sys; print(one.version, one.m7.x, two.version, sys.prefix)")
"""


def write_wheels(wheels: Path) -> None:
    members: dict[str, bytes | str] = {
        f"one/m{number}.py": f"x = {number}\n" for number in range(40)
    }
    members["one/__init__.py"] = "version = '1.0'\n"
    write_wheel(wheels, "one", members=dict(members), entry_points="[console_scripts]\none = one:version\n")  # fmt: skip
    write_wheel(wheels, "two", members={"two.py": "version = '1.0'\n"})


def projects(tmp_path: Path, uv_cache: Path, backend: str) -> list[Folder]:
    """As many projects of equal needs as there are processes, with one store."""
    found = [project(tmp_path, uv_cache, f"p{number}") for number in range(PROCESSES)]
    write_wheels(found[0].wheels)
    for folder in found:
        folder.envfile(SHOW.format(backend=backend))
    return found


def right(folder: Folder) -> str:
    """What a run of a project prints when it is right."""
    return f"1.0 7 1.0 {folder.root}/.runenv/show\n"


def count(*folders: Path) -> int:
    """How many files and folders there are in these."""
    return sum(len(names) + len(files) for top in folders for _, names, files in os.walk(top))


def normal(folder: Folder) -> dict[str, tuple[str, int, bytes]]:
    """The project's environment, with its place written as HERE."""
    here = str(folder.root / ".runenv/show").encode()
    return {
        name: (kind, mode, content.replace(here, b"HERE"))
        for name, (kind, mode, content) in snapshot(folder.root / ".runenv/show").items()
        if not name.endswith("/RECORD")  # the digest of a script tells of its place
    }


def assert_whole(
    folders: list[Folder], store: Path, what: str, killed: list[Folder] | None = None
) -> None:
    """Every project's next run is right, and the environments and the store are whole.

    killed: those of which the run after that is looked at too; None for all.
    """
    for folder in folders:
        done = folder.run()
        assert (done.code, done.out) == (0, right(folder)), f"{what}\n{done.err}"
        if killed is None or folder in killed:
            again = folder.run()
            assert (again.code, again.out) == (0, right(folder)), f"{what}\n{again.err}"
            assert told(again.err)[0].startswith("reused"), f"{what}\n{done.err}\n{again.err}"
        assert record_troubles(folder.root / ".runenv/show") == [], what
        assert not [p.name for p in (folder.root / ".runenv").glob(".new*")], what
    for folder in folders[1:]:
        assert differences(normal(folders[0]), normal(folder)) == [], what
    doctor = folders[0].run("--doctor", "--deep")
    assert "store" not in "".join(line for line in doctor.out.splitlines() if "✗" in line or "!" in line), f"{what}\n{doctor.out}"  # fmt: skip
    assert doctor.code == 0, f"{what}\n{doctor.out}"
    assert images(store), what


# Rounds of one test: few, since a test that takes two minutes is taken for one that hangs.
ROUNDS = {"uv": 2, "virtualenv": 1}


@pytest.mark.parametrize(
    ("backend", "first"),
    [(b, n) for b, some in ROUNDS.items() for n in range(0, 50 if ALL else some, some)],
)
def test_eight_processes_build_and_clone_one_image_and_some_are_killed(
    tmp_path: Path, uv_cache: Path, backend: str, first: int
):
    folders = projects(tmp_path, uv_cache, backend)
    store = tmp_path / "store"
    folders[0].passes()
    whole = count(folders[0].root / ".runenv", store)

    for number in range(first, first + ROUNDS[backend]):
        chance = random.Random(number)
        for folder in folders:
            if chance.random() < 0.7:  # the others are reused, or found half made
                shutil.rmtree(folder.root / ".runenv", ignore_errors=True)
        if number % 3 != 2:  # else all of them clone what is there
            shutil.rmtree(store, ignore_errors=True)
        runs = [folder.start(start_new_session=True) for folder in folders]
        victims = chance.sample(range(PROCESSES), chance.randint(1, 4))
        for victim in victims:
            places = (store, folders[victim].root / ".runenv")
            enough = count(*places) + chance.randint(0, whole)
            wait_until(lambda enough=enough, places=places: count(*places) >= enough, runs[victim])
            kill_group(runs[victim])
            assert runs[victim].returncode in (0, -signal.SIGKILL), f"round {number}"
        for survivor in sorted({*range(PROCESSES)} - {*victims}):
            out, err = runs[survivor].communicate(timeout=120)
            ended = (runs[survivor].returncode, out)
            assert ended == (0, right(folders[survivor])), f"round {number}\n{err}"

        killed = [folders[victim] for victim in victims]
        assert_whole(folders, store, f"{backend}, round {number}", killed)

    folders[0].passes("--clean", "--store")
    assert left_over(store) == []
    assert_whole(folders, store, "after --clean --store") if images(store) else None


def test_eight_first_runs_at_once_make_one_image(tmp_path: Path, uv_cache: Path):
    folders = projects(tmp_path, uv_cache, "uv")

    runs = [folder.start() for folder in folders]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [(out, code) for out, _, code in ended] == [(right(folder), 0) for folder in folders]
    assert len(images(tmp_path / "store")) == 1
    assert left_over(tmp_path / "store") == []
    assert_whole(folders, tmp_path / "store", "first runs")


# What is there in the order in which a run makes it.
MOMENTS = [
    "{store}/images",
    "{store}/images/*/tree",
    "{store}/images/*/tree/lib",
    "{store}/images/*/tree/lib/*/site-packages/one",
    "{store}/images/*/image.json",
    "{store}/images/*/runenv.files.json",
    "{store}/locks/*",
    "{store}/known/*",
    "{store}/images/.new*",
    "{store}/images/.new*/tree/lib/*/site-packages/one/m7.py",
]


@pytest.mark.parametrize("moment", MOMENTS)
@BACKENDS
def test_a_run_that_is_killed_while_it_keeps_an_image(
    tmp_path: Path, uv_cache: Path, backend: str, moment: str
):
    folders = projects(tmp_path, uv_cache, backend)[:2]
    store = tmp_path / "store"
    pattern = moment.partition("{store}/")[2]

    run = folders[0].start(start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    wait_until(lambda: any(True for _ in store.glob(pattern)), run)
    kill_group(run)

    assert_whole(folders, store, moment)


@pytest.mark.parametrize("tenth", [0, 3, 6, 9, *(pytest.param(n, marks=FULL) for n in (1, 2, 4, 5, 7, 8))])  # fmt: skip
def test_a_clone_that_is_killed_at_each_of_its_files(tmp_path: Path, uv_cache: Path, tenth: int):
    folders = projects(tmp_path, uv_cache, "uv")[:2]
    store = tmp_path / "store"
    folders[0].passes()
    folders[1].passes()
    whole = count(folders[1].root / ".runenv")
    shutil.rmtree(folders[1].root / ".runenv")

    run = folders[1].start(start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    wait_until(lambda: count(folders[1].root / ".runenv") >= whole * tenth // 10, run)
    kill_group(run)

    assert_whole(folders, store, f"{tenth} of 10")


def test_images_that_are_cleaned_while_they_are_linked_harm_nobody(tmp_path: Path, uv_cache: Path):
    folders = projects(tmp_path, uv_cache, "uv")

    for number in range(20 if ALL else 2):
        folders[0].passes()
        for folder in folders[1:]:
            shutil.rmtree(folder.root / ".runenv", ignore_errors=True)
        runs = [folder.start() for folder in folders[1:]]
        cleaner = folders[0].start("--clean", "--store", cwd=tmp_path / "p0")
        ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]
        cleaner.communicate(timeout=120)

        wanted = [(right(folder), 0) for folder in folders[1:]]
        assert [(out, code) for out, _, code in ended] == wanted, f"round {number}\n{ended}"
    assert_whole(folders, tmp_path / "store", "after cleaning")


def test_what_a_killed_run_left_in_the_store_is_gone_after_cleaning(tmp_path: Path, uv_cache: Path):
    folders = projects(tmp_path, uv_cache, "uv")[:2]
    store = tmp_path / "store"
    for number in range(12):
        shutil.rmtree(store, ignore_errors=True)
        shutil.rmtree(folders[0].root / ".runenv", ignore_errors=True)
        run = folders[0].start(start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        wait_until(lambda number=number: count(store) >= 6 * number, run)
        kill_group(run)
        folders[1].passes("--clean", "--store")

        assert left_over(store) == [], number
    assert_whole(folders, store, "after cleaning")


# Disks that cannot. --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, uv_cache: Path) -> Folder:
    """A project with a store of the test's own."""
    folder = project(tmp_path, uv_cache)
    write_wheels(folder.wheels)
    folder.envfile(SHOW.format(backend="uv"))
    return folder


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def assert_right_twice(folder: Folder) -> str:
    """A first run and one that reuses are right; what the first said."""
    first = folder.run()
    assert (first.code, first.out) == (0, right(folder)), first.err
    assert "Traceback" not in first.err
    second = folder.run()
    assert (second.code, second.out) == (0, right(folder)), second.err
    assert told(second.err)[0].startswith("reused"), second.err
    return first.err


def test_without_a_store_nothing_is_kept_and_the_run_is_right(folder: Folder):
    folder.environ["RUNENV_STORE"] = "none"

    assert_right_twice(folder)

    assert not (folder.root / "none").exists()
    assert not (folder.root / ".runenv/.store").exists()
    shutil.rmtree(folder.root / ".runenv")
    assert told(folder.passes().err)[0].startswith("created in ")


@pytest.mark.parametrize("how", ["option", "envfile", "pyproject"])
def test_a_store_is_named_in_each_way(folder: Folder, how: str):
    del folder.environ["RUNENV_STORE"]
    store = folder.root.parent / "another store"
    arguments = [f"--store={store}"] if how == "option" else []
    if how == "envfile":
        with (folder.root / "envfile.py").open("a") as stream:
            stream.write(f"\nrunner.options.store = {str(store)!r}\n")
    if how == "pyproject":
        folder.write("pyproject.toml", f'[tool.runenv]\nstore = "{store}"\n')

    folder.passes(*arguments)

    assert len(images(store)) == 1


def test_the_store_is_in_the_users_cache(folder: Folder, tmp_path: Path):
    del folder.environ["RUNENV_STORE"]
    folder.environ["XDG_CACHE_HOME"] = str(tmp_path / "users cache")

    folder.passes()

    assert len(images(tmp_path / "users cache/runenv/store")) == 1


def test_a_store_is_marked_as_a_cache(folder: Folder, tmp_path: Path):
    folder.passes()

    tag = (tmp_path / "store/CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert (tmp_path / "store/.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["/proc/store", "/dev/full/store"])
def test_for_a_store_on_no_file_system_of_ours_there_is_one_with_the_environments(
    folder: Folder, place: str
):
    folder.environ["RUNENV_STORE"] = place

    assert_right_twice(folder)

    assert images(folder.root / ".runenv/.store") != []


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_store_that_cannot_be_made_is_told_and_the_run_is_right(folder: Folder, place: str):
    folder.write("file", "")
    folder.environ["RUNENV_STORE"] = str(folder.root / place)

    err = assert_right_twice(folder)

    assert os.path.basename(place) in err
    assert (folder.root / "file").read_text() == ""


def test_a_store_that_cannot_be_written_is_told_and_the_run_is_right(folder: Folder, mounted: Path):
    remount(mounted, "size=50m")
    folder.environ["RUNENV_STORE"] = str(mounted / "store")
    envdir = ("--envdir", str(mounted / "envs"))
    folder.passes(*envdir)
    remount(mounted, "ro")
    # The environment is elsewhere, or it could not be written either.
    first = folder.run()
    remount(mounted, "rw")

    assert (first.code, first.out) == (0, right(folder)), first.err
    assert "Traceback" not in first.err


def test_a_store_that_is_full_is_told_and_the_run_is_right(folder: Folder, mounted: Path):
    """The environments lie on the same file system, so that links into the store are tried."""
    remount(mounted, "size=50m")
    folder.environ["UV_LINK_MODE"] = "copy"
    # No inode is left for the folders of an image, while what is there can be linked.
    folder.root = mounted / "project"
    folder.root.mkdir()
    folder.envfile(SHOW.format(backend="uv"))
    folder.environ["RUNENV_STORE"] = str(mounted / "store")
    folder.passes()
    used = os.statvfs(mounted).f_files - os.statvfs(mounted).f_ffree
    shutil.rmtree(mounted / "store")
    shutil.rmtree(folder.root / ".runenv")
    remount(mounted, f"nr_inodes={used - 20}")

    done = folder.run()

    assert (done.code, done.out) == (0, right(folder)), done.err
    assert "Traceback" not in done.err
    remount(mounted, "nr_inodes=100000")
    assert folder.passes().out == right(folder)
    assert left_over(mounted / "store") == []


def other_file_system(folder: Folder) -> Iterator[Path]:
    place = Path("/dev/shm") / f"runenv-test-{os.getpid()}"
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == folder.root.stat().st_dev:
        pytest.skip("there is no second file system")
    place.mkdir()
    yield place
    shutil.rmtree(place, ignore_errors=True)


apart = pytest.fixture(other_file_system)


def test_a_store_on_another_file_system_gives_way_to_one_beside_the_environments(
    folder: Folder, apart: Path
):
    folder.environ["RUNENV_STORE"] = str(apart / "store")

    folder.passes()
    shutil.rmtree(folder.root / ".runenv/show")
    done = folder.passes("-v")

    assert done.out == right(folder)
    assert from_store(done.err), done.err
    assert len(images(folder.root / ".runenv/.store")) == 1
    assert images(apart / "store") == []


def test_a_store_behind_another_mount_of_the_same_file_system_is_right(
    folder: Folder, tmp_path: Path
):
    """Such a mount has the same device number, and no link crosses it."""
    (tmp_path / "behind").mkdir()
    place = tmp_path / "store"
    place.mkdir()
    mount = ["mount", "--bind", str(tmp_path / "behind"), str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        assert_right_twice(folder)
        shutil.rmtree(folder.root / ".runenv/show")
        done = folder.passes()
        assert done.out == right(folder)
        assert from_store(done.err), done.err
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


# Refuses every hard link, as file systems do that have none: a filter of system calls
# (seccomp(2)) that its children inherit. 0x7fff0000 allows, 0x00050000 + 1 is EPERM.
NO_LINKS = """
import ctypes, os, struct, sys
number = {"x86_64": (86, 265), "aarch64": (37, 37)}[os.uname().machine]
code = [(0x20, 0, 0, 0), (0x15, 2, 0, number[0]), (0x15, 1, 0, number[1]), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]
text = b"".join(struct.pack("HBBI", *line) for line in code)
buffer = ctypes.create_string_buffer(text, len(text))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
program = Program(len(code), ctypes.cast(buffer, ctypes.c_void_p))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, ctypes.get_errno()
try:
    os.link(sys.executable, "link-that-cannot-be")
except PermissionError:
    os.execv(sys.executable, [sys.executable, "-m", "runner", *sys.argv[1:]])
sys.exit("a link was made")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a filter of Linux")
def test_where_hard_links_are_impossible_the_run_is_right(folder: Folder, tmp_path: Path):
    folder.environ["UV_CACHE_DIR"] = str(tmp_path / "cache")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", NO_LINKS, *arguments],
            cwd=folder.root,
            env=folder.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    for state in ("created in ", "reused"):
        done = run()
        assert (done.returncode, done.stdout) == (0, right(folder)), done.stderr
        assert told(done.stderr)[0].startswith(state)
        assert "Traceback" not in done.stderr
    assert left_over(tmp_path / "store") == []
    shutil.rmtree(folder.root / ".runenv")
    assert run().stdout == right(folder)
