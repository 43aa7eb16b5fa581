"""Start-up beside nox and the bare interpreter, in one run: python benchmarks/startup.py

Prints CPU milliseconds (user + system, of the process alone): median and spread, the
difference to `python -c pass`, and the ratio to it and to nox. The commands take
turns (A B C A B C ...), so that a machine that slows down slows all of them.
Needs nox beside runenv; `runenv startup` provides it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SESSION = """
@{module}.session(tags=["t"])
def session_{number}(session):
    \"\"\"Session number {number}.\"\"\"
    session.run("python", "-c", "pass")
"""

# What a run may cost above the bare interpreter, in CPU milliseconds.
BUDGETS = {"runenv --version": 15, "runenv --list, 10 sessions": 40}

# pip compiled nox when it installed it, and uv does not compile: with this variable
# set runenv alone would be compiled in each run.
ENVIRON = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def write_project(folder: Path, sessions: int) -> None:
    """A project with the same sessions for runenv and for nox."""
    folder.mkdir()
    for module, file in (("runner", "envfile.py"), ("nox", "noxfile.py")):
        text = f"import {module}\n" + "".join(
            SESSION.format(module=module, number=number) for number in range(sessions)
        )
        (folder / file).write_text(text)


def cpu_ms(argv: list[str], folder: Path) -> float:
    """CPU time of one run, with what it waited for, in milliseconds."""
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(
            argv, cwd=folder, env=ENVIRON, stdout=nowhere, stderr=nowhere, stdin=nowhere
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(argv)} exited with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    scripts = sysconfig.get_path("scripts")
    runenv, nox = (shutil.which(name, path=scripts) for name in ("runenv", "nox"))
    if not runenv:
        raise SystemExit(
            "runenv is not installed beside this Python: run this with `runenv startup`"
        )
    with tempfile.TemporaryDirectory() as temporary:
        ten, thousand = Path(temporary, "ten"), Path(temporary, "thousand")
        write_project(ten, 10)
        write_project(thousand, 1000)
        commands = {
            "python -c pass": ([sys.executable, "-c", "pass"], ten),
            "runenv --version": ([runenv, "--version"], ten),
            "runenv --list, 10 sessions": ([runenv, "--list"], ten),
            "runenv --list, 1,000 sessions": ([runenv, "--list"], thousand),
        }
        if nox:
            commands |= {
                "nox --version": ([nox, "--version"], ten),
                "nox --list, 10 sessions": ([nox, "--list"], ten),
                "nox --list, 1,000 sessions": ([nox, "--list"], thousand),
            }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, (argv, folder) in commands.items():
                spent = cpu_ms(argv, folder)
                if number:  # the first round warms the caches
                    taken[name].append(spent)
    report(taken, rounds)


def report(taken: dict[str, list[float]], rounds: int) -> None:
    """Print the table."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    floor = medians["python -c pass"]
    print(
        f"Python {sys.version.split()[0]} on {sys.platform}, {os.cpu_count()} CPUs,"
        f" {rounds} rounds; CPU ms\n"
    )
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
