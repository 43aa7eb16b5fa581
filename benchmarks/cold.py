"""New environments beside uv by hand, nox and tox, in one run: python benchmarks/cold.py

What is installed lies in uv's cache after the first round, which is not counted.
Prints milliseconds of wall time (medians) and the ratio to the same work by hand.
For runenv, nox and tox a warm run of the same is taken off: what is left is what
the environment cost. Prints, too, what ten sessions with the same set hold on the
disk, with hard links counted once, and in inodes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

from measure import ENVIRON, Contender, machine, medians, program, take_turns
from warm import write_wheel

SETS = {
    "nothing": [],
    "one small wheel": ["small"],
    "a test set": ["pytest", "pytest-cov", "hypothesis", "requests", "rich"],
    "a large set": ["numpy", "pandas", "scipy", "matplotlib", "ruff", "mypy"],
    "the project": ["."],
    "ten sessions": ["pytest", "pytest-cov", "hypothesis", "requests", "rich"],
}
PEERS = ("nox", "tox")


class Held(NamedTuple):
    """What a folder holds, with hard links counted once."""

    mebibytes: float
    inodes: int


def write_project(folder: Path, packages: list[str], sessions: int) -> None:
    """A small library and the same sessions for runenv, nox and tox."""
    folder.mkdir()
    (folder / "src" / "mine").mkdir(parents=True)
    (folder / "src" / "mine" / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "mine"\nversion = "1.0"\n'
    )
    names = [f"s{number}" for number in range(sessions)]
    deps = [name for name in packages if name != "."]
    project = "'wheel'" if "." in packages else "False"
    (folder / "envfile.py").write_text(
        "import runner\n"
        + "".join(
            f"\n@runner.session(deps={deps}, project={project})\ndef {name}(session):\n"
            "    session.run('python', '-c', 'pass')\n"
            for name in names
        )
    )
    install = f"    session.install(*{packages})\n" if packages else ""
    (folder / "noxfile.py").write_text(
        "import nox\nnox.options.default_venv_backend = 'uv'\n"
        + "".join(
            f"\n@nox.session\ndef {name}(session):\n{install}"
            "    session.run('python', '-c', 'pass')\n"
            for name in names
        )
    )
    skip = "false" if "." in packages else "true"
    deps_line = "deps =\n" + "".join(f"    {dep}\n" for dep in deps)
    (folder / "tox.ini").write_text(
        f"[tox]\nenv_list = {','.join(names)}\n[testenv]\nskip_install = {skip}\n"
        f"package = wheel\n{deps_line}commands = python -c pass\n"
    )


def by_hand(folder: Path, packages: list[str], sessions: int) -> str:
    """The shell script that does the same with uv alone."""
    uv = program("uv")
    lines = []
    for number in range(sessions):
        place = folder / "hand" / str(number)
        python = place / "bin" / "python"
        lines.append(f"{uv} venv -q --python {sys.executable} {place}")
        if packages:
            lines.append(f"{uv} pip install -q --python {python} {' '.join(packages)}")
    return " && ".join(lines)


def held_in(folder: Path) -> Held:
    """What is in a folder, however often it is linked."""
    sizes = {}
    for above, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            state = os.lstat(os.path.join(above, name))
            # Linked from uv's cache too: nothing is added to the disk.
            if state.st_nlink == 1 or os.path.isdir(os.path.join(above, name)):
                sizes[state.st_ino] = state.st_blocks * 512
    return Held(sum(sizes.values()) / 2**20, len(sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one of the sets", choices=SETS)
    asked = parser.parse_args()
    print(machine(asked.rounds))
    print(f"\n{'':22}{'by hand':>9}{'runenv':>9}{'ratio':>7}{'nox+uv':>9}{'tox-uv':>9}")
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        (home / "wheels").mkdir()
        write_wheel(home / "wheels")
        environ = {**ENVIRON, "UV_FIND_LINKS": str(home / "wheels")}
        for title, packages in SETS.items():
            if asked.only in (None, title):
                report(title, packages, home / title.replace(" ", "-"), asked.rounds, environ)


def report(
    title: str, packages: list[str], folder: Path, rounds: int, environ: dict[str, str]
) -> None:
    """Measure one set and print its row."""
    sessions = 10 if title == "ten sessions" else 1
    write_project(folder, packages, sessions)

    def without(name: str) -> None:
        shutil.rmtree(folder / name, ignore_errors=True)

    hand = by_hand(folder, packages, sessions)
    contenders = {
        "by hand": Contender(["sh", "-c", hand], folder, partial(without, "hand")),
        "runenv": Contender([program("runenv")], folder, partial(without, ".runenv")),
        "runenv warm": Contender([program("runenv")], folder),
        "nox": Contender([program("nox")], folder, partial(without, ".nox")),
        "nox warm": Contender([program("nox"), "-R"], folder),
        "tox": Contender([program("tox")], folder, partial(without, ".tox")),
        "tox warm": Contender([program("tox"), "--skip-pkg-install"], folder),
    }
    took = medians(take_turns(contenders, rounds, environ))
    cost = {name: took[name].wall_ms - took[f"{name} warm"].wall_ms for name in ("runenv", *PEERS)}
    hand_ms = took["by hand"].wall_ms
    print(
        f"{title:22}{hand_ms:9.0f}{cost['runenv']:9.0f}{cost['runenv'] / hand_ms:7.2f}"
        f"{cost['nox']:9.0f}{cost['tox']:9.0f}"
    )
    if sessions > 1:
        for name, place in (("runenv", ".runenv"), ("nox", ".nox"), ("tox", ".tox")):
            held = held_in(folder / place)
            print(f"  on the disk, {name:9}{held.mebibytes:9.1f} MiB{held.inodes:9} inodes")


if __name__ == "__main__":
    main()
