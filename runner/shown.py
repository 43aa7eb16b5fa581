"""A command as one can paste it into a shell."""

from __future__ import annotations

import subprocess
import sys

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What no shell gives a meaning, in any place of a word: the set of `shlex.quote`.
_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_"


def show(argv: Sequence[str], env_changes: Sequence[tuple[str, str | None]] = ()) -> str:
    """The command as one can paste it into a shell (cmd.exe on Windows).

    env_changes: variables to set before it; None takes one away.
    """
    if sys.platform == "win32":
        words = [f'set "{name}={value or ""}" &' for name, value in env_changes]
        words.append(subprocess.list2cmdline(argv))
    else:
        unset = [word for name, value in env_changes if value is None for word in ("-u", name)]
        words = ["env", *unset] if unset else []
        # The name stays outside of the quotes: in them it would be no assignment.
        words += [f"{name}={_quoted(value)}" for name, value in env_changes if value is not None]
        words += map(_quoted, argv)
    return " ".join(words)


def _quoted(word: str) -> str:
    if word and not word.strip(_SAFE):
        return word
    if any(not char.isprintable() and char not in "\n\t" for char in word):
        # A terminal would act on them. POSIX.1-2024 has this form (2.2.4).
        return "$'" + "".join(_escaped(char) for char in word) + "'"
    if "'" in word and not any(char in '"$`\\!' for char in word):
        return f'"{word}"'  # nothing in it has a meaning there (POSIX, 2.2.3; ! to bash)
    from shlex import quote  # costs more than all of the above, and few words need it

    return quote(word)


def _escaped(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    # A surrogate of that range is a byte that was no UTF-8 (PEP 383).
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", errors))
