"""How many CPUs we may use: what `-j auto` stands for."""

from __future__ import annotations

import os
from math import ceil

_CGROUPS, _OURS = "/sys/fs/cgroup", "/proc/self/cgroup"


def usable_cpus() -> int:
    """The CPUs that the system lets us run on, no more than our share of time fills."""
    if hasattr(os, "sched_getaffinity"):
        return filled(len(os.sched_getaffinity(0)))
    return filled(os.cpu_count() or 1)


def filled(count: int, cgroups: str = _CGROUPS, ours: str = _OURS) -> int:
    """How many of so many CPUs our share of time fills, one at least.

    A container is given time, not CPUs: a quota in each period, by the cgroups
    that we are in, of either version (cgroups(7)). 1.5 CPUs keep two jobs busy.
    """
    shares = [ceil(share) for share in _shares(cgroups, ours)]
    return max(1, min([count, *shares]))


def _shares(cgroups: str, ours: str) -> list[float]:
    """How many CPUs' time each of the cgroups above us leaves; those without a quota left out."""
    shares: list[float] = []
    for line in _read(ours).splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:  # version 2
            for folder in _upward(cgroups, path):
                words = _read(os.path.join(folder, "cpu.max")).split()
                shares += _share(words[0], words[1]) if len(words) == 2 else []
        elif "cpu" in controllers.split(","):
            for name in (controllers, "cpu"):
                for folder in _upward(os.path.join(cgroups, name), path):
                    quota = _read(os.path.join(folder, "cpu.cfs_quota_us"))
                    period = _read(os.path.join(folder, "cpu.cfs_period_us"))
                    shares += _share(quota, period)
    return shares


def _upward(top: str, path: str) -> list[str]:
    """The folder of a cgroup and of those above it; in a container the first may not be there."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return [os.path.join(top, *parts[:number]) for number in range(len(parts), -1, -1)]


def _share(quota: str, period: str) -> list[float]:
    try:
        left, whole = int(quota), int(period)
    except ValueError:
        return []  # "max", or no such file
    return [left / whole] if left > 0 and whole > 0 else []


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""
