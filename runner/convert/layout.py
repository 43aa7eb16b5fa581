"""Arguments and lists as a formatter would leave them, with the comments that belong to them.

Knows nothing of what they mean.
"""

from __future__ import annotations

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Sequence

    from runner.convert.source import Edits, Source


class Entry(Record):
    """An argument, or an item of a list."""

    text: str | Bracket
    above: tuple[str, ...] = ()  # comments on lines of their own
    behind: str = ""  # a comment
    indent: str = ""  # of the line on which it stood, which lines below go by


class Bracket(Record):
    """What is written on one line where it fits, else an entry a line."""

    head: str  # 'deps=['
    entries: tuple[Entry, ...]
    tail: str  # ']'
    below: tuple[str, ...] = ()  # comments behind the last entry

    def has_comments(self) -> bool:
        return bool(self.below) or any(
            entry.above
            or entry.behind
            or (isinstance(entry.text, Bracket) and entry.text.has_comments())
            for entry in self.entries
        )

    def flat(self) -> str:
        """All of it on one line."""
        texts = (e.text.flat() if isinstance(e.text, Bracket) else e.text for e in self.entries)
        return f"{self.head}{', '.join(texts)}{self.tail}"

    def written(
        self, indent: str, width: int, *, ahead: int = 0, behind: int = 0, broken: bool = False
    ) -> str:
        """The text; its lines begin at indent, which is not written for the first.

        ahead: the characters between the indent and it; behind: those that follow it.
        broken: on several lines in any case.
        """
        flat = self.flat()
        fits = "\n" not in flat and len(indent) + ahead + len(flat) + behind <= width
        if not self.has_comments() and not broken and (fits or not self.entries):
            return flat
        if not self.has_comments() and not broken and _hugs(self, flat):
            return flat
        inner = indent + "    "
        texts = flat[len(self.head) : len(flat) - len(self.tail)]
        middle = not self.has_comments() and not broken and "\n" not in flat
        if middle and self.entries and len(inner) + len(texts) <= width:
            return f"{self.head}\n{inner}{texts}\n{indent}{self.tail}"
        lines = [self.head]
        for entry in self.entries:
            lines += [f"{inner}{comment}" for comment in entry.above]
            if isinstance(entry.text, Bracket):
                text = entry.text.written(inner, width, behind=1)
            else:
                text = shifted(entry.text, entry.indent, inner)
            lines.append(f"{inner}{text},{'  ' if entry.behind else ''}{entry.behind}")
        lines += [f"{inner}{comment}" for comment in self.below]
        return "\n".join([*lines, f"{indent}{self.tail}"])


def _hugs(bracket: Bracket, flat: str) -> bool:
    """Whether its only entry is a list that was written over several lines."""
    return len(bracket.entries) == 1 and "\n" in flat and flat.endswith(("])", "))", "})"))


def shifted(text: str, was: str, now: str) -> str:
    """A text of several lines, moved with its first one to another column."""
    if "\n" not in text or '"""' in text or "'''" in text:
        return text
    first, *rest = text.split("\n")
    moved = [now + line[len(was) :] if line.startswith(was) else line for line in rest]
    return "\n".join([first, *moved])


def entries_of(
    source: Source, edits: Edits, call: ast.Call
) -> tuple[list[tuple[ast.expr | ast.keyword, Entry]], tuple[str, ...]]:
    """The arguments of a call with their comments, and the comments behind the last one."""
    nodes: list[ast.expr | ast.keyword] = sorted(
        [*call.args, *call.keywords], key=lambda node: (node.lineno, node.col_offset)
    )
    inside = source.comments_in((source.end(call.func), source.end(call)))
    found: list[tuple[ast.expr | ast.keyword, Entry]] = []
    for number, node in enumerate(nodes):
        span = source.span(node)
        # Comments in the midst of a value move with its text.
        outside = [c for c in inside if not span[0] <= c.start < span[1]]
        before = source.end(nodes[number - 1]) if number else source.end(call.func)
        last_line = nodes[number - 1].end_lineno if number else call.func.end_lineno
        above = tuple(
            c.text
            for c in outside
            if before <= c.start < span[0] and (c.line != last_line or not number)
        )
        after = source.start(nodes[number + 1]) if number + 1 < len(nodes) else source.end(call)
        behind = [
            c.text
            for c in outside
            if span[1] <= c.start < after and c.line == (node.end_lineno or node.lineno)
        ]
        entry = Entry(edits.rendered(span), above, "".join(behind), source.indent(node.lineno))
        found.append((node, entry))
    if not nodes:
        return [], tuple(c.text for c in inside)
    last = nodes[-1]
    below = tuple(
        c.text
        for c in inside
        if c.start >= source.end(last) and c.line != (last.end_lineno or last.lineno)
    )
    return found, below


def is_broken(source: Source, call: ast.Call) -> bool:
    """Whether its arguments were written over several lines, each on one."""
    if not call.args and not call.keywords:
        return False
    text = source.text[source.end(call.func) : source.end(call) - 1].rstrip()
    return text.endswith(",") and "\n" in text


def listing(head: str, entries: Iterable[Entry], below: Sequence[str] = ()) -> Bracket:
    """`deps=[...]` and the like."""
    return Bracket(f"{head}[", tuple(entries), "]", tuple(below))
