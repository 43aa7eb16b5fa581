"""Somebody at a terminal picks from a list: by keys as they are pressed, or line by line.

Knows nothing of what is picked, or why.
"""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Choice(Record):
    """Something to pick."""

    name: str
    about: str = ""  # on one line
    tags: tuple[str, ...] = ()


class Question(Record):
    """What is asked of the choices."""

    text: str  # Run which?
    does: str  # what Enter does: runs
    several: bool = True  # whether more than one may be picked
    noun: str = "job"  # what a choice is


def matching(query: str, choices: Sequence[Choice]) -> list[int]:
    """The places of the choices that have the query, in whatever case, the nearest first.

    Its name that begins with it, its name, a tag, what it is about. Where none has it: its
    letters in their order in a name, so that `t312` finds `tests-3.12`.
    """
    wanted = query.casefold()
    if not wanted:
        return list(range(len(choices)))
    ranked = [(_rank(wanted, choice), place) for place, choice in enumerate(choices)]
    found = sorted(pair for pair in ranked if pair[0] < _NOT_IN_IT)
    if found:
        return [place for _, place in found]
    return [n for n, choice in enumerate(choices) if _in_order(wanted, choice.name.casefold())]


_NOT_IN_IT = 4


def _rank(wanted: str, choice: Choice) -> int:
    name = choice.name.casefold()
    if wanted in name:
        return 0 if name.startswith(wanted) else 1
    if any(wanted in tag.casefold() for tag in choice.tags):
        return 2
    return 3 if wanted in choice.about.casefold() else _NOT_IN_IT


def _in_order(letters: str, name: str) -> bool:
    left = iter(name)
    return all(letter in left for letter in letters)
