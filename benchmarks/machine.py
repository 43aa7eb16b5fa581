"""The machine that is measured on, as far as a reader must know of it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe(folder: Path) -> dict[str, str | int | float]:
    """What it is; `load` is what it had to do before."""
    return {
        "processor": processor(),
        "cpus": os.cpu_count() or 0,
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "filesystem": filesystem(folder),
        "load": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    """Its name, as the system tells it."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def filesystem(folder: Path) -> str:
    """The kind that a folder lies on, "unknown" where the system does not list it."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    best = ("", "unknown")
    for line in mounts.read_text().splitlines():
        _, where, kind, *_ = line.split(" ")
        if folder.resolve().is_relative_to(where) and len(where) >= len(best[0]):
            best = (where, kind)
    return best[1]
