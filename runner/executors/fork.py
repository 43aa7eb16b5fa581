"""A worker that is a copy of us: the envfile is loaded already.

A millisecond where a new interpreter that loads it again takes a hundred. A copy
has one thread, the one that made it; what other threads held stays held in it
for ever. So it is for a process of one thread, on Linux: the libraries of macOS
start threads of their own.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress

from runner.handlers import pthread_sigmask
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import NoReturn

    from runner.executors.processes import Ends, Start
    from runner.executors.system import Process
    from runner.model import Job

    Work = Callable[[Job, tuple[str, ...], socket.socket], None]


def is_safe() -> bool:
    """Whether a copy of this process can go on."""
    if sys.platform == "linux" and threading.active_count() == 1:
        try:
            return len(os.listdir("/proc/self/task")) == 1  # those of libraries too
        except OSError:
            return True
    return False


if sys.platform != "win32":
    from runner.signals import UNTIL_ANSWERED

    def forking(work: Work) -> Start:
        """What starts workers that are copies of us.

        work: does a job and tells of it by its end of the socket.
        """
        gc.freeze()  # a collection in a copy would write to, and so copy, every page of ours

        def start(
            job: Job, posargs: tuple[str, ...], ends: Ends, forget_parent: Callable[[], None]
        ) -> Process:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):  # what is in its buffer is ours to write
                    stream.flush()
            before = pthread_sigmask(signal.SIG_BLOCK, UNTIL_ANSWERED)
            try:
                pid = os.fork()
                if not pid:
                    _be_worker(lambda: work(job, posargs, ends.control), ends, forget_parent)
            finally:
                pthread_sigmask(signal.SIG_SETMASK, before)
            return _Copy(pid)

        return start

    def _be_worker(
        work: Callable[[], None], ends: Ends, forget_parent: Callable[[], None]
    ) -> NoReturn:
        """Do the work, and leave without what the parent would do at its end."""
        code = 1
        try:
            os.setsid()
            forget_parent()
            nowhere = os.open(os.devnull, os.O_RDONLY)
            for descriptor, number in ((nowhere, 0), (ends.stdout, 1), (ends.stderr, 2)):
                os.dup2(descriptor, number)
            for descriptor in {nowhere, ends.stdout, ends.stderr}:
                os.close(descriptor)
            _write_to_own()
            work()
            code = 0
        except BaseException:  # a bug of ours
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(BaseException):
                    stream.flush()
            os._exit(code)

    def _write_to_own() -> None:
        """What Python writes goes to our streams, also where the parent's were closed."""
        for name, number in (("stdout", 1), ("stderr", 2)):
            # Replaced by the envfile it leads where that wants it to.
            with suppress(OSError, ValueError, AttributeError):
                if getattr(sys, name).fileno() != number:
                    setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  # open to the end

    class _Copy:
        """A worker as its parent knows it."""

        def __init__(self, pid: int) -> None:
            self.pid = pid
            self._status: int | None = None

        def poll(self) -> int | None:
            if self._status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._status = os.waitstatus_to_exitcode(status)
            return self._status
