"""What the tools are compared with: the bare interpreter, a script that imports nothing, and hands.

The script starts a session's command as a tool does that takes no time itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from measure import Contender
from tools import beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rows import Place

BARE = "python -c pass"

# `os` is there without an import that costs: the interpreter's own start needs it.
_SCRIPT = """\
#!{python}
import os, sys
at_once, times, *command = sys.argv[1:]
failed = running = 0
for number in range(int(times)):
    if running == int(at_once):
        failed |= os.wait()[1]
        running -= 1
    os.posix_spawnp(command[0], command, os.environ)
    running += 1
for _ in range(running):
    failed |= os.wait()[1]
sys.exit(bool(failed))
"""


def write_script(folder: Path) -> str:
    """The path of the script, called with AT_ONCE TIMES COMMAND …."""
    folder.mkdir(parents=True)
    script = folder / "floor"
    script.write_text(_SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    return str(script)


def bare(place: Place) -> Contender:
    """The interpreter that does nothing."""
    return Contender([sys.executable, "-c", "pass"], place.folder)


def floor(place: Place, *command: str, times: int = 1, at_once: int = 1) -> Contender:
    """The script with a command; without one it does nothing."""
    argv = [place.floor, str(at_once), str(times if command else 0), *command]
    return Contender(argv, place.folder)


def by_shell(place: Place, *command: str, times: int = 1, at_once: int = 1) -> Contender:
    """The command by hand: in a loop of a shell, or by xargs where several run at once."""
    if at_once > 1:
        script = f'seq {times} | xargs -P {at_once} -I _ "$@"'
    else:
        script = f'for _ in $(seq {times}); do "$@" || exit; done'
    return Contender(["sh", "-c", script, "sh", *command], place.folder)


def environment_script(folder: Path, packages: Sequence[str]) -> str:
    """The shell script that makes an environment with uv alone."""
    uv = beside("uv")
    make = f"{uv} venv -q --python {sys.executable} {folder}"
    if not packages:
        return make
    return f"{make} && {uv} pip install -q --python {folder} {' '.join(packages)}"


def make_environment(place: Place, folder: Path, packages: Sequence[str]) -> Path:
    """The path of the Python of an environment made by hand, anew."""
    remove(folder)
    script = environment_script(folder, packages)
    subprocess.run(["sh", "-c", script], env=dict(place.environ), check=True)
    return folder / "bin" / "python"


def remove(*folders: Path) -> None:
    """Delete what is there of them."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def anew(argv: Sequence[str], folder: Path, *gone: Path) -> Contender:
    """A command that finds some folders deleted."""
    return Contender(argv, folder, partial(remove, *gone))
