"""Environments made by the standard library's venv, installed into by the pip in them."""

from __future__ import annotations

from runner.envs.pip_itself import (
    bring,
    build_argv,
    check_arguments,
    check_place,
    export_argv,
    forget_argv,
    install_argv,
    installer_config,
    installer_variables,
    nothing_to_finish,
    offline_arguments,
    rebuilds_slowly,
    replaces_other_files,
    write_bare,
)
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
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

finish = nothing_to_finish


def why_not() -> str:
    return ""  # each Python brings its own; one without says so itself


def version() -> str:
    return ""  # it is part of the interpreter, which is an ingredient


def make_argv(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> tuple[str, ...]:
    check_place(path)
    return (interpreter.path, "-m", "venv", *options, path)
