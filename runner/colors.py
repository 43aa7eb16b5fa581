"""Whether what we print is coloured, and how; what a terminal can show, and how much beside.

Knows nothing of what is printed.
"""

from __future__ import annotations

import os
import sys

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

if sys.platform == "win32":

    def shows_escapes(stream: TextIO) -> bool:
        """Whether a stream leads to a console that takes ECMA-48; it is made to where it can.

        Windows 10 and later can ("Console Virtual Terminal Sequences"), and some
        consoles want to be asked first.
        """
        if not stream.isatty():
            return False
        import ctypes  # 8 ms that only a console costs
        import msvcrt
        from ctypes import wintypes

        takes_sequences = 0x4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
        kernel, mode = ctypes.WinDLL("kernel32"), wintypes.DWORD()
        handle = wintypes.HANDLE(msvcrt.get_osfhandle(stream.fileno()))
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            return False
        return bool(kernel.SetConsoleMode(handle, mode.value | takes_sequences))

else:

    def shows_escapes(stream: TextIO) -> bool:
        """Whether a stream leads to a terminal, which takes ECMA-48 unless TERM is `dumb`."""
        return stream.isatty()


def can_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream leads to a terminal on which lines can be written over."""
    # Consoles of Windows have no TERM.
    term = environ.get("TERM") or ("" if sys.platform == "win32" else "dumb")
    return term != "dumb" and shows_escapes(stream)


def wants_color(color: str, environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether to colour: --color, then FORCE_COLOR, then NO_COLOR, then the terminal.

    NO_COLOR by no-color.org: present and not empty. FORCE_COLOR by
    force-color.org, which 0 and false turn off.
    """
    if color != "auto":
        return color == "always"
    if environ.get("FORCE_COLOR", "").lower() not in ("", "0", "false"):
        return True
    if environ.get("NO_COLOR"):
        return False
    return is_terminal and environ.get("TERM") != "dumb"


def columns_of(stream: TextIO) -> int:
    """How many columns the terminal has that a stream leads to; 0 where it leads to none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes that is on one line."""
    if text.isascii():
        return len(text)
    from runner.widths import columns_of  # most texts are plain

    return columns_of(text)


def fold(text: str, columns: int, indent: int, begins: int | None = None) -> str:
    """The text in lines that fit, the further ones indented; as it is where columns is 0.

    begins: the column in which its first line stands, the indent if nothing is said.
    A word that is longer than a line is whole, so that it can be copied.
    """
    line, lines = "", list[str]()
    room = columns - 1 - (indent if begins is None else begins)  # the last column wraps in some
    for word in text.split(" ") if columns else ():
        if line and width_of(line) + 1 + width_of(word) > room:
            lines.append(line)
            line, room = "", columns - 1 - indent
        line = f"{line} {word}" if line else word
    return f"\n{' ' * indent}".join([*lines, line]) if columns else text


def fold_around(text: str, columns: int, indent: int, begins: int | None = None) -> str:
    """As `fold`, with the commands in it whole, so that they can be copied.

    A command stands in backquotes, or from `runenv` on. A line that begins with a blank is code.
    """
    first = indent if begins is None else begins
    if not columns or text.startswith(" ") or first + width_of(text) < columns:
        return text
    import re  # most lines fit

    whole = re.sub(r"`[^`]*`|\brunenv .*", lambda found: found[0].replace(" ", "\0"), text)
    return fold(whole, columns, indent, begins).replace("\0", " ")


def painter(*, color: bool) -> Callable[[str, str], str]:
    """What puts a text in a colour that colorlog has a name for; without, the text as it is."""
    if not color:
        return lambda _, text: text
    from colorlog.escape_codes import escape_codes  # brings logging: only in a terminal

    return lambda name, text: f"{escape_codes[name]}{text}{escape_codes['reset']}"
