"""What we say, on a stream in whatever encoding it has.

Knows nothing of who says it, or of colours.
"""

from __future__ import annotations

from contextlib import suppress

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def tell(stream: TextIO, text: str) -> None:
    """Write the text and flush; what the encoding lacks is spelt out.

    Where nobody listens any more, or the disk is full, nothing is said: what is
    said of work is no reason to end it.
    """
    encoding = stream.encoding or "ascii"
    with suppress(OSError, ValueError):
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
