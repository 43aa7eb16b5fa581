"""`runenv --lock [NAME …]`: finds versions for what sessions declare, and writes them down.

One lock for each family where one can serve all its Pythons and platforms, else
one for each Python. With --check nothing is asked and nothing written.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from functools import partial

from runner.amounts import counted
from runner.aside import write_aside
from runner.commands import failed_before
from runner.envs.folder import make_envdir, read_key
from runner.envs.interpreters import find
from runner.envs.lock import Lock
from runner.envs.uv import find_uv, why_not
from runner.errors import (
    FAILED,
    PASSED,
    EnvironmentBroken,
    InterpreterMissing,
    JobError,
    UsageError,
    did_you_mean,
    some_of,
)
from runner.opening import open_project
from runner.process import run as run_command
from runner.record import Record
from runner.requirements import SourceDigests
from runner.requirements.groups import normal_name
from runner.requirements.lock import (
    FOLDER,
    lock_input,
    lock_name,
    locks_of,
    needs_digest,
    needs_recorded,
    with_record,
)
from runner.requirements.pylock import is_lock_name
from runner.running import Command
from runner.selection import select
from runner.settings import grace_s
from runner.shown import show
from runner.signals import signals_as_exceptions
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING
from runner.world import envdir_of, family_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.model import Job, Project, Request, Settings
    from runner.requirements.lock import Family, LockInput

    Shops = Sequence[tuple["Workshop", Mapping[Family, list[Job]]]]


class Workshop(Record):
    """What locks are made with."""

    project: Project
    settings: Settings
    sources: SourceDigests
    environ: Mapping[str, str]
    root: str  # the folder of the envfile that declares what is locked

    def shown(self, name: str) -> str:
        """A lock as it is told of."""
        folder = os.path.relpath(self.root, self.project.root).replace(os.sep, "/")
        return f"{FOLDER}/{name}" if folder == "." else f"{folder}/{FOLDER}/{name}"


class Stale(Record):
    """A lock that is not what it should be."""

    shown: str
    why: str


def main(request: Request) -> int:
    """Lock what is selected, or with --check tell which locks are stale."""
    project, settings = open_project(request, os.environ)
    sources = SourceDigests(key=partial(read_key, envdir_of(project, settings)))
    environ = dict(os.environ)
    shops = [
        (Workshop(project, settings, sources, environ, root), families)
        for root, families in _families(project, settings).items()
    ]
    if settings.check:
        return _check(shops)
    trouble = why_not()
    if trouble:
        raise EnvironmentBroken(trouble)
    make_envdir(envdir_of(project, settings), project.root)
    failed: dict[Family, JobError] = {}
    all_jobs = {family: jobs for _, families in shops for family, jobs in families.items()}
    held = os.path.join(envdir_of(project, settings), ".locks", f".{FOLDER}")
    with signals_as_exceptions(), Lock(held, _tell_wait):
        for workshop, families in shops:
            for family, jobs in families.items():
                try:
                    _lock(family, jobs, workshop)
                except JobError as error:  # noqa: PERF203  # one session's mistake is not another's
                    failed[family] = error
    if failed:
        first = next(iter(failed))
        raise _first_of(failed, where=all_jobs[first][0].spec.where)
    if not _narrows(settings):
        for workshop, families in shops:
            for name in _left_over(list(families), workshop.root):
                os.unlink(os.path.join(workshop.root, FOLDER, name))
                print(f"{workshop.shown(name)}  is of no session, and gone")
    for package in settings.upgrade_package:
        _must_be_locked(package, shops)
    return PASSED


def _tell_wait(holder: str) -> None:
    print(f"waiting for {holder}, which locks too", file=sys.stderr)


def _first_of(failed: Mapping[Family, JobError], *, where: str) -> JobError:
    """The first of the errors, with the names of the other sessions that have no lock."""
    first, *others = failed.items()
    also = f"not locked either: {', '.join(family.session for family, _ in others)}"
    error = first[1]
    mend = "\n".join(filter(None, [error.mend, also if others else ""]))
    return EnvironmentBroken(error.what, where=error.where or where, mend=mend)


def _families(project: Project, settings: Settings) -> dict[str, dict[Family, list[Job]]]:
    """The families that can have a lock of ours, with their jobs, the selected ones.

    By the folder of the envfile that declares them, beside which their locks are.
    """
    failed = failed_before(project, settings)
    narrowed = _narrows(settings)
    selected = select(project.jobs, settings, failed).jobs if narrowed else project.jobs
    stems = dict.fromkeys(
        (project.root_of(job.spec), family_of(job.spec).stem)
        for job in selected
        if _is_lockable(job, settings)
    )
    # A lock is of all jobs of its family, whichever of them were named.
    members: dict[tuple[str, str], tuple[Family, list[Job]]] = {}
    for job in project.jobs:
        family = family_of(job.spec)
        key = (project.root_of(job.spec), family.stem)
        if key in stems:
            members.setdefault(key, (family, []))[1].append(job)
    if narrowed and not members:
        names = ", ".join(dict.fromkeys(job.spec.name for job in selected))
        raise UsageError(
            f"there is nothing to lock in {names}",
            mend="what can be locked is declared: deps=, groups=, extras=, requirements=, project=",
        )
    found: dict[str, dict[Family, list[Job]]] = {project.root: {}}
    found.update((part.root, {}) for part in project.parts)
    for (root, _), (family, jobs) in members.items():
        found[root][family] = jobs
    return found


def _narrows(settings: Settings) -> bool:
    asked = settings.sessions or settings.tag or settings.keyword or settings.python
    return bool(asked or settings.failed)


def _left_over(families: list[Family], root: str) -> list[str]:
    """The names of locks of ours that no session has any more."""
    needed = {name for family in families for name in locks_of(family.stem, root)}
    try:
        names = sorted(os.listdir(os.path.join(root, FOLDER)))
    except OSError:
        return []
    ours = (name for name in names if needs_recorded(_read(os.path.join(root, FOLDER, name))))
    return [name for name in ours if name not in needed]


def _is_lockable(job: Job, settings: Settings) -> bool:
    needs = job.spec.needs
    if needs.lock or (needs.backend or settings.backend) in ("none", "conda"):
        return False
    if any(is_lock_name(path) for path in needs.requirements):
        return False
    return bool(needs.deps or needs.groups or needs.extras or needs.requirements or needs.project)


# Are they what they should be? ------------------------------------------------------------


def _check(shops: Shops) -> int:
    """Tell which locks are stale; 1 where there are any."""
    stale: list[Stale] = []
    for workshop, families in shops:
        for family, jobs in families.items():
            stale += _stale_of(family, _minors(jobs, workshop), workshop)
        if not _narrows(workshop.settings):
            names = _left_over(list(families), workshop.root)
            stale += [Stale(workshop.shown(name), "is of no session") for name in names]
    for shown, why in stale:
        print(f"{shown}  {why}")
    if stale:
        print(f"{len(stale)} stale; runenv --lock makes them anew", file=sys.stderr)
    return FAILED if stale else PASSED


def _stale_of(family: Family, minors: list[str], workshop: Workshop) -> list[Stale]:
    there = locks_of(family.stem, workshop.root)
    whole = lock_name(family.stem)
    wanted = [whole] if whole in there or not there else [lock_name(family.stem, m) for m in minors]
    digest = needs_digest(family, workshop.root, sources=workshop.sources, environ=workshop.environ)
    stale: list[Stale] = []
    for name in wanted:
        text = _read(os.path.join(workshop.root, FOLDER, name))
        if not text:
            stale.append(Stale(workshop.shown(name), "is not there"))
        elif needs_recorded(text) != digest:
            stale.append(Stale(workshop.shown(name), "was made for something else"))
    return stale


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


# Make them. --------------------------------------------------------------------------------


def _minors(jobs: list[Job], workshop: Workshop) -> list[str]:
    """The minor versions that the jobs run on, the lowest first."""
    cache = os.path.join(envdir_of(workshop.project, workshop.settings), ".cache")
    found: set[tuple[int, ...]] = set()
    for job in jobs:
        try:
            version = find(job.python, cache_dir=cache, root=workshop.root).version
        except InterpreterMissing:
            # Not on this machine, but a lock can be made for it all the same.
            match = re.fullmatch(r"\d+\.\d+", job.python or "")
            if match is None:
                raise
            version = match[0]
        found.add(tuple(int(part) for part in version.split(".")[:2]))
    return [".".join(map(str, minor)) for minor in sorted(found)]


def _lock(family: Family, jobs: list[Job], workshop: Workshop) -> None:
    """The family has its lock, or one for each Python."""
    root = workshop.root
    asked = lock_input(family, root, sources=workshop.sources, environ=workshop.environ)
    if asked is None:
        return
    minors = _minors(jobs, workshop)
    digest = needs_digest(family, root, sources=workshop.sources, environ=workshop.environ)
    before = {name: _read(os.path.join(root, FOLDER, name)) for name in locks_of(family.stem, root)}
    os.makedirs(os.path.join(root, FOLDER), exist_ok=True)
    whole = lock_name(family.stem)
    try:
        made = {whole: _compile(asked, minors[0], before.get(whole, ""), whole, workshop)}
    except EnvironmentBroken:
        if len(minors) == 1:
            raise
        # Nothing fits all of them; each may have what fits it.
        names = {lock_name(family.stem, minor): minor for minor in minors}
        made = {
            name: _compile(asked.for_python(minor), minor, before.get(name, ""), name, workshop)
            for name, minor in names.items()
        }
    for name, text in made.items():
        text = with_record(text, digest)
        state = "is as it was" if before.get(name) == text else _difference(before, name, text)
        if before.get(name) != text:
            write_aside(os.path.join(root, FOLDER, name), text)
        print(f"{workshop.shown(name)}  {state}")
    for name in before.keys() - made.keys():
        os.unlink(os.path.join(root, FOLDER, name))
        print(f"{workshop.shown(name)}  is no longer needed, and gone")


def _compile(asked: LockInput, minor: str, before: str, name: str, workshop: Workshop) -> str:
    """What `uv pip compile` finds for this Python and all later ones; raises where nothing fits."""
    # Beside the lock: a relative path in it starts there. uv keeps the versions
    # that it finds in the file which it is to write.
    aside = os.path.join(workshop.root, FOLDER, name.replace("pylock.", "pylock.new~", 1))
    settings = workshop.settings
    upgrade = ["--upgrade"] if settings.upgrade else []
    upgrade += [
        word for package in settings.upgrade_package for word in ("--upgrade-package", package)
    ]
    fixed = ("--universal", "--format", "pylock.toml", "--python-version", minor)
    own = ("--no-header", "--python", sys.executable, "--output-file", aside)
    argv = (find_uv(), "pip", "compile", *asked.arguments, *fixed, *own, *upgrade)
    try:
        if before:
            write_aside(aside, before)
        finished = run_command(
            Command(
                argv=argv,
                cwd=workshop.root,
                env=outer_variables(workshop.environ),
                capture="merged",
                input=asked.requirements,
            ),
            grace_s=grace_s(settings),
        )
        if finished.returncode:
            raise EnvironmentBroken(
                f"uv finds no versions for session {asked.session!r} on Python {minor} and later",
                mend=f"{finished.stdout.rstrip()}\nthe command was: {show(argv)}",
            )
        return _read(aside)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)


_PACKAGE = re.compile(r'^\[\[packages\]\]\nname = "([^"]+)"(?:\nversion = "([^"]+)")?', re.M)


def _packages(text: str) -> dict[str, str]:
    """The packages of a lock that uv made, with their versions."""
    found: dict[str, list[str]] = {}
    for name, version in _PACKAGE.findall(text):
        found.setdefault(name, []).append(version)
    return {name: ", ".join(versions) for name, versions in found.items()}


def _difference(before: Mapping[str, str], name: str, text: str) -> str:
    """`is new: 12 packages`; `has changed: one 1.0 -> 2.0, +two 1.0, -three 1.0`."""
    now = _packages(text)
    if name not in before:
        return f"is new: {counted(len(now), 'package')}"
    was = _packages(before[name])
    told = [f"{n} {was[n]} -> {now[n]}" for n in now if n in was and was[n] != now[n]]
    told += [f"+{n} {now[n]}".rstrip() for n in now if n not in was]
    told += [f"-{n} {was[n]}".rstrip() for n in was if n not in now]
    return f"has changed: {', '.join(told) or 'no versions'}"


def _must_be_locked(package: str, shops: Shops) -> None:
    """Raise where `--upgrade=PACKAGE` upgraded nothing."""
    names = {
        name
        for workshop, families in shops
        for family in families
        for file in locks_of(family.stem, workshop.root)
        for name in _packages(_read(os.path.join(workshop.root, FOLDER, file)))
    }
    if normal_name(package) not in names:
        known = f"there are {some_of(sorted(names))}" if names else "nothing is locked"
        raise EnvironmentBroken(
            f"--upgrade={package}: no lock has such a package",
            mend=did_you_mean(package, sorted(names)) or known,
        )
