"""Handlers and masks of signals as numbers.

What `signal` has makes members of enums of all that comes back, in code that a copy of us
touches for that alone: 0.2 ms of each job with -j. It stands on the module of these.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

__all__ = ["answer_signals", "getsignal", "pthread_sigmask", "restore_signals", "set_signal"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from signal import getsignal, pthread_sigmask
    from signal import signal as set_signal
    from types import FrameType
    from typing import Any
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

_IGNORED = 1  # SIG_IGN


def answer_signals(
    answers: Mapping[int, Callable[[int, FrameType | None], None]],
) -> dict[int, Any]:
    """Answer these signals so from now on; how they were answered before, for `restore_signals`.

    One that is ignored stays so: nohup(1) means what it says.
    """
    before: dict[int, Any] = {}
    for number, answer in answers.items():
        if getsignal(number) not in (_IGNORED, None):  # None: not Python's, cannot be set back
            before[number] = set_signal(number, answer)
    return before


def restore_signals(before: Mapping[int, Any]) -> None:
    """Answer signals again as they were answered then."""
    for number, handler in before.items():
        set_signal(number, handler)
