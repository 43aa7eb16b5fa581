"""What a noxfile's names stand for: nox's own, constants of the file, its sessions.

Knows nothing of envfiles.
"""

from __future__ import annotations

import ast

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.convert.source import Source

TOOLS = ("nox", "nox_uv", "nox_poetry")

# What is the folder of the file, as ast.unparse writes it.
_FOLDERS = {
    f"{start}{end}"
    for start in (
        "Path(__file__)",
        "pathlib.Path(__file__)",
        "Path(__file__).resolve()",
        "pathlib.Path(__file__).resolve()",
        "Path(__file__).absolute()",
        "pathlib.Path(__file__).absolute()",
    )
    for end in (".parent", ".parent.resolve()", ".parent.absolute()", ".parents[0]")
} | {
    "Path.cwd()",
    "pathlib.Path.cwd()",
    "os.path.dirname(__file__)",
    "os.path.dirname(os.path.abspath(__file__))",
    "os.path.abspath(os.path.dirname(__file__))",
}
_BACKENDS = {"mamba": "conda", "micromamba": "conda", "rattler": "conda"}
_CHANGING = ("append", "extend", "insert", "remove", "pop", "clear", "update", "sort")
_STABLE_CALLS = ("Path", "pathlib.Path", "str", "os.path.join", "os.fspath")


class Declaration(Record):
    """A function under nox's decorator, or under one of the file's that hands on to it."""

    function: ast.FunctionDef
    decorator: ast.expr  # a call, or what is called
    name: str  # of the sessions
    argument: str  # what the function calls its Session; "" where it takes none
    tool: str  # "nox", "nox_uv", "nox_poetry"; "" for a decorator of the file's own


class NoxFile:
    """A noxfile, read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.has_nox = False  # it imports something of it
        self.imported: dict[str, str] = {}  # a name of the file: what of nox it stands for
        self.modules: set[str] = set()  # of other imports
        for node in ast.walk(source.tree):
            self._see(node)
        self.constants = self._constants()
        self.wrappers = self._wrappers()
        self.declared = [
            declared
            for node in ast.walk(source.tree)
            if isinstance(node, ast.FunctionDef)
            for declared in [self._declared(node)]
            if declared is not None
        ]
        self.declared.sort(key=lambda one: one.function.lineno)

    def _see(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if alias.name.partition(".")[0] in TOOLS:
                    self.has_nox = True
                    self.imported[name] = alias.name if alias.asname else name
                else:
                    self.modules.add(name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                of_tool = (node.module or "").partition(".")[0] in TOOLS and not node.level
                self.has_nox = self.has_nox or of_tool
                if of_tool and node.module != "nox.logger":
                    self.imported[name] = f"{node.module}.{alias.name}"
                else:
                    self.modules.add(name)

    def of_nox(self, node: ast.AST) -> str:
        """What of nox an expression names, `nox.options.sessions` say; or empty."""
        if isinstance(node, ast.Name):
            named = self.imported.get(node.id, "")
            return named if named and not self._is_argument(node) else ""
        if isinstance(node, ast.Attribute):
            above = self.of_nox(node.value)
            return f"{above}.{node.attr}" if above else ""
        return ""

    def _is_argument(self, node: ast.Name) -> bool:
        """Whether a function around it calls one of its arguments so."""
        inner: ast.AST = node
        while (outer := self.source.parent(inner)) is not None:
            if isinstance(outer, (ast.FunctionDef, ast.Lambda)):
                body = outer.body if isinstance(outer.body, list) else [outer.body]
                if inner in body and node.id in _arguments(outer):
                    return True
            inner = outer
        return False

    def is_taken(self, name: str) -> bool:
        """Whether a name that the envfile would import stands for something else in the file."""
        for node in ast.walk(self.source.tree):
            is_bound = (isinstance(node, ast.Name) and node.id == name) or (
                isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name
            )
            if isinstance(node, (ast.FunctionDef, ast.Lambda)) and name in _arguments(node):
                body = node.body if isinstance(node.body, list) else [node.body]
                if any(self.of_nox(inner) for part in body for inner in ast.walk(part)):
                    return True
            elif is_bound and not (isinstance(node, ast.Name) and self._is_argument(node)):
                return True
        return name in self.modules

    # Constants of the file. ------------------------------------------------------------

    def _constants(self) -> dict[str, ast.Assign | ast.AnnAssign]:
        """The names that the file itself assigns once, and nothing changes."""
        found: dict[str, ast.Assign | ast.AnnAssign] = {}
        times: dict[str, int] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                if self.source.function(node) is None or self._is_global(node):
                    times[node.id] = times.get(node.id, 0) + 1
            elif isinstance(node, ast.Attribute) and node.attr in _CHANGING:
                changed = ast.unparse(node.value)
                times[changed] = times.get(changed, 0) + 2
        for statement in self.source.tree.body:
            target = None
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                target = statement.target
            if isinstance(target, ast.Name) and times.get(target.id) == 1:
                assert isinstance(statement, (ast.Assign, ast.AnnAssign))
                found[target.id] = statement
        return found

    def _is_global(self, node: ast.Name) -> bool:
        function = self.source.function(node)
        return function is not None and any(
            node.id in inner.names for inner in ast.walk(function) if isinstance(inner, ast.Global)
        )

    def value_of(self, name: str, line: int) -> ast.expr | None:
        """The value of a constant of the file that is known above a line."""
        statement = self.constants.get(name)
        if statement is None or statement.lineno >= line:
            return None
        return statement.value

    def is_folder(self, node: ast.expr, line: int) -> bool:
        """Whether it is the folder of the file, wherever a line uses it."""
        if isinstance(node, ast.Name):
            value = self.value_of(node.id, line)
            return value is not None and self.is_folder(value, line)
        return ast.unparse(node) in _FOLDERS

    def is_stable(self, node: ast.expr, line: int) -> bool:
        """Whether an expression is the same above a line as in the functions below it."""
        if isinstance(node, ast.Name):
            value = self.value_of(node.id, line)
            return node.id == "__file__" or (
                value is not None and (self.is_stable(value, line) or _is_table(value))
            )
        if isinstance(node, ast.Constant):
            return isinstance(node.value, (str, int))
        if isinstance(node, ast.Call):
            known = ast.unparse(node.func) in _STABLE_CALLS and not node.keywords
            return known and all(self.is_stable(arg, line) for arg in node.args)
        if isinstance(node, (ast.Attribute, ast.FormattedValue)):
            return self.is_stable(node.value, line)
        if isinstance(node, ast.Subscript):
            return self.is_stable(node.value, line) and self.is_stable(node.slice, line)
        if isinstance(node, ast.BinOp):
            return self.is_stable(node.left, line) and self.is_stable(node.right, line)
        if isinstance(node, ast.JoinedStr):
            return all(self.is_stable(value, line) for value in node.values)
        return False

    # Sessions. -----------------------------------------------------------------------

    def _wrappers(self) -> set[str]:
        """The functions of the file that hand their `**kwargs` on to `nox.session`."""
        found: set[str] = set()
        for node in self.source.tree.body:
            if not isinstance(node, ast.FunctionDef) or node.args.kwarg is None:
                continue
            rest = node.args.kwarg.arg
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and self.tool_of(call.func):
                    handed = [k.value for k in call.keywords if k.arg is None]
                    if any(isinstance(v, ast.Name) and v.id == rest for v in handed):
                        found.add(node.name)
        return found

    def tool_of(self, node: ast.expr) -> str:
        """Whose decorator of sessions it is; empty where it is none."""
        named = self.of_nox(node)
        names = {
            "nox.session": "nox",
            "nox_uv.session": "nox_uv",
            "nox_poetry.session": "nox_poetry",
        }
        return names.get(named.replace("nox.registry.session_decorator", "nox.session"), "")

    def is_wrapper(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.wrappers

    def _declared(self, function: ast.FunctionDef) -> Declaration | None:
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            tool = self.tool_of(called)
            if not tool and not (self.is_wrapper(called) and isinstance(decorator, ast.Call)):
                continue
            name = function.name
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            for keyword in keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    name = str(keyword.value.value)
            arguments = [*function.args.posonlyargs, *function.args.args]
            first = arguments[0].arg if arguments else ""
            return Declaration(function, decorator, name, first, tool)
        return None

    def session_names(self, function: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
        """What a function calls the Sessions that it is handed."""
        arguments = function.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for number, argument in enumerate(every):
            note = argument.annotation
            text = note.value if isinstance(note, ast.Constant) else None
            named = self.of_nox(note) if note is not None else ""
            if isinstance(text, str):
                named = self.imported.get(text, text)
            is_declared = number == 0 and any(one.function is function for one in self.declared)
            if is_declared or argument.arg == "session" or named.endswith(".Session"):
                yield argument.arg

    def options(self, name: str) -> list[ast.Assign]:
        """The statements that assign an option of nox."""
        return [
            node
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Assign)
            and any(self.of_nox(target) == f"nox.options.{name}" for target in node.targets)
        ]

    def called_itself(self, function: ast.FunctionDef) -> bool:
        """Whether the file uses a function otherwise than as a session's name."""
        for node in ast.walk(self.source.tree):
            if not (isinstance(node, ast.Name) and node.id == function.name):
                continue
            if not isinstance(node.ctx, ast.Load):
                return True
            parent = self.source.parent(node)
            is_notified = (
                isinstance(parent, ast.Call)
                and isinstance(parent.func, ast.Attribute)
                and parent.func.attr == "notify"
            )
            if not is_notified:
                return True
        return False


def _arguments(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return {argument.arg for argument in every if argument is not None}


def _is_table(node: ast.expr) -> bool:
    """Whether it is a dict, a list or the like, out of which something is taken."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "dict"
    return isinstance(node, (ast.Dict, ast.List, ast.Tuple))


def constant(node: ast.AST | None) -> object:
    """The value of a constant; None for all else."""
    return node.value if isinstance(node, ast.Constant) else None


def is_none(node: ast.expr) -> bool:
    """Whether it is None, written out."""
    return isinstance(node, ast.Constant) and node.value is None


def keywords_of(declared: Declaration) -> list[ast.keyword]:
    """The arguments of a session's decorator."""
    return declared.decorator.keywords if isinstance(declared.decorator, ast.Call) else []


def backend_of(chain: str) -> str:
    """Nox's backend, or chain of them, in our names."""
    names = [_BACKENDS.get(name.strip(), name.strip()) for name in chain.split("|")]
    return "|".join(dict.fromkeys(names))
