"""Commands of pytest that look for doctests everywhere: they leave the envfile alone.

`--doctest-modules` imports each module that it finds, and an envfile imports runenv, which
is in no environment. Knows no format.
"""

from __future__ import annotations

import re
from dataclasses import replace

from runner.convert.model import literal
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert.model import Command, Declared, Item, Text

CONFIGURATIONS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
APART = "--ignore=envfile.py"
_OPTION = "--doctest-modules"


def asks_for_doctests(text: str) -> bool:
    """Whether a configuration of pytest asks for the doctests of all modules."""
    options = re.findall(r"^\s*addopts\s*=(.*(?:\n[ \t\]].*)*)", text, re.M)
    return any(_OPTION in option for option in options)


def envfile_apart(declared: Declared, *, everywhere: bool) -> Declared:
    """The same with the envfile left out of doctests. everywhere: pytest always looks for them."""
    environments = tuple(
        one
        if one.folder
        else one._replace(
            pre=tuple(_apart(item, everywhere=everywhere) for item in one.pre),
            commands=tuple(_apart(item, everywhere=everywhere) for item in one.commands),
            post=tuple(_apart(item, everywhere=everywhere) for item in one.post),
        )
        for one in declared.environments
    )
    return declared._replace(environments=environments)


def _apart(item: Item[Command], *, everywhere: bool) -> Item[Command]:
    words = item.value.words
    known = [literal(word) or "" for word in words]
    at = next((n for n, word in enumerate(known) if word in ("pytest", "py.test")), None)
    runs = at == 0 or (at is not None and known[at - 1] == "-m")
    if at is None or not runs or not (everywhere or _OPTION in known) or APART in known:
        return item
    ignored: Text = (APART,)
    return replace(
        item, value=item.value._replace(words=(*words[: at + 1], ignored, *words[at + 1 :]))
    )
