"""nox's own test resources, run by nox and by runenv: python benchmarks/nox_resources.py [WORD]

Fetches the source distribution of nox, in whose tests/resources they are, and runs what
nox_resources.txt names, each in a copy of that folder: a file, in brackets what nox's tests fill
in, and the arguments; behind a bar the arguments and variables of runenv where they are others, and
behind a double cross a piece of the line of docs/reference/nox-differences.md that tells of it.
A file that is no noxfile is a script: a session of a noxfile then runs it.

Compared are the exit code, what is written to standard output, which sessions ran in
which order and how each ended and, with -l, the JSON listing. Prints what differs and is not said
to, and what is said to differ and does not. The Pythons are those on PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from real_files import Wanted, fetch_trees

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "nox-differences.md"
RESOURCES = "tests/resources"
ENDINGS = {
    "was successful": "passed",
    "failed": "failed",
    "aborted": "failed",
    "skipped": "skipped",
}
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")  # of an object that has no other repr
RUNS_A_SCRIPT = """
import nox

@nox.session
def script(session):
    session.install_and_run_script("{}")
"""


class Case(NamedTuple):
    """A line of the list."""

    file: str
    filled_in: dict[str, str]
    theirs: list[str]
    ours: list[str]
    variables: dict[str, str]  # for ours
    difference: str  # "" where there is none
    line: str


class Came(NamedTuple):
    """What came of a case by one of the two."""

    code: int
    output: str
    sessions: list[tuple[str, str]]  # names, and how they ended
    listing: object


def read_cases(words: list[str]) -> list[Case]:
    """The lines of the list that have one of the words. Ends where the page lacks a reason."""
    page = PAGE.read_text(encoding="utf-8")
    cases = []
    for line in (HERE / "nox_resources.txt").read_text(encoding="utf-8").splitlines():
        said, _, difference = line.partition(" # ")
        if difference not in page:
            raise SystemExit(f"{PAGE.name} says nothing of {difference!r}")
        theirs, bar, ours = said.partition(" | ")
        first, *arguments = shlex.split(theirs)
        found = re.fullmatch(r"([^[]+)(?:\[(.*)\])?", first)
        assert found is not None
        pairs = (pair.partition("=") for pair in (found[2] or "").split(",") if pair)
        filled_in = {name: value for name, _, value in pairs}
        mine = shlex.split(ours) if bar else arguments
        variables = dict(word.split("=") for word in mine if word.startswith("NOX"))
        mine = [word for word in mine if not word.startswith("NOX")]
        if not words or any(word in line for word in words):
            cases.append(Case(found[1], filled_in, arguments, mine, variables, difference, line))
    return cases


def prepare(case: Case, resources: Path, folder: Path) -> Path:
    """The noxfile of a case, in a copy of the resources."""
    shutil.copytree(resources, folder, symlinks=True)
    file = folder / case.file
    text = file.read_text(encoding="utf-8")
    if not file.name.startswith("noxfile"):
        noxfile = file.with_name("noxfile_of_a_script.py")
        noxfile.write_text(RUNS_A_SCRIPT.format(file.name), encoding="utf-8")
        return noxfile
    if case.filled_in:
        for name, value in case.filled_in.items():
            text = re.sub(rf"# (nox.options.{name} = .*)", r"\1", text)
            text = text.replace(f"${{{name}}}", value).replace(f"{{{name}}}", value)
        file.write_text(text, encoding="utf-8")
    return file


def theirs_of(case: Case, noxfile: Path) -> Came:
    """What nox makes of it."""
    listing = ["--json"] if "-l" in case.theirs else []
    done = _run(["nox", "-f", noxfile.name, *case.theirs, *listing], noxfile.parent, {})
    # Its report cannot be written where a parameter is no JSON.
    told = re.findall(rf"^nox > Session (.+?) ({'|'.join(ENDINGS)})\b", done.stderr, re.MULTILINE)
    return Came(
        {3: 2}.get(done.returncode, done.returncode),  # "Exit codes" of the page
        "" if listing else done.stdout,
        [(name, ENDINGS[ended]) for name, ended in told],
        [
            [s["session"], s["name"], s["description"], s["python"] or None, s["tags"]]
            for s in _listing(done.stdout)
        ]
        if listing
        else None,
    )


def ours_of(case: Case, noxfile: Path) -> Came:
    """What runenv makes of it."""
    listing = ["--json"] if "-l" in case.ours else []
    words = listing or ["--report", "report.json"]
    argv = ["runenv", "-f", noxfile.name, *words, *case.ours]
    done = _run(argv, noxfile.parent, case.variables)
    path = noxfile.with_name("report.json")
    jobs = json.loads(path.read_text(encoding="utf-8"))["jobs"] if path.exists() else []
    return Came(
        done.returncode,
        "" if listing else done.stdout,
        [
            (j["name"], "failed" if "did not pass" in j["reason"] else j["result"])
            for j in jobs
            if "not started" not in j["reason"]
        ],
        [
            [j["name"], j["session"], j["description"], j["python"], j["tags"]]
            for j in _listing(done.stdout, "jobs")
            if len(case.ours) > 1 or j["default"]
        ]
        if listing
        else None,
    )


def _run(
    argv: list[str], folder: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("NOX", "RUNENV_"))}
    environ.pop("CI", None)
    environ.update(variables, RUNENV_STORE=str(folder / ".store"))
    return subprocess.run(
        argv,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _listing(output: str, key: str = "") -> list[dict[str, object]]:
    found = json.loads(output) if output else []
    rows: list[dict[str, object]] = found[key] if key and found else found
    return rows


def compared(case: Case, resources: Path) -> tuple[Came, Came]:
    """What both make of it, each in a copy of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        theirs = theirs_of(case, prepare(case, resources, Path(folder) / "nox"))
        return theirs, ours_of(case, prepare(case, resources, Path(folder) / "runenv"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("word", nargs="*", help="lines that have it in them")
    parser.add_argument("--version", default="2026.10.20", help="of nox")
    given = parser.parse_args()
    here = fetch_trees([Wanted("nox", given.version, f"{RESOURCES}/noxfile.py")])
    if not here:
        raise SystemExit(f"nox {given.version} is not to be had")
    resources = here[0].tree / RESOURCES
    cases = read_cases(given.word)
    files = {str(p.relative_to(resources)) for p in resources.rglob("*.py")}
    named = {case.file for case in cases}
    if not given.word and files - named:
        raise SystemExit(f"the list lacks {', '.join(sorted(files - named))}")
    with ThreadPoolExecutor(2) as threads:
        came = list(threads.map(lambda case: compared(case, resources), cases))
    same, differing, wrong = 0, 0, 0
    for case, (theirs, ours) in zip(cases, came, strict=True):
        if _ADDRESS.sub("", str(theirs)) == _ADDRESS.sub("", str(ours)):
            same += 1
            unsaid = bool(case.difference) and case.theirs == case.ours
        else:
            differing += bool(case.difference)
            unsaid = not case.difference
        if unsaid:
            wrong += 1
            print(case.line, f"  nox     {theirs}", f"  runenv  {ours}", sep="\n")
    print(f"{len(named)} files, {len(cases)} runs: {same} the same, {differing} as the page says")
    if wrong:
        sys.exit(f"{wrong} not as it says")


if __name__ == "__main__":
    main()
