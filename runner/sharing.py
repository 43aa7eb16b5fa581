"""Sessions that share an environment → one that has what each of them needs.

Knows nothing of how it is made. What does not fit together is noted through a function that
is handed in. Loaded where a session names an environment.
"""

from __future__ import annotations

from runner.model import Needs
from runner.names import name_from
from runner.settings import is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.model import Job, SessionSpec

    Note = Callable[[str, str, str], None]

# Of these all is installed that anyone asks for; in all else that decides what an
# environment is they must agree.
_UNITED = ("deps", "groups", "extras", "requirements", "constraints", "conda_deps")


def with_united_needs(specs: Sequence[SessionSpec], note: Note) -> list[SessionSpec]:
    """The specs; each that shares an environment with the needs of all that share it.

    Also where only one of them runs: the environment is the same whoever is first.
    """
    sharing: dict[str, list[SessionSpec]] = {}
    for spec in specs:
        if spec.environment and spec.needs.backend == "none":
            note(
                spec.where,
                f"session {spec.name!r} shares the environment {spec.environment!r} and has none"
                " (python=False or backend none)",
                "take one of the two away",
            )
        elif spec.environment:
            sharing.setdefault(spec.environment, []).append(spec)
    united = {name: _unite(members, note) for name, members in sharing.items()}
    return [
        spec._replace(needs=united[spec.environment]) if spec.environment in united else spec
        for spec in specs
    ]


def _unite(members: Sequence[SessionSpec], note: Note) -> Needs:
    """What the environment of these is made of; where they do not agree is noted."""
    _compare("python", [(spec, _python_as_written(spec)) for spec in members], note)
    for name in Needs._fields:
        if name not in (*_UNITED, "project"):
            _compare(name, [(spec, getattr(spec.needs, name)) for spec in members], note)
    # One that does not install the project has nothing against it.
    projects = [(spec, spec.needs.project) for spec in members if spec.needs.project]
    _compare("project", projects, note)
    merged = {
        name: tuple(dict.fromkeys(text for spec in members for text in getattr(spec.needs, name)))
        for name in _UNITED
    }
    project = projects[0][1] if projects else ""
    return members[0].needs._replace(project=project, **merged)  # type: ignore[arg-type]  # all of _UNITED are tuples of strings


def _python_as_written(spec: SessionSpec) -> str | tuple[str, ...] | None:
    return spec.pythons if spec.names_python else next(iter(spec.pythons), None)


def _compare(name: str, values: Sequence[tuple[SessionSpec, object]], note: Note) -> None:
    """Note each session that says something else than the first."""
    for spec, value in values:
        first, wanted = values[0]
        if value != wanted:
            here, there = (list(v) if is_list(v) else v for v in (value, wanted))
            note(
                spec.where,
                f"session {spec.name!r} shares the environment {spec.environment!r} with session"
                f" {first.name!r}, {first.where}, and they differ in {name}: {here!r}, {there!r}",
                f"give both the same {name}, or each an environment of its own",
            )


def note_meeting_environments(jobs: Mapping[str, Job], note: Note) -> None:
    """Note where an environment that is shared would lie in the folder of another one."""
    named: dict[str, Job] = {}
    for job in jobs.values():
        if not job.shared:
            continue
        first = named.setdefault(job.shared, job)
        other = jobs.get(job.shared, first)
        if first.spec.environment != job.spec.environment:
            note(
                job.spec.where,
                f"two environments are named {job.shared!r}; the other is shared by"
                f" session {first.spec.name!r}, {first.spec.where}",
                "rename one of them",
            )
        elif first is job and not other.shared and other.spec.needs.backend != "none":
            note(
                job.spec.where,
                f"the environment {job.shared!r} has the name of a job that has its own,"
                f" {other.spec.where}",
                f"rename one of the two, or let that session share it:"
                f" environment={name_from(job.spec.environment, job.spec.prefix)!r}",
            )


def others_sharing(job: Job, jobs: Iterable[Job]) -> tuple[str, ...]:
    """The names of the other sessions that share the job's environment."""
    names = [other.spec.name for other in jobs if job.shared and other.shared == job.shared]
    return tuple(name for name in dict.fromkeys(names) if name != job.spec.name)
