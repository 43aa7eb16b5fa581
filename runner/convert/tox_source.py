"""What is asked of a file with settings of tox, however they are written.

`tox_ini.py` and `tox_toml.py` answer it.
"""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.convert.model import Command, Condition, Item


class Entry(Record):
    """An entry of a list, with substitutions."""

    text: str
    when: Condition = ()
    platform: str = ""
    trouble: str = ""  # why it cannot be read


class Source(Protocol):
    """A file with settings of tox."""

    def environments(self) -> Iterable[tuple[str, bool]]:
        """The names of all, and whether they run by default."""
        ...

    def section_of(self, env: str) -> str:
        """What an environment is declared in."""
        ...

    def section_line(self, section: str) -> int:
        """Its line."""
        ...

    def entries(self, env: str, key: str) -> list[Entry] | None:
        """The entries of a list; None where nothing is said.

        Raises ValueError where one cannot be read.
        """
        ...

    def commands(self, env: str, key: str, variables: Mapping[str, str]) -> list[Item[Command]]:
        """The commands of a setting. Raises ValueError where one cannot be read."""
        ...

    def line_of(self, env: str, key: str) -> int:
        """The line of a setting."""
        ...

    def core_entries(self, key: str) -> list[str]:
        """The entries of a setting of tox itself."""
        ...

    def core_line(self, key: str) -> int:
        """The line of a setting of tox itself."""
        ...

    def labels(self) -> Iterable[tuple[str, list[str]]]:
        """The labels that tox itself gives, each to several environments."""
        ...

    def unread(self) -> Iterable[tuple[str, int, str]]:
        """The settings that tox does not read, as they are written, with line and reason."""
        ...


def is_true(entries: Iterable[str]) -> bool:
    return " ".join(entries).strip().lower() in ("true", "1", "yes", "on")
