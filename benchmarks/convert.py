"""How much of real files `runenv --convert` carries over: python benchmarks/convert.py

Of each list in benchmarks/corpus, or of the part of it that is asked for, prints

    converted   files of which nothing was left over, and those of which some was approximated
    loads       envfiles that load and list
    names       envfiles with the names that the old tool gives, where it is here

The converter was made with the first half of each list before the eyes (--part first); the
figures that count are those of --part second. Two mistakes that the second half brought to
light were mended: three files did not load, and an empty argument was handed to a command.
So was a third, of a later change: one file did not load.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from real_files import Wanted, fetch_all, read_list

from runner.convert import convert

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS = Path(__file__).parent / "corpus"


class Result(NamedTuple):
    """What came of one file."""

    wanted: Wanted
    left: tuple[str, ...]
    approximated: tuple[str, ...]
    loads: str  # why it does not; "" where it does
    names: str  # how they differ; "" where they are equal, "?" where nobody can tell


def main() -> None:
    """Print the rates of each list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("first", "second", "all"), default="second")
    parser.add_argument("--list", choices=("tox", "hatch"), action="append")
    parser.add_argument("--tox", default=shutil.which("tox"), help="tox, to ask it for names")
    parser.add_argument("--show", action="store_true", help="what was left, and where")
    given = parser.parse_args()
    for name in given.list or ["tox", "hatch"]:
        wanted = read_list(CORPUS / f"{name}.txt")
        half = len(wanted) // 2
        part = {"first": wanted[:half], "second": wanted[half:], "all": wanted}[given.part]
        here = fetch_all(part)
        names = partial(_names, given.tox) if name == "tox" else _names_of_hatch
        with ThreadPoolExecutor(2) as threads:
            every = list(threads.map(partial(_result, differing=names), here))
        results = [result for result in every if result is not None]
        if len(results) < len(part):
            print(
                f"{name}: {len(part) - len(here)} files are not to be had,"
                f" {len(every) - len(results)} say nothing to {name}"
            )
        _print(name, given.part, results, show=given.show)


def _result(wanted: Wanted, differing: Callable[[Wanted, tuple[str, ...]], str]) -> Result | None:
    """differing: how the names differ from those of the old tool."""
    text = wanted.kept.read_text(encoding="utf-8-sig", errors="replace")
    try:
        made = convert(str(wanted.kept), text)
    except ValueError as error:
        return Result(wanted, (f"cannot be read: {error}",), (), "not converted", "?")
    if made is None:
        return None
    kinds = {
        kind: tuple(n.text for n in made.notes if n.kind == kind)
        for kind in ("left", "approximated")
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "envfile.py").write_text(made.text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "runner", "-C", folder, "--list", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
    loads = "" if done.returncode == 0 else done.stderr.strip()
    return Result(
        wanted, kinds["left"], kinds["approximated"], loads, differing(wanted, made.environments)
    )


def _names(tox: str | None, wanted: Wanted, ours: tuple[str, ...]) -> str:
    if not tox:
        return "?"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(wanted.kept, folder)
        done = subprocess.run(
            [
                tox,
                "list",
                "--no-desc",
                "-q",
                "-c",
                str(Path(folder) / wanted.path),
                "--workdir",
                folder,
                "--no-provision",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    if done.returncode != 0:
        return "?"
    theirs = [line for line in done.stdout.split() if not line.startswith(".")]
    difference = sorted(set(theirs) ^ set(ours))
    return ", ".join(difference)


def _names_of_hatch(wanted: Wanted, _: tuple[str, ...]) -> str:
    """What `--convert --check` tells of names, which knows what hatch calls them."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(wanted.kept, folder)
        done = subprocess.run(
            [sys.executable, "-m", "runner", "-C", folder, "--convert", "--check", wanted.path],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1) or not done.stdout:
        return "?"
    found = [line for line in done.stdout.splitlines() if " has it, and " in line]
    return ", ".join([*found[:3], *([f"and {len(found) - 3} more"] if len(found) > 3 else [])])


def _print(name: str, part: str, results: list[Result], *, show: bool) -> None:
    count = len(results)
    asked = [r for r in results if r.names != "?"]
    rates = {
        "nothing left over": (sum(not r.left for r in results), count),
        "nothing left or approximated": (
            sum(not r.left and not r.approximated for r in results),
            count,
        ),
        "loads and lists": (sum(not r.loads for r in results), count),
        "names as the old tool has them": (sum(not r.names for r in asked), len(asked)),
    }
    print(f"{name}, {part} part: {count} files")
    for told, (good, of) in rates.items():
        print(f"  {told:<32}{good:>4} of {of:<4}{100 * good / of if of else 0:6.1f} %")
    if not show:
        return
    for result in results:
        for text in result.left:
            print(f"  left {result.wanted.name}: {text}")
        if result.loads:
            print(f"  does not load, {result.wanted.name}: {result.loads}")
        if result.names not in ("", "?"):
            print(f"  names of {result.wanted.name}: {result.names}")
    counted = Counter(text.split(" ")[0].rstrip(":") for r in results for text in r.left)
    print("  " + ", ".join(f"{word} {number}" for word, number in counted.most_common()))


if __name__ == "__main__":
    main()
