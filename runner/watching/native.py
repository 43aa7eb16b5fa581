"""A bell that the system's events ring, by watchfiles (inotify, FSEvents, ReadDirectoryChangesW).

Only folders that somebody wants to hear of are watched, and not all below the project's: a
`.runenv` in which environments are made would ring a thousand times, and each folder is one
of the watches of which Linux allows so many.
"""

from __future__ import annotations

import os
import sys
import threading

from runner.signals import Moment, in_background
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What comes within the first of these times is one ring, which comes after the second at last.
_STEP_MS, _DEBOUNCE_MS = 100, 400
_TIMEOUT_MS = 500

# Elsewhere one watch holds for all below a folder, and one for each would be dear.
_EACH_FOLDER = sys.platform == "linux"


class Native:
    """Rings when the system tells of a change in a folder."""

    told = "watchfiles"

    def __init__(
        self,
        ring: Callable[[], None],
        lost: Callable[[str], None],
        *,
        each_folder: bool = _EACH_FOLDER,
    ) -> None:
        """each_folder: whether each is watched for itself, else with all below it."""
        self._each_folder = each_folder
        self._ring = ring
        self._lost = lost
        self._folders: set[str] = set()
        self._ended = threading.Event()

    def listen(self, folders: Iterable[str]) -> None:
        """It rings once more when it has begun: something may have changed before."""
        wanted = {folder for folder in folders if os.path.isdir(folder)}
        if not self._each_folder:
            wanted = topmost(wanted)
        if wanted == self._folders:
            return
        self._ended.set()
        self._folders, self._ended = wanted, threading.Event()
        ended = self._ended
        in_background(lambda: self._go(sorted(wanted), ended), Moment())

    def _go(self, folders: list[str], ended: threading.Event) -> None:
        import watchfiles  # brings asyncio: 0.1 s, in which the first run has begun

        begun = False
        try:
            for changes in watchfiles.watch(
                *folders,
                watch_filter=None,
                step=_STEP_MS,
                debounce=_DEBOUNCE_MS,
                rust_timeout=_TIMEOUT_MS,
                yield_on_timeout=True,
                stop_event=ended,
                recursive=not self._each_folder,
                ignore_permission_denied=True,
            ):
                if changes or not begun:
                    self._ring()
                begun = True
        except Exception as error:  # whatever it is, there is another way
            if not ended.is_set():
                self._lost(str(error))

    def close(self) -> None:
        self._ended.set()


def topmost(folders: set[str]) -> set[str]:
    """The folders without those that lie below another of them."""
    kept: list[str] = []
    for folder in sorted(folders):
        if not kept or not folder.startswith(kept[-1].rstrip(os.sep) + os.sep):
            kept.append(folder)
    return set(kept)
