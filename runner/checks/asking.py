"""Asks programs, for checks."""

from __future__ import annotations

from runner.errors import CommandFailed
from runner.process import run as run_command
from runner.running import Command
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.checks import Here

_PATIENCE_S = 20.0  # for a program that tells its version


def first_line(argv: tuple[str, ...], here: Here) -> str:
    """What a program says first; empty where it fails."""
    command = Command(
        argv=argv,
        cwd=here.root,
        env=outer_variables(here.environ),
        timeout_s=_PATIENCE_S,
        capture="apart",
        input="",
    )
    try:
        done = run_command(command, grace_s=0)
    except CommandFailed:
        return ""
    lines = done.stdout.splitlines()
    return lines[0] if done.returncode == 0 and lines else ""


def exit_code(argv: tuple[str, ...], here: Here) -> int:
    command = Command(
        argv=argv,
        cwd=here.root,
        env=here.environ,
        timeout_s=_PATIENCE_S,
        capture="merged",
        input="",
    )
    try:
        return run_command(command, grace_s=0).returncode
    except CommandFailed:
        return -1
