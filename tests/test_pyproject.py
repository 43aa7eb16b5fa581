"""What an envfile may ask of pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner import declare
from runner.errors import RunnerError, UsageError
from runner.pyproject import dependency_groups, load_toml, python_versions, script_block

CLASSIFIER = "Programming Language :: Python :: "


@pytest.fixture(autouse=True)
def root(tmp_path: Path):
    """The folder of the envfile that is being executed."""
    registry = declare.start_registry(str(tmp_path))
    yield tmp_path
    declare.start_registry("")
    del registry


def trouble(function, *arguments, **named) -> RunnerError:
    with pytest.raises(UsageError) as caught:
        function(*arguments, **named)
    return caught.value


# load_toml. -------------------------------------------------------------------------------


def test_pyproject_is_read_from_the_envfiles_folder(root: Path):
    (root / "pyproject.toml").write_text('\ufeff[project]\nname = "ä"\n', "utf-8")

    assert load_toml() == {"project": {"name": "ä"}}


def test_any_file_may_be_named(root: Path):
    (root / "sub").mkdir()
    (root / "sub/more.toml").write_text("a = 1\n")

    assert load_toml("sub/more.toml") == load_toml(root / "sub/more.toml") == {"a": 1}


def test_what_was_read_counts_among_what_decided(root: Path):
    (root / "a.toml").write_text("")
    load_toml("a.toml")
    load_toml("b.toml", missing_ok=True)

    assert declare.current_registry().read == [str(root / "a.toml"), str(root / "b.toml")]


def test_a_missing_file_is_an_error_unless_it_may_be(root: Path):
    error = trouble(load_toml, "more.toml")

    assert error.what == "there is no more.toml"
    assert error.mend == "write it, or pass missing_ok=True"
    assert error.where.startswith("test_pyproject.py:") or "test_pyproject.py:" in error.where
    assert load_toml("more.toml", missing_ok=True) == {}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a = ", "a.toml is not TOML: Invalid value (at end of document)"),
        (b"a = '\xff'", "a.toml cannot be read: it is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_an_error(root: Path, content: bytes, what: str):
    (root / "a.toml").write_bytes(content)

    assert trouble(load_toml, "a.toml").what.startswith(what)


def test_a_folder_cannot_be_read(root: Path):
    (root / "a.toml").mkdir()

    assert "a.toml cannot be read: " in trouble(load_toml, "a.toml").what


def test_a_script_is_read_by_its_block(root: Path):
    (root / "tool.py").write_text(
        '#!/usr/bin/env python\n# /// script\n# dependencies = ["six"]\n# ///\nimport six\n'
    )

    assert load_toml("tool.py") == {"dependencies": ["six"]}


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("", ""),
        ("import os\n", ""),
        ("# /// script\n# a = 1\n#\n# b = 2\n# ///\n", "a = 1\n\nb = 2"),
        ("# /// other\n# a = 1\n# ///\n", ""),
        ("# /// script\n# a = 1\nimport os\n# ///\n", ""),
        ("# /// script\n# a = 1\n", ""),
    ],
)
def test_a_block_is_what_stands_between_its_marks(text: str, block: str):
    assert script_block(text) == block


# python_versions. ---------------------------------------------------------------------------


def test_versions_are_those_of_the_classifiers_lowest_first():
    classifiers = [
        *(CLASSIFIER + version for version in ("3.9", "3.13", "3.10", "3", "3 :: Only", "3.13")),
        CLASSIFIER + "Implementation :: CPython",
        "Topic :: Software Development",
    ]

    assert python_versions({"project": {"classifiers": classifiers}}) == ["3.9", "3.10", "3.13"]


FREE = [CLASSIFIER + word for word in ("3.13", "3.14", "3.15", "Free Threading :: 2 - Beta")]


def test_versions_without_a_lock_come_behind_where_a_classifier_says_so():
    assert python_versions({"project": {"classifiers": FREE}}) == [
        "3.13",
        "3.14",
        "3.15",
        "3.14t",
        "3.15t",
    ]


@pytest.mark.parametrize(
    ("said", "versions"), [(True, ["3.13", "3.14", "3.14t"]), (False, ["3.13", "3.14"])]
)
def test_versions_without_a_lock_may_be_asked_for(said: bool, versions: list[str]):
    project = {"project": {"requires-python": ">=3.13", "classifiers": FREE if not said else []}}

    assert python_versions(project, max_version="3.14", free_threaded=said) == versions


@pytest.mark.parametrize(
    ("wanted", "last", "versions"),
    [
        (">=3.10", "3.13", ["3.10", "3.11", "3.12", "3.13"]),
        (">=3.10.2", "3.11", ["3.10", "3.11"]),
        (">=3.9,<3.12", "3.14", ["3.9", "3.10", "3.11"]),
        (">=3.10,!=3.11.*", "3.12", ["3.10", "3.12"]),
        ("~=3.11", "3.12", ["3.11", "3.12"]),
        (">=4", "3.12", []),
    ],
)
def test_versions_are_those_that_requires_python_allows(
    wanted: str, last: str, versions: list[str]
):
    project = {"project": {"requires-python": wanted}}

    assert python_versions(project, max_version=last) == versions


@pytest.mark.parametrize("max_version", ["3", "3.x", "", "three.13", "3.13.1"])
def test_a_last_version_that_is_no_minor_one_is_an_error(max_version: str):
    project = {"project": {"requires-python": ">=3.10"}}

    error = trouble(python_versions, project, max_version=max_version)

    assert error.what == f"max_version cannot be {max_version!r}"
    assert error.mend == 'write it like "3.14"'


def test_what_pyproject_does_not_say_is_an_error():
    assert trouble(python_versions, {}).what == (
        "pyproject.toml has no classifiers that name Python versions"
    )
    assert trouble(python_versions, {}, max_version="3.13").what == (
        "pyproject.toml has no requires-python"
    )


def test_a_requires_python_that_is_none_is_an_error():
    project = {"project": {"requires-python": "3.10"}}

    error = trouble(python_versions, project, max_version="3.13")

    assert error.what == "requires-python of pyproject.toml cannot be '3.10'"
    assert error.mend == 'write it like ">=3.10"'


# dependency_groups. ---------------------------------------------------------------------------


GROUPS = {
    "dependency-groups": {
        "test": ["pytest", {"include-group": "base"}],
        "base": ["six"],
        "odd": [{"include-group": "gone"}],
    }
}


def test_groups_are_resolved_with_what_they_include():
    assert dependency_groups(GROUPS, "test") == ("pytest", "six")
    assert dependency_groups(GROUPS, "base", "test") == ("six", "pytest", "six")
    assert dependency_groups(GROUPS) == ()


@pytest.mark.parametrize(
    ("groups", "mend"),
    [
        (("tset",), "did you mean 'test'?"),
        (("zzz",), "pyproject.toml has the groups test, base, odd"),
        (("odd",), "pyproject.toml has the groups test, base, odd"),
    ],
)
def test_a_group_that_cannot_be_resolved_is_told(groups: tuple[str, ...], mend: str):
    error = trouble(dependency_groups, GROUPS, *groups)

    assert error.what.startswith(f"the dependency groups {', '.join(groups)} cannot be resolved: ")
    assert error.mend == mend


def test_where_there_are_no_groups_that_is_told():
    assert trouble(dependency_groups, {}, "test").mend == "pyproject.toml has the groups (none)"
