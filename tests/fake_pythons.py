"""Programs that answer as a Python of any version would, and surroundings with nothing else."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = {"a": "alpha", "b": "beta", "rc": "candidate", "": "final"}


def write_program(path: Path, script: str) -> Path:
    """A shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def answer_of(
    executable: Path | str,
    release: tuple[int, int, int],
    *,
    pre: tuple[str, int] = ("", 0),
    implementation: str = "cpython",
    build: str = "(main, Jan 1 2026)\n[GCC 12.2.0]",
    base_prefix: Path | str = "/nowhere",
) -> str:
    """The line that a Python prints when it is asked what it is."""
    version = ".".join(map(str, release))
    info = [*release, LEVELS[pre[0]], pre[1]]
    build = f"{version} {build}"
    return json.dumps(
        [info, implementation, build, "linux", "x86_64", str(executable), "", str(base_prefix)]
    )


def make_fake(
    path: Path,
    release: tuple[int, int, int],
    *,
    pre: tuple[str, int] = ("", 0),
    implementation: str = "cpython",
    free_threaded: bool = False,
    executable: Path | str | None = None,
) -> Path:
    """A program that says it is that Python, and counts in `path.asked` how often it was asked."""
    mark = "free-threading build " if free_threaded else ""
    line = answer_of(
        executable or path,
        release,
        pre=pre,
        implementation=implementation,
        build=f"{mark}(main, Jan 1 2026)\n[GCC 12.2.0]",
    )
    count = f"echo asked >> {shlex.quote(f'{path}.asked')}"
    return write_program(path, f"{count}\n{say(line)}")


def say(line: str) -> str:
    """The shell's command that prints a line as it stands, which some shells' `echo` does not."""
    return f"printf '%s\\n' {shlex.quote(line)}"


def times_asked(path: Path) -> int:
    """How often a fake was asked what it is."""
    counter = path.with_name(f"{path.name}.asked")
    return len(counter.read_text().splitlines()) if counter.exists() else 0


def bare_environ(home: Path, *path: Path | str, **variables: Path | str) -> dict[str, str]:
    """Variables that lead to no Python but those in the folders of `path` and the tools below home."""
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, path)),
        **{name: str(value) for name, value in variables.items()},
    }
