"""A job's environment, held while the job runs, and what its Session does there.

Knows nothing of how a job ends: it raises, and `perform.py` settles.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from functools import partial

from runner.beside import Beside
from runner.envs import folder
from runner.envs.interpreters import describe
from runner.envs.lock import Lock
from runner.envs.replay import Replay
from runner.errors import (
    CommandFailed,
    CommandTimedOut,
    EnvironmentBroken,
    did_you_mean,
)
from runner.installers import Installers, how_it_ended, tell_ended
from runner.names import full_name
from runner.requirements import install_step
from runner.requirements.groups import normal_name
from runner.running import (
    Command,
    CommandStarted,
    Environment,
    EnvironmentReady,
    Finished,
    Said,
    Shown,
)
from runner.settings import set_by
from runner.surroundings import command_variables, find_program
from runner.typed import TYPE_CHECKING
from runner.world import check_required, env_spec_of, interpreter_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import Literal

    from runner.envs.judge import Verdict
    from runner.model import Job, Ready, RunOptions
    from runner.running import EnvSpec, Interpreter, Step
    from runner.services import Service
    from runner.world import World


class Bench:
    """A job's environment with its lock, and what its Session does there."""

    def __init__(
        self, job: Job, world: World, *, ahead: bool = False, visits: bool = False
    ) -> None:
        """What it is for.

        ahead: the job's turn has not come, its environment is only prepared. visits:
        the job is not run, somebody looks around in its environment.
        """
        self._visits = visits
        self.world = world
        self._ahead = ahead
        self.notified: list[tuple[str, tuple[str, ...] | None]] = []
        self.env: dict[str, str | None] = dict(job.spec.env)
        self._job = job
        self._outer = world.outer
        self._replay: Replay | None = None
        self._lock: Lock | None = None
        self._installers = Installers(job.name, world)
        self._beside = Beside(job.name, world)
        self._peak_bytes = 0
        self.environment: Environment

    # Open and close. ------------------------------------------------------------

    def __enter__(self) -> None:
        started = self.world.clock()
        check_required(self._job)
        if not self._ahead:
            self._read_env_files()
        if (self._job.spec.needs.backend or self.world.settings.backend) == "none":
            self._open_without(started)
            return
        prepared = self.world.take(self._job)
        if prepared is not None and prepared.error is not None:
            raise prepared.error
        folder.check_place(self.world.envdir)
        # First, since the key for digests of secrets is in it.
        if self.world.store is not None:
            self.world.store.make()
        folder.make_envdir(self.world.envdir, self.world.project.root, self.world.store_path)
        spec, backend = env_spec_of(self._job, self.world)
        name = os.path.basename(spec.path)
        lock = Lock(os.path.join(self.world.envdir, ".locks", name), self._tell_wait)
        with self._disk_troubles_told():
            lock.__enter__()
        self._lock = lock
        self._installers.holds = lock.descriptors
        try:
            settings = self.world.settings
            made: set[str] = set() if self.world.made is None else self.world.made
            is_new = prepared is not None or self._job.environment in made
            policy = policy_of(settings, self.world.environ, self.world.began_s)
            self._replay = Replay(
                spec,
                backend,
                policy._replace(is_new=is_new, foresees=self._job.spec.foreseeable),
                self.world.wheels,
                self._installers.run,
                self._tell_wait_for_equal,
                self.world.store,
                partial(self.say, "warning"),
                lock.before_ns,
            )
            self.environment = self._replay.environment
            with self._disk_troubles_told():
                verdict = self._replay.prepare()
            self.environment = self._replay.environment  # some know their Python when made
            made.add(self._job.environment)
            self._tell_what_upgrades_nothing(spec)
            if prepared is None or verdict.state != "reused":  # else it was told
                self._tell_ready(verdict, started)
        except BaseException:
            self._let_go()
            raise

    def __exit__(self, *exception: object) -> None:
        try:
            self._beside.end(exception[1] if exception else None)
            ends = not self._ahead and not self._visits
            if self._replay is not None and ends and exception == (None, None, None):
                self._end(self._replay)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Nothing goes on in the environment, and whoever waits for it has it, whatever fails."""
        try:
            self.finish_images()
            self._tell_store_trouble()
        finally:
            if self._lock is not None:
                self._lock.__exit__(None, None, None)

    def _tell_store_trouble(self) -> None:
        """Say once in a run that nothing is kept, and so nothing linked."""
        store = self.world.store
        if store is not None and store.trouble and not store.is_told:
            store.is_told = True
            self.say(
                "warning",
                f"the store cannot be used: {store.trouble};"
                " name another folder with --store=DIR, or --store=none",
            )

    def _tell_what_upgrades_nothing(self, spec: EnvSpec) -> None:
        settings = self.world.settings
        asked = settings.upgrade or settings.upgrade_package
        if asked and any(step.locked for step in spec.steps):
            self.say("info", "a lock says which versions; runenv --lock --upgrade takes newer ones")
            return
        for package in settings.upgrade_package:
            there = folder.distributions_in(spec.path)
            if normal_name(package) not in there:
                hint = did_you_mean(package, sorted(there))
                text = f"--upgrade={package}: it is not installed here"
                self.say("warning", text + (f"; {hint}" if hint else ""))

    def _end(self, replay: Replay) -> None:
        started = self.world.clock()
        with self._disk_troubles_told():
            verdict = replay.end()
        if verdict is not None:
            self._tell_ready(verdict, started)

    def _read_env_files(self) -> None:
        """What files of variables say, where the session's `env` does not say it."""
        spec, settings = self._job.spec, self.world.settings
        said_by, project = set_by(settings, "env_file"), self.world.project
        names = [(name, said_by, project.root) for name in settings.env_file]
        names += [(name, spec.where, project.root_of(spec)) for name in spec.env_file]
        if names:
            from runner.dotenv import read_files  # few have one

            for name, value in read_files(names, self._outer).items():
                self.env.setdefault(name, value)

    def _open_without(self, started: float) -> None:
        interpreter = interpreter_of(self._job, self.world)
        self.environment = Environment(
            path="", bin="", python=interpreter.path, interpreter=interpreter, backend="none"
        )
        self._emit_ready("none", "", interpreter, started)

    @contextmanager
    def _disk_troubles_told(self) -> Generator[None]:
        """A disk that is full, or a folder that is not ours to write, is the user's to mend."""
        try:
            yield
        except OSError as error:
            raise EnvironmentBroken(
                f"{error.filename or self.world.envdir} cannot be used: {error.strerror}",
                mend="make room for it, let it be written, or choose another folder with --envdir",
            ) from error

    def _tell_wait(self, holder: str) -> None:
        self.say("info", f"waiting for {holder}, which uses the same environment")

    def _tell_wait_for_equal(self, holder: str) -> None:
        if holder != f"process {os.getpid()}":  # else it is told of by another job of this run
            self.say("info", f"waiting for {holder}, which makes the same environment or wheel")

    def _tell_ready(self, verdict: Verdict, started: float) -> None:
        self._emit_ready(
            verdict.state,
            verdict.reason,
            self.environment.interpreter,
            started,
            linked=verdict.linked,
        )

    def _emit_ready(
        self,
        state: Literal["reused", "updated", "upgraded", "created", "rebuilt", "kept", "none"],
        reason: str,
        interpreter: Interpreter,
        started: float,
        *,
        linked: bool = False,
    ) -> None:
        self.world.emit(
            EnvironmentReady(
                job=self._job.name,
                state=state,
                reason=reason,
                path=self.environment.path,
                python=describe(interpreter),
                duration_s=self.world.clock() - started,
                ahead=self._ahead,
                linked=linked,
            )
        )

    # What a Session asks for. -----------------------------------------------------

    def may_run(self) -> bool:
        return not self.world.settings.install_only

    def may_install(self) -> bool:
        return not self.world.settings.no_install

    def run(
        self,
        argv: tuple[str, ...],
        options: RunOptions,
        capture: Literal["no", "merged", "apart"],
        *,
        check: bool,
    ) -> Finished:
        """Run a command; raises CommandFailed where it fails and `check` is set."""
        command = self._make_command(argv, options, capture)
        good = tuple(options.get("success_codes") or (0,))
        left = options.get("retries", 0)
        while True:
            finished = self.world.run(command)
            self._peak_bytes = max(self._peak_bytes, finished.peak_bytes)
            if options.get("log", True):
                tell_ended(self.world, self._job.name, self.world.show(argv), "run", finished)
            if finished.returncode in good and not finished.timed_out:
                return finished
            if left <= 0:
                break
            self.say("warning", f"{how_it_ended(argv, finished)}; trying again, {left} left")
            left -= 1
        if check:
            output = finished.stdout + finished.stderr
            if output:
                self.world.emit(Shown(job=self._job.name, text=output))
            failure = _failure(argv, finished, command)
            if self.world.settings.on_fail == "shell" and self.is_interactive:
                self.say("error", f"{failure.what}; a shell is open where it ran")
                self.world.run(self._shell(command.env, command.cwd))
            raise failure
        return finished

    @property
    def peak_bytes(self) -> int:
        """The most memory that a command had at once; 0: nobody knows."""
        return max(self._peak_bytes, self._beside.peak_bytes)

    # Looking around. ---------------------------------------------------------------

    @property
    def is_interactive(self) -> bool:
        """Whether somebody may be asked: standard input is a terminal."""
        asked = not self.world.settings.non_interactive
        return asked and sys.stdin is not None and sys.stdin.isatty()

    @property
    def lock_descriptors(self) -> tuple[int, ...]:
        """What holds the environment's lock where a command inherits it."""
        return () if self._lock is None else self._lock.descriptors

    def finish_images(self) -> None:
        """Nothing is done beside us any more."""
        if self._replay is not None:
            with self._disk_troubles_told():
                self._replay.close()

    def visiting_command(self, argv: tuple[str, ...]) -> Command:
        """A command as the session would run it, in the working folder."""
        variables = command_variables(self._outer, self.environment, self._job.name, (self.env,))
        program = find_program(
            argv[0],
            environment=self.environment,
            variables=variables,
            cwd=os.getcwd(),
            external=True,
        )
        return Command(argv=(program, *argv[1:]), cwd=os.getcwd(), env=variables)

    def visiting_shell(self) -> Command:
        """The user's shell, with the session's variables, in the working folder."""
        variables = command_variables(self._outer, self.environment, self._job.name, (self.env,))
        return self._shell(variables, os.getcwd())

    def _shell(self, variables: Mapping[str, str], cwd: str) -> Command:
        home = os.path.join(self.make_cache_dir(), "shells", folder.folder_name(self._job.name))
        from runner.shells import user_shell  # few ask for one

        with self._disk_troubles_told():
            shell = user_shell(self._job.name, self.environment.bin, home, variables)
        return Command(argv=shell.argv, cwd=cwd, env={**variables, **shell.env})

    # Servers, artifacts. --------------------------------------------------------------

    def background(
        self, argv: tuple[str, ...], options: RunOptions, ready: Ready, timeout_s: float
    ) -> Service:
        """Start a command that runs until the job ends; it is ready when this returns."""
        env = {"PYTHONUNBUFFERED": "1", **(options.get("env") or {})}  # else no line would come
        command = self._make_command(argv, {**options, "env": env}, "merged", behind=" &")
        return self._beside.start(command, os.path.basename(argv[0]), ready, timeout_s)

    def artifact(self, path: str, name: str) -> str:
        with self._disk_troubles_told():
            return self._beside.keep(path, name)

    def _make_command(
        self,
        argv: tuple[str, ...],
        options: RunOptions,
        capture: Literal["no", "merged", "apart"],
        behind: str = "",
    ) -> Command:
        """The command that is about to run, found and told of."""
        if self._replay is not None:
            started = self.world.clock()
            with self._disk_troubles_told():
                verdict = self._replay.before_command()
            if verdict is not None:
                self._tell_ready(verdict, started)
        cwd = os.path.join(os.getcwd(), os.fspath(options.get("cwd") or ""))
        outer = self._outer if options.get("include_outer_env", True) else _bare(self._outer)
        changes = (self.env, options.get("env") or {})
        variables = command_variables(outer, self.environment, self._job.name, changes)
        program = find_program(
            argv[0],
            environment=self.environment,
            variables=variables,
            cwd=cwd,
            external=bool(options.get("external")),
        )
        if options.get("log", True):
            shown = self.world.show(argv) + behind
            self.world.emit(CommandStarted(job=self._job.name, show=shown, kind="run"))
        return Command(
            argv=(program, *argv[1:]),
            cwd=cwd,
            env=variables,
            timeout_s=options.get("timeout"),
            capture=capture,
            input=options.get("input"),
        )

    def install(
        self, arguments: tuple[str, ...], variables: Mapping[str, str | None], *, shown: bool
    ) -> None:
        world = self.world
        step = install_step(
            arguments,
            os.getcwd(),
            world.project.root_of(self._job.spec),
            sources=world.sources,
            environ=world.environ,
            variables=variables,
        )
        self._installers.shows = shown or world.settings.verbose
        try:
            self._apply(step)
        finally:
            self._installers.shows = world.settings.verbose

    def install_script(self, script: str) -> None:
        from runner.requirements.script import script_step  # few have one

        world = self.world
        step = script_step(
            script,
            cwd=os.getcwd(),
            root=world.project.root_of(self._job.spec),
            sources=world.sources,
            environ=world.environ,
        )
        if step is not None:
            self._apply(step)

    def conda_install(self, specs: tuple[str, ...], channels: tuple[str, ...]) -> None:
        if self.environment.backend != "conda":
            raise EnvironmentBroken(
                "session.conda_install was called, and the environment is made by"
                f" {self.environment.backend}",
                mend='give the session one of conda: backend="conda"',
            )
        from runner.envs.conda import channel_step  # only where the backend is loaded

        step = channel_step(
            self.environment,
            specs,
            channels,
            self._job.spec.needs.channels,
            self.world.project.root_of(self._job.spec),
            self.world.sources.of_file,
        )
        self._apply(step, "session.conda_install")

    def _apply(self, step: Step, call: str = "session.install") -> None:
        if self._replay is None:
            raise EnvironmentBroken(
                "session.install was called, and the session has no environment (backend none)",
                mend="give the session an environment: another backend, or no python=False",
            )
        if self._job.shared:
            # It would be undone for the next session, or be there for it undeclared.
            raise EnvironmentBroken(
                f"{call} was called in an environment that is shared, {self._job.shared!r}",
                mend="declare what it installs (deps=[...], groups=[...]), which all that share"
                " it then have; or take environment= away",
            )
        started = self.world.clock()
        with self._disk_troubles_told():
            verdict = self._replay.step(step)
        if verdict is not None:
            self._tell_ready(verdict, started)

    def make_cache_dir(self) -> str:
        folder.make_envdir(self.world.envdir, self.world.project.root, self.world.store_path)
        os.makedirs(self.world.cache_dir, exist_ok=True)
        return self.world.cache_dir

    def say(self, level: Literal["debug", "info", "warning", "error"], text: str) -> None:
        self.world.emit(Said(job=self._job.name, level=level, text=text))

    def notify(self, target: str, posargs: tuple[str, ...] | None) -> None:
        target = full_name(target, self._job.spec.prefix)
        self.world.find(target)  # an unknown name is the session function's mistake
        self.notified.append((target, posargs))


def _bare(outer: Mapping[str, str]) -> dict[str, str]:
    """What remains of the caller's variables with include_outer_env=False."""
    kept = ("PATH", "SYSTEMROOT", "PATHEXT", "COMSPEC", "TEMP", "TMP")  # nothing runs without them
    return {name: value for name, value in outer.items() if name in kept}


def _failure(argv: tuple[str, ...], finished: Finished, command: Command) -> CommandFailed:
    if finished.timed_out:
        name = os.path.basename(argv[0])
        return CommandTimedOut(
            f"{name} took longer than {command.timeout_s:g} s", returncode=finished.returncode
        )
    return CommandFailed(how_it_ended(argv, finished), returncode=finished.returncode)


def prepare_ahead(job: Job, world: World) -> None:
    """The job's environment is what is declared; for a job whose turn has not come."""
    with ExitStack() as opened:
        opened.enter_context(Bench(job, world, ahead=True))  # to open it is to prepare it
