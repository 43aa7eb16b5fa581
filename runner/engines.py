"""What the variables of a CI engine say: which of several machines this is, and of which run.

Knows nothing of jobs. By the reference of each: GitHub "Variables" and "strategy context",
GitLab "Predefined CI/CD variables", CircleCI "Project values and variables", Buildkite
"Environment variables", Azure Pipelines "Use predefined variables".
"""

from __future__ import annotations

from runner.amounts import whole_number
from runner.errors import UsageError
from runner.running import Origin
from runner.settings import MOST_SHARDS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# This machine, how many there are, and the number of the first one.
_MACHINES = (
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),  # GitLab
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
    ("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),  # Azure
    # GitHub sets none: a workflow hands on strategy.job-index and strategy.job-total.
    ("STRATEGY_JOB_INDEX", "STRATEGY_JOB_TOTAL", 0),
)
# They leave the first away, or both, where a job is not run several times.
_ONE_BY = ("GITLAB_CI", "CIRCLECI", "BUILDKITE", "TF_BUILD")

# The commit and the run. A machine that is tried again in the same run has the same.
_RUNS = (
    ("GITHUB_SHA", "GITHUB_RUN_ID"),
    ("CI_COMMIT_SHA", "CI_PIPELINE_ID"),
    ("CIRCLE_SHA1", "CIRCLE_WORKFLOW_ID"),
    ("BUILDKITE_COMMIT", "BUILDKITE_BUILD_ID"),
    ("BUILD_SOURCEVERSION", "BUILD_BUILDID"),
)
_AUTO = "--shard auto"


def machine_of(environ: Mapping[str, str]) -> tuple[int, int]:
    """Which machine this is, from 1 on, and how many there are.

    Raises UsageError where nobody says so.
    """
    for index, total, first in _MACHINES:
        if index in environ:
            number = whole_number(environ[index])
            count = whole_number(environ.get(total, "")) or 0
            if number is not None and first <= number < first + count <= first + MOST_SHARDS:
                return number - first + 1, count
            raise UsageError(
                f"{_AUTO}: {index} is {environ[index]!r}, and {total} {environ.get(total, '')!r}",
                mend=f"write --shard K/N; {index} counts from {first}",
            )
    if any(name in environ for name in _ONE_BY):
        return 1, 1
    if "GITHUB_ACTIONS" in environ:
        mend = (
            "GitHub sets none; write in the step\n"
            "  env: {STRATEGY_JOB_INDEX: '${{ strategy.job-index }}', "
            "STRATEGY_JOB_TOTAL: '${{ strategy.job-total }}'}"
        )
    else:
        mend = "write --shard K/N, such as 1/4"
    raise UsageError(f"{_AUTO}: no variable says which machine this is", mend=mend)


def origin_of(environ: Mapping[str, str]) -> Origin:
    """Which commit this is a run of, and which run of the engine; empty where nobody says."""
    for commit, run in _RUNS:
        if environ.get(commit) and environ.get(run):
            return Origin(environ[commit], f"{run}={environ[run]}")
    return Origin()
