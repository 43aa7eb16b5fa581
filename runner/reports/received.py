"""A JSON report (`as_json.py`) read again: the run that it tells of.

Believes nothing: it comes from another machine, perhaps another runenv, and what is made
of it are reports too. Knows nothing of files.
"""

from __future__ import annotations

import json
import os
from datetime import datetime

from runner.errors import some_of
from runner.history import RESULTS, Entry
from runner.record import Record
from runner.reports.collected import JobStory, Line, Prepared, Ran, Story
from runner.reports.texts import encodable, plain_value
from runner.running import Origin, Part
from runner.settings import is_dict, is_list, is_number
from runner.shard_plans import shards_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn, TypeVar

    from runner.reports.collected import Level
    from runner.reports.texts import Plain
    from runner.running import CommandKind, EnvironmentState, Result

    One = TypeVar("One")
    Word = TypeVar("Word", bound=str)

_VERSION = 1
_LATEST_S = 250_000_000_000  # the year 9892
_LONGEST_S = 1_000_000_000  # of all else, 30 years
_MOST = 1 << 60
_SHOWN = 40  # characters of what is wrong

_RESULTS: tuple[Result, ...] = ("passed", "failed", "skipped", "cached", "interrupted", "timed out")
_STATES: tuple[EnvironmentState, ...] = (
    "reused",
    "updated",
    "upgraded",
    "created",
    "rebuilt",
    "kept",
    "none",
)
_KINDS: tuple[CommandKind, ...] = ("run", "install", "build", "export", "make", "forget")
_LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "output")


class Received(Record):
    """A run that a machine has told of, and what it was told with."""

    story: Story
    runenv: str
    python: str
    platform: str


def read(content: bytes) -> Received:
    """The run that a report tells of. Raises ValueError, with the reason, where it is none."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not is_dict(data) or "jobs" not in data:
        raise ValueError("it is other JSON")
    fields = _Fields(data)
    version = fields.value("version")
    if version != _VERSION:
        raise ValueError(f"its version is {version!r:.40}, and this runenv reads {_VERSION}")
    if "machines" in data:
        raise ValueError("it is joined already: hand over the reports that it was made of")
    return Received(
        story=_story(fields),
        runenv=fields.text("runenv"),
        python=fields.text("python"),
        platform=fields.text("platform"),
    )


class _Fields:
    """The fields of a JSON object. Each raises ValueError for what it should not be."""

    def __init__(self, data: dict[object, object]) -> None:
        self._data = data

    def value(self, name: str) -> object:
        if name not in self._data:
            raise ValueError(f"it has no {name!r}")
        return self._data[name]

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._data.get(name) is not None

    def text(self, name: str) -> str:
        value = self.value(name)
        return encodable(value) if isinstance(value, str) else self._wrong(name, "text")

    def one_of(self, name: str, known: Sequence[Word]) -> Word:
        value = self.value(name)
        found = [word for word in known if word == value]
        return found[0] if found else self._wrong(name, f"one of {', '.join(known)}")

    def flag(self, name: str) -> bool:
        value = self.value(name)
        return value if isinstance(value, bool) else self._wrong(name, "true or false")

    def seconds(self, name: str) -> float:
        value = self.value(name)
        if is_number(value) and 0 <= value <= _LONGEST_S:  # nor is NaN
            return float(value)
        return self._wrong(name, "a time in seconds")

    def number(self, name: str, least: int = 0) -> int:
        value = self.value(name)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST:
            return value
        return self._wrong(name, "a whole number")

    def moment(self, name: str) -> float:
        """Seconds since the epoch."""
        text = self.text(name)
        try:
            at = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            at = -1.0
        return at if 0 <= at < _LATEST_S else self._wrong(name, "a date and time")

    def items(self, name: str) -> list[object]:
        value = self.value(name)
        return list(value) if is_list(value) else self._wrong(name, "a list")

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.items(name)
        if not all(isinstance(each, str) for each in found):
            self._wrong(name, "a list of texts")
        return tuple(encodable(str(each)) for each in found)

    def objects(self, name: str, make: Callable[[_Fields], One]) -> tuple[One, ...]:
        """What is made of each object of a list."""
        return tuple(
            make(_Fields(each)) if is_dict(each) else self._wrong(name, "a list of objects")
            for each in self.items(name)
        )

    def inner(self, name: str) -> dict[object, object]:
        value = self.value(name)
        return value if is_dict(value) else self._wrong(name, "an object")

    def _wrong(self, name: str, right: str) -> NoReturn:
        shown = repr(self._data[name])
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        raise ValueError(f"its {name!r} is {shown}, not {right}")


def _story(run: _Fields) -> Story:
    envfile = run.text("envfile")
    story = Story(
        root=os.path.dirname(envfile),
        envfile=envfile,
        posargs=run.texts("posargs"),
        at=run.moment("started"),
        duration_s=run.seconds("duration_s"),
        interrupted_by=run.text("interrupted_by"),
        exit_code=run.number("exit_code"),
        jobs=run.objects("jobs", _job),
        part=_part(_Fields(run.inner("shard"))) if run.has("shard") else None,
        origin=Origin(
            run.text("commit") if run.has("commit") else "",
            run.text("engine_run") if run.has("engine_run") else "",
        ),
    )
    told = {job.name for job in story.jobs}
    silent = [name for name in (story.part.shard.jobs if story.part else ()) if name not in told]
    if silent:
        raise ValueError(f"it does not tell of {some_of(silent)}, which its shard has")
    return story


def _part(shard: _Fields) -> Part:
    shards = shards_of(shard.value("shards"))
    number = shard.number("number", 1)
    if number > len(shards):
        raise ValueError(f"it has no shard {number}")
    return Part(number, shards)


def _job(job: _Fields) -> JobStory:
    return JobStory(
        name=job.text("name"),
        session=job.text("session"),
        doc=job.text("description"),
        python=job.text("python") if job.has("python") else None,
        parameters=_values(job.inner("parameters")),
        options=_values(job.inner("options")) if job.has("options") else {},
        tags=job.texts("tags"),
        requires=job.texts("requires"),
        after=job.texts("after"),
        shared=job.text("shares") if job.has("shares") else "",
        exclusive=job.texts("exclusive"),
        where=job.text("where"),
        result=job.one_of("result", _RESULTS),
        reason=job.text("reason"),
        attempts=job.number("attempts"),
        start_s=job.seconds("started_s") if job.has("started_s") else None,
        duration_s=job.seconds("duration_s"),
        environments=job.objects("environments", _environment),
        commands=job.objects("commands", _command),
        log=job.objects("log", _line),
        left_out=job.number("log_left_out"),
        past=job.objects("earlier", _entry),
        usual_s=job.seconds("usual_s") if job.has("usual_s") else None,
        flaky=job.flag("flaky"),
        peak_bytes=_peak_bytes(job),
        lost_workers=job.texts("lost_workers"),
    )


def _values(found: Mapping[object, object]) -> dict[str, Plain]:
    return {encodable(str(name)): plain_value(value) for name, value in found.items()}


def _environment(made: _Fields) -> Prepared:
    return Prepared(
        state=made.one_of("state", _STATES),
        reason=made.text("reason"),
        path=made.text("path"),
        python=made.text("python"),
        start_s=made.seconds("started_s"),
        duration_s=made.seconds("duration_s"),
        ahead=made.flag("ahead"),
        linked=made.flag("from_store"),
    )


def _command(ran: _Fields) -> Ran:
    return Ran(
        kind=ran.one_of("kind", _KINDS),
        show=ran.text("command"),
        start_s=ran.seconds("started_s"),
        duration_s=ran.seconds("duration_s"),
        returncode=ran.number("returncode", -_MOST) if ran.has("returncode") else None,
        timed_out=ran.flag("timed_out"),
    )


def _line(line: _Fields) -> Line:
    return Line(line.seconds("at_s"), line.one_of("level", _LEVELS), line.text("text"))


def _entry(entry: _Fields) -> Entry:
    return Entry(
        at=entry.moment("ended"),
        result=entry.one_of("result", RESULTS),
        duration_s=entry.seconds("duration_s"),
        narrowed=entry.flag("posargs"),
        peak_bytes=_peak_bytes(entry),
    )


def _peak_bytes(data: _Fields) -> int:
    return data.number("peak_memory_bytes") if data.has("peak_memory_bytes") else 0
