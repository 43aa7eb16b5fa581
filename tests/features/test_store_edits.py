"""What a session does to the files of a package stays in its environment, whatever shares them.

Each session's command prints what it finds: that is what is checked first, and then
what the run says of it. An edit is made by the session's own Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import FULL, Folder
from tests.stores import (
    MINOR,
    from_store,
    images,
    installer_lines,
    project,
    record_troubles,
    site,
    told,
    write_wheel,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of POSIX")

BACKENDS = pytest.mark.parametrize("backend", ["uv", pytest.param("virtualenv", marks=FULL)])

# Prints all that may be edited.
PRINT = """
import one.deep.inner as inner, importlib.metadata as metadata, pathlib, sys
data = pathlib.Path(sys.prefix, 'share/one/data.txt').read_text().strip()
text = pathlib.Path(inner.__file__).with_name('text.txt').read_text().strip()
print(inner.value, data, text, metadata.version('one'), sys.path_file)
"""
RIGHT = "right data text 1.0 right\n"

# What is edited: all of it lies deeper than a look at site-packages sees.
FILES = {
    "a module": "one/deep/inner.py",
    "a data file of a package": "one/deep/text.txt",
    "metadata": "one-1.0.dist-info/METADATA",
    "a path file": "one.pth",
    "a data file beside the packages": "../../../share/one/data.txt",
}

# In place: what shares the file has the edit too. {file} is its path.
IN_PLACE = {
    "append": "open({file!r}, 'a').write('\\n# more\\nvalue = \\'wrong\\'\\n')",
    "truncate": "open({file!r}, 'w').close()",
    "overwrite with as many bytes": "n = len(open({file!r}).read()); open({file!r}, 'r+').write('#' * n)",
    "overwrite the last byte": "f = open({file!r}, 'r+b'); f.seek(-2, 2); f.write(b'?')",
    "map into memory": "import mmap; f = open({file!r}, 'r+b'); m = mmap.mmap(f.fileno(), 0); m[:3] = b'###'; m.flush()",
    "through a link to it": "import os; os.symlink({file!r}, 'link'); open('link', 'a').write('more'); os.unlink('link')",
}
# Another file under its name, or none: nothing else has it.
REPLACED = {
    "replace": "import os; open({file!r} + '.new', 'w').write('value = 1'); os.replace({file!r} + '.new', {file!r})",
    "write anew": "import os; os.unlink({file!r}); open({file!r}, 'w').write('value = 1')",
    "delete": "import os; os.unlink({file!r})",
}


EACH_IN_PLACE = [
    name if name in ("append", "truncate") else pytest.param(name, marks=pytest.mark.slow)
    for name in IN_PLACE
]


@pytest.fixture
def folder(tmp_path: Path, uv_cache: Path) -> Folder:
    """A project with a store of the test's own, and a cache too: both are damaged here."""
    folder = project(tmp_path, uv_cache)
    folder.environ["UV_CACHE_DIR"] = str(tmp_path / "uv-cache")
    return folder


def three(folder: Folder, backend: str = "uv") -> Folder:
    """Three sessions of equal needs; each prints, after what it is told on the command line."""
    write_wheel(
        folder.wheels,
        "one",
        members={
            "one/__init__.py": "",
            "one/deep/__init__.py": "",
            "one/deep/inner.py": "value = 'right'\n",
            "one/deep/text.txt": "text\n",
            "one.pth": "import sys; sys.path_file = 'right'\n",
            "data:data/share/one/data.txt": "data\n",
        },
    )
    write_wheel(folder.wheels, "two", members={"two.py": "value = 'right'\n"})
    folder.envfile(
        "\n".join(
            f"@runner.session(deps=['one', 'two'], backend={backend!r})\ndef {name}(session):\n"
            "    if session.posargs: session.run('python', *session.posargs)\n"
            f"    else: session.run('python', '-c', {PRINT!r})\n"
            for name in ("first", "second", "third")
        )
    )
    return folder


def place_of(folder: Folder, name: str) -> Path:
    return folder.root / ".runenv" / name


def edit(folder: Folder, name: str, how: str, what: str = "a module") -> Path:
    """The session of that name has edited a file in its environment."""
    path = site(place_of(folder, name)) / FILES[what]
    folder.passes(name, "--", "-c", {**IN_PLACE, **REPLACED}[how].format(file=os.path.normpath(path)))  # fmt: skip
    return path


class Said(NamedTuple):
    """What a run said: of its environment, and all."""

    line: str
    err: str


def said(folder: Folder, name: str) -> Said:
    """What a run of the session says; what it prints is right."""
    done = folder.passes(name)
    assert done.out == RIGHT, done.err
    (line,) = told(done.err)
    return Said(line, done.err)


# In place. ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", EACH_IN_PLACE)
@BACKENDS
@pytest.mark.measured
def test_an_edit_in_place_is_not_in_a_reused_environment(folder: Folder, backend: str, how: str):
    three(folder, backend)
    assert said(folder, "first").line.startswith("created in ")
    assert said(folder, "second").line.startswith("created from the store")

    edit(folder, "first", how)

    line, err = said(folder, "second")
    assert line.startswith("rebuilt")
    assert "one/deep/inner.py" in line
    assert "one/deep/inner.py was changed while the environment 'first' was in use" in err


@pytest.mark.parametrize("how", EACH_IN_PLACE)
@BACKENDS
def test_an_edit_in_place_is_not_in_a_new_environment(folder: Folder, backend: str, how: str):
    three(folder, backend).passes("first")

    edit(folder, "first", how)

    done = folder.passes("second")
    assert done.out == RIGHT
    assert "install one two" in done.err
    assert "one/deep/inner.py" in done.err
    assert "while the environment 'first' was in use" in done.err


@pytest.mark.parametrize("how", [*EACH_IN_PLACE, *REPLACED])
@BACKENDS
def test_an_edit_is_not_in_the_next_run_of_the_session_that_made_it(
    folder: Folder, backend: str, how: str
):
    three(folder, backend).passes("first")

    edit(folder, "first", how)

    line, _ = said(folder, "first")
    assert line.startswith("rebuilt")
    assert "one/deep/inner.py" in line


@pytest.mark.parametrize("what", FILES)
@BACKENDS
def test_an_edit_of_each_kind_of_file_is_seen_and_named(folder: Folder, backend: str, what: str):
    three(folder, backend).passes("first")
    folder.passes("second")

    edit(folder, "first", "overwrite with as many bytes", what)

    line, _ = said(folder, "second")
    assert line.startswith("rebuilt")
    assert os.path.basename(FILES[what]) in line
    assert said(folder, "first").line.startswith("rebuilt")
    assert said(folder, "third").line.startswith("created")


@BACKENDS
def test_an_edit_made_in_a_clone_is_not_in_the_first_and_the_clone_is_named(
    folder: Folder, backend: str
):
    three(folder, backend).passes("first")
    folder.passes("second")

    edit(folder, "second", "append")

    line, err = said(folder, "first")
    assert line.startswith("rebuilt")
    assert "one/deep/inner.py" in line
    assert "one/deep/inner.py was changed while the environment 'second' was in use" in err
    assert said(folder, "third").line.startswith("created")


@BACKENDS
def test_an_edit_is_not_in_another_project_and_the_project_is_named(
    folder: Folder, tmp_path: Path, uv_cache: Path, backend: str
):
    three(folder, backend).passes("first")
    other = three(project(tmp_path, uv_cache, "q"), backend)
    other.environ["UV_CACHE_DIR"] = folder.environ["UV_CACHE_DIR"]
    assert said(other, "first").line.startswith("created from the store")

    edit(folder, "first", "append")

    line, err = said(other, "first")
    assert line.startswith("rebuilt")
    assert str(folder.root) in err
    assert said(other, "second").line.startswith("created")


@BACKENDS
def test_an_edit_in_the_run_that_makes_the_environment_is_not_in_the_next(
    folder: Folder, backend: str
):
    three(folder, backend)
    path = place_of(folder, "first") / f"lib/{MINOR}/site-packages/{FILES['a module']}"
    folder.passes("first", "--", "-c", IN_PLACE["append"].format(file=str(path)))

    assert said(folder, "second").line.startswith("created")
    assert said(folder, "first").line.startswith("rebuilt")


@pytest.mark.parametrize("how", EACH_IN_PLACE)
def test_an_edit_in_place_is_not_in_an_environment_that_is_made_anew(folder: Folder, how: str):
    three(folder).passes("first")

    edit(folder, "first", how)

    done = folder.passes("first", "--fresh")
    assert done.out == RIGHT
    assert "one/deep/inner.py" in done.err


@pytest.mark.parametrize("how", EACH_IN_PLACE)
def test_an_edit_in_place_is_not_in_the_next_environment_without_a_store(folder: Folder, how: str):
    folder.environ["RUNENV_STORE"] = "none"
    three(folder).passes("first")
    folder.passes("second")

    edit(folder, "first", how)

    assert said(folder, "second").line.startswith("rebuilt")
    assert said(folder, "first").line.startswith("rebuilt")
    assert folder.passes("third").out == RIGHT


@pytest.mark.parametrize("how", EACH_IN_PLACE)
@pytest.mark.parametrize("store", ["", "none"])
def test_an_edit_in_place_that_nobody_has_noticed_so_far_is_not_in_what_is_installed(
    folder: Folder, how: str, store: str
):
    folder.environ["RUNENV_STORE"] = store or folder.environ["RUNENV_STORE"]
    three(folder).passes("first")
    edit(folder, "first", how)
    folder.write(
        "other/envfile.py",
        f"import runner\n\n@runner.session(deps=['one'])\ndef show(session): session.run('python', '-c', {PRINT!r})\n",
    )

    done = folder.passes("-f", "other")

    assert done.out == RIGHT
    assert "was changed in uv's cache" in done.err


def test_an_edit_in_place_is_not_in_the_cache_for_other_needs_either(folder: Folder):
    three(folder).passes("first")
    edit(folder, "first", "append")
    folder.passes("first")
    folder.write(
        "other/envfile.py",
        f"import runner\n\n@runner.session(deps=['one'])\ndef show(session): session.run('python', '-c', {PRINT!r})\n",
    )

    assert folder.passes("-f", "other").out == RIGHT


@BACKENDS
def test_after_an_edit_the_environments_share_again(folder: Folder, backend: str):
    three(folder, backend).passes("first")
    folder.passes("second")
    kept = len(images(Path(folder.environ["RUNENV_STORE"])))
    edit(folder, "first", "append")

    said(folder, "second")
    said(folder, "first")
    done = folder.passes("-v", "third")

    assert done.out == RIGHT
    assert from_store(done.err)
    assert installer_lines(done.err) == []
    assert said(folder, "second").line.startswith("reused")
    assert said(folder, "first").line.startswith("reused")
    assert len(images(Path(folder.environ["RUNENV_STORE"]))) == kept


def test_only_images_with_the_file_are_dropped(folder: Folder):
    three(folder).passes("first")
    folder.write(
        "other/envfile.py",
        "import runner\n\n@runner.session(deps=['two'])\n"
        "def show(session): session.run('python', '-c', 'import two; print(two.value)')\n",
    )
    folder.passes("-f", "other")

    edit(folder, "first", "append")
    said(folder, "second")

    assert told(folder.passes("-f", "other").err)[0].startswith("reused")
    (path,) = (folder.root / "other/.runenv").glob("show")
    folder.passes("-f", "other", "--clean")
    assert not path.exists()
    done = folder.passes("-f", "other")
    assert done.out == "right\n"
    assert from_store(done.err)


def test_two_edits_by_two_sessions_are_both_gone(folder: Folder):
    three(folder).passes("first")
    folder.passes("second")
    edit(folder, "first", "append", "a module")
    # `second` is rebuilt before it edits: it had the first edit.
    edit(folder, "second", "truncate", "a data file of a package")

    for name in ("third", "second", "first"):
        said(folder, name)
    for name in ("third", "second", "first"):
        assert said(folder, name).line.startswith("reused")
        assert record_troubles(place_of(folder, name)) == []


# Another file in its place. ---------------------------------------------------------------


@pytest.mark.parametrize("how", REPLACED)
@BACKENDS
def test_a_file_that_was_replaced_or_deleted_is_nobody_elses_matter(
    folder: Folder, backend: str, how: str
):
    three(folder, backend).passes("first")
    folder.passes("second")

    edit(folder, "first", how)

    assert said(folder, "second").line.startswith("reused")
    assert said(folder, "third").line.startswith("created from the store")
    assert said(folder, "first").line.startswith("rebuilt from the store")


def test_a_file_that_was_added_to_a_package_is_gone_in_the_next_run(folder: Folder):
    three(folder).passes("first")
    path = site(place_of(folder, "first")) / "one/deep/more.py"
    folder.passes("first", "--", "-c", f"open({str(path)!r}, 'w').write('value = 1')")

    line, _ = said(folder, "first")

    assert line.startswith("rebuilt")
    assert "one/deep/more.py" in line
    assert not path.exists()


# Modes and times. -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o444])
def test_a_mode_that_a_session_changed_is_not_in_another_environment(folder: Folder, mode: int):
    three(folder).passes("first")
    folder.passes("second")
    name = FILES["a module"]
    before = (site(place_of(folder, "first")) / name).stat().st_mode & 0o777
    path = str(site(place_of(folder, "first")) / name)
    folder.passes("first", "--", "-c", f"import os; os.chmod({path!r}, {mode})")

    for each in ("second", "third", "first"):
        folder.passes(each)
        assert (site(place_of(folder, each)) / name).stat().st_mode & 0o777 == before, each


def test_times_alone_cost_no_more_than_a_rebuild(folder: Folder):
    three(folder).passes("first")
    path = str(site(place_of(folder, "first")) / FILES["a module"])
    folder.passes("first", "--", "-c", f"import os; os.utime({path!r}, (1, 1))")

    said(folder, "second")
    said(folder, "first")


def test_an_edit_that_keeps_size_and_time_is_found_by_the_deep_doctor(folder: Folder):
    three(folder).passes("first")
    folder.passes("second")
    assert folder.run("--doctor", "--deep").code == 0
    path = str(site(place_of(folder, "first")) / FILES["a module"])
    code = f"import os; s = os.stat({path!r}); f = open({path!r}, 'r+'); f.write('value = \\'wrong\\''); f.close(); os.utime({path!r}, ns=(s.st_atime_ns, s.st_mtime_ns))"
    folder.passes("first", "--", "-c", code)

    done = folder.run("--doctor", "--deep")

    assert done.code == 1
    assert "one/deep/inner.py" in done.out


# Bytecode. --------------------------------------------------------------------------------

CACHED = f"one/deep/__pycache__/inner.{sys.implementation.cache_tag}.pyc"


def test_bytecode_of_a_file_that_was_replaced_reaches_nobody(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    three(folder).passes("first")
    path = str(site(place_of(folder, "first")) / FILES["a module"])
    # Never compared with its source again (PEP 552).
    mode = "py_compile.PycInvalidationMode.UNCHECKED_HASH"
    code = f"import os, py_compile; os.unlink({path!r}); open({path!r}, 'w').write('value = \\'wrong\\''); py_compile.compile({path!r}, invalidation_mode={mode})"
    folder.passes("first", "--", "-c", code)

    assert folder.passes("second").out == RIGHT
    assert folder.passes("first").out == RIGHT
    assert folder.passes("third").out == RIGHT


def test_bytecode_of_a_file_that_was_replaced_at_once_reaches_nobody(folder: Folder):
    """The run that makes the image is the one that replaces the file, with its size and time."""
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    three(folder)
    path = f"{place_of(folder, 'first')}/lib/{MINOR}/site-packages/{FILES['a module']}"
    code = f"import os; s = os.stat({path!r}); os.unlink({path!r}); open({path!r}, 'w').write('value = \\'wrong\\'\\n'); os.utime({path!r}, ns=(s.st_atime_ns, s.st_mtime_ns)); import one.deep.inner"
    folder.passes("first", "--", "-c", code)

    assert folder.passes("second").out == RIGHT
    assert folder.passes("third").out == RIGHT


def test_bytecode_that_a_session_wrote_by_hand_reaches_nobody(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    three(folder)
    place = f"{place_of(folder, 'first')}/lib/{MINOR}/site-packages"
    folder.write("wrong.py", "value = 'wrong'\n")
    mode = "py_compile.PycInvalidationMode.UNCHECKED_HASH"
    code = f"import py_compile; py_compile.compile('wrong.py', {f'{place}/{CACHED}'!r}, invalidation_mode={mode})"
    folder.passes("first", "--", "-c", code)

    assert folder.passes("second").out == RIGHT
    assert folder.passes("third").out == RIGHT


@pytest.mark.parametrize("how", ["append", "truncate"])
def test_bytecode_that_was_edited_in_place_is_in_no_other_environment(folder: Folder, how: str):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    three(folder).passes("first")
    folder.passes("second")
    path = site(place_of(folder, "second")) / CACHED
    assert path.exists()
    edited = IN_PLACE[how].replace("'a'", "'ab'").replace("write('", "write(b'")
    folder.passes("second", "--", "-c", edited.format(file=str(path)))

    assert folder.passes("first").out == RIGHT
    assert folder.passes("third").out == RIGHT
    assert folder.passes("second").out == RIGHT


def test_bytecode_that_was_edited_in_place_is_in_no_new_environment(folder: Folder):
    del folder.environ["PYTHONDONTWRITEBYTECODE"]
    three(folder).passes("first")
    folder.passes("second")
    path = site(place_of(folder, "second")) / CACHED
    edited = IN_PLACE["overwrite the last byte"]
    folder.passes("second", "--", "-c", edited.format(file=str(path)))

    assert folder.passes("third").out == RIGHT


# Edits from outside. ------------------------------------------------------------------------


def test_an_edit_of_the_image_itself_is_seen(folder: Folder):
    three(folder).passes("first")
    (image,) = images(Path(folder.environ["RUNENV_STORE"]))
    (path,) = image.rglob("one/deep/inner.py")
    path.unlink()
    path.write_text("value = 'wrong'\n")

    done = folder.passes("second")

    assert done.out == RIGHT
    assert not from_store(done.err)


@pytest.mark.parametrize("part", ["tree", "image.json", "runenv.files.json", "tree/lib", "tree/pyvenv.cfg", "tree/bin", "tree/share"])  # fmt: skip
def test_an_image_of_which_a_part_is_gone_is_not_used(folder: Folder, part: str):
    three(folder).passes("first")
    (image,) = images(Path(folder.environ["RUNENV_STORE"]))
    assert (image / part).exists()
    subprocess.run(["rm", "-rf", image / part], check=True)

    done = folder.passes("second")

    assert done.out == RIGHT
    assert folder.passes("third").out == RIGHT


TORN = ["", "{", "[]", "{}", "[[], {}]", "\x00" * 50, '{"format": 99}', "[" * 5000]


@pytest.mark.slow
@pytest.mark.parametrize("text", TORN, ids=range(len(TORN)))
@pytest.mark.parametrize("name", ["images/*/image.json", "images/*/runenv.files.json", "images/*/bytecode.json", "known/*"])  # fmt: skip
def test_a_file_of_the_store_that_cannot_be_read_is_as_none(folder: Folder, name: str, text: str):
    three(folder).passes("first")
    for path in Path(folder.environ["RUNENV_STORE"]).glob(name):
        path.unlink()
        path.write_text(text)

    assert folder.passes("second").out == RIGHT
    assert folder.passes("third").out == RIGHT
    assert folder.passes("first").out == RIGHT


def test_a_list_of_files_that_a_session_emptied_in_place_is_as_none(folder: Folder):
    """It is a link, too: that of the image is empty then."""
    three(folder).passes("first")
    path = str(place_of(folder, "first") / "runenv.files.json")
    folder.passes("first", "--", "-c", f"open({path!r}, 'w').close()")

    assert said(folder, "second").line.startswith("created")
    assert said(folder, "first").line.startswith("rebuilt")
    assert said(folder, "second").line.startswith("reused")


def test_a_list_of_files_that_leads_elsewhere_writes_nothing_there(folder: Folder, tmp_path: Path):
    three(folder).passes("first")
    (listed,) = Path(folder.environ["RUNENV_STORE"]).glob("images/*/runenv.files.json")
    text = listed.read_text().replace('"share/one"', '"../../../share/one"')
    listed.unlink()
    listed.write_text(text)

    assert folder.passes("second").out == RIGHT
    assert not (tmp_path / "share").exists()
    assert not (folder.root / "share").exists()


def test_a_link_in_place_of_the_image_is_not_followed(folder: Folder, tmp_path: Path):
    three(folder).passes("first")
    (image,) = images(Path(folder.environ["RUNENV_STORE"]))
    image.rename(tmp_path / "elsewhere")
    image.symlink_to(tmp_path / "elsewhere")

    assert folder.passes("second").out == RIGHT
    folder.run("--clean", "--store")
    assert (tmp_path / "elsewhere/image.json").exists()
