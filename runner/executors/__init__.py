"""Where jobs run: what the scheduler needs of an executor, and what all make of an outcome."""

from __future__ import annotations

from runner.running import GOOD
from runner.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import Job
    from runner.running import Outcome


class Executor(Protocol):
    """Runs jobs. It knows nothing of sessions: what it does for a job is handed to it."""

    @property
    def ended_by(self) -> str:
        """The name of the signal that asks the whole run to end; empty as long as none came."""
        ...

    def has_room(self) -> bool:
        """Whether one more job may be started now."""
        ...

    def expect(self, jobs: Sequence[Job]) -> None:
        """These jobs will be started later, in this order, unless something comes between."""
        ...

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        """Start a job; its Outcome comes from `wait`."""
        ...

    def wait(self) -> Outcome:
        """The Outcome of a started job that has ended; waits for one."""
        ...

    def stop(self) -> None:
        """End what runs. Their outcomes still come from `wait`."""
        ...

    def close(self) -> None:
        """Nothing that was started is left; to be called at the end, whatever happened."""
        ...


def cut_short(outcome: Outcome, ended_by: str) -> Outcome:
    """What became of a job whose run was asked to end by that signal; empty: it was not."""
    if ended_by and outcome.result in GOOD:
        # Nobody knows whether it has passed or was cut short.
        return outcome._replace(result="interrupted", reason=ended_by)
    return outcome
