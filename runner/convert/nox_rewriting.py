"""What all who rewrite a noxfile share: its text, the edits of it, what they note."""

from __future__ import annotations

import ast
from textwrap import wrap

from runner.convert.model import Note
from runner.convert.nox_file import NoxFile
from runner.convert.source import Edits, Source
from runner.convert.words import WIDTH, quoted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Rewriting:
    """One noxfile on its way to be an envfile."""

    def __init__(self, text: str, read: Callable[[str], str | None]) -> None:
        """read: the text of a file that is named from the noxfile's folder; None: nobody knows."""
        self.read = read
        self.source = Source(text)
        self.edits = Edits(self.source)
        self.noxfile = NoxFile(self.source)
        self.notes: list[Note] = []
        self.done: set[ast.AST] = set()  # what needs no further look
        self.imports: set[str] = set()  # statements that the envfile needs besides
        self.ours = "runenv" if self.noxfile.is_taken("runner") else "runner"
        for name, stands_for in self.noxfile.imported.items():
            if stands_for == "nox" and name != "nox":
                self.ours = name  # import nox as n
        longest = max((len(line) for line in self.source.lines), default=0)
        self.width = 79 if longest <= 79 else WIDTH
        self._double = text.count('"') >= text.count("'")

    def quoted(self, text: str) -> str:
        """The string, in the quotes that the file uses mostly."""
        shown = quoted(text)
        return shown if self._double or "'" in text else f"'{shown[1:-1]}'"

    def note(self, kind: str, node: ast.AST, text: str, *, beside: bool = True) -> None:
        """Tell something of a place. beside: also in a comment above it."""
        line = getattr(node, "lineno", 0)
        self.notes.append(Note(kind, line, text))
        statement = self.source.statement(node)
        if not beside or statement is None:
            return
        above = statement.lineno
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and statement.decorator_list:
            above = statement.decorator_list[0].lineno
        room = max(self.width - len(self.source.indent(above)) - 2, 30)
        for part in wrap(f"runenv: {text}", room, break_long_words=False, break_on_hyphens=False):
            self.edits.put_above(above, f"# {part}")

    def delete(self, statement: ast.stmt) -> None:
        """Take a statement away."""
        self.done |= set(ast.walk(statement))
        self.edits.delete_statement(statement)
