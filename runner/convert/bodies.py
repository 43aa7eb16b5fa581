"""What the environments of a family do → the lines of the one function that does it.

Pure. Knows nothing of how a session is declared.
"""

from __future__ import annotations

import re

from runner.convert.braces import argument, argument_block, is_known_early, needs_of
from runner.convert.conditions import modules_in, on_platform, test_of
from runner.convert.families import merged
from runner.convert.words import Block, expression, quoted
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.convert.families import Family
    from runner.convert.model import Command, Item, Text


class Body(Record):
    """The lines of a function below its docstring, and what they need of the file."""

    lines: tuple[str, ...]
    needs: frozenset[str]


def body_of(family: Family) -> Body:
    """The lines of the function, for all of the family."""
    one = family.first
    needs: set[str] = set()
    lines = [*_variables(family, needs), *_installs(family, needs)]
    if one.folder:
        needs |= needs_of(one.folder)
        lines.append(f"session.chdir({argument(one.folder)})")
    commands = [*_commands(family, "pre", needs), *_commands(family, "commands", needs)]
    post = _commands(family, "post", needs)
    if post:
        commands = ["try:", *_indented(commands or ["pass"]), "finally:", *_indented(post)]
    if one.failure_ignored:
        commands = [
            "try:",
            *_indented(commands or ["pass"]),
            "except runner.CommandFailed as error:",
            '    session.warn(f"{error}; it is ignored")',
        ]
    lines += commands
    first = _platform(one.platform, needs) if one.platform else []
    if "tmp" in needs:
        first.append("tmp = session.create_tmp()")
    if "site_packages" in needs:
        first += [
            "site_packages = session.run(",
            '    "python",',
            '    "-c",',
            "    \"import sysconfig; print(sysconfig.get_path('purelib'))\",",
            "    silent=True,",
            ").strip()",
        ]
    if any(re.search(r"\bfactors\b", line) for line in lines):
        first.append('factors = session.name.split("-")')
    whole = _indented([*first, *lines]) or ["    pass"]
    return Body(tuple(whole), frozenset(needs))


def _variables(family: Family, needs: set[str]) -> list[str]:
    """Those that are known only when the session runs."""
    lines: list[str] = []
    for item, names in merged(family, lambda one: one.env):
        variable, text = item.value
        if is_known_early(text):
            continue
        needs |= needs_of(text)
        line = f"session.env[{quoted(variable)}] = {argument(text).removeprefix('*')}"
        if any(not isinstance(p, str) and p.words for p in text):
            line = f"session.env[{quoted(variable)}] = {expression(_as_string(text))}"
        lines += _under(_test(item, names, family, needs), [line])
    return lines


def _installs(family: Family, needs: set[str]) -> list[str]:
    lines: list[str] = []
    for item, names in merged(family, lambda one: one.installs):
        install = item.value
        called = "session.run_install(" if install.setup else "session.install("
        outside = ("external=True",) if install.setup and install.external else ()
        block = Block(called, (*map(argument, install.words), *outside), ")")
        needs |= {need for word in install.words for need in needs_of(word)}
        test = _test(item, names, family, needs)
        lines += _under(test, block.lines("    " if test else ""))
    return lines


def _commands(family: Family, key: str, needs: set[str]) -> list[str]:
    lines: list[str] = []
    before = ""
    for item, names in merged(family, lambda one: getattr(one, key)):
        needs |= {need for word in item.value.words for need in needs_of(word)}
        test = _test(item, names, family, needs)
        first = item.value.words[0]
        if not test and len(item.value.words) == 1 and argument(first) == "*session.posargs":
            test = "session.posargs"
        block = _run(item.value)
        if not test:
            lines += block.lines()
        else:
            if test != before:
                lines.append(f"if {test}:")
            lines += block.lines("    ")
        before = test
    return lines


def _test(item: Item[object], names: Sequence[str], family: Family, needs: set[str]) -> str:
    needs |= modules_in(item.platform)
    test = test_of(names, family.names, item.when, "session.name")
    return on_platform(test, item.platform)


def _platform(pattern: str, needs: set[str]) -> list[str]:
    words = pattern.strip("()^$").split("|")
    needs.add("sys")
    if all(re.fullmatch(r"\w+", word) for word in words):
        test = (
            f"sys.platform != {quoted(words[0])}"
            if len(words) == 1
            else f"sys.platform not in ({', '.join(map(quoted, words))})"
        )
    else:
        needs.add("re")
        test = f"not re.fullmatch({quoted(pattern)}, sys.platform)"
    return [f"if {test}:", f"    session.skip({quoted('it is for ' + pattern)})"]


def _under(test: str, lines: list[str]) -> list[str]:
    if not test:
        return lines
    return [f"if {test}:", *(line if line.startswith(" ") else f"    {line}" for line in lines)]


def _run(command: Command) -> Block:
    options: list[str] = []
    if command.may_fail:
        options.append("check=False")
    if command.must_fail:
        options.append("success_codes=range(1, 256)")
    if command.external:
        options.append("external=True")
    return Block("session.run(", (*map(argument_block, command.words), *options), ")")


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" if line else line for line in lines]


def _as_string(text: Text) -> Text:
    """Words as the one string that a variable is."""
    return tuple(
        piece
        if isinstance(piece, str) or not piece.words
        else piece._replace(expression=f'" ".join({piece.expression})', words=False)
        for piece in text
    )
