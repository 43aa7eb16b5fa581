"""Brings a conda environment to what it is asked to hold: a program, run by `conda.py`.

    python by_rattler.py PREFIX --channel C … --spec S … [--upgrade]

Knows nothing of the rest of runenv. What was asked for before stays: it stands in
`conda-meta/history`, as conda itself writes it. The Python that is there stays as
it is, since what pip has installed belongs to it.
"""

from __future__ import annotations

import os
import sys

if sys.path[:1] == [os.path.dirname(os.path.abspath(__file__))]:
    # The modules beside this one have names of others: venv, virtualenv, uv.
    del sys.path[0]

import argparse  # after the path is mended
import asyncio
import json
from pathlib import Path

from rattler import Channel, PrefixRecord, VirtualPackage, install, solve
from rattler.channel import ChannelPriority
from rattler.match_spec import MatchSpec

_ASKED = "# update specs: "


def main(argv: list[str]) -> int:
    """Solve, and install what differs; what goes wrong is told on standard error."""
    parser = argparse.ArgumentParser("conda", allow_abbrev=False, add_help=False)
    parser.add_argument("prefix")
    parser.add_argument("--channel", action="append", default=[])
    parser.add_argument("--spec", action="append", default=[])
    parser.add_argument("--upgrade", action="store_true")
    parser.add_argument("--channel-priority", choices=("strict", "disabled"), default="strict")
    given = parser.parse_args(argv)
    try:
        asyncio.run(_bring_to(given))
    except Exception as error:  # of rattler, in its own words
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


async def _bring_to(given: argparse.Namespace) -> None:
    there = _installed(given.prefix)
    specs = {
        str(MatchSpec(text).name): text for text in [*_asked_before(given.prefix), *given.spec]
    }
    priority = {"strict": ChannelPriority.Strict, "disabled": ChannelPriority.Disabled}
    records = await solve(
        [Channel(name) for name in given.channel],
        list(specs.values()),
        locked_packages=[] if given.upgrade else there,
        pinned_packages=[record for record in there if record.name.normalized == "python"],
        virtual_packages=VirtualPackage.detect(),
        channel_priority=priority[given.channel_priority],
    )
    await install(records, given.prefix, show_progress=False)
    with open(_history(given.prefix), "a", encoding="utf-8") as stream:
        stream.write(f"{_ASKED}{json.dumps(given.spec)}\n")
    new = {str(record.file_name) for record in records} - {str(r.file_name) for r in there}
    for name in sorted(new):
        print(f"+ {name}")


def _history(prefix: str) -> str:
    return os.path.join(prefix, "conda-meta", "history")


def _installed(prefix: str) -> list[PrefixRecord]:
    """What channels have given to the environment."""
    try:
        names = sorted(os.listdir(os.path.join(prefix, "conda-meta")))
    except FileNotFoundError:
        return []
    paths = [os.path.join(prefix, "conda-meta", name) for name in names if name.endswith(".json")]
    return [PrefixRecord.from_path(Path(path)) for path in paths]


def _asked_before(prefix: str) -> list[str]:
    """The specs of earlier calls, in order."""
    try:
        with open(_history(prefix), encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        return []
    found: list[str] = []
    for line in lines:
        if line.startswith(_ASKED):
            found += json.loads(line.removeprefix(_ASKED))
    return found


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Not sys.exit: threads of rattler that outlive the loop crash an interpreter that
    # is being taken down (0.28.0, CPython 3.13: 5 of 60 runs).
    os._exit(code)
