"""What `-k` asks → a test of a job.

Knows nothing of what else is asked. Loaded where somebody asks so.
"""

from __future__ import annotations

import re

from runner.errors import UsageError
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from runner.model import Job

    Test: TypeAlias = Callable[[Job], bool]


class _Token(Record):
    text: str
    at: int  # column in the expression


def keyword_test(expression: str) -> Test:
    """What `-k` asks: a test of a job. Raises UsageError with a caret at the trouble.

        expression := term ("or" term)*
        term       := factor ("and" factor)*
        factor     := "not" factor | "(" expression ")" | word

    A word is what has neither blanks nor parentheses. It matches a job whose
    name contains it, or that has it as a tag, in whatever case. A parser of
    ours: nothing that was typed is ever evaluated.
    """
    tokens = [_Token(m[0], m.start()) for m in re.finditer(r"[()]|[^\s()]+", expression)]
    parser = _Parser(expression, tokens)
    try:
        test = parser.either()
    except RecursionError:
        raise UsageError("-k: it is nested too deep", mend="take parentheses away") from None
    if parser.left():
        raise parser.trouble("'and' or 'or' is missing before this")
    return test


class _Parser:
    def __init__(self, expression: str, tokens: list[_Token]) -> None:
        self._expression = expression
        self._tokens = tokens
        self._at = 0

    def left(self) -> bool:
        """Whether tokens are left."""
        return self._at < len(self._tokens)

    def _next_is(self, *words: str) -> bool:
        return self.left() and self._tokens[self._at].text.lower() in words

    def _take(self, *words: str) -> bool:
        if not self._next_is(*words):
            return False
        self._at += 1
        return True

    def either(self) -> Test:
        """The test that the expression from here on stands for, up to a bracket or the end."""
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda job: any(test(job) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda job: all(test(job) for test in tests)

    def _one(self) -> Test:
        turned = False
        while self._take("not"):
            turned = not turned
        if self._take("("):
            test = self.either()
            if not self._take(")"):
                raise self.trouble("a ) is missing here")
        elif not self.left() or self._next_is("and", "or", ")"):
            raise self.trouble("a word is missing here")
        else:
            test = _word_test(self._tokens[self._at].text)
            self._at += 1
        return (lambda job: not test(job)) if turned else test

    def trouble(self, what: str) -> UsageError:
        """The error that points at the next token, or behind the last."""
        column = self._tokens[self._at].at if self.left() else len(self._expression)
        return UsageError(f"-k: {what}", mend=f"{self._expression}\n{' ' * column}^")


def _word_test(word: str) -> Test:
    folded = word.casefold()

    def test(job: Job) -> bool:
        return folded in job.name.casefold() or folded in [tag.casefold() for tag in job.tags]

    return test
