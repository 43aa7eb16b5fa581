"""Every record that passes between rooms, in the order in which it flows.

Knows how nothing is made or done: a record is built by the one function that
checks it, always by keyword, and never unpacked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from runner.record import Record
from runner.typed import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Literal


Word = str | os.PathLike[str]  # of a command
# What tells that a server is ready: a port, a text that it writes, a function that says so.
Ready = int | str | Callable[[], object] | None

# What was declared. -----------------------------------------------------------


class Param(Record):
    """One set of values for the arguments that a `@parametrize` fills."""

    values: tuple[object, ...]
    id: str | None = None
    tags: tuple[str, ...] = ()


class Axis(Record):
    """One `@parametrize`: the arguments that it fills, and with what."""

    names: tuple[str, ...]
    params: tuple[Param, ...]
    where: str
    python_at: int | None = None  # which of the names is the job's Python, and no argument


class Needs(Record):
    """What a session's environment is made of, as declared by all that share it."""

    backend: str | None  # a name or a chain such as "uv|virtualenv"; None: the setting decides
    backend_options: tuple[str, ...]
    deps: tuple[str, ...]
    groups: tuple[str, ...]
    extras: tuple[str, ...]
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    project: Literal["wheel", "sdist", "editable", ""]
    reuse: bool
    lock: Literal["uv", ""] = ""  # uv: what uv.lock says of the groups and extras
    resolution: str = ""  # of the versions that fit: highest, lowest, lowest-direct
    prerelease: str = ""  # whether one of them may be a pre-release
    conda_deps: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()  # of conda, the first wins; (): conda-forge
    exclude_newer: str = ""  # a date, or a time by RFC 3339: what was uploaded later is not there


class OwnOption(Record):
    """A keyword-only parameter of a session function, which the command line fills."""

    name: str  # of the parameter
    flag: str  # --dry-run
    kind: Literal["flag", "value", "many"]
    takes: Literal["bool", "str", "int", "float", "path", "choice"]  # many: each of them
    convert: Callable[[str], object]  # raises ValueError for what it does not take
    required: bool
    choices: tuple[str, ...] = ()  # what may be written, of takes choice
    default: object = None
    help: str = ""
    collect: Callable[[Iterable[object]], object] = list  # many: what the function gets

    @property
    def turned_off(self) -> str:
        """The flag that says no: `--no-dry-run`; empty where none does."""
        return f"--no-{self.flag[2:]}" if self.kind == "flag" else ""

    @property
    def written(self) -> str:
        """The flag with what stands behind it: `--part major|minor`, `--dry-run`."""
        names = {"bool": "", "str": "TEXT", "int": "N", "float": "NUMBER", "path": "PATH"}
        return f"{self.flag} {names.get(self.takes) or '|'.join(self.choices)}".rstrip()


class SessionSpec(Record):
    """A declared session, checked."""

    name: str
    function: Callable[..., object]
    where: str  # envfile.py:12
    doc: str
    pythons: tuple[str, ...]  # (): the Python that runs runenv
    names_python: bool  # the Python stands in the names of its jobs
    axes: tuple[Axis, ...]
    needs: Needs
    env: tuple[tuple[str, str | None], ...]  # None takes a variable away
    tags: tuple[str, ...]
    requires: tuple[str, ...]
    default: bool
    environment: str = ""  # the one that it shares with others; "": one of its own
    timeout_s: float | None = None  # of each of its jobs; None: the setting decides
    retries: int = 0  # further attempts after one that failed
    resources: tuple[tuple[str, float], ...] = ()  # that a worker of a cluster must offer
    retries_on_loss: int = 1  # further runs when its worker is lost
    exclusive: tuple[str, ...] = ()  # of the sessions that say the same word one runs at a time
    parallel: bool = True  # False: nothing runs beside it
    foreseeable: bool = True  # False: what it installs after a command it may not install again
    after: tuple[str, ...] = ()  # names and patterns of what it follows, where that runs too
    options: tuple[OwnOption, ...] = ()  # of its own, in the order of the signature
    group: str = ""  # the heading that it is listed under
    env_file: tuple[str, ...] = ()  # paths of files of variables; behind a - it may be missing
    confirm: str = ""  # what must be answered with yes before it may run
    prefix: str = ""  # "api:", of all names of an included envfile
    root: str = ""  # the folder of an included envfile; "": that of the project
    imports: AbstractContextManager[object] | None = None  # of an included one: what it can import
    inputs: tuple[str, ...] = ()  # patterns of the files that it reads; (): any may be one
    outputs: tuple[str, ...] = ()  # patterns of the files that it writes

    @property
    def own_name(self) -> str:
        """Its name in the envfile that declares it, where that is included."""
        return self.name.removeprefix(self.prefix)


class Include(Record):
    """What `runner.include` was told."""

    pattern: str
    prefix: str | None  # None: the name of the folder
    where: str


class Read(Record):
    """What one envfile says by itself."""

    specs: list[SessionSpec]
    doc: str
    to_its_end: bool  # False: an exception has cut it short
    read: tuple[str, ...]  # the files that decided what it says, itself the first


class Part(Record):
    """An envfile that another one includes."""

    prefix: str  # "api:", "api:docs:" of what that includes
    root: str
    envfile: str
    doc: str
    options: Mapping[str, object]  # what it assigned to runner.options
    read: tuple[str, ...]  # the files that decided what it says, itself the first


class Job(Record):
    """One session on one Python with one set of parameters."""

    name: str
    nox_name: str  # the same in nox's spelling: tests-3.13(api='old')
    spec: SessionSpec
    python: str | None
    arguments: tuple[tuple[str, object], ...]
    tags: tuple[str, ...]
    requires: tuple[str, ...]  # names of jobs
    shared: str = ""  # the name of the environment that it shares; "": its own
    absent: tuple[str, str] | None = None  # a job that it requires, and the Python that it lacks
    above: str = ""  # what it requires of an envfile that would include its own, and is not loaded
    also: tuple[str, ...] = ()  # of noxfiles: further names that it answers to
    trouble: tuple[str, str] | None = None  # why it cannot run, with the mend
    after: tuple[str, ...] = ()  # names of jobs that it follows, however they end, where they run
    options: tuple[tuple[str, object], ...] = ()  # what its function is given of its own options
    words: tuple[str, ...] = ()  # that behind its name say the same again: --part=major

    @property
    def environment(self) -> str:
        """The name of its environment, which is that of its folder too."""
        return self.shared or self.name

    @property
    def own_name(self) -> str:
        """Its name in the envfile that declares it, where that is included."""
        return self.name.removeprefix(self.spec.prefix)


class Project(Record):
    """A loaded envfile."""

    root: str
    envfile: str
    doc: str
    jobs: tuple[Job, ...]
    options: Mapping[str, object]  # what the envfile assigned to runner.options
    read: tuple[str, ...]  # the files that decided what it says, itself the first
    origins: Mapping[str, str] = {}  # who has said an option, where not runner.options
    parts: tuple[Part, ...] = ()  # the envfiles that it includes, each before its own
    looked_at: tuple[str, ...] = ()  # folders and absent files by which these were found

    @property
    def all_read(self) -> tuple[str, ...]:
        """What decided which jobs there are: files, folders whose names did, what is absent."""
        return (*self.read, *(path for part in self.parts for path in part.read), *self.looked_at)

    def read_for(self, spec: SessionSpec) -> tuple[str, ...]:
        """The files that decided what the session is: those of its own envfile."""
        if not spec.prefix:
            return self.read
        return next((part.read for part in self.parts if part.prefix == spec.prefix), ())

    def root_of(self, spec: SessionSpec) -> str:
        """The folder of the envfile that declares the session."""
        return spec.root or self.root


BY_DEFAULT = "default"  # an option of a Project, that nobody has said: a table has the last word


# What is asked. ---------------------------------------------------------------


class Option(Record):
    """One option of the command line, or one setting without one."""

    name: str  # the field of Settings, or the verb
    flags: tuple[str, ...]  # (): it has no option
    kind: Literal["flag", "value", "many", "verb", "verb with argument"]
    help: str
    group: Literal["Select", "Verbs", "Run", "Environments", "Output", ""]
    metavar: str = ""
    choices: tuple[str, ...] = ()
    splits: bool = True  # of many: whether a comma parts two values
    in_envfile: bool = False  # may be assigned as runner.options.NAME
    named: str = ""  # of a flag: the setting that a value behind a = after it is added to
    bare: str = ""  # the value that it has where none stands behind a = after it

    def written(self, flag: str) -> str:
        """The flag with what stands behind it: `--tag T`, `--stale[=DAYS]`."""
        return f"{flag}{'' if self.bare else ' '}{self.metavar}".rstrip()

    @property
    def variable(self) -> str:
        """The variable that sets it; empty for verbs."""
        return "" if self.kind.startswith("verb") else f"RUNENV_{self.name.upper()}"


class Settings(Record):
    """Every setting with the value that won; `origins` says where each came from."""

    sessions: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    failed: bool = False
    pick: bool = False
    shard: str = ""  # K/N, N, or auto
    plan: str = ""  # the file that says what each shard is
    default: tuple[str, ...] | None = None
    file: str | None = None
    directory: str | None = None
    all_projects: bool = False
    envdir: str = ".runenv"
    backend: str = "uv|virtualenv"
    store: str = ""  # empty: in the user's cache
    store_size: str = "10GB"  # images that were not used for the longest time leave beyond that
    deep: bool = False
    max_age: str = ""  # 30m, 12h, 7d; empty: for ever, but in CI
    jobs: str = "1"  # a number, or auto
    on: str = ""  # where jobs run; empty: here
    fail_fast: bool = False
    timeout: str | float = ""  # 90, 90s, 5m, 1h; empty: for ever
    grace: str | float = "5s"  # for what is asked to end
    fresh: bool = False
    upgrade: bool = False
    upgrade_package: tuple[str, ...] = ()
    check: bool = False
    force: bool = False  # what is converted replaces the envfile
    no_install: bool = False
    install_only: bool = False
    stale: str = ""  # a number of days
    skip_missing: bool = False
    on_fail: Literal["", "shell"] = ""
    non_interactive: bool = False
    env_file: tuple[str, ...] = ()  # of all sessions, before their own
    yes: bool = False  # to whatever sessions ask
    report: tuple[str, ...] = ()
    verbose: bool = False
    quiet: bool = False
    output: Literal["board", "block", "live"] = "board"
    color: Literal["auto", "always", "never"] = "auto"
    json: bool = False
    origins: Mapping[str, str] = {}


class Request(Record):
    """What a command line asks for."""

    verb: str
    argument: str | None  # of verbs that take one: --usage NAME, --completion SHELL
    given: Mapping[str, object]  # the settings that stand on the command line
    posargs: tuple[str, ...]
    of_store: Literal["", "images", "all"] = ""  # the verb is about the store, not the sessions
    # Where options stand behind names that are none of ours: all names and these options in
    # their order, to be read by who knows the sessions. None: one of ours stood there.
    own: tuple[str | None, ...] = ()
    here: str = ""  # the folder where relative paths among these were typed; "": the working folder

    @property
    def narrows(self) -> bool:
        """Whether jobs are given arguments or options, with which they may do less."""
        return bool(self.posargs or self.own)


class Plan(Record):
    """The selected jobs in the order in which they may run."""

    jobs: tuple[Job, ...]
    named: frozenset[str]  # those that were asked for; the others are required by them


class RunOptions(TypedDict, total=False):
    """The options of `Session.run` that do not change what it returns."""

    env: Mapping[str, str | None] | None  # on top of the session's; None takes one away
    include_outer_env: bool  # False: only the session's own variables and PATH
    cwd: Word | None  # relative to the working folder
    timeout: float | None  # seconds
    retries: int  # further attempts after one that failed
    input: str | None  # its standard input
    success_codes: Iterable[int] | None  # exit codes that are no failure
    external: bool  # the program may lie outside the environment
    log: bool  # False: the command is not shown
