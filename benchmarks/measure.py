"""What the benchmarks share: commands that take turns, and a table of what they took."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# pip compiled the peers when it installed them, and uv does not compile: with this
# variable set runenv alone would be compiled in each run.
ENVIRON = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Contender(NamedTuple):
    """A command that is timed."""

    argv: Sequence[str]
    folder: Path
    before: Callable[[], object] = lambda: None  # what is done before each run, not timed


class Took(NamedTuple):
    """What one run took, with all that it started, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def run_once(contender: Contender, environ: Mapping[str, str]) -> Took:
    """One run; a command that fails ends the benchmark with its output."""
    contender.before()
    os.sync()  # what was deleted is written to the disk before the clock starts, not meanwhile
    with open(os.devnull, "rb") as nothing, open(contender.folder / ".output", "wb+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            contender.argv,
            cwd=contender.folder,
            env=environ,
            stdin=nothing,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.stderr.write(output.read().decode(errors="replace"))
            raise SystemExit(f"{' '.join(contender.argv)} exited with {process.returncode}")
    return Took(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def take_turns(
    contenders: Mapping[str, Contender], rounds: int, environ: Mapping[str, str] = ENVIRON
) -> dict[str, list[Took]]:
    """What each run took: A B C A B C …, so that a machine that slows down slows all.

    A first round, which warms the caches, is not counted.
    """
    took: dict[str, list[Took]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            one = run_once(contender, environ)
            if number:
                took[name].append(one)
    return took


def medians(took: Mapping[str, Sequence[Took]]) -> dict[str, Took]:
    """The median wall and CPU time of each."""
    return {
        name: Took(
            statistics.median(one.wall_ms for one in runs),
            statistics.median(one.cpu_ms for one in runs),
        )
        for name, runs in took.items()
    }


def above(took: Mapping[str, Sequence[Took]], name: str, base: str) -> float:
    """The median of what one took above another in the same round, in ms of wall time."""
    pairs = zip(took[name], took[base], strict=True)
    return statistics.median(one.wall_ms - other.wall_ms for one, other in pairs)


def program(name: str) -> str:
    """The path of a program beside this Python; ends the benchmark where it is not there."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if not found:
        raise SystemExit(f"{name} is not installed beside this Python: run this as a session")
    return found


def machine(rounds: int, of: str = "medians") -> str:
    """One line on what was measured where."""
    python = sys.version.split()[0]
    return f"Python {python}, {platform.system()}, {os.cpu_count()} CPUs, {rounds} rounds, {of}"
