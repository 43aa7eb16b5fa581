"""Asks at the terminal, before a run, whether sessions that say `confirm=` may run.

Knows nothing of what becomes of a session that may not.
"""

from __future__ import annotations

import sys

from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.model import Job

_YES, _NO = ("y", "yes"), ("", "n", "no")


def can_ask() -> bool:
    """Whether somebody is there who sees a question and can answer it."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def ask_for(jobs: Iterable[Job]) -> dict[str, bool]:
    """What was answered for each session among the jobs that asks, by its name."""
    asking: dict[str, list[Job]] = {}
    for job in jobs:
        if job.spec.confirm:
            asking.setdefault(job.spec.name, []).append(job)
    return {name: _ask(_question(name, members)) for name, members in asking.items()}


def _question(session: str, jobs: list[Job]) -> str:
    """One question for all jobs of a session."""
    meant = jobs[0].name if len(jobs) == 1 else f"{session} ({len(jobs)} jobs)"
    return f"{meant}: {jobs[0].spec.confirm}"


def _ask(question: str) -> bool:
    """Whether the answer is yes. Only that word is: whoever presses Return has not read."""
    while True:
        tell(sys.stderr, f"{question} [y/N] ")
        line = sys.stdin.readline()
        answer = line.strip().casefold()
        if answer in (*_YES, *_NO):
            if not line:  # Ctrl-D, which leaves the cursor where it is
                tell(sys.stderr, "\n")
            return answer in _YES
        tell(sys.stderr, "y or n\n")
