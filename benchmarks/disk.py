"""What one session and what ten sessions with the large set hold on the disk, with the store; each
file is counted once, however many names it has. One round is enough, for it does not vary.

What cannot be shared is taken off in the last rows, of each environment after the first: folders,
links, and files that are not the same in both, as programs that name their place. Bytecode and
copies of the same stay, for these can be shared. nox and tox with virtualenv are left out.
"""

from __future__ import annotations

import filecmp
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cold import SETS, by_hand, fit
from measure import Contender
from projects import write_project
from rows import BY_HAND, RUNENV, Asked, Case, Place, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "Disk"
ROUNDS = 1
PACKAGES = SETS["large"]._replace(code="import numpy.linalg")
NEEDS = PACKAGES.names
COUNTS = {"one": 1, "ten": 10}


class Held(NamedTuple):
    """What files and folders take on the disk."""

    mib: float
    inodes: int


UNITS = {"mib": "MiB", "inodes": "inodes"}


def cases(place: Place) -> Iterator[Case]:
    contenders: dict[str, Contender] = {}
    for title, count in COUNTS.items():
        here = place.folder / title
        contenders[f"{title}: {BY_HAND}"] = by_hand(here / "hand", PACKAGES, count)[BY_HAND]
        for tool in fit(place, "large", count):
            folder = here / tool.folder
            write_project(folder, PACKAGES.project(count))
            data = str(folder / "data")  # where hatch has its environments, and its store runenv
            variables = {"HATCH_DATA_DIR": data, "RUNENV_STORE": data}
            contender = Contender(tool.running(), folder, variables=variables)
            contenders[f"{title}: {tool.label}"] = contender

    def rows(_: object) -> Iterator[Row]:
        yield from rows_of({label: one.folder for label, one in contenders.items()})

    yield Case("ten sessions with one set", contenders, rows)


def rows_of(folders: dict[str, Path]) -> Iterator[Row]:
    """What is held, in each unit."""
    held = {label: held_in(folder) for label, folder in folders.items()}
    shared = {label: held_in(folder, unshared(folder)) for label, folder in folders.items()}
    names = [label.partition(": ")[2] for label in folders if label.startswith("one: ")]
    for number, unit in enumerate(Held._fields):
        one, ten, ten_shared = (
            {name: {unit: [float(which[f"{title}: {name}"][number])]} for name in names}
            for title, which in (("one", held), ("ten", held), ("ten", shared))
        )
        ratio = shared[f"ten: {RUNENV}"][number] / shared[f"one: {RUNENV}"][number]
        asked = Asked("one session ×", ratio, 1.1)
        yield Row(f"one session, {UNITS[unit]}", unit, one, floor=BY_HAND)
        yield Row(f"ten sessions, {UNITS[unit]}", unit, ten, floor=BY_HAND)
        yield Row(f"ten, what can be shared, {UNITS[unit]}", unit, ten_shared, asked, BY_HAND)


def held_in(folder: Path, without: frozenset[int] = frozenset()) -> Held:
    """What is in a folder, less these inodes."""
    found = {}
    for path in walk(folder):
        state = path.lstat()
        found[state.st_ino] = state.st_blocks * 512
    counted = [size for inode, size in found.items() if inode not in without]
    return Held(sum(counted) / 2**20, len(counted))


def unshared(folder: Path) -> frozenset[int]:
    """The inodes of what the environments after the first cannot have in common with it."""
    # The store's trees are such ones too; nothing runs in them, so they are not the first.
    places = sorted((file.parent for file in folder.rglob("pyvenv.cfg")), key=in_store)
    return frozenset(
        path.lstat().st_ino
        for place in places[1:]
        for path in walk(place)
        if not may_be_shared(path, places[0] / path.relative_to(place))
    )


def in_store(place: Path) -> bool:
    return place.name == "tree"


def may_be_shared(path: Path, first: Path) -> bool:
    """Whether a file could be another name of the one in the first environment."""
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    # Python writes where it compiled into bytecode, and what it writes is as good elsewhere.
    if path.suffix == ".pyc":
        return True
    return first.is_file() and filecmp.cmp(path, first, shallow=False)


def walk(folder: Path) -> Iterator[Path]:
    """All that is below it."""
    for above, below, names in os.walk(folder):
        yield from (Path(above, name) for name in (*below, *names))


if __name__ == "__main__":
    from speed import main

    main("disk")
