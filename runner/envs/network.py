"""Tries an installer again when it failed because the network did.

Installers try a request again by themselves, within seconds and for some failures
alone; here the whole install is, for what a moment may mend: no connection, no
answer of a name server or in time, an answer that broke off. What an installer says
is all there is to tell that from what stays so: its exit code is the same.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.running import Command, Finished

WAITS_S = (1.0, 3.0)  # before the second attempt, and before the third

# As uv 0.5 to 0.9 (and rattler, by the same HTTP client) and pip 21 to 26 say it.
_SIGNS = {
    "dns error": "no answer of a name server",
    "Failed to resolve IP address": "no answer of a name server",
    "Temporary failure in name resolution": "no answer of a name server",
    "NameResolutionError": "no answer of a name server",
    "operation timed out": "no answer in time",
    "connection-timeout": "no answer in time",
    "Read timed out": "no answer in time",
    "client error (Connect)": "no connection",
    "connection-failed": "no connection",
    "Failed to establish a new connection": "no connection",
    "client error (SendRequest)": "the connection broke",
    "error decoding response body": "the connection broke",
    "request or response body error": "the connection broke",
    "incomplete-download": "the connection broke",
    "Connection broken: ": "the connection broke",
    "Connection aborted": "the connection broke",
}

# pip goes on without an index that it cannot reach, and then finds no version. That it
# has done so is told by the last of its warnings alone.
_PIP_GAVE_UP = "Retry(total=0,"

_STAYS_SO = (
    "No solution found",
    "ResolutionImpossible",
    "invalid peer certificate",
    "CERTIFICATE_VERIFY_FAILED",
)


def network_trouble(output: str) -> str:
    """What was wrong with the network, where that made an installer fail; or empty."""
    if any(sign in output for sign in _STAYS_SO):
        return ""
    known = next((trouble for sign, trouble in _SIGNS.items() if sign in output), "")
    if "No matching distribution found" not in output:
        return known
    return known or "the connection broke" if _PIP_GAVE_UP in output else ""


def run_patiently(
    run: Callable[[Command], Finished],
    command: Command,
    wait: Callable[[float], None],
    tell: Callable[[str], None],
) -> Finished:
    """How an installer ended, the last time where it was tried again.

    What it writes must be captured; what is not cannot be judged.
    """
    for pause_s in WAITS_S:
        finished = run(command)
        trouble = network_trouble(finished.stdout) if finished.returncode != 0 else ""
        if not trouble:
            return finished
        tell(f"the network failed ({trouble}); trying again in {pause_s:g} s")
        wait(pause_s)
    return run(command)
