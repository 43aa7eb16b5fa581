"""`runenv --version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner import __version__

if TYPE_CHECKING:
    from runner.model import Request


def main(_request: Request) -> int:
    """Print the version to standard output."""
    print(f"runenv {__version__}")
    return 0
