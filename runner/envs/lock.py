"""One process at a time in an environment; a second one is told whom it waits for.

filelock would do, and costs 55 ms to import (Python 3.11, CPU): twice what a
warm run takes.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    # Windows forbids reading a locked byte: lock one behind the holder's name.
    _BYTE = 1 << 30

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        while not _try_lock(descriptor):
            time.sleep(0.05)  # LK_LOCK gives up after ten seconds

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _wait_for_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


# A holder's name is written over the last one's, and all are of one width. On ext4 a file
# that is emptied and written anew goes to the disk when it is closed, which took a tenth of
# a millisecond of CPU, and where others write to the disk four of waiting.
_WIDTH = 20


class Lock:
    """Holds a file's lock within a `with`; the kernel lets go of it when we die.

    A process that was handed `descriptors` holds it too: until our `with` ends,
    or, where we are killed, until that process has ended as well.
    """

    def __init__(self, path: str, on_wait: Callable[[str], None]) -> None:
        """on_wait: called with who holds the lock, once, before waiting."""
        self._path = path
        self._on_wait = on_wait
        self._descriptor = -1
        self._since_ns = 0
        self.before_ns = (0, 0)  # from when to when it was held before

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What shares the lock with a process that inherits it; nothing does on Windows."""
        return () if sys.platform == "win32" else (self._descriptor,)

    def __enter__(self) -> None:
        # The file stays: deleting it would let two processes lock two files
        # of one name. O_CLOEXEC is Python's default, so no command inherits it.
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try_lock(self._descriptor):
                self._on_wait(_holder(self._descriptor))
                _wait_for_lock(self._descriptor)
            status = os.fstat(self._descriptor)
            self.before_ns = (status.st_atime_ns, status.st_mtime_ns)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"process {os.getpid()}".ljust(_WIDTH).encode() + b"\n")
            self._since_ns = time.time_ns()
            os.utime(self._path, ns=(self._since_ns, self._since_ns))
        except BaseException:
            os.close(self._descriptor)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # from when to when, for `was_held`
            os.utime(self._path, ns=(self._since_ns, time.time_ns()))
        _unlock(self._descriptor)
        os.close(self._descriptor)


def was_held(path: str, when_ns: int) -> bool:
    """Whether somebody held the lock at that time and let go of it; the last holder is known."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    return status.st_atime_ns <= when_ns <= status.st_mtime_ns


def who_holds(path: str) -> str:
    """Who holds the lock, in words; empty where nobody does. The file stays as it is."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return ""
    try:
        if _try_lock(descriptor):
            _unlock(descriptor)
            return ""
        return _holder(descriptor)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Who holds a lock, in words, by what stands in its file: `process 4711`."""
    holder = os.read(descriptor, 100).decode("ascii", "replace").partition("\n")[0].strip()
    word, _, number = holder.partition(" ")
    if word != "process" or not number.isdecimal():
        return "another process"
    return holder if is_alive(int(number)) else f"what {holder} started and left behind"


def is_alive(process: int) -> bool:
    """Whether there is a process of that number; on Windows always."""
    # On Windows os.kill would end it; and there a lock dies with its process.
    if sys.platform != "win32":
        try:
            with suppress(PermissionError):  # somebody else's
                os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
