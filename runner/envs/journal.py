"""What was done to an environment, kept in it: written before and after each step.

It is data, never code: whatever cannot be read, or has another shape, counts
as no journal, and the environment is made anew.
"""

from __future__ import annotations

import json
import os

from runner.envs.folder import JOURNAL, bin_folder, python_in, site_packages, write_journal
from runner.envs.resolved import Resolved, resolved_from
from runner.record import Record
from runner.running import Ingredient
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from runner.envs.manifest import FileState

    State = Literal["changing", "whole", "tainted"]

_FORMAT = 1  # another number: written by a runenv that means something else

# An entry is the ingredients of a step, or None for "commands ran here".
Entry = tuple[Ingredient, ...] | None

# changing: a step is under way. whole: all entries are done. tainted: a command
# changed the environment between two steps, so no replay can equal it.


class Journal(Record):
    """What an environment is made of and what was done to it, in order."""

    state: State
    ingredients: tuple[Ingredient, ...]
    entries: tuple[Entry, ...]
    site: dict[str, int]  # what `site_listing` said after the last step
    declared_by: str = ""  # digest of the files that declared the session then
    resolved: tuple[Resolved | None, ...] = ()  # by entries; shorter where not all are known
    sealed: bool = False  # its manifest was taken after the last step
    own: Mapping[str, FileState | None] = {}  # files that are others than in the manifest
    image: str = ""  # what it shares files with
    bytecode_ns: int = 0  # when that had the bytecode that is here


def to_text(journal: Journal) -> str:
    """The journal as JSON."""
    return json.dumps(
        {
            "format": _FORMAT,
            "state": journal.state,
            "ingredients": journal.ingredients,
            "entries": journal.entries,
            "site": journal.site,
            "declared by": journal.declared_by,
            "resolved": journal.resolved,
            "sealed": journal.sealed,
            "own": journal.own,
            "image": journal.image,
            "bytecode": journal.bytecode_ns,
        },
        separators=(",", ":"),
    )


def write(path: str, journal: Journal, was: str = "") -> str:
    """The journal of the environment in `path` is this one; returns its text.

    was: the text that stands there, where that is known.
    """
    text = to_text(journal)
    if text != was:
        write_journal(path, text)
    return text


def read(path: str) -> Journal | None:
    """The journal of the environment in `path`, or None where none can be used."""
    try:
        with open(os.path.join(path, JOURNAL), encoding="utf-8") as stream:
            data = json.loads(stream.read())
        if data["format"] != _FORMAT or data["state"] not in ("changing", "whole", "tainted"):
            return None
        return Journal(
            state=data["state"],
            ingredients=ingredients_from(data["ingredients"]),
            entries=tuple(None if e is None else ingredients_from(e) for e in data["entries"]),
            site={str(name): int(stamp) for name, stamp in data["site"].items()},
            declared_by=str(data.get("declared by", "")),
            resolved=tuple(resolved_from(each) for each in data.get("resolved", ())),
            sealed=data.get("sealed") is True,
            own={str(name): _state(state) for name, state in data.get("own", {}).items()},
            image=str(data.get("image", "")),
            bytecode_ns=int(data.get("bytecode", 0)),
        )
    except (
        OSError,
        ValueError,
        ArithmeticError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    ):
        return None


def _state(state: list[int] | None) -> FileState | None:
    return None if state is None else [int(number) for number in state]


def ingredients_from(pairs: list[list[str]]) -> tuple[Ingredient, ...]:
    return tuple(Ingredient(label=str(label), value=str(value)) for label, value in pairs)


def site_listing(path: str) -> dict[str, int]:
    """The cheap signature of what is installed: names, and times of what tells.

    The metadata folders, `.pth` files and top modules have their times, since an
    installer writes them; packages only their names, since importing one for
    the first time changes its folder (`__pycache__`). Programs have their names,
    and what says which Python it is and where that looks has its time.
    """
    listing: dict[str, int] = {}
    python = python_in(path)
    for name, told in (
        ("pyvenv.cfg", os.path.join(path, "pyvenv.cfg")),
        (f"bin/{os.path.basename(python)}", python),
    ):
        if os.path.lexists(told):  # a command may have taken it away, which then tells
            listing[name] = os.stat(told, follow_symlinks=False).st_mtime_ns
    for folder in site_packages(path):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == "__pycache__":
                    continue
                tells = entry.name.endswith((".dist-info", ".egg-info")) or not entry.is_dir()
                listing[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns if tells else 0
    packages = os.path.join(path, "conda-meta")
    if os.path.isdir(packages):
        with os.scandir(packages) as entries:
            for entry in entries:
                if entry.name.endswith(".json"):
                    listing[entry.name] = entry.stat(follow_symlinks=False).st_mtime_ns
    for name in os.listdir(bin_folder(path)):
        if name != "__pycache__":
            listing.setdefault(f"bin/{name}", 0)
    return listing


def site_difference(old: dict[str, int], new: dict[str, int]) -> str:
    """What was added, removed or changed between two listings, in words; or empty."""
    signs = [("+", new.keys() - old.keys()), ("-", old.keys() - new.keys())]
    signs.append(("~", {name for name in old.keys() & new.keys() if old[name] != new[name]}))
    words = [
        sign + name for sign, names in signs for name in sorted(names, key=_distributions_first)
    ]
    shown = [_readable(word) for word in words[:3]]
    if len(words) > 3:
        shown.append(f"and {len(words) - 3} more")
    return ", ".join(shown)


def _distributions_first(name: str) -> tuple[bool, str]:
    return (not name.endswith(".dist-info"), name)


def _readable(word: str) -> str:
    """`+six-1.16.0.dist-info` as `+six 1.16.0`."""
    if not word.endswith(".dist-info"):
        return word
    sign, name = word[0], word[1:].removesuffix(".dist-info")
    return sign + name.replace("-", " ", 1)
