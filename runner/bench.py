"""A job's environment, held while the job runs, and what its Session does there.

Knows nothing of how a job ends: it raises, and `perform.py` settles.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Literal

from runner.artifacts import keep_artifact
from runner.envs import folder
from runner.envs.interpreters import describe
from runner.envs.lock import Lock
from runner.envs.network import run_patiently
from runner.envs.replay import Replay
from runner.envs.wheels import SETUPTOOLS
from runner.errors import (
    CommandFailed,
    CommandTimedOut,
    EnvironmentBroken,
    Interrupted,
    did_you_mean,
)
from runner.process import ending
from runner.requirements import install_step
from runner.requirements.groups import normal_name
from runner.requirements.script import script_step
from runner.run_folders import ARTIFACTS, LOGS, make_run_folder
from runner.running import (
    Command,
    CommandEnded,
    CommandStarted,
    Environment,
    EnvironmentReady,
    Finished,
    Said,
    Shown,
)
from runner.services import ServiceFailed, end_services, start_service
from runner.shells import user_shell
from runner.surroundings import command_variables, find_program, outer_variables
from runner.world import check_required, env_spec_of, interpreter_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from runner.envs.judge import Verdict
    from runner.model import Job, Ready, RunOptions
    from runner.running import CommandKind, EnvSpec, Interpreter, Step
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
        self._outer = outer_variables(world.environ)
        self._replay: Replay | None = None
        self._lock: Lock | None = None
        self._shows_installs = False
        self._services: list[Service] = []
        self._tried = ""  # the command that was tried last, as it was shown
        self.environment: Environment

    # Open and close. ------------------------------------------------------------

    def __enter__(self) -> None:
        started = self.world.clock()
        check_required(self._job)
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
        try:
            settings = self.world.settings
            made: set[str] = set() if self.world.made is None else self.world.made
            is_new = prepared is not None or self._job.environment in made
            policy = policy_of(settings, self.world.environ, self.world.began_s)
            self._replay = Replay(
                spec,
                backend,
                policy._replace(is_new=is_new),
                self.world.wheels,
                self._run_installer,
                self._tell_wait,
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
            if self._replay is not None:
                self._replay.close()
            self._lock.__exit__(None, None, None)
            raise

    def __exit__(self, *exception: object) -> None:
        try:
            self._end_services(exception[1] if exception else None)
            ends = not self._ahead and not self._visits
            if self._replay is not None and ends and exception == (None, None, None):
                self._end(self._replay)
        finally:
            if self._replay is not None:
                with self._disk_troubles_told():
                    self._replay.close()
                self._tell_store_trouble()
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
        if holder == f"process {os.getpid()}":
            return  # another job of this run makes the same, and is told of
        self.say("info", f"waiting for {holder}, which uses the same environment")

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

    def _tell_ended(self, shown: str, kind: CommandKind, finished: Finished) -> None:
        self.world.emit(
            CommandEnded(
                job=self._job.name,
                show=shown,
                kind=kind,
                returncode=finished.returncode,
                duration_s=finished.duration_s,
                timed_out=finished.timed_out,
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
            if options.get("log", True):
                self._tell_ended(self.world.show(argv), "run", finished)
            if finished.returncode in good and not finished.timed_out:
                return finished
            if left <= 0:
                break
            self.say("warning", f"{_how_it_ended(argv, finished)}; trying again, {left} left")
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
        name, log = os.path.basename(argv[0]), self._open_log
        try:
            return start_service(command, name, log, self._services, ready, timeout_s)
        except ServiceFailed as error:
            self.world.emit(Shown(job=self._job.name, text=error.last_lines))
            raise error.why from None

    def _open_log(self) -> str:
        home = self._run_folder(LOGS)
        for number in count(1):
            name = f"{folder.folder_name(self._job.name)}~background-{number}.log"
            path = os.path.join(home, name)
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileExistsError:  # of an earlier attempt
                continue
            return path
        raise AssertionError

    def _run_folder(self, kind: str) -> str:
        """The folder of this run for what is kept of it."""
        world = self.world
        folder.make_envdir(world.envdir, world.project.root, world.store_path)
        return make_run_folder(os.path.join(world.envdir, kind), world.run_id)

    def artifact(self, path: str, name: str) -> str:
        place = folder.folder_name(self._job.name)
        with self._disk_troubles_told():
            home = os.path.join(self._run_folder(ARTIFACTS), place)
        return keep_artifact(path, name, home)

    def _end_services(self, error: object) -> None:
        """What ran beside the job has ended; what did so by itself is told, or fails the job."""
        interrupted = isinstance(error, (KeyboardInterrupt, Interrupted))
        end_services(self._services, interrupted=interrupted)
        failures: list[CommandFailed] = []
        for service in self._services:
            code = service.returncode or 0
            what = f"{service.name} {ending(code)} while the job ran"
            if service.died and code == 0:
                self.say("info", what)
            elif service.died:
                # What was tested against it has shown nothing, whatever the tests say.
                self.world.emit(Shown(job=self._job.name, text=service.last_lines()))
                mend = f"what it wrote is in {service.log}"
                failures.append(CommandFailed(what, returncode=code, mend=mend))
        first = failures[:1] if error is None else []
        for failure in failures[len(first) :]:
            self.say("error", str(failure))
        if first:
            raise first[0]

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
            world.project.root,
            sources=world.sources,
            environ=world.environ,
            variables=variables,
        )
        self._shows_installs = shown
        try:
            self._apply(step)
        finally:
            self._shows_installs = False

    def install_script(self, script: str) -> None:
        world = self.world
        step = script_step(
            script,
            cwd=os.getcwd(),
            root=world.project.root,
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
            self.world.project.root,
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
        self.world.find(target)  # an unknown name is the session function's mistake
        self.notified.append((target, posargs))

    # What the environment asks for. -----------------------------------------------

    def _run_installer(
        self,
        argv: tuple[str, ...],
        kind: Literal["make", "build", "export", "install", "forget"],
        show: str,
        cwd: str,
        changes: tuple[tuple[str, str | None], ...],
        *,
        holds: tuple[int, ...] = (),
        may_fail: bool = False,
    ) -> None:
        world = self.world
        shown = world.show(argv) if kind == "make" else f"{kind} {show}"
        if shown != self._tried:  # else it is tried another way
            world.emit(CommandStarted(job=self._job.name, show=shown, kind=kind))
        self._tried = shown if may_fail else ""
        shown_at_once = world.settings.verbose or self._shows_installs
        # Said by the user it is followed, and where setuptools builds is the user's to mend.
        setuptools = os.path.join(self.environment.path, SETUPTOOLS)
        own = {"DIST_EXTRA_CONFIG": setuptools} if kind == "install" else {}
        variables = {**own, **self._outer, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **dict(changes)}
        command = Command(
            argv=argv,
            cwd=cwd,
            env={name: value for name, value in variables.items() if value is not None},
            capture="no" if shown_at_once and kind != "export" and not may_fail else "merged",
            input="",  # an installer that asks would wait for ever
            # Where we are killed it goes on, and the next run must wait for its end.
            holds=(*(() if self._lock is None else self._lock.descriptors), *holds),
        )
        if may_fail:
            finished = world.run(command)
        else:
            tell = partial(self.say, "warning")
            finished = run_patiently(world.run, command, world.wait, tell)
        self._tell_ended(shown, kind, finished)
        if finished.returncode == 0:
            self._tried = ""
            return
        if kind == "export" and "needs to be updated" in finished.stdout:
            raise EnvironmentBroken(
                "uv.lock is not what uv would make of pyproject.toml", mend="run `uv lock`"
            )
        if not may_fail:
            world.emit(Shown(job=self._job.name, text=finished.stdout))
        hint = _hint(finished.stdout)
        doing = {
            "make": f"{self.environment.backend} made no environment",
            "build": f"the build of {show} failed",
            "export": "the export of uv.lock failed",
            "install": "the install failed",
            "forget": "the installer's cache could not be mended",
        }[kind]
        raise EnvironmentBroken(
            f"{doing}: {_how_it_ended((os.path.basename(argv[0]),), finished)}",
            mend=f"{hint}the command was: {world.show(argv)}",
        )


_HINTS = {
    # setuptools looks for the modules of a project that names none, and knows of no
    # envfile: "Automatic discovery" in its documentation.
    "Multiple top-level modules discovered": "name what belongs to the project, as"
    ' [tool.setuptools] py-modules = ["mymodule"] in pyproject.toml; envfile.py does not',
}


def _hint(output: str) -> str:
    """What helps against a failure that installers explain badly, as a line; or empty."""
    return "".join(f"{mend}\n" for sign, mend in _HINTS.items() if sign in output)


def _bare(outer: Mapping[str, str]) -> dict[str, str]:
    """What remains of the caller's variables with include_outer_env=False."""
    kept = ("PATH", "SYSTEMROOT", "PATHEXT", "COMSPEC", "TEMP", "TMP")  # nothing runs without them
    return {name: value for name, value in outer.items() if name in kept}


def _how_it_ended(argv: tuple[str, ...], finished: Finished) -> str:
    name = os.path.basename(argv[0])
    if finished.timed_out:
        return f"{name} was stopped after its time was up"
    return f"{name} {ending(finished.returncode)}"


def _failure(argv: tuple[str, ...], finished: Finished, command: Command) -> CommandFailed:
    if finished.timed_out:
        name = os.path.basename(argv[0])
        return CommandTimedOut(
            f"{name} took longer than {command.timeout_s:g} s", returncode=finished.returncode
        )
    return CommandFailed(_how_it_ended(argv, finished), returncode=finished.returncode)


def prepare_ahead(job: Job, world: World) -> None:
    """The job's environment is what is declared; for a job whose turn has not come."""
    with Bench(job, world, ahead=True):
        pass  # to open it is to prepare it
