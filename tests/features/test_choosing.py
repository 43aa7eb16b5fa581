"""Which of the versions that fit: resolution, prerelease, exclude_newer."""

from __future__ import annotations

import pytest

from tests.conftest import Folder
from tests.features.test_environments import PRINT_INSTALLED, library, lines

pytestmark = pytest.mark.measured

PIP = ', backend="virtualenv"'


@pytest.fixture
def choice(folder: Folder) -> Folder:
    """Wheels of `one` in several versions, which need one of several `two`."""
    for version in ("1.0", "2.0", "3.0a1"):
        folder.wheel("one", version, requires=("two",))
    for version in ("1.0", "2.0"):
        folder.wheel("two", version)
    return folder


def declare(folder: Folder, arguments: str) -> None:
    folder.envfile(f"@runner.session({arguments})\ndef show(session):\n    {PRINT_INSTALLED}")


def requires_one(folder: Folder, arguments: str) -> None:
    """A project that requires `one`, installed with these arguments of its session."""
    library(folder)
    backend = folder.root / "backend.py"
    required = "Requires-Dist: one>=1\\nProvides-Extra"
    backend.write_text(backend.read_text().replace("Provides-Extra", required))
    declare(folder, arguments)


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        ("", "one2.0 two2.0"),
        ("resolution='highest'", "one2.0 two2.0"),
        ("resolution='lowest-direct'", "one1.0 two2.0"),
        ("resolution='lowest'", "one1.0 two1.0"),
        ("prerelease='allow'", "one3.0a1 two2.0"),
        ("prerelease='disallow'", "one2.0 two2.0"),
    ],
)
def test_uv_takes_the_version_that_is_asked_for(choice: Folder, arguments: str, installed: str):
    declare(choice, f"deps=['one>=1'], {arguments}")

    assert lines(choice)[0] == installed


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        ("project='wheel', resolution='lowest-direct'", "mine1.0 one1.0 two2.0"),
        ("project='wheel', resolution='lowest'", "mine1.0 one1.0 two1.0"),
        ("project='editable', resolution='lowest-direct'", "mine1.0 one1.0 two2.0"),
        (
            "project='wheel', extras=['more'], resolution='lowest-direct'",
            "mine1.0 one1.0 tool1.0 two2.0",
        ),
        (
            "project='wheel', extras=['all'], resolution='lowest-direct'",
            "mine1.0 one1.0 tool1.0 two2.0",
        ),
    ],
)
def test_what_the_project_names_is_named(choice: Folder, arguments: str, installed: str):
    library(choice)
    backend = choice.root / "backend.py"
    required = (
        "Requires-Dist: one>=1\\nRequires-Dist: mine[more]; extra == 'all'\\n"
        "Provides-Extra: all\\nProvides-Extra"
    )
    backend.write_text(backend.read_text().replace("Provides-Extra", required))
    pyproject = choice.root / "pyproject.toml"
    more = "[project.optional-dependencies]"
    pyproject.write_text(pyproject.read_text().replace(more, f"{more}\nall = ['mine[more]']"))
    for version in ("1.0", "2.0"):
        choice.wheel("tool", version)
    declare(choice, arguments)

    assert lines(choice)[0] == installed


def test_what_an_installed_project_names_is_named(choice: Folder):
    requires_one(choice, "")
    install = "session.install('.', '--resolution', 'lowest-direct')"
    choice.envfile(f"@runner.session\ndef show(session):\n    {install}\n    {PRINT_INSTALLED}")

    assert lines(choice)[0] == "mine1.0 one1.0 two2.0"


@pytest.mark.parametrize(
    ("arguments", "file", "text", "variable", "installed"),
    [
        ("", "other.toml", "", "lowest-direct", "mine1.0 one1.0 two2.0"),
        (", resolution='highest'", "other.toml", "", "lowest-direct", "mine1.0 one2.0 two2.0"),
        ("", "uv.toml", "resolution = 'lowest-direct'", "", "mine1.0 one1.0 two2.0"),
        ("", "uv.toml", "resolution = 'lowest-direct'", "highest", "mine1.0 one2.0 two2.0"),
    ],
)
def test_what_the_project_names_is_named_where_the_surroundings_choose(
    choice: Folder, arguments: str, file: str, text: str, variable: str, installed: str
):
    requires_one(choice, f"project='wheel'{arguments}")
    choice.write(file, text)
    choice.environ |= {"UV_RESOLUTION": variable} if variable else {}

    assert lines(choice)[0] == installed


def test_what_the_project_names_is_named_where_its_pyproject_chooses(choice: Folder):
    requires_one(choice, "project='wheel'")
    pyproject = choice.root / "pyproject.toml"
    chosen = "\n[tool.uv]\nresolution = 'highest'\n[tool.uv.pip]\nresolution = 'lowest-direct'\n"
    pyproject.write_text(pyproject.read_text() + chosen)

    assert lines(choice)[0] == "mine1.0 one1.0 two2.0"


@pytest.mark.parametrize(
    ("arguments", "installed"),
    [
        ("resolution='highest'", "one2.0 two2.0"),
        ("prerelease='if-necessary'", "one2.0 two2.0"),
        ("prerelease='allow'", "one3.0a1 two2.0"),
    ],
)
def test_pip_does_what_it_can(choice: Folder, arguments: str, installed: str):
    declare(choice, f"deps=['one'], {arguments}{PIP}")

    assert lines(choice)[0] == installed


def test_another_choice_makes_another_environment(choice: Folder):
    declare(choice, "deps=['one>=1'], resolution='lowest'")
    choice.passes()
    declare(choice, "deps=['one>=1']")

    out, told = lines(choice)

    assert out == "one2.0 two2.0"
    assert "rebuilt" in told
    assert "resolution removed (-lowest)" in told


def test_a_day_is_taken_whole_in_utc(choice: Folder):
    declare(choice, "deps=['one'], exclude_newer='2024-12-31'")

    told = choice.passes("--explain").out

    assert "installs     --exclude-newer=2025-01-01T00:00:00Z one\n" in told


def test_a_time_is_taken_as_it_is(choice: Folder):
    declare(choice, "deps=['one'], exclude_newer='2024-12-31T10:00:00+01:00'")

    told = choice.passes("--explain").out

    assert "installs     --exclude-newer=2024-12-31T10:00:00+01:00 one\n" in told


def test_what_pip_cannot_choose_is_told_before_anything_is_made(choice: Folder):
    declare(choice, f"deps=['one'], resolution='lowest'{PIP}")

    explained = choice.run("--explain")
    ran = choice.run()

    assert explained.code == 1
    assert "cannot be made: pip has no resolution 'lowest'" in explained.out
    assert "pip has no resolution 'lowest'" in ran.err
    assert 'backend="uv"' in ran.err
    assert not (choice.root / ".runenv" / "show").exists()


def test_a_new_pip_leaves_out_what_is_newer(choice: Folder):
    # Wheels in a folder have no time of upload: pip asks only indexes for it.
    declare(choice, f"deps=['one'], exclude_newer='2024-12-31'{PIP}")

    assert lines(choice)[0] == "one2.0 two2.0"
