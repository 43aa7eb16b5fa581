"""A run on a Dask cluster: what travels there, and what comes back.

Loaded for `--on` alone: Dask takes a second to import.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from functools import partial
from typing import TYPE_CHECKING

from runner.envs import folder
from runner.errors import UsageError
from runner.executors.delivered import checked_path
from runner.requirements.local import listed
from runner.run_folders import ARTIFACTS, make_run_folder
from runner.world import envdir_of

try:
    from runner.executors.dask import Content, Dask, connect, is_loopback
    from runner.executors.dask_far import versions
except ModuleNotFoundError:
    raise UsageError(
        "--on needs Dask, which is not installed beside runenv", mend="install runenv-cli[dask]"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.executors import Executor
    from runner.executors.delivered import Entry
    from runner.executors.frames import Head
    from runner.executors.processes import Output
    from runner.model import Project, Settings
    from runner.running import Event
    from runner.worker import Run

_MOST_BYTES = 8 << 20  # sent at once
# Of here: where things are, what is selected, who is told.
_OF_HERE = (
    *("directory", "file", "envdir", "store", "sessions", "python", "tag", "keyword", "failed"),
    *("jobs", "on", "report", "output", "color", "quiet", "on_fail", "fail_fast", "json"),
)


def check_place(where: str) -> None:
    """Raise UsageError where whoever listens on the way could run what he likes."""
    if where.startswith("tcp://") and not is_loopback(where):
        raise UsageError(
            f"--on {where}: without TLS whoever reaches that port can run what he likes there",
            mend="start scheduler and workers with TLS, and write tls://",
        )


def on_dask(
    project: Project,
    settings: Settings,
    run: Run,
    output: Output,
    hear: Callable[[Event], None],
    *,
    is_one: bool,
) -> Executor:
    """What runs jobs on the cluster that the settings name."""
    check_place(settings.on)
    given = {
        name: getattr(settings, name)
        for name, origin in settings.origins.items()
        if name not in _OF_HERE and (origin == "command line" or origin.startswith("RUNENV_"))
    }
    keeper = {
        "is_one": is_one,
        "color": run.color,
        "columns": run.columns,
        "run_id": run.run_id,
        "grace_s": run.grace_s,
    }
    orders = {
        "run": run.run_id,
        "topic": f"runenv-{run.run_id}-{time.time_ns():x}",
        "versions": versions(),
        "given": given,
        "envfile": os.path.relpath(project.envfile, project.root),
        "keeper": keeper,
    }
    home = os.path.join(envdir_of(project, settings), ARTIFACTS)
    unsaid = settings.origins.get("jobs") == "default" or settings.jobs == "auto"
    room = None if unsaid else int(settings.jobs)
    return Dask(
        connect(settings.on),
        room,
        orders,
        content_of(project.root),
        output,
        hear,
        partial(_keep, home, run.run_id),
        run.grace_s,
    )


def content_of(root: str) -> Content:
    """The files of a project: what git would keep, else all but the usual leftovers."""
    entries: list[Entry] = []
    paths: dict[str, str] = {}
    for name in sorted(listed(root)):
        path = os.path.join(root, name)
        try:
            state = os.lstat(path)
        except FileNotFoundError:
            continue  # deleted, and still in the index
        if stat.S_ISLNK(state.st_mode):
            entries.append((name, "l", os.readlink(path)))
        elif stat.S_ISREG(state.st_mode):
            with open(path, "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            paths[digest] = path
            entries.append((name, "x" if state.st_mode & 0o111 else "f", digest))

    def read(digests: Sequence[str]) -> list[bytes]:
        found: list[bytes] = []
        size_bytes = 0
        for digest in digests:
            with open(paths[digest], "rb") as stream:
                found.append(stream.read())
            if hashlib.sha256(found[-1]).hexdigest() != digest:
                where = os.path.relpath(paths[digest], root)
                raise UsageError(f"{where} has changed while the run began", mend="run it again")
            size_bytes += len(found[-1])
            if size_bytes >= _MOST_BYTES:
                break
        return found

    return Content(tuple(entries), read)


def _keep(home: str, run: str, job: str, head: Head, data: bytes) -> None:
    """Write a piece of what a job has made to where it would be, had it run here."""
    root = os.path.join(make_run_folder(home, run), folder.folder_name(job))
    path = checked_path(root, head[2])
    if head[0] == "folder":
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if head[0] == "link":
        if not os.path.lexists(path):
            os.symlink(head[3], path)
        return
    with open(path, "wb" if head[4] else "ab") as stream:
        stream.write(data)
    os.chmod(path, head[3] | stat.S_IWUSR)
