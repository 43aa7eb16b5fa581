"""A run as JSON, by the schema in docs/reference/report.schema.json: for programs."""

from __future__ import annotations

import json
import platform
from datetime import datetime, timezone

from runner import __version__
from runner.shard_plans import facts_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.reports.collected import JobStory, Line, Machine, Prepared, Ran, Story
    from runner.running import Part


def render(story: Story) -> str:
    """All that the story has."""
    data = {
        "version": 1,
        "runenv": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "envfile": story.envfile,
        "started": _time(story.at),
        "duration_s": _rounded(story.duration_s),
        "exit_code": story.exit_code,
        "interrupted_by": story.interrupted_by,
        "posargs": list(story.posargs),
        "commit": story.origin.commit,
        "engine_run": story.origin.run,
        **({"shard": _part(story.part)} if story.part else {}),
        **({"machines": list(map(_machine, story.machines))} if story.machines else {}),
        "jobs": [_job(job) for job in story.jobs],
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _part(part: Part) -> dict[str, object]:
    """Which shard it is, and all of them, so that who joins them knows what is missing."""
    return {"number": part.number, "total": len(part.shards), "shards": facts_of(part.shards)}


def _machine(machine: Machine) -> dict[str, object]:
    return {
        "title": machine.title,
        "runenv": machine.runenv,
        "python": machine.python,
        "platform": machine.platform,
        "started_s": _rounded(machine.start_s),
        "duration_s": _rounded(machine.duration_s),
        "exit_code": machine.exit_code,
        "interrupted_by": machine.interrupted_by,
        "jobs": [job.name for job in machine.jobs],
    }


def _job(job: JobStory) -> dict[str, object]:
    return {
        "name": job.name,
        **({"machine": job.machine} if job.machine else {}),
        "session": job.session,
        "description": job.doc,
        "python": job.python,
        "parameters": dict(job.parameters),
        "options": dict(job.options),
        "tags": list(job.tags),
        "requires": list(job.requires),
        "after": list(job.after),
        "shares": job.shared or None,
        "exclusive": list(job.exclusive),
        "where": job.where,
        "result": job.result,
        "reason": job.reason,
        "attempts": job.attempts,
        "started_s": None if job.start_s is None else _rounded(job.start_s),
        "duration_s": _rounded(job.duration_s),
        "usual_s": None if job.usual_s is None else _rounded(job.usual_s),
        "flaky": job.flaky,
        "peak_memory_bytes": job.peak_bytes or None,
        "lost_workers": list(job.lost_workers),
        "environments": [_environment(prepared) for prepared in job.environments],
        "commands": [_command(ran) for ran in job.commands],
        "log": [_line(line) for line in job.log],
        "log_left_out": job.left_out,
        "earlier": [
            {
                "ended": _time(entry.at),
                "result": entry.result,
                "duration_s": entry.duration_s,
                "posargs": entry.narrowed,
                "peak_memory_bytes": entry.peak_bytes or None,
            }
            for entry in job.past
        ],
    }


def _environment(prepared: Prepared) -> dict[str, object]:
    return {
        "state": prepared.state,
        "reason": prepared.reason,
        "path": prepared.path,
        "python": prepared.python,
        "started_s": _rounded(prepared.start_s),
        "duration_s": _rounded(prepared.duration_s),
        "ahead": prepared.ahead,
        "from_store": prepared.linked,
    }


def _command(ran: Ran) -> dict[str, object]:
    return {
        "kind": ran.kind,
        "command": ran.show,
        "started_s": _rounded(ran.start_s),
        "duration_s": _rounded(ran.duration_s),
        "returncode": ran.returncode,
        "timed_out": ran.timed_out,
    }


def _line(line: Line) -> dict[str, object]:
    return {"at_s": _rounded(line.at_s), "level": line.level, "text": line.text}


def _rounded(seconds: float) -> float:
    """To the microsecond: further digits tell nothing."""
    return max(0.0, round(seconds, 6))


def _time(at: float) -> str:
    """In UTC, by RFC 3339."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
