"""Names of nox → names of runner."""

from __future__ import annotations

import ast
import re

from runner.convert.nox_file import TOOLS, constant
from runner.convert.nox_imports import Imports
from runner.convert.nox_options import Options
from runner.names import cleaned, is_safe
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert.nox_rewriting import Rewriting

# What of nox is what of runner.
_NAMES = {
    "nox": "",
    "nox.session": "session",
    "nox.registry.session_decorator": "session",
    "nox.Session": "Session",
    "nox.sessions.Session": "Session",
    "nox.parametrize": "parametrize",
    "nox.param": "param",
    "nox.options": "options",
    "nox.project": "project",
    "nox.project.load_toml": "project.load_toml",
    "nox.project.python_versions": "project.python_versions",
    "nox.project.dependency_groups": "project.dependency_groups",
    "nox.command.CommandFailed": "CommandFailed",
    "nox_uv.session": "session",
    "nox_poetry.session": "session",
    "nox_poetry.Session": "Session",
    "nox_poetry.sessions.Session": "Session",
}


class Names:
    """Rewrites what a noxfile names."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._to = rewriting
        self._source = rewriting.source
        self._edits = rewriting.edits
        self._noxfile = rewriting.noxfile
        self._imports = Imports(rewriting, _NAMES)
        self._options = Options(rewriting)

    def rewrite(self) -> None:
        for node in list(ast.walk(self._source.tree)):
            if isinstance(node, ast.stmt):
                self._statement(node)
        for node in ast.walk(self._source.tree):
            if isinstance(node, (ast.Attribute, ast.Name)) and node not in self._to.done:
                self._name(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._string(node, node.value)
            elif isinstance(node, ast.Try):
                self._caught(node)
            elif isinstance(node, ast.Call):
                self._versions(node)

    def add_lines(self) -> None:
        """Put in what an envfile needs besides."""
        self._imports.add_lines(self._options)

    # Statements. ---------------------------------------------------------------------

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import):
            self._imports.rewrite(node)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.partition(".")[0] in TOOLS:
                self._imports.rewrite_from(node)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            named = self._noxfile.of_nox(node.targets[0])
            if named == "nox.needs_version":
                self._to.delete(node)
            elif named.startswith("nox.options."):
                self._options.rewrite(node, named.removeprefix("nox.options."))
        elif isinstance(node, ast.If) and self._only_runs_nox(node):
            self._to.delete(node)
            self._to.note(
                "approximated",
                node,
                "nox.main: an envfile does not run by itself; `runenv` runs it",
                beside=False,
            )
            if self._source.lines[0].startswith("#!"):
                self._edits.delete_lines(1, 1)

    def _only_runs_nox(self, node: ast.If) -> bool:
        is_main = ast.unparse(node.test).replace('"', "'") == "__name__ == '__main__'"
        return (
            is_main
            and not node.orelse
            and all(
                isinstance(inner, (ast.Import, ast.ImportFrom))
                or (
                    isinstance(inner, ast.Expr)
                    and isinstance(inner.value, ast.Call)
                    and self._noxfile.of_nox(inner.value.func) == "nox.main"
                )
                for inner in node.body
            )
        )

    # Names. --------------------------------------------------------------------------

    def _name(self, node: ast.Attribute | ast.Name) -> None:
        parent = self._source.parent(node)
        named = self._noxfile.of_nox(node)
        if not named:
            return
        if named.startswith("nox.options.sessions."):
            return  # what is done with the list
        if named == "nox.options.sessions":
            is_assigned = isinstance(node.ctx, ast.Store) and not isinstance(parent, ast.AugAssign)
            text = f"{self._to.ours}.options.default" if is_assigned else "DEFAULT"
            self._edits.replace(self._source.span(node), text)
            self._to.done |= set(ast.walk(node))
            return
        longer = isinstance(parent, ast.Attribute) and parent.value is node
        whole = self._noxfile.of_nox(parent) if parent is not None else ""
        if longer and (whole in _NAMES or named not in _NAMES):
            return
        is_imported = isinstance(node, ast.Name) and node.id != named.partition(".")[0]
        if is_imported and "." not in _NAMES.get(named, "."):
            return  # from nox import session
        ours = _NAMES.get(named)
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        stands_for = self._noxfile.of_nox(root)
        if ours is not None and stands_for != "nox":
            kept = _NAMES.get(stands_for, "")
            if kept and "." not in kept and ours == kept + named[len(stands_for) :]:
                self._to.done |= set(ast.walk(node))
                return  # from nox import project
            self._to.imports.add("import runner")
        if ours is not None and named != "nox":
            self._to.done |= set(ast.walk(node))
            self._edits.replace(self._source.span(node), f"{self._to.ours}.{ours}")
        elif not longer and named in TOOLS:
            self._edits.replace(self._source.span(node), self._to.ours)
            self._to.note("left", node, f"what is done with {named} itself is not known")
        elif not longer:
            self._to.done |= set(ast.walk(node))
            self._unknown(node, named)

    def _unknown(self, node: ast.Attribute | ast.Name, named: str) -> None:
        parent = self._source.parent(node)
        in_isinstance = (
            isinstance(parent, ast.Call)
            and ast.unparse(parent.func) == "isinstance"
            and len(parent.args) == 2
            and ast.unparse(parent.args[0]).endswith(".virtualenv")
        )
        kinds = {"nox.virtualenv.PassthroughEnv": "none", "nox.virtualenv.CondaEnv": "conda"}
        if in_isinstance and named in kinds and isinstance(parent, ast.Call):
            session = ast.unparse(parent.args[0]).removesuffix(".virtualenv")
            negated = self._source.parent(parent)
            span, sign = self._source.span(parent), "=="
            if isinstance(negated, ast.UnaryOp) and isinstance(negated.op, ast.Not):
                span, sign = self._source.span(negated), "!="
            self._to.done |= set(ast.walk(parent))
            self._edits.absorb(
                span, f"{session}.venv_backend {sign} {self._to.quoted(kinds[named])}"
            )
            return
        if named == "nox.main":
            self._to.note("left", node, "nox.main has no counterpart: `runenv` runs the file")
            return
        if named == "nox.options.envdir" and not self._noxfile.options("envdir"):
            either = self._source.parent(node)
            if isinstance(either, ast.BoolOp) and isinstance(either.op, ast.Or):
                # It is None while the file is loaded: what stands behind the `or` is taken.
                at = either.values.index(node)
                if at + 1 < len(either.values):
                    then = self._source.start(either.values[at + 1])
                    self._edits.replace((self._source.start(node), then), "")
                    return
        if re.match(r"nox\.options\.", named):
            self._to.note("left", node, f"{named} cannot be read or changed here")
            return
        self._to.note("left", node, f"{named} has no counterpart")

    def _caught(self, node: ast.Try) -> None:
        """`except nox.command.CommandFailed`: ours tells the code by another name."""
        for handler in node.handlers:
            types = getattr(handler.type, "elts", [handler.type])
            named = [self._noxfile.of_nox(one) for one in types if one is not None]
            if "nox.command.CommandFailed" not in named:
                continue
            installs = [
                inner
                for statement in node.body
                for inner in ast.walk(statement)
                if isinstance(inner, ast.Attribute) and inner.attr == "install"
            ]
            if installs:
                self._to.note(
                    "left",
                    handler,
                    "an install that fails raises no CommandFailed: it ends the job",
                )
            for inner in ast.walk(handler):
                if not (isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name)):
                    continue
                if inner.value.id == handler.name and inner.attr == "return_code":
                    text = f"{handler.name}.returncode"
                    self._edits.replace(self._source.span(inner), text)
                elif inner.value.id == handler.name and inner.attr == "reason":
                    text = f"str({handler.name})"
                    self._edits.replace(self._source.span(inner), text)

    def _versions(self, call: ast.Call) -> None:
        """`nox.project.python_versions`, which takes more than ours."""
        if ast.unparse(call.func).endswith("version") and [*map(constant, call.args)] == ["nox"]:
            self._to.note("left", call, "it asks which nox is installed")
        if self._noxfile.of_nox(call.func) != "nox.project.python_versions":
            return
        for keyword in call.keywords:
            if keyword.arg == "sort":
                self._edits.drop(call, keyword)
                self._to.note(
                    "approximated",
                    call,
                    "python_versions: they are sorted",
                    beside=False,
                )

    # Strings. ------------------------------------------------------------------------

    def _string(self, node: ast.Constant, text: str) -> None:
        parent = self._source.parent(node)
        if isinstance(parent, (ast.arg, ast.AnnAssign)) or (
            isinstance(parent, ast.FunctionDef) and parent.returns is node
        ):
            made = re.sub(r"\bnox\.(sessions\.)?Session\b", f"{self._to.ours}.Session", text)
            if made != text:
                self._edits.replace(self._source.span(node), self._to.quoted(made))
            return
        if isinstance(parent, (ast.Expr, ast.FormattedValue, ast.JoinedStr)):
            return  # a docstring; parts of f-strings have no places of their own
        unsafe = [d.name for d in self._noxfile.declared if not is_safe(d.name)]
        is_name = isinstance(parent, ast.keyword) and parent.arg == "name"
        if text in unsafe and not is_name:
            self._edits.replace(self._source.span(node), self._to.quoted(cleaned(text)))
        elif re.match(r"\.nox(/|$)", text):
            self._edits.replace(
                self._source.span(node), self._to.quoted(".runenv" + text.removeprefix(".nox"))
            )
            self._to.note(
                "approximated", node, f"{text!r}: environments are in .runenv here", beside=False
            )
