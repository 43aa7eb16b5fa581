"""The step of a script: what its block asks for (PEP 723)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import EnvironmentBroken
from runner.requirements import SourceDigests
from runner.requirements.script import script_step
from runner.running import Step


def step_of(folder: Path, script: str = "tool.py") -> Step | None:
    environ: dict[str, str] = {}
    return script_step(
        script, cwd=str(folder), root=str(folder), sources=SourceDigests(environ), environ=environ
    )


def trouble(folder: Path) -> EnvironmentBroken:
    with pytest.raises(EnvironmentBroken) as caught:
        step_of(folder)
    return caught.value


def test_a_script_asks_for_its_dependencies(tmp_path: Path):
    (tmp_path / "tool.py").write_text('# /// script\n# dependencies = ["six", "rich"]\n# ///\n')

    step = step_of(tmp_path)

    assert step is not None
    assert (step.arguments, step.show, step.cwd) == (
        ("six", "rich"),
        "six rich",
        str(tmp_path),
    )


@pytest.mark.parametrize(
    "text",
    ["", "import os\n", "# /// script\n# ///\n", "# /// script\n# dependencies = []\n# ///\n"],
)
def test_a_script_that_names_none_needs_no_step(tmp_path: Path, text: str):
    (tmp_path / "tool.py").write_text(text)

    assert step_of(tmp_path) is None


def test_a_script_that_is_not_there_is_told(tmp_path: Path):
    error = trouble(tmp_path)

    assert error.what == "the script tool.py cannot be read: No such file or directory"
    assert error.mend == f"looked for {tmp_path}/tool.py"


def test_a_script_that_is_no_text_is_told(tmp_path: Path):
    (tmp_path / "tool.py").write_bytes(b"# \xff\n")

    assert trouble(tmp_path).what == "the script tool.py cannot be read: it is not UTF-8"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("dependencies = [", "the script block of tool.py is not TOML: "),
        ("dependencies = 5", "the script block of tool.py has dependencies that are no list"),
        ("dependencies = [5]", "the script block of tool.py has dependencies that are no list"),
    ],
)
def test_a_block_that_cannot_be_read_is_told(tmp_path: Path, line: str, what: str):
    (tmp_path / "tool.py").write_text(f"# /// script\n# {line}\n# ///\n")

    assert trouble(tmp_path).what.startswith(what)
