"""Whether a session function does nothing but tell its Session what to do.

Such a function can be called with a Session that only writes down what it is told. Read
from the source and from what its names mean; a function of which it is not certain is
none. Nothing is called here.
"""

from __future__ import annotations

import ast
import builtins
import glob
import pathlib
from types import FunctionType, ModuleType

from runner.record import Record
from runner.settings import is_dict, is_list, is_set
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Reason(Record):
    """Why a function is none of these."""

    line: int
    text: str
    called: bool = False  # it was, and ended so


def why_not(function: Callable[..., object], source: str, file: str) -> Reason | None:
    """What a function does beside telling its session; None where that is nothing.

    source: of the envfile, which was executed as `file`.
    """
    definitions = {
        (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    return _Reader(definitions, file).reason(function)


class _Found(Exception):
    def __init__(self, node: ast.AST, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(getattr(node, "lineno", 0), text)


_BUILTINS = frozenset({
    "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len", "list", "map",
    "max", "min", "range", "repr", "reversed", "set", "sorted", "str", "sum", "tuple", "zip",
    "False", "None", "True", "KeyError", "ValueError", "OSError",
})  # fmt: skip

# What looks and changes nothing.
_OF_MODULES = frozenset({
    "glob.glob", "os.environ", "os.environ.get", "os.getenv", "os.getcwd", "os.linesep", "os.name",
    "os.path", "os.path.abspath", "os.path.basename", "os.path.dirname", "os.path.exists",
    "os.path.expanduser", "os.path.isdir", "os.path.isfile", "os.path.join", "os.path.relpath",
    "os.path.splitext", "os.pathsep", "os.sep", "platform.machine", "platform.node",
    "platform.python_implementation", "platform.system", "re.fullmatch", "re.match", "re.search",
    "re.sub", "runner.CommandFailed", "runner.Session", "socket.gethostname", "sys.executable",
    "sys.implementation", "sys.implementation.name", "sys.platform", "sys.version_info",
})  # fmt: skip

_METHODS = frozenset({
    "append", "as_posix", "count", "endswith", "exists", "extend", "format", "get", "glob",
    "index", "insert", "is_dir", "is_file", "isdigit", "isdisjoint", "items", "join", "joinpath",
    "keys", "lower", "lstrip", "partition", "relative_to", "removeprefix", "removesuffix",
    "resolve", "rglob", "rpartition", "rstrip", "split", "splitlines", "startswith",
    "strip", "title", "union", "update", "upper", "values", "with_name", "with_suffix",
})  # fmt: skip

# A path has these too, and there they move and copy files.
_OF_TEXTS = frozenset({"copy", "replace"})

_OF_SESSION = frozenset({
    "artifact", "background", "cd", "chdir", "conda_install", "create_tmp", "debug", "error",
    "install", "install_and_run_script", "log", "notify", "run", "run_always", "run_install",
    "skip", "warn",
})  # fmt: skip

_STATEMENTS = (
    ast.AnnAssign, ast.Assign, ast.AugAssign, ast.Break, ast.Continue, ast.Expr, ast.For, ast.If,
    ast.Pass, ast.Return, ast.Try, ast.With,
)  # fmt: skip
_COMPREHENSIONS = (ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp)
_REFUSED = (ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom)


class _Reader:
    def __init__(self, definitions: dict[tuple[str, int], ast.FunctionDef], file: str) -> None:
        self._definitions = definitions
        self._file = file
        self._reading: list[object] = []

    def reason(self, function: object) -> Reason | None:
        """What it does beside; None where that is nothing."""
        if function in self._reading:
            return Reason(0, "it calls itself")
        code = getattr(function, "__code__", None)
        where = (getattr(code, "co_name", ""), getattr(code, "co_firstlineno", 0))
        node = self._definitions.get(where)
        if not isinstance(function, FunctionType) or node is None:
            return Reason(0, "its source is not in the envfile")
        if code is None or code.co_filename != self._file or function.__closure__:
            return Reason(node.lineno, "its source is not all that it uses")
        self._reading.append(function)
        try:
            _Body(node, function, self).check()
        except _Found as found:
            return found.reason
        finally:
            self._reading.pop()
        return None


class _Body:
    """One function."""

    def __init__(self, node: ast.FunctionDef, function: FunctionType, reader: _Reader) -> None:
        self._node = node
        self._globals = function.__globals__
        self._reader = reader
        self._local = set(function.__code__.co_varnames)
        arguments = [*node.args.posonlyargs, *node.args.args]
        self._session = arguments[0].arg if arguments else ""

    def check(self) -> None:
        """Raises _Found for what is more than telling the session."""
        for statement in self._node.body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if not isinstance(node, _STATEMENTS):
            raise _Found(node, f"a statement of the kind {type(node).__name__.lower()}")
        for target in _targets(node):
            self._target(target)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif isinstance(child, ast.ExceptHandler):
                for inner in child.body:
                    self._statement(inner)
                if child.name == self._session:
                    raise _Found(child, f"it sets {child.name}")
                if child.type is not None:
                    self._expression(child.type)
            elif isinstance(child, ast.withitem):
                self._expression(child.context_expr)
            elif isinstance(child, ast.expr) and not (
                isinstance(node, ast.AnnAssign) and child is node.annotation
            ):
                self._expression(child)

    def _target(self, node: ast.expr) -> None:
        """What is assigned to is the function's own."""
        if isinstance(node, ast.Starred):
            node = node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            for one in node.elts:
                self._target(one)
            return
        if isinstance(node, ast.Name) and node.id != self._session:
            return
        if isinstance(node, ast.Subscript):
            held = node.value
            of_session = isinstance(held, ast.Attribute) and self._is_session(held.value)
            if of_session or (isinstance(held, ast.Name) and held.id in self._local):
                return
        raise _Found(node, f"it sets {ast.unparse(node)}")

    def _expression(self, node: ast.AST) -> None:
        if isinstance(node, _REFUSED):
            raise _Found(node, ast.unparse(node))
        if isinstance(node, ast.NamedExpr):
            self._target(node.target)
        if isinstance(node, ast.Call):
            self._call(node)
            return
        if isinstance(node, ast.Attribute):
            self._attribute(node)
            return
        if isinstance(node, ast.Name):
            self._name(node)
            return
        if isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
            return
        for child in ast.iter_child_nodes(node):
            self._expression(child)

    def _comprehension(self, node: ast.AST) -> None:
        """Its variables are known in it alone."""
        stored = {
            name.id
            for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }
        known, self._local = self._local, self._local | stored
        for child in ast.iter_child_nodes(node):
            self._expression(child)
        self._local = known

    def _name(self, node: ast.Name) -> None:
        if node.id == self._session or node.id in self._local or isinstance(node.ctx, ast.Store):
            return
        value = self._meaning(node)
        if not (_is_data(value) or (self._is_builtin(node) and node.id in _BUILTINS)):
            raise _Found(node, f"it uses {node.id}")

    def _meaning(self, node: ast.Name) -> object:
        missing = object()
        return self._globals.get(node.id, getattr(builtins, node.id, missing))

    def _is_builtin(self, node: ast.Name) -> bool:
        return node.id not in self._globals and node.id not in self._local

    def _is_session(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._session

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_"):
            raise _Found(node, f"it uses {ast.unparse(node)}")
        if self._is_session(node.value):
            if node.attr in _OF_SESSION:
                raise _Found(node, f"it hands on {ast.unparse(node)}")
            return
        dotted = self._of_module(node)
        if dotted == "":
            self._expression(node.value)
        elif dotted not in _OF_MODULES:
            raise _Found(node, f"it uses {dotted}")

    def _of_module(self, node: ast.expr) -> str:
        """`os.path.join` for what a module has; "" for what is of no module."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not parts or not isinstance(node, ast.Name) or node.id in self._local:
            return ""
        module = self._meaning(node)
        if not isinstance(module, ModuleType):
            return ""
        return ".".join([module.__name__, *reversed(parts)])

    def _call(self, node: ast.Call) -> None:
        called = node.func
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            passed = argument.value if isinstance(argument, ast.Starred) else argument
            if not self._is_session(passed):
                self._expression(passed)
            elif self._function(called) is None:
                raise _Found(node, f"it hands its session on: {ast.unparse(called)}")
        if isinstance(called, ast.Attribute):
            self._method(called)
        elif isinstance(called, ast.Name):
            self._called_by_name(called)
        else:
            raise _Found(node, f"it calls {ast.unparse(called)}")

    def _method(self, called: ast.Attribute) -> None:
        if self._is_session(called.value):
            if called.attr not in _OF_SESSION:
                raise _Found(called, f"it calls {ast.unparse(called)}")
            return
        dotted = self._of_module(called)
        if dotted:
            if dotted not in _OF_MODULES:
                raise _Found(called, f"it calls {dotted}")
            return
        of_text = called.attr in _OF_TEXTS and self._is_text(called.value)
        if called.attr not in _METHODS and not of_text:
            raise _Found(called, f"it calls {ast.unparse(called)}")
        self._expression(called.value)

    def _is_text(self, node: ast.expr) -> bool:
        """Whether it is certainly no path."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.Attribute):
            return self._is_session(node.value)
        if isinstance(node, ast.Name):
            return node.id not in self._local and isinstance(self._meaning(node), str)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._is_builtin(node.func) and node.func.id in ("str", "repr")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            dotted = self._of_module(node.func)
            return dotted.startswith("os.") if dotted else self._is_text(node.func.value)
        return isinstance(node, ast.JoinedStr)

    def _function(self, called: ast.expr) -> FunctionType | None:
        """The function of the envfile that is called by its name."""
        if not isinstance(called, ast.Name) or called.id in self._local:
            return None
        meant = self._meaning(called)
        return meant if isinstance(meant, FunctionType) and meant is not glob.glob else None

    def _called_by_name(self, called: ast.Name) -> None:
        if called.id in self._local:
            raise _Found(called, f"it calls {called.id}")
        function = self._function(called)
        if function is not None:
            reason = self._reader.reason(function)
            if reason is not None:
                raise _Found(called, f"{called.id}: {reason.text}")
        elif self._meaning(called) not in (glob.glob, pathlib.Path):
            self._name(called)


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        yield from node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For)):
        yield node.target
    elif isinstance(node, ast.With):
        yield from (item.optional_vars for item in node.items if item.optional_vars is not None)


_PLAIN = (str, bytes, int, float, bool, type(None), range, pathlib.PurePath)


def _is_data(value: object) -> bool:
    """Whether it is text, a number, a path, or a list or table of such."""
    if is_dict(value):
        return all(_is_data(part) for pair in value.items() for part in pair)
    if is_list(value) or is_set(value):
        return all(map(_is_data, value))
    # What is of another class may have methods of its own.
    return type(value) in _PLAIN or isinstance(value, pathlib.PurePath)
