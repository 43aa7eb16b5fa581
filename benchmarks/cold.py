"""New environments beside uv by hand, nox and tox, in one run: python benchmarks/cold.py

What is installed lies in uv's cache after a first round, which is not counted. Of each
tool the wall time of a run that makes an environment is taken, less that of the run of the
same that finds it there: what is left is what the environment cost. Figures are medians
over the rounds, `ratio` is runenv to the work by hand. runenv has a store of its own here.

    small, typical, large   environments whose needs the store knows
    import                  what a set takes to be imported in one of these
    first                   environments while the store is empty
    ten                     what ten sessions with one set hold on the disk
    wheel                   the project's wheel after a change of one file
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from disk import Held, held_in
from measure import ENVIRON, Contender, above, machine, medians, program, run_once, take_turns
from projects import BACKENDS, write_library, write_project, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from measure import Took

RUNENV, UV = program("runenv"), program("uv")


class Packages(NamedTuple):
    """What is installed, and what a session of someone who needs it executes."""

    names: tuple[str, ...]
    code: str


SETS = {
    "nothing": Packages((), "pass"),
    "small": Packages(("small",), "import small"),
    "typical": Packages(
        ("pytest", "pytest-cov", "hypothesis", "requests", "rich"),
        "import pytest, pytest_cov.plugin, hypothesis, requests, rich.console",
    ),
    "large": Packages(
        ("numpy", "pandas", "scipy", "matplotlib", "ruff", "mypy"),
        "import numpy, pandas, scipy.stats, matplotlib.figure, mypy.build",
    ),
}


class Row(NamedTuple):
    """One line of the table."""

    case: str
    against: str  # what is done by hand
    hand: float
    runenv: float
    unit: str = "ms"
    at_most: str = ""  # of the ratio, or with the unit behind it of runenv's own figure
    nox: float | None = None
    tox: float | None = None

    @property
    def ratio(self) -> float:
        return self.runenv / self.hand if self.hand else float("nan")

    @property
    def verdict(self) -> str:
        if not self.at_most:
            return ""
        limit, _, unit = self.at_most.partition(" ")
        return "kept" if (self.runenv if unit else self.ratio) <= float(limit) else "MISSED"


class Place(NamedTuple):
    """Where a case is measured."""

    folder: Path  # there is none yet
    environ: Mapping[str, str]
    rounds: int

    @property
    def store(self) -> Path:
        """Its own, so that it knows what this case has taught it."""
        return self.folder / "store"


# Environments that the store knows. -----------------------------------------------------


def small(place: Place) -> Iterator[Row]:
    # A difference of two medians of some 100 ms: a few rounds do not tell 6 ms from 9.
    place = place._replace(rounds=place.rounds * 3)
    ways = ("another session", "another project", "after --clean")
    for way, took in known(place, SETS["small"], ways):
        yield row_of(took, f"small, {way}", "uv by hand", at_most="6 ms")


def typical(place: Place) -> Iterator[Row]:
    yield from beside_clone(place, "typical", of_uv="0.1")


def large(place: Place) -> Iterator[Row]:
    yield from beside_clone(place, "large", of_uv="0.5")


def beside_clone(place: Place, title: str, of_uv: str) -> Iterator[Row]:
    for way, took in known(place, SETS[title], (".runenv removed", "another project")):
        yield row_of(took, f"{title}, {way}", "cp -al", at_most="1.3")
        yield row_of(took, f"{title}, {way}", "uv by hand", at_most=of_uv)


def known(
    place: Place, packages: Packages, ways: Sequence[str]
) -> Iterator[tuple[str, dict[str, list[Took]]]]:
    """What each way to a new environment took, as "runenv", and what all else took."""
    here, hand = place.folder, place.folder / "hand"
    write_project(here / "teacher", packages.names, packages.code)
    run(here / "teacher", place)  # its session imports the set, as people's do
    contenders = {
        "uv by hand": Contender(["sh", "-c", by_hand(hand, packages)], here, partial(remove, hand)),
        **peers(here / "peers", packages.names, "pass"),
    }
    for way in ways:
        project = here / way.replace(" ", "-")
        before: Mapping[str, Callable[[], object]] = {
            "another session": partial(remove, project / ".runenv" / "s1"),
            "another project": partial(write_anew, project, packages),
            "after --clean": partial(run, project, place, "--clean"),
            ".runenv removed": partial(remove, project / ".runenv"),
        }
        write_anew(project, packages)
        run(project, place)
        contenders[way] = Contender([RUNENV, "s1"], project, before[way])
        contenders[f"{way} warm"] = Contender([RUNENV, "s1"], project)
    # What the last of them has just made, so the same files.
    source, clone = str(project / ".runenv" / "s1"), here / "clone"
    contenders["cp -al"] = Contender(
        ["cp", "-al", source, str(clone)], here, partial(remove, clone)
    )
    took = take_turns(contenders, place.rounds, place.environ)
    for way in ways:
        yield way, {**took, "runenv": took[way], "runenv warm": took[f"{way} warm"]}


def first_import(place: Place) -> Iterator[Row]:
    """The command of the first session in a new environment, timed alone."""
    for title in ("typical", "large"):
        packages, here = SETS[title], place.folder / title
        write_project(here / "teacher", packages.names, packages.code)
        run(here / "teacher", place)
        project, hand = here / "project", here / "hand"
        write_project(project, packages.names, "pass")
        ours = [str(project / ".runenv" / "s0" / "bin" / "python"), "-c", packages.code]
        theirs = [str(hand / "bin" / "python"), "-c", packages.code]
        contenders = {
            "new": Contender(ours, here, partial(make_anew, project, place)),
            "warm": Contender(ours, here),
            "by uv": Contender(theirs, here, partial(make_by_hand, hand, packages, place)),
        }
        took = medians(take_turns(contenders, place.rounds, place.environ))
        new, warm, by_uv = (took[name].wall_ms for name in contenders)
        yield Row(f"first import, {title}", "warm environment", warm, new, at_most="1.1")
        yield Row(f"first import, {title}", "new one by uv", by_uv, new)


# Environments that it does not know. ----------------------------------------------------


def first_build(place: Place) -> Iterator[Row]:
    for title, packages in SETS.items():
        yield first_build_of(place, title, packages)
        if title in ("typical", "large"):  # a job too short for anything to be done beside it
            yield first_build_of(place, f"{title}, pass", packages._replace(code="pass"))


def first_build_of(place: Place, title: str, packages: Packages) -> Row:
    here = place.folder / title.replace(", ", "-")
    project, hand = here / "project", here / "hand"
    write_project(project, packages.names, packages.code)
    session = f"{hand}/bin/python -c '{packages.code}'"
    script = f"{by_hand(hand, packages)} && {session}"
    contenders = {
        "uv by hand": Contender(["sh", "-c", script], here, partial(remove, hand)),
        "uv by hand warm": Contender(["sh", "-c", session], here),
        "runenv": Contender([RUNENV], project, partial(remove, project / ".runenv", place.store)),
        "runenv warm": Contender([RUNENV], project),
        **peers(here / "peers", packages.names, packages.code),
    }
    took = take_turns(contenders, place.rounds, place.environ)
    return row_of(took, f"first build, {title}", "uv by hand", at_most="1.05")


# The disk. ------------------------------------------------------------------------------


def ten_sessions(place: Place) -> Iterator[Row]:
    """What each of nine further environments holds; once, since it does not vary."""
    packages, here = SETS["typical"], place.folder
    write_project(here, packages.names, packages.code, sessions=10)
    folders = {
        "hand": [here / "hand"],
        "runenv": [here / ".runenv", place.store],
        "nox": [here / ".nox"],
        "tox": [here / ".tox"],
    }

    def run_all(sessions: int) -> dict[str, Held]:
        names = [f"s{number}" for number in range(sessions)]
        script = " && ".join(
            f"(test -d hand/{name} || {by_hand(here / 'hand' / name, packages)})"
            f" && hand/{name}/bin/python -c '{packages.code}'"
            for name in names
        )
        commands = {
            "hand": ["sh", "-c", script],
            "runenv": [RUNENV, *names],
            "nox": [program("nox"), "-R", "-s", *names],
            "tox": [program("tox"), "-e", ",".join(names)],
        }
        for argv in commands.values():
            run_once(Contender(argv, here), place.environ)
        return {name: held_in(*folders[name]) for name in commands}

    run_all(1)
    one = run_all(1)
    yield from rows_of_disk("one environment", one, ("", ""))
    for case in ("each of nine more", "each, a second run"):
        ten = run_all(10)
        each = {
            name: Held(
                *((all_ - first) / 9 for all_, first in zip(ten[name], one[name], strict=True))
            )
            for name in ten
        }
        yield from rows_of_disk(case, each, ("1 MiB", "150 inodes"))


def rows_of_disk(case: str, held: Mapping[str, Held], at_most: tuple[str, str]) -> Iterator[Row]:
    for number, unit in enumerate(("MiB", "inodes")):
        hand, runenv, nox, tox = (held[name][number] for name in ("hand", "runenv", "nox", "tox"))
        yield Row(case, "uv by hand", hand, runenv, unit, at_most[number], nox, tox)


# The project. ---------------------------------------------------------------------------


def wheel(place: Place) -> Iterator[Row]:
    for backend, module in BACKENDS.items():
        here = place.folder / backend
        project, hand, target = here / "project", here / "hand", here / "target"
        write_project(project, (), "import mine", backend=backend)
        write_library(hand, backend)
        make_by_hand(here / "kept", Packages((backend,), ""), place)
        make_by_hand(target, Packages((), ""), place)
        hook = f"{here}/kept/bin/python -c 'import {module} as it; it.build_wheel(\"dist\")'"
        install = f"{UV} pip install -q --python {target} --no-deps"
        scripts = {
            "build_wheel": hook,
            "and installed": f"{hook} && {install} --reinstall dist/*.whl",
            "uv pip install .": f"{install} .",
        }
        change_both = partial(change, project)
        contenders = {
            **{
                name: Contender(["sh", "-c", script], hand, partial(change, hand))
                for name, script in scripts.items()
            },
            "runenv": Contender([RUNENV], project, change_both),
            "runenv warm": Contender([RUNENV], project),
            "nox": Contender([program("nox"), "-r"], project, change_both),
            "nox warm": Contender([program("nox"), "-R"], project),
            "tox": Contender([program("tox")], project, change_both),
            "tox warm": Contender([program("tox"), "--skip-pkg-install"], project),
        }
        took = take_turns(contenders, place.rounds, place.environ)
        built = statistics.median(built_ms(project, place) for _ in range(place.rounds))
        by_hook = medians(took)["build_wheel"].wall_ms
        yield Row(f"changed wheel, {backend}", "build_wheel", by_hook, built, at_most="1.15")
        for name in ("and installed", "uv pip install ."):
            yield row_of(took, f"the run with it, {backend}", name, at_most="")


def built_ms(project: Path, place: Place) -> float:
    """How long a run's build of the wheel takes after a change, as its report has it."""
    report = project.parent / "report.json"
    change(project)
    run(project, place, "--report", str(report))
    (job,) = json.loads(report.read_text())["jobs"]
    (build,) = (command for command in job["commands"] if command["kind"] == "build")
    return float(build["duration_s"]) * 1000


CHANGES = itertools.count()


def change(project: Path) -> None:
    """One file of it holds what it never held."""
    remove(project / "build", project / "dist")  # what the last build has left
    (project / "src" / "mine" / "__init__.py").write_text(f"number = {next(CHANGES)}\n")


# What the cases share. ------------------------------------------------------------------


def by_hand(folder: Path, packages: Packages) -> str:
    """The shell script that makes an environment with uv alone."""
    make = f"{UV} venv -q --python {sys.executable} {folder}"
    if not packages.names:
        return make
    return f"{make} && {UV} pip install -q --python {folder} {' '.join(packages.names)}"


def make_by_hand(folder: Path, packages: Packages, place: Place) -> None:
    remove(folder)
    subprocess.run(["sh", "-c", by_hand(folder, packages)], env=place.environ, check=True)


def peers(folder: Path, deps: Sequence[str], code: str) -> dict[str, Contender]:
    """The peers, each with a new environment and with the same again."""
    write_project(folder, deps, code)
    nox, tox = program("nox"), program("tox")
    return {
        "nox": Contender([nox], folder, partial(remove, folder / ".nox")),
        "nox warm": Contender([nox, "-R"], folder),
        "tox": Contender([tox], folder, partial(remove, folder / ".tox")),
        "tox warm": Contender([tox, "--skip-pkg-install"], folder),
    }


def row_of(took: Mapping[str, Sequence[Took]], case: str, against: str, *, at_most: str) -> Row:
    """Costs: above the warm run where one was measured."""

    def cost(name: str) -> float:
        if f"{name} warm" in took:
            return above(took, name, f"{name} warm")
        return medians(took)[name].wall_ms

    hand, runenv, nox, tox = (cost(name) for name in (against, "runenv", "nox", "tox"))
    return Row(case, against, hand, runenv, at_most=at_most, nox=nox, tox=tox)


def run(project: Path, place: Place, *arguments: str) -> None:
    run_once(Contender([RUNENV, *arguments], project), place.environ)


def make_anew(project: Path, place: Place) -> None:
    remove(project / ".runenv")
    run(project, place)


def write_anew(project: Path, packages: Packages) -> None:
    remove(project)
    write_project(project, packages.names, "pass", sessions=2)


def remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


CASES = {
    "small": small,
    "typical": typical,
    "large": large,
    "import": first_import,
    "first": first_build,
    "ten": ten_sessions,
    "wheel": wheel,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", help="a case; may be repeated", choices=CASES)
    parser.add_argument("--json", type=Path, help="write the figures there too", metavar="FILE")
    asked = parser.parse_args()
    print(f"{machine(asked.rounds)}\n")
    print(
        f"{'case':31} {'by hand':16} {'':>7} {'runenv':>7} {'':6} {'ratio':>6} {'at most':>10}"
        f" {'':6} {'nox+uv':>7} {'tox-uv':>7}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        write_wheel(home / "wheels")
        for name in asked.only or CASES:
            folder = home / name
            environ = {
                **ENVIRON,
                "UV_FIND_LINKS": str(home / "wheels"),
                "RUNENV_STORE": str(folder / "store"),
            }
            for row in CASES[name](Place(folder, environ, asked.rounds)):
                rows.append(row)
                print(line_of(row), flush=True)
            remove(folder)
    if asked.json:
        figures = [{**row._asdict(), "ratio": row.ratio, "verdict": row.verdict} for row in rows]
        whole = {"machine": machine(asked.rounds), "rows": figures}
        asked.json.write_text(json.dumps(whole, indent=2) + "\n")


def line_of(row: Row) -> str:
    def figure(value: float | None) -> str:
        return f"{'' if value is None else f'{value:.1f}' if value < 100 else f'{value:.0f}':>7}"

    return (
        f"{row.case:31} {row.against:16} {figure(row.hand)} {figure(row.runenv)} {row.unit:6}"
        f" {row.ratio:6.2f} {row.at_most:>10} {row.verdict:6} {figure(row.nox)} {figure(row.tox)}"
    ).rstrip()


if __name__ == "__main__":
    main()
