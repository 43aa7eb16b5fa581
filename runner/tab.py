"""The answer to a TAB where nothing has changed: read, and not found out.

argcomplete asks for a parser of argparse, and the two take 40 ms to import, which a person
waits for. Most lines at whose end TAB is pressed are plain: names, perhaps the begin of an
option. Those are answered here with what was offered for the envfile before, byte for byte
as argcomplete does; any other line is left to it.
"""

from __future__ import annotations

import marshal
import os
import sys
from binascii import crc32

from runner.aside import keep
from runner.finding import nearest_envfile
from runner.settings import OPTIONS
from runner.typed import TYPE_CHECKING
from runner.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    Told = TypeVar("Told")

_FORMAT = 2  # another number: written by a runenv that means something else
_LARGEST_BYTES = 1_000_000  # of all files that decide what is offered
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-: ")
_ELSEWHERE = (
    "RUNENV_FILE",
    "RUNENV_DIRECTORY",
    "RUNENV_ALL_PROJECTS",
)  # by which another envfile is meant
_DESCRIPTOR = 8  # which the shell's code reads

Names = dict[str, str]  # and what each does


def answer(environ: Mapping[str, str]) -> bool:
    """Write what is offered to where the shell's code reads it; False where that is not known."""
    line, point = environ.get("COMP_LINE", ""), environ.get("COMP_POINT", "")
    typed = line[: int(point)] if point.isdecimal() else ""
    *before, word = typed.lstrip(" ").split(" ")
    if not before or not _PLAIN.issuperset(typed.replace("/", "")):
        return False
    if "/" in "".join([*before[1:], word]) or any(one[:1] == "-" for one in before):
        return False
    breaks = set(environ.get("_ARGCOMPLETE_COMP_WORDBREAKS", "")).intersection(word)
    if breaks - {":"}:
        return False
    if any(name in environ for name in ("_ARC_DEBUG", *_ELSEWHERE)):
        return False
    if word.startswith("-"):
        offered = _options(before[1:], environ)
    else:
        offered = _names(environ, begun=bool(word))
    if offered is None:
        return False
    found = {name: told for name, told in offered.items() if name.startswith(word)}
    # To bash a word begins behind the colon, so that what stands before it is not offered.
    text = _in_form(found, environ, word.rfind(":") + 1 if breaks else 0)
    return text is not None and _write(text, environ)


def keep_names(
    envfile: str,
    names: tuple[Names, Names] | None,
    options: Mapping[str, Names],
    files: Iterable[str],
) -> None:
    """Remember what is offered while all these files have the content that they have now.

    names: sessions and jobs; None where more decides them than files. options: the flags of
    the sessions that have some.
    """
    home = _home(os.environ)
    contents = {path: content(path) for path in files}
    if home and sum(map(len, contents.values())) <= _LARGEST_BYTES:
        data = (_FORMAT, sys.version, envfile, contents, names, dict(options))
        keep(_file(home, envfile), marshal.dumps(data))


def _options(words: list[str], environ: Mapping[str, str]) -> Names | None:
    """Every flag and what it does; not those behind which nothing can be offered.

    words: names, behind the last of which options of its session may stand; None where it
    is not known which it has.
    """
    shown = [option for option in OPTIONS if option.name != "keyword"]
    ours = {flag: option.help for option in shown for flag in option.flags}
    named = next(filter(None, reversed(words)), "")
    if not named:
        return ours
    kept = _kept(environ)
    return None if kept is None else {**ours, **flags_of(named, kept[1])}


def flags_of(name: str, options: Mapping[str, dict[str, Told]]) -> dict[str, Told]:
    """The flags of the session that a name means, or of the one whose jobs have such names."""
    of = [session for session in options if f"{name}-".startswith(f"{session}-")]
    return options[max(of, key=len)] if of else {}


def _names(environ: Mapping[str, str], *, begun: bool) -> Names | None:
    """Sessions and, once a letter is typed, their jobs; None where they are not known."""
    kept = _kept(environ)
    if kept is None or kept[0] is None:
        return None
    sessions, jobs = kept[0]
    return {**sessions, **jobs} if begun else dict(sessions)


def _kept(
    environ: Mapping[str, str],
) -> tuple[tuple[Names, Names] | None, dict[str, Names]] | None:
    """Names and options as they were remembered; None where that is not so any more."""
    home = _home(environ)
    try:
        envfile = nearest_envfile(os.getcwd())
        with open(_file(home, envfile), "rb") as stream:
            data = marshal.loads(stream.read())  # noqa: S302  # in the user's own cache
        form, python, path, contents, names, options = data
        if (form, python, path) != (_FORMAT, sys.version, envfile):
            return None
        if any(content(path) != known for path, known in contents.items()):
            return None
        return names, options
    except (OSError, EOFError, ValueError, TypeError, AttributeError):  # none, or damaged
        return None


def _in_form(found: Names, environ: Mapping[str, str], there: int) -> str | None:
    """What argcomplete writes of these; None where that is not simple.

    there: so many letters of each are left out.
    """
    shell = environ.get("_ARGCOMPLETE_SHELL")
    between = environ.get("_ARGCOMPLETE_IFS", "\013")
    before_told = environ.get("_ARGCOMPLETE_DFS", "")
    no_space = environ.get("_ARGCOMPLETE_SUPPRESS_SPACE") == "1"
    if len(between) != 1 or not all(map(_PLAIN.issuperset, found)):
        return None
    if shell == "bash" and not before_told:
        return between.join(name[there:] for name in found) + (
            " " if len(found) == 1 and not no_space else ""
        )
    if not no_space or any("%" in told for told in found.values()):
        return None
    if shell == "zsh" and not before_told:
        escaped = {name.replace(":", "\\:"): told for name, told in found.items()}
        return between.join(f"{name}:{told}" for name, told in escaped.items())
    if shell == "fish" and len(before_told) == 1:
        pairs = ((name, told.replace(between, " ")) for name, told in found.items())
        return between.join(map(before_told.join, pairs))
    return None


def _write(text: str, environ: Mapping[str, str]) -> bool:
    try:
        name = environ.get("_ARGCOMPLETE_STDOUT_FILENAME")
        with open(name or _DESCRIPTOR, "w", closefd=name is not None) as stream:
            stream.write(text)
    except (OSError, UnicodeError):
        return False
    return True


def _home(environ: Mapping[str, str]) -> str:
    cache = user_cache(environ)
    return os.path.join(cache, "tabs") if cache else ""


def _file(home: str, envfile: str) -> str:
    return os.path.join(home, f"{crc32(os.fsencode(envfile)):08x}")


def content(path: str) -> bytes:
    """What a file holds, or which names a folder does; empty where neither is there."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        try:
            names = os.listdir(path)
        except OSError:
            return b""
    # What is hidden comes and goes, and no pattern of `runner.include` means it.
    return os.fsencode("\n".join(sorted(n for n in names if not n.startswith("."))))
