"""A list that is searched and marked: what each key does to it, and the lines that show it.

Keys in, lines out. Knows nothing of terminals.
"""

from __future__ import annotations

from runner.amounts import counted
from runner.colors import fold
from runner.picking import matching
from runner.typed import TYPE_CHECKING
from runner.widths import columns_of, cut, cut_in_the_middle, padded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runner.picking import Choice, Question

_MOST_ROWS = 20  # of the list: more than that nobody reads at a glance
_LEAST_ABOUT = 12  # columns; in fewer nothing is told of a choice
_ROWS_FOR_KEYS = 8  # of the terminal; in fewer a second line tells nothing of keys
_STEPS = {"up": -1, "ctrl-p": -1, "down": 1, "ctrl-n": 1}
_LEAVING = ("escape", "ctrl-c", "ctrl-d", "ctrl-g")


class Menu:
    """What is searched for, marked, and stood at."""

    def __init__(self, question: Question, choices: Sequence[Choice]) -> None:
        self.question = question
        self.choices = choices
        self.query: str = ""
        self.found = matching("", choices)  # places among the choices
        self.at = 0  # a place in what is found
        self.marked: dict[int, None] = {}  # in the order in which they were
        self.is_left = False
        self.picked: list[int] = []  # at the end; empty before, and where it was left
        self._page = 1  # rows of the list as it was last shown

    def press(self, key: str) -> None:
        """Do what a key means."""
        if key in _LEAVING:
            self.is_left = True
        elif key == "enter":
            here = [self.found[self.at]] if self.found else []
            self.picked = list(self.marked) or here
        elif key in _STEPS:
            self._go(self.at + _STEPS[key], around=True)
        elif key in ("page up", "page down"):
            self._go(self.at + (self._page if key == "page down" else -self._page))
        elif key in ("home", "end"):
            self._go(0 if key == "home" else len(self.found) - 1)
        elif key in (" ", "tab", "back tab"):
            self._mark_here({" ": 0, "tab": 1, "back tab": -1}[key])
        elif key == "ctrl-a":
            self._mark_all()
        elif key == "ctrl-u":
            self._search("")
        elif key == "ctrl-w":
            self._search(self.query.rpartition("-")[0])  # a part of a name
        elif key == "backspace":
            self._search(self.query[:-1])
        elif len(key) == 1:
            self._search(self.query + key)

    def _go(self, at: int, *, around: bool = False) -> None:
        last = max(0, len(self.found) - 1)
        self.at = at % (last + 1) if around else min(max(0, at), last)

    def _search(self, query: str) -> None:
        if query != self.query:
            self.query, self.at = query, 0
            self.found = matching(query, self.choices)

    def _mark_here(self, step: int) -> None:
        if self.question.several and self.found:
            place = self.found[self.at]
            if place in self.marked:
                del self.marked[place]
            else:
                self.marked[place] = None
            self._go(self.at + step)

    def _mark_all(self) -> None:
        """Mark all that is found, or none of it where all are marked."""
        if not self.question.several:
            return
        if all(place in self.marked for place in self.found):
            for place in self.found:
                del self.marked[place]
        else:
            self.marked.update(dict.fromkeys(self.found))

    # How it looks. ------------------------------------------------------------------

    def lines(
        self,
        columns: int,
        rows: int,
        *,
        unicode: bool = True,
        paint: Callable[[str, str], str] = lambda _, text: text,
    ) -> list[str]:
        """The lines that show it, each narrower than so many columns; the first is `prompt`.

        paint: puts a text in a colour, which takes no columns. What is marked and stood at is
        told by signs.
        """
        columns -= 1  # who writes into the last may be on the next line, or not
        more = "…" if unicode else "..."
        below = [cut(line, columns, more) for line in self._below(columns, rows)]
        # One row stays free, so that nothing scrolls away that stood above.
        height = max(1, min(_MOST_ROWS, rows - 2 - len(below), len(self.choices)))
        self._page = height
        top = max(0, min(self.at // height * height, len(self.found) - height))
        name_columns = max(columns_of(choice.name) for choice in self.choices)
        lines = [self.prompt(columns + 1)]
        for number in range(top, min(top + height, len(self.found))):
            place = self.found[number]
            sign = ("✓" if unicode else "+") if place in self.marked else " "
            head = f"{'>' if number == self.at else ' '} {sign} "
            room = columns - len(head)
            lines.append(
                head
                + self._row(
                    self.choices[place], min(name_columns, room), room, more, paint,
                    is_here=number == self.at,
                )
            )  # fmt: skip
        if not self.found:
            lines.append(cut("    nothing has it; Backspace goes back", columns, more))
        lines += [""] * (1 + height - len(lines))
        return [line.rstrip() for line in lines] + [paint("thin", line) for line in below]

    def prompt(self, columns: int) -> str:
        """What is asked, and what was typed: its end, where it is long. The cursor is behind it."""
        room = columns - 1 - columns_of(self.question.text) - 1
        typed = self.query
        while columns_of(typed) > max(room, 1):
            typed = typed[1:]
        return f"{cut(self.question.text, columns - 3, '')} {typed}"

    def _row(
        self,
        choice: Choice,
        name_columns: int,
        room: int,
        more: str,
        paint: Callable[[str, str], str],
        *,
        is_here: bool,
    ) -> str:
        """A choice in so many columns; what it is about only where there is room for it."""
        name = cut_in_the_middle(choice.name, name_columns, more)
        shown = paint("bold", name) if is_here else name
        left = room - name_columns - 2
        tags = f"[{', '.join(choice.tags)}]" if choice.tags else ""
        about = "  ".join(filter(None, (choice.about, tags)))
        if not about or left < min(_LEAST_ABOUT, columns_of(about)):
            return shown
        return shown + padded("", name_columns - columns_of(name) + 2) + cut(about, left, more)

    def _below(self, columns: int, rows: int) -> list[str]:
        """How many there are, and what keys do; on two lines where one is too short."""
        total = counted(len(self.choices), self.question.noun)
        told = total if len(self.found) == len(self.choices) else f"{len(self.found)} of {total}"
        if self.marked:
            told += f", {len(self.marked)} marked"
        marks = "Space marks, " if self.question.several else ""
        keys = f"{marks}Enter {self.question.does}, Esc leaves"
        one = f"{told}; {keys}"
        if columns_of(one) <= columns:
            return [one]
        return [told, *fold(keys, columns + 1, 0).split("\n")] if rows >= _ROWS_FOR_KEYS else [told]
