"""tox's language of factors: `py{39,310}-django{42,50}`, `py39,!win32: value`.

The rules are those of tox 4 (tox/config/loader/ini/factor.py, MIT), which its
documentation only shows by examples.
"""

from __future__ import annotations

import re
from itertools import product

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.convert.model import Condition

PLATFORMS = ("linux", "darwin", "win32", "cygwin")
# What an open range goes to.
_OLDEST_MINOR, _NEWEST_MINOR = 11, 15

_RANGE = re.compile(
    r"(?:(?<![\w.-])(?:(\d+)-(\d+)|(\d+)-)|(?<=[{,])-(\d+))(?=[,}])",
)
_GROUPS = re.compile(r"((?:\{[^}]+\})+)|,")
_BRACES = re.compile(r"\{([^}]+)\}")
_FACTOR = re.compile(r"!?(?:\[!?|[\w.*?\]])(?:\[!?|[\w.*?\]-])*|")
_MARK = re.compile(r":(\s|$)")


def expand_names(text: str) -> list[str]:
    """The names that an expression stands for. Raises ValueError where it is none."""
    return list(_expand(_with_ranges(text)))


def _with_ranges(text: str) -> str:
    def written_out(match: re.Match[str]) -> str:
        first, last, open_start, open_end = match.groups()
        if first:
            start, end = int(first), int(last)
            step = 1 if start < end else -1
            numbers = range(start, end + step, step)
        else:
            numbers = open_range(
                int(open_start) if open_start else None, int(open_end) if open_end else None
            )
        return ",".join(map(str, numbers))

    return _RANGE.sub(written_out, text)


def open_range(first: int | None, last: int | None) -> range:
    """The minor versions of Python from one to another; a bound that is None is tox's own."""
    start = min(_OLDEST_MINOR, last or 0) if first is None else first
    end = max(_NEWEST_MINOR, start) if last is None else last
    return range(start, end + 1)


def _expand(text: str) -> Iterator[str]:
    # Parts between commas that stand outside of braces.
    part = ""
    for piece in _GROUPS.split(text):
        if piece:
            part += piece
        elif piece is None and part:
            yield from _variants(part)
            part = ""
    if part:
        yield from _variants(part)


def _variants(part: str) -> Iterator[str]:
    elements = _BRACES.split(part.strip())
    for chosen in product(*([word.strip() for word in e.split(",")] for e in elements)):
        name = "".join(chosen)
        if not all(_FACTOR.fullmatch(factor) for factor in name.split("-")):
            raise ValueError(f"{name!r} is no name of an environment")
        yield name


def split_condition(line: str) -> tuple[Condition, str]:
    """The condition before a line, and the rest of it; () where it has none."""
    mark = _MARK.search(line)
    if mark is None:
        return (), line
    try:
        names = expand_names(line[: mark.start()].strip())
    except ValueError:
        return (), line
    condition = tuple(
        tuple((factor.removeprefix("!"), factor.startswith("!")) for factor in name.split("-"))
        for name in names
    )
    return condition, line[mark.start() + 1 :].strip()


def factors_of(name: str) -> frozenset[str]:
    """The factors of an environment."""
    return frozenset(name.split("-"))


def holds(condition: Condition, factors: frozenset[str]) -> tuple[bool, str]:
    """Whether it holds for an environment, and the platform's part of it as an expression.

    What depends on the machine is decided where it runs: (True, 'sys.platform == "win32"').
    """
    if not condition:
        return True, ""
    open_parts: list[str] = []
    for alternative in condition:
        tests: list[str] = []
        for factor, negated in alternative:
            if factor in PLATFORMS and factor not in factors:
                tests.append(f'sys.platform {"!=" if negated else "=="} "{factor}"')
            elif (factor in factors) == negated:
                break
        else:
            if not tests:
                return True, ""
            open_parts.append(" and ".join(tests))
    return bool(open_parts), " or ".join(dict.fromkeys(open_parts))


def python_of(name: str) -> str | None:
    """The Python that an environment's name asks for, as we write it."""
    factors = name.split("-")
    for number, factor in enumerate(factors):
        pair = "-".join(factors[number : number + 2])
        for text in (pair, factor):
            explicit = re.fullmatch(r"(?:(cpython|pypy)-)?([23]\.[0-9]+t?)d?", text)
            if explicit:
                return ("pypy" if explicit[1] == "pypy" else "") + explicit[2]
        found = python_named(factor)
        if found:
            return found
    return None


def python_named(word: str) -> str | None:
    """The Python that a word such as `py310`, `python3.12` or `pypy3` means; None for others."""
    match = re.fullmatch(
        r"(py|python|pypy|cpython|graalpy)-?([2-9](?:\.?[0-9]{1,2})?(?:\.[0-9]+)?)?(t?)d?", word
    )
    if match is None or word in ("py", "python", "cpython"):
        return None
    kind = match[1] if match[1] in ("pypy", "graalpy") else ""
    version = match[2] or ""
    if "." not in version and len(version) > 1:
        version = f"{version[0]}.{version[1:]}"
    return f"{kind}{version}{match[3]}" or None
