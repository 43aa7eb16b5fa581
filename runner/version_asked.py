"""`runner.needs_version`: whether an envfile asks for another runenv.

Read from the text and not by executing it: an envfile for a later runenv
may use what this one does not have.
"""

from __future__ import annotations

import ast

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from runner import __version__
from runner.errors import EnvfileError, Mistake
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_version(source: bytes, shown: str) -> None:
    """Raise EnvfileError where `runner.needs_version = "..."` asks for another runenv."""
    for where, text in versions_needed(shown, source, __version__):
        what = f"this envfile needs runenv {text}, and this is runenv {__version__}"
        mend = f"install one that fits: pip install 'runenv-cli{text}'"
        raise EnvfileError([Mistake(where, what, mend)])


def versions_needed(shown: str, source: bytes, version: str) -> Iterator[tuple[str, str]]:
    """Where the file sets `….needs_version`, and to what, where this version does not fit.

    Raises EnvfileError for what is no version specifier.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # said better when it is executed
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            if not (isinstance(target, ast.Attribute) and target.attr == "needs_version"):
                continue
            where, text = f"{shown}:{node.lineno}", str(node.value.value)
            try:
                fits = SpecifierSet(text).contains(version, prereleases=True)
            except InvalidSpecifier:
                what = f"needs_version: {text!r} is no version specifier"
                raise EnvfileError([Mistake(where, what, f'write ">={text}"?')]) from None
            if not fits:
                yield where, text
