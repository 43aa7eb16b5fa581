"""Whether what we print is coloured, and how.

Knows nothing of what is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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


def painter(*, color: bool) -> Callable[[str, str], str]:
    """What puts a text in a colour that colorlog has a name for; without, the text as it is."""
    if not color:
        return lambda _, text: text
    from colorlog.escape_codes import escape_codes  # brings logging: only in a terminal

    return lambda name, text: f"{escape_codes[name]}{text}{escape_codes['reset']}"
