"""Public noxfiles, listed by nox and by runenv: python benchmarks/noxfiles.py [--half 2]

With --converted it is the envfile that `runenv --convert` makes of each, in place of the noxfile;
and told is of how many nothing was left over or approximated, too.

noxfiles.txt names source distributions and the path of the noxfile in each; pip fetches
them into a folder that is kept. What is compared of each session is its name, family,
Python, tags, names of parameters, first line of the docstring, and whether it runs when
nothing is named. The halves are of the list: what is mended for one is measured on the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter
from functools import partial
from pathlib import Path

from runner.convert import convert
from runner.declare import cleaned

BENCHMARKS = Path(__file__).parent

# What nox knows of all sessions: its own listing tells of those that are selected alone.
THEIRS = """
import json, os, sys
out = os.dup(1)
os.dup2(2, 1)
from nox import _options, tasks
config = _options.options.parse_args(["-l", "-f", sys.argv[1]])
module = tasks.load_nox_module(config)
tasks.merge_noxfile_options(module, config)
manifest = tasks.discover_manifest(module, config)
tasks.filter_manifest(manifest, config)
rows = [
    [s.friendly_name, s.name, s.func.python or None, list(dict.fromkeys(s.tags)),
     list(getattr(s.func, "call_spec", {})), s.description or "", chosen]
    for s, chosen in manifest.list_all_sessions()
]
os.write(out, json.dumps(rows).encode())
"""


def listed(command: list[str], noxfile: Path) -> str | None:
    """What a command prints of a noxfile; None where it cannot load it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NOX")}
    done = subprocess.run(
        [*command, str(noxfile)],
        cwd=noxfile.parent,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


def ours_of(noxfile: Path) -> list[list[object]] | None:
    """The sessions by runenv."""
    text = listed([sys.executable, "-m", "runner", "--list", "--json", "-f"], noxfile)
    if text is None:
        return None
    return [
        [
            job["name"],
            job["session"],
            job["python"],
            job["tags"],
            list(job["parameters"]),
            job["description"],
            job["default"],
        ]
        for job in json.loads(text)["jobs"]
    ]


def fetch(requirement: str, folder: Path) -> Path | None:
    """The unpacked source distribution; None where it cannot be had."""
    target = folder / requirement
    if not target.is_dir():
        target.mkdir(parents=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:"]
        subprocess.run([*pip, "-d", str(target), requirement], check=False)
        for archive in target.glob("*.tar.gz"):
            with tarfile.open(archive) as opened:
                opened.extractall(target, filter="data")
    return next((path for path in target.iterdir() if path.is_dir()), None)


def compared(rows: list[list[object]]) -> Counter[str]:
    """What is the same of a noxfile and its envfile: all but the order and the spelling of names.

    A Python that a parameter has named is the Python itself.
    """
    return Counter(
        json.dumps(
            [
                cleaned(str(family)),
                python,
                sorted(tags),
                sorted(name for name in parameters if name != "python"),
                described,
                chosen,
            ]
        )
        for _, family, python, tags, parameters, described, chosen in rows
    )


def read_beside(noxfile: Path, name: str) -> str | None:
    """The text of a file that a noxfile names."""
    try:
        return (noxfile.parent / name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def convert_all(chosen: list[list[str]], folder: Path, *, show: bool) -> None:
    """Convert each, and print the rates."""
    counts = dict.fromkeys(
        ("nothing left over", "nothing left or approximated", "loads", "lists the same"), 0
    )
    total, asked, declaring, sessions = 0, 0, 0, 0
    for requirement, path in chosen:
        root = fetch(requirement, folder)
        if root is None or not (root / path).is_file():
            continue
        noxfile = root / path
        made = convert(
            str(noxfile), noxfile.read_text(encoding="utf-8-sig"), partial(read_beside, noxfile)
        )
        assert made is not None
        total += 1
        kinds = {note.kind for note in made.notes}
        counts["nothing left over"] += "left" not in kinds
        counts["nothing left or approximated"] += not kinds & {"left", "approximated"}
        sessions += len(made.environments)
        said = made.made.partition(", ")[2].split(" ")[0]
        declaring += int(said) if said else 0
        envfile = noxfile.with_name("envfile.py")
        was = envfile.read_bytes() if envfile.exists() else None
        envfile.write_text(made.text, encoding="utf-8")
        try:
            ours = ours_of(envfile)
        finally:
            if was is None:
                envfile.unlink()
            else:
                envfile.write_bytes(was)
        theirs = listed([sys.executable, "-c", THEIRS], noxfile)
        if show:
            for note in made.notes:
                print(f"{note.kind} {requirement}:{note.line}: {note.text}")
            if ours is None:
                print("does not load:", requirement)
        if theirs is None:
            continue
        asked += 1
        counts["loads"] += ours is not None
        same = ours is not None and compared(json.loads(theirs)) == compared(ours)
        counts["lists the same"] += same
        if not same:
            print("not the same:", requirement)
            if show and ours is not None:
                left = compared(json.loads(theirs)), compared(ours)
                print("   nox alone:", *list(left[0] - left[1])[:3])
                print("  ours alone:", *list(left[1] - left[0])[:3])
    for told, count in counts.items():
        print(f"{count:4} of {total if told.startswith('nothing') else asked} {told}")
    print(f"{declaring:4} of {sessions} sessions declare what they install")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", type=int, choices=(1, 2))
    parser.add_argument("--folder", type=Path, default=Path("noxfiles"))
    parser.add_argument("--converted", action="store_true", help="by runenv --convert")
    parser.add_argument("--show", action="store_true", help="what was left, and what differs")
    given = parser.parse_args()
    lines = (BENCHMARKS / "noxfiles.txt").read_text().splitlines()
    middle = len(lines) // 2
    chosen = {None: lines, 1: lines[:middle], 2: lines[middle:]}[given.half]
    if given.converted:
        convert_all([line.split() for line in chosen], given.folder.absolute(), show=given.show)
        return
    counts = dict.fromkeys(("the same", "not the same", "nox cannot load it", "not fetched"), 0)
    for requirement, path in map(str.split, chosen):
        root = fetch(requirement, given.folder.absolute())
        if root is None or not (root / path).is_file():
            counts["not fetched"] += 1
            continue
        theirs = listed([sys.executable, "-c", THEIRS], root / path)
        if theirs is None:
            counts["nox cannot load it"] += 1
        elif json.loads(theirs) == ours_of(root / path):
            counts["the same"] += 1
        else:
            counts["not the same"] += 1
            print("not the same:", requirement)
    for told, count in counts.items():
        print(f"{count:4} {told}")


if __name__ == "__main__":
    main()
