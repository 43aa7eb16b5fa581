"""What one can ask: the table of verbs, a module each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Protocol

    from runner.model import Request

    class Verb(Protocol):
        """What a verb's module has."""

        def main(self, request: Request, /) -> int:
            """Do what is asked; the exit code."""
            ...


VERBS = (
    "run",
    "list",
    "usage",
    "explain",
    "clean",
    "lock",
    "matrix",
    "doctor",
    "completion",
    "help",
    "version",
)


def load_verb(name: str) -> Verb:
    """The module of a verb; it is imported only now."""
    return cast("Verb", import_module(f"runner.commands.{name}"))
