"""A noxfile and arguments, to nox itself and to us.

nox is found beside the tests, or in the environment whose Python RUNENV_TESTS_NOX names.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Folder

PYTHON = os.environ.get("RUNENV_TESTS_NOX") or (sys.executable if find_spec("nox") else "")
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

needs_nox = pytest.mark.skipif(
    not PYTHON, reason="nox is not installed, and RUNENV_TESTS_NOX names no Python that has it"
)

# What the page of differences tells of. nox's 3 is our 2: nothing was run.
_CODES = {3: 2}
_STATUS = {"success": "passed", "failed": "failed", "aborted": "failed", "skipped": "skipped"}


class Case(NamedTuple):
    """A noxfile, and what it is asked for; ours where the words are others."""

    noxfile: str
    arguments: str
    ours: str | None = None
    variables: Mapping[str, str] = {}  # for both


def ends_alike(
    folder: Folder,
    case: Case,
    *,
    inside: str = "",
    but_for: tuple[int, int] | None = None,
) -> None:
    """Run both, and compare what is printed, the exit codes, and how which sessions ended.

    inside: the folder with the noxfile, which is written where it is the root. but_for: exit codes
    of nox and of ours that differ; then nothing but these and what is printed is compared.
    """
    if not inside:
        folder.write("noxfile.py", case.noxfile)
    at = folder.root / inside
    options, posargs = _split(shlex.split(case.arguments))
    theirs = run_nox(
        folder, ["--report", "theirs.json", *options, *posargs], cwd=at, env=case.variables
    )
    options, posargs = _split(shlex.split(case.arguments if case.ours is None else case.ours))
    ours = folder.run("--report", "ours.json", *options, *posargs, env=dict(case.variables), cwd=at)

    assert ours.out == theirs.stdout, theirs.stderr
    if but_for is not None:
        assert (theirs.returncode, ours.code) == but_for
        return
    assert ours.code == _CODES.get(theirs.returncode, theirs.returncode), ours.err
    ran, not_run = _ours_of(at / "ours.json")
    ended = _theirs_of(at / "theirs.json")
    assert ran == [one for one in ended if one not in not_run]
    assert set(not_run) <= set(ended)


def lists_alike(folder: Folder, case: Case) -> None:
    """Have both list, and compare all that nox tells of sessions."""
    folder.write("noxfile.py", case.noxfile)
    words = shlex.split(case.arguments)
    theirs = json.loads(run_nox(folder, ["--list", "--json", *words], env=case.variables).stdout)
    words = words if case.ours is None else shlex.split(case.ours)
    jobs = json.loads(folder.passes("--list", "--json", *words, env=dict(case.variables)).out)[
        "jobs"
    ]

    assert [
        (j["name"], j["session"], j["description"], j["python"], j["tags"], set(j["parameters"]))
        for j in jobs
        if words or j["default"]
    ] == [
        (
            s["session"],
            s["name"],
            s["description"],
            s["python"] or None,
            s["tags"],
            set(s["call_spec"]),
        )
        for s in theirs
    ]


def run_nox(
    folder: Folder,
    words: Sequence[str],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """A run of nox itself."""
    return subprocess.run(
        [PYTHON, "-m", "nox", *words],
        cwd=cwd or folder.root,
        env={**folder.environ, "NOX_DOWNLOAD_PYTHON": "never", **(env or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at:]


def _theirs_of(report: Path) -> list[tuple[str, str]]:
    if not report.exists():
        return []
    sessions = json.loads(report.read_text(encoding="utf-8"))["sessions"]
    return [((s["signatures"] or [s["name"]])[0], _STATUS[s["result"]]) for s in sessions]


def _ours_of(
    report: Path,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """How those ended that ran, in order; and those before which something did not pass."""
    if not report.exists():
        return [], []
    ran, not_run = [], []
    for job in json.loads(report.read_text(encoding="utf-8"))["jobs"]:
        if "not started" in job["reason"]:  # nox does not tell of them
            continue
        if "did not pass" in job["reason"]:  # nox calls it aborted, in its turn
            not_run.append((job["name"], "failed"))
        else:
            ran.append((job["name"], job["result"]))
    return ran, not_run
