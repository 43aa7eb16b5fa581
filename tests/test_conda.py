"""What a conda environment is made of, as a declaration says it; needs no rattler."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.envs import conda
from runner.model import Needs
from runner.running import Brought, Ingredient
from tests.conda_channel import Channel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the backend is not for Windows")

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def brought(root: Path, python: str | None = None, **needs: tuple[str, ...]) -> Brought:
    path = str(root / ".runenv/tests")
    wanted = NEEDS._replace(**needs)  # type: ignore[arg-type]  # the tests name tuples alone
    return conda.bring(python, wanted, path, str(root), lambda file: f"digest of {file}")


@pytest.mark.parametrize(
    ("written", "asked_for"),
    [
        (None, "python"),
        ("3", "python=3"),
        ("3.12", "python=3.12"),
        ("3.12.4", "python=3.12.4"),
        (">=3.10", "python >=3.10"),
        (">= 3.10, < 3.13", "python >=3.10,<3.13"),
    ],
)
def test_a_python_is_asked_for_as_conda_does(tmp_path: Path, written: str | None, asked_for: str):
    assert brought(tmp_path, written).packages == (asked_for,)


def test_python_and_packages_are_asked_for_at_once(tmp_path: Path):
    made = brought(tmp_path, "3.12", conda_deps=("gdal>=3.9", "nodejs"))

    assert made.options == (
        *("--channel", "conda-forge"),
        *("--spec", "python=3.12", "--spec", "gdal>=3.9", "--spec", "nodejs"),
    )


def test_a_channel_that_is_a_folder_starts_at_the_root(tmp_path: Path):
    made = brought(tmp_path, channels=("./channel", "../other", "bioconda", "https://a/b"))

    assert made.options[:8] == (
        *("--channel", str(tmp_path / "channel")),
        *("--channel", str(tmp_path.parent / "other")),
        *("--channel", "bioconda", "--channel", "https://a/b"),
    )


def test_what_is_asked_for_and_not_what_came_is_the_ingredient(tmp_path: Path):
    before = brought(tmp_path, "3.12")
    meta = tmp_path / ".runenv/tests/conda-meta"
    meta.mkdir(parents=True)
    (meta / "python-3.12.7-hc5c86c4_0_cpython.json").write_text("{}")
    (meta / "python-dateutil-2.9.0-py_0.json").write_text("{}")

    after = brought(tmp_path, "3.12")

    assert after.ingredients == before.ingredients
    assert before.interpreter.version == "3.12"
    assert after.interpreter.version == "3.12.7"


@pytest.mark.parametrize(
    ("record", "implementation", "free_threaded"),
    [
        ("python-3.13.1-h9a34b6e_5_cp313.json", "cpython", False),
        ("python-3.13.1-h9a34b6e_5_cp313t.json", "cpython", True),
        ("python-3.9.18-1_73_pypy.json", "pypy", False),
    ],
)
def test_which_python_came_is_read_from_its_record(
    tmp_path: Path, record: str, implementation: str, free_threaded: bool
):
    meta = tmp_path / ".runenv/tests/conda-meta"
    meta.mkdir(parents=True)
    (meta / record).write_text("{}")

    python = brought(tmp_path).interpreter

    assert (python.implementation, python.free_threaded) == (implementation, free_threaded)


def test_of_a_channel_on_this_disk_the_indexes_are_ingredients(tmp_path: Path):
    Channel(tmp_path / "channel").add("thing")

    made = brought(tmp_path, channels=("./channel",))

    noarch = Ingredient(
        "channel/noarch/repodata.json", f"digest of {tmp_path}/channel/noarch/repodata.json"
    )
    assert noarch in made.ingredients


def test_no_secret_of_a_channel_is_in_the_ingredients(tmp_path: Path):
    made = brought(
        tmp_path, channels=("https://me:geheim@a/b", "https://a/t/xy-geheim/c", "https://a/t/tool")
    )

    assert dict(made.ingredients)["channels"] == "https://****@a/b\nhttps://a/t/c\nhttps://a/t/tool"
