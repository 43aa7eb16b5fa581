"""Files that are written aside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.aside import write_aside


def test_a_file_is_replaced_whole(tmp_path: Path):
    (tmp_path / "file").write_text("old")
    os.link(tmp_path / "file", tmp_path / "other")

    write_aside(str(tmp_path / "file"), "new")

    assert (tmp_path / "file").read_text() == "new"
    assert (tmp_path / "other").read_text() == "old"


def test_of_what_cannot_be_written_nothing_is_left(tmp_path: Path):
    (tmp_path / "file").mkdir()

    with pytest.raises(OSError, match="file"):
        write_aside(str(tmp_path / "file"), "new")

    assert os.listdir(tmp_path) == ["file"]
