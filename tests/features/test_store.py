"""The store: an environment seen before is there at once, and is what the installer would have made.

What a clone is compared with is an environment that the installer made at the same
place, with --fresh. Set HYPOTHESIS_EXAMPLES to a number for more sets of needs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runner.envs.folder import folder_name
from runner.envs.pythons_found import found_versions
from tests.conftest import FULL, Folder
from tests.features.test_environments import library
from tests.stores import (
    KINDS,
    MINOR,
    NO_TEXT,
    PRINT_VALUE,
    TAG,
    ask,
    differences,
    from_store,
    images,
    installer_lines,
    project,
    record_troubles,
    run_program,
    site,
    snapshot,
    told,
    without_builds,
    write_every_kind,
    write_wheel,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")

BACKENDS = pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "4"))

# Two sessions of equal needs.
EQUAL = """
@runner.session({needs})
def first(session):
    session.run("python", *session.posargs)

@runner.session({needs})
def second(session):
    session.run("python", *session.posargs)
"""
ONE = "deps=['one'], backend={!r}"


@pytest.fixture
def folder(tmp_path: Path, uv_cache: Path) -> Folder:
    """A project with a store of the test's own."""
    return project(tmp_path, uv_cache)


def equal(folder: Folder, needs: str, *wheels: str) -> Folder:
    """The project has two sessions with these needs."""
    for name in wheels:
        folder.wheel(name)
    folder.envfile(EQUAL.format(needs=needs))
    return folder


def place_of(folder: Folder, name: str = "second") -> Path:
    return folder.root / ".runenv" / name


def store_of(folder: Folder) -> Path:
    return Path(folder.environ["RUNENV_STORE"])


def cloned(folder: Folder) -> Path:
    """The place of a clone of what was made for `first`."""
    folder.passes("first", "--", "-c", "")
    done = folder.passes("-v", "second", "--", "-c", "")
    assert from_store(done.err), done.err
    assert installer_lines(done.err) == []
    return place_of(folder)


# Equal to what the installer makes. ------------------------------------------------------

# Where a clone lies. The installer writes a plain place into scripts in one way, a long
# one or one with a blank by a detour over /bin/sh: what is there is made at that place.
PLAIN = ("e", "wit.h_s@me-si=gns", ".runenv")
ODD = ("plaçe", "a+b", "a place with blanks", "o" * 90 + "/" + "n" * 60, "it's")
# Names of sessions, which scripts that activate have as their prompt.
SESSIONS = st.sampled_from(("show", "a", "prompt", "export", "printf", "VIRTUAL_ENV", "bin"))

needs = st.fixed_dictionaries(
    {
        "kinds": st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True),
        "later": st.lists(st.sampled_from(KINDS), max_size=2, unique=True),
        "project": st.sampled_from((False, "wheel", "editable")),
        "local": st.sampled_from(("", "./lib", "-e ./lib")),
        "names": st.tuples(SESSIONS, SESSIONS),
        "places": st.tuples(st.sampled_from(PLAIN), st.sampled_from(PLAIN))
        | st.sampled_from(ODD).map(lambda odd: (odd, odd)),
    }
)


def write_needs(folder: Folder, backend: str, now: dict[str, object]) -> None:
    """One session that is declared so, and installs more before its command."""
    library(folder)
    here, folder.root = folder.root, folder.root / "lib"
    folder.root.mkdir()
    library(folder)
    folder.root = here
    for name in ("backend.py", "pyproject.toml"):
        path = folder.root / "lib" / name
        path.write_text(path.read_text().replace("mine", "core"))
    (folder.root / "lib/src/mine.py").rename(folder.root / "lib/src/core.py")
    later = [[name] for name in now["later"]]  # type: ignore[attr-defined]  # a list
    later += [str(now["local"]).split()] * bool(now["local"])
    body = "".join(f"    session.install(*{words!r})\n" for words in later)
    declared = f"deps={now['kinds']!r}, project={now['project']!r}, backend={backend!r}"
    folder.envfile(
        "\n".join(
            f"@runner.session({declared})\ndef {name}(session):\n{body}    session.run('python', '-c', '')\n"
            for name in dict.fromkeys(now["names"])  # type: ignore[call-overload]  # two names
        )
    )


def examples(number: int) -> settings:
    return settings(
        max_examples=number,
        deadline=None,
        derandomize="HYPOTHESIS_EXAMPLES" not in os.environ,
        database=None,
        phases=[Phase.generate],  # to shrink takes minutes, and what is told is short enough
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


@pytest.mark.slow
@examples(EXAMPLES)
@given(now=needs)
def test_a_clone_equals_what_uv_makes_there(uv_cache: Path, now: dict[str, object]):
    compare(uv_cache, "uv", now)


@pytest.mark.slow
@pytest.mark.full
@examples(max(1, EXAMPLES // 2))  # each makes four environments, seconds each
@given(now=needs)
def test_a_clone_equals_what_virtualenv_and_pip_make_there(uv_cache: Path, now: dict[str, object]):
    compare(uv_cache, "virtualenv", now)


# Each of these signs, and letters that are no ASCII, are written in a way of their own
# into a script that activates, for one shell or another.
@pytest.mark.slow
@pytest.mark.parametrize("place", ["plaçe", "a+b", "a~b", "a%b", "a=b", "a@b", "a,b"])
@pytest.mark.parametrize(
    "backend",
    ["uv", pytest.param("virtualenv", marks=FULL), pytest.param("venv", marks=FULL)],
)
def test_a_clone_from_or_to_a_place_with_signs_equals_what_is_made_there(
    uv_cache: Path, backend: str, place: str
):
    now: dict[str, object] = {"kinds": ["points"], "later": [], "project": False, "local": "", "names": ("a", "b")}  # fmt: skip
    for places in (("e", place), (place, "e")):
        compare(uv_cache, backend, {**now, "places": places}, must_be_clone=False)


def compare(
    uv_cache: Path, backend: str, now: dict[str, object], *, must_be_clone: bool = True
) -> None:
    """Make an environment, a clone of it, and one that the installer makes where the clone was."""
    with tempfile.TemporaryDirectory() as place:
        folder = project(Path(place), uv_cache)
        write_every_kind(folder.wheels)
        write_needs(folder, backend, now)
        first, second = (Path(place, f"in-{name}") for name in now["places"])  # type: ignore[attr-defined]  # two names
        made, wanted = now["names"]  # type: ignore[misc]  # two names
        if first == second and first.name.removeprefix("in-") in ODD:
            made = wanted  # what is there is made at its very place
        folder.passes("--envdir", str(first), made)
        environment = second / folder_name(wanted)
        shutil.rmtree(environment, ignore_errors=True)  # where both are one

        clone = folder.passes("--envdir", str(second), wanted)
        assert from_store(clone.err) or not must_be_clone, f"{now}\n{clone.err}"
        cloned, said = snapshot(environment), what_pip_says(folder, environment)
        broken = record_troubles(environment)
        fresh = folder.passes("--envdir", str(second), "--fresh", wanted)
        assert not from_store(fresh.err)

        assert differences(without_builds(cloned), without_builds(snapshot(environment))) == [], now
        assert said == what_pip_says(folder, environment), now
        assert broken == record_troubles(environment) == [], now


def what_pip_says(folder: Folder, place: Path) -> list[str]:
    said = (ask(folder, place, "-m", "pip", word) for word in ("list", "freeze", "check"))
    return [re.sub(r"\b[0-9a-f]{64}\b", "", text) for text in said]  # of a wheel that is built anew


@pytest.mark.parametrize("place", [PLAIN[0], ODD[0], *(pytest.param(p, marks=pytest.mark.slow) for p in (*PLAIN[1:], *ODD[1:]))])  # fmt: skip
@BACKENDS
def test_programs_of_every_kind_start_and_find_their_clone(
    folder: Folder, backend: str, place: str
):
    write_every_kind(folder.wheels)
    equal(folder, f"deps=['points', 'plain'], backend={backend!r}")
    envdir = folder.root.parent / place / "e"
    envdir.parent.mkdir(parents=True)
    # Where it is odd, at that place; the folder of environments is then made anew.
    folder.passes(
        "second",
        "--envdir",
        str(envdir if place in ODD else folder.root / ".runenv"),
        "--",
        "-c",
        "",
    )
    shutil.rmtree(envdir, ignore_errors=True)

    done = folder.passes("second", "--envdir", str(envdir), "--", "-c", "")

    clone = envdir / "second"
    assert from_store(done.err), done.err
    assert run_program(clone, "points") == f"points in {clone}"
    assert run_program(clone, "points-gui") == f"points in {clone}"
    if backend == "uv" or place not in ODD[:2]:  # pip does no more than name the Python there
        assert run_program(clone, "plain-py") == f"plain-py in {clone}"
        assert run_program(clone, "plain-pyw") == f"plain-pyw in {clone}"
    assert run_program(clone, "plain-sh") == "plain-sh"
    assert run_program(clone, "plain-program") == ""
    assert (clone / "bin/plain-bytes").read_bytes() == NO_TEXT


@BACKENDS
def test_no_file_of_a_clone_names_the_place_that_it_was_made_at(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps={list(KINDS)!r}, backend={backend!r}"))

    naming = [
        str(path.relative_to(clone))
        for path in clone.rglob("*")
        if path.is_file()
        and not path.name.endswith(".pyc")
        # What is kept beside the journal may say where it came from.
        and not path.parent.samefile(clone) | (path.name == "pyvenv.cfg")
        and str(place_of(folder, "first")).encode() in path.read_bytes()
    ]

    assert naming == []
    assert str(place_of(folder, "first")) not in (clone / "pyvenv.cfg").read_text()


@BACKENDS
def test_the_shell_that_activates_a_clone_is_in_it(folder: Folder, backend: str):
    clone = cloned(equal(folder, ONE.format(backend), "one"))

    shell = subprocess.run(
        ["sh", "-c", '. "$0"/bin/activate && echo "$VIRTUAL_ENV" && command -v python', clone],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shell.stdout == f"{clone}\n{clone}/bin/python\n"


@BACKENDS
def test_packages_that_share_a_namespace_are_whole_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps=['space-a', 'space-b'], backend={backend!r}"))

    code = "import space.a, space.b; print(space.a.value, space.b.value, space.__file__ is None)"

    assert ask(folder, clone, "-c", code) == "a b True\n"


@BACKENDS
def test_path_files_work_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps=['pathed'], backend={backend!r}"))

    code = "import hidden, sys; print(hidden.value, sys.pathed, hidden.__file__)"

    where = f"{clone}/lib/{MINOR}/site-packages/pathed-inside/hidden.py"
    assert ask(folder, clone, "-c", code) == f"hidden by pth {where}\n"


@BACKENDS
def test_data_files_and_headers_are_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps=['data'], backend={backend!r}"))

    assert (clone / "share/data/text.txt").read_text() == "shared\n"
    assert (clone / "share/data/bytes.bin").read_bytes() == NO_TEXT
    assert (clone / "etc/data/data.conf").read_text() == "on = true\n"
    assert [p.read_text() for p in clone.glob("include/**/data.h")] == ["int data;\n"]


@BACKENDS
def test_files_of_odd_names_and_modes_are_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps=['odd'], backend={backend!r}"))

    odd = site(clone) / "odd"
    assert sorted(p.name for p in odd.iterdir() if p.name != "__pycache__") == [
        "--",
        "-dash.txt",
        ".hidden",
        "__init__.py",
        "a,b.txt",
        "deep",
        "empty.txt",
        "run.sh",
        "with blank.txt",
        "ünï-✓.txt",
    ]
    assert (odd / "empty.txt").read_bytes() == b""
    assert os.access(odd / "run.sh", os.X_OK)
    assert not os.access(odd / "with blank.txt", os.X_OK)
    assert (odd / "deep/er/and/deeper/still/x.txt").read_text() == "deep\n"


@BACKENDS
def test_a_package_of_metadata_alone_is_installed_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps=['bare'], backend={backend!r}"))

    code = "import importlib.metadata as m; print(m.version('bare'), m.requires('bare'))"

    assert ask(folder, clone, "-c", code) == "1.0 ['space-a']\n"


@BACKENDS
def test_an_editable_project_is_its_own_checkout_in_a_clone(folder: Folder, backend: str):
    library(folder)
    equal(folder, f"project='editable', backend={backend!r}")
    clone = cloned(folder)

    folder.write("src/mine.py", "value = 'edited'\n")

    code = "import mine; print(mine.value, mine.__file__)"
    assert ask(folder, clone, "-c", code) == f"edited {folder.root}/src/mine.py\n"


@pytest.mark.parametrize("mode", ["wheel", "editable"])
@BACKENDS
def test_a_second_checkout_has_its_own_code_in_its_environment(
    folder: Folder, tmp_path: Path, uv_cache: Path, backend: str, mode: str
):
    other = project(tmp_path, uv_cache, "q")
    for number, each in enumerate((folder, other), 1):
        library(each, f"value = {number}")
        equal(each, f"project={mode!r}, backend={backend!r}")
    folder.passes("first", "--", "-c", "")

    code = "import mine; print(mine.value)"
    assert other.passes("first", "--", "-c", code).out == "2\n"
    assert folder.passes("first", "--", "-c", code).out == "1\n"
    texts = [path.read_text() for path in site(place_of(other, "first")).rglob("direct_url.json")]
    assert [text for text in texts if f"{folder.root}/" in text] == []


@BACKENDS
def test_what_pip_says_of_a_clone_is_what_it_says_of_the_first(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps={list(KINDS)!r}, backend={backend!r}"))

    for words in (("list",), ("freeze",), ("check",), ("show", "-f", "odd")):
        first = ask(folder, place_of(folder, "first"), "-m", "pip", *words)
        assert ask(folder, clone, "-m", "pip", *words) == first.replace("envs/first", "envs/second").replace(f"{place_of(folder, 'first')}", f"{clone}")  # fmt: skip
        assert not first.endswith("1"), first


# RECORD, and installers inside of a clone. ----------------------------------------------


@BACKENDS
def test_record_is_true_in_a_clone(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps={list(KINDS)!r}, backend={backend!r}"))

    assert record_troubles(place_of(folder, "first")) == []
    assert record_troubles(clone) == []


PIP = [
    ("python", "-m", "pip"),
    pytest.param(("pip",), marks=pytest.mark.slow),
    pytest.param(("uv", "pip"), marks=pytest.mark.slow),
]


def inside(folder: Folder, backend: str, *commands: tuple[str, ...]) -> tuple[Path, Path]:
    """The places of an environment and of a clone of it in which these commands ran."""
    lines = "".join(f"    session.run(*{command!r}, external=True)\n" for command in commands)
    write_every_kind(folder.wheels)
    write_wheel(folder.wheels, "one", "1.0", members={"one.py": "version = '1.0'\n", "one_old.py": ""})  # fmt: skip
    write_wheel(folder.wheels, "one", "2.0", members={"one.py": "version = '2.0'\n", "one_new.py": ""})  # fmt: skip
    needs = f"deps=['one<2', 'points', 'plain', 'odd', 'data', 'pathed'], backend={backend!r}"
    folder.envfile(
        f"@runner.session({needs})\ndef first(session):\n    session.run('python', '-c', {PRINT_VALUE!r})\n\n"
        f"@runner.session({needs})\ndef second(session):\n{lines}\n"
        f"@runner.session({needs})\ndef third(session):\n    session.run('python', '-c', {PRINT_VALUE!r})\n"
    )
    folder.passes("first")
    done = folder.passes("second")
    assert from_store(done.err), done.err
    return place_of(folder, "first"), place_of(folder)


def untouched(folder: Folder, before: dict[str, tuple[str, int, bytes]]) -> None:
    """Neither the first environment nor what is made of the image afterwards has changed."""
    assert differences(before, snapshot(place_of(folder, "first"))) == []
    again = folder.passes("first")
    assert (again.out, [line[:6] for line in told(again.err)]) == ("1.0\n", ["reused"])
    third = folder.passes("third")
    assert third.out == "1.0\n"
    assert from_store(third.err), third.err
    assert record_troubles(place_of(folder, "third")) == []


@pytest.mark.parametrize("pip", PIP, ids=["python -m pip", "pip", "uv pip"])
@BACKENDS
def test_uninstalling_in_a_clone_touches_nothing_else(
    folder: Folder, backend: str, pip: tuple[str, ...]
):
    names = ("one", "points", "plain", "odd", "data", "pathed")
    yes = () if pip[0] == "uv" else ("-y",)
    _, clone = inside(folder, backend, (*pip, "uninstall", *yes, *names))
    before = snapshot(place_of(folder, "first"))

    inside_site = [f"lib/*/site-packages/{name}*" for name in names]
    others = ["bin/plain-*", "bin/points*", "share/data/*", "etc/data/*", "include/**/data.h"]
    left = [str(path) for pattern in (*inside_site, *others) for path in clone.glob(pattern)]
    assert left == []
    untouched(folder, before)


@pytest.mark.parametrize("pip", PIP, ids=["python -m pip", "pip", "uv pip"])
@BACKENDS
def test_upgrading_in_a_clone_touches_nothing_else(
    folder: Folder, backend: str, pip: tuple[str, ...]
):
    _, clone = inside(folder, backend, (*pip, "install", "--upgrade", "one==2.0"))
    before = snapshot(place_of(folder, "first"))

    code = "import one, one_new, importlib.metadata as m; print(one.version, m.version('one'))"
    assert ask(folder, clone, "-c", code) == "2.0 2.0\n"
    assert not (site(clone) / "one_old.py").exists()
    assert record_troubles(clone) == []
    untouched(folder, before)


@pytest.mark.parametrize("pip", PIP, ids=["python -m pip", "pip", "uv pip"])
@BACKENDS
def test_installing_again_over_a_clone_touches_nothing_else(
    folder: Folder, backend: str, pip: tuple[str, ...]
):
    force = "--reinstall" if pip[0] == "uv" or backend == "uv" else "--force-reinstall"
    _, clone = inside(folder, backend, (*pip, "install", force, "one<2", "points", "plain", "odd"))
    before = snapshot(place_of(folder, "first"))

    assert record_troubles(clone) == []
    assert run_program(clone, "points") == f"points in {clone}"
    untouched(folder, before)


def test_uninstalling_by_pip_takes_the_bytecode_that_came_with_a_clone(folder: Folder):
    """uv leaves that of top modules, which nothing imports without them, everywhere."""
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    equal(folder, ONE.format("virtualenv"), "one")
    folder.passes("first", "--", "-c", "import one")
    folder.passes("second", "--", "-m", "pip", "uninstall", "-y", "one")

    left = [path.name for path in site(place_of(folder)).rglob("one*")]

    assert left == []
    assert (site(place_of(folder, "first")) / f"__pycache__/one.{TAG}.pyc").exists()


@BACKENDS
def test_an_install_on_top_of_a_clone_is_in_it_alone(folder: Folder, backend: str):
    for name in ("one", "two"):
        folder.wheel(name)
    folder.envfile(
        f"@runner.session(deps=['one'], backend={backend!r})\ndef first(session): session.run('python', '-V')\n\n"
        f"@runner.session(deps=['one'], backend={backend!r})\ndef second(session):\n"
        "    session.run('python', '-V')\n    session.install('two')\n    session.run('python', '-c', 'import two')\n"
    )
    folder.passes("first")

    done = folder.passes("second")

    assert from_store(done.err)
    assert (site(place_of(folder)) / "two.py").exists()
    assert not (site(place_of(folder, "first")) / "two.py").exists()
    assert "reused" in folder.passes("second").err


# Who shares. -------------------------------------------------------------------------


@BACKENDS
def test_a_second_session_of_equal_needs_starts_no_installer(folder: Folder, backend: str):
    equal(folder, ONE.format(backend), "one")
    first = folder.passes("-v", "first", "--", "-c", PRINT_VALUE)
    assert "install one" in installer_lines(first.err)

    done = folder.passes("-v", "second", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert installer_lines(done.err) == []
    assert told(done.err)[0].startswith("created from the store")


def test_no_installer_is_needed_for_a_clone(folder: Folder):
    equal(folder, ONE.format("uv"), "one")
    folder.passes("first", "--", "-c", PRINT_VALUE)

    # uv can do nothing at all with a cache that cannot be.
    done = folder.passes("second", "--", "-c", PRINT_VALUE, env={"UV_CACHE_DIR": "/dev/null/cache"})

    assert done.out == "1.0\n"


def inodes(place: Path) -> dict[str, int]:
    """The inode of each file of an environment but those that are its own."""
    return {
        str(path.relative_to(place)): path.stat().st_ino
        for path in (place / "lib").rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    }


@BACKENDS
def test_a_clone_shares_its_files_with_the_image_and_the_first(folder: Folder, backend: str):
    write_every_kind(folder.wheels)
    clone = cloned(equal(folder, f"deps={list(KINDS)!r}, backend={backend!r}"))

    own = {"RECORD", "direct_url.json"}  # what may name the place
    first, second = inodes(place_of(folder, "first")), inodes(clone)
    # virtualenv's empty environments are kept, too: of the two images this is the full one.
    (image,) = (path for path in images(store_of(folder)) if (path / "tree/share/data").exists())
    kept = inodes(image / "tree")
    assert {os.path.basename(name) for name in second if second[name] != first[name]} <= own
    assert {os.path.basename(name) for name in second if second[name] != kept.get(name)} <= own


def test_ten_clones_take_next_to_no_room(folder: Folder):
    files = {f"one/m{number}.py": f"x = {number}\n" * 200 for number in range(300)}
    folder.wheel("one", files=files)
    names = [f"s{number}" for number in range(10)]
    folder.envfile(
        "\n".join(
            f"@runner.session(deps=['one'])\ndef {name}(session): session.run('python', '-c', '')\n"
            for name in names
        )
    )
    folder.passes("s0")
    folder.passes(*names[1:])

    seen: set[int] = set()
    new: list[int] = []
    for name in names:
        found = [path.lstat() for path in place_of(folder, name).rglob("*")]
        mine = {entry.st_ino for entry in found} - seen
        new.append(len(mine))
        size = sum(entry.st_blocks * 512 for entry in found if entry.st_ino in mine)
        assert name == "s0" or size <= 1 << 20
        seen |= mine
    assert new[0] > 300
    assert max(new[1:]) <= 150


@BACKENDS
def test_another_project_gets_a_clone(folder: Folder, tmp_path: Path, uv_cache: Path, backend: str):
    equal(folder, ONE.format(backend), "one").passes("first", "--", "-c", "")
    other = equal(project(tmp_path, uv_cache, "q"), ONE.format(backend))

    done = other.passes("-v", "first", "--", "-c", "import one; print(one.__file__)")

    assert done.out == f"{other.root}/.runenv/first/lib/{MINOR}/site-packages/one.py\n"
    assert from_store(done.err)
    assert installer_lines(done.err) == []
    assert inodes(place_of(other, "first"))[f"lib/{MINOR}/site-packages/one.py"] == inodes(place_of(folder, "first"))[f"lib/{MINOR}/site-packages/one.py"]  # fmt: skip


def test_a_git_worktree_gets_a_clone(folder: Folder):
    equal(folder, ONE.format("uv"), "one")

    def git(*words: str) -> None:
        author = ("-c", "user.name=n", "-c", "user.email=n@example.org")
        subprocess.run(["git", *author, *words], cwd=folder.root, env=folder.environ, check=True, capture_output=True)  # fmt: skip

    git("init")
    git("add", "envfile.py")
    git("commit", "-m", "all")
    folder.passes("first", "--", "-c", "")
    git("worktree", "add", "../tree")
    folder.root = folder.root.parent / "tree"

    done = folder.passes("-v", "first", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert from_store(done.err)
    assert installer_lines(done.err) == []


@BACKENDS
def test_after_clean_it_is_a_clone(folder: Folder, backend: str):
    equal(folder, ONE.format(backend), "one").passes("first", "--", "-c", "")
    folder.passes("--clean")
    assert not place_of(folder, "first").exists()

    done = folder.passes("-v", "first", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert from_store(done.err)
    assert installer_lines(done.err) == []


def test_a_project_that_was_moved_gets_a_clone(folder: Folder):
    equal(folder, ONE.format("uv"), "one").passes("first", "--", "-c", "")
    moved = folder.root.with_name("moved")
    folder.root.rename(moved)
    folder.root = moved

    done = folder.passes("-v", "first", "--", "-c", "import sys; print(sys.prefix)")

    assert done.out == f"{moved}/.runenv/first\n"
    assert told(done.err)[0].startswith("rebuilt from the store")
    assert installer_lines(done.err) == []


def test_needs_that_come_back_are_a_clone(folder: Folder):
    equal(folder, ONE.format("uv"), "one", "two").passes("first", "--", "-c", "")
    equal(folder, "deps=['one', 'two']").passes("first", "--", "-c", "")

    done = equal(folder, ONE.format("uv")).passes("-v", "first", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert told(done.err)[0].startswith("rebuilt from the store")
    assert installer_lines(done.err) == []
    assert not (site(place_of(folder, "first")) / "two.py").exists()


def test_installs_before_the_first_command_are_in_the_clone(folder: Folder):
    for name in ("one", "two", "three"):
        folder.wheel(name)
    folder.envfile(
        "".join(
            f"@runner.session(deps=['one'])\ndef {name}(session):\n    session.install('two')\n"
            "    session.install('three')\n    session.run('python', '-c', 'import one, two, three')\n\n"
            for name in ("first", "second")
        )
    )
    folder.passes("first")

    folder.passes("second")
    again = folder.passes("-v", "second")

    assert told(again.err) == ["reused (cpython {}.{}.{})".format(*sys.version_info)]
    assert installer_lines(again.err) == []
    assert sorted(p.name for p in site(place_of(folder)).glob("*.py")) == [
        p.name for p in sorted(site(place_of(folder, "first")).glob("*.py"))
    ]


def test_a_clone_is_reused_in_the_next_run(folder: Folder):
    cloned(equal(folder, ONE.format("uv"), "one"))

    done = folder.passes("second", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert told(done.err)[0].startswith("reused")


def test_two_sessions_of_equal_needs_in_one_run_are_right(folder: Folder):
    equal(folder, ONE.format("uv"), "one")

    assert folder.passes("--", "-c", "import one, sys; print(one.version, sys.prefix)").out == (
        f"1.0 {place_of(folder, 'first')}\n1.0 {place_of(folder)}\n"
    )


def test_what_a_session_that_failed_was_made_of_is_kept(folder: Folder):
    equal(folder, ONE.format("uv"), "one")
    assert folder.run("first", "--", "-c", "raise SystemExit(3)").code == 1

    done = folder.passes("-v", "second", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert from_store(done.err)
    assert installer_lines(done.err) == []


def test_what_an_envfile_imports_is_right_in_a_second_project(
    folder: Folder, tmp_path: Path, uv_cache: Path
):
    folder.wheel("one")
    other = project(tmp_path, uv_cache, "q")
    for each in (folder, other):
        each.write(
            "envfile.py",
            """\
            # /// script
            # dependencies = ["one"]
            # ///
            import one
            import runner

            @runner.session
            def show(session): print(one.version, one.__file__)
            """,
        )

    for each in (folder, other):
        place = f"{each.root}/.runenv/.envfile/lib/{MINOR}/site-packages/one.py"
        assert each.passes().out == f"1.0 {place}\n"


DIFFERENT = {
    "a dependency": "deps=['one', 'two']",
    "a limit": "deps=['one<2']",
    "a backend option": "deps=['one'], backend_options=['--prompt', 'x']",
    "a backend": "deps=['one'], backend='venv'",
    "a constraint": "deps=['one'], constraints=['limits.txt']",
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_is_not_shared(folder: Folder, what: str):
    for name in ("one", "two"):
        folder.wheel(name)
    folder.write("limits.txt", "one<2\n")
    equal(folder, "deps=['one']").passes("first", "--", "-c", "")
    folder.envfile(EQUAL.format(needs=DIFFERENT[what]))

    done = folder.passes("second", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert told(done.err)[0].startswith("created in ")


@pytest.mark.parametrize(("variable", "value"), [("UV_RESOLUTION", "lowest"), ("UV_PRERELEASE", "allow"), ("UV_NO_BINARY", "0"), ("UV_FIND_LINKS", "{more}")])  # fmt: skip
def test_a_setting_of_the_installer_that_differs_is_not_shared(
    folder: Folder, tmp_path: Path, variable: str, value: str
):
    equal(folder, ONE.format("uv"), "one").passes("first", "--", "-c", "")
    (tmp_path / "more").mkdir()
    folder.environ[variable] = value.format(more=f"{tmp_path}/more,{folder.wheels}")

    done = folder.passes("second", "--", "-c", PRINT_VALUE)

    assert done.out == "1.0\n"
    assert told(done.err)[0].startswith("created in ")


def test_a_wheel_that_was_made_anew_under_its_name_is_not_taken_from_the_store(folder: Folder):
    wheel = folder.root / "one-1.0-py3-none-any.whl"
    write_wheel(folder.root, "one", members={"one.py": "version = 'old'\n"})
    equal(folder, f"deps=['./{wheel.name}']").passes("first", "--", "-c", "")
    write_wheel(folder.root, "one", members={"one.py": "version = 'new'\n"})

    assert folder.passes("second", "--", "-c", PRINT_VALUE).out == "new\n"


def test_another_python_has_an_image_of_its_own(folder: Folder):
    here = "{}.{}".format(*sys.version_info)
    others = [version for version in found_versions(">=3.8") if version != here]
    if not others:
        pytest.skip("there is one Python alone")
    equal(folder, ONE.format("uv"), "one").passes("first", "--", "-c", "")
    folder.envfile(EQUAL.format(needs=f"deps=['one'], python={others[0]!r}"))

    done = folder.passes("second", "--", "-c", "import one, sys; print(one.version, '%d.%d' % sys.version_info[:2])")  # fmt: skip

    assert done.out == f"1.0 {others[0]}\n"
    assert not from_store(done.err)


@pytest.mark.parametrize("option", ["--fresh", "--upgrade"])
def test_what_is_asked_to_be_anew_is_no_clone(folder: Folder, option: str):
    equal(folder, ONE.format("uv"), "one").passes("first", "--", "-c", "")

    done = folder.passes("-v", "first", option, "--", "-c", PRINT_VALUE)

    assert not from_store(done.err)
    assert "install one" in done.err


# Bytecode. ---------------------------------------------------------------------------


def test_bytecode_that_a_job_left_is_in_the_next_clone_and_is_used(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    write_wheel(folder.wheels, "one", members={"one/__init__.py": "version = '1.0'\n", "one/in.py": ""})  # fmt: skip
    equal(folder, ONE.format("uv"))
    code = "import one, os; print(one.version, os.stat(one.__cached__).st_ino)"
    out = folder.passes("first", "--", "-c", code).out

    assert folder.passes("second", "--", "-c", code).out == out


def test_code_that_comes_with_bytecode_knows_its_own_file(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    write_wheel(folder.wheels, "one", members={"one.py": "def f():\n    return f.__code__.co_filename\n"})  # fmt: skip
    equal(folder, ONE.format("uv"))
    code = "import one; print(one.f())"
    folder.passes("first", "--", "-c", code)

    assert folder.passes("second", "--", "-c", code).out == f"{site(place_of(folder, 'first')).parent.parent.parent.parent}/second/lib/{MINOR}/site-packages/one.py\n"  # fmt: skip


def test_a_clone_holds_no_bytecode_of_another_python(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    clone = cloned(equal(folder, ONE.format("uv"), "one"))
    folder.passes("second", "--", "-c", "import one")

    names = [path.name for path in site(clone).rglob("*.pyc")]

    assert [name for name in names if f".{TAG}." not in name] == []
