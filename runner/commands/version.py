"""`runenv --version`."""

from __future__ import annotations

from runner import __version__
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Request


def main(_request: Request) -> int:
    """Print the version to standard output."""
    print(f"runenv {__version__}")
    return 0
