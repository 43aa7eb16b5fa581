"""What of a project travels to a worker of a cluster, and what is made of it there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.content import content_of
from runner.executors.delivered import Delivered, checked_path, home_in
from runner.executors.frames import Frames, to_frame
from tests.conftest import POSIX

DAY_S = 24 * 60 * 60


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def delivered(tmp_path: Path) -> Delivered:
    return Delivered(str(tmp_path / "cluster"))


# What is sent. ----------------------------------------------------------------------------


@POSIX
def test_files_programs_and_links_are_told_apart(root: Path, delivered: Delivered):
    (root / "src").mkdir()
    (root / "src" / "a.py").write_bytes(b"a")
    (root / "run.sh").write_bytes(b"b")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("src/a.py")

    assert content_of(str(root), delivered).entries == (
        ("link", "l", "src/a.py"),
        ("run.sh", "x", digest(b"b")),
        ("src/a.py", "f", digest(b"a")),
    )


def test_of_a_repository_what_git_would_keep_is_sent(root: Path, delivered: Delivered):
    for name in ("tracked", "new", "ignored", "deleted"):
        (root / name).write_text(name)
    (root / ".gitignore").write_text("ignored\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "tracked", "deleted"], cwd=root, check=True)
    (root / "deleted").unlink()

    names = [name for name, _, _ in content_of(str(root), delivered).entries]

    assert names == [".gitignore", "new", "tracked"]


def test_of_a_repository_in_the_repository_the_files_are_sent(root: Path, delivered: Delivered):
    (root / "inner").mkdir()
    for folder in (root, root / "inner"):
        (folder / "file").write_text("x")
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)

    assert [name for name, _, _ in content_of(str(root), delivered).entries] == [
        "file",
        "inner/file",
    ]


def test_of_what_is_asked_for_the_first_comes_and_more_where_they_are_small(
    root: Path, delivered: Delivered
):
    (root / "a").write_bytes(b"x" * (9 << 20))
    (root / "b").write_bytes(b"b")
    content = content_of(str(root), delivered)
    large, small = (digest for _, _, digest in content.entries)

    assert [len(one) for one in content.read([large, small])] == [9 << 20]
    assert [len(one) for one in content.read([small, large])] == [1, 9 << 20]


def test_what_is_sent_is_what_a_file_held_when_it_was_looked_at(root: Path, delivered: Delivered):
    (root / "log.txt").write_bytes(b"before")
    content = content_of(str(root), delivered)
    (root / "log.txt").write_bytes(b"after")

    assert content.read([digest(b"before")]) == [b"before"]


# What is there. ---------------------------------------------------------------------------


def test_what_was_added_is_lacked_no_more(delivered: Delivered):
    entries = [("a", "f", digest(b"a")), ("b", "x", digest(b"b")), ("c", "l", "a")]
    assert delivered.lacks(entries) == [digest(b"a"), digest(b"b")]

    delivered.add(b"a")

    assert delivered.lacks(entries) == [digest(b"b")]


@POSIX
def test_a_run_has_a_folder_of_its_own_with_all_of_it(delivered: Delivered):
    delivered.add(b"a")
    entries = [("src/a.py", "x", digest(b"a")), ("link", "l", "src/a.py"), ("b", "f", digest(b"a"))]

    one, two = (Path(delivered.make_folder("run", entries)) for _ in range(2))
    (one / "b").write_bytes(b"changed")

    assert one != two
    assert (two / "b").read_bytes() == (two / "link").read_bytes() == b"a"
    assert [os.access(two / name, os.X_OK) for name in ("src/a.py", "b")] == [True, False]
    assert delivered.lacks([("b", "f", digest(b"a"))]) == []


def test_a_path_that_leads_out_is_refused(delivered: Delivered):
    delivered.add(b"a")

    with pytest.raises(ValueError, match=r"'\.\./a' leads out of"):
        delivered.make_folder("run", [("../a", "f", digest(b"a"))])


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", ".", "a/.."])
def test_what_is_no_path_below_is_refused(name: str):
    with pytest.raises(ValueError, match="leads out of"):
        checked_path(os.path.abspath("root"), name)


def test_what_nobody_has_used_for_long_goes_when_it_is_looked_at(
    delivered: Delivered, tmp_path: Path
):
    delivered.add(b"old")
    delivered.add(b"new")
    left, used = (Path(delivered.make_folder("run", [])) for _ in range(2))
    home = tmp_path / "cluster"
    old = next(path for path in (home / "files").rglob("*") if path.name == digest(b"old"))
    os.utime(old, (0, 0))
    os.utime(left, (0, 0))

    delivered.clean()

    assert delivered.lacks([("a", "f", digest(b"old")), ("b", "f", digest(b"new"))]) == [
        digest(b"old")
    ]
    assert (left.exists(), used.exists()) == (False, True)


def test_it_is_looked_at_once_a_day(delivered: Delivered):
    delivered.make_folder("run", [])
    delivered.clean()
    left = Path(delivered.make_folder("run", []))
    os.utime(left, (0, 0))

    delivered.clean()

    assert left.exists()


@POSIX
def test_nobody_else_may_read_it(delivered: Delivered, tmp_path: Path):
    delivered.add(b"a")

    assert (tmp_path / "cluster").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
@pytest.mark.parametrize(
    ("environ", "home"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/runenv/cluster"),
        ({"HOME": "/h"}, "/h/.cache/runenv/cluster"),
        ({}, "/scratch/cluster"),
    ],
)
def test_it_lies_in_the_users_cache_or_else_in_the_workers_own_folder(environ, home: str):
    assert home_in(environ, "/scratch") == home


# Frames. ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_frames_are_read_out_of_pieces_of_any_size(size: int):
    told = [(["out", "t", 1], b"\n\x00 text"), (["ended", "é"], b""), (["out", "t", 2], b"x" * 300)]
    stream = b"".join(to_frame(head, data) for head, data in told)
    frames = Frames()

    found = [
        frame
        for start in range(0, len(stream), size)
        for frame in frames.feed(stream[start : start + size])
    ]

    assert found == told
