"""A run as a Chrome trace: for Perfetto and chrome://tracing.

Rows are where jobs ran at once, and where environments were prepared ahead. By
"Trace Event Format" of the Chromium project: complete events (X), microseconds.
"""

from __future__ import annotations

import json

from runner.reports.lanes import in_lanes
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.reports.collected import JobStory, Prepared, Ran, Story

_JOBS, _AHEAD = 1, 2


def render(story: Story) -> str:
    """The jobs with their environments and commands in them."""
    events: list[dict[str, object]] = []
    for number, (title, jobs) in enumerate(_machines(story)):
        events += _of_machine(jobs, title, 2 * number)
    data = {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {"envfile": story.envfile, "exit_code": story.exit_code},
    }
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"


def _machines(story: Story) -> list[tuple[str, tuple[JobStory, ...]]]:
    """What ran on each, with what stands before the names of its rows."""
    several = [(f"{machine.title}: ", machine.jobs) for machine in story.machines]
    return several or [("", story.jobs)]


def _of_machine(jobs: Sequence[JobStory], title: str, first: int) -> list[dict[str, object]]:
    """The events of a machine, and the names of its rows; first: the number before theirs."""
    ran = [job for job in jobs if job.start_s is not None]
    ahead = [(job, p) for job in ran for p in job.environments if p.ahead]
    events: list[dict[str, object]] = []
    rows: dict[tuple[int, int], None] = {}
    for job, lane in in_lanes(ran, lambda job: (job.began_s, job.duration_s)):
        row = (first + _JOBS, lane)
        rows[row] = None
        facts = {"result": job.result, "reason": job.reason, "where": job.where}
        events.append(_span(job.name, "job", job.began_s, job.duration_s, row, facts))
        events += [_environment(job, p, row) for p in job.environments if not p.ahead]
        events += [_command(c, row) for c in job.commands if c.start_s >= job.began_s]
    for (job, made), lane in in_lanes(ahead, lambda pair: (pair[1].start_s, pair[1].duration_s)):
        row = (first + _AHEAD, lane)
        rows[row] = None
        events.append(_environment(job, made, row))
        events += [_command(c, row) for c in job.commands if c.start_s < job.began_s]
    names = {
        first + _JOBS: f"{title}jobs",
        first + _AHEAD: f"{title}environments prepared ahead",
    }
    for pid in dict.fromkeys(pid for pid, _ in rows):
        events.append(_name("process_name", pid, 0, names[pid]))
    events += [_name("thread_name", pid, lane, f"at once {lane + 1}") for pid, lane in rows]
    return events


def _environment(job: JobStory, prepared: Prepared, row: tuple[int, int]) -> dict[str, object]:
    facts = {"reason": prepared.reason, "path": prepared.path, "python": prepared.python}
    name = f"{job.name}: environment {prepared.state}"
    return _span(name, "environment", prepared.start_s, prepared.duration_s, row, facts)


def _command(ran: Ran, row: tuple[int, int]) -> dict[str, object]:
    facts = {"command": ran.show, "returncode": ran.returncode}
    name = ran.show if len(ran.show) <= 80 else ran.show[:80] + " …"
    return _span(name, ran.kind, ran.start_s, ran.duration_s, row, facts)


def _span(
    name: str,
    kind: str,
    start_s: float,
    duration_s: float,
    row: tuple[int, int],
    facts: dict[str, object] | dict[str, str] | dict[str, str | int | None],
) -> dict[str, object]:
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "ts": max(0, round(start_s * 1e6)),
        "dur": round(duration_s * 1e6),
        "pid": row[0],
        "tid": row[1],
        "args": facts,
    }


def _name(what: str, pid: int, tid: int, name: str) -> dict[str, object]:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}}
