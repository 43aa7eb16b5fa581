"""Runs one command: starts it, collects what it writes, ends it, says how it ended.

Knows nothing of sessions or environments. Whose signal is whose:

Away from a terminal a command leads a process group of its own. A signal that
is sent to us reaches us alone, and we hand it on to that group.

On a terminal a command stays in our group, so that it may read the keyboard and
Ctrl-C and Ctrl-Z reach it and us at once, as in a shell script. (Made the
foreground group of the terminal it would have Ctrl-C to itself: pytest answers
that with exit code 2, and we would go on to the next job.) As our group is
also that of whoever called us, what the command started is looked up in the
list of processes when it has to end.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from runner.descendants import GRACE_S, in_foreground, members_of, on_terminal
from runner.errors import CommandFailed, Interrupted
from runner.running import Finished
from runner.shown import show
from runner.signals import Moment, in_background, signals_held_back
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from typing import IO

    from runner.guard import Guard
    from runner.running import Command
    from runner.signals import Held

# After its command has ended a pipe can be held open by what that has started.
# It is read until nothing came for the first of these times, or something did for
# the second.
_QUIET_S, _DRAIN_S = 0.5, 2.0
_LOOK_AGAIN_S = 0.02  # between two looks at what is left of a command
_CHUNK_BYTES = 65536  # what a pipe holds on Linux

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # POSIX, Shell Command Language, 2.8.2

if sys.platform == "win32":
    _NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _NEW_GROUP = 0  # start_new_session makes one


class Stop:
    """Ends, from another thread, a command that runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked = False
        self._called = threading.Event()
        self._running: _Running | None = None

    def __call__(self) -> None:
        """End what runs now, and what would be started later; called again, at once."""
        with self._lock:
            if self._running is not None and self.asked:
                self._running.members.kill()
            elif self._running is not None:
                self._running.members.tell(signal.SIGTERM)
            self.asked = True
        self._called.set()

    def wait(self, seconds: float) -> None:
        """Wait, no longer than until it is called."""
        self._called.wait(seconds)

    def watch(self, running: _Running | None) -> None:
        """Know what runs now; None: nothing does."""
        with self._lock:
            self._running = running
            if running is not None and self.asked:
                running.members.tell(signal.SIGTERM)


def run(
    command: Command,
    *,
    grace_s: float = GRACE_S,
    stop: Stop | None = None,
    guard: Guard | None = None,
) -> Finished:
    """How the command ended, with what it wrote where that is captured.

    Captured text is UTF-8; other bytes are spelt out (`backslashreplace`), since
    such text can be printed and stored anywhere, and surrogates cannot.

    grace_s: how long it may take to end when its time is up, or when a signal
    or anything else raises an exception here; then it is killed with all that
    it has started, and the exception goes on. A Ctrl-C within the grace ends that.
    stop: what another thread ends it with. guard: what ends it where we are killed,
    unless it holds something that the next run waits for.
    Raises CommandFailed where it cannot be started.
    """
    stay_parent()
    if command.capture == "no":
        _flush_ours()
    started = time.monotonic()
    running: _Running | None = None
    pid = 0
    guard = None if command.holds else guard
    with signals_held_back() as held:
        try:
            running = _start_guarded(command, guard)
            pid = running.pid
            held.told = running.wake
            running.attend(command)
            if stop is not None:
                stop.watch(running)
            timed_out = not running.ends_within(command.timeout_s, held.answer)
            if timed_out:
                running.members.tell(signal.SIGTERM)
                running.let_end(time.monotonic() + grace_s, hurried=held.answer)
            elif stop is not None and stop.asked:
                running.let_end(time.monotonic())  # what it started may still be there
            stdout, stderr = running.output()
            held.answer()
        except BaseException as error:
            if running is not None:
                _stop(running, error, grace_s, held)
            raise
        finally:
            if stop is not None:
                stop.watch(None)
            if guard is not None:
                guard.forget(pid)
    return Finished(
        returncode=running.returncode(),
        stdout=stdout,
        stderr=stderr,
        duration_s=time.monotonic() - started,
        timed_out=timed_out,
        peak_bytes=running.peak_bytes,
    )


def exit_code(returncode: int) -> int:
    """The code that we exit with for a child's returncode.

    A child ended by signal n gives 128 + n, as bash does; POSIX asks only for
    more than 128 (Shell Command Language, 2.8.2).
    """
    return returncode if returncode >= 0 else 128 - returncode


def ending(returncode: int) -> str:
    """`exited with code 3`, `was ended by SIGTERM`."""
    if returncode >= 0:
        return f"exited with code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


def stay_parent() -> None:
    """Have the system keep how our children end until we ask.

    With SIGCHLD ignored, which is inherited, it keeps nothing, and `subprocess`
    takes what is missing for exit code 0.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if sys.platform != "win32" and in_main and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


# Starting. ----------------------------------------------------------------------


def start_aside(command: Command, output: int) -> subprocess.Popen[bytes]:
    """Start what goes on beside us, in a session of its own, writing all into a file.

    Signals are to be held back until whoever ends it knows of it. Raises
    CommandFailed where it cannot be started.
    """
    stay_parent()
    return _open(command, subprocess.DEVNULL, output, subprocess.STDOUT, shares_group=False)


def _start_guarded(command: Command, guard: Guard | None) -> _Running:
    # Where there is no room for one more process the command shall run all the same.
    with suppress(OSError):
        if guard is not None:
            guard.stand_by()
    running = _start(command)
    with suppress(OSError):
        if guard is not None:
            guard.watch(running.pid, shares_group=running.shares_group)
    return running


def _start(command: Command) -> _Running:
    shares_group = on_terminal()
    pipe = subprocess.PIPE
    child = _open(
        command,
        None if command.input is None else pipe if command.input else subprocess.DEVNULL,
        None if command.capture == "no" else pipe,
        {"no": None, "merged": subprocess.STDOUT, "apart": pipe}[command.capture],
        shares_group=shares_group,
    )
    return _Running(child, shares_group)


def _open(
    command: Command,
    stdin: int | None,
    stdout: int | None,
    stderr: int | None,
    *,
    shares_group: bool,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            # A session and not only a group: what asks for a password at a terminal
            # that it may not read would be stopped there for ever; so it fails.
            start_new_session=not shares_group,
            pass_fds=command.holds if sys.platform != "win32" else (),
            creationflags=0 if shares_group else _NEW_GROUP,
        )
    except (OSError, ValueError) as error:
        raise _not_started(command, error) from None


def _flush_ours() -> None:
    for stream in (sys.stdout, sys.stderr):
        # None, closed or broken: whoever writes to it next will say so.
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()


def _not_started(command: Command, error: OSError | ValueError) -> CommandFailed:
    """What to tell of a command that could not be started."""
    program, cwd = command.argv[0], command.cwd
    path = os.path.join(cwd, program)
    name = os.path.basename(program)
    number = error.errno if isinstance(error, OSError) else None

    def failed(what: str, mend: str = "", returncode: int = _NOT_EXECUTABLE) -> CommandFailed:
        return CommandFailed(what, returncode=returncode, mend=mend)

    if not os.path.isdir(cwd):
        trouble = "is a file" if os.path.exists(cwd) else "does not exist"
        mend = "make the folder first, or give another cwd="
        return failed(f"{name} cannot run in {cwd}, which {trouble}", mend)
    if isinstance(error, OSError) and error.filename == cwd:
        return failed(f"{name} cannot run in {cwd}: {error.strerror}", "give another cwd=")
    if getattr(error, "winerror", None) == 206:  # ERROR_FILENAME_EXCED_RANGE: the command line too
        number = errno.E2BIG
    if number == errno.ENOENT:
        if os.path.basename(program) == program or not os.path.lexists(path):
            return failed(
                f"there is no program {program}",
                "is its name right, and what provides it installed?",
                _NOT_FOUND,
            )
        interpreter = _interpreter_of(path)
        if interpreter:
            return failed(
                f"{program} is a script for {interpreter}, which does not exist",
                "was its environment moved?  --fresh makes it anew",
                _NOT_FOUND,
            )
        mend = "was its environment moved?  --fresh makes it anew"
        return failed(f"{program} is a link to what does not exist", mend, _NOT_FOUND)
    if number == errno.EACCES and os.path.isdir(path):
        return failed(f"{program} is a folder, not a program", "name the program in it")
    if number == errno.EACCES and os.path.isfile(path):
        return failed(f"{program} may not be executed", f"chmod +x {show([program])}")
    if number == errno.ENOEXEC:
        return failed(
            f"{program} is no program of this system, and no script with a #! line",
            'write "#!/bin/sh" or the like in its first line, or run it through its interpreter',
        )
    if number == errno.E2BIG:
        words = [*command.argv, *(f"{key}={value}" for key, value in command.env.items())]
        size = sum(len(word.encode(errors="replace")) + 1 for word in words)
        return failed(
            f"{name}: its arguments and variables, {size} bytes, are more than this system takes",
            "hand them on in a file",
        )
    return failed(f"{name} cannot be started: {getattr(error, 'strerror', None) or error}")


def _interpreter_of(path: str) -> str:
    """The program that a script's first line names; empty where it names none."""
    try:
        with open(path, "rb") as stream:
            first = stream.readline(4096)
    except OSError:
        return ""
    return first[2:].decode(errors="backslashreplace").strip() if first.startswith(b"#!") else ""


def reap(child: subprocess.Popen[bytes]) -> int:
    """Wait for its end; its `returncode` is there then.

    Returns the most memory that it, or one of those it has waited for, had at once, in
    bytes; 0 where the system does not tell. Nobody else may wait for it.
    """
    if sys.platform != "win32":
        with suppress(ChildProcessError):  # somebody has; `wait` knows what that means
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)  # getrusage(2)
    child.wait()
    return 0


# While it runs. -------------------------------------------------------------------


class _Running:
    """A command between its start and its end."""

    def __init__(self, child: subprocess.Popen[bytes], shares_group: bool) -> None:
        self.pid = child.pid
        self.shares_group = shares_group
        self.members = members_of(child, shares_group)
        self._child = child
        self.peak_bytes = 0
        self._end = Moment()
        self._pipes: list[_Pipe] = []

    def attend(self, command: Command) -> None:
        """Await its end and serve its pipes.

        In threads, which wait for as many things as there are.
        """
        in_background(self._reap, self._end)
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                self._pipes.append(_Pipe(cast("BufferedReader", stream)))
        if self._child.stdin is not None and command.input is not None:
            # "surrogateescape" gives back the bytes of a file's name.
            data, stdin = command.input.encode("utf-8", "surrogateescape"), self._child.stdin
            in_background(lambda: _feed(stdin, data), Moment())

    def _reap(self) -> None:
        self.peak_bytes = reap(self._child)

    def wake(self) -> None:
        """Who waits for its end looks at what else has come."""
        self._end.ring()

    def ends_within(
        self, seconds: float | None, on_ring: Callable[[], object] = lambda: None
    ) -> bool:
        """Whether it ended within that time. on_ring: called when it was woken too."""
        return self._end.within(seconds, on_ring)

    def let_end(
        self, deadline: float, *, hurried: Callable[[], bool | None] = lambda: False
    ) -> None:
        """Wait for its end and that of all it started; what is left then is killed.

        hurried: whether to wait no longer; asked again and again, and may raise.
        """

        def over() -> bool:
            return time.monotonic() >= deadline or bool(hurried())

        ended = self.ends_within(_LOOK_AGAIN_S)
        while not ended and not over():
            ended = self.ends_within(_LOOK_AGAIN_S)
        left = not self._end.has_come or self.members.are_left()
        while left and not over():
            time.sleep(_LOOK_AGAIN_S)
            left = self.members.are_left()
        if left:
            self.kill()

    def kill(self) -> None:
        """End it and all that it started, now; it is gone when this returns."""
        # Bounded: a process of another user (sudo) is not ours to kill.
        deadline = time.monotonic() + _DRAIN_S
        self.members.kill()
        self.ends_within(_DRAIN_S)
        while self.members.are_left() and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)

    def returncode(self) -> int:
        code: int | None = self._child.returncode
        return -9 if code is None else code  # None: even killing has not ended it

    def output(self) -> tuple[str, str]:
        """What it wrote, to each of its pipes."""
        texts = [pipe.text() for pipe in self._pipes]
        return (*texts, "", "")[0], (*texts, "", "")[1]

    def abandon_output(self) -> None:
        for pipe in self._pipes:
            pipe.abandoned = True


def _stop(running: _Running, error: BaseException, grace_s: float, held: Held) -> None:
    """End a command because of an exception, which the caller raises again.

    Signals that come meanwhile raise nothing. Ctrl-C again ends the grace; TERM and
    HUP again do not, since a terminal that closes sends two.
    """
    running.abandon_output()
    _tell_of(running, error)
    running.let_end(time.monotonic() + grace_s, hurried=held.has_ctrl_c)
    held.came.clear()


def _tell_of(running: _Running, error: BaseException) -> None:
    """Hand on to a command the signal that an exception stands for."""
    number = signal.SIGTERM
    if isinstance(error, KeyboardInterrupt):
        number = signal.SIGINT
    elif isinstance(error, Interrupted):
        number = getattr(signal, error.signal_name, number)
    if number == signal.SIGINT and running.shares_group and in_foreground():
        # Ctrl-C at the terminal has reached it already. A second SIGINT would end
        # pytest before its summary.
        running.members.remember()
    else:
        running.members.tell(number)


def _feed(stream: IO[bytes], data: bytes) -> None:
    with suppress(OSError), stream:  # it need not read all of it
        stream.write(data)


class _Pipe:
    """Takes what comes out of a pipe."""

    def __init__(self, stream: BufferedReader) -> None:
        self.abandoned = False
        self._stream = stream
        self._chunks: list[bytes] = []
        self._end = Moment()
        in_background(self._read, self._end)

    def _read(self) -> None:
        with self._stream:
            while not self.abandoned and (chunk := self._stream.read1(_CHUNK_BYTES)):
                self._chunks.append(chunk)

    def text(self) -> str:
        """All that came; to be asked for when the command has ended."""
        deadline = time.monotonic() + _DRAIN_S
        count = -1
        while len(self._chunks) != count and time.monotonic() < deadline:
            count = len(self._chunks)
            if self._end.within(_QUIET_S):
                break
        self.abandoned = True
        text = b"".join(self._chunks).decode("utf-8", "backslashreplace")
        return text.replace("\r\n", "\n") if sys.platform == "win32" else text
