"""Text and values that somebody else wrote, made fit for a report."""

from __future__ import annotations

import math
import re

# ECMA-48: control sequences, and strings such as a terminal's title or a link.
_ESCAPES = r"(?s)\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x1b\\|\x07)|[ -/]*[0-~])"
_CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]"

_LONGEST_VALUE = 1_000  # characters of what a parameter looks like
_EXACT = 2**53  # integers up to here are the same to every reader of JSON

Plain = str | int | float | bool | None


def encodable(text: str) -> str:
    """The text with halves of surrogate pairs spelt out: no encoding has them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def legible(text: str) -> str:
    """The text as it reads: without colours, with other control characters spelt out.

    What is left are tabs, ends of lines, and what XML 1.0 allows.
    """
    lines = re.sub(_ESCAPES, "", text).replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(_CONTROLS, lambda found: found[0].encode("unicode_escape").decode(), lines)


def on_one_line(text: str) -> str:
    """The text as it reads, without whatever could move a cursor or turn the writing around."""
    plain = re.sub(_ESCAPES, "", text)
    if plain.isprintable():
        return plain
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in plain)


def last_lines(text: str, lines: int, characters: int, *, before: int = 0) -> str:
    """The end of a text, with how much of it is left out in front.

    before: how many characters were left out earlier.
    """
    kept = "\n".join(text.rstrip("\n").split("\n")[-lines:])[-characters:]
    left_out = before + len(text.rstrip("\n")) - len(kept)
    return kept if left_out <= 0 else f"… {left_out:,} characters before\n{kept}"


def plain_value(value: object) -> Plain:
    """The value where every reader of JSON has it, else how Python shows it."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and abs(value) <= _EXACT:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    try:
        shown = value if type(value) is str else repr(value)
    except Exception:  # whatever a class of the envfile does
        shown = f"<{type(value).__name__}>"
    return encodable(shown[:_LONGEST_VALUE])
