"""The files of a project: those that are its own, and their texts."""

from __future__ import annotations

import os

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOT_OWN = frozenset({
    "build", "dist", "node_modules", "site-packages", "venv", "env", "virtualenv", "vendor",
    "_vendor", "third_party", "__pycache__", "htmlcov", "target",
})  # fmt: skip
_MOST_FILES = 20_000
_LARGEST_BYTES = 500_000


class Tree:
    """A folder and what lies in it; names have slashes, whatever the platform has."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.told: dict[str, str] = {}  # files that cannot be read, and why
        self.files = tuple(sorted(_files(root)))

    def leave_out(self, folders: Iterable[str]) -> None:
        """What lies in these folders is not of this project."""
        starts = tuple(f"{folder}/" for folder in folders)
        self.files = tuple(name for name in self.files if not name.startswith(starts))

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return os.path.isfile(os.path.join(self.root, name))

    def text(self, name: str) -> str:
        """What stands in a file; empty where there is none, or it cannot be read."""
        path = os.path.join(self.root, name)
        try:
            with open(path, encoding="utf-8-sig") as stream:
                return stream.read(_LARGEST_BYTES)
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else ""
            self.told[name] = reason or "it is not UTF-8"
            return ""

    def folders(self, within: str = "") -> tuple[str, ...]:
        """The names of the folders that lie in one, with a file somewhere in them."""
        start = f"{within}/" if within else ""
        inner = [name[len(start) :] for name in self.files if name.startswith(start)]
        return tuple(dict.fromkeys(name.split("/")[0] for name in inner if "/" in name))


def _files(root: str) -> Iterator[str]:
    count = 0
    for folder, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in _NOT_OWN
            and not name.startswith(".")
            and not name.endswith(".egg-info")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        within = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in files:
            count += 1
            if count > _MOST_FILES:
                return
            yield name if within == "." else f"{within}/{name}"
