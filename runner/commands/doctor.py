"""`runenv --doctor`: what of this machine and this project could go wrong, each with its mend.

Works where there is no envfile too. With --store it looks at the
store alone, with --deep at the content of each file in it.
"""

from __future__ import annotations

import os
import sys

from runner import errors
from runner.amounts import counted
from runner.checks import Finding, Here, broken
from runner.checks.folders import (
    check_envdir,
    check_journals,
    check_locks,
    check_space,
    check_uv_cache,
)
from runner.checks.programs import check_backends, check_own_python, check_pythons
from runner.checks.store import check_store
from runner.checks.variables import check_configuration, check_variables
from runner.colors import columns_of, fold_around, painter, shows_escapes, wants_color
from runner.errors import EnvfileError, RunnerError, UsageError
from runner.finding import envfile_meant
from runner.load import load_project
from runner.opening import load_all
from runner.reports.terminal import can_show
from runner.settings import envdir_in, read_table, settle
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model import Project, Request, Settings

_LITTLE = 24  # columns; in fewer a text would be a pillar
_NONE: Mapping[str, object] = {}


def main(request: Request) -> int:
    """Print what was found; the exit code says whether something is broken."""
    here, findings = look_around(request, dict(os.environ))
    for check in (check_store,) if request.of_store else CHECKS:
        findings += check(here)
    if here.settings.json:
        import json

        rows = [finding._asdict() for finding in findings]
        print(json.dumps({"version": 1, "findings": rows}, indent=2))
    else:
        color = wants_color(here.settings.color, os.environ, shows_escapes(sys.stdout))
        plain = not can_show(sys.stdout, "✓✗")
        print(
            "\n".join(
                as_text(findings, color=color, ascii_only=plain, columns=columns_of(sys.stdout))
            )
        )
    broken = any(finding.state == "broken" for finding in findings)
    return errors.FAILED if broken else errors.PASSED


def as_text(
    findings: Iterable[Finding], *, color: bool, ascii_only: bool, columns: int = 0
) -> list[str]:
    """The findings in lines: a symbol, the check, what was found, and the mend below.

    columns: of the terminal; 0 where there is none.
    """
    paint = painter(color=color)
    symbols = {"good": ("✓", "+"), "warning": ("!", "!"), "broken": ("✗", "x")}
    colors = {"good": "green", "warning": "bold_purple", "broken": "bold_red"}
    findings = list(findings)
    width = max((len(finding.check) for finding in findings), default=0)
    indent = width + 4
    if columns and columns - indent < _LITTLE:
        width, indent = 0, 4
    lines: list[str] = []
    before = ""
    for finding in findings:
        symbol = paint(colors[finding.state], symbols[finding.state][1 if ascii_only else 0])
        told = [*finding.what.splitlines(), *finding.mend.splitlines()]
        first, *rest = (fold_around(line, columns, indent) for line in told)
        check = "" if finding.check == before else finding.check
        if check and not width:
            lines += [f"{symbol} {check}", f"    {first}"]
        else:
            lines.append(f"{symbol} {check:<{width}}  {first}")
        lines += [" " * indent + line for line in rest]
        before = finding.check
    return lines


# What there is to look at. --------------------------------------------------------------


def look_around(request: Request, environ: dict[str, str]) -> tuple[Here, list[Finding]]:
    """The project and its settings; what is wrong with these are the first findings.

    Raises UsageError for a file or folder that was given and is not there.
    """
    findings: list[Finding] = []
    early = _settled(request, environ, {}, {}, findings)
    project: Project | None = None
    try:
        envfile = envfile_meant(early)
        root = os.path.dirname(envfile)
    except UsageError as error:
        if early.file is not None or not os.path.isdir(early.directory or "."):
            raise
        root = os.path.abspath(early.directory or ".")
        mend = "write one, or say where it is: --file, --directory"
        findings.append(Finding("envfile", "warning", error.what, mend))
    else:
        project = _loaded(envfile, early, findings)
    try:
        table = read_table(root)
    except UsageError as error:
        findings.append(broken("settings", error))
        table = _NONE
    options = _NONE if project is None else project.options
    settings = _settled(request, environ, options, table, findings)
    envdir = envdir_in(root, settings)
    return Here(root, envdir, environ, settings, project), findings


def _settled(
    request: Request,
    environ: Mapping[str, str],
    options: Mapping[str, object],
    table: Mapping[str, object],
    findings: list[Finding],
) -> Settings:
    try:
        return settle(request.given, environ, options, table)
    except UsageError as error:
        finding = broken("settings", error)
        if finding not in findings:
            findings.append(finding)
        return settle(request.given, {}, {}, {})


def _loaded(envfile: str, early: Settings, findings: list[Finding]) -> Project | None:
    try:
        if early.all_projects:
            project = load_all(early, may_install=False)
        else:
            project = load_project(envfile, may_install=False)
    except EnvfileError as error:
        findings += [
            Finding("envfile", "broken", f"{m.where}: {m.what}", m.mend or "mend that line")
            for m in error.mistakes
        ]
    except RunnerError as error:
        findings.append(broken("envfile", error))
    else:
        told = f"{project.envfile} loads: {counted(len(project.jobs), 'job')}"
        findings.append(Finding("envfile", "good", told))
        return project
    return None


CHECKS = (
    check_own_python,
    check_backends,
    check_pythons,
    check_envdir,
    check_journals,
    check_locks,
    check_space,
    check_uv_cache,
    check_store,
    check_variables,
    check_configuration,
)
