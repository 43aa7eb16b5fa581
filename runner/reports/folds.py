"""What folds lines in the log of a CI engine: marks around the output of a job.

Knows nothing of what stands between them.
"""

from __future__ import annotations

import os
import time

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class GitHubFolds:
    """By "Grouping log lines" of GitHub's "Workflow commands". There are none in others."""

    def begin(self, name: str, ago_s: float) -> str:
        del ago_s  # GitHub takes the time of the line
        return f"::group::{name.replace('%', '%25')}\n"

    def end(self) -> str:
        return "::endgroup::\n"


class GitLabFolds:
    """By "Custom collapsible sections" of GitLab's "CI/CD job logs"."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """clock: tells the seconds since the epoch."""
        self._clock = clock
        self._number = 0

    def begin(self, name: str, ago_s: float) -> str:
        self._number += 1
        began = int(self._clock() - ago_s)
        return f"\x1b[0Ksection_start:{began}:{self._name()}[collapsed=true]\r\x1b[0K{name}\n"

    def end(self) -> str:
        return f"\x1b[0Ksection_end:{int(self._clock())}:{self._name()}\r\x1b[0K\n"

    def _name(self) -> str:
        """One that no other run has whose output stands in the same log."""
        return f"runenv_{os.getpid()}_{self._number}"
