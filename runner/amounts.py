"""Amounts as a person writes and reads them: times, sizes, counts.

Knows nothing of which setting has which.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY_S = 24 * 60 * 60
INFINITE_S = 10.0 * 365 * DAY_S  # longer than anybody means, short of what timers take

_TIMES_S = {"": 1, "s": 1, "m": 60, "h": 60 * 60}
_AGES_S = {"m": 60, "h": 60 * 60, "d": DAY_S}
_SIZES_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MOST_DIGITS = 15  # more than anybody means, and as many as a float holds


def time_s(text: str) -> float | None:
    """The seconds in `90`, `1.5`, `90s`, `5m` or `1h`; None for anything else."""
    seconds = _read(text, _TIMES_S)
    return seconds if seconds is not None and seconds < INFINITE_S else None


def age_s(text: str) -> float | None:
    """The seconds in `30m`, `12h` or `7d`; 0 for `0`; None for anything else."""
    return 0.0 if text == "0" else _read(text, _AGES_S)


def size_bytes(text: str) -> int | None:
    """The bytes in `500MB`, `1.5GB` or `1TB`; 0 for `0`; None for anything else."""
    size = 0.0 if text == "0" else _read(text.upper(), _SIZES_BYTES)
    return None if size is None else round(size)


def _read(text: str, units: Mapping[str, int]) -> float | None:
    """What a number and the unit behind it stand for; None where it is no such text."""
    number = text.rstrip(_LETTERS)
    factor = units.get(text[len(number) :])
    whole, _, fraction = number.rstrip(" ").partition(".")
    if factor is None or not whole or not _are_digits(whole + fraction):
        return None
    return float(number) * factor


def whole_number(text: str) -> int | None:
    """The number in `12`; None for anything else, and for one of more digits than sense."""
    return int(text) if _are_digits(text) else None


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def counted(count: int, what: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def size_in_words(size: int) -> str:
    """Bytes as `512 B`, `3.4 kB`, `51.3 MB`, `1.2 GB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 999.95:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
