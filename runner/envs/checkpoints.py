"""What an environment was after a step, kept by hard links where making it anew costs seconds.

virtualenv and pip take half a second and more for an empty environment, and
seconds for an install. A checkpoint is the environment's folder at the same
path, so that what is linked back is what was there, scripts and all. It is used
only while each of its files has the size and time that it had: a file that a
session wrote in place, through the link that it shares, is noticed.

Knows nothing of steps: a key says what was done.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256

from runner.envs.folder import JOURNAL

_MANIFEST = "manifest.json"
_TREE = "tree"


class Checkpoints:
    """Those of one environment."""

    def __init__(self, path: str) -> None:
        """path: of the environment."""
        self._path = path
        self._home = checkpoints_of(path)
        self._wanted: set[str] = set()  # of this run

    def want(self, key: tuple[object, ...]) -> None:
        """Do not forget it."""
        self._wanted.add(_name(key))

    def keep(self, key: tuple[object, ...]) -> None:
        """Keep the environment as it is now; nothing is kept where links cannot be made."""
        name = _name(key)
        self._wanted.add(name)
        place = os.path.join(self._home, name)
        if os.path.isdir(place):
            return
        # The environment's lock is ours, so nobody else writes here.
        aside = os.path.join(self._home, ".new")
        _remove(aside)
        try:
            os.makedirs(os.path.join(aside, _TREE))
            manifest = _link_tree(self._path, os.path.join(aside, _TREE))
            with open(os.path.join(aside, _MANIFEST), "w", encoding="utf-8") as stream:
                json.dump(manifest, stream)
            os.rename(aside, place)
        except (OSError, ValueError):
            _remove(aside)

    def bring_back(self, key: tuple[object, ...]) -> bool:
        """Fill the environment's folder, which holds its journal alone, with what was kept.

        False, and the folder as it was, where nothing can be used.
        """
        place = os.path.join(self._home, _name(key))
        tree = os.path.join(place, _TREE)
        try:
            with open(os.path.join(place, _MANIFEST), encoding="utf-8") as stream:
                manifest = json.load(stream)
            if not isinstance(manifest, dict) or _states(tree) != manifest:
                _remove(place)
                return False
            _link_tree(tree, self._path)
        except (OSError, ValueError):
            return False
        self._wanted.add(_name(key))
        return True

    def forget_others(self) -> None:
        """Those that this run has neither kept nor brought back are gone."""
        try:
            names = os.listdir(self._home)
        except OSError:
            return
        for name in names:
            if name not in self._wanted:
                _remove(os.path.join(self._home, name))


def checkpoints_of(path: str) -> str:
    """The folder of an environment's checkpoints."""
    return os.path.join(os.path.dirname(path), ".checkpoints", os.path.basename(path))


def _name(key: tuple[object, ...]) -> str:
    return sha256(json.dumps(key).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _link_tree(source: str, target: str) -> dict[str, list[int]]:
    """Link all files of a folder but the journal into another; their states.

    A symbolic link is made anew. Raises OSError where hard links cannot be made.
    """
    states: dict[str, list[int]] = {}
    left = [""]
    while left:
        above = left.pop()
        with os.scandir(os.path.join(source, above)) as entries:
            for entry in entries:
                name = f"{above}/{entry.name}" if above else entry.name
                to = os.path.join(target, name)
                if entry.is_dir(follow_symlinks=False):
                    os.makedirs(to, exist_ok=True)
                    left.append(name)
                elif entry.is_symlink():
                    os.symlink(os.readlink(entry.path), to)
                elif name != JOURNAL:
                    os.link(entry.path, to)
                    states[name] = _state(entry.stat(follow_symlinks=False))
    return states


def _states(folder: str) -> dict[str, list[int]]:
    """The states of all files in a folder."""
    states: dict[str, list[int]] = {}
    left = [""]
    while left:
        above = left.pop()
        with os.scandir(os.path.join(folder, above)) as entries:
            for entry in entries:
                name = f"{above}/{entry.name}" if above else entry.name
                if entry.is_dir(follow_symlinks=False):
                    left.append(name)
                elif not entry.is_symlink():
                    states[name] = _state(entry.stat(follow_symlinks=False))
    return states


def _state(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns]


def _remove(folder: str) -> None:
    from shutil import rmtree  # 7 ms, and a warm run removes nothing

    rmtree(folder, ignore_errors=True)
