"""What a project's build asks for: [build-system] of its pyproject.toml, by PEP 517 and PEP 518.

Knows nothing of environments, and builds nothing.
"""

from __future__ import annotations

import os
import re

from runner.digests import sha256
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.requirements.groups import Pyproject
from runner.requirements.local import build_files, content_of
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn


_LEGACY = "setuptools.build_meta:__legacy__"

# Beside the build files, and what these name: read by the hooks that say what a
# build needs in addition (of hatchling, scikit-build-core, meson-python).
_READ_BY_BACKENDS = ("hatch_build.py", "CMakeLists.txt", "meson.build")

_HOOK_OF_HATCH = rb"hooks\.custom\][^\[]*?\bpath\s*=\s*[\"']([^\"'\n]+)"

_BACKEND = r"\w+(\.\w+)*(:\w+(\.\w+)*)?"


class BuildSystem(Record):
    """What builds a project."""

    requires: tuple[str, ...]
    backend: str  # module, or module:object
    folders: tuple[str, ...]  # of backend-path, relative to the project


def read_build_system(folder: str, shown: str) -> BuildSystem:
    """What builds the project in a folder; `shown` is how messages call its pyproject.toml.

    Without a table setuptools does, by what it was when there was none (PEP 517,
    "Source trees"). Raises EnvironmentBroken for a table that cannot stand.
    """
    path = os.path.join(folder, "pyproject.toml")
    table: object = None
    if os.path.isfile(path):
        table = Pyproject(path, shown).content.get("build-system")
    if table is None:
        return BuildSystem(("setuptools>=40.8.0",), _LEGACY, ())
    if not is_dict(table):
        _refuse("it is no table", shown, "write [build-system] above its lines")
    if "requires" not in table:
        _refuse("it has no requires", shown, 'write requires = ["setuptools"], or what builds it')
    requires = _strings(table["requires"], "requires", shown)
    for text in requires:
        if not re.match(r"\s*[A-Za-z0-9]", text):
            _refuse(
                f"requires holds {text!r}, which is no requirement",
                shown,
                'write it by PEP 508: "setuptools>=61"',
            )
    backend = table.get("build-backend", _LEGACY)
    if not isinstance(backend, str) or not re.fullmatch(_BACKEND, backend):
        _refuse(
            f"build-backend is {backend!r}", shown, 'name a module: "hatchling.build" or "a.b:c"'
        )
    folders = _strings(table.get("backend-path", []), "backend-path", shown)
    if folders and "build-backend" not in table:
        _refuse(
            "backend-path stands without build-backend", shown, "name the backend that is there"
        )
    for text in folders:
        if os.path.isabs(text) or os.path.normpath(text).split(os.sep)[0] == os.pardir:
            _refuse(
                f"backend-path holds {text!r}, which is not in the project",
                shown,
                'write a path from the project\'s folder: "."',
            )
    return BuildSystem(requires, backend, folders)


def _strings(value: object, name: str, shown: str) -> tuple[str, ...]:
    words = [word for word in value if isinstance(word, str)] if is_list(value) else None
    if words is None or words != value:
        _refuse(f"{name} is no list of strings", shown, f'write {name} = ["..."]')
    return tuple(words)


def _refuse(reason: str, shown: str, mend: str) -> NoReturn:
    raise EnvironmentBroken(f"[build-system] cannot be used: {reason}", where=shown, mend=mend)


def digest_of_build_files(folder: str) -> str:
    """A digest of all that says what a build needs, as far as files say it."""
    names = [*build_files(folder, editable=True), *_READ_BY_BACKENDS]
    texts = {name: content_of(os.path.join(folder, name)) for name in names}
    for name in map(os.fsdecode, re.findall(_HOOK_OF_HATCH, texts.get("pyproject.toml", b""))):
        texts.setdefault(name, content_of(os.path.join(folder, name)))
    whole = sha256()
    for name, text in texts.items():
        whole.update(b"%s\0%d\0%s" % (os.fsencode(name), len(text), text))
    return whole.hexdigest()
