"""What folders hold on the disk."""

from __future__ import annotations

import os
import stat
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Held(NamedTuple):
    """What folders add to the disk, with hard links counted once."""

    mebibytes: float
    inodes: float


def held_in(*folders: Path) -> Held:
    """What is in the folders together; what is linked from elsewhere too is not counted.

    From elsewhere: from uv's cache, which holds it anyway.
    """
    ours: list[os.stat_result] = []
    files: dict[int, os.stat_result] = {}
    links: Counter[int] = Counter()
    for folder in folders:
        for above, below, names in os.walk(folder):
            for name in [*below, *names]:
                state = os.lstat(os.path.join(above, name))
                if stat.S_ISDIR(state.st_mode):
                    ours.append(state)
                else:
                    files[state.st_ino] = state
                    links[state.st_ino] += 1
    ours += [state for inode, state in files.items() if links[inode] == state.st_nlink]
    return Held(sum(state.st_blocks * 512 for state in ours) / 2**20, len(ours))
