"""Names that no session or job has → the error that says what was meant.

Loaded on the way to that error.
"""

from __future__ import annotations

import re

from runner.command_line import verb_for_word, verb_near_word
from runner.errors import UsageError, nearest, some_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.model import Job

_VERSION = r"\d+\.\d+t?"


def _nearest(name: str, known: Iterable[str], prefix: str) -> str:
    """The known name that is near, among those of that prefix: it makes all of them alike."""
    own = [other.removeprefix(prefix) for other in known if other.startswith(prefix)]
    near = nearest(name.removeprefix(prefix), own)
    return prefix + near if near else ""


def _hint_of_prefix(name: str, jobs: Sequence[Job]) -> str:
    """What was meant by the name of an included envfile, or of what several of them have."""
    if any(job.spec.prefix.startswith(f"{name}:") for job in jobs):
        return f"'{name}:*' means all that {name} has"
    spelled = name.replace("/", ":")
    if any(spelled in (job.spec.name, job.name) for job in jobs):
        return f"did you mean {spelled!r}?"
    where = dict.fromkeys(job.spec.prefix for job in jobs if job.own_name == name)
    where.update((job.spec.prefix, None) for job in jobs if job.spec.own_name == name)
    found = [prefix + name for prefix in where]
    if len(found) > 1:
        return f"there are {some_of(found)}; '*:{name}' means all of them"
    return f"did you mean {found[0]!r}?" if found else ""


def unknown_names(unknown: list[str], jobs: Sequence[Job], where: str) -> UsageError:
    """The error that tells of these. where: who has said them; empty: the command line."""
    families = list(dict.fromkeys(job.spec.name for job in jobs))
    known = list(dict.fromkeys(name for job in jobs for name in (job.spec.name, job.name)))
    prefixes = {"", *(job.spec.prefix for job in jobs)}
    hints: list[str] = []
    for name in unknown:
        among = _hint_of_prefix(name, jobs)
        if among:
            hints.append(among if len(unknown) == 1 else f"{name}: {among}")
            continue
        verb = verb_for_word(name)
        # A long name of a job is never as near to a short word as its session's is.
        within = max((p for p in prefixes if name.startswith(p)), key=len)
        near = ("" if "-" in name[len(within) :] else _nearest(name, families, within)) or _nearest(
            name, known, within
        )
        hint = f"did you mean {near!r}?" if near and not verb else ""
        verb = verb or ("" if hint else verb_near_word(name))
        hint = f"did you mean runenv {verb}?" if verb else hint
        if re.fullmatch(_VERSION, name):
            hint = f"a Python is chosen with -p {name}, several with commas: -p 3.11,3.12"
        hints.append(hint if len(unknown) == 1 or not hint else f"{name}: {hint}")
    shown = " and ".join(map(repr, unknown))
    # What the envfile's default names is met by --list too.
    last = f"there are {some_of(families)}" if where else "`runenv --list` shows them all"
    mend = [*filter(None, hints), last]
    return UsageError(
        f"no session or job is named {shown}"
        if len(unknown) == 1
        else f"no sessions or jobs are named {shown}",
        where=where,
        mend="\n".join(mend),
    )
