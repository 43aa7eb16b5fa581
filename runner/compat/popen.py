"""`nox.popen`, which noxfiles call beside their sessions, or wrap.

A process of its own: no session has to do with it. What a noxfile puts in its place
is not called by `session.run`.
"""

from __future__ import annotations

import subprocess

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

DEFAULT_INTERRUPT_TIMEOUT = 0.3
DEFAULT_TERMINATE_TIMEOUT = 0.2


def popen(
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    silent: bool = False,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = subprocess.STDOUT,
    interrupt_timeout: float | None = None,  # noqa: ARG001  # as those of `session.run`
    terminate_timeout: float | None = None,  # noqa: ARG001
) -> tuple[int, str]:
    """The return code of a command, and what it wrote where it is kept."""
    if silent and stdout is not None:
        raise ValueError("popen: silent=True keeps what stdout= would be given; leave one out")
    to = subprocess.PIPE if silent else stdout
    done = subprocess.run(args, env=env, stdout=to, stderr=stderr, check=False)
    return done.returncode, decode_output(done.stdout or b"")


def decode_output(output: bytes) -> str:
    """Bytes as text; what is no UTF-8 does not end the session."""
    return output.decode("utf-8", "replace")
