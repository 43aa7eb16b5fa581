"""pythons × parameters → Jobs with their names; selected jobs + requires → Plan.

Does no I/O and knows nothing of environments. What is wrong with names and
`requires` is noted through a function that is handed in, all of it at once.
"""

from __future__ import annotations

import re
from itertools import product

from runner.envs.python_spec import fits, read_spec
from runner.errors import did_you_mean, some_of
from runner.model import Job, Plan
from runner.names import cleaned, full_name, name_from
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from runner.model import Axis, Param, SessionSpec

    Note = Callable[[str, str, str], None]

_RANGE_SIGNS = ("<", ">", "=", "!", "~")


def expand(
    specs: Sequence[SessionSpec], found_versions: Callable[[str], Iterable[str]], note: Note
) -> tuple[Job, ...]:
    """All jobs of all sessions, with their `requires` turned into names of jobs.

    found_versions: the minor versions on this machine that fit a range.
    """
    jobs: dict[str, Job] = {}
    sharing = any(spec.environment for spec in specs)
    if sharing:
        from runner.sharing import with_united_needs  # what few do

        specs = with_united_needs(specs, note)
    for spec in specs:
        for job in _jobs_of(spec, found_versions):
            if job.name in jobs:
                other = jobs[job.name].spec
                note(
                    spec.where,
                    f"two jobs are named {job.name!r}"
                    + (
                        f"; the other is of session {other.name!r}, {other.where}"
                        if other is not spec
                        else ""
                    ),
                    "rename one of them, or give it another id"
                    if other is not spec
                    else f"tell them apart with runner.param(..., id=...): {job.nox_name}",
                )
                continue
            jobs[job.name] = job
    if sharing:
        from runner.sharing import note_meeting_environments

        note_meeting_environments(jobs, note)
    resolved = _resolve_after(_resolve_requires(jobs, note), note)
    required = {job.name: job.requires for job in resolved}
    circles = find_cycles(required)
    for circle in circles:
        note(
            jobs[circle[0]].spec.where,
            f"these require each other: {' -> '.join([*circle, circle[0]])}",
            "take one of the requires away",
        )
    waits = {job.name: (*job.requires, *job.after) for job in resolved}
    for circle in [] if circles else find_cycles(waits):
        note(
            jobs[circle[0]].spec.where,
            f"these come after each other: {' -> '.join([*circle, circle[0]])}",
            "take one of the after or requires away",
        )
    return resolved


# Names (design.md, "Names of jobs"). ---------------------------------------------


def _jobs_of(spec: SessionSpec, found_versions: Callable[[str], Iterable[str]]) -> Iterable[Job]:
    if any(axis.python_at is not None for axis in spec.axes):
        for choice in _choices(spec):
            for wanted in _expanded(spec, [_python_of(spec, choice)], found_versions):
                yield _make_job(spec, wanted, choice)
        return
    for python in _expanded(spec, spec.pythons, found_versions) or ("",):
        for choice in _choices(spec):
            yield _make_job(spec, python or None, choice)


def _expanded(
    spec: SessionSpec, wanted: Iterable[str], found_versions: Callable[[str], Iterable[str]]
) -> list[str]:
    """The Pythons, each once, with the minor versions that are here for a range in a list."""
    pythons: list[str] = []
    for python in wanted:
        # When none is here, the range stays, so that the run says so instead of having no job.
        if spec.names_python and python.startswith(_RANGE_SIGNS):
            pythons += [v for v in found_versions(python) if v not in pythons] or [python]
        elif python not in pythons:
            pythons.append(python)
    return pythons


def _python_of(spec: SessionSpec, choice: tuple[tuple[int, Param], ...]) -> str:
    """The Python that stands among the values that were taken."""
    return next(
        str(param.values[axis.python_at]).strip()
        for axis, (_, param) in zip(spec.axes, choice, strict=True)
        if axis.python_at is not None
    )


def _choices(spec: SessionSpec) -> Iterable[tuple[tuple[int, Param], ...]]:
    """Each way to take one set of values of each axis, with its number."""
    return product(*(enumerate(axis.params) for axis in spec.axes))


def _make_job(spec: SessionSpec, python: str | None, choice: tuple[tuple[int, Param], ...]) -> Job:
    """One job. choice: of each axis the set of values that was taken, and its number."""
    family = spec.name
    params = [param for _, param in choice]
    parts = [family]
    if spec.names_python and python:
        parts.append(cleaned(python))
    by_row = any(axis.python_at is not None for axis in spec.axes)  # nox has it among the values
    nox_family = f"{family}-{python}" if spec.names_python and python and not by_row else family
    labels = [
        _label(axis, number, param) for axis, (number, param) in zip(spec.axes, choice, strict=True)
    ]
    nox_labels = [_nox_label(axis, param) for axis, param in zip(spec.axes, params, strict=True)]
    arguments = [
        pair
        for axis, param in zip(spec.axes, params, strict=True)
        for pair in _arguments(axis, param)
    ]
    tags = [*spec.tags, *(tag for param in params for tag in param.tags)]
    name = "-".join([*parts, *filter(None, labels)])
    return Job(
        name=name,
        nox_name=f"{nox_family}({', '.join(nox_labels)})" if nox_labels else nox_family,
        spec=spec,
        python=python,
        arguments=tuple(arguments),
        tags=tuple(dict.fromkeys(tags)),
        requires=(),
        shared="-".join([spec.environment, *parts[1:]]) if spec.environment else "",
        trouble=missing_of(spec, name, ()) if spec.options else None,
    )


def missing_of(
    spec: SessionSpec, job: str, given: Collection[str], words: Sequence[str] = ()
) -> tuple[str, str] | None:
    """What a job must still be given by the command line, and how; None where that is nothing.

    given: the parameters that have a value. words: that say so.
    """
    missing = [each for each in spec.options if each.required and each.name not in given]
    if not missing:
        return None
    flags = " and ".join(option.flag for option in missing)
    written = " ".join([job, *words, *(option.written for option in missing)])
    return f"session {spec.name!r} needs {flags}", f"write it behind its name: runenv {written}"


def _label(axis: Axis, number: int, param: Param) -> str:
    """What a set of values adds to the name: its id, else a word for each value."""
    if param.id is not None:
        return param.id
    words = (word_for(name, value, number) for name, value in _arguments(axis, param))
    return "-".join(words)


def _arguments(axis: Axis, param: Param) -> Iterable[tuple[str, object]]:
    """What a set of values hands to the function: all but the job's Python."""
    pairs = zip(axis.names, param.values, strict=True)
    return [pair for at, pair in enumerate(pairs) if at != axis.python_at]


def word_for(name: str, value: object, number: int) -> str:
    """What a value adds to a name.

    Itself where it is a word, name and value for numbers and the like, name and
    number for what has no short text.
    """
    if isinstance(value, str):
        text = cleaned(value)
        return text if text[:1].isalpha() else name + text
    if value is None or isinstance(value, (bool, int, float)):
        try:
            return name + cleaned(str(value))
        except ValueError:  # thousands of digits, which Python writes for nobody
            return f"{name}{number}"
    own_name = getattr(value, "__name__", None)
    if isinstance(own_name, str) and cleaned(own_name)[:1].isalpha():
        return cleaned(own_name)
    return f"{name}{number}"


def _nox_label(axis: Axis, param: Param) -> str:
    if param.id is not None:
        return param.id
    pairs = zip(axis.names, param.values, strict=True)
    return ", ".join(f"{name}={_shown(value)}" for name, value in pairs)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # whatever a class of the envfile does; thousands of digits
        return f"<{type(value).__name__}>"


# Requires. -----------------------------------------------------------------------


def _families(jobs: Iterable[Job]) -> dict[str, list[str]]:
    """The names of jobs that other names stand for: the session's, and nox's."""
    families: dict[str, list[str]] = {}
    for job in jobs:
        names = [job.spec.name, job.nox_name]
        if job.spec.names_python and job.python:
            names.append(f"{job.spec.name}-{job.python}")
        for name in names:
            families.setdefault(name, []).append(job.name)
    return families


def _resolve_requires(jobs: Mapping[str, Job], note: Note) -> tuple[Job, ...]:
    families = _families(jobs.values())
    specs = {job.spec.name: job.spec for job in jobs.values()}.values()
    named = dict.fromkeys(job.spec.name for job in jobs.values())
    noted: set[tuple[str, str]] = set()
    resolved: list[Job] = []
    for job in jobs.values():
        if not job.spec.requires:
            resolved.append(job)
            continue
        required: dict[str, None] = {}
        absent: tuple[str, str] | None = None
        above = ""
        for text in job.spec.requires:
            name = full_name(text, job.spec.prefix)
            for field in ("{python}", "{py}"):
                if field in name and job.python is None and (job.spec.where, text) not in noted:
                    noted.add((job.spec.where, text))
                    note(
                        job.spec.where,
                        f"session {job.spec.name!r} requires {text!r} but has no python to fill in",
                        "declare its python, or write the name out",
                    )
                name = name.replace(field, job.python or "")
            if name in jobs:
                required[name] = None
            elif name in families:
                required.update(dict.fromkeys(families[name]))
            elif name.startswith(":"):
                above = above or name
            elif python := _python_of_absent(name, specs):
                absent = absent or (name, python)
            elif (job.spec.where, text) not in noted:
                noted.add((job.spec.where, text))
                written = name_from(name, job.spec.prefix)
                note(
                    job.spec.where,
                    f"session {job.spec.name!r} requires {written!r}, which no session is named",
                    _near(name, [*families, *jobs], list(named), job),
                )
        resolved.append(job._replace(requires=tuple(required), absent=absent, above=above))
    return tuple(resolved)


def _near(name: str, known: list[str], named: list[str], job: Job) -> str:
    """What the name of another session should have been, as the job's envfile writes it."""
    # Its own names without their prefix, which makes all of them alike.
    prefix = job.spec.prefix
    near = did_you_mean(name_from(name, prefix), [name_from(other, prefix) for other in known])
    own = [name.removeprefix(prefix) for name in named if name.startswith(prefix)]
    return near or f"there are {some_of(own)}"


def _resolve_after(jobs: Sequence[Job], note: Note) -> tuple[Job, ...]:
    """The jobs with the names of those that they follow, themselves never among them."""
    if not any(job.spec.after for job in jobs):
        return tuple(jobs)
    families = _families(jobs)
    specs = {job.spec.name: job.spec for job in jobs}.values()
    known = list(dict.fromkeys([*families, *(job.name for job in jobs)]))
    named = list(dict.fromkeys(job.spec.name for job in jobs))
    noted: set[tuple[str, str]] = set()
    resolved: list[Job] = []
    for job in jobs:
        found: dict[str, None] = {}
        for text in job.spec.after:
            name = full_name(text, job.spec.prefix)
            name = name.replace("{python}", job.python or "").replace("{py}", job.python or "")
            meant = _meant(name, jobs, families)
            found.update(dict.fromkeys(meant))
            # One whose Python or envfile is not here does not run, so that nothing follows it.
            absent = name.startswith(":") or _python_of_absent(name, specs)
            if meant or (job.spec.where, text) in noted or absent:
                continue
            noted.add((job.spec.where, text))
            written = name_from(name, job.spec.prefix)
            note(
                job.spec.where,
                f"session {job.spec.name!r} comes after {written!r}, which no session is named",
                _near(name, known, named, job),
            )
        found.pop(job.name, None)
        resolved.append(job._replace(after=tuple(n for n in found if n not in job.requires)))
    return tuple(resolved)


def _meant(name: str, jobs: Sequence[Job], families: Mapping[str, list[str]]) -> list[str]:
    """The names of the jobs that a name or a pattern stands for."""
    if any(sign in name for sign in "*?["):
        from fnmatch import fnmatchcase  # 0.3 ms that only a pattern costs

        return [
            job.name
            for job in jobs
            if fnmatchcase(job.name, name) or fnmatchcase(job.spec.name, name)
        ]
    return [job.name for job in jobs if job.name == name] or families.get(name, [])


def _python_of_absent(name: str, specs: Iterable[SessionSpec]) -> str:
    """The Python that is not here and with which a range would have the job; else empty.

    What an envfile requires must not become a mistake in it on another machine.
    """
    for spec in specs:
        python = re.split(r"[-(]", name.removeprefix(f"{spec.name}-"))[0]
        it = read_spec(python)
        if not (spec.names_python and it and it.clauses and name.startswith(f"{spec.name}-")):
            continue
        version = it.clauses[0].version
        ranges = [read_spec(text) for text in spec.pythons if text.startswith(_RANGE_SIGNS)]
        # Of a range there is a job for each minor version.
        if len(version.release) == 2 and any(
            wanted and fits(wanted, it.implementation, version, it.free_threaded)
            for wanted in ranges
        ):
            jobs = [_make_job(spec, python, choice) for choice in _choices(spec)]
            if any(name in (f"{spec.name}-{python}", job.name, job.nox_name) for job in jobs):
                return python
    return ""


def find_cycles(requires: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Each circle of names that is met first, in order; a chain of any length is fine."""
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in requires:
        # Depth first without recursion: `path` are the names we stand in, each
        # with what is left to look at.
        path: dict[str, list[str]] = {}
        if requires[start] and start not in done:
            path[start] = list(requires[start])
        while path:
            name, left = next(reversed(path.items()))
            if not left:
                done.add(name)
                del path[name]
                continue
            needed = left.pop(0)
            if needed in path:
                names = list(path)
                cycles.append(names[names.index(needed) :])
            elif needed not in done:
                path[needed] = list(requires[needed])
    return cycles


def make_plan(jobs: Sequence[Job], selected: Sequence[Job], named: frozenset[str]) -> Plan:
    """The selected jobs and all that they require, each after what it requires or follows.

    The order is the selection's as far as that allows. `jobs` has no cycle: `expand`
    has noted them.
    """
    by_name = {job.name: job for job in jobs}
    needed = {job.name: job.requires for job in jobs}
    members = _in_order([job.name for job in selected], needed)
    # What is followed is not added to the run.
    if any(by_name[name].after for name in members):
        inside = set(members)
        waits = {
            name: (*needed[name], *(other for other in by_name[name].after if other in inside))
            for name in members
        }
        members = _in_order(members, waits)
    return Plan(jobs=tuple(by_name[name] for name in members), named=named)


def _in_order(names: Iterable[str], waits: Mapping[str, Sequence[str]]) -> list[str]:
    """The names and all that they wait for, each behind that."""
    ordered: dict[str, None] = {}
    for start in names:
        if not waits[start]:
            ordered[start] = None  # again: it stays where it was
            continue
        path: dict[str, list[str]] = {start: list(waits[start])}
        while path:
            name, left = next(reversed(path.items()))
            if name in ordered:
                del path[name]
            elif left:
                other = left.pop(0)
                if other not in ordered:
                    path[other] = list(waits[other])
            else:
                ordered[name] = None
                del path[name]
    return list(ordered)
