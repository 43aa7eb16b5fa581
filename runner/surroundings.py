"""The variables and programs that a job's commands see.

Knows nothing of sessions or of how commands run.
"""

from __future__ import annotations

import os
import sys

from runner.errors import CommandFailed, UsageError
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.running import Environment

# What would let the caller's Python, or another tool's environment, into ours.
_NOT_INHERITED = frozenset(
    {
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONEXECUTABLE",
        "__PYVENV_LAUNCHER__",
        "VIRTUAL_ENV",
        "VIRTUAL_ENV_PROMPT",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_BREAK_SYSTEM_PACKAGES",
        "UV_WORKING_DIR",
        "UV_WORKING_DIRECTORY",
        "PIP_PYTHON",
        "PIP_RESPECT_VIRTUALENV",
        "PIP_REQUIRE_VIRTUALENV",
        # A runenv that a session starts runs all that it is asked for.
        "RUNENV_SHARD",
        "RUNENV_PLAN",
        # Where pip would install to instead of the environment.
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_USER",
        "PIP_DRY_RUN",  # it would install nothing, and say that all is well
    }
)

# Programs that are named otherwise than the distribution that brings them.
_PROVIDERS = {
    "sphinx-build": "sphinx",
    "sphinx-autobuild": "sphinx-autobuild",
    "sphinx-apidoc": "sphinx",
    "py.test": "pytest",
    "pyproject-build": "build",
    "django-admin": "django",
    "dmypy": "mypy",
    "stubgen": "mypy",
    "pyright-python": "pyright",
    "ipython3": "ipython",
    "jupyter": "jupyter-core",
    "jupyter-lab": "jupyterlab",
    "rst2html": "docutils",
    "flit": "flit",
    "bumpversion": "bump2version",
    "towncrier": "towncrier",
    "pip-compile": "pip-tools",
    "pip-sync": "pip-tools",
    "asv": "asv",
    "cz": "commitizen",
    "blackd": "black",
    "pasteurize": "future",
    "pygmentize": "pygments",
    "markdown_py": "markdown",
    "wheel": "wheel",
    "cythonize": "cython",
}


def outer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What commands inherit from the caller."""
    return {name: value for name, value in environ.items() if name not in _NOT_INHERITED}


def command_variables(
    outer: Mapping[str, str],
    environment: Environment,
    job_name: str,
    changes: tuple[Mapping[str, object], ...],
) -> dict[str, str]:
    """The variables of a command: the caller's, the environment's, then each change in turn."""
    variables = {**outer, "RUNENV_JOB": job_name}
    if environment.path:
        name = "CONDA_PREFIX" if environment.backend == "conda" else "VIRTUAL_ENV"
        variables[name] = environment.path
        path = outer.get("PATH", os.defpath)
        variables["PATH"] = environment.bin + os.pathsep + path if path else environment.bin
    for change in changes:
        for name, value in change.items():
            if value is None:
                variables.pop(name, None)
            elif isinstance(value, str):
                variables[name] = value
            else:
                raise UsageError(  # session.env takes what it is given
                    f"the variable {name!r} is {value!r}, which is not a string",
                    mend=f'write "{value}", or None to take the variable away',
                )
    return variables


def find_program(
    word: str, *, environment: Environment, variables: Mapping[str, str], cwd: str, external: bool
) -> str:
    """The path of the program that a command names.

    In the environment first; outside of it only where `external` allows it or
    the session has no environment. Raises CommandFailed, saying what would help.
    """
    if os.path.dirname(word):
        path = os.path.normpath(os.path.join(cwd, word))
        inside = bool(environment.path) and path.startswith(environment.path + os.sep)
        if inside or external or not environment.path:
            return path
        raise CommandFailed(
            f"{word} lies outside the environment",
            returncode=126,
            mend="if that is meant, say so: session.run(..., external=True)",
        )
    if environment.bin:
        found = _in_folders(word, [environment.bin])
        if found:
            return found
    folders = [f for f in variables.get("PATH", os.defpath).split(os.pathsep) if f]
    elsewhere = _in_folders(word, [os.path.join(cwd, f) for f in folders if f != environment.bin])
    if elsewhere and (external or not environment.path):
        return elsewhere
    raise _not_found(word, elsewhere, environment)


def find_inside(word: str, bin: str, folder: str, cwd: str) -> str:
    """The path of a program that lies in the environment; or empty."""
    if os.path.dirname(word):
        path = os.path.normpath(os.path.join(cwd, word))
        return path if folder and path.startswith(folder + os.sep) else ""
    return _in_folders(word, [bin]) if bin else ""


def _not_found(word: str, elsewhere: str, environment: Environment) -> CommandFailed:
    provider = _PROVIDERS.get(word, word)
    if " " in word:
        parts = ", ".join(f'"{part}"' for part in word.split())
        mend = f"a command is given in words: session.run({parts})"
    elif not environment.path:
        mend = "install it, or look for a typing mistake"
    elif elsewhere:
        mend = (
            f"if {elsewhere} is meant, say so: session.run(..., external=True);"
            f' else add "{provider}" to the session\'s deps'
        )
    else:
        mend = f'add "{provider}" to the session\'s deps'
    place = "in the environment" if environment.path else "on PATH"
    return CommandFailed(f"the program {word!r} is not {place}", returncode=127, mend=mend)


def _in_folders(word: str, folders: list[str]) -> str:
    """The program of that name in the first folder that has it; or empty."""
    if sys.platform == "win32":
        from shutil import which  # knows PATHEXT

        found = which(word, path=os.pathsep.join(folders)) or ""
    else:
        paths = (os.path.join(folder, word) for folder in folders)
        found = next((p for p in paths if os.access(p, os.X_OK) and not os.path.isdir(p)), "")
    return found


def restore_process(folder: str, variables: Mapping[str, str]) -> None:
    """The working folder and the variables are those: a session function may change either."""
    os.chdir(folder)
    if dict(os.environ) != variables:
        os.environ.clear()
        os.environ.update(variables)
