"""What was seen of a project: records, and no more."""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal


class Source(Record):
    """Where requirements stand, and what they are as far as that can be read."""

    kind: Literal["group", "extra", "file", "list"]
    name: str  # of the group, the extra or the file; of a list: where it stands
    requirements: tuple[str, ...]  # of a list: what is to be installed


class Metadata(Record):
    """What the project says of itself."""

    said_in: tuple[str, ...]  # the files
    name: str = ""
    backend: str = ""  # what builds it; empty: nothing does
    requires_python: str = ""
    versions: tuple[tuple[int, int], ...] = ()  # of the classifiers, ascending
    dependencies: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()  # groups and extras
    has_extension: bool = False  # something is compiled


class Tests(Record):
    """How the project is tested."""

    kind: Literal["pytest", "unittest", "django", "script", ""]  # "": there are no tests
    places: tuple[str, ...] = ()  # folders and files, with slashes
    configured: bool = False  # pytest knows by itself where they are
    script: str = ""  # that runs them; of django: manage.py
    needs: tuple[str, ...] = ()  # distributions that they use beside the runner
    modules: tuple[str, ...] = ()  # imported by them, and of no known distribution
    are_packages: bool = False  # the folders are packages
    doctests: bool = False  # those of all modules are among them
    servers: tuple[str, ...] = ()  # that must answer: a sentence for each place that says so
    newer: str = ""  # why a newer package may turn them red
    from_root: bool = False  # what they are configured with is imported from the project's folder


class Tool(Record):
    """A linter or a type checker that the project is set up for."""

    name: str
    said_in: str
    commands: tuple[tuple[str, ...], ...]
    requirement: str  # with the version that the project says, where it says one
    pinned_in: str = ""  # where that stands


class Docs(Record):
    """Documentation that can be built."""

    kind: Literal["sphinx", "mkdocs"]
    config: str  # docs/conf.py
    needs: tuple[str, ...]  # distributions, as far as the configuration tells


class Seen(Record):
    """A project."""

    metadata: Metadata
    modules: tuple[str, ...]  # that can be imported once it is installed
    layout: Literal["src", "flat", ""]
    files: tuple[Source, ...]  # requirement files
    tests: Tests
    linters: tuple[Tool, ...]
    checkers: tuple[Tool, ...]
    docs: Docs | None
    convertible: tuple[str, ...]  # files that --convert reads
    runners: tuple[str, ...]  # other files that say how something is run
    packages: tuple[Seen, ...] = ()  # projects in folders of this one
    folder: str = ""  # of such a project, with slashes
    told: Mapping[str, str] = {}  # files that cannot be read, and why
