"""Keys that are pressed while no run is going on, one by one and without an echo.

In a run the keyboard is that of its commands, so that a debugger works. Knows nothing of
what a key means; `keyboard.py` knows what they send.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from runner.keyboard import CLOSED
from runner.signals import Moment, in_background
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def are_there() -> bool:
    """Whether standard input is a keyboard."""
    return sys.stdin is not None and sys.stdin.isatty()


if sys.platform == "win32":
    import msvcrt
    import threading

    from runner.keyboard import next_key

    _LOOK_AGAIN_S = 0.05  # nothing can be waited for beside a key

    class Keys:
        """The keyboard between `open` and `close`."""

        def __init__(self, press: Callable[[str], None]) -> None:
            """press: called with each key, from another thread."""
            self._press = press
            self._closed = threading.Event()
            self._closed.set()
            self._end = Moment()

        @property
        def is_open(self) -> bool:
            """Whether keys are read."""
            return not self._closed.is_set()

        def open(self) -> bool:
            """Read keys from now on; what was typed before is forgotten."""
            self._closed, self._end = threading.Event(), Moment()
            while msvcrt.kbhit():
                msvcrt.getwch()
            in_background(self._read, self._end)
            return True

        def _read(self) -> None:
            while not self._closed.wait(_LOOK_AGAIN_S):
                while msvcrt.kbhit():
                    self._press(next_key())

        def close(self) -> None:
            """Read none any more."""
            if self._closed.is_set():
                return
            self._closed.set()
            self._end.within(None)

        def restore(self) -> None:
            """The console is as it was: no mode of it was changed."""

else:
    import select
    import signal
    import termios
    import tty

    from runner.descendants import in_foreground
    from runner.handlers import getsignal, set_signal
    from runner.keyboard import Sequences

    if TYPE_CHECKING:
        from types import FrameType

    _DEFAULT = 0  # SIG_DFL

    class Keys:
        """The keyboard between `open` and `close`."""

        def __init__(self, press: Callable[[str], None]) -> None:
            """press: called with each key, from another thread."""
            self._press = press
            self._descriptor = sys.stdin.fileno()
            self._modes = termios.tcgetattr(self._descriptor)
            self._stop: tuple[int, int] | None = None
            self._end = Moment()
            self._stops = getsignal(signal.SIGTSTP) == _DEFAULT

        @property
        def is_open(self) -> bool:
            """Whether keys are read."""
            return self._stop is not None

        def open(self) -> bool:
            """Read keys from now on; what was typed before is forgotten.

            False in the background, where reading would stop us, and so would setting modes.
            """
            if not in_foreground():
                return False
            tty.setcbreak(self._descriptor, termios.TCSAFLUSH)
            self._stop, self._end = os.pipe(), Moment()
            reading = self._stop[0]
            in_background(lambda: self._read(reading), self._end)
            if self._stops:
                set_signal(signal.SIGTSTP, self._pause)
            return True

        def _read(self, stop: int) -> None:
            # In no other code: `close` would wait for the rest of a sign that never comes.
            keys = Sequences(self._descriptor, "ascii")
            while stop not in select.select([self._descriptor, stop], [], [])[0]:
                if (key := keys.next()) == CLOSED:
                    return
                self._press(key)

        def close(self) -> None:
            """Read none any more; the terminal is as it was."""
            if self._stop is None:
                return
            if self._stops:  # first: a Ctrl-Z in the midst of it would close once more
                set_signal(signal.SIGTSTP, _DEFAULT)
            reading, writing = self._stop
            self._stop = None
            os.write(writing, b"\0")
            self._end.within(None)
            os.close(reading)
            os.close(writing)
            self.restore()

        def restore(self) -> None:
            """The terminal is as it was, whatever a program that was ended has left."""
            if in_foreground():
                with suppress(termios.error):  # it is gone
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, self._modes)

        def _pause(self, _number: int, _frame: FrameType | None) -> None:
            """Stop, as Ctrl-Z asks for, and leave the terminal as it was meanwhile."""
            self.close()
            signal.raise_signal(signal.SIGTSTP)
            self._press("")  # who waits for keys opens again
