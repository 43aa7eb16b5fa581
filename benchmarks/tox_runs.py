"""The same environment run by tox and, converted, by runenv: python benchmarks/tox_runs.py

Of each project in benchmarks/corpus/tox_runs.txt (NAME==VERSION FILE ENVIRONMENT a line) the
source distribution is fetched by pip and unpacked twice. In one copy tox runs the environment,
in the other the file is converted and runenv runs the job of that name; who is first changes
from project to project. Printed are the exit codes, what pytest counted, and the seconds of
wall time of a first run, with the installer's cache as it is. Ends with 1 where an exit code
or a count differs.

The list was chosen by tox alone: the first that are pure Python, have their tests with them, and
pass under tox in less than 40 s. One was exchanged, a test of which measures times and is
an expected failure by chance. Executes what the projects have in their tests.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from real_files import KEPT

LIST = Path(__file__).parent / "corpus" / "tox_runs.txt"
_COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


class Project(NamedTuple):
    """A line of the list."""

    name: str
    version: str
    file: str
    environment: str


class Run(NamedTuple):
    """How one of the two ran."""

    code: int
    counts: str
    wall_s: float
    told: str


def main() -> int:
    """Print the table; 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="names of projects")
    parser.add_argument("--show", action="store_true", help="what was told where they differ")
    given = parser.parse_args()
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line]
    projects = [Project(*words[0].split("=="), *words[1:]) for words in lines]
    wanted = [one for one in projects if not given.only or one.name in given.only]
    print(
        f"{'project':<24}{'environment':<14}{'exit':<8}{'tox':>7}{'runenv':>8}  counted by pytest"
    )
    differing = 0
    for number, one in enumerate(wanted):
        with tempfile.TemporaryDirectory() as folder:
            tox, ours = _both(one, Path(folder), tox_first=number % 2 == 0)
        same = (tox.code, tox.counts) == (ours.code, ours.counts)
        differing += not same
        counts = tox.counts if tox.counts == ours.counts else f"{tox.counts} | {ours.counts}"
        codes = str(tox.code) if tox.code == ours.code else f"{tox.code}, {ours.code}"
        print(
            f"{one.name + ' ' + one.version:<24}{one.environment:<14}{codes:<8}"
            f"{tox.wall_s:>6.1f}s{ours.wall_s:>7.1f}s  {counts}{'' if same else '   DIFFER'}",
            flush=True,
        )
        if given.show and not same:
            print(f"--- tox\n{tox.told[-3000:]}\n--- runenv\n{ours.told[-3000:]}")
    print(f"{len(wanted) - differing} of {len(wanted)} agree")
    return 1 if differing else 0


def _both(one: Project, folder: Path, *, tox_first: bool) -> tuple[Run, Run]:
    archive = _archive(one)
    for name in ("tox", "runenv"):
        shutil.unpack_archive(archive, folder / name)
    by_tox, by_us = (next((folder / name).iterdir()) for name in ("tox", "runenv"))
    runenv = [sys.executable, "-m", "runner"]
    converted = [*runenv, "--convert", one.file, "--force"]
    subprocess.run(converted, cwd=by_us, env=_environ(folder), check=True, capture_output=True)
    tox = ["tox", "run", "-c", one.file, "-e", one.environment, "--no-provision"]
    found: dict[str, Run] = {}
    for name in ("tox", "runenv") if tox_first else ("runenv", "tox"):
        argv, cwd = (tox, by_tox) if name == "tox" else ([*runenv, one.environment], by_us)
        found[name] = _run(argv, cwd, folder)
    return found["tox"], found["runenv"]


def _environ(folder: Path) -> dict[str, str]:
    left_out = ("TOX", "RUNENV_", "VIRTUAL_ENV", "PYTEST_", "FORCE_COLOR")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    return kept | {"RUNENV_STORE": str(folder / "store"), "NO_COLOR": "1"}


def _run(argv: list[str], cwd: Path, folder: Path) -> Run:
    began_s = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=_environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return Run(done.returncode, _counts(done.stdout), time.monotonic() - began_s, done.stdout)


def _counts(told: str) -> str:
    """`5 passed, 1 skipped` of the last closing line of pytest."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", told)
    closing = [line for line in plain.splitlines() if re.search(r"\d \w+.* in [\d.:]+s?\b", line)]
    pairs = re.findall(r"(\d+) (\w+?)s?\b", closing[-1]) if closing else []
    return ", ".join(f"{number} {word}" for number, word in pairs if word in _COUNTED)


def _archive(one: Project) -> Path:
    """The source distribution, fetched once."""
    folder = KEPT / f"{one.name}-{one.version}.sdist"
    if not folder.is_dir() or not list(folder.iterdir()):
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        wanted = ["--no-binary", ":all:", "--dest", str(folder), f"{one.name}=={one.version}"]
        subprocess.run([*fetch, *wanted], check=True)
    return next(folder.iterdir())


if __name__ == "__main__":
    sys.exit(main())
