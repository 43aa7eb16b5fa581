"""Ends what we have started where we are killed and cannot.

Knows nothing of commands or servers: it is told who they are. On POSIX a shell waits, in
a session of its own, for the end of a pipe that we alone hold open. A Python, which can
look for what has hidden, is started when we are gone. Windows does it by itself, for
all that is in a job object with us.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from runner.descendants import GRACE_S
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.descendants import Members

if sys.platform == "win32":
    from runner.descendants import adopt_orphans

    class Guard:
        """Who is to be ended with us: all that is started once somebody stands by."""

        def __init__(self, grace_s: float = GRACE_S) -> None:
            del grace_s  # a job object that is closed gives none
            self._lock = threading.Lock()
            self._stands_by = False

        def stand_by(self) -> None:
            """Something to be watched is about to be started."""
            with self._lock:
                if not self._stands_by:
                    adopt_orphans()
                    self._stands_by = True

        def watch(self, leader: int, *, shares_group: bool) -> None:
            """It is watched: it was started below us."""

        def forget(self, leader: int) -> None:
            """The system knows who has ended."""

        def close(self) -> None:
            """The job object is closed with us."""

else:
    from runner.descendants import members_known_by, orphans_with

    # Its last line says who is left to be ended. ("$@": the Python that ends them)
    _WATCH = 'while read -r line; do left=$line; done; [ -z "$left" ] || exec "$@" $left'
    _END = "import sys; sys.path.append(sys.argv.pop(1)); from runner.guard import main; main()"
    _HOME = os.path.dirname(os.path.dirname(__file__))  # of our package
    _LOOK_AGAIN_S = 0.05
    _MARK = b"RUNENV_JOB="  # in the environment of each command

    class Guard:
        """Who is to be ended with us; nothing is started before there is somebody."""

        def __init__(self, grace_s: float = GRACE_S) -> None:
            """grace_s: how long those may take whom it asks to end; then they are killed."""
            self._grace_s = grace_s
            self._lock = threading.Lock()  # environments are prepared in a thread of its own
            self._watched: dict[int, str] = {}
            self._watcher: subprocess.Popen[bytes] | None = None
            self._lifeline = -1

        def stand_by(self) -> None:
            """Something to be watched is about to be started.

            On Linux it is found where we are killed before it can be named. Signals are to
            be held back. Raises OSError where nothing can be started any more.
            """
            with self._lock:
                if self._watcher is None:
                    self._start()
                if sys.platform == "linux":
                    self._tell(f"since:{time.clock_gettime(time.CLOCK_BOOTTIME)}")

        def watch(self, leader: int, *, shares_group: bool) -> None:
            """End it, and all that it has started, when we are killed.

            shares_group: it is in our process group, and leads none. Raises OSError where
            nobody stands by.
            """
            with self._lock:
                self._watched[leader] = f"{'tree' if shares_group else 'group'}:{leader}"
                self._tell()

        def forget(self, leader: int) -> None:
            """It has ended, and its number may become another's; 0: it could not be started."""
            with self._lock:
                self._watched.pop(leader, None)
                if self._watcher is not None:
                    with suppress(OSError):  # somebody has ended the shell
                        self._tell()

        def close(self) -> None:
            """It ends nothing any more, and nothing is left of it."""
            watcher, self._watcher = self._watcher, None
            if watcher is not None:
                watcher.kill()  # before the end of its input, which it would act on
                watcher.wait()
                self._close_lifeline()

        def _start(self) -> None:
            inside, self._lifeline = os.pipe()
            try:
                # One that was stopped shall not stop us.
                os.set_blocking(self._lifeline, False)
                python = [sys.executable, "-Ic", _END, _HOME]
                self._watcher = subprocess.Popen(
                    ["/bin/sh", "-c", _WATCH, "sh", *python, str(self._grace_s), *_own()],
                    cwd="/",
                    env={"PATH": os.defpath},
                    stdin=inside,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError:
                self._close_lifeline()
                raise
            finally:
                os.close(inside)
            # A copy that a session function makes of us does not hold the pipe open.
            os.register_at_fork(after_in_child=self._be_copied)

        def _be_copied(self) -> None:
            if self._watcher is not None:
                self._watcher.returncode = 0  # not a child of the copy
                self._watcher = None
                self._watched.clear()
                self._lock = threading.Lock()
                self._close_lifeline()

        def _close_lifeline(self) -> None:
            os.close(self._lifeline)
            self._lifeline = -1

        def _tell(self, *more: str) -> None:
            os.write(self._lifeline, " ".join([*self._watched.values(), *more]).encode() + b"\n")

    def _own() -> list[str]:
        return [str(os.getpid()), str(os.getpgrp())]

    def main() -> None:
        """End those who are named: asked to, and killed when they have not after the grace."""
        grace_s, run, group = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
        left: list[Members] = []
        for kind, _, value in (word.partition(":") for word in sys.argv[4:]):
            if kind == "since":
                while (
                    os.getppid() == run
                ):  # its pipes are closed before its children are given away
                    time.sleep(0.001)
                left += orphans_with(_MARK, float(value), os.getppid(), group)
            else:
                left.append(members_known_by(int(value), shares_group=kind == "tree"))
        for members in left:
            members.tell(signal.SIGTERM)
            # Who was stopped, with us or because it may not read from the terminal any more.
            members.tell(signal.SIGCONT)
        deadline = time.monotonic() + grace_s
        while any(members.are_left() for members in left) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        for members in left:
            members.kill()
