"""What two tools say of the same environments, in words that can be compared; and asking one.

Knows no tool: `ask_tox.py`, `ask_nox.py` and `ask_hatch.py` do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys

from packaging.requirements import InvalidRequirement, Requirement

from runner.convert.doctests import APART
from runner.convert.inert import Reason
from runner.errors import UsageError
from runner.process import run
from runner.record import Record
from runner.running import Command
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.convert.recorded import Recorded, Told
    from runner.model import Job

# What is said of an environment, by label. What a side says nothing of is not compared.
Facts = dict[str, tuple[str, ...]]

LABELS = (
    "python",
    "default",
    "deps",
    "extras",
    "groups",
    "project",
    "variables",
    "setup",
    "commands",
    "folder",
    "tags",
    "after",
)


class Difference(Record):
    """One thing of which the two do not say the same."""

    environment: str
    label: str
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


class Untold(Record):
    """What could not be compared."""

    environment: str  # "": of all
    labels: tuple[str, ...]
    why: str


class Compared(Record):
    """What came of a comparison."""

    labels: tuple[str, ...]
    differences: tuple[Difference, ...]
    untold: tuple[Untold, ...]


def compare(
    theirs: Mapping[str, Facts], ours: Mapping[str, Facts], untold: Sequence[Untold]
) -> Compared:
    """What differs, in the order of the other tool; what only one of them has too."""
    found: list[Difference] = []
    labels: dict[str, None] = {}
    for name in dict.fromkeys([*theirs, *ours]):
        if name not in theirs or name not in ours:
            there, here = (("is there",) if name in side else () for side in (theirs, ours))
            found.append(Difference(name, "", there, here))
            continue
        for label in LABELS:
            if label in theirs[name] and label in ours[name]:
                labels[label] = None
                pair = theirs[name][label], ours[name][label]
                if pair[0] != pair[1]:
                    found.append(Difference(name, label, *pair))
    compared = tuple(label for label in LABELS if label in labels)
    return Compared(compared, tuple(found), tuple(untold))


# Asking. -----------------------------------------------------------------------------


def find_tool(name: str) -> str:
    """The path of a tool. Raises UsageError where it is not installed."""
    beside = os.path.dirname(sys.executable)
    found = shutil.which(name) or shutil.which(name, path=beside)
    if found is None:
        raise UsageError(
            f"{name} is not installed, and --check asks it",
            mend=f"install it: uv tool install {name}; looked for on PATH and in {beside}",
        )
    return found


def answer_of(
    argv: Sequence[str], root: str, environ: Mapping[str, str], variables: Mapping[str, str]
) -> tuple[int, str, str]:
    """How a tool ended, what it answered, and what it told beside."""
    outer = {n: v for n, v in outer_variables(environ).items() if n not in _OF_TERMINALS}
    command = Command(
        argv=tuple(argv), cwd=root, env={**outer, "NO_COLOR": "1", **variables}, capture="apart"
    )
    finished = run(command)
    return finished.returncode, finished.stdout, finished.stderr


_OF_TERMINALS = ("FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "COLUMNS")


def json_in(text: str) -> object:
    """The JSON that begins on some line of what a tool wrote; None where there is none."""
    for start in re.finditer(r"^[\[{]", text, re.M):
        try:
            value: object = json.JSONDecoder().raw_decode(text, start.start())[0]
        except ValueError:
            continue
        return value
    return None


def plain_lines(text: str) -> list[str]:
    """The lines that are not empty, without colors."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    return [line.strip() for line in plain.splitlines() if line.strip()]


def no_answer(tool: str, shown: str, told: str, mend: str = "") -> UsageError:
    """The error of a tool that does not answer. shown: how one asks it oneself."""
    lines = plain_lines(told)
    return UsageError(
        f"{tool} does not answer: {lines[-1] if lines else 'it wrote nothing'}",
        mend=mend or f"see what it says itself: {shown}",
    )


# Our side. ---------------------------------------------------------------------------


class Sight(Record):
    """How what both tools say is made equal where it means the same."""

    root: str
    bins: tuple[str, ...] = ()  # folders of the environment's programs
    same: tuple[tuple[str, str], ...] = ()  # further texts that mean the same
    marks: bool = True  # whether the other tool tells what may fail
    by_shell: bool = False  # whether its commands are lines for a shell, where one is needed

    def text(self, text: str) -> str:
        """A text with paths as seen from the root."""
        for one, other in self.same:
            text = text.replace(one, other)
        # Before `x/` and not before a longer name.
        text = re.sub(re.escape(self.root) + r"[/\\]+(?=[^\s/\\])", "", text)
        text = re.sub(re.escape(self.root) + r"(?![\w.-])", ".", text)
        return re.sub(r"[/\\]lib[/\\](python|pypy)[\d.]+[/\\]site-packages", "/site-packages", text)

    def line(self, line: str) -> str:
        """A line for a shell."""
        return " ".join(self.text(line).split())

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """A command with its program by name, where it is the environment's."""
        first, *rest = argv
        for folder in self.bins:
            first = first.removeprefix(folder + os.sep)
        return tuple(self.text(word).removeprefix("./") or "." for word in (first, *rest))


def shown_command(words: Sequence[str], *, may_fail: bool = False, must_fail: bool = False) -> str:
    """A command as tox writes it: `- program argument`."""
    return ("- " if may_fail else "! " if must_fail else "") + shlex.join(words)


def requirement(text: str, sight: Sight) -> str:
    """A requirement, or an option with a file, in one spelling."""
    option = re.match(
        r"(?:-(?P<letter>[rce])|--(?P<word>requirement|constraint|editable))[= ]?\s*(.+)", text
    )
    if option:
        letter = option["letter"] or option["word"][0]
        return f"-{letter} {sight.text(option[3].strip()).removeprefix('./')}"
    try:
        return sight.text(str(Requirement(text)))
    except InvalidRequirement:
        short = sight.text(re.sub(r"\s+", "", text))
        return short if short == "." else short.removeprefix("./")


def split_project(deps: Sequence[str]) -> tuple[list[str], list[str], str]:
    """The requirements without those for the project itself; its extras, and how it is there."""
    kept: list[str] = []
    extras: list[str] = []
    how = ""
    for text in deps:
        own = re.fullmatch(r"(-e )?\.(?:/?\[([^]]*)\])?", text)
        if own is None:
            kept.append(text)
            continue
        extras += [extra.strip() for extra in (own[2] or "").split(",") if extra.strip()]
        how = "editable" if own[1] else how or "installed"
    return kept, extras, how


def python_fact(text: str) -> tuple[str, ...]:
    """The Python that is asked for; () where that is any."""
    return (text,) if text not in ("", "3") else ()


def normal(words: Sequence[str]) -> tuple[str, ...]:
    """Names of extras and groups (PEP 685, 735), each once, sorted."""
    return tuple(sorted({re.sub(r"[-_.]+", "-", word).lower() for word in words}))


def ours_of(
    job: Job, recorded: Recorded | Reason, sight: Sight, *, is_default: bool
) -> tuple[Facts, list[Untold]]:
    """What an envfile says of a job, and what of it is not known without running it."""
    needs = job.spec.needs
    facts: Facts = {
        "python": python_fact(job.python or ""),
        "default": ("yes" if is_default else "no",),
        "groups": normal(needs.groups),
        "tags": tuple(sorted(job.tags)),
        "after": tuple(sorted(job.after)),
    }
    said = [
        *needs.deps,
        *(f"-r {path}" for path in needs.requirements),
        *(f"-c {path}" for path in needs.constraints),
    ]
    if isinstance(recorded, Reason):
        labels = ("deps", "extras", "project", "variables", "setup", "commands", "folder")
        return facts, [Untold(job.name, labels, in_words(recorded, job.spec.where))]
    said += [text for words in recorded.installs for text in installed(words)]
    groups = [text.removeprefix("--group ") for text in said if text.startswith("--group ")]
    named = [requirement(text, sight) for text in said if not text.startswith("--group ")]
    deps, extras, how = split_project(named)
    if needs.project:
        how = "editable" if "editable" in (needs.project, how) else "installed"
    variables = {**dict(job.spec.env), **recorded.env}
    facts.update(
        deps=tuple(sorted(deps)),
        extras=normal([*needs.extras, *extras]),
        groups=normal([*needs.groups, *groups]),
        project=(how,) if how else (),
        variables=tuple(
            sorted(f"{name}={sight.text(value)}" for name, value in variables.items() if value)
        ),
        folder=(sight.text(recorded.folder) or ".",),
    )
    if not recorded.skipped:  # it is for another platform, so that nothing else is told
        facts["setup"] = tuple(_shown(one, sight) for one in recorded.commands if one.setup)
        facts["commands"] = tuple(_shown(one, sight) for one in recorded.commands if not one.setup)
    return facts, []


def in_words(reason: Reason, where: str) -> str:
    """Why nobody knows what a function tells its session."""
    if reason.called:
        return f"its function ends with {reason.text}"
    file = where.rpartition(":")[0]
    place = f" ({file}:{reason.line})" if reason.line else ""
    why = "its function is not called, since it may do more than tell its session"
    return f"{why}: {reason.text}{place}"


def _shown(told: Told, sight: Sight) -> str:
    may_fail, must_fail = told.may_fail and sight.marks, told.must_fail and sight.marks
    variables = "".join(f"{name}={value} " for name, value in told.env)
    if sight.by_shell and told.argv[:2] == ("sh", "-c"):
        line = told.argv[2].replace('"$@"', shlex.join(told.argv[4:]))
        return variables + ("- " if may_fail else "") + sight.line(line)
    words = [word for word in sight.words(told.argv) if word != APART]
    return variables + shown_command(words, may_fail=may_fail, must_fail=must_fail)


def installed(words: Sequence[str]) -> list[str]:
    """The requirements, and options with files, of one install."""
    left, found = list(words), list[str]()
    while left:
        word = left.pop(0)
        takes = word in ("-r", "-c", "-e", "--group", "--requirement", "--constraint", "--editable")
        found.append(f"{word} {left.pop(0)}" if takes and left else word)
    return found
