"""What was seen → the sessions of a first envfile, and what should be said of them.

A session that runs when nothing is named should pass at once: what may well fail although
nothing is wrong, such as a linter of whatever version is newest, is there but not by default.
"""

from __future__ import annotations

import re

from runner.convert.braces import posargs
from runner.convert.doctests import envfile_apart
from runner.convert.model import Command, Declared, Environment, Item, Note
from runner.init.tools import name_of
from runner.record import Record
from runner.requirements.groups import normal_name
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from runner.convert.model import Text
    from runner.init.seen import Docs, Seen, Source, Tool

    FoundVersions = Callable[[str], Sequence[str]]

_TESTS = ("test", "tests", "testing", "unittest", "dev", "develop", "development", "all")
_DOCS = ("docs", "doc", "documentation")
_LINT = ("lint", "linting", "style", "linters")
_TYPES = ("types", "typing", "mypy", "type")

# What stands beside the tests' own requirements where a tool has one list for all.
_NOT_OF_TESTS = (
    r"(black|build|bump.*|commitizen|flake8.*|furo|hatch|ipython|isort|jupyter.*|mkdocs.*|mypy"
    r"|myst-parser|nox|pip-tools|pre-commit|pydocstyle|pylint|pyright|pyupgrade|ruff|sphinx.*|tox"
    r"|twine)"
)


IF_RED = "if it fails"  # the kind of a note


class Decided(Record):
    """The sessions, and what somebody should know of them."""

    declared: Declared
    missing: tuple[str, ...]  # what must be done before all of them can pass
    python: str  # the range that the sessions ask for; empty: none


class _Needs(Record):
    """What an environment is made of beside the project."""

    deps: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def decide(seen: Seen, running: tuple[int, int], found_versions: FoundVersions) -> Decided:
    """The sessions for a project.

    running: the Python that runs us. found_versions: those that are here and fit a range.
    """
    missing: list[str] = []
    python = _python(seen, running, found_versions, missing)
    environments = [*_linters(seen), *_checkers(seen)]
    if seen.packages:
        environments += [_of_package(one, seen.packages, missing) for one in seen.packages]
    if not seen.packages or seen.tests.kind or seen.modules:
        environments += _tests(seen, missing)
    environments += _docs(seen, alone=not seen.tests.kind and not seen.packages)
    if not any(one.listed for one in environments):
        environments.append(_smoke(seen))
    placed = [one if one.shares else one._replace(python=python or None) for one in environments]
    declared = envfile_apart(Declared(tuple(placed)), everywhere=seen.tests.doctests)
    missing += [f"{name} cannot be read: {why}" for name, why in seen.told.items()]
    return Decided(declared, tuple(missing), python)


def _python(
    seen: Seen, running: tuple[int, int], found_versions: FoundVersions, missing: list[str]
) -> str:
    """A range of Pythons where the one that runs us is none that the project names; or empty."""
    said, metadata = seen.metadata.requires_python, seen.metadata
    versions = metadata.versions
    fits_said = _fits(said, running)
    if fits_said and (not versions or running <= versions[-1]):
        return ""
    low = f">={versions[0][0]}.{versions[0][1]}" if versions and not said else said
    high = f"<{versions[-1][0]}.{versions[-1][1] + 1}" if versions else ""
    wanted = ",".join(filter(None, (low.replace(" ", ""), high)))
    if wanted and found_versions(wanted):
        return wanted
    if fits_said:
        return ""  # newer than what the classifiers name, which may be old
    if said and found_versions(said):
        return said.replace(" ", "")
    missing.append(f"no Python that fits {said!r} was found here: uv python install VERSION")
    return said.replace(" ", "")


def _fits(specifiers: str, version: tuple[int, int]) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(specifiers).contains(f"{version[0]}.{version[1]}.99", prereleases=True)
    except InvalidSpecifier:
        return True


# Tests. ------------------------------------------------------------------------------------


def _tests(seen: Seen, missing: list[str]) -> list[Environment]:
    tests = seen.tests
    if not tests.kind:
        return []
    needs = _needs_of_tests(seen, missing)
    command = _test_command(seen)
    made = _session("tests", "Run the tests", needs, command, project=_project(seen))
    return [made._replace(notes=_notes(seen, missing))]


def _notes(seen: Seen, missing: list[str]) -> tuple[Note, ...]:
    """What is to be known where the tests fail, which stands above them in the envfile too."""
    within = f"{seen.folder}/" if seen.folder else ""
    servers = [f"{within}{text}" for text in seen.tests.servers]
    missing += servers
    notes = [Note("missing", 0, text) for text in servers]
    if seen.tests.newer:
        notes.append(Note(IF_RED, 0, seen.tests.newer))
    return tuple(notes)


def _test_command(seen: Seen) -> tuple[Text, ...]:
    tests = seen.tests
    if tests.kind == "django":
        return (("python",), (tests.script,), ("test",), (posargs(()),))
    if tests.kind == "script":
        return (("python",), (tests.script,), (posargs(()),))
    if tests.kind == "unittest":
        place = next(iter(tests.places), ".")
        words = ["python", "-m", "unittest"]
        if place.endswith(".py"):
            return (*((word,) for word in words), (posargs([(p,) for p in tests.places]),))
        found = ["discover", "-s", place, *(["-t", "."] if tests.are_packages else [])]
        return (*((word,) for word in words), (posargs([(word,) for word in found]),))
    own = [] if tests.configured else [(place,) for place in tests.places]
    # `python -m` has the folder on sys.path.
    words = ["python", "-m", "pytest"] if tests.from_root else ["pytest"]
    return (*((word,) for word in words), (posargs(own if len(own) < 6 else ()),))


def _needs_of_tests(seen: Seen, missing: list[str]) -> _Needs:
    runner = ("pytest",) if seen.tests.kind == "pytest" else ()
    wanted = {name_of(text): text for text in (*runner, *seen.tests.needs)}
    source = _source_for(seen, _TESTS, "test", set(map(name_of, runner)))
    needs = _from(source)
    if not _project(seen):
        needs = _with_runtime(seen, needs)
    covered = _covered(seen, source)
    lacking = [text for name, text in wanted.items() if name not in covered]
    known = covered | set(wanted)
    unknown = [name for name in seen.tests.modules if normal_name(name) not in known]
    if unknown and source is None:
        names = ", ".join(unknown[:8])
        missing.append(
            f"the tests import {names}: nothing here says what installs that; add it to deps"
        )
    if seen.tests.kind == "django" and not any(name == "django" for name in covered):
        lacking.append("django")
    return needs._replace(deps=(*needs.deps, *lacking))


def _source_for(seen: Seen, names: Sequence[str], word: str, wanted: set[str]) -> Source | None:
    """Where what is needed for something stands: the first that has all that is wanted.

    Else the first that is called so, of whatever kind, where that is sure.
    """
    named = [
        source
        for name in names
        for source in seen.metadata.sources
        if source.kind in ("group", "extra") and normal_name(source.name) == name
    ]
    files = [one for one in seen.files if word in one.name.lower()]
    if word == "doc":
        files += [one for one in seen.files if one not in files and "test" not in one.name.lower()]
    if word == "test":
        files += [one for one in seen.files if "dev" in one.name.lower() and one not in files]
    lists = [
        one
        for one in seen.metadata.sources
        if one.kind == "list"
        and (word == "test" or f"group {word}" in one.name)
        and not re.match(r"group (docs?|documentation|lint\w*|typ\w*|format\w*) ", one.name)
    ]
    order = [*named, *files, *lists]
    whole = [one for one in order if wanted and wanted <= set(map(name_of, one.requirements))]
    sure = [one for one in order if one.requirements and _is_called(one, word)]
    return next(iter([*whole, *sure]), None)


def _is_called(source: Source, word: str) -> bool:
    return word in source.name.lower()


def _from(source: Source | None) -> _Needs:
    if source is None:
        return _Needs()
    if source.kind == "group":
        return _Needs(groups=(source.name,))
    if source.kind == "extra":
        return _Needs(extras=(source.name,))
    if source.kind == "file":
        return _Needs(files=(source.name,))
    return _Needs(deps=_of_tests(source.requirements))


def _of_tests(requirements: Iterable[str]) -> tuple[str, ...]:
    return tuple(r for r in requirements if not re.fullmatch(_NOT_OF_TESTS, name_of(r)))


def _covered(seen: Seen, source: Source | None) -> set[str]:
    texts = [*seen.metadata.dependencies, *(source.requirements if source else ())]
    if not _project(seen):
        texts += [
            text
            for one in seen.files
            if one.name == "requirements.txt"
            for text in one.requirements
        ]
    return set(map(name_of, texts))


def _with_runtime(seen: Seen, needs: _Needs) -> _Needs:
    """The needs with what the project itself needs, where it is not installed."""
    if any(one.name == "requirements.txt" for one in seen.files):
        if "requirements.txt" in needs.files:
            return needs
        return needs._replace(files=("requirements.txt", *needs.files))
    return needs._replace(deps=(*seen.metadata.dependencies, *needs.deps))


def _project(seen: Seen) -> str:
    """How the project is installed; empty where it is not."""
    metadata = seen.metadata
    if not metadata.backend:
        return ""
    # What is compiled must lie where the tests find the sources.
    return "editable" if metadata.has_extension and seen.layout == "flat" else "wheel"


# What stands beside. -------------------------------------------------------------------------


def _linters(seen: Seen) -> list[Environment]:
    tools = seen.linters
    if not tools:
        return []
    source = _source_of_tools(seen, _LINT, tools)
    # A newer version finds what this one does not.
    exact = all(tool.pinned_in and "==" in tool.requirement for tool in tools)
    return [_of_tools("lint", "Check the style", tools, source, listed=exact)]


def _checkers(seen: Seen) -> list[Environment]:
    tools = seen.checkers
    if not tools:
        return []
    source = _source_of_tools(seen, _TYPES, tools)
    made = _of_tools("types", "Check the types", tools, source, listed=False)
    return [made._replace(project="editable" if seen.metadata.backend else "")]


def _source_of_tools(seen: Seen, names: Sequence[str], tools: Iterable[Tool]) -> Source | None:
    """Where all of the tools stand, with what is called after them alone."""
    wanted = {tool.name for tool in tools}
    word = names[0][:3]
    sources = [one for one in seen.metadata.sources if normal_name(one.name) in names]
    sources += [one for one in seen.files if word in one.name.lower()]
    return next((s for s in sources if wanted <= set(map(name_of, s.requirements))), None)


def _of_tools(
    name: str, doc: str, tools: Sequence[Tool], source: Source | None, *, listed: bool
) -> Environment:
    needs = _from(source) if source else _Needs(deps=tuple(tool.requirement for tool in tools))
    commands = [tuple((word,) for word in command) for tool in tools for command in tool.commands]
    return _session(name, doc, needs, *commands)._replace(listed=listed)


def _docs(seen: Seen, *, alone: bool) -> list[Environment]:
    docs = seen.docs
    if docs is None:
        return []
    source = _source_for(seen, _DOCS, "doc", {name_of(docs.needs[0])})
    needs = _from(source)
    covered = set(map(name_of, source.requirements if source else ()))
    lacking = [text for text in docs.needs if name_of(text) not in covered]
    if source is not None:
        lacking = lacking[:1] if name_of(docs.needs[0]) not in covered else []
    needs = needs._replace(deps=(*needs.deps, *lacking))
    project = "wheel" if seen.metadata.backend else ""
    one = _session("docs", "Build the documentation", needs, _docs_command(docs), project=project)
    return [one._replace(listed=alone)]


def _docs_command(docs: Docs) -> tuple[Text, ...]:
    if docs.kind == "mkdocs":
        own = [] if docs.config == "mkdocs.yml" else ["-f", docs.config]
        return (*((word,) for word in ("mkdocs", "build", *own)), (posargs(()),))
    folder = docs.config.rpartition("/")[0] or "."
    built = "_build/html" if folder == "." else f"{folder}/_build/html"
    return (*((word,) for word in ("sphinx-build", folder, built)), (posargs(()),))


def _smoke(seen: Seen) -> Environment:
    """What runs where there is nothing else: that what is installed can be imported."""
    project = _project(seen)
    needs = _Needs() if project else _with_runtime(seen, _Needs())
    modules = ", ".join(name for name in seen.modules if name.isidentifier())
    code = f"import {modules}" if modules else "print('It runs.')"
    doc = "Import what is installed; there are no tests yet" if modules else "Show that it runs"
    return _session("smoke", doc, needs, (("python",), ("-c",), (code,)), project=project)


# Several projects. ------------------------------------------------------------------------------


def _of_package(one: Seen, all_of_them: Sequence[Seen], missing: list[str]) -> Environment:
    """The tests of a package in a folder, installed with those beside it that it needs."""
    name = normal_name(one.metadata.name or one.folder.rpartition("/")[2])
    tested = bool(one.tests.kind)
    source = _source_for(one, _TESTS, "test", {"pytest"} if one.tests.kind == "pytest" else set())
    extra = f"[{source.name}]" if tested and source and source.kind == "extra" else ""
    installs = [f"./{folder}" for folder in _needed_beside(one, all_of_them)]
    installs.append(f"./{one.folder}{extra}")
    deps: list[str] = []
    if tested:
        runner = ("pytest",) if one.tests.kind == "pytest" else ()
        copied = source.requirements if source and source.kind in ("group", "list") else ()
        covered = _covered(one, source)
        deps = [*copied, *(n for n in (*runner, *one.tests.needs) if name_of(n) not in covered)]
        command = _test_command(one)
    else:
        modules = ", ".join(filter(str.isidentifier, one.modules)) or "sys"
        command = (("python",), ("-c",), (f"import {modules}",))
    if one.told:
        missing += [f"{one.folder}/{file} cannot be read: {why}" for file, why in one.told.items()]
    return Environment(
        name=name,
        source=name,
        doc=f"Run the tests of {one.folder}" if tested else f"Import {one.folder}",
        deps=_items(deps),
        installs=(Item(Command(tuple((word,) for word in installs))),),
        folder=(one.folder,),
        commands=_commands(command),
        notes=_notes(one, missing) if tested else (),
    )


def _needed_beside(one: Seen, all_of_them: Sequence[Seen]) -> list[str]:
    """The folders of the packages that one needs, each after what it needs itself."""
    by_name = {normal_name(other.metadata.name): other for other in all_of_them}
    found: dict[str, None] = {}
    left, met = [one], {one.folder}
    while left:
        for text in left.pop().metadata.dependencies:
            other = by_name.get(name_of(text))
            if other is not None and other.folder not in met:
                met.add(other.folder)
                found[other.folder] = None
                left.append(other)
    return list(reversed(found))


def _session(
    name: str,
    doc: str,
    needs: _Needs,
    *commands: tuple[Text, ...],
    project: str = "",
) -> Environment:
    return Environment(
        name=name,
        source=name,
        doc=doc,
        deps=_items(needs.deps),
        groups=_items(needs.groups),
        extras=_items(needs.extras),
        requirements=_items(needs.files),
        project=project,
        commands=_commands(*commands),
    )


def _items(texts: Iterable[str]) -> tuple[Item[Text], ...]:
    return tuple(Item((text,)) for text in dict.fromkeys(texts))


def _commands(*commands: tuple[Text, ...]) -> tuple[Item[Command], ...]:
    return tuple(Item(Command(words)) for words in commands)
