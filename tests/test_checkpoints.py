"""Environments that are kept by hard links after a step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.envs.checkpoints import Checkpoints


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / "envs" / "lint"
    (path / "lib" / "site").mkdir(parents=True)
    (path / "lib" / "site" / "one.py").write_text("one")
    (path / "lib" / "empty").mkdir()
    (path / "bin").mkdir()
    (path / "bin" / "python").symlink_to("/usr/bin/env")
    (path / "runenv.json").write_text("journal")
    return path


def emptied(env: Path) -> Path:
    """The environment as it is when it is made anew: its journal alone."""
    for top in ("lib", "bin"):
        for path in sorted((env / top).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        (env / top).rmdir()
    return env


def files(env: Path) -> list[str]:
    return sorted(str(path.relative_to(env)) for path in env.rglob("*"))


ALL = [
    "bin",
    "bin/python",
    "lib",
    "lib/empty",
    "lib/site",
    "lib/site/one.py",
    "runenv.json",
]


def test_what_was_kept_comes_back(env: Path):
    checkpoints = Checkpoints(str(env))
    checkpoints.keep(("a", 1))

    assert Checkpoints(str(emptied(env))).bring_back(("a", 1))

    assert files(env) == ALL
    assert os.readlink(env / "bin" / "python") == "/usr/bin/env"
    assert (env / "lib/site/one.py").read_text() == "one"


def test_another_key_brings_nothing_back(env: Path):
    Checkpoints(str(env)).keep(("a",))

    assert not Checkpoints(str(emptied(env))).bring_back(("b",))
    assert files(env) == ["runenv.json"]


def test_it_can_come_back_twice(env: Path):
    Checkpoints(str(env)).keep(("a",))

    for _ in range(2):
        assert Checkpoints(str(emptied(env))).bring_back(("a",))
        (env / "lib/site/one.py").unlink()
        (env / "lib/site/one.py").write_text("written anew")


def test_a_file_that_was_written_in_place_is_noticed(env: Path):
    Checkpoints(str(env)).keep(("a",))
    with (env / "lib/site/one.py").open("a") as stream:
        stream.write("more")

    assert not Checkpoints(str(emptied(env))).bring_back(("a",))
    assert files(env) == ["runenv.json"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"lib/site/one.py": [1]}'])
def test_a_manifest_that_cannot_be_used_brings_nothing_back(env: Path, text: str):
    Checkpoints(str(env)).keep(("a",))
    (manifest,) = env.parent.glob(".checkpoints/lint/*/manifest.json")
    manifest.write_text(text)

    assert not Checkpoints(str(emptied(env))).bring_back(("a",))


def test_what_a_killed_run_was_about_to_keep_is_in_nobodys_way(env: Path):
    (env.parent / ".checkpoints/lint/.new/tree/lib").mkdir(parents=True)

    Checkpoints(str(env)).keep(("a",))

    assert Checkpoints(str(emptied(env))).bring_back(("a",))


def test_others_are_forgotten(env: Path):
    earlier = Checkpoints(str(env))
    earlier.keep(("a",))
    earlier.keep(("b",))
    now = Checkpoints(str(env))
    now.keep(("b",))
    now.forget_others()

    assert Checkpoints(str(emptied(env))).bring_back(("b",))
    assert not Checkpoints(str(emptied(env))).bring_back(("a",))


def test_where_no_links_can_be_made_nothing_is_kept(env: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    checkpoints = Checkpoints(str(env))

    checkpoints.keep(("a",))
    checkpoints.forget_others()

    assert not Checkpoints(str(emptied(env))).bring_back(("a",))
