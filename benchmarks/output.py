"""500 MB of lines that a session writes with `cat`, into a file: by one session, and by two at a
time that write half each. Wall time, and the memory that the largest process held at its peak,
which is at the least what the process that measures holds.

The floor is the same `cat` into such a file. hatch runs one session after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from floors import floor
from measure import Contender
from projects import Project, sessions, write_project
from rows import FLOOR, RUNENV, Asked, Case, Place, Row, figures_of, middle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rows import Taken

TITLE = "Output"
ROUNDS = 3
NEEDS = ()
SIZE = 500_000_000
LINE = b"tests/test_something.py::test_that_it_does_what_it_says[parameter-0123] PASSED  [ 50%]\n"


def cases(place: Place) -> Iterator[Case]:
    yield written(place, 1, at_most=1.1)
    yield written(place, 2, at_most=1.5)


def written(place: Place, at_once: int, at_most: float) -> Case:
    """So many sessions that write all of it together."""
    name = f"500 MB, -j {at_once}"

    def rows(took: Taken) -> Iterator[Row]:
        ratio = middle(took[RUNENV], "wall_ms") / middle(took[FLOOR], "wall_ms")
        yield Row(name, "wall_ms", figures_of(took), Asked("cat ×", ratio, at_most))
        peaks = {
            label: {"peak_mib": [one.peak_mib for one in runs]} for label, runs in took.items()
        }
        asked = Asked("", middle(took[RUNENV], "peak_mib"), 40)
        yield Row(f"memory, -j {at_once}", "peak_mib", peaks, asked)

    lines = place.folder / f"lines-{at_once}"
    write_lines(lines, SIZE // at_once)
    command = ("cat", str(lines))
    contenders = {FLOOR: floor(place, *command, times=at_once)}
    for tool in place.tools:
        if at_once == 1 or tool.parallel:
            here = place.folder / str(at_once) / tool.folder
            write_project(here, Project(sessions(at_once, *command), environments=False))
            argv = tool.running() if at_once == 1 else tool.running_at_once(at_once)
            contenders[tool.label] = Contender(argv, here)
    return Case(name, contenders, rows)


def write_lines(file: Path, size: int) -> None:
    """Become a file of at least so many bytes, in whole lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    block = LINE * 10_000
    with file.open("wb") as lines:
        for _ in range(-(-size // len(block))):
            lines.write(block)


if __name__ == "__main__":
    from speed import main

    main("output")
