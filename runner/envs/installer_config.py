"""The configuration files of pip and uv that are in force, with what they hold.

Where they lie is said by "Configuration" in pip's documentation and
"Configuration files" in uv's. Starts nothing.
"""

from __future__ import annotations

import os
import re
import sys

from runner.errors import EnvironmentBroken
from runner.requirements.files import line_arguments, logical_lines
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any


def pip_config(environ: Mapping[str, str], platform: str = sys.platform) -> dict[str, str]:
    """What pip reads before its arguments: the path of each file and its text."""
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return {}  # pip's way to say: no files at all
    return _texts([*_pip_paths(environ, platform), chosen])


def _pip_paths(environ: Mapping[str, str], platform: str) -> Iterator[str]:
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    if platform == "win32":
        yield _below(environ.get("PROGRAMDATA", ""), "pip", "pip.ini")
        yield _below(environ.get("APPDATA", ""), "pip", "pip.ini")
        yield _below(home, "pip", "pip.ini")
        return
    if platform == "darwin":
        yield "/Library/Application Support/pip/pip.conf"
        yield _below(home, "Library", "Application Support", "pip", "pip.conf")
    for folder in _xdg_folders(environ):
        yield _below(folder, "pip", "pip.conf")
    yield "/etc/pip.conf"
    yield _below(home, ".pip", "pip.conf")
    yield _below(_config_home(environ, home), "pip", "pip.conf")


def uv_config(
    environ: Mapping[str, str], root: str, platform: str = sys.platform
) -> dict[str, str]:
    """What uv reads when it runs in `root`: the path of each file and its text.

    Of a pyproject.toml only what stands below [tool.uv].
    """
    if environ.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on", "y", "t"):
        return {}
    chosen = environ.get("UV_CONFIG_FILE", "")
    if chosen:
        return _texts([chosen])
    return {**_texts(_uv_paths(environ, platform)), **_uv_project(root)}


def _uv_paths(environ: Mapping[str, str], platform: str) -> Iterator[str]:
    if platform == "win32":
        drive = environ.get("SYSTEMDRIVE", "")
        yield _below(f"{drive}\\" if drive else "", "ProgramData", "uv", "uv.toml")
        yield _below(environ.get("APPDATA", ""), "uv", "uv.toml")
        return
    for folder in _xdg_folders(environ):
        yield _below(folder, "uv", "uv.toml")
    yield "/etc/uv/uv.toml"
    yield _below(_config_home(environ, environ.get("HOME", "")), "uv", "uv.toml")


def _uv_project(root: str) -> dict[str, str]:
    """The first uv.toml, or pyproject.toml with a [tool.uv], from `root` upwards."""
    folder = root
    while True:
        found = _texts([os.path.join(folder, "uv.toml")])
        if not found:
            pyproject = _texts([os.path.join(folder, "pyproject.toml")])
            found = {p: table for p, text in pyproject.items() if (table := uv_table(text))}
        above = os.path.dirname(folder)
        if found or above == folder:
            return found
        folder = above


_HEADER = r"\[{1,2}[A-Za-z]"
_OF_UV = r"\[{1,2}\s*tool(\s*\.\s*uv\b|\s*\])"


def uv_table(text: str) -> str:
    """The lines of [tool.uv] and of the tables below it; empty where there are none.

    Cut out by lines, since to parse it all costs 15 ms and more. A line that is
    taken for more than it is rebuilds once too often, and none is left out.
    """
    if "uv" not in text:
        return ""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        if re.match(_HEADER, line):
            inside = re.match(_OF_UV, line) is not None
        if inside:
            kept.append(line)
    return "\n".join(kept)


def uv_resolution(variables: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """The `--resolution` that variables and configuration stand for, by uv's precedence; or empty.

    texts: of `uv_config`, in which the later file wins.
    """
    said = variables.get("UV_RESOLUTION", "")
    if said or not any("resolution" in text for text in texts.values()):
        return said
    tables = [_settings_of(text) for text in texts.values()]
    own = [_table(table, "pip") for table in tables]
    named = [str(table["resolution"]) for table in (*tables, *own) if "resolution" in table]
    return named[-1] if named else ""


def _settings_of(text: str) -> dict[str, Any]:
    """The settings of a uv.toml, or of a pyproject.toml's [tool.uv]; none of what is no TOML."""
    if sys.version_info >= (3, 11):
        import tomllib  # 15 ms that only who configures a resolution pays
    else:
        import tomli as tomllib
    try:
        settings: dict[str, Any] = tomllib.loads(text)
    except ValueError:  # tomllib's own is one; uv says so itself
        return {}
    return _table(_table(settings, "tool"), "uv") if "tool" in settings else settings


def _table(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of that name; empty where there is none, or something else."""
    found: object = settings.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def refuse_places(
    texts: Mapping[str, str], tables: tuple[str, ...], names: tuple[str, ...], mend: str
) -> None:
    """Raise EnvironmentBroken where a configuration sends all installs elsewhere.

    No argument of an installer takes that back. names: of the settings that do, in
    the tables.
    """
    for path, text in texts.items():
        table = ""
        for line in text.splitlines():
            begins = re.match(r"\s*\[+\s*(.*?)\s*\]", line)
            table = re.sub(r"\s", "", begins[1]) if begins else table
            name = line.partition("=")[0].strip()
            if table in tables and name in names and line != name:
                raise EnvironmentBroken(
                    f"the setting {name!r} sends what is installed elsewhere"
                    " than into environments",
                    where=path,
                    mend=f"take it away, or {mend}",
                )


_CERTIFICATES = (".crt", ".pem", ".cer")  # change nothing that is installed


def files_named(text: str, root: str) -> dict[str, str]:
    """The files that a value or a configuration names, with their texts and all they include.

    A constraint file in pip.conf or in PIP_CONSTRAINT, say. A relative path starts
    at `root`, where installers run; that of an included file at the one that
    includes it.
    """
    words = {word for word in re.split(r"[\s,=\"']+", text) if "." in word or os.path.isabs(word)}
    left = [os.path.normpath(os.path.join(root, word)) for word in sorted(words)]
    found: dict[str, str] = {}
    while left:
        path = left.pop()
        if path in found or path.endswith(_CERTIFICATES):
            continue
        found |= (texts := _texts([path]))
        for held in texts.values():
            included = _included(held)
            left += [os.path.normpath(os.path.join(os.path.dirname(path), i)) for i in included]
    return found


def _included(text: str) -> list[str]:
    """The files that the text includes where it is a requirement file."""
    if "-r" not in text and "-c" not in text:
        return []
    lines = logical_lines(text.encode("utf-8", "surrogateescape"))
    arguments = (argument for line in lines for argument in line_arguments(line.text))
    return [argument.value for argument in arguments if argument.kind == "file"]


def _texts(paths: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        if not path:
            continue
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as stream:
                found[path] = stream.read()
        except (OSError, ValueError):  # ValueError: no file can have such a name
            continue
    return found


def _xdg_folders(environ: Mapping[str, str]) -> list[str]:
    return (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")


def _config_home(environ: Mapping[str, str], home: str) -> str:
    return environ.get("XDG_CONFIG_HOME") or _below(home, ".config")


def _below(folder: str, *names: str) -> str:
    return os.path.join(folder, *names) if folder else ""
