"""`nox.project`: what a noxfile may ask of pyproject.toml, with nox's exceptions."""

from __future__ import annotations

import os
import sys

from runner.declare import current_registry
from runner.pyproject import script_block
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_CLASSIFIER = "Programming Language :: Python :: "


def load_toml(
    filename: str | os.PathLike[str] = "pyproject.toml", *, missing_ok: bool = False
) -> dict[str, Any]:
    """The content of a TOML file, or of a script's `# /// script` block (PEP 723)."""
    if sys.version_info >= (3, 11):
        import tomllib  # 15 ms that only those pay who ask for it
    else:
        import tomli as tomllib

    path = os.path.abspath(str(filename))
    current_registry().read.append(path)
    end = os.path.splitext(path)[1]
    if end not in (".toml", ".py", ""):
        raise ValueError(f"Extension must be .py or .toml, got {end}")
    try:
        with open(path, encoding="utf-8-sig") as stream:
            text = stream.read()
    except FileNotFoundError:
        if missing_ok and end != ".toml":
            return {}
        raise
    if end != ".toml":
        text = script_block(text)
        if not text and not missing_ok:
            raise ValueError(f"No script block found in {filename}")
    return tomllib.loads(text)


def python_versions(
    pyproject: Mapping[str, Any],
    *,
    max_version: str | None = None,
    sort: bool = True,
    free_threaded: bool | None = None,
) -> list[str]:
    """The minor versions that the project says it supports.

    From its classifiers; with max_version, from the lowest that `requires-python`
    allows up to that one. free_threaded: "3.14t" and later too; by default where a
    classifier says so.
    """
    project = pyproject.get("project", {})
    classifiers: list[str] = list(project.get("classifiers", ()))
    if free_threaded is None:
        free_threaded = any(c.startswith(_CLASSIFIER + "Free Threading") for c in classifiers)
    if max_version is None:
        versions = [c.split()[-1] for c in classifiers if c.startswith(_CLASSIFIER + "3.")]
        if not versions:
            raise ValueError('No Python version classifiers found in "project.classifiers"')
        versions = sorted(versions, key=_minor) if sort else versions
    else:
        lowest = _lowest_minor(project.get("requires-python", ""))
        versions = [f"3.{minor}" for minor in range(lowest, _minor(max_version) + 1)]
    return versions + [f"{v}t" for v in versions if free_threaded and _minor(v) >= 14]


def _minor(version: str) -> int:
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 1 else 0


def _lowest_minor(requires_python: str) -> int:
    from packaging.specifiers import SpecifierSet  # only where it is asked for

    if not requires_python:
        raise ValueError('No "project.requires-python" value set')
    lower = [s.version for s in SpecifierSet(requires_python) if s.operator in (">", ">=", "~=")]
    if not lower:
        raise ValueError('No minimum version found in "project.requires-python"')
    return max(map(_minor, lower))


def dependency_groups(pyproject: Mapping[str, Any], *groups: str) -> tuple[str, ...]:
    """The requirements of the named groups with what they include (PEP 735)."""
    from dependency_groups import resolve  # brings packaging: only where it is asked for

    return resolve(pyproject["dependency-groups"], *groups)
