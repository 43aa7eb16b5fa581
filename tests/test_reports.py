"""Reports as texts: what each form makes of a run."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from runner.errors import ReportUnwritten
from runner.history import Entry
from runner.model import Settings
from runner.reports import Form, as_html, as_json, as_junit, as_markdown, as_trace, load_form
from runner.reports.collected import JobStory
from runner.reports.files import File, Files, clear, files_of
from runner.reports.github import GitHub, is_here
from runner.reports.lanes import in_lanes
from runner.reports.texts import last_lines, legible, plain_value
from runner.running import (
    CommandEnded,
    CommandStarted,
    EnvironmentReady,
    Event,
    JobStarted,
    Outcome,
    Report,
    Said,
    Shown,
)
from tests.conftest import ROOT
from tests.contracts.test_forms import told
from tests.test_terminal import Stream

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text("utf-8"))


def report(*outcomes: Outcome, seconds: float = 10.0, code: int = 0, by: str = "") -> Report:
    return Report(outcomes, seconds, by, code)


def one(*events: Event, outcome: Outcome | None = None, **beginning: Any) -> JobStory:
    """The story of the job `lint`, which began a second after the run."""
    outcome = outcome or Outcome("lint", "passed", "", 2.0)
    story = told(JobStarted("lint", "", 1.0), *events, report=report(outcome), **beginning)
    return story.jobs[0]


def as_data(*events: Event, **more: Any) -> dict[str, Any]:
    """The JSON of a run, which is by the schema."""
    data = json.loads(as_json.render(told(*events, **more)))
    jsonschema.validate(data, SCHEMA)
    return data


# What is collected. --------------------------------------------------------------------


def test_times_are_since_the_run_began():
    job = one(clock_s=0.5)

    assert (job.start_s, job.duration_s) == (0.5, 2.0)


def test_a_command_is_known_by_its_end():
    job = one(
        CommandStarted("lint", "ruff", "run", 1.25),
        CommandEnded("lint", "ruff", "run", 3, 0.5, False, 1.75),
    )

    assert [tuple(ran) for ran in job.commands] == [("run", "ruff", 1.25, 0.5, 3, False)]


def test_a_command_without_an_end_lasts_until_its_job_ends():
    job = one(CommandStarted("lint", "ruff", "run", 1.25))

    assert [tuple(ran) for ran in job.commands] == [("run", "ruff", 1.25, 1.75, None, False)]


def test_a_command_that_is_tried_again_is_there_each_time():
    job = one(
        CommandStarted("lint", "ruff", "run", 1.0),
        CommandEnded("lint", "ruff", "run", 1, 0.5, False, 1.5),
        CommandEnded("lint", "ruff", "run", 0, 0.5, False, 2.5),
    )

    assert [(ran.start_s, ran.returncode) for ran in job.commands] == [(1.0, 1), (2.0, 0)]


def test_commands_that_run_at_once_are_told_apart():
    job = one(
        CommandStarted("lint", "server", "run", 1.0),
        CommandStarted("lint", "client", "run", 1.5),
        CommandEnded("lint", "client", "run", 0, 0.5, False, 2.0),
    )

    assert [(ran.show, ran.returncode) for ran in job.commands] == [("server", None), ("client", 0)]


def test_jobs_that_run_at_once_are_told_apart():
    story = told(
        JobStarted("a", "", 0.0),
        JobStarted("b", "", 0.5),
        CommandStarted("a", "ruff", "run", 1.0),
        CommandStarted("b", "ruff", "run", 1.0),
        CommandEnded("b", "ruff", "run", 0, 0.5, False, 1.5),
        CommandEnded("a", "ruff", "run", 1, 0.5, False, 1.5),
        report=report(Outcome("b", "passed", "", 1.0), Outcome("a", "failed", "", 2.0)),
    )

    assert [(job.name, job.start_s, job.commands[0].returncode) for job in story.jobs] == [
        ("b", 0.5, 0),
        ("a", 0.0, 1),
    ]


def test_an_environment_that_was_prepared_ahead_began_before_its_job():
    job = one(EnvironmentReady("lint", "created", "", "/e", "cpython 3.13.0", 0.5, True, at_s=0.75))

    assert [(made.start_s, made.duration_s, made.ahead) for made in job.environments] == [
        (0.25, 0.5, True)
    ]


def test_of_very_much_output_the_end_is_kept():
    job = one(*(Shown("lint", f"{n} {'x' * 50_000}\n") for n in range(10)))

    kept = "".join(line.text for line in job.log)
    assert kept.startswith("7 ")
    assert len(kept) + job.left_out == 10 * 50_003


def test_what_a_worker_left_out_counts_too():
    job = one(Shown("lint", "x" * 300_000, left_out=50_000))

    assert (len(job.log[0].text), job.left_out) == (200_000, 150_000)


@pytest.mark.parametrize("form", [as_markdown, as_html])
def test_people_see_that_a_job_passed_only_when_it_was_tried_again(form: Form):
    story = told(
        JobStarted("a", ""),
        JobStarted("b", ""),
        report=report(Outcome("a", "passed", attempts=3), Outcome("b", "passed")),
    )

    assert form.render(story).count("passed on attempt 3") == 1


def test_a_job_whose_turn_never_came_has_no_start():
    story = told(report=report(Outcome("lint", "skipped", "tests did not pass")))

    assert (story.jobs[0].start_s, story.jobs[0].attempts) == (None, 0)


class Broken:
    def __repr__(self) -> str:
        raise ValueError


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (1.5, 1.5),
        ("a", "a"),
        ("\udcff", "\\udcff"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (2**53 + 1, "9007199254740993"),
        ((1, "a"), "(1, 'a')"),
        (Broken(), "<Broken>"),
        (Text("a"), "'a'"),
        (b"x", "b'x'"),
    ],
)
def test_a_parameter_is_told_where_json_has_it_and_else_as_python_shows_it(value, plain):
    told = plain_value(value)

    assert (told, type(told)) == (plain, type(plain))


def test_a_number_that_python_refuses_to_write_is_told_by_its_kind():
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(4300)  # the default
    try:
        assert plain_value(10**5000) == "<int>"
    finally:
        sys.set_int_max_str_digits(before)


def test_a_parameter_of_megabytes_is_cut():
    assert plain_value("x" * 10_000_000) == "x" * 1000


# Text. ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain", "plain"),
        ("10 %\r20 %\r\ndone\n", "10 %\n20 %\ndone\n"),
        ("a\x00b\x07\x7f", "a\\x00b\\x07\\x7f"),
        ("\x1b", "\\x1b"),
        ("tab\tü 日本 🐍", "tab\tü 日本 🐍"),
        ("\ufffe", "\\ufffe"),
    ],
)
def test_text_is_shown_as_it_reads(text: str, shown: str):
    assert legible(text) == shown


def test_of_a_long_text_the_end_is_told_and_how_much_is_left_out():
    assert last_lines("a\nb\n", 5, 100) == "a\nb"
    assert last_lines("a\nb\nc\n", 2, 100) == "… 2 characters before\nb\nc"
    assert last_lines("x" * 10_000, 5, 10) == "… 9,990 characters before\n" + "x" * 10
    assert last_lines("a\nb\n", 5, 100, before=7) == "… 7 characters before\na\nb"


def test_what_overlaps_lies_in_lanes_of_its_own():
    spans = [(0.0, 2.0), (1.0, 2.0), (2.0, 1.0), (2.5, 1.0), (9.0, 0.0)]

    assert [lane for _, lane in in_lanes(spans, lambda span: span)] == [0, 1, 0, 2, 0]


# JSON. -----------------------------------------------------------------------------------


def test_the_json_of_a_run():
    data = as_data(
        JobStarted("lint", "", 1.0),
        EnvironmentReady("lint", "rebuilt", "1 → 2", "/p/.runenv/lint", "cpython 3.13.0", 0.25, False, at_s=1.25),
        CommandStarted("lint", "ruff check", "run", 1.25),
        CommandEnded("lint", "ruff check", "run", 1, 0.5, False, 1.75),
        Said("lint", "error", "ruff exited with code 1", 1.75),
        report=report(Outcome("lint", "failed", "ruff exited with code 1", 0.75, (), 2), code=1),
        history={"lint": [Entry(1_600_000_000.0, "passed", 0.5, False)]},
    )  # fmt: skip

    assert {key: data[key] for key in ("version", "envfile", "started", "exit_code")} == {
        "version": 1,
        "envfile": "/p/envfile.py",
        "started": "2023-11-14T22:13:20.000+00:00",
        "exit_code": 1,
    }
    assert data["jobs"] == [
        {
            "name": "lint",
            "session": "lint",
            "description": "",
            "python": None,
            "parameters": {},
            "options": {},
            "tags": [],
            "requires": [],
            "after": [],
            "shares": None,
            "exclusive": [],
            "where": "",
            "result": "failed",
            "reason": "ruff exited with code 1",
            "attempts": 2,
            "started_s": 1.0,
            "duration_s": 0.75,
            "usual_s": 0.5,
            "flaky": False,
            "peak_memory_bytes": None,
            "lost_workers": [],
            "environments": [
                {
                    "state": "rebuilt",
                    "reason": "1 → 2",
                    "path": "/p/.runenv/lint",
                    "python": "cpython 3.13.0",
                    "started_s": 1.0,
                    "duration_s": 0.25,
                    "ahead": False,
                    "from_store": False,
                }
            ],
            "commands": [
                {
                    "kind": "run",
                    "command": "ruff check",
                    "started_s": 1.25,
                    "duration_s": 0.5,
                    "returncode": 1,
                    "timed_out": False,
                }
            ],
            "log": [{"at_s": 1.75, "level": "error", "text": "ruff exited with code 1"}],
            "log_left_out": 0,
            "earlier": [
                {
                    "ended": "2020-09-13T12:26:40.000+00:00",
                    "result": "passed",
                    "duration_s": 0.5,
                    "posargs": False,
                    "peak_memory_bytes": None,
                }
            ],
        }
    ]


# JUnit. ----------------------------------------------------------------------------------

RESULTS = report(
    Outcome("lint", "passed", "", 1.5),
    Outcome("known", "cached"),
    Outcome("tests-old", "failed", 'say "no" & <go>', 1.0),
    Outcome("slow", "timed out", "sleep took longer than 1 s", 1.0),
    Outcome("docs", "skipped", "lint did not pass"),
    Outcome("last", "interrupted", "SIGINT", 2.0),
    code=130,
    by="SIGINT",
)


def junit(*events: Event, **more: Any) -> ElementTree.Element:
    root = ElementTree.fromstring(as_junit.render(told(*events, report=RESULTS, **more)))
    return root[0]


def test_a_suite_has_what_ants_schema_asks_for_and_nothing_else():
    root = ElementTree.fromstring(as_junit.render(told(report=RESULTS)))
    suite = root[0]

    assert (root.tag, root.attrib, [child.tag for child in root]) == (
        "testsuites",
        {},
        ["testsuite"],
    )
    assert [child.tag for child in suite] == [
        "properties",
        *["testcase"] * 6,
        "system-out",
        "system-err",
    ]
    hostname = suite.attrib.pop("hostname")
    assert hostname
    assert suite.attrib == {
        "name": "runenv",
        "timestamp": "2023-11-14T22:13:20",
        "tests": "6",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
        "time": "10.000",
        "package": "runenv",
        "id": "0",
    }


def test_there_is_a_case_for_each_job():
    cases = junit().findall("testcase")

    assert [tuple(case.attrib.items()) for case in cases[:2]] == [
        (("name", "lint"), ("classname", "lint"), ("time", "1.500")),
        (("name", "known"), ("classname", "known"), ("time", "0.000")),
    ]
    assert [[(child.tag, child.attrib) for child in case] for case in cases] == [
        [],
        [],
        [("failure", {"message": 'say "no" & <go>', "type": "failed"})],
        [("failure", {"message": "sleep took longer than 1 s", "type": "timed out"})],
        [("skipped", {"message": "lint did not pass"})],
        [("error", {"message": "SIGINT", "type": "interrupted"})],
    ]


def test_a_failure_has_what_the_job_said():
    suite = junit(
        Shown("tests-old", "\x1b[31mE  1 < 2 ]]>\x1b[0m\n"),
        Said("tests-old", "debug", "too much"),
        Said("tests-old", "error", "it broke"),
        Said("lint", "info", "nobody asks"),
    )

    assert suite.find("testcase/failure").text == "E  1 < 2 ]]>\nit broke"
    assert "nobody asks" not in ElementTree.tostring(suite, encoding="unicode")


# Markdown. ---------------------------------------------------------------------------------


def test_the_markdown_of_a_run():
    text = as_markdown.render(
        told(
            JobStarted("lint", ""),
            JobStarted("tests-old", ""),
            EnvironmentReady("lint", "rebuilt", "a | b", "/e", "cpython 3.13.0", 0.1),
            Said("tests-old", "error", "it <broke>\n```\nreally"),
            report=report(
                Outcome("lint", "passed", "", 1.5),
                Outcome("tests-old", "failed", "a_b *bold* <i> _x_", 61.0),
                Outcome("docs", "skipped", "tests-old did not pass"),
            ),
            history={"lint": [Entry(1.0, r, 2.0, False) for r in ("passed", "failed", "passed")]},
        )
    )

    assert text == (
        "### runenv: 1 passed, 1 failed, 1 skipped in 10.0 s\n"
        "\n"
        "| | job | took | usually | |\n"
        "| --- | --- | ---: | ---: | --- |\n"
        "| ✓ passed | lint | 1.50 s | 2.00 s | flaky: it passes and fails by turns; a \\| b |\n"
        "| ✗ failed | tests-old | 1 min 01 s |  | a_b \\*bold\\* &lt;i&gt; \\_x\\_ |\n"
        "| - skipped | docs |  |  | tests-old did not pass |\n"
        "\n"
        "<details><summary>tests-old</summary>\n"
        "\n"
        "````text\n"
        "it <broke>\n"
        "```\n"
        "really\n"
        "````\n"
        "\n"
        "</details>\n"
    )


def test_of_very_many_jobs_those_that_did_not_pass_are_told_first_of_all():
    outcomes = [Outcome(f"j{n}", "passed", "", 1.0) for n in range(3000)]
    outcomes.append(Outcome("last", "failed", "x" * 1000, 1.0))

    text = as_markdown.render(told(report=report(*outcomes)))

    assert "| ✗ failed | last |" in text
    assert "… and 2,001 more jobs" in text
    assert "x" * 201 not in text


def test_a_summary_is_never_more_than_github_takes():
    events: list[Event] = []
    for number in range(2000):
        events += [JobStarted(f"j{number}", ""), Shown(f"j{number}", "<&`\n" * 10_000)]
    outcomes = [Outcome(f"j{number}", "failed", "|" * 1000, 1.0) for number in range(2000)]

    text = as_markdown.render(told(*events, report=report(*outcomes)))

    assert len(text.encode()) < 1_000_000


# HTML. ---------------------------------------------------------------------------------------


def test_a_page_loads_nothing():
    text = as_html.render(told(report=RESULTS))

    assert re.findall(r"<(?:link|img|iframe|script src|base)|@import|url\(|https?:", text) == []
    assert "default-src 'none'" in text


def test_nothing_that_somebody_wrote_becomes_an_element():
    evil = "</script><script>alert(1)</script>\" onload='x'"

    text = as_html.render(
        told(
            JobStarted(evil, evil),
            EnvironmentReady(evil, "rebuilt", evil, evil, evil, 0.1),
            CommandStarted(evil, evil, "run"),
            Said(evil, "error", evil),
            Shown(evil, evil),
            report=report(Outcome(evil, "failed", evil, 1.0)),
            root=evil,
            envfile=evil,
            posargs=(evil,),
            history={evil: [Entry(1.0, "passed", 1.0, False)]},
        )
    )

    assert text.count("<script") == 1
    assert "alert(1)" in text
    assert "' onload" not in text.replace("&#x27;", "")


def page(*events: Event, outcome: Outcome, **more: Any) -> str:
    return as_html.render(
        told(JobStarted("lint", "", 1.0), *events, report=report(outcome), **more)
    )


def test_a_row_shows_a_job_and_its_commands_on_the_scale_of_the_run():
    text = page(
        EnvironmentReady("lint", "created", "", "/e", "cpython 3.13.0", 0.5, False, at_s=1.5),
        CommandStarted("lint", "ruff", "run", 1.5),
        CommandEnded("lint", "ruff", "run", 0, 1.5, False, 3.0),
        outcome=Outcome("lint", "passed", "", 2.0),
    )

    assert '<span class="whole" style="left:10.000%;width:20.000%" title="passed, 2.00 s">' in text
    assert '<span class="environment" style="left:10.000%;width:5.000%"' in text
    assert '<span class="run" style="left:15.000%;width:15.000%" title="ruff, 1.50 s">' in text


@pytest.mark.parametrize(
    ("took", "shown"),
    [
        (2.0, "2.00 s"),
        (2.1, "2.00 s"),
        (3.0, '2.00 s <span class="late">+50 %</span>'),
        (1.0, "2.00 s −50 %"),
    ],
)
def test_a_time_is_compared_with_the_usual_one(took: float, shown: str):
    past = {"lint": [Entry(1.0, "passed", 2.0, False)]}

    text = page(outcome=Outcome("lint", "passed", "", took), history=past)

    assert f'<span class="number usual soft">{shown}</span>' in text


def test_what_failed_is_unfolded_where_it_is_not_much():
    few = as_html.render(told(report=report(*(Outcome(f"j{n}", "failed") for n in range(3)))))
    many = as_html.render(told(report=report(*(Outcome(f"j{n}", "failed") for n in range(4)))))

    assert len(re.findall(r'data-good="0" open', few)) == 3
    assert len(re.findall(r'data-good="0" open', many)) == 0


def test_why_an_environment_was_made_anew_is_told():
    text = page(
        EnvironmentReady(
            "lint", "rebuilt", "ruff 1 → 2", "/e", "cpython 3.13.0", 0.5, True, at_s=0.9
        ),
        outcome=Outcome("lint", "passed", "", 1.0),
    )

    assert "<b>rebuilt</b> in 0.50 s, while an earlier job ran: ruff 1 → 2" in text


# Chrome trace. ---------------------------------------------------------------------------------


def test_a_trace_has_rows_for_what_ran_at_once():
    data = json.loads(
        as_trace.render(
            told(
                JobStarted("a", "", 0.0),
                CommandEnded("a", "ruff", "run", 0, 0.5, False, 1.0),
                JobStarted("b", "", 0.5),
                EnvironmentReady("b", "created", "", "/e", "cpython 3.13.0", 0.25, True, at_s=0.5),
                CommandEnded("b", "install x", "install", 0, 0.125, False, 0.5),
                report=report(
                    Outcome("a", "passed", "", 1.0),
                    Outcome("b", "failed", "why", 1.0),
                    Outcome("never", "skipped"),
                ),
            )
        )
    )

    spans = [
        (e["name"], e["cat"], e["ts"], e["dur"], e["pid"], e["tid"])
        for e in data["traceEvents"]
        if e["ph"] == "X"
    ]
    assert spans == [
        ("a", "job", 0, 1_000_000, 1, 0),
        ("ruff", "run", 500_000, 500_000, 1, 0),
        ("b", "job", 500_000, 1_000_000, 1, 1),
        ("b: environment created", "environment", 250_000, 250_000, 2, 0),
        ("install x", "install", 375_000, 125_000, 2, 0),
    ]
    assert [e["args"]["name"] for e in data["traceEvents"] if e["name"] == "process_name"] == [
        "jobs",
        "environments prepared ahead",
    ]


# Files. -------------------------------------------------------------------------------------------


def test_the_form_is_by_the_end_of_the_name():
    assert load_form("a.trace.json") is as_trace
    assert load_form("a.json") is as_json
    assert load_form(".xml") is as_junit


def test_a_file_of_the_command_line_starts_where_the_caller_is(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = Settings(report=("a.json", "a.json"), origins={"report": "command line"})
    written = Settings(report=("a.json",), origins={"report": "envfile"})

    assert files_of(given, "/p") == (File("a.json", str(tmp_path / "a.json")),)
    assert files_of(written, "/p") == (File("a.json", "/p/a.json"),)


def test_where_a_link_leads_is_written_and_the_link_stays(tmp_path: Path):
    (tmp_path / "there").mkdir()
    (tmp_path / "run.md").symlink_to("there/real.md")
    settings = Settings(report=(str(tmp_path / "run.md"),))

    files = files_of(settings, "/p")
    clear(files)
    Files(files).tell(told(report=RESULTS))

    assert (tmp_path / "run.md").is_symlink()
    assert (tmp_path / "there/real.md").read_text("utf-8").startswith("### runenv")


def test_an_old_report_is_gone_before_the_run(tmp_path: Path):
    old = tmp_path / "run.json"
    old.write_text("{}")

    clear([File("run.json", str(old))])

    assert os.listdir(tmp_path) == []


def test_one_that_cannot_be_written_keeps_none_of_the_others_back(tmp_path: Path):
    (tmp_path / "bad.json").mkdir()
    files = [File(n, str(tmp_path / n)) for n in ("bad.json", "new/good.md")]

    with pytest.raises(ReportUnwritten) as caught:
        Files(files).tell(told(report=RESULTS))

    assert caught.value.what == "the report bad.json cannot be written: Is a directory"
    assert sorted(os.listdir(tmp_path)) == ["bad.json", "new"]
    assert os.listdir(tmp_path / "new") == ["good.md"]


# GitHub. -------------------------------------------------------------------------------------------


def annotations(*outcomes: Outcome, **environ: str) -> list[str]:
    stream = Stream("utf-8")
    GitHub({"GITHUB_ACTIONS": "true", **environ}, stream).tell(told(report=report(*outcomes)))
    return stream.text().splitlines()


def test_what_failed_is_annotated():
    assert annotations(
        Outcome("lint", "passed"),
        Outcome("tests-old", "failed", "100 % of it\nbroke: a, b"),
        Outcome("slow", "timed out"),
        Outcome("docs", "skipped", "tests-old did not pass"),
    ) == [
        "::error title=tests-old%3A failed::100 %25 of it%0Abroke: a, b",
        "::error title=slow%3A timed out::timed out",
    ]


def test_of_many_annotations_only_those_are_made_that_github_shows():
    lines = annotations(*(Outcome(f"j{n}", "failed") for n in range(30)))

    assert len(lines) == 10
    assert lines[-1] == "::error title=21 more jobs did not pass::see the summary"


def test_what_the_step_has_said_in_its_summary_stays(tmp_path: Path):
    summary = tmp_path / "summary"
    summary.write_text("before\n")

    GitHub({"GITHUB_STEP_SUMMARY": str(summary)}, Stream("ascii")).tell(told(report=RESULTS))

    assert summary.read_text("utf-8").startswith("before\n### runenv: ")


@pytest.mark.parametrize(
    ("environ", "here"),
    [
        ({}, False),
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITHUB_ACTIONS": "false"}, False),
        ({"GITHUB_STEP_SUMMARY": "/s"}, True),
        ({"GITHUB_ACTIONS": "true", "RUNENV_JOB": "tests"}, False),
    ],
)
def test_who_runs_in_github_actions(environ: dict[str, str], here: bool):
    assert is_here(environ) is here
