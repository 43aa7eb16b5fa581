"""A command and all that it started: who they are, telling them signals, ending them.

Knows nothing of how a command is run. On POSIX a command that leads a process
group is found by it, one that shares ours through the list of processes; Windows
has `taskkill`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache

from runner.record import Record
from runner.typed import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Container

GRACE_S = 5.0  # for what is asked to end; then it is killed


class Members(Protocol):
    """A command and all that it started."""

    def tell(self, number: signal.Signals) -> None:
        """Send them a signal."""
        ...

    def remember(self) -> None:
        """Note who they are, before some of them end and the others have no parent."""
        ...

    def are_left(self) -> bool:
        """Whether any of them still runs."""
        ...

    def kill(self) -> None: ...


if sys.platform == "win32":

    class _Console:
        """A command with a console group of its own, or in ours."""

        def __init__(self, child: subprocess.Popen[bytes], shares_group: bool) -> None:
            self._child = child
            self._shares_group = shares_group

        def tell(self, number: signal.Signals) -> None:
            # GenerateConsoleCtrlEvent reaches a group by its leader's id, and such a
            # group has Ctrl-C disabled: Ctrl-Break is what it can be sent.
            del number
            if self._shares_group:
                self._child.terminate()
            else:
                with suppress(OSError):
                    os.kill(self._child.pid, signal.CTRL_BREAK_EVENT)

        def remember(self) -> None:
            """Nothing is to be noted: taskkill looks for them itself."""

        def are_left(self) -> bool:
            return False

        def kill(self) -> None:
            if self._child.poll() is None:
                words = ["taskkill", "/T", "/F", "/PID", str(self._child.pid)]
                with suppress(OSError, subprocess.SubprocessError):
                    subprocess.run(words, capture_output=True, check=False, timeout=10)
                self._child.kill()  # TerminateProcess

    def members_of(child: subprocess.Popen[bytes], shares_group: bool) -> Members:
        return _Console(child, shares_group)

    def on_terminal() -> bool:
        """Whether a person is at the console that we use."""
        streams = (sys.stdin, sys.stdout, sys.stderr)
        return any(stream is not None and stream.isatty() for stream in streams)

    def in_foreground() -> bool:
        """Whether Ctrl-C reaches all who share our console group."""
        return True

else:

    class _Group:
        """The process group that the command leads."""

        def __init__(self, leader: int) -> None:
            self._leader = leader

        def tell(self, number: signal.Signals) -> None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._leader, number)

        def remember(self) -> None:
            """Nothing is to be noted: the system knows the group until its last member ends."""

        def are_left(self) -> bool:
            try:
                os.killpg(self._leader, 0)
            except (ProcessLookupError, PermissionError):
                return False
            # Zombies count above, and in many a container nobody reaps them.
            return any(one.group == self._leader for one in processes().values())

        def kill(self) -> None:
            self.tell(signal.SIGKILL)

    class _Tree:
        """The command and its descendants, as far as their parents live or we saw them before."""

        def __init__(self, root: int, has_ended: Callable[[], bool]) -> None:
            """has_ended: whether the number of the root may be another's by now."""
            self._root = root
            self._has_ended = has_ended
            self._looked = False
            self._known: dict[int, str] = {}  # when each was born: a number can come again

        def tell(self, number: signal.Signals) -> None:
            self.remember()
            for pid in self._known:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

        def remember(self) -> None:
            found = processes()
            if not self._looked and not self._has_ended() and self._root in found:
                self._known[self._root] = found[self._root].born
            self._looked = True
            alive = {
                pid: born
                for pid, born in self._known.items()
                if pid in found and found[pid].born == born
            }
            count = -1
            while len(alive) != count:
                count = len(alive)
                alive.update({pid: p.born for pid, p in found.items() if p.parent in alive})
            self._known = alive

        def are_left(self) -> bool:
            self.remember()
            return bool(self._known)

        def kill(self) -> None:
            self.tell(signal.SIGKILL)

    def members_of(child: subprocess.Popen[bytes], shares_group: bool) -> Members:
        if shares_group:
            return _Tree(child.pid, lambda: child.returncode is not None)
        return _Group(child.pid)

    def members_known_by(leader: int, *, shares_group: bool) -> Members:
        """Those of a command that another process has started, and that is not reaped."""
        return _Tree(leader, lambda: False) if shares_group else _Group(leader)

    def orphans_with(mark: bytes, since_s: float, parent: int, group: int) -> list[Members]:
        """Commands that a process has started since then which has ended (Linux).

        They have the mark in their environment, are the children of whoever gets orphans,
        and lead a group, or belong to that one. since_s: by the clock that runs from boot.
        """
        since = int(since_s * os.sysconf("SC_CLK_TCK"))
        found: list[Members] = []
        for pid, one in processes().items():
            if one.parent == parent and int(one.born) >= since and one.group in (pid, group):
                with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as stream:
                    if any(word.startswith(mark) for word in stream.read().split(b"\0")):
                        found.append(members_known_by(pid, shares_group=one.group == group))
        return found

    def _foreground_group() -> int | None:
        """The foreground group of our terminal; None where none of our streams is it."""
        for descriptor in (0, 1, 2):
            with suppress(OSError):
                return os.tcgetpgrp(descriptor)
        return None

    def on_terminal() -> bool:
        """Whether one of our streams is the terminal that controls us."""
        return _foreground_group() is not None

    def in_foreground() -> bool:
        """Whether Ctrl-C at the terminal reaches all of our group."""
        return _foreground_group() == os.getpgrp()


class Process(Record):
    """One line of the list of processes."""

    parent: int
    group: int
    born: str  # in whatever form the system tells it


def processes() -> dict[int, Process]:
    """All processes that have not ended, by their ids."""
    return processes_of_proc() if sys.platform == "linux" else processes_of_ps()


def processes_of_proc() -> dict[int, Process]:
    """All processes as Linux shows them (proc(5)); slim images have no ps."""
    found: dict[int, Process] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{entry}/stat", encoding="latin-1") as stream:
            # Its name, in parentheses, may hold anything.
            fields = stream.read().rpartition(")")[2].split()
            # A zombie, or dead; one of whose threads some still run has not ended.
            if fields[0] not in "ZX" or int(fields[17]) > 1:
                found[int(entry)] = Process(int(fields[1]), int(fields[2]), born=fields[19])
    return found


def processes_of_ps() -> dict[int, Process]:
    """All processes as macOS and the BSDs show them."""
    columns = [
        word for name in ("pid", "ppid", "pgid", "stat", "lstart") for word in ("-o", f"{name}=")
    ]
    found: dict[int, Process] = {}
    with suppress(OSError):
        listing = subprocess.run(["ps", "-A", *columns], capture_output=True, check=False)
        for line in listing.stdout.decode("latin-1").splitlines():
            pid, parent, group, state, born = line.split(None, 4)
            if not state.startswith("Z"):
                found[int(pid)] = Process(int(parent), int(group), born=born.strip())
    return found


# All that we have started. --------------------------------------------------------

_KILLED_S = 2.0  # for what was killed to be gone; in an uninterruptible wait it may take longer

if sys.platform == "win32":

    def adopt_orphans() -> None:
        """What we start, and what that starts, does not outlive us.

        A job object that is closed with us, whoever ends us, ends all in it
        ("Job Objects" in the documentation of Windows).
        """
        import ctypes  # 8 ms that only `-j` costs
        from ctypes import wintypes

        class Basic(ctypes.Structure):
            _fields_ = (
                ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
                ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
                ("LimitFlags", wintypes.DWORD),
                ("MinimumWorkingSetSize", ctypes.c_size_t),
                ("MaximumWorkingSetSize", ctypes.c_size_t),
                ("ActiveProcessLimit", wintypes.DWORD),
                ("Affinity", ctypes.c_size_t),
                ("PriorityClass", wintypes.DWORD),
                ("SchedulingClass", wintypes.DWORD),
            )

        class Extended(ctypes.Structure):
            _fields_ = (
                ("BasicLimitInformation", Basic),
                ("IoInfo", ctypes.c_ulonglong * 6),
                ("ProcessMemoryLimit", ctypes.c_size_t),
                ("JobMemoryLimit", ctypes.c_size_t),
                ("PeakProcessMemoryUsed", ctypes.c_size_t),
                ("PeakJobMemoryUsed", ctypes.c_size_t),
            )

        kill_on_close, extended = 0x2000, 9
        limits = Extended()
        limits.BasicLimitInformation.LimitFlags = kill_on_close
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))  # never closed by us
        kernel.SetInformationJobObject(job, extended, ctypes.byref(limits), ctypes.sizeof(limits))
        kernel.AssignProcessToJobObject(job, wintypes.HANDLE(kernel.GetCurrentProcess()))

    def end_children(spared: Container[int] = ()) -> None:
        """Nothing to do: the job object ends what is left."""

else:

    def adopt_orphans() -> None:
        """Whatever we start stays below us, also when what started it has ended (Linux alone)."""
        if sys.platform == "linux":
            with suppress(OSError, AttributeError):  # a libc that cannot be asked
                _prctl()(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: prctl(2)

    @cache
    def _prctl() -> Callable[..., int]:
        """The system call, looked up once for a process and its copies."""
        import ctypes  # 8 ms that only `-j` costs

        return cast("Callable[..., int]", ctypes.CDLL(None).prctl)

    def end_children(spared: Container[int] = ()) -> None:
        """Kill all that we have started but for these, and all that those have started.

        Costs nothing where there is nothing.
        """
        deadline = time.monotonic() + _KILLED_S
        while _are_children_left(bool(spared)) and time.monotonic() < deadline:
            below = _below_us(spared)
            if spared and not below:
                return
            for pid in below:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)  # what they have started comes to us when they are gone

    def stop_children() -> set[int]:
        """Stop all that we have started, and that it has started; who that is.

        By SIGSTOP: a terminal's own signal stops nobody in a session without a terminal.
        """
        stopped: set[int] = set()
        while new := _below_us() - stopped:
            for pid in new:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGSTOP)
            stopped |= new  # and what they started just before
        return stopped

    def continue_children(stopped: set[int]) -> None:
        """Let those go on that were stopped."""
        for pid in stopped:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGCONT)

    def _below_us(spared: Container[int] = ()) -> set[int]:
        """All that we have started but for these, and all that those have started."""
        found = processes()
        below = {os.getpid()}
        count = -1
        while len(below) != count:
            count = len(below)
            below.update(pid for pid, p in found.items() if p.parent in below and pid not in spared)
        return below - {os.getpid()}

    def _are_children_left(some_are_spared: bool) -> bool:
        if some_are_spared:
            return True
        ended = -1
        try:
            while ended:
                ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        return True
