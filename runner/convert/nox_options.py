"""`nox.options` as `runner.options`."""

from __future__ import annotations

import ast

from runner.convert.nox_file import backend_of, constant, is_none
from runner.names import cleaned
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.convert.nox_rewriting import Rewriting

_OPTIONS = {
    "sessions": "default",
    "pythons": "python",
    "default_venv_backend": "backend",
    "force_venv_backend": "backend",
    "stop_on_first_error": "fail_fast",
    "error_on_missing_interpreters": "skip_missing",
    "envdir": "envdir",
    "verbose": "verbose",
    "report": "report",
    "parallel": "jobs",
}
# They say nothing here: so it is anyway, or it is for the command line.
_NEEDLESS = (
    "reuse_existing_virtualenvs",
    "reuse_venv",
    "error_on_external_run",
    "allow_parallel",
    "download_python",
)
_DEFAULT_BACKEND = "uv|virtualenv"


class Options:
    """Rewrites what a noxfile assigns to `nox.options`."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._to = rewriting
        self._source = rewriting.source
        self._edits = rewriting.edits
        self._noxfile = rewriting.noxfile
        self._skips = False  # runner.options.skip_missing is there
        self.grows = any(self._uses_of("nox.options.sessions"))  # the list of sessions

    def _uses_of(self, name: str) -> Iterator[ast.Attribute]:
        """Where an option is read or changed in place."""
        for node in ast.walk(self._source.tree):
            if isinstance(node, ast.Attribute) and self._noxfile.of_nox(node) == name:
                is_read = isinstance(node.ctx, ast.Load)
                if is_read or isinstance(self._source.parent(node), ast.AugAssign):
                    yield node

    def rewrite(self, node: ast.Assign, name: str) -> None:
        target, value = node.targets[0], node.value
        given = constant(value)
        ours = f"{self._to.ours}.options."
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            ours = f"{target.value.id}."  # from nox import options
        span = self._source.span(target)
        if name in ("tags", "keywords"):
            self._selection(node, name)
            return
        if name in _NEEDLESS:
            if name == "reuse_venv" and given in ("no", "never"):
                self._to.note(
                    "approximated",
                    node,
                    "environments are kept: `runenv --fresh` makes them anew",
                    beside=False,
                )
            self._to.delete(node)
            return
        is_ours = isinstance(value, ast.Constant) and given in (_DEFAULT_BACKEND, None)
        if name == "default_venv_backend" and is_ours:
            self._to.delete(node)
            return
        if name not in _OPTIONS:
            self._to.note("left", node, f"nox.options.{name} has no counterpart")
            return
        self._to.done.add(target)
        self._to.done |= set(ast.walk(target))
        self._edits.replace(span, ours + _OPTIONS[name])
        place = self._source.span(value)
        if name == "sessions":
            self._sessions(node)
        elif name == "error_on_missing_interpreters":
            self._skips = True
            if isinstance(given, bool):
                self._edits.replace(place, str(not given))
            else:
                self._edits.insert(place[0], "not (")
                self._edits.insert(place[1], ")")
        elif name in ("default_venv_backend", "force_venv_backend") and isinstance(given, str):
            self._edits.replace(place, self._to.quoted(backend_of(given)))
        elif name == "report" or (name == "pythons" and isinstance(given, str)):
            self._edits.insert(place[0], "[")
            self._edits.insert(place[1], "]")
        elif name == "envdir" and not isinstance(given, str):
            self._edits.insert(place[0], "str(")
            self._edits.insert(place[1], ")")

    def _sessions(self, node: ast.Assign) -> None:
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self._edits.insert(self._source.start(value), "[")
            self._edits.insert(self._source.end(value), "]")
        if self.grows:
            self._edits.insert(self._source.start(node), "DEFAULT = ")

    def _selection(self, node: ast.Assign, name: str) -> None:
        """`nox.options.tags`: the sessions that have one of them, where that is known."""
        values = getattr(node.value, "elts", [node.value])
        wanted = {constant(value) for value in values}
        found = [
            cleaned(declared.name)
            for declared in self._noxfile.declared
            if isinstance(declared.decorator, ast.Call)
            for keyword in declared.decorator.keywords
            if keyword.arg == "tags" and self._noxfile.tool_of(declared.decorator.func)
            if wanted & {constant(v) for v in getattr(keyword.value, "elts", [keyword.value])}
        ]
        if name == "tags" and None not in wanted and found:
            names = ", ".join(map(self._to.quoted, found))
            self._to.done |= set(ast.walk(node))
            self._edits.replace(
                self._source.span(node), f"{self._to.ours}.options.default = [{names}]"
            )
            self._to.note(
                "approximated", node, "nox.options.tags: the sessions that have them", beside=False
            )
            return
        self._to.note(
            "left",
            node,
            f"nox.options.{name} has no counterpart: name the sessions in runner.options.default",
            beside=True,
        )
        self._to.done |= set(ast.walk(node))
        self._comment_out(node)

    def _comment_out(self, node: ast.stmt) -> None:
        """The statement as a comment above what follows it."""
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            start = self._source.line_start(line)
            self._edits.insert(start + len(self._source.indent(line)), "# ")

    def skip_missing(self) -> str:
        """The statement that skips as nox does what lacks its Python; empty where none could."""
        if self._skips or not any(map(self._asks, ast.walk(self._source.tree))):
            return ""
        self._to.imports.add("import os")
        return f'{self._to.ours}.options.skip_missing = "CI" not in os.environ'

    def _asks(self, node: ast.AST) -> bool:
        """Whether it is a session's argument, or a parameter, that names Pythons."""
        if isinstance(node, ast.keyword) and node.arg in ("python", "py"):
            call = self._source.parent(node)
            named = isinstance(call, ast.Call) and (
                self._noxfile.tool_of(call.func) or self._noxfile.is_wrapper(call.func)
            )
            return bool(named) and constant(node.value) is not False and not is_none(node.value)
        if not isinstance(node, ast.Call) or not node.args:
            return False
        if self._noxfile.of_nox(node.func) != "nox.parametrize":
            return False
        function = self._source.parent(node)
        arguments = function.args.args if isinstance(function, ast.FunctionDef) else []
        is_taken = any(argument.arg == "python" for argument in arguments)
        given = [constant(part) for part in getattr(node.args[0], "elts", [node.args[0]])]
        names = [name.strip() for text in given for name in str(text).split(",")]
        return "python" in names and not is_taken
