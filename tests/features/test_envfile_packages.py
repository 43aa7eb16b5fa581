"""An envfile with a `# /// script` block: what it asks for can be imported by the envfile itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runner.listing import listing_of
from tests.conftest import Folder

pytestmark = pytest.mark.measured

ENVFILE = """\
# /// script
# dependencies = [{dependencies}]
# ///
import runner
import {module}


@runner.session(python=False)
def {module}_is_there(session):
    print({module}.version)
"""


@pytest.fixture
def needy(folder: Folder) -> Folder:
    """An envfile that imports `one`, which its block asks for."""
    folder.wheel("one")
    folder.wheel("two")
    folder.write("envfile.py", ENVFILE.format(dependencies='"one"', module="one"))
    return folder


def without_programs(folder: Folder) -> dict[str, str]:
    """Variables with which whoever starts a program that is not there already fails."""
    empty = folder.root.parent / "empty"
    empty.mkdir(exist_ok=True)
    return {"PATH": str(empty), "UV_CACHE_DIR": "/dev/null/cache"}


def test_what_the_block_asks_for_is_installed_and_imported(needy: Folder):
    done = needy.passes()

    assert done.out == "1.0\n"
    assert "envfile.py: install one (" in done.err


def test_the_second_time_nothing_is_installed(needy: Folder):
    needy.passes("--list")
    needy.wheel("one", "2.0")

    done = needy.run("--list", env=without_programs(needy))

    assert "one_is_there" in done.out
    assert (done.code, done.err) == (0, "")


def test_another_block_makes_another_environment(needy: Folder):
    needy.passes()
    needy.write("envfile.py", ENVFILE.format(dependencies='"two"', module="two"))

    done = needy.passes()

    assert "envfile.py: install two (" in done.err
    assert not list((needy.root / ".runenv" / ".envfile").rglob("one.py"))


def test_an_envfile_without_a_block_has_no_such_environment(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef s(session): ...\n")
    folder.passes()

    assert not (folder.root / ".runenv" / ".envfile").exists()


def test_a_block_without_dependencies_needs_none(folder: Folder):
    folder.write(
        "envfile.py",
        '# /// script\n# requires-python = ">=3.10"\n# ///\nimport runner\n\n'
        "@runner.session(python=False)\ndef s(session): ...\n",
    )
    folder.passes()

    assert not (folder.root / ".runenv" / ".envfile").exists()


@pytest.mark.parametrize("backend", ["virtualenv", "none", "venv|uv"])
def test_the_backend_that_is_asked_for_makes_it_where_it_can(needy: Folder, backend: str):
    needy.write("pyproject.toml", f'[tool.runenv]\nbackend = "{backend}"\n')

    assert needy.passes().out == "1.0\n"


def test_it_lies_in_the_folder_of_environments(needy: Folder):
    needy.passes("--envdir", "elsewhere")

    assert (needy.root / "elsewhere" / ".envfile" / "runenv.json").exists()


def test_clean_takes_it_too(needy: Folder):
    needy.passes()

    assert "deleted .envfile" in needy.passes("--clean").out
    assert not (needy.root / ".runenv" / ".envfile").exists()


def test_what_nobody_needs_is_not_the_envfiles_own(needy: Folder):
    needy.passes()
    needy.passes("--clean", "--stale")

    assert (needy.root / ".runenv" / ".envfile").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a listing is made in this process")
def test_a_listing_for_completion_installs_nothing(
    needy: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, value in needy.environ.items():
        monkeypatch.setenv(name, value)
    needy.write(
        "envfile.py", ENVFILE.format(dependencies='"one"', module="os").replace("os.version", "0")
    )

    listing = listing_of(str(needy.root / "envfile.py"), str(tmp_path / "listings"))

    assert list(listing.sessions) == ["os_is_there"]
    assert not (needy.root / ".runenv" / ".envfile").exists()


def test_completion_has_what_the_environment_lets_be_imported(needy: Folder):
    needy.passes()
    line = "runenv one"
    env = {
        "_ARGCOMPLETE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(needy.root / "answer"),
        "XDG_CACHE_HOME": str(needy.root / "cache"),
        "_ARGCOMPLETE_SUPPRESS_SPACE": "0",
    }

    needy.run(env=env)

    assert "one_is_there" in (needy.root / "answer").read_text()
