"""Tells what a local project's build reads: its build files and its sources.

The sources are what git would keep, or else the folder without the caches and
leftovers of the usual tools. Knows nothing of how a project is built.
"""

from __future__ import annotations

import functools
import json
import os
import re
import stat
import subprocess
import time

from runner.aside import keep
from runner.digests import LITTLE_BYTES, fast_sha256, keyed_digest, sha256
from runner.errors import EnvironmentBroken
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")

# Told apart from the sources (BUILD_FILES), or about the project and never of
# it: what is written in an envfile does not change the wheel.
_NOT_SOURCES = frozenset((*BUILD_FILES, "envfile.py", "noxfile.py"))

_LEFTOVER_FOLDERS = """
.git .hg .svn .runenv .nox .tox .venv __pycache__ .mypy_cache .ruff_cache .pytest_cache
.hypothesis .eggs node_modules htmlcov
"""
_BUILD_FOLDERS = ("build", "dist")

_FORMAT = 1  # of the memory; another number: written by a runenv that means something else

_RACY_NS = 2_000_000_000  # FAT counts a file's time in steps of 2 s, others in less


def build_files(folder: str, *, editable: bool) -> list[str]:
    """The files that decide a project's metadata, relative to it, those that exist.

    With editable these are all that an install depends on, so the files that
    they name count too: requirements.txt, read by a setup.py or given as
    dynamic dependencies.
    """
    found = [name for name in BUILD_FILES if os.path.isfile(os.path.join(folder, name))]
    if not editable:
        return found
    if os.path.isfile(os.path.join(folder, "MANIFEST.in")):
        found.append("MANIFEST.in")
    text = b"\n".join(content_of(os.path.join(folder, name)) for name in found)
    for match in sorted(set(re.findall(rb"[\w./-]+\.(?:txt|in)\b", text))):
        name = os.path.normpath(os.fsdecode(match))
        if name not in found and os.path.isfile(os.path.join(folder, name)):
            found.append(name)
    return found


def is_project(folder: str) -> bool:
    """Whether a folder has what installers build from."""
    return any(os.path.isfile(os.path.join(folder, name)) for name in BUILD_FILES[:2])


def packages(folder: str) -> list[str]:
    """The import packages at the top of a project and in its src/.

    An editable install may list them one by one (setuptools does), so a new one
    is not seen without another install.
    """
    names = [*os.listdir(folder)]
    if os.path.isdir(os.path.join(folder, "src")):
        names += [f"src/{name}" for name in os.listdir(os.path.join(folder, "src"))]
    return sorted(n for n in names if os.path.isfile(os.path.join(folder, n, "__init__.py")))


_VERSION_FROM_GIT = (
    rb"setuptools[-_]scm|hatch-vcs|flit[-_]scm|vcs-versioning"
    rb"|versioningit|versioneer|dunamai|\bpbr\b"
)


class SourceDigests:
    """Digests of the sources of local projects.

    A file is read once: what it held is remembered by its size and times, for
    the other sessions of a run and, in a file of ours, for later runs. Which
    files there are is asked each time, because a session may write what a later
    one installs.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        key: Callable[[], bytes] = bytes,
        memory: str = "",
    ) -> None:
        """What it works with.

        key: asked for once, before the first digest of a secret. memory: the file
        that remembers for later runs; it saves time and decides nothing.
        """
        outer = os.environ if environ is None else environ
        self._environ = without_git_places(outer)
        self._now_ns = now_ns
        self._key = functools.cache(key)
        self._known: dict[str, list[str]] = {}  # by path: stamp and digest
        self._memory = memory
        self._is_remembered = not memory
        self._seen: set[str] = set()
        self._hashed_bytes = 0
        self._learnt = False  # what the memory does not have

    def of(self, folder: str) -> str:
        """`sha256:…` over path, executable bit and content of each source.

        A symbolic link counts by what it points to and, where that is a file,
        by its content. Raises EnvironmentBroken for a file that cannot be read.
        """
        if not self._is_remembered:
            self._is_remembered = True
            self._known = {**_read_memory(self._memory), **self._known}
        digest = self._digest(folder, set(self._sources(folder)) - _NOT_SOURCES)
        if self._learnt and self._memory:
            self._write_memory(folder)
        return f"sha256:{digest}"

    def _write_memory(self, folder: str) -> None:
        self._learnt = False
        here = folder.rstrip(os.sep) + os.sep
        known = dict(self._known)  # another thread may learn meanwhile
        files = {p: k for p, k in known.items() if p in self._seen or not p.startswith(here)}
        keep(self._memory, json.dumps({"format": _FORMAT, "files": files}, separators=(",", ":")))

    def marks(self, folder: str, digest: str) -> dict[str, str]:
        """Of each source a mark that changes with it; empty where `of` says another digest now.

        Read again instead of remembered, because only who builds or explains needs
        it. Made with the key: a mark tells nobody whether a file holds what he guesses.
        """
        entries: dict[str, bytes] = {}
        names = set(self._sources(folder)) - _NOT_SOURCES
        if f"sha256:{self._digest(folder, names, entries)}" != digest:
            return {}
        key = self._key()
        return {name: keyed_digest(key, entry, 8) for name, entry in entries.items()}

    def of_files(self, folder: str, names: list[str]) -> str:
        """`sha256:…` over the named files of a folder."""
        return f"sha256:{self._digest(folder, set(names))}"

    def of_file(self, path: str) -> str:
        """`sha256:…` of what a file holds: a wheel, say."""
        try:
            return f"sha256:{self._content_digest(path, os.stat(path)).decode()}"
        except OSError as error:
            raise _unreadable(os.path.basename(path), error, where=os.path.dirname(path)) from None

    def of_secret(self, text: str) -> str:
        """A digest of a text that may hold a password: nobody can check a guess by it."""
        data = text.encode("utf-8", "surrogateescape")
        return f"blake2b:{keyed_digest(self._key(), data, 16)}"

    def revision(self, folder: str) -> str | None:
        """Tag, distance and commit of a project whose version is made from them.

        None for any other project; "" where git does not know.
        """
        texts = (content_of(os.path.join(folder, name)) for name in BUILD_FILES)
        if not any(re.search(_VERSION_FROM_GIT, text) for text in texts):
            return None
        said = self._git(folder, "describe", "--tags", "--long", "--always", "--abbrev=12")
        return (said or b"").decode("utf-8", "replace").strip()

    def _digest(self, folder: str, names: set[str], entries: dict[str, bytes] | None = None) -> str:
        """The digest over the named files; entries: takes what is hashed of each."""
        # Sorted as bytes: no locale has a say. Kind, digest and the closing NUL,
        # which no path can hold, leave one way to read what is hashed.
        whole = sha256()
        for name, raw in sorted(((n, os.fsencode(n)) for n in names), key=lambda pair: pair[1]):
            entry = self._entry(f"{folder}/{name}", name)
            if entry is not None:
                whole.update(b"%s %s\0" % (entry, raw))
                if entries is not None:
                    entries[name] = entry
        return whole.hexdigest()

    def _entry(self, path: str, name: str) -> bytes | None:
        """Kind and digest of a file; None for what is gone or cannot be built from."""
        try:
            state = os.lstat(path)
            if stat.S_ISLNK(state.st_mode):
                content = os.fsencode(os.readlink(path)) + b"\0"
                if os.path.isfile(path):
                    content += self._content_digest(path, os.stat(path))
                return b"l " + sha256(content).hexdigest().encode()
            if stat.S_ISREG(state.st_mode):
                kind = b"x " if state.st_mode & 0o111 else b"f "
                return kind + self._content_digest(path, state)
        except (FileNotFoundError, NotADirectoryError):
            return None  # deleted but still in the index, or just now
        except OSError as error:
            raise _unreadable(name, error, where=os.path.dirname(path)) from None
        if stat.S_ISDIR(state.st_mode):  # a submodule, or a repository in the repository
            listed = self._listed_by_git(path)
            return (
                b"d " + self._digest(path, set(_walk(path) if listed is None else listed)).encode()
            )
        return None  # a socket, a pipe

    def _content_digest(self, path: str, state: os.stat_result) -> bytes:
        stamp = f"{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"
        self._seen.add(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1].encode()
        self._hashed_bytes += state.st_size
        content = sha256() if self._hashed_bytes <= LITTLE_BYTES else fast_sha256()
        with open(path, "rb", buffering=0) as stream:
            while chunk := stream.read(1 << 18):
                content.update(chunk)
        digest = content.hexdigest().encode()
        # A file that is this young may be written again within one tick of the
        # file system's clock, and its stamp would not tell.
        if self._now_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > _RACY_NS:
            self._known[path] = [stamp, digest.decode()]
            self._learnt = True
        return digest

    # Which files there are. --------------------------------------------------------

    def _sources(self, folder: str) -> Iterator[str]:
        listed = self._listed_by_git(folder) if in_git(folder) else None
        # A project in a folder that git ignores is invisible to it: an unpacked
        # archive below .tmp, say.
        if listed is not None and any(name in listed for name in BUILD_FILES):
            return iter(listed)
        return _walk(folder)

    def files(self, folder: str) -> list[str]:
        """All of a project, relative to it: what git would keep, else all but leftovers."""
        listed = self._listed_by_git(folder) if in_git(folder) else None
        found: list[str] = []
        for name in listed or _walk(folder):
            path = os.path.join(folder, name)
            if os.path.isdir(path) and not os.path.islink(path):  # a repository in the repository
                found += [f"{name}/{below}" for below in self.files(path)]
            else:
                found.append(name)
        return found

    def _listed_by_git(self, folder: str) -> list[str] | None:
        """Tracked files and new ones that are not ignored, None where git fails."""
        said = self._git(folder, *_LIST)
        if said is None:
            return None
        leftover = Leftovers(folder)
        found: list[str] = []
        for entry in said.split(b"\0")[:-1]:
            tag, raw = entry[:1], entry[2:]
            # Git on Windows speaks UTF-8, and `/` everywhere.
            name = os.fsdecode(raw) if os.name == "posix" else raw.decode("utf-8", "replace")
            if name in ("", ".", "./"):
                continue  # we are in a submodule that is not there
            # What somebody added is a source, whatever it is called; caches in a
            # repository without a .gitignore are not.
            if leftover.is_one(name) if tag == b"?" else ".runenv" in name.split("/"):
                continue
            found.append(name.rstrip("/"))
        return found

    def _git(self, folder: str, *arguments: str) -> bytes | None:
        """What git says to stdout, None where it fails or is not there."""
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        except OSError:
            return None
        return done.stdout if done.returncode == 0 else None


def _read_memory(file: str) -> dict[str, list[str]]:
    """What an earlier run has learnt; nothing where it cannot be used."""
    try:
        with open(file, encoding="utf-8") as stream:
            data = json.load(stream)
        if data["format"] != _FORMAT:
            return {}
        files: dict[str, list[str]] = data["files"]
        whole = all([type(word) for word in known] == [str, str] for known in files.values())
        return files if whole else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


_LIST = ("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")

# What says where a repository is (`git rev-parse --local-env-vars` without the
# configuration, which may hold a safe.directory).
_GIT_PLACES = """
GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR
GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE
"""


def without_git_places(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables without those that say where a repository is.

    A git hook that runs us sets GIT_DIR and GIT_INDEX_FILE, which would be taken for
    those of every project that we look at.
    """
    return {name: value for name, value in environ.items() if name not in _GIT_PLACES.split()}


def in_git(folder: str) -> bool:
    """Whether the folder lies in a repository of git."""
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


class Leftovers:
    """Tells what the usual tools leave in a project and no build reads."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._folders: dict[str, bool] = {"": False}

    def is_one(self, name: str) -> bool:
        """Whether a file, or a folder that is above it, is a leftover; `name/` is a folder."""
        above, _, last = name.rpartition("/")
        return self.is_folder(above) or self.is_file(last)

    def is_folder(self, name: str) -> bool:
        """Whether a folder, or one above it, is a leftover."""
        known = self._folders.get(name)
        if known is None:
            above, _, last = name.rpartition("/")
            known = self._folders[name] = self.is_folder(above) or self._is_leftover(name, last)
        return known

    def _is_leftover(self, name: str, last: str) -> bool:
        if last in _LEFTOVER_FOLDERS.split() or last.endswith(".egg-info"):
            return True
        path = f"{self._folder}/{name}"
        if name in _BUILD_FOLDERS:
            return not os.path.exists(f"{path}/__init__.py")
        # An environment of whatever name, and what calls itself a cache
        # (Cache Directory Tagging Specification).
        return os.path.exists(f"{path}/pyvenv.cfg") or os.path.exists(f"{path}/CACHEDIR.TAG")

    @staticmethod
    def is_file(last: str) -> bool:
        """Whether a file of this name is a leftover."""
        # .venv: a link to an environment, or a file that names one (PEP 832, a draft).
        named = last == ".venv" or f"{last}.".startswith(".coverage.")
        return named or last.endswith((".pyc", ".pyo"))


def _walk(folder: str) -> Iterator[str]:
    """All files of a folder but leftovers, relative and with `/`."""
    leftover = Leftovers(folder)
    left = [""]
    while left:
        above = left.pop()
        try:
            with os.scandir(f"{folder}/{above}") as entries:
                for entry in entries:
                    name = f"{above}/{entry.name}".lstrip("/")
                    if entry.is_dir(follow_symlinks=False):
                        if not leftover.is_folder(name):
                            left.append(name)
                    elif not leftover.is_file(entry.name):
                        yield name
        except FileNotFoundError:
            continue  # taken away while we looked
        except OSError as error:
            raise _unreadable(above or ".", error, where=folder) from None


def _unreadable(name: str, error: OSError, *, where: str) -> EnvironmentBroken:
    return EnvironmentBroken(
        f"{name} cannot be read: {error.strerror}",
        where=where,
        mend="an install reads it: make it readable, or move it away",
    )


def content_of(path: str) -> bytes:
    """What a file holds; nothing where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""  # not there; or said where the file is taken as an ingredient
