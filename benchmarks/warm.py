"""Warm runs beside nox and tox and the bare commands, in one run: python benchmarks/warm.py

Each session runs `python -c pass` in an environment with one small package that
is there already. Prints milliseconds: the median wall and CPU time, what is above
the bare commands, what each further session costs above its own command, and the
overhead as a ratio to that of the best peer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from measure import ENVIRON, Contender, machine, medians, program, take_turns
from projects import write_project, write_wheel

COUNTS = (1, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(machine(rounds))
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        write_wheel(home / "wheels")
        environ = {**ENVIRON, "UV_FIND_LINKS": str(home / "wheels"), "UV_OFFLINE": "1"}
        contenders: dict[str, Contender] = {}
        for count in COUNTS:
            folder = home / str(count)
            write_project(folder, ["small"], "pass", sessions=count)
            python = os.path.join(folder, ".runenv", "s0", "bin", "python")
            loop = f"for n in $(seq {count}); do {python} -c pass; done"
            contenders |= {
                f"{count} runenv": Contender([program("runenv")], folder),
                f"{count} bare commands": Contender(["sh", "-c", loop], folder),
                f"{count} nox -R": Contender([program("nox"), "-R"], folder),
                f"{count} nox -r": Contender([program("nox"), "-r"], folder),
                f"{count} tox": Contender([program("tox")], folder),
            }
        middle = medians(take_turns(contenders, rounds, environ))
    print(f"\n{'':18}{'wall':>8}{'cpu':>8}{'above':>8}{'each':>8}{'of best peer':>14}")
    for count in COUNTS:
        bare = middle[f"{count} bare commands"].cpu_ms
        above = {
            name.partition(" ")[2]: took.cpu_ms - bare
            for name, took in middle.items()
            if name.startswith(f"{count} ")
        }
        best = min(ms for name, ms in above.items() if name not in ("runenv", "bare commands"))
        for name, ms in above.items():
            took = middle[f"{count} {name}"]
            one = middle[f"1 {name}"].cpu_ms - middle["1 bare commands"].cpu_ms
            each = f"{(ms - one) / (count - 1):8.1f}" if count > 1 else " " * 8
            ratio = f"{ms / best:14.2f}" if name != "bare commands" else ""
            row = f"{count:2} {name:15}{took.wall_ms:8.0f}{took.cpu_ms:8.0f}{ms:8.0f}{each}{ratio}"
            print(row.rstrip())


if __name__ == "__main__":
    main()
