"""When a signal interrupts us: raised as an exception, or noted until it may be.

Knows nothing of commands. An exception that a signal raises comes between any two
steps of Python: `threading.Event` can be left locked by it, and what runs in a
callback of the collector swallows it. So whoever waits for a process holds signals
back, lets them end the wait, and has them raised at one place.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress

from runner.errors import Interrupted
from runner.handlers import (
    answer_signals,
    getsignal,
    pthread_sigmask,
    restore_signals,
    set_signal,
)
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType
    from typing import Any, NoReturn

if sys.platform == "win32":
    _ENDING = (signal.SIGTERM, signal.SIGBREAK)
    _ALARM = ()
    _LONGEST_S = 0.1  # no Ctrl-C breaks off a wait there
else:
    _ENDING = (signal.SIGTERM, signal.SIGHUP)
    _ALARM = (signal.SIGALRM,)  # by which the time of a job is up
    _LONGEST_S = 1.0  # a signal just before a wait does not break it off
    # Blocked where a worker is started, who unblocks them when it answers them as one. Ctrl-Z
    # too: a copy with our answer to it would stop itself when we have let it go on. By name:
    # `valid_signals` makes 64 members of an enum, 1 ms for each worker.
    UNTIL_ANSWERED = (signal.SIGINT, *_ENDING, signal.SIGTSTP)


@contextmanager
def signals_as_exceptions() -> Generator[None]:
    """SIGTERM and SIGHUP raise Interrupted in the main thread until the end of the block.

    A signal that is ignored stays so: nohup(1) means what it says. SIGINT is
    Python's KeyboardInterrupt as ever. A copy that a session makes of us (a pool of
    multiprocessing, say) ends by them as if we had never heard of them.
    """
    us = os.getpid()

    def answer(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != us:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        _raise_interrupted(number)

    before = answer_signals(dict.fromkeys(_ENDING, answer))
    try:
        yield
    finally:
        restore_signals(before)


def _raise_interrupted(number: int) -> NoReturn:
    found = signal.Signals(number)
    if sys.platform == "win32":
        found = signal.SIGTERM  # from another process that comes as Ctrl-Break
    raise Interrupted(found.name, 128 + found)


class Held:
    """Signals that would have raised an exception, and have not yet."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self.told: Callable[[], object] = lambda: None  # called when one comes

    def note(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(number)
        self.told()

    def has_ctrl_c(self) -> bool:
        return signal.SIGINT in self.came

    def answer(self) -> None:
        """Have those that came raise what they raise, the first of them first."""
        while self.came:
            number = self.came.pop(0)
            self.handlers[number](number, None)


@contextmanager
def signals_held_back() -> Generator[Held]:
    """Signals that would raise an exception do so at the end of the block, or when asked to."""
    held = Held()
    # They come in the main thread alone.
    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    try:
        # Handlers and not a mask: what is started would inherit the mask.
        for ending in (signal.SIGINT, *_ENDING, *_ALARM):
            handler = getsignal(ending)
            if callable(handler):
                held.handlers[ending] = handler
                set_signal(ending, held.note)
        yield held
    finally:
        restore_signals(held.handlers)
        held.answer()


class Moment:
    """Something that comes once, seen by another thread, and that one waits for.

    Unlike `threading.Event` it stands an exception that a signal raises in who waits.
    """

    def __init__(self) -> None:
        self.has_come = False
        self._bell = threading.Lock()
        self._bell.acquire()

    def come(self) -> None:
        self.has_come = True
        self.ring()

    def ring(self) -> None:
        """Who waits, or will wait next, goes on."""
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def within(self, seconds: float | None, on_ring: Callable[[], object] = lambda: None) -> bool:
        """Whether it comes within that time. on_ring: called before each wait and after rings."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self.has_come:
            on_ring()
            left = _LONGEST_S if deadline is None else deadline - time.monotonic()
            if left <= 0:
                break
            self._bell.acquire(timeout=min(left, _LONGEST_S))
        return self.has_come


def in_background(work: Callable[[], object], done: Moment) -> None:
    """Do the work in a thread that takes no signals; then the moment comes.

    A signal that came to that thread would not wake the main thread from its wait.
    """

    def do() -> None:
        if sys.platform != "win32":
            pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            work()
        finally:
            done.come()

    threading.Thread(target=do, daemon=True).start()
