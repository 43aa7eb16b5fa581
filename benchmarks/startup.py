"""Start-up beside nox and the bare interpreter, in one run: python benchmarks/startup.py

Prints CPU milliseconds (user + system, of the process alone): median and spread, the
difference to `python -c pass`, and the ratio to it and to nox. TAB is what a shell starts to
complete a name, by env(1). The commands take turns (A B C A B C ...), so that a machine that
slows down slows all of them.
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
BUDGETS = {
    "runenv --version": 6,
    "runenv --list, 10 sessions": 20,
    "runenv --list, 1,000 sessions": 60,
    "runenv TAB, 10 sessions": 12,
}


def write_project(folder: Path, sessions: int) -> None:
    """A project with the same sessions for runenv and for nox."""
    folder.mkdir()
    for module, file in (("runner", "envfile.py"), ("nox", "noxfile.py")):
        text = f"import {module}\n" + "".join(
            SESSION.format(module=module, number=number) for number in range(sessions)
        )
        (folder / file).write_text(text)


def tab(folder: Path, runenv: str) -> list[str]:
    """What bash starts where TAB is pressed behind the begin of a name."""
    line = "runenv sess"
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "offered"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    return ["env", *(f"{name}={value}" for name, value in variables.items()), runenv]


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
        contenders["runenv TAB, 10 sessions"] = Contender(tab(Path(temporary), runenv), ten)
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
