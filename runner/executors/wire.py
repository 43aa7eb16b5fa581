"""What a worker tells the process that started it, as lines of JSON.

No pickle: a line is read as what it says, and executes nothing.
"""

from __future__ import annotations

import json

from runner.running import (
    KEPT_CHARACTERS,
    CommandEnded,
    CommandStarted,
    EnvironmentReady,
    JobStarted,
    Outcome,
    Said,
    Shown,
)
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from runner.running import Event

_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        JobStarted,
        EnvironmentReady,
        CommandStarted,
        CommandEnded,
        Shown,
        Said,
        Outcome,
    )
}


def to_line(told: Event | Outcome) -> bytes:
    """The line that tells of an event or an outcome; empty for what is not told.

    Of output that was kept back the end is told: the job's log has all of it.
    """
    if isinstance(told, Shown) and len(told.text) > KEPT_CHARACTERS:
        more = len(told.text) - KEPT_CHARACTERS
        told = told._replace(text=told.text[more:], left_out=told.left_out + more)
    name = type(told).__name__
    # In ASCII: what was half of a surrogate pair stays so.
    return json.dumps([name, *told]).encode("ascii") + b"\n" if name in _KINDS else b""


def from_line(line: bytes) -> Event | Outcome:
    """What a line tells of."""
    name, *fields = json.loads(line)
    told: Event | Outcome = _KINDS[name](*fields)
    if isinstance(told, Outcome):
        notified = ((n, None if words is None else tuple(words)) for n, words in told.notified)
        lost = tuple(told.lost_workers)
        return told._replace(notified=tuple(notified), lost_workers=lost)
    return told
