"""`runenv --clean [NAME …]`: deletes environments, all or those of the named jobs.

With --stale those alone that no job has any more, or that were not used for days,
and the wheels that were not; artifacts and logs of runs that are as old. With --store
it is about the store.
"""

from __future__ import annotations

import os
import sys
import time

from runner import errors
from runner.amounts import DAY_S, counted, size_in_words
from runner.commands import failed_before, of_store
from runner.envs import folder
from runner.envs.editor_link import NAME as LINK
from runner.envs.editor_link import remove_dangling
from runner.envs.upkeep import Upkeep, last_used_s
from runner.opening import open_project
from runner.selection import select
from runner.settings import envdir_in
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Job, Project, Request


def main(request: Request) -> int:
    """Delete environments; without names all that runenv made in the environment folder."""
    if request.of_store:
        return of_store.clean(request)
    project, settings = open_project(request, os.environ)
    envdir = envdir_in(project.root, settings)
    there = (*folder.environments_in(envdir), *folder.build_environments_in(envdir))
    wanted = dict.fromkeys(there, "")  # with why
    failed = failed_before(project, settings)
    narrowed = bool(settings.sessions or settings.tag or settings.keyword or settings.python)
    narrowed = narrowed or failed is not None
    if narrowed:
        selected = select(project.jobs, settings, failed).jobs
        names = {folder.folder_name(job.environment) for job in selected}
        wanted = {name: why for name, why in wanted.items() if name in names}
    days = int(settings.stale) if settings.stale else 0
    now_s = time.time()
    if settings.stale:
        wanted = _stale(wanted, envdir, project, now_s, days)
    done = False

    def tell(what: str, size_bytes: int) -> None:
        nonlocal done
        done = True
        print(f"deleted {what}: {size_in_words(size_bytes)}", flush=True)

    upkeep = Upkeep(envdir, tell)
    if os.path.isdir(envdir):
        folder.make_envdir(envdir, project.root)
        sharing = _sharing(project.jobs)
        if not narrowed:
            upkeep.leftovers()  # first: whatever is removed empties the trash too
        for name, why in wanted.items():
            upkeep.environment(name, name + sharing.get(name, "") + why)
        if settings.stale and not narrowed:
            upkeep.wheels(now_s - days * DAY_S)
            upkeep.runs(now_s - days * DAY_S)
    unlinked = _unlink(project, envdir)
    for kept in upkeep.kept:
        print(f"kept {kept.name}: {kept.why}", file=sys.stderr)
    if done:
        print(upkeep.freed.in_words())
    elif not upkeep.kept and not unlinked:
        print(f"nothing to delete in {envdir}")
    return errors.FAILED if upkeep.kept else errors.PASSED


def _unlink(project: Project, envdir: str) -> bool:
    """Whether a link for editors was deleted that led to an environment which is gone."""
    unlinked = False
    for root in dict.fromkeys((project.root, *(part.root for part in project.parts))):
        led_to = remove_dangling(os.path.join(root, LINK), envdir)
        if led_to:
            shown = os.path.relpath(os.path.join(root, LINK), project.root)
            print(f"deleted {shown}, which led to {led_to}")
            unlinked = True
    return unlinked


def _stale(
    there: dict[str, str], envdir: str, project: Project, now_s: float, days: int
) -> dict[str, str]:
    """The environments that no job has, and those that no job has used for so many days."""
    known = {folder.folder_name(job.environment) for job in project.jobs}
    known |= {folder.folder_of_envfile(p) for p in ("", *(part.prefix for part in project.parts))}
    found: dict[str, str] = {}
    for name in there:
        unused_days = int((now_s - last_used_s(envdir, name)) // DAY_S)
        if name not in known and not name.startswith(folder.BUILDS):
            found[name] = ", which no job has"
        elif unused_days >= days:
            found[name] = f", not used for {counted(unused_days, 'day')}"
    return found


def _sharing(jobs: tuple[Job, ...]) -> dict[str, str]:
    """Of the environments that are shared ` (of lint, tests)`, by folder."""
    sessions: dict[str, dict[str, None]] = {}
    for job in jobs:
        if job.shared:
            sessions.setdefault(folder.folder_name(job.shared), {})[job.spec.name] = None
    return {name: f" (of {', '.join(users)})" for name, users in sessions.items()}
