"""virtualenv and venv: the steps before a difference are not done again."""

from __future__ import annotations

import pytest

from tests.conftest import Folder
from tests.features.test_environments import PRINT_INSTALLED, lines

pytestmark = pytest.mark.measured

SESSION = """
    @runner.session(backend="{backend}", deps=["one"])
    def show(session):
        session.install("{second}")
        session.install("three")
        {print_installed}
    """


def write(folder: Folder, backend: str, second: str) -> None:
    folder.envfile(SESSION.format(backend=backend, second=second, print_installed=PRINT_INSTALLED))


@pytest.mark.parametrize("backend", ["virtualenv", "venv"])
def test_the_steps_before_a_difference_are_linked(folder: Folder, backend: str):
    for name in ("one", "two", "other", "three"):
        folder.wheel(name)
    write(folder, backend, "two")
    assert lines(folder)[0] == "one1.0 three1.0 two1.0"

    write(folder, backend, "other")
    done = folder.passes("-v")

    assert done.out.strip().splitlines()[-1] == "one1.0 other1.0 three1.0"
    assert "rebuilt" in done.err
    assert "install other" in done.err
    assert "install one" not in done.err
    assert f"-m {backend}" not in done.err
    assert "reused" in lines(folder)[1]


def test_fresh_links_nothing(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.wheel("three")
    write(folder, "virtualenv", "two")
    folder.passes()

    assert "-m virtualenv" in folder.passes("--fresh", "-v").err


def test_a_file_that_a_session_wrote_in_place_is_not_linked(folder: Folder):
    for name in ("one", "two", "other", "three"):
        folder.wheel(name)
    write(folder, "virtualenv", "two")
    folder.passes()
    (module,) = (folder.root / ".runenv/show/lib").glob("*/site-packages/one.py")
    with module.open("a") as stream:
        stream.write("version = 'edited in place'\n")

    write(folder, "virtualenv", "other")
    err = folder.passes().err
    assert "install one" in err

    (module,) = (folder.root / ".runenv/show/lib").glob("*/site-packages/one.py")
    assert "edited" not in module.read_text()
