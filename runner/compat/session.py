"""What a session function of a noxfile is handed: nox's Session over what a Session of ours has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runner.compat.behind import GlobalConfig, Manifest, Noxfile, Runner
from runner.compat.conda_words import read_conda_arguments
from runner.compat.environments import make_virtualenv, uv_program
from runner.envs.folder import empty_tmp
from runner.errors import CommandFailed as OurCommandFailed
from runner.errors import JobError, SessionFailed, SessionSkipped
from runner.handle import checked_argv, parts_of
from runner.settings import is_list
from runner.surroundings import find_inside
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import IO, Any, Literal, NoReturn

    from typing_extensions import Self

    from runner.handle import Session as OurSession
    from runner.model import Job, RunOptions, Word


class CommandFailed(OurCommandFailed):
    """`nox.command.CommandFailed`."""

    def __init__(
        self, reason: str | None = None, *, return_code: int | None = None, mend: str = ""
    ) -> None:
        super().__init__(
            reason or "it raised nox.command.CommandFailed",
            returncode=1 if return_code is None else return_code,
            mend=mend,
        )
        self.reason = reason
        self.return_code = return_code


class Session:
    """`nox.Session`: the environment of a job, and what is done in it."""

    def __init__(self, ours: Any, noxfile: Noxfile | None = None) -> None:
        """ours: a Session of ours, or a Runner that another Session of nox's has."""
        if noxfile is None:  # nox_uv makes one of another's runner
            self._runner: Runner = ours
            self.__dict__.update(ours.venv.session.__dict__)
            return
        session: OurSession = ours
        job, environment, hands = parts_of(session)
        runner = noxfile.runners[job.name]
        self._runner = runner
        self._ours = session
        self._hands = hands
        self._job: Job = job
        self.env: dict[str, str | None] = session.env
        self.env["NOX_CURRENT_SESSION"] = runner.friendly_name
        config = GlobalConfig(noxfile.options, noxfile.invoked_from, noxfile.path)
        config.install_only = not hands.may_run()
        config.no_install = not hands.may_install()
        config.non_interactive = not session.interactive
        config.posargs = list(session.posargs)
        config.envdir = os.path.dirname(environment.path) or session.cache_dir
        declared = noxfile.options.force_venv_backend or runner.func.venv_backend
        declared = declared or noxfile.options.default_venv_backend
        reuse = runner.func.reuse_venv is True or noxfile.options.reuse_venv in ("yes", "always")
        reuse = reuse or bool(noxfile.options.reuse_existing_virtualenvs)
        self.virtualenv: Any = make_virtualenv(environment, declared, self.env, reuse=reuse)
        self.virtualenv.venv_params = list(runner.func.venv_params)
        self.virtualenv.session = self
        runner.venv = self.virtualenv
        runner.posargs = session.posargs
        runner.global_config = config
        runner.manifest = Manifest(list(noxfile.runners.values()), noxfile.chosen, self.notify)
        self._tmp = ""

    @property
    def runner(self) -> Runner:
        """What noxfiles reach into as `_runner`."""
        return self._runner

    # What there is. ---------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the session, as nox lists it."""
        return self._runner.friendly_name

    @property
    def posargs(self) -> list[str]:
        """What stood behind `--`, or what `notify` gave."""
        return self._runner.posargs

    @posargs.setter
    def posargs(self, words: Iterable[str]) -> None:
        self._runner.posargs = list(words)

    @property
    def python(self) -> Any:
        """The Python as the noxfile wrote it."""
        return self._runner.func.python

    @property
    def venv_backend(self) -> str:
        """The backend, as nox calls it."""
        return str(self.virtualenv.venv_backend)

    @property
    def env_dir(self) -> Path:
        """The folder of the environment."""
        return Path(self._ours.env_dir or self._ours.cache_dir)

    @property
    def bin_paths(self) -> list[str] | None:
        """The folders of the environment's programs."""
        found: list[str] | None = self.virtualenv.bin_paths
        return found

    @property
    def bin(self) -> str:
        """The folder of the environment's programs."""
        return str(self.virtualenv.bin)

    @property
    def cache_dir(self) -> Path:
        """A folder that all sessions share; it is there."""
        return Path(self._ours.cache_dir)

    @property
    def interactive(self) -> bool:
        """Whether somebody may be asked."""
        return self._ours.interactive

    @property
    def parallel(self) -> bool:
        """Whether other sessions may run beside this one."""
        return False

    @property
    def invoked_from(self) -> str:
        """The working folder of whoever started the run."""
        return str(self._runner.global_config.invoked_from)

    def create_tmp(self) -> str:
        """A folder in the environment, which TMPDIR then names."""
        if not self._tmp:
            # In a new environment, which nox would have made, it is empty.
            if self._ours.env_dir and not self.virtualenv.reuse_existing:
                empty_tmp(self._ours.env_dir)
            self._tmp = self._ours.create_tmp()
        os.makedirs(self._tmp, exist_ok=True)
        self.env["TMPDIR"] = self._tmp
        return self._tmp

    def chdir(self, dir: Word) -> _WorkingDirContext:
        """Change the working folder until the session ends; in a `with`, until its end."""
        return _WorkingDirContext(dir)

    cd = chdir

    # Commands. --------------------------------------------------------------------

    def run(self, *args: Any, **options: Any) -> Any:
        """Run a command, or call a function; its output where `silent`, else True."""
        self._check_words("run", args)
        if self._runner.global_config.install_only:
            self.debug(f"{args[0]} is not run: --install-only")
            return None
        return self._run(*args, **options)

    def run_install(self, *args: Any, **options: Any) -> Any:
        """Run a command that belongs to setting up: under --install-only too."""
        if not self._hands.may_install():
            return None
        self._check_words("run_install", args)
        return self._run(*args, **options)

    run_always = run_install

    def install_and_run_script(self, script: Word, *args: Word, **options: Any) -> Any:
        """Install what a script's `# /// script` block asks for, then run it."""
        self._hands.install_script(os.fspath(script))
        return self.run("python", script, *args, **options)

    def _check_words(self, method: str, args: tuple[Any, ...]) -> None:
        if not args:
            raise ValueError(
                f"session.{method} was given nothing: name a program and its arguments"
            )
        if len(args) == 1 and is_list(args[0]):
            raise ValueError(
                f"session.{method} was given one list: spread it, session.{method}(*words)"
            )

    def _run(
        self,
        *args: Any,
        env: Mapping[str, str | None] | None = None,
        include_outer_env: bool = True,
        silent: bool = False,
        success_codes: Iterable[int] | None = None,
        log: bool = True,
        external: bool | Literal["error"] | None = None,
        stdout: int | IO[str] | None = None,
        stderr: int | IO[str] | None = subprocess.STDOUT,
        interrupt_timeout: float | None = None,  # noqa: ARG002  # ours are the same for all
        terminate_timeout: float | None = None,  # noqa: ARG002
    ) -> Any:
        if callable(args[0]):
            return self._call(args[0], args[1:])
        if silent and stdout is not None:
            raise ValueError(
                "session.run: silent=True keeps what stdout= would be given; leave one of them out"
            )
        argv = checked_argv("session.run", args)
        options: RunOptions = {
            "env": env,
            "include_outer_env": include_outer_env,
            "success_codes": None if success_codes is None else tuple(success_codes),
            "log": log,
            "external": self._allow(argv[0], external),
        }
        argv = (self._program(argv[0]), *argv[1:])
        apart = stderr is not subprocess.STDOUT
        keeps = silent or stdout is not None or apart
        capture: Literal["no", "merged", "apart"] = "apart" if apart else "merged"
        try:
            done = self._hands.run(argv, options, capture if keeps else "no", check=True)
        except OurCommandFailed as error:
            raise _as_nox_has_it(error, error.returncode) from error
        if apart:
            _hand_on(done.stderr, stderr, sys.stderr)
        if silent:
            return done.stdout
        if keeps:
            _hand_on(done.stdout, stdout, sys.stdout)
        return True

    def _call(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        try:
            return function(*args)
        except (JobError, SessionSkipped):
            raise
        except Exception as error:
            shown = getattr(function, "__name__", repr(function))
            raise CommandFailed(
                f"{shown} raised {type(error).__name__}: {error}",
                mend="session.run has called it, as it was given a function",
            ) from error

    def _allow(self, word: str, external: bool | Literal["error"] | None) -> bool:
        """Whether a program may lie outside the environment; a line where nobody has said so."""
        if external is True or not self.virtualenv.is_sandboxed:
            return True
        if word in self.virtualenv.allowed_globals:
            return True
        if external == "error" or (
            external is None and self._runner.global_config.error_on_external_run
        ):
            return False
        if not find_inside(word, self._ours.bin, self._ours.env_dir, os.getcwd()):
            self._hands.say(
                "warning",
                f"{word} is no program of the environment; external=True says that this is meant",
            )
        return True

    def _program(self, word: str) -> str:
        """The program that a word stands for; that of uv where the environment is uv's."""
        if word not in ("uv", "uvx") or word not in self.virtualenv.allowed_globals:
            return word
        if find_inside(word, self._ours.bin, self._ours.env_dir, os.getcwd()):
            return word
        return os.path.join(os.path.dirname(uv_program()), word)

    # Installs. --------------------------------------------------------------------

    def install(
        self,
        *args: Any,
        env: Mapping[str, str | None] | None = None,
        silent: bool | None = None,
        **others: Any,  # noqa: ARG002  # what nox hands on to `run`; it does not decide here
    ) -> None:
        """Install what pip's arguments ask for; nothing is run where it was done before."""
        if not args:
            raise ValueError("session.install was given nothing: name what to install")
        argv = checked_argv("session.install", args)
        try:
            self._hands.install(argv, env or {}, shown=silent is False)
        except JobError as error:
            raise _as_nox_has_it(error, 1) from error

    def conda_install(
        self,
        *args: str,
        channel: str | Sequence[str] = "",
        **others: Any,  # noqa: ARG002  # likewise
    ) -> None:
        """Install packages of conda channels."""
        if not args:
            raise ValueError("session.conda_install was given nothing: name what to install")
        specs, channels = read_conda_arguments(args)
        channels += [channel] if isinstance(channel, str) else list(channel)
        try:
            self._hands.conda_install(tuple(specs), tuple(filter(None, channels)))
        except JobError as error:
            raise _as_nox_has_it(error, 1) from error

    # What is told. ----------------------------------------------------------------

    def notify(self, target: Any, posargs: Iterable[str] | None = None) -> None:
        """Run another session after this one, once, if it would not run anyway."""
        if isinstance(target, Runner):
            target = target.job
        elif not isinstance(target, str):
            target = getattr(target, "name", None) or target.__name__
        self._hands.notify(target, None if posargs is None else tuple(posargs))

    def log(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # of the logger
        """Tell something."""
        self._hands.say("info", _told(args))

    def warn(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Tell something that somebody should look at."""
        self._hands.say("warning", _told(args))

    def debug(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Tell something under --verbose."""
        self._hands.say("debug", _told(args))

    def error(self, *args: Any) -> NoReturn:
        """End the session as failed, with the reason."""
        raise SessionFailed(" ".join(map(str, args)) or "it reported an error")

    def skip(self, *args: Any) -> NoReturn:
        """End the session as skipped, with the reason."""
        raise SessionSkipped(" ".join(map(str, args)) or "it skipped itself")


class _WorkingDirContext:
    """What `chdir` returns: goes back at the end of a `with`."""

    def __init__(self, dir: Word) -> None:
        self._before = os.getcwd()
        os.chdir(dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        os.chdir(self._before)


def _as_nox_has_it(error: JobError, return_code: int) -> CommandFailed:
    made = CommandFailed(error.what, return_code=return_code, mend=error.mend)
    made.where = error.where
    return made


def _hand_on(text: str, to: int | IO[str] | None, usual: IO[str]) -> None:
    """Write what was captured to where the noxfile wants it."""
    if to == subprocess.DEVNULL or not text:
        return
    if to is None or to == subprocess.STDOUT:
        usual.write(text)
        usual.flush()
    elif isinstance(to, int):
        os.write(to, text.encode())
    elif "b" in getattr(to, "mode", ""):
        to.write(text.encode())  # type: ignore[arg-type]  # a file of bytes, which nox takes too
    else:
        to.write(text)


def _told(args: tuple[Any, ...]) -> str:
    """What a logger makes of it: a text, and what its percent signs stand for."""
    if not args:
        return ""
    text = str(args[0])
    try:
        return text % args[1:] if args[1:] else text
    except (TypeError, ValueError):
        return " ".join(map(str, args))
