"""Environments → the text of an envfile, as a person would write it.

Pure. Knows no format from which they came; what a function does is written by `bodies.py`.
"""

from __future__ import annotations

import builtins
import re
from keyword import iskeyword
from textwrap import wrap

from runner.convert.bodies import body_of
from runner.convert.braces import is_known_early, needs_of
from runner.convert.conditions import modules_in, on_platform, only_factor, test_of
from runner.convert.factors import python_of
from runner.convert.families import Family, families_of, merged
from runner.convert.loops import loops_of, variables_of
from runner.convert.model import Code
from runner.convert.shared import (
    constant_name,
    plain_env,
    plain_list,
    shared_envs,
    shared_lists,
    shared_pythons,
    stands_within,
)
from runner.convert.words import (
    WIDTH,
    Block,
    Choice,
    expression,
    if_any,
    list_of,
    quoted,
    safe_name,
)
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from runner.convert.model import Declared, Environment, Item, Note, Text

_IMPORTED = {"os": "import os", "sys": "import sys", "re": "import re", "socket": "import socket"}
_IMPORTED_FROM = {
    "glob": "from glob import glob",
    "product": "from itertools import product",
    "ROOT": "from pathlib import Path",
}
_TAKEN = frozenset({"runner", "session", "name", "python", "factors", "tmp", "Path", "product"})


class Written(Record):
    """The text of an envfile, and how many functions it has."""

    text: str
    functions: int


def write(declared: Declared, source: str, *, doc: str = "") -> Written:
    """The envfile. source: the name of the file that it was, for comments.

    doc: the first line of its docstring, where that is not of this file.
    """
    doc = doc or f"The sessions of this project, as they were in {source}."
    return _Writer(declared, source, doc).written()


class _Declaration(Record):
    """One or more sessions that are declared together."""

    family: Family
    arguments: tuple[str | Block, ...]  # of runner.session, but for name and python
    uses: frozenset[str]  # of name and factors, which the loop then makes


class _Writer:
    def __init__(self, declared: Declared, source: str, doc: str) -> None:
        self._declared = declared
        self._doc = doc
        self._source = source
        self._needs: set[str] = set()
        self._constants: dict[str, Block] = {}
        self._functions: dict[tuple[str, ...], tuple[str, str]] = {}  # body → name, doc
        self._told: set[Note] = set()  # a setting of all is told of once
        self._names: set[str] = set()  # of the functions that are written
        self._shared: set[str] = set()  # environments of which it is said what they are made of
        self._families = families_of(declared.environments)
        self._pythons = shared_pythons(self._families)
        self._lists = shared_lists(self._families)
        self._envs = shared_envs(self._families)

    def written(self) -> Written:
        """The whole text."""
        parts = [self._family(family) for family in self._families]
        options = [(name, self._option(value)) for name, value in self._declared.options]
        head = [f'"""{self._doc}"""', ""]
        imports = [_IMPORTED[n] for n in sorted(self._needs & _IMPORTED.keys())]
        imports += sorted(_IMPORTED_FROM[n] for n in self._needs & _IMPORTED_FROM.keys())
        head += [*imports, *([""] if imports else []), "import runner"]
        if "ROOT" in self._needs:
            head += ["", "ROOT = Path(__file__).parent"]
        for name, block in self._constants.items():
            head += ["", *Block(f"{name} = {block.head}", block.items, block.tail).lines()]
        if options:
            head.append("")
        for name, said in options:
            start = f"runner.options.{name} = "
            if isinstance(said, str):
                head.append(start + said)
            else:
                head += Block(f"{start}[", said, "]").lines()
        notes = [self._comment(note) for note in self._declared.notes if note.kind == "left"]
        head += ["", *notes] if notes else []
        blocks = ["\n".join(head), *("\n".join(lines) for lines in parts)]
        return Written("\n\n\n".join(blocks) + "\n", len(self._names))

    def _option(self, value: str | tuple[str | Code, ...]) -> str | tuple[str, ...]:
        """The expression, or the entries of a list as they are written."""
        if isinstance(value, str):
            return value
        for entry in value:
            self._needs |= entry.needs if isinstance(entry, Code) else set()
        return tuple(e.expression if isinstance(e, Code) else quoted(e) for e in value)

    def _comment(self, note: Note, indent: str = "") -> str:
        place = f"{self._source}:{note.line} " if note.line else ""
        lines = wrap(f"{note.kind}: {place}{note.text}", WIDTH - 6)
        return "\n".join(f"{indent}# {line}" for line in lines)

    # One family. -------------------------------------------------------------------

    def _family(self, family: Family) -> list[str]:
        made = body_of(family)
        body = list(made.lines)
        self._needs |= made.needs
        doc = _doc_of(family)
        told = [note for one in family.members for note in one.notes if note.kind != "ignored"]
        notes = [self._comment(note) for note in dict.fromkeys(told) if note not in self._told]
        self._told.update(told)
        declaration = self._declare(family)
        alone = bool(family.first.axes)  # its function takes arguments, which no other hands it
        same = None if alone else self._functions.get(tuple(body))
        worth = len(body) > 1 or (len(family.members) > 1 and body != ["    pass"])
        if same and (same[1] == doc or not doc) and worth:
            return [*notes, *self._declared_later(declaration, same[0])]
        name = self._function_name(family)
        decorator = self._decorator(declaration, name) if len(family.members) == 1 else []
        lines = [*notes, *decorator]
        inner = body
        if same and len(body) > 1:
            inner = [f"    {same[0]}(session)"]
        elif not alone:
            self._functions[tuple(body)] = (name, doc)
        lines.append(f"def {self._signature(family, name)}:")
        if doc:
            lines += _docstring(doc)
        if not (doc and inner == ["    pass"]):
            lines += inner
        if len(family.members) > 1:
            lines += ["", "", *self._declared_later(declaration, name)]
        return lines

    def _signature(self, family: Family, name: str) -> str:
        axes = "".join(f", {axis}: str" for axis, _ in family.first.axes)
        return f"{name}(session: runner.Session{axes}) -> None"

    def _function_name(self, family: Family) -> str:
        if len(family.members) == 1:
            name = family.first.name
        else:
            shared = [
                factor
                for factor in family.first.name.split("-")
                if all(factor in one.name.split("-") for one in family.members)
                and not python_of(factor)
            ]
            name = "_".join(shared) or "tests"
        name = re.sub(r"\W+", "_", name).strip("_").lower() or "tests"
        name = f"on_{name}" if name[0].isdigit() else name
        if iskeyword(name) or hasattr(builtins, name) or name in _TAKEN or name in _IMPORTED:
            name += "_"
        base, number = name, 2
        while name in self._names:
            name, number = f"{base}_{number}", number + 1
        self._names.add(name)
        return name

    # How it is declared. --------------------------------------------------------------

    def _decorator(self, declaration: _Declaration, function: str) -> list[str]:
        one = declaration.family.first
        own = [] if one.name == function else [f"name={quoted(one.name)}"]
        arguments = (*own, *self._python(one), *declaration.arguments)
        lines = (
            Block("@runner.session(", arguments, ")").lines() if arguments else ["@runner.session"]
        )
        formats = dict(one.formats)
        for axis, values in reversed(one.axes):  # the nearest to the function is named first
            shown: list[str | Block] = [quoted(axis), list_of([quoted(v) for v in values])]
            if axis in formats:
                ids = [safe_name(formats[axis].replace("{value}", value)) for value in values]
                shown.append(list_of(list(map(quoted, ids)), "ids"))
            lines += Block("@runner.parametrize(", tuple(shown), ")").lines()
        return lines

    def _declared_later(self, declaration: _Declaration, function: str) -> list[str]:
        members = declaration.family.members
        if len(members) == 1:
            one = members[0]
            own = (f"name={quoted(one.name)}", *self._python(one), *declaration.arguments)
            return Block("runner.session(", own, f")({function})").lines()
        loops, name, python = loops_of(members)
        lines: list[str] = []
        for depth, loop in enumerate(loops):
            self._needs |= {"product"} if "product(" in loop.flat() else set()
            lines += loop.lines("    " * depth)
        indent = "    " * len(loops)
        if declaration.uses and name != "name":
            lines.append(f"{indent}name = {name}")
            name = "name"
        if "factors" in declaration.uses:
            lines.append(f'{indent}factors = name.split("-")')
        own = (f"name={name}", *([f"python={python}"] if python else []))
        arguments = (*own, *declaration.arguments)
        return [*lines, *Block("runner.session(", arguments, f")({function})").lines(indent)]

    def _python(self, one: Environment) -> list[str | Block]:
        if one.pythons in self._pythons:
            block = list_of([quoted(p) for p in one.pythons])
            return [f"python={self._constant(self._pythons[one.pythons], block)}"]
        if one.pythons:
            return [list_of([quoted(p) for p in one.pythons], "python")]
        return [f"python={quoted(one.python)}"] if one.python else []

    def _declare(self, family: Family) -> _Declaration:
        one = family.first
        arguments: list[str | Block] = []
        said_of_versions = {
            "lock": one.lock,
            "resolution": one.resolution,
            "prerelease": one.prerelease,
        }
        arguments += [f"{key}={quoted(text)}" for key, text in said_of_versions.items() if text]
        if one.shares:
            arguments.append(f"environment={quoted(one.shares)}")
        # What a shared environment is made of is said once, by the first.
        said = one.shares in self._shared
        if one.shares:
            self._shared.add(one.shares)
        for key in ("deps", "requirements", "constraints", "groups", "extras"):
            block = "" if said else self._list(family, key)
            if block:
                arguments.append(block)
        if one.project and not said:
            arguments.append(f"project={quoted(one.project)}")
        if one.backend_options:
            arguments.append(list_of([quoted(o) for o in one.backend_options], "backend_options"))
        env = self._env(family)
        if env:
            arguments.append(env)
        tags = self._list(family, "tags")
        if tags:
            arguments.append(tags)
        if one.after:
            arguments.append(list_of([quoted(name) for name in one.after], "after"))
        if not one.listed:
            arguments.append("default=False")
        if not one.reuse:
            arguments.append("reuse=False")
        text = " ".join(a if isinstance(a, str) else a.flat() for a in arguments)
        uses = frozenset(
            w for w in ("name", "factors") if re.search(rf"(?<![\"'-])\b{w}\b(?![\"'=-])", text)
        )
        return _Declaration(family, tuple(arguments), uses)

    def _list(self, family: Family, key: str) -> Block | str:
        """An argument that is a list; "" where nothing is in it."""
        items: list[str] = []
        by_factor: dict[str, list[str]] = {}
        tested: list[tuple[str, str, str]] = []  # an entry, its test, the only factor of that
        plain = plain_list(family, key)
        entries = merged(family, lambda one: getattr(one, key))
        self._needs |= {need for item, _ in entries for need in needs_of(item.value)} - {"session"}
        if plain in self._lists and len(plain) == len(entries):
            return f"{key}={self._constant(self._lists[plain], list_of(plain))}"
        for item, names in entries:
            shown = if_any(self._in_declaration(item.value, family))
            test = self._test(item, names, family)
            if not test:
                items.append(shown)
                continue
            factor = "" if item.platform else only_factor(names, family.names)
            if factor:
                by_factor.setdefault(factor, []).append(shown)
            tested.append((shown, test, factor))
        self._put_constant(items, plain)
        if len(by_factor) > 1:
            items.append(self._of_table(family, key, by_factor))
            tested = [one for one in tested if not one[2]]
        more: list[Choice] = []
        for shown, test, _ in tested:
            joins = bool(more) and more[-1].test == test
            together = f"{more.pop().then[1:-1]}, {shown}" if joins else shown
            more.append(Choice("*(", f"[{together}]", test, "[]"))
        if not items and len(more) == 1:
            alone = f"{key}={more[0].then} if {more[0].test} else []"
            return alone if len(alone) < WIDTH - 10 else list_of(more, key)
        if len(items) == 1 and not more and re.fullmatch(r"\*[A-Z_0-9]+\[\w+\]", items[0]):
            return f"{key}={items[0][1:]}"
        return list_of([*items, *more], key) if items or more else ""

    def _put_constant(self, items: list[str], plain: tuple[str, ...]) -> None:
        """The longest shared list that stands in the entries is its constant there."""
        longest_first = sorted(self._lists, key=len, reverse=True)
        part = next((p for p in longest_first if stands_within(p, plain, items)), None)
        if part:
            name = self._constant(self._lists[part], list_of(part))
            at = next(n for n in range(len(items)) if items[n : n + len(part)] == list(part))
            items[at : at + len(part)] = [f"*{name}"]

    def _of_table(self, family: Family, key: str, by_factor: dict[str, list[str]]) -> str:
        """The entries that a table has for the factors of a name."""
        entries = tuple(_entry(quoted(f), list_of(v)) for f, v in by_factor.items())
        name = self._constant(constant_name(family, key), Block("{", entries, "}"))
        axis = _axis_with(family, by_factor)
        if axis:
            return f"*{name}[{axis}]"
        return f"*(text for factor in factors for text in {name}.get(factor, []))"

    def _constant(self, name: str, block: Block) -> str:
        base, number = name, 2
        while self._constants.get(name, block) != block:
            name, number = f"{base}_{number}", number + 1
        self._constants[name] = block
        return name

    def _env(self, family: Family) -> Block | str:
        items: list[str | Choice] = []
        entries = [e for e in merged(family, lambda one: one.env) if is_known_early(e[0].value[1])]
        for variable in dict.fromkeys(item.value[0] for item, _ in entries):
            of_it = [(item, names) for item, names in entries if item.value[0] == variable]
            chosen = self._by_axis(variable, of_it, family) or self._tell_apart(of_it, family)
            if chosen:
                items.append(f"{quoted(variable)}: {chosen}")
                continue
            for item, names in of_it:
                test = self._test(item, names, family)
                entry = f"{quoted(variable)}: {self._in_declaration(item.value[1], family)}"
                items.append(Choice("**(", f"{{{entry}}}", test, "{}") if test else entry)
        plain = plain_env(family)
        shared = [p for p in sorted(self._envs, key=len, reverse=True) if set(p) <= set(plain)]
        if shared and items:
            part = shared[0]
            name = self._constant(self._envs[part], Block("{", part, "}"))
            if len(part) == len(items):
                return f"env={name}"
            items = [f"**{name}", *(item for item in items if item not in part)]
        return Block("env={", tuple(items), "}") if items else ""

    def _by_axis(
        self,
        variable: str,
        entries: Sequence[tuple[Item[tuple[str, Text]], tuple[str, ...]]],
        family: Family,
    ) -> str:
        """What a variable is for each word of a part of the names: it, or of a table; else ""."""
        by_factor = {
            only_factor(names, family.names): self._in_declaration(item.value[1], family)
            for item, names in entries
            if not item.platform
        }
        axis = _axis_with(family, by_factor)
        if not axis or len(by_factor) < len(entries):
            return ""
        if all(shown == quoted(factor) for factor, shown in by_factor.items()):
            return axis
        pairs = tuple(f"{quoted(factor)}: {shown}" for factor, shown in by_factor.items())
        name = re.sub(r"\W", "_", variable).upper() + "_OF"
        return f"{self._constant(name, Block('{', pairs, '}'))}[{axis}]"

    def _tell_apart(
        self, entries: Sequence[tuple[Item[tuple[str, Text]], tuple[str, ...]]], family: Family
    ) -> str:
        """`"1" if test else "2"`, where each has the one or the other; else ""."""
        if len(entries) != 2:
            return ""
        (one, names), (other, others) = entries
        if one.platform or other.platform or set(names) & set(others):
            return ""
        if len(names) + len(others) < len(family.names):
            return ""
        test = self._test(one, names, family)
        if "not in" in test:
            one, other, test = other, one, self._test(other, others, family)
        shown = [self._in_declaration(item.value[1], family) for item in (one, other)]
        return f"{shown[0]} if {test} else {shown[1]}"

    def _in_declaration(self, text: Text, family: Family) -> str:
        """The text where no session is at hand."""
        single = quoted(family.first.name) if len(family.members) == 1 else "name"
        made: list[str | Code] = []
        for piece in text:
            if isinstance(piece, str):
                made.append(piece)
            elif "name" in piece.needs and single != "name":
                made.append(family.first.name)  # known here
            else:
                made.append(
                    piece._replace(expression=piece.expression.replace("session.name", "name"))
                )
        self._needs |= needs_of(text)
        return expression(tuple(made))

    def _test(self, item: Item[object], names: Sequence[str], family: Family) -> str:
        self._needs |= modules_in(item.platform)
        return on_platform(test_of(names, family.names, item.when, "name"), item.platform)


def _docstring(doc: str) -> list[str]:
    doc = doc.replace("\\", "\\\\").replace('"""', "'''").strip()
    doc = doc[:1].upper() + doc[1:]
    if doc.endswith('"'):
        doc += " "
    if not doc.endswith((".", "!", "?", ")")):
        doc += "."
    one = f'    """{doc}"""'
    if len(one) <= WIDTH + 12:
        return [one]
    lines = wrap(doc, WIDTH - 7)
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def _doc_of(family: Family) -> str:
    docs = list(dict.fromkeys(one.doc for one in family.members))
    return docs[0] if len(docs) == 1 else ""


def _entry(key: str, block: Block) -> Block:
    return Block(f"{key}: {block.head}", block.items, block.tail)


def _axis_with(family: Family, by_factor: Collection[str]) -> str:
    """The variable of the loop whose values are just these factors; "" where there is none."""
    for axis in variables_of(family.members):
        if axis.name != "python" and set(axis.words) == set(by_factor) and len(axis.words) > 1:
            return axis.name
    return ""
