"""The benchmark's smallest part, once and without the peers: what it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- figures: written by `runenv bench` -->", "<!-- end of the figures -->"


class Written(NamedTuple):
    """What a run of the benchmark left."""

    figures: dict
    page: str
    out: str


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, str(ROOT / "benchmarks" / "startup.py"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("bench")
    (folder / "page.md").write_text(f"# Ours\n\n{BEGIN}\nold figures\n{END}\n\nThe end.\n")
    asked = ["--json", "figures.json", "--page", "page.md"]

    done = bench(folder, "--alone", "--rounds", "1", *asked)

    assert done.returncode == 0, done.stderr
    figures = json.loads((folder / "figures.json").read_text())
    return Written(figures, (folder / "page.md").read_text(), done.stdout)


def test_the_figures_are_what_their_schema_says(written: Written):
    schema = json.loads((ROOT / "docs" / "reference" / "speed.schema.json").read_text())

    jsonschema.validate(written.figures, schema)


def test_every_case_has_its_limit(written: Written):
    (part,) = written.figures["parts"]

    assert {row["case"]: row["asked"]["at_most"] for row in part["rows"]} == {
        "`--version`": 6,
        "list 10 sessions": 20,
        "list 1,000 sessions": 60,
        "list 4,000 sessions": 4,
        "TAB, 10 sessions": 12,
    }


def test_the_page_keeps_what_is_around_the_figures(written: Written):
    assert written.page.startswith(f"# Ours\n\n{BEGIN}\n\nMeasured ")
    assert written.page.endswith(f" |\n\n{END}\n\nThe end.\n")
    assert "old figures" not in written.page


def test_the_tables_go_to_standard_output_too(written: Written):
    assert written.page == f"# Ours\n\n{BEGIN}\n\n{written.out}\n{END}\n\nThe end.\n"


def test_a_page_without_marks_is_told_before_anything_is_measured(tmp_path: Path):
    (tmp_path / "page.md").write_text("# Ours\n")

    done = bench(tmp_path, "--alone", "--page", "page.md")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"page.md has no lines {BEGIN!r} and {END!r} to put the figures between\n"
