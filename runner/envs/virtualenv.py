"""Environments made by virtualenv, installed into by the pip in them."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from runner.envs.pip_itself import install_argv, installer_variables, nothing_to_finish

if TYPE_CHECKING:
    from runner.model import Interpreter

__all__ = ["finish", "install_argv", "installer_variables", "make_argv", "why_not"]

finish = nothing_to_finish


def why_not() -> str:
    if find_spec("virtualenv") is None:
        return "virtualenv is not installed beside runenv: install it there, or use --backend uv"
    return ""


def make_argv(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> tuple[str, ...]:
    # --no-periodic-update: no background process that outlives the run.
    fixed = ("-m", "virtualenv", "--no-periodic-update", "--python", interpreter.path)
    return (sys.executable, *fixed, *options, path)
