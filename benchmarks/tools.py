"""The tools that are compared: how each is installed, and the words for what it is to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Tool(NamedTuple):
    """How a tool is called. Names of sessions are never given: it runs all that there are."""

    label: str
    packages: Sequence[str]  # what the registry has; () for runenv, which is beside this Python
    program: str  # its name, its path once it is installed
    run: Sequence[str]  # with what is declared checked, and the environments kept
    list: Sequence[str]
    parallel: Sequence[str] = ()  # the number of jobs follows; () where it cannot
    installs_with_uv: bool = True
    unchecked: Sequence[str] = ()  # the same as `run`, and nothing is looked at
    one_command: bool = False  # it can run but one command in many environments

    @property
    def folder(self) -> str:
        """A name for what is its own."""
        return self.label.replace(" + ", "-")

    def running(self) -> list[str]:
        """The command that runs all sessions."""
        return [self.program, *self.run]

    def running_at_once(self, jobs: int) -> list[str]:
        """The same, so many at once."""
        return [self.program, *self.parallel, str(jobs)]

    def listing(self) -> list[str]:
        return [self.program, *self.list]


OURS = Tool("runenv", (), "runenv", (), ("--list",), ("-j",))
_NOX, _NOX_UV = ("-r", "-db", "virtualenv"), ("-r", "-db", "uv")
_NOX_AT_ONCE = ("--allow-parallel", "-j")
_TOX_AT_ONCE = ("run-parallel", "--parallel-live", "-p")
PEERS = (
    Tool("nox", ("nox",), "nox", _NOX, ("--list",), (*_NOX, *_NOX_AT_ONCE), False),
    Tool(
        "nox + uv",
        ("nox[uv]",),
        "nox",
        _NOX_UV,
        ("--list",),
        (*_NOX_UV, *_NOX_AT_ONCE),
        unchecked=("-R", "-db", "uv"),
    ),
    Tool("tox", ("tox",), "tox", ("run",), ("list",), _TOX_AT_ONCE, False),
    Tool("tox + uv", ("tox", "tox-uv"), "tox", ("run",), ("list",), _TOX_AT_ONCE),
    Tool("hatch", ("hatch",), "hatch", ("run", "s:go"), ("env", "show"), one_command=True),
)


def beside(program: str) -> str:
    """The path of a program beside this Python; ends the benchmark where it is not there."""
    found = shutil.which(program, path=sysconfig.get_path("scripts"))
    if not found:
        raise SystemExit(f"{program} is not installed beside this Python: `runenv bench` does so")
    return found


def install(tool: Tool, folder: Path) -> Tool:
    """The tool in an environment of its own, in the newest versions, compiled."""
    uv, where = beside("uv"), folder / tool.folder
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, where], check=True)
    newest = [uv, "pip", "install", "-q", "--upgrade", "--compile-bytecode", "--python", where]
    subprocess.run([*newest, *tool.packages], check=True)
    return tool._replace(program=str(where / "bin" / tool.program))


def fetch_wheels(packages: Sequence[str], folder: Path) -> None:
    """Wheels of the packages and of all that they need, so that no run asks a registry."""
    fetch = [beside("uv"), "tool", "run", "-q", "--python", sys.executable, "--from", "pip", "pip"]
    wheels = ["download", "-qq", "--only-binary", ":all:", "-d", folder, *packages]
    subprocess.run([*fetch, *wheels], check=True)


_VERSIONS = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}))
"""
_INSTALLERS = ("uv", "virtualenv")


def versions(tool: Tool) -> dict[str, str]:
    """The versions of what does the work in a tool's environment."""
    python = os.path.join(os.path.dirname(tool.program), "python")
    done = subprocess.run([python, "-c", _VERSIONS], check=True, capture_output=True)
    found = json.loads(done.stdout)
    own = [package.partition("[")[0] for package in tool.packages] or ["runenv-cli"]
    return {name: found[name] for name in (*own, *_INSTALLERS) if name in found}


def left_out(name: str) -> bool:
    """Whether a variable would decide how a tool works, or where."""
    foreign = ("RUNENV_", "NOX", "TOX", "HATCH_", "VIRTUALENV_", "UV_", "PIP_", "XDG_", "PYTHON")
    return name.startswith(foreign) or name in ("VIRTUAL_ENV", "CI")


def variables(home: Path) -> Iterator[tuple[str, str]]:
    """The environment of all runs: caches and stores of their own, wheels from a folder.

    No user's file decides, and no registry is asked: what a network takes says nothing of tools.
    """
    yield from ((name, value) for name, value in os.environ.items() if not left_out(name))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        yield f"XDG_{kind}_HOME", str(home / kind.lower())
    wheels = str(home / "wheels")
    yield from {
        "RUNENV_STORE": str(home / "store"),
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
        "UV_FIND_LINKS": wheels,
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": wheels,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    }.items()
