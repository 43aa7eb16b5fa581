"""Start-up beside nox and the bare interpreter, in one run: python benchmarks/startup.py

Prints CPU milliseconds (user + system, of the process alone): median and spread, the
difference to `python -c pass`, and the ratio to it and to nox. The commands take
turns (A B C A B C ...), so that a machine that slows down slows all of them.
Needs nox beside runenv; `runenv startup` provides it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from measure import Contender, machine, program, take_turns

SESSION = """
@{module}.session(tags=["t"])
def session_{number}(session):
    \"\"\"Session number {number}.\"\"\"
    session.run("python", "-c", "pass")
"""

# What a run may cost above the bare interpreter, in CPU milliseconds.
BUDGETS = {"runenv --version": 15, "runenv --list, 10 sessions": 40}


def write_project(folder: Path, sessions: int) -> None:
    """A project with the same sessions for runenv and for nox."""
    folder.mkdir()
    for module, file in (("runner", "envfile.py"), ("nox", "noxfile.py")):
        text = f"import {module}\n" + "".join(
            SESSION.format(module=module, number=number) for number in range(sessions)
        )
        (folder / file).write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    runenv, nox = program("runenv"), program("nox")
    with tempfile.TemporaryDirectory() as temporary:
        ten, thousand = Path(temporary, "ten"), Path(temporary, "thousand")
        write_project(ten, 10)
        write_project(thousand, 1000)
        contenders = {"python -c pass": Contender([sys.executable, "-c", "pass"], ten)}
        for name, path in (("runenv", runenv), ("nox", nox)):
            contenders |= {
                f"{name} --version": Contender([path, "--version"], ten),
                f"{name} --list, 10 sessions": Contender([path, "--list"], ten),
                f"{name} --list, 1,000 sessions": Contender([path, "--list"], thousand),
            }
        took = take_turns(contenders, rounds)
    report({name: [one.cpu_ms for one in runs] for name, runs in took.items()}, rounds)


def report(taken: dict[str, list[float]], rounds: int) -> None:
    """Print the table."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    floor = medians["python -c pass"]
    print(f"{machine(rounds)}; CPU ms\n")
    print(
        f"{'':31} {'median':>7} {'min':>7} {'max':>7} {'above':>7}"
        f" {'x bare':>7} {'x nox':>7}  budget"
    )
    for name, times in taken.items():
        peer = medians.get(name.replace("runenv", "nox"))
        by_nox = f"{medians[name] / peer:7.2f}" if peer and name.startswith("runenv") else " " * 7
        budget = BUDGETS.get(name)
        kept = (
            ""
            if budget is None
            else f"+{budget}: {'kept' if medians[name] - floor <= budget else 'MISSED'}"
        )
        print(
            f"{name:31} {medians[name]:7.1f} {min(times):7.1f} {max(times):7.1f}"
            f" {medians[name] - floor:7.1f} {medians[name] / floor:7.2f} {by_nox}  {kept}".rstrip()
        )


if __name__ == "__main__":
    main()
