"""Which of some environments an entry is for → the test that a person would write.

Knows names and their factors alone.
"""

from __future__ import annotations

from itertools import combinations

from runner.convert.factors import PLATFORMS, factors_of, holds
from runner.convert.words import quoted
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from runner.convert.model import Condition


def test_of(active: Collection[str], names: Sequence[str], when: Condition, name: str) -> str:
    """An expression that is true for those of the names that are active; "" where all are.

    It may use `factors`, the list of the name's, and `name`, an expression of it.
    when: how it was written, which is kept where it says the same.
    """
    if len(active) == len(names):
        return ""
    return (
        _as_written(active, names, when)
        or _by_factors(active, names)
        or _by_names([quoted(one) for one in names if one in active], name)
    )


def on_platform(test: str, platform: str) -> str:
    """The test of names together with the expression of a platform; "" where there is neither."""
    if not (test and platform):
        return test or platform
    return " and ".join(f"({part})" if " or " in part else part for part in (test, platform))


def modules_in(platform: str) -> set[str]:
    """The modules of which the expression of a platform speaks."""
    return {module for module in ("sys", "os") if f"{module}." in platform}


def only_factor(active: Collection[str], names: Sequence[str]) -> str:
    """The one factor that all of the active have and the others have not; "" where none is."""
    return next(
        (f for f in _factors(names) if {n for n in names if f in factors_of(n)} == set(active)), ""
    )


def _as_written(active: Collection[str], names: Sequence[str], when: Condition) -> str:
    alternatives: list[_Terms] = []
    for alternative in when:
        terms = [(f, n) for f, n in alternative if f not in PLATFORMS]
        # What all of them have needs no test; what none of them has makes it void.
        needed = [(f, n) for f, n in terms if not all((f in factors_of(x)) != n for x in names)]
        if not needed:
            return ""
        if any(holds((alternative,), factors_of(x))[0] for x in names):
            alternatives += [needed] if needed not in alternatives else []
    if not alternatives or {x for x in names if holds(when, factors_of(x))[0]} != set(active):
        return ""
    if len(alternatives) == 1:
        return _all_of(alternatives[0])
    common = [term for term in alternatives[0] if all(term in terms for terms in alternatives)]
    rest = [[term for term in terms if term not in common] for terms in alternatives]
    if common and all(any(_holds(terms, x) for terms in rest) for x in names):
        return _all_of(common)  # each of them has one of the others
    if all(len(terms) == 1 and not terms[0][1] for terms in rest):
        words = ", ".join(quoted(terms[0][0]) for terms in rest)
        return " and ".join(filter(None, [_all_of(common), f"not {{{words}}}.isdisjoint(factors)"]))
    tests = map(_all_of, alternatives)
    return " or ".join(f"({test})" if " and " in test else test for test in tests)


_Terms = list[tuple[str, bool]]  # factors, with whether a name must not have them


def _all_of(terms: _Terms) -> str:
    return " and ".join(f"{quoted(f)} {'not in' if n else 'in'} factors" for f, n in terms)


def _holds(terms: _Terms, name: str) -> bool:
    return all((factor in factors_of(name)) != negated for factor, negated in terms)


def _by_factors(active: Collection[str], names: Sequence[str]) -> str:
    """One factor, or two together, that tell them apart."""
    wanted = set(active)
    having = {f: {n for n in names if f in factors_of(n)} for f in _factors(names)}
    for factor, found in having.items():
        if found == wanted:
            return f"{quoted(factor)} in factors"
    for factor, found in having.items():
        if set(names) - found == wanted:
            return f"{quoted(factor)} not in factors"
    for one, two in combinations(having, 2):
        if having[one] & having[two] == wanted:
            return f"{quoted(one)} in factors and {quoted(two)} in factors"
        if having[one] | having[two] == wanted:
            return f"not {{{quoted(one)}, {quoted(two)}}}.isdisjoint(factors)"
    return ""


def _by_names(shown: Sequence[str], name: str) -> str:
    return f"{name} in ({', '.join(shown)})" if len(shown) > 1 else f"{name} == {shown[0]}"


def _factors(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(f for name in names for f in name.split("-")))
