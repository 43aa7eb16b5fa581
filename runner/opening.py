"""What is asked → the Project that is meant, and every setting for it.

Knows nothing of how an envfile is executed, or what becomes of its jobs.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from runner.errors import UsageError
from runner.finding import NAME, NOXFILE, envfile_meant
from runner.load import load_project
from runner.model import BY_DEFAULT
from runner.settings import read_table, settle
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model import Project, Request, Settings


def open_settings(request: Request, environ: Mapping[str, str]) -> tuple[str, Settings]:
    """The folder of the project, and every setting for it; an empty one outside of projects.

    Raises UsageError for a file or folder that was given and is not there, and what
    `open_project` raises for an envfile that is there.
    """
    early = settle(request.given, environ, {}, {})
    try:
        envfile_meant(early)
    except UsageError:
        if early.file is not None or not os.path.isdir(early.directory or "."):
            raise
        return "", early
    project, settings = open_project(request, environ)
    return project.root, settings


def open_project(
    request: Request, environ: Mapping[str, str], *, again: bool = False
) -> tuple[Project, Settings]:
    """The project that a request is about, and every setting for it.

    again: another process has opened it, and told what there is to tell.
    """
    early = settle(request.given, environ, {}, {})

    def known_by_now(envfile: str) -> Settings:
        return settle(request.given, environ, {}, read_table(os.path.dirname(envfile)))

    if early.all_projects:
        project = load_all(early, known_by_now)
    else:
        envfile = envfile_meant(early)
        if os.path.basename(envfile) == NOXFILE and early.file is None and not again:
            _tell_of_noxfile(envfile)
        project = load_project(envfile, partial(known_by_now, envfile))
    table = read_table(project.root)
    left_out = [n for n, origin in project.origins.items() if origin == BY_DEFAULT and n in table]
    if any(name in request.given for name in ("tag", "keyword")):
        left_out.append("sessions")  # nox's variable, as little as NAME without an option
    options = {name: value for name, value in project.options.items() if name not in left_out}
    settings = settle(request.given, environ, options, table)
    if project.parts:
        from runner.own_settings import with_own_settings  # of included envfiles, which few have

        project = project._replace(jobs=with_own_settings(project, request.given, environ))
    if request.own:
        from runner.own_options import settle_own  # what most command lines have none of

        here = request.here or os.getcwd()
        at_home = here == project.root and not project.parts
        settled = settle_own(request.own, project.jobs, "" if at_home else here)
        project = project._replace(jobs=settled.jobs)
        settings = settings._replace(sessions=settled.sessions)
    if project.origins:
        of_file = {n: o for n, o in project.origins.items() if settings.origins[n] == "envfile"}
        settings = settings._replace(origins={**settings.origins, **of_file})
    return project, settings


def load_all(
    early: Settings,
    settings: Callable[[str], Settings] | None = None,
    *,
    may_install: bool = True,
) -> Project:
    """The Project that all envfiles below a folder are, as if one in it included them.

    early: says which folder. settings: as in `load_project`, of the envfile in that folder.
    """
    from runner.below import envfiles_below  # what few ask for

    envfile = envfile_meant(early)
    source = None if os.path.isfile(envfile) else b""  # of one that is not there
    below = envfiles_below(os.path.dirname(envfile))
    known = partial(settings, envfile) if settings else None
    project = load_project(envfile, known, may_install=may_install, source=source, below=below)
    return project if source is None else project._replace(envfile=project.root, read=())


def _tell_of_noxfile(envfile: str) -> None:
    from runner.colors import columns_of, fold  # what goes well has nothing to tell
    from runner.telling import tell

    folder, name = os.path.split(envfile)
    told = f"no {NAME} in {folder}: {name} is run, as nox would"
    tell(sys.stderr, f"{fold(told, columns_of(sys.stderr), 2, 0)}\n")
