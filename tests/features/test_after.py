"""`after=`: a session follows others where these run as well, however they end."""

from __future__ import annotations

import json

import pytest

from tests.conftest import POSIX, Folder

ENVFILE = """\
@runner.session(python=False, after=["tests-*"])
def report(session): session.run("python", "-c", "print('report')", external=True)

@runner.session(python=False)
@runner.parametrize("kind", ["a", "b"])
def tests(session, kind):
    session.run("python", "-c", f"raise SystemExit({int(kind == 'b')})", external=True)
    print(kind)
"""


@pytest.mark.parametrize("worker", ["", pytest.param("fork", marks=POSIX), "spawn"])
def test_it_waits_and_runs_though_one_has_failed(folder: Folder, worker: str):
    folder.envfile(ENVFILE)
    env = {"RUNENV_JOBS": "4", "RUNENV_WORKER": worker} if worker else {}

    done = folder.run("report", "tests", env=env)

    assert done.code == 1
    lines = [line for line in done.out.splitlines() if line in ("a", "report")]
    assert lines == ["a", "report"]


def test_what_it_follows_is_not_added_to_a_run(folder: Folder):
    folder.envfile(ENVFILE)

    assert folder.passes("report").out == "report\n"


def test_the_listing_and_the_explanation_tell_it(folder: Folder):
    folder.envfile(ENVFILE)

    listed = json.loads(folder.passes("--list", "--json").out)["jobs"]
    assert listed[0]["after"] == ["tests-a", "tests-b"]
    assert listed[0]["requires"] == []
    explained = folder.passes("--explain", "report", "tests-a").out
    assert "  after        tests-a\n" in explained + "\n"
    assert "after" not in folder.passes("--explain", "report").out
    assert "after" in folder.passes("--usage", "report").out


def test_depends_of_tox_orders_what_runs(folder: Folder):
    folder.write(
        "tox.ini",
        "[tox]\nenv_list = report, t-{a,b}\nno_package = true\n[testenv]\n"
        "commands = python -c \"print('{envname}')\"\n[testenv:report]\ndepends = t-*\n",
    )
    folder.passes("--convert")

    assert folder.passes().out == "t-a\nt-b\nreport\n"
    assert folder.passes("report").out == "report\n"
