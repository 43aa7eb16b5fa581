"""Where the store is: in the user's cache, where the user said, or in the environment folder."""

from __future__ import annotations

import os

from runner.typed import TYPE_CHECKING
from runner.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE = "none"  # said by the user: no store
_IN_ENVDIR = ".store"


def store_home(asked: str, envdir: str, environ: Mapping[str, str]) -> str:
    """The folder of the store that an environment folder can be linked from; empty for none.

    asked: what the user said. Hard links do not leave a file system: where the
    user's cache is on another one, the store is in the environment folder.
    """
    if asked == NONE:
        return ""
    home = wanted_home(asked, environ)
    if home and _device(home) == _device(envdir):
        return home
    return in_envdir(envdir)


def wanted_home(asked: str, environ: Mapping[str, str]) -> str:
    """The folder of the store where no environment folder decides; empty for none."""
    if asked == NONE:
        return ""
    if asked:
        return os.path.abspath(os.path.expanduser(asked))
    cache = user_cache(environ)
    return os.path.join(cache, "store") if cache else ""


def in_envdir(envdir: str) -> str:
    """The store of an environment folder that has one of its own."""
    return os.path.join(envdir, _IN_ENVDIR)


def _device(path: str) -> int:
    """The file system that a path is on, or would be on if it were made."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    try:
        return os.stat(path).st_dev
    except OSError:
        return -1
