"""What is remembered of what installs resolved to."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.envs.resolved import (
    Pin,
    Resolved,
    as_constraints,
    other_files,
    pins_in,
    resolved_from,
)


def install(site: Path, name: str, version: str, record: str = "", *, url: bool = False) -> None:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text(record)
    if url:
        (info / "direct_url.json").write_text("{}")


def test_each_distribution_with_its_version(tmp_path: Path):
    install(tmp_path, "one", "1.0")
    install(tmp_path, "two_more", "2.0+cpu")
    (tmp_path / "one").mkdir()

    assert [pin[:2] for pin in pins_in([str(tmp_path)])] == [
        ("one", "1.0"),
        ("two_more", "2.0+cpu"),
    ]


def test_what_came_from_a_path_or_url_is_none_of_them(tmp_path: Path):
    install(tmp_path, "mine", "1.0", url=True)

    assert pins_in([str(tmp_path)]) == ()


def test_the_digest_stands_for_the_files_of_the_package(tmp_path: Path):
    files = "one.py,sha256=AAA,3\n"
    install(tmp_path / "a", "one", "1.0", files)
    install(tmp_path / "b", "one", "1.0", f"../../../bin/one,sha256=X,9\nINSTALLER,,\n{files}")
    install(tmp_path / "c", "one", "1.0", "one.py,sha256=BBB,3\n")
    digests = [pins_in([str(tmp_path / place)])[0].digest for place in "abc"]

    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_constraints_allow_nothing_else():
    resolved = Resolved(0.0, (Pin("one", "1.0", ""), Pin("two", "2.0+cpu", "")))

    assert as_constraints(resolved) == "one==1.0\ntwo==2.0+cpu\n"


def test_the_same_version_with_other_files_is_named():
    was = Resolved(0.0, (Pin("one", "1.0", "a"), Pin("two", "1.0", "b"), Pin("three", "1.0", "c")))
    now = (Pin("one", "1.0", "a"), Pin("two", "1.0", "z"), Pin("three", "2.0", "y"))

    assert other_files(was, now) == ["two"]


def test_what_is_written_as_json_is_read_again():
    resolved = Resolved(12.5, (Pin("one", "1.0", "a"),))

    assert resolved_from([12.5, [["one", "1.0", "a"]]]) == resolved


@pytest.mark.parametrize("data", [None, [], "ab", [1], [1, [["one"]]], ["x", []], [1, 2]])
def test_anything_else_is_nothing(data: object):
    assert resolved_from(data) is None
