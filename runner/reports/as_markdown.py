"""A run as Markdown (GitHub's), a table of the jobs and what failed: for people who read CI."""

from __future__ import annotations

import html
import re

from runner.errors import some_of
from runner.reports.texts import last_lines, legible
from runner.reports.words import SYMBOLS, counts, duration, result_with_attempt
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.reports.collected import JobStory, Story

# GitHub takes no summary of more than 1 MiB.
_ROWS, _LOGS = 1_000, 30
_LINES, _CHARACTERS = 50, 10_000  # of each log
_REASON = 200


def render(story: Story) -> str:
    """What a person wants to know first, first."""
    bad = [job for job in story.jobs if not job.passed]
    good = [job for job in story.jobs if job.passed]
    shown = [*bad, *good][:_ROWS]
    order = {job.name: number for number, job in enumerate(story.jobs)}
    shown.sort(key=lambda job: order[job.name])
    told = f"{counts([job.result for job in story.jobs])} in {duration(story.duration_s)}"
    by = f", ended by {story.interrupted_by}" if story.interrupted_by else ""
    lines = [f"### runenv: {told}{by}", ""]
    lost = [machine.title for machine in story.machines if machine.is_lost]
    if story.machines:
        silent = f"; **no report of {some_of(lost)}**" if lost else ""
        lines += [f"of {len(story.machines)} machines{silent}", ""]
    if shown:
        lines += ["| | job | took | usually | |", "| --- | --- | ---: | ---: | --- |"]
        lines += map(_row, shown)
    if len(shown) < len(story.jobs):
        lines += ["", f"… and {len(story.jobs) - len(shown):,} more jobs"]
    logs = [job for job in bad if job.went_wrong and job.log]
    for job in logs[:_LOGS]:
        lines += _log(job)
    if len(logs) > _LOGS:
        lines += ["", f"… and {len(logs) - _LOGS:,} more jobs with output"]
    return "\n".join(lines) + "\n"


def _row(job: JobStory) -> str:
    took = duration(job.duration_s) if job.start_s is not None else ""
    usually = duration(job.usual_s) if job.usual_s is not None else ""
    reason = job.reason if len(job.reason) <= _REASON else job.reason[:_REASON] + " …"
    notes = [reason, *(p.reason for p in job.environments if p.reason)]
    flaky = ["flaky: it passes and fails by turns"] if job.flaky else []
    told = "; ".join(_text(note) for note in filter(None, [*flaky, *notes]))
    symbol = SYMBOLS[job.result][0]
    how = result_with_attempt(job.result, job.attempts)
    return f"| {symbol} {how} | {_text(job.name)} | {took} | {usually} | {told} |"


def _log(job: JobStory) -> list[str]:
    said = legible(job.said("output", "info", "warning", "error"))
    text = last_lines(said, _LINES, _CHARACTERS, before=job.left_out)
    # A fence ends at the first that is as long as it.
    fence = "`" * (1 + max([2, *map(len, re.findall("`{3,}", text))]))
    summary = f"<summary>{html.escape(legible(job.name))}</summary>"
    return ["", f"<details>{summary}", "", f"{fence}text", text, fence, "", "</details>"]


def _text(text: str) -> str:
    """The text as it stands, in a cell of a table."""
    line = " ".join(html.escape(legible(text), quote=False).split())
    return re.sub(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)", lambda found: "\\" + found[0], line)
