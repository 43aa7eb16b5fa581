r"""Reads files of variables, `.env`, by the rules that those who read them agree on.

Those are python-dotenv, the dotenvs of Node and Ruby, dotenvy (uv, just) and Docker
Compose. Where they differ a line is an error and no guess: a bare `$NAME` is replaced
by half of them. No error shows a value, since they are secrets.

Knows nothing of sessions, or of what becomes of the variables.
"""

from __future__ import annotations

import os
import re

from runner.errors import EnvironmentBroken
from runner.requirements.files import missing, read_bytes, shown_path
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model import Project, SessionSpec

_OPTIONAL = "-"  # before the name of a file that may be missing, as systemd has it

_BLANK = r"[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)"
_NAME = r"[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_]*)[^\S\n]*="
_SINGLE = r"[^\S\n]*'([^']*)'"
_DOUBLE = r'[^\S\n]*"((?:[^"\\]|\\[\s\S])*)"'
_COMMENT = r"\s#[\s\S]*"  # a # within a word belongs to it: color=#fff
_REPLACED = r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}\n]*))?\}|\$[A-Za-z_{]"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def plain_name(name: str) -> str:
    """The file, without the mark that it may be missing."""
    return name[len(_OPTIONAL) :] if may_be_missing(name) else name


def may_be_missing(name: str) -> bool:
    """Whether a file that is not there is no error."""
    return name.startswith(_OPTIONAL)


def files_for(spec: SessionSpec, project: Project, of_all: Iterable[str]) -> list[tuple[str, bool]]:
    """The files of a session as the project's folder has them, and whether each may be missing.

    of_all: those of all sessions.
    """
    start = os.path.relpath(project.root_of(spec), project.root)
    named = [("", name) for name in of_all] + [(start, name) for name in spec.env_file]
    return [(_below(within, plain_name(name)), may_be_missing(name)) for within, name in named]


def _below(folder: str, name: str) -> str:
    absolute = os.path.isabs(os.path.expanduser(name))
    return name if absolute else os.path.normpath(os.path.join(folder, name))


def read_files(names: Iterable[tuple[str, str, str]], outer: Mapping[str, str]) -> dict[str, str]:
    """The variables of the files, of which the last wins; what is set already stays what it is.

    names: each with the place that names it, and the folder that it starts at. outer: what is set
    already, as all who read such files leave it. Raises EnvironmentBroken with the place.
    """
    found: dict[str, str] = {}
    for name, where, root in names:
        path = os.path.join(root, os.path.expanduser(plain_name(name)))
        if may_be_missing(name) and not os.path.lexists(path):
            continue
        shown = shown_path(os.path.normpath(path), root)
        try:
            found = _Reader(_text(path, shown, where), shown, found, outer).read()
        except FileNotFoundError:
            error = missing(path, shown, where=where)
            error.mend += f'; "{_OPTIONAL}{name}" is one that may be missing'
            raise error from None
    return {name: outer.get(name, value) for name, value in found.items()}


def _text(path: str, shown: str, where: str) -> str:
    if not os.path.exists(path):
        raise FileNotFoundError
    try:
        text = read_bytes(path, shown, where=where).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise EnvironmentBroken(
            "the line is not UTF-8", where=f"{shown}:{line}", mend="save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n")


class _Reader:
    """The variables in a text."""

    def __init__(
        self, text: str, shown: str, found: Mapping[str, str], outer: Mapping[str, str]
    ) -> None:
        """shown: what messages call the file. found: what files before it have set."""
        self._text = text
        self._shown = shown
        self._found = dict(found)
        self._outer = outer
        self._at = 0

    def read(self) -> dict[str, str]:
        """All of them with what was found before, by name; the last of one name wins."""
        while self._at < len(self._text):
            if self._take(_BLANK) is None:
                self._read_one()
        return self._found

    def _read_one(self) -> None:
        begin = self._at
        named = self._take(_NAME)
        if named is None:
            raise self._error(begin, "the line is not NAME=VALUE", "comments begin with #")
        name, behind = named[1], self._at
        single, double = self._take(_SINGLE), None
        if single is None:
            double = self._take(_DOUBLE)
        if single is not None:
            value = single[1]
        elif double is not None:
            value = self._replaced(double[1], begin, escapes=True)
        else:
            line = self._text[behind:].partition("\n")[0]
            self._at += len(line)
            text = re.sub(_COMMENT, "", line).strip()
            if text[:1] in ("'", '"'):
                mend = "close it; a quote that is meant itself stands in the other kind"
                raise self._error(behind, f"the quote of {name} is not closed", mend)
            value = self._replaced(text, begin, escapes=False)
        if self._take(_BLANK) is None:
            mend = "put all of it into the quotes; comments begin with #"
            raise self._error(self._at, f"something stands behind the value of {name}", mend)
        if "\0" in value:
            raise self._error(begin, f"the value of {name} has a NUL in it", "no variable can")
        self._found[name] = value

    def _take(self, pattern: str) -> re.Match[str] | None:
        """What stands here, where it looks like that; from now on we are behind it."""
        match = re.compile(pattern).match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _replaced(self, text: str, at: int, *, escapes: bool) -> str:
        r"""The text with what `${NAME}` and, in double quotes, `\n` stand for."""

        def replace(match: re.Match[str]) -> str:
            if match[0][0] == "\\":
                return _ESCAPES.get(match[0][1], match[0])
            name = match[1]
            if name is None:
                mend = "write ${NAME}; where a dollar is meant, put the value into single quotes"
                raise self._error(at, "tools do not agree on what a bare $ stands for", mend)
            known = self._outer.get(name, self._found.get(name))
            value = known or match[2]
            if value is None and known is None:
                mend = f"set it in a line above, or write ${{{name}:-}} where it may be missing"
                raise self._error(at, f"${{{name}}} is not set", mend)
            return value or ""

        return re.sub(rf"\\[\s\S]|{_REPLACED}" if escapes else _REPLACED, replace, text)

    def _error(self, at: int, what: str, mend: str) -> EnvironmentBroken:
        line = self._text.count("\n", 0, at) + 1
        return EnvironmentBroken(what, where=f"{self._shown}:{line}", mend=mend)
