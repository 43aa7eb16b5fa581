"""Files of other tools → an envfile that a person would have written.

A format is read into one model of environments (`model.py`), which is written as text
(`write.py`). Nothing here touches the disk.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from runner.convert import from_hatch, from_tox
from runner.convert.write import write

if TYPE_CHECKING:
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

# The files in which something is looked for, in this order, where none is named.
NAMES = tuple(dict.fromkeys(name for one in FORMATS for name in one.NAMES))


class Converted(NamedTuple):
    """An envfile that was made of another file."""

    text: str
    environments: tuple[str, ...]
    functions: int
    notes: tuple[Note, ...]  # in the order of their lines, each once


def convert(path: str, text: str) -> Converted | None:
    """The envfile that says what a file says; None where no format knows what is in it.

    Raises ValueError for a file that cannot be read.
    """
    name = os.path.basename(path)
    declared = next(filter(None, (one.read(name, text) for one in FORMATS)), None)
    if declared is None:
        return None
    written = write(declared, name)
    notes = [*declared.notes, *(note for one in declared.environments for note in one.notes)]
    return Converted(
        text=written.text,
        environments=tuple(one.name for one in declared.environments),
        functions=written.functions,
        notes=tuple(sorted(dict.fromkeys(notes), key=lambda note: note.line)),
    )
