"""Lock files by PEP 751 and requirement files with hashes, by uv and by pip."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from runner.envs.uv import find_uv
from tests.conftest import Folder
from tests.features.test_environments import PRINT_INSTALLED, library, lines

pytestmark = pytest.mark.measured

BACKENDS = ["uv", "virtualenv", "venv"]


def declare(folder: Folder, arguments: str, backend: str = "uv") -> None:
    folder.envfile(
        f"@runner.session({arguments}, backend={backend!r})\n"
        f"def show(session):\n    {PRINT_INSTALLED}"
    )


@pytest.fixture
def pylock(folder: Folder) -> Path:
    """A lock of `one` 1.0 and of what it needs, made by uv; there are newer ones now."""
    folder.wheel("one", requires=("two",))
    folder.wheel("two")
    subprocess.run(
        [find_uv(), "pip", "compile", "-", "--universal", "-o", "pylock.toml", "--quiet"],
        input="one",
        cwd=folder.root,
        env=folder.environ,
        text=True,
        check=True,
    )
    folder.wheel("one", "2.0", requires=("two",))
    folder.wheel("two", "2.0")
    return folder.root / "pylock.toml"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lock_file_is_installed_exactly(folder: Folder, pylock: Path, backend: str):
    declare(folder, "requirements=['pylock.toml']", backend)

    assert lines(folder)[0] == "one1.0 two1.0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_has_another_hash_is_not_installed(folder: Folder, pylock: Path, backend: str):
    text, name, two = pylock.read_text().partition('name = "two"')
    pylock.write_text(text + name + re.sub("[0-9a-f]{64}", "0" * 64, two))
    declare(folder, "requirements=['pylock.toml']", backend)

    done = folder.run()

    assert done.code == 1
    assert "error: the install failed" in done.err


def test_another_lock_makes_another_environment(folder: Folder, pylock: Path):
    declare(folder, "requirements=['pylock.toml']")
    folder.passes()
    pylock.write_text(pylock.read_text() + "\n# a comment\n")

    assert "pylock.toml changed" in lines(folder)[1]


def test_the_project_is_installed_on_top_of_a_lock_file(folder: Folder, pylock: Path):
    library(folder)
    declare(folder, "requirements=['pylock.toml'], project='wheel'")

    assert lines(folder)[0] == "mine1.0 one1.0 two1.0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_session_installs_from_a_lock_file(folder: Folder, pylock: Path, backend: str):
    folder.envfile(
        f"""
        @runner.session(backend={backend!r})
        def show(session):
            session.install("-r", "pylock.toml")
            {PRINT_INSTALLED}
        """
    )

    assert lines(folder)[0] == "one1.0 two1.0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_requirement_file_with_hashes_is_installed(folder: Folder, backend: str):
    digest = hashlib.sha256(folder.wheel("one").read_bytes()).hexdigest()
    folder.write("requirements.txt", f"one==1.0 \\\n    --hash=sha256:{digest}\n")
    declare(folder, "requirements=['requirements.txt']", backend)

    assert lines(folder)[0] == "one1.0"


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_requirement_file_with_another_hash_is_not(folder: Folder, backend: str):
    folder.wheel("one")
    folder.write("requirements.txt", f"one==1.0 --hash=sha256:{'0' * 64}\n")
    declare(folder, "requirements=['requirements.txt']", backend)

    done = folder.run()

    assert done.code == 1
    assert "error: the install failed" in done.err
