"""The cap of the store, and what is counted for it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from runner.envs import manifest
from runner.envs.manifest import FILES, Manifest
from runner.envs.store import Store
from runner.envs.store_upkeep import Total, keep_below, leftovers_in, size_of, total_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="images are for POSIX's paths")

DAY_S = 24 * 60 * 60


def store_in(path: Path) -> Store:
    store = Store(str(path / "store"))
    store.make()
    return store


def add(
    store: Store, name: str, folders: dict[str, dict[str, list[int]]], age_s: float = DAY_S
) -> Path:
    """An image as far as sizes go: it has a manifest and no files."""
    place = Path(store.place_of(name))
    (place / "tree").mkdir(parents=True)
    listed = Manifest({"": {}, **folders}, {})
    (place / FILES).write_text(manifest.to_text(listed), encoding="utf-8")
    (place / "used").write_bytes(b"")
    then = time.time() - age_s
    os.utime(place / "used", (then, then))
    return place


def there(store: Store) -> list[str]:
    return sorted(os.listdir(Path(store.home, "images")))


LARGE = {"lib": {"large": [1_000_000, 5]}}


def test_sizes_are_counted_in_blocks_with_folders(tmp_path: Path):
    store = store_in(tmp_path)
    add(store, "a", {"lib": {"small": [1, 5], "empty": [0, 5]}})

    assert total_of([size_of(store, "a")]) == Total(size_bytes=3 * 4096, inodes=4)


def test_files_of_equal_path_size_and_time_count_once(tmp_path: Path):
    store = store_in(tmp_path)
    add(store, "a", LARGE)
    add(store, "b", LARGE)
    add(store, "c", {"lib": {"large": [1_000_000, 6]}})
    large = 245 * 4096

    sizes = [size_of(store, name) for name in ("a", "b", "c")]

    assert total_of(sizes[:2]) == Total(size_bytes=large + 4 * 4096, inodes=5)
    assert total_of(sizes) == Total(size_bytes=2 * large + 6 * 4096, inodes=8)


def test_bytecode_that_joins_later_is_counted(tmp_path: Path):
    store = store_in(tmp_path)
    place = add(store, "a", LARGE)
    before = total_of([size_of(store, "a")])

    (place / "bytecode.json").write_text(json.dumps({"lib/__pycache__": {"x.pyc": [5_000, 1]}}))

    assert total_of([size_of(store, "a")]) == Total(before.size_bytes + 3 * 4096, before.inodes + 2)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"shareable": 1}', '{"shareable": {"a": [1]}}', '{"own": ["1", 1]}']
)
def test_a_size_that_cannot_be_read_is_counted_again(tmp_path: Path, text: str):
    store = store_in(tmp_path)
    place = add(store, "a", LARGE)
    before = size_of(store, "a")
    kept = json.loads((place / "size.json").read_text())
    changed = {**kept, **json.loads(text)} if text.startswith('{"') else text

    (place / "size.json").write_text(changed if isinstance(changed, str) else json.dumps(changed))

    assert total_of([size_of(store, "a")]) == total_of([before])


def test_the_least_recently_used_leave_first(tmp_path: Path):
    store = store_in(tmp_path)
    for number in range(4):
        content = {"lib": {"large": [1_000_000, number]}}
        add(store, f"image{number}", content, age_s=(4 - number) * DAY_S)

    keep_below(store, 2_100_000)

    assert there(store) == ["image2", "image3"]


def test_an_image_that_frees_nothing_leaves_all_the_same_before_a_younger_one(tmp_path: Path):
    store = store_in(tmp_path)
    add(store, "old", LARGE, age_s=3 * DAY_S)
    add(store, "middle", {"lib": {"other": [1_000_000, 5]}}, age_s=2 * DAY_S)
    add(store, "young", LARGE, age_s=DAY_S)

    keep_below(store, 1_100_000)

    assert there(store) == ["young"]


def test_what_this_run_has_made_and_what_was_used_within_the_hour_stays(tmp_path: Path):
    store = store_in(tmp_path)
    add(store, "made", LARGE)
    add(store, "used", LARGE, age_s=50 * 60)
    add(store, "old", LARGE, age_s=70 * 60)
    store.made.add("made")

    keep_below(store, 0)

    assert there(store) == ["made", "used"]


def test_the_newest_of_what_is_known_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("runner.envs.store_upkeep._MOST_RECORDS", 2)
    store = store_in(tmp_path)
    for number in range(4):
        for path in (f"known/key{number}.json", f"locks/key{number}", f"locks/other{number}"):
            file = Path(store.home, path)
            file.write_bytes(b"")
            os.utime(file, (number, number))

    keep_below(store, 0)

    assert sorted(os.listdir(Path(store.home, "known"))) == ["key2.json", "key3.json"]
    assert sorted(os.listdir(Path(store.home, "locks"))) == ["key2", "key3", "other2", "other3"]


def test_what_is_being_made_is_no_leftover(tmp_path: Path):
    store = store_in(tmp_path)
    being_made = Path(store.home, "images", f".new-{'0' * 32}-{os.getpid()}-1")
    being_made.mkdir()

    assert leftovers_in(store) == []

    then = time.time() - 2 * DAY_S
    os.utime(being_made, (then, then))
    assert leftovers_in(store) == [str(being_made)]


def test_an_image_that_was_deleted_is_not_taken_for_damaged(tmp_path: Path):
    store = store_in(tmp_path)
    place = add(store, "a", {})
    facts = {"made": 0, "place": "/p", "own": {}, "inode": (place / "tree").stat().st_ino}
    (place / "image.json").write_text(json.dumps({"format": 1, "facts": {}, **facts}))
    image = store.image("a")
    assert image is not None
    store.drop("a")

    with pytest.raises(FileNotFoundError):
        store.clone(image, str(tmp_path / "environment"))
