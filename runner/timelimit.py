"""Ends what the main thread does when its time is up, by an exception raised in it.

Knows nothing of jobs. Python looks for signals between two of its own steps: what
blocks in C without letting go (a long computation of an extension) is ended when it
comes back.
"""

from __future__ import annotations

import signal
import sys
import threading
import time

from runner.errors import TimeUp
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

    # `typing` has the name from 3.11 on.
    from typing_extensions import Self

# What cleans up when the time is up has this long, and then is ended too, as often as
# it takes: a `finally` that waits for ever would make the limit none.
_AGAIN_S = 60.0


class TimeLimit:
    """A `with` block in which TimeUp is raised when its time is up; in the main thread alone.

    Entered again it has what is left of the time.
    """

    def __init__(self, seconds: float | None, *, again_s: float = _AGAIN_S) -> None:
        """seconds: None sets no limit. again_s: after which it is raised again."""
        self.seconds = seconds
        self.is_up = False
        self._again_s = again_s
        self._deadline: float | None = None
        self._armed = False
        self._before: Any = None
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        if self.seconds is None or threading.current_thread() is not threading.main_thread():
            return self
        if self._deadline is None:
            self._deadline = time.monotonic() + self.seconds
        left = max(self._deadline - time.monotonic(), 0.000001)  # 0 would be no timer
        self._armed = True
        if sys.platform == "win32":
            self._start_timer(left)
        else:
            self._before = signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, left, self._again_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Nothing is raised any more."""
        if not self._armed:
            return
        self._armed = False
        if sys.platform == "win32":
            if self._timer is not None:
                self._timer.cancel()
            return
        try:
            # One that rang in this moment raises here, which is the last time.
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            # None: a handler that is not Python's, which cannot be set back.
            before = signal.SIG_DFL if self._before is None else self._before
            signal.signal(signal.SIGALRM, before)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self.is_up = True
        raise TimeUp("the time is up")

    if sys.platform == "win32":
        # There is no SIGALRM; what wakes the main thread is Ctrl-C, and `is_up` tells
        # the two apart.
        def _start_timer(self, seconds: float) -> None:
            self._timer = threading.Timer(seconds, self._interrupt)
            self._timer.daemon = True
            self._timer.start()

        def _interrupt(self) -> None:
            import _thread

            self.is_up = True
            _thread.interrupt_main()
            self._start_timer(self._again_s)
