"""The file with the split: written whole, and read only where it fits."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest

from runner.errors import UsageError
from runner.running import Shard
from runner.shard_plans import read_plan, write_plan
from tests.conftest import ROOT

SCHEMA = json.loads((ROOT / "docs/reference/plan.schema.json").read_text("utf-8"))
SHARDS = (
    Shard(("a", "b"), (), 2.5),
    Shard(("tests",), ("build",), None),
    Shard((), (), 0.0),
)
REQUIRED = {"a": ("a",), "b": ("b",), "tests": ("tests", "build")}


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "plan.json")


def trouble(file: str, total: int = 3, required: dict[str, tuple[str, ...]] = REQUIRED) -> str:
    """Why the plan is refused, without its name."""
    with pytest.raises(UsageError) as caught:
        read_plan(file, total, required)
    assert caught.value.mend.startswith("write it anew: runenv --list --shard ")
    return caught.value.what.replace(file, "FILE")


def test_a_plan_is_read_as_it_was_written(file: str):
    write_plan(file, SHARDS)

    assert read_plan(file, 3, REQUIRED) == SHARDS


def test_the_folder_of_a_plan_is_made(tmp_path: Path):
    file = str(tmp_path / "a" / "b" / "plan.json")
    write_plan(file, SHARDS)

    assert read_plan(file, 3, REQUIRED) == SHARDS


def test_a_file_in_place_of_the_folder_of_a_plan_is_told(tmp_path: Path):
    (tmp_path / "a").write_text("", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        write_plan(str(tmp_path / "a" / "plan.json"), SHARDS)

    assert (
        caught.value.what == f"the plan {tmp_path}/a/plan.json cannot be written: Not a directory"
    )


def test_a_plan_is_what_its_schema_says(file: str):
    write_plan(file, SHARDS)

    jsonschema.validate(json.loads(Path(file).read_text("utf-8")), SCHEMA)


def test_of_several_that_write_a_plan_at_once_one_has_written_it_whole(file: str):
    plans = [tuple(Shard((f"{n}-{i}",), (), None) for i in range(300)) for n in range(4)]

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda plan: write_plan(file, plan), plans * 3))

    found = [shard["jobs"][0] for shard in json.loads(Path(file).read_text("utf-8"))["shards"]]
    assert found in [[shard.jobs[0] for shard in plan] for plan in plans]
    assert os.listdir(os.path.dirname(file)) == ["plan.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it has no list of shards"),
        (b'{"version": 1}', "it has no list of shards"),
        (b'{"version": 1, "shards": []}', "it has no list of shards"),
        (b'{"version": 2, "shards": []}', "its version is 2, and this runenv reads 1"),
        (b'{"shards": [{}]}', "its version is None, and this runenv reads 1"),
        (b'{"version": 1, "shards": [1]}', "one of its shards is no object"),
        (b'{"version": 1, "shards": [{"jobs": "a"}]}', "one of its shards has no list of names"),
        (b'{"version": 1, "shards": [{"jobs": [1]}]}', "one of its shards has no list of names"),
        (b'{"version": 1, "shards": [{"jobs": ["a", "a"], "requires": []}]}', "it has a twice"),
    ],
)
def test_what_is_no_plan_is_told_so(file: str, text: bytes, told: str):
    Path(file).write_bytes(text)

    assert trouble(file) == f"FILE is no plan: {told}"


def test_a_folder_is_no_plan(tmp_path: Path):
    assert trouble(str(tmp_path)) == "the plan FILE cannot be read: Is a directory"


@pytest.mark.parametrize(
    ("total", "required", "told"),
    [
        (2, REQUIRED, "it has 3 shards, and 2 are asked for"),
        (3, {**REQUIRED, "new": ("new",)}, "it has not new"),
        (3, {"a": ("a",), "b": ("b",)}, "it has tests, which is not selected here"),
        (
            3,
            {**REQUIRED, "tests": ("tests",)},
            "other jobs are required by now than in its shard 2",
        ),
    ],
    ids=["other number", "more jobs", "fewer jobs", "other requirements"],
)
def test_a_plan_of_another_envfile_or_selection_does_not_fit(
    file: str, total: int, required: dict[str, tuple[str, ...]], told: str
):
    write_plan(file, SHARDS)

    assert trouble(file, total, required) == f"the plan FILE does not fit: {told}"


def test_an_estimate_that_is_none_is_as_if_nothing_were_known(file: str):
    text = '{"version": 1, "shards": [{"jobs": ["a"], "requires": [], "estimate_s": 1e999}]}'
    Path(file).write_text(text, "utf-8")

    assert read_plan(file, 1, {"a": ("a",)}) == (Shard(("a",), (), None),)
