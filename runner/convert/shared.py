"""What stands in several declarations, and is written once, as a constant.

Pure. Knows nothing of how a declaration is written.
"""

from __future__ import annotations

import re

from runner.convert.braces import needs_of
from runner.convert.families import merged
from runner.convert.loops import variables_of
from runner.convert.words import expression, if_any, quoted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.families import Family


def shared_pythons(families: Sequence[Family]) -> dict[tuple[str, ...], str]:
    """The lists of Pythons that stand in several declarations, with names of constants."""
    all_of_them = [family.first.pythons for family in families if family.first.pythons]
    several = [p for p in dict.fromkeys(all_of_them) if all_of_them.count(p) > 1]
    return {p: f"PYTHONS_{n}" if n > 1 else "PYTHONS" for n, p in enumerate(several, 1)}


def plain_list(family: Family, key: str) -> tuple[str, ...]:
    """The entries that all of a family have, as they are written."""
    found = [
        "" if needs_of(item.value) & {"session", "name"} else if_any(expression(item.value))
        for item, names in merged(family, lambda one: getattr(one, key))
        if len(names) == len(family.members) and not item.platform
    ]
    return tuple(found) if all(found) else ()


_LONG = 50  # of a single entry that is worth a constant
_SHARED_LISTS = ("deps", "requirements", "constraints")


def shared_lists(families: Sequence[Family]) -> dict[tuple[str, ...], str]:
    """The lists that stand in several declarations, with the names of their constants."""
    found: dict[tuple[str, ...], str] = {}
    first = {f.first.shares: f for f in reversed(families) if f.first.shares}
    saying = [f for f in families if first.get(f.first.shares, f) is f]
    lists = [(f, key, plain_list(f, key)) for f in saying for key in _SHARED_LISTS]
    for family, key, entries in lists:
        long = len(entries) > 1 or len("".join(entries)) > _LONG
        if not long or entries in found:
            continue
        holders = {
            id(f) for f, _, other in lists if other == entries or stands_within(entries, other)
        }
        if len(holders) > 1:
            found[entries] = constant_name(family, key, alone=not found)
    return found


def plain_env(family: Family) -> tuple[str, ...]:
    """The variables that all of a family have, as they are written."""
    return tuple(
        f"{quoted(item.value[0])}: {expression(item.value[1])}"
        for item, names in merged(family, lambda one: one.env)
        if len(names) == len(family.members)
        and not item.platform
        and not needs_of(item.value[1]) & {"session", "name", "tmp", "site_packages"}
    )


def shared_envs(families: Sequence[Family]) -> dict[tuple[str, ...], str]:
    """The variables that stand in several declarations, with the name of their constant."""
    plain = [plain_env(family) for family in families]
    counts = {p: sum(set(p) <= set(other) for other in plain) for p in plain if len(p) > 1}
    often = [p for p, count in counts.items() if count > 1]
    return {p: f"ENV_{n}" if n > 1 else "ENV" for n, p in enumerate(often, 1)}


def stands_within(part: Sequence[str], whole: Sequence[str], shown: Sequence[str] = ()) -> bool:
    """Whether a list stands, in one piece, in a longer one, or in one that has more besides."""
    if shown and list(part) == list(whole) == list(shown):
        return True
    length = len(part)
    return length < len(whole) and any(
        tuple(whole[n : n + length]) == tuple(part) for n in range(len(whole) - length + 1)
    )


def constant_name(family: Family, key: str, *, alone: bool = False) -> str:
    if alone:
        return key.upper()
    if len(family.members) == 1:
        stem = family.first.name
    else:
        axes = [
            a.name
            for a in variables_of(family.members)
            if not a.name.startswith(("python", "variant"))
        ]
        stem = axes[0] if len(axes) == 1 else "test"
    return re.sub(r"\W+", "_", f"{stem}_{key}").strip("_").upper().lstrip("0123456789_")
