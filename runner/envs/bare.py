"""An environment without any package, written without starting a program.

What it holds is said by PEP 405 and by the documentation of `venv`, whose own scripts,
of the Python that it is for, are filled in here. Knows nothing of who would make it
otherwise, and does nothing where it finds something else than is said there.
"""

from __future__ import annotations

import os
import re
import sys

from runner.envs.places import is_movable
from runner.envs.python_spec import read_version
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.running import Interpreter

# Older ones need a patch of distutils, which virtualenv and uv bring.
_SINCE = (3, 10)

_SCRIPTS = {  # by their names in an environment; where a Python has them depends on its version
    "activate": ("common/activate",),
    "activate.csh": ("posix/activate.csh", "common/activate.csh"),
    "activate.fish": ("common/activate.fish", "posix/activate.fish"),
    "activate.ps1": ("common/Activate.ps1",),
}
# As `EnvBuilder.install_scripts` is documented.
_PLACEHOLDER = r'("?)(__VENV_[A-Z_]+__)'
_WITH_PARENTHESES = r'\("?__VENV_PROMPT__'

_TAG = "Signature: 8a477f597d28d172789f06886806bc55"  # of a cache: bford.info/cachedir


def write(path: str, interpreter: Interpreter) -> bool:
    """Write an environment into a folder that has none; whether that was done.

    Nothing was written where it returns False. Raises OSError.
    """
    if sys.platform != "linux" or not is_movable(path) or interpreter.implementation != "cpython":
        return False
    version = read_version(interpreter.version).release[:2]
    if version < _SINCE:
        return False
    name = "python" + ".".join(map(str, version))
    lib = f"lib/{name}{'t' if interpreter.free_threaded else ''}"
    found = next(
        (
            python
            for python in (interpreter.path, interpreter.real_path)
            # The landmark by which a Python knows its own library.
            if os.path.isfile(os.path.join(_prefix(python), lib, "os.py"))
        ),
        None,
    )
    if found is None:
        return False
    scripts = _scripts(os.path.join(_prefix(found), lib, "venv/scripts"), path)
    if scripts is None:
        return False
    texts = {
        **{f"bin/{script}": text for script, text in scripts.items()},
        "pyvenv.cfg": f"home = {os.path.dirname(found)}\n"
        "implementation = CPython\n"
        f"version_info = {interpreter.version}\n"
        "include-system-site-packages = false\n",
        ".gitignore": "*",
        "CACHEDIR.TAG": _TAG,
    }
    links = {"lib64": "lib", "bin/python": found, "bin/python3": "python", f"bin/{name}": "python"}
    for folder in ("bin", f"{lib}/site-packages"):
        os.makedirs(os.path.join(path, folder))
    for link, leads_to in links.items():
        os.symlink(leads_to, os.path.join(path, link))
    for file, text in texts.items():
        with open(os.path.join(path, file), "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    return True


def _prefix(python: str) -> str:
    return os.path.dirname(os.path.dirname(python))


def _scripts(folder: str, path: str) -> dict[str, str] | None:
    """The scripts that activate the environment in `path`; None where some are unknown."""
    values = {
        "__VENV_DIR__": path,
        "__VENV_NAME__": os.path.basename(path),
        "__VENV_PROMPT__": os.path.basename(path),
        "__VENV_BIN_NAME__": "bin",
        "__VENV_PYTHON__": os.path.join(path, "bin/python"),
    }
    texts = {
        script: next(filter(None, (_text(os.path.join(folder, place)) for place in places)), "")
        for script, places in _SCRIPTS.items()
    }
    wanted = {name for text in texts.values() for _, name in re.findall(_PLACEHOLDER, text)}
    if not all(texts.values()) or not wanted <= values.keys():
        return None
    # Up to Python 3.12 the prompt is said to have its parentheses and a blank.
    is_whole = re.search(_WITH_PARENTHESES, texts["activate"]) is None
    return {script: _filled(text, values, is_whole) for script, text in texts.items()}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def _filled(text: str, values: Mapping[str, str], is_whole: bool) -> str:
    """A script with its values. is_whole: the prompt has all that is to be shown."""

    def value(match: re.Match[str]) -> str:
        quote, name = match.groups()
        if name == "__VENV_PROMPT__" and is_whole:
            prompt = f"({values[name]}) "  # which wants quotes, where it stands in none
            return f"{quote}{prompt}" if quote else f"'{prompt}'"
        return str(quote + values[name])

    return re.sub(_PLACEHOLDER, value, text)
