"""Which of the selected jobs this machine runs: `--shard` and `--plan`.

Knows nothing of how jobs are split (`shards.py`), of engines (`engines.py`), of what
stands in a plan (`shard_plans.py`).
"""

from __future__ import annotations

from runner.amounts import whole_number
from runner.engines import machine_of
from runner.errors import UsageError
from runner.history import making_s, own_s, path_in, read
from runner.reports.words import duration
from runner.running import Part, Shard
from runner.selection import Selected
from runner.shard_plans import read_plan
from runner.shards import Known, split, with_required
from runner.typed import TYPE_CHECKING
from runner.world import envdir_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from runner.model import Job, Project, Request, Settings


def part_of(
    request: Request,
    project: Project,
    settings: Settings,
    selected: Selected,
    environ: Mapping[str, str],
) -> tuple[Selected, Part]:
    """The selected jobs that are run here, and the whole split.

    Raises UsageError where nobody says which machine this is, or a plan does not fit.
    """
    number, total = number_of(settings.shard, environ)
    if not number:
        raise UsageError(
            f"--shard {total} names no machine",
            mend=f"write --shard 1/{total}; `runenv --list --shard {total}` shows all of them",
        )
    if settings.plan:
        by_name = {job.name: job for job in project.jobs}
        required = {job.name: with_required(job, by_name) for job in selected.jobs}
        shards = read_plan(settings.plan, total, required)
    else:
        known = known_of(request, project, settings)
        shards = make_shards(project, settings, selected.jobs, total, known)
    part = Part(number, shards)
    mine = frozenset(part.shard.jobs)
    jobs = tuple(job for job in selected.jobs if job.name in mine)
    return Selected(jobs=jobs, named=selected.named & mine), part


def number_of(asked: str, environ: Mapping[str, str]) -> tuple[int, int]:
    """Which machine this is, from 1 on, and how many there are; 0 of so many: none is meant.

    asked: `1/4`, `4` or `auto`; empty where nothing but a plan is named.
    """
    if not asked:
        raise UsageError("--plan goes with --shard", mend="runenv --shard 1/4 --plan FILE")
    if asked == "auto":
        return machine_of(environ)
    number, _, total = asked.rpartition("/")
    return whole_number(number) or 0, whole_number(total) or 0


def make_shards(
    project: Project, settings: Settings, jobs: Sequence[Job], total: int, known: Known
) -> tuple[Shard, ...]:
    """The jobs, split by what is known of the time that they take."""
    return split(project.jobs, jobs, total, known, environment_of(settings))


def known_of(request: Request, project: Project, settings: Settings) -> Known:
    """What is remembered of the time that jobs and environments take."""
    past = read(path_in(envdir_of(project, settings)))
    took = {name: own_s(entries, narrowed=request.narrows) for name, entries in past.items()}
    made = {name: making_s(entries) for name, entries in past.items()}
    return Known(
        jobs={name: seconds for name, seconds in took.items() if seconds is not None},
        making={name: seconds for name, seconds in made.items() if seconds is not None},
    )


def environment_of(settings: Settings) -> Callable[[Job], Hashable]:
    """Equal for jobs of which a machine makes one environment."""
    if settings.store == "none":
        return lambda job: job.environment
    # What is declared alike is linked from the store the second time. So is what is shared:
    # all that share it have its needs.
    return lambda job: (job.python, job.spec.needs)


def told(part: Part) -> str:
    """What is run here, on a line."""
    number, count = len(part.shard.jobs), sum(len(shard.jobs) for shard in part.shards)
    if not number:
        return f"shard {part.title} has no jobs: there are {count} for {len(part.shards)} machines"
    return f"shard {part.title}: {number} of {count} jobs{in_words(part.shard)}"


def in_words(shard: Shard) -> str:
    """`, about 2 min 05 s`; empty where nothing is known."""
    if shard.estimate_s is None:
        return ""
    return f", about {duration(shard.estimate_s)}"
