"""Whether a path is meant by one of some patterns: `src/**/*.py`, `docs`, `*.toml`.

Knows nothing of files: a pattern is compared part by part.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_meant(path: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern means the path, or a folder that it lies in. Both have `/`.

    `*`, `?` and `[…]` stand for what is in one part, `**` for any number of parts.
    """
    parts = tuple(path.split("/"))
    return any(_means(_parts_of(pattern), parts) for pattern in patterns)


@cache
def _parts_of(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.replace("\\", "/").split("/") if part not in ("", "."))


def _means(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not pattern:
        return True  # what is left lies below a folder that is meant
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        return bool(parts) and (_means(rest, parts) or _means(pattern, parts[1:]))
    return bool(parts) and fnmatchcase(parts[0], first) and _means(rest, parts[1:])
