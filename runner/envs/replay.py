"""Brings an environment to what its steps say: runs those that differ, and nothing else.

A job's steps are compared with the journal one by one, in order. While they
are equal nothing is executed. At the end of the journal a step is applied on
top; where only the sources of a local project differ its wheel is replaced; at
any other difference the environment is made anew with the steps so far: from an
image of the store where there is one, by the installer otherwise.

Knows nothing of jobs or sessions; commands are run by a function that is handed in.
"""

from __future__ import annotations

import os

from runner.envs import folder, integrity, manifest
from runner.envs.images import Images
from runner.envs.installing import Installing
from runner.envs.journal import Journal, site_difference, site_listing, to_text, write
from runner.envs.judge import (
    Verdict,
    judge,
    only_sources_differ,
    step_difference,
    unhealthy,
)
from runner.errors import EnvironmentBroken
from runner.ingredients import difference
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.envs import Backend, Policy
    from runner.envs.journal import Entry, State
    from runner.envs.resolved import Resolved
    from runner.envs.store import Damaged, Store
    from runner.envs.wheels import Wheels
    from runner.running import Environment, EnvSpec, Ingredient, RunInstaller, Step

_LATER = "an install that came after a command is in it"


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
        store: Store | None = None,
        warn: Callable[[str], None] = lambda _: None,
        held_before_ns: tuple[int, int] = (0, 0),
    ) -> None:
        """What it acts with.

        on_wait: told who else makes what it needs, before waiting. warn: told what
        a user should hear and what stops nothing. held_before_ns: from when to when
        the last job held the environment.
        """
        self._spec = spec
        self._policy = policy
        self._wheels = wheels
        self._keeps_each_step = backend.rebuilds_slowly()
        self._installing = Installing(spec, backend, policy, wheels, run_installer, on_wait, store)
        self._entries: list[Entry] = []  # of the journal
        self._at = 0  # how many of them this job has replayed
        self._done: list[Step | None] = []  # this job's own; None where commands ran
        self._site: dict[str, int] = {}  # the listing after the last step
        self._declared_by = spec.declared_by  # of the journal
        self._state: State = "changing"  # that was written last
        self._written = ""  # the journal, where it was written by us
        self._kept = False  # --no-install holds an environment that differs
        self._tainted = False
        self._warn = warn
        self._held_before_ns = held_before_ns
        self._images = Images(
            store,
            spec,
            policy,
            on_wait=on_wait,
            empty=self._empty,
            on_damage=self._tell_damage,
            on_other_files=self._tell_other_files,
        )
        self._is_new = False  # it was made, or linked, for this job
        self._resolved: list[Resolved | None] = []  # by entries
        self._sealed = False  # the manifest is that of what is there now
        self._own: dict[str, manifest.FileState | None] = {}  # on top of the manifest
        self._listed: manifest.Manifest | None = None  # which is no image so far
        self._bytecode_ns = 0
        self._old: Journal | None = None  # of what was there before it was made anew

    @property
    def environment(self) -> Environment:
        """What it is now; some know their Python when they are made."""
        return self._installing.environment

    def prepare(self) -> Verdict:
        """Bring it to its declared steps; returns what was done."""
        verdict, journal = judge(self._spec, self._policy, self._wheels)
        self._done = list(self._spec.steps)
        if journal is not None and verdict.state == "reused":
            self._go_on_from(journal)
            self._at = len(self._spec.steps)
            self._get_new_bytecode()
            if not self._sealed:  # the run that made it was killed
                self._seal()
                self._write(self._state)
            return verdict
        if journal is not None and verdict.state == "updated" and not self._policy.no_install:
            self._go_on_from(journal)
            for number, step in enumerate(self._spec.steps):
                if self._entries[number] != step.ingredients and not self._update(step, number):
                    linked = self._make_anew()
                    return Verdict("rebuilt", f"{verdict.reason}, and its metadata", linked)
            self._at = len(self._spec.steps)
            return verdict
        if journal is not None and verdict.state == "upgraded" and not self._policy.no_install:
            self._go_on_from(journal)
            self._at = len(self._spec.steps)
            self._upgrade()
            return verdict
        if self._policy.no_install:
            if journal is None or journal.state == "changing" or unhealthy(self._spec):
                raise EnvironmentBroken(
                    f"there is no whole environment in {self._spec.path},"
                    " and --no-install makes none",
                    mend="run once without --no-install",
                )
            self._kept = True
            return Verdict("kept", verdict.reason)
        self._old = journal
        return verdict._replace(linked=self._make_anew())

    def _go_on_from(self, journal: Journal) -> None:
        self._entries, self._site = list(journal.entries), journal.site
        self._declared_by = journal.declared_by
        self._state = journal.state
        self._resolved = list(journal.resolved)
        self._sealed, self._own = journal.sealed, {**journal.own}
        self._images.image, self._bytecode_ns = journal.image, journal.bytecode_ns

    def _get_new_bytecode(self) -> None:
        """Have what joined its image since: jobs that share it compiled that."""
        had_ns = self._bytecode_ns
        self._bytecode_ns = self._images.join_bytecode(self._images.image, had_ns)
        if self._bytecode_ns != had_ns:
            self._write(self._state)

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
            reason = step_difference(entry or (), step, self._wheels)
            if only_sources_differ(step, entry):
                self._notice_changes()
                if self._update(step, self._at):
                    self._at += 1
                    self._done.append(step)
                    return Verdict("updated", reason)
                reason += ", and its metadata"
            self._refuse_to_lose_changes()
            self._done.append(step)
            return Verdict("rebuilt", reason, self._make_anew())
        self._images.join()
        self._notice_changes()
        self._done.append(step)
        self._apply(step)
        return None

    def before_command(self) -> Verdict | None:
        """Make sure that no later step is in it; the Verdict of a rebuild, if that took one."""
        if self._kept or (self._done and self._done[-1] is None):
            return None
        self._keep_image()
        if self._is_new or self._policy.is_new:
            self._images.go_on_compiling()
        self._done.append(None)
        if self._at < len(self._entries):
            entry = self._entries[self._at]
            self._at += 1
            if entry is None and (self._is_declared_the_same() or not self._later_steps()):
                return None
            reason = difference(entry, ()) if entry else self._why_later()
            if self._policy.no_install:
                return self._keep(reason)
            # What is left over from an earlier envfile must not be there.
            self._refuse_to_lose_changes()
            return Verdict("rebuilt", reason, self._make_anew())
        self._entries.append(None)
        self._at += 1
        self._write("tainted" if self._tainted else "whole")
        return None

    def end(self) -> Verdict | None:
        """Make sure that it holds nothing that the job did not install; as for `step`.

        Raises EnvironmentBroken where the job's commands ran beside such a thing.
        """
        if self._kept or self._policy.no_install:
            return None
        if not self._later_steps():
            self._keep_image()
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
        return Verdict("rebuilt", reason, self._make_anew())

    def close(self) -> None:
        """What goes on beside the job has ended; called whatever happened to the job."""
        self._images.join()
        self._images.let_go()
        if None in self._done and (self._is_new or self._policy.is_new):
            self._images.take_bytecode()
        if self._is_new and self._images.image and self._state == "whole":
            self._write("whole")  # with the image's name

    def _later_steps(self) -> list[tuple[Ingredient, ...]]:
        """What is in it that this job has not asked for so far."""
        return [entry for entry in self._entries[self._at :] if entry is not None]

    def _why_later(self) -> str:
        return f"the envfile changed, and {_LATER}" if self._policy.foresees else _LATER

    def _is_declared_the_same(self) -> bool:
        """Whether the steps that come later can be expected to come again."""
        return self._policy.foresees and self._declared_by == self._spec.declared_by

    def _keep(self, reason: str) -> Verdict:
        """Leave it as it is from now on, though it differs (--no-install)."""
        self._kept = True
        return Verdict("kept", reason)

    def _make_anew(self) -> bool:
        """The environment with the steps of this job so far, and nothing else.

        Whether it was linked from an image.
        """
        self._images.join()
        self._forget_damaged()
        self._empty()
        self._is_new = True
        linked = self._begin_from_image()
        if not linked:
            self._installing.make()
            if self._keeps_each_step:
                self._seal()
                self._keep_image()
        for step in self._done[len(self._entries) :]:
            if step is None:
                self._entries.append(None)
            else:
                self._apply(step)
                if self._keeps_each_step:
                    self._keep_image()  # to begin there another time
        self._at = len(self._done)
        self._site = site_listing(self._spec.path)
        if not self._sealed:
            self._seal()
        self._write("whole")
        self._keep_image()
        return linked

    def _empty(self) -> None:
        """The environment's folder holds its journal alone."""
        folder.remove(self._spec.path)
        self._entries, self._resolved = [], []
        self._sealed, self._own, self._bytecode_ns = False, {}, 0
        self._images.image = ""
        self._declared_by = self._spec.declared_by
        self._tainted = False
        self._state = "changing"
        self._written = to_text(self._journal("changing"))
        folder.start_environment(self._spec.path, self._written)

    # Images: what was made once is linked. -----------------------------------------------

    def _begin_from_image(self) -> bool:
        """Begin with what is in the store of this job's steps; whether there is something."""
        steps = [step for step in self._done if step is not None]
        if None in self._done:
            steps = steps[: self._done.index(None)]
        goes_on = len(self._done) == len(self._spec.steps)
        begun = self._images.begin(steps, goes_on=goes_on)
        if begun is None:
            return False
        self._entries, self._resolved = list(begun.entries), list(begun.resolved)
        self._sealed, self._own, self._bytecode_ns = True, begun.own, begun.bytecode_ns
        self._site = site_listing(self._spec.path)
        for number, step in enumerate(steps[: len(self._entries)]):
            is_same = self._entries[number] == step.ingredients
            # Of a project in another folder the same wheel is another file.
            is_at_home = begun.is_from_here or not step.builds
            if not (is_same and is_at_home):
                if not self._update(step, number):
                    self._empty()
                    return False
                self._sealed = False  # another image comes of it, with this wheel
            self._installing.note_use(step)
        if unhealthy(self._spec):
            self._empty()
            return False
        return True

    def _seal(self) -> None:
        """Take the manifest of what is there: at once, before anybody else can write there."""
        self._images.join()
        self._listed = integrity.seal(self._spec.path)
        self._sealed, self._own = True, {}

    def _keep_image(self) -> None:
        """Make what was sealed last an image, where it may be one and is none."""
        listed, self._listed = self._listed, None
        steps = self._steps_so_far()
        if listed is not None and self._is_new and steps is not None and not self._tainted:
            self._images.keep(
                listed,
                self._entries,
                steps,
                self._resolved[-1] if self._resolved else None,
                declared=len(self._spec.steps),
            )

    def _forget_damaged(self) -> None:
        """Have the installer forget what was changed in place: it would install that again."""
        journal = self._old or (self._journal("whole") if self._entries else None)
        self._old = journal
        if journal is None or not os.path.isdir(self._spec.path):
            return
        path = self._spec.path
        names = list(integrity.changes(path, journal))
        shared = integrity.shared_elsewhere(path, names)
        if shared:
            self._tell_who(journal.image, path, shared[0])
            self._installing.forget(frozenset(integrity.distributions_of(path, shared)))

    def _tell_damage(self, damaged: Damaged) -> None:
        self._warn(
            f"an image in the store was changed and is no longer used: {damaged.names[0]}"
            + damaged.by
        )
        self._installing.forget(damaged.packages)

    def _tell_who(self, image: str, path: str, name: str) -> None:
        who = self._images.who_changed(image, os.path.join(path, name), self._held_before_ns)
        told = f" while the environment {who} was in use" if who else ""
        self._warn(f"{name} was changed{told}; other environments share the file")

    def _tell_other_files(self, names: list[str]) -> None:
        self._warn(
            f"{', '.join(names)}: the same version as before has other files in it;"
            " its index, or the machine that built it, gave another one"
        )

    def _apply(self, step: Step) -> None:
        """Install on top of what there is."""
        self._refuse_what_is_broken()
        self._declared_by = self._spec.declared_by
        self._write("changing")
        self._sealed = False
        resolved = self._installing.apply(step, self._remembered(step), self._warn)
        self._seal()
        changed = self._installing.changed_in_cache(self._listed)
        if changed:
            self._warn(
                f"{changed[0]} was changed in {self._spec.backend}'s cache, by a job of whatever"
                " environment shares it; its package is installed anew"
            )
            resolved = self._installing.apply_anew(step, resolved, changed, self._warn)
            self._seal()
        self._resolved += [None] * (len(self._entries) - len(self._resolved))
        self._entries.append(step.ingredients)
        self._resolved.append(resolved)
        self._at = len(self._entries)
        steps = self._steps_so_far()
        if steps is not None:
            self._images.note(steps, resolved)
        self._site = site_listing(self._spec.path)
        self._write("tainted" if self._tainted else "whole")

    def _steps_so_far(self) -> list[Step] | None:
        """The steps of which it is made; None where commands ran among them."""
        done = self._done[: len(self._entries)]
        steps = [step for step in done if step is not None]
        return steps if len(steps) == len(self._entries) else None

    def _remembered(self, step: Step) -> Resolved | None:
        """What the step resolved to when the same was installed; None where it is asked anew."""
        before = [s for s in self._done[: len(self._entries)] if s is not None]
        if self._policy.upgrade or step.asks_anew or step.locked or step.program:
            return None
        known = self._resolved_here([*before, step]) or self._images.remembered([*before, step])
        return known if known and known.when_s >= self._policy.pins_since_s else None

    def _resolved_here(self, steps: list[Step]) -> Resolved | None:
        """The same, by the journal of what was here."""
        old = self._old
        if old is None or len(old.resolved) < len(steps):
            return None
        if difference(old.ingredients, self._spec.ingredients):
            return None
        same = tuple(step.ingredients for step in steps) == old.entries[: len(steps)]
        return old.resolved[len(steps) - 1] if same else None

    def _update(self, step: Step, number: int) -> bool:
        """Replace the wheels of the step's projects; False where more than these would change."""

        def before() -> None:
            self._refuse_what_is_broken()
            self._write("changing")

        names = self._installing.replace_wheels(step, before)
        if names is None:
            return False
        self._entries[number] = step.ingredients
        for name in names:
            self._own[name] = manifest.state_or_none(os.path.join(self._spec.path, name))
        self._site = site_listing(self._spec.path)
        self._write("tainted" if self._tainted else "whole")
        return True

    def _upgrade(self) -> None:
        """Install the declared steps again, with the newest of the packages named."""
        self._write("changing")
        resolved = self._installing.upgrade(self._spec.steps)
        self._resolved[: len(self._spec.steps)] = [resolved] * len(self._spec.steps)
        self._site = site_listing(self._spec.path)
        if not self._later_steps():
            del self._entries[len(self._spec.steps) :]  # the marks of commands
        self._images.note(self._spec.steps, resolved)
        self._seal()
        self._write("whole")
        self._is_new = len(self._entries) == len(self._spec.steps)
        self._keep_image()

    def _refuse_what_is_broken(self) -> None:
        """Raise where an install might go into the Python that it was made with."""
        broken = unhealthy(self._spec)
        if broken:
            self._write("tainted")
            raise EnvironmentBroken(
                f"a command damaged the environment before an install: {broken}",
                mend="run again: it starts fresh",
            )

    def _notice_changes(self) -> None:
        """Remember when commands, and not steps, changed what is installed."""
        if None not in self._done:
            return
        if site_difference(self._site, site_listing(self._spec.path)) or integrity.first_change(
            self._spec.path, self._journal("whole")
        ):
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
            resolved=tuple(self._resolved),
            sealed=self._sealed,
            own=self._own,
            image=self._images.image,
            bytecode_ns=self._bytecode_ns,
        )

    def _write(self, state: State) -> None:
        self._state = state
        self._written = write(self._spec.path, self._journal(state), self._written)
