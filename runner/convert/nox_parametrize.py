"""`@nox.parametrize(...)` and `nox.param(...)` as an envfile has them."""

from __future__ import annotations

import ast

from runner.convert.nox_file import constant, is_none
from runner.names import cleaned, is_safe
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.convert.nox_rewriting import Rewriting


class Parametrize:
    """Rewrites the parameters of sessions."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._to = rewriting
        self._noxfile = rewriting.noxfile
        self._source = rewriting.source
        self._edits = rewriting.edits

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
            for item in _items(node):
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
        if len(call.args) > 1 and self._noxfile.of_nox(call.func) == "nox.parametrize":
            self.name_pythons(self._pythons_of(call))
            if constant(call.args[0]) == "python" and not self._is_taken(call):
                self.name_pythons_of(call.args[1])

    def name_pythons(self, pythons: Iterable[ast.expr]) -> None:
        """None among the Pythons of a session is one that has a name."""
        for python in filter(is_none, pythons):
            self._edits.replace(self._source.span(python), self._to.quoted("3"))
            self._note_none(python)

    def name_pythons_of(self, value: ast.expr) -> None:
        """The same of a list that has a name: it stays, since other things may use it."""
        if not isinstance(value, ast.Name):
            return
        pythons = self._noxfile.value_of(value.id, value.lineno)
        if isinstance(pythons, (ast.List, ast.Tuple)) and any(map(is_none, pythons.elts)):
            named = f"[python or {self._to.quoted('3')} for python in {value.id}]"
            self._edits.replace(self._source.span(value), named)
            self._note_none(value)

    def _note_none(self, node: ast.expr) -> None:
        self._to.note(
            "approximated",
            node,
            "None, the Python that runs nox, is '3' now, which is any Python 3",
            beside=False,
        )

    def _pythons_of(self, call: ast.Call) -> Iterator[ast.expr]:
        """The Pythons of the rows, where they stand there, and are no argument of the function."""
        names = [constant(item) for item in _items(call.args[0])]
        if len(names) == 1:
            names = [name.strip() for name in str(names[0]).split(",")]
        if "python" not in names or self._is_taken(call):
            return
        for row in _items(call.args[1]):
            if isinstance(row, ast.Call) and self._noxfile.of_nox(row.func) == "nox.param":
                values = row.args
            else:
                values = _items(row) if len(names) > 1 else [row]
            yield from values[names.index("python") :][:1]

    def _is_taken(self, call: ast.Call) -> bool:
        """Whether `python` is an argument of the function, and names no Python."""
        function = self._source.parent(call)
        arguments = function.args.args if isinstance(function, ast.FunctionDef) else []
        return any(one.arg == "python" for one in arguments)


def _items(node: ast.expr) -> list[ast.expr]:
    """What stands in a list; a list of one for all else."""
    return node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
