"""`runenv --matrix ENGINE [NAME …]`: the selected jobs as a CI engine's own matrix.

An entry is what one machine of the engine does. Looks for no interpreter, makes
nothing and changes nothing: the machine that plans needs none of what jobs need.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from functools import cache
from itertools import product

from runner import __version__
from runner.command_line import given_words
from runner.commands import failed_before
from runner.commands.list import default_jobs
from runner.commands.matrix_packs import make_packs
from runner.envs.python_answers import running
from runner.envs.python_spec import FINAL, SIGNS, read_spec
from runner.envs.pythons_found import found_versions
from runner.opening import open_project
from runner.plan import make_plan
from runner.record import Record
from runner.reports.texts import plain_value
from runner.requirements import SourceDigests
from runner.requirements.lock import digest_of
from runner.running import Ingredient
from runner.selection import select
from runner.typed import TYPE_CHECKING
from runner.world import family_of, portable_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.commands.matrix_packs import Pack
    from runner.envs.python_spec import Version, Wanted
    from runner.model import Job, Project, Request, Settings
    from runner.requirements.lock import Family

STORE = ".runenv/.store"  # below the checkout: on the file system of the environments


class Entry(Record):
    """What one machine does: some jobs, and before them those that they require."""

    jobs: tuple[Job, ...]
    pythons: tuple[str, ...]  # as the envfile wrote them, of all that runs
    key: str  # of a cache: equal while the same is installed
    estimate_s: float | None  # None: nothing is known

    @property
    def names(self) -> tuple[str, ...]:
        """What to hand to runenv on that machine."""
        return tuple(job.name for job in self.jobs)

    @property
    def title(self) -> str:
        """What the engine shows: no two entries have the same."""
        more = len(self.jobs) - 1
        return f"{self.jobs[0].name} and {more} more" if more else self.jobs[0].name


class Asked(Record):
    """What the engines' forms are made of."""

    entries: tuple[Entry, ...]
    command: tuple[str, ...]  # runenv and its options
    posargs: tuple[str, ...]
    envfile: str
    platform: str

    def line(self, entry: Entry) -> str:
        """The command of an entry, to be pasted into a shell."""
        behind = ("--", *self.posargs) if self.posargs else ()
        return shlex.join([*self.command, *entry.names, *behind])


def main(request: Request) -> int:
    """Print the matrix to standard output."""
    project, settings = open_project(request, os.environ)
    failed = failed_before(project, settings)
    narrowed = bool(settings.sessions or settings.tag or settings.keyword or settings.python)
    narrowed = narrowed or failed is not None
    # That nothing runs by default is for a run a mistake, and for a matrix one without entries.
    selected = select(project.jobs, settings, failed).jobs if narrowed else None
    jobs = default_jobs(project, settings) if selected is None else selected
    _warn_of_ranges(jobs)
    form, limit = FORMS[str(request.argument)]
    packs = make_packs(request, project, settings, jobs, limit)
    platform = running().platform
    asked = Asked(
        entries=_make_entries(packs, project, settings, platform),
        command=("runenv", *given_words(request.given)),
        posargs=request.posargs,
        envfile=project.envfile,
        platform=platform,
    )
    print(form(asked))
    return 0


def _warn_of_ranges(jobs: Sequence[Job]) -> None:
    """Tell which sessions have other jobs on a machine with other Pythons."""
    for spec in {job.spec.name: job.spec for job in jobs}.values():
        for python in spec.pythons:
            if spec.names_python and python.startswith(SIGNS):
                here = ", ".join(found_versions(python)) or "none"
                print(
                    f"warning: the range {python!r} means the Pythons that are here: {here}\n"
                    f"  --> {spec.where}\n"
                    '  name the versions, so that no machine decides: python=["3.12", "3.13"]',
                    file=sys.stderr,
                )


# Entries. ---------------------------------------------------------------------------------


def _make_entries(
    packs: Sequence[tuple[Pack, float | None]], project: Project, settings: Settings, platform: str
) -> tuple[Entry, ...]:
    sources = SourceDigests()

    def chain_of(job: Job) -> str:
        return job.spec.needs.backend or settings.backend

    @cache  # for the many jobs of a family with parameters
    def digest(family: Family, python: str | None, chain: str, root: str) -> str:
        spec = portable_spec(family, python, chain, root, sources=sources, environ=os.environ)
        return digest_of(spec)

    entries: list[Entry] = []
    for jobs, estimate_s in packs:
        plan = make_plan(project.jobs, jobs, frozenset()).jobs
        made = [job for job in plan if chain_of(job) != "none"]
        digests = {
            digest(family_of(job.spec), job.python, chain_of(job), project.root_of(job.spec))
            for job in made
        }
        pythons = (job.python for job in made if job.python and chain_of(job) != "conda")
        whole = (
            Ingredient("runenv", __version__),  # another one may keep what it stores otherwise
            Ingredient("platform", platform),
            *(Ingredient("environment", each) for each in sorted(digests)),
        )
        key = f"runenv-{platform}-{digest_of(whole).removeprefix('sha256:')[:24]}"
        entries.append(Entry(jobs, tuple(dict.fromkeys(pythons)), key, estimate_s))
    return tuple(entries)


# Forms. -----------------------------------------------------------------------------------


def _as_github(asked: Asked) -> str:
    """One line for `fromJSON`; what has no entry is `{"include":[]}`."""
    return _compact({"include": [_facts(entry) for entry in asked.entries]})


def _facts(entry: Entry) -> dict[str, object]:
    """What a workflow may ask of an entry."""
    first, *others = entry.jobs
    return {
        "name": entry.title,
        "jobs": " ".join(entry.names),
        "family": " ".join(dict.fromkeys(job.spec.name for job in entry.jobs)),
        "python": "\n".join(_for_setup_python(entry.pythons)),
        "asked": list(entry.pythons),
        "parameters": {}
        if others
        else {name: plain_value(value) for name, value in first.arguments},
        "tags": list(dict.fromkeys(tag for job in entry.jobs for tag in job.tags)),
        "estimate_s": entry.estimate_s,
        "key": entry.key,
    }


def _as_gitlab(asked: Asked) -> str:
    """A whole pipeline, to be triggered as a child.

    A job for each entry instead of `parallel:matrix`, which holds the values of its
    variables in the name of a job, and that has 255 characters.
    """
    pipeline: dict[str, object] = {
        # Else a job without rules is left out where a merge request triggers it.
        "workflow": {"rules": [{"when": "always"}]},
        ".runenv": {
            "image": f"python:{sys.version_info.major}.{sys.version_info.minor}",
            "variables": {"RUNENV_STORE": f"$CI_PROJECT_DIR/{STORE}"},
            "before_script": [
                f"python -m pip install --quiet runenv-cli=={__version__}",
                _GET_PYTHONS,
            ],
        },
    }
    for entry in asked.entries:
        name = f"runenv {entry.title}" if entry.title in _KEYWORDS else entry.title
        pipeline[name] = {
            "extends": ".runenv",
            "variables": {"PYTHONS": " ".join(_for_uv(entry.pythons))},
            "cache": {"key": entry.key, "paths": [f"{STORE}/"]},
            "script": [asked.line(entry)],
        }
    if not asked.entries:
        pipeline[_NOTHING] = {"variables": {"GIT_STRATEGY": "none"}, "script": ["true"]}
    return json.dumps(pipeline, indent=2)  # which is YAML too


_GET_PYTHONS = (
    'for python in $PYTHONS; do uv python find "$python" || uv python install "$python"; done'
)
_NOTHING = "no job is selected"  # a pipeline without a job would be refused

# What GitLab takes for something else than the name of a job (CI/CD YAML syntax reference).
_KEYWORDS = """
image services stages types before_script after_script variables cache include true false nil
pages default workflow spec
""".split()  # noqa: SIM905  # a list of words reads better so


def _as_buildkite(asked: Asked) -> str:
    """A pipeline for `buildkite-agent pipeline upload`."""
    steps = [
        {
            "label": entry.title,
            # What follows a dollar would be filled in when it is uploaded.
            "command": asked.line(entry).replace("$", "$$"),
            "env": {"PYTHONS": " ".join(_for_uv(entry.pythons)), "STORE_KEY": entry.key},
        }
        for entry in asked.entries
    ]
    return json.dumps({"steps": steps or [{"label": _NOTHING, "command": "true"}]}, indent=2)


def _as_json(asked: Asked) -> str:
    """By the schema in docs/reference/matrix.schema.json."""
    return json.dumps(
        {
            "version": 1,
            "envfile": asked.envfile,
            "platform": asked.platform,
            "entries": [
                {**_facts(entry), **_about(entry), "command": asked.line(entry)}
                for entry in asked.entries
            ],
        },
        indent=2,
    )


def _about(entry: Entry) -> dict[str, object]:
    """What only JSON tells of its jobs."""
    made = {job.environment if job.spec.needs.backend != "none" else None for job in entry.jobs}
    required = dict.fromkeys(name for job in entry.jobs for name in job.requires)
    return {
        "environment": made.pop() if len(made) == 1 else None,
        "requires": [name for name in required if name not in entry.names],
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


# By engine, and how many entries it takes at most; 0: any number. GitHub: jobs of a matrix.
# GitLab: jobs of one matrix, and less than the 500 that are active at once for nothing.
# Buildkite: jobs of one upload.
FORMS: Mapping[str, tuple[Callable[[Asked], str], int]] = {
    "github": (_as_github, 256),
    "gitlab": (_as_gitlab, 200),
    "buildkite": (_as_buildkite, 500),
    "json": (_as_json, 0),
}


# Pythons. ---------------------------------------------------------------------------------


def _for_uv(pythons: Sequence[str]) -> list[str]:
    """As `uv python install` takes them, without blanks; none for paths and the like."""
    read = filter(None, map(read_spec, pythons))
    return list(dict.fromkeys(filter(None, map(_in_words, read))))


def _in_words(wanted: Wanted) -> str:
    name = "" if wanted.implementation == "cpython" else wanted.implementation
    return name + "".join(wanted.versions.split())


def _for_setup_python(pythons: Sequence[str]) -> list[str]:
    """As the action setup-python takes them; none for what it has not."""
    read = filter(None, map(read_spec, pythons))
    return list(dict.fromkeys(filter(None, map(_as_semver, read))))


def _as_semver(wanted: Wanted) -> str:
    """`3.12`, `3.13t`, `>=3.10 <3.13`, `pypy-3.10`: what its node-semver makes the same of.

    A version of two numbers means all its patches there as here: `<=3.12` has 3.12.4.
    Empty for what cannot be said: GraalPy is asked for by a version of its own.
    """
    versions = [clause.version for clause in wanted.clauses]
    if wanted.implementation == "pypy":
        minor = versions[0].release[:2] if versions and not wanted.is_range else ()
        return f"pypy-{minor[0]}.{minor[1]}" if len(minor) > 1 else ""
    if wanted.implementation != "cpython" or not versions:
        return ""
    if wanted.free_threaded:
        plain_release = not wanted.is_range and versions[0].pre == FINAL
        return wanted.versions if plain_release and len(versions[0].release) > 1 else ""
    # It has no sign for "not", which is below or above.
    signs_of = {"==": ("",), "!=": ("<", ">")}
    choices = [signs_of.get(clause.sign, (clause.sign,)) for clause in wanted.clauses]
    return " || ".join(
        " ".join(f"{sign}{_number(version)}" for sign, version in zip(signs, versions, strict=True))
        for signs in product(*choices)
    )


def _number(version: Version) -> str:
    """`3.12`, and `3.14.0rc1` with all three numbers, by which it knows a pre-release."""
    if version.pre == FINAL:
        return ".".join(map(str, version.release))
    rank, number = version.pre
    release = (*version.release, 0, 0)[:3]
    return ".".join(map(str, release)) + ("a", "b", "rc")[rank] + str(number)
