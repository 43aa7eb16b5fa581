"""tox.ini, tox.toml, setup.cfg and what pyproject.toml says of tox."""

from __future__ import annotations

import re

from runner.convert import tox
from runner.convert.tables import read_table
from runner.convert.tox_ini import IniFile
from runner.convert.tox_toml import TomlFile
from runner.settings import is_dict
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert.model import Declared

# In the order in which tox looks for them.
NAMES: tuple[str, ...] = ("tox.ini", "setup.cfg", "pyproject.toml", "tox.toml")


def read(name: str, text: str) -> Declared | None:
    """What a file says to tox."""
    if name.endswith(".toml"):
        return _read_toml(name, text)
    core = "tox:tox" if name == "setup.cfg" else "tox"
    if not re.search(rf"^\[({core}|testenv(:[^]]*)?)\]", text, re.M):
        return None
    return tox.read(IniFile(text, core=core))


def _read_toml(name: str, text: str) -> Declared | None:
    table = read_table(text)
    if name == "tox.toml":
        return tox.read(TomlFile(table, text))
    tool = table.get("tool")
    own = tool.get("tox") if is_dict(tool) else None
    if not is_dict(own):
        return None
    legacy = own.get("legacy_tox_ini")
    if isinstance(legacy, str):
        head = re.search(r"^legacy_tox_ini\s*=", text, re.M)
        first_line = text.count("\n", 0, head.start()) + 2 if head else 1
        return tox.read(IniFile(legacy, first_line=first_line))
    return tox.read(TomlFile(own, text, prefix="tool.tox.", root=table))
