"""The figures as JSON, which results.schema.json describes, and as the tables of a page."""

from __future__ import annotations

import json
import statistics
from typing import TYPE_CHECKING, NamedTuple

from rows import RUNENV

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rows import Row

SCHEMA_VERSION = 1
BEGIN, END = "<!-- figures: written by `runenv bench` -->", "<!-- end of the figures -->"
UNITS = {
    "cpu_ms": "CPU ms",
    "wall_ms": "wall ms",
    "peak_mib": "MiB",
    "mib": "MiB",
    "inodes": "inodes",
}


class Measured(NamedTuple):
    """A part of the benchmark with what came of it."""

    name: str
    title: str
    told: str  # what is measured, in words
    rounds: int
    rows: Sequence[Row]


class Run(NamedTuple):
    """All of a run."""

    began: str  # ISO 8601, UTC
    machine: Mapping[str, str | int | float]
    tools: Mapping[str, Mapping[str, str]]  # tool → distribution → version
    parts: Sequence[Measured]


# JSON. ----------------------------------------------------------------------------------


def as_json(run: Run) -> str:
    """The text of the file."""
    parts = [
        {
            "name": part.name,
            "title": part.title,
            "rounds": part.rounds,
            "rows": [row_as_json(row) for row in part.rows],
        }
        for part in run.parts
    ]
    whole = {
        "schema_version": SCHEMA_VERSION,
        "began": run.began,
        "machine": run.machine,
        "tools": run.tools,
        "parts": parts,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def row_as_json(row: Row) -> dict[str, object]:
    asked = row.asked
    return {
        "case": row.case,
        "unit": row.unit,
        "figures": {
            name: {unit: summary(values) for unit, values in units.items()}
            for name, units in row.figures.items()
        },
        "floor": row.floor if row.floor in row.figures else None,
        "ratio_to_floor": rounded(row.ratio_to(row.floor)),
        "best_peer": row.best_peer,
        "ratio_to_best_peer": rounded(row.ratio_to(row.best_peer)),
        "asked": asked
        and {
            "of": asked.of,
            "figure": round(asked.figure, 3),
            "at_most": asked.at_most,
            "met": asked.met,
        },
    }


def summary(values: Sequence[float]) -> dict[str, object]:
    low, high = quartiles(values)
    return {
        "median": rounded(statistics.median(values)),
        "lower_quartile": rounded(low),
        "upper_quartile": rounded(high),
        "rounds": [rounded(value) for value in values],
    }


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Between them lies the middle half."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


# The page. ------------------------------------------------------------------------------


def around_figures(file: Path) -> tuple[str, str]:
    """What a page has before and behind its figures; of a page that is not there, what it is to."""
    text = file.read_text(encoding="utf-8") if file.exists() else f"# Speed\n\n{BEGIN}{END}\n"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{file} has no lines {BEGIN!r} and {END!r} to put the figures between")
    return before, after


def write_page(run: Run, file: Path) -> None:
    """Put the figures between the marks of the page."""
    before, after = around_figures(file)
    figures = f"{BEGIN}\n\n{as_markdown(run)}\n{END}"
    file.write_text(before + figures + after, encoding="utf-8")


def as_markdown(run: Run) -> str:
    """The machine, what is asked and whether it is met, and each part with all figures."""
    lines = [
        *about(run),
        "",
        "## What is asked",
        "",
        *asked_table(run.parts),
    ]
    for part in run.parts:
        lines += ["", f"## {part.title}", "", part.told, ""]
        lines += [f"{part.rounds} rounds." if part.rounds > 1 else "One round.", ""]
        lines += all_figures(part.rows)
    return "\n".join(lines) + "\n"


def about(run: Run) -> Iterator[str]:
    machine = run.machine
    yield (
        f"Measured {run.began[:10]} on {machine['processor']}, {machine['cpus']} CPUs,"
        f" {machine['memory_mib']} MiB of memory, {machine['system']}, {machine['filesystem']},"
        f" {machine['python']}; load {machine['load']} before the first run."
    )
    yield ""
    yield from table(
        ["tool", "versions"],
        [
            [label, ", ".join(f"{name} {version}" for name, version in found.items())]
            for label, found in run.tools.items()
        ],
    )


def asked_table(parts: Sequence[Measured]) -> Iterator[str]:
    """One line for each row: runenv beside the floor, the best peer and what is asked."""
    rows = [row for part in parts for row in part.rows]
    met = [row.asked.met for row in rows if row.asked]
    yield f"Of {len(met)} limits {met.count(True)} are met and {met.count(False)} are not."
    yield ""
    head = ["work", "", "floor", RUNENV, "× floor", "best peer", "× best peer", "at most", "is"]
    yield from table(head, [asked_line(row) for row in rows])


def asked_line(row: Row) -> list[str]:
    peer, asked = row.best_peer, row.asked
    limit = is_ = ""
    if asked:
        limit = f"{asked.of} {asked.at_most:g}".strip()
        is_ = f"{asked.figure:.{2 if '×' in asked.of else 1}f}"
        is_ += "" if asked.met else ", **not met**"
    return [
        row.case,
        UNITS[row.unit],
        short(row.median(row.floor)),
        short(row.median(RUNENV)),
        ratio(row.ratio_to(row.floor)),
        f"{short(row.median(peer))} {peer}" if peer else "–",
        ratio(row.ratio_to(peer)),
        limit,
        is_,
    ]


def all_figures(rows: Sequence[Row]) -> Iterator[str]:
    """Medians, with the quartiles where there was more than a round."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    lines = []
    for row in rows:
        units = list(dict.fromkeys(unit for of in row.figures.values() for unit in of))
        for unit in units:
            cells = [cell(row.figures.get(name, {}).get(unit)) for name in names]
            lines.append([row.case, UNITS[unit], *cells])
    yield from table(["", "", *names], lines)


def cell(values: Sequence[float] | None) -> str:
    if values is None:
        return "–"
    middle = short(statistics.median(values))
    if len(values) == 1:
        return middle
    low, high = quartiles(values)
    return f"{middle} ({short(low)} to {short(high)})"


def short(value: float | None) -> str:
    """Three figures where that is enough to compare."""
    if value is None:
        return "–"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(line)} |" for line in lines)
