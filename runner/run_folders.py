"""What runs leave for people to look at: a folder for each run, the newest linked, the oldest gone.

Knows nothing of what is put there. `artifacts` and `logs` (of jobs under `-j`, and of
what runs beside a job) stand in the environment folder, with a folder in each for a
run that has something to put there.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress

from runner.trees import remove_tree

ARTIFACTS, LOGS = "artifacts", "logs"
LATEST = "latest"
KEPT_RUNS = 10

_ID = r"\d{8}T\d{6}\.\d{3}Z-\d+"


def make_run_id(now_s: float) -> str:
    """`20260131T120000.250Z-4711`: the time in UTC, by which runs are sorted, and our process."""
    whole = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now_s))
    return f"{whole}.{int(now_s % 1 * 1000):03}Z-{os.getpid()}"


def make_run_folder(home: str, run: str) -> str:
    """The folder of a run is there, and `latest` leads to it."""
    path = os.path.join(home, run)
    if not os.path.isdir(path):
        os.makedirs(path, exist_ok=True)
        _link_latest(home, run)
    return path


def keep_newest(home: str) -> None:
    """The folders of older runs than the newest are gone."""
    for old in runs_in(home)[:-KEPT_RUNS]:
        remove_run(home, old)


def _link_latest(home: str, run: str) -> None:
    link, aside = os.path.join(home, LATEST), os.path.join(home, f".{LATEST}-{run}")
    with suppress(OSError):  # Windows may forbid links; the names of the folders tell the same
        os.symlink(run, aside, target_is_directory=True)
        os.replace(aside, link)


def runs_in(home: str) -> list[str]:
    """The runs that have a folder there, the oldest first."""
    if os.path.islink(home) or not os.path.isdir(home):
        return []  # what a link leads to is not ours to delete in
    names = sorted(name for name in os.listdir(home) if re.fullmatch(_ID, name))
    return [name for name in names if not os.path.islink(os.path.join(home, name))]


def remove_run(home: str, run: str) -> None:
    """What a run has left there is gone."""
    remove_tree(os.path.join(home, run))  # what cannot go now goes next time
