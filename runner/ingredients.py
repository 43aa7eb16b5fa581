"""Which ingredients differ between what was and what should be, in words.

Knows nothing of where ingredients come from. What decides (they are equal or
not) and what is told read the same list, so the two cannot disagree.
"""

from __future__ import annotations

import re

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.running import Ingredient

_LABELS_TOLD = 2
_LINES_TOLD = 3
_LONGEST_TOLD = 60  # characters of one line: a longer one says nothing at a glance
_NAME = r"[A-Za-z0-9._-]*"


def _nothing_inside(_label: str, _was: str, _now: str) -> list[str]:
    return []


def difference(
    old: tuple[Ingredient, ...],
    new: tuple[Ingredient, ...],
    inside: Callable[[str, str, str], list[str]] = _nothing_inside,
) -> str:
    """The first ingredients that differ, in words; empty where none does.

    `deps changed (+httpx), pyproject.toml changed and 3 more`. A value is shown
    where a person can read it: the lines that came and went, or a short value
    as `old → new`, but no digest. inside: what changed in a thing that has only a
    digest, by its label and both values; nothing where that is not known.
    """
    if old == new:
        return ""
    before, after = _by_label(old), _by_label(new)
    told: list[str] = []
    named: set[str] = set()  # what the lists told so far name as added or removed
    for label in dict.fromkeys([*after, *before]):
        was, now = before.get(label), after.get(label)
        # `requirements changed (+dev.txt)` has told that dev.txt is new.
        if was == now or (label in named and None in (was, now)):
            continue
        told.append(_phrase(label, was, now, inside))
        named.update(line.rpartition(" ")[2] for line in _lines(was) ^ _lines(now))
    if not told:
        return "the same in another order"
    rest = len(told) - _LABELS_TOLD
    return ", ".join(told[:_LABELS_TOLD]) + (f" and {rest} more" if rest > 0 else "")


def _by_label(ingredients: Iterable[Ingredient]) -> dict[str, str]:
    values: dict[str, str] = {}
    for label, value in ingredients:
        values[label] = f"{values[label]}\n{value}" if label in values else value
    return values


def _lines(value: str | None) -> set[str]:
    return set(value.split("\n")) if value else set()


def _phrase(
    label: str, was: str | None, now: str | None, inside: Callable[[str, str, str], list[str]]
) -> str:
    if was is None:
        return f"{label} added" + _in_brackets(_changes("", now or ""))
    if now is None:
        return f"{label} removed" + _in_brackets(_changes(was, ""))
    if _short(was) and _short(now):
        return f"{label} changed ({was} → {now})"
    changes = _changes(was, now) or ["order"]
    if changes == [""]:
        changes = inside(label, was, now) or changes
    return f"{label} changed" + _in_brackets(changes)


def _changes(was: str, now: str) -> list[str]:
    """`+httpx`, `-rich`, `-pytest==8.2 +pytest==8.3`; "" for what cannot be shown."""
    old, new = was.split("\n"), now.split("\n")
    gone = [line for line in old if line and line not in new]
    came = [line for line in new if line and line not in old]
    if not all(_readable(line) for line in [*gone, *came]):
        return [""]
    pairs = [(minus, plus) for minus in gone for plus in came if _name(minus) == _name(plus)]
    replaced = {line for pair in pairs for line in pair}
    return [
        *(_signed("+", line) for line in came if line not in replaced),
        *(_signed("-", line) for line in gone if line not in replaced),
        *(f"-{minus} +{plus}" for minus, plus in pairs),
    ]


def _signed(sign: str, line: str) -> str:
    """`+httpx`, and `+ -r dev.txt` because `+-r` is hard to read."""
    return f"{sign} {line}" if line.startswith("-") else f"{sign}{line}"


def _in_brackets(changes: list[str]) -> str:
    rest = len(changes) - _LINES_TOLD
    shown = ", ".join(changes[:_LINES_TOLD]) + (f" and {rest} more" if rest > 0 else "")
    return f" ({shown})" if shown else ""


def _short(value: str) -> bool:
    return bool(value) and "\n" not in value and _readable(value)


def _readable(line: str) -> bool:
    return len(line) <= _LONGEST_TOLD and not line.startswith(("sha256:", "blake2b:"))


def _name(line: str) -> str:
    """What a requirement is of; an option (`-r dev.txt`) pairs with nothing."""
    match = re.match(_NAME, line)
    name = match[0] if match else ""
    return line if name[:1] in ("", "-", ".") else re.sub(r"[-_.]+", "-", name).lower()
