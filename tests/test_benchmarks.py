"""The benchmark: its smallest part, once and without the peers, and what its records tell."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
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


# Turns. ---------------------------------------------------------------------------------


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Imports a module of the benchmark."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


def writer(measure: ModuleType, folder: Path, letter: str):
    return measure.Contender(["sh", "-c", f"printf {letter} >> turns"], folder)


def test_contenders_take_turns_and_a_round_before_is_not_counted(load, tmp_path: Path):
    measure = load("measure")
    contenders = {letter: writer(measure, tmp_path, letter) for letter in "AB"}

    took = measure.take_turns(contenders, 2, settle=False)

    assert (tmp_path / "turns").read_text() == "ABABAB"
    assert {letter: len(runs) for letter, runs in took.items()} == {"A": 2, "B": 2}


def test_a_command_that_fails_ends_the_benchmark_with_its_output(load, tmp_path: Path, capfd):
    measure = load("measure")
    fails = measure.Contender(["sh", "-c", "echo broken; exit 3"], tmp_path)

    with pytest.raises(SystemExit, match=r"^sh -c echo broken; exit 3 exited with 3$"):
        measure.take_turns({"fails": fails}, 1, settle=False)

    assert capfd.readouterr().err == "broken\n"


# Rows. ----------------------------------------------------------------------------------


def row_of(load, at_most: float, **medians: float):
    rows = load("rows")
    figures = {name: {"cpu_ms": [of - 1, of, of + 4]} for name, of in medians.items()}
    return rows.Row("some work", "cpu_ms", figures, rows.Asked("floor +", 10.0, at_most))


def test_a_row_compares_with_the_floor_and_the_best_peer_and_tells_what_is_not_met(load):
    row = row_of(load, 9.5, floor=10, runenv=20, nox=40, tox=30)

    told = ["some work", "CPU ms", "10.0", "20.0", "2.00", "30.0 tox", "0.67"]
    assert load("page").asked_line(row) == [*told, "floor + 9.5", "10.0, **not met**"]


def test_what_is_at_the_limit_is_met(load):
    row = row_of(load, 10, floor=10, runenv=20)

    told = ["some work", "CPU ms", "10.0", "20.0", "2.00", "–", "–"]
    assert load("page").asked_line(row) == [*told, "floor + 10", "10.0"]


def test_a_multiple_below_nothing_proves_nothing(load):
    asked = load("rows").Asked

    assert not asked("cp -al ×", -3.84, 1.2).met
    assert asked("its own command +", -0.1, 1.5).met


def test_nothing_is_a_multiple_of_what_is_shown_as_nothing(load):
    row = row_of(load, 10, floor=0.04, runenv=5, nox=0.06)

    assert load("page").asked_line(row)[2:7] == ["0.0", "5.0", "–", "0.1 nox", "83.33"]


def test_who_does_less_is_not_the_best_peer(load):
    row = row_of(load, 10, **{"runenv": 20, "hatch*": 1, "python -c pass": 2, "nox": 40})

    assert row.best_peer == "nox"


def test_figures_have_their_quartiles_beside_them(load):
    row = row_of(load, 10, floor=10, runenv=20)

    head, _, line = load("page").all_figures([row])

    assert head == "|  |  | floor | runenv |"
    assert line == "| some work | CPU ms | 10.0 (9.5 to 12.0) | 20.0 (19.5 to 22.0) |"
