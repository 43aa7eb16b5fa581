"""A folder → all that is seen in it. Nothing of it is executed."""

from __future__ import annotations

import os
import re

from runner.convert import NAMES, from_hatch, from_nox, from_tox
from runner.convert.model import literal
from runner.convert.tables import list_in, read_table, table_in
from runner.errors import UsageError
from runner.init.metadata import read_metadata
from runner.init.seen import Seen, Source
from runner.init.tests import read_tests
from runner.init.tools import name_of, read_checkers, read_docs, read_linters
from runner.init.tree import Tree
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Literal

    from runner.init.seen import Metadata

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_OF_PACKAGES = ("packages", "libs", "projects", "apps", "services", "components", "plugins")
_NOT_PACKAGES = frozenset(
    {"docs", "doc", "tests", "test", "examples", "example", "benchmarks", "tools", "scripts"}
)
_REQUIREMENTS = r"(?:[\w-]+/)?(?:[\w.-]*requirements[\w.-]*|requirements/[\w.-]+)\.txt"
_COMPILED = (".pyx", ".c", ".cc", ".cpp", ".rs", ".f90")


def look(root: str, folder: str = "", *, nested: bool = False) -> Seen:
    """What is seen in a folder. Raises UsageError for a pyproject.toml that is not TOML."""
    tree = Tree(root)
    pyproject = _pyproject(tree, folder)
    metadata = read_metadata(pyproject, tree.text("setup.cfg"), tree.text("setup.py"))
    packages = () if nested else tuple(_packages(tree, pyproject, metadata))
    if packages:
        tree.leave_out(one.folder for one in packages)
    modules, layout = _modules(tree, metadata)
    # A folder of sources that nothing compiles may hold C as well.
    if layout and not metadata.has_extension and tree.has("setup.py"):
        of_setup = tree.text("setup.py")
        compiled = any(name.endswith(_COMPILED) for name in tree.files)
        metadata = metadata._replace(has_extension=compiled and "Extension" in of_setup)
    files = tuple(_requirement_files(tree))
    of_tox = tuple(_of_tox(tree))
    sources = (*metadata.sources, *files, *of_tox)
    tool = table_in(pyproject, "tool")
    pytest_table = table_in(tool, "pytest", "ini_options") or table_in(tool, "pytest")
    tests = read_tests(tree, pytest_table)
    starts = [f"src/{name}" if layout == "src" else name for name in modules]
    return Seen(
        metadata=metadata._replace(sources=(*metadata.sources, *of_tox)),
        modules=modules,
        layout=layout,
        files=files,
        tests=tests,
        linters=read_linters(tree, tool, sources, [*starts, *tests.places]),
        checkers=read_checkers(tree, tool, sources, starts or ["."]),
        docs=read_docs(tree),
        convertible=tuple(_convertible(tree)),
        runners=tuple(_runners(tree)),
        packages=packages,
        folder=folder,
        told=tree.told,
    )


def _pyproject(tree: Tree, folder: str) -> Mapping[object, object]:
    text = tree.text("pyproject.toml")
    try:
        return read_table(text)
    except ValueError as error:
        shown = f"{folder}/pyproject.toml" if folder else "pyproject.toml"
        raise UsageError(
            f"{shown} is not TOML: {error}", mend="mend it there, and run runenv --init again"
        ) from None


def _modules(tree: Tree, metadata: Metadata) -> tuple[tuple[str, ...], Literal["src", "flat", ""]]:
    """The names that can be imported, and where they lie."""
    named = re.sub(r"[-.]+", "_", metadata.name).lower()
    for within, layout in (("src", "src"), ("", "flat")):
        start = f"{within}/" if within else ""
        folders = [n for n in tree.folders(within) if tree.has(f"{start}{n}/__init__.py")]
        single = [
            name[len(start) : -3]
            for name in tree.files
            if re.fullmatch(rf"{start}[A-Za-z]\w*\.py", name)
        ]
        folders = [n for n in folders if within or n not in (*_NOT_PACKAGES, "testing", "conf")]
        of_name = [n for n in (*folders, *single) if n.lower() in (named, f"python_{named}")]
        found = of_name or folders or [n for n in single if within]
        if found and (metadata.said_in or folders):
            return tuple(found), "src" if layout == "src" else "flat"
    return (), ""


def _requirement_files(tree: Tree) -> Iterator[Source]:
    for name in tree.files:
        if re.fullmatch(_REQUIREMENTS, name) and name.count("/") < 3:
            yield Source("file", name, tuple(_lines(tree, name, ())))


def _lines(tree: Tree, name: str, within: tuple[str, ...]) -> Iterator[str]:
    """The requirements of a file with those of the files that it includes."""
    if name in within:
        return
    for line in tree.text(name).splitlines():
        text = line.partition(" #")[0].strip()
        included = re.match(r"(?:-r|--requirement)[ =]*(\S+)", text)
        if included:
            other = os.path.normpath(os.path.join(os.path.dirname(name), included[1]))
            yield from _lines(tree, other.replace(os.sep, "/"), (*within, name))
        elif text and not text.startswith(("#", "-")):
            yield text


def _of_tox(tree: Tree) -> Iterator[Source]:
    """What tox installs for its tests: the plain requirements of its first environment."""
    for name in from_tox.NAMES:
        try:
            declared = from_tox.read(name, tree.text(name)) if tree.has(name) else None
        except ValueError:
            continue
        tests = [one for one in declared.environments if _is_of_tests(one.name)] if declared else []
        if tests:
            always = [item for item in tests[0].deps if not item.when and not item.platform]
            deps = [text for item in always if (text := literal(item.value)) and name_of(text)]
            if deps:
                yield Source("list", f"deps in {name}", tuple(deps))
            return


def _is_of_tests(name: str) -> bool:
    return bool(re.match(r"(py|pypy|test|tests|unit|\d)", name))


def _convertible(tree: Tree) -> Iterator[str]:
    """The files that say something to nox, tox or hatch."""
    for name in NAMES:
        if not tree.has(name):
            continue
        text = tree.text(name)
        try:
            if name in from_nox.NAMES or any(
                one.read(name, text) for one in (from_tox, from_hatch)
            ):
                yield name
        except ValueError:
            continue


def _runners(tree: Tree) -> Iterator[str]:
    for name in ("Makefile", "justfile", "tasks.py", "dodo.py", ".pre-commit-config.yaml"):
        if tree.has(name):
            yield name
    workflows = os.path.join(tree.root, ".github", "workflows")
    if os.path.isdir(workflows) and os.listdir(workflows):
        yield ".github/workflows"
    if tree.has(".gitlab-ci.yml"):
        yield ".gitlab-ci.yml"


# Several projects in one folder. ----------------------------------------------------------


def _packages(tree: Tree, pyproject: Mapping[object, object], metadata: Metadata) -> Iterator[Seen]:
    for folder in _folders_of_packages(tree, pyproject, metadata):
        seen = look(os.path.join(tree.root, *folder.split("/")), folder, nested=True)
        if seen.metadata.said_in and seen.metadata.backend:
            yield seen


def _folders_of_packages(
    tree: Tree, pyproject: Mapping[object, object], metadata: Metadata
) -> Iterable[str]:
    """The members of a workspace, and what lies where packages usually do."""
    patterns = list_in(table_in(pyproject, "tool", "uv", "workspace").get("members"))
    patterns += [f"{name}/*" for name in _OF_PACKAGES]
    if not metadata.said_in:
        patterns.append("*")
    found: dict[str, None] = {}
    for name in tree.files:
        folder, _, file = name.rpartition("/")
        if not folder or file not in _PROJECT_FILES or folder.split("/")[0] in _NOT_PACKAGES:
            continue
        if any(_fits(folder, pattern) for pattern in patterns):
            found[folder] = None
    return found


def _fits(folder: str, pattern: str) -> bool:
    parts = [re.escape(p).replace(r"\*", "[^/]*") for p in pattern.strip("./").split("/")]
    return re.fullmatch("/".join(parts), folder) is not None
