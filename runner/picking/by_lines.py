"""Asks line by line: a numbered list, and an answer.

For terminals, and for people, that have lines alone.
"""

from __future__ import annotations

from runner.amounts import counted
from runner.colors import columns_of, fold
from runner.picking import matching
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from runner.picking import Choice, Question

_MOST = 40  # of the list at once: more than that nobody wants to hear


def ask(
    question: Question, choices: Sequence[Choice], stream: TextIO, answers: TextIO
) -> list[int]:
    """The places of the choices that were picked; none where it was left.

    stream: where it is written. answers: where they come from.
    """
    found = matching("", choices)
    _list(found, choices, question.noun, stream)
    while True:
        how = "Numbers (1 3-5)" if question.several else "A number"
        asked = f"{question.text} {how}, a name, or letters to search; nothing leaves:"
        tell(stream, fold(asked, columns_of(stream), 0) + " ")
        line = answers.readline()
        answer = line.strip()
        if not answer:
            if not line:  # Ctrl-D, which leaves the cursor where it is
                tell(stream, "\n")
            return []
        picked, trouble = _picked(answer, found, choices)
        if picked and len(picked) > 1 and not question.several:
            trouble = "one of them, please"
        if trouble:
            tell(stream, f"{trouble}\n")
        elif picked:
            return picked
        elif matches := matching(answer, choices):
            found = matches
            _list(found, choices, question.noun, stream)
        else:
            tell(stream, f"nothing has {answer!r}\n")


def _list(found: Sequence[int], choices: Sequence[Choice], noun: str, stream: TextIO) -> None:
    """Write them with their numbers."""
    shown = [choices[place] for place in found[:_MOST]]
    width = len(str(len(shown)))
    for number, choice in enumerate(shown, 1):
        tags = f"[{', '.join(choice.tags)}]" if choice.tags else ""
        told = "  ".join(filter(None, (choice.name, choice.about, tags)))
        tell(stream, f"{number:>{width}}  {fold(told, columns_of(stream), width + 2)}\n")
    if len(found) > _MOST:
        tell(stream, f"and {counted(len(found) - _MOST, noun)} more, which letters find\n")


def _picked(answer: str, found: Sequence[int], choices: Sequence[Choice]) -> tuple[list[int], str]:
    """The places that numbers or names in an answer mean, and what is wrong with a number."""
    words = answer.replace(",", " ").split()
    by_name = {choice.name: place for place, choice in enumerate(choices)}
    if all(word in by_name for word in words):
        return _each_once(by_name[word] for word in words), ""
    last = min(len(found), _MOST)
    numbers: list[int] = []
    for word in words:
        first, dash, until = word.partition("-")
        if not first.isdecimal() or (dash and not until.isdecimal()):
            return [], ""
        low, high = int(first), int(until or first)
        if not 1 <= low <= high <= last:
            return [], f"{word}: the numbers are 1 to {last}"
        numbers += range(low, high + 1)
    return _each_once(found[number - 1] for number in numbers), ""


def _each_once(places: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(places))
