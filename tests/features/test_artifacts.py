"""`session.artifact`: what a job made is kept by run and job, whole, for the newest runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner import run_folders
from runner.artifacts import keep_artifact
from runner.errors import SessionFailed, UsageError
from tests.conftest import IN_ALL_WAYS, Folder, in_a_way


@pytest.fixture(params=IN_ALL_WAYS)
def folder(request: pytest.FixtureRequest, folder: Folder) -> Folder:
    """What is tested here is so in one process and in several."""
    return in_a_way(request.param, folder)


MAKES = """
    @runner.session(python=False)
    def s(session):
        with open("report.txt", "w") as stream:
            stream.write("all is well")
        print(session.artifact("report.txt", **{more}))
    """


@pytest.mark.measured
def test_an_artifact_is_kept_by_run_and_job(folder: Folder):
    folder.envfile(MAKES.format(more={}))

    path = Path(folder.passes().out.strip())

    assert path.read_text() == "all is well"
    assert path.parts[-2:] == ("s", "report.txt")
    assert path.parent.parent.parent == folder.root / ".runenv/artifacts"
    assert (folder.root / ".runenv/artifacts/latest/s/report.txt").samefile(path)


def test_it_may_have_another_name_in_a_folder_of_its_own(folder: Folder):
    folder.envfile(MAKES.format(more={"name": "texts/one.txt"}))

    assert folder.passes().out.endswith("/s/texts/one.txt\n")


def test_each_run_has_its_own(folder: Folder):
    folder.envfile(MAKES.format(more={}))

    first, second = folder.passes().out, folder.passes().out

    assert Path(first.strip()).exists()
    assert first < second


def test_under_install_only_there_is_nothing_to_keep(folder: Folder):
    folder.envfile(
        "@runner.session(python=False)\ndef s(session): print(session.artifact('nothing'))\n"
    )

    assert folder.passes("--install-only").out == "nothing\n"


def test_sessions_may_have_the_names_of_what_stands_beside_environments(folder: Folder):
    folder.envfile(
        """
        @runner.session(name="artifacts")
        def one(session): print(session.env_dir)

        @runner.session(name="logs")
        def two(session): print(session.env_dir)
        """
    )

    names = [os.path.basename(line) for line in folder.passes().out.splitlines()]

    assert sorted(name.rpartition("-")[0] for name in names) == ["artifacts", "logs"]


def test_clean_leaves_artifacts_and_clean_stale_deletes_old_ones(folder: Folder):
    folder.envfile(MAKES.format(more={}))
    path = Path(folder.passes().out.strip())

    assert folder.passes("--clean").out == f"nothing to delete in {folder.root}/.runenv\n"
    assert path.exists()
    folder.passes("--clean", "--stale=1")
    assert path.exists()
    told = folder.passes("--clean", "--stale=0").out
    assert told.startswith(f"deleted the artifacts of run {path.parts[-3]}: ")
    assert not path.exists()


# Copies. ---------------------------------------------------------------------------------


def test_a_folder_is_kept_with_its_links(tmp_path: Path):
    (tmp_path / "html/sub").mkdir(parents=True)
    (tmp_path / "html/sub/a.html").write_text("a")
    (tmp_path / "html/index.html").symlink_to("sub/a.html")

    kept = Path(keep_artifact(str(tmp_path / "html"), "html", str(tmp_path / "kept")))

    assert (kept / "sub/a.html").read_text() == "a"
    assert os.readlink(kept / "index.html") == "sub/a.html"
    assert os.listdir(tmp_path / "kept") == ["html"]


@pytest.mark.parametrize(
    "before, after",
    [("file", "file"), ("file", "folder"), ("folder", "file"), ("folder", "folder")],
)
def test_one_of_the_same_name_is_replaced(tmp_path: Path, before: str, after: str):
    def make(kind: str, text: str) -> str:
        path = tmp_path / text
        if kind == "folder":
            path.mkdir()
            (path / text).write_text(text)
        else:
            path.write_text(text)
        return str(path)

    folder = str(tmp_path / "kept")
    keep_artifact(make(before, "old"), "name", folder)
    kept = Path(keep_artifact(make(after, "new"), "name", folder))

    assert os.listdir(folder) == ["name"]
    assert (kept / "new" if after == "folder" else kept).read_text() == "new"
    assert not kept.is_dir() or os.listdir(kept) == ["new"]


def test_what_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(SessionFailed, match="there is no nothing"):
        keep_artifact("nothing", "nothing", str(tmp_path / "kept"))


@pytest.mark.parametrize("name", ["..", "../up", "a/../..", "/etc/passwd", ".", ""])
def test_a_name_cannot_lead_out_of_the_job_s_folder(tmp_path: Path, name: str):
    (tmp_path / "a").write_text("a")

    with pytest.raises(UsageError, match="name cannot be"):
        keep_artifact(str(tmp_path / "a"), name, str(tmp_path / "kept"))


def test_what_cannot_be_copied_is_told(tmp_path: Path):
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a/pipe")

    with pytest.raises(SessionFailed, match=r"cannot be kept: .*named pipe"):
        keep_artifact(str(tmp_path / "a"), "a", str(tmp_path / "kept"))


# Runs. -----------------------------------------------------------------------------------


def test_ids_of_runs_are_sorted_by_time():
    ids = [run_folders.make_run_id(now) for now in (0.0, 0.999, 1.0, 1_769_860_800.25)]

    assert ids == sorted(ids)
    assert ids[-1] == f"20260131T120000.250Z-{os.getpid()}"


def test_the_newest_runs_are_kept_and_nothing_that_is_none(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    runs = [run_folders.make_run_id(now) for now in range(12)]

    for run in runs:
        run_folders.make_run_folder(str(tmp_path), run)
        run_folders.keep_newest(str(tmp_path))

    assert sorted(os.listdir(tmp_path)) == [*runs[2:], "latest", "mine"]
    assert os.readlink(tmp_path / "latest") == runs[-1]


def test_nothing_is_deleted_where_a_link_leads(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to("real")
    runs = [run_folders.make_run_id(now) for now in range(12)]

    for run in runs:
        run_folders.make_run_folder(str(tmp_path / "home"), run)
        run_folders.keep_newest(str(tmp_path / "home"))

    assert len(os.listdir(tmp_path / "real")) == 13
