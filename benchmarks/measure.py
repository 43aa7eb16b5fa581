"""Commands that take turns, and what each of their runs took.

Knows nothing of tools, of parts of the benchmark, or of how figures are shown.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# With this variable set nothing that a run compiles is kept, and each would compile again.
ENVIRON = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


class Contender(NamedTuple):
    """A command that is timed."""

    argv: Sequence[str]
    folder: Path
    before: Callable[[], object] = lambda: None  # what is done before each run, not timed
    variables: Mapping[str, str] = {}  # beside those that all have


class Took(NamedTuple):
    """What one run took, with all that it started."""

    wall_ms: float
    cpu_ms: float
    peak_mib: float = 0.0  # of its largest process, and at the least what this one holds


def run_once(contender: Contender, environ: Mapping[str, str], settle: bool = True) -> Took:
    """One run; a command that fails ends the benchmark with its output.

    settle: what was deleted or made is written to the disk before the clock starts, not meanwhile.
    """
    contender.before()
    if settle:
        os.sync()
    kept = contender.folder / ".output"
    with open(os.devnull, "rb") as nothing, open(kept, "wb+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            contender.argv,
            cwd=contender.folder,
            env={**environ, **contender.variables},
            stdin=nothing,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.stderr.write(output.read(1_000_000).decode(errors="replace"))
            raise SystemExit(f"{' '.join(contender.argv)} exited with {process.returncode}")
    kept.unlink()
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Took(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, peak)


def take_turns(
    contenders: Mapping[str, Contender],
    rounds: int,
    environ: Mapping[str, str] = ENVIRON,
    settle: bool = True,
) -> dict[str, list[Took]]:
    """What each run took: A B C A B C …, so that a machine that slows down slows all.

    A first round, which warms the caches, is not counted.
    """
    took: dict[str, list[Took]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            one = run_once(contender, environ, settle)
            if number:
                took[name].append(one)
    return took


def machine(rounds: int, of: str = "medians") -> str:
    """One line on what was measured where."""
    python = sys.version.split()[0]
    return f"Python {python}, {platform.system()}, {os.cpu_count()} CPUs, {rounds} rounds, {of}"
