"""Lock files by PEP 751: which names they have, and what pip is told of one.

The rules are those of "pylock.toml Specification" on packaging.python.org.
`packaging.pylock` reads them too, but only from packaging 26 on.
"""

from __future__ import annotations

import os
import re
import sys

from runner.errors import EnvironmentBroken
from runner.requirements.files import path_of_url
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NAME = r"pylock(\.[^.]+)?\.toml"
_ONLY_LOCKS_KNOW = r"\b(extras|dependency_groups)\b"  # in markers
_MEND = 'uv installs from it as it is: backend="uv" for the session'


def is_lock_name(path: str) -> bool:
    """Whether a file of this name is a lock file: `pylock.toml`, `pylock.NAME.toml`."""
    return re.fullmatch(_NAME, os.path.basename(path)) is not None


def as_requirements(path: str) -> str:
    """A lock file as a requirement file with hashes, for `pip install --no-deps`.

    Raises EnvironmentBroken for what pip cannot install with hashes, or cannot
    be read.
    """
    shown = os.path.basename(path)
    lock = _read(path, shown)
    lines: dict[str, None] = {}
    for package in _tables(lock, "packages", shown):
        lines.update(dict.fromkeys(_lines(package, os.path.dirname(path), shown)))
    return "".join(f"{line}\n" for line in lines)


def _read(path: str, shown: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib  # 15 ms that only an install from a lock file costs
    else:
        import tomli as tomllib

    try:
        with open(path, "rb") as stream:
            lock = tomllib.load(stream)
    except OSError as error:
        raise EnvironmentBroken(f"{shown} cannot be read: {error.strerror}", mend=path) from None
    except ValueError as error:
        raise _no_lock(shown, str(error)) from None
    version = str(lock.get("lock-version", ""))
    if version.partition(".")[0] != "1":
        raise _no_lock(shown, f"lock-version is {version!r}, and 1.0 is known")
    return lock


def _no_lock(shown: str, why: str) -> EnvironmentBroken:
    return EnvironmentBroken(
        f"{shown} is no lock file (PEP 751): {why}", mend="make it anew with what made it"
    )


def _tables(table: dict[str, Any], key: str, shown: str) -> list[dict[str, Any]]:
    value: object = table.get(key, [])
    if not is_list(value) or not all(is_dict(item) for item in value):
        raise _no_lock(shown, f"{key} is no list of tables")
    return cast("list[dict[str, Any]]", value)


def _lines(package: dict[str, Any], folder: str, shown: str) -> Iterator[str]:
    name, version = package.get("name"), package.get("version")
    marker = package.get("marker", "")
    if not isinstance(name, str) or not isinstance(marker, str):
        raise _no_lock(shown, "a package has no name, or a marker that is no string")
    if re.search(_ONLY_LOCKS_KNOW, marker):
        raise EnvironmentBroken(
            f"{shown} leaves {name} to the extras and groups that one chooses: pip cannot",
            mend=_MEND,
        )
    files = [*_tables(package, "wheels", shown), *filter(None, [package.get("sdist")])]
    hashes = [
        f"--hash={algorithm}:{digest}"
        for file in files
        for algorithm, digest in file.get("hashes", {}).items()
    ]
    if not isinstance(version, str) or not hashes:
        raise EnvironmentBroken(
            f"{shown} has {name} from a folder, a repository or an archive, or without a hash:"
            " pip takes it not beside what has hashes",
            mend=_MEND,
        )
    for file in files:
        where = _local_folder(file, folder)
        if where:
            yield f"--find-links {where}"
    yield " ".join([f"{name}=={version}", *([f"; {marker}"] if marker else []), *hashes])


def _local_folder(file: dict[str, Any], folder: str) -> str:
    """The folder of this machine that an archive lies in; empty for one that does not."""
    path, url = file.get("path"), str(file.get("url", ""))
    if isinstance(path, str):
        return os.path.dirname(os.path.normpath(os.path.join(folder, path)))
    return os.path.dirname(path_of_url(url)) if url.lower().startswith("file:") else ""
