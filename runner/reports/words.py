"""How the reporters put the same things: outcomes and times."""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.running import Result

SYMBOLS: dict[Result, tuple[str, str]] = {  # in Unicode, in ASCII
    "passed": ("✓", "+"),
    "cached": ("✓", "+"),
    "failed": ("✗", "x"),
    "skipped": ("-", "-"),
    "interrupted": ("!", "!"),
    "timed out": ("✗", "x"),
}


def duration(seconds: float) -> str:
    """`0.21 s`, `12.3 s`, `2 min 05 s`."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def result_with_attempt(result: Result, attempts: int) -> str:
    """`passed`, or `passed on attempt 2`."""
    return f"{result} on attempt {attempts}" if attempts > 1 else result


def counts(results: list[Result]) -> str:
    """`2 passed, 1 failed`."""
    found: dict[str, int] = {}
    for result in results:
        found[result] = found.get(result, 0) + 1
    return ", ".join(f"{number} {result}" for result, number in found.items()) or "nothing ran"
