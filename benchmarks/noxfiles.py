"""Public noxfiles, listed by nox and by runenv: python benchmarks/noxfiles.py [--half 2]

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
from pathlib import Path

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


def ours_of(noxfile: Path) -> list[object] | None:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", type=int, choices=(1, 2))
    parser.add_argument("--folder", type=Path, default=Path("noxfiles"))
    given = parser.parse_args()
    lines = (BENCHMARKS / "noxfiles.txt").read_text().splitlines()
    middle = len(lines) // 2
    chosen = {None: lines, 1: lines[:middle], 2: lines[middle:]}[given.half]
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
