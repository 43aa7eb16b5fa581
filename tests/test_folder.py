"""The environment folder: names in it, making it, and deleting in it and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.envs.folder import (
    JOURNAL,
    bin_folder,
    empty_trash,
    environments_in,
    folder_name,
    make_envdir,
    python_in,
    remove,
    site_packages,
    start_environment,
    why_not_ours,
)
from runner.errors import EnvironmentBroken


def environment(path: Path) -> Path:
    """A folder that is ours by its journal, with a file in it."""
    start_environment(str(path), "{}")
    (path / "bin").mkdir()
    (path / "bin/python").write_text("")
    return path


def trouble(path: Path) -> str:
    with pytest.raises(EnvironmentBroken) as caught:
        remove(str(path))
    return caught.value.what


# Names. -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lint", "tests-3.13-old", "a_b.c+d", "0", "x" * 80])
def test_a_safe_name_is_the_folders_own(name: str):
    assert folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Lint", "Lint-93d8a5e2"),
        ("straße", "stra_e-787f4770"),
        ("nul", "nul-99e62427"),
        ("com1.txt", "com1.txt-b707e3c6"),
        ("a.", "a-5ab640fa"),
        ("x" * 81, "x" * 80 + "-4d1f7bb8"),
        ("\ud800", "_-91a681b9"),
        ("a(x='b/c')", "a_x__b_c__-9ddb9e75"),
        ("..", "_-5ec1f7e7"),
    ],
)
def test_any_other_name_has_a_hash_behind_it(name: str, folder: str):
    assert folder_name(name) == folder


def test_names_that_some_file_systems_take_for_one_have_two_folders():
    names = ["lint", "Lint", "LINT", "li\u0301nt", "l\u00ednt", "x" * 90, "x" * 91, "a.", "a"]

    assert len({folder_name(name).casefold() for name in names}) == len(names)


# Making. -----------------------------------------------------------------------------------


def test_the_folder_is_ignored_by_git_and_marked_for_backups(tmp_path: Path):
    make_envdir(str(tmp_path / "envs"), str(tmp_path))

    assert sorted(os.listdir(tmp_path / "envs")) == [
        ".gitignore",
        ".ignore",
        ".key",
        ".locks",
        "CACHEDIR.TAG",
    ]
    assert (tmp_path / "envs/.gitignore").read_text() == "*\n"
    assert (tmp_path / "envs/.ignore").read_text() == "*\n"
    assert (
        (tmp_path / "envs/CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    )


def test_a_folder_that_is_whole_is_left_as_it_is(tmp_path: Path):
    make_envdir(str(tmp_path / "envs"), str(tmp_path))
    (tmp_path / "envs/.gitignore").write_text("mine\n")

    make_envdir(str(tmp_path / "envs"), str(tmp_path))

    assert (tmp_path / "envs/.gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("part", [".locks", "CACHEDIR.TAG", ".key"])
def test_a_part_that_is_gone_is_made_again(tmp_path: Path, part: str):
    make_envdir(str(tmp_path / "envs"), str(tmp_path))
    path = tmp_path / "envs" / part
    path.rmdir() if path.is_dir() else path.unlink()

    make_envdir(str(tmp_path / "envs"), str(tmp_path))

    assert path.exists()


def test_what_a_run_left_that_was_killed_while_it_made_the_folder_goes(tmp_path: Path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    envdir = tmp_path / ".runenv"
    envdir.mkdir()
    left, others = envdir / f"CACHEDIR.TAG.{ended.pid}-1", envdir / f".ignore.{os.getpid()}-1"
    left.write_text("Signature")
    others.write_text("*")

    make_envdir(str(envdir), str(tmp_path))

    assert not left.exists()
    assert others.exists()  # of a run that makes the folder at this moment


def test_a_folder_with_a_gitignore_of_its_own_keeps_it(tmp_path: Path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build/.gitignore").write_text("/out\n")

    make_envdir(str(tmp_path / "build"), str(tmp_path))

    assert (tmp_path / "build/.gitignore").read_text() == "/out\n"


def test_a_file_where_the_folder_belongs_is_an_error(tmp_path: Path):
    (tmp_path / "envs").write_text("")

    with pytest.raises(EnvironmentBroken, match="cannot be made"):
        make_envdir(str(tmp_path / "envs"), str(tmp_path))


@pytest.mark.parametrize("envdir", [".", "..", "sub/.."])
def test_the_projects_own_folder_is_refused(tmp_path: Path, envdir: str):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)

    with pytest.raises(EnvironmentBroken, match="holds the project itself"):
        make_envdir(str(root / envdir), str(root))

    assert os.listdir(root) == ["sub"]


def test_an_environment_appears_with_its_journal(tmp_path: Path):
    start_environment(str(tmp_path / "lint"), "text")

    assert os.listdir(tmp_path) == ["lint"]
    assert (tmp_path / "lint" / JOURNAL).read_text() == "text"


def test_what_a_killed_run_left_is_taken_over(tmp_path: Path):
    left = tmp_path / ".new-lint"
    left.mkdir()
    (left / JOURNAL).write_text("old")

    start_environment(str(tmp_path / "lint"), "text")

    assert os.listdir(tmp_path) == ["lint"]
    assert (tmp_path / "lint" / JOURNAL).read_text() == "text"


# Deleting. ----------------------------------------------------------------------------------


def test_an_environment_of_ours_is_deleted(tmp_path: Path):
    environment(tmp_path / "lint")

    remove(str(tmp_path / "lint"))

    assert os.listdir(tmp_path) == []


def test_what_is_not_there_needs_no_deleting(tmp_path: Path):
    remove(str(tmp_path / "lint"))

    assert os.listdir(tmp_path) == []


def test_an_empty_folder_may_be_deleted(tmp_path: Path):
    (tmp_path / "lint").mkdir()

    remove(str(tmp_path / "lint"))

    assert os.listdir(tmp_path) == []


def test_what_is_not_ours_is_refused_and_stays(tmp_path: Path):
    environment(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/data").write_text("")

    told = {
        name: trouble(tmp_path / name).partition("belongs, and ")[2]
        for name in ("link", "dangling", "file", "folder")
    }

    assert told == {
        "link": "it is a link",
        "dangling": "it is a link",
        "file": "it is a file",
        "folder": "it was not made by runenv (no runenv.json in it)",
    }
    assert sorted(os.listdir(tmp_path)) == ["dangling", "file", "folder", "link", "real"]
    assert why_not_ours(str(tmp_path / "real")) == ""


def test_a_link_in_an_environment_is_not_followed(tmp_path: Path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/data").write_text("")
    environment(tmp_path / "envs-lint")
    (tmp_path / "envs-lint/link").symlink_to(tmp_path / "precious")

    remove(str(tmp_path / "envs-lint"))

    assert os.listdir(tmp_path) == ["precious"]
    assert os.listdir(tmp_path / "precious") == ["data"]


def test_what_cannot_be_moved_away_is_told(tmp_path: Path):
    environment(tmp_path / "lint")
    (tmp_path / ".trash").write_text("a file, where a folder belongs")

    assert trouble(tmp_path / "lint").startswith(f"{tmp_path / 'lint'} cannot be replaced: ")
    assert (tmp_path / "lint/bin/python").exists()


def test_a_trash_that_is_a_link_is_refused(tmp_path: Path):
    (tmp_path / "envs").mkdir()
    environment(tmp_path / "envs/lint")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "envs/.trash").symlink_to(tmp_path / "elsewhere")

    assert trouble(tmp_path / "envs/lint").startswith(
        f"{tmp_path / 'envs/lint'} cannot be replaced: "
    )
    assert os.listdir(tmp_path / "elsewhere") == []


def test_what_a_killed_run_left_in_the_trash_goes_with_the_next(tmp_path: Path):
    (tmp_path / ".trash/lint-1-0/bin").mkdir(parents=True)
    environment(tmp_path / "lint")

    remove(str(tmp_path / "lint"))

    assert os.listdir(tmp_path) == []


def test_no_trash_to_empty_is_fine(tmp_path: Path):
    empty_trash(str(tmp_path))

    assert os.listdir(tmp_path) == []


# Looking. -----------------------------------------------------------------------------------


def test_environments_are_the_folders_with_a_journal(tmp_path: Path):
    for name in ("b", "a", ".hidden"):
        environment(tmp_path / name)
    (tmp_path / "other").mkdir()
    (tmp_path / JOURNAL).write_text("")

    assert environments_in(str(tmp_path)) == ["a", "b"]
    assert environments_in(str(tmp_path / "nowhere")) == []


def test_the_parts_of_an_environment(tmp_path: Path):
    (tmp_path / "lib/python3.13/site-packages").mkdir(parents=True)
    (tmp_path / "lib/other").mkdir()

    assert bin_folder("/e") == "/e/bin"
    assert python_in("/e") == "/e/bin/python"
    assert site_packages(str(tmp_path)) == [str(tmp_path / "lib/python3.13/site-packages")]
