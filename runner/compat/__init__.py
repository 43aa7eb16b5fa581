"""noxfiles, unmodified: a noxfile → the Project that it declares.

Loaded by its name from `load.py`, for a noxfile alone. What nox means is kept
where a file relies on it; docs/reference/nox-differences.md tells where it is not.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from types import ModuleType

from runner.compat.behind import Noxfile
from runner.compat.declared import Declarations
from runner.compat.jobs import make_jobs
from runner.compat.modules import Modules
from runner.compat.of_others import sync
from runner.compat.options import Options, as_settings, envdir_in
from runner.compat.session import Session
from runner.declare import start_registry
from runner.errors import EnvfileError, Mistake, UsageError
from runner.keywords import keyword_test
from runner.load import add_packages, execute, in_order, modules_read
from runner.model import BY_DEFAULT, Project
from runner.selection import find_jobs
from runner.settings import settle
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from runner.compat.declared import Func
    from runner.handle import Session as OurSession
    from runner.model import Job, Settings

LIKE_NOX = "2026.10.20"
"""The version of nox whose meaning this is."""

# Of what a noxfile's own `# /// script` block asks for: what we stand for.
_OURS = ("nox", "nox-uv", "nox-poetry")

_SAMPLE = """\
a first one:

    @nox.session
    def tests(session):
        session.run("python", "--version")"""


def load(
    envfile: str, source: bytes, settings: Callable[[], Settings] | None, *, may_install: bool
) -> Project:
    """The Project that a noxfile declares. Raises EnvfileError with all that is wrong in it."""
    root = os.path.dirname(envfile)
    _check_version(source, envfile)
    if b"# /// script" in source:
        known = partial(_in_nox_s_folder, settings)
        add_packages(envfile, source, known, may_install=may_install, without=_OURS)
    registry = start_registry(root)
    declarations, options = Declarations(registry, _warn), Options()
    modules = Modules(declarations, options)
    before = set(sys.modules)
    module = ModuleType("user_nox_module")
    module.__file__ = envfile
    invoked_from = os.getcwd()
    with modules.in_place():
        to_its_end = execute(source.removeprefix(b"\xef\xbb\xbf"), module, registry)
    noxfile = Noxfile(envfile, options, {}, set(), invoked_from)

    def wrap(func: Func, needs_sync: bool) -> Callable[..., object]:
        return _as_ours(func, noxfile, modules, needs_sync=needs_sync)

    jobs: tuple[Job, ...] = ()
    if to_its_end:
        jobs, runners = make_jobs(declarations.functions, options, os.environ, registry, wrap)
        noxfile.runners.update(runners)
    if not declarations.functions and not registry.mistakes:
        registry.note(os.path.basename(envfile), "no session is declared", _SAMPLE)
    if registry.mistakes:
        raise EnvfileError(in_order(registry.mistakes))
    values, origins = as_settings(options.chosen, os.environ)
    default = _default(jobs, options)
    if default is not None:
        values["default"], origins["default"] = default, "nox.options.sessions"
    noxfile.chosen.update(_chosen(jobs, default))
    return Project(
        root=root,
        envfile=envfile,
        doc=(module.__doc__ or "").strip(),
        jobs=jobs,
        options=values,
        read=(envfile, *modules_read(root, before), *registry.read),
        origins=origins,
    )


def _in_nox_s_folder(settings: Callable[[], Settings] | None) -> Settings:
    """The settings that are known before the noxfile is loaded."""
    known = settle({}, os.environ, {}, {}) if settings is None else settings()
    is_said = known.origins["envdir"] != BY_DEFAULT
    return known if is_said else known._replace(envdir=envdir_in(".nox"))


def _warn(text: str) -> None:
    tell(sys.stderr, f"warning: {text}\n")


def _as_ours(
    func: Func, noxfile: Noxfile, modules: Modules, *, needs_sync: bool
) -> Callable[..., object]:
    """A session function of ours that calls one of a noxfile's."""

    def call(ours: OurSession, **arguments: object) -> None:
        with modules.in_place():
            session = Session(ours, noxfile)
            if needs_sync:
                sync(session, func.sync or {})
            # A session without parameters has another function, which skips.
            function: Any = session.runner.func.func
            function(session, **arguments)

    return call


def _default(jobs: Sequence[Job], options: Options) -> tuple[str, ...] | None:
    """What runs where nothing is named; None where each session says it for itself."""
    chosen = options.chosen
    if not chosen.get("tags") and not chosen.get("keywords"):
        return tuple(chosen["sessions"]) if chosen.get("sessions") is not None else None
    found = [job for job in jobs if not chosen.get("tags") or {*job.tags} & {*chosen["tags"]}]
    if chosen.get("keywords"):
        matches = keyword_test(chosen["keywords"])
        found = [job for job in found if matches(job)]
    return tuple(job.name for job in found)


def _chosen(jobs: Sequence[Job], default: tuple[str, ...] | None) -> set[str]:
    """The names of the jobs of a plain run."""
    if default is None:
        return {job.name for job in jobs if job.spec.default}
    with suppress(UsageError):  # said where it is asked for
        return {job.name for name in default for job in find_jobs(name, jobs)}
    return set()


def _check_version(source: bytes, envfile: str) -> None:
    """Raise where `nox.needs_version = "..."` asks for a nox that this is not like."""
    if b"needs_version" not in source:
        return
    from runner.version_asked import versions_needed  # 5 ms that only such a noxfile costs

    for where, text in versions_needed(os.path.basename(envfile), source, LIKE_NOX):
        what = f"this noxfile needs nox {text}, and this runenv does as nox {LIKE_NOX}"
        raise EnvfileError([Mistake(where, what, "look for a newer runenv, or run it by nox")])
