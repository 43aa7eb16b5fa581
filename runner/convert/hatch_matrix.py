"""Matrices of hatch's environments, and what overrides say of their rows.

Rules are those of hatch 1.18 (hatch/project/config.py, MIT).
"""

from __future__ import annotations

import re
from itertools import product
from keyword import iskeyword

from runner.convert.braces import needs_of
from runner.convert.model import Code, Command, Item
from runner.convert.tables import list_in, strings_in
from runner.convert.words import expression, quoted
from runner.record import Record
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.convert.hatch_commands import Context
    from runner.convert.model import Text
    from runner.convert.tables import Table


class Combination(Record):
    """One row of a matrix: variables with their values."""

    values: tuple[tuple[str, str], ...] = ()
    form: str = "{value}"  # of what a value adds to a name (matrix-name-format)

    @property
    def words(self) -> tuple[str, ...]:
        """What it adds to a name."""
        return tuple(
            (f"py{value}" if value[:1].isdigit() else value)
            if name in ("py", "python")
            else _form_of(self.form, name).replace("{value}", value)
            for name, value in self.values
        )


class Matrix(Record):
    """What a session's jobs differ in."""

    pythons: tuple[str, ...] = ()
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    values: Mapping[str, str | Code] = {}
    changes: tuple[Change, ...] = ()
    formats: tuple[tuple[str, str], ...] = ()  # of axes, where a format is said
    words: tuple[str, ...] = ()  # of the name, where a session is one job

    def name_of(self, env: str) -> str | Code:
        """The name that hatch gives to an environment."""
        parts = list(self.words)
        if self.pythons:
            parts.append("py{session.python}")
        formats = dict(self.formats)
        parts += [
            formats.get(name, "{value}").replace("{value}", f"{{{name}}}") for name, _ in self.axes
        ]
        name = ".".join(filter(None, [env, "-".join(parts)]))
        if not (self.pythons or self.axes):
            return name
        return Code(f'f"{name}"', frozenset({"session"}))

    def literal(self, name: str) -> str:
        """The value of a variable, where it is known."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""


class Change(Record):
    """What an override adds for some values of a variable."""

    option: str
    entry: object
    test: str
    variable: Code

    def installs(self, context: Context) -> Iterator[Item[Command]]:
        """What is installed on top."""
        value = str(self.entry.get("value")) if is_dict(self.entry) else str(self.entry)
        if self.option in ("dependencies", "extra-dependencies"):
            yield Item(Command((context.text(value),)), (), self.test)
        elif self.option == "features":
            yield Item(Command((("-e",), (f".[{value}]",))), (), self.test)
        elif self.option == "dependency-groups":
            yield Item(Command((("--group",), (value,))), (), self.test)

    def variables(self, context: Context) -> Iterator[Item[tuple[str, Text]]]:
        """The variables that are set."""
        if self.option == "env-vars" and is_dict(self.entry):
            value = self.entry.get("value")
            text: Text = (self.variable,) if value is None else context.text(str(value))
            # The variable of the matrix is known in the function alone.
            inside = Code(expression(text), needs_of(text) | {"session"})
            yield Item((str(self.entry.get("key")), (inside,)), (), self.test)


_IN_A_FUNCTION = frozenset(
    {"dependencies", "extra-dependencies", "features", "dependency-groups", "env-vars", "path"}
)


def _test(variable: Code, entry: object) -> str:
    """An expression that is true for the values that an override is for; "" for all."""
    wanted = entry.get("if") if is_dict(entry) else None
    if not is_list(wanted):
        return ""
    values = [quoted(str(value)) for value in wanted]
    if len(values) == 1:
        return f"{variable.expression} == {values[0]}"
    return f"{variable.expression} in ({', '.join(values)})"


def _form_of(form: str, variable: str) -> str:
    """What a variable's value adds to a name, with `{value}` for the value."""
    return form.replace("{variable}", variable)


def _variable(name: str) -> str:
    word = re.sub(r"\W", "_", name)
    return f"{word}_" if iskeyword(word) or word in ("session", "runner", "os", "sys") else word


def matrix_of(said: object, overrides: Table, form: str) -> Matrix | None:
    """The matrix, where it is one product and what differs can be said in a function."""
    tables = [strings_in(one) for one in said] if is_list(said) else []
    if not tables:
        return Matrix()
    pythons = [p for t in tables for k in ("python", "py") for p in list_in(t.get(k))]
    if len(tables) > 1 and any(set(t) - {"python", "py"} for t in tables):
        return None
    axes = tuple(
        (_variable(key), tuple(list_in(values)))
        for key, values in tables[0].items()
        if key not in ("python", "py")
    )
    values: dict[str, Code] = {
        key: Code(_variable(key), frozenset({"session"})) for key in tables[0]
    }
    for key in ("python", "py"):
        values[key] = Code("session.python", frozenset({"session"}))
    changes: list[Change] = []
    if "name" in overrides:
        return None
    for variable, options in strings_in(overrides.get("matrix")).items():
        if variable not in values:
            continue
        for option, data in strings_in(options).items():
            if option not in _IN_A_FUNCTION:
                return None
            for entry in entries_of(data):
                if option == "env-vars" and not (is_dict(entry) and "key" in entry):
                    return None
                changes.append(
                    Change(option, entry, _test(values[variable], entry), values[variable])
                )
    formats = tuple(
        (_variable(key), _form_of(form, key))
        for key in tables[0]
        if form != "{value}" and key not in ("python", "py")
    )
    return Matrix(tuple(dict.fromkeys(pythons)), axes, values, tuple(changes), formats)


def combinations_of(matrices: object, form: str) -> list[Combination]:
    """Each row of all matrices, once; one without variables where there are none."""
    found: list[Combination] = []
    for matrix in matrices if is_list(matrices) else ():
        variables = strings_in(matrix)
        names = sorted(variables, key=lambda v: v not in ("py", "python"))
        rows = product(*(list_in(variables[n]) for n in names))
        found += [Combination(tuple(zip(names, values, strict=True)), form) for values in rows]
    return list(dict.fromkeys(found)) or [Combination()]


def overridden(table: Table, overrides: Table, combination: Combination) -> Table:
    """The table as a combination of the matrix has it."""
    made = dict(table)
    matrix = dict(combination.values)
    shown = "-".join(combination.words)  # hatch matches it without the environment before it
    for variable, options in strings_in(overrides.get("matrix")).items():
        if variable in matrix:
            _apply(made, strings_in(options), matrix[variable])
    for pattern, options in strings_in(overrides.get("name")).items():
        if re.search(pattern, shown):
            _apply(made, strings_in(options), shown)
    return made


_LISTS = frozenset(
    {"dependencies", "extra-dependencies", "features", "dependency-groups", "platforms"}
    | {"pre-install-commands", "post-install-commands"}
)


def _apply(made: Table, options: Table, value: str) -> None:
    for option, data in options.items():
        key = option.removeprefix("set-")
        replaces = option != key
        if key in _LISTS:
            found = [text for entry in entries_of(data) for text in _if_so(entry, value, "value")]
            made[key] = found if replaces else [*list_in(made.get(key)), *found]
        elif key in ("env-vars", "scripts"):
            before = {} if replaces else strings_in(made.get(key))
            made[key] = {**before, **dict(_pairs(data, value))}
        else:
            found = [text for entry in entries_of(data) for text in _if_so(entry, value, "value")]
            if found:
                made[key] = {"true": True, "false": False}.get(found[0].lower(), found[0])


def entries_of(data: object) -> list[object]:
    return list(data) if is_list(data) else [data]


def _if_so(entry: object, value: str, key: str) -> Iterator[str]:
    if is_dict(entry):
        wanted = entry.get("if")
        if not is_list(wanted) or value in [str(one) for one in wanted]:
            said = entry.get(key)
            yield from list_in(said) if is_list(said) else [str(said)]
    else:
        yield str(entry)


def _pairs(data: object, value: str) -> Iterator[tuple[str, object]]:
    """The variables that an override sets: `NAME=value`, a name alone, or a table."""
    for entry in entries_of(data):
        if is_dict(entry) and "key" in entry:
            for text in _if_so({**entry, "value": entry.get("value", value)}, value, "value"):
                yield str(entry["key"]), text
        elif is_dict(entry):
            yield from ((str(k), v) for k, v in entry.items())
        else:
            name, equals, text = str(entry).partition("=")
            yield name, text if equals else value
