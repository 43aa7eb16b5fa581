"""Collects what an install names, with its content, as ingredients: each thing once.

Follows requirement files into those that they include, and requirements to the
files and folders of this machine. Knows nothing of installers.
"""

from __future__ import annotations

import os

from runner.digests import sha256
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.requirements import files, local
from runner.requirements.arguments import without_secrets
from runner.requirements.files import find_local, shown_path
from runner.requirements.groups import Pyproject
from runner.running import Build, Ingredient
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.requirements.arguments import Argument
    from runner.requirements.files import Local
    from runner.requirements.local import SourceDigests


_INSTALLING = ("-r", "--requirement", "--requirements")  # other files only constrain


class _Line(Record):
    """A line of a requirement file that is being followed."""

    where: str  # requirements.txt:3
    folder: str  # of the file: paths of other files start there
    installs: bool  # what it names is installed and not only constrained


class Collector:
    """Turns arguments into what can be run from any folder, and keeps what they name.

    Relative paths start at `cwd`, those of an included file at the file that
    includes it; labels are told from `root`.
    """

    def __init__(
        self, root: str, cwd: str, sources: SourceDigests, environ: Mapping[str, str]
    ) -> None:
        self._root = os.path.normpath(root)
        self._cwd = os.path.normpath(cwd)
        self._sources = sources
        self._environ = environ
        self._found: dict[str, str] = {}
        self._followed: set[tuple[str, bool]] = set()
        self._projects: dict[tuple[str, ...], None] = {}
        self._contents: dict[str, tuple[str, ...]] = {}  # of projects: what a build reads
        self._builds: dict[tuple[str, tuple[str, ...]], Build] = {}
        self.from_here = False  # something is installed from a folder as it is
        self.asks_anew = False  # a file asks for what can be another thing tomorrow

    def ingredients(self) -> tuple[Ingredient, ...]:
        """All that was noted and found so far, in that order."""
        return tuple(Ingredient(label, value) for label, value in self._found.items())

    def projects_in_files(self) -> list[str]:
        """Arguments for the local projects that requirement files name.

        uv builds a project again when an argument names it, but takes its old
        wheel when a file does and only sources have changed (0.13.9). To name
        one twice is fine with both installers.
        """
        return [token for tokens in self._projects for token in tokens]

    def note(self, label: str, lines: Iterable[str]) -> None:
        """Keep a value, a line for each of its parts; one without parts is not kept."""
        value = without_secrets("\n".join(lines))
        if value:
            self._keep(label, value)

    def note_variables(self, changes: Mapping[str, str | None]) -> None:
        """Keep the variables that an install is run with; None takes one away."""
        for name, value in changes.items():
            told = "not set" if value is None else self._sources.of_secret(value)
            self._keep(f"${name} of the install", told)

    def _keep(self, label: str, value: str) -> None:
        # A file may be called `deps`, as one of our own labels is.
        while self._found.setdefault(label, value) != value:
            label = f"./{label}"

    def _shown(self, path: str) -> str:
        return shown_path(path, self._root)

    # Arguments. ----------------------------------------------------------------------

    def follow(
        self, argument: Argument, line: _Line | None = None, *, build: bool = False
    ) -> tuple[str, ...]:
        """What to hand to the installer for an argument; what it names is kept.

        line: where in a requirement file it stands, None on a command line.
        build: a local project that it names is taken among the builds instead.
        """
        if build and argument.kind == "requirement":
            found = self._local(argument.value, editable=False, where="")
            if found is None:
                return argument.tokens
            is_project = os.path.isdir(found.path) and ";" not in argument.value
            if is_project and self._may_build(found.path):
                self._build(found.path, found.extras)
                return ()
            self.from_here = True
            return argument.with_value(found.argument)
        if argument.kind in ("requirement", "editable"):
            editable = argument.kind == "editable"
            return argument.with_value(self.requirement(argument.value, editable=editable))
        if argument.kind == "file" and argument.value:
            installs = argument.option in _INSTALLING
            return argument.with_value(self.file(argument.value, installs=installs, line=line))
        if argument.kind == "links" and argument.value:
            folder = line.folder if line else self._cwd
            return argument.with_value(self._links(argument.value, folder))
        if argument.kind == "group" and argument.value:
            return self._group_option(argument.value)
        return argument.tokens

    def requirement(self, text: str, *, editable: bool = False) -> str:
        """The requirement, with an absolute path where it names a file or folder."""
        found = self._local(text, editable=editable, where="")
        if found is None:
            return text
        self.from_here = True
        return found.argument

    def _local(self, text: str, *, editable: bool, where: str) -> Local | None:
        """The file or folder that a requirement names; its content is kept."""
        found = find_local(text, self._cwd, editable=editable, where=where)
        if found is not None and os.path.isdir(found.path):
            self.project(found.path, found.extras, editable=editable, where=where)
        elif found is not None:
            self._keep(self._shown(found.path), self._sources.of_file(found.path))
        return found

    def project_arguments(
        self, folder: str, extras: Iterable[str], *, editable: bool, sdist_first: bool
    ) -> tuple[str, ...]:
        """What to hand to the installer for a project; it is kept, or taken among the builds."""
        extras = tuple(extras)
        self.project(folder, extras, editable=editable)
        marked = f"{folder}[{','.join(extras)}]" if extras else folder
        if editable or not (sdist_first or self._may_build(folder)):
            self.from_here = True
            return ("-e", marked) if editable else (marked,)
        self._build(folder, extras, sdist_first=sdist_first)
        return ()

    @staticmethod
    def _may_build(folder: str) -> bool:
        """Whether a project can be installed from a wheel that we had built.

        uv looks up what [tool.uv.sources] says only for a project that it builds
        itself; in a wheel the sources are not written.
        """
        return b"tool.uv.sources" not in local.content_of(os.path.join(folder, "pyproject.toml"))

    def _build(self, folder: str, extras: tuple[str, ...], *, sdist_first: bool = False) -> None:
        """Take a kept project among the builds."""
        self._builds[folder, extras] = Build(
            folder=folder,
            shown=self._shown(folder),
            extras=extras,
            content=self._contents[folder],
            sdist_first=sdist_first,
        )

    def builds(self) -> tuple[Build, ...]:
        """The local projects that are installed as wheels."""
        return tuple(self._builds.values())

    def in_place(self) -> tuple[str, ...]:
        """The folders of local projects that the installer builds itself."""
        ours = {build.folder for build in self._builds.values()}
        return tuple(folder for folder in self._contents if folder not in ours)

    def project(
        self, folder: str, extras: Iterable[str] = (), *, editable: bool, where: str = ""
    ) -> None:
        """Keep what an install of a local project depends on.

        A wheel depends on the build files and the sources, an editable install
        on the build files alone.
        """
        shown = self._shown(folder)
        if not local.is_project(folder):
            raise EnvironmentBroken(
                f"{shown} is not a project: {folder} has neither pyproject.toml nor setup.py",
                where=where,
                mend="name the folder that has one of them, or write one",
            )
        extras = tuple(extras)
        if extras and os.path.isfile(os.path.join(folder, "pyproject.toml")):
            self.pyproject(folder).check_extras(extras)
        content: dict[str, str] = {}
        for name in local.build_files(folder, editable=editable):
            path = os.path.join(folder, name)
            content[self._shown(path)] = _sha256(files.read_bytes(path, self._shown(path)))
        if not editable:
            revision = self._sources.revision(folder)
            if revision is not None:
                content[f"git revision of {shown}"] = revision
            content[f"sources of {shown}"] = self._sources.of(folder)
            self._contents[folder] = tuple(f"{label} {value}" for label, value in content.items())
        for label, value in content.items():
            self._keep(label, value)
        if editable:
            self.note(f"packages of {shown}", local.packages(folder))
            # It leads there, and environments may lie elsewhere (--envdir), where
            # another checkout of the same project finds them.
            self.note(f"place of {shown}", (folder,))

    def pyproject(self, folder: str, *, where: str = "") -> Pyproject:
        """What the pyproject.toml of a folder says; its content is not kept by this."""
        path = os.path.join(folder, "pyproject.toml")
        return Pyproject(path, self._shown(path), where=where)

    def _group_option(self, value: str) -> tuple[str, ...]:
        """The requirements of `--group NAME` or `--group PATH:NAME`.

        Written out, because only pip from 25.1 has the option.
        """
        path, _, name = value.rpartition(":")
        path = os.path.normpath(os.path.join(self._cwd, path or "pyproject.toml"))
        pyproject = Pyproject(path, self._shown(path))
        requirements = pyproject.group_requirements(name)
        home = "" if os.path.dirname(path) == self._root else f" of {pyproject.shown}"
        self.note(f"group {name}{home}", requirements)
        return requirements

    # Files. --------------------------------------------------------------------------

    def file(
        self, named: str, *, installs: bool, line: _Line | None = None, where: str = ""
    ) -> str:
        """The absolute path of a requirement or constraint file, or its URL.

        The file and all that it includes are kept, each once, so that files
        which include each other do no harm. line: what includes it; where: what
        else names it.
        """
        if files.is_url(named):
            return named
        if named.lower().startswith("file:"):
            named = files.path_of_url(named)
        path = os.path.normpath(os.path.join(line.folder if line else self._cwd, named))
        installs = installs and (line is None or line.installs)
        if (path, installs) in self._followed:
            return path
        self._followed.add((path, installs))
        shown = self._shown(path)
        data = files.read_bytes(path, shown, where=line.where if line else where)
        self._keep(shown, _sha256(data))
        # pylock.toml (PEP 751), and what else uv takes after -r.
        if path.endswith((".toml", ".py", ".cfg", "uv.lock")):
            return path
        lines = list(files.logical_lines(data))
        for name in files.variables_named(lines):
            value = self._environ.get(name)
            self._keep(f"variable {name}", self._sources.of_secret(value) if value else "not set")
        for number, text in lines:
            text = files.expand_variables(text, self._environ)
            self._follow_line(text, _Line(f"{shown}:{number}", os.path.dirname(path), installs))
        return path

    def _follow_line(self, text: str, line: _Line) -> None:
        arguments = list(files.line_arguments(text))
        self.asks_anew = self.asks_anew or any(a.asks_anew() for a in arguments)
        for argument in arguments:
            if argument.kind not in ("requirement", "editable"):
                self.follow(argument, line)
                continue
            editable = argument.kind == "editable"
            found = self._local(argument.value, editable=editable, where=line.where)
            self.from_here = self.from_here or found is not None
            # One with options of its own (--config-settings) is left to its file.
            alone = line.installs and len(arguments) == 1
            if found is not None and alone and os.path.isdir(found.path):
                self._projects[argument.with_value(found.argument)] = None

    def _links(self, named: str, folder: str) -> str:
        """The absolute path of a place to find archives in; a URL as it is."""
        if files.is_url(named):
            return named
        plain = files.path_of_url(named) if named.lower().startswith("file:") else named
        # pip looks beside the file that names it first, uv where it runs.
        for start in dict.fromkeys((self._cwd, folder)):
            path = os.path.normpath(os.path.join(start, plain))
            if os.path.isdir(path):
                names = [name for name in os.listdir(path) if files.is_archive(name)]
                self._keep(f"archives in {self._shown(path)}", self._sources.of_files(path, names))
            elif os.path.isfile(path):
                self._keep(self._shown(path), self._sources.of_file(path))
        here = os.path.normpath(os.path.join(self._cwd, plain))
        return here if os.path.exists(here) else named


def _sha256(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"
