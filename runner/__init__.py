"""runenv: a declarative task runner; what an envfile may use."""

from __future__ import annotations

from runner import pyproject as project
from runner.declare import include, options, param, parametrize, session
from runner.errors import CommandFailed, CommandTimedOut
from runner.handle import Session

__version__ = "0.1.0"

needs_version: str | None = None
"""Assign a version specifier (PEP 440) to it: `runner.needs_version = ">=0.1"`."""

__all__ = [
    "CommandFailed",
    "CommandTimedOut",
    "Session",
    "include",
    "needs_version",
    "options",
    "param",
    "parametrize",
    "project",
    "session",
]
