"""`runenv --lock`: what is found is written down, installed exactly, and never silently out of date."""

from __future__ import annotations

import shutil

import pytest

from runner.envs.pythons_found import found_versions
from tests.conftest import Folder
from tests.features.test_environments import PRINT_INSTALLED, library, lines

pytestmark = pytest.mark.measured


@pytest.fixture
def wheels(folder: Folder) -> Folder:
    """`one`, which needs `two`, and `three`, each in one version."""
    folder.wheel("one", requires=("two",))
    folder.wheel("two")
    folder.wheel("three")
    return folder


def declare(folder: Folder, arguments: str = "deps=['one']", name: str = "show") -> None:
    folder.envfile(f"@runner.session({arguments})\ndef {name}(session):\n    {PRINT_INSTALLED}")


def newer(folder: Folder) -> None:
    """There are newer versions of all now."""
    folder.wheel("one", "2.0", requires=("two",))
    folder.wheel("two", "2.0")
    folder.wheel("three", "2.0")


def lock_text(folder: Folder, name: str = "pylock.show.toml") -> str:
    return (folder.root / "runenv-locks" / name).read_text(encoding="utf-8")


def names(folder: Folder) -> list[str]:
    return sorted(path.name for path in (folder.root / "runenv-locks").iterdir())


# What is written, and installed. ------------------------------------------------------------


@pytest.mark.parametrize("backend", ["uv", "virtualenv", "venv"])
def test_what_was_locked_is_installed_exactly(wheels: Folder, backend: str):
    declare(wheels, f"deps=['one'], backend={backend!r}")
    assert wheels.passes("--lock").out == "runenv-locks/pylock.show.toml  is new: 2 packages\n"

    newer(wheels)

    assert lines(wheels)[0] == "one1.0 two1.0"


def test_a_second_run_starts_no_installer(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    wheels.passes()

    done = wheels.passes("-v")

    assert "environment: reused" in done.err
    assert "install" not in done.err


def test_the_lock_decides_whether_an_environment_is_reused(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    wheels.passes()
    newer(wheels)
    wheels.passes("--lock", "--upgrade")

    out, told = lines(wheels)

    assert out == "one2.0 two2.0"
    assert "runenv-locks/pylock.show.toml changed" in told


def test_members_of_a_family_share_one_lock(wheels: Folder):
    wheels.envfile(
        """
        @runner.session(deps=["one"])
        @runner.parametrize("value", ["a", "b"])
        def show(session, value): ...
        """
    )

    wheels.passes("--lock", "show-a")

    assert names(wheels) == ["pylock.show.toml"]
    assert "-r runenv-locks/pylock.show.toml" in wheels.passes("show-b").err


def test_sessions_that_share_an_environment_share_its_lock(wheels: Folder):
    wheels.envfile(
        """
        @runner.session(deps=["one"], environment="dev")
        def a(session): ...

        @runner.session(deps=["three"], environment="dev")
        def b(session): ...
        """
    )

    assert wheels.passes("--lock").out == "runenv-locks/pylock.dev.toml  is new: 3 packages\n"
    wheels.passes()


def test_all_that_is_declared_is_locked(wheels: Folder):
    library(wheels)
    wheels.wheel("tool")
    wheels.wheel("four")
    wheels.wheel("four", "2.0")
    wheels.write("requirements.txt", "one\n")
    wheels.write("constraints.txt", "four<2\n")
    declare(
        wheels,
        "deps=['three'], groups=['test'], requirements=['requirements.txt'],"
        " constraints=['constraints.txt'], extras=['more'], project='wheel'",
    )
    wheels.write("requirements.txt", "one\nfour\n")

    wheels.passes("--lock")
    newer(wheels)

    assert lines(wheels)[0] == "four1.0 mine1.0 one1.0 three1.0 tool1.0 two1.0"
    assert 'name = "mine"' not in lock_text(wheels)


def test_a_project_that_changed_is_built_anew_and_its_lock_stays(wheels: Folder):
    library(wheels)
    wheels.wheel("tool")
    wheels.envfile(
        """
        @runner.session(groups=["test"], project="wheel")
        def show(session):
            session.run("python", "-c", "import mine; print(mine.value)")
        """
    )
    wheels.passes("--lock")
    assert lines(wheels)[0] == "1"

    library(wheels, "value = 2")

    assert lines(wheels)[0] == "2"
    assert wheels.passes("--lock", "--check").out == ""


def test_the_resolution_of_a_session_is_that_of_its_lock(wheels: Folder):
    newer(wheels)
    declare(wheels, "deps=['one>=1'], resolution='lowest-direct'")
    wheels.passes("--lock")

    assert lines(wheels)[0] == "one1.0 two2.0"


def test_a_lock_is_the_same_in_another_checkout(wheels: Folder):
    library(wheels)
    wheels.write("sub/requirements.txt", "one\n")
    declare(wheels, "requirements=['sub/requirements.txt'], project='editable'")

    wheels.passes("--lock")

    assert str(wheels.root) not in lock_text(wheels)


def test_a_lock_made_in_one_checkout_is_right_in_another(wheels: Folder):
    wheels.write("lib/pyproject.toml", "[project]\nname = 'lib'\nversion = '1'\n")
    wheels.write("requirements.txt", "--find-links ${PLACE}\n-e ./lib\none\n")
    declare(wheels, "requirements=['requirements.txt']")
    wheels.environ["PLACE"] = str(wheels.wheels)
    wheels.passes("--lock")

    other = Folder(wheels.root.parent / "other", wheels.wheels, wheels.root.parent)
    shutil.copytree(wheels.root, other.root, ignore=shutil.ignore_patterns(".runenv"))

    other.environ["PLACE"] = str(wheels.wheels)
    assert other.passes("--lock", "--check").out == ""


@pytest.mark.skipif(len(found_versions(">=3.10")) < 2, reason="needs two Pythons")
def test_pythons_that_one_lock_cannot_serve_have_one_each(folder: Folder):
    old, *_, new = found_versions(">=3.10")
    for version in ("1.0", "2.0"):
        folder.wheel("one", version)
    # Of what no session runs on, one lock for all later Pythons would have to know too.
    never = "one>=2; python_version == '3.99'"
    folder.envfile(
        f"""
        @runner.session(python=[{old!r}, {new!r}], deps=["one<2", "{never}"])
        def show(session):
            {PRINT_INSTALLED}
        """
    )

    folder.passes("--lock")

    numbers = [version.replace(".", "") for version in (old, new)]
    assert names(folder) == [f"pylock.show@{number}.toml" for number in numbers]
    assert folder.passes("show").out == "one1.0\none1.0\n"
    assert folder.passes("--lock", "--check").out == ""


# Declared and locked. -----------------------------------------------------------------------


def test_what_is_declared_otherwise_than_it_was_locked_is_an_error(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    declare(wheels, "deps=['one', 'three']")

    done = wheels.run()

    assert done.code == 1
    assert (
        "error: runenv-locks/pylock.show.toml was made for something else than is declared now\n"
        "  --> envfile.py:3\n"
        "  runenv --lock show\n" in done.err
    )


def test_other_extras_of_a_project_that_only_a_build_knows_are_an_error(wheels: Folder):
    library(wheels)
    wheels.wheel("tool")
    declare(wheels, "project='wheel'")
    wheels.passes("--lock")

    declare(wheels, "project='wheel', extras=['more']")

    assert wheels.run("--lock", "--check").code == 1


def test_locking_again_keeps_the_versions(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    newer(wheels)
    declare(wheels, "deps=['one', 'three']")

    out = wheels.passes("--lock").out

    assert out == "runenv-locks/pylock.show.toml  has changed: +three 2.0\n"
    assert lines(wheels)[0] == "one1.0 three2.0 two1.0"


def test_locking_again_without_a_change_writes_nothing(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    before = (wheels.root / "runenv-locks" / "pylock.show.toml").stat().st_mtime_ns

    out = wheels.passes("--lock").out

    assert out == "runenv-locks/pylock.show.toml  is as it was\n"
    assert (wheels.root / "runenv-locks" / "pylock.show.toml").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("option", "told", "installed"),
    [
        ("--upgrade", "one 1.0 -> 2.0, two 1.0 -> 2.0", "one2.0 two2.0"),
        ("--upgrade=two", "two 1.0 -> 2.0", "one1.0 two2.0"),
    ],
)
def test_upgrade_asks_for_newer_versions(wheels: Folder, option: str, told: str, installed: str):
    declare(wheels)
    wheels.passes("--lock")
    newer(wheels)

    out = wheels.passes("--lock", option).out

    assert out == f"runenv-locks/pylock.show.toml  has changed: {told}\n"
    assert lines(wheels)[0] == installed


def test_a_lock_that_fails_leaves_the_old_one(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    before = lock_text(wheels)
    declare(wheels, "deps=['one', 'nowhere']")

    assert wheels.run("--lock").code == 1
    assert lock_text(wheels) == before
    assert names(wheels) == ["pylock.show.toml"]


def test_one_session_that_cannot_be_locked_leaves_the_others_to_be(wheels: Folder):
    wheels.envfile(
        """
        @runner.session(deps=["nowhere"])
        def a(session): ...

        @runner.session(deps=["one"])
        def b(session): ...
        """
    )

    done = wheels.run("--lock")

    assert done.code == 1
    assert names(wheels) == ["pylock.b.toml"]


# --check. --------------------------------------------------------------------------------------


def test_check_passes_where_all_is_locked(wheels: Folder):
    declare(wheels)
    wheels.passes("--lock")
    newer(wheels)

    done = wheels.passes("--lock", "--check")

    assert (done.out, done.err) == ("", "")


def test_check_lists_what_is_stale_and_changes_nothing(wheels: Folder):
    wheels.envfile(
        """
        @runner.session(deps=["one"])
        def a(session): ...

        @runner.session(deps=["two"])
        def gone(session): ...
        """
    )
    wheels.passes("--lock")
    wheels.envfile(
        """
        @runner.session(deps=["one", "two"])
        def a(session): ...

        @runner.session(deps=["three"])
        def b(session): ...
        """
    )
    before = lock_text(wheels, "pylock.a.toml")

    done = wheels.run("--lock", "--check")

    assert done.code == 1
    assert done.out == (
        "runenv-locks/pylock.a.toml  was made for something else\n"
        "runenv-locks/pylock.b.toml  is not there\n"
        "runenv-locks/pylock.gone.toml  is of no session\n"
    )
    assert done.err == "3 stale; runenv --lock makes them anew\n"
    assert names(wheels) == ["pylock.a.toml", "pylock.gone.toml"]
    assert lock_text(wheels, "pylock.a.toml") == before


def test_the_lock_of_a_session_that_is_gone_goes_with_it(wheels: Folder):
    declare(wheels, name="gone")
    wheels.passes("--lock")
    declare(wheels)

    out = wheels.passes("--lock").out

    assert out == (
        "runenv-locks/pylock.show.toml  is new: 2 packages\n"
        "runenv-locks/pylock.gone.toml  is of no session, and gone\n"
    )


def test_a_file_of_another_tool_stays(wheels: Folder):
    declare(wheels)
    wheels.write("runenv-locks/pylock.other.toml", 'lock-version = "1.0"\n')

    wheels.passes("--lock")

    assert names(wheels) == ["pylock.other.toml", "pylock.show.toml"]


# --upgrade=PACKAGE without --lock. ----------------------------------------------------------


def test_one_package_is_upgraded_and_the_rest_stays(wheels: Folder):
    declare(wheels, "deps=['one', 'three']")
    wheels.passes()
    newer(wheels)

    out, told = lines(wheels, "--upgrade=two")

    assert out == "one1.0 three1.0 two2.0"
    assert told.startswith("upgraded")


def test_an_upgraded_environment_is_reused(wheels: Folder):
    declare(wheels)
    wheels.passes()
    newer(wheels)
    wheels.passes("--upgrade=one,two")

    out, told = lines(wheels)

    assert out == "one2.0 two2.0"
    assert told.startswith("reused")


def test_a_package_that_is_not_there_is_told_with_the_near_one(wheels: Folder):
    declare(wheels)
    wheels.passes()

    done = wheels.passes("--upgrade=tow")

    assert "warning: --upgrade=tow: it is not installed here; did you mean 'two'?" in done.err


@pytest.mark.parametrize("option", ["--upgrade", "--upgrade=two"])
def test_an_upgrade_of_what_is_locked_says_what_upgrades_it(wheels: Folder, option: str):
    declare(wheels)
    wheels.passes("--lock")
    newer(wheels)

    done = wheels.passes(option)

    assert done.out == "one1.0 two1.0\n"
    assert "a lock says which versions; runenv --lock --upgrade takes newer ones" in done.err
