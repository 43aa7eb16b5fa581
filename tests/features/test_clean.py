"""`runenv --clean`: what is deleted, what stays, and what the disk gets back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest

from tests.conftest import Folder
from tests.features.test_environments import library

pytestmark = pytest.mark.measured

TWO = """
    @runner.session
    def a(session):
        session.run("python", "-V")

    @runner.session(deps=["tool"])
    def b(session):
        session.run("python", "-V")
    """

DAY_S = 24 * 60 * 60


def two(folder: Folder) -> Folder:
    """Two environments."""
    folder.wheel("tool", files={"tool.py": "x = 1\n" * 20_000})
    folder.envfile(TWO)
    folder.passes()
    return folder


def there(folder: Folder) -> list[str]:
    """The environments that there are."""
    return sorted(p.parent.name for p in (folder.root / ".runenv").glob("*/runenv.json"))


def aged(folder: Folder, name: str, days: float) -> None:
    """The environment was last used so many days ago."""
    then = time.time() - days * DAY_S
    for path in (f".runenv/.locks/{name}", f".runenv/{name}/runenv.json"):
        os.utime(folder.root / path, (then, then))


@pytest.mark.skipif(shutil.which("du") is None, reason="there is no du")
def test_the_size_of_an_environment_is_what_du_tells(folder: Folder):
    path = two(folder).root / ".runenv/b"
    os.link(path / "pyvenv.cfg", path / "pyvenv.copy")
    said = subprocess.run(["du", "-sk", path], capture_output=True, text=True, check=True)
    expected = int(said.stdout.split()[0]) * 1024

    out = folder.passes("--clean", "b").out

    assert out.splitlines()[0] in (
        f"deleted b: {expected / 1e3:.1f} kB",
        f"deleted b: {expected / 1e6:.1f} MB",
    )


def test_what_is_linked_from_elsewhere_is_not_freed(folder: Folder):
    path = two(folder).root / ".runenv/a"
    large = path / "large"
    large.write_bytes(os.urandom(3_000_000))
    os.link(large, folder.root / "kept")

    last = folder.passes("--clean", "a").out.splitlines()[-1]

    assert re.fullmatch(
        r"[\d.]+ kB freed; 3\.\d MB more is linked from elsewhere, such as uv's cache", last
    )


def test_what_two_environments_share_is_freed_with_the_second(folder: Folder):
    large = two(folder).root / ".runenv/a/large"
    large.write_bytes(os.urandom(3_000_000))
    os.link(large, folder.root / ".runenv/b/large")

    first, second, last = folder.passes("--clean").out.splitlines()

    assert re.fullmatch(r"deleted a: 3\.\d MB", first)
    assert re.fullmatch(r"deleted b: 3\.\d MB", second)
    assert re.match(r"3\.\d MB freed", last)


def test_clean_keeps_wheels_and_takes_what_killed_runs_have_left(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef a(session): ...\n")
    folder.passes()
    folder.write(".runenv/.trash/b-1-0/runenv.json", "{}")
    folder.write(".runenv/.new-b/runenv.json", "{}")

    out = folder.passes("--clean").out

    assert re.match(
        r"deleted what was removed earlier: .*\n"
        r"deleted \.new-b, left by a run that was killed: .*\n"
        r"deleted a: .*\n"
        r"deleted \.builds/project-3\.\d+-\w{8}: .*\n[\d.]+ .B freed",
        out,
    )
    assert sorted(p.name for p in (folder.root / ".runenv").iterdir() if p.is_dir()) == [
        ".builds",
        ".locks",
        ".wheels",
    ]


# --stale. --------------------------------------------------------------------------------


def test_stale_takes_what_no_job_has_and_what_was_not_used(folder: Folder):
    folder.wheel("tool")
    folder.envfile(TWO + "\n    @runner.session\n    def c(session): session.run('python', '-V')\n")
    folder.passes()
    folder.envfile(TWO)
    aged(folder, "a", 29.5)
    aged(folder, "b", 31.5)

    out = folder.passes("--clean", "--stale").out

    assert re.match(r"deleted b, not used for 31 days: .*\ndeleted c, which no job has: .*\n", out)
    assert there(folder) == ["a"]


def test_stale_takes_a_number_of_days_behind_an_equals_sign_alone(folder: Folder):
    aged(two(folder), "a", 3.5)

    assert folder.run("--clean", "--stale", "3").code == 2
    assert folder.passes("--clean", "--stale=4").out.startswith("nothing to delete in ")
    assert folder.passes("--clean", "--stale=3").out.startswith("deleted a, not used for 3 days: ")


def test_a_run_that_reuses_an_environment_uses_it(folder: Folder):
    aged(two(folder), "a", 50)

    folder.passes("a")

    assert folder.passes("--clean", "--stale").out.startswith("nothing to delete in ")


def test_of_what_is_named_only_the_stale_goes(folder: Folder):
    aged(two(folder), "a", 50)
    aged(folder, "b", 50)

    folder.passes("--clean", "--stale", "a")

    assert there(folder) == ["b"]


def test_stale_takes_wheels_that_were_not_used(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef a(session): ...\n")
    folder.passes()
    (content,) = (folder.root / ".runenv/.wheels").glob("*/*")
    then = time.time() - 50 * DAY_S
    os.utime(content, (then, then))
    folder.passes("--fresh")
    os.utime(content, (then, then))
    (folder.root / ".runenv/.wheels" / ".new-gone").mkdir()

    out = folder.passes("--clean", "--stale").out

    assert "deleted .new-gone, left by a build that was killed: " in out
    assert "deleted the wheel mine-1.0-py3-none-any.whl: " in out
    assert list((folder.root / ".runenv/.wheels").glob("*/*")) == []


def test_a_wheel_that_was_installed_again_was_used(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef a(session): ...\n")
    folder.passes()
    (content,) = (folder.root / ".runenv/.wheels").glob("*/*")
    then = time.time() - 50 * DAY_S
    os.utime(content, (then, then))

    folder.passes("--clean")
    folder.passes()

    assert folder.passes("--clean", "--stale").out.startswith("nothing to delete in ")


def test_stale_of_no_days_takes_everything(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef a(session): ...\n")
    folder.passes()

    folder.passes("--clean", "--stale=0")

    assert there(folder) == []
    assert list((folder.root / ".runenv/.wheels").glob("*/*")) == []
