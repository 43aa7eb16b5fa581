"""`runenv --list --shard`: what each machine would run, or this one; --plan FILE keeps it."""

from __future__ import annotations

import os

from runner.amounts import counted
from runner.shard_plans import as_json, write_plan
from runner.sharded import in_words, known_of, make_shards, number_of, part_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.model import Project, Request, Settings
    from runner.running import Shard
    from runner.selection import Selected


def main(request: Request, project: Project, settings: Settings, selected: Selected) -> int:
    """Print the shards, all or the one that is asked for, and as JSON all.

    Where all are meant a plan is written.
    """
    index, total = number_of(settings.shard, os.environ)
    if index:
        _, part = part_of(request, project, settings, selected, os.environ)
        shards, shown = part.shards, {index}
    else:
        known = known_of(request, project, settings)
        shards = make_shards(project, settings, selected.jobs, total, known)
        shown = set(range(1, total + 1))
        if settings.plan:
            write_plan(settings.plan, shards)
    if settings.json:
        print(as_json(shards), end="")
    else:
        print(
            "\n\n".join(
                "\n".join(_lines(n, s, total)) for n, s in enumerate(shards, 1) if n in shown
            )
        )
    return 0


def _lines(number: int, shard: Shard, total: int) -> Iterable[str]:
    yield f"shard {number}/{total}: {counted(len(shard.jobs), 'job')}{in_words(shard)}"
    yield from (f"    {name}" for name in shard.jobs)
    yield from (f"    {name} (required)" for name in shard.requires)
