"""A screen as an SVG that loads nothing else, light or dark as its reader's pages are."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from screen import Cell, Screen, Style

_WIDE, _HIGH, _EDGE, _BAR = 8.4, 19, 18, 34  # pixels: of a cell, around, and above all

# Black, red, green, yellow, blue, magenta, cyan, white: each is legible on its ground
# (a contrast of 4.5 or more, as WCAG 2.2 asks).
_LIGHT = ("#24292f", "#b3261e", "#116329", "#7d4e00", "#0550ae", "#8250df", "#0e6470", "#57606a")
_DARK = ("#8b949e", "#ff8078", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#5fd0dc", "#e6edf3")
_INK = {"light": ("#ffffff", "#24292f", "#57606a"), "dark": ("#0d1117", "#e6edf3", "#9198a1")}


def as_svg(screen: Screen, title: str) -> str:
    """The picture; the title is what a screen reader says first."""
    rows = list(screen.rows)
    while rows and not "".join(cell.sign for cell in rows[-1]).strip():
        rows.pop()
    width = screen.columns * _WIDE + 2 * _EDGE
    height = len(rows) * _HIGH + _BAR + _EDGE
    lines = "\n".join(
        line for number, row in enumerate(rows) if (line := _line(row, _BAR + number * _HIGH + 14))
    )
    dots = "".join(f'<circle cx="{x}" cy="17" r="5"/>' for x in (20, 37, 54))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" \
height="{height:g}" role="img">
<title>{escape(title)}</title>
<style>
{_style("light")}
@media (prefers-color-scheme: dark) {{
{_style("dark")}
}}
text {{ font: 14px ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, \
monospace; white-space: pre; }}
.bold {{ font-weight: 700; }}
</style>
<rect class="ground" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>
<g class="dots">{dots}</g>
{lines}
</svg>
"""


def _line(row: list[Cell], y: float) -> str:
    """The words of a row: spaces are places, so that no font moves what stands below."""
    parts, column = [], 0
    for style, cells in groupby(row, lambda cell: cell.style):
        text = "".join(cell.sign for cell in cells)
        start = column + len(text) - len(text.lstrip())
        column += len(text)
        if shown := text.strip():
            wide = len(shown) * _WIDE
            parts.append(
                f'<tspan x="{_EDGE + start * _WIDE:.1f}" textLength="{wide:.1f}"'
                f"{_classes(style)}>{escape(shown)}</tspan>"
            )
    return f'<text y="{y:g}">{"".join(parts)}</text>' if parts else ""


def _classes(style: Style) -> str:
    names = [name for name, is_so in (("bold", style.bold), ("thin", style.thin)) if is_so]
    if style.color is not None:
        names.append(f"c{style.color % 8}")
    return f' class="{" ".join(names)}"' if names else ""


def _style(ground: str) -> str:
    paper, ink, thin = _INK[ground]
    colors = _LIGHT if ground == "light" else _DARK
    rules = [
        f".ground {{ fill: {paper}; stroke: {thin}; stroke-opacity: .4; }}",
        f".dots {{ fill: {thin}; fill-opacity: .4; }}",
        f"text {{ fill: {ink}; }}",
        f".thin {{ fill: {thin}; }}",
        *(f".c{number} {{ fill: {color}; }}" for number, color in enumerate(colors)),
    ]
    return "\n".join(rules)
