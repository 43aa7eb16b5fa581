"""A run that a watcher starts, asks to end, and hears of: a process of its own.

Each has loaded the envfile anew, with all that it imports, and what a run leaves in its process
ends with it. Knows nothing of files or keys.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from runner.descendants import GRACE_S, in_foreground, members_of, on_terminal
from runner.process import stay_parent
from runner.record import Record
from runner.signals import Moment, in_background
from runner.typed import TYPE_CHECKING

if sys.platform == "win32":
    import msvcrt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from runner.guard import Guard
    from runner.model import Request

_PROGRAM = (
    "import sys; ends = sys.argv[1]; sys.path[:] = sys.argv[2:];"
    " from runner.watched import main; main(*map(int, ends.split(',')))"
)
# Beside the grace that it has for its commands: for what its functions do last, and its reports.
_MORE_S = 10.0
# Ctrl-C at a terminal reaches it too. Where it was sent to us alone, this is how long we think so.
_REACHED_S = 1.0


class JobRead(Record):
    """What decides whether a change is one for a job."""

    name: str
    requires: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()  # patterns, from the root; (): every change is
    files: tuple[str, ...] = ()  # absolute; which it reads beside these


class Told(Record):
    """What a run tells its watcher before it begins, and with what has ended once more."""

    envfile_is_wrong: bool = False
    read: tuple[str, ...] = ()  # absolute, as all paths; what decided what the envfile says
    ignored: tuple[str, ...] = ()  # what it writes itself
    outputs: tuple[str, ...] = ()  # patterns of what its sessions write, from the root
    jobs: tuple[JobRead, ...] = ()  # all of the plan
    grace_s: float = GRACE_S
    ended: Mapping[str, bool] | None = (
        None  # at the end: its jobs, and whether they are to pass yet
    )


class Child:
    """A run, from its start to its end."""

    def __init__(
        self,
        request: Request,
        only: frozenset[str],
        again: bool,
        hear: Callable[[Told], None],
        ended: Callable[[int], None],
        guard: Guard,
    ) -> None:
        """It runs what the request selects; only: of that these jobs alone, where there are any.
        again: it is not the first run.

        hear, ended: called from another thread, with what it tells and its exit code; after
        that nothing more comes. Raises OSError where it cannot be started.
        """
        stay_parent()
        self._guard = guard
        self._grace_s = GRACE_S
        self._deadline = float("inf")
        self._next = float("inf")  # when it is asked again, by a signal that reaches it for certain
        shares_group = on_terminal() and sys.platform != "win32"
        with suppress(OSError):  # where there is no room for one more process it shall run
            guard.stand_by()
        (orders, ordering), (hearing, telling) = os.pipe(), os.pipe()
        try:
            self._process = _start(orders, telling, shares_group=shares_group)
        except BaseException:
            os.close(ordering)
            os.close(hearing)
            raise
        finally:
            os.close(orders)
            os.close(telling)
        with suppress(OSError):
            guard.watch(self._process.pid, shares_group=shares_group)
        self._members = members_of(self._process, shares_group)

        def attend() -> None:
            with suppress(OSError), open(ordering, "w", encoding="utf-8") as stream:
                stream.write(_orders(request, only, again=again))
            with open(hearing, encoding="utf-8") as stream:
                for line in stream:
                    told = _told_of(line)
                    self._grace_s = told.grace_s
                    hear(told)
            code = self._process.wait()
            guard.forget(self._process.pid)
            ended(code if code >= 0 else 128 - code)

        in_background(attend, Moment())

    def ask_to_end(self, number: int) -> None:
        """Tell it of a signal that has come to us, or SIGTERM; killed where it does not end."""
        if self._deadline == float("inf"):
            self._members.remember()
        now = time.monotonic()
        self._deadline = min(self._deadline, now + self._grace_s + _MORE_S)
        if number == signal.SIGINT and on_terminal() and in_foreground():
            self._next = min(self._next, now + _REACHED_S)
        else:
            self._send(number)

    def attend(self) -> float:
        """Do what is to be done by now; the seconds until something is again."""
        now = time.monotonic()
        if now >= self._next:
            self._next = float("inf")
            self._send(signal.SIGTERM)
        if now >= self._deadline:
            self._deadline = now + _MORE_S
            self._members.kill()
        return min(self._next, self._deadline) - now

    def kill(self) -> None:
        """End it, and all that it has started, now."""
        self._members.kill()

    def _send(self, number: int) -> None:
        with suppress(OSError):  # it has ended
            if sys.platform == "win32":
                os.kill(self._process.pid, signal.CTRL_BREAK_EVENT)
            else:
                self._process.send_signal(number)


def _start(orders: int, telling: int, *, shares_group: bool) -> subprocess.Popen[bytes]:
    """The process, which has these ends of two pipes."""
    ends = [orders, telling]
    if sys.platform == "win32":
        ends = [msvcrt.get_osfhandle(end) for end in ends]
        for end in ends:
            os.set_handle_inheritable(end, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": ends})
        # A group of its own can be sent Ctrl-Break, by which it is asked to end.
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(_argv(ends), startupinfo=startup, creationflags=flags)
    # At a terminal it stays in our group, as a command does: the keyboard is its own.
    return subprocess.Popen(_argv(ends), pass_fds=ends, start_new_session=not shares_group)


def _argv(ends: Sequence[int]) -> list[str]:
    return [sys.executable, "-c", _PROGRAM, ",".join(map(str, ends)), *sys.path]


def _orders(request: Request, only: frozenset[str], *, again: bool) -> str:
    """What it is to run, as JSON: by a pipe, since a command line has room for less."""
    return json.dumps(
        {
            "given": request.given,
            "posargs": request.posargs,
            "own": request.own,
            "only": sorted(only),
            "again": again,
        }
    )


# What is told, as a line of JSON. ------------------------------------------------------


def line_of(told: Told) -> str:
    """A line that says it."""
    return json.dumps(told) + "\n"


def _told_of(line: str) -> Told:
    """What a line says; it is one of ours."""
    is_wrong, *paths, jobs, grace_s, ended = json.loads(line)
    read, ignored, outputs = map(tuple, paths)
    return Told(is_wrong, read, ignored, outputs, tuple(map(_job_of, jobs)), grace_s, ended)


def _job_of(fields: Sequence[Any]) -> JobRead:
    name, *lists = fields
    return JobRead(name, *map(tuple, lists))
