"""What stands behind the names of sessions → what their functions are given.

Each option belongs to the jobs that the name before it means. Knows nothing of annotations,
but how an option turns a word into a value.
"""

from __future__ import annotations

import os

from runner.command_line import hint_for, is_value
from runner.errors import UsageError, did_you_mean, some_of
from runner.plan import missing_of
from runner.record import Record
from runner.selection import find_jobs
from runner.settings import is_list
from runner.shown import show
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.model import Job, OwnOption


class Settled(Record):
    """What the words behind names mean."""

    jobs: tuple[Job, ...]  # all that there are, with what they are given
    sessions: tuple[str, ...]  # the names


def settle_own(words: Sequence[str | None], jobs: Sequence[Job], here: str) -> Settled:
    """The jobs with what they are given, and the names among the words (Request.own).

    here: the folder in which a relative path was typed; empty where that is the project's.
    Raises UsageError for what no session takes.
    """
    reader = _Reader(words, jobs, here)
    reader.read()
    return Settled(
        tuple(_with_values(job, reader.given.get(job.name, {})) for job in jobs),
        tuple(reader.sessions),
    )


def check_all_given(jobs: Iterable[Job]) -> None:
    """Raise UsageError for the first of these that lacks what it must be given."""
    for job in jobs:
        if job.spec.options and job.trouble is not None:
            what, mend = job.trouble
            if job.spec.default:
                mend += "; default=False keeps it out of a plain runenv"
            raise UsageError(what, where=job.spec.where, mend=mend)


class _Given(Record):
    """What an option was given, and where."""

    option: OwnOption
    value: object
    words: tuple[str, ...]
    name: int  # the number of the name that it stands behind


class _Reader:
    """Reads the words, the first to the last."""

    def __init__(self, words: Sequence[str | None], jobs: Sequence[Job], here: str) -> None:
        self.sessions: list[str] = []
        self.given: dict[str, dict[str, _Given]] = {}  # by job and parameter
        self._left = list(words)
        self._jobs = jobs
        self._here = here
        self._meant: tuple[Job, ...] = ()

    def read(self) -> None:
        """What the words say is in `sessions` and `given`."""
        while self._left:
            word = self._left.pop(0)
            if word is None:
                continue
            if word != "-" and word.startswith("-"):
                flag, equals, value = word.partition("=")
                self._take(flag, value if equals else None)
            else:
                self.sessions.append(word)
                self._meant = find_jobs(word, self._jobs)

    def _take(self, flag: str, value: str | None) -> None:
        """Note an option that was met; its value may be the next word."""
        taking = [
            (job, option)
            for job in self._meant
            for option in job.spec.options
            if flag in (option.flag, option.turned_off)
        ]
        if not taking:
            raise self._unknown(flag)
        first = taking[0][1]
        if any((option.kind, option.takes) != (first.kind, first.takes) for _, option in taking):
            raise UsageError(
                f"{flag} is not the same in all sessions that {self.sessions[-1]!r} means",
                mend="name them one by one, each with its own",
            )
        if first.kind == "flag":
            if value is not None:
                raise UsageError(f"{flag} takes no value", mend=f"write {flag}")
            for job, option in taking:
                self._note(job, option, flag == option.flag, (flag,))
            return
        if value is None and self._left and self._left[0] is not None and is_value(self._left[0]):
            value = self._left.pop(0)
        if value is None:
            raise UsageError(f"{flag} needs a value", mend=f"write {first.written}")
        for job, option in taking:
            self._note(job, option, self._converted(option, value), (f"{flag}={value}",))

    def _converted(self, option: OwnOption, text: str) -> object:
        if option.takes == "path":
            text = os.path.join(self._here, text)
        try:
            return option.convert(text)
        except ValueError:
            raise UsageError(
                f"{option.flag} cannot be {text!r}", mend=_mend(option, text)
            ) from None

    def _note(self, job: Job, option: OwnOption, value: object, words: tuple[str, ...]) -> None:
        known = self.given.setdefault(job.name, {})
        number, before = len(self.sessions), known.get(option.name)
        if before is not None and option.kind == "many":
            words = (*before.words, *words)
            value = [*_list(before.value), value]
        elif option.kind == "many":
            value = [value]
        elif before is not None and before.name != number and before.value != value:
            raise UsageError(
                f"job {job.name!r} is named twice, with {show(before.words)} and {show(words)}",
                mend="it runs once in a run: run runenv once for each",
            )
        known[option.name] = _Given(option, value, words, number)

    def _unknown(self, flag: str) -> UsageError:
        session = self._meant[0].spec
        others = {job.spec.name: job for job in self._jobs if flag in _flags([job])}
        if others:
            there = some_of([f"{name!r}" for name in others])
            hint = f"write it behind the name of a session that has it: {there}"
        else:
            own = _flags(self._meant)
            near = did_you_mean(flag, own) or hint_for(flag, own)
            if not near and own:
                near = f"it has {', '.join(own)}"
            behind = "what belongs to its commands stands behind --"
            hint = f"{near}; {behind}" if near else behind
        return UsageError(
            f"session {session.name!r} has no option {flag}", where=session.where, mend=hint
        )


def _flags(jobs: Iterable[Job]) -> list[str]:
    """All flags of the jobs' own options."""
    options = [option for job in jobs for option in job.spec.options]
    flags = [flag for each in options for flag in (each.flag, each.turned_off) if flag]
    return list(dict.fromkeys(flags))


def _list(value: object) -> list[object]:
    return list(value) if is_list(value) else []


def _mend(option: OwnOption, text: str) -> str:
    if option.takes == "choice":
        choices = list(option.choices)
        return did_you_mean(text, choices) or f"it is one of {', '.join(choices)}"
    return "it is a whole number" if option.takes == "int" else "it is a number"


def _with_values(job: Job, given: Mapping[str, _Given]) -> Job:
    if not given:
        return job
    options = tuple(
        (name, it.option.collect(_list(it.value)) if it.option.kind == "many" else it.value)
        for name, it in given.items()
    )
    words = tuple(word for it in given.values() for word in it.words)
    trouble = missing_of(job.spec, job.name, given, words)
    return job._replace(options=options, words=words, trouble=trouble)
