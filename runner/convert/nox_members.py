"""What a session function does with its Session, where ours is not the same."""

from __future__ import annotations

import ast

from runner.convert.layout import Bracket, Entry, entries_of
from runner.convert.nox_file import constant, is_none
from runner.convert.system import PROGRAMS
from runner.names import cleaned
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.convert.nox_decorators import Decorators
    from runner.convert.nox_rewriting import Rewriting

# What is the same by the same name.
_SAME_NAMES = """
run install run_install run_always conda_install install_and_run_script skip error log warn debug
chdir cd create_tmp notify posargs env name python bin bin_paths venv_backend interactive
"""
_SAME = frozenset(_SAME_NAMES.split())
_PATHS = ("env_dir", "cache_dir")  # which are paths in nox
_OF_VIRTUALENV = {
    "location": "env_dir",
    "location_name": "env_dir",
    "bin": "bin",
    "bin_paths": "bin_paths",
    "env": "env",
    "venv_backend": "venv_backend",
}
_RUNS = ("run", "run_install", "run_always")
_RUN_OPTIONS = frozenset({"stdout", "stderr", "interrupt_timeout", "terminate_timeout"})
_NO_STREAMS = (
    "stdout= and stderr=: silent=True returns the output of both, capture=True a record with"
    " stdout and stderr"
)
_INSTALL_OPTIONS = frozenset({"external", "log", "success_codes", "include_outer_env"})
_OF_UV = ("uv", "uvx")
_SYNCING = ("sync", "run", "add", "remove")
_INSIDE = frozenset({"python", "python3", "pip", "pip3", "coverage", "pytest"})


class Members:
    """Rewrites what functions do with the Sessions that they are handed."""

    def __init__(self, rewriting: Rewriting, decorators: Decorators) -> None:
        self._to = rewriting
        self._source = rewriting.source
        self._edits = rewriting.edits
        self._noxfile = rewriting.noxfile
        self._decorators = decorators
        self._strict = any(
            constant(s.value) is True for s in self._noxfile.options("error_on_external_run")
        )

        self._tells_uv = any(
            isinstance(node, ast.Subscript) and constant(node.slice) == "UV_PROJECT_ENVIRONMENT"
            for node in ast.walk(self._source.tree)
        )

    def rewrite(self) -> None:
        self._in(self._source.tree, frozenset())

    def _in(self, node: ast.AST, sessions: frozenset[str]) -> None:
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            sessions |= frozenset(self._noxfile.session_names(node))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in sessions:
            self._member(node)
        for child in ast.iter_child_nodes(node):
            self._in(child, sessions)

    def _member(self, node: ast.Attribute) -> None:
        parent = self._source.parent(node)
        called = isinstance(parent, ast.Call) and parent.func is node
        session = ast.unparse(node.value)
        if node.attr == "virtualenv":
            self._virtualenv(node, parent, session)
        elif node.attr in _PATHS:
            self._path(node, parent)
        elif node.attr in _RUNS and isinstance(parent, ast.Call) and called:
            self._run(parent, node.attr)
        elif node.attr in ("install", "conda_install") and isinstance(parent, ast.Call) and called:
            self._install(parent, node.attr)
        elif node.attr in ("log", "warn", "debug") and isinstance(parent, ast.Call) and called:
            self._logged(parent)
        elif node.attr == "notify" and isinstance(parent, ast.Call) and called:
            self._notify(parent)
        elif node.attr == "create_tmp":
            self._tmp(node)
        elif node.attr == "venv_backend":
            self._backend(node)
        elif node.attr == "name":
            self._session_name(node)
        elif node.attr not in _SAME:
            self._to.note("left", node, f"{session}.{node.attr} has no counterpart")

    def _virtualenv(self, node: ast.Attribute, parent: ast.AST | None, session: str) -> None:
        if isinstance(parent, ast.Attribute) and parent.attr in _OF_VIRTUALENV:
            ours = f"{session}.{_OF_VIRTUALENV[parent.attr]}"
            self._edits.replace(self._source.span(parent), ours)
        elif isinstance(parent, ast.Attribute) and parent.attr == "is_sandboxed":
            text = f"{session}.venv_backend != {self._to.quoted('none')}"
            outer = self._source.parent(parent)
            if isinstance(outer, ast.UnaryOp) and isinstance(outer.op, ast.Not):
                text = text.replace("!=", "==")
                self._edits.replace(self._source.span(outer), text)
            else:
                self._edits.replace(self._source.span(parent), text)
        elif isinstance(parent, ast.Call) and ast.unparse(parent.func) == "isinstance":
            return  # what it is compared with is looked at
        else:
            more = f".{parent.attr}" if isinstance(parent, ast.Attribute) else ""
            self._to.note("left", node, f"{session}.virtualenv{more} has no counterpart")

    def _path(self, node: ast.Attribute, parent: ast.AST | None) -> None:
        """A path of nox is a string of ours."""
        if isinstance(parent, ast.FormattedValue):
            return
        if isinstance(parent, ast.Call) and node in parent.args:
            known = ast.unparse(parent.func)
            taken = known in ("Path", "pathlib.Path", "str", "os.path.join", "os.fspath")
            if taken or known.endswith((".run", ".install", ".chdir", ".cd")):
                return
        if "pathlib" in self._noxfile.modules:
            path = "pathlib.Path"
        else:
            path = "Path"
            if "Path" not in self._noxfile.modules:
                self._to.imports.add("from pathlib import Path")
        start, end = self._source.span(node)
        self._edits.replace((start, end), f"{path}({self._source.text[start:end]})")

    # Commands. -----------------------------------------------------------------------

    def _run(self, call: ast.Call, method: str) -> None:
        used = not isinstance(self._source.parent(call), ast.Expr)
        for keyword in call.keywords:
            is_strict = keyword.arg == "external" and constant(keyword.value) == "error"
            if is_strict or keyword.arg in ("interrupt_timeout", "terminate_timeout"):
                self._edits.drop(call, keyword)
            elif keyword.arg == "silent" and method != "run":
                if used:
                    self._to.note("left", call, f"session.{method} returns nothing")
                else:
                    self._edits.drop(call, keyword)
        if call.args and constant(call.args[0]) == "nox":
            self._to.note("left", call, "it runs nox, which reads the noxfile")
        more: list[str] = []
        if self._syncs(call):
            place = f"{ast.unparse(call.func).rpartition('.')[0]}.env_dir"
            more.append(f"env={{{self._to.quoted('UV_PROJECT_ENVIRONMENT')}: {place}}}")
        if self._outside(call):
            more.append("external=True")
        if more:
            self._append(call, more)
        self._streams(call)

    def _streams(self, call: ast.Call) -> None:
        """`stdout=` and `stderr=`, which a command of ours does not take."""
        given = {k.arg: k for k in call.keywords if k.arg in ("stdout", "stderr", "silent")}
        alone = isinstance(self._source.parent(call), ast.Expr)
        if given.keys() == {"stdout"} and alone and self._is_text_file(given["stdout"].value):
            file = ast.unparse(given["stdout"].value)
            self._edits.replace(self._source.span(given["stdout"]), "silent=True")
            head = self._edits.rendered(self._source.span(call.func))
            found, below = entries_of(self._source, self._edits, call)
            inner = Bracket(f"{head}(", tuple(entry for _, entry in found), ")", below)
            bracket = Bracket(f"{file}.write(", (Entry(inner),), ")")
            text = bracket.written(self._source.indent(call.lineno), self._to.width)
            self._edits.absorb(self._source.span(call), text)
        elif given.keys() == {"stderr", "silent"} and constant(given["silent"].value) is True:
            quiet = ast.unparse(given["stderr"].value)
            if quiet not in ("None", "subprocess.DEVNULL", "DEVNULL"):
                self._to.note("left", call, _NO_STREAMS)
                return
            self._edits.replace(self._source.span(given["silent"]), "capture=True")
            self._edits.drop(call, given["stderr"])
            self._edits.insert(self._source.end(call), ".stdout")
            if quiet == "None":
                text = "stderr=None: what the command writes to standard error is not shown"
                self._to.note("approximated", call, text, beside=False)
        elif given.keys() == {"stderr"} and is_none(given["stderr"].value):
            self._edits.drop(call, given["stderr"])  # each stays what it is
        elif given.keys() & {"stdout", "stderr"}:
            self._to.note("left", call, _NO_STREAMS)

    def _is_text_file(self, node: ast.expr) -> bool:
        """Whether it is a file that a `with` around it has opened to write text."""
        around = self._source.parent(node)
        if not isinstance(node, ast.Name):
            return False
        while around is not None and not isinstance(around, ast.FunctionDef):
            for item in around.items if isinstance(around, ast.With) else ():
                opened = item.context_expr
                name = item.optional_vars
                if not (isinstance(name, ast.Name) and name.id == node.id):
                    continue
                if not isinstance(opened, ast.Call):
                    return False
                modes = [constant(arg) for arg in opened.args[-1:]]
                modes += [constant(k.value) for k in opened.keywords if k.arg == "mode"]
                return any(mode in ("w", "a", "wt", "at", "x") for mode in modes)
            around = self._source.parent(around)
        return False

    def _outside(self, call: ast.Call) -> bool:
        """Whether nox warns and runs it, where it lies outside of the environment."""
        if not call.args or any(k.arg in ("external", None) for k in call.keywords):
            return False
        function = self._source.function(call)
        declared = next((d for d in self._noxfile.declared if d.function is function), None)
        if self._strict or (declared is not None and self._decorators.is_bare(declared)):
            return False
        first = call.args[0]
        word = constant(first)
        if isinstance(first, ast.Starred):
            return any(w in PROGRAMS or w in _OF_UV for w in self._first_words(first, function))
        if not isinstance(word, str):
            return ast.unparse(first) == "sys.executable"
        base = word.rpartition("/")[2]
        known = word in PROGRAMS or word in _OF_UV or word == "nox"
        if "/" in word or (known and not self._installs(function, base)):
            return True
        return (
            declared is not None and base not in _INSIDE and self._holds_nothing(declared.function)
        )

    def _first_words(self, node: ast.Starred, function: ast.FunctionDef | None) -> Iterator[object]:
        """What a list of words may begin with, where a function makes it."""
        for inner in ast.walk(function) if function is not None else ():
            if not isinstance(inner, ast.Assign) or not isinstance(
                inner.value, (ast.List, ast.Tuple)
            ):
                continue
            names = [ast.unparse(target) for target in inner.targets]
            if ast.unparse(node.value) in names:
                yield from map(constant, inner.value.elts[:1])

    def _syncs(self, call: ast.Call) -> bool:
        """Whether uv would sync an environment that nox has told it, and we do not."""
        words = [constant(arg) for arg in call.args[:2]]
        if words[:1] != ["uv"] or len(words) < 2 or words[1] not in _SYNCING:
            return False
        function = self._source.function(call)
        declared = next((d for d in self._noxfile.declared if d.function is function), None)
        backend = self._decorators.backend(declared)
        told = any(
            keyword.arg in (None, "env") or "UV_PROJECT_ENVIRONMENT" in ast.unparse(keyword.value)
            for keyword in call.keywords
        )
        return backend.split("|")[0] == "uv" and not told and not self._tells_uv

    def _installs(self, function: ast.FunctionDef | None, word: str) -> bool:
        """Whether a function speaks of installing a package of that name."""
        if function is None:
            return False
        return any(
            isinstance(node, ast.Call)
            and "install" in ast.unparse(node.func)
            and not ast.unparse(node.func).endswith(".run_install")
            and any(str(constant(arg) or "").startswith(word) for arg in node.args)
            for node in ast.walk(function)
        )

    def _holds_nothing(self, function: ast.FunctionDef) -> bool:
        """Whether nothing at all is installed, so that a program cannot lie in the environment."""
        arguments = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
        if not arguments:
            return False
        session = arguments[0]
        body = [node for statement in function.body for node in ast.walk(statement)]
        for node in body:
            if not isinstance(node, ast.Name) or node.id != session:
                continue
            parent = self._source.parent(node)
            if not isinstance(parent, ast.Attribute):
                return False  # it is handed on
            if parent.attr not in _SAME or "install" in parent.attr or parent.attr == "run_always":
                return False
        for call in body:
            if isinstance(call, ast.Call) and any(
                constant(arg) in ("install", "sync", "pip", "develop") for arg in call.args
            ):
                return False
        declared = next(d for d in self._noxfile.declared if d.function is function)
        return declared.tool == "nox"

    def _append(self, call: ast.Call, texts: list[str]) -> None:
        """Arguments more."""
        text = ", ".join(texts)
        last = max([*call.args, *(k.value for k in call.keywords)], key=self._source.end)
        end = self._source.end(last)
        rest = self._source.text[end : self._source.end(call) - 1]
        if "\n" in rest and rest.lstrip().startswith(","):
            line = call.end_lineno or call.lineno
            indent = self._source.indent(line) + "    "
            lines = "".join(f"{indent}{one},\n" for one in texts)
            self._edits.insert(self._source.line_start(line), lines)
            return
        made = self._edits.rendered(self._source.span(call))
        column = self._source.start(call) - self._source.line_start(call.lineno)
        if "\n" in made or column + len(made) + len(text) + 2 <= self._to.width:
            self._edits.insert(end, f", {text}")
            return
        head = self._edits.rendered(self._source.span(call.func))
        entries = [entry for _, entry in entries_of(self._source, self._edits, call)[0]]
        bracket = Bracket(f"{head}(", (*entries, *map(Entry, texts)), ")")
        indent = self._source.indent(call.lineno)
        text = bracket.written(indent, self._to.width, ahead=column - len(indent))
        self._edits.absorb(self._source.span(call), text)

    def _install(self, call: ast.Call, method: str) -> None:
        for keyword in call.keywords:
            needless = keyword.arg in (*_INSTALL_OPTIONS, "auto_offline") or (
                method == "conda_install" and keyword.arg not in ("channel", None)
            )
            if needless:
                self._edits.drop(call, keyword)
            elif keyword.arg in _RUN_OPTIONS:
                self._to.note("left", call, f"session.install has no {keyword.arg}=")
        if method == "conda_install" and any(
            str(constant(arg) or "").startswith("-") for arg in call.args
        ):
            self._to.note(
                "left", call, "session.conda_install takes packages, and channel=; no options"
            )

    # The rest. -----------------------------------------------------------------------

    def _logged(self, call: ast.Call) -> None:
        """`session.log("%s", x)`: what a logger puts together."""
        first = constant(call.args[0]) if call.args else None
        if not isinstance(first, str) or len(call.args) < 2 or "%" not in first:
            return
        start, end = self._source.end(call.args[0]), self._source.start(call.args[1])
        self._edits.replace((start, end), " % (")
        self._edits.insert(self._source.end(call.args[-1]), ")" if len(call.args) > 2 else ",)")

    def _notify(self, call: ast.Call) -> None:
        """A session is named by its function, which may be called otherwise."""
        target = call.args[0] if call.args else None
        for declared in self._noxfile.declared:
            name = declared.function.name
            if isinstance(target, ast.Name) and target.id == name != declared.name:
                self._edits.replace(
                    self._source.span(target), self._to.quoted(cleaned(declared.name))
                )

    def _backend(self, node: ast.Attribute) -> None:
        function = self._source.function(node)
        declared = next((d for d in self._noxfile.declared if d.function is function), None)
        if not self._decorators.backend(declared):
            text = "session.venv_backend is uv where uv is there, and not virtualenv as in nox"
            self._to.note("approximated", node, text, beside=False)

    def _session_name(self, node: ast.Attribute) -> None:
        function = self._source.function(node)
        parametrized = function is not None and any(
            "parametrize" in ast.unparse(decorator) for decorator in function.decorator_list
        )
        if parametrized:
            self._to.note(
                "approximated",
                node,
                "session.name is the name in runenv: tests-3.12-django4.2",
                beside=False,
            )

    def _tmp(self, node: ast.Attribute) -> None:
        """Whether the folder is empty each time: nox makes the environment anew."""
        function = self._source.function(node)
        declared = next((d for d in self._noxfile.declared if d.function is function), None)
        keywords = (
            declared.decorator.keywords
            if declared is not None and isinstance(declared.decorator, ast.Call)
            else []
        )
        own = [constant(k.value) for k in keywords if k.arg == "reuse_venv"]
        of_all = [
            constant(s.value)
            for name in ("reuse_existing_virtualenvs", "reuse_venv")
            for s in self._noxfile.options(name)
        ]
        if not any(value in (True, "yes", "always") for value in [*own, *of_all]):
            self._to.note(
                "approximated",
                node,
                "session.create_tmp: the folder is kept with the environment, with what is in it",
                beside=False,
            )
