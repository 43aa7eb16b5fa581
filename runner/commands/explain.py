"""`runenv --explain`: what would run, where, and why an environment would be made anew.

Reads the same ingredients as a run does, and changes nothing. With --store it tells
what is in the store.
"""

from __future__ import annotations

import os
import sys
import time

from runner.colors import columns_of, fold
from runner.commands import failed_before, of_store, picked
from runner.envs.builds import Builds
from runner.envs.images import look
from runner.envs.interpreters import describe
from runner.envs.judge import judge, keyed, moment, only_sources_differ
from runner.envs.shared import key_of
from runner.errors import RunnerError
from runner.opening import open_project
from runner.plan import make_plan
from runner.record import Record
from runner.requirements.arguments import show_arguments
from runner.selection import select
from runner.sharing import others_sharing
from runner.shown import show
from runner.typed import TYPE_CHECKING
from runner.world import (
    World,
    check_required,
    env_spec_of,
    make_world,
    policy_of,
)

if TYPE_CHECKING:
    from runner.envs import Policy
    from runner.envs.images import Usable
    from runner.envs.journal import Journal
    from runner.envs.resolved import Resolved
    from runner.envs.store import Store
    from runner.model import Job, Request
    from runner.running import Build, EnvSpec, Event, Step


_INDENT = 15  # of what is told beside a label


class Explained(Record):
    """What would happen to one job."""

    job: str
    after: tuple[str, ...]
    environment: str  # reused, updated, upgraded, created, rebuilt, kept, none, broken
    reason: str
    shared_with: tuple[str, ...]  # names of sessions
    path: str
    python: str
    backend: str
    installs: tuple[str, ...]
    builds: tuple[str, ...]  # folders of local projects whose wheels are built for it
    builds_in: tuple[str, ...] = ()  # the environments that this takes
    linked_from: str = ""  # the image in the store that it would be linked from
    resolved_s: float = 0.0  # when that was asked which it has or would get; 0.0: it is asked anew
    packages: int = 0  # how many of them are known
    options: tuple[str, ...] = ()  # of its own, as they are given: --part=major


def main(request: Request) -> int:
    """Print what a run would do, to standard output."""
    if request.of_store:
        return of_store.explain(request)
    project, settings = open_project(request, os.environ)
    settings = picked(request, project, settings)
    selected = select(project.jobs, settings, failed_before(project, settings))
    if settings.shard or settings.plan:
        from runner.sharded import part_of, told  # most are not split

        selected, part = part_of(request, project, settings, selected, os.environ)
        if not selected.jobs:
            print(told(part), file=sys.stderr)
    plan = make_plan(project.jobs, selected.jobs, selected.named)
    world = make_world(
        project,
        settings,
        dict(os.environ),
        emit=_hear_nothing,
        began_s=time.time(),
        only_looks=True,
    )
    # What follows what.
    running = {job.name for job in plan.jobs}
    explained = [
        explain(job, world)._replace(
            after=(*job.requires, *(name for name in job.after if name in running))
        )
        for job in plan.jobs
    ]
    if settings.json:
        import json

        jobs = [e._asdict() for e in explained]
        print(json.dumps({"version": 1, "envfile": project.envfile, "jobs": jobs}, indent=2))
    else:
        columns = columns_of(sys.stdout)
        print("\n\n".join("\n".join(as_text(e, columns)) for e in explained))
    return 1 if any(e.environment == "broken" for e in explained) else 0


def _hear_nothing(_: Event) -> None:
    """Nothing happens that anybody should hear of."""


def explain(job: Job, world: World) -> Explained:
    """What would happen to a job if it ran now."""
    known = Explained(
        job=job.name,
        after=job.requires,
        environment="none",
        reason="",
        shared_with=others_sharing(job, world.project.jobs),
        path="",
        python="",
        backend="none",
        installs=(),
        builds=(),
        options=job.words,
    )
    try:
        check_required(job)
        if (job.spec.needs.backend or world.settings.backend) == "none":
            return known
        spec, _ = env_spec_of(job, world)
    except RunnerError as error:
        return known._replace(environment="broken", reason=str(error), backend="")
    settings = world.settings
    policy = policy_of(settings, world.environ, world.began_s)
    verdict, journal = judge(spec, policy, world.wheels)
    state = "kept" if settings.no_install and verdict.state != "reused" else verdict.state
    built = _built(spec, world) if state in ("updated", "created", "rebuilt") else []
    try:
        in_ = _built_in(built, spec, world)
    except RunnerError as error:
        return known._replace(environment="broken", reason=str(error), backend="")
    usable, resolved = _from_store(spec, state, journal, policy, world.store)
    return known._replace(
        linked_from=usable.image.name if usable else "",
        resolved_s=resolved.when_s if resolved else 0.0,
        packages=len(resolved.pins) if resolved else 0,
        environment=state,
        reason=verdict.reason,
        path=spec.path,
        python=f"{describe(spec.interpreter)} at {spec.interpreter.path}",
        backend=spec.backend,
        installs=_installed(spec, state, journal),
        builds=tuple(build.shown for build, _ in built),
        builds_in=in_,
    )


def _built(spec: EnvSpec, world: World) -> list[tuple[Build, Step]]:
    """The local projects of which no wheel is kept that can be installed."""
    return [
        (build, step)
        for step in spec.steps
        for build in step.builds
        if not world.wheels.has(keyed(build, step, spec), spec.interpreter)
    ]


def _built_in(built: list[tuple[Build, Step]], spec: EnvSpec, world: World) -> tuple[str, ...]:
    """The environments that builds take, with what would happen to each."""
    builds = Builds(world.envdir, world.environ, world.sources)
    settings = world.settings
    found: dict[str, None] = {}
    for build, step in built:
        planned = builds.plan(build, spec, step, fresh=settings.fresh, upgrade=settings.upgrade)
        if planned is not None:
            reason = planned.verdict.reason
            name = os.path.relpath(planned.path, world.project.root)
            told = f"{name}: {planned.verdict.state}" + (f", {reason}" if reason else "")
            found[told] = None
    return tuple(found)


def _from_store(
    spec: EnvSpec, state: str, journal: Journal | None, policy: Policy, store: Store | None
) -> tuple[Usable | None, Resolved | None]:
    """The image that it would be linked from, and what its versions are known to be."""
    if state not in ("created", "rebuilt"):
        known = [each for each in journal.resolved if each is not None] if journal else []
        return None, known[-1] if known else None
    usable = look(store, spec, policy)
    if usable is not None:
        return usable, usable.resolved
    return None, _remembered(spec, policy, store)


def _remembered(spec: EnvSpec, policy: Policy, store: Store | None) -> Resolved | None:
    """What its steps resolved to the last time, where that is installed again."""
    anew = any(step.asks_anew or step.locked or step.program for step in spec.steps)
    key = "" if policy.upgrade or anew or not spec.steps else key_of(spec, spec.steps)
    known = store.known(key).resolved if store and key else None
    return known if known and known.when_s >= policy.pins_since_s else None


def _installed(spec: EnvSpec, state: str, journal: Journal | None) -> tuple[str, ...]:
    """What preparing the environment installs, in turn."""
    if state == "updated" and journal is not None:
        return tuple(
            build.shown
            for step, entry in zip(spec.steps, journal.entries, strict=False)
            if only_sources_differ(step, entry) and entry != step.ingredients
            for build in step.builds
        )
    if state not in ("upgraded", "created", "rebuilt"):
        return ()
    steps = tuple(step.show for step in spec.steps)
    return (show_arguments(spec.packages), *steps) if spec.packages else steps


def as_text(explained: Explained, columns: int = 0) -> list[str]:
    """The explanation in lines; columns: of the terminal, 0 where there is none."""
    words = {
        "reused": "would be reused: nothing that it was made from has changed",
        "updated": "would get the project's new wheel alone, unless that needs something else",
        "upgraded": "would get what is newer of the packages named",
        "created": "would be created",
        "rebuilt": "would be rebuilt",
        "kept": "would be kept as it is (--no-install)",
        "none": "none: its commands run in the caller's",
        "broken": "cannot be made",
    }
    told = words[explained.environment] + (" from the store" if explained.linked_from else "")
    told += f": {explained.reason}" if explained.reason else ""
    first, *rest = (fold(line, columns, _INDENT) for line in told.splitlines())
    lines = [explained.job, f"  environment  {first}", *(" " * _INDENT + line for line in rest)]
    facts = {
        "folder": explained.path,
        "shared with": ", ".join(explained.shared_with),
        "python": explained.python,
        "backend": explained.backend if explained.path else "",
        "builds": ", ".join(f"a wheel of {project}" for project in explained.builds),
        "builds in": "; ".join(explained.builds_in),
        "installs": "; ".join(explained.installs),
        "resolved": _resolved_in_words(explained),
        "after": ", ".join(explained.after),
        "options": show(explained.options),
    }
    lines += [
        f"  {label:<11}  {fold(value, columns, _INDENT)}" for label, value in facts.items() if value
    ]
    return lines


def _resolved_in_words(explained: Explained) -> str:
    """`5 packages on 2026-11-25 14:02`; empty where that is not known."""
    count = explained.packages
    if not count:
        return ""
    return f"{count} package{'' if count == 1 else 's'} on {moment(explained.resolved_s)}"
