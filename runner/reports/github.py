"""What GitHub Actions shows of a run: a summary of the step, and an annotation for each failure.

By "Workflow commands for GitHub Actions" and "Adding a job summary" of its documentation.
"""

from __future__ import annotations

import os

from runner.reports.as_markdown import render
from runner.reports.texts import legible
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from runner.reports.collected import JobStory, Story

_SHOWN = 10  # annotations of a step that GitHub shows


class GitHub:
    """Tells GitHub of a run."""

    def __init__(self, environ: Mapping[str, str], stream: TextIO) -> None:
        """environ: of the caller. stream: where GitHub looks for its commands."""
        self._environ = environ
        self._stream = stream

    def tell(self, story: Story) -> None:
        """Add to the summary, and annotate."""
        if self._environ.get("GITHUB_ACTIONS") == "true":
            self._annotate(story)
        self.sum_up(story)

    def sum_up(self, story: Story) -> None:
        """Add to the summary."""
        path = self._environ.get("GITHUB_STEP_SUMMARY", "")
        if path:
            try:
                # What else the step has said there stays.
                with open(path, "a", encoding="utf-8") as stream:
                    stream.write(render(story))
            except OSError as error:
                self._write(
                    f"warning: the summary {path} cannot be written: {error.strerror or error}"
                )

    def _annotate(self, story: Story) -> None:
        bad = [job for job in story.jobs if job.went_wrong]
        more = len(bad) - _SHOWN
        for job in bad[: _SHOWN - 1] if more > 0 else bad:
            self._write(self._annotation(job, story.root))
        if more > 0:
            self._write(f"::error title={more + 1} more jobs did not pass::see the summary")

    def _annotation(self, job: JobStory, root: str) -> str:
        file, _, line = job.where.rpartition(":")
        where = ""
        if file and line.isdigit():
            # Annotations lie at places of the checkout.
            path = os.path.join(root, file)
            checkout = self._environ.get("GITHUB_WORKSPACE", "")
            if checkout and path.startswith(checkout.rstrip(os.sep) + os.sep):
                path = os.path.relpath(path, checkout)
            where = f"file={_property(path)},line={line},"
        title = f"title={_property(f'{job.name}: {job.result}')}"
        return f"::error {where}{title}::{_data(job.reason or job.result)}"

    def _write(self, text: str) -> None:
        tell(self._stream, text + "\n")


def is_here(environ: Mapping[str, str]) -> bool:
    """Whether a step of GitHub Actions runs us, and no session of another run does."""
    asked = environ.get("GITHUB_ACTIONS") == "true" or environ.get("GITHUB_STEP_SUMMARY")
    return bool(asked) and not environ.get("RUNENV_JOB")


def _data(text: str) -> str:
    return legible(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
