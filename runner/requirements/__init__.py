"""What is to be installed, wherever it is written: makes the Step of an install.

Knows nothing of environments and starts no installer. A step's ingredients
cover its arguments and the content of everything that they name: two steps
with equal ingredients ask for the same.
"""

from __future__ import annotations

import os

from runner.errors import EnvironmentBroken
from runner.requirements.arguments import (
    LOWEST_NAMED,
    OF_PROJECTS,
    read_arguments,
    show_arguments,
    takes_lowest_named,
)
from runner.requirements.collect import Collector
from runner.requirements.local import SourceDigests, is_project
from runner.running import Step
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model import Needs

__all__ = ["SourceDigests", "asks_anew", "declared_step", "install_step", "make_collector"]


def declared_step(
    needs: Needs,
    root: str,
    *,
    upgrade: bool = False,
    sources: SourceDigests | None = None,
    environ: Mapping[str, str] | None = None,
) -> Step | None:
    """The one install of all that a session declares; None where that is nothing.

    One, so that one resolution sees all. It is to be run with `root` as the
    working folder, where paths inside requirement files start. Groups are
    written out by PEP 735, as are extras where the project itself is not
    installed. upgrade: newer versions are asked for, which changes what is done
    and not what the environment is.
    sources: shared by the sessions of a run. environ: fills `${NAME}` in
    requirement files; ours where it is not given.
    Raises EnvironmentBroken for what is named and cannot be read or is not there.
    """
    root = os.path.normpath(root)
    collector = _collector(root, root, sources, environ)
    if needs.project and not is_project(root):
        raise EnvironmentBroken(
            f"there is neither pyproject.toml nor setup.py in {root}",
            where=f"project={needs.project!r}",
            mend="write one, or take project= away",
        )
    for dep in needs.deps:
        if dep.lstrip().startswith("-"):
            raise EnvironmentBroken(
                f"deps holds {dep!r}, which is an option and no requirement",
                mend='name files with requirements=["requirements.txt"] or constraints=[...]; '
                "for other options use session.install(...)",
            )

    groups: list[str] = []
    extras: list[str] = []
    collector.note("deps", needs.deps)
    if needs.groups:
        pyproject = collector.pyproject(root, where=f"groups={list(needs.groups)}")
        for name in needs.groups:
            requirements = pyproject.group_requirements(name)
            collector.note(f"group {name}", requirements)
            groups += requirements
    if needs.extras and needs.project:
        collector.note("extras", needs.extras)
    elif needs.extras:
        pyproject = collector.pyproject(root, where=f"extras={list(needs.extras)}")
        for name in needs.extras:
            requirements = pyproject.extra_requirements(name)
            collector.note(f"extra {name}", requirements)
            extras += requirements
    collector.note("requirements", needs.requirements)
    collector.note("constraints", needs.constraints)
    collector.note("project", (needs.project,))
    choosing = _choosing(needs)
    for name in choosing:
        collector.note(name, (getattr(needs, name),))

    arguments: list[str] = ["--upgrade"] if upgrade else []
    arguments += choosing.values()
    for file in needs.constraints:
        arguments += ["-c", collector.file(file, installs=False, where="constraints")]
    before = len(arguments)
    arguments += dict.fromkeys(collector.requirement(dep) for dep in needs.deps)
    for file in needs.requirements:
        arguments += ["-r", collector.file(file, installs=True, where="requirements")]
    arguments += collector.projects_in_files()
    arguments += [text for text in dict.fromkeys(groups + extras) if text not in needs.deps]
    marks = f"[{','.join(needs.extras)}]" if needs.extras else ""
    if needs.project:
        editable = needs.project == "editable"
        arguments += collector.project_arguments(
            root, needs.extras, editable=editable, sdist_first=needs.project == "sdist"
        )
    builds = collector.builds()
    if len(arguments) == before and not builds:
        return None
    _note_named(collector, arguments)
    shown = [
        *(["--upgrade"] if upgrade else []),
        *choosing.values(),
        *(part for file in needs.constraints for part in ("-c", file)),
        *needs.deps,
        *(part for file in needs.requirements for part in ("-r", file)),
        *(part for name in needs.groups for part in ("--group", name)),
        *extras,
        *([*_editable(needs), "." + marks] if needs.project else []),
    ]
    return Step(
        arguments=tuple(arguments),
        ingredients=collector.ingredients(),
        show=show_arguments(shown),
        cwd=root,
        builds=builds,
        in_place=collector.in_place(),
        from_here=collector.from_here,
        asks_anew=asks_anew(arguments, collector),
    )


def asks_anew(arguments: Iterable[str], collector: Collector) -> bool:
    """Whether what they resolve to is never to be remembered."""
    return collector.asks_anew or any(a.asks_anew() for a in read_arguments(arguments))


def _note_named(
    collector: Collector,
    arguments: Iterable[str],
    variables: Iterable[tuple[str, str | None]] = (),
) -> None:
    """Keep that what local projects require is named, where their wheels are installed so.

    It was not always, and an environment of that time is not what would be made today.
    """
    if collector.builds() and takes_lowest_named(arguments, variables):
        collector.note(OF_PROJECTS, (LOWEST_NAMED,))


def _choosing(needs: Needs) -> dict[str, str]:
    """What says which of the versions that fit are taken, as uv's options by name."""
    said = {
        "resolution": needs.resolution,
        "prerelease": needs.prerelease,
        "exclude_newer": _end_of_day(needs.exclude_newer),
    }
    return {name: f"--{name.replace('_', '-')}={text}" for name, text in said.items() if text}


def _end_of_day(moment: str) -> str:
    """The time up to which a day goes in UTC; any other time as it is.

    uv would take the day of its own time zone, and pip the day's first moment.
    """
    if len(moment) != len("2024-01-31"):
        return moment
    from datetime import date, timedelta  # 2 ms that only this argument costs

    return f"{date.fromisoformat(moment) + timedelta(days=1)}T00:00:00Z"


def install_step(
    arguments: tuple[str, ...],
    cwd: str,
    root: str,
    *,
    sources: SourceDigests | None = None,
    environ: Mapping[str, str] | None = None,
    variables: Mapping[str, str | None] | None = None,
) -> Step:
    """The step of `session.install(*arguments)`, to be run in the folder `cwd`.

    Relative paths start at cwd and are absolute in the step; what an option
    that we do not know names is handed on as it is. `root` is where labels
    start; sources, environ and errors as for `declared_step`. variables: what the
    installer and the builds are run with on top; None takes one away.
    """
    collector = _collector(root, cwd, sources, environ)
    given = list(read_arguments(arguments))
    collector.note("install", [argument.written() for argument in given])
    collector.note_variables(variables or {})
    # Options that change how a project is built are the installer's to follow.
    build = not any(argument.changes_builds() for argument in given)
    ready = [token for argument in given for token in collector.follow(argument, build=build)]
    own = tuple((variables or {}).items())
    _note_named(collector, ready, own)
    return Step(
        arguments=(*ready, *collector.projects_in_files()),
        ingredients=collector.ingredients(),
        show=show_arguments(arguments),
        cwd=cwd,
        builds=collector.builds(),
        in_place=collector.in_place(),
        from_here=collector.from_here,
        asks_anew=asks_anew(ready, collector),
        variables=own,
    )


def make_collector(
    root: str, *, sources: SourceDigests | None, environ: Mapping[str, str] | None
) -> Collector:
    """What keeps the content of all that is named in a project."""
    root = os.path.normpath(root)
    return _collector(root, root, sources, environ)


def _collector(
    root: str, cwd: str, sources: SourceDigests | None, environ: Mapping[str, str] | None
) -> Collector:
    environ = os.environ if environ is None else environ
    return Collector(root, cwd, sources or SourceDigests(environ), environ)


def _editable(needs: Needs) -> list[str]:
    return ["-e"] if needs.project == "editable" else []
