"""`runenv --convert --check [FILE]`: whether an envfile says what another tool says.

Asks the tool itself and runs nothing of the project: a session function is called only
where all that it can do is to tell its session, and that is written down and not done.
"""

from __future__ import annotations

import os
import re
import sys

from runner.amounts import counted
from runner.commands.list import default_jobs
from runner.convert import ask_hatch, ask_nox, ask_tox, from_hatch, from_tox
from runner.convert.asked import Sight, Untold, compare, ours_of
from runner.convert.recorded import Places, record
from runner.errors import FAILED, PASSED, UsageError
from runner.finding import NOXFILE
from runner.record import Record
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.convert.asked import Compared, Facts
    from runner.convert.model import Declared
    from runner.model import Job, Project, Settings


class Sides(Record):
    """What both say, and what cannot be compared."""

    tool: str
    theirs: Mapping[str, Facts]
    ours: Mapping[str, Facts]
    untold: list[Untold]


def check(file: str, text: str, project: Project, source: str, settings: Settings) -> int:
    """Compare and print; 1 where something differs.

    file, text: of the other tool. source: of the envfile, as it was executed.
    """
    file = os.path.abspath(file)
    chosen = {job.name for job in default_jobs(project, settings)}
    reader = _Reader(project, source, chosen, os.environ)
    sides = _sides(file, text, reader)
    compared = compare(sides.theirs, sides.ours, sides.untold)
    shown = os.path.relpath(file)
    for line in _as_text(compared, sides, shown, os.path.basename(project.envfile)):
        print(line)
    if not compared.differences:
        return PASSED
    sys.stdout.flush()
    tell(sys.stderr, f"{counted(len(compared.differences), 'difference')}\n")
    return FAILED


def _sides(file: str, text: str, reader: _Reader) -> Sides:
    name = os.path.basename(file)
    if name == NOXFILE:
        return reader.beside_nox(file)
    if from_tox.read(name, text) is not None:
        return reader.beside_tox(file)
    declared = from_hatch.read(name, text) if name in from_hatch.NAMES else None
    if declared is None:
        raise UsageError(
            f"nothing to compare in {os.path.relpath(file)}",
            mend="it says nothing to tox, nothing to hatch, and is no noxfile",
        )
    return reader.beside_hatch(file, declared)


class _Reader:
    """Puts what the envfile says beside what a tool says."""

    def __init__(
        self, project: Project, source: str, chosen: set[str], environ: Mapping[str, str]
    ) -> None:
        self._project = project
        self._source = source
        self._chosen = chosen
        self._environ = environ

    def _ours(self, job: Job, sight: Sight, places: Places) -> tuple[Facts, list[Untold]]:
        envfile, root = self._project.envfile, self._project.root
        recorded = record(job, self._source, envfile, root, places)
        return ours_of(job, recorded, sight, is_default=job.name in self._chosen)

    def beside_tox(self, file: str) -> Sides:
        """What tox says, and the envfile."""
        answers, cannot = ask_tox.ask(file, self._environ)
        ours: dict[str, Facts] = {}
        untold = [Untold("", (), ask_tox.NOT_COMPARED), *cannot]
        if not all(answer.sight.marks for answer in answers.values()):
            untold.append(Untold("", (), "which commands may fail: this tox does not tell"))
        for job in self._project.jobs:
            answer = answers.get(job.name)
            if answer is None:
                ours[job.name] = {}
                continue
            ours[job.name], left = self._ours(job, answer.sight, answer.places)
            untold += left
        theirs = {n: ask_tox.without_its_own(a.facts, ours.get(n, {})) for n, a in answers.items()}
        return Sides("tox", theirs, ours, untold)

    def beside_nox(self, file: str) -> Sides:
        """What nox says, and the envfile."""
        theirs = ask_nox.ask(file, self._environ)
        ours = {
            job.nox_name: {
                "python": (job.python,) if job.python else (),
                "default": ("yes" if job.name in self._chosen else "no",),
                "tags": tuple(sorted(job.tags)),
            }
            for job in self._project.jobs
        }
        return Sides("nox", theirs, ours, [Untold("", (), ask_nox.NOT_COMPARED)])

    def beside_hatch(self, file: str, declared: Declared) -> Sides:
        """What hatch says, and the envfile."""
        tables = ask_hatch.ask(file, self._environ)
        scripts = ask_hatch.scripts_of(self._project.jobs, declared.environments, tables)
        root = self._project.root
        sight = ask_hatch.sight_in(root)
        theirs: dict[str, Facts] = {}
        ours: dict[str, Facts] = {}
        untold = [Untold("", (), ask_hatch.NOT_COMPARED)]
        for job in self._project.jobs:
            known = scripts.get(job.name)
            if known is None or known.environment not in tables:
                ours[job.name] = {}
                continue
            env, script = known
            theirs[job.name] = ask_hatch.facts_of(env, tables[env], script, root)
            if ask_hatch.is_test(env):
                why = "`hatch test` makes them when it runs"
                untold.append(Untold(job.name, ("commands",), why))
            version = re.search(r"\d+\.\d+", job.python or "")
            places = Places("", "", version[0] if version else "")
            ours[job.name], left = self._ours(job, sight, places)
            untold += left
        met = {script.environment for script in scripts.values()}
        declared_there = {one.source.partition(" ")[0] for one in declared.environments}
        theirs.update(
            {name: {} for name in tables.keys() - met if name.partition(".")[0] in declared_there}
        )
        return Sides("hatch", theirs, ours, untold)


def _as_text(compared: Compared, sides: Sides, file: str, envfile: str) -> Iterator[str]:
    unknown = {one.environment for one in compared.differences}
    unknown |= {one.environment for one in compared.untold if "all" in one.labels}
    equal = sum(name not in unknown for name in sides.theirs.keys() & sides.ours.keys())
    labels = ", ".join(("names", *compared.labels))
    yield (
        f"{file} and {envfile}: {equal} of {counted(len(sides.theirs), 'environment')}"
        f" of {sides.tool} equal in {labels}"
    )
    for one in compared.differences:
        if not one.label:
            tools = (sides.tool, envfile) if one.theirs else (envfile, sides.tool)
            yield f"{one.environment}: {tools[0]} has it, and {tools[1]} has not"
            continue
        yield f"{one.environment}: {one.label}"
        width = max(len(sides.tool), len(envfile))
        for who, lines in ((sides.tool, one.theirs), (envfile, one.ours)):
            for number, line in enumerate(lines or ("nothing",)):
                yield f"  {who if not number else '':<{width}}  {line}"
    by_reason: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for left in compared.untold:
        by_reason.setdefault((left.labels, left.why), []).append(left.environment)
    for (about, why), names in by_reason.items():
        what = f"{', '.join(about)} of {', '.join(names)}: {why}" if names != [""] else why
        yield f"not compared: {what}"
