"""A run on a Dask cluster: what its workers are told, and where what comes back belongs.

Loaded for `--on` alone: Dask takes a second to import.
"""

from __future__ import annotations

import os
import stat
import zlib
from functools import partial

from runner.content import content_of, split_named
from runner.dotenv import files_for
from runner.envs import folder
from runner.errors import UsageError
from runner.executors.delivered import Delivered, checked_path, home_in
from runner.run_folders import ARTIFACTS, make_run_folder
from runner.typed import TYPE_CHECKING
from runner.world import envdir_of

try:
    from runner.executors.dask import Dask
    from runner.executors.dask_cluster import connect
    from runner.executors.dask_worker import versions
except ModuleNotFoundError:
    raise UsageError(
        "--on needs Dask, which is not installed beside runenv", mend="install runenv-cli[dask]"
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.executors.frames import Head
    from runner.executors.processes import Output
    from runner.model import Project, Settings
    from runner.running import Event
    from runner.worker import Run

# A scheduler never forgets a topic: so there are so many, which runs share.
_TOPICS = 64
# Of here: where things are, what is selected, who is told.
_OF_HERE = (
    *("directory", "file", "envdir", "store", "sessions", "python", "tag", "keyword", "failed"),
    *(
        "jobs",
        "on",
        "report",
        "output",
        "color",
        "quiet",
        "on_fail",
        "fail_fast",
        "json",
        "shard",
        "plan",
    ),
)


def on_dask(
    project: Project,
    settings: Settings,
    run: Run,
    output: Output,
    hear: Callable[[Event], None],
    say: Callable[[str], None],
    own: tuple[str | None, ...] = (),
) -> Dask:
    """What runs jobs on the cluster that the settings name. say: tells a person a line."""
    envdir = envdir_of(project, settings)
    content = content_of(project.root, Delivered(home_in(os.environ, envdir)))
    named = [
        name for job in project.jobs for name, _ in files_for(job.spec, project, settings.env_file)
    ]
    sent, left = split_named(named, project.root, content)
    if sent:
        say(f"sent to workers with the project, since git does not ignore it: {', '.join(sent)}")
    orders = orders_of(project, settings, run, is_one=output.is_one, own=own, left=left)
    home = os.path.join(envdir, ARTIFACTS)
    unsaid = settings.origins.get("jobs") == "default" or settings.jobs == "auto"
    room = None if unsaid else int(settings.jobs)
    keep = partial(keep_made, home, run.run_id)
    cluster = connect(settings.on)
    if not cluster.workers():
        say(f"no worker is at {settings.on} yet; one that comes is given jobs")
    return Dask(cluster, room, orders, content, output, hear, keep, run.grace_s)


def orders_of(
    project: Project,
    settings: Settings,
    run: Run,
    *,
    is_one: bool,
    own: tuple[str | None, ...] = (),
    left: tuple[str, ...] = (),
) -> dict[str, object]:
    """What a worker must know of a run, fit for JSON.

    is_one: whether a job's stdout and stderr are to stay in one order. left: files of
    variables that are here and do not travel.
    """
    given = {
        name: getattr(settings, name)
        for name, origin in settings.origins.items()
        if name not in _OF_HERE and (origin == "command line" or origin.startswith("RUNENV_"))
    }
    return {
        "run": run.run_id,
        "topic": f"runenv-{zlib.crc32(run.run_id.encode()) % _TOPICS}",
        "versions": versions(),
        "given": given,
        "envfile": os.path.relpath(project.envfile, project.root),
        "deputy": {
            "is_one": is_one,
            "own": own,
            "color": run.color,
            "columns": run.columns,
            "run_id": run.run_id,
            "grace_s": run.grace_s,
            "answers": dict(run.answers),
            "left": left,
            "here": folder_of_typing(project.root),
        },
    }


def folder_of_typing(root: str) -> str:
    """The working folder, from the root of the project where it lies in it."""
    here, home = os.path.realpath(os.getcwd()), os.path.realpath(root)
    return os.path.relpath(here, home) if f"{here}{os.sep}".startswith(f"{home}{os.sep}") else here


def keep_made(home: str, run: str, job: str, head: Head, data: bytes) -> None:
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
