"""What a manifest has, what it notices, and trees that are linked from it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runner.envs import manifest
from runner.envs.manifest import Changed, Manifest

TOOL = "lib/python3.13/site-packages/tool.py"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """A folder that looks like an environment."""
    root = tmp_path / "env"
    (root / "lib/python3.13/site-packages/__pycache__").mkdir(parents=True)
    (root / "bin").mkdir()
    (root / TOOL).write_text("one = 1\n")
    (root / "lib/python3.13/site-packages/__pycache__/tool.cpython-313.pyc").write_bytes(b"code")
    (root / "bin/python3").symlink_to("python")
    (root / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (root / "runenv.json").write_text("{}")
    return root


def changed(
    env: Path, taken: Manifest, own: dict[str, list[int] | None] | None = None
) -> list[str]:
    return list(manifest.changes(str(env), taken, own))


def test_a_file_that_was_replaced_with_its_size_and_time_put_back_is_not_linked(
    env: Path, tmp_path: Path
):
    taken = manifest.take(str(env))
    before = (env / TOOL).stat()
    (env / "other").write_text("two = 2\n")
    os.utime(env / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    (env / "other").replace(env / TOOL)
    clone = tmp_path / "clone"
    clone.mkdir()

    with pytest.raises(Changed) as raised:
        manifest.link(str(env), str(clone), taken, frozenset())

    assert raised.value.name == TOOL


def test_it_has_files_with_size_and_time_and_links_but_not_our_journal(env: Path):
    taken = manifest.take(str(env))

    state = [8, (env / TOOL).stat().st_mtime_ns, (env / TOOL).stat().st_mode]
    assert taken.folders["lib/python3.13/site-packages"] == {"tool.py": state}
    assert list(taken.folders[""]) == ["pyvenv.cfg"]
    assert taken.links == {"bin/python3": "python"}


def test_nothing_changed(env: Path):
    assert changed(env, manifest.take(str(env))) == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda path: path.write_text("one = 2\n"),
        lambda path: path.write_text(""),
        lambda path: path.unlink(),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: path.chmod(0o600),
    ],
    ids=["written", "truncated", "deleted", "touched", "mode"],
)
def test_a_file_that_is_not_what_it_was_is_named(env: Path, edit):
    taken = manifest.take(str(env))

    edit(env / TOOL)

    assert changed(env, taken) == [TOOL]


def test_a_link_that_leads_elsewhere_is_named(env: Path):
    taken = manifest.take(str(env))
    (env / "bin/python3").unlink()
    (env / "bin/python3").symlink_to("/elsewhere")

    assert changed(env, taken) == ["bin/python3"]


def test_bytecode_and_what_lies_beside_the_folders_is_passed_over(env: Path):
    taken = manifest.take(str(env))
    (env / "lib/python3.13/site-packages/__pycache__/tool.cpython-313.pyc").write_bytes(b"new")
    (env / "lib/python3.13/__pycache__").mkdir()
    (env / "tmp").mkdir()
    (env / "tmp/x").write_text("of a session")

    assert changed(env, taken) == []


def test_what_was_added_is_named(env: Path):
    taken = manifest.take(str(env))
    (env / "lib/python3.13/site-packages/more.py").write_text("")
    (env / "lib/python3.13/more").mkdir()

    assert sorted(changed(env, taken)) == [
        "lib/python3.13/more",
        "lib/python3.13/site-packages/more.py",
    ]


def test_what_an_update_added_is_its_own(env: Path):
    taken = manifest.take(str(env))
    name = "lib/python3.13/site-packages/new/more.py"
    (env / name).parent.mkdir()
    (env / name).write_text("")

    assert changed(env, taken, {name: manifest.state_of(str(env / name))}) == []


def test_a_file_may_be_another_here_than_in_the_manifest(env: Path):
    taken = manifest.take(str(env))
    (env / TOOL).write_text("two = 2\n")
    (env / "bin/tool").write_text("#!")
    own: dict[str, list[int] | None] = {
        TOOL: manifest.state_of(str(env / TOOL)),
        "bin/tool": manifest.state_of(str(env / "bin/tool")),
    }

    assert changed(env, taken, own) == []
    (env / TOOL).write_text("")
    (env / "bin/tool").unlink()
    assert changed(env, taken, own) == [TOOL, "bin/tool"]


def test_a_file_may_be_gone_here_that_is_in_the_manifest(env: Path):
    taken = manifest.take(str(env))
    (env / TOOL).unlink()

    assert changed(env, taken, {TOOL: None}) == []


def test_a_linked_tree_is_the_same_files(env: Path, tmp_path: Path):
    taken = manifest.take(str(env))
    clone = tmp_path / "clone"
    clone.mkdir()

    manifest.link(str(env), str(clone), taken, frozenset({"pyvenv.cfg"}))

    assert (clone / TOOL).samefile(env / TOOL)
    assert os.readlink(clone / "bin/python3") == "python"
    assert not (clone / "pyvenv.cfg").exists()


def test_a_file_that_changed_is_not_linked_from(env: Path, tmp_path: Path):
    taken = manifest.take(str(env))
    (env / TOOL).write_text("")
    clone = tmp_path / "clone"
    clone.mkdir()

    with pytest.raises(Changed) as caught:
        manifest.link(str(env), str(clone), taken, frozenset())

    assert caught.value.name == TOOL


def test_a_file_that_is_gone_is_not_linked_from(env: Path, tmp_path: Path):
    taken = manifest.take(str(env))
    (env / TOOL).unlink()
    clone = tmp_path / "clone"
    clone.mkdir()

    with pytest.raises(Changed):
        manifest.link(str(env), str(clone), taken, frozenset())


@pytest.mark.parametrize("has_dir_fd", [True, False], ids=["folders", "paths"])
def test_a_file_that_has_all_its_links_is_copied(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_dir_fd: bool
):
    taken = manifest.take(str(env))
    clone = tmp_path / "clone"
    clone.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMLINK, "Too many links")

    monkeypatch.setattr(manifest, "_HAS_DIR_FD", has_dir_fd)
    monkeypatch.setattr(os, "link", refuse)  # 65,000 links take a minute
    manifest.link(str(env), str(clone), taken, frozenset())

    assert (clone / TOOL).read_text() == "one = 1\n"
    assert not (clone / TOOL).samefile(env / TOOL)


def test_without_folders_as_descriptors_it_is_all_the_same(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(manifest, "_HAS_DIR_FD", False)  # as on Windows
    taken = manifest.take(str(env))
    clone = tmp_path / "clone"
    clone.mkdir()

    manifest.link(str(env), str(clone), taken, frozenset())

    assert (clone / TOOL).samefile(env / TOOL)
    assert changed(clone, taken) == []
    (env / TOOL).write_text("")
    assert changed(clone, taken) == [TOOL]


def test_what_is_written_is_read_again(env: Path):
    taken = manifest.take(str(env))

    assert manifest.from_text(manifest.to_text(taken)) == taken._replace(inodes={})


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[{}, {}]", '[{"": []}, {}]', "[[], []]"])
def test_what_is_no_manifest_is_not_taken_for_one(text: str):
    with pytest.raises(ValueError):  # noqa: PT011  # any: none can be used
        manifest.from_text(text)
