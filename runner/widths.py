"""How many columns of a terminal a text takes, and texts made to fit some.

By the East Asian Width of Unicode's annex 11, as wcwidth(3) does it. Where
terminals differ more columns are counted than fewer: a line that is too short
is no harm, one that is too long is wrapped.
"""

from __future__ import annotations

_EMOJI = "\ufe0f"  # makes the sign before it one of two columns
_PICTURES = "\U0001f000"  # from here on: flags are pairs of letters, each as wide as a flag in some

_FIRST_OTHER = "\u0300"  # what is before it takes one column each


def columns_of(text: str) -> int:
    """How many columns a line without control codes takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(sign: str) -> int:
    if sign < _FIRST_OTHER:
        return 1
    from unicodedata import category, east_asian_width  # 1 MB that most texts do without

    if sign == _EMOJI:
        return 1
    if category(sign) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(sign) in "WF" or sign >= _PICTURES else 1


def cut(text: str, columns: int, more: str) -> str:
    """The text, or its beginning and `more` where it is wider."""
    if columns_of(text) <= columns:
        return text
    room = columns - columns_of(more)
    return _beginning(text, room) + more if room >= 0 else ""


def cut_in_the_middle(text: str, columns: int, more: str) -> str:
    """The text, or its beginning and end: names of jobs differ at their ends."""
    if columns_of(text) <= columns:
        return text
    room = columns - columns_of(more)
    if room < 0:
        return ""
    end = _beginning(text[::-1], room // 2)[::-1]
    return _beginning(text, room - columns_of(end)) + more + end


def padded(text: str, columns: int) -> str:
    """The text and as many spaces as make it so wide."""
    return text + " " * (columns - columns_of(text))


def _beginning(text: str, columns: int) -> str:
    for number, sign in enumerate(text):
        columns -= _columns(sign)
        if columns < 0:
            return text[:number]
    return text
