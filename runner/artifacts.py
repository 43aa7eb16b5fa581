"""Copies what a job made to where it is kept, whole or not at all.

Knows nothing of jobs: the folder that it is copied into is handed in.
"""

from __future__ import annotations

import os
import shutil

from runner.errors import SessionFailed, UsageError

_ASIDE = ".new-"  # what is being copied; under its own name it is whole


def keep_artifact(path: str, name: str, folder: str) -> str:
    """Where the copy of the file or folder is; one of that name before it is replaced.

    Links in a folder stay links. Raises SessionFailed where it cannot be copied.
    """
    if not os.path.exists(path):
        raise SessionFailed(
            f"session.artifact: there is no {path}",
            mend="did the command that makes it run, and in which folder?"
            f"  The working folder is {os.getcwd()}",
        )
    target = os.path.normpath(os.path.join(folder, name))
    below = os.path.relpath(target, folder)
    if os.path.isabs(name) or below.split(os.sep)[0] in (os.curdir, os.pardir):
        raise UsageError(
            f"session.artifact: name cannot be {name!r}",
            mend='it is a path below the folder of the job: "coverage/html"',
        )
    parent, base = os.path.split(target)
    aside, old = os.path.join(parent, _ASIDE + base), os.path.join(parent, f".old-{base}")
    try:
        os.makedirs(parent, exist_ok=True)
        _remove(aside)
        if os.path.isdir(path):
            shutil.copytree(path, aside, symlinks=True)
        else:
            shutil.copy2(path, aside)
        if os.path.isdir(target) and not os.path.islink(target):
            _remove(old)
            os.rename(target, old)
        elif os.path.isdir(aside):
            _remove(target)  # a file that a folder takes the place of
        os.replace(aside, target)
        _remove(old)
    except (OSError, shutil.Error) as error:
        # shutil.Error holds what went wrong with each file.
        first = error.args[0][0][-1] if isinstance(error, shutil.Error) else error.strerror
        raise SessionFailed(
            f"session.artifact: {path} cannot be kept: {first}",
            mend=f"it is copied to {folder}: is there room, and may all of it be read?",
        ) from None
    return target


def _remove(path: str) -> None:
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
