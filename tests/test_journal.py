"""The journal of an environment: what is written is read, what is anything else is none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.envs.folder import JOURNAL
from runner.envs.journal import Journal, read, site_difference, site_listing, to_text, write
from runner.running import Ingredient

JOURNAL_OF_TWO = Journal(
    state="whole",
    ingredients=(Ingredient("backend", "uv"), Ingredient("python", "3.13.0")),
    entries=((Ingredient("install", "six\nrich"),), None, ()),
    site={"six.py": 1_700_000_000_123_456_789, "bin/python": 0},
)


def test_what_was_written_is_read(tmp_path: Path):
    write(str(tmp_path), JOURNAL_OF_TWO)

    assert read(str(tmp_path)) == JOURNAL_OF_TWO
    assert os.listdir(tmp_path) == [JOURNAL]


def test_any_text_that_an_ingredient_can_hold_is_kept(tmp_path: Path):
    odd = Ingredient("für\u2028", "\udcff\0\n\ud83d")
    write(str(tmp_path), JOURNAL_OF_TWO._replace(ingredients=(odd,)))

    found = read(str(tmp_path))

    assert found is not None
    assert found.ingredients == (odd,)


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(to_text(JOURNAL_OF_TWO)), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "5",
        '"runenv"',
        "{}",
        changed(format=2),
        changed(format=None),
        changed(state="broken"),
        changed(state=["whole"]),
        changed(ingredients=None),
        changed(ingredients=[["backend"]]),
        changed(ingredients=[["a", "b", "c"]]),
        changed(ingredients=[5]),
        changed(entries=5),
        changed(entries=[5]),
        changed(site=[]),
        changed(site={"six.py": "x"}),
        changed(site={"six.py": None}),
        changed(site={"six.py": float("inf")}),
        changed(site={"six.py": float("nan")}),
        "[" * 100_000,
        to_text(JOURNAL_OF_TWO)[:-5],
    ],
)
def test_what_has_another_shape_is_no_journal(tmp_path: Path, text: str):
    (tmp_path / JOURNAL).write_text(text, "utf-8")

    assert read(str(tmp_path)) is None


def test_bytes_that_are_no_text_are_no_journal(tmp_path: Path):
    (tmp_path / JOURNAL).write_bytes(b"\xff\xfe\0")

    assert read(str(tmp_path)) is None


def test_where_there_is_no_file_there_is_no_journal(tmp_path: Path):
    (tmp_path / JOURNAL).mkdir()

    assert read(str(tmp_path)) is None
    assert read(str(tmp_path / "nowhere")) is None


# What is installed. ---------------------------------------------------------------------


def environment(tmp_path: Path) -> Path:
    """One with a package, a module, metadata, a .pth file and two programs; its site-packages."""
    site = tmp_path / "lib/python3.13/site-packages"
    (site / "six-1.0.dist-info").mkdir(parents=True)
    (site / "package").mkdir()
    (site / "__pycache__").mkdir()
    for name in ("six.py", "mine.pth"):
        (site / name).write_text("")
    (tmp_path / "bin/__pycache__").mkdir(parents=True)
    for name in ("python", "tool"):
        (tmp_path / "bin" / name).write_text("")
    for name in ("six-1.0.dist-info", "package", "six.py", "mine.pth"):
        os.utime(site / name, ns=(5, 5))
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    for name in ("pyvenv.cfg", "bin/python", "bin/tool"):
        os.utime(tmp_path / name, ns=(5, 5))
    return site


def test_a_listing_has_the_times_of_what_an_installer_writes(tmp_path: Path):
    environment(tmp_path)

    assert site_listing(str(tmp_path)) == {
        "six-1.0.dist-info": 5,
        "package": 0,
        "six.py": 5,
        "mine.pth": 5,
        "pyvenv.cfg": 5,
        "bin/python": 5,
        "bin/tool": 0,
    }


def test_an_environment_without_its_python_is_listed_without_it(tmp_path: Path):
    environment(tmp_path)
    (tmp_path / "bin/python").unlink()

    assert "bin/python" not in site_listing(str(tmp_path))


def test_a_first_import_changes_no_listing(tmp_path: Path):
    site = environment(tmp_path)
    before = site_listing(str(tmp_path))

    (site / "package/__pycache__").mkdir()
    (site / "__pycache__/six.pyc").write_text("")

    assert site_listing(str(tmp_path)) == before


def test_a_link_that_leads_nowhere_is_listed(tmp_path: Path):
    site = environment(tmp_path)
    (site / "linked").symlink_to(tmp_path / "gone")

    assert "linked" in site_listing(str(tmp_path))


def test_both_library_folders_are_listed(tmp_path: Path):
    environment(tmp_path)
    other = tmp_path / "lib/pypy3.11/site-packages"
    other.mkdir(parents=True)
    (other / "other").mkdir()

    assert "other" in site_listing(str(tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({}, {}, ""),
        ({"a": 1}, {"a": 1}, ""),
        ({}, {"six.py": 1, "six-1.16.0.dist-info": 1}, "+six 1.16.0, +six.py"),
        ({"six-1.16.0.dist-info": 1}, {}, "-six 1.16.0"),
        ({"a.pth": 1}, {"a.pth": 2}, "~a.pth"),
        ({"my_lib-1.0.dist-info": 1}, {"my_lib-1.0.dist-info": 2}, "~my_lib 1.0"),
        ({"a": 1, "b": 1, "c": 1}, {"c": 2, "d": 1, "e": 1}, "+d, +e, -a, and 2 more"),
    ],
)
def test_a_difference_is_told_in_words(old: dict[str, int], new: dict[str, int], told: str):
    assert site_difference(old, new) == told
