"""A log for each job, from its first byte to its last, as it wrote them.

`<job>.log` has all of it in order where both of its streams lead to one place, as
on a terminal. Else `<job>.out` has what it wrote to standard output. Knows nothing
of what is in them, and never has more than a piece of one in memory.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from runner.errors import EnvironmentBroken
from runner.run_folders import keep_newest, make_run_folder
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE_BYTES = 1 << 20


class Logs:
    """The logs of one run, in a folder of its own."""

    def __init__(
        self, home: str, run: str, file_name: Callable[[str], str], *, is_one: bool
    ) -> None:
        """home: the folder of all runs. file_name: what is safe as one, for a job's name."""
        self.is_one = is_one
        self._file_name = file_name
        self._open: dict[tuple[str, int], int] = {}
        self._home = home
        try:
            self.folder = make_run_folder(home, run)
        except OSError as error:
            raise _trouble(error) from None

    def path(self, job: str, stream: int) -> str:
        """The file of a job's stdout (1) or stderr (2)."""
        ending = "out" if stream == 1 and not self.is_one else "log"
        return os.path.join(self.folder, f"{self._file_name(job)}.{ending}")

    def begin(self, job: str) -> None:
        """The files of a job are there, and empty."""
        for stream in self.streams:
            path = self.path(job, stream)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
            try:
                self._open[job, stream] = os.open(path, flags, 0o666)
            except OSError as error:
                raise _trouble(error) from None

    @property
    def streams(self) -> tuple[int, ...]:
        """Those that have a file of their own; the first of one that both lead to."""
        return (1,) if self.is_one else (1, 2)

    def write(self, job: str, stream: int, data: bytes) -> None:
        """Add what a job wrote."""
        descriptor = self._open[job, stream]
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError as error:
            error.filename = self.path(job, stream)
            raise _trouble(error) from None

    def end(self, job: str) -> None:
        """Nothing more comes from a job."""
        for stream in self.streams:
            descriptor = self._open.pop((job, stream), -1)
            if descriptor >= 0:
                os.close(descriptor)

    def close(self) -> None:
        """The run is over: of older ones the newest alone are kept.

        Not when it begins: what deletes folders would be a part of each copy of us.
        """
        keep_newest(self._home)

    def pieces(self, job: str, stream: int) -> Iterator[bytes]:
        """What a job wrote, piece by piece."""
        with suppress(FileNotFoundError), open(self.path(job, stream), "rb", buffering=0) as log:
            while piece := log.read(_PIECE_BYTES):
                yield piece

    def last_lines(self, job: str, stream: int, count: int, most_bytes: int) -> bytes:
        """The last lines that a job wrote."""
        try:
            with open(self.path(job, stream), "rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - most_bytes))
                end = log.read()
        except OSError:
            return b""
        lines = end.splitlines(keepends=True)
        return b"".join(lines[-count:])


def lead_to_one_place(one: int, other: int) -> bool:
    """Whether what is written to either descriptor goes to the same file, pipe or terminal."""
    try:
        first, second = os.fstat(one), os.fstat(other)
    except OSError:
        return False
    if sys.platform == "win32" and not first.st_ino:  # pipes and consoles have no identity there
        return os.isatty(one) and os.isatty(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _trouble(error: OSError) -> EnvironmentBroken:
    return EnvironmentBroken(
        f"{error.filename} cannot be used: {error.strerror}",
        mend="make room for it, let it be written, or choose another folder with --envdir",
    )
