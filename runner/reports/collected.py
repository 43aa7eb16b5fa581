"""A run as a whole, made of its events: what a report that is a file is written from.

Knows nothing of files or of their forms.
"""

from __future__ import annotations

from collections import deque

from runner.history import is_flaky, usual_s
from runner.record import Record
from runner.reports.texts import encodable, plain_value
from runner.running import (
    GOOD,
    KEPT_CHARACTERS,
    CommandEnded,
    CommandStarted,
    EnvironmentReady,
    JobStarted,
    Origin,
    Said,
    Shown,
)
from runner.signals import signals_held_back
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    from runner.history import Entry
    from runner.model import Job
    from runner.reports.texts import Plain
    from runner.running import (
        CommandKind,
        EnvironmentState,
        Event,
        Outcome,
        Part,
        Report,
        Result,
    )

    Level = Literal["debug", "info", "warning", "error", "output"]

_PAST = 20  # earlier runs of a job that are told


class Beginning(Record):
    """What is known of a run when it begins."""

    root: str
    envfile: str
    jobs: Mapping[str, Job]  # all that there are: any may be notified
    posargs: tuple[str, ...]
    at: float  # seconds since the epoch
    clock_s: float  # the same moment by the World's clock, which events are stamped with
    history: Mapping[str, Sequence[Entry]]  # before this run
    part: Part | None = None  # None: the run is no shard of a larger one
    origin: Origin = Origin()
    narrowed: bool = False  # jobs were given arguments, behind -- or of their own


# All times of what follows are in seconds since the run began, and all text can be
# encoded.


class Ran(Record):
    """A command."""

    kind: CommandKind
    show: str
    start_s: float
    duration_s: float
    returncode: int | None  # None: it did not come to its end
    timed_out: bool


class Prepared(Record):
    """An environment that was brought to what is declared."""

    state: EnvironmentState
    reason: str
    path: str
    python: str
    start_s: float
    duration_s: float
    ahead: bool
    linked: bool  # from the store


class Line(Record):
    """Something that was told: by runenv, by the session, or by a command's kept output."""

    at_s: float
    level: Level
    text: str


class JobStory(Record):
    """All that is known of one job."""

    name: str
    session: str
    doc: str
    python: str | None  # as declared
    parameters: Mapping[str, Plain]
    options: Mapping[str, Plain]  # of its own, as far as they were given
    tags: tuple[str, ...]
    requires: tuple[str, ...]
    after: tuple[str, ...]  # of all jobs, those too that did not run
    shared: str  # the environment that it shares; empty: none
    exclusive: tuple[str, ...]
    where: str
    result: Result
    reason: str
    attempts: int  # the last of which ended so; 0: its turn never came
    start_s: float | None  # None: its turn never came
    duration_s: float
    environments: tuple[Prepared, ...]
    commands: tuple[Ran, ...]
    log: tuple[Line, ...]
    left_out: int  # characters, before what the log has
    past: tuple[Entry, ...]  # the newest last, without this run
    usual_s: float | None  # how long it takes when it passes
    flaky: bool
    peak_bytes: int  # as in Outcome
    machine: int = 0  # of several, from 1 on; 0: there is one alone
    lost_workers: tuple[str, ...] = ()  # as in Outcome

    @property
    def passed(self) -> bool:
        """Whether it did what was asked of it."""
        return self.result in GOOD

    @property
    def went_wrong(self) -> bool:
        """Whether it was begun and did not pass: people look for the reason."""
        return not self.passed and self.result != "skipped"

    @property
    def began_s(self) -> float:
        """When it started, in a drawing of the run: one that did not has no length there."""
        return self.start_s or 0.0

    def said(self, *levels: str) -> str:
        """What was told at these levels, as one text."""
        told = (line.text for line in self.log if line.level in levels)
        return "".join(text if text.endswith("\n") else text + "\n" for text in told if text)


class Machine(Record):
    """One of several machines whose runs are told as one."""

    title: str  # shard 2/3
    runenv: str  # versions; empty where nobody knows
    python: str
    platform: str
    start_s: float
    duration_s: float
    exit_code: int | None  # None: it has sent no report
    interrupted_by: str
    jobs: tuple[JobStory, ...]  # what ran there, also what others required too

    @property
    def is_lost(self) -> bool:
        """Whether nobody knows what became of its jobs."""
        return self.exit_code is None


class Story(Record):
    """A run from its beginning to its end."""

    root: str
    envfile: str
    posargs: tuple[str, ...]
    at: float  # when it began, in seconds since the epoch
    duration_s: float
    interrupted_by: str
    exit_code: int
    jobs: tuple[JobStory, ...]  # in the order in which they were settled
    part: Part | None = None  # what of several machines' jobs the run is
    machines: tuple[Machine, ...] = ()  # those whose runs it is made of
    origin: Origin = Origin()


class Collector:
    """A reporter that hands the whole run, at its end, to who writes about it."""

    def __init__(self, beginning: Beginning, tell: Sequence[Callable[[Story], None]]) -> None:
        self._beginning = beginning
        self._tell = tell
        self._jobs: dict[str, _Notes] = {}

    def hear(self, event: Event) -> None:
        """Note what a report may need of the event."""
        if isinstance(event, (JobStarted, EnvironmentReady, CommandStarted, CommandEnded)):
            self._of(event.job).note(event, event.at_s - self._beginning.clock_s)
        elif isinstance(event, Said):
            self._say(event.job, event.at_s, event.level, event.text)
        elif isinstance(event, Shown):
            self._say(event.job, event.at_s, "output", event.text, event.left_out)
        # Of JobEnded nothing: the outcomes come with the end.

    def close(self, report: Report) -> None:
        """Hand over all that happened."""
        here = self._beginning
        story = Story(
            root=encodable(here.root),
            envfile=encodable(here.envfile),
            posargs=tuple(map(encodable, here.posargs)),
            at=here.at,
            duration_s=report.duration_s,
            interrupted_by=report.interrupted_by,
            exit_code=report.exit_code,
            jobs=tuple(self._story_of(outcome) for outcome in report.outcomes),
            part=here.part,
            origin=Origin(*map(encodable, here.origin)),
        )
        with signals_held_back():  # a second Ctrl-C takes no report away
            for tell in self._tell:
                tell(story)

    def _of(self, job: str) -> _Notes:
        return self._jobs.setdefault(job, _Notes())

    def _say(
        self,
        job: str,
        at_s: float,
        level: Level,
        text: str,
        left_out: int = 0,
    ) -> None:
        kept = text[-KEPT_CHARACTERS:]
        line = Line(at_s - self._beginning.clock_s, level, encodable(kept))
        self._of(job).say(line, left_out + len(text) - len(kept))

    def _story_of(self, outcome: Outcome) -> JobStory:
        here, notes = self._beginning, self._of(outcome.job)
        job, past = here.jobs.get(outcome.job), here.history.get(outcome.job, ())
        return JobStory(
            name=encodable(outcome.job),
            session=encodable(job.spec.name if job else outcome.job),
            doc=encodable(job.spec.doc.partition("\n")[0]) if job else "",
            python=job.python if job else None,
            parameters={
                encodable(name): plain_value(value)
                for name, value in (job.arguments if job else ())
            },
            options={
                encodable(name): plain_value(value) for name, value in (job.options if job else ())
            },
            tags=tuple(map(encodable, job.tags)) if job else (),
            requires=tuple(map(encodable, job.requires)) if job else (),
            after=tuple(map(encodable, job.after)) if job else (),
            shared=encodable(job.shared) if job else "",
            exclusive=tuple(map(encodable, job.spec.exclusive)) if job else (),
            where=encodable(job.spec.where) if job else "",
            result=outcome.result,
            reason=encodable(outcome.reason),
            attempts=0 if notes.start_s is None else outcome.attempts,
            start_s=notes.start_s,
            duration_s=outcome.duration_s,
            environments=tuple(notes.environments),
            commands=notes.all_commands(outcome.duration_s),
            log=tuple(notes.log),
            left_out=notes.left_out,
            past=tuple(past[-_PAST:]),
            usual_s=usual_s(past, narrowed=here.narrowed),
            flaky=is_flaky(past),
            peak_bytes=outcome.peak_bytes,
            lost_workers=outcome.lost_workers,
        )


class _Notes:
    """What was heard of one job."""

    def __init__(self) -> None:
        self.start_s: float | None = None
        self.environments: list[Prepared] = []
        self._ended: list[Ran] = []
        self._begun: list[Ran] = []
        self.log: deque[Line] = deque()
        self.left_out = 0
        self._length = 0

    def note(
        self, event: JobStarted | EnvironmentReady | CommandStarted | CommandEnded, at_s: float
    ) -> None:
        """Note an event; at_s: since the run began."""
        if isinstance(event, JobStarted):
            self.start_s = at_s
        elif isinstance(event, EnvironmentReady):
            self.environments.append(
                Prepared(
                    state=event.state,
                    reason=encodable(event.reason),
                    path=encodable(event.path),
                    python=encodable(event.python),
                    start_s=at_s - event.duration_s,
                    duration_s=event.duration_s,
                    ahead=event.ahead,
                    linked=event.linked,
                )
            )
        elif isinstance(event, CommandStarted):
            self._begun.append(Ran(event.kind, encodable(event.show), at_s, 0.0, None, False))
        else:
            show = encodable(event.show)
            start_s = at_s - event.duration_s
            self._ended.append(
                Ran(event.kind, show, start_s, event.duration_s, event.returncode, event.timed_out)
            )
            # One that is tried again has started once, and ends several times.
            mine = (n for n, ran in enumerate(self._begun) if ran[:2] == (event.kind, show))
            number = next(mine, None)
            if number is not None:
                del self._begun[number]

    def say(self, line: Line, left_out: int) -> None:
        """Keep what was told; of very much the end."""
        self.log.append(line)
        self._length += len(line.text)
        self.left_out += left_out
        while self._length > KEPT_CHARACTERS and len(self.log) > 1:
            gone = len(self.log.popleft().text)
            self._length -= gone
            self.left_out += gone

    def all_commands(self, duration_s: float) -> tuple[Ran, ...]:
        """All of them, in the order in which they started; duration_s: of the job."""
        end_s = (self.start_s or 0.0) + duration_s
        left = (ran._replace(duration_s=max(0.0, end_s - ran.start_s)) for ran in self._begun)
        return tuple(sorted([*self._ended, *left], key=lambda ran: ran.start_s))
