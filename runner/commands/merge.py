"""`runenv --merge REPORT …`: joins the JSON reports of several machines into those of one run."""

from __future__ import annotations

import os
import sys
from functools import partial
from glob import glob

from runner.envs.folder import make_envdir
from runner.errors import FAILED, ReportUnwritten, ShardMissing, UsageError, some_of
from runner.history import Remember, path_in
from runner.opening import open_settings
from runner.reports import make_terminal
from runner.reports.files import Files, clear, files_of
from runner.reports.github import GitHub, is_here
from runner.reports.joined import join, misfit
from runner.reports.received import read
from runner.running import EnvironmentReady, JobStarted, Outcome, Report
from runner.settings import envdir_in, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.model import Request, Settings
    from runner.reports.collected import JobStory, Story
    from runner.reports.files import File
    from runner.reports.received import Received
    from runner.running import Event


def main(request: Request) -> int:
    """Write the reports of the whole, and remember it; exit as one machine would have."""
    words = request.given.get("sessions")
    files = _files(map(str, words)) if is_list(words) else []
    if not files:
        raise UsageError(
            "--merge names no report", mend="runenv --merge shard-*.json --report run.html"
        )
    root, settings = open_settings(request, os.environ)
    written = files_of(settings, root)
    _refuse_overwriting(files, written)
    clear(written)
    received = {file: _received(file) for file in files}
    trouble = misfit(received)
    if trouble:
        raise UsageError(
            f"these reports are not of one run: {trouble}",
            mend="hand over one of each machine of one run; machines that read one --plan agree",
        )
    story = join(received)
    report = Report(tuple(map(_outcome, story.jobs)), story.duration_s, story.interrupted_by)
    make_terminal(sys.stderr, settings, os.environ).close(report)
    if root:
        _remember(root, settings, story, report)
    if is_here(os.environ):
        GitHub(os.environ, sys.stderr).sum_up(story)  # each machine has annotated its own
    try:
        Files(written).tell(story)
    except ReportUnwritten as error:
        error.exit_code = story.exit_code or FAILED
        raise
    _raise_for_lost(story)
    return story.exit_code


def _files(words: Iterable[str]) -> list[str]:
    """The files that the words name. PowerShell and cmd hand patterns on as they are."""
    found: dict[str, None] = {}
    for word in words:
        matching = [] if os.path.lexists(word) else sorted(glob(word))
        found.update(dict.fromkeys(matching or [word]))
    return list(found)


def _refuse_overwriting(files: Sequence[str], written: Sequence[File]) -> None:
    """Raises UsageError where a report would take the place of one that is joined."""
    joined = set(map(os.path.realpath, files))
    for file in written:
        if file.path in joined:
            raise UsageError(
                f"--report {file.shown} names one of the reports that are joined",
                mend="name another file",
            )


def _received(file: str) -> Received:
    try:
        with open(file, "rb") as stream:
            return read(stream.read())
    except OSError as error:
        raise UsageError(
            f"the report {file} cannot be read: {error.strerror}",
            mend="name the files that --report FILE.json has written",
        ) from None
    except ValueError as error:
        raise UsageError(
            f"{file} is no JSON report of a run: {error}",
            mend="name the files that --report FILE.json has written",
        ) from None


def _outcome(job: JobStory) -> Outcome:
    return Outcome(
        job.name,
        job.result,
        job.reason,
        job.duration_s,
        attempts=job.attempts,
        peak_bytes=job.peak_bytes,
        lost_workers=job.lost_workers,
    )


def _remember(root: str, settings: Settings, story: Story, report: Report) -> None:
    """The history has the run, as if it had been one machine's."""
    envdir = envdir_in(root, settings)
    remember = Remember(
        path_in(envdir),
        at=story.at,
        narrowed=bool(story.posargs or any(job.options for job in story.jobs)),
        make_folder=partial(make_envdir, envdir, root, ""),
    )
    for job in story.jobs:
        for event in _events(job):
            remember.hear(event)
    remember.close(report)


def _events(job: JobStory) -> Iterator[Event]:
    """What the history needs to hear of a job."""
    if job.start_s is not None:
        yield JobStarted(job.name, job.doc)
    for made in job.environments:
        yield EnvironmentReady(
            job=job.name,
            state=made.state,
            reason=made.reason,
            path=made.path,
            python=made.python,
            duration_s=made.duration_s,
            ahead=made.ahead,
            linked=made.linked,
        )


def _raise_for_lost(story: Story) -> None:
    """Tell which machines have sent nothing, where there are such."""
    lost = [machine for machine in story.machines if machine.is_lost]
    if lost:
        jobs = some_of([job.name for machine in lost for job in machine.jobs])
        error = ShardMissing(
            f"{some_of([machine.title for machine in lost])} sent no report"
            + (f": nobody knows of {jobs}" if jobs else ""),
            mend="look why that machine ended, run its shard again, and merge again",
        )
        error.exit_code = story.exit_code
        raise error
