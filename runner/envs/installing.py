"""How an environment is made and installed into; when that happens is decided in `replay.py`.

Turns steps into calls of the backend's installer: with the wheels of local projects,
what a uv.lock says, and the versions that were resolved before. Knows nothing of journals.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from runner.aside import write_aside
from runner.envs import folder, integrity
from runner.envs.judge import environment_of, keyed, unhealthy, upgrade_option
from runner.envs.resolved import Resolved, as_constraints, pins_in
from runner.envs.wheels import (
    SETUPTOOLS,
    Asking,
    builds_of_its_own,
    named_in,
    needs_installed,
    needs_of,
    requirement,
)
from runner.errors import EnvironmentBroken
from runner.requirements.arguments import takes_lowest_named
from runner.running import Command, InstallerCall
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.envs import Backend, Policy
    from runner.envs.manifest import Manifest
    from runner.envs.resolved import Pin
    from runner.envs.store import Store
    from runner.envs.wheels import Wheels
    from runner.running import Build, EnvSpec, InstallerKind, RunInstaller, Step

_PINS = "runenv.pins.txt"  # in an environment: what an install may resolve to


def as_command(
    call: InstallerCall, outer: Mapping[str, str], holds: tuple[int, ...], *, captured: bool
) -> Command:
    """The command of a call, with the variables that it is to have; it reads nothing.

    outer: the caller's variables. holds: descriptors of locks, beside those of the call.
    """
    # Said by the user it is followed, and where setuptools builds is the user's to mend.
    setuptools = os.path.join(call.path, SETUPTOOLS)
    own = {"DIST_EXTRA_CONFIG": setuptools} if call.kind == "install" else {}
    variables = {**own, **outer, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **dict(call.changes)}
    return Command(
        argv=call.argv,
        cwd=call.cwd,
        env={name: value for name, value in variables.items() if value is not None},
        capture="merged" if captured else "no",
        input="",  # an installer that asks would wait for ever
        # Where we are killed it goes on, and the next run must wait for its end.
        holds=(*holds, *call.holds),
    )


class Installing:
    """What makes one environment and installs into it."""

    def __init__(
        self,
        spec: EnvSpec,
        backend: Backend,
        policy: Policy,
        wheels: Wheels,
        run_installer: RunInstaller,
        on_wait: Callable[[str], None],
        store: Store | None,
    ) -> None:
        """on_wait: told who else builds the same project, before waiting.

        store: what a build environment is linked from.
        """
        self.environment = environment_of(spec)
        self._spec = spec
        self._backend = backend
        self._policy = policy
        self._wheels = wheels
        self._run_installer = run_installer
        self._on_wait = on_wait
        self._store = store
        self._forgotten: set[str] = set()  # packages that the installer has cached anew

    def make(self) -> None:
        """The environment without any step, in the folder that is there."""
        spec = self._spec
        if not self._backend.write_bare(spec.path, spec.interpreter, spec.options):
            argv = self._backend.make_argv(spec.path, spec.interpreter, spec.options)
            self._run_installer(self._call(argv, "make", spec.backend))
        if unhealthy(spec):
            raise EnvironmentBroken(
                f"{spec.backend} made no environment that works: {unhealthy(spec)}",
                mend="its output is shown with --verbose",
            )
        self.environment = self._backend.finish(self.environment)

    def changed_in_cache(self, listed: Manifest | None) -> list[str]:
        """The files that the installer has linked, and some job has changed in its cache."""
        if listed is None or not self._backend.forget_argv(("any",)):
            return []
        return list(integrity.changed_in_cache(self._spec.path, listed))

    def apply_anew(
        self, step: Step, known: Resolved, changed: list[str], warn: Callable[[str], None]
    ) -> Resolved:
        """Install the step again, with new copies of the packages that the changed files are of."""
        packages = frozenset(integrity.distributions_of(self._spec.path, changed))
        self.forget(packages)
        more = [word for name in sorted(packages) for word in ("--reinstall-package", name)]
        return self.apply(step, known, warn, tuple(more))

    def apply(
        self,
        step: Step,
        known: Resolved | None,
        warn: Callable[[str], None],
        more: tuple[str, ...] = (),
    ) -> Resolved:
        """Install on top of what there is; returns what that resolved to.

        known: what it resolved to before, which is installed again. warn: told where
        that cannot be had any more, and it is asked anew. more: arguments.
        """
        upgrade = ("--upgrade",) if self._policy.upgrade else ()
        wanted = self._wanted(step)
        arguments = (*more, *upgrade, *step.arguments, *self._exported(step), *wanted)
        when_s = self._install_known(step, arguments, known) if known and known.pins else None
        if when_s is None:
            if known and known.pins:
                warn(
                    f"what {step.show} resolved to before cannot be installed any more: asked anew"
                )
            self._install(step, arguments)
            when_s = time.time()
        return Resolved(when_s, self._pins())

    def _install_known(
        self, step: Step, arguments: tuple[str, ...], known: Resolved
    ) -> float | None:
        """Install the versions that are known; None where that cannot be done."""
        path = os.path.join(self._spec.path, _PINS)
        write_aside(path, as_constraints(known))
        try:
            # What the installer has in its cache needs no index.
            for more in dict.fromkeys((self._backend.offline_arguments(), ())):
                with suppress(EnvironmentBroken):
                    self._install(step, (*more, *arguments, "-c", path), may_fail=True)
                    return known.when_s
        finally:
            os.unlink(path)
        return None

    def _install(self, step: Step, arguments: tuple[str, ...], *, may_fail: bool = False) -> None:
        argv = (
            (*step.program, *arguments)
            if step.program
            else self._backend.install_argv(self.environment, arguments)
        )
        with builds_of_its_own(self._spec.path, step.in_place):
            call = self._call(argv, "install", step.show, step)
            self._run_installer(call._replace(may_fail=may_fail))

    def replace_wheels(self, step: Step, before: Callable[[], None]) -> set[str] | None:
        """Replace the wheels of the step's projects.

        Returns the files that went or came, from the environment's folder; None, and
        nothing was done, where more than these wheels would change. before: called
        when something is about to be done.
        """
        path = self._spec.path
        site = folder.site_packages(path)
        wheels = [self._wheel(build, step) for build in step.builds]
        if any(needs_of(wheel) != needs_installed(wheel, site) for wheel in wheels):
            return None
        before()
        names = [os.path.basename(wheel).partition("-")[0] for wheel in wheels]
        there = integrity.files_of(path, names)
        wanted = [requirement(b, w) for b, w in zip(step.builds, wheels, strict=True)]
        force = () if self._backend.replaces_other_files() else ("--force-reinstall",)
        # What the wheels need is installed already.
        arguments = ("--no-deps", *force, *wanted)
        argv = self._backend.install_argv(self.environment, arguments)
        shown = " ".join(build.shown for build in step.builds)
        self._run_installer(self._call(argv, "install", f"--no-deps {shown}", step))
        return there | integrity.files_of(path, names)

    def upgrade(self, steps: tuple[Step, ...]) -> Resolved:
        """Install the steps again, with the newest of the packages that the policy names."""
        names = self._policy.upgrade_package
        options = [word for name in names for word in ("--upgrade-package", name)]
        for step in steps:
            wanted = self._wanted(step)
            argv = self._backend.install_argv(
                self.environment, (*options, *step.arguments, *wanted)
            )
            shown = f"{upgrade_option(self._policy)} {step.show}"
            self._run_installer(self._call(argv, "install", shown, step))
        return Resolved(time.time(), self._pins())

    def forget(self, packages: frozenset[str]) -> None:
        """Have the installer forget what it has of these packages: it was changed in place."""
        names = tuple(sorted(packages - self._forgotten))
        argv = self._backend.forget_argv(names) if names else ()
        if argv:
            shown = f"{' '.join(names)} in the cache of {self._spec.backend}"
            self._run_installer(self._call(argv, "forget", shown))
        self._forgotten.update(names)

    def note_use(self, step: Step) -> None:
        """The wheels of the step's projects were installed, by links."""
        for build in step.builds:
            self._wheels.note_use(keyed(build, step, self._spec), self._spec.interpreter)

    def _pins(self) -> tuple[Pin, ...]:
        return pins_in(folder.site_packages(self._spec.path))

    def _exported(self, step: Step) -> tuple[str, ...]:
        """The arguments that install what a project's uv.lock says, made now."""
        if step.export is None:
            return ()
        # In the environment: it goes with it, and no other job writes it.
        out = os.path.join(self._spec.path, "pylock.uv.toml")
        argv = self._backend.export_argv(self.environment, step.export, out)
        call = self._call(argv, "export", "uv.lock", step)
        # Set by people who mean their own `uv run`, and refused beside --locked.
        changes = (*call.changes, ("UV_FROZEN", None), ("UV_LOCKED", None))
        self._run_installer(call._replace(changes=changes))
        return ("-r", out)

    def _wanted(self, step: Step) -> list[str]:
        """What asks the installer for the wheels of the step's projects."""
        wheels = [(build, self._wheel(build, step)) for build in step.builds]
        wanted = [requirement(build, wheel) for build, wheel in wheels]
        if takes_lowest_named(step.arguments, step.variables, self._spec.resolution):
            # uv takes what a project names as named where it is a folder, and not where it is a
            # wheel; its tests would then run with the highest, and pass.
            wanted += [text for build, wheel in wheels for text in named_in(wheel, build.extras)]
        return wanted

    def _wheel(self, build: Build, step: Step) -> str:
        return self._wheels.provide(
            keyed(build, step, self._spec),
            Asking(
                self._spec,
                self.environment,
                step,
                self._run_installer,
                self._on_wait,
                self._policy,
                store=self._store,
            ),
        )

    def _call(
        self, argv: tuple[str, ...], kind: InstallerKind, show: str, step: Step | None = None
    ) -> InstallerCall:
        """A call for the environment; for a step in its folder, with its variables."""
        return InstallerCall(
            argv=argv,
            kind=kind,
            show=show,
            path=self._spec.path,
            cwd=step.cwd if step else os.path.dirname(self._spec.path),
            changes=step.variables if step else (),
        )
