"""Who hears what happens in a run: what a reporter is, and the table of their names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TextIO, cast

from runner.settings import wants_color

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model import Settings
    from runner.running import Event, Report


class Reporter(Protocol):
    """Hears the events of a run and, at its end, all of it."""

    def hear(self, event: Event) -> None:
        """Take note of one event."""
        ...

    def close(self, report: Report) -> None:
        """The run is over; this is all that happened."""
        ...


REPORTERS = {"terminal": "runner.reports.terminal"}


def make_terminal(stream: TextIO, settings: Settings, environ: Mapping[str, str]) -> Reporter:
    """The reporter for a person, in the style that the stream can show."""
    module = import_module(REPORTERS["terminal"])
    made = module.Terminal(
        stream,
        color=wants_color(settings.color, environ, stream.isatty()),
        verbose=settings.verbose,
        quiet=settings.quiet,
    )
    return cast("Reporter", made)
