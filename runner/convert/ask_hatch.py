"""What hatch says of its environments and their scripts: `hatch env show --json`."""

from __future__ import annotations

import os
import re
import shlex

from runner.convert.asked import (
    Facts,
    Sight,
    answer_of,
    find_tool,
    installed,
    json_in,
    no_answer,
    normal,
    python_fact,
    requirement,
    shown_command,
)
from runner.convert.factors import python_named
from runner.convert.hatch_commands import needs_shell
from runner.errors import UsageError
from runner.record import Record
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.convert.model import Environment
    from runner.model import Job

NOT_COMPARED = "which of them run by default, of which hatch knows nothing; platforms; locks"


class Script(Record):
    """A script of one of hatch's environments; "" where it has none."""

    environment: str
    script: str


def ask(file: str, environ: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """What hatch says of each environment, by the name that it gives it.

    Raises UsageError where hatch is not installed, is too old, or does not answer.
    """
    hatch = find_tool("hatch")
    argv = [hatch, "env", "show", "--json"]
    # Plugins that a project asks for are not installed for an answer.
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    code, out, told = answer_of(argv, os.path.dirname(file), environ, offline)
    answer = json_in(out) if code == 0 else None
    if not is_dict(answer):
        if "--json" in told and "no such option" in told.lower():
            raise UsageError(
                "this hatch is too old to be asked what it would do",
                mend="install a newer one: uv tool install hatch",
            )
        syncs = "plugin requirements" in told + out
        mend = "install what [tool.hatch.env] requires beside hatch" if syncs else ""
        raise no_answer("hatch", "hatch env show --json", told or out, mend)
    return {str(n): {str(k): v for k, v in t.items()} for n, t in answer.items() if is_dict(t)}


def scripts_of(
    jobs: Iterable[Job], converted: Sequence[Environment], there: Iterable[str]
) -> dict[str, Script]:
    """Which script each job stands for, by the name of the job.

    converted: the file as it is read, which knows where a session is from. there: the
    names of hatch's environments.
    """
    known = {one.name: one for one in converted}
    found: dict[str, Script] = {}
    names = set(there)
    for job in jobs:
        one = known.get(job.spec.name)
        if one is None:
            continue
        env, _, script = one.source.partition(" ")
        name = ".".join(filter(None, [env, "-".join(_words(job, one))]))
        found[job.name] = Script(name if name in names else env, script)
    return found


def _words(job: Job, one: Environment) -> list[str]:
    """What the matrix adds to the name of hatch's environment."""
    if not (one.pythons or one.axes):
        return list(one.words)
    formats = dict(one.formats)
    words = [f"py{job.python}" if (job.python or "")[:1].isdigit() else str(job.python)]
    words = words if one.pythons else []
    return words + [
        formats.get(name, "{value}").replace("{value}", str(value)) for name, value in job.arguments
    ]


def sight_in(root: str) -> Sight:
    """How what hatch says is read, in a folder."""
    return Sight(root, by_shell=True)


def is_test(environment: str) -> bool:
    """Whether `hatch test` runs in it, which makes its commands when it runs."""
    return environment.partition(".")[0] == "hatch-test"


def facts_of(environment: str, table: Mapping[str, object], script: str, root: str) -> Facts:
    """What hatch says of an environment and one of its scripts."""
    sight = sight_in(root)
    variables = table.get("env-vars")
    scripts = table.get("scripts")
    lines = _list(scripts.get(script)) if is_dict(scripts) else []
    python = str(table.get("python") or "")
    deps = [*_list(table.get("dependencies")), *_list(table.get("extra-dependencies"))]
    before, more = _setup(table)
    skipped = table.get("skip-install") is True
    how = "installed" if table.get("dev-mode") is False else "editable"
    facts: Facts = {
        "python": python_fact(python_named(python) or python),
        "deps": tuple(sorted(requirement(dep, sight) for dep in [*deps, *more])),
        "extras": normal(_list(table.get("features"))),
        "groups": normal(_list(table.get("dependency-groups"))),
        "project": () if skipped else (how,),
        "setup": tuple(sight.text(line) for line in before),
        "variables": tuple(
            sorted(f"{name}={sight.text(str(value))}" for name, value in variables.items() if value)
        )
        if is_dict(variables)
        else (),
    }
    if script and not is_test(environment):
        facts["commands"] = tuple(_command(line, sight) for line in lines)
    return facts


def _setup(table: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """The commands before and after the install, and what those of them install that are pip's."""
    commands: list[str] = []
    found: list[str] = []
    if table.get("skip-install") is True:
        return [], []  # they run where the project is installed alone
    for key in ("pre-install-commands", "post-install-commands"):
        for line in _list(table.get(key)):
            words = re.match(r"pip install (.+)", line)
            if words:
                found += installed(shlex.split(words[1]))
            else:
                commands.append(line)
    return commands, found


def _command(line: str, sight: Sight) -> str:
    may_fail = line.startswith("- ")
    text = line.removeprefix("- ").strip()
    if needs_shell(text):
        return ("- " if may_fail else "") + sight.line(text)
    try:
        words = sight.words(shlex.split(text))
    except ValueError:
        return line
    return shown_command(words, may_fail=may_fail)


def _list(value: object) -> list[str]:
    if is_list(value):
        return [str(one) for one in value]
    return [] if value is None else [str(value)]
