"""Brings an environment to what its steps say: runs those that differ, and nothing else.

A job's steps are compared with the journal one by one, in order. While they
are equal nothing is executed. At the end of the journal a step is applied on
top; where only the sources of a local project differ its wheel is replaced; at
any other difference the environment is made anew with the steps so far.

Knows nothing of jobs or sessions; commands are run by a function that is handed in.
"""

from __future__ import annotations

import os
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, NamedTuple, Protocol

from runner.envs import folder
from runner.envs.checkpoints import Checkpoints
from runner.envs.journal import Journal, read, site_difference, site_listing, to_text, write
from runner.envs.wheels import builds_of_its_own, needs_installed, needs_of, requirement
from runner.errors import EnvironmentBroken
from runner.ingredients import difference
from runner.running import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from runner.envs import Backend
    from runner.envs.journal import Entry, State
    from runner.envs.wheels import Wheels
    from runner.running import Build, EnvSpec, Ingredient, Step


class Policy(NamedTuple):
    """What the command line says about all environments."""

    fresh: bool = False
    upgrade: bool = False
    no_install: bool = False
    upgrade_package: tuple[str, ...] = ()
    is_new: bool = False  # what is to be made anew in this run has been


class RunInstaller(Protocol):
    """Runs a command that makes an environment or installs; raises where it fails."""

    def __call__(
        self,
        argv: tuple[str, ...],
        kind: Literal["make", "build", "export", "install"],
        show: str,
        cwd: str,
        changes: tuple[tuple[str, str | None], ...],
    ) -> None: ...


class Verdict(NamedTuple):
    """What preparing an environment would do, or did."""

    state: Literal["reused", "updated", "upgraded", "created", "rebuilt", "kept"]
    reason: str = ""


def environment_of(spec: EnvSpec) -> Environment:
    """The Environment that a spec describes; it need not exist."""
    return Environment(
        path=spec.path,
        bin=folder.bin_folder(spec.path),
        python=folder.python_in(spec.path),
        interpreter=spec.interpreter,
        backend=spec.backend,
    )


def judge(spec: EnvSpec, policy: Policy, wheels: Wheels) -> tuple[Verdict, Journal | None]:
    """What preparing the environment would do, and the journal that it would go on from."""
    if not os.path.lexists(spec.path):
        return Verdict("created"), None
    journal = read(spec.path)
    if journal is None:
        if not os.path.isdir(spec.path) or os.listdir(spec.path):
            return Verdict("rebuilt", "it has no journal that can be read"), None
        return Verdict("created"), None
    reason = _why_not_reused(spec, journal, policy)
    if reason:
        return Verdict("rebuilt", reason), journal
    differing = [
        (step, entry)
        for step, entry in zip_longest(spec.steps, journal.entries[: len(spec.steps)])
        if entry != step.ingredients
    ]
    if not differing:
        if policy.upgrade_package and not policy.is_new and _can_be_upgraded(spec):
            return Verdict("upgraded", _upgrade_option(policy)), journal
        return Verdict("reused"), journal
    step, entry = differing[0]
    changed = _difference(entry or (), step, wheels)
    if all(only_sources_differ(step, entry) for step, entry in differing):
        return Verdict("updated", changed), journal
    return Verdict("rebuilt", changed), journal


def _difference(was: tuple[Ingredient, ...], step: Step, wheels: Wheels) -> str:
    """Which ingredients of a step differ, in words; of sources which files, where that is known."""
    folders = {f"sources of {build.shown}": build.folder for build in step.builds}

    def inside(label: str, old: str, new: str) -> list[str]:
        return wheels.changed_sources(folders[label], old, new) if label in folders else []

    return difference(was, step.ingredients, inside)


def keyed(build: Build, step: Step, spec: EnvSpec) -> Build:
    """The build with all that decides what it makes in the environment."""
    # Variables and configuration decide what a build installs and does.
    own = [f"{label} {value}" for label, value in step.ingredients if label[0] == "$"]
    return build._replace(content=(*build.content, *spec.surroundings, *own))


def _can_be_upgraded(spec: EnvSpec) -> bool:
    """Whether it is not a lock that says which versions are in it."""
    return bool(spec.steps) and not any(step.locked for step in spec.steps)


def _upgrade_option(policy: Policy) -> str:
    return f"--upgrade={','.join(policy.upgrade_package)}"


def only_sources_differ(step: Step, entry: Entry) -> bool:
    """Whether a step differs from what was done in the sources of projects built for it alone."""
    if entry is None or not step.builds:
        return False
    labels = {f"{what} of {build.shown}" for build in step.builds for what in _SOURCES}
    return _without(labels, entry) == _without(labels, step.ingredients)


_SOURCES = ("sources", "git revision")
_LATER = "the envfile changed, and an install that came after a command is in it"


def _without(labels: set[str], ingredients: tuple[Ingredient, ...]) -> list[Ingredient]:
    return [ingredient for ingredient in ingredients if ingredient.label not in labels]


def _why_not_reused(spec: EnvSpec, journal: Journal, policy: Policy) -> str:
    if journal.state == "changing":
        return "an earlier run was stopped while it changed it"
    if policy.fresh and not policy.is_new:
        return "--fresh"
    if policy.upgrade and not policy.is_new:
        return "--upgrade"
    if not spec.reuse and not policy.is_new:
        return "reuse=False"
    changed = difference(journal.ingredients, spec.ingredients)
    if changed:
        return changed
    broken = _unhealthy(spec)
    if broken:
        return broken
    if journal.state == "tainted":
        return "a command of the session changed it before an install"
    other = site_difference(journal.site, site_listing(spec.path))
    if other:
        return (
            f"something other than its steps changed it ({other});"
            " declare it, or use session.install"
        )
    return ""


def _unhealthy(spec: EnvSpec) -> str:
    """What is missing without which it is no environment; or empty."""
    environment = environment_of(spec)
    broken = _without_mark(os.path.join(spec.path, spec.mark), spec.mark)
    if broken:
        return broken
    if not os.access(environment.python, os.X_OK):
        return "its python is gone or cannot be run"
    try:
        if not folder.site_packages(spec.path):
            return "its site-packages is gone"
    except OSError:
        return "its lib is gone"
    return ""


def _without_mark(path: str, mark: str) -> str:
    """What is wrong with the file or folder that says what kind of environment it is; or empty."""
    if mark != "pyvenv.cfg":
        return "" if os.path.exists(path) else f"its {mark} is gone"
    # Without it, or without its home, the interpreter would take itself for the one
    # it links to, and what is installed would go there.
    try:
        with open(path, encoding="utf-8") as stream:
            keys = [line.partition("=")[0].strip().lower() for line in stream]
    except FileNotFoundError:
        return "its pyvenv.cfg is gone"
    except (OSError, ValueError):
        return "its pyvenv.cfg cannot be read"
    return "" if "home" in keys else "its pyvenv.cfg names no home"


class Replay:
    """One environment while a job holds it."""

    def __init__(
        self,
        spec: EnvSpec,
        backend: Backend,
        policy: Policy,
        wheels: Wheels,
        run_installer: RunInstaller,
        on_wait: Callable[[str], None],
    ) -> None:
        self.environment = environment_of(spec)
        self._spec = spec
        self._backend = backend
        self._policy = policy
        self._wheels = wheels
        self._run_installer = run_installer
        self._on_wait = on_wait
        self._entries: list[Entry] = []  # of the journal
        self._at = 0  # how many of them this job has replayed
        self._done: list[Step | None] = []  # this job's own; None where commands ran
        self._site: dict[str, int] = {}  # the listing after the last step
        self._declared_by = spec.declared_by  # of the journal
        self._kept = False  # --no-install holds an environment that differs
        self._tainted = False
        slow = spec.reuse and backend.rebuilds_slowly()
        self._checkpoints = Checkpoints(spec.path) if slow else None

    def prepare(self) -> Verdict:
        """Bring it to its declared steps; returns what was done."""
        verdict, journal = judge(self._spec, self._policy, self._wheels)
        self._done = list(self._spec.steps)
        if journal is not None and verdict.state == "reused":
            self._go_on_from(journal)
            self._at = len(self._spec.steps)
            return verdict
        if journal is not None and verdict.state == "updated" and not self._policy.no_install:
            self._go_on_from(journal)
            for number, step in enumerate(self._spec.steps):
                if self._entries[number] != step.ingredients and not self._update(step, number):
                    self._make_anew()
                    return Verdict("rebuilt", f"{verdict.reason}, and its metadata")
            self._at = len(self._spec.steps)
            return verdict
        if journal is not None and verdict.state == "upgraded" and not self._policy.no_install:
            self._go_on_from(journal)
            self._at = len(self._spec.steps)
            self._upgrade()
            return verdict
        if self._policy.no_install:
            if journal is None or journal.state == "changing" or _unhealthy(self._spec):
                raise EnvironmentBroken(
                    f"there is no whole environment in {self._spec.path},"
                    " and --no-install makes none",
                    mend="run once without --no-install",
                )
            self._kept = True
            return Verdict("kept", verdict.reason)
        self._make_anew()
        return verdict

    def _go_on_from(self, journal: Journal) -> None:
        self._entries, self._site = list(journal.entries), journal.site
        self._declared_by = journal.declared_by

    def step(self, step: Step) -> Verdict | None:
        """Apply the session's next step; the Verdict of a rebuild, if that took one."""
        if self._kept:
            return None
        entry = self._entries[self._at] if self._at < len(self._entries) else None
        if entry == step.ingredients:
            self._at += 1
            self._done.append(step)
            return None
        if self._policy.no_install:
            return self._keep(difference(entry or (), step.ingredients))
        if self._at < len(self._entries):
            reason = _difference(entry or (), step, self._wheels)
            if only_sources_differ(step, entry):
                self._notice_changes()
                if self._update(step, self._at):
                    self._at += 1
                    self._done.append(step)
                    return Verdict("updated", reason)
                reason += ", and its metadata"
            self._refuse_to_lose_changes()
            self._done.append(step)
            self._make_anew()
            return Verdict("rebuilt", reason)
        self._notice_changes()
        self._done.append(step)
        self._apply(step)
        return None

    def before_command(self) -> Verdict | None:
        """Make sure that no later step is in it; the Verdict of a rebuild, if that took one."""
        if self._kept or (self._done and self._done[-1] is None):
            return None
        self._done.append(None)
        if self._at < len(self._entries):
            entry = self._entries[self._at]
            self._at += 1
            if entry is None and (self._is_declared_the_same() or not self._later_steps()):
                return None
            reason = difference(entry, ()) if entry else _LATER
            if self._policy.no_install:
                return self._keep(reason)
            # What is left over from an earlier envfile must not be there.
            self._refuse_to_lose_changes()
            self._make_anew()
            return Verdict("rebuilt", reason)
        self._entries.append(None)
        self._at += 1
        self._write("tainted" if self._tainted else "whole")
        return None

    def end(self) -> Verdict | None:
        """Make sure that it holds nothing that the job did not install; as for `step`.

        Raises EnvironmentBroken where the job's commands ran beside such a thing.
        """
        if self._kept or self._policy.no_install or not self._later_steps():
            return None
        reason = difference(self._later_steps()[0], ())
        if None in self._done:
            self._write("tainted")
            raise EnvironmentBroken(
                "what an earlier run had installed was there for the session's commands"
                f" ({reason})",
                mend="run again: it starts fresh;"
                " installs that stand before all commands avoid this",
            )
        self._make_anew()
        return Verdict("rebuilt", reason)

    def _later_steps(self) -> list[tuple[Ingredient, ...]]:
        """What is in it that this job has not asked for so far."""
        return [entry for entry in self._entries[self._at :] if entry is not None]

    def _is_declared_the_same(self) -> bool:
        """Whether the steps that come later can be expected to come again."""
        return self._declared_by == self._spec.declared_by

    def _keep(self, reason: str) -> Verdict:
        """Leave it as it is from now on, though it differs (--no-install)."""
        self._kept = True
        return Verdict("kept", reason)

    def _make_anew(self) -> None:
        """The environment with the steps of this job so far, and nothing else."""
        folder.remove(self._spec.path)
        self._entries = []
        self._declared_by = self._spec.declared_by
        self._tainted = False
        folder.start_environment(self._spec.path, to_text(self._journal("changing")))
        if not self._bring_back():
            self._make()
        for step in self._done[len(self._entries) :]:
            if step is None:
                self._entries.append(None)
            else:
                self._apply(step)
        self._site = site_listing(self._spec.path)
        self._write("whole")
        self._at = len(self._entries)
        if self._checkpoints is not None:
            self._checkpoints.forget_others()

    def _make(self) -> None:
        """The environment without any step, in the folder that is there."""
        made_by = self._backend.make_argv(
            self._spec.path, self._spec.interpreter, self._spec.options
        )
        self._run_installer(made_by, "make", "", os.path.dirname(self._spec.path), ())
        if _unhealthy(self._spec):
            raise EnvironmentBroken(
                f"{self._spec.backend} made no environment that works: {_unhealthy(self._spec)}",
                mend="its output is shown with --verbose",
            )
        self.environment = self._backend.finish(self.environment)
        self._keep_checkpoint()

    # Checkpoints: what is proven is not made anew where that takes seconds. --------------

    def _keep_checkpoint(self) -> None:
        # After a command nothing is proven: it may have done anything.
        if self._checkpoints is not None and None not in self._entries:
            self._checkpoints.keep(self._checkpoint_key(self._entries))

    def _checkpoint_key(self, entries: Sequence[Entry]) -> tuple[object, ...]:
        return (self._spec.ingredients, *entries)

    def _bring_back(self) -> bool:
        """Begin with the longest run of this job's steps that was kept; whether there is one."""
        if self._checkpoints is None:
            return False
        first = list(takewhile(lambda step: step is not None, self._done))
        steps = [step.ingredients for step in first if step is not None]
        asked_anew = not self._policy.is_new and (self._policy.fresh or self._policy.upgrade)
        if asked_anew:
            self._checkpoints.forget_others()  # none is wanted so far
        for number in range(len(steps), -1, -1):
            if not asked_anew and self._checkpoints.bring_back(
                self._checkpoint_key(steps[:number])
            ):
                if _unhealthy(self._spec):
                    return False
                self._entries = list(steps[:number])
                for shorter in range(number):
                    self._checkpoints.want(self._checkpoint_key(steps[:shorter]))
                return True
        return False

    def _apply(self, step: Step) -> None:
        """Install on top of what there is."""
        self._refuse_what_is_broken()
        self._declared_by = self._spec.declared_by
        self._write("changing")
        upgrade = ("--upgrade",) if self._policy.upgrade else ()
        wanted = [requirement(build, self._wheel(build, step)) for build in step.builds]
        exported = self._exported(step)
        arguments = (*upgrade, *step.arguments, *exported, *wanted)
        argv = (
            (*step.program, *arguments)
            if step.program
            else self._backend.install_argv(self.environment, arguments)
        )
        with builds_of_its_own(self._spec.path, step.in_place):
            self._run_installer(argv, "install", step.show, step.cwd, step.variables)
        self._entries.append(step.ingredients)
        self._at = len(self._entries)
        self._site = site_listing(self._spec.path)
        self._write("tainted" if self._tainted else "whole")
        self._keep_checkpoint()

    def _update(self, step: Step, number: int) -> bool:
        """Replace the wheels of the step's projects; False where more than these would change."""
        site = folder.site_packages(self._spec.path)
        wheels = [self._wheel(build, step) for build in step.builds]
        if any(needs_of(wheel) != needs_installed(wheel, site) for wheel in wheels):
            return False
        self._refuse_what_is_broken()
        self._write("changing")
        wanted = [requirement(b, w) for b, w in zip(step.builds, wheels, strict=True)]
        # pip and uv call both so. What the wheels need is installed already.
        arguments = ("--no-deps", "--force-reinstall", *wanted)
        argv = self._backend.install_argv(self.environment, arguments)
        shown = " ".join(build.shown for build in step.builds)
        self._run_installer(argv, "install", f"--no-deps {shown}", step.cwd, step.variables)
        self._entries[number] = step.ingredients
        self._site = site_listing(self._spec.path)
        self._write("tainted" if self._tainted else "whole")
        return True

    def _upgrade(self) -> None:
        """Install the declared steps again, with the newest of the packages named."""
        names = self._policy.upgrade_package
        options = [word for name in names for word in ("--upgrade-package", name)]
        self._write("changing")
        for step in self._spec.steps:
            wanted = [requirement(build, self._wheel(build, step)) for build in step.builds]
            argv = self._backend.install_argv(
                self.environment, (*options, *step.arguments, *wanted)
            )
            shown = f"{_upgrade_option(self._policy)} {step.show}"
            self._run_installer(argv, "install", shown, step.cwd, step.variables)
        self._site = site_listing(self._spec.path)
        self._write("whole")

    def _exported(self, step: Step) -> tuple[str, ...]:
        """The arguments that install what a project's uv.lock says, made now."""
        if step.export is None:
            return ()
        # In the environment: it goes with it, and no other job writes it.
        out = os.path.join(self._spec.path, "pylock.uv.toml")
        argv = self._backend.export_argv(self.environment, step.export, out)
        # Set by people who mean their own `uv run`, and refused beside --locked.
        changes = (*step.variables, ("UV_FROZEN", None), ("UV_LOCKED", None))
        self._run_installer(argv, "export", "uv.lock", step.cwd, changes)
        return ("-r", out)

    def _wheel(self, build: Build, step: Step) -> str:
        def run_build(argv: tuple[str, ...], cwd: str) -> None:
            self._run_installer(argv, "build", build.shown, cwd, step.variables)

        return self._wheels.provide(
            keyed(build, step, self._spec),
            self.environment,
            self._backend,
            run_build,
            self._on_wait,
        )

    def _refuse_what_is_broken(self) -> None:
        """Raise where an install might go into the Python that it was made with."""
        broken = _unhealthy(self._spec)
        if broken:
            self._write("tainted")
            raise EnvironmentBroken(
                f"a command damaged the environment before an install: {broken}",
                mend="run again: it starts fresh",
            )

    def _notice_changes(self) -> None:
        """Remember when commands, and not steps, changed what is installed."""
        if None in self._done and site_difference(self._site, site_listing(self._spec.path)):
            self._tainted = True

    def _refuse_to_lose_changes(self) -> None:
        """Raise where making anew would undo what a command of this run has done."""
        if None not in self._done:
            return
        changed = site_difference(self._site, site_listing(self._spec.path))
        if changed:
            self._write("tainted")
            raise EnvironmentBroken(
                f"a command changed the environment ({changed}) before an install that differs"
                " from the last run's",
                mend="run again: it starts fresh;"
                " session.install instead of the command avoids this",
            )

    def _journal(self, state: State) -> Journal:
        return Journal(
            state=state,
            ingredients=self._spec.ingredients,
            entries=tuple(self._entries),
            site=self._site,
            declared_by=self._declared_by,
        )

    def _write(self, state: State) -> None:
        write(self._spec.path, self._journal(state))
