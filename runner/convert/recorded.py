"""What a session function tells its session to do, written down and not done.

Only functions that do nothing else are called (`inert.py`).
"""

from __future__ import annotations

import os

from runner.convert.inert import Reason, why_not
from runner.errors import SessionSkipped
from runner.handle import Session
from runner.record import Record
from runner.running import Environment, Finished, Interpreter
from runner.surroundings import restore_process
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from typing_extensions import Unpack

    from runner.handle import Background
    from runner.model import Job, Ready, RunOptions, Word


class Told(Record):
    """One command that a function told its session to run."""

    argv: tuple[str, ...]
    may_fail: bool = False
    must_fail: bool = False
    env: tuple[tuple[str, str | None], ...] = ()
    setup: bool = False


class Recorded(Record):
    """All that a function told its session."""

    commands: tuple[Told, ...]
    installs: tuple[tuple[str, ...], ...]
    env: Mapping[str, str | None]  # its variables at the end
    folder: str  # the working folder at the end
    skipped: str = ""  # the reason that it gave


class Places(Record):
    """Where the other tool would have what a session asks for."""

    env_dir: str
    cache_dir: str
    python_version: str


def record(job: Job, source: str, file: str, root: str, places: Places) -> Recorded | Reason:
    """What the job's function tells its session; or why nobody knows.

    source: of the envfile, which was executed as `file`.
    """
    reason = why_not(job.spec.function, source, file)
    if reason is not None:
        return reason
    hands = _Hands(places)
    session = _Session(job, places, hands, root)
    here, variables = os.getcwd(), dict(os.environ)
    os.chdir(root)
    skipped = ""
    try:
        job.spec.function(session, **dict(job.arguments))
    except SessionSkipped as error:
        skipped = error.what
    except Exception as error:  # whatever it does with what it is given
        return Reason(0, f"{type(error).__name__}: {error}", called=True)
    finally:
        restore_process(here, variables)
    return Recorded(
        commands=tuple(hands.commands),
        installs=tuple(hands.installs),
        env=dict(session.env),
        folder=session.folder,
        skipped=skipped,
    )


class _Hands:
    """Writes down what a Session would have done."""

    def __init__(self, places: Places) -> None:
        self.commands: list[Told] = []
        self.installs: list[tuple[str, ...]] = []
        self._places = places

    def run(
        self,
        argv: tuple[str, ...],
        options: RunOptions,
        capture: Literal["no", "merged", "apart"],
        *,
        check: bool,
    ) -> Finished:
        """Nothing is run. Its output is empty, but for where packages are."""
        if capture == "merged" and "sysconfig.get_path('purelib')" in argv[-1]:
            minor = ".".join(self._places.python_version.split(".")[:2])
            text = os.path.join(self._places.env_dir, "lib", f"python{minor}", "site-packages")
            return Finished(0, text, "", 0.0)
        codes = options.get("success_codes")
        told = Told(
            argv,
            may_fail=not check,
            must_fail=codes is not None and 0 not in codes,
            env=tuple((options.get("env") or {}).items()),
        )
        self.commands.append(told)
        return Finished(0, "", "", 0.0)

    def background(
        self, argv: tuple[str, ...], options: RunOptions, ready: Ready, timeout_s: float
    ) -> Background:
        """Nothing is started."""
        raise ValueError("it has a command in the background")

    def artifact(self, path: str, name: str) -> str:
        """Nothing is copied."""
        return path

    def install(
        self, arguments: tuple[str, ...], variables: Mapping[str, str | None], *, shown: bool
    ) -> None:
        """Nothing is installed."""
        self.installs.append(arguments)

    def install_script(self, script: str) -> None:
        """Nothing is installed."""
        self.installs.append(("--script", script))

    def conda_install(self, specs: tuple[str, ...], channels: tuple[str, ...]) -> None:
        """Nothing is installed."""
        self.installs.append(specs)

    def may_run(self) -> bool:
        """All that would run is wanted."""
        return True

    def may_install(self) -> bool:
        """All that would be installed is wanted."""
        return True

    def make_cache_dir(self) -> str:
        """Nothing is made."""
        return self._places.cache_dir

    def say(self, level: Literal["debug", "info", "warning", "error"], text: str) -> None:
        """Nothing is said."""

    def notify(self, target: str, posargs: tuple[str, ...] | None) -> None:
        """Nothing follows."""


class _Session(Session):
    """A Session that changes nothing."""

    def __init__(self, job: Job, places: Places, hands: _Hands, root: str) -> None:
        programs = os.path.join(places.env_dir, "bin" if os.name == "posix" else "Scripts")
        python = os.path.join(programs, "python")
        interpreter = Interpreter(
            path=python,
            real_path=python,
            version=places.python_version,
            implementation="cpython",
            build="",
            platform="",
            free_threaded=False,
            stamp="",
        )
        super().__init__(
            job=job,
            posargs=(),
            environment=Environment(places.env_dir, programs, python, interpreter, "uv"),
            env=dict(job.spec.env),
            interactive=False,
            hands=hands,
        )
        self._recorder = hands
        self.folder = root

    def run_install(self, *arguments: Word, **options: Unpack[RunOptions]) -> None:
        """It is written down as what belongs to setting up."""
        before = len(self._recorder.commands)
        self.run(arguments[0], *arguments[1:], **options)
        told = self._recorder.commands[before:]
        self._recorder.commands[before:] = [one._replace(setup=True) for one in told]

    run_always = run_install

    def chdir(self, folder: Word) -> _Stay:  # type: ignore[override]  # its own is as private
        """Nobody goes there; it is written down."""
        stay = _Stay(self, self.folder)
        self.folder = os.path.normpath(os.path.join(self.folder, os.fspath(folder)))
        return stay

    cd = chdir  # type: ignore[assignment]  # likewise

    def create_tmp(self) -> str:
        """No folder is made."""
        return os.path.join(self.env_dir, "tmp")


class _Stay:
    def __init__(self, session: _Session, before: str) -> None:
        self._session = session
        self._before = before

    def __enter__(self) -> None:
        """Nobody is anywhere else."""

    def __exit__(self, *of_error: object) -> None:
        self._session.folder = self._before
