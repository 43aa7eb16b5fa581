"""A run as JUnit XML, a case for each job: for what shows test results in CI.

There is no one schema. This is valid by both that are common: the Ant task's (as
windyroad/JUnit-Schema wrote it down), which is strict in what must be there and in
which order, and Jenkins' (junit-10.xsd of its xunit plugin). So what a job said
stands in its failure: the first knows no output of a single case.
"""

from __future__ import annotations

import platform
from datetime import datetime, timezone
from xml.sax.saxutils import escape

from runner import __version__
from runner.reports.texts import last_lines, legible
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.reports.collected import JobStory, Story

_LINES, _CHARACTERS = 1_000, 100_000  # of what a job said


def render(story: Story) -> str:
    """One suite."""
    results = [job.result for job in story.jobs]
    began = datetime.fromtimestamp(story.at, timezone.utc)
    suite = {
        "name": "runenv",
        "timestamp": began.strftime("%Y-%m-%dT%H:%M:%S"),  # in UTC; neither allows a zone
        "hostname": platform.node() or "localhost",
        "tests": len(results),
        "failures": results.count("failed") + results.count("timed out"),
        "errors": results.count("interrupted"),
        "skipped": results.count("skipped"),
        "time": f"{story.duration_s:.3f}",
        "package": "runenv",
        "id": 0,
    }
    facts = {
        "runenv": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "envfile": story.envfile,
        "exit_code": story.exit_code,
    }
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<testsuites>",
        f"<testsuite{_attributes(suite)}>",
        "<properties>",
        *(f"<property{_attributes({'name': n, 'value': v})}/>" for n, v in facts.items()),
        "</properties>",
        *(_case(job) for job in story.jobs),
        "<system-out/>",
        "<system-err/>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(job: JobStory) -> str:
    head = _attributes(
        {"name": job.name, "classname": job.session, "time": f"{job.duration_s:.3f}"}
    )
    if job.passed:
        return f"<testcase{head}/>"
    kind = {"skipped": "skipped", "interrupted": "error"}.get(job.result, "failure")
    if kind == "skipped":
        return f"<testcase{head}><skipped{_attributes({'message': job.reason})}/></testcase>"
    why = _attributes({"message": job.reason, "type": job.result})
    said = legible(job.said("output", "info", "warning", "error"))
    text = escape(last_lines(said, _LINES, _CHARACTERS, before=job.left_out))
    return f"<testcase{head}><{kind}{why}>{text}</{kind}></testcase>"


def _attributes(values: Mapping[str, object]) -> str:
    # An end of line within an attribute would be read as a blank.
    breaks = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
    return "".join(f' {name}="{escape(legible(str(v)), breaks)}"' for name, v in values.items())
