"""Puts `uv pip` behind the name `pip` in environments that have no pip.

`python -m pip` and `pip` are what people, scripts and tools type. When a real
pip is installed later it is found before this one.
"""

from __future__ import annotations

import os
import sys

from runner.envs.folder import site_packages
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.running import Environment

# For every Python that uv serves, so in a Python that 3.6 can read.
_MODULE = '''\
"""`python -m pip`, answered by `uv pip`. Written by runenv."""

import os
import shutil
import subprocess
import sys

UV = {uv!r}
KNOWN = ("install", "uninstall", "list", "freeze", "show", "check", "tree")


def main(arguments):
    program = UV if os.access(UV, os.X_OK) else shutil.which("uv")
    if not program:
        sys.stderr.write(
            "pip: uv is gone from {{}}; run the session again with --fresh\\n".format(UV)
        )
        return 1
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        return subprocess.call([program, "pip", "--help"])
    if arguments[0] in ("-V", "--version"):
        version = subprocess.check_output([program, "--version"]).decode().strip()
        print("pip (by {{}}) from {{}}".format(version, os.path.dirname(__file__)))
        return 0
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command not in KNOWN:
        sys.stderr.write(
            "pip: this environment's pip is uv's, which has no {{!r}}; "
            "add 'pip' to the session's deps for the real one\\n".format(command)
        )
        return 1
    at = arguments.index(command)
    words = arguments[:at] + arguments[at + 1 :]
    if command == "uninstall":  # uv never asks
        words = [word for word in words if word not in ("-y", "--yes")]
    return subprocess.call([program, "pip", command, "--python", sys.executable] + words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''

_POSIX_SCRIPT = '#!/bin/sh\nexec "$(dirname -- "$0")/python" -I -m pip "$@"\n'
_WINDOWS_SCRIPT = '@"%~dp0python.exe" -I -m pip %*\r\n'


def write_pip(environment: Environment, uv: str) -> None:
    """Make `pip` work in an environment that uv made."""
    # A module: the package of a real pip comes before it.
    _write(os.path.join(site_packages(environment.path)[0], "pip.py"), _MODULE.format(uv=uv))
    major_minor = ".".join(environment.interpreter.version.split(".")[:2])
    for name in ("pip", "pip3", f"pip{major_minor}"):
        if sys.platform == "win32":
            _write(os.path.join(environment.bin, f"{name}.cmd"), _WINDOWS_SCRIPT)
        else:
            path = os.path.join(environment.bin, name)
            _write(path, _POSIX_SCRIPT)
            os.chmod(path, 0o755)  # noqa: S103  # a program, for whoever may read it


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
