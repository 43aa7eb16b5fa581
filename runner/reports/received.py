"""A JSON report (`as_json.py`) read again: the run that it tells of.

Knows nothing of files.
"""

from __future__ import annotations

import json
import os
from datetime import datetime

from runner.history import Entry
from runner.record import Record
from runner.reports.collected import JobStory, Line, Prepared, Ran, Story
from runner.running import Part, Shard
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Data = Mapping[str, Any]


class Received(Record):
    """A run that a machine has told of, and what it was told with."""

    story: Story
    runenv: str
    python: str
    platform: str


def read(text: str) -> Received:
    """The run that a report tells of. Raises ValueError where the text is no report."""
    try:
        data = cast("Data", json.loads(text))
        if data["version"] != 1:
            raise ValueError("a later runenv has written it")
        if "machines" in data:
            raise ValueError("it is joined already: hand over the reports that it was made of")
        return Received(
            story=_story(data),
            runenv=str(data["runenv"]),
            python=str(data["python"]),
            platform=str(data["platform"]),
        )
    except KeyError as error:
        raise ValueError(f"it has no {error}") from None
    except (TypeError, AttributeError, RecursionError):
        raise ValueError("it is some other JSON") from None


def _story(data: Data) -> Story:
    envfile = str(data["envfile"])
    return Story(
        root=os.path.dirname(envfile),
        envfile=envfile,
        posargs=tuple(map(str, data["posargs"])),
        at=_seconds(data["started"]),
        duration_s=float(data["duration_s"]),
        interrupted_by=str(data["interrupted_by"]),
        exit_code=int(data["exit_code"]),
        jobs=tuple(map(_job, data["jobs"])),
        part=_part(data["shard"]) if data.get("shard") else None,
    )


def _part(data: Data) -> Part:
    shards = tuple(
        Shard(tuple(each["jobs"]), tuple(each["requires"]), each["estimate_s"])
        for each in data["shards"]
    )
    number = int(data["number"])
    if not 1 <= number <= len(shards):
        raise ValueError(f"it has no shard {number}")
    return Part(number, shards)


def _job(data: Data) -> JobStory:
    return JobStory(
        name=data["name"],
        session=data["session"],
        doc=data["description"],
        python=data["python"],
        parameters=dict(data["parameters"]),
        tags=tuple(data["tags"]),
        requires=tuple(data["requires"]),
        where=data["where"],
        result=data["result"],
        reason=data["reason"],
        attempts=data["attempts"],
        start_s=data["started_s"],
        duration_s=data["duration_s"],
        environments=tuple(map(_environment, data["environments"])),
        commands=tuple(map(_command, data["commands"])),
        log=tuple(Line(each["at_s"], each["level"], each["text"]) for each in data["log"]),
        left_out=data["log_left_out"],
        past=tuple(map(_entry, data["earlier"])),
        usual_s=data["usual_s"],
        flaky=data["flaky"],
        peak_bytes=data["peak_memory_bytes"] or 0,
    )


def _environment(data: Data) -> Prepared:
    return Prepared(
        state=data["state"],
        reason=data["reason"],
        path=data["path"],
        python=data["python"],
        start_s=data["started_s"],
        duration_s=data["duration_s"],
        ahead=data["ahead"],
        linked=data["from_store"],
    )


def _command(data: Data) -> Ran:
    return Ran(
        kind=data["kind"],
        show=data["command"],
        start_s=data["started_s"],
        duration_s=data["duration_s"],
        returncode=data["returncode"],
        timed_out=data["timed_out"],
    )


def _entry(data: Data) -> Entry:
    return Entry(
        at=_seconds(data["ended"]),
        result=data["result"],
        duration_s=data["duration_s"],
        narrowed=data["posargs"],
        peak_bytes=data["peak_memory_bytes"] or 0,
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
