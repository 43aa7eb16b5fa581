"""What a system has for who serves many processes: pipes to wait for, signals, who has ended.

Knows nothing of jobs.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress

from runner.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK_BYTES = 65536  # what a pipe holds on Linux

if sys.platform == "win32":
    ENDING: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
    NAMES = {int(signal.SIGBREAK): "SIGTERM"}  # as that comes from another process
else:
    NAMES: dict[int, str] = {}
    ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Process(Protocol):
    """A started worker."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """How it ended (-n: by signal n), where nobody else has asked; None while it runs."""
        ...


class Pipe:
    """The end of a pipe that is read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> bytes:
        return os.read(self._descriptor, CHUNK_BYTES)

    def close(self) -> None:
        os.close(self._descriptor)


if sys.platform == "win32":

    class _Fed(Pipe):
        """A socket that a pipe is copied into: only sockets can be waited for."""

        def __init__(self, descriptor: int) -> None:
            self._ours, fed = socket.socketpair()
            super().__init__(self._ours.fileno())

            def feed() -> None:
                with fed, open(descriptor, "rb", buffering=0) as stream:
                    while data := stream.read(CHUNK_BYTES):
                        fed.sendall(data)

            threading.Thread(target=feed, daemon=True).start()

        def read(self) -> bytes:
            return self._ours.recv(CHUNK_BYTES)

        def close(self) -> None:
            self._ours.close()

    def readable(descriptor: int) -> Pipe:
        return _Fed(descriptor)

    def send(pid: int, number: int) -> None:
        del number  # the one that reaches a group of its own
        with suppress(OSError):
            os.kill(pid, signal.CTRL_BREAK_EVENT)

    def kill(pid: int) -> None:
        with suppress(OSError):
            os.kill(pid, signal.SIGTERM)  # TerminateProcess

    def a_child_that_ended(workers: Mapping[int, Process]) -> int:
        return _ended_by_asking(workers)

else:

    def readable(descriptor: int) -> Pipe:
        return Pipe(descriptor)

    def send(pid: int, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)

    def kill(pid: int) -> None:
        """End a worker, and what it started in its own group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        send(pid, signal.SIGKILL)  # before it leads a group

    def a_child_that_ended(workers: Mapping[int, Process]) -> int:
        """A child that has ended and is not reaped yet, a worker or an orphan of one; or 0."""
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return _ended_by_asking(workers)
        with suppress(ChildProcessError):
            info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if info is not None:
                return int(info.si_pid)
        return 0


def _ended_by_asking(workers: Mapping[int, Process]) -> int:
    return next((pid for pid, process in workers.items() if process.poll() is not None), 0)
