"""Which envfiles lie below a folder, for `--all-projects`; loaded for that alone."""

from __future__ import annotations

import os

from runner.errors import UsageError
from runner.finding import NAME
from runner.requirements.local import SourceDigests


def envfiles_below(folder: str) -> list[str]:
    """All that git would keep, else all but in what is hidden or left over; those on top first.

    Raises UsageError where there is none.
    """
    names = (os.path.normpath(name) for name in SourceDigests().files(folder))
    found = [name for name in names if os.path.basename(name) == NAME]
    if not found:
        raise UsageError(
            f"--all-projects: there is no {NAME} in {folder} or below it",
            mend="name another folder with --directory",
        )
    # What includes others comes before them.
    found.sort(key=lambda name: (name.count(os.sep), name))
    return [os.path.join(folder, name) for name in found]
