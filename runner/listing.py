"""What completion offers of an envfile, kept: a TAB does not execute it when nothing changed.

Knows nothing of shells. What is kept is used only while every file that decided
it has the content that it had: the envfile, the modules beside it, what it read
through `runner.project`, and the Pythons that are found here.
"""

from __future__ import annotations

import json
import os
import sys

from runner.aside import keep
from runner.digests import sha256
from runner.envs.pythons_found import found_versions
from runner.load import load_project
from runner.record import Record
from runner.tab import content, keep_names
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from runner.model import OwnOption, Project

_FORMAT = 3  # another number: written by a runenv that means something else


class Own(Record):
    """An option of a session."""

    flag: str
    help: str
    takes: str  # as in OwnOption; empty: nothing
    choices: tuple[str, ...] = ()


class Listing(Record):
    """The names that may be typed for an envfile."""

    sessions: dict[str, str]  # the name of each and the first line of its docstring
    jobs: dict[str, str]  # likewise
    tags: tuple[str, ...]
    pythons: tuple[str, ...]
    options: Mapping[str, tuple[Own, ...]] = {}  # of the sessions that have some


def listing_of(envfile: str, cache: str) -> Listing:
    """The names that an envfile declares; it is executed only where something changed.

    cache: below which listings are kept, a file for each envfile; empty: nowhere. Raises
    what `load_project` raises.
    """
    if not cache:
        return listing_for(load_project(envfile, may_install=False))
    name = sha256(os.fsencode(envfile)).hexdigest()[:24] + ".json"
    file = os.path.join(cache, "listings", name)
    kept = _read(file)
    if kept is not None:
        return kept
    project = load_project(envfile, may_install=False)  # nobody waits for that at a TAB
    listing = listing_for(project)
    files = {path: _digest(path) for path in project.all_read}
    data = {
        "format": _FORMAT,
        "python": sys.version,
        "pythons here": found_versions(">=3"),
        "files": files,
        "listing": listing,
    }
    keep(file, json.dumps(data))
    flags = {name: {own.flag: own.help for own in each} for name, each in listing.options.items()}
    # The names of jobs may change with the Pythons that are here.
    names = None if _expands_ranges(project) else (listing.sessions, listing.jobs)
    keep_names(envfile, names, flags, files)
    return listing


def _expands_ranges(project: Project) -> bool:
    """Whether there is a job for each Python that is here and fits."""
    specs = (job.spec for job in project.jobs)
    return any(p[0] in "<>=!~" for spec in specs if spec.names_python for p in spec.pythons)


def listing_for(project: Project) -> Listing:
    """The names that a project has."""
    docs = {job.name: job.spec.doc.partition("\n")[0] for job in project.jobs}
    return Listing(
        sessions={job.spec.name: docs[job.name] for job in project.jobs},
        jobs=docs,
        tags=tuple(dict.fromkeys(tag for job in project.jobs for tag in job.tags)),
        pythons=tuple(dict.fromkeys(job.python for job in project.jobs if job.python)),
        options={
            job.spec.name: tuple(own for option in job.spec.options for own in _flags(option))
            for job in project.jobs
            if job.spec.options
        },
    )


def _flags(option: OwnOption) -> list[Own]:
    takes = "" if option.kind == "flag" else option.takes
    flags = [Own(option.flag, option.help, takes, option.choices)]
    return [*flags, Own(option.turned_off, option.help, "")] if option.turned_off else flags


def _read(file: str) -> Listing | None:
    """The listing that is kept, or None where it cannot be used any more."""
    try:
        with open(file, encoding="utf-8") as stream:
            data: dict[str, Any] = json.loads(stream.read())
        if data["format"] != _FORMAT or data["python"] != sys.version:
            return None
        if any(_digest(path) != digest for path, digest in data["files"].items()):
            return None
        if data["pythons here"] != list(found_versions(">=3")):
            return None
        sessions, jobs, tags, pythons, options = data["listing"]
        own = {
            name: tuple(Own(flag, told, takes, tuple(c)) for flag, told, takes, c in each)
            for name, each in options.items()
        }
        return Listing(dict(sessions), dict(jobs), tuple(tags), tuple(pythons), own)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _digest(path: str) -> str:
    """The digest of a file's content, or of a folder's names; empty where neither is there."""
    return sha256(content(path)).hexdigest() if os.path.exists(path) else ""
