"""When an environment's steps run, and when nothing does: what the features leave open."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from runner.envs import Policy
from runner.envs.folder import JOURNAL, make_envdir
from runner.envs.journal import read
from runner.envs.judge import Verdict, judge
from runner.envs.replay import Replay
from runner.envs.wheels import Wheels
from runner.errors import EnvironmentBroken
from runner.running import EnvSpec, Ingredient, Interpreter
from tests.conftest import Folder

pytestmark = pytest.mark.measured

INTERPRETER = Interpreter("/py", "/py", "3.13.0", "cpython", "3.13.0", "linux-x86_64", False, "1:2")

INSTALLED = (
    "import importlib.metadata as m; "
    "print(*sorted(d.name for d in m.distributions() if d.name != 'pip'))"
)


def declare(folder: Folder, *lines: str) -> None:
    """One session with these lines, which then shows what is installed."""
    body = "".join(f"    {line}\n" for line in lines)
    folder.envfile(
        f"@runner.session\ndef show(session):\n{body}    session.run('python', '-c', {INSTALLED!r})\n"
    )


def states(err: str) -> list[str]:
    """What a run said of its environment, without times and the Python."""
    told = [line.partition("environment: ")[2] for line in err.splitlines()]
    return [line.partition(" (cpython")[0] for line in told if line]


@pytest.fixture
def ones(folder: Folder) -> Folder:
    """A folder with the wheels one, two and three, and one installed by the session."""
    for name in ("one", "two", "three"):
        folder.wheel(name)
    declare(folder, "session.install('one')")
    folder.passes()
    return folder


# --no-install, beyond what is declared. --------------------------------------------------------


def test_an_install_that_differs_is_told_and_not_done_under_no_install(ones: Folder):
    declare(ones, "session.install('two')")

    done = ones.passes("--no-install")

    assert done.out == "one\n"
    assert states(done.err) == [
        "reused",
        "kept as it is (--no-install): install changed (one → two)",
    ]


def test_a_further_install_is_told_and_not_done_under_no_install(ones: Folder):
    declare(ones, "session.install('one')", "session.run('python', '-V', silent=True)", "session.install('two')")  # fmt: skip

    done = ones.passes("--no-install")

    assert done.out == "one\n"
    assert states(done.err) == ["reused", "kept as it is (--no-install): install added (+two)"]


def test_an_install_that_was_taken_out_is_told_under_no_install(ones: Folder):
    declare(ones)

    done = ones.passes("--no-install")

    assert done.out == "one\n"
    assert states(done.err) == ["reused", "kept as it is (--no-install): install removed (-one)"]


def test_what_was_kept_is_made_right_by_the_next_run(ones: Folder):
    declare(ones, "session.install('two')")
    ones.passes("--no-install")

    assert ones.passes().out == "two\n"


def test_nothing_is_told_where_no_install_changes_nothing(ones: Folder):
    assert states(ones.passes("--no-install").err) == ["reused"]


# Changes that a command made. --------------------------------------------------------------------


def test_changes_of_a_command_are_not_lost_to_an_install_that_differs(folder: Folder):
    for name in ("one", "two", "three"):
        folder.wheel(name)
    declare(
        folder,
        "name = ''.join(session.posargs)",
        "session.run('pip', 'install' if name else 'list', '-q', *session.posargs, silent=True)",
        "session.install('three' if name else 'two')",
    )
    folder.passes()

    refused = folder.run("--", "one")
    again = folder.passes("--", "one")

    assert refused.code == 1
    assert "a command changed the environment (+one 1.0, +one.py)" in refused.err
    assert again.out == "one three\n"
    assert "a command of the session changed it before an install" in states(again.err)[0]


# What is no environment. ------------------------------------------------------------------------


def test_an_empty_folder_where_an_environment_belongs_is_no_reason(ones: Folder):
    shutil.rmtree(ones.root / ".runenv/show")
    (ones.root / ".runenv/show").mkdir()

    assert states(ones.passes().err)[0].startswith("created from the store in ")


def test_an_environment_without_site_packages_is_rebuilt(ones: Folder):
    (site,) = (ones.root / ".runenv/show/lib").glob("*/site-packages")
    shutil.rmtree(site)

    assert states(ones.passes().err)[0].endswith(": its site-packages is gone")


class DoesNothing:
    """A backend whose commands make nothing."""

    def why_not(self):
        return ""

    def write_bare(self, path, interpreter, options):
        return False

    def make_argv(self, path, interpreter, options):
        return ("make", path)

    def finish(self, environment):
        raise AssertionError("nothing was made")

    def install_argv(self, environment, arguments):
        return ("install", *arguments)

    def rebuilds_slowly(self):
        return False

    def installer_variables(self, environ):
        return {}


def test_a_backend_that_makes_nothing_is_told_and_its_folder_is_no_environment(tmp_path: Path):
    make_envdir(str(tmp_path / "envs"), str(tmp_path))
    spec = EnvSpec(
        path=str(tmp_path / "envs/lint"),
        backend="odd",
        interpreter=INTERPRETER,
        options=(),
        ingredients=(Ingredient("backend", "odd"),),
        steps=(),
        reuse=True,
        surroundings=(),
    )
    ran = []

    def run_installer(call):
        ran.append((call.argv, call.kind, call.cwd))

    with pytest.raises(EnvironmentBroken) as caught:
        Replay(
            spec, DoesNothing(), Policy(), Wheels(str(tmp_path / "envs")), run_installer, print
        ).prepare()

    assert caught.value.what == "odd made no environment that works: its pyvenv.cfg is gone"
    assert ran == [(("make", spec.path), "make", str(tmp_path / "envs"))]
    assert os.listdir(spec.path) == [JOURNAL]
    journal = read(spec.path)
    assert journal is not None
    assert journal.state == "changing"
    assert judge(spec, Policy(), Wheels(str(tmp_path / "envs")))[0] == Verdict(
        "rebuilt", "an earlier run failed or was stopped while it changed it"
    )
