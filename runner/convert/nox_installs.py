"""Which `session.install(...)` at the top of a session say what could be declared.

A declared environment is one install of all that is declared, before the function begins. So
only those calls are taken that come first, and whose requirements one resolution can meet as
well as one after the other. Where that is not certain a call stays a call.
"""

from __future__ import annotations

import ast
import re

from packaging.requirements import InvalidRequirement, Requirement

from runner.convert.layout import Entry, entries_of
from runner.record import Record
from runner.requirements.arguments import read_arguments
from runner.session_arguments import RESOLUTIONS
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runner.convert.nox_file import NoxFile
    from runner.convert.nox_rewriting import Rewriting
    from runner.requirements.arguments import Argument


class Needs(Record):
    """What calls of `session.install` ask for, as arguments of `runner.session`."""

    deps: tuple[Entry, ...] = ()
    requirements: tuple[Entry, ...] = ()
    constraints: tuple[Entry, ...] = ()
    groups: tuple[Entry, ...] = ()
    extras: tuple[Entry, ...] = ()
    project: str = ""
    resolution: str = ""
    below: tuple[str, ...] = ()  # comments behind the last entry
    bare: frozenset[str] = frozenset()  # packages of which any version will do
    chosen: frozenset[str] = frozenset()  # packages of which some versions will not
    alone: bool = False  # a file of it says more than requirements, for all of its install

    def first(self) -> str:
        """The name of the first argument that says something."""
        names = ("deps", "requirements", "constraints", "groups", "project")
        return next((name for name in names if getattr(self, name)), "deps")

    def with_others(self, other: Needs) -> Needs | None:
        """Both as one install; None where that may not be what two installs give."""
        holds_versions = bool(self.requirements or self.chosen or self.groups)
        clash = (
            # They hold for one call, and would hold for both.
            (self.constraints or self.resolution or other.constraints or other.resolution)
            or self.alone
            or other.alone
            or (other.requirements and (holds_versions or self.project))
            or (other.groups and (holds_versions or self.project))
            or (
                other.chosen
                and (
                    self.requirements
                    or self.project
                    or self.groups
                    or other.chosen & (self.chosen | self.bare)
                )
            )
            or (self.project and other.project and self.project != other.project)
        )
        if clash:
            return None
        return Needs(
            deps=_each_once((*self.deps, *other.deps)),
            requirements=(*self.requirements, *other.requirements),
            groups=_each_once((*self.groups, *other.groups)),
            extras=_each_once((*self.extras, *other.extras)),
            project=self.project or other.project,
            below=(*self.below, *other.below),
            bare=self.bare | other.bare,
            chosen=self.chosen | other.chosen,
        )


def _each_once(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    found: dict[object, Entry] = {}
    for entry in entries:
        found.setdefault(entry.text, entry)
    return tuple(found.values())


class Moved(Record):
    """What is declared instead of calls."""

    needs: Needs
    calls: tuple[ast.Expr, ...]
    arguments: tuple[str, ...]  # of each call the first that says something of it
    unused: tuple[ast.stmt, ...]  # statements that served these calls alone


def installs_to_move(rewriting: Rewriting, function: ast.FunctionDef, session: str) -> Moved | None:
    """What can be declared of what a session's function installs; None where that is nothing."""
    noxfile = rewriting.noxfile
    reader = _Reader(rewriting, function)
    needs, calls = Needs(), list[ast.Expr]()
    arguments: list[str] = []
    for statement in _body(function):
        call = _install(statement, session)
        if call is None or not isinstance(statement, ast.Expr):
            if not _is_harmless(statement, noxfile, session):
                break
            reader.see(statement)
            continue
        one = reader.needs_of(call)
        both = needs.with_others(one) if one is not None else None
        if both is None and not calls:
            both = one
        if both is None or not noxfile.source.has_own_lines(statement):
            break
        needs = both
        calls.append(statement)
        arguments.append(one.first() if one is not None else "deps")
    if not calls:
        return None
    return Moved(needs, tuple(calls), tuple(arguments), tuple(reader.unused(calls)))


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    has_doc = ast.get_docstring(function) is not None
    return function.body[1:] if has_doc else function.body


def _install(statement: ast.stmt, session: str) -> ast.Call | None:
    call = statement.value if isinstance(statement, ast.Expr) else None
    is_it = (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "install"
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == session
    )
    return call if is_it and isinstance(call, ast.Call) else None


# What may come before an install and is the same when it comes after it.
_PURE_NAMES = """
list tuple str len sorted bool Path pathlib.Path os.getenv os.environ.get os.path.join
os.path.abspath os.path.basename os.fsdecode argparse.ArgumentParser
"""
_PURE = frozenset(_PURE_NAMES.split())
_PURE_OF_SESSION = ("create_tmp", "log", "debug", "warn")


def _is_harmless(statement: ast.stmt, noxfile: NoxFile, session: str) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    if isinstance(statement, ast.Assign):
        if not all(isinstance(target, (ast.Name, ast.Tuple)) for target in statement.targets):
            return False  # session.env, os.environ
    elif isinstance(statement, ast.AnnAssign):
        if not isinstance(statement.target, ast.Name):
            return False
    elif not isinstance(statement, ast.Expr):
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and not _is_pure(node, noxfile, session):
            return False
    return True


def _is_pure(call: ast.Call, noxfile: NoxFile, session: str) -> bool:
    if noxfile.of_nox(call.func).startswith("nox.project."):
        return True
    func = call.func
    if isinstance(func, ast.Attribute) and ast.unparse(func.value) == session:
        return func.attr in _PURE_OF_SESSION
    return ast.unparse(func) in _PURE


class _Reader:
    """Reads what is installed."""

    def __init__(self, rewriting: Rewriting, function: ast.FunctionDef) -> None:
        self._noxfile = noxfile = rewriting.noxfile
        self._edits = rewriting.edits
        self._quoted = rewriting.quoted
        self._read = rewriting.read
        self._function = function
        self._line = function.decorator_list[0].lineno
        self._local: dict[str, ast.Assign] = {}
        outer: ast.FunctionDef = function
        while (above := noxfile.source.function(outer)) is not None:
            outer = above
        self._assigned = {
            node.id
            for node in ast.walk(outer)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        } | {node.arg for node in ast.walk(outer) if isinstance(node, ast.arg)}

    def see(self, statement: ast.stmt) -> None:
        """Remember a statement that comes before an install."""
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name) and self._times(target.id) == 1:
                self._local[target.id] = statement

    def _times(self, name: str) -> int:
        return sum(
            isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
            for node in ast.walk(self._function)
        )

    def unused(self, calls: list[ast.Expr]) -> Iterator[ast.stmt]:
        """The statements before the installs that nothing needs without them."""
        gone: list[ast.AST] = list(calls)
        for name, statement in reversed(self._local.items()):
            inside = {node for one in gone for node in ast.walk(one)}
            is_used = any(
                isinstance(node, ast.Name)
                and node.id == name
                and isinstance(node.ctx, ast.Load)
                and node not in inside
                for node in ast.walk(self._function)
            )
            was_used = any(isinstance(node, ast.Name) and node.id == name for node in inside)
            if was_used and not is_used and self._noxfile.source.has_own_lines(statement):
                gone.append(statement)
                yield statement

    # One call. -----------------------------------------------------------------------

    def needs_of(self, call: ast.Call) -> Needs | None:
        """What a call asks for; None where it cannot be declared."""
        for keyword in call.keywords:
            is_default = (
                keyword.arg == "silent"
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value in (True, None)
            )
            if not is_default:
                return None
        found, below = entries_of(self._noxfile.source, self._edits, call)
        words: list[str] = []
        shown: dict[str, Entry] = {}
        deps: list[Entry] = []  # lists of the file, unpacked
        groups: list[Entry] = []
        for node, entry in found:
            if isinstance(node, ast.keyword):
                continue
            if isinstance(node, ast.Starred):
                of_groups = self._groups(node.value)
                if of_groups is not None:
                    groups += [Entry(text, entry.above, entry.behind) for text in of_groups]
                elif self._is_list_of_requirements(node.value):
                    deps.append(entry)
                else:
                    return None
                continue
            word = self._word(node)
            if word is None:
                return None
            words.append(word)
            shown[word] = entry
        made: Needs | None = Needs(below=below)
        for argument in read_arguments(words):
            made = self._with(made, argument, shown) if made is not None else None
        if made is None or (deps and (made.chosen or made.requirements)):
            return None
        return made._replace(deps=(*made.deps, *deps), groups=_each_once((*made.groups, *groups)))

    def _word(self, node: ast.expr) -> str | None:
        """The argument, "." for the project; None where it is not known before the run."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) and node.value else None
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        if names & self._assigned:
            return None
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "str" and len(node.args) == 1:
            node = node.args[0]
        if self._noxfile.is_folder(node, self._line):
            return "."
        if isinstance(node, ast.JoinedStr) and node.values:
            start, rest = node.values[0], node.values[1:]
            of_folder = isinstance(start, ast.FormattedValue) and self._noxfile.is_folder(
                start.value, self._line
            )
            if of_folder and all(isinstance(value, ast.Constant) for value in rest):
                return "." + "".join(str(v.value) for v in rest if isinstance(v, ast.Constant))
        if isinstance(node, ast.Name):
            value = self._noxfile.value_of(node.id, self._line)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value
        if self._noxfile.is_stable(node, self._line):
            return f"\0{ast.unparse(node)}"
        return None

    def _is_list_of_requirements(self, node: ast.expr) -> bool:
        """Whether it is a list of the file with requirements of which any version will do."""
        if not isinstance(node, ast.Name) or node.id in self._assigned:
            return False
        value = self._noxfile.value_of(node.id, self._line)
        if not isinstance(value, (ast.List, ast.Tuple)):
            return False
        return all(
            isinstance(item, ast.Constant) and _package(str(item.value)) is not None
            for item in value.elts
        )

    def _groups(self, node: ast.expr) -> list[str] | None:
        """The names of the groups, where it is `nox.project.dependency_groups(...)`."""
        if isinstance(node, ast.Name) and node.id in self._local:
            return self._groups(self._local[node.id].value)
        if not isinstance(node, ast.Call) or node.keywords or len(node.args) < 2:
            return None
        if self._noxfile.of_nox(node.func) != "nox.project.dependency_groups":
            return None
        if not self._is_pyproject(node.args[0]):
            return None
        if not all(isinstance(arg, ast.Constant) for arg in node.args[1:]):
            return None
        return [self._noxfile.source.segment(arg) for arg in node.args[1:]]

    def _is_pyproject(self, node: ast.expr) -> bool:
        """Whether it is what `pyproject.toml` says."""
        if isinstance(node, ast.Name):
            if node.id in self._local:
                return self._is_pyproject(self._local[node.id].value)
            # It may be assigned anywhere: it is read by the function alone.
            value = self._noxfile.value_of(node.id, self._function.lineno)
            return value is not None and self._is_pyproject(value)
        if not isinstance(node, ast.Call) or node.keywords:
            return False
        if self._noxfile.of_nox(node.func) != "nox.project.load_toml":
            return False
        return not node.args or (
            isinstance(node.args[0], ast.Constant) and node.args[0].value == "pyproject.toml"
        )

    # One argument. -------------------------------------------------------------------

    def _with(self, needs: Needs, argument: Argument, shown: dict[str, Entry]) -> Needs | None:
        """The needs with an argument of the installer; None where it has no counterpart."""
        value = argument.value
        entry = self._entry(argument, shown)
        if argument.kind in ("requirement", "editable"):
            return self._with_requirement(needs, argument, entry)
        if argument.kind == "file" and argument.option in ("-r", "--requirement", "--requirements"):
            if value.endswith(".toml") or "://" in value or not value:
                return None
            alone = needs.alone or not self._is_plain(value)
            return needs._replace(requirements=(*needs.requirements, entry), alone=alone)
        if argument.kind == "file" and argument.option in ("-c", "--constraint", "--constraints"):
            return needs._replace(constraints=(*needs.constraints, entry)) if value else None
        if argument.kind == "group" and re.fullmatch(r"[\w.-]+", value):
            return needs._replace(groups=(*needs.groups, entry))
        if argument.option in ("-q", "--quiet", "-v", "--verbose", "--progress-bar"):
            return needs  # how much is shown
        if argument.option == "--resolution" and value in RESOLUTIONS:
            return needs._replace(resolution=value)
        return None

    def _is_plain(self, file: str) -> bool:
        """Whether a file has requirements alone: options and hashes hold for others too."""
        text = self._read(file)
        if text is None:
            return False
        return "--hash" not in text and not any(
            line.lstrip().startswith("-") for line in text.splitlines()
        )

    def _with_requirement(self, needs: Needs, argument: Argument, entry: Entry) -> Needs | None:
        value = argument.value
        mode = "editable" if argument.kind == "editable" else "wheel"
        project = re.fullmatch(r"\./?(?:\s*\[([\w.,\s-]*)\])?", value)
        if project:
            if needs.project not in ("", mode):
                return None
            extras = [name.strip() for name in (project[1] or "").split(",") if name.strip()]
            more = tuple(
                Entry(
                    self._quoted(name), entry.above if not n else (), entry.behind if not n else ""
                )
                for n, name in enumerate(extras)
            )
            if not more and (entry.above or entry.behind):
                needs = needs._replace(
                    below=(*needs.below, *entry.above, *filter(None, [entry.behind]))
                )
            return needs._replace(project=mode, extras=_each_once((*needs.extras, *more)))
        package = _package(value) if mode == "wheel" else None
        if package is None:
            return None
        name, has_versions = package
        return needs._replace(
            deps=(*needs.deps, entry),
            bare=needs.bare if has_versions else needs.bare | {name},
            chosen=needs.chosen | {name} if has_versions else needs.chosen,
        )

    def _entry(self, argument: Argument, shown: dict[str, Entry]) -> Entry:
        """The value as it was written, where it was a word of its own."""
        last = shown.get(argument.tokens[-1]) if argument.tokens else None
        if last is not None and argument.tokens[-1] == argument.value:
            first = shown.get(argument.tokens[0])
            if first is None or first is last:
                return last
            return last._replace(above=(*first.above, *last.above))
        kept = last or Entry("")
        return Entry(self._quoted(argument.value), kept.above, kept.behind)


def _package(text: str) -> tuple[str, bool] | None:
    """The package that a requirement names, and whether it says which version."""
    try:
        read = Requirement(text)
    except InvalidRequirement:
        return None
    return read.name.lower().replace("_", "-"), bool(read.specifier or read.url)
