"""`runenv --clean [NAME …]`: deletes environments, all or those of the named jobs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.envs import folder
from runner.envs.lock import Lock
from runner.load import open_project
from runner.selection import select

if TYPE_CHECKING:
    from runner.model import Request


def main(request: Request) -> int:
    """Delete environments; without names all that runenv made in the environment folder."""
    project, settings = open_project(request, os.environ)
    envdir = os.path.join(project.root, os.path.expanduser(settings.envdir))
    there = folder.environments_in(envdir)
    narrowed = bool(settings.sessions or settings.tag or settings.keyword or settings.python)
    if narrowed:
        selected = select(project.jobs, settings).jobs
        wanted = {folder.folder_name(job.environment) for job in selected}
        there = [name for name in there if name in wanted]
    if not there:
        print(f"nothing to delete in {envdir}")
        return 0
    folder.make_envdir(envdir, project.root)
    sharing: dict[str, dict[str, None]] = {}  # names of sessions, by folder
    for job in project.jobs:
        if job.shared:
            sessions = sharing.setdefault(folder.folder_name(job.shared), {})
            sessions[job.spec.name] = None
    for name in there:
        lock = os.path.join(envdir, ".locks", name)
        with Lock(
            lock, lambda holder: print(f"waiting for {holder}, which uses it", file=sys.stderr)
        ):
            folder.remove(os.path.join(envdir, name))
        shared_by = ", ".join(sharing.get(name, ()))
        print(f"deleted {name}" + (f" (of {shared_by})" if shared_by else ""))
    return 0
