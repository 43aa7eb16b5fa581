"""What the options of included envfiles say of their sessions; loaded where there are any."""

from __future__ import annotations

import os

from runner.errors import UsageError
from runner.selection import find_jobs
from runner.settings import read_table, set_by, settle, timeout_s
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.model import Job, Part, Project, Settings


def with_own_settings(
    project: Project, given: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[Job, ...]:
    """The jobs with what the options of their own envfiles say, and of those that include these.

    That is what describes sessions: which of them run by default, `backend`, `timeout`,
    `env_file`. What is about the whole run is said at its top alone. The command line and
    variables win over all of them.
    """
    said = {
        part.prefix: (part, _settings_of(part, project, given, environ)) for part in project.parts
    }
    default = {
        name for part, settings in said.values() for name in _default_of(part, settings, project)
    }
    # The nearest first: what one says, none above it says otherwise.
    chains = {prefix: [said[each] for each in _inside_out(prefix)] for prefix in said}
    return tuple(
        _with_settings(job, chains[job.spec.prefix], by_default=job.name in default)
        if job.spec.prefix
        else job
        for job in project.jobs
    )


def _inside_out(prefix: str) -> Iterable[str]:
    """`api:docs:`, `api:`."""
    while prefix:
        yield prefix
        prefix = prefix[: prefix.rfind(":", 0, -1) + 1]


def _default_of(part: Part, own: Settings, project: Project) -> Iterable[str]:
    """The names of the jobs that the envfile runs by default, where it says so."""
    if own.default is None or not _is_own(own, "default"):
        return
    try:
        for name in own.default:
            yield from (job.name for job in find_jobs(part.prefix + name, project.jobs))
    except UsageError as error:
        place = os.path.relpath(part.envfile, project.root)
        error.where = f"{set_by(own, 'default')}, {place}"
        raise


def _is_own(settings: Settings, name: str) -> bool:
    return settings.origins[name] in ("envfile", "[tool.runenv]")


def _settings_of(
    part: Part, project: Project, given: Mapping[str, object], environ: Mapping[str, str]
) -> Settings:
    """Every setting as it would be if the envfile were loaded alone."""
    try:
        return settle(given, environ, part.options, read_table(part.root))
    except UsageError as error:
        if error.where == "pyproject.toml":
            error.where = os.path.relpath(os.path.join(part.root, error.where), project.root)
        raise


def _with_settings(job: Job, chain: Sequence[tuple[Part, Settings]], *, by_default: bool) -> Job:
    """chain: what its own envfile says, then what those above it say."""
    spec = job.spec
    if by_default or _is_own(chain[0][1], "default"):
        spec = spec._replace(default=by_default)
    for part, own in chain:
        if _is_own(own, "backend") and spec.needs.backend is None:
            spec = spec._replace(needs=spec.needs._replace(backend=own.backend))
        if _is_own(own, "timeout") and spec.timeout_s is None:
            spec = spec._replace(timeout_s=timeout_s(own.timeout))
        if _is_own(own, "env_file"):
            files = [_seen_from(spec.root, part.root, name) for name in own.env_file]
            spec = spec._replace(env_file=(*files, *spec.env_file))
    return job if spec is job.spec else job._replace(spec=spec)


def _seen_from(root: str, folder: str, name: str) -> str:
    """A file of variables that is named in `folder`, as it is named in `root`."""
    path = name.removeprefix("-")  # before one that may be missing
    if root == folder or os.path.isabs(os.path.expanduser(path)):
        return name
    mark = name[: len(name) - len(path)]
    return mark + os.path.join(os.path.relpath(folder, root), path)
