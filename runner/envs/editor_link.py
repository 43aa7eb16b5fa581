"""The link `.venv` in a project's folder, by which editors find an environment.

It leads to a name in the environment folder, so that it stays right when the
environment is made anew. Knows nothing of jobs.
"""

from __future__ import annotations

import os
import sys

from runner.envs.folder import JOURNAL
from runner.errors import UsageError

NAME = ".venv"


def check_free(link: str, envdir: str) -> None:
    """Raise UsageError where something else stands there: it is never replaced."""
    there = _target(link)
    if there is None and not os.path.lexists(link):
        return
    if there is None:
        kind = "a folder" if os.path.isdir(link) else "a file"
        raise UsageError(
            f"{link} is {kind} that runenv did not make",
            mend="move it away, then link again; runenv never replaces it",
        )
    if not _is_ours(there, envdir):
        raise UsageError(
            f"{link} leads to {there}, which is no environment of runenv",
            mend=f"remove the link, then link again: {_removal(link)}",
        )


def lead(link: str, target: str) -> None:
    """The link leads to the environment in `target`; what stood there is free to go."""
    if _target(link) is not None:
        os.unlink(link)
    if sys.platform == "win32":  # where a symbolic link takes a right that few have
        import _winapi

        _winapi.CreateJunction(target, link)
        return
    # Below the project it is relative, and right in a container that sees it elsewhere.
    home = os.path.dirname(link) + os.sep
    os.symlink(target.removeprefix(home), link, target_is_directory=True)


def remove_dangling(link: str, envdir: str) -> str:
    """What the link led to where that is gone, and the link with it; empty where it stays."""
    there = _target(link)
    if there is None or os.path.lexists(there) or not _is_ours(there, envdir):
        return ""
    os.unlink(link)
    return os.path.basename(there)


def _target(link: str) -> str | None:
    """Where the link leads, absolute; None where none stands there."""
    try:
        target = os.readlink(link)  # of a junction too
    except OSError:
        return None
    return os.path.normpath(os.path.join(os.path.dirname(link), target.removeprefix("\\\\?\\")))


def _is_ours(target: str, envdir: str) -> bool:
    """Whether an environment of runenv is there, or was."""
    inside = os.path.dirname(target) == os.path.normpath(envdir)
    return inside or os.path.isfile(os.path.join(target, JOURNAL))


def _removal(link: str) -> str:
    return f"rmdir {link}" if sys.platform == "win32" else f"rm {link}"
