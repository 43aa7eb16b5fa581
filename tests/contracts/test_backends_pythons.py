"""What each backend must do with every Python from 3.8 on that is found here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.envs import interpreters
from runner.envs.pythons_found import found_versions
from runner.errors import InterpreterMissing
from tests.conftest import FULL, make_wheel
from tests.contracts.test_backends import make

PYTHONS = found_versions(">=3.8")
# conda brings its own. virtualenv serves the Pythons that are maintained, and one older.
SERVED = {"uv": (3, 8), "virtualenv": (3, 9), "venv": (3, 8)}


@pytest.mark.slow
@pytest.mark.parametrize("python", [p if p in (PYTHONS[0], PYTHONS[-1]) else pytest.param(p, marks=FULL) for p in PYTHONS])  # fmt: skip
@pytest.mark.parametrize("backend", SERVED)
def test_an_environment_is_made_and_installed_into(
    backend: str, python: str, tmp_path: Path, uv_cache: Path
):
    if tuple(map(int, python.split("."))) < SERVED[backend]:
        pytest.skip(f"{backend} serves {'.'.join(map(str, SERVED[backend]))} and later")
    try:
        interpreter = interpreters.find(python, cache_dir=str(tmp_path / "cache"))
    except InterpreterMissing:
        pytest.skip(f"the {python} that is found by its name is none")

    made = make(backend, tmp_path, uv_cache, interpreter)
    make_wheel(made.wheels, "small", "1.5")
    made.install("small")

    assert made.python("-c", "import small; print(small.version)") == "1.5"
    assert made.python("-c", "import sys; print('%d.%d' % sys.version_info[:2])") == python
    assert "small" in made.python("-m", "pip", "list")
