"""Reports that are files: each written whole at the end of the run, whatever happened in it."""

from __future__ import annotations

import errno
import os
from functools import partial

from runner.aside import make_folder, write_aside
from runner.errors import ReportUnwritten
from runner.record import Record
from runner.reports import load_form
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.model import Settings
    from runner.reports.collected import Story


class File(Record):
    """Where a report goes."""

    shown: str  # as it was asked for
    path: str  # absolute, and where a link leads


def files_of(settings: Settings, root: str) -> tuple[File, ...]:
    """The files that are asked for.

    Those of the command line and of RUNENV_REPORT lie where the caller is, as for
    any program; those that the project names, in `root`.
    """
    of_project = settings.origins.get("report") in ("envfile", "[tool.runenv]")
    start = root if of_project else os.getcwd()
    return tuple(
        File(shown, os.path.realpath(os.path.join(start, os.path.expanduser(shown))))
        for shown in dict.fromkeys(settings.report)
    )


def clear(files: Sequence[File]) -> None:
    """The files are not there, and their folders are.

    A report of an earlier run never passes for this one's, not even where we are
    killed. Raises ReportUnwritten before anything has run.
    """
    troubles = {file.shown: _trouble(partial(_clear, file.path)) for file in files}
    _raise_for(troubles)


def _clear(path: str) -> None:
    folder = os.path.dirname(path)
    make_folder(folder)
    if os.path.exists(path):
        os.unlink(path)
    if not os.access(folder, os.W_OK):  # better told now than after the run
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class Files:
    """Writes a report to each of several files."""

    def __init__(self, files: Sequence[File]) -> None:
        self._files = files

    def tell(self, story: Story) -> None:
        """Write them all; raises ReportUnwritten at the end where one could not be."""
        texts = {file: load_form(file.shown).render(story) for file in self._files}
        _raise_for(
            {file.shown: _trouble(partial(_write, file.path, text)) for file, text in texts.items()}
        )


def _write(path: str, text: str) -> None:
    make_folder(os.path.dirname(path))  # a session may have cleaned up
    write_aside(path, text)


def _trouble(act: Callable[[], None]) -> str:
    """Why it cannot be done; empty where it is done."""
    try:
        act()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _raise_for(troubles: Mapping[str, str]) -> None:
    told = [f"the report {file} cannot be written: {why}" for file, why in troubles.items() if why]
    if told:
        raise ReportUnwritten(
            "; ".join(told), mend="make room for it, let it be written, or name another file"
        )
