"""The store: where it is, what is kept in it, and what cannot be used."""

from __future__ import annotations

import os
import shutil
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from runner.envs import integrity
from runner.envs.folder import KEY
from runner.envs.resolved import Pin, Resolved
from runner.envs.store import Damaged, Known, Store
from runner.envs.store_places import store_home

SITE = "lib/python3.13/site-packages"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """A folder that looks like an environment."""
    root = tmp_path / "envs/tests"
    info = root / SITE / "tool-1.0.dist-info"
    info.mkdir(parents=True)
    (root / "bin").mkdir()
    (root / "bin/tool").write_text(f"#!{root}/bin/python\n")
    (root / SITE / "tool.py").write_text("one = 1\n")
    digest = urlsafe_b64encode(sha256(b"one = 1\n").digest()).rstrip(b"=").decode()
    (info / "RECORD").write_text(f"tool.py,sha256={digest},8\n")
    return root


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(str(tmp_path / "store"))
    made.make()
    return made


def keep(store: Store, env: Path, base: str = "uv") -> str:
    """The name of the image that an environment becomes; empty where none was made."""
    names: list[str] = []
    store.keep(str(env), integrity.seal(str(env)), base, {"entries": []}, names.append)
    store.wait()
    return names[0]


def new_environment(tmp_path: Path, name: str = "lint") -> Path:
    path = tmp_path / "envs" / name
    path.mkdir()
    return path


def clone(store: Store, image: str, path: Path) -> None:
    found = store.image(image)
    assert found is not None
    store.clone(found, str(path))


# Where it is. -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the folders of the specification")
@pytest.mark.parametrize(
    ("environ", "home"),
    [
        ({"HOME": "{tmp}"}, "{tmp}/.cache/runenv/store"),
        ({"HOME": "{tmp}", "XDG_CACHE_HOME": "{tmp}/c"}, "{tmp}/c/runenv/store"),
        ({"HOME": "{tmp}", "XDG_CACHE_HOME": "c"}, "{tmp}/.cache/runenv/store"),
        ({}, "{tmp}/envs/.store"),
    ],
)
def test_by_itself_it_is_in_the_users_cache(tmp_path: Path, environ: dict[str, str], home: str):
    given = {name: value.format(tmp=tmp_path) for name, value in environ.items()}

    assert store_home("", f"{tmp_path}/envs", given) == home.format(tmp=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs is asked")
def test_the_users_cache_is_what_platformdirs_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from platformdirs import user_cache_dir

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    found = store_home("", str(tmp_path), dict(os.environ))
    assert found == os.path.join(user_cache_dir("runenv", appauthor=False), "store")


def test_it_is_where_the_user_says_and_none_is_none(tmp_path: Path):
    assert store_home(f"{tmp_path}/here", f"{tmp_path}/envs", {}) == f"{tmp_path}/here"
    assert store_home("none", f"{tmp_path}/envs", {}) == ""


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="another file system")
def test_on_another_file_system_it_is_with_the_environments(tmp_path: Path):
    assert store_home("/dev/shm/store", f"{tmp_path}/envs", {}) == f"{tmp_path}/envs/.store"


def test_it_has_a_key_and_tells_backups_what_it_is(store: Store):
    assert len(Path(store.home, KEY).read_bytes()) == 32
    assert Path(store.home, "CACHEDIR.TAG").exists()


def test_where_it_cannot_be_made_that_is_noted(tmp_path: Path):
    (tmp_path / "file").write_text("")
    store = Store(str(tmp_path / "file/store"))

    store.make()

    assert store.trouble.endswith("Not a directory")


# What is known. -----------------------------------------------------------------------------


def test_what_is_remembered_is_known(store: Store):
    known = Known("image", Resolved(12.5, (Pin("one", "1.0", "digest"),)))

    store.remember("key", known)

    assert store.known("key") == known


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 0}', '{"format": 1}', "nul\0"])
def test_what_cannot_be_read_is_not_known(store: Store, text: str):
    Path(store.home, "known", "key.json").write_text(text)

    assert store.known("key") == Known("", None)


# Images. ------------------------------------------------------------------------------------


def test_an_environment_becomes_an_image_and_another_is_linked_from_it(
    store: Store, env: Path, tmp_path: Path
):
    lint = new_environment(tmp_path)

    clone(store, keep(store, env), lint)

    assert (lint / SITE / "tool.py").samefile(env / SITE / "tool.py")
    assert (lint / "bin/tool").read_text() == f"#!{lint}/bin/python\n"


def test_the_same_files_are_the_same_image(store: Store, env: Path, tmp_path: Path):
    image = keep(store, env)
    other = tmp_path / "envs/other"
    shutil.copytree(env, other)
    (other / "bin/tool").write_text(f"#!{other}/bin/python\n")

    assert keep(store, other) == image
    assert keep(store, other, base="virtualenv") != image


def test_it_is_kept_for_those_that_are_there(store: Store, env: Path, tmp_path: Path):
    image = keep(store, env)
    lint, gone = new_environment(tmp_path), new_environment(tmp_path, "gone")
    clone(store, image, lint)
    clone(store, image, gone)
    shutil.rmtree(gone)

    assert store.users_of(image) == [str(env), str(lint)]


def test_what_changes_while_it_is_kept_is_not_kept(store: Store, env: Path):
    listed = integrity.seal(str(env))
    (env / SITE / "tool.py").write_text("")
    names: list[str] = []

    store.keep(str(env), listed, "uv", {}, names.append)
    store.wait()

    assert names == [""]
    assert os.listdir(os.path.join(store.home, "images")) == []


def test_an_image_that_was_changed_is_dropped_and_its_package_named(
    store: Store, env: Path, tmp_path: Path
):
    image = keep(store, env)
    with (env / SITE / "tool.py").open("a") as stream:
        stream.write("two = 2\n")

    with pytest.raises(Damaged) as caught:
        clone(store, image, new_environment(tmp_path))

    assert caught.value.names == (f"{SITE}/tool.py",)
    assert caught.value.packages == {"tool"}
    assert store.image(image) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1}', "nul\0"])
def test_an_image_without_its_facts_is_none(store: Store, env: Path, text: str):
    image = keep(store, env)
    Path(store.place_of(image), "image.json").write_text(text)

    assert store.image(image) is None


def test_an_image_without_its_manifest_is_dropped(store: Store, env: Path, tmp_path: Path):
    image = keep(store, env)
    os.unlink(os.path.join(store.place_of(image), "runenv.files.json"))
    store.drop("")  # nothing is remembered of it

    with pytest.raises(Damaged):
        clone(Store(store.home), image, new_environment(tmp_path))

    assert store.image(image) is None


# Brought in an archive. ---------------------------------------------------------------------


def bring(store: Store) -> Store:
    """The store as an archive with times in whole seconds brings it."""
    shutil.copytree(store.home, f"{store.home}.brought", symlinks=True)
    shutil.rmtree(store.home)
    os.rename(f"{store.home}.brought", store.home)
    for path in Path(store.home, "images").rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    return Store(store.home)


def test_an_image_that_was_brought_is_compared_by_content_and_used(
    store: Store, env: Path, tmp_path: Path
):
    image = keep(store, env)
    brought = bring(store)
    lint = new_environment(tmp_path)

    clone(brought, image, lint)
    clone(Store(store.home), image, new_environment(tmp_path, "again"))

    assert (lint / SITE / "tool.py").read_text() == "one = 1\n"


def test_one_that_was_changed_on_its_way_is_dropped(store: Store, env: Path, tmp_path: Path):
    image = keep(store, env)
    brought = bring(store)
    Path(store.place_of(image), "tree", SITE, "tool.py").write_text("two = 2\n")  # as long

    with pytest.raises(Damaged) as caught:
        clone(brought, image, new_environment(tmp_path))

    assert caught.value.names == (f"{SITE}/tool.py",)
