"""First envfiles of real projects: python benchmarks/init.py [--keep DIR] [WORD]

A line of init.txt is NAME==VERSION of a source distribution, or OWNER/REPOSITORY@COMMIT, and
what kind of project it is. pip or git fetches it, `runenv --init` writes its envfile, and
`runenv` runs it, in a copy that is thrown away. Prints for each whether it was
green, what ran, and what was told to be missing. Needs an index.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from measure import ENVIRON

HERE = Path(__file__).parent
RUNENV = [sys.executable, "-m", "runner", "--color", "never"]
TOO_LONG_S = 900


class Row(NamedTuple):
    """A line of the list."""

    project: str  # NAME==VERSION or OWNER/REPOSITORY@COMMIT
    kind: str


def read_rows(words: list[str]) -> list[Row]:
    """The lines of the list that have one of the words."""
    lines = (HERE / "init.txt").read_text(encoding="utf-8").splitlines()
    rows = [Row(*line.split(" ", 1)) for line in lines if line]
    return [r for r in rows if not words or any(word in " ".join(r) for word in words)]


def fetch(row: Row, folder: Path) -> Path:
    """The folder of the project, unpacked there."""
    repository, _, commit = row.project.partition("@")
    if commit:
        root = folder / "tree"
        url = f"https://github.com/{repository}"
        subprocess.run(["git", "clone", "-q", "--no-checkout", url, str(root)], check=True)
        checkout = ["git", "-c", "advice.detachedHead=false", "checkout", "-q", commit]
        subprocess.run(checkout, cwd=root, check=True)
        return root
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", str(folder / "archive"), row.project]
    subprocess.run(command, check=True)
    (archive,) = (folder / "archive").iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "tree", filter="data")
    (root,) = (folder / "tree").iterdir()
    return root


def run(root: Path, *arguments: str) -> tuple[int, str, float]:
    """The exit code, all that was written, and the seconds that it took."""
    began = time.perf_counter()
    done = subprocess.run(
        [*RUNENV, *arguments],
        cwd=root,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=TOO_LONG_S,
        check=False,
    )
    return done.returncode, done.stdout, time.perf_counter() - began


def try_one(row: Row, folder: Path) -> bool:
    """Whether it was green at once; what came is told."""
    try:
        root = fetch(row, folder)
    except subprocess.CalledProcessError as error:
        print(f"✗ {row.project} ({row.kind}): it cannot be fetched (exit code {error.returncode})")
        return False
    code, told, _ = run(root, "--init")
    (folder / "told").write_text(told)
    if code:
        print(f"✗ {row.project} ({row.kind}): --init exits with {code}\n{told}")
        return False
    code, output, took_s = run(root)
    (folder / "output").write_text(output)
    jobs = re.findall(r"^[✓✗–] (\w+) +(\S+)", output, re.MULTILINE)
    counts = re.findall(r"^=* ?(\d+ (?:passed|failed).*? in [\d.]+s|Ran \d+ tests)", output, re.M)
    shown = ", ".join(f"{name} {how}" for how, name in jobs)
    sign = "✗" if code else "✓"
    print(f"{sign} {row.project} ({row.kind}): {shown}; {'; '.join(counts)}; {took_s:.0f} s")
    for heading in ("missing", "if tests fail"):
        said = told.partition(f"{heading}:\n")[2].partition("\n\n")[0]
        if said:
            print(f"    {heading}: {said.strip()}")
    return not code


def main() -> None:
    """Try each line of the list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--keep", type=Path, help="where projects and outputs stay")
    arguments = parser.parse_args()
    rows = read_rows(arguments.words)
    green = 0
    for row in rows:
        folder = Path(tempfile.mkdtemp(prefix="runenv-init-"))
        try:
            green += try_one(row, folder)
        finally:
            if arguments.keep:
                kept = arguments.keep / row.project.replace("/", "+")
                shutil.rmtree(kept, ignore_errors=True)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(folder, kept)
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
    print(f"{green} of {len(rows)} are green at once")


if __name__ == "__main__":
    main()
