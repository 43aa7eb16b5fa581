"""What the installs of an environment resolved to: each distribution with its version.

Kept beside the journal and in the store, so that a rebuild installs exactly that
again until somebody asks for newer versions.
"""

from __future__ import annotations

import os

from runner.digests import sha256
from runner.record import Record
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable


class Pin(Record):
    """One distribution that an install resolved to."""

    name: str
    version: str
    digest: str  # of its RECORD, which names each file with its sha256


class Resolved(Record):
    """What the installs up to a step resolved to, and when that was asked."""

    when_s: float  # as time.time() has it
    pins: tuple[Pin, ...]

    def versions(self) -> list[tuple[str, str]]:
        """The pins without what may differ where the versions are the same."""
        return [(pin.name, pin.version) for pin in self.pins]


def pins_in(site_packages: Iterable[str]) -> tuple[Pin, ...]:
    """The distributions in these folders that came from an index, by name.

    One that has a direct_url.json (PEP 610) came from a path or a URL: what is there
    is an ingredient of its step already, or must not be remembered.
    """
    found: list[Pin] = []
    for folder in site_packages:
        for entry in sorted(os.listdir(folder)):
            if not entry.endswith(".dist-info"):
                continue
            name, _, version = entry.removesuffix(".dist-info").partition("-")
            path = os.path.join(folder, entry)
            if version and not os.path.exists(os.path.join(path, "direct_url.json")):
                found.append(Pin(name, version, _digest_of_files(os.path.join(path, "RECORD"))))
    return tuple(found)


def _digest_of_files(record: str) -> str:
    """The digest of what a RECORD says of modules and data; programs differ by their place."""
    try:
        with open(record, "rb") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return ""
    # What the installer adds of its own is not of the file that was downloaded either.
    kept = sorted(
        line
        for line in lines
        if not line.startswith((b"..", b'"..'))
        and b".pyc," not in line
        and line.partition(b",")[0].rpartition(b"/")[2] not in _OF_INSTALLERS
    )
    return sha256(b"\n".join(kept)).hexdigest()[:32]


_OF_INSTALLERS = (b"INSTALLER", b"REQUESTED", b"RECORD", b"direct_url.json", b"uv_cache.json")


def as_constraints(resolved: Resolved) -> str:
    """The lines of a constraint file that allow nothing else."""
    return "".join(f"{pin.name}=={pin.version}\n" for pin in resolved.pins)


def other_files(was: Resolved, now: Iterable[Pin]) -> list[str]:
    """The names of what has the same version as before and other files in it."""
    before = {(pin.name, pin.version): pin.digest for pin in was.pins}
    return [pin.name for pin in now if before.get(pin[:2], pin.digest) != pin.digest]


def resolved_from(data: object) -> Resolved | None:
    """What was written as JSON; None for anything else. Raises nothing."""
    try:
        when_s, pins = cast("list[object]", data)
        return Resolved(
            float(cast("float", when_s)),
            tuple(
                Pin(str(name), str(version), str(digest))
                for name, version, digest in cast("list[list[object]]", pins)
            ),
        )
    except (ValueError, TypeError):
        return None
