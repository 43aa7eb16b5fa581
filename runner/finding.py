"""Where the envfile is that is meant when none is named."""

from __future__ import annotations

import os

NAME = "envfile.py"
NOXFILE = "noxfile.py"


def envfile_in(folder: str) -> str:
    """The envfile of a folder, else its noxfile; empty where it has neither."""
    paths = (os.path.join(folder, name) for name in (NAME, NOXFILE))
    return next((path for path in paths if os.path.isfile(path)), "")


def nearest_envfile(start: str) -> str:
    """That of the folder, else of the nearest above it that has one; empty where none has."""
    folder = start
    while True:
        path = envfile_in(folder)
        above = os.path.dirname(folder)
        if path or above == folder:
            return path
        folder = above
