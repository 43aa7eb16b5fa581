"""Environments → families that one function serves, in the order in which they run.

Pure. Nothing of how they are written.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from runner.convert.factors import python_named
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    from runner.convert.model import Command, Environment, Item

    Value = TypeVar("Value")


class Family(Record):
    """Environments that one function serves."""

    members: tuple[Environment, ...]

    @property
    def first(self) -> Environment:
        """The first, for what all of them have in common."""
        return self.members[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all."""
        return tuple(one.name for one in self.members)


# In these all of a family must agree; what else differs becomes a condition.
_COMMON = (
    "source",
    "listed",
    "project",
    "lock",
    "prerelease",
    "resolution",
    "backend_options",
    "reuse",
    "folder",
    "platform",
    "failure_ignored",
    "shares",
    "pythons",
    "axes",
    "formats",
    "after",
)


def families_of(environments: Sequence[Environment]) -> list[Family]:
    """The families, in the order of their first members."""
    found: list[list[Environment]] = []
    for one in in_order(environments):
        for members in found:
            if _is_akin(one, members):
                members.append(one)
                break
        else:
            found.append([one])
    return [Family(tuple(members)) for members in found]


def _is_akin(one: Environment, members: list[Environment]) -> bool:
    """Whether it runs, at least in part, what these run."""
    if any(getattr(one, name) != getattr(members[0], name) for name in _COMMON):
        return False
    if one.after and any(fnmatchcase(m.name, pattern) for m in members for pattern in one.after):
        return False
    mine, theirs = set(one.commands), {c for member in members for c in member.commands}
    if mine.isdisjoint(theirs) and (mine or theirs):
        return False
    together = Family((*members, one))
    return all(_keeps_order(together, key) for key in _ORDERED)


_ORDERED = ("installs", "pre", "commands", "post")


def _keeps_order(family: Family, key: str) -> bool:
    """Whether one order of all entries is the order of each member."""

    def own(one: Environment) -> tuple[Item[Command], ...]:
        entries: tuple[Item[Command], ...] = getattr(one, key)
        return entries

    entries = merged(family, own)
    return all(
        [item for item, names in entries if member.name in names] == list(own(member))
        for member in family.members
    )


def in_order(environments: Sequence[Environment]) -> list[Environment]:
    """As they were, but each behind those that it comes after."""
    made: list[Environment] = []
    waiting: set[str] = set()

    def add(one: Environment) -> None:
        if one in made or one.name in waiting:
            return
        waiting.add(one.name)
        for pattern in one.after:
            for other in environments:
                if other is not one and fnmatchcase(other.name, pattern):
                    add(other)
        made.append(one)

    for one in environments:
        add(one)
    return made


def merged(
    family: Family, of: Callable[[Environment], Iterable[Item[Value]]]
) -> list[tuple[Item[Value], tuple[str, ...]]]:
    """The entries of all members in one order, each with the names that have it."""
    order: list[_Key] = []
    items: dict[_Key, Item[Value]] = {}
    names: dict[_Key, list[str]] = {}
    for member in family.members:
        keyed = _keyed(of(member))
        at = 0
        for key, item in keyed.items():
            if key not in items:
                # Behind what only the members before have, as it was written.
                while at < len(order) and order[at] not in keyed:
                    at += 1
                order.insert(at, key)
                items[key] = item
            at = max(at, order.index(key) + 1)
            names.setdefault(key, []).append(member.name)
    return [(items[key], tuple(names[key])) for key in order]


_Key = tuple[object, str, int]


def _keyed(entries: Iterable[Item[Value]]) -> dict[_Key, Item[Value]]:
    """The entries by what makes them the same; two that are written twice are two."""
    found: dict[_Key, Item[Value]] = {}
    for item in entries:
        number = 0
        while (item.value, item.platform, number) in found:
            number += 1
        found[item.value, item.platform, number] = item
    return found


class Axis(Record):
    """One part of the names of a family that is their product."""

    name: str  # of the variable
    words: tuple[str, ...]


def axes_of(names: Sequence[str]) -> list[Axis]:
    """The parts of which the names are the product, in order; [] where they are not."""
    split = [name.split("-") for name in names]
    if len({len(parts) for parts in split}) != 1:
        return []
    columns = [list(dict.fromkeys(column)) for column in zip(*split, strict=True)]
    expected: list[list[str]] = [[]]
    for column in columns:
        expected = [[*before, word] for before in expected for word in column]
    if ["-".join(parts) for parts in expected] != list(names):
        return []
    return named_axes(columns)


def named_axes(columns: Sequence[Sequence[str]]) -> list[Axis]:
    """The parts of names with their words, under the names of variables."""
    taken: list[str] = []
    for column in columns:
        taken.append(_axis_name(column, taken))
    return [Axis(name, tuple(column)) for name, column in zip(taken, columns, strict=True)]


_OWN = ("name", "session", "runner", "os", "sys", "factors", "python", "re")


def _axis_name(words: Sequence[str], taken: Sequence[str]) -> str:
    if all(python_named(word) or word in ("py", "pypy") or word[:1].isdigit() for word in words):
        name = "python"
    else:
        stems = {word.rstrip("0123456789.x") for word in words}
        # djangomain is one of django, too.
        stem = next((s for s in stems if s and all(one.startswith(s) for one in stems)), "")
        name = stem if stem.isidentifier() and stem not in _OWN else "variant"
    number = 2
    base = name
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
