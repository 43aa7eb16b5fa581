"""Who hears what happens in a run: what a reporter is, and the table of their names.

A report that is a file has a form, by the end of its name: a function from the
whole run to a text.
"""

from __future__ import annotations

from importlib import import_module

from runner.colors import shows_escapes, wants_color
from runner.typed import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal, TextIO

    from runner.model import Settings
    from runner.reports.block import Block
    from runner.reports.collected import Story
    from runner.reports.logs import Logs
    from runner.reports.terminal import Terminal
    from runner.running import Event, Report


class Reporter(Protocol):
    """Hears the events of a run and, at its end, all of it."""

    def hear(self, event: Event) -> None:
        """Take note of one event."""
        ...

    def close(self, report: Report) -> None:
        """The run is over; this is all that happened."""
        ...


class Folds(Protocol):
    """Folds the output of a job, where a CI engine shows it."""

    def begin(self, name: str, ago_s: float) -> str:
        """The line before it; its job began so many seconds ago."""
        ...

    def end(self) -> str:
        """The line behind it; to be at the beginning of one."""
        ...


class Form(Protocol):
    """What the module of a form has."""

    def render(self, story: Story, /) -> str:
        """The run in this form."""
        ...


REPORTERS = {
    "terminal": "runner.reports.terminal",
    "board": "runner.reports.board",
    "block": "runner.reports.block",
    "live": "runner.reports.live",
}
FORMS = {  # by the end of a file's name, the longer first
    ".trace.json": "runner.reports.as_trace",
    ".json": "runner.reports.as_json",
    ".xml": "runner.reports.as_junit",
    ".md": "runner.reports.as_markdown",
    ".html": "runner.reports.as_html",
}


def make_folds(environ: Mapping[str, str]) -> Folds | None:
    """What folds output here; None where nothing does, and in a session of another run."""
    if environ.get("RUNENV_JOB"):
        return None
    if environ.get("GITHUB_ACTIONS") == "true":
        return cast("Folds", import_module("runner.reports.folds").GitHubFolds())
    if environ.get("GITLAB_CI") == "true":
        return cast("Folds", import_module("runner.reports.folds").GitLabFolds())
    return None


def make_terminal(
    stream: TextIO,
    settings: Settings,
    environ: Mapping[str, str],
    width: int | None = None,
    folds: Folds | None = None,
) -> Terminal:
    """The reporter for a person, in the style that the stream can show.

    width: in columns, where the stream leads to a terminal by way of others. folds:
    what folds the output of each job.
    """
    module = import_module(REPORTERS["terminal"])
    made = module.Terminal(
        stream,
        color=wants_color(settings.color, environ, shows_escapes(stream)),
        verbose=settings.verbose,
        quiet=settings.quiet,
        width=width,
        folds=folds,
    )
    return cast("Terminal", made)


def make_for_several(
    how: Literal["board", "block", "live"],
    terminal: Terminal,
    logs: Logs,
    rerun: Callable[[str], str],
    usual_s: Mapping[str, float],
) -> Block:
    """The reporter for a person who watches several jobs at once.

    usual_s: how long jobs take when they pass, as far as anybody knows.
    """
    module = import_module(REPORTERS[how])
    if how == "board":
        return cast("Block", module.Board(terminal, logs, rerun, usual_s))
    kind = {"block": "Block", "live": "Live"}[how]
    return cast("Block", getattr(module, kind)(terminal, logs, rerun))


def load_form(file: str) -> Form:
    """The form of a file, by the end of its name; it is imported only now."""
    name = next(module for end, module in FORMS.items() if file.endswith(end))
    return cast("Form", import_module(name))


class Several:
    """Tells several reporters the same."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self._reporters = reporters

    def hear(self, event: Event) -> None:
        """Tell each of one event."""
        for reporter in self._reporters:
            reporter.hear(event)

    def close(self, report: Report) -> None:
        """Tell each of all that happened, whatever the others make of it."""
        errors = [_error_of(reporter, report) for reporter in self._reporters]
        for error in filter(None, errors):
            raise error


def _error_of(reporter: Reporter, report: Report) -> BaseException | None:
    try:
        reporter.close(report)
    except BaseException as error:  # Ctrl-C while one writes too
        return error
    return None
