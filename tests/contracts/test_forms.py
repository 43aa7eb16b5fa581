"""What each form of a report must bear: every event, any text, a run of nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

import pytest

from runner.history import Entry
from runner.reports import FORMS, Form
from runner.reports.collected import Beginning, Collector, Story
from runner.running import Event, JobStarted, Outcome, Report, Said, Shown
from tests.contracts.test_reporters import EVENTS, ODD, REPORTS


def told(*events: Event, report: Report, **beginning: Any) -> Story:
    """The story of a run in which this happened."""
    known: dict[str, Any] = {"root": "/p", "envfile": "/p/envfile.py", "jobs": {}, "posargs": ()}
    known |= {"at": 1_700_000_000.0, "clock_s": 0.0, "history": {}, **beginning}
    stories: list[Story] = []
    collector = Collector(Beginning(**known), [stories.append])
    for event in events:
        collector.hear(event)
    collector.close(report)
    return stories[0]


def all_tags_closed(text: str) -> bool:
    """Whether each element of a page that must be closed is."""
    open_tags: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "input", "br", "td", "th", "tr"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag == "table":
                assert open_tags[-1] == "table"
            assert open_tags.pop() == tag

    parser = Parser()
    parser.feed(text)
    parser.close()
    return not open_tags


READS = {
    ".json": json.loads,
    ".trace.json": json.loads,
    ".xml": lambda text: ElementTree.fromstring(text).tag == "testsuites",
    ".html": all_tags_closed,
    ".md": str,
}


@pytest.fixture(params=FORMS)
def end(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def form(end: str) -> Form:
    return import_module(FORMS[end])  # type: ignore[return-value]  # checked in tests/typing


def test_there_is_a_reader_for_each():
    assert set(READS) == set(FORMS)


@pytest.mark.parametrize("report", REPORTS, ids=["of nothing", "of one", "of all results"])
def test_every_event_can_be_told(form: Form, end: str, report: Report):
    past = {ODD: [Entry(1.0, r, 0.0, True) for r in ("passed", "failed", "passed", "not started")]}

    text = form.render(told(*EVENTS, report=report, history=past, root=ODD, posargs=(ODD,)))

    assert text.encode("utf-8").decode("utf-8") == text
    assert READS[end](text)
    assert text.endswith("\n")
    assert not [c for c in "\x00\x07\x08\x1b\r" if c in text]


def test_a_run_of_nothing_can_be_told(form: Form, end: str):
    assert READS[end](form.render(told(report=Report((), 0.0))))


def test_what_failed_is_told_by_each(form: Form):
    events = [JobStarted("lint", ""), Shown("lint", "its output\n"), Said("lint", "error", "broke")]

    text = form.render(
        told(*events, report=Report((Outcome("lint", "failed", "code 1", 1.0),), 1.0))
    )

    assert "lint" in text
    assert "code 1" in text


def test_the_same_run_is_told_the_same_way(form: Form):
    story = told(*EVENTS, report=REPORTS[2])

    assert form.render(story) == form.render(story)


def test_a_log_of_megabytes_does_not_make_a_report_of_megabytes(form: Form):
    events = [JobStarted("lint", ""), *(Shown("lint", "x" * 500_000 + "\n") for _ in range(10))]

    text = form.render(told(*events, report=Report((Outcome("lint", "failed", "", 1.0),), 1.0)))

    assert len(text) < 300_000
