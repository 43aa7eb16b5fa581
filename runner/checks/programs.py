"""Checks of the programs that make environments, and of the Pythons for them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from runner import __version__
from runner.checks import Finding, Here, broken
from runner.checks.asking import first_line
from runner.envs import choose_backend, uv, virtualenv
from runner.envs.interpreters import describe, survey
from runner.envs.python_answers import running
from runner.envs.pythons_found import home_folder
from runner.errors import EnvironmentBroken
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.checks import State


def check_own_python(here: Here) -> list[Finding]:
    """The Python that runs runenv, and whose it is."""
    own = describe(running())
    told = f"{own} at {sys.executable} runs runenv {__version__}"
    findings = [Finding("python", "good", told)]
    if not home_folder(here.environ):
        findings.append(
            Finding(
                "home",
                "warning",
                "HOME is not set: pyenv, mise, asdf and uv keep Pythons and caches below it",
                "set it, in a container or a service to a folder that can be written",
            )
        )
    return findings


def check_backends(here: Here) -> list[Finding]:
    """What makes environments and installs into them, with its version."""
    chain = here.settings.backend
    found = uv.find_uv()
    version = first_line((found, "--version"), here) if found else ""
    findings = [_program("uv", found, version, uv.why_not(), needed="uv" in chain.split("|"))]
    trouble = virtualenv.why_not()
    where = "" if trouble else f"{virtualenv.version()} beside runenv"
    findings.append(
        _program(
            "virtualenv", where, where, trouble, needed=chain.split("|")[0].strip() == "virtualenv"
        )
    )
    # Only told: that of an environment is brought by who makes it.
    pip = "" if find_spec("pip") is None else first_line((sys.executable, "-m", "pip", "-V"), here)
    told = pip or "not beside runenv; environments of virtualenv and venv bring their own"
    findings.append(Finding("pip", "good", told))
    if chain != "none":
        try:
            name, _ = choose_backend(chain)
        except EnvironmentBroken as error:
            findings.append(broken("backend", error))
        else:
            told = f"{name} makes environments" + (f" (of {chain!r})" if name != chain else "")
            findings.append(Finding("backend", "good", told))
    return findings


def _program(check: str, path: str, version: str, trouble: str, *, needed: bool) -> Finding:
    state: State = "warning" if needed else "good"
    if trouble:
        what, _, mend = trouble.partition(": ")
        return Finding(check, state, what, mend if needed else "")
    if not version:
        return Finding(check, "broken", f"{path} does not run", "install it again, beside runenv")
    told = version if version == path else f"{version.removeprefix('uv ')} at {path}"
    return Finding(check, "good", told)


def check_pythons(here: Here) -> list[Finding]:
    """The Pythons that sessions can ask for, and those that were passed over."""
    # Answers are kept where a run would keep them, and no folder is made for that.
    found, troubles = survey(cache_dir=os.path.join(here.envdir, ".cache"), environ=here.environ)
    findings = [Finding("pythons", "good", f"{describe(each)} at {each.path}") for each in found]
    for path, why in troubles.items():
        findings.append(
            Finding(
                "pythons",
                "warning",
                f"{path} was passed over: {why}",
                "nothing is to be done unless a session asks for it; then install it again",
            )
        )
    return findings
