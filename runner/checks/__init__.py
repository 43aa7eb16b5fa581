"""What of this machine and this project could go wrong: a check looks at one thing.

A check returns what it has found, each with its mend, and changes nothing.
"""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from runner.errors import RunnerError
    from runner.model import Project, Settings

    State = Literal["good", "warning", "broken"]


class Finding(Record):
    """One thing that was looked at."""

    check: str  # what was looked at, a word
    state: State
    what: str
    mend: str = ""  # of all that is not good


class Here(Record):
    """What the checks look at."""

    root: str  # the project's folder, or the working folder
    envdir: str
    environ: Mapping[str, str]
    settings: Settings
    project: Project | None


def broken(check: str, error: RunnerError) -> Finding:
    what = f"{error.where}: {error.what}" if error.where else error.what
    return Finding(check, "broken", what, error.mend)
