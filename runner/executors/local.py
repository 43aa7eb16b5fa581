"""One job at a time, in this process and its main thread.

A job's commands own the terminal, and a debugger works in its function.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.model import Job
    from runner.running import Outcome


class Local:
    """Runs a job when its outcome is waited for."""

    def __init__(
        self,
        perform: Callable[[Job, tuple[str, ...]], Outcome],
        expect: Callable[[Sequence[Job]], None] = lambda _: None,
    ) -> None:
        """expect: told of the jobs whose turn will come."""
        self._perform = perform
        self._expect = expect
        self._next: tuple[Job, tuple[str, ...]] | None = None

    @property
    def ended_by(self) -> str:
        return ""  # the outcome of the job that it reached tells

    def has_room(self) -> bool:
        return self._next is None

    def expect(self, jobs: Sequence[Job]) -> None:
        # An environment that the next job has too is held by that one, or will be at once.
        held = "" if self._next is None else self._next[0].environment
        self._expect([job for job in jobs if job.environment != held])

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:
        self._next = (job, posargs)

    def wait(self) -> Outcome:
        assert self._next is not None, "nothing was started"
        job, posargs = self._next
        self._next = None
        return self._perform(job, posargs)

    def stop(self) -> None:
        """Nothing runs between two jobs."""

    def close(self) -> None:
        """What a job has started it has ended."""
