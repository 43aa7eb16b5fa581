"""Runs a command at a real terminal (a pty) and keeps what it wrote there.

Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def record(
    argv: list[str], *, cwd: Path, environ: Mapping[str, str], columns: int, rows: int
) -> list[bytes]:
    """What the command wrote to a terminal of that size, write by write."""
    outside, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env={**environ, "TERM": "xterm-256color"},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    ):
        os.close(inside)
        written = []
        while chunk := _read(outside):
            written.append(chunk)
    os.close(outside)
    return written


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux: nobody has the other end any more
        return b""
