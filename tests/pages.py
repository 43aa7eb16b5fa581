"""Pages of the documentation as what a reader does with them: files written, commands typed.

Which are followed from top to bottom says tests/test_pages.py.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)  # fmt: skip
_FILE = re.compile(r"# (?P<name>[\w./-]+\.\w+|\w*file)\n")

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
HOME = "/home/you"  # where the pages say that a reader's projects are


class Block(NamedTuple):
    """What stands between two fences."""

    page: str
    line: int
    language: str
    text: str


class Typed(NamedTuple):
    """A command of a transcript, and what the page says that it shows."""

    command: str
    shown: str


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        body = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page.name, line, found["language"], body)


def file_of(block: Block) -> tuple[str, str] | None:
    """The name of the file that a block is, by its first line, and what stands below that."""
    found = _FILE.match(block.text)
    return (found["name"], block.text[found.end() :]) if found else None


def transcript_of(block: Block) -> list[Typed]:
    """The commands of a block of a terminal, each with the lines below it.

    A `$` that stands neither first nor below an empty line is what runenv shows.
    """
    parts = re.split(r"(?:\A|(?<=\n\n))\$ (.*)\n", block.text)
    return [Typed(command, shown) for command, shown in zip(parts[1::2], parts[2::2], strict=True)]


def written_into(before: str, code: str) -> str:
    """A Python file after a reader has put code into it.

    A function that has the name of one that is there takes its place, decorators and
    all; whatever else stands at the end. What imports is a whole file.
    """
    new = ast.parse(code).body
    functions = [node for node in new if isinstance(node, ast.FunctionDef)]
    if not before or len(functions) < len(new):
        return code
    written = before
    for node in functions:
        text = "\n".join(_lines_of(code, node))
        old = [each for each in ast.parse(written).body if getattr(each, "name", "") == node.name]
        if old:
            written = written.replace("\n".join(_lines_of(written, old[0])), text)
        else:
            written = f"{written.rstrip()}\n\n\n{text}\n"
    return written


def _lines_of(code: str, function: ast.stmt) -> list[str]:
    """The lines of a function, from its first decorator on."""
    decorators = getattr(function, "decorator_list", [])
    first = min([function.lineno, *(each.lineno for each in decorators)])
    return code.splitlines()[first - 1 : function.end_lineno]


def comparable(text: str) -> str:
    """What a terminal showed, without what differs from run to run and machine to machine."""
    text = re.sub(r"\b(\d+ min )?\d+(\.\d+)? s\b", "T s", text)
    text = re.sub(r"in \d+\.\d+s", "in Ts", text)  # pytest
    text = re.sub(r" {2,}T s", "  T s", text)
    text = re.sub(r"T s ahead", "T s", text)  # whether there was time for it,
    text = text.replace("created from the store", "created")  # and who was first
    text = re.sub(r"(cpython 3\.\d+)\.\d+\b", r"\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DAY", text)
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip("\n")


def shows(told: str, came: str) -> bool:
    """Whether what came is what is told, in which … stands for anything."""
    parts = re.split(r"\n?^…$|…", comparable(told), flags=re.MULTILINE)
    whole = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(whole, comparable(came), re.DOTALL) is not None
