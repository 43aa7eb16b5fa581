"""`runenv --usage NAME`: all that is known of a session."""

from __future__ import annotations

import os
import sys

from runner.colors import columns_of, fold
from runner.names import full_name
from runner.opening import open_project
from runner.selection import select
from runner.settings import is_list
from runner.sharing import others_sharing
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.model import Job, OwnOption, Request


_LITTLE = 24  # columns; in fewer a text would be a pillar
_INDENT_BELOW = 8


def main(request: Request) -> int:
    """Print what a session does and what it is declared with."""
    project, settings = open_project(request, os.environ)
    name = request.argument or ""
    jobs = select(project.jobs, settings._replace(sessions=(name, *settings.sessions))).jobs
    shown: dict[str, list[Job]] = {}
    for job in jobs:
        shown.setdefault(job.spec.name, []).append(job)
    columns = columns_of(sys.stdout)
    told = ("\n".join(describe(members, project.jobs, columns)) for members in shown.values())
    print("\n\n".join(told))
    return 0


def _options(options: Sequence[OwnOption], columns: int) -> list[str]:
    """A line for each option: how it is written, what it is for, what it is by itself."""
    shown: list[tuple[str, str]] = []
    for option in options:
        head = option.written
        if option.default is True:
            head = option.turned_off
        elif option.kind == "flag" and option.default is not False:
            head = f"{head}, {option.turned_off}"
        if option.required:
            default = "required"
        elif option.default is None or isinstance(option.default, bool):
            default = ""
        else:
            default = f"default: {_default(option)}"
        many = "may be repeated" if option.kind == "many" else ""
        facts = "; ".join(filter(None, (default, many)))
        shown.append((head, "  ".join(filter(None, (option.help, f"({facts})" if facts else "")))))
    width = max(len(head) for head, _ in shown)
    indent = width + 6
    if columns and columns - indent < _LITTLE:
        below = " " * _INDENT_BELOW
        return [
            line
            for head, told in shown
            for line in (f"    {head}", below + fold(told, columns, _INDENT_BELOW))
            if line.strip()
        ]
    return [f"    {head:<{width}}  {fold(told, columns, indent)}".rstrip() for head, told in shown]


def _default(option: OwnOption) -> str:
    """The default as it would be typed, where that is known."""

    def typed(value: object) -> str:
        return next((w for w in option.choices if option.convert(w) == value), str(value))

    if option.kind == "many" and is_list(option.default):
        return ", ".join(map(typed, option.default)) or "none"
    return typed(option.default)


def describe(members: list[Job], all_jobs: tuple[Job, ...], columns: int = 0) -> list[str]:
    """A session in lines: its docstring, then what was declared.

    Of a shared environment that is what all declare that share it. columns: of the
    terminal; 0 where there is none.
    """
    spec = members[0].spec
    needs = spec.needs
    lines = [f"{spec.name}  ({spec.where})"]
    if spec.doc:
        lines += ["", *(_of_doc(line, columns) for line in spec.doc.splitlines())]
    if spec.options:
        lines += ["", "  Options, behind its name:", *_options(spec.options, columns)]
    facts = {
        "jobs": [job.name for job in members],
        "python": list(spec.pythons),
        "environment": [spec.environment] if spec.environment else [],
        "shared with": others_sharing(members[0], all_jobs),
        "deps": needs.deps,
        "groups": needs.groups,
        "extras": needs.extras,
        "requirements": needs.requirements,
        "constraints": needs.constraints,
        "conda_deps": needs.conda_deps,
        "channels": needs.channels,
        "project": [needs.project] if needs.project else [],
        "lock": [needs.lock] if needs.lock else [],
        "resolution": [needs.resolution] if needs.resolution else [],
        "prerelease": [needs.prerelease] if needs.prerelease else [],
        "exclude_newer": [needs.exclude_newer] if needs.exclude_newer else [],
        "backend": [needs.backend] if needs.backend else [],
        "env": [
            f"{name}={value}" if value is not None else f"{name} (taken away)"
            for name, value in spec.env
        ],
        "env_file": spec.env_file,
        "inputs": spec.inputs,
        "outputs": spec.outputs,
        "group": [spec.group] if spec.group else [],
        "tags": sorted({tag for job in members for tag in job.tags}),
        "requires": [full_name(name, spec.prefix) for name in spec.requires],
        "after": [full_name(name, spec.prefix) for name in spec.after],
        "timeout": [f"{spec.timeout_s:g} s"] if spec.timeout_s is not None else [],
        "retries": [str(spec.retries)] if spec.retries else [],
        "resources": [f"{name}={amount:g}" for name, amount in spec.resources],
        "lost worker": _after_a_loss(spec.retries_on_loss),
        "confirm": [spec.confirm] if spec.confirm else [],
        "exclusive": spec.exclusive,
        "parallel": [] if spec.parallel else ["no: nothing runs beside it"],
    }
    told = {
        label: values
        for label, values in facts.items()
        if values and (label, list(values)) != ("jobs", [spec.name])
    }
    if told:
        width = max(map(len, told))
        lines += [
            "",
            *(
                f"  {label:<{width}}  {fold(', '.join(values), columns, width + 4)}"
                for label, values in told.items()
            ),
        ]
    return lines


def _of_doc(line: str, columns: int) -> str:
    """A line of a docstring; the further rows that it takes begin where it does."""
    text = line.lstrip(" ")
    indent = 2 + len(line) - len(text)
    return (" " * indent + fold(text, columns, indent)).rstrip()


def _after_a_loss(retries: int) -> list[str]:
    """What is said of a session that does not run again once when its worker is lost."""
    if retries == 1:
        return []
    return [f"runs again up to {retries} times" if retries else "does not run again"]
