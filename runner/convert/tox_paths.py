"""Paths and programs of tox's settings, as one writes them in an envfile: seen from the root."""

from __future__ import annotations

from fnmatch import fnmatch

from runner.convert.model import Code, Command, joined, literal
from runner.convert.system import PROGRAMS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert.model import Text


def prepared(command: Command, allowed: list[str], *, moved: bool) -> Command:
    """The command with the paths and programs as one writes them here."""
    words = list(command.words)
    if not moved:
        words = [words[0], *(_shorter(word) for word in words[1:])] if words else words
    program = _program(words[0]) if words else ()
    known = literal(program) or ""
    base = known.rpartition("/")[2]
    named = any(p != "*" and (fnmatch(known, p) or fnmatch(base, p)) for p in allowed)
    outside = known in PROGRAMS or known.startswith("/")
    external = (named and base not in _INSIDE) or (bool(allowed) and outside)
    return command._replace(words=(program, *words[1:]), external=external)


_INSIDE = frozenset({"python", "python3", "pip", "pytest", "py.test"})


def _program(word: Text) -> Text:
    """The program; one of the environment by its name alone."""
    first = word[0] if word else ""
    if isinstance(first, Code):
        if first.expression == 'f"{session.bin}/python"' and len(word) == 1:
            return ("python",)
        rest = word[1] if len(word) == 2 else ""
        if first.expression == "session.bin" and isinstance(rest, str) and rest[:1] in "/\\":
            return (rest[1:],)
        if first.expression == "ROOT" and isinstance(rest, str) and rest[:1] == "/":
            return (f".{rest}",)
    return word


def _shorter(word: Text) -> Text:
    """`tests` for `{toxinidir}/tests`, where commands run in the root."""
    short = from_root(word)
    return short if short else (".",) if word else word


def from_root(text: Text) -> Text:
    """A path as seen from the root; () for the root itself."""
    first = text[0] if text else ""
    if isinstance(first, Code) and first.expression == "ROOT":
        rest = text[1:]
        if not rest:
            return ()
        if isinstance(rest[0], str) and rest[0].startswith("/"):
            return joined([rest[0].lstrip("/"), *rest[1:]])
    return text


def as_path(text: Text, written: str) -> Text:
    """A path that was named from the root shows that it is one."""
    changed = written.startswith(("{toxinidir}", "{tox_root}"))
    if changed and text and isinstance(text[0], str) and not text[0].startswith("."):
        return joined(["./", *text])
    return text
