"""`runner.include`: the sessions of other envfiles, each with its prefix.

Finds the files and gives names; how a file is read is handed in. Loaded where an envfile
includes something.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from functools import cache

from runner.declare import Registry
from runner.errors import did_you_mean
from runner.finding import NAME, NOXFILE
from runner.imports import Imports
from runner.model import Include, Part
from runner.names import cleaned, is_safe
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.model import Read, SessionSpec

    Trouble = tuple[str, str]  # what is wrong, and the mend

# Folders that are nobody's own source, which `**` leaves out.
_NOT_OURS = ("node_modules", "__pycache__")
_MAGIC = frozenset("*?[")


class Joined(Record):
    """What all the envfiles that one includes say."""

    specs: tuple[SessionSpec, ...]
    parts: tuple[Part, ...]
    to_their_end: bool
    looked_at: tuple[str, ...]  # as in Project


class Including:
    """Reads what an envfile includes, and what that includes."""

    def __init__(self, common: Sequence[str], read: Callable[[str, Registry, str], Read]) -> None:
        """Nothing yet.

        common: the folders of `sys.path` that are there for all envfiles. read: what an
        envfile says that goes by that prefix.
        """
        self._common = common
        self._read = read
        self._specs: list[SessionSpec] = []
        self._parts: list[Part] = []
        self._looked_at: list[str] = []
        self._to_their_end = True
        self._taken: dict[str, str] = {}  # the files of prefixes
        self._homes: dict[str, str] = {}  # by its folder, where no link leads, each envfile

    def joined(self, registry: Registry, envfile: str, below: Sequence[str] = ()) -> Joined:
        """All that the envfile includes, of which the registry knows.

        below: further files, of which those join that nothing includes.
        """
        self._homes[_home_of(envfile)] = envfile
        self._follow(registry, (envfile,), "")
        for file in below:
            if _home_of(file) not in self._homes:
                self._take(file, Include(file, None, "--all-projects"), registry, (envfile,), "")
        return Joined(
            tuple(self._specs), tuple(self._parts), self._to_their_end, tuple(self._looked_at)
        )

    def _follow(self, registry: Registry, above: tuple[str, ...], prefix: str) -> None:
        """Read what one envfile includes. above: those that led here, itself the last."""
        # A pattern leaves out what a path names, perhaps with a prefix of its own.
        paths = [one.pattern for one in registry.includes if not is_pattern(one.pattern)]
        named = {os.path.normpath(os.path.join(registry.root, path)) for path in paths}
        for wanted in registry.includes:
            for file in self._found(wanted, registry, above[-1]):
                if file not in named or not is_pattern(wanted.pattern):
                    self._take(file, wanted, registry, above, prefix)

    def _take(
        self, file: str, wanted: Include, registry: Registry, above: tuple[str, ...], prefix: str
    ) -> None:
        """Read one that an envfile includes, or note why it cannot be."""
        word = wanted.prefix or os.path.basename(os.path.dirname(file))
        beside = self._homes.setdefault(_home_of(file), file)
        trouble = (
            _circle(file, above, registry)
            or _why_not(file, beside, registry)
            or _prefix_trouble(word, file, self._taken.get(f"{prefix}{word}:", ""), registry)
        )
        if trouble:
            registry.note(wanted.where, f"include: {trouble[0]}", trouble[1])
            return
        self._taken[f"{prefix}{word}:"] = file
        self._join(file, registry, above, f"{prefix}{word}:")

    def _join(self, file: str, above: Registry, chain: tuple[str, ...], prefix: str) -> None:
        """Read one, and what it includes."""
        root = os.path.dirname(file)
        registry = Registry(root, above)
        imports = Imports(registry, self._common)
        with imports:
            one = self._read(file, registry, prefix)
        self._to_their_end = self._to_their_end and one.to_its_end
        self._specs += [_joining(spec, prefix, root, imports) for spec in one.specs]
        part = Part(
            prefix=prefix,
            root=root,
            envfile=file,
            doc=one.doc,
            options=registry.options,
            read=one.read,
        )
        self._parts.append(part)
        self._follow(registry, (*chain, file), prefix)

    def _found(self, wanted: Include, registry: Registry, envfile: str) -> Iterable[str]:
        """The files that are meant; that there is none is noted."""
        found = matching(registry.root, wanted.pattern, self._looked_at)
        files = [path for path in found if os.path.isfile(path)]
        if is_pattern(wanted.pattern):  # which may match the file that says it
            files = [path for path in files if path != envfile]
        if files:
            return files
        mend = "a path starts at the folder of the envfile; take the line out where there is none"
        if found and os.path.isdir(found[0]):
            mend = f"a folder is not meant; write {wanted.pattern.rstrip('/') + '/' + NAME!r}"
        elif not is_pattern(wanted.pattern):
            mend = _near(registry.root, wanted.pattern) or mend
        registry.note(wanted.where, f"include: no file matches {wanted.pattern!r}", mend)
        return ()


@cache
def _home_of(file: str) -> str:
    """The folder of a file, whatever links lead to it."""
    return os.path.realpath(os.path.dirname(file))


def _circle(file: str, above: tuple[str, ...], registry: Registry) -> Trouble | None:
    """That a file leads to itself. above: those that led to it."""
    home, name = _home_of(file), os.path.basename(file)
    met = [n for n, path in enumerate(above) if _home_of(path) == home]
    if not met or os.path.basename(above[met[0]]) != name:
        return None
    circle = " -> ".join(registry.shown(path) for path in (*above[met[0] :], file))
    return f"these include each other: {circle}", "take one of the include out"


def _why_not(file: str, beside: str, registry: Registry) -> Trouble | None:
    """Why a file cannot be included. beside: the envfile of its folder, itself mostly."""
    if os.path.basename(file) == NOXFILE:
        return (
            f"{registry.shown(file)} is a noxfile, whose sessions have other names and rules",
            f"make an envfile of it: runenv --convert {registry.shown(file)}",
        )
    if os.path.basename(beside) != os.path.basename(file):  # whose locks it would have
        return (
            f"{registry.shown(file)} lies in the folder of {registry.shown(beside)}",
            "import it there: what a module declares is its envfile's own",
        )
    return None


def _prefix_trouble(word: str, file: str, other: str, registry: Registry) -> Trouble | None:
    """Why a file cannot go by that prefix. other: the file that does; empty where none."""
    if not is_safe(word):
        return (
            f"the name of the folder of {registry.shown(file)} cannot be a prefix",
            f'give it one: prefix="{cleaned(word) or "api"}"',
        )
    if not other:
        return None
    if _home_of(other) == _home_of(file):
        return (
            f"{registry.shown(file)} is included twice",
            "take one of the two out",
        )
    return (
        f"{registry.shown(other)} and {registry.shown(file)} have the same prefix, {word!r}",
        "give one of them another: include(..., prefix=...)",
    )


# Names. --------------------------------------------------------------------------


def _joining(spec: SessionSpec, prefix: str, root: str, imports: Imports) -> SessionSpec:
    """The session as it is called in the project."""
    return spec._replace(
        name=prefix + spec.name,
        prefix=prefix,
        root=root,
        imports=imports,
        environment=prefix + spec.environment if spec.environment else "",
    )


# Files. --------------------------------------------------------------------------


def is_pattern(text: str) -> bool:
    """Whether a path has a sign that stands for several."""
    return not _MAGIC.isdisjoint(text)


def matching(root: str, pattern: str, looked_at: list[str]) -> list[str]:
    """The paths that a pattern means, in order; it starts at `root`.

    looked_at: is added to by the folders whose names decided, and by paths that are not there.
    """
    path = os.path.normpath(os.path.join(root, os.path.expanduser(pattern)))
    drive, tail = os.path.splitdrive(path)
    found = [drive + os.sep]
    for segment in filter(None, tail.split(os.sep)):
        if segment == "**":
            found = [below for folder in found for below in _all_below(folder, looked_at)]
        elif is_pattern(segment):
            found = [
                os.path.join(folder, name)
                for folder in found
                for name in _names_in(folder, looked_at)
                if fnmatchcase(name, segment)
            ]
        else:
            found = [os.path.join(folder, segment) for folder in found]
    found = list(dict.fromkeys(found))
    looked_at += [path for path in found if not os.path.isfile(path)]
    return [path for path in found if os.path.exists(path)]


def _names_in(folder: str, looked_at: list[str]) -> list[str]:
    """What is in a folder, as `*` means it: nothing that is hidden."""
    looked_at.append(folder)
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _all_below(folder: str, looked_at: list[str]) -> Iterable[str]:
    """The folder and all below it, but for links, environments and what is hidden."""
    yield folder
    for name in _names_in(folder, looked_at):
        path = os.path.join(folder, name)
        if name in _NOT_OURS or os.path.islink(path) or not os.path.isdir(path):
            continue
        if not os.path.exists(os.path.join(path, "pyvenv.cfg")):
            yield from _all_below(path, looked_at)


def _near(root: str, path: str) -> str:
    """Which name was meant where a path breaks off."""
    folder = root
    for segment in os.path.normpath(path).split(os.sep):
        if not os.path.exists(os.path.join(folder, segment)):
            return did_you_mean(segment, _names_in(folder, []))
        folder = os.path.join(folder, segment)
    return ""
