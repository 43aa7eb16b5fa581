"""One environment and the store: it begins from an image, and becomes one.

Decides which of the images that are known may be used; `store.py` links them.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from runner.envs.journal import ingredients_from
from runner.envs.resolved import Resolved, other_files
from runner.envs.shared import (
    base_of,
    key_at,
    key_of,
    key_of_next,
    leave_out_sources,
    made_with,
)
from runner.envs.store import Damaged, Known
from runner.record import Record
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.envs import Policy
    from runner.envs.journal import Entry
    from runner.envs.lock import Lock
    from runner.envs.manifest import FileState, Manifest
    from runner.envs.store import Image, Keeping, Store
    from runner.running import EnvSpec, Step


class Begun(Record):
    """What an environment has that was linked from an image."""

    entries: tuple[Entry, ...]  # of its journal; those beyond the steps are expected to come
    resolved: tuple[Resolved | None, ...]
    own: dict[str, FileState | None]
    bytecode_ns: int
    is_from_here: bool  # its projects were built for this environment folder


class Usable(Record):
    """An image that an environment may begin with."""

    image: Image
    resolved: Resolved | None
    entries: tuple[Entry, ...]  # of the journal; those beyond the steps are expected to come
    is_from_here: bool  # its projects were built for this environment folder


def look(store: Store | None, spec: EnvSpec, policy: Policy) -> Usable | None:
    """What an environment would begin with that has all its declared steps; changes nothing."""
    for key in _keys(spec, spec.steps, goes_on=True):
        usable = _usable(store, spec, policy, key, spec.steps)
        if usable is not None:
            return usable
    return None


def _keys(spec: EnvSpec, steps: Sequence[Step], *, goes_on: bool) -> list[str]:
    """What an image of these steps may be known by, the best first, the plain key last."""
    key = key_of(spec, steps)
    keys = [*_key_here(spec, key, steps), key]
    if goes_on:
        keys.insert(0, key_of_next(spec, steps))
    return [each for each in keys if each]


def _key_here(spec: EnvSpec, key: str, steps: Sequence[Step]) -> list[str]:
    """The key of what was made with wheels of this very environment folder."""
    here = key and any(step.builds for step in steps)
    return [key_at(key, os.path.dirname(spec.path))] if here else []


def _usable(
    store: Store | None, spec: EnvSpec, policy: Policy, key: str, steps: Sequence[Step]
) -> Usable | None:
    """The image that is known by a key, where an environment with these steps may have it."""
    if store is None:
        return None
    known = store.known(key)
    image = store.image(known.image)
    if image is None:
        return None
    # With --fresh it is the files that are to be new, not what was resolved.
    of_versions = known.resolved is not None and not policy.fresh
    when_s = known.resolved.when_s if known.resolved and of_versions else image.made_s
    if image.name not in store.made and when_s < policy.images_since_s:
        return None
    try:
        listed = cast("list[list[list[str]]]", image.facts["entries"])
        entries = tuple(ingredients_from(pairs) for pairs in listed)
        is_from_here = image.facts["envdir"] == os.path.dirname(spec.path)
        has_builds = bool(image.facts["builds"])
    except (KeyError, TypeError, ValueError):
        return None
    if len(entries) < len(steps) or any(
        leave_out_sources(step, entry) != leave_out_sources(step, step.ingredients)
        for step, entry in zip(steps, entries, strict=False)
    ):
        return None
    if has_builds and not is_from_here and len(entries) > len(steps):
        return None  # what comes later could not be made right before it comes
    return Usable(image, known.resolved, entries, is_from_here or not has_builds)


class Images:
    """What one environment does with the store."""

    def __init__(
        self,
        store: Store | None,
        spec: EnvSpec,
        policy: Policy,
        on_wait: Callable[[str], None],
        empty: Callable[[], None],
        on_damage: Callable[[Damaged], None],
        on_other_files: Callable[[list[str]], None],
    ) -> None:
        """What it acts with.

        empty: makes the environment's folder hold its journal alone again.
        on_damage: told of an image that somebody changed. on_other_files: told of
        packages that have other files in the same version.
        """
        self._store = store
        self._spec = spec
        self._policy = policy
        self._on_wait = on_wait
        self._empty = empty
        self._on_damage = on_damage
        self._on_other_files = on_other_files
        self._keeping: Keeping | None = None
        self._lock: Lock | None = None  # of what a key stands for
        self._key = ""  # of the lock
        self.image = ""  # what the environment shares files with

    # Begin. ---------------------------------------------------------------------------

    def begin(self, steps: Sequence[Step], *, goes_on: bool) -> Begun | None:
        """Fill the environment's folder from an image of these steps, or of the first of them.

        goes_on: further steps may come, and may be in it already. None, and the
        folder as it was, where there is no image.
        """
        if self._store is not None:
            self._store.reach(os.path.dirname(self._spec.path))
        for number in range(len(steps), -1, -1):
            first = steps[:number]
            keys = _keys(self._spec, first, goes_on=goes_on and number == len(steps))
            for key in keys:
                begun = self._from_image(key, first)
                if begun is not None:
                    return begun
            if number == len(steps) and keys:
                # Nobody knows it so far: of those who want it one makes it.
                begun = self._wait_for_turn(keys[-1], first)
                if begun is not None:
                    return begun
        return None

    def _wait_for_turn(self, key: str, steps: Sequence[Step]) -> Begun | None:
        if self._store is None or self._store.trouble:
            return None
        self.let_go()
        lock = self._store.lock(key, self._on_wait)
        with suppress(OSError):
            lock.__enter__()
            self._lock, self._key = lock, key
            begun = self._from_image(key, steps)
            if begun is not None:
                self.let_go()
            return begun
        return None

    def let_go(self) -> None:
        """Whoever waits for what was to be made goes on."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.__exit__(None, None, None)

    def _from_image(self, key: str, steps: Sequence[Step]) -> Begun | None:
        store = self._store
        usable = _usable(store, self._spec, self._policy, key, steps)
        if store is None or usable is None:
            return None
        try:
            clone = store.clone(usable.image, self._spec.path)
        except Damaged as damaged:
            self._empty()
            self._on_damage(damaged)
            return None
        except FileNotFoundError:  # somebody has emptied the store meanwhile
            self._empty()
            return None
        except OSError as error:
            store.trouble = f"{error.filename or store.home}: {error.strerror}"
            self._empty()
            return None
        self.image = usable.image.name
        return Begun(
            entries=usable.entries,
            resolved=tuple(usable.resolved for _ in usable.entries),
            own=clone.own,
            bytecode_ns=clone.bytecode_ns,
            is_from_here=usable.is_from_here,
        )

    # What was resolved. ---------------------------------------------------------------

    def remembered(self, steps: Sequence[Step]) -> Resolved | None:
        """What these steps resolved to the last time; None where it is to be asked anew."""
        key = key_of(self._spec, steps)
        if self._store is None or not key or steps[-1].locked:
            return None
        return self._store.known(key).resolved

    def note(self, steps: Sequence[Step], resolved: Resolved) -> None:
        """Remember what these steps resolved to, whether or not an image comes of it."""
        key = key_of(self._spec, steps)
        if self._store is None or not key or steps[-1].locked:
            return
        was = self._store.known(key).resolved
        if was is None or was.versions() != resolved.versions():
            self._store.remember(key, Known("", resolved))

    # Keep. ----------------------------------------------------------------------------

    def keep(
        self,
        listed: Manifest,
        entries: Sequence[Entry],
        steps: Sequence[Step],
        resolved: Resolved | None,
        declared: int,
    ) -> None:
        """Make the environment, which was sealed, an image, beside what comes next.

        declared: how many of the steps are declared; the others are the function's.
        """
        store, spec = self._store, self._spec
        key = key_of(spec, steps)
        if store is None or store.trouble or not key:
            return
        next_key = key_of_next(spec, steps[:declared]) if len(steps) > declared else ""
        was = store.known(key).resolved

        def on_kept(name: str) -> None:
            self.image = name
            try:
                if not name:
                    return
                if was is not None and resolved is not None:
                    others = other_files(was, resolved.pins)
                    if others:
                        self._on_other_files(others)
                known = Known(name, resolved or Resolved(time.time(), ()))
                for each in (key, *_key_here(spec, key, steps), *([next_key] * bool(next_key))):
                    store.remember(each, known)
                store.compile(name, spec.interpreter.path)
            finally:
                if key == self._key:
                    self.let_go()

        facts = {
            "entries": list(entries),
            "envdir": os.path.dirname(spec.path),
            "builds": any(step.builds for step in steps),
            "backend": spec.backend,
            "made with": made_with(spec.ingredients),
            "python": f"{spec.interpreter.implementation} {spec.interpreter.version}",
            "shows": [step.show for step in steps],
        }
        self._keeping = store.keep(spec.path, listed, base_of(spec), facts, on_kept)

    def join(self) -> None:
        """What is being kept is kept, and known by its name."""
        keeping, self._keeping = self._keeping, None
        if keeping is not None:
            keeping.join()

    def who_changed(self, image: str, path: str, held_before_ns: tuple[int, int]) -> str:
        """The environments that a job used when a file was last changed; empty if unknown.

        held_before_ns: from when to when the last job held this one.
        """
        own = self._spec.path
        if self._store is None:
            return ""
        return self._store.who_used(image, path, own, held_before_ns)

    def take_bytecode(self) -> None:
        """Let what a job compiled join the image."""
        if self._store is not None and self.image:
            self._store.take_bytecode(self.image, self._spec.path)

    def join_bytecode(self, image: str, since_ns: int) -> int:
        """Give the environment what joined its image since then; when that was."""
        if self._store is None or not image:
            return since_ns
        return self._store.join_bytecode(image, self._spec.path, since_ns)

    def go_on_compiling(self) -> None:
        """Have an image that was linked from compiled to its end, where that was not done."""
        if self._store is not None and self.image:
            self._store.compile(self.image, self._spec.interpreter.path)
