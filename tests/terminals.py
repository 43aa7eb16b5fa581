"""A terminal whose keyboard and screen a test has."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import Any

if sys.platform != "win32":
    import fcntl
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


def resize(end: int, columns: int) -> None:
    """Make a terminal so wide, of which this is one end."""
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class AtTerminal:
    """A program at a terminal; whoever reads what it shows does so in a way of its own."""

    keyboard: int
    process: subprocess.Popen[Any]

    def __enter__(self):
        return self

    def __exit__(self, *exception: object) -> None:
        if exception != (None, None, None):
            self.process.kill()
        os.close(self.keyboard)
        self.process.wait(timeout=60)

    def type(self, text: str) -> None:
        os.write(self.keyboard, text.encode())
