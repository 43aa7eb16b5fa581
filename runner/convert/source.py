"""The text of a Python file, and edits of it at the places of its syntax tree.

What is not edited stays as it is, letter by letter. Knows nothing of what the file means.
"""

from __future__ import annotations

import ast
import io
import tokenize

from runner.record import Record

Span = tuple[int, int]  # in characters


class Comment(Record):
    """One comment."""

    line: int
    start: int
    text: str  # with its #
    alone: bool  # nothing else is on its line


class Source:
    """A text with its syntax tree. Raises SyntaxError for what is no Python."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.lines = text.split("\n")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self.comments = tuple(self._comments())
        self._parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def _comments(self) -> list[Comment]:
        found: list[Comment] = []
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                alone = not self.lines[line - 1][:column].strip()
                found.append(Comment(line, self._starts[line - 1] + column, token.string, alone))
        return found

    def place(self, line: int, column: int) -> int:
        """The place of a line and a column in bytes, as nodes have them."""
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode())
        return self._starts[line - 1] + column

    def start(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias | ast.arg) -> int:
        return self.place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias | ast.arg) -> int:
        return self.place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias | ast.arg) -> Span:
        return self.start(node), self.end(node)

    def segment(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        return self.text[self.start(node) : self.end(node)]

    def line_start(self, line: int) -> int:
        return self._starts[line - 1]

    def line_at(self, place: int) -> int:
        """The number of the line that a place is on."""
        return self.text.count("\n", 0, place) + 1

    def indent(self, line: int) -> str:
        text = self.lines[line - 1]
        return text[: len(text) - len(text.lstrip())]

    def is_blank(self, line: int) -> bool:
        return not self.lines[line - 1].strip()

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that a node is in."""
        found: ast.AST | None = node
        while found is not None and not isinstance(found, ast.stmt):
            found = self.parent(found)
        return found

    def function(self, node: ast.AST) -> ast.FunctionDef | None:
        """The innermost function that a node is in."""
        found = self.parent(node)
        while found is not None and not isinstance(found, ast.FunctionDef):
            found = self.parent(found)
        return found

    def comments_in(self, span: Span) -> list[Comment]:
        return [c for c in self.comments if span[0] <= c.start < span[1]]

    def has_own_lines(self, statement: ast.stmt) -> bool:
        """Whether nothing but a comment shares the statement's lines."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        before = self.text[self.line_start(first) : self.start(statement)]
        after = self.text[self.end(statement) : self.line_start(last + 1)].strip()
        return not before.strip() and (not after or after.startswith("#"))

    def comments_above(self, line: int) -> list[Comment]:
        """The comments on the lines directly above a line, the upper ones first."""
        alone = {c.line: c for c in self.comments if c.alone}
        found: list[Comment] = []
        while (line := line - 1) in alone:
            found.insert(0, alone[line])
        return found


class Edits:
    """What is changed in a text; no two changes overlap."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changes: list[tuple[int, int, str]] = []
        self._deleted: set[int] = set()  # lines
        self._above: dict[int, list[str]] = {}  # lines of text that come before a line
        self._lines: dict[int, list[str]] = {}  # the same, at the left edge
        self._said: set[tuple[int, str]] = set()

    def replace(self, span: Span, text: str) -> None:
        self._changes.append((*span, text))

    def insert(self, place: int, text: str) -> None:
        self._changes.append((place, place, text))

    def delete_statement(self, statement: ast.stmt) -> None:
        """Take a statement away with its lines; where it shares them, `pass` stands for it."""
        if not self._source.has_own_lines(statement):
            self.absorb(self._source.span(statement), "pass")
            return
        parent = self._source.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            block: object = getattr(parent, name, None)
            if (
                isinstance(block, list)
                and block == [statement]
                and not isinstance(parent, ast.Module)
            ):
                if isinstance(parent, ast.If) and not parent.orelse:
                    self.delete_statement(parent)  # nothing is to be asked any more
                else:
                    self.absorb(self._source.span(statement), "pass")
                return
        self.delete_lines(statement.lineno, statement.end_lineno or statement.lineno)

    def delete_lines(self, first: int, last: int) -> None:
        self._deleted |= set(range(first, last + 1))

    def is_deleted(self, line: int) -> bool:
        return line in self._deleted

    def put_above(self, line: int, text: str) -> None:
        """A line of its own before a line, indented as that one; the same one once."""
        if (line, text) not in self._said:
            self._said.add((line, text))
            self._above.setdefault(line, []).append(text)

    def drop(self, call: ast.Call, keyword: ast.keyword) -> None:
        """One argument less."""
        spans = [self._source.span(arg) for arg in call.args]
        spans += [self._source.span(k) for k in call.keywords if k is not keyword]
        start, end = self._source.span(keyword)
        before = [span[1] for span in spans if span[1] <= start]
        after = [span[0] for span in spans if span[0] > start]
        if before:
            self.replace((max(before), end), "")
        elif after:
            self.replace((start, min(after)), "")

    def put_lines(self, line: int, texts: list[str]) -> None:
        """Lines at the left edge, in front of a line."""
        self._lines.setdefault(line, []).extend(texts)

    def rendered(self, span: Span) -> str:
        """What a part of the text becomes by the changes in it."""
        made, at = "", span[0]
        for start, end, text in sorted(self._changes, key=lambda change: change[:2]):
            if span[0] <= start and end <= span[1]:
                made += self._source.text[at:start] + text
                at = end
        return made + self._source.text[at : span[1]]

    def absorb(self, span: Span, text: str) -> None:
        """Replace a part of the text, with the changes in it."""
        self._changes = [c for c in self._changes if not (span[0] <= c[0] and c[1] <= span[1])]
        self.replace(span, text)

    def apply(self) -> str:
        """The changed text."""
        source = self._source
        gone = self._with_blank_lines()
        changes: list[tuple[int, int, str]] = []
        for line, texts in self._above.items():
            indent = source.indent(line)
            place = source.line_start(line)
            changes.append(
                (place, place, "".join(f"{indent}{t}\n" if t.strip() else f"{t}\n" for t in texts))
            )
        for line, texts in self._lines.items():
            if line > len(source.lines):
                place, text = len(source.text), "\n" + "\n".join(texts)
            else:
                place, text = source.line_start(line), "".join(f"{t}\n" for t in texts)
            changes.append((place, place, text))
        # At one place what comes above a line is before what is changed in it.
        changes += [c for c in self._changes if source.line_at(c[0]) not in self._deleted]
        for line in gone:
            start = source.line_start(line)
            changes.append((start, min(source.line_start(line + 1), len(source.text)), ""))
        made, at = list[str](), 0
        for start, end, text in sorted(changes, key=lambda c: (c[0], c[1])):
            made.append(source.text[at:start] + text)
            at = max(at, end)
        return "".join(made) + source.text[at:]

    def _with_blank_lines(self) -> set[int]:
        """The deleted lines, with blank ones around them that would be too many."""
        source, gone = self._source, set(self._deleted)
        last = len(source.lines)
        for line in sorted(self._deleted):
            if line - 1 in gone:
                continue
            after = line
            while after in gone:
                after += 1
            before = line - 1
            while before in gone:
                before -= 1
            opens = before >= 1 and source.lines[before - 1].rstrip().endswith(":")
            blank_after = after > last or source.is_blank(after)
            put = self._lines.keys() | self._above.keys()
            if put & set(range(line, after + 1)):
                continue
            if before < 1 or opens:
                while after < last and source.is_blank(after):
                    gone.add(after)
                    after += 1
            elif source.is_blank(before) and blank_after:
                while before >= 1 and source.is_blank(before):
                    gone.add(before)
                    before -= 1
        return gone
