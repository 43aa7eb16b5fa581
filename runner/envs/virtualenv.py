"""Environments made by virtualenv, installed into by the pip in them."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec

from runner.envs import pip_itself
from runner.envs.pip_itself import (
    bring,
    build_argv,
    check_arguments,
    check_place,
    export_argv,
    forget_argv,
    install_argv,
    installer_config,
    nothing_to_finish,
    offline_arguments,
    rebuilds_slowly,
    replaces_other_files,
    write_bare,
)
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.running import Interpreter

__all__ = [
    "bring",
    "build_argv",
    "check_arguments",
    "export_argv",
    "finish",
    "forget_argv",
    "install_argv",
    "installer_config",
    "installer_variables",
    "make_argv",
    "offline_arguments",
    "rebuilds_slowly",
    "replaces_other_files",
    "version",
    "why_not",
    "write_bare",
]

# These do not change what ends up in an environment.
_NEUTRAL = (
    "VIRTUALENV_APP_DATA",
    "VIRTUALENV_OVERRIDE_APP_DATA",
    "VIRTUALENV_QUIET",
    "VIRTUALENV_VERBOSE",
)

finish = nothing_to_finish


def why_not() -> str:
    if find_spec("virtualenv") is None:
        return "virtualenv is not installed beside runenv: install it there, or use --backend uv"
    return ""


def version() -> str:
    """As written in its own `version.py`: importlib.metadata costs 20 ms, and importing it more."""
    found = find_spec("virtualenv")
    if found is None or not found.origin:
        return ""
    try:
        with open(os.path.join(os.path.dirname(found.origin), "version.py")) as stream:
            text = stream.read()  # `__version__ = version = '21.1'`, as setuptools-scm writes it
    except OSError:
        return ""
    match = re.search(r"^__version__ = (?:\w+ = )*['\"](.+?)['\"]", text, re.M)
    return match[1] if match else ""


def make_argv(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> tuple[str, ...]:
    check_place(path)
    # --no-periodic-update: no background process that outlives the run.
    fixed = ("-m", "virtualenv", "--no-periodic-update", "--python", interpreter.path)
    return (sys.executable, *fixed, *options, path)


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    # virtualenv takes each of its options from a variable too.
    own = {
        name: value
        for name, value in environ.items()
        if name.startswith("VIRTUALENV_") and name not in _NEUTRAL
    }
    return {**pip_itself.installer_variables(environ), **own}
