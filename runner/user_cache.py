"""Where runenv keeps what is the user's and not a project's."""

from __future__ import annotations

import os
import sys

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def user_cache(environ: Mapping[str, str]) -> str:
    """Our folder in the user's cache; empty where nothing tells where that is.

    On Linux by the XDG Base Directory specification, by which a relative path is to be
    ignored; on macOS and Windows as `platformdirs` has it.
    """
    if sys.platform == "win32":
        from platformdirs import user_cache_dir  # 27 ms, which the others are spared

        return user_cache_dir("runenv", appauthor=False)
    else:  # noqa: RET505  # without it mypy calls the next line unreachable on Windows
        home = environ.get("HOME", "")
        caches = "" if sys.platform == "darwin" else environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(caches):
            below = "Library/Caches" if sys.platform == "darwin" else ".cache"
            caches = os.path.join(home, below) if os.path.isabs(home) else ""
        return os.path.join(caches, "runenv") if caches else ""
