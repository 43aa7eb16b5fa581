"""Public noxfiles, listed by nox and by runenv: python benchmarks/noxfiles.py [--half 2]

noxfiles.txt names source distributions and the path of the noxfile in each. What is
compared of each session is its name, family, Python, tags, names of parameters, first line
of the docstring, and whether it runs when nothing is named. The halves are of the list:
what is mended for one is measured on the other. Some import makefun, nox-ext, nox-lib,
nox-uv or laminci: where these are not installed nox cannot load them.

With --converted it is the envfile that `runenv --convert` makes of each, in place of the noxfile;
and told is of how many nothing was left over or approximated, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from real_files import fetch_trees, read_list

from runner.convert import convert
from runner.names import cleaned

if TYPE_CHECKING:
    from real_files import Wanted

LIST = Path(__file__).parent / "noxfiles.txt"

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


def convert_all(here: list[Wanted], *, show: bool) -> None:
    """Convert each, and print the rates."""
    counts = dict.fromkeys(
        ("nothing left over", "nothing left or approximated", "loads", "lists the same"), 0
    )
    total, asked, declaring, sessions = 0, 0, 0, 0
    for one in here:
        noxfile = one.tree / one.path
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
                print(f"{note.kind} {one.name}:{note.line}: {note.text}")
            if ours is None:
                print("does not load:", one.name)
        if theirs is None:
            continue
        asked += 1
        counts["loads"] += ours is not None
        same = ours is not None and compared(json.loads(theirs)) == compared(ours)
        counts["lists the same"] += same
        if not same:
            print("not the same:", one.name)
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
    parser.add_argument("--converted", action="store_true", help="by runenv --convert")
    parser.add_argument("--show", action="store_true", help="what was left, and what differs")
    given = parser.parse_args()
    wanted = read_list(LIST)
    middle = len(wanted) // 2
    chosen = {None: wanted, 1: wanted[:middle], 2: wanted[middle:]}[given.half]
    here = fetch_trees(chosen)
    if given.converted:
        convert_all(here, show=given.show)
        return
    counts = {"the same": 0, "not the same": 0, "nox cannot load it": 0}
    for one in here:
        noxfile = one.tree / one.path
        theirs = listed([sys.executable, "-c", THEIRS], noxfile)
        if theirs is None:
            told = "nox cannot load it"
        else:
            told = "the same" if json.loads(theirs) == ours_of(noxfile) else "not the same"
        counts[told] += 1
        if told != "the same":
            print(f"{told}: {one.name} {one.version}")
    counts["not fetched"] = len(chosen) - len(here)
    for told, count in counts.items():
        print(f"{count:4} {told}")


if __name__ == "__main__":
    main()
