"""The same project for runenv, nox, tox and hatch: sessions, what they need, what they run.

Knows nothing of how these are called (`tools.py`) or of what is measured.
"""

from __future__ import annotations

import itertools
import json
import zipfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BACKENDS = {"hatchling": "hatchling.build", "setuptools": "setuptools.build_meta"}


class Project(NamedTuple):
    """Sessions that each tool runs alike."""

    commands: Mapping[str, Sequence[str]]  # of a session's name, what it runs; (): nothing
    deps: Sequence[str] = ()  # what each installs
    backend: str = ""  # builds the project's wheel, which each installs too; "": none is
    requires: Mapping[str, Sequence[str]] = {}  # the sessions before it
    environments: bool = True  # False: without, where a tool can do so


def sessions(count: int, *command: str) -> dict[str, Sequence[str]]:
    """Sessions s0, s1, … that run the same command."""
    return {f"s{number}": command for number in range(count)}


def write_project(folder: Path, project: Project) -> None:
    """Become a folder with the files of all tools."""
    folder.mkdir(parents=True)
    write_library(folder, project.backend or "hatchling")
    (folder / "envfile.py").write_text(envfile(project))
    (folder / "noxfile.py").write_text(noxfile(project))
    (folder / "tox.ini").write_text(tox_ini(project))
    if one_command(project):
        (folder / "hatch.toml").write_text(hatch_toml(project))


def envfile(project: Project) -> str:
    """What runenv reads."""
    needs = f"deps={[*project.deps]}, project={'wheel' if project.backend else False!r}"
    if not project.environments:
        needs = "python=False"
    lines = ["import runner"]
    for name, command in project.commands.items():
        requires = project.requires.get(name)
        further = f", requires={[*requires]}" if requires else ""
        lines += [f"\n\n@runner.session({needs}{further})", *function(name, command)]
    return "\n".join(lines) + "\n"


def noxfile(project: Project) -> str:
    """What nox reads; its backend is said by an option."""
    packages = [*project.deps, "."] if project.backend else [*project.deps]
    install = [f"    session.install(*{packages})"] if packages else []
    lines = ["import nox"]
    for name, command in project.commands.items():
        requires = project.requires.get(name)
        options = [f"requires={[*requires]}"] if requires else []
        options += [] if project.environments else ["python=False"]
        head, told, run = function(name, command)
        lines += [f"\n\n@nox.session({', '.join(options)})", head, told, *install, run]
    return "\n".join(lines) + "\n"


def function(name: str, command: Sequence[str]) -> tuple[str, str, str]:
    """A session's function, which runenv and nox write alike."""
    return (
        f"def {name}(session):",
        f'    """Run what {name} is for."""',
        f"    session.run(*{[*command]}, external=True)" if command else "    pass",
    )


def tox_ini(project: Project) -> str:
    """What tox reads."""
    lines = [
        f"[tox]\nenv_list = {','.join(project.commands)}\n\n[testenv]",
        f"package = {'wheel' if project.backend else 'skip'}\nallowlist_externals = *",
        "deps =" + "".join(f"\n    {dep}" for dep in project.deps),
    ]
    for name, command in project.commands.items():
        words = " ".join(json.dumps(word) if " " in word else word for word in command)
        lines += [
            f"\n[testenv:{name}]\ndescription = Run what {name} is for.",
            f"commands = {words}",
        ]
        if requires := project.requires.get(name):
            lines.append(f"depends = {','.join(requires)}")
    return "\n".join(lines) + "\n"


def one_command(project: Project) -> bool:
    """Whether all sessions run the same command: what `hatch run` is able to do in one run."""
    return len({tuple(command) for command in project.commands.values()}) == 1


def hatch_toml(project: Project) -> str:
    """What hatch reads: a matrix with an environment for each session."""
    command = next(iter(project.commands.values()))
    words = " ".join(f"'{word}'" if " " in word else word for word in command)
    numbers = [name.removeprefix("s") for name in project.commands]
    return (
        '[envs.s]\ninstaller = "uv"\n'
        + ("dev-mode = false\n" if project.backend else "skip-install = true\n")
        + f"dependencies = {json.dumps([*project.deps])}\n\n"
        f"[envs.s.scripts]\ngo = {json.dumps(words)}\n\n"
        f"[[envs.s.matrix]]\nnumber = {json.dumps(numbers)}\n"
    )


def write_library(folder: Path, backend: str) -> None:
    """A project of one module, `mine`."""
    (folder / "src" / "mine").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "mine" / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{BACKENDS[backend]}"\n\n'
        '[project]\nname = "mine"\nversion = "1.0"\n'
    )


_CHANGES = itertools.count()


def change(folder: Path) -> None:
    """One file of its library holds what it never held."""
    (folder / "src" / "mine" / "__init__.py").write_text(f"number = {next(_CHANGES)}\n")


def write_wheel(folder: Path) -> None:
    """A wheel of one empty module, `small`."""
    folder.mkdir(parents=True, exist_ok=True)
    described = "small-1.0.dist-info"
    files = {
        "small.py": "",
        f"{described}/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n",
        f"{described}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{described}/RECORD"] = "".join(
        f"{name},,\n" for name in [*files, f"{described}/RECORD"]
    )
    with zipfile.ZipFile(folder / "small-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
