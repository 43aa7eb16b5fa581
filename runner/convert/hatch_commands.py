"""Commands and scripts of hatch: braces in them, scripts that they call, what needs a shell.

Rules are those of hatch 1.18 (hatch/env/plugin/interface.py, hatchling/utils/context.py; MIT).
"""

from __future__ import annotations

import re

from runner.convert.braces import Braces, as_text, command_words, pieces, posargs
from runner.convert.model import Code, Command, joined
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.convert.model import Text


class Context(Record):
    """What the braces of an environment mean."""

    env: str | Code  # its name, with what the matrix adds
    matrix: Mapping[str, str | Code]
    variables: Mapping[str, str]
    extra: list[str]

    @property
    def codes(self) -> Mapping[str, Code]:
        """What stands for the variables of the matrix that a function is handed."""
        found = {f"matrix_{k}": v for k, v in self.matrix.items() if isinstance(v, Code)}
        return found | ({"hatch_env_name": self.env} if isinstance(self.env, Code) else {})

    def text(self, text: str) -> Text:
        """The Text that a text with braces stands for."""
        return as_text(self.rewritten(text), {}, self.codes)

    def rewritten(self, text: str) -> str:
        """The text with braces as tox has them."""
        made = ""
        for piece in pieces(text):
            made += self._braces(piece.inner) if isinstance(piece, Braces) else piece
        return made

    def _braces(self, inner: str) -> str:
        name, colon, rest = inner.partition(":")
        if name == "args":
            return f"{{posargs{colon}{self.rewritten(rest)}}}"
        if name in ("root", "home"):
            path = "{tox_root}" if name == "root" else "{homedir}"
            above = "/.." * rest.split(":").count("parent")
            return f"{'file://' if rest.endswith('uri') else ''}{path}{above}"
        if name == "env_name":
            return self.env if isinstance(self.env, str) else "{hatch_env_name}"
        if name == "env_type":
            return "virtual"
        if inner == ";":
            return "{:}"
        if name == "matrix":
            variable, _, default = rest.partition(":")
            value = self.matrix.get(variable, default)
            return value if isinstance(value, str) else f"{{matrix_{variable}}}"
        if name == "verbosity":
            return "" if rest else "0"
        if inner in ("env:HATCH_TEST_ARGS:", "env:HATCH_FMT_ARGS:"):
            return ""
        return f"{{{name}{colon}{self.rewritten(rest)}}}"


def expanded(
    script: str, scripts: Mapping[str, list[str]], active: tuple[str, ...]
) -> Iterator[str]:
    """The commands of a script, with those of the scripts that it calls."""
    for command in scripts.get(script, ()):
        ignored = command.startswith("- ")
        called, _, arguments = command.removeprefix("- ").partition(" ")
        if called not in scripts or called in (*active, script):
            yield command
            continue
        for inner in expanded(called, scripts, (*active, script)):
            if arguments:
                # What is handed over stands where the script takes arguments.
                yield f"{inner} {arguments}"
            else:
                yield f"- {inner}" if ignored and not inner.startswith("- ") else inner


def needs_shell(text: str) -> bool:
    """Whether signs of a shell stand outside of quotes and braces."""
    plain = re.sub(r"'[^']*'|\"[^\"$`]*\"|\{[^{}]*\}", "", text)
    return re.search(r"[|&;<>`$*~()\n]|^\w+=", plain) is not None


def by_shell(text: str, context: Context) -> Command:
    """The command as hatch runs it, by the shell; arguments are handed to it apart."""
    script: list[str | Code] = []
    given: Code | None = None
    for piece in pieces(text):
        if isinstance(piece, Braces) and piece.inner.partition(":")[0] == "posargs":
            default = piece.inner.partition(":")[2]
            given = posargs(
                command_words(default, context.variables, context.codes) if default.strip() else ()
            )
            script.append('"$@"')
        elif isinstance(piece, Braces):
            script += as_text("{" + piece.inner + "}", context.variables, context.codes)
        else:
            script.append(piece)
    words: list[Text] = [("sh",), ("-c",), joined(script)]
    if given is not None:
        words += [("sh",), (given,)]
    return Command(tuple(words), external=True)
