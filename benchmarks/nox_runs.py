"""Sessions of public projects, run by nox and by runenv: python benchmarks/nox_runs.py [WORD]

A line of nox_runs.txt is OWNER/REPOSITORY@COMMIT, or NAME==VERSION of a source
distribution, the name of a session, and the variables that are set for both. Each run is
in a copy of the project that is thrown away; both tools are in environments of their own,
thrown away too, for a session without an environment installs into the one that runs it.
The Pythons are those on PATH. In each round nox and runenv take turns, at first with
nothing but the caches of downloads, then with what the run before left (`nox -r`).

Prints the exit codes and pytest's closing counts where they differ, and of each the
shortest wall time in seconds, and how much wall and CPU time runenv took of nox's. The first
round may download, which is why there are two.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from measure import ENVIRON, Took, machine
from real_files import KEPT, Wanted, fetch_trees

HERE = Path(__file__).parent
TOOLS = {"nox": ["nox[uv]"], "runenv": [str(HERE.parent), "uv"]}
RUNS = ("first", "second")


class Row(NamedTuple):
    """A line of the list."""

    project: str
    session: str
    variables: dict[str, str]

    @property
    def told(self) -> str:
        """What the table calls it."""
        return f"{re.split('@|==', self.project)[0]} {self.session}"


class Ran(NamedTuple):
    """What came of one run."""

    code: int
    counts: str  # pytest's last line without its time, "" where there is none
    took: Took


def read_rows(words: list[str]) -> list[Row]:
    """The lines of the list that have one of the words."""
    lines = (HERE / "nox_runs.txt").read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines:
        project, session, *variables = line.split()
        if not words or any(word in line for word in words):
            pairs = (variable.partition("=") for variable in variables)
            rows.append(Row(project, session, {name: value for name, _, value in pairs}))
    return rows


def fetch(project: str) -> Path:
    """The folder of a project, kept; ends the benchmark where it cannot be had."""
    if "==" in project:
        name, _, version = project.partition("==")
        wanted = Wanted(name, version, "noxfile.py")
        if not fetch_trees([wanted]):
            raise SystemExit(f"there is no {project} with a noxfile.py")
        return wanted.tree
    repository, _, commit = project.partition("@")
    folder = KEPT / "clones" / project.replace("/", "+")
    if not folder.exists():
        half = folder.with_name(f"{folder.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        url = f"https://github.com/{repository}"
        subprocess.run(["git", "clone", "-q", "--no-checkout", url, str(half)], check=True)
        checkout = ["git", "-c", "advice.detachedHead=false", "checkout", "-q", commit]
        subprocess.run(checkout, cwd=half, check=True)
        half.rename(folder)
    return folder


def make_tools(home: Path) -> dict[str, dict[str, str]]:
    """The surroundings of each tool, which begin with its own environment."""
    surroundings = {}
    for tool, packages in TOOLS.items():
        place = home / tool
        python = str(place / "bin" / "python")
        # With pip, as people have them: a session without an environment calls for it.
        subprocess.run(["uv", "venv", "-q", "--seed", "-p", sys.executable, str(place)], check=True)
        install = ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", python]
        subprocess.run([*install, *packages], check=True)
        environ = {k: v for k, v in ENVIRON.items() if not k.startswith(("NOX", "RUNENV_"))}
        surroundings[tool] = {
            **environ,
            "PATH": f"{place / 'bin'}{os.pathsep}{environ['PATH']}",
            "VIRTUAL_ENV": str(place),
        }
    return surroundings


def run_once(argv: list[str], folder: Path, environ: dict[str, str], output: Path) -> Ran:
    """One run."""
    output.parent.mkdir(parents=True, exist_ok=True)
    os.sync()
    with open(os.devnull, "rb") as nothing, output.open("wb") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=folder, env=environ, stdin=nothing, stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    took = Took(wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000)
    text = re.sub(r"\x1b\[[0-9;]*m", "", output.read_text(encoding="utf-8", errors="replace"))
    closing = re.findall(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", text, re.MULTILINE)
    # Warnings are not counted: some come with the first bytecode only.
    counts = re.sub(r", \d+ warnings?", "", closing[-1]) if closing else ""
    return Ran(process.returncode, counts, took)


def run_row(
    row: Row, surroundings: dict[str, dict[str, str]], outputs: Path, backend: str | None
) -> dict[tuple[str, str], Ran]:
    """What came of a row, by the tool and the run, of one round."""
    project = fetch(row.project)
    ran = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        copies = {tool: Path(temporary) / tool / project.name for tool in TOOLS}
        for copy in copies.values():
            shutil.copytree(project, copy, symlinks=True)
        for run in RUNS:
            for tool, copy in copies.items():
                choice = ["-db", backend] if tool == "nox" and backend else []
                again = ["-r"] if tool == "nox" and run == "second" else []
                named = ["-s", row.session] if tool == "nox" else [row.session]
                environ = surroundings[tool] | row.variables
                environ["RUNENV_STORE"] = str(Path(temporary) / "store")
                ran[tool, run] = run_once(
                    [tool, "-f", "noxfile.py", *choice, *again, *named],
                    copy,
                    environ,
                    outputs / f"{row.told.replace('/', '+')} {tool} {run}",
                )
    return ran


def differences(ran: dict[tuple[str, str], Ran]) -> str:
    """How the tools differ in what came of it."""
    found = []
    for run in RUNS:
        nox, ours = ran["nox", run], ran["runenv", run]
        if nox.code != ours.code:
            found.append(f"{run}: nox exits with {nox.code}, runenv with {ours.code}")
        if nox.counts != ours.counts:
            found.append(f"{run}: nox has {nox.counts or 'no counts'}, runenv {ours.counts}")
    return "; ".join(found)


def shortest(took: list[Took]) -> Took:
    """The shortest wall time, and the least CPU time."""
    return Took(min(one.wall_ms for one in took), min(one.cpu_ms for one in took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("word", nargs="*", help="lines that have it in them")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--backend", help="of nox; where it is not given, what nox chooses")
    parser.add_argument("--outputs", type=Path, default=KEPT / "outputs", help="kept there")
    given = parser.parse_args()
    print(
        f"{machine(given.rounds, 'the least')}; nox's backend: {given.backend or 'its own choice'}"
    )
    print(f"{'':52}{'first run':>28}{'second run':>28}")
    print(f"{'':52}" + f"{'nox':>7}{'runenv':>7}{'wall':>7}{'cpu':>7}" * 2)
    wrong = 0
    with tempfile.TemporaryDirectory() as home:
        surroundings = make_tools(Path(home))
        for row in read_rows(given.word):
            rounds = [
                run_row(row, surroundings, given.outputs, given.backend)
                for _ in range(given.rounds)
            ]
            line = f"{row.told:52}"
            for run in RUNS:
                nox, ours = (shortest([r[tool, run].took for r in rounds]) for tool in TOOLS)
                wall, cpu = ours.wall_ms / nox.wall_ms, ours.cpu_ms / nox.cpu_ms
                line += f"{nox.wall_ms / 1000:7.1f}{ours.wall_ms / 1000:7.1f}{wall:7.2f}{cpu:7.2f}"
            told = sorted({told for ran in rounds if (told := differences(ran))})
            counts, code = rounds[-1]["nox", "first"].counts, rounds[-1]["nox", "first"].code
            wrong += bool(told)
            print(line, *(told or [f"  {counts}" if not code else f"  both fail with {code}"]))
            sys.stdout.flush()
    print("all end alike" if not wrong else f"{wrong} do not end alike")


if __name__ == "__main__":
    main()
