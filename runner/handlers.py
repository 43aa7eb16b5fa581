"""Handlers and masks of signals as numbers.

What `signal` has makes members of enums of all that comes back, in code that a copy of us
touches for that alone: 0.2 ms of each job with -j. It stands on the module of these.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

__all__ = ["getsignal", "pthread_sigmask", "set_signal"]

if TYPE_CHECKING:
    from signal import getsignal, pthread_sigmask
    from signal import signal as set_signal
else:
    try:
        from _signal import getsignal
        from _signal import signal as set_signal
    except ImportError:  # it is Python's own business
        from signal import getsignal
        from signal import signal as set_signal
    try:
        from _signal import pthread_sigmask
    except ImportError:
        try:
            from signal import pthread_sigmask
        except ImportError:  # Windows
            pthread_sigmask = None
