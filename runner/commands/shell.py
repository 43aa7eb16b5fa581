"""`runenv --shell NAME`: the user's shell in a job's environment."""

from __future__ import annotations

from runner.commands.exec import visit
from runner.errors import UsageError
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Request


def main(request: Request) -> int:
    """Open the shell; what it exits with."""
    if request.posargs:
        raise UsageError(
            "--shell runs no command",
            mend=f"--exec does: runenv --exec {request.argument} -- {' '.join(request.posargs)}",
        )
    # As in a terminal with an activated environment, other runs do not wait: one that
    # is typed in this shell would for ever.
    return visit(request, lambda bench: bench.visiting_shell(), holds=False)
