"""What noxfiles reach into behind a session: its runner, the settings of the run, all sessions.

Nothing here acts: it is what nox would show there.
"""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from runner.compat.declared import Func
    from runner.compat.options import Options


class GlobalConfig:
    """The settings of the run, as nox has them."""

    def __init__(self, options: Options, invoked_from: str, noxfile: str) -> None:
        self.__dict__.update({name: getattr(options, name) for name in dir(options)})
        self.invoked_from = invoked_from
        self.noxfile = noxfile
        self.install_only = False
        self.no_install = False
        self.non_interactive = False
        self.no_dependencies = False
        self.parallel_worker = False
        self.posargs: list[str] = []
        self.envdir = ""

    if TYPE_CHECKING:  # what nox.options has, too

        def __getattr__(self, name: str) -> Any: ...


class Runner:
    """A job, as nox has it: `session._runner`, and what a listing of all sessions holds."""

    def __init__(
        self, name: str, signatures: Sequence[str], func: Func, job: str, *, multi: bool
    ) -> None:
        self.name = name
        self.signatures = list(signatures)
        self.func = func
        self.multi = multi
        self.job = job
        self.posargs: list[str] = []
        self.venv: Any = None
        self.global_config: Any = None
        self.manifest: Any = None
        self.result = None

    @property
    def friendly_name(self) -> str:
        """The name that nox lists."""
        return self.signatures[0] if self.signatures else self.name

    @property
    def tags(self) -> list[str]:
        """The tags of the session."""
        return self.func.tags

    @property
    def description(self) -> str | None:
        """The first line of the docstring."""
        doc = self.func.__doc__
        return doc.strip().split("\n")[0] if doc else None

    @property
    def envdir(self) -> str:
        """The folder of the environment."""
        return str(self.venv.location) if self.venv is not None else ""

    def __repr__(self) -> str:
        return f"<SessionRunner {self.name}: {self.signatures!r}>"


class Manifest:
    """All sessions: `session._runner.manifest`."""

    def __init__(self, runners: Sequence[Runner], chosen: set[str], notify: Any) -> None:
        """chosen: the jobs of a plain run."""
        self._all_sessions = list(runners)
        self._queue = [runner for runner in runners if runner.job in chosen]
        self.notify = notify

    def list_all_sessions(self) -> Iterator[tuple[Runner, bool]]:
        """Each session, and whether a plain run has it."""
        for runner in self._all_sessions:
            yield runner, runner in self._queue

    def __contains__(self, needle: object) -> bool:
        return any(needle in (r, r.name, *r.signatures) for r in self._all_sessions)

    def __getitem__(self, key: str) -> Runner:
        for runner in self._all_sessions:
            if key in (runner.name, *runner.signatures):
                return runner
        raise KeyError(key)


class Noxfile(Record):
    """What all sessions of a noxfile share when they run."""

    path: str
    options: Options
    runners: dict[str, Runner]  # by the name of the job
    chosen: set[str]  # the jobs of a plain run
    invoked_from: str
