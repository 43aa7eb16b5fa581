"""Every record of a run, in the order in which it flows.

What a job runs in, what runs, and what is told.

A file of its own beside `model.py`, because a listing needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    Result = Literal["passed", "failed", "skipped", "cached", "interrupted", "timed out"]
    EnvironmentState = Literal[
        "reused", "updated", "upgraded", "created", "rebuilt", "kept", "none"
    ]
    # make: the environment itself; forget: what the installer's cache has of a package
    InstallerKind = Literal["make", "install", "build", "export", "forget"]
    CommandKind = Literal["run", InstallerKind]

GOOD = ("passed", "cached")  # what a job that did what was asked of it ended with


# What a job runs in. ------------------------------------------------------------


class Interpreter(Record):
    """A Python that was asked what it is."""

    path: str  # as found, what environments are made with
    real_path: str  # with links resolved
    version: str  # 3.13.0, 3.14.0b2
    implementation: str  # cpython, pypy
    build: str  # what sys.version says, on one line
    platform: str  # linux-x86_64
    free_threaded: bool
    stamp: str  # size and time of the file, "SIZE:NANOSECONDS"


class Ingredient(Record):
    """One labelled thing that decides what an environment is.

    The journal keeps ingredients; equal ones mean reuse, and the label of one
    that differs is what the user is told. Nothing else decides.
    """

    label: str
    value: str


class Build(Record):
    """A local project that a step installs as a wheel, built from what it is now."""

    folder: str
    shown: str  # as messages call the folder: ".", "libs/core"
    extras: tuple[str, ...]
    content: tuple[str, ...]  # digests of all that a build reads
    sdist_first: bool  # the wheel is built from the sdist, as others will build it


class Export(Record):
    """A lock file that uv makes of a project's uv.lock."""

    folder: str  # of the project
    arguments: tuple[str, ...]  # which part of it


class Step(Record):
    """One change to an environment: an install and all that it depends on."""

    arguments: tuple[str, ...]  # handed to the installer, with a requirement for each build
    ingredients: tuple[Ingredient, ...]
    show: str  # as a person would write it
    cwd: str  # where relative paths inside of what it names start
    builds: tuple[Build, ...] = ()
    variables: tuple[tuple[str, str | None], ...] = ()  # of the installer, on top of the others
    in_place: tuple[str, ...] = ()  # folders of projects that the installer builds itself
    export: Export | None = None  # what it installs too, made when it is done
    locked: bool = False  # a lock says which versions it installs
    program: tuple[str, ...] = ()  # what installs it instead of the backend's installer
    from_here: bool = False  # it installs something from a folder of this machine as it is
    asks_anew: bool = False  # what it resolves to is never to be remembered: -U, a branch


class Brought(Record):
    """What a backend makes environments of that brings its own Python."""

    interpreter: Interpreter  # in the environment; before that is made the one asked for
    options: tuple[str, ...]  # of the command that makes it
    ingredients: tuple[Ingredient, ...]  # in place of those of a Python of this machine
    packages: tuple[str, ...]  # as messages show them
    mark: str  # what lies in an environment of this kind


class EnvSpec(Record):
    """What an environment should be before the session's function runs."""

    path: str
    backend: str  # one name, the chain decided
    interpreter: Interpreter
    options: tuple[str, ...]
    ingredients: tuple[Ingredient, ...]
    steps: tuple[Step, ...]  # what is declared
    reuse: bool
    surroundings: tuple[str, ...]  # of the ingredients those that decide what a build makes
    declared_by: str = ""  # digest of the files that declare the session
    mark: str = "pyvenv.cfg"  # what lies in an environment of this kind
    packages: tuple[str, ...] = ()  # what comes with its Python, as messages show it
    root: str = ""  # of the project
    resolution: str = ""  # what the installer's variables and configuration say of it


class Environment(Record):
    """A folder that commands can run in."""

    path: str
    bin: str  # the folder of its programs; "" where the backend has none
    python: str  # its interpreter
    interpreter: Interpreter
    backend: str


# What runs. -------------------------------------------------------------------


class Prepared(Record):
    """What became of an environment that was prepared before its job's turn."""

    error: Exception | None


class Command(Record):
    """One command to run."""

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    timeout_s: float | None = None  # None: it may run for ever
    capture: Literal["no", "merged", "apart"] = "no"
    input: str | None = None  # None: it reads our standard input
    holds: tuple[int, ...] = ()  # descriptors that it and what it starts keep open (POSIX)


class Finished(Record):
    """How a command ended. What was not captured is an empty string."""

    returncode: int  # -n: ended by signal n
    stdout: str
    stderr: str
    duration_s: float
    timed_out: bool = False
    peak_bytes: int = 0  # as in Outcome


class Outcome(Record):
    """How a job ended, and why."""

    job: str
    result: Result
    reason: str = ""
    duration_s: float = 0.0
    notified: tuple[tuple[str, tuple[str, ...] | None], ...] = ()  # names, their posargs
    attempts: int = 1  # the last of which ended so
    # The most memory that one process of its commands had at once, in all attempts; 0: nobody
    # knows. Of a small one Linux tells our own (a child begins as us), Windows nothing.
    peak_bytes: int = 0
    lost_workers: tuple[str, ...] = ()  # of a cluster, while they had it


# What is told. ------------------------------------------------------------------

KEPT_CHARACTERS = 200_000  # of what a job has told: the end, for who writes about it later

# Each event ends with when it came to be, by the World's clock: who emits it sets
# that (`world.stamped`), since it may be heard later.


class JobStarted(Record):
    """A job's turn has come."""

    job: str
    doc: str
    at_s: float = 0.0


class EnvironmentReady(Record):
    """A job's environment is what is declared."""

    job: str
    state: EnvironmentState
    reason: str  # why it was rebuilt or is kept though it differs
    path: str
    python: str  # cpython 3.13.0
    duration_s: float
    ahead: bool = False  # while an earlier job ran
    linked: bool = False  # from an image of the store
    at_s: float = 0.0


class InstallerCall(Record):
    """One call of what makes an environment, installs into it or builds for it."""

    argv: tuple[str, ...]
    kind: InstallerKind
    show: str  # what is installed, built, …, as a person would write it
    path: str  # of the environment
    cwd: str
    changes: tuple[tuple[str, str | None], ...] = ()  # of variables; None takes one away
    holds: tuple[int, ...] = ()  # descriptors of locks of what it writes
    may_fail: bool = False  # another way is tried then, so that nothing is told


RunInstaller = Callable[[InstallerCall], None]  # raises EnvironmentBroken where it fails


class CommandStarted(Record):
    """A command of a job is about to run."""

    job: str
    show: str  # as one can paste it into a shell
    kind: CommandKind
    at_s: float = 0.0


class CommandEnded(Record):
    """A command of a job has ended; one that is tried again ends several times.

    Of one that could not be started, or that a signal to us has ended, nobody tells.
    """

    job: str
    show: str  # as when it started
    kind: CommandKind
    returncode: int  # -n: ended by signal n
    duration_s: float
    timed_out: bool = False
    at_s: float = 0.0


class Shown(Record):
    """The output of a command that was kept back until it was needed."""

    job: str
    text: str
    left_out: int = 0  # characters that stood before it
    at_s: float = 0.0


class Said(Record):
    """A line from the session function or from us."""

    job: str
    level: Literal["debug", "info", "warning", "error"]
    text: str
    at_s: float = 0.0


class JobEnded(Record):
    """A job has its outcome."""

    outcome: Outcome
    at_s: float = 0.0


Event = JobStarted | EnvironmentReady | CommandStarted | CommandEnded | Shown | Said | JobEnded


class Shard(Record):
    """What one of several machines runs."""

    jobs: tuple[str, ...]  # its own: each selected job is in one shard
    requires: tuple[str, ...]  # what else runs there, since its own require it
    estimate_s: float | None  # None: nothing is known


class Part(Record):
    """The shard that is run here, and all of them."""

    number: int  # from 1 on
    shards: tuple[Shard, ...]

    @property
    def title(self) -> str:
        """`2/3`, as it is asked for."""
        return f"{self.number}/{len(self.shards)}"

    @property
    def shard(self) -> Shard:
        """The one that is run here."""
        return self.shards[self.number - 1]


class Origin(Record):
    """What a run of a CI engine is of. Empty: nobody says so."""

    commit: str = ""
    run: str = ""  # GITHUB_RUN_ID=17: equal for all machines of one run


class Report(Record):
    """All that happened in a run."""

    outcomes: tuple[Outcome, ...]
    duration_s: float
    interrupted_by: str = ""  # the name of the signal
    exit_code: int = 0  # what runenv exits with
