"""A terminal whose keyboard and screen a test has."""

from __future__ import annotations

import os
import sys

if sys.platform != "win32":
    import termios

_LOCAL_MODES = 3  # in what tcgetattr tells


def open_terminal() -> tuple[int, int]:
    """The end with keyboard and screen, and the one that programs are started at.

    Ctrl-C and Ctrl-Z leave there what is on its way to the screen: the system sends the
    signal first, and would throw away what somebody answers at once.
    """
    keyboard, inside = os.openpty()
    modes = termios.tcgetattr(inside)
    modes[_LOCAL_MODES] |= termios.NOFLSH
    termios.tcsetattr(inside, termios.TCSANOW, modes)
    return keyboard, inside
