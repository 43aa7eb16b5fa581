"""Everything about speed in one run: runenv bench [-- OPTIONS], or python benchmarks/speed.py

Measures runenv beside nox and tox (each with virtualenv and with uv), hatch, work by hand and a
floor that no tool can go below. All commands of a case take turns, after a round that is not
counted. The newest peers are installed, each in an environment of its own; their projects,
caches and stores are in a temporary folder. The tables go to standard output.

All of it takes about three quarters of an hour on a quiet machine with two CPUs.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import floors
import machine
import page
import tools
from measure import take_turns
from projects import write_wheel
from rows import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rows import Part, Row

PARTS = ("startup", "warm", "changed", "cold", "parallel", "output", "disk")


class Wanted(NamedTuple):
    """What is asked for on the command line."""

    only: Sequence[str]
    rounds: int | None
    alone: bool
    page: Path | None
    json: Path | None


def read_arguments(argv: Sequence[str], only: Sequence[str]) -> Wanted:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, help="instead of each part's own number")
    parser.add_argument("--alone", action="store_true", help="runenv without the peers")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    if only == PARTS:
        parts = ", ".join(PARTS)
        parser.add_argument("--only", type=names, default=only, metavar="PARTS", help=parts)
    given = parser.parse_args(argv)
    return Wanted(getattr(given, "only", only), given.rounds, given.alone, given.page, given.json)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 round")
    return number


def names(text: str) -> list[str]:
    """Parts with commas between them."""
    asked = text.split(",")
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no part: {', '.join(PARTS)}")
    return asked


def main(*only: str) -> None:
    """Measure; of the parts only these, or what the command line asks for."""
    wanted = read_arguments(sys.argv[1:], only or PARTS)
    for file in filter(None, (wanted.page, wanted.json)):
        if not file.absolute().parent.is_dir():
            raise SystemExit(f"there is no folder {file.parent} to write {file.name} into")
    if wanted.page:
        page.around_figures(wanted.page)  # complains now rather than after everything
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as temporary:
        for run in measure(wanted, Path(temporary).resolve()):  # each has one part more
            if wanted.json:
                wanted.json.write_text(page.as_json(run), encoding="utf-8")
    if wanted.page:
        page.write_page(run, wanted.page)
    print(page.as_markdown(run), end="")


def measure(wanted: Wanted, home: Path) -> Iterator[page.Run]:
    """All that is wanted, in a folder of its own: after each part what there is by then."""
    began = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    here = machine.describe(home)
    if os.getloadavg()[0] > 0.5:
        tell(f"the machine has other work (load {here['load']}): figures will be too high")
    modules: dict[str, Part] = {name: importlib.import_module(name) for name in wanted.only}
    compared = [tools.OURS._replace(program=tools.beside(tools.OURS.program))]
    if not wanted.alone:
        tell("installing the peers")
        compared += [tools.install(tool, home / "tools") for tool in tools.PEERS]
    needs = sorted({package for module in modules.values() for package in module.NEEDS})
    if needs:
        tell("fetching wheels")
        tools.fetch_wheels(needs, home / "wheels")
    write_wheel(home / "wheels")
    environ = dict(tools.variables(home))
    place = Place(home, environ, compared, floors.write_script(home / "floor"))
    versions = {tool.label: tools.versions(tool) for tool in compared}
    parts: list[page.Measured] = []
    for name, module in modules.items():
        rounds = wanted.rounds or module.ROUNDS
        folder = home / name
        folder.mkdir()
        rows = measure_part(name, module, place._replace(folder=folder), rounds)
        parts.append(page.Measured(name, module.TITLE, told(module), rounds, rows))
        yield page.Run(began, here, versions, parts)
        floors.remove(folder)


def measure_part(name: str, module: Part, place: Place, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for case in module.cases(place):
        clock = time.monotonic()
        rows += case.rows(take_turns(case.contenders, rounds, place.environ, case.writes))
        tell(f"{name}: {case.name}, {time.monotonic() - clock:.0f} s")
    return rows


def told(module: Part) -> str:
    """The words of a part on itself."""
    return (module.__doc__ or "").strip()


def tell(line: str) -> None:
    """On standard error, for whoever waits."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
