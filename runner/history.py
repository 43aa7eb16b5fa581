"""What earlier runs of a project were like: how each job ended, when, and what it took.

A file in the environment folder, with a line for each run. A run reads none of it
and adds its line to the end; what is too old goes when the file has grown. Whatever
in it cannot be read is as if it had never been written.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from itertools import pairwise

from runner.aside import own_name
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.running import EnvironmentReady, JobStarted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.running import Event, Report

NAME = ".history"  # a session may be named `history`, and none begins with a dot

# 10,000 entries are some 500 KB: 50 jobs 200 times, or 10,000 jobs once.
_LONGEST_BYTES = 1_000_000
_KEPT, _KEPT_OF_JOB = 10_000, 20

_NOT_STARTED = "not started"  # instead of skipped: it was not its own wish
_LOST = ("failed", "timed out", "interrupted", _NOT_STARTED)
RESULTS = (*_LOST, "passed", "skipped")
_LATEST = 250_000_000_000  # the year 9892
_MOST_BYTES = 1 << 60
_AS_IT_WAS = ("reused", "kept", "none")  # states of an environment that nothing was done to
_STEADY = 10  # of so many last outcomes
_TURNS = 2  # one is a job that was mended, or broke
_OF_LAST = 10  # passes, which an estimate is made of
RECENT_BYTES = 65_536  # some 2,500 entries, 8 ms to read: what an estimate is worth


class Entry(Record):
    """How a job once ended."""

    at: float  # seconds since the epoch, at the end of its run
    result: str  # a Result, or "not started"
    duration_s: float
    narrowed: bool  # there were arguments or options of its own, so it may have done less
    peak_bytes: int = 0  # the most memory that one of its processes had; 0: nobody knows
    making_s: float = 0.0  # what making its environment took; 0.0: it was there, or nobody knows
    inside_s: float = 0.0  # how much of that is in its duration: not what was made ahead


def path_in(envdir: str) -> str:
    """Where the history of the environments in that folder is."""
    return os.path.join(envdir, NAME)


class Remember:
    """A reporter that adds a run to the history at its end."""

    def __init__(
        self,
        path: str,
        *,
        at: float,
        narrowed: bool,
        make_folder: Callable[[], None] = lambda: None,
    ) -> None:
        """What a run is remembered with.

        at: when it began, in seconds since the epoch. narrowed: whether there were
        arguments behind -- or options of sessions. make_folder: makes the folder of the
        file, where a run without environments has made none.
        """
        self._path = path
        self._at = at
        self._narrowed = narrowed
        self._make_folder = make_folder
        self._started: set[str] = set()
        self._making: dict[str, tuple[float, float]] = {}

    def hear(self, event: Event) -> None:
        """Know which jobs had their turn, and for which an environment was made."""
        if isinstance(event, JobStarted):
            self._started.add(event.job)
        elif isinstance(event, EnvironmentReady) and event.state not in _AS_IT_WAS:
            making_s, inside_s = self._making.get(event.job, (0.0, 0.0))
            within_s = 0.0 if event.ahead else event.duration_s
            self._making[event.job] = (making_s + event.duration_s, inside_s + within_s)

    def close(self, report: Report) -> None:
        """Add the run. What cannot be written is not remembered, and no error."""
        jobs = [
            [
                outcome.job,
                _NOT_STARTED
                if outcome.result == "skipped" and outcome.job not in self._started
                else outcome.result,
                round(outcome.duration_s, 3),
                *_more(outcome.peak_bytes, *self._making.get(outcome.job, (0.0, 0.0))),
            ]
            for outcome in report.outcomes
            if outcome.result != "cached"  # which is how it ended when it ran
        ]
        if not jobs:
            return
        line = _line(self._at + report.duration_s, jobs, narrowed=self._narrowed)
        with suppress(OSError, EnvironmentBroken):  # where nothing can be written it is as none
            try:
                _add(self._path, line)
            except FileNotFoundError:
                self._make_folder()
                _add(self._path, line)


def _more(peak_bytes: int, making_s: float, inside_s: float) -> list[object]:
    """What stands behind the duration of an entry, as far as anything is known."""
    if making_s:
        return [peak_bytes, round(making_s, 3), round(inside_s, 3)]
    return [peak_bytes] if peak_bytes else []


def _line(at: float, jobs: Sequence[object], *, narrowed: bool) -> bytes:
    data = {"at": round(at, 3), "jobs": jobs, **({"narrowed": True} if narrowed else {})}
    # The end of line stands in front: where another run was killed while it wrote,
    # its torn line ends here and takes no other with it.
    return b"\n" + json.dumps(data, separators=(",", ":")).encode("ascii")


def _add(path: str, line: bytes) -> None:
    # One write at the end: of two runs that do so at once neither loses its line.
    with open(path, "ab", buffering=0) as stream:
        stream.write(line)
        if stream.tell() > _LONGEST_BYTES:
            _shorten(path)


def _shorten(path: str) -> None:
    """The file holds the newest entries alone."""
    with open(path, "rb") as old:
        content = old.read()
        kept = b"".join(_newest(content))
        aside = f"{path}.{own_name()}"
        with open(aside, "wb") as stream:
            stream.write(kept)
        os.replace(aside, path)
        # What another run has added to the old file in the meantime.
        late = old.read()
    if late:
        with open(path, "ab", buffering=0) as stream:
            stream.write(late)


def _newest(content: bytes) -> list[bytes]:
    """The lines of the entries that are kept."""
    room, counts = _KEPT, dict[str, int]()
    kept: list[bytes] = []
    for at, all_jobs, narrowed in reversed(_runs(content)):
        jobs: list[list[object]] = []
        for name, result, duration_s, peak_bytes, making, inside in all_jobs:
            counts[name] = counts.get(name, 0) + 1
            if counts[name] <= _KEPT_OF_JOB and room > 0:
                room -= 1
                jobs.append([name, result, duration_s, *_more(peak_bytes, making, inside)])
        if jobs:
            kept.append(_line(at, jobs, narrowed=narrowed))
    return kept[::-1]


# Reading. ----------------------------------------------------------------------------


# When it ended; the jobs, each with its result, duration, memory, and the two times of its
# environment; whether there were arguments.
_Run = tuple[float, tuple[tuple[str, str, float, int, float, float], ...], bool]


def read(path: str, last_bytes: int | None = None) -> dict[str, list[Entry]]:
    """The entries of each job, the newest last; none where there is nothing to read.

    last_bytes: of so much at the end of the file, at least those of the last run.
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return {}
    if last_bytes is not None and len(content) > last_bytes:
        content = content[min(len(content) - last_bytes, content.rstrip(b"\n").rfind(b"\n") + 1) :]
    entries: dict[str, list[Entry]] = {}
    for at, jobs, narrowed in _runs(content):
        for name, result, duration_s, peak_bytes, making, inside in jobs:
            entry = Entry(at, result, duration_s, narrowed, peak_bytes, making, inside)
            entries.setdefault(name, []).append(entry)
    return entries


def _runs(content: bytes) -> list[_Run]:
    runs: list[_Run] = []
    for line in content.split(b"\n"):
        run = _run(line) if line else None
        if run is not None:
            runs.append(run)
    return runs


def _run(line: bytes) -> _Run | None:
    """What a line tells, or None where that is nothing."""
    try:
        data = json.loads(line)
        jobs = tuple(_job(*job[:6]) for job in data["jobs"])
        at = float(data["at"])
        # No NaN is in any range.
        right = all(
            result in RESULTS
            and 0 <= took_s < _LATEST
            and 0 <= peak_bytes < _MOST_BYTES
            and 0 <= inside_s <= making_s < _LATEST
            for _, result, took_s, peak_bytes, making_s, inside_s in jobs
        )
        narrowed = data.get("narrowed", False) is True
        return (at, jobs, narrowed) if right and 0 <= at < _LATEST else None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def _job(
    name: object,
    result: object,
    duration_s: str | float,
    peak_bytes: str | int = 0,
    making_s: str | float = 0.0,
    inside_s: str | float = 0.0,
) -> tuple[str, str, float, int, float, float]:
    """An entry of a line. Raises ValueError or TypeError for what is none."""
    times = (float(making_s), float(inside_s))
    return (str(name), str(result), float(duration_s), int(peak_bytes), *times)


# What follows from it. ------------------------------------------------------------------


def lost_jobs(history: Mapping[str, Sequence[Entry]]) -> frozenset[str]:
    """The jobs that did not pass when they last ran, or should have run."""
    return frozenset(
        name for name, entries in history.items() if entries and entries[-1].result in _LOST
    )


def usual_s(entries: Sequence[Entry], *, narrowed: bool) -> float | None:
    """How long a job takes when it passes: the median of the last times; None: nobody knows."""
    return _usual(entries, narrowed, lambda entry: entry.duration_s)


def own_s(entries: Sequence[Entry], *, narrowed: bool) -> float | None:
    """As `usual_s`, without what it takes to make the job's environment."""
    return _usual(entries, narrowed, lambda entry: max(0.0, entry.duration_s - entry.inside_s))


def making_s(entries: Sequence[Entry]) -> float | None:
    """How long it takes to make its environment, where that was made; None: nobody knows."""
    took = [e.making_s for e in entries if e.making_s]
    return _median(took[-_OF_LAST:]) if took else None


def _usual(
    entries: Sequence[Entry], narrowed: bool, seconds_of: Callable[[Entry], float]
) -> float | None:
    took = [seconds_of(e) for e in entries if e.result == "passed" and e.narrowed == narrowed]
    return _median(took[-_OF_LAST:]) if took else None


def _median(values: Sequence[float]) -> float:
    # The one of `statistics` costs 30 ms to import (Python 3.11).
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else sum(ordered[middle - 1 : middle + 1]) / 2


def is_flaky(entries: Sequence[Entry]) -> bool:
    """Whether a job passes and fails by turns.

    It turned at least twice in its last ten runs: a job that was mended, or that
    broke, turns once.
    """
    ended = [e.result == "passed" for e in entries if e.result in ("passed", "failed", "timed out")]
    last = ended[-_STEADY:]
    return sum(one != other for one, other in pairwise(last)) >= _TURNS
