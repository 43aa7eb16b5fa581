"""What a job acts on, and from it what the job's environment should be.

Runs nothing and holds nothing: `bench.py` does.
"""

from __future__ import annotations

import os
import time
from functools import partial

from runner.amounts import age_s
from runner.envs import Policy, choose_backend, folder, load_backend
from runner.envs.interpreters import find
from runner.envs.open_store import open_store
from runner.envs.python_spec import read_spec
from runner.envs.spec import make_env_spec
from runner.envs.store_places import store_home
from runner.envs.wheels import Wheels
from runner.errors import InterpreterMissing, JobError, UsageError
from runner.guard import Guard
from runner.process import run as run_command
from runner.record import Record
from runner.requirements import SourceDigests
from runner.requirements.lock import FOLDER as LOCKS
from runner.requirements.lock import Family, declared_steps, portable_ingredients
from runner.running import Ingredient
from runner.settings import envdir_in, grace_s
from runner.shown import show
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.envs import Backend
    from runner.envs.store import Store
    from runner.envs.wheels import Builder
    from runner.model import Job, Project, SessionSpec, Settings
    from runner.running import (
        Command,
        EnvSpec,
        Event,
        Finished,
        Interpreter,
        Prepared,
    )


def envdir_of(project: Project, settings: Settings) -> str:
    """The folder of all environments of a project, absolute."""
    return envdir_in(project.root, settings)


def stamped(
    hear: Callable[[Event], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[Event], None]:
    """Tells every event with the time at which it came to be."""

    def emit(event: Event) -> None:
        hear(event._replace(at_s=clock()))

    return emit


class World(Record):
    """What a job acts on: handed in, so that a job runs the same anywhere."""

    project: Project
    settings: Settings
    emit: Callable[[Event], None]
    run: Callable[[Command], Finished]
    show: Callable[[tuple[str, ...]], str]  # a command as one can paste it
    environ: Mapping[str, str]  # the caller's
    outer: Mapping[str, str]  # what commands inherit of it
    sources: SourceDigests
    wheels: Wheels
    guard: Guard  # of what is to end with us
    find: Callable[[str], tuple[Job, ...]]  # what a name given to session.notify stands for
    take: Callable[[Job], Prepared | None] = lambda _: None  # what was prepared ahead
    made: set[str] | None = None  # the environments that are as this run wants them
    store: Store | None = None  # of finished environments
    run_id: str = ""  # by which runs are sorted
    answers: Mapping[str, bool] = {}  # to what sessions ask, by their names
    began_s: float = 0.0  # when the run began, as time.time() has it
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep

    @property
    def envdir(self) -> str:
        """The folder of all environments, absolute."""
        return envdir_of(self.project, self.settings)

    @property
    def grace_s(self) -> float:
        """How long what is asked to end may take."""
        return grace_s(self.settings)

    @property
    def store_path(self) -> str:
        """The folder of the store; empty where there is none."""
        return "" if self.store is None else self.store.home

    @property
    def cache_dir(self) -> str:
        """What all sessions of a project share."""
        return os.path.join(self.envdir, ".cache")


def make_world(
    project: Project,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    emit: Callable[[Event], None],
    began_s: float,
    find: Callable[[str], tuple[Job, ...]] = lambda _: (),
    made: set[str] | None = None,
    run_id: str = "",
    answers: Mapping[str, bool] = {},
    only_looks: bool = False,
) -> World:
    """What the jobs of one process act on.

    made, began_s, run_id, answers: of the whole run, whose jobs may be in several processes.
    find: as nobody can be notified where no function is called. only_looks: nothing
    is written, not even what saves time.
    """
    envdir = envdir_of(project, settings)
    memory = "" if only_looks else os.path.join(envdir, ".cache", "sources.json")
    sources = SourceDigests(key=partial(folder.read_key, envdir), memory=memory)
    return World(
        project=project,
        settings=settings,
        emit=emit,
        run=partial(run_command, grace_s=grace_s(settings)),
        show=show,
        environ=environ,
        outer=outer_variables(environ),
        sources=sources,
        wheels=_wheels(envdir, settings, sources, environ, began_s),
        guard=Guard(grace_s(settings)),
        find=find,
        made=set() if made is None else made,
        store=make_store(project, settings, environ),
        run_id=run_id,
        answers=answers,
        began_s=began_s,
    )


# What an environment should be. -----------------------------------------------------


def check_required(job: Job) -> None:
    """Raise where what the job requires cannot be: its Python is missing, or there is no such."""
    if job.trouble is not None:
        what, mend = job.trouble
        raise UsageError(what, mend=mend)
    if job.above:
        raise UsageError(
            f"it requires {job.above!r}, of an envfile that includes this one",
            mend="run it from the folder of that one; take the colon away where a session of this"
            " envfile is meant",
        )
    if job.absent is not None:
        name, python = job.absent
        raise InterpreterMissing(
            f"it requires {name!r}, and no Python {python} was found",
            mend=f"install it, with `uv python install {python}` for example,"
            " or skip the job with --skip-missing",
        )


def policy_of(settings: Settings, environ: Mapping[str, str], began_s: float) -> Policy:
    """What the command line says about all environments.

    In CI (the variable `CI`, which all engines set) nobody wonders why a dependency's
    new version was not taken, so it is asked for, unless the store was brought along.
    """
    max_age_s = age_s(settings.max_age) if settings.max_age else None
    age = max_age_s
    if age is None and environ.get("CI") and settings.origins.get("store") == "default":
        age = 0.0
    since_s = 0.0 if age is None else began_s - age
    if settings.upgrade or settings.upgrade_package:
        since_s = began_s
    return Policy(
        settings.fresh,
        settings.upgrade,
        settings.no_install,
        upgrade_package=settings.upgrade_package,
        max_age_s=max_age_s,
        images_since_s=began_s if settings.fresh else since_s,
        pins_since_s=since_s,
    )


def make_store(project: Project, settings: Settings, environ: Mapping[str, str]) -> Store | None:
    """The store that the project's environments are linked from; None where there is none."""
    envdir = envdir_of(project, settings)
    return open_store(store_home(settings.store, envdir, environ), settings)


def _wheels(
    envdir: str,
    settings: Settings,
    sources: SourceDigests,
    environ: Mapping[str, str],
    began_s: float,
) -> Wheels:
    """The wheels of local projects that are kept in an environment folder, and who builds them."""

    def make_builder() -> Builder:
        from runner.envs.builds import Builds  # 1.5 ms that only a build costs

        return Builds(envdir, environ, sources)

    again = settings.fresh or settings.upgrade
    return Wheels(
        envdir,
        again_since_s=began_s if again else 0.0,
        marks=sources.marks,
        make_builder=make_builder,
    )


def family_of(spec: SessionSpec) -> Family:
    """What one lock serves: the jobs of a session, or of all that share its environment."""
    # Its files lie beside its own envfile, and are the same when that is run alone.
    name = (spec.environment or spec.name).removeprefix(spec.prefix)
    return Family(spec.name, folder.folder_name(name), spec.needs, spec.pythons)


def env_spec_of(job: Job, world: World) -> tuple[EnvSpec, Backend]:
    """What the job's environment should be, and the backend that makes it."""
    backend_name, backend = choose_backend(job.spec.needs.backend or world.settings.backend)
    root = world.project.root_of(job.spec)
    brought = backend.bring(
        job.python,
        job.spec.needs,
        os.path.join(world.envdir, folder.folder_name(job.environment)),
        root,
        world.sources.of_file,
    )
    interpreter = brought.interpreter if brought else interpreter_of(job, world)
    steps = declared_steps(
        family_of(job.spec),
        ".".join(interpreter.version.split(".")[:2]),
        root,
        sources=world.sources,
        environ=world.environ,
    )
    for step in steps:
        backend.check_arguments(step.arguments)
    spec = make_env_spec(
        job.environment,
        job.spec.needs,
        envdir=world.envdir,
        backend_name=backend_name,
        backend=backend,
        interpreter=interpreter,
        steps=steps,
        environ=world.outer,
        root=root,
        hide=world.sources.of_secret,
        declared_by=" ".join(
            world.sources.of_file(path)
            for path in world.project.read_for(job.spec)
            if os.path.isfile(path)
        ),
        brought=brought,
    )
    return spec, backend


def portable_spec(
    family: Family,
    python: str | None,
    chain: str,
    root: str,
    *,
    sources: SourceDigests,
    environ: Mapping[str, str],
) -> tuple[Ingredient, ...]:
    """What an environment should be, as far as it is the same on every machine.

    As `env_spec_of` and without the facts of a machine: no interpreter is looked
    for, nothing that an installer has set there counts. chain: of backends, as asked
    for. What cannot be read, because a job makes it, counts by its name alone.
    """
    needs = family.needs
    brought = [
        ingredient
        for name in chain.split("|")
        if (found := load_backend(name.strip()).bring(python, needs, "", root, sources.of_file))
        for ingredient in found.ingredients
    ]
    try:
        minor = _minor_of(python)
        declared = portable_ingredients(family, minor, root, sources=sources, environ=environ)
    except JobError:
        declared = (Ingredient("declared", repr(needs)),)
    return (
        Ingredient("backend", chain),
        Ingredient("backend_options", "\n".join(needs.backend_options)),
        *(brought or [Ingredient("python", python or "")]),
        *declared,
    )


def _minor_of(python: str | None) -> str:
    """The minor version that an envfile has written for a Python; empty where it has none."""
    wanted = read_spec(python or "")
    if wanted is None or wanted.is_range or not wanted.clauses:
        return ""
    release = wanted.clauses[0].version.release
    return "{}.{}".format(*release) if len(release) > 1 else ""


def interpreter_of(job: Job, world: World) -> Interpreter:
    """The Python that the job runs on."""
    root = world.project.root_of(job.spec)
    found = find(job.python, cache_dir=world.cache_dir, root=root)
    if os.path.isdir(world.cache_dir):  # where answers are kept; git shall not see them
        folder.make_envdir(world.envdir, world.project.root, world.store_path)
    return found


def may_need_work(job: Job, world: World) -> bool:
    """Whether there may be something to do for a job's environment, by a look at a few times.

    A guess, to spare the rest of a warm run: what it misses is done when the
    job's turn comes.
    """
    settings, needs = world.settings, job.spec.needs
    if settings.no_install or settings.verbose or (needs.backend or settings.backend) == "none":
        return False
    if settings.fresh or settings.upgrade or settings.upgrade_package or not needs.reuse:
        return True
    locks = ("uv.lock", LOCKS)
    read, root = world.project.read_for(job.spec), world.project.root_of(job.spec)
    files = (*read, "pyproject.toml", *locks, *needs.requirements, *needs.constraints)
    journal = os.path.join(world.envdir, folder.folder_name(job.environment), folder.JOURNAL)
    made = _time_of(journal)
    return made == 0 or any(_time_of(os.path.join(root, f)) > made for f in files)


def _time_of(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0
