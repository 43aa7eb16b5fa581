"""The code of a large envfile is compiled once for each content."""

from __future__ import annotations

import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from runner.compiled import code_of
from runner.load import load_project

TEXT = b"import runner\n@runner.session(python=False)\ndef first(session): ...\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "envfile.py"


def kept(path: Path) -> Path:
    return Path(cache_from_source(str(path))).with_suffix(".runenv.pyc")


def value(path: Path, source: bytes) -> object:
    """What the code that comes of a source sets `x` to."""
    names: dict[str, object] = {}
    exec(code_of(source, str(path)), names)
    return names["x"]


def test_what_was_compiled_is_taken_again(path: Path):
    value(path, b"x = 'old'")
    kept(path).write_bytes(kept(path).read_bytes().replace(b"\x03old", b"\x03new"))

    assert value(path, b"x = 'old'") == "new"


def test_another_content_of_the_same_length_and_time_is_compiled_anew(path: Path):
    assert value(path, b"x = 1") == 1
    assert value(path, b"x = 2") == 2
    assert value(path, b"x = 1") == 1


@pytest.mark.parametrize("left", [0, 20, -1])
def test_what_is_damaged_is_compiled_anew(path: Path, left: int):
    value(path, b"x = 'old'")
    kept(path).write_bytes(kept(path).read_bytes()[:left])

    assert value(path, b"x = 'old'") == "old"
    assert value(path, b"x = 'old'") == "old"


def test_of_a_moved_file_the_places_are_right(path: Path, tmp_path: Path):
    value(path, b"x = 1")
    other = tmp_path / "other"
    other.mkdir()
    kept(path).parent.rename(other / "__pycache__")

    assert code_of(b"x = 1", str(other / "envfile.py")).co_filename == str(other / "envfile.py")


def test_nothing_is_written_where_python_is_to_write_no_bytecode(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert value(path, b"x = 1") == 1
    assert not kept(path).parent.exists()


def test_where_nothing_can_be_written_it_is_compiled_each_time(path: Path):
    kept(path).parent.write_text("a file")

    assert value(path, b"x = 1") == 1


def test_no_python_is_no_python_each_time(path: Path):
    for _ in range(2):
        with pytest.raises(SyntaxError):
            code_of(b"x = ", str(path))


def test_a_large_envfile_is_kept_and_a_small_one_is_not(path: Path):
    path.write_bytes(TEXT)
    load_project(str(path))
    assert not kept(path).exists()

    path.write_bytes(TEXT + b"# more\n" * 1000)
    load_project(str(path))
    assert kept(path).exists()
    assert [job.name for job in load_project(str(path)).jobs] == ["first"]
