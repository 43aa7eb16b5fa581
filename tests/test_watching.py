"""What is watched, what has changed, and for which jobs that is a change; and the bells."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.watching import shown_names
from runner.watching.child import JobRead, Told
from runner.watching.concern import Concern
from runner.watching.native import Native, topmost
from runner.watching.own import OwnFiles
from runner.watching.patterns import is_meant
from runner.watching.polling import Polling
from runner.watching.tree import Tree

ENVIRON = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def put(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def changed(tree: Tree) -> list[str]:
    """What the tree sees, from its root."""
    return sorted(os.path.relpath(path, tree.root) for path in tree.look())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    put(tmp_path, "src/a.py", "1")
    put(tmp_path, "b.txt", "1")
    return Tree(str(tmp_path), ENVIRON)


@pytest.fixture
def in_git(tmp_path: Path) -> Tree:
    put(tmp_path, ".gitignore", "ignored/\n*.log\n")
    put(tmp_path, "ignored/a", "1")
    put(tmp_path, "a.py", "1")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, env=ENVIRON, check=True)
    return Tree(str(tmp_path), ENVIRON)


# The tree. --------------------------------------------------------------------------------


def test_nothing_has_changed_at_first(tree: Tree):
    assert changed(tree) == []


def test_what_is_written_new_or_gone_has_changed_once(tree: Tree, tmp_path: Path):
    put(tmp_path, "src/a.py", "22")
    put(tmp_path, "new/deep/c.py")
    (tmp_path / "b.txt").unlink()

    assert changed(tree) == ["b.txt", "new/deep/c.py", "src/a.py"]
    assert changed(tree) == []


def test_what_follows_within_a_moment_is_the_same_change(tree: Tree, tmp_path: Path):
    later = ["c", "d"]

    def wait(_: float) -> None:
        if later:
            put(tmp_path, later.pop(0))

    put(tmp_path, "b.txt", "22")
    found = tree.settled(wait)

    assert sorted(os.path.basename(path) for path in found) == ["b.txt", "c", "d"]


def test_what_is_written_again_as_it_was_has_not_changed(tree: Tree, tmp_path: Path):
    (tmp_path / "src" / "a.py").unlink()
    put(tmp_path, "src/a.py", "1")

    assert changed(tree) == []


def test_of_a_large_file_the_time_alone_decides(tmp_path: Path):
    put(tmp_path, "large", "x" * (1 << 20) + "x")
    tree = Tree(str(tmp_path), ENVIRON)
    os.utime(tmp_path / "large", (1, 1))

    assert changed(tree) == ["large"]


def test_a_file_too_large_to_be_read_leaves_room_for_the_others(tree: Tree, tmp_path: Path):
    with open(tmp_path / "large", "wb") as stream:
        stream.truncate(1 << 27)
    tree = Tree(str(tmp_path), ENVIRON)
    (tmp_path / "src" / "a.py").unlink()
    put(tmp_path, "src/a.py", "1")

    assert changed(tree) == []


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_file_that_may_now_be_executed_has_changed(tree: Tree, tmp_path: Path):
    (tmp_path / "b.txt").chmod(0o755)

    assert changed(tree) == ["b.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")
def test_neither_a_pipe_nor_a_broken_link_nor_a_linked_folder_is_looked_into(tmp_path: Path):
    project, other = tmp_path / "project", tmp_path / "other"
    project.mkdir()
    other.mkdir()
    os.mkfifo(project / "pipe")
    (project / "broken").symlink_to("nowhere")
    (project / "linked").symlink_to(other)
    tree = Tree(str(project), ENVIRON)
    put(other, "a")

    assert changed(tree) == []


@pytest.mark.parametrize(
    "name",
    [
        ".git/index",
        ".runenv/tests/x",
        "node_modules/x/y.js",
        "src/__pycache__/a.pyc",
        "src/a.pyc",
        ".coverage",
        ".coverage.host.1.2",
        "build/lib/a.py",
        "a.py~",
        ".a.py.swp",
        "4913",
        ".#a.py",
        "#a.py#",
        "a.py___jb_tmp___",
        "run.json.4711-12",
    ],
)
def test_what_tools_and_editors_leave_is_not_watched(tree: Tree, tmp_path: Path, name: str):
    put(tmp_path, name)

    assert changed(tree) == []


def test_a_folder_that_calls_itself_a_cache_is_not_watched(tmp_path: Path):
    put(tmp_path, "mine/CACHEDIR.TAG")
    put(tmp_path, "venv/pyvenv.cfg")
    tree = Tree(str(tmp_path), ENVIRON)
    put(tmp_path, "mine/a")
    put(tmp_path, "venv/a")

    assert changed(tree) == []


def test_what_git_ignores_is_not_watched_however_new(in_git: Tree, tmp_path: Path):
    put(tmp_path, "ignored/a", "22")
    put(tmp_path, "run.log")
    put(tmp_path, "new/run.log")
    put(tmp_path, "new/ignored/deep/a")
    put(tmp_path, "new/b.py")

    assert changed(in_git) == ["new/b.py"]
    put(tmp_path, "new/run.log", "22")
    put(tmp_path, "new/b.py", "22")
    assert changed(in_git) == ["new/b.py"]


def test_what_git_ignores_no_more_is_watched(in_git: Tree, tmp_path: Path):
    put(tmp_path, ".gitignore", "*.log\n")

    assert changed(in_git) == [".gitignore"]
    assert changed(in_git) == []
    put(tmp_path, "ignored/a", "333")
    assert changed(in_git) == ["ignored/a"]


def test_a_project_that_git_ignores_is_watched_all_the_same(in_git: Tree, tmp_path: Path):
    put(tmp_path, "ignored/project/a.py")
    tree = Tree(str(tmp_path / "ignored" / "project"), ENVIRON)
    put(tmp_path, "ignored/project/a.py", "22")
    put(tmp_path, "ignored/project/new.py")

    assert changed(tree) == ["a.py", "new.py"]


def test_without_git_its_rules_are_not_known(in_git: Tree, tmp_path: Path):
    tree = Tree(str(tmp_path), {**ENVIRON, "PATH": ""})
    put(tmp_path, "run.log")

    assert changed(tree) == ["run.log"]


@pytest.mark.skipif(sys.platform == "win32", reason="scripts of POSIX")
def test_git_is_asked_for_what_is_new_alone(in_git: Tree, tmp_path: Path):
    git = shutil.which("git")
    put(tmp_path, "ignored/bin/git", f'#!/bin/sh\necho "$1" >> "$0.log"\nexec {git} "$@"\n')
    (tmp_path / "ignored/bin/git").chmod(0o755)
    path = f"{tmp_path}/ignored/bin{os.pathsep}{os.environ['PATH']}"
    tree = Tree(str(tmp_path), {**ENVIRON, "PATH": path})
    log = tmp_path / "ignored/bin/git.log"
    log.unlink()

    put(tmp_path, "a.py", "22")
    assert changed(tree) == ["a.py"]
    assert not log.exists()
    put(tmp_path, "b.py")
    assert changed(tree) == ["b.py"]
    assert log.read_text() == "check-ignore\n"


def test_a_folder_of_which_it_was_told_is_not_watched(tree: Tree, tmp_path: Path):
    put(tmp_path, "envs/tests/a")
    tree.learn((), [str(tmp_path / "envs"), str(tmp_path / "b.txt")])
    put(tmp_path, "envs/tests/b")
    put(tmp_path, "b.txt", "22")

    assert changed(tree) == []


def test_files_elsewhere_are_watched_by_their_names(tmp_path: Path):
    put(tmp_path, "project/a.py")
    put(tmp_path, "more.txt", "1")
    tree = Tree(str(tmp_path / "project"), ENVIRON)
    tree.learn([str(tmp_path / "more.txt"), str(tmp_path / "later.env")], ())
    assert changed(tree) == []
    put(tmp_path, "more.txt", "22")
    put(tmp_path, "later.env")
    put(tmp_path, "other.txt")

    assert changed(tree) == ["../later.env", "../more.txt"]
    assert str(tmp_path) in tree.folders()


def test_a_file_that_we_write_to_is_not_watched(tmp_path: Path):
    put(tmp_path, "log")
    state = (tmp_path / "log").stat()
    tree = Tree(str(tmp_path), ENVIRON, {(state.st_dev, state.st_ino)})
    put(tmp_path, "log", "22")

    assert changed(tree) == []


def test_only_folders_that_are_watched_are_listened_to(in_git: Tree, tmp_path: Path):
    put(tmp_path, "new/deep/a")
    in_git.look()

    found = {os.path.relpath(folder, tmp_path) for folder in in_git.folders()}
    assert found == {".", "new", "new/deep"}


# What it is called, and for whom it is a change. --------------------------------------------


def test_the_first_of_several_files_is_named():
    assert shown_names(["/p/src/b.py", "/p/src/a.py", "/p/c"], "/p") == "c and 2 more"
    assert shown_names(["/p/src/a.py"], "/p") == "src/a.py"
    assert shown_names(["/q/a.txt"], "/p") == "/q/a.txt"


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("src", "src/deep/a.py", True),
        ("src/", "src/a.py", True),
        ("./src", "src/a.py", True),
        ("src", "tests/src/a.py", False),
        ("src", "srcs", False),
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "src/deep/a.py", True),
        ("src/**", "src/deep/a.py", True),
        ("src/**", "src", False),
        ("src/**/b/*.py", "src/a/b/c.py", True),
        ("src/**/b/*.py", "src/a/c.py", False),
        ("src/[ab].p?", "src/a.py", True),
        ("SRC", "src/a.py", False),
    ],
)
def test_patterns_mean_files_and_all_in_folders(pattern: str, path: str, meant: bool):
    assert is_meant(path, [pattern]) is meant


def concern(*jobs: JobRead, **told: object) -> Concern:
    found = Concern("/p")
    found.learn(Told(jobs=jobs, read=("/p/envfile.py", "/p/pyproject.toml"), **told))  # type: ignore[arg-type]  # handed on
    return found


DOCS = JobRead("docs", inputs=("docs", "*.md"), files=("/elsewhere/docs.txt",))
LINT = JobRead("lint", inputs=("src",))
SITE = JobRead("site", requires=("docs",), inputs=("site",))


def test_a_change_is_for_those_whose_inputs_it_is_among():
    two = concern(DOCS, LINT)

    assert two.jobs_of(["/p/docs/a.md"]) == {"docs"}
    assert two.jobs_of(["/p/src/a.py"]) == {"lint"}
    assert two.jobs_of(["/p/other"]) == set()
    assert two.jobs_of(["/elsewhere/docs.txt"]) == {"docs"}


def test_without_inputs_any_change_is_one():
    tests = JobRead("tests")

    assert concern(DOCS, tests).jobs_of(["/p/other"]) == {"tests"}
    assert concern(tests).jobs_of(["/p/other"]) is None


def test_what_requires_a_job_that_runs_again_does_too():
    assert concern(DOCS, SITE, LINT).jobs_of(["/p/README.md"]) == {"docs", "site"}


def test_what_decides_the_envfile_is_a_change_for_all():
    assert concern(DOCS, LINT).jobs_of(["/p/envfile.py"]) is None
    assert concern(DOCS, LINT).jobs_of(["/p/pyproject.toml", "/p/docs/a"]) is None
    assert concern(DOCS, LINT).jobs_of(["/p/packages/new/envfile.py"]) is None


def test_outputs_are_no_change():
    assert concern(JobRead("tests"), outputs=("build",)).jobs_of(["/p/build/a"]) == set()


def test_while_the_envfile_is_wrong_any_change_is_for_all():
    two = concern(DOCS, LINT)
    two.learn(Told(envfile_is_wrong=True))

    assert two.jobs_of(["/p/other"]) is None
    assert "/elsewhere/docs.txt" in two.files()


# What a run writes itself. ------------------------------------------------------------------


@pytest.fixture
def own() -> OwnFiles:
    """Of runs that have written `log` three times, the last of which ended at 10.0."""
    found = OwnFiles()
    for _ in range(2):
        assert found.in_run({"log"}) == ({"log"}, set())
        found.end({"log"}, 5.0)
    assert found.in_run({"log", "src"}) == ({"src"}, {"log"})
    found.end({"src"}, 10.0)
    return found


def test_what_changes_in_three_runs_in_a_row_is_the_run_s_own(own: OwnFiles):
    assert own.in_run({"log", "src"}) == ({"src"}, set())
    assert own.between({"log", "src"}, 10.5) == ({"src"}, set())


def test_a_run_in_which_it_does_not_change_begins_the_count_anew():
    files = OwnFiles()
    for changed in ({"log"}, {"log"}, set[str](), {"log"}):
        files.end(changed, 5.0)

    assert files.in_run({"log"}) == ({"log"}, set())


def test_what_a_person_writes_between_two_runs_is_a_change_and_counts_anew(own: OwnFiles):
    assert own.between({"log"}, 11.0) == ({"log"}, set())
    assert own.in_run({"log"}) == ({"log"}, set())


def test_what_changes_soon_after_a_run_counts_for_it():
    files = OwnFiles()
    for at in (1.0, 2.0):
        files.end(set(), at)
        assert files.between({"log"}, at + 0.9) == ({"log"}, set())
    files.end(set(), 3.0)

    assert files.between({"log"}, 3.9) == (set(), {"log"})


# The bells. -------------------------------------------------------------------------------


def bells(ring, lost):
    return {
        "native": lambda: Native(ring, lost, each_folder=True),
        "native and deep": lambda: Native(ring, lost, each_folder=False),
        "polling": lambda: Polling(ring, lambda: 0.0, "because"),
    }


@pytest.mark.parametrize("kind", ["native", "native and deep", "polling"])
def test_a_bell_rings_for_a_file_and_no_more_when_it_is_closed(kind: str, tmp_path: Path):
    rung: queue.SimpleQueue[str] = queue.SimpleQueue()
    bell = bells(lambda: rung.put("rung"), rung.put)[kind]()

    (tmp_path / "below").mkdir()
    bell.listen({str(tmp_path), str(tmp_path / "below")})
    assert rung.get(timeout=60) == "rung"  # it has begun
    put(tmp_path, "below/a")
    assert rung.get(timeout=60) == "rung"
    bell.close()


def test_one_watch_is_enough_for_all_below_a_folder():
    below = {os.path.join("p", "a"), os.path.join("p", "a", "b")}

    assert topmost({"p", *below, "pq"}) == {"p", "pq"}


def test_the_bell_of_the_system_rings_in_folders_that_are_added(tmp_path: Path):
    rung: queue.SimpleQueue[str] = queue.SimpleQueue()
    bell = Native(lambda: rung.put("rung"), rung.put)
    (tmp_path / "new").mkdir()
    bell.listen({str(tmp_path)})
    assert rung.get(timeout=60) == "rung"

    bell.listen({str(tmp_path), str(tmp_path / "new"), str(tmp_path / "gone")})
    assert rung.get(timeout=60) == "rung"
    put(tmp_path, "new/a")

    assert rung.get(timeout=60) == "rung"
    bell.close()
