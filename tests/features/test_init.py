"""`runenv --init` as a newcomer meets it."""

from __future__ import annotations

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.measured


def test_what_it_writes_runs_at_once_and_stays(folder: Folder):
    folder.write(
        "test_it.py", "import unittest\nclass T(unittest.TestCase):\n    def test(self): ...\n"
    )

    first = folder.run("--init")
    ran = folder.run()
    again = folder.run("--init")

    assert first.code == 0
    assert first.err.startswith("wrote envfile.py\n\nseen:\n  tests by unittest, in test_it.py\n")
    assert (ran.code, "Ran 1 test" in ran.err) == (0, True)
    assert again.code == 2
    assert "error: there is an envfile.py already: envfile.py\n" in again.err
    assert sorted(p.name for p in folder.root.glob("envfile*")) == ["envfile.py"]


def test_a_link_that_leads_nowhere_is_there(folder: Folder):
    (folder.root / "envfile.py").symlink_to("elsewhere.py")

    done = folder.run("--init")

    assert "error: there is an envfile.py already: envfile.py\n" in done.err
    assert [p.name for p in folder.root.iterdir()] == ["envfile.py"]


def test_a_folder_behind_it_is_no_name_of_anything(folder: Folder):
    (folder.root / "sub").mkdir()

    done = folder.run("--init", "sub")

    assert done.code == 2
    assert done.err == (
        "error: --init takes no name, and got 'sub'\n"
        "  the folder of a project is named by -C: runenv -C sub --init\n"
    )
    assert not list(folder.root.rglob("envfile.py"))


def test_another_folder_is_named_by_directory(folder: Folder):
    (folder.root / "sub").mkdir()

    done = folder.run("-C", "sub", "--init")

    assert done.err.startswith("wrote sub/envfile.py\n")
    assert folder.run("-C", "sub").out == "It runs.\n"


def test_the_file_that_is_named_is_written_for_the_project_in_its_folder(folder: Folder):
    folder.write("lib/pyproject.toml", "[project]\nname = 'lib'\nversion = '1'\n")

    done = folder.passes("--init", "--file", "lib/tasks.py")

    assert not (folder.root / "envfile.py").exists()
    assert "wrote lib/tasks.py\n" in done.err
    assert "  pyproject.toml: lib" in done.err
    assert "\n  runenv --file lib/tasks.py --list" in done.err
    assert folder.passes("--file", "lib/tasks.py").code == 0


def test_the_folder_that_is_named_as_a_file_is_where_it_is_written(folder: Folder):
    (folder.root / "lib").mkdir()
    folder.passes("--init", "--file", "lib")

    assert (folder.root / "lib" / "envfile.py").is_file()


def test_that_the_folder_of_the_file_is_missing_is_told(folder: Folder):
    done = folder.run("--init", "--file", "gone/envfile.py")

    assert done.code == 2
    assert done.err.startswith("error: there is no folder gone\n")
