"""Whether each file of an environment is what its steps installed, and who changed one.

Files are links that environments share: what a job writes in place is seen in all
of them. So every file is compared before an environment is used again, 3 µs each.
"""

from __future__ import annotations

import os
from contextlib import suppress

from runner.aside import write_aside
from runner.digests import fast_sha256
from runner.envs import folder, manifest
from runner.envs.manifest import FILES
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from runner.envs.journal import Journal
    from runner.envs.manifest import Manifest


def seal(path: str) -> Manifest:
    """Take the manifest of an environment whose steps are done, and keep it there."""
    listed = manifest.take(path)
    # A new file: the old one may be that of an image.
    write_aside(os.path.join(path, FILES), manifest.to_text(listed))
    return listed


def manifest_of(path: str) -> Manifest | None:
    """The manifest that an environment keeps; None where none can be used."""
    try:
        with open(os.path.join(path, FILES), encoding="utf-8") as stream:
            return manifest.from_text(stream.read())
    except (OSError, ValueError, RecursionError):
        return None


def changes(path: str, journal: Journal) -> Iterator[str]:
    """The files that are not what the steps installed, from the environment's folder."""
    if not journal.sealed:
        return
    listed = manifest_of(path)
    if listed is None:
        yield FILES
        return
    yield from manifest.changes(path, listed, journal.own)


def first_change(path: str, journal: Journal) -> str:
    """What is not as it was installed, in words; empty where all is."""
    name = next(changes(path, journal), "")
    if not name:
        return ""
    if name == FILES:
        return "the list of its files is gone"
    if not os.path.lexists(os.path.join(path, name)):
        return f"{name} was deleted"
    listed = manifest_of(path)
    above, _, last = name.rpartition("/")
    known = listed is not None and (
        last in listed.folders.get(above, {}) or name in listed.links or name in journal.own
    )
    return f"{name} was {'changed' if known else 'added'}"


def shared_elsewhere(path: str, names: Iterable[str]) -> list[str]:
    """Of these files those that are links: what is wrong with them is so elsewhere, too."""
    found: list[str] = []
    for name in names:
        with suppress(OSError):
            if os.lstat(os.path.join(path, name)).st_nlink > 1:
                found.append(name)
    return found


def distributions_of(path: str, names: Iterable[str]) -> set[str]:
    """The names of the distributions in an environment that these files belong to."""
    wanted = set(names)
    found: set[str] = set()
    try:
        sites = folder.site_packages(path)
    except OSError:  # its lib is gone
        return found
    for site in sites:
        home = os.path.relpath(site, path).replace(os.sep, "/")
        # As RECORD names them: from site-packages, what lies elsewhere too.
        inside = {os.path.relpath(name, home).replace(os.sep, "/") for name in wanted}
        for entry in os.listdir(site):
            if inside and entry.endswith(".dist-info") and _names_any(site, entry, inside):
                found.add(entry.partition("-")[0])
    return found


def _names_any(site: str, info: str, inside: set[str]) -> bool:
    import csv  # 2 ms that only a changed file costs

    if any(name.startswith(f"{info}/") for name in inside):
        return True
    record = os.path.join(site, info, "RECORD")
    try:
        with open(record, encoding="utf-8", errors="replace", newline="") as stream:
            return any(row and row[0] in inside for row in csv.reader(stream))
    except OSError:
        return False


def files_of(path: str, distributions: Iterable[str]) -> set[str]:
    """The files that belong to these distributions, by their RECORD, but bytecode."""
    import csv  # 2 ms that only a project's new wheel costs

    wanted = tuple(f"{name}-" for name in distributions)
    found: set[str] = set()
    for site in folder.site_packages(path):
        for entry in os.listdir(site):
            if not (entry.endswith(".dist-info") and entry.startswith(wanted)):
                continue
            record = os.path.join(site, entry, "RECORD")
            with suppress(OSError), open(record, encoding="utf-8", newline="") as stream:
                names = (row[0] for row in csv.reader(stream) if row)
                paths = (os.path.normpath(os.path.join(site, n)) for n in names)
                found.update(os.path.relpath(p, path).replace(os.sep, "/") for p in paths)
    return {name for name in found if not name.endswith(".pyc") and not name.startswith("../")}


def wrong_files(tree: str, listed: Manifest) -> Iterator[str]:
    """The files of a tree that are not what was installed, by content and not by time.

    By the sha256 in RECORD; of a file that no RECORD has, by its size.
    """
    recorded = recorded_in(tree, listed)
    for above, files in listed.folders.items():
        if above.endswith("__pycache__"):
            continue
        for name, state in files.items():
            full = f"{above}/{name}" if above else name
            try:
                with open(os.path.join(tree, full), "rb") as stream:
                    size = os.fstat(stream.fileno()).st_size
                    digest = digest_of(stream) if full in recorded else ""
            except OSError:
                yield full
                continue
            if size != state[0] or digest != recorded.get(full, ""):
                yield full
    for name, target in listed.links.items():
        if manifest.link_at(os.path.join(tree, name)) != target:
            yield name


def changed_in_cache(path: str, listed: Manifest) -> Iterator[str]:
    """The linked files that are not what their RECORD says: some job has changed the cache's.

    A wheel is unpacked once, its METADATA at last or nearly so. Only what was written
    later is read; METADATA always.
    """
    for above, files in listed.folders.items():
        if not above.endswith(".dist-info") or "RECORD" not in files or "METADATA" not in files:
            continue
        unpacked_ns, site = files["METADATA"][1], os.path.dirname(above)
        for name, digest in _recorded(os.path.join(path, above, "RECORD")):
            full = f"{site}/{name}" if name[0] != "." else _joined(site, name)
            folder_name, _, last = full.rpartition("/")
            state = listed.folders.get(folder_name, {}).get(last)
            if state is None or (state[1] <= unpacked_ns and last != "METADATA"):
                continue
            with suppress(OSError), open(os.path.join(path, full), "rb") as stream:
                if os.fstat(stream.fileno()).st_nlink > 1 and digest_of(stream) != digest:
                    yield full


def _recorded(record: str) -> Iterator[tuple[str, str]]:
    """The names in a RECORD as it has them, from site-packages, with their sha256."""
    with suppress(OSError), open(record, encoding="utf-8", newline="") as stream:
        for line in stream:
            name, _, rest = line.partition(",sha256=")
            if rest:
                yield name.strip('"').replace('""', '"'), rest.partition(",")[0].rstrip("=")


def _joined(site: str, name: str) -> str:
    return os.path.normpath(os.path.join(site, name)).replace(os.sep, "/")


def digest_of(stream: IO[bytes]) -> str:
    """The sha256 of a file as a RECORD has it."""
    from base64 import urlsafe_b64encode  # most runs read no file again

    digest = fast_sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def recorded_in(tree: str, listed: Manifest) -> dict[str, str]:
    """The sha256 of files as RECORDs have it, by name from the top of the tree."""
    found: dict[str, str] = {}
    for above, files in listed.folders.items():
        if above.endswith(".dist-info") and "RECORD" in files:
            site = os.path.dirname(above)
            for name, digest in _recorded(os.path.join(tree, above, "RECORD")):
                found[_joined(site, name)] = digest
    return found
