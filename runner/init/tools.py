"""The linters, type checkers and documentation that a project is set up for."""

from __future__ import annotations

import ast
import re

from runner.convert.tables import table_in
from runner.init.seen import Docs, Tool
from runner.requirements.groups import normal_name
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from runner.init.seen import Source
    from runner.init.tree import Tree

_HOOKS = ".pre-commit-config.yaml"
_CONFIGS = (
    "docs/conf.py",
    "doc/conf.py",
    "docs/source/conf.py",
    "doc/source/conf.py",
    "docs/src/conf.py",
    "source/conf.py",
    "conf.py",
)
# The distributions of extensions and themes of Sphinx, by the first part of their name.
_SPHINX = {
    "myst_parser": "myst-parser",
    "recommonmark": "recommonmark",
    "sphinx_rtd_theme": "sphinx-rtd-theme",
    "sphinx_copybutton": "sphinx-copybutton",
    "sphinx_design": "sphinx-design",
    "sphinx_tabs": "sphinx-tabs",
    "sphinx_click": "sphinx-click",
    "sphinx_autodoc_typehints": "sphinx-autodoc-typehints",
    "sphinxcontrib": "",
    "sphinx_inline_tabs": "sphinx-inline-tabs",
    "sphinx_issues": "sphinx-issues",
    "sphinx_immaterial": "sphinx-immaterial",
    "sphinx_notfound_page": "sphinx-notfound-page",
    "notfound": "sphinx-notfound-page",
    "sphinxext": "sphinxext-opengraph",
    "sphinx_sitemap": "sphinx-sitemap",
    "numpydoc": "numpydoc",
    "nbsphinx": "nbsphinx",
    "furo": "furo",
    "alabaster": "alabaster",
    "pallets_sphinx_themes": "Pallets-Sphinx-Themes",
    "flask": "Pallets-Sphinx-Themes",
    "jinja": "Pallets-Sphinx-Themes",
    "click": "Pallets-Sphinx-Themes",
    "werkzeug": "Pallets-Sphinx-Themes",
    "pydata_sphinx_theme": "pydata-sphinx-theme",
    "sphinx_book_theme": "sphinx-book-theme",
    "guzzle_sphinx_theme": "guzzle-sphinx-theme",
    "jaraco": "jaraco.packaging",
    "rst": "rst.linker",
    "python_docs_theme": "python-docs-theme",
}
_MKDOCS = {"material": "mkdocs-material", "mkdocstrings": "mkdocstrings[python]"}


def read_linters(
    tree: Tree, tool: Mapping[object, object], sources: Iterable[Source], places: Sequence[str]
) -> tuple[Tool, ...]:
    """The linters that there are settings for.

    tool: [tool] of pyproject.toml. places: what is looked at, by those that would look at the
    environments too.
    """
    hooks = tree.text(_HOOKS)
    found: list[Tool] = []
    said = _said_in(tree, tool, "ruff", ("ruff.toml", ".ruff.toml"))
    if said or "ruff-pre-commit" in hooks:
        formats = "ruff-format" in hooks or bool(table_in(tool, "ruff", "format"))
        commands: list[tuple[str, ...]] = [("ruff", "check")]
        if formats:
            commands.append(("ruff", "format", "--check"))
        found.append(_tool("ruff", said or _HOOKS, commands, hooks, sources))
    said = _said_in(tree, tool, "flake8", (".flake8",), ini="flake8")
    if said:
        found.append(_tool("flake8", said, [("flake8", *places)], hooks, sources))
    said = _said_in(tree, tool, "black", ())
    if said or "psf/black" in hooks:
        found.append(_tool("black", said or _HOOKS, [("black", "--check", ".")], hooks, sources))
    said = _said_in(tree, tool, "isort", (".isort.cfg",), ini="isort")
    if said and not any(one.name == "ruff" for one in found):
        found.append(
            _tool("isort", said, [("isort", "--check", *(places or ["."]))], hooks, sources)
        )
    return tuple(found)


def read_checkers(
    tree: Tree, tool: Mapping[object, object], sources: Iterable[Source], places: Iterable[str]
) -> tuple[Tool, ...]:
    """The type checkers that there are settings for.

    places: what is checked where these do not say.
    """
    found: list[Tool] = []
    said = _said_in(tree, tool, "mypy", ("mypy.ini", ".mypy.ini"), ini="mypy")
    if said:
        text = tree.text(said) if said != "pyproject.toml" else str(table_in(tool, "mypy"))
        own = bool(re.search(r"\b(files|packages|modules)\b['\"]?\s*[=:]", text))
        command = ("mypy",) if own else ("mypy", *places)
        found.append(_tool("mypy", said, [command], "", sources))
    said = _said_in(tree, tool, "pyright", ("pyrightconfig.json",))
    if said:
        found.append(_tool("pyright", said, [("pyright",)], "", sources))
    return tuple(found)


def _said_in(
    tree: Tree, tool: Mapping[object, object], name: str, files: Iterable[str], *, ini: str = ""
) -> str:
    """The file that has settings for a tool; empty where none has."""
    if name in tool:
        return "pyproject.toml"
    for file in files:
        if tree.has(file):
            return file
    for file in ("setup.cfg", "tox.ini") if ini else ():
        if re.search(rf"^\[{ini}\]", tree.text(file), re.M):
            return file
    return ""


def _tool(
    name: str,
    said_in: str,
    commands: Iterable[tuple[str, ...]],
    hooks: str,
    sources: Iterable[Source],
) -> Tool:
    """The tool with the version that pre-commit runs, else the one that is named anywhere."""
    revision = re.search(
        rf"repo:\s*\S+/(?:{name}|{name}-pre-commit|mirrors-{name})(?:\.git)?/?['\"]?\s+rev:\s*['\"]?v?(\d[\w.]*)",
        hooks,
    )
    if revision:
        return Tool(name, said_in, tuple(commands), f"{name}=={revision[1]}", _HOOKS)
    for source in sources:
        for text in source.requirements:
            if name_of(text) == name:
                return Tool(name, said_in, tuple(commands), text, source.name)
    return Tool(name, said_in, tuple(commands), name)


def name_of(requirement: str) -> str:
    """The name in a requirement, in its normal form."""
    match = re.match(r"[A-Za-z0-9][\w.-]*", requirement.strip())
    return normal_name(match[0]) if match else ""


# Documentation. ------------------------------------------------------------------------


def read_docs(tree: Tree) -> Docs | None:
    """What documentation there is."""
    for name in ("mkdocs.yml", "mkdocs.yaml"):
        if tree.has(name):
            text = tree.text(name)
            named = [dist for word, dist in _MKDOCS.items() if re.search(rf"\b{word}\b", text)]
            return Docs("mkdocs", name, ("mkdocs", *named))
    for name in _CONFIGS:
        text = tree.text(name)
        if text and ("sphinx" in text.lower() or "extensions" in text or "html_theme" in text):
            return Docs("sphinx", name, ("sphinx", *_of_sphinx(text)))
    return None


def _of_sphinx(text: str) -> list[str]:
    """The distributions of the extensions and the theme that a conf.py names."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    words: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            getattr(target, "id", "") in ("extensions", "html_theme") for target in node.targets
        ):
            words += [
                inner.value
                for inner in ast.walk(node.value)
                if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
            ]
    found: dict[str, None] = {}
    for word in words:
        first = word.split(".")[0]
        if first == "sphinxcontrib" and word.count("."):
            found[f"sphinxcontrib-{word.split('.')[1]}"] = None
        elif _SPHINX.get(first):
            found[_SPHINX[first]] = None
    return list(found)
