"""Reports of several machines, read again and joined to one run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from runner.history import Entry
from runner.reports import FORMS, as_html, as_json, as_junit, as_markdown, as_trace, load_form
from runner.reports.collected import Story
from runner.reports.joined import join, misfit
from runner.reports.received import Received, read
from runner.running import (
    CommandEnded,
    EnvironmentReady,
    JobStarted,
    Origin,
    Outcome,
    Part,
    Report,
    Shard,
    Shown,
)
from tests.conftest import ROOT
from tests.contracts.test_forms import READS, told
from tests.contracts.test_reporters import EVENTS, ODD, REPORTS

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text("utf-8"))
SHARDS = (Shard(("lint", "build"), (), 2.0), Shard(("tests",), ("build",), 3.0))


def machine(number: int, *results: tuple[str, str], **more: Any) -> Received:
    """What shard 1/2 or 2/2 has sent: jobs of a second each, one after the other."""
    code, by = more.pop("code", 0), more.pop("by", "")
    events = [JobStarted(name, "", float(n)) for n, (name, _) in enumerate(results)]
    outcomes = tuple(Outcome(name, result, "", 1.0) for name, result in results)
    known = {"part": Part(number, SHARDS), **more}
    story = told(*events, report=Report(outcomes, float(len(results)), by, code), **known)
    return read(as_json.render(story).encode())


FIRST = (("lint", "passed"), ("build", "passed"))
SECOND = (("build", "passed"), ("tests", "passed"))


def joined(*machines: Received) -> Story:
    """The whole, of reports that must fit together."""
    named = {f"{n}.json": each for n, each in enumerate(machines, 1)}
    assert misfit(named) == ""
    return join(named)


def results(story: Story) -> dict[str, str]:
    return {job.name: job.result for job in story.jobs}


# Reading. ------------------------------------------------------------------------------


def full_story() -> Story:
    """All that a report can have."""
    events = [
        *EVENTS,
        JobStarted("lint", "", 1.0),
        EnvironmentReady("lint", "rebuilt", "why", "/e", "cpython 3.13.0", 0.5, True, True, 1.0),
        CommandEnded("lint", "ruff", "run", -9, 0.5, True, 2.0),
        Shown("lint", "said\n", 3, 2.0),
    ]
    past = {"lint": [Entry(1.0, "not started", 0.25, True, 9), Entry(2.0, "passed", 0.5, False)]}
    outcome = Outcome("lint", "timed out", "late", 1.5, attempts=2, peak_bytes=7)
    report = Report((*REPORTS[2].outcomes, outcome), 5.0, "SIGTERM", 143)
    return told(
        *events,
        report=report,
        history=past,
        root=ODD,
        posargs=(ODD,),
        part=Part(1, (Shard(("lint",), ("x",), 1.5), Shard((), (), None))),
        origin=Origin("c0ffee", "GITHUB_RUN_ID=7"),
    )


def test_a_report_that_is_read_again_tells_the_same():
    text = as_json.render(full_story())
    jsonschema.validate(json.loads(text), SCHEMA)

    assert as_json.render(read(text.encode()).story) == text


def test_a_report_without_what_was_added_later_is_read():
    data = json.loads(as_json.render(told(report=REPORTS[1])))
    del data["commit"], data["engine_run"]

    assert read(json.dumps(data).encode()).story.origin == Origin("", "")


JOB = SCHEMA["$defs"]["job"]["properties"]
WORDS = {
    "result": JOB,
    **{
        f"{items} {key}": JOB[items]["items"]["properties"]
        for items, key in (
            ("environments", "state"),
            ("commands", "kind"),
            ("log", "level"),
            ("earlier", "result"),
        )
    },
}


@pytest.mark.parametrize("place", WORDS)
def test_every_word_of_the_schema_is_read(place: str):
    data = json.loads(as_json.render(full_story()))
    *items, key = place.split()
    job = data["jobs"][-1]
    container = job[items[0]][0] if items else job

    for word in WORDS[place][key]["enum"]:
        container[key] = word
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        assert as_json.render(read(text.encode()).story) == text


WRONG = (None, True, -1, 1e308, float("nan"), "\ud800", [], [None], {}, {"a": 1})


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Each place of a JSON value, as its container and the key there."""
    for key in range(min(len(data), 2)) if isinstance(data, list) else list(data):
        yield data, key
        if isinstance(data[key], (dict, list)):
            yield from places(data[key])


def test_whatever_stands_in_a_report_it_is_refused_or_can_be_told():
    data = json.loads(as_json.render(full_story()))
    data["jobs"] = data["jobs"][-1:]
    refused = 0
    for container, key in places(data):
        kept = container[key]
        for wrong in WRONG:
            container[key] = wrong
            try:
                story = join({"a.json": read(json.dumps(data).encode())})
            except ValueError:
                refused += 1
            else:
                for form in FORMS:
                    READS[form](load_form(f"x{form}").render(story))
        container[key] = kept

    assert refused > 500


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it is other JSON"),
        (b'{"version": 1}', "it is other JSON"),
        (b'{"version": 2, "jobs": []}', "its version is 2, and this runenv reads 1"),
        (b'{"version": 1, "jobs": []}', "it has no 'envfile'"),
        (b'{"version": 1, "jobs": [], "envfile": 1}', "its 'envfile' is 1, not text"),
        (
            b'{"version": 1, "jobs": [], "machines": []}',
            "it is joined already: hand over the reports that it was made of",
        ),
    ],
)
def test_what_is_no_report_is_told_so(content: bytes, why: str):
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        read(content)


def test_a_report_must_tell_of_all_that_its_shard_has():
    text = as_json.render(told(report=Report((), 1.0), part=Part(2, SHARDS)))

    with pytest.raises(ValueError, match="it does not tell of tests, which its shard has"):
        read(text.encode())


def test_a_report_must_be_of_one_of_its_shards():
    text = as_json.render(told(report=Report((), 1.0), part=Part(1, (Shard((), (), None),))))

    with pytest.raises(ValueError, match="it has no shard 3"):
        read(text.replace('"number": 1', '"number": 3').encode())


# What fits together. -------------------------------------------------------------------


HERE = machine(1, *FIRST, origin=Origin("c", "R=1"))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (machine(1, *FIRST), "a.json and b.json are both of shard 1/2"),
        (
            machine(2, *SECOND, posargs=("-x",)),
            "a.json and b.json are of runs with other arguments behind --",
        ),
        (
            machine(2, *SECOND, origin=Origin("d", "R=1")),
            "a.json and b.json are of two commits, c and d",
        ),
        (
            machine(2, *SECOND, origin=Origin("c", "R=2")),
            "a.json and b.json are of two runs of the CI engine, R=1 and R=2",
        ),
        (
            machine(1, part=None),
            "a.json is of a shard, and b.json of a whole run",
        ),
        (
            machine(
                2, ("x", "passed"), part=Part(2, (Shard((), (), None), Shard(("x",), (), None)))
            ),
            "a.json and b.json are of two ways to split the jobs",
        ),
    ],
    ids=["twice", "arguments", "commits", "runs", "whole", "splits"],
)
def test_reports_of_other_runs_do_not_fit(other: Received, why: str):
    assert misfit({"a.json": HERE, "b.json": other}) == why


def test_what_one_machine_does_not_know_differs_from_nothing():
    assert misfit({"a.json": HERE, "b.json": machine(2, *SECOND)}) == ""


def test_of_two_runs_are_told_also_where_the_first_machine_does_not_know_its_own():
    named = {
        "a.json": machine(1, *FIRST),
        "b.json": machine(2, *SECOND, origin=Origin("c", "")),
        "c.json": machine(2, *SECOND, origin=Origin("d", "")),
    }

    assert misfit(named) == "b.json and c.json are of two commits, c and d"


# The whole. ----------------------------------------------------------------------------


def test_the_whole_has_each_job_once_in_the_order_in_which_they_ended():
    story = joined(machine(2, *SECOND, at=1_700_000_000.5), machine(1, *FIRST))

    assert list(results(story)) == ["lint", "build", "tests"]
    assert [job.start_s for job in story.jobs] == [0.0, 1.0, 1.5]
    assert (story.at, story.duration_s, story.exit_code) == (1_700_000_000.0, 2.5, 0)
    assert [each.title for each in story.machines] == ["shard 1/2", "shard 2/2"]
    assert [job.machine for job in story.jobs] == [1, 1, 2]


def test_all_times_are_on_the_scale_of_the_first_machine():
    events = (
        JobStarted("tests", "", 1.0),
        EnvironmentReady("tests", "created", "", "/e", "cpython 3.13.0", 0.5, False, False, 2.0),
        CommandEnded("tests", "pytest", "run", 0, 0.5, False, 3.0),
        Shown("tests", "said\n", 0, 3.0),
    )
    outcomes = tuple(Outcome(name, "passed", "", 2.0) for name in ("build", "tests"))
    story = told(*events, report=Report(outcomes, 3.0), part=Part(2, SHARDS), at=1_700_000_010.0)

    jobs = joined(machine(1, *FIRST), read(as_json.render(story).encode())).jobs

    (job,) = (each for each in jobs if each.name == "tests")
    assert job.start_s == 11.0
    assert [each.start_s for each in (*job.environments, *job.commands)] == [11.5, 12.5]
    assert [line.at_s for line in job.log] == [13.0]


def test_what_went_alike_on_several_machines_is_told_where_it_was_planned():
    shards = (Shard(("tests",), ("build",), None), Shard(("build",), (), None))
    first = machine(1, ("build", "passed"), ("tests", "passed"), part=Part(1, shards))
    second = machine(2, ("build", "passed"), part=Part(2, shards))

    jobs = joined(first, second).jobs

    assert {job.name: job.machine for job in jobs} == {"build": 2, "tests": 1}


@pytest.mark.parametrize("worse", ["failed", "timed out", "skipped", "interrupted"])
def test_what_ran_on_several_machines_is_told_where_it_went_worst(worse: str):
    story = joined(machine(1, *FIRST), machine(2, ("build", worse), ("tests", "skipped"), code=1))

    assert results(story)["build"] == worse
    assert [job.machine for job in story.jobs if job.name == "build"] == [2]


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 0), 0), ((0, 1), 1), ((124, 1), 1), ((0, 124), 124)]
)
def test_it_exits_as_one_machine_would_have(codes: tuple[int, int], code: int):
    story = joined(machine(1, *FIRST, code=codes[0]), machine(2, *SECOND, code=codes[1]))

    assert story.exit_code == code


def test_a_signal_that_ended_one_machine_ended_the_whole():
    story = joined(machine(1, *FIRST, code=1), machine(2, *SECOND, code=143, by="SIGTERM"))

    assert (story.exit_code, story.interrupted_by) == (143, "SIGTERM")


def test_where_nothing_passed_the_whole_fails_though_each_shard_passes():
    skipped = [(name, "skipped") for name, _ in FIRST]

    story = joined(machine(1, *skipped), machine(2, ("build", "skipped"), ("tests", "skipped")))

    assert story.exit_code == 1


def test_of_a_shard_without_a_report_all_jobs_count_as_interrupted():
    story = joined(machine(1, *FIRST))

    assert results(story) == {"lint": "passed", "build": "passed", "tests": "interrupted"}
    assert [job.reason for job in story.jobs if job.name == "tests"] == [
        "shard 2/2 has sent no report"
    ]
    assert [(each.title, each.is_lost) for each in story.machines] == [
        ("shard 1/2", False),
        ("shard 2/2", True),
    ]
    assert story.exit_code == 1


def test_whole_runs_are_joined_by_the_names_of_their_files():
    story = joined(
        machine(1, ("lint", "passed"), part=None), machine(1, ("docs", "failed"), part=None, code=1)
    )

    assert [each.title for each in story.machines] == ["1.json", "2.json"]
    assert (results(story), story.exit_code) == ({"lint": "passed", "docs": "failed"}, 1)


# Its forms. ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> Story:
    """One machine that failed, one that is lost."""
    return joined(
        machine(1, ("lint", "failed"), ("build", "passed"), code=1, origin=Origin("c", "R=1"))
    )


@pytest.mark.parametrize("end", FORMS)
def test_each_form_can_tell_of_several_machines(whole: Story, end: str):
    text = load_form(f"x{end}").render(whole)

    assert READS[end](text)
    assert "tests" in text or end == ".trace.json"  # which has what ran


def test_the_json_tells_of_each_machine_by_its_schema(whole: Story):
    data = json.loads(as_json.render(whole))
    jsonschema.validate(data, SCHEMA)

    assert [(m["title"], m["exit_code"], m["jobs"]) for m in data["machines"]] == [
        ("shard 1/2", 1, ["lint", "build"]),
        ("shard 2/2", None, ["tests"]),
    ]
    assert [(job["name"], job["machine"]) for job in data["jobs"]] == [
        ("tests", 2),
        ("lint", 1),
        ("build", 1),
    ]
    assert (data["commit"], data["engine_run"]) == ("c", "R=1")


def test_the_page_has_lanes_for_each_machine(whole: Story):
    page = as_html.render(whole)

    assert page.count('<svg class="lanes"') == 1
    assert 'aria-label="jobs of shard 1/2 by time"' in page
    assert '<b>shard 2/2</b> <span class="badge failed">no report</span>' in page
    assert page.count("<span>machine <b>shard 1/2</b></span>") == 2


def test_a_bar_of_any_machine_leads_to_the_row_of_its_job():
    story = joined(machine(1, *FIRST), machine(2, *SECOND, at=1_700_000_009.0))
    page = as_html.render(story)

    assert [job.name for job in story.jobs] == ["lint", "build", "tests"]
    bars = re.findall(r'href="#job-(\d)"><rect class="passed"[^>]*><title>(\w+):', page)
    assert bars == [("0", "lint"), ("1", "build"), ("1", "build"), ("2", "tests")]


def test_the_summary_says_which_machine_is_lost(whole: Story):
    assert "of 2 machines; **no report of shard 2/2**" in as_markdown.render(whole)


def test_junit_has_an_error_for_what_nobody_knows_of(whole: Story):
    assert 'message="shard 2/2 has sent no report"' in as_junit.render(whole)


def test_the_trace_has_rows_for_each_machine(whole: Story):
    events = json.loads(as_trace.render(whole))["traceEvents"]

    assert [e["args"]["name"] for e in events if e["name"] == "process_name"] == ["shard 1/2: jobs"]


def test_the_trace_has_the_jobs_of_each_machine_in_rows_of_its_own():
    story = joined(machine(1, *FIRST), machine(2, *SECOND))
    events = json.loads(as_trace.render(story))["traceEvents"]

    named = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    jobs = [(e["name"], named[e["pid"]]) for e in events if e.get("cat") == "job"]
    assert jobs == [
        ("lint", "shard 1/2: jobs"),
        ("build", "shard 1/2: jobs"),
        ("build", "shard 2/2: jobs"),
        ("tests", "shard 2/2: jobs"),
    ]
