"""What pip can do of what uv's options and lock files say, in pip's own words.

Says so where pip cannot. Knows nothing of what is declared.
"""

from __future__ import annotations

import os

from runner.aside import write_aside
from runner.envs.folder import site_packages
from runner.errors import EnvironmentBroken
from runner.requirements.arguments import read_arguments
from runner.requirements.pylock import as_requirements, is_lock_name
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.requirements.arguments import Argument
    from runner.running import Environment

_MEND = 'uv can: backend="uv" for the session'

# What pip does without being asked: of pre-releases only those that are named, or
# where nothing else fits ("Pre-release Versions" in its documentation).
_AS_ALWAYS = {
    "--resolution": ("highest",),
    "--prerelease": ("if-necessary", "if-necessary-or-explicit"),
}
_UPLOADED_PRIOR_TO = (26, 0)  # the first pip that has the option


def check(arguments: tuple[str, ...]) -> None:
    """Raise EnvironmentBroken for arguments that no pip can follow."""
    for argument in read_arguments(arguments):
        if argument.option in _AS_ALWAYS and _choosing(argument) is None:
            name = argument.option.removeprefix("--")
            raise EnvironmentBroken(f"pip has no {name} {argument.value!r}", mend=_MEND)
        if argument.option in ("-P", "--upgrade-package"):
            raise EnvironmentBroken(
                f"pip cannot upgrade {argument.value} and leave the rest as it is",
                mend=f"{_MEND}; --upgrade upgrades all",
            )


def as_pip_takes_them(arguments: tuple[str, ...], environment: Environment) -> tuple[str, ...]:
    """The arguments of an install in an environment that pip is in.

    A lock file becomes a requirement file with hashes beside the journal: pip
    reads lock files only from 26.1 on, and calls that an experiment.
    """
    check(arguments)
    return tuple(
        word
        for argument in read_arguments(arguments)
        for word in _translated(argument, environment)
    )


def _translated(argument: Argument, environment: Environment) -> Iterator[str]:
    if argument.option == "--exclude-newer":
        version = _pip_version(environment)
        if version < _UPLOADED_PRIOR_TO:
            shown = ".".join(map(str, version)) or "of this environment"
            raise EnvironmentBroken(
                f"pip {shown} has no exclude_newer {argument.value!r}: only pip 26.0 and later has",
                mend=_MEND,
            )
        yield f"--uploaded-prior-to={argument.value}"
    elif argument.option in _AS_ALWAYS:
        yield from _choosing(argument) or ()
    elif argument.option == "-r" and is_lock_name(argument.value):
        path = os.path.join(environment.path, ".runenv-lock.txt")
        write_aside(path, as_requirements(argument.value))
        yield from ("-r", path)
    else:
        yield from argument.tokens


def _choosing(argument: Argument) -> tuple[str, ...] | None:
    """What makes pip choose so; None where nothing does."""
    if argument.value in _AS_ALWAYS[argument.option]:
        return ()
    return ("--pre",) if (argument.option, argument.value) == ("--prerelease", "allow") else None


def _pip_version(environment: Environment) -> tuple[int, ...]:
    """By the name of its metadata folder: asking pip itself takes 200 ms."""
    for folder in site_packages(environment.path):
        for name in os.listdir(folder):
            if name.startswith("pip-") and name.endswith(".dist-info"):
                parts = name.removeprefix("pip-").removesuffix(".dist-info").split(".")
                return tuple(int(part) for part in parts if part.isdigit())
    return ()
