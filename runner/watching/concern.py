"""For which jobs a change is one: all of them, but where a session says what it reads.

Knows nothing of how changes are noticed.
"""

from __future__ import annotations

import os

from runner.requirements.files import shown_path
from runner.typed import TYPE_CHECKING
from runner.watching.child import Told
from runner.watching.patterns import is_meant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runner.watching.child import JobRead


class Concern:
    """What the last run has told, as an answer to what changes mean."""

    def __init__(self, root: str) -> None:
        self.told = Told()
        self._root = root

    def learn(self, told: Told) -> None:
        """The jobs are these now. Of an envfile that cannot be loaded those before are known."""
        wrong = told.envfile_is_wrong
        self.told = self.told._replace(envfile_is_wrong=True) if wrong else told

    def files(self) -> set[str]:
        """All that is read by its name, wherever it lies."""
        return {*self.told.read, *(file for job in self.told.jobs for file in job.files)}

    def jobs_of(self, changed: Iterable[str]) -> frozenset[str] | None:
        """The jobs that are to run again; None: all, whichever there are by now.

        Those that require one of them are among them.
        """
        changed = [
            path
            for path in changed
            if not is_meant(shown_path(path, self._root), self.told.outputs)
        ]
        every = self.told.envfile_is_wrong or not self.told.jobs
        if changed and (every or any(self._decides(path) for path in changed)):
            return None
        found = {
            job.name for job in self.told.jobs if any(self._is_for(job, path) for path in changed)
        }
        count = -1
        while count != len(found):
            count = len(found)
            found |= {job.name for job in self.told.jobs if not found.isdisjoint(job.requires)}
        return None if found and len(found) == len(self.told.jobs) else frozenset(found)

    def _decides(self, path: str) -> bool:
        """Whether it has a say in which jobs there are; a new envfile may be an included one."""
        return path in self.told.read or os.path.basename(path) == "envfile.py"

    def _is_for(self, job: JobRead, path: str) -> bool:
        return (
            not job.inputs
            or path in job.files
            or is_meant(shown_path(path, self._root), job.inputs)
        )
