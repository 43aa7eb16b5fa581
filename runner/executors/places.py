"""Where a cluster is: whether what is sent there can be read, or forged, on the way.

Knows nothing of what is there.
"""

from __future__ import annotations

import ipaddress

from runner.errors import UsageError

LOCAL = "local-cluster:"


def check_place(where: str) -> None:
    """Raise UsageError where whoever listens on the way could run what he likes."""
    if where.startswith("tcp://") and not is_loopback(where):
        raise UsageError(
            f"--on {where}: without TLS whoever reaches that port can run what he likes there",
            mend="start scheduler and workers with TLS, and write tls://",
        )


def is_loopback(where: str) -> bool:
    """Whether an address never leaves this machine."""
    _, _, place = where.partition("://")
    host = place.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
