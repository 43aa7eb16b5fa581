"""`runenv --list`: the jobs that there are, by family; as JSON with --json."""

from __future__ import annotations

import os
import sys

from runner.colors import columns_of, fold, painter, shows_escapes, wants_color, width_of
from runner.commands import failed_before
from runner.errors import UsageError
from runner.opening import open_project
from runner.selection import select
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.model import Job, OwnOption, Project, Request, Settings


_LITTLE = 24  # columns; in fewer a text would be a pillar
_INDENT_BELOW = 8  # of a text below what it is about; jobs stand at 4


def main(request: Request) -> int:
    """Print the listing to standard output."""
    project, settings = open_project(request, os.environ)
    mistake: UsageError | None = None
    chosen: set[str] = set()
    try:
        chosen = {job.name for job in default_jobs(project, settings)}
    except UsageError as error:
        # The names are what is needed to mend it, so they are listed first.
        mistake = error
    failed = failed_before(project, settings)
    narrowed = bool(settings.sessions or settings.tag or settings.keyword or settings.python)
    narrowed = narrowed or failed is not None
    if settings.shard or settings.plan:
        from runner.commands.list_shards import main as list_shards  # most are not split

        return list_shards(request, project, settings, select(project.jobs, settings, failed))
    jobs = select(project.jobs, settings, failed).jobs if narrowed else project.jobs
    if settings.json:
        print(as_json(project, jobs, chosen))
    else:
        color = wants_color(settings.color, os.environ, shows_escapes(sys.stdout))
        columns = columns_of(sys.stdout)
        lines = as_text(project, jobs, chosen, color=color, narrowed=narrowed, columns=columns)
        print("\n".join(lines))
    if mistake is not None:
        sys.stdout.flush()
        raise mistake
    return 0


def default_jobs(project: Project, settings: Settings) -> Sequence[Job]:
    """The jobs that a plain `runenv` runs; none where the default is empty."""
    bare = settings._replace(sessions=(), tag=(), keyword=(), python=(), failed=False)
    if settings.default == ():
        return ()
    if settings.default is None and not any(job.spec.default for job in project.jobs):
        return ()
    return select(project.jobs, bare).jobs


def as_text(
    project: Project,
    jobs: Sequence[Job],
    chosen: set[str],
    *,
    color: bool,
    narrowed: bool,
    columns: int = 0,
) -> list[str]:
    """The lines of the listing: a family's line with its description, then its members.

    columns: of the terminal; 0 where there is none. The families of
    a group stand below its name, behind those that are in none; those of an included
    envfile below its folder, behind all others.
    """
    paint = painter(color=color)
    star = paint("green", "*")
    lines = [fold(line, columns, 0) for line in [project.doc.partition("\n")[0]] if line]
    lines += [
        f"{len(jobs)} of {len(project.jobs)} jobs in {project.envfile}"
        if narrowed
        else f"Sessions in {project.envfile}:",
        "",
    ]
    families: dict[str, list[Job]] = {}
    for job in jobs:
        families.setdefault(job.spec.name, []).append(job)
    widths = {name: width_of(name) for name in families}
    width = _name_width(widths.values(), columns)
    marked = False
    heading = ""
    docs = {part.prefix: part.doc.partition("\n")[0] for part in project.parts}
    for name, members in _by_heading(families, project):
        above, heading = heading, _heading(members[0], project.root, docs)
        if heading != above:
            lines += [""] * bool(lines[-1]) + [fold(heading, columns, 2)]
        indent = width + 4 if width else _INDENT_BELOW
        doc = members[0].spec.doc.partition("\n")[0]
        doc = fold(doc, columns, indent) if columns else doc
        some = any(job.name in chosen for job in members)
        marked = marked or some
        mark = star if some else " "
        tags = sorted({tag for job in members for tag in job.tags})
        told = "  ".join(
            part for part in (doc, paint("thin", f"[{', '.join(tags)}]") if tags else "") if part
        )
        gap = width + 2 - widths[name]
        if told and gap < 2:
            lines += [f"{mark} {paint('bold', name)}", " " * indent + told]
        else:
            lines.append(f"{mark} {paint('bold', name)}{' ' * gap}{told}".rstrip())
        if [job.name for job in members] != [name]:
            partly = {job.name in chosen for job in members} == {True, False}
            for job in members:
                inner = f"{star} " if partly and job.name in chosen else ""
                lines.append(f"    {inner}{job.name}")
    if marked:
        lines += ["", f"{star} {paint('thin', 'run by a plain `runenv`')}"]
    return lines


def _name_width(widths: Iterable[int], columns: int) -> int:
    """The columns of the names, beside which stands what is told of them; 0: it stands below.

    So it does below a name that is much longer than the others, which would make a pillar of it.
    """
    widest = max((width for width in widths if not columns or width <= columns * 2 // 5), default=0)
    return 0 if columns and columns - widest - 4 < _LITTLE else widest


def _option(option: OwnOption) -> dict[str, object]:
    from runner.reports.texts import plain_value

    return {
        "name": option.name,
        "flag": option.flag,
        "kind": option.kind,
        "takes": option.takes,
        "choices": list(option.choices),
        "required": option.required,
        "default": plain_value(option.default),
        "help": option.help,
    }


def _by_heading(
    families: Mapping[str, list[Job]], project: Project
) -> Iterable[tuple[str, list[Job]]]:
    """The families of each envfile: those in no group first, then those of each together."""
    below: dict[str, dict[str, list[tuple[str, list[Job]]]]] = {
        prefix: {"": []} for prefix in ("", *(part.prefix for part in project.parts))
    }
    for name, members in families.items():
        spec = members[0].spec
        below[spec.prefix].setdefault(spec.group, []).append((name, members))
    groups = (members for each in below.values() for members in each.values())
    return (family for members in groups for family in members)


def _heading(job: Job, root: str, docs: Mapping[str, str]) -> str:
    """What a session is listed under: its group, and the folder of an included envfile.

    root: of the project. docs: what the envfile of each prefix says of itself.
    """
    spec = job.spec
    if not spec.prefix:
        return f"{spec.group}:" if spec.group else ""
    folder = os.path.relpath(spec.root, root).replace(os.sep, "/")
    if spec.group:
        return f"{folder}, {spec.group}:"
    return f"{folder}:  {docs[spec.prefix]}".rstrip()


def as_json(project: Project, jobs: Sequence[Job], chosen: set[str]) -> str:
    """The listing by the schema in docs/reference/listing.schema.json."""
    import json  # 3 ms that the text does without

    from runner.reports.texts import plain_value

    return json.dumps(
        {
            "version": 1,
            "envfile": project.envfile,
            "description": project.doc,
            "jobs": [
                {
                    "name": job.name,
                    "session": job.spec.name,
                    "nox_name": job.nox_name,
                    "description": job.spec.doc.partition("\n")[0],
                    "python": job.python,
                    "environment": None if job.spec.needs.backend == "none" else job.environment,
                    "parameters": {name: plain_value(value) for name, value in job.arguments},
                    "options": [_option(option) for option in job.spec.options],
                    "group": job.spec.group or None,
                    "prefix": job.spec.prefix[:-1] or None,
                    "root": project.root_of(job.spec),
                    "tags": list(job.tags),
                    "requires": list(job.requires),
                    "after": list(job.after),
                    "default": job.name in chosen,
                    "where": job.spec.where,
                }
                for job in jobs
            ],
        },
        indent=2,
        ensure_ascii=True,
    )
