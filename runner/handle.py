"""Session: what a session function holds.

Checks what it is given and hands it on to `Hands`, so that an annotated
envfile loads neither `subprocess` nor anything of environments. nox's names
mean here what they mean in nox.
"""

from __future__ import annotations

import os

from runner.errors import SessionFailed, SessionSkipped, UsageError, did_you_mean
from runner.model import RunOptions
from runner.settings import as_path, is_list
from runner.typed import TYPE_CHECKING, cast, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Literal, NoReturn, Protocol, TypeVar

    # Every type checker knows this module, also where it is not installed; `typing`
    # has the name from 3.11 on.
    from typing_extensions import Self, Unpack

    from runner.model import Job, Ready, Word
    from runner.running import Environment, Finished

    class Background(Protocol):
        """A command that runs beside the session's others."""

        @property
        def pid(self) -> int: ...

        @property
        def log(self) -> str:
            """The file with what it has written."""
            ...

        @property
        def returncode(self) -> int | None:
            """How it ended (-n: by signal n); None while it runs."""
            ...

        def stop(self) -> None:
            """It and all that it started have ended."""
            ...

        def __enter__(self) -> Self: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    class Hands(Protocol):
        """What acts on the world for a Session."""

        def run(
            self,
            argv: tuple[str, ...],
            options: RunOptions,
            capture: Literal["no", "merged", "apart"],
            *,
            check: bool,
        ) -> Finished: ...

        def background(
            self, argv: tuple[str, ...], options: RunOptions, ready: Ready, timeout_s: float
        ) -> Background: ...

        def artifact(self, path: str, name: str) -> str: ...

        def install(
            self, arguments: tuple[str, ...], variables: Mapping[str, str | None], *, shown: bool
        ) -> None: ...

        def install_script(self, script: str) -> None: ...

        def conda_install(self, specs: tuple[str, ...], channels: tuple[str, ...]) -> None: ...

        def may_run(self) -> bool: ...

        def may_install(self) -> bool: ...

        def make_cache_dir(self) -> str: ...

        def say(self, level: Literal["debug", "info", "warning", "error"], text: str) -> None: ...

        def notify(self, target: str, posargs: tuple[str, ...] | None) -> None: ...

    Returned = TypeVar("Returned")


class Session:
    """The environment and the arguments of one job, for its session function."""

    def __init__(
        self,
        *,
        job: Job,
        posargs: Sequence[str],
        environment: Environment,
        env: dict[str, str | None],
        interactive: bool,
        hands: Hands,
    ) -> None:
        self._job = job
        self._environment = environment
        self._hands = hands
        self.posargs: list[str] = list(posargs)
        """What stood behind `--` on the command line."""
        self.env: dict[str, str | None] = env
        """Variables for all commands of this session; None takes one away."""
        self.interactive = interactive
        """Whether commands may ask a person: standard input is a terminal."""
        self._was_in: list[str] = []

    def __repr__(self) -> str:
        return f"<runner.Session {self.name}>"

    @property
    def name(self) -> str:
        """The name of the job, as its own envfile calls it: without the prefix of `include`."""
        return self._job.own_name

    @property
    def python(self) -> str | None:
        """The Python as the envfile wrote it; None where it named none."""
        return self._job.python

    @property
    def python_version(self) -> str:
        """The version of the Python that was found: `3.13.0`."""
        return self._environment.interpreter.version

    @property
    def env_dir(self) -> str:
        """The folder of the environment; empty where there is none."""
        return self._environment.path

    @property
    def bin(self) -> str:
        """The folder of the environment's programs; empty where there is none."""
        return self._environment.bin

    @property
    def bin_paths(self) -> list[str]:
        """The folders that commands find first on PATH."""
        return [self._environment.bin] if self._environment.bin else []

    @property
    def cache_dir(self) -> str:
        """A folder that all sessions share and that outlives the run; it is there."""
        return self._hands.make_cache_dir()

    @property
    def venv_backend(self) -> str:
        """What made the environment: uv, virtualenv, venv, conda, none."""
        return self._environment.backend

    @overload
    def run(
        self,
        program: Word,
        /,
        *arguments: Word,
        capture: Literal[True],
        check: bool = ...,
        silent: bool = ...,
        **options: Unpack[RunOptions],
    ) -> Finished: ...
    @overload
    def run(
        self,
        program: Word,
        /,
        *arguments: Word,
        capture: bool = ...,
        check: Literal[False],
        silent: bool = ...,
        **options: Unpack[RunOptions],
    ) -> Finished: ...
    @overload
    def run(
        self,
        program: Word,
        /,
        *arguments: Word,
        capture: Literal[False] = ...,
        check: Literal[True] = ...,
        silent: Literal[True],
        **options: Unpack[RunOptions],
    ) -> str: ...
    @overload
    def run(
        self,
        program: Word,
        /,
        *arguments: Word,
        capture: Literal[False] = ...,
        check: Literal[True] = ...,
        silent: Literal[False] = ...,
        **options: Unpack[RunOptions],
    ) -> Literal[True]: ...
    @overload
    def run(
        self,
        program: Word,
        /,
        *arguments: Word,
        capture: bool = ...,
        check: bool = ...,
        silent: bool = ...,
        **options: Unpack[RunOptions],
    ) -> Finished | str | Literal[True]: ...
    @overload
    def run(
        self, program: Callable[..., Returned], /, *arguments: object, **options: object
    ) -> Returned: ...
    def run(
        self,
        program: Word | Callable[..., object],
        /,
        *arguments: object,
        **options: Any,
    ) -> object:
        """Run a command in the environment and wait for it; no shell is involved.

        Returns True; with `capture` or `check=False` how it ended (a record with
        returncode, stdout, stderr, duration_s); with `silent` its output, both
        streams together. Raises runner.CommandFailed where it ends with a code that
        is not among `success_codes` ([0]), unless `check=False`.

        A function in place of a program is called with all the arguments, as in nox,
        and what it returns is returned.
        """
        if callable(program):
            return program(*arguments, **options)
        capture, check = options.pop("capture", False), options.pop("check", True)
        silent = options.pop("silent", False)
        _known_options(options)
        argv = checked_argv("session.run", (program, *arguments))
        if not self._hands.may_run():
            self._hands.say("debug", f"not run (--install-only): {' '.join(argv)}")
            return _nothing_ran(capture=capture or not check, silent=silent)
        how: Literal["no", "merged", "apart"] = "merged" if silent else "apart" if capture else "no"
        named = cast("RunOptions", options)  # just checked
        finished = self._hands.run(argv, named, how, check=check)
        if capture or not check:
            return finished
        return finished.stdout if silent else True

    def background(
        self,
        program: Word,
        /,
        *arguments: Word,
        ready: Ready = None,
        timeout: float = 30,
        env: Mapping[str, str | None] | None = None,
        cwd: Word | None = None,
        external: bool = False,
        include_outer_env: bool = True,
        **unknown: NoReturn,
    ) -> Background:
        """Start a server for the commands that follow; it ends with the job, or with a `with`.

        ready: what is waited for: a port of this machine that answers, a text in
        what it writes, a function (asked again and again) that says yes. timeout: of
        that wait, in seconds. What it writes goes into a file, `log` of what is
        returned, beside `pid`, `returncode` and `stop()`.

        Raises runner.CommandFailed where it ends before it is ready. One that ends
        later, and not with 0, fails the job.
        """
        what = "session.background"
        _no_unknown(
            what, unknown, ["ready", "timeout", "env", "cwd", "external", "include_outer_env"]
        )
        for name, value in (("env", env), ("cwd", cwd), ("timeout", timeout)):
            trouble = _misfit(name, value)
            if name == "timeout" and value is None:
                trouble = "it is a number of seconds"
            if trouble:
                raise UsageError(f"{what}: {name} cannot be {value!r}", mend=trouble)
        if not _can_be_ready(ready):
            raise UsageError(
                f"{what}: ready cannot be {ready!r}",
                mend="it is a port (8000), a text that it writes on a line, or a function",
            )
        argv = checked_argv(what, (program, *arguments))
        if not self._hands.may_run():
            self._hands.say("debug", f"not run (--install-only): {' '.join(argv)}")
            return _NothingStarted()
        options: RunOptions = {
            "env": env,
            "cwd": cwd,
            "external": external,
            "include_outer_env": include_outer_env,
        }
        return self._hands.background(argv, options, ready, timeout)

    def artifact(self, path: Word, *, name: str | None = None) -> str:
        """Keep a copy of a file or folder with those of this run; where the copy is.

        name: its own where none is given; it may be a path: "coverage/html".
        """
        text = checked_argv("session.artifact", (path,))[0]
        if not self._hands.may_run():
            return text  # nothing has made it
        return self._hands.artifact(text, name or os.path.basename(os.path.abspath(text)))

    def install(
        self,
        *arguments: Word,
        env: Mapping[str, str | None] | None = None,
        silent: bool = True,
        **unknown: NoReturn,
    ) -> None:
        """Install what pip's arguments ask for; nothing is run where it was done before.

        env: variables for the installer and the builds that it starts; None takes
        one away. Another value of one is another install. silent: False shows
        what the installer says, which is else shown where it fails.
        """
        _no_unknown("session.install", unknown, ["env", "silent"])
        trouble = "" if env is None else _misfit("env", env)
        if trouble:
            raise UsageError(f"session.install: env cannot be {env!r}", mend=trouble)
        argv = checked_argv("session.install", arguments)
        self._hands.install(argv, env or {}, shown=not silent)

    def conda_install(self, *specs: str, channel: str | Sequence[str] = ()) -> None:
        """Install packages of conda channels; nothing is run where it was done before.

        specs: "numpy", "numpy>=2", "gdal=3.9". channel: one or several that are asked
        before those of the session. For sessions with backend="conda".
        """
        argv = checked_argv("session.conda_install", specs)
        channels = (channel,) if isinstance(channel, str) else tuple(channel)
        self._hands.conda_install(argv, channels)

    def run_install(self, *arguments: Word, **options: Unpack[RunOptions]) -> None:
        """Run a command that belongs to setting up.

        It runs under --install-only too, and not under --no-install.
        """
        _known_options(options)
        argv = checked_argv("session.run_install", arguments)
        if self._hands.may_install():
            self._hands.run(argv, options, "no", check=True)

    run_always = run_install

    def install_and_run_script(
        self, script: Word, /, *arguments: Word, **options: Unpack[RunOptions]
    ) -> object:
        """Install what a script's `# /// script` block asks for (PEP 723), then run it."""
        path = os.fspath(script)
        self._hands.install_script(path)
        return self.run("python", path, *arguments, **options)

    def skip(self, *reasons: object) -> NoReturn:
        """End the job as skipped, with the reason."""
        raise SessionSkipped(" ".join(map(str, reasons)) or "it skipped itself")

    def error(self, *reasons: object) -> NoReturn:
        """End the job as failed, with the reason."""
        raise SessionFailed(" ".join(map(str, reasons)) or "it reported an error")

    def log(self, *words: object) -> None:
        """Tell something."""
        self._hands.say("info", " ".join(map(str, words)))

    def warn(self, *words: object) -> None:
        """Tell something that somebody should look at."""
        self._hands.say("warning", " ".join(map(str, words)))

    def debug(self, *words: object) -> None:
        """Tell something under --verbose."""
        self._hands.say("debug", " ".join(map(str, words)))

    def chdir(self, folder: Word) -> _Chdir:
        """Change the working folder until the job ends; in a `with`, until its end."""
        before = os.getcwd()
        try:
            os.chdir(folder)
        except OSError as error:
            raise SessionFailed(
                f"session.chdir: {os.fspath(folder)}: {error.strerror}",
                mend=f"the working folder is {before}",
            ) from None
        return _Chdir(before)

    cd = chdir

    def create_tmp(self) -> str:
        """An empty-at-first folder in the environment, which TMPDIR then names."""
        folder = os.path.join(self._environment.path or self.cache_dir, "tmp")
        os.makedirs(folder, exist_ok=True)
        self.env["TMPDIR"] = folder
        return folder

    def notify(
        self, target: str | Callable[..., object], posargs: Iterable[str] | None = None
    ) -> None:
        """Run another session after this one, once, if it would not run anyway."""
        name = target if isinstance(target, str) else getattr(target, "__name__", "")
        self._hands.notify(name, None if posargs is None else tuple(posargs))


def parts_of(session: Session) -> tuple[Job, Environment, Hands]:
    """What a Session is made of, for who hands out another kind of session over it."""
    return session._job, session._environment, session._hands  # pyright: ignore[reportPrivateUsage]  # ours


class _Chdir:
    """What `chdir` returns: goes back at the end of a `with`."""

    def __init__(self, before: str) -> None:
        self._before = before

    def __enter__(self) -> None:
        """We are there already."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.chdir(self._before)


class _NothingStarted:
    """What `background` returns where nothing is run."""

    pid, log = 0, ""
    returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to end."""

    def stop(self) -> None:
        """There is nothing to end."""


def _no_unknown(what: str, unknown: Mapping[str, object], known: list[str]) -> None:
    for name in unknown:
        raise UsageError(
            f"{what} has no option {name!r}",
            mend=did_you_mean(name, known) or f"there are {', '.join(known)}",
        )


def _can_be_ready(value: object) -> bool:
    """Whether it can tell that a server is ready."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 0 < value < 65536
    if isinstance(value, str):
        return bool(value) and "\n" not in value
    return value is None or callable(value)


def _nothing_ran(*, capture: bool, silent: bool) -> object:
    from runner.running import Finished

    if capture:
        return Finished(returncode=0, stdout="", stderr="", duration_s=0.0)
    return "" if silent else True


_OPTIONS = frozenset(RunOptions.__annotations__)


def _known_options(options: Mapping[str, object]) -> None:
    for name in options:
        if name not in _OPTIONS:
            known = [*sorted(_OPTIONS), "capture", "check", "silent"]
            raise UsageError(
                f"session.run has no option {name!r}",
                mend=did_you_mean(name, known) or f"there are {', '.join(known)}",
            )
        mend = _misfit(name, options[name])
        if mend:
            raise UsageError(f"session.run: {name} cannot be {options[name]!r}", mend=mend)


def _misfit(name: str, value: object) -> str:
    """What to write instead, where an option cannot have that value; or empty."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "retries":
        return "" if isinstance(value, int) and number else "it is a whole number"
    if value is None:
        return ""
    if name == "timeout":
        return "" if number else "it is a number of seconds"
    if name == "env":
        return "" if hasattr(value, "items") else 'it is a dict: {"NAME": "value"}'
    if name == "success_codes":
        fine = hasattr(value, "__iter__") and not isinstance(value, str)
        return "" if fine else "it is a list of numbers: [0, 1]"
    if name == "input":
        return "" if isinstance(value, str) else "it is a string"
    if name == "cwd":
        return "" if isinstance(as_path(value), str) else "it is a folder"
    return ""


_INSTALLS = ("session.install", "session.conda_install")


def checked_argv(what: str, words: tuple[object, ...]) -> tuple[str, ...]:
    """The words of a command as strings; a clear error for what cannot be one."""
    if not words:
        example = '"pytest"' if what in _INSTALLS else '"program", "argument"'
        raise UsageError(f"{what} was called without arguments", mend=f"write {what}({example})")
    argv: list[str] = []
    for number, word in enumerate(words, 1):
        text = as_path(word)
        if is_list(text):
            raise UsageError(
                f"{what}: argument {number} is a {type(text).__name__}",
                mend=f"unpack it: {what}(*{list(text)!r})",
            )
        if not isinstance(text, str):
            raise UsageError(
                f"{what}: argument {number} is {text!r}, which is not a string",
                mend=f'write "{text}"',
            )
        if "\0" in text:
            raise UsageError(
                f"{what}: argument {number} holds a null byte", mend="no program can be given one"
            )
        argv.append(text)
    return tuple(argv)
