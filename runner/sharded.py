"""Which of the selected jobs this machine runs: --shard, --plan, and the engines' variables.

How the jobs are split is said in `shards.py`.
"""

from __future__ import annotations

import json
import os

from runner.aside import write_aside
from runner.errors import UsageError, some_of
from runner.history import RECENT_BYTES, making_s, own_s, path_in, read
from runner.reports.words import duration
from runner.running import Part, Shard
from runner.selection import Selected
from runner.settings import is_dict, is_list, is_number
from runner.shards import Known, split
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from runner.model import Job, Project, Settings

# The engines' variables: this machine, how many there are, and the number of the first one.
# By the reference of each: GitLab "Predefined CI/CD variables", CircleCI "Project values and
# variables", Buildkite "Environment variables", Azure Pipelines "Use predefined variables".
ENGINES = (
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
    ("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),
)
# They leave the first away, or both, where a job is not run several times.
_ONE_BY = ("GITLAB_CI", "CIRCLECI", "BUILDKITE", "TF_BUILD")
_AUTO = "--shard auto"


def part_of(
    project: Project,
    settings: Settings,
    selected: Selected,
    posargs: Sequence[str],
    environ: Mapping[str, str],
) -> tuple[Selected, Part]:
    """The selected jobs that are run here, and the whole split.

    Raises UsageError where nobody says which machine this is, or a plan does not fit.
    """
    index, total = number_of(settings.shard, environ)
    if not index:
        raise UsageError(
            f"--shard {total} names no machine",
            mend=f"write --shard 1/{total}; `runenv --list --shard {total}` shows all of them",
        )
    if settings.plan:
        shards = read_plan(settings.plan, f"{index}/{total}", total, selected.jobs)
    else:
        shards = make_shards(project, settings, selected.jobs, total, posargs)
    part = Part(index, shards)
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
        return _of_engine(environ)
    index, _, total = asked.rpartition("/")
    return int(index or 0), int(total)


def _of_engine(environ: Mapping[str, str]) -> tuple[int, int]:
    for index, total, first in ENGINES:
        if index in environ:
            words = (environ[index], environ.get(total, ""))
            if all(word.isascii() and word.isdecimal() for word in words):
                number, count = int(words[0]) - first + 1, int(words[1])
                if 1 <= number <= count:
                    return number, count
            raise UsageError(
                f"{_AUTO}: {index} is {words[0]!r}, and {total} {words[1]!r}",
                mend=f"write --shard K/N; {index} counts from {first}",
            )
    if any(name in environ for name in _ONE_BY):
        return 1, 1
    if "GITHUB_ACTIONS" in environ:
        mend = (
            "GitHub has no variable for it; with `matrix: {shard: [1, 2, 3, 4]}` write\n"
            "  --shard ${{ matrix.shard }}/${{ strategy.job-total }}"
        )
    else:
        mend = "write --shard K/N, such as 1/4"
    raise UsageError(f"{_AUTO}: no variable says which machine this is", mend=mend)


# Making. ------------------------------------------------------------------------------------


def make_shards(
    project: Project,
    settings: Settings,
    jobs: Sequence[Job],
    total: int,
    posargs: Sequence[str] = (),
) -> tuple[Shard, ...]:
    """The jobs, split by what is remembered."""
    envdir = os.path.join(project.root, os.path.expanduser(settings.envdir))
    past = read(path_in(envdir), RECENT_BYTES)
    took = {name: own_s(entries, narrowed=bool(posargs)) for name, entries in past.items()}
    made = {name: making_s(entries) for name, entries in past.items()}
    known = Known(
        jobs={name: seconds for name, seconds in took.items() if seconds is not None},
        making={name: seconds for name, seconds in made.items() if seconds is not None},
    )
    return split(project.jobs, jobs, total, known, _environment_of(settings))


def _environment_of(settings: Settings) -> Callable[[Job], Hashable]:
    """Equal for jobs of which a machine makes one environment."""
    if settings.store == "none":
        return lambda job: job.environment
    # What is declared alike is linked from the store the second time.
    return lambda job: job.shared or (job.python, job.spec.needs)


# Plans. -------------------------------------------------------------------------------------


def as_json(shards: Sequence[Shard]) -> str:
    """The plan, by the schema in docs/reference/shards.schema.json."""
    return json.dumps({"version": 1, "shards": facts_of(shards)}, indent=1) + "\n"


def facts_of(shards: Sequence[Shard]) -> list[dict[str, object]]:
    """The shards as JSON has them."""
    return [
        {"jobs": list(s.jobs), "requires": list(s.requires), "estimate_s": s.estimate_s}
        for s in shards
    ]


def write_plan(file: str, shards: Sequence[Shard]) -> None:
    """The file says what each shard is."""
    try:
        write_aside(os.path.abspath(os.path.expanduser(file)), as_json(shards))
    except OSError as error:
        raise UsageError(
            f"the plan {file} cannot be written: {error.strerror}",
            mend="let it be written, or name another file",
        ) from None


def read_plan(file: str, asked: str, total: int, jobs: Sequence[Job]) -> tuple[Shard, ...]:
    """What the file says each shard is. Raises UsageError where that does not fit what is asked."""
    again = f"write it anew: runenv --list --shard {total} --plan {file}, with what selects here"
    try:
        with open(os.path.expanduser(file), encoding="utf-8") as stream:
            shards = shards_of(json.load(stream))
    except OSError as error:
        raise UsageError(f"the plan {file} cannot be read: {error.strerror}", mend=again) from None
    except ValueError as error:
        raise UsageError(f"{file} is no plan: {error}", mend=again) from None
    trouble = _misfit(shards, asked, total, [job.name for job in jobs])
    if trouble:
        raise UsageError(f"the plan {file} does not fit: {trouble}", mend=again)
    return shards


def _misfit(shards: Sequence[Shard], asked: str, total: int, names: Sequence[str]) -> str:
    if len(shards) != total:
        return f"it has {len(shards)} shards, and {asked} is asked for"
    planned = [name for shard in shards for name in shard.jobs]
    absent = [name for name in names if name not in set(planned)]
    if absent:
        return f"it has not {some_of(absent)}"
    others = [name for name in planned if name not in set(names)]
    if others:
        return f"it has {some_of(others)}, which is not selected here"
    return "a job is in two shards" if len(planned) > len(names) else ""


def shards_of(data: object) -> tuple[Shard, ...]:
    """The shards of a plan or of a report, as JSON has them. Raises ValueError for what is none."""
    if not is_dict(data) or not is_list(data.get("shards")):
        raise ValueError("it has no shards")
    if data.get("version", 1) != 1:
        raise ValueError("it was written by a later runenv")
    return tuple(map(_shard, cast("list[object]", data["shards"])))


def _shard(data: object) -> Shard:
    if not is_dict(data):
        raise ValueError("a shard is no object")
    estimate_s = data.get("estimate_s")
    return Shard(
        jobs=_names(data.get("jobs")),
        requires=_names(data.get("requires")),
        estimate_s=float(estimate_s) if is_number(estimate_s) else None,
    )


def _names(data: object) -> tuple[str, ...]:
    if not is_list(data):
        raise ValueError("a shard has no list of jobs")
    return tuple(map(str, data))


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
