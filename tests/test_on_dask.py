"""What a run sends to a cluster's workers, and where what comes back is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runner.content import split_named
from runner.dotenv import files_for
from runner.executors.delivered import Content
from runner.model import Request
from runner.opening import open_project
from runner.worker import Run

pytest.importorskip("distributed", reason="distributed is not installed")

from runner.on_dask import folder_of_typing, keep_made, orders_of


def given_to_workers(folder: Path, environ: dict[str, str], **given: Any) -> object:
    """The settings that travel with those that a command line gives."""
    (folder / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=False)\ndef a(session): ...\n"
    )
    request = Request("run", None, {"directory": str(folder), **given}, ())
    project, settings = open_project(request, environ)
    run = Run(0.0, set(), "never", 80, "run")
    return orders_of(project, settings, run, is_one=False)["given"]


def test_settings_of_a_job_travel_and_those_of_here_stay(tmp_path: Path):
    given = given_to_workers(
        tmp_path, {"RUNENV_TIMEOUT": "5m"}, sessions=("a",), on="local-cluster:1", fresh=True
    )

    assert given == {"fresh": True, "timeout": "5m"}


def test_of_named_files_those_that_travel_and_those_that_stay_are_known(tmp_path: Path):
    for name in ("sent.env", "ignored.env", "sub/sent.env", "~/a"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).touch()
    (tmp_path / "outside.env").touch()
    content = Content((("sent.env", "f", ""), ("sub/sent.env", "f", "")), lambda _: [])
    stay = ("ignored.env", "../outside.env")
    named = ("sent.env", "./sub/sent.env", "sent.env", *stay, "missing.env", "~/a", "/etc/hostname")

    split = split_named(named, str(tmp_path / "project"), content)

    assert split == (("sent.env", "./sub/sent.env"), stay)


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_what_a_job_has_made_is_kept_as_it_was(tmp_path: Path):
    for head, data in (
        (["file", "t", "sub/tool", 0o755, True], b"one "),
        (["file", "t", "sub/tool", 0o755, False], b"two"),
        (["link", "t", "latest", "sub/tool"], b""),
        (["folder", "t", "empty"], b""),
    ):
        keep_made(str(tmp_path), "run", "a", head, data)

    (made,) = tmp_path.glob("run/a*")
    assert (made / "sub" / "tool").read_bytes() == b"one two"
    assert os.access(made / "sub" / "tool", os.X_OK)
    assert os.readlink(made / "latest") == "sub/tool"
    assert (made / "empty").is_dir()


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_a_job_that_runs_again_makes_the_same_anew(tmp_path: Path):
    for content in (b"longer than the next", b"next"):
        keep_made(str(tmp_path), "run", "a", ["file", "t", "a.txt", 0o444, True], content)
        keep_made(str(tmp_path), "run", "a", ["link", "t", "latest", "a.txt"], b"")

    (made,) = tmp_path.glob("run/a*")
    assert (made / "latest").read_bytes() == b"next"


@pytest.mark.parametrize(
    ("typed_in", "here"), [("project", "."), ("project/docs", "docs"), (".", None)]
)
def test_a_worker_is_told_where_paths_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed_in: str, here: str | None
):
    (tmp_path / "project" / "docs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / typed_in)

    # Outside of the project there is no copy of it: such a path is the same everywhere.
    assert folder_of_typing(str(tmp_path / "project")) == (here or str(tmp_path))


def test_files_of_an_included_envfile_lie_in_its_folder(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "envfile.py").write_text(
        "import runner\n\n@runner.session(env_file=['-a.env', './b.env', '~/c.env'])\n"
        "def a(session): ...\n"
    )
    (tmp_path / "envfile.py").write_text("import runner\n\nrunner.include('lib/envfile.py')\n")
    project, _ = open_project(Request("list", None, {"directory": str(tmp_path)}, ()), {})
    (job,) = project.jobs

    assert files_for(job.spec, project, ("-all.env",)) == [
        ("all.env", True),
        (os.path.join("lib", "a.env"), True),
        (os.path.join("lib", "b.env"), False),
        ("~/c.env", False),
    ]
