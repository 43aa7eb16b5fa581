"""What is read of a project's build system, and what a remembered answer of its backend hangs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.envs.build_system import BuildSystem, digest_of_build_files, read_build_system


def read(folder: Path, text: str | None) -> BuildSystem:
    if text is not None:
        (folder / "pyproject.toml").write_text(text)
    return read_build_system(str(folder), "pyproject.toml")


@pytest.mark.parametrize("text", [None, "", "[project]\nname = 'x'\n"])
def test_without_a_table_setuptools_builds_as_it_did_before_there_were_any(
    tmp_path: Path, text: str | None
):
    assert read(tmp_path, text) == BuildSystem(
        ("setuptools>=40.8.0",), "setuptools.build_meta:__legacy__", ()
    )


def test_without_a_backend_setuptools_builds_with_what_is_required(tmp_path: Path):
    assert read(tmp_path, "[build-system]\nrequires = ['setuptools', 'one']\n") == BuildSystem(
        ("setuptools", "one"), "setuptools.build_meta:__legacy__", ()
    )


def test_a_backend_may_lie_in_the_project(tmp_path: Path):
    text = (
        "[build-system]\nrequires = []\nbuild-backend = 'a.b:c.d'\nbackend-path = ['.', 'x/../y']\n"
    )

    assert read(tmp_path, text) == BuildSystem((), "a.b:c.d", (".", "x/../y"))


@pytest.mark.parametrize(
    ("name", "asked_again"),
    [
        ("pyproject.toml", True),
        ("setup.py", True),
        ("setup.cfg", True),
        ("needs.txt", True),  # named in setup.py
        ("hatch_build.py", True),
        ("tools/hook.py", True),  # named in pyproject.toml
        ("meson.build", True),
        ("CMakeLists.txt", True),
        ("src/mine.py", False),  # named in meson.build and pyproject.toml
        ("other.txt", False),
    ],
)
def test_an_answer_hangs_on_what_says_what_a_build_needs(
    tmp_path: Path, name: str, asked_again: bool
):
    texts = {
        "pyproject.toml": '[tool.hatch.version]\npath = "src/mine.py"\n'
        '[tool.hatch.build.hooks.custom]\nother = 1\npath = "tools/hook.py"\n',
        "setup.py": 'open("needs.txt")',
        "meson.build": "src/mine.py",
        name: "",
    }
    for file in (*texts, "src/mine.py", "tools/hook.py", "needs.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(texts.get(file, ""))
    before = digest_of_build_files(str(tmp_path))

    (tmp_path / name).write_text("other")

    assert (digest_of_build_files(str(tmp_path)) != before) is asked_again
