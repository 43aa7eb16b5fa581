"""What the variables of CI engines say."""

from __future__ import annotations

import pytest

from runner.engines import machine_of, origin_of
from runner.errors import UsageError
from runner.running import Origin


@pytest.mark.parametrize(
    ("environ", "machine"),
    [
        ({"GITLAB_CI": "true", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4"}, (2, 4)),
        ({"CIRCLECI": "true", "CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "3"}, (1, 3)),
        ({"BUILDKITE_PARALLEL_JOB": "2", "BUILDKITE_PARALLEL_JOB_COUNT": "3"}, (3, 3)),
        ({"SYSTEM_JOBPOSITIONINPHASE": "1", "SYSTEM_TOTALJOBSINPHASE": "5"}, (1, 5)),
        ({"GITHUB_ACTIONS": "true", "STRATEGY_JOB_INDEX": "3", "STRATEGY_JOB_TOTAL": "4"}, (4, 4)),
    ],
    ids=["GitLab", "CircleCI", "Buildkite", "Azure", "GitHub, handed on"],
)
def test_an_engine_says_which_machine_it_is(environ: dict[str, str], machine: tuple[int, int]):
    assert machine_of(environ) == machine


@pytest.mark.parametrize("name", ["GITLAB_CI", "CIRCLECI", "BUILDKITE", "TF_BUILD"])
def test_a_job_that_is_not_run_several_times_is_the_only_machine(name: str):
    assert machine_of({name: "true", "CI_NODE_TOTAL": "1"}) == (1, 1)


@pytest.mark.parametrize(
    ("index", "total"),
    [("0", "4"), ("5", "4"), ("", "4"), ("-1", "4"), ("²", "4"), ("1", ""), ("1", "10001")],
)
def test_what_is_no_machine_of_so_many_is_an_error(index: str, total: str):
    with pytest.raises(UsageError) as caught:
        machine_of({"CI_NODE_INDEX": index, "CI_NODE_TOTAL": total})

    assert caught.value.what == (
        f"--shard auto: CI_NODE_INDEX is {index!r}, and CI_NODE_TOTAL {total!r}"
    )


def test_that_nobody_says_it_is_an_error():
    with pytest.raises(UsageError, match="no variable says which machine this is"):
        machine_of({"CI": "true"})


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({"GITHUB_SHA": "c", "GITHUB_RUN_ID": "7"}, Origin("c", "GITHUB_RUN_ID=7")),
        ({"CI_COMMIT_SHA": "c", "CI_PIPELINE_ID": "7"}, Origin("c", "CI_PIPELINE_ID=7")),
        ({"CIRCLE_SHA1": "c", "CIRCLE_WORKFLOW_ID": "7"}, Origin("c", "CIRCLE_WORKFLOW_ID=7")),
        ({"BUILDKITE_COMMIT": "c", "BUILDKITE_BUILD_ID": "7"}, Origin("c", "BUILDKITE_BUILD_ID=7")),
        ({"BUILD_SOURCEVERSION": "c", "BUILD_BUILDID": "7"}, Origin("c", "BUILD_BUILDID=7")),
        ({"GITHUB_SHA": "c", "GITHUB_RUN_ID": ""}, Origin("", "")),
        ({}, Origin("", "")),
    ],
)
def test_a_run_is_known_by_its_commit_and_its_number(environ: dict[str, str], origin: Origin):
    assert origin_of(environ) == origin
