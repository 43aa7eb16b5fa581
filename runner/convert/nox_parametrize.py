"""`@nox.parametrize(...)` and `nox.param(...)` as an envfile has them."""

from __future__ import annotations

import ast

from runner.convert.layout import Bracket, Entry
from runner.convert.nox_file import constant
from runner.declare import cleaned, is_safe
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.nox_file import Declaration
    from runner.convert.nox_rewriting import Rewriting


class Parametrize:
    """Rewrites the parameters of sessions."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._to = rewriting
        self._noxfile = rewriting.noxfile
        self._source = rewriting.source
        self._edits = rewriting.edits

    def python_of(self, declared: Declaration, kept: list[Entry]) -> Entry | None:
        """`@nox.parametrize("python", [...])`: it names the Python where nobody takes it."""
        function = declared.function
        arguments = [*function.args.args, *function.args.kwonlyargs]
        if any(argument.arg == "python" for argument in arguments):
            return None
        if any(str(entry.text).startswith("python=") for entry in kept):
            return None
        for decorator in function.decorator_list:
            if not (isinstance(decorator, ast.Call) and len(decorator.args) >= 2):
                continue
            if self._noxfile.of_nox(decorator.func) != "nox.parametrize":
                continue
            if constant(decorator.args[0]) == "python":
                self._to.done.add(decorator)
                values = decorator.args[1]
                text = self._edits.rendered(self._source.span(values))
                if not isinstance(values, (ast.List, ast.Tuple, ast.ListComp, ast.Name)):
                    text = f"list({text})"
                self._edits.delete_lines(decorator.lineno, decorator.end_lineno or decorator.lineno)
                self._to.note(
                    "approximated",
                    decorator,
                    f"{declared.name}(python='3.12') is {declared.name}-3.12 now, and so on",
                    beside=False,
                )
                return Entry(f"python={text}", indent=self._source.indent(values.lineno))
            names = self._names(decorator.args[0])
            if "python" in names and len(names) == 2:
                return self._matrix(declared, decorator, names)
        return None

    @staticmethod
    def _names(node: ast.expr) -> list[str]:
        if isinstance(node, (ast.List, ast.Tuple)):
            return [str(constant(item)) for item in node.elts]
        return [name.strip() for name in str(constant(node)).split(",")]

    def _matrix(self, declared: Declaration, decorator: ast.Call, names: list[str]) -> Entry | None:
        """Pairs of a Python and something else: all pairs, of which others skip themselves."""
        function, values = declared.function, decorator.args[1]
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        if (
            not body
            or not self._source.has_own_lines(body[0])
            or decorator.keywords
            or any(
                isinstance(node, ast.Call) and self._noxfile.of_nox(node.func) == "nox.param"
                for node in ast.walk(values)
            )
        ):
            return None
        self._to.done.add(decorator)
        other = names[1 - names.index("python")]
        first = function.decorator_list[0].lineno
        if isinstance(values, ast.Name):
            constant_name = values.id
        else:
            constant_name = f"{function.name.upper()}_MATRIX"
            text = self._edits.rendered(self._source.span(values))
            indent = self._source.indent(values.lineno)
            above = self._source.indent(first)
            start, *rest = f"{constant_name} = {text}".split("\n")
            lines = [start, *(f"{above}{line.removeprefix(indent)}" for line in rest)]
            self._edits.put_above(first, "\n".join(lines) + "\n\n")
        values_of = f"list(dict.fromkeys({_one_of(other, names, constant_name)}))"
        entries = (Entry(self._to.quoted(other)), Entry(values_of))
        bracket = Bracket(f"{self._to.ours_for('parametrize')}(", entries, ")")
        indent = self._source.indent(decorator.lineno)
        self._edits.absorb(
            self._source.span(decorator), bracket.written(indent, self._to.width, ahead=1)
        )
        here = ", ".join(
            f"{declared.argument}.python" if name == "python" else name for name in names
        )
        top = body[0].lineno
        self._edits.put_above(top, f"if ({here}) not in {constant_name}:")
        self._edits.put_above(
            top, f"    {declared.argument}.skip({self._to.quoted('not in the matrix')})"
        )
        self._to.note(
            "approximated",
            decorator,
            f"{declared.name}(python=...) is {declared.name}-3.12-... now; pairs that were not"
            " there are listed too, and skip themselves, which fails a run that names them",
            beside=False,
        )
        return Entry(f"python=list(dict.fromkeys({_one_of('python', names, constant_name)}))")

    def rewrite(self, call: ast.Call) -> None:
        """Values and ids that an envfile would not take."""
        if len(call.args) > 1 and self._noxfile.of_nox(call.func) == "nox.parametrize":
            values = call.args[1]
            if isinstance(values, ast.Constant):
                self._edits.insert(self._source.start(values), "[")
                self._edits.insert(self._source.end(values), "]")
        nodes = [k.value for k in call.keywords if k.arg in ("id", "ids")]
        for keyword in call.keywords:
            shown = ast.unparse(call.args[1]) if len(call.args) > 1 else None
            is_list = isinstance(keyword.value, (ast.List, ast.Tuple))
            if keyword.arg == "ids" and not is_list and ast.unparse(keyword.value) == shown:
                # The values are their own names; those that cannot be are made to.
                self._edits.drop(call, keyword)
        if len(call.args) > 2:
            nodes.append(call.args[2])
            self._edits.insert(self._source.start(call.args[2]), "ids=")
        for node in nodes:
            items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
            for item in items:
                given = constant(item)
                if isinstance(given, str) and not is_safe(given):
                    safe = cleaned(given)
                    self._edits.replace(self._source.span(item), self._to.quoted(safe))
                    self._to.note(
                        "approximated",
                        item,
                        f"the id {given!r} would not be safe in a shell: it is {safe!r} now",
                        beside=False,
                    )
        for keyword in call.keywords:
            if keyword.arg == "tags" and self._noxfile.of_nox(call.func) == "nox.parametrize":
                self._to.note(
                    "left", keyword, "tags of each set of values: runner.param(value, tags=[...])"
                )
                start = max(
                    self._source.end(node)
                    for node in [*call.args, *(k.value for k in call.keywords if k is not keyword)]
                    if self._source.end(node) <= self._source.start(keyword)
                )
                self._edits.replace((start, self._source.end(keyword)), "")


def _one_of(name: str, names: Sequence[str], constant: str) -> str:
    """`python for python, _ in MATRIX`."""
    taken = ", ".join(one if one == name else "_" for one in names)
    return f"{name} for {taken} in {constant}"
