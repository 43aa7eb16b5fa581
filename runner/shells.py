"""How a shell is started whose prompt says where it is, and in which programs come first.

Knows nothing of environments: their programs' folder is handed in. What the user's
own start-up files do comes before, since many of them put folders first on PATH.
"""

from __future__ import annotations

import os
import sys
from shlex import quote

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Shell(Record):
    """What to run, and the variables that it needs on top of a command's."""

    argv: tuple[str, ...]
    env: dict[str, str]


def user_shell(name: str, bin_folder: str, home: str, environ: Mapping[str, str]) -> Shell:
    """The user's shell, with `(name)` in its prompt where it lets itself be told so.

    bin_folder: comes first on PATH; empty where none does. home: a folder for its
    start-up files, which are written.
    """
    if sys.platform == "win32":
        prompt = environ.get("PROMPT", "$P$G")
        return Shell((environ.get("COMSPEC", "cmd.exe"),), {"PROMPT": f"({name}) {prompt}"})
    program = environ.get("SHELL") or "/bin/sh"
    kind = os.path.basename(program)
    mark = quote(f"({name}) ")
    path = f"PATH={quote(bin_folder)}:$PATH; export PATH\n" if bin_folder else ""
    os.makedirs(home, exist_ok=True)
    if kind == "bash":
        rc = _write(
            home,
            "bashrc",
            # As an interactive bash without --rcfile, on Debian and its like too.
            "for file in /etc/bash.bashrc ~/.bashrc; do\n"
            '    if [ -f "$file" ]; then . "$file"; fi\n'
            f"done\nunset file\n{path}PS1={mark}$PS1\n",
        )
        return Shell((program, "--rcfile", rc), {})
    if kind == "zsh":
        own = quote(environ.get("ZDOTDIR") or os.path.expanduser("~"))
        source = '[[ -f $ZDOTDIR/{0} ]] && . "$ZDOTDIR/{0}"\n'
        # The user's .zshenv may say that the others lie elsewhere.
        ours = f"__runenv_zdotdir=$ZDOTDIR ZDOTDIR={quote(home)}\n"
        _write(home, ".zshenv", f"ZDOTDIR={own}\n{source.format('.zshenv')}{ours}")
        back = "ZDOTDIR=$__runenv_zdotdir\nunset __runenv_zdotdir\n"
        rc = f"{back}{source.format('.zshrc')}{path}PROMPT={mark}$PROMPT\n"
        _write(home, ".zshrc", rc)
        return Shell((program,), {"ZDOTDIR": home})
    if kind == "fish":
        code = (
            "functions -q fish_prompt; and functions -c fish_prompt __runenv_prompt;"
            f" function fish_prompt; echo -n {mark}; __runenv_prompt; end;"
        )
        path = f" set -gx PATH {quote(bin_folder)} $PATH;" if bin_folder else ""
        return Shell((program, "-C", code + path), {})
    # POSIX (sh, 2.5.3): an interactive shell reads the file that ENV names.
    before = environ.get("ENV", "")
    source = f"if [ -f {quote(before)} ]; then . {quote(before)}; fi\n" if before else ""
    return Shell((program,), {"ENV": _write(home, "shrc", f"{source}{path}PS1={mark}$PS1\n")})


def _write(home: str, name: str, text: str) -> str:
    path = os.path.join(home, name)
    aside = f"{path}.{os.getpid()}"
    with open(aside, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(text)
    os.replace(aside, path)
    return path
