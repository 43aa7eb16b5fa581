"""What an envfile may write for a Python, `3.12` or `>=3.10,<3.13` or `pypy3.11`, and what fits it.

Knows nothing of files and starts nothing: a version comes in as a name tells
it, perhaps in part, or as a Python told it.
"""

from __future__ import annotations

import re

from runner.record import Record

SIGNS = ("<", ">", "=", "!", "~")  # what a range begins with

# Patterns are strings, for which `re` keeps what it compiled: most listings
# have no range, and compiling all at import would cost them 1 ms.
VERSION = r"(\d{1,6}(?:\.\d{1,6}){0,2})((?:a|b|rc)\d{1,6})?"
_PLAIN = rf"(?:(python|cpython|pypy|graalpy)-?)?(?:{VERSION}(t)?)?"
_RANGE = r"(?:(python|cpython|pypy|graalpy)-?\s*)?([<>=!~].*)"
_CLAUSE = rf"(===?|~=|!=|<=|>=|<|>)\s*{VERSION}(\.\*)?(t)?"

_RANKS = {"a": 0, "b": 1, "rc": 2}


FINAL = (3, 0)


class Version(Record):
    """A version of Python as far as it is known: (3, 12) is any patch of 3.12."""

    release: tuple[int, ...]
    pre: tuple[int, int] = FINAL  # (0, n) alpha, (1, n) beta, (2, n) candidate


UNKNOWN = Version(())


class Clause(Record):
    """One part of a range."""

    sign: str
    version: Version


class Wanted(Record):
    """What was written, read."""

    implementation: str
    versions: str  # as written: 3.13t, >=3.10,<3.13
    clauses: tuple[Clause, ...]
    free_threaded: bool
    is_range: bool  # the newest that fits is meant; else the first


def make_version(release: str, pre: str | None = None) -> Version:
    """The Version of `3.14.0` and `rc1`."""
    numbers = tuple(map(int, release.split(".")))
    if not pre:
        return Version(numbers)
    letters = pre.rstrip("0123456789")
    return Version(numbers, (_RANKS[letters], int(pre[len(letters) :])))


def read_version(text: str) -> Version:
    """The Version of `3.14.0rc1`; UNKNOWN for what is none."""
    match = re.fullmatch(VERSION, text)
    return make_version(match[1], match[2]) if match else UNKNOWN


def version_text(major: int, minor: int, micro: int, level: str, serial: int) -> str:
    """What `sys.version_info` says, as PEP 440 writes it: `3.14.0rc1`."""
    mark = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(level)
    return f"{major}.{minor}.{micro}" + (f"{mark}{serial}" if mark else "")


def read_spec(text: str) -> Wanted | None:
    """What is wanted, or None where the text is no version, range or name with a version.

    A name without an implementation means CPython. The free-threaded build is
    another Python, asked for by a `t` behind the version.
    """
    text = text.strip().lower()
    plain = re.fullmatch(_PLAIN, text)
    if plain and text:
        name, release, pre, threaded = plain.groups()
        version = make_version(release, pre) if release else UNKNOWN
        if release and version.release[0] > 9:
            return None  # 312
        clauses = (Clause("==", version),) if release else ()
        versions = f"{release or ''}{pre or ''}{threaded or ''}"
        return Wanted(_implementation(name), versions, clauses, bool(threaded), is_range=False)
    ranged = re.fullmatch(_RANGE, text)
    if ranged is None:
        return None
    parts = [re.fullmatch(_CLAUSE, part.strip()) for part in ranged[2].split(",")]
    said: tuple[Clause, ...] = ()
    for part in parts:
        read = _read_clause(part) if part else ()
        if not read:
            return None
        said += read
    threaded_build = any(part and part[5] for part in parts)
    return Wanted(_implementation(ranged[1]), ranged[2], said, threaded_build, is_range=True)


def _read_clause(part: re.Match[str]) -> tuple[Clause, ...]:
    """What a part of a range says; nothing where PEP 440 forbids it."""
    sign, release, pre, star, _ = part.groups()
    if star and sign not in ("==", "!="):
        return ()
    version = make_version(release, pre)
    if sign == "~=":  # at least this one, and the same in all numbers but the last
        if len(version.release) == 1:
            return ()
        return Clause(">=", version), Clause("==", Version(version.release[:-1]))
    return (Clause("==" if sign == "===" else sign, version),)


def _implementation(name: str | None) -> str:
    return name if name in ("pypy", "graalpy") else "cpython"


def fits(wanted: Wanted, implementation: str, version: Version, free_threaded: bool | None) -> bool:
    """Whether a Python is one that is wanted; where only a part is known, whether it may be.

    A version is compared in as many numbers as the clause has, as people mean
    it and tox does: 3.12.4 fits `<=3.12` and not `>3.12` (PEP 440 says the
    opposite). A range means no prereleases unless it names one.
    """
    if implementation != wanted.implementation:
        return False
    if free_threaded is not None and free_threaded != wanted.free_threaded:
        return False
    names_prerelease = any(clause.version.pre < FINAL for clause in wanted.clauses)
    if wanted.is_range and version.pre < FINAL and not names_prerelease:
        return False
    return all(_allows(clause, version) for clause in wanted.clauses)


def _allows(clause: Clause, version: Version) -> bool:
    sign, limit = clause
    if limit.pre < FINAL and len(version.release) == 3:
        padded = (*limit.release, 0, 0)[:3]
        return _compare(sign, (*version.release, *version.pre), (*padded, *limit.pre))
    length = min(len(limit.release), len(version.release))
    mine, its = version.release[:length], limit.release[:length]
    if length < len(limit.release) and mine == its:
        # The next number decides and is not known; but nothing is below 0.
        return sign != "<" or any(limit.release[length:])
    return _compare(sign, mine, its)


def _compare(sign: str, mine: tuple[int, ...], its: tuple[int, ...]) -> bool:
    if mine == its:
        return sign in ("==", "<=", ">=")
    if sign in ("==", "!="):
        return sign == "!="
    return (mine < its) == (sign in ("<", "<="))
