"""Checks of the variables and configuration files that are in force."""

from __future__ import annotations

import os
import sys

from runner.checks import Finding, Here, broken
from runner.envs import pip_itself, uv
from runner.envs.installer_config import pip_config, uv_config
from runner.errors import EnvironmentBroken
from runner.surroundings import outer_variables

# What runenv itself and its envfile are run with, whatever commands are given.
_OWN = {
    "PYTHONPATH": "what the envfile imports may come from it",
    "PYTHONHOME": "the Python that runs runenv takes its library from it",
}
# What is in force for an installer, by the backend that uses it.
_INSTALLERS = {
    "PIP_NO_DEPS": ("pip", "requirements of requirements are not installed"),
    "PIP_IGNORE_INSTALLED": ("pip", "what is installed is installed over"),
    "UV_NO_CACHE": ("uv", "everything is downloaded again for each environment"),
    "UV_OFFLINE": ("uv", "what is not in its cache cannot be installed"),
}


def check_variables(here: Here) -> list[Finding]:
    """Variables that make tools do something else than is asked, and what becomes of them."""
    findings: list[Finding] = []
    taken = [name for name in here.environ if name not in outer_variables(here.environ)]
    for name in sorted(name for name in taken if here.environ[name]):
        value = here.environ[name]
        if name in _OWN:
            what = f"{name}={value}: {_OWN[name]}; sessions do not see it"
            findings.append(Finding("variables", "warning", what, f"unset {name}"))
        elif name != "VIRTUAL_ENV" or os.path.realpath(value) != os.path.realpath(sys.prefix):
            told = f"{name}={value} is kept from sessions and installers"
            findings.append(Finding("variables", "good", told))
    for name, (tool, effect) in _INSTALLERS.items():
        if here.environ.get(name, "").lower() not in ("", "0", "false", "no", "off"):
            what = f"{name} is set: where {tool} installs, {effect}"
            findings.append(Finding("variables", "warning", what, f"unset {name}"))
    return findings or [Finding("variables", "good", "none that is set does harm")]


def check_configuration(here: Here) -> list[Finding]:
    """The configuration files that installers read; their content is an ingredient."""
    findings: list[Finding] = []
    installers = {"uv": uv.installer_config, "pip": pip_itself.installer_config}
    for tool, files in (
        ("uv", uv_config(here.environ, here.root)),
        ("pip", pip_config(here.environ)),
    ):
        try:
            installers[tool](here.environ, here.root)  # what it refuses, it tells
        except EnvironmentBroken as error:
            findings.append(broken("configuration", error))
        for path, text in files.items():
            trouble = _not_toml(text) if tool == "uv" and path.endswith("uv.toml") else ""
            if trouble:
                what = f"{path}, which {tool} reads, is not TOML: {trouble}"
                findings.append(Finding("configuration", "broken", what, "mend that line"))
            else:
                findings.append(Finding("configuration", "good", f"{tool} reads {path}"))
    return findings or [Finding("configuration", "good", "uv and pip read no files")]


def _not_toml(text: str) -> str:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tomllib.loads(text)
    except ValueError as error:  # tomllib's own is one
        return str(error)
    return ""
