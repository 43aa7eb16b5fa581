"""tox's substitutions in a text: `{posargs:tests}`, `{env:CI:}`, `{envdir}/x`.

Finds them and makes Code of those that every environment has. References to
other settings are written out before, by who knows the settings.
"""

from __future__ import annotations

import re
import shlex

from runner.convert.model import Code, Text, joined, literal
from runner.convert.words import Block, expression, quoted
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Braces(Record):
    """What stands in braces."""

    inner: str


def pieces(text: str) -> Iterator[str | Braces]:
    """The text and what stands in braces, in turn; a brace after a backslash is text."""
    at = start = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\" and at + 1 < len(text):
            at += 2
        elif sign == "{":
            end = _closing(text, at)
            if end is None:
                at += 1
                continue
            if at > start:
                yield text[start:at]
            yield Braces(text[at + 1 : end])
            at = start = end + 1
        else:
            at += 1
    if start < len(text):
        yield text[start:]


def _closing(text: str, at: int) -> int | None:
    """Where the brace that opens at a place is closed."""
    depth = 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return None


def unescaped(text: str) -> str:
    r"""The text without tox's own backslashes: `\{` is `{`."""
    return re.sub(r"\\([{}:\[\]])", r"\1", text)


_ENV_DIR = Code("session.env_dir", frozenset({"session"}))
_BIN = Code("session.bin", frozenset({"session"}))
_TMP = Code("tmp", frozenset({"tmp"}))
_CACHE = Code("session.cache_dir", frozenset({"session"}))
_NAME = Code("session.name", frozenset({"name"}))
_ROOT = Code("ROOT", frozenset({"ROOT"}))
_LIBRARY = Code("site_packages", frozenset({"site_packages"}))

NAMES: Mapping[str, Code] = {
    "toxinidir": _ROOT,
    "tox_root": _ROOT,
    "envdir": _ENV_DIR,
    "env_dir": _ENV_DIR,
    "envname": _NAME,
    "env_name": _NAME,
    "envbindir": _BIN,
    "env_bin_dir": _BIN,
    "envtmpdir": _TMP,
    "env_tmp_dir": _TMP,
    "envlogdir": Code('f"{session.env_dir}/log"', frozenset({"session"})),
    "env_log_dir": Code('f"{session.env_dir}/log"', frozenset({"session"})),
    "toxworkdir": _CACHE,
    "work_dir": _CACHE,
    "temp_dir": _CACHE,
    "distdir": _CACHE,
    "distshare": _CACHE,
    "envsitepackagesdir": _LIBRARY,
    "env_site_packages_dir": _LIBRARY,
    "homedir": Code('os.path.expanduser("~")', frozenset({"os"})),
    "envpython": Code('f"{session.bin}/python"', frozenset({"session"})),
    "env_python": Code('f"{session.bin}/python"', frozenset({"session"})),
    "py_dot_ver": Code('".".join(session.python_version.split(".")[:2])', frozenset({"session"})),
    "py_impl": Code("sys.implementation.name", frozenset({"sys"})),
    "hostname": Code("socket.gethostname()", frozenset({"socket"})),
    "/": Code("os.sep", frozenset({"os"})),
    ":": Code("os.pathsep", frozenset({"os"})),
}


def as_text(
    text: str, variables: Mapping[str, str], more: Mapping[str, Code] | None = None
) -> Text:
    """The Text that a text with substitutions stands for, of one word.

    variables: what the environment sets itself, which `{env:NAME}` means first.
    more: further names.
    """
    made: list[str | Code] = []
    for piece in pieces(text):
        if isinstance(piece, str):
            made.append(unescaped(piece))
        else:
            made += _piece(piece.inner, variables, more or {})
    return joined(made)


def _piece(inner: str, variables: Mapping[str, str], more: Mapping[str, Code]) -> list[str | Code]:
    if inner in more:
        return [more[inner]]
    if inner in ("/", ":"):
        # Every Python that we run on takes a slash for a path.
        return ["/"] if inner == "/" else [NAMES[":"]]
    name, colon, rest = inner.partition(":")
    if inner in NAMES:
        return [NAMES[inner]]
    if inner in ("package_env", "isolated_build_env"):
        return [".pkg"]  # unless it is set, which nobody does
    if name == "posargs":
        return [_posargs(rest, variables, more)]
    if name == "env" and colon:
        return list(_variable(rest, variables, more))
    if name == "tty":
        on, off = _halves(rest)
        shown = expression(as_text(on, variables)), expression(as_text(off, variables))
        return [
            Code(f"({shown[0]} if session.interactive else {shown[1]})", frozenset({"session"}))
        ]
    if name == "glob" and colon:
        return [_glob(*_halves(rest), variables)]
    # tox leaves what it does not know, but for what is in it.
    return ["{", *as_text(inner, variables, more), "}"]


def _halves(text: str) -> tuple[str, str]:
    """What stands before and behind the first colon outside of braces."""
    before = ""
    for piece in pieces(text):
        if isinstance(piece, str) and ":" in piece:
            head = before + piece.partition(":")[0]
            return head, text[len(head) + 1 :]
        before += piece if isinstance(piece, str) else f"{{{piece.inner}}}"
    return text, ""


def _glob(pattern: str, default: str, variables: Mapping[str, str]) -> Code:
    made = _in_root(as_text(pattern, variables))
    others = command_words(default, variables) if default else ()
    needs = frozenset({"glob"}).union(needs_of(made), *map(needs_of, others))
    deep = ", recursive=True" if "**" in pattern else ""
    code = f"sorted(glob({expression(made)}{deep}))"
    if others:
        code = f"({code} or [{', '.join(map(argument, others))}])"
    return Code(code, needs, words=True)


def _in_root(pattern: Text) -> Text:
    """The pattern from the root on, where tox looks, and not from where commands run."""
    first = pattern[0] if pattern else ""
    if isinstance(first, Code):
        if first.expression == "ROOT":
            return pattern
        code = f"os.path.join(ROOT, {expression(pattern)})"
        return (Code(code, needs_of(pattern) | {"os", "ROOT"}),)
    return pattern if re.match(r"[/\\]|\w:", first) else joined([_ROOT, "/", *pattern])


def needs_of(text: Text) -> frozenset[str]:
    """What the pieces of a text use."""
    return frozenset(need for piece in text if isinstance(piece, Code) for need in piece.needs)


def is_known_early(text: Text) -> bool:
    """Whether it is known where a session is declared, and not only when it runs."""
    return needs_of(text).isdisjoint(("session", "tmp", "site_packages"))


def _posargs(default: str, variables: Mapping[str, str], more: Mapping[str, Code]) -> Code:
    return posargs(command_words(default, variables, more) if default.strip() else ())


def posargs(words: Sequence[Text]) -> Code:
    """What stands behind `--`, else these words."""
    needs = frozenset({"session"}).union(*(needs_of(word) for word in words))
    shown = tuple(argument(word) for word in words)
    code = f"(session.posargs or [{', '.join(shown)}])" if shown else "session.posargs"
    return Code(code, needs, words=True, default=shown)


def _variable(rest: str, variables: Mapping[str, str], more: Mapping[str, Code]) -> Text:
    name, _, default = rest.partition(":")
    if name in variables:
        others = {n: value for n, value in variables.items() if n != name}
        return as_text(variables[name], others)
    text = as_text(default, variables, more)
    needs = needs_of(text) | {"os"}
    if any(isinstance(piece, Code) and piece.words for piece in text):
        return (Code(f'os.environ.get("{name}") or {_flat(text)}', needs),)
    return (Code(f"os.environ.get({quoted(name)}, {expression(text)})", needs),)


def _flat(text: Text) -> str:
    return expression(tuple(_as_one(piece) for piece in text))


def _as_one(piece: str | Code) -> str | Code:
    """Words as the one string that they are within a word."""
    if isinstance(piece, Code) and piece.words:
        return Code(f'" ".join({bare(piece.expression)})', piece.needs)
    return piece


def bare(shown: str) -> str:
    """An expression without the brackets around all of it, which only a star needs."""
    wrapped = shown.startswith("(session.posargs or [") and shown.endswith("])")
    return shown[1:-1] if wrapped else shown


def argument(text: Text) -> str:
    """A word of a command as an argument in Python, `*words` where it stands for several."""
    only = text[0] if len(text) == 1 else ""
    if isinstance(only, Code) and only.words:
        shown = only.expression
        return "*" + shown
    return _flat(text)


def argument_block(text: Text) -> str | Block:
    """The same, in lines where it is long."""
    only = text[0] if len(text) == 1 else ""
    if isinstance(only, Code) and only.words and only.default:
        return Block("*(session.posargs or [", only.default, "])")
    return argument(text)


def command_words(
    text: str, variables: Mapping[str, str], more: Mapping[str, Code] | None = None
) -> tuple[Text, ...]:
    """The words of a command line with substitutions, by the rules of a POSIX shell.

    What a substitution stands for stays in the word that it stands in. Raises
    ValueError where a quote is not closed.
    """
    found: list[Text] = []
    marked = ""
    for piece in pieces(text):
        if isinstance(piece, str):
            # A backslash before a brace is tox's, all others are the shell's.
            marked += unescaped(piece)
            continue
        replaced = joined(_piece(_unquoted(piece.inner), variables, more or {}))
        known = literal(replaced)
        if known is not None:
            marked += known
        else:
            marked += chr(_FIRST_MARK + len(found))
            found.append(replaced)
    lexer = shlex.shlex(marked, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return tuple(made for word in lexer for made in _unmarked(word, found.__getitem__))


def _unquoted(inner: str) -> str:
    """`env:A:b c` for `env:A:"b c"`: the quotes of a command are gone when it runs."""
    return re.sub(r"""^(env:\w+:)(["'])((?:(?!\2).)*)\2$""", r"\1\3", inner)


_FIRST_MARK = 0xE000  # signs that no text has


def _unmarked(word: str, replaced: Callable[[int], Text]) -> list[Text]:
    if word == "[]":
        return [(Code("session.posargs", frozenset({"session"}), words=True),)]
    made: list[str | Code] = []
    for sign in re.split("([\ue000-\uf8ff])", word):
        made += replaced(ord(sign) - _FIRST_MARK) if "\ue000" <= sign <= "\uf8ff" else [sign]
    text = joined(made)
    split = _split_variable(text)
    return [split] if split else [text]


def _split_variable(text: Text) -> Text:
    """A variable that stands for a whole word and may hold several, as options do."""
    only = text[0] if len(text) == 1 else ""
    if not isinstance(only, Code):
        return ()
    match = re.fullmatch(r'os\.environ\.get\("(\w+)", ("(.*)")\)', only.expression)
    if match and (not match[3] or match[3].startswith("-") or " " in match[3]):
        default = f", {match[2]}"
        return (Code(f'os.environ.get("{match[1]}"{default}).split()', only.needs, words=True),)
    return choice_words(text)


def choice_words(text: Text) -> Text:
    """A choice by the terminal, one side of which is empty, as words: then there is none.

    () where the text is none.
    """
    only = text[0] if len(text) == 1 else ""
    if not isinstance(only, Code):
        return ()
    choice = re.fullmatch(r"\((\S+|\".*\") if session.interactive else (\".*\")\)", only.expression)
    if choice and '""' in choice.groups():
        shown = ["[]" if word == '""' else f"[{word}]" for word in choice.groups()]
        code = f"({shown[0]} if session.interactive else {shown[1]})"
        return (Code(code, only.needs, words=True),)
    return ()
