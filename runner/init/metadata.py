"""pyproject.toml, setup.cfg and setup.py → what the project says of itself.

A setup.py is read as text: what stands there as a plain value is known, and the rest is not.
"""

from __future__ import annotations

import ast
import configparser
import re
from contextlib import suppress

from dependency_groups import resolve

from runner.convert.tables import list_in, strings_in, table_in
from runner.init.poetry import poetry_sources
from runner.init.seen import Metadata, Source
from runner.settings import is_list
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Table = Mapping[object, object]

_CLASSIFIER = r"Programming Language :: Python :: (\d+)\.(\d+)"
_COMPILING = ("maturin", "scikit_build_core", "mesonpy", "setuptools_rust", "cffi", "cython")


def read_metadata(pyproject: Table, setup_cfg: str, setup_py: str) -> Metadata:
    """What all of them say together. An empty text: there is no such file."""
    found = _of_pyproject(pyproject)
    for name, text, read in (
        ("setup.cfg", setup_cfg, _of_setup_cfg),
        ("setup.py", setup_py, _of_setup_py),
    ):
        said = read(text) if text else None
        if said is not None:
            found = _united(found, said, name)
    return found


def _united(first: Metadata, second: Metadata, name: str) -> Metadata:
    """What the first says, and of what it does not say the second."""
    known = {(source.kind, source.name) for source in first.sources}
    more = tuple(one for one in second.sources if (one.kind, one.name) not in known)
    return Metadata(
        said_in=(*first.said_in, name),
        name=first.name or second.name,
        backend=first.backend or "setuptools",
        requires_python=first.requires_python or second.requires_python,
        versions=first.versions or second.versions,
        dependencies=first.dependencies or second.dependencies,
        sources=(*first.sources, *more),
        has_extension=first.has_extension or second.has_extension,
    )


def _of_pyproject(table: Table) -> Metadata:
    project = table_in(table, "project")
    poetry = table_in(table, "tool", "poetry")
    system = table_in(table, "build-system")
    requires = list_in(system.get("requires"))
    backend = str(system.get("build-backend", "setuptools" if requires else ""))
    of_poetry, dependencies, python = poetry_sources(poetry)
    extras = [
        Source("extra", name, tuple(list_in(items)))
        for name, items in strings_in(project.get("optional-dependencies")).items()
    ]
    return Metadata(
        said_in=("pyproject.toml",) if project or poetry else (),
        name=str(project.get("name") or poetry.get("name") or ""),
        backend=backend,
        requires_python=str(project.get("requires-python") or python),
        versions=_versions(list_in(project.get("classifiers") or poetry.get("classifiers"))),
        dependencies=(*list_in(project.get("dependencies")), *dependencies),
        sources=(*_groups(table), *extras, *of_poetry),
        has_extension=any(word in " ".join([backend, *requires]).lower() for word in _COMPILING)
        or bool(table_in(table, "tool", "setuptools").get("ext-modules")),
    )


def _groups(table: Table) -> Iterable[Source]:
    groups = strings_in(table.get("dependency-groups"))
    for name in groups:
        requirements: tuple[str, ...] = ()
        with suppress(LookupError, ValueError, TypeError):  # the envfile's own reading tells of it
            requirements = resolve(cast("Any", groups), name)
        yield Source("group", name, requirements)


def _versions(classifiers: Iterable[str]) -> tuple[tuple[int, int], ...]:
    found = {(int(m[1]), int(m[2])) for c in classifiers if (m := re.match(_CLASSIFIER, c))}
    return tuple(sorted(found))


# What setuptools reads. ----------------------------------------------------------------


def _of_setup_cfg(text: str) -> Metadata | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    if not parser.has_section("metadata") and not parser.has_section("options"):
        return None

    def lines(section: str, key: str) -> list[str]:
        said = parser.get(section, key, fallback="")
        return [line.strip() for line in said.splitlines() if line.strip()]

    section = "options.extras_require"
    extras = parser.options(section) if parser.has_section(section) else []
    return Metadata(
        said_in=(),
        name=parser.get("metadata", "name", fallback=""),
        requires_python=parser.get("options", "python_requires", fallback=""),
        versions=_versions(lines("metadata", "classifiers") + lines("metadata", "classifier")),
        dependencies=tuple(lines("options", "install_requires")),
        sources=(
            *(Source("extra", extra, tuple(lines(section, extra))) for extra in extras),
            *_tests_require(lines("options", "tests_require"), "setup.cfg"),
        ),
    )


def _tests_require(requirements: Iterable[str], file: str) -> tuple[Source, ...]:
    found = tuple(requirements)
    return (Source("list", f"tests_require of {file}", found),) if found else ()


def _of_setup_py(text: str) -> Metadata | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    names: dict[str, object] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                names.setdefault(target.id, _value(node.value, names))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup"
    ]
    said = {k.arg: k.value for call in calls for k in call.keywords if k.arg is not None}
    values = {name: _value(node, names) for name, node in said.items()}
    extras = strings_in(values.get("extras_require"))
    return Metadata(
        said_in=(),
        name=_text(values.get("name")),
        requires_python=_text(values.get("python_requires")),
        versions=_versions(_texts(values.get("classifiers"))),
        dependencies=tuple(_texts(values.get("install_requires"))),
        sources=(
            *(Source("extra", name, tuple(_texts(items))) for name, items in extras.items()),
            *_tests_require(_texts(values.get("tests_require")), "setup.py"),
        ),
        has_extension=bool(said.keys() & {"ext_modules", "cffi_modules", "rust_extensions"}),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return [one for one in value if isinstance(one, str)] if is_list(value) else []


def _value(node: ast.expr, names: Mapping[str, object]) -> object:
    """What an expression is, of strings, lists and dicts; None where that is not known."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item, names) for item in node.elts]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_value(k, names): _value(v, names) for k, v in pairs if k is not None}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _value(node.left, names), _value(node.right, names)
        if is_list(left) and is_list(right):
            return [*left, *right]
    return None
