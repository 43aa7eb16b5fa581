"""What was asked for → the jobs that are meant.

Pure: names, globs, tags, keywords and Pythons in, jobs out. Everything that is
given narrows; what would be ignored is an error with a suggestion.
"""

from __future__ import annotations

import re

from runner.envs.python_spec import fits, read_spec
from runner.errors import UsageError, did_you_mean, some_of
from runner.record import Record
from runner.settings import set_by
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from runner.model import Job, Settings


class Selected(Record):
    """The jobs that are meant, in the order asked for."""

    jobs: tuple[Job, ...]
    named: frozenset[str]  # those that were asked for by name


def select(
    jobs: Sequence[Job], settings: Settings, failed: Collection[str] | None = None
) -> Selected:
    """The jobs that the settings mean. Raises UsageError where that is none.

    failed: those that did not pass when they last ran, where only they are meant.
    """
    found, named = _by_names(jobs, settings)
    if settings.python:
        found = _on_pythons(found, settings.python, set_by(settings, "python"))
    if settings.tag:
        found = _with_tags(found, settings.tag, jobs, set_by(settings, "tag"))
    if settings.keyword:
        found = _with_keywords(found, settings.keyword, set_by(settings, "keyword"))
    if failed is not None:
        found = [job for job in found if job.name in failed]
        if not found:
            raise UsageError(
                "of what is selected nothing failed when it last ran, as far as that is remembered",
                where=set_by(settings, "failed"),
                mend="run it without --failed",
            )
    return Selected(
        jobs=tuple(found), named=frozenset(job.name for job in found) if named else frozenset()
    )


def _by_names(jobs: Sequence[Job], settings: Settings) -> tuple[list[Job], bool]:
    """The jobs to narrow, and whether they were named."""
    if settings.sessions:
        return _find_all(settings.sessions, jobs, set_by(settings, "sessions")), True
    if settings.tag or settings.keyword or settings.failed:
        return list(jobs), False
    if settings.default is not None:
        if not settings.default:
            raise UsageError(
                "nothing is named, and the default is nothing",
                where=set_by(settings, "default"),
                mend="name what to run; `runenv --list` shows what there is",
            )
        return _find_all(settings.default, jobs, set_by(settings, "default")), False
    found = [job for job in jobs if job.spec.default]
    if not found:
        raise UsageError(
            "nothing is named, and no session runs by default",
            mend="name what to run; `runenv --list` shows what there is",
        )
    return found, False


# Names. --------------------------------------------------------------------------


def find_jobs(name: str, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The jobs that one name means. Raises UsageError where it means none."""
    return tuple(_find_all([name], jobs))


def _find_all(names: Iterable[str], jobs: Sequence[Job], where: str = "") -> list[Job]:
    """The jobs of all names in their order, each once; unknown names are told together."""
    found: dict[str, Job] = {}
    unknown: list[str] = []
    for name in names:
        matching = _matching(name, jobs)
        if not matching:
            unknown.append(name)
        found.update((job.name, job) for job in matching)
    if unknown:
        from runner.unknown import unknown_names

        raise unknown_names(unknown, jobs, where)
    return list(found.values())


def _matching(name: str, jobs: Sequence[Job]) -> list[Job]:
    """What a name means: a job, a family, a glob, nox's spelling, or parts of a job's name."""
    exact = [job for job in jobs if job.name == name]
    if exact:  # nox may call several jobs the same
        return exact + [job for job in jobs if job.nox_name == name and name in job.also]
    family = [job for job in jobs if job.spec.name == name]
    if family:
        return family
    by_other_names = [job for job in jobs if name in job.also]
    if by_other_names:
        return by_other_names
    spelled = _folded(name)
    by_nox = [job for job in jobs if spelled in map(_folded, _nox_names(job))]
    if not by_nox and "(" in name:
        by_nox = _with_equal_values(name, jobs)
    if by_nox:
        return by_nox
    if any(sign in name for sign in "*?["):
        from fnmatch import fnmatchcase  # 0.3 ms that only a pattern costs

        return [
            job for job in jobs if fnmatchcase(job.name, name) or fnmatchcase(job.spec.name, name)
        ]
    return [job for job in jobs if _has_parts(job, name)]


def _folded(name: str) -> str:
    """A name in nox's spelling, blanks outside of quotes and styles of quotes made equal."""
    pieces = re.split(r"""('[^']*'|"[^"]*")""", name)
    folded = (
        "".join(piece.split()) if number % 2 == 0 else f"'{piece[1:-1]}'"
        for number, piece in enumerate(pieces)
    )
    return "".join(folded)


def _nox_names(job: Job) -> tuple[str, str]:
    """Its nox spelling, and that of all Pythons: tests(api='old') for tests-3.13(api='old')."""
    family, bracket, rest = job.nox_name.partition("(")
    return job.nox_name, job.spec.name + bracket + rest if bracket else family


def _with_equal_values(name: str, jobs: Sequence[Job]) -> list[Job]:
    """The jobs with the same parameters in another spelling: t(x=[0x2a]) for t(x=[42]).

    nox compares the trees of both as well. Nothing is evaluated.
    """
    import ast  # 5 ms that only such a name costs

    def read(spelled: str) -> tuple[str, str] | None:
        family, bracket, rest = spelled.partition("(")
        try:
            return family.strip(), ast.dump(ast.parse(f"f{bracket}{rest}", mode="eval"))
        except (SyntaxError, ValueError):  # ValueError: a null byte
            return None

    wanted = read(name)
    return [job for job in jobs if wanted and wanted in map(read, _nox_names(job))]


def _has_parts(job: Job, name: str) -> bool:
    """Whether a name is the family with some of the job's further parts, in order.

    `tests-3.13` means tests-3.13-old and tests-3.13-new; `tests-old` means
    tests-3.10-old and tests-3.13-old.
    """
    family = job.spec.name + "-"
    if not (name.startswith(family) and job.name.startswith(family)):
        return False
    left = job.name.removeprefix(family)
    wanted = name.removeprefix(family)
    while wanted:
        # The longest run of the job's parts that the name goes on with.
        if left == wanted:
            return True
        if left.startswith(wanted + "-"):
            return True
        head, dash, left = left.partition("-")
        if wanted.startswith(head + "-"):
            wanted = wanted.removeprefix(head + "-")
        if not dash:
            return False
    return False


# Pythons, tags, keywords. ----------------------------------------------------------


def _on_pythons(found: list[Job], wanted: Sequence[str], where: str) -> list[Job]:
    tests = [_python_test(text, where) for text in wanted]
    kept = [job for job in found if job.python and any(test(job.python) for test in tests)]
    if not kept:
        there = list(dict.fromkeys(job.python for job in found if job.python))
        raise UsageError(
            f"no selected job runs on Python {', '.join(wanted)}",
            where=where,
            mend=f"there are {', '.join(there)}" if there else "none of them names a Python",
        )
    return kept


def _python_test(text: str, where: str) -> Callable[[str], bool]:
    """Whether a job's Python is the one asked for with -p."""
    if text[:1] in "<>=!~":
        wanted_range = read_spec(text)
        if wanted_range is None:
            raise UsageError(
                f"--python cannot be {text!r}", where=where, mend="write 3.12 or '>=3.11'"
            )

        def in_range(python: str) -> bool:
            it = read_spec(python)
            if it is None or it.is_range or not it.clauses:
                return False
            return fits(wanted_range, it.implementation, it.clauses[0].version, it.free_threaded)

        return in_range
    wanted = _kind_and_version(text)

    def same(python: str) -> bool:
        if python == text:
            return True
        kind, version = _kind_and_version(python)
        # 3.12 means 3.12.1 as well, but not the other way round.
        return kind == wanted[0] and bool(version) and f"{version}.".startswith(f"{wanted[1]}.")

    return same


def _kind_and_version(python: str) -> tuple[str, str]:
    """("python", "3.12") for 3.12, python3.12, cpython-3.12; ("pypy", "3.11") for pypy3.11."""
    match = re.fullmatch(r"([a-z]*)-?([0-9][0-9.]*t?)", python.lower())
    if not match:
        return "", ""
    kind = match[1] if match[1] not in ("", "py", "cpython") else "python"
    return kind, match[2]


def _with_tags(
    found: list[Job], wanted: Sequence[str], jobs: Sequence[Job], where: str
) -> list[Job]:
    kept = [job for job in found if any(tag in job.tags for tag in wanted)]
    if not kept:
        known = list(dict.fromkeys(tag for job in jobs for tag in job.tags))
        hint = next(
            filter(None, (did_you_mean(tag, known) for tag in wanted if tag not in known)), ""
        )
        there = f"there are {', '.join(known)}" if known else "no session has tags"
        raise UsageError(
            f"no selected job has the tag {' or '.join(wanted)}", where=where, mend=hint or there
        )
    return kept


def _with_keywords(found: list[Job], expressions: Sequence[str], where: str) -> list[Job]:
    from runner.keywords import keyword_test  # what few ask for

    for expression in expressions:
        matches = keyword_test(expression)
        kept = [job for job in found if matches(job)]
        if not kept:
            raise UsageError(
                f"no selected job matches the keyword {expression!r}",
                where=where,
                mend=f"there are {some_of([job.name for job in found])}",
            )
        found = kept
    return found
