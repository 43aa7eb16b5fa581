"""Imports of nox, and what an envfile needs besides."""

from __future__ import annotations

import ast

from runner.convert.nox_file import TOOLS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.convert.nox_options import Options
    from runner.convert.nox_rewriting import Rewriting


# Where they are used it is told, or they go with their uses.
_TOLD_ELSEWHERE = ("needs_version", "main", "command", "sessions", "virtualenv", "registry")


class Imports:
    """Rewrites what a noxfile imports of nox."""

    def __init__(self, rewriting: Rewriting, names: dict[str, str]) -> None:
        """names: what of nox is what of runner."""
        self._to = rewriting
        self._names = names
        self._source = rewriting.source
        self._edits = rewriting.edits
        self._noxfile = rewriting.noxfile
        self._told_of_poetry = False
        self._imported = False  # `import runner` is there

    def rewrite(self, node: ast.Import) -> None:
        kept: list[str] = []
        for alias in node.names:
            if alias.name.partition(".")[0] not in TOOLS:
                kept.append(f"{alias.name} as {alias.asname}" if alias.asname else alias.name)
            elif not self._imported or self._source.function(node) is not None:
                self._imported = self._imported or self._source.function(node) is None
                ours = self._to.ours
                kept.append("runner" if ours == "runner" else f"runner as {ours}")
        if kept == [f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names]:
            return
        self._to.done |= set(ast.walk(node))
        if kept:
            self._edits.replace(self._source.span(node), f"import {', '.join(kept)}")
        else:
            self._edits.delete_statement(node)

    def rewrite_from(self, node: ast.ImportFrom) -> None:
        kept: list[str] = []
        for alias in node.names:
            ours = self._names.get(f"{node.module}.{alias.name}", "")
            if ours and "." not in ours:
                kept.append(f"{ours} as {alias.asname}" if alias.asname else ours)
            elif ours:
                self._to.imports.add("import runner")
            elif f"{node.module}.{alias.name}" == "nox.logger.logger":
                self._to.imports |= {
                    "import logging",
                    f"{alias.asname or 'logger'} = logging.getLogger(__name__)",
                }
                self._to.note(
                    "approximated",
                    node,
                    "nox.logger: a logger of its own, which shows warnings",
                    beside=False,
                )
            elif alias.name not in _TOLD_ELSEWHERE:
                self._to.note("left", node, f"{node.module}.{alias.name} has no counterpart")
        if node.module and node.module.startswith("nox_poetry"):
            self._poetry(node)
        self._to.done |= set(ast.walk(node))
        if kept:
            self._edits.replace(self._source.span(node), f"from runner import {', '.join(kept)}")
        else:
            self._edits.delete_statement(node)

    def _poetry(self, node: ast.stmt) -> None:
        if self._told_of_poetry:
            return
        self._told_of_poetry = True
        self._to.note(
            "approximated", node, "nox_poetry: installs do not keep to poetry.lock", beside=False
        )

    def add_lines(self, options: Options) -> None:
        """Put in what an envfile needs besides: imports, and what nox does unasked."""
        skips = options.skip_missing()
        has_default = any(
            self._noxfile.of_nox(t) == "nox.options.sessions"
            for node in ast.walk(self._source.tree)
            if isinstance(node, ast.Assign)
            for t in node.targets
        )
        lines = [skips] if skips else []
        if options.grows and not has_default:
            lines.append(f"DEFAULT = {self._to.ours}.options.default = []")
        if self._imported is False and any(self._to.ours + "." in line for line in lines):
            self._to.imports.add("import runner")
        imports = self._at_the_top()
        needed = sorted(self._to.imports - {self._source.segment(n) for n in imports})
        if self._imported:
            needed = [line for line in needed if line != "import runner"]
        later = [line for line in needed if not line.startswith(("import", "from"))]
        needed = [line for line in needed if line not in later]
        plain = [n for n in imports if not self._is_future(n)]
        if plain:
            for line in needed:
                self._edits.put_above(self._place_of(line, plain), line)
            stays = not self._edits.is_deleted(plain[0].lineno)
            if (
                needed
                and stays
                and (self._is_of_nox(plain[0]) or isinstance(plain[0], (ast.Try, ast.If)))
            ):
                self._edits.put_above(plain[0].lineno, "")
        self._put_behind([*later, *lines], imports)

    def _at_the_top(self) -> list[ast.stmt]:
        """The imports above all functions; a `try` or `if` around one of nox is one, too."""
        found: list[ast.stmt] = []
        for node in self._source.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                break
            if isinstance(node, (ast.Import, ast.ImportFrom)) or (
                isinstance(node, (ast.Try, ast.If)) and any(map(self._is_of_nox, ast.walk(node)))
            ):
                found.append(node)
        return found

    @staticmethod
    def _is_of_nox(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return any(alias.name.partition(".")[0] in TOOLS for alias in node.names)
        return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in TOOLS

    @staticmethod
    def _is_future(node: ast.stmt) -> bool:
        return isinstance(node, ast.ImportFrom) and node.module == "__future__"

    def _place_of(self, line: str, imports: list[ast.stmt]) -> int:
        """The line above which an import stands by its name, among those of its kind."""
        word = line.split()[1]
        for node in imports:
            name = ""
            if isinstance(node, ast.Import) and line.startswith("import"):
                name = node.names[0].name
            elif isinstance(node, ast.ImportFrom) and line.startswith("from"):
                name = node.module or ""
            if name > word or name.partition(".")[0] in TOOLS:
                return node.lineno
        return imports[0].lineno

    def _put_behind(self, lines: list[str], imports: list[ast.stmt]) -> None:
        """Lines where options stand, or else behind the imports."""
        options = [
            node
            for node in self._source.tree.body
            if isinstance(node, ast.Assign)
            and any(self._noxfile.of_nox(t).startswith("nox.") for t in node.targets)
        ]
        if not lines or not (options or imports):
            return
        last = options[-1] if options else imports[-1]
        end = (last.end_lineno or last.lineno) + 1
        if not options:
            lines = ["", *lines]
        self._edits.put_lines(end, lines)
