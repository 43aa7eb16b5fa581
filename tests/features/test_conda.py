"""Environments of conda packages, from a channel that is made here, their Python too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conda_channel import Channel
from tests.conftest import Folder
from tests.features.test_environments import library

pytest.importorskip("rattler", reason="py-rattler is an extra")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the backend is not for Windows")

OWN = ".".join(map(str, sys.version_info[:2]))
READ = 'session.run("python", "-c", "import sys; print(open(sys.prefix + \'/share/thing.txt\').read(), end=\'\')")'


@pytest.fixture
def channel(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Channel:
    """The project's own channel, in the folder `channel`, with a Python in it."""
    made = Channel(folder.root / "channel")
    made.add_python()
    folder.environ["RATTLER_CACHE_DIR"] = str(tmp_path_factory.getbasetemp() / "rattler")
    return made


def declared(more: str = "", body: str = READ, **changes: str) -> str:
    """A session in a conda environment."""
    return (
        f'@runner.session(backend="conda", channels=["./channel"]{more})\n'
        f"def show(session):\n    {body}\n"
    )


def test_its_python_and_packages_come_from_the_channel(folder: Folder, channel: Channel):
    channel.add("thing", "1.0")
    channel.add("thing", "2.0")
    folder.envfile(declared(f', python="{OWN}", conda_deps=["thing<2"]'))

    done = folder.passes()

    assert done.out == "thing 1.0\n"
    assert "environment: created" in done.err


def test_a_second_run_reuses_it_and_starts_nothing(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(', conda_deps=["thing"]'))
    folder.passes()

    done = folder.passes("-v")

    assert "environment: reused" in done.err
    assert "by_rattler" not in done.err


def test_the_session_knows_the_python_that_came(folder: Folder, channel: Channel):
    folder.envfile(
        declared(body="print(session.python_version, session.venv_backend, session.python)")
    )
    version = ".".join(map(str, sys.version_info[:3]))

    assert folder.passes().out == f"{version} conda None\n"
    assert folder.passes().out == f"{version} conda None\n"


def test_commands_see_a_conda_prefix_and_no_virtual_environment(folder: Folder, channel: Channel):
    show = "import os, sys; print(os.environ['CONDA_PREFIX'] == sys.prefix, 'VIRTUAL_ENV' in os.environ)"
    folder.envfile(declared(body=f'session.run("python", "-c", {show!r})'))

    assert folder.passes().out == "True False\n"


def test_python_packages_are_installed_on_top(folder: Folder, channel: Channel):
    folder.wheel("one")
    folder.wheel("two")
    show = "import one, two; print(one.version, two.version)"
    folder.envfile(
        declared(
            ', deps=["one"]',
            f'session.install("two")\n    session.run("python", "-c", {show!r})',
        )
    )

    assert folder.passes().out == "1.0 1.0\n"
    assert "environment: reused" in folder.passes().err


def test_a_package_for_every_python_is_where_that_python_looks(folder: Folder, channel: Channel):
    files: dict[str, str | Path] = {"site-packages/tool.py": "print('a tool')\n"}
    channel.add("tool", depends=("python",), noarch="python", files=files)
    folder.envfile(declared(', conda_deps=["tool"]', 'session.run("python", "-c", "import tool")'))

    assert folder.passes().out == "a tool\n"


def test_a_package_that_is_declared_no_more_is_gone(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(', conda_deps=["thing"]'))
    folder.passes()
    folder.envfile(declared(body='session.run("python", "-V")'))

    done = folder.passes()

    assert "conda_deps changed (-thing)" in done.err
    assert not (folder.root / ".runenv/show/share/thing.txt").exists()


def test_what_a_channel_on_this_disk_offers_now_rebuilds(folder: Folder, channel: Channel):
    channel.add("thing", "1.0")
    folder.envfile(declared(', conda_deps=["thing"]'))
    folder.passes()
    channel.add("thing", "2.0")

    done = folder.passes()

    assert "channel/noarch/repodata.json changed" in done.err
    assert done.out == "thing 2.0\n"


def test_conda_install_is_replayed_and_reused(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(body=f'session.conda_install("thing")\n    {READ}'))

    first = folder.passes()
    second = folder.passes("-v")

    assert (first.out, second.out) == ("thing 1.0\n", "thing 1.0\n")
    assert "install thing" in first.err
    assert "environment: reused" in second.err
    assert "install thing" not in second.err


def test_conda_install_keeps_what_was_declared(folder: Folder, channel: Channel):
    channel.add("thing", "1.0")
    channel.add("thing", "2.0")
    channel.add("other", depends=("thing",))
    folder.envfile(
        declared(', conda_deps=["thing<2"]', f'session.conda_install("other")\n    {READ}')
    )

    assert folder.passes().out == "thing 1.0\n"


def test_conda_install_asks_further_channels_first(folder: Folder, channel: Channel):
    channel.add("thing", "1.0")
    Channel(folder.root / "second").add("thing", "0.5")
    folder.envfile(declared(body=f'session.conda_install("thing", channel="./second")\n    {READ}'))

    assert folder.passes().out == "thing 0.5\n"


def test_a_conda_install_that_was_taken_out_is_gone(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(body=f'session.conda_install("thing")\n    {READ}'))
    folder.passes()
    folder.envfile(declared(body='session.run("python", "-V")'))
    folder.passes()

    assert not (folder.root / ".runenv/show/share/thing.txt").exists()


def test_a_package_that_is_nowhere_is_told_in_rattlers_words(folder: Folder, channel: Channel):
    folder.envfile(declared(', conda_deps=["nowhere"]'))

    done = folder.run()

    assert done.code == 1
    assert "conda made no environment: python" in done.err
    assert "No candidates were found for nowhere" in done.err


def test_packages_that_a_command_took_away_are_noticed(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(', conda_deps=["thing"]'))
    folder.passes()
    (folder.root / ".runenv/show/conda-meta/thing-1.0-0.json").unlink()

    assert "something other than its steps changed it (-thing-1.0-0.json)" in folder.passes().err


def test_an_environment_that_lost_its_packages_is_made_anew(folder: Folder, channel: Channel):
    folder.envfile(declared(body='session.run("python", "-c", "print(1)")'))
    folder.passes()
    (folder.root / ".runenv/show/conda-meta").rename(folder.root / "away")

    done = folder.passes()

    assert "its conda-meta is gone" in done.err
    assert done.out == "1\n"


def test_sessions_that_share_one_have_the_packages_of_both(folder: Folder, channel: Channel):
    channel.add("thing")
    channel.add("other")
    share = ', environment="dev", conda_deps=["{}"]'
    folder.envfile(
        declared(share.format("thing"))
        + declared(share.format("other"), "pass").replace("show", "more")
    )

    folder.passes("more")

    assert (folder.root / ".runenv/dev/share/thing.txt").is_file()
    assert (folder.root / ".runenv/dev/share/other.txt").is_file()


@pytest.mark.measured
def test_conda_install_in_a_shared_environment_is_an_error(folder: Folder, channel: Channel):
    channel.add("thing")
    folder.envfile(declared(', environment="dev"', 'session.conda_install("thing")'))

    done = folder.run()

    assert done.code == 1
    assert "session.conda_install was called in an environment that is shared, 'dev'" in done.err


def test_explain_names_the_packages_that_it_is_made_of(folder: Folder, channel: Channel):
    folder.envfile(declared(f', python="{OWN}", conda_deps=["thing"], deps=["one"]'))

    (job,) = json.loads(folder.passes("--explain", "--json").out)["jobs"]

    assert (job["environment"], job["backend"]) == ("created", "conda")
    assert job["installs"] == [f"python={OWN} thing", "one"]


def test_usage_names_its_packages_and_channels(folder: Folder, channel: Channel):
    folder.envfile(declared(', conda_deps=["thing"]'))

    out = folder.passes("--usage", "show").out

    assert "  conda_deps  thing\n" in out
    assert "  channels    ./channel\n" in out


def test_the_project_is_installed_into_it(folder: Folder, channel: Channel):
    library(folder)
    folder.envfile(
        declared(
            ', project="wheel"', 'session.run("python", "-c", "import mine; print(mine.value)")'
        )
    )

    assert folder.passes().out == "1\n"
    assert folder.passes().out == "1\n"
