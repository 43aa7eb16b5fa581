"""TOML texts as tables, with the lines of their keys."""

from __future__ import annotations

import re
import sys

from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping


Table = dict[str, object]


def read_table(text: str) -> Mapping[object, object]:
    """The table of a TOML text. Raises ValueError where it is none."""
    table: dict[str, object] = tomllib.loads(text)
    keyed: list[tuple[object, object]] = list(table.items())
    return dict(keyed)


def table_in(table: Mapping[object, object], *keys: str) -> Mapping[object, object]:
    """The table below these keys; an empty one where there is none."""
    for key in keys:
        inner = table.get(key)
        if not is_dict(inner):
            return {}
        table = inner
    return table


def strings_in(value: object) -> Table:
    """A table with keys that are strings; an empty one for what is none."""
    return {str(k): v for k, v in value.items()} if is_dict(value) else {}


def list_in(value: object) -> list[str]:
    """The entries of a list as strings; one of what is none, and none where there is nothing."""
    if is_list(value):
        return [str(one) for one in value]
    return [] if value is None else [str(value)]


def key_lines(text: str) -> dict[str, int]:
    """The line of each key of a TOML text, by its dotted name; of each table too.

    Keys that stand within a value are not found.
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\[?\s*([^]\[]+?)\s*\]\]?\s*(#.*)?$", line)
        if head:
            table = _dotted(head[1])
            found.setdefault(table, number)
            continue
        key = re.match(
            r"""\s*((?:[\w-]+|"[^"]+"|'[^']+')(?:\.(?:[\w-]+|"[^"]+"|'[^']+'))*)\s*=""", line
        )
        if key:
            found.setdefault(f"{table}.{_dotted(key[1])}".lstrip("."), number)
    return found


def _dotted(name: str) -> str:
    return re.sub(r"""["'\s]""", "", name)
