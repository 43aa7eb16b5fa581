"""What preparing an environment would do, and why: it looks, and changes nothing.

`replay.py` does it, `--explain` tells it: both ask here.
"""

from __future__ import annotations

import os
import time
from itertools import zip_longest

from runner.envs import folder
from runner.envs.integrity import first_change
from runner.envs.journal import read, site_difference, site_listing
from runner.envs.shared import leave_out_sources
from runner.ingredients import difference
from runner.record import Record
from runner.running import Environment
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from runner.envs import Policy
    from runner.envs.journal import Entry, Journal
    from runner.envs.wheels import Wheels
    from runner.running import Build, EnvSpec, Ingredient, Step


class Verdict(Record):
    """What preparing an environment would do, or did."""

    state: Literal["reused", "updated", "upgraded", "created", "rebuilt", "kept"]
    reason: str = ""
    linked: bool = False  # from an image


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
            return Verdict("upgraded", upgrade_option(policy)), journal
        return Verdict("reused"), journal
    step, entry = differing[0]
    changed = step_difference(entry or (), step, wheels)
    if all(only_sources_differ(step, entry) for step, entry in differing):
        return Verdict("updated", changed), journal
    return Verdict("rebuilt", changed), journal


def step_difference(was: tuple[Ingredient, ...], step: Step, wheels: Wheels) -> str:
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


def upgrade_option(policy: Policy) -> str:
    """The option that asked for newer packages, as it is told."""
    return f"--upgrade={','.join(policy.upgrade_package)}"


def only_sources_differ(step: Step, entry: Entry) -> bool:
    """Whether a step differs from what was done in the sources of projects built for it alone."""
    if entry is None or not step.builds:
        return False
    return leave_out_sources(step, entry) == leave_out_sources(step, step.ingredients)


def _why_not_reused(spec: EnvSpec, journal: Journal, policy: Policy) -> str:
    if journal.state == "changing":
        return "an earlier run failed or was stopped while it changed it"
    if policy.fresh and not policy.is_new:
        return "--fresh"
    if policy.upgrade and not policy.is_new:
        return "--upgrade"
    if not spec.reuse and not policy.is_new:
        return "reuse=False"
    changed = difference(journal.ingredients, spec.ingredients)
    if changed:
        return changed
    broken = unhealthy(spec)
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
    changed = first_change(spec.path, journal)
    if changed:
        return changed
    return _too_old(journal, policy)


def _too_old(journal: Journal, policy: Policy) -> str:
    """That it was resolved too long ago; or empty."""
    if policy.max_age_s is None or policy.is_new:
        return ""
    times = [resolved.when_s for resolved in journal.resolved if resolved is not None]
    age_s = time.time() - min(times, default=time.time())
    if age_s <= policy.max_age_s:
        return ""
    return f"what it resolved to is from {moment(min(times))}, and max_age has passed"


def moment(when_s: float) -> str:
    """A time as people read it, to the minute, in local time: `2026-11-25 14:02`."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when_s))


def unhealthy(spec: EnvSpec) -> str:
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
