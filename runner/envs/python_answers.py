"""Asks a program which Python it is, once, and keeps the answer with the stamp of its file.

Knows nothing of what is wanted or where Pythons lie. What is kept saves time
and decides nothing: a file that cannot be read is an empty one, and a changed
program is asked anew.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from functools import cache

from runner.aside import keep
from runner.envs.python_spec import UNKNOWN, read_version, version_text
from runner.errors import CommandFailed
from runner.record import Record
from runner.running import Command, Interpreter
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

CACHE = "interpreters.json"

_FORMAT = 1  # another number: written by a runenv that means something else
_PATIENCE_S = 15.0  # a Python on a sleeping disk takes seconds

# Nothing that Python 3.6 lacks. json, because its ASCII passes every locale.
_QUESTION = """\
import json, os, sys
print(json.dumps([list(sys.version_info), sys.implementation.name, sys.version, sys.platform,
    os.uname()[4] if hasattr(os, "uname") else "", sys.executable or "",
    getattr(sys, "_base_executable", None) or "", sys.base_prefix]))
"""


class _Said(Record):
    """What a Python says of itself: the answer to _QUESTION."""

    version_info: Sequence[Any]
    implementation: str
    version: str
    platform: str
    machine: str
    executable: str
    base_executable: str
    base_prefix: str


class _Answer(Record):
    """What asking a program gave: facts, or why it is no use."""

    real_path: str
    stamp: str
    trouble: str = ""
    behind: str = ""  # the Python that it stands for, when it is a venv's or a wrapper
    version: str = ""
    implementation: str = ""
    build: str = ""
    platform: str = ""
    free_threaded: bool = False


@cache
def running() -> Interpreter:
    """The Python that runs us, or the one behind it when that is a virtual environment's.

    It is looked at once in a process, and in copies of that not again.
    """
    machine = ""
    if sys.platform != "win32":
        machine = os.uname().machine
    said = _Said(
        version_info=sys.version_info,
        implementation=sys.implementation.name,
        version=sys.version,
        platform=sys.platform,
        machine=machine,
        executable=sys.executable,
        base_executable=getattr(sys, "_base_executable", None) or "",
        base_prefix=sys.base_prefix,
    )
    path = _behind(sys.executable, said) or sys.executable
    real_path, stamp = _identity(path) or (path, "")
    return _interpreter(path, _facts(said, real_path, stamp))


class Asker:
    """The answers of Pythons; `troubles` are those of programs that could not be used."""

    def __init__(
        self, cache_dir: str, environ: Mapping[str, str], patience_s: float = _PATIENCE_S
    ) -> None:
        """environ: the variables that a program is started with, as far as it looks at any."""
        self.environ = environ
        self.running = running()
        self.troubles: dict[str, str] = {}
        self._patience_s = patience_s
        self._file = os.path.join(cache_dir, CACHE)
        self._known, self._words = _read(self._file)
        self._new: dict[str, _Answer] = {}
        self._new_words: dict[str, tuple[str, ...]] = {}
        self._trust_troubles = True

    def interpreter(self, path: str) -> Interpreter | None:
        """What the program is; None, and an entry in `troubles`, when it is no use.

        For the Python of a virtual environment, and for a wrapper, it is the
        Python behind it: what environments are made with must not go away with
        another environment, nor change while its own file stays.
        """
        if path == self.running.path:
            return self.running
        answer = self._answer(path)
        if answer.behind == self.running.path:
            return self.running
        actual = self._answer(answer.behind) if answer.behind else answer
        trouble = actual.trouble
        if actual.behind:
            trouble = f"it stands for {answer.behind}, and that for {actual.behind}"
        if trouble:
            self.troubles[path] = trouble
            return None
        return _interpreter(answer.behind or path, actual)

    def ask_troubled_again(self) -> None:
        """From now on, what was no use in an earlier run is asked anew: a trouble may be over."""
        self._trust_troubles = False

    def path_of(self, word: str) -> str:
        """The path that was remembered for a word; empty when it is another file by now."""
        path, *identity = self._words.get(word) or ("",)
        return path if tuple(identity) == _identity(path) else ""

    def remember_path(self, word: str, path: str) -> None:
        """The path is kept for the word, as long as its file stays the same."""
        identity = _identity(path)
        if identity is not None:
            self._new_words[word] = (path, *identity)

    def save(self) -> None:
        """What was learnt is kept for later runs, where the disk allows."""
        if not self._new and not self._new_words:
            return
        # Read again, for what other runs have learnt meanwhile. Of two that
        # write at once one wins, and what the other learnt is asked again.
        known, words = _read(self._file)
        known.update((path, list(answer)) for path, answer in self._new.items())
        words.update(self._new_words)
        data = {
            "format": _FORMAT,
            "answers": {path: row for path, row in known.items() if os.path.lexists(path)},
            "words": words,
        }
        keep(self._file, json.dumps(data, separators=(",", ":")))

    def _answer(self, path: str) -> _Answer:
        identity = _identity(path)
        if identity is None:
            return _Answer("", "", trouble="there is no such file")
        if path in self._new:
            return self._new[path]
        known = _usable(self._known.get(path))
        if known and known[:2] == identity and (self._trust_troubles or not known.trouble):
            return known
        answer = _ask(path, identity, self.environ, self._patience_s)
        self._new[path] = answer
        return answer


def _identity(path: str) -> tuple[str, str] | None:
    """The real path of a file and the stamp of what is there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: no file can have such a name
        return None
    return os.path.realpath(path), f"{status.st_size}:{status.st_mtime_ns}"


def _read(file: str) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """The rows by path, unchecked, and by word the path with its identity."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        with open(file, encoding="utf-8") as stream:
            data = json.loads(stream.read())
        if data["format"] == _FORMAT:
            words = {word: tuple(map(str, row)) for word, row in data["words"].items()}
            return dict(data["answers"]), words
    return {}, {}


def _usable(row: Any) -> _Answer | None:
    """A row of the file as an answer, or None where it has another shape."""
    try:
        answer = _Answer(*row)
    except TypeError:
        return None
    return answer if [type(value) for value in answer] == [str] * 8 + [bool] else None


def _interpreter(path: str, answer: _Answer) -> Interpreter:
    return Interpreter(
        path=path,
        real_path=answer.real_path,
        version=answer.version,
        implementation=answer.implementation,
        build=answer.build,
        platform=answer.platform,
        free_threaded=answer.free_threaded,
        stamp=answer.stamp,
    )


def _ask(
    path: str, identity: tuple[str, str], environ: Mapping[str, str], patience_s: float
) -> _Answer:
    """Start the program and understand what it says."""
    from runner.process import run  # brings subprocess, and a listing or a warm run asks nobody

    command = Command(
        # -I and -S: no variable, no site-packages and no .pth file changes the answer.
        argv=(path, "-I", "-S", "-X", "utf8", "-c", _QUESTION),
        cwd=os.path.dirname(path),
        # What macOS sets for a framework's Python makes every other take its name.
        env={name: value for name, value in environ.items() if name != "__PYVENV_LAUNCHER__"},
        timeout_s=patience_s,
        capture="apart",
        input="",
    )
    try:
        done = run(command, grace_s=0)
    except CommandFailed as error:
        return _Answer(*identity, trouble=error.what)
    if done.timed_out:
        return _Answer(*identity, trouble=f"it did not answer in {patience_s:g} s")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["and said nothing"]
        # 2 is a wrong use, said first (Python 2 has no -I); a traceback says it last.
        line = lines[0 if done.returncode == 2 else -1]
        return _Answer(*identity, trouble=f"it ended with {done.returncode}: {line[:200]}")
    said = _understand(done.stdout)
    if said is None:
        return _Answer(*identity, trouble="it does not answer as a Python does")
    behind = _behind(path, said)
    if behind is None:
        return _Answer(*identity, trouble="the Python of this virtual environment is gone")
    return _facts(said, *identity)._replace(behind=behind)


def _understand(text: str) -> _Said | None:
    """The answer in the last line, or None where there is none."""
    try:
        said = _Said(*json.loads(text.strip().splitlines()[-1]))
        known = read_version(version_text(*said.version_info)) != UNKNOWN
    except (ValueError, TypeError, IndexError, RecursionError):
        return None
    return said if known and [type(value) for value in said[1:]] == [str] * 7 else None


def _facts(said: _Said, real_path: str, stamp: str) -> _Answer:
    return _Answer(
        real_path=real_path,
        stamp=stamp,
        version=version_text(*said.version_info),
        implementation=said.implementation,
        build=" ".join(said.version.split()),
        platform=_platform(said),
        # sys.version says so in every such build (docs.python.org, "Python
        # support for free threading"); sysconfig would cost 5 ms.
        free_threaded="free-threading" in said.version,
    )


def _platform(said: _Said) -> str:
    """`linux-x86_64`; on Windows what sysconfig.get_platform() says there."""
    if said.machine:
        return f"{said.platform}-{said.machine}"
    build = said.version.lower()
    return next((f"win-{name}" for name in ("amd64", "arm64") if name in build), said.platform)


def _behind(asked: str, said: _Said) -> str | None:
    """The Python that the one that was asked stands for; None when that is gone.

    Empty when it stands for itself.
    """
    executable = said.executable or asked
    if not _in_venv(executable):
        same = os.path.realpath(executable) == os.path.realpath(asked)
        return "" if same else executable
    # Up to Python 3.10, on POSIX, the base executable is the environment's own.
    stem = "python" if said.implementation == "cpython" else said.implementation
    major, minor = said.version_info[:2]
    names = (f"{stem}{major}.{minor}", f"{stem}{major}", stem)
    folder = said.base_prefix if sys.platform == "win32" else os.path.join(said.base_prefix, "bin")
    suffix = ".exe" if sys.platform == "win32" else ""
    paths = (said.base_executable, *(os.path.join(folder, name + suffix) for name in names))
    return next((path for path in paths if os.path.isfile(path) and not _in_venv(path)), None)


def _in_venv(executable: str) -> bool:
    """Whether it is a virtual environment's; where its mark stands is said by PEP 405."""
    folder = os.path.dirname(executable)
    return any(
        os.path.isfile(os.path.join(place, "pyvenv.cfg"))
        for place in (folder, os.path.dirname(folder))
    )
