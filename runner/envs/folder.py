"""The environment folder: names in it, making it, and deleting in it and nowhere else.

Knows nothing of what an environment holds but its journal, which is the mark
by which a folder is ours.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress

from runner.aside import own_name, replace, write_aside, writer_of
from runner.digests import sha256
from runner.envs.lock import is_alive
from runner.errors import EnvironmentBroken
from runner.trees import remove_tree

JOURNAL = "runenv.json"
KEY = ".key"
OF_ENVFILE = ".envfile"  # the environment of an envfile that names packages of its own
BUILDS = ".builds"  # the folder of the environments in which local projects are built
NEW = ".new-"  # what begins so is being made, and is left over where its lock is free

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)

_LONGEST = 80  # characters; leaves room below for site-packages on every system
_OTHERS = {"artifacts", "logs"}  # what stands beside the environments
_RESERVED = (
    {"con", "prn", "aux", "nul"}
    | _OTHERS
    | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}
)

_ATTEMPTS = 20
_TRASH_CHANGED = (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY)

_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder holds environments made by runenv; it can be deleted at any time.
# For what this file is: https://bford.info/cachedir/
"""


def folder_name(job_name: str) -> str:
    """The name of a job's folder: its own name where that is safe on every file system.

    Upper case (where cases are folded), what is long, reserved (on Windows, or by what
    else stands in the environment folder), not ASCII or has signs, as names of nox's have,
    gets a hash of the name behind it, so that two jobs never meet. The colon behind the
    prefix of what is included, which Windows forbids, is an @, which no session's name has.
    """
    signs = any(not (c.isalnum() or c in "._+-:") for c in job_name) or job_name[:1] in "-."
    plain = job_name.isascii() and job_name == job_name.lower() and len(job_name) <= _LONGEST
    reserved = job_name.split(".")[0].lower() in _RESERVED or job_name.endswith(".")
    if plain and not reserved and not signs:
        return job_name.replace(":", "@")
    digest = sha256(job_name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._+-") else "_" for c in job_name)
    kept = re.sub(r"^[-.]", "_", kept)
    return f"{kept[:_LONGEST].rstrip('.')}-{digest}"


def folder_of_envfile(prefix: str) -> str:
    """The name of the folder for the packages of an envfile, that of a prefix or the first."""
    return f"{OF_ENVFILE}@{folder_name(prefix[:-1])}" if prefix else OF_ENVFILE


def is_of_envfile(name: str) -> bool:
    """Whether a folder has such a name."""
    return name.partition("@")[0] == OF_ENVFILE


def check_place(envdir: str) -> None:
    """Raise EnvironmentBroken where no environment in this folder could work."""
    for sign, trouble in ((os.pathsep, "which parts the folders of PATH"), ("\n", "a line end")):
        if sign in envdir:
            raise EnvironmentBroken(
                f"the environment folder {envdir!r} has a {sign!r} in it, {trouble}",
                mend="choose another with --envdir",
            )


def make_envdir(envdir: str, root: str, store: str = "") -> None:
    """The folder of all environments is there, ignored by git and by backups.

    store: whose key it takes for digests of secrets, so that equal needs are seen
    to be equal in other projects. Raises EnvironmentBroken where it would be the
    project's own folder, `root`, or one above it: all in it would be ignored.
    """
    if holds_project(envdir, root):
        raise EnvironmentBroken(
            f"the environment folder {envdir} holds the project itself",
            mend="name a folder of its own: --envdir .runenv",
        )
    locks, key = os.path.join(envdir, ".locks"), os.path.join(envdir, KEY)
    tag = os.path.join(envdir, "CACHEDIR.TAG")
    if os.path.isdir(locks) and os.path.exists(tag) and os.path.exists(key):
        return
    try:
        os.makedirs(locks, exist_ok=True)
        _remove_half_written(envdir)
        # Outside of a repository ruff and ripgrep read .ignore alone, and would
        # check what is installed.
        for name, text in ((".gitignore", "*\n"), (".ignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            path = os.path.join(envdir, name)
            if not os.path.exists(path):  # a folder that was there before us may have its own
                write_aside(path, text)
        if not os.path.exists(key):
            make_key(key, read_key(store) if store else b"")
    except OSError as error:
        raise EnvironmentBroken(
            f"the environment folder {envdir} cannot be made: {error.strerror}",
            mend="make room for it, or choose another with --envdir",
        ) from None


def _remove_half_written(envdir: str) -> None:
    """What runs have left that were killed while they made the folder is gone."""
    for name in os.listdir(envdir):
        writer = writer_of(name)
        if writer is not None and not is_alive(writer):
            with suppress(OSError):  # another run removes it too
                os.unlink(os.path.join(envdir, name))


def holds_project(envdir: str, root: str) -> bool:
    """Whether the folder is the project's own, or one above it."""
    project, taken = os.path.realpath(root) + os.sep, os.path.realpath(envdir)
    return project.startswith(taken.rstrip(os.sep) + os.sep)


def tag_as_cache(folder: str) -> None:
    """The folder is known as a cache to whoever makes backups."""
    path = os.path.join(folder, "CACHEDIR.TAG")
    if not os.path.exists(path):
        write_aside(path, _TAG)


def make_key(path: str, key: bytes = b"") -> None:
    """The file has a key, the first that anybody gave it: two runs may be the first at once."""
    aside = f"{path}.{own_name()}"
    with open(os.open(aside, _NEW, 0o600), "wb") as stream:
        stream.write(key or os.urandom(32))
    try:
        with suppress(FileExistsError):
            os.link(aside, path)
    except OSError:  # a file system without hard links
        os.replace(aside, path)
        return
    os.unlink(aside)


def read_key(envdir: str) -> bytes:
    """What digests of secrets are made with here; empty before the first environment is made.

    A journal may be read by others, in a cache of CI say: without the key nobody
    can try out which password gives the digest in it.
    """
    try:
        with open(os.path.join(envdir, KEY), "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def start_environment(path: str, journal_text: str) -> None:
    """An environment's folder is there with its journal in it, both at once."""
    # Made aside and renamed, so that there is never a folder of ours that
    # lacks the journal, which is what says that it may be deleted.
    # Always under the same name: the lock is ours, so what is there was left by
    # a run that was killed.
    parent, name = os.path.split(path)
    empty_trash(parent)
    aside = os.path.join(parent, f"{NEW}{name}")
    if os.path.islink(aside):  # not by us, and what it leads to is not ours to write
        os.unlink(aside)
    os.makedirs(aside, exist_ok=True)
    write_journal(aside, journal_text)
    os.rename(aside, path)


def write_journal(path: str, text: str) -> None:
    """The environment in `path`, whose lock is ours, has this journal."""
    replace(os.path.join(path, JOURNAL), f"{JOURNAL}.new", text)


def why_not_ours(path: str) -> str:
    """Why the folder may not be deleted, in words; empty when it may, or is not there."""
    if os.path.islink(path):
        return "it is a link"
    if not os.path.lexists(path):
        return ""
    if not os.path.isdir(path):
        return "it is a file"
    if not os.listdir(path) or os.path.isfile(os.path.join(path, JOURNAL)):
        return ""
    return f"it was not made by runenv (no {JOURNAL} in it)"


def remove(path: str) -> None:
    """The environment is gone; anything that is not one of ours is an error.

    Renamed first, so that a crash leaves a corpse and not half a body.
    """
    trouble = why_not_ours(path)
    if trouble:
        raise EnvironmentBroken(
            f"{path} stands where an environment belongs, and {trouble}",
            mend="move it away; runenv deletes only what it made",
        )
    if not os.path.lexists(path):
        return
    trash = os.path.join(os.path.dirname(path), ".trash")
    for attempt in range(_ATTEMPTS):
        corpse = os.path.join(trash, f"{os.path.basename(path)}-{os.getpid()}-{attempt}")
        try:
            os.makedirs(trash, exist_ok=True)
            if os.path.islink(trash):
                raise NotADirectoryError(errno.ENOTDIR, f"{trash} is a link")
            os.rename(path, corpse)
            break
        except OSError as error:
            # Another run empties the trash at this moment, and takes the folder
            # away under us; or an earlier corpse could not go.
            if attempt + 1 < _ATTEMPTS and error.errno in _TRASH_CHANGED:
                continue
            raise EnvironmentBroken(
                f"{path} cannot be replaced: {error.strerror}",
                mend="a program may be using it; end that program, or choose another --envdir",
            ) from None
    empty_trash(os.path.dirname(path))


def empty_tmp(path: str) -> None:
    """The folder `tmp` in an environment, which a session has filled, is not there."""
    tmp = os.path.join(path, "tmp")
    if os.path.islink(tmp) or not os.path.isdir(tmp) or why_not_ours(path):
        return
    trash = os.path.join(os.path.dirname(path), ".trash")
    os.makedirs(trash, exist_ok=True)
    os.rename(tmp, os.path.join(trash, f"{os.path.basename(path)}-tmp-{os.getpid()}"))
    empty_trash(os.path.dirname(path))


def empty_trash(envdir: str) -> None:
    """What was removed earlier, by us or by a run that was killed then, is gone."""
    trash = os.path.join(envdir, ".trash")
    if not os.path.isdir(trash):
        return
    remove_tree(trash)  # what cannot go now, since another run empties it too say, goes next time


def environments_in(envdir: str) -> list[str]:
    """The names of the folders that hold environments of ours."""
    try:
        names = sorted(os.listdir(envdir))
    except OSError:
        return []
    found: list[str] = []
    for name in names:
        path = os.path.join(envdir, name)
        ours = is_of_envfile(name) or not name.startswith(".")
        if ours and os.path.isfile(os.path.join(path, JOURNAL)):
            found.append(name)
    return found


def build_environments_in(envdir: str) -> list[str]:
    """The names of the folders that hold build environments: `.builds/mine-3.13-0a1b2c3d`."""
    home = os.path.join(envdir, BUILDS)
    if os.path.islink(home):
        return []
    return [os.path.join(BUILDS, name) for name in environments_in(home)]


def lock_name(name: str) -> str:
    """The name of the file, among the locks, of the environment with that name."""
    return name.replace("/", "-").replace(os.sep, "-")


def half_made_in(envdir: str) -> list[str]:
    """The names of the folders of environments that never got their own name."""
    found: list[str] = []
    for above in ("", BUILDS):
        if os.path.islink(os.path.join(envdir, above)) and above:
            continue
        try:
            names = sorted(os.listdir(os.path.join(envdir, above)))
        except OSError:
            continue
        found += [os.path.join(above, name) for name in names if name.startswith(NEW)]
    return found


def bin_folder(path: str) -> str:
    """Where the programs of the environment in `path` are."""
    return os.path.join(path, "Scripts" if sys.platform == "win32" else "bin")


def python_in(path: str) -> str:
    """The interpreter of the environment in `path`."""
    return os.path.join(bin_folder(path), "python.exe" if sys.platform == "win32" else "python")


def distributions_in(path: str) -> set[str]:
    """The normal names (PEP 503) of what is installed in the environment in `path`."""
    names = (name for folder in site_packages(path) for name in os.listdir(folder))
    kept = (n.partition("-")[0] for n in names if n.endswith((".dist-info", ".egg-info")))
    return {re.sub(r"[-_.]+", "-", name).lower() for name in kept}


def site_packages(path: str) -> list[str]:
    """The site-packages folders of the environment in `path`."""
    if sys.platform == "win32":
        folders = [os.path.join(path, "Lib", "site-packages")]
    else:
        lib = os.path.join(path, "lib")
        folders = [os.path.join(lib, name, "site-packages") for name in sorted(os.listdir(lib))]
    return [folder for folder in folders if os.path.isdir(folder)]
