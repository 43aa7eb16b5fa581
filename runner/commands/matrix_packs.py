"""What each entry of a matrix does: a job, or several where there are more than the engine takes.

Knows nothing of engines but how many entries one takes.
"""

from __future__ import annotations

import os

from runner.errors import UsageError
from runner.selection import Selected
from runner.sharded import environment_of, known_of, make_shards, number_of, part_of
from runner.shards import estimates_s
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import Job, Project, Request, Settings
    from runner.shards import Known

    Pack = tuple[Job, ...]


def make_packs(
    request: Request, project: Project, settings: Settings, jobs: Sequence[Job], limit: int
) -> list[tuple[Pack, float | None]]:
    """The jobs in at most `limit` packs (0: any number), or in as many as --shard asks for.

    Each with the seconds that it takes, by what is remembered; None where that is nothing.
    """
    known = known_of(request, project, settings)
    packs = _packs(request, project, settings, jobs, limit, known)
    took_s = estimates_s(project.jobs, packs, known, environment_of(settings))
    return list(zip(packs, took_s, strict=True))


def _packs(
    request: Request,
    project: Project,
    settings: Settings,
    jobs: Sequence[Job],
    limit: int,
    known: Known,
) -> list[Pack]:
    if settings.shard:
        number, total = number_of(settings.shard, os.environ)
        if not number and total > (limit or total):
            raise UsageError(
                f"--matrix {request.argument} has no room for {total} shards",
                mend=f"{limit} are the most: --shard {limit}",
            )
        if not number:
            return _by_time(project, settings, jobs, total, known)
        selected = Selected(tuple(jobs), frozenset())
        jobs = part_of(request, project, settings, selected, os.environ)[0].jobs
    if len(jobs) <= (limit or len(jobs)):
        return [(job,) for job in jobs]
    if any(job.name in known.jobs for job in jobs):
        return _by_time(project, settings, jobs, limit, known)
    return _neighbours(jobs, limit)


def _by_time(
    project: Project, settings: Settings, jobs: Sequence[Job], count: int, known: Known
) -> list[Pack]:
    by_name = {job.name: job for job in jobs}
    shards = make_shards(project, settings, jobs, count, known)
    return [tuple(by_name[name] for name in shard.jobs) for shard in shards if shard.jobs]


def _neighbours(jobs: Sequence[Job], limit: int) -> list[Pack]:
    """The jobs in so many packs, in their order, none more than one job larger."""
    packs: list[Pack] = []
    at = 0
    for number in range(limit):
        size = len(jobs) // limit + (number < len(jobs) % limit)
        packs.append(tuple(jobs[at : at + size]))
        at += size
    return packs
