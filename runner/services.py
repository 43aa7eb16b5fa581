"""Commands that run beside a job: started, waited for until they are ready, always ended.

Knows nothing of sessions or environments. Each leads a session of its own, on a
terminal too: Ctrl-C there reaches the tests, which may still need their server.
"""

from __future__ import annotations

import os
import signal
import time

from runner.descendants import GRACE_S, members_of
from runner.errors import CommandFailed, CommandTimedOut, Interrupted, TimeUp
from runner.process import ending, reap, start_aside
from runner.signals import Moment, in_background, signals_held_back
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from types import TracebackType

    # `typing` has the name from 3.11 on.
    from typing_extensions import Self

    from runner.guard import Guard
    from runner.model import Ready
    from runner.running import Command

_LOOK_AGAIN_S = 0.05
_LAST_LINES = 20  # of a log that are shown
_LAST_BYTES = 16384
_KILLED_S = 5.0  # for what was killed to be gone


class ServiceFailed(Exception):
    """A service did not become ready, and does not run any more."""

    def __init__(self, why: CommandFailed, last_lines: str) -> None:
        super().__init__(why.what)
        self.why = why
        self.last_lines = last_lines


class Service:
    """A command that runs beside its job; in a `with` until its end, else until the job's."""

    def __init__(
        self,
        name: str,
        log: str,
        child: subprocess.Popen[bytes],
        guard: Guard,
        grace_s: float = GRACE_S,
    ) -> None:
        self.name = name
        self.log = log
        """The file with what it has written."""
        self.pid = child.pid
        self.died = False  # it ended before it was asked to
        self.peak_bytes = 0
        self._child = child
        self._members = members_of(child, shares_group=False)
        self._end = Moment()
        self._stopped = False
        self._guard = guard
        self._grace_s = grace_s
        in_background(self._reap, self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def returncode(self) -> int | None:
        """How it ended (-n: by signal n); None while it runs."""
        code: int | None = self._child.returncode
        return code

    def _reap(self) -> None:
        self.peak_bytes = reap(self._child)

    def ends_within(self, seconds: float) -> bool:
        """Whether it ends within that time."""
        return self._end.within(seconds)

    def stop(self) -> None:
        """It and all that it started have ended: asked to, and killed when they do not."""
        end_services([self], self._grace_s)

    def last_lines(self) -> str:
        """The end of what it has written."""
        with open(self.log, "rb") as stream:
            stream.seek(max(0, os.path.getsize(self.log) - _LAST_BYTES))
            lines = stream.read().decode("utf-8", "backslashreplace").splitlines()
        return "".join(f"{line}\n" for line in lines[-_LAST_LINES:])

    def be_guarded(self) -> None:
        """See to it that it ends even where we are killed. Raises OSError where that cannot be."""
        self._guard.watch(self.pid, shares_group=False)

    def is_asked_to_end(self) -> None:
        """Ask it and all that it started to end, once."""
        if not self._stopped:
            self._stopped = True
            self.died = self.returncode is not None  # known a moment before its end has come
            self._members.tell(signal.SIGTERM)

    def is_gone(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._end.has_come and not self._members.are_left()

    def let_go(self) -> None:
        """Nothing of it is to be ended any more."""
        self._guard.forget(self.pid)

    def kill(self) -> None:
        """End what is left of it."""
        deadline = time.monotonic() + _KILLED_S
        self._members.kill()
        self._end.within(_KILLED_S)
        # What it started has ended a moment later, when the system has its memory back.
        # Bounded: a process of another user is not ours to kill.
        while self._members.are_left() and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)


def end_services(
    services: list[Service], grace_s: float = GRACE_S, *, interrupted: bool = False
) -> None:
    """All of them have ended, the last that was started first, or were killed after the grace.

    Signals that come meanwhile are raised when none is left; Ctrl-C ends the grace.
    interrupted: an earlier one is on its way, and they say nothing new.
    """
    deadline = time.monotonic() + grace_s
    later: BaseException | None = None
    while True:
        try:
            with signals_held_back() as held:
                for one in reversed(services):
                    one.is_asked_to_end()
                    while not one.is_gone():
                        if time.monotonic() >= deadline or held.has_ctrl_c():
                            one.kill()
                            break
                        if one.ends_within(_LOOK_AGAIN_S):  # what it started is still there
                            time.sleep(_LOOK_AGAIN_S)
                    one.let_go()
            break
        # It came before they were held back, or at the end.
        except (KeyboardInterrupt, Interrupted, TimeUp) as error:
            later = error
            deadline = time.monotonic() if isinstance(error, KeyboardInterrupt) else deadline
    if later is not None and not interrupted:
        raise later


def start_service(
    command: Command,
    name: str,
    open_log: Callable[[], str],
    known: list[Service],
    ready: Ready,
    timeout_s: float,
    guard: Guard,
    grace_s: float = GRACE_S,
) -> Service:
    """A command that runs and is ready, added to those that are known.

    open_log: makes an empty file and tells its path. guard: what ends it where we are
    killed. grace_s: how long it may take to end when it is asked to. Raises CommandFailed where it
    cannot be started, ServiceFailed where it ends before it is ready or takes too long.
    """
    is_ready = _look_for(ready)
    if isinstance(ready, int) and is_ready(""):
        # It would be taken for ours, which cannot have the port.
        raise CommandFailed(
            f"{name} cannot have port {ready}: something answers there already",
            mend="end that, a server left by somebody else perhaps, or take another port",
        )
    with signals_held_back():
        try:
            guard.stand_by()
        except OSError as error:
            raise _unwatched(name, error) from None
        log = open_log()
        with open(log, "ab") as output:
            child = start_aside(command, output.fileno())
        service = Service(name, log, child, guard, grace_s)
        known.append(service)
        try:
            service.be_guarded()
        except OSError as error:
            service.stop()
            known.remove(service)
            raise _unwatched(name, error) from None
    deadline = time.monotonic() + timeout_s
    while not service.ends_within(0):
        if is_ready(log) and not service.ends_within(0):
            return service
        if time.monotonic() >= deadline:
            service.stop()
            known.remove(service)
            late = CommandTimedOut(
                f"{name} was not ready within {timeout_s:g} s{_waited_for(ready)}",
                mend=f"give it more: timeout=; what it wrote is in {log}",
            )
            raise ServiceFailed(late, service.last_lines())
        service.ends_within(_LOOK_AGAIN_S)
    if ready is None:
        return service  # nobody asked it to go on
    service.stop()
    known.remove(service)
    died = CommandFailed(
        f"{name} {ending(service.returncode or 0)} before it was ready",
        returncode=service.returncode or 1,
        mend=f"what it wrote is in {log}",
    )
    raise ServiceFailed(died, service.last_lines())


def _unwatched(name: str, error: OSError) -> CommandFailed:
    return CommandFailed(
        f"{name} cannot be watched over: {error.strerror}",
        mend="it would outlive a run that is killed; allow more files and processes"
        " (ulimit -n, ulimit -u)",
    )


def _waited_for(ready: Ready) -> str:
    if isinstance(ready, int):
        return f": nothing answers on port {ready}"
    return f": it did not write {ready!r}" if isinstance(ready, str) else ""


def _look_for(ready: Ready) -> Callable[[str], bool]:
    """What tells, given the path of the log, whether a service is ready."""
    if ready is None:
        return lambda _: True
    if isinstance(ready, int):
        return lambda _: _answers(ready)
    if isinstance(ready, str):
        return _Written(ready)
    return lambda _: _says_yes(ready)


def _answers(port: int) -> bool:
    import socket  # 5 ms, and few wait for a port

    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def _says_yes(ask: Callable[[], object]) -> bool:
    try:
        return bool(ask())
    except OSError:  # what asks over the network raises until there is somebody
        return False


class _Written:
    """Whether a text stands in a log that grows; what was read once is not read again."""

    def __init__(self, text: str) -> None:
        self._text = text.encode("utf-8", "surrogateescape")
        self._at = 0
        self._end = b""  # of what was read: the text may come in two parts

    def __call__(self, log: str) -> bool:
        with open(log, "rb") as stream:
            stream.seek(self._at)
            while data := stream.read(65536):
                self._at += len(data)
                seen = self._end + data
                if self._text in seen:
                    return True
                self._end = seen[-len(self._text) :]
        return False
