"""Checks of the folders that environments and caches lie in."""

from __future__ import annotations

import os
import shutil
from itertools import islice

from runner.amounts import counted, size_in_words
from runner.checks import Finding, Here
from runner.checks.asking import exit_code, first_line
from runner.envs import folder, uv
from runner.envs.journal import read as read_journal
from runner.envs.lock import who_holds
from runner.envs.upkeep import sizes_bytes

_LITTLE_BYTES = 1_000_000_000  # an environment for tests takes some hundred megabytes
_NOTHING_BYTES = 20_000_000  # of which no environment can be made
_COUNTED = 200_000  # files of a cache: more are not worth the seconds


def check_envdir(here: Here) -> list[Finding]:
    """The folder of all environments: that it is ours to write, and nobody commits it."""
    envdir = here.envdir
    if not os.path.lexists(envdir):
        above = nearest_folder(envdir)
        if os.access(above, os.W_OK | os.X_OK):
            return [Finding("envdir", "good", f"{envdir} will be made by the first run")]
        what = f"{envdir} cannot be made: {above} is not ours to write"
        return [Finding("envdir", "broken", what, "let it be written, or choose another --envdir")]
    if not os.path.isdir(envdir):
        what = f"{envdir} is no folder"
        return [Finding("envdir", "broken", what, "move it away, or choose another --envdir")]
    if folder.holds_project(envdir, here.root):
        mend = "name a folder of its own: --envdir .runenv"
        return [Finding("envdir", "broken", f"{envdir} holds the project itself", mend)]
    if not os.access(envdir, os.W_OK | os.X_OK):
        mend = "let it be written, or choose another --envdir"
        return [Finding("envdir", "broken", f"{envdir} is not ours to write", mend)]
    names = _environments_in(envdir)
    size = _size_in_words(envdir)
    told = f"{envdir}: {counted(len(names), 'environment')}, {size}"
    if os.path.islink(envdir):
        told += f", a link to {os.path.realpath(envdir)}"
    if _folds_case(envdir):
        told += "; the file system folds case, and names that it would confuse have a hash"
    return [Finding("envdir", "good", told), *_not_ignored(here), *_links_in(envdir)]


def _environments_in(envdir: str) -> list[str]:
    """All of them: those of jobs, and those in which projects are built."""
    return [*folder.environments_in(envdir), *folder.build_environments_in(envdir)]


def _not_ignored(here: Here) -> list[Finding]:
    """What git would commit of the environment folder."""
    if not os.path.isdir(os.path.join(here.envdir, ".locks")):
        return []  # a run has not made it its own yet
    probe = os.path.join(here.envdir, "probe")
    # 0: ignored, 1: not, 128: no repository
    if exit_code(("git", "check-ignore", "-q", probe), here) != 1:
        return []
    what = f"git does not ignore {here.envdir}"
    mend = f"write * into {os.path.join(here.envdir, '.gitignore')}"
    return [Finding("envdir", "warning", what, mend)]


def _links_in(envdir: str) -> list[Finding]:
    return [
        Finding(
            "envdir",
            "warning",
            f"{os.path.join(envdir, name)} is a link: runenv neither uses nor deletes it",
            "move it away",
        )
        for name in sorted(os.listdir(envdir))
        if os.path.islink(os.path.join(envdir, name))
    ]


def _folds_case(path: str) -> bool:
    tag = os.path.join(path, "CACHEDIR.TAG")
    return os.path.exists(tag) and os.path.exists(os.path.join(path, "cachedir.tag"))


def check_journals(here: Here) -> list[Finding]:
    """Environments that the next run makes anew, whatever the envfile says."""
    findings: list[Finding] = []
    for name in _environments_in(here.envdir):
        journal = read_journal(os.path.join(here.envdir, name))
        in_use = who_holds(os.path.join(here.envdir, ".locks", folder.lock_name(name)))
        named = "" if name.startswith(folder.BUILDS) else f" {name}"
        mend = f"nothing is to be done: the next run makes it anew; or runenv --clean{named}"
        if in_use:
            continue
        if journal is None:
            what = f"the journal of {name} cannot be read"
            findings.append(Finding("journals", "warning", what, mend))
        elif journal.state == "changing":
            what = f"a run was stopped while it changed {name}"
            findings.append(Finding("journals", "warning", what, mend))
    return findings or [Finding("journals", "good", "each can be read")]


def check_locks(here: Here) -> list[Finding]:
    """Who uses environments now."""
    locks = os.path.join(here.envdir, ".locks")
    names = sorted(os.listdir(locks)) if os.path.isdir(locks) else []
    findings: list[Finding] = []
    for name in names:
        holder = who_holds(os.path.join(locks, name))
        if holder.startswith("what "):
            what = f"{name} is used by {holder}"
            findings.append(Finding("locks", "warning", what, "end it, and the next run goes on"))
        elif holder:
            findings.append(Finding("locks", "good", f"{name} is used by {holder}"))
    return findings or [Finding("locks", "good", "no environment is in use")]


def check_space(here: Here) -> list[Finding]:
    """Room for environments."""
    above = nearest_folder(here.envdir)
    return [space_finding(above, shutil.disk_usage(above).free)]


def space_finding(path: str, free_bytes: int) -> Finding:
    """What so much room means."""
    told = f"{size_in_words(free_bytes)} are free where environments are made"
    mend = f"make room on the disk of {path}: runenv --clean --stale, uv cache prune"
    if free_bytes < _NOTHING_BYTES:
        return Finding("disk", "broken", told, mend)
    if free_bytes < _LITTLE_BYTES:
        return Finding("disk", "warning", told, mend)
    return Finding("disk", "good", told)


def check_uv_cache(here: Here) -> list[Finding]:
    """The cache of uv, from which environments are linked."""
    found = uv.find_uv()
    cache = first_line((found, "cache", "dir"), here) if found else ""
    if not cache:
        return []
    above = nearest_folder(cache)
    if not os.access(above, os.W_OK | os.X_OK):
        mend = "let it be written, or name another: UV_CACHE_DIR"
        return [Finding("uv's cache", "broken", f"{above} is not ours to write", mend)]
    size = f", {_size_in_words(cache)}" if os.path.isdir(cache) else ", not there yet"
    findings = [Finding("uv's cache", "good", f"{cache}{size}")]
    mode = here.environ.get("UV_LINK_MODE", "")
    apart = os.stat(above).st_dev != os.stat(nearest_folder(here.envdir)).st_dev
    if mode:
        findings.append(Finding("link mode", "good", f"{mode}, as UV_LINK_MODE says"))
    elif apart:
        findings.append(
            Finding(
                "link mode",
                "warning",
                "uv's cache and the environment folder are on different file systems:"
                " each install copies instead of linking",
                f"set UV_CACHE_DIR to a folder on the file system of {here.envdir},"
                " or --envdir to one on that of the cache;"
                " UV_LINK_MODE=copy says that it is meant",
            )
        )
    else:
        findings.append(Finding("link mode", "good", "uv links from its cache"))
    return findings


def nearest_folder(path: str) -> str:
    """The folder itself, or the nearest above it that is there."""
    while not os.path.isdir(path):
        above = os.path.dirname(path)
        if above == path:
            break
        path = above
    return path


def _size_in_words(path: str) -> str:
    sizes = list(islice(sizes_bytes(path), _COUNTED + 1))
    more = "more than " if len(sizes) > _COUNTED else ""
    return more + size_in_words(sum(sizes))
