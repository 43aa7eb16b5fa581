"""Values → Python source, as a formatter would leave it.

Knows nothing of what the source means.
"""

from __future__ import annotations

import ast
import re

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.model import Text

WIDTH = 88


def quoted(text: str) -> str:
    """The string in Python, in double quotes unless it holds such."""
    shown = repr(text)
    if shown.startswith("'") and '"' not in shown:
        return '"' + shown[1:-1].replace("\\'", "'") + '"'
    return shown


def expression(text: Text) -> str:
    """A Text as one Python expression: a string, a name, an f-string."""
    if not text:
        return '""'
    if len(text) == 1:
        only = text[0]
        if isinstance(only, str):
            return quoted(only)
        return f"str({only.expression})" if only.expression == "ROOT" else only.expression
    parts = ""
    for piece in text:
        if isinstance(piece, str):
            if "\\" in repr(piece) or '"' in piece:
                return _summed(text)
            parts += piece.replace("{", "{{").replace("}", "}}")
        else:
            inner = piece.expression
            if inner.startswith('f"') and inner.endswith('"') and inner.count('"') == 2:
                parts += inner[2:-1]
                continue
            if "'" in inner or "\\" in inner:
                return _summed(text)
            parts += "{" + inner.replace('"', "'") + "}"
    return f'f"{parts}"'


def _summed(text: Text) -> str:
    """Where the rules of f-strings before Python 3.12 leave no other way."""
    parts = [
        quoted(piece)
        if isinstance(piece, str)
        else f"str({piece.expression})"
        if piece.expression == "ROOT"
        else _operand(piece.expression)
        for piece in text
    ]
    return " + ".join(parts)


def _operand(shown: str) -> str:
    """The expression with the brackets that it needs beside a plus."""
    made = ast.parse(shown, mode="eval").body
    # What stands in brackets begins behind them.
    loose = isinstance(made, (ast.BoolOp, ast.IfExp, ast.Compare)) and made.col_offset == 0
    return f"({shown})" if loose else shown


class Block(Record):
    """What is written on one line where it fits, else an item a line."""

    head: str  # 'deps=['
    items: tuple[str | Block | Choice, ...]
    tail: str  # ']'

    def flat(self) -> str:
        """All of it on one line."""
        return self.head + ", ".join(_flat(item) for item in self.items) + self.tail

    def lines(self, indent: str = "", *, after: str = "") -> list[str]:
        """Its lines. after: what stands behind the last."""
        one = indent + self.flat() + after
        if not self.items or len(one) <= WIDTH:
            return [one]
        lines = [indent + self.head]
        for item in self.items:
            if isinstance(item, (Block, Choice)):
                lines += item.lines(indent + "    ", after=",")
            else:
                lines.append(f"{indent}    {item},")
        return [*lines, indent + self.tail + after]


class Choice(Record):
    """`*(["x"] if test else [])`, over several lines where it is long."""

    head: str  # "*("
    then: str
    test: str
    other: str

    def flat(self) -> str:
        """All of it on one line."""
        return f"{self.head}{self.then} if {self.test} else {self.other})"

    def lines(self, indent: str = "", *, after: str = "") -> list[str]:
        """Its lines. after: what stands behind the last."""
        one = indent + self.flat() + after
        if len(one) <= WIDTH:
            return [one]
        inner = indent + "    "
        test = [f"{inner}if {self.test}", f"{inner}else {self.other}"]
        return [indent + self.head, inner + self.then, *test, f"{indent}){after}"]


def _flat(item: str | Block | Choice) -> str:
    return item if isinstance(item, str) else item.flat()


def list_of(items: Sequence[str | Block | Choice], name: str = "") -> Block:
    """`[…]`, or `name=[…]`."""
    return Block(f"{name}=[" if name else "[", tuple(items), "]")


def safe_name(text: str) -> str:
    """A text as a name of a session, or as a part of one."""
    return re.sub(r"[^\w.+-]+", "_", text).lstrip("-.")


def if_any(shown: str) -> str:
    """A variable that is mostly empty adds nothing to a list then."""
    is_one = re.fullmatch(r'os\.environ\.get\("\w+", ""\)', shown)
    return f"*{shown}.split()" if is_one else shown
