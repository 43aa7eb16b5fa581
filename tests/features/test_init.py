"""`runenv --init` as a newcomer meets it."""

from __future__ import annotations

from tests.conftest import Folder


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
