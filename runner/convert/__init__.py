"""Files of other tools → an envfile that a person would have written.

A format is read into one model of environments (`model.py`), which is written as text
(`write.py`); a noxfile, which is Python already, is edited (`from_nox.py`). Nothing here
touches the disk.
"""

from __future__ import annotations

import os

from runner.amounts import counted
from runner.convert import from_hatch, from_nox, from_tox
from runner.convert.doctests import envfile_apart
from runner.convert.write import write
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from runner.convert.model import Declared, Note

    class Format(Protocol):
        """What can be converted."""

        NAMES: tuple[str, ...]  # of files

        def read(self, name: str, text: str, /) -> Declared | None:
            """What a file declares; None where nothing of this format stands in it.

            Raises ValueError for a file that cannot be read.
            """
            ...


# The first that finds something of its own in a file has it.
FORMATS: tuple[Format, ...] = (from_tox, from_hatch)

# The files in which something is looked for, in this order, where none is named. A noxfile is
# the first, as it is what runs where there is no envfile.
NAMES = (*from_nox.NAMES, *dict.fromkeys(name for one in FORMATS for name in one.NAMES))


class Converted(Record):
    """An envfile that was made of another file."""

    text: str
    environments: tuple[str, ...]
    made: str  # how many of what: "3 environments in 2 functions"
    notes: tuple[Note, ...]  # in the order of their lines, each once


def convert(
    path: str,
    text: str,
    read: Callable[[str], str | None] = lambda _: None,
    *,
    doctests: bool = False,
) -> Converted | None:
    """The envfile that says what a file says; None where no format knows what is in it.

    read: the text of a file that is named from the folder of this one; None: nobody knows.
    doctests: pytest is configured to look for them in all modules. Raises ValueError for
    a file that cannot be read.
    """
    name = os.path.basename(path)
    if name.endswith(".py"):
        return _edited(text, read)
    declared = next(filter(None, (one.read(name, text) for one in FORMATS)), None)
    if declared is None:
        return None
    declared = envfile_apart(declared, everywhere=doctests)
    written = write(declared, name)
    environments = counted(len(declared.environments), "environment")
    return Converted(
        text=written.text,
        environments=tuple(one.name for one in declared.environments),
        made=f"{environments} in {counted(written.functions, 'function')}",
        notes=_in_order(
            [*declared.notes, *(note for one in declared.environments for note in one.notes)]
        ),
    )


def _edited(text: str, read: Callable[[str], str | None]) -> Converted | None:
    edited = from_nox.rewrite(text, read)
    if edited is None:
        return None
    declaring = f", {edited.declaring} of which declare what they install"
    return Converted(
        text=edited.text,
        environments=edited.sessions,
        made=counted(len(edited.sessions), "session") + (declaring if edited.declaring else ""),
        notes=_in_order(edited.notes),
    )


def _in_order(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(dict.fromkeys(notes), key=lambda note: note.line))
