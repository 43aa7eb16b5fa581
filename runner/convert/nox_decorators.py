"""`@nox.session(...)` and `@nox.parametrize(...)` as an envfile has them."""

from __future__ import annotations

import ast
import itertools

from runner.convert.layout import Bracket, Entry, entries_of, is_broken, listing
from runner.convert.nox_file import backend_of, constant, is_none, keywords_of
from runner.convert.nox_installs import Moved, installs_to_move
from runner.convert.nox_parametrize import Parametrize
from runner.names import cleaned, is_safe
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.convert.nox_file import Declaration
    from runner.convert.nox_installs import Needs
    from runner.convert.nox_rewriting import Rewriting

Arguments = list[tuple["ast.expr | ast.keyword", Entry]]

# What these say when they are False; else they say nothing here.
_FLAGS = {"reuse_venv": "reuse=False", "allow_parallel": "parallel=False", "download_python": ""}
_BARE = ("none", "conda")  # nothing can be declared for these by `deps`


class Decorators:
    """Rewrites the declarations of a noxfile."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._to = rewriting
        self._noxfile = rewriting.noxfile
        self._source = rewriting.source
        self._edits = rewriting.edits
        chosen = [constant(s.value) for s in self._noxfile.options("default_venv_backend")]
        chosen += [constant(s.value) for s in self._noxfile.options("force_venv_backend")]
        self.default_backend = str(chosen[-1] or "") if chosen else ""
        self.declaring = 0  # sessions whose installs are declared now
        self._parametrize = Parametrize(rewriting)

    def rewrite(self) -> None:
        for declared in self._noxfile.declared:
            if self._is_replaced(declared):
                self._leave_out(declared)
            else:
                self._session(declared)
        for node in ast.walk(self._source.tree):
            if isinstance(node, ast.Call) and node not in self._to.done:
                self._other_call(node)
        self._note_declared_elsewhere()
        self._delete_unused()

    def _note_declared_elsewhere(self) -> None:
        """Tell of functions that a decorator of another module may make sessions of."""
        modules = {
            alias.asname or alias.name: node.module
            for node in self._source.tree.body
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        ours = {declared.function for declared in self._noxfile.declared}
        for function in self._source.tree.body:
            if not isinstance(function, ast.FunctionDef) or function in ours:
                continue
            if not (function.args.args and function.args.args[0].arg == "session"):
                continue
            for decorator in function.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(called, ast.Name) and called.id in modules:
                    self._to.note(
                        "left",
                        function,
                        f"{function.name} is a session where {called.id} of {modules[called.id]}"
                        " makes it one: what that does with nox is not known here",
                    )
                    break

    def _delete_unused(self) -> None:
        """Take away what was read of pyproject.toml for installs that are declared now."""
        for name, statement in self._noxfile.constants.items():
            value = statement.value
            if not isinstance(value, ast.Call):
                continue
            if self._noxfile.of_nox(value.func) != "nox.project.load_toml":
                continue
            uses = [
                node
                for node in ast.walk(self._source.tree)
                if isinstance(node, ast.Name)
                and node.id == name
                and node not in {*ast.walk(statement)}
            ]
            if uses and self._to.done.issuperset(uses):
                self._edits.delete_statement(statement)

    def is_without(self, declared: Declaration) -> bool:
        """Whether the session has no environment of Python packages that is made for it."""
        backend: object = self.default_backend
        for keyword in keywords_of(declared):
            if keyword.arg == "venv_backend":
                given = constant(keyword.value)
                backend = backend if given is None and is_none(keyword.value) else given
            if keyword.arg in ("python", "py") and constant(keyword.value) is False:
                backend = "none"
        if backend is None:
            return True  # nobody knows
        return any(name in _BARE for name in backend_of(str(backend)).split("|"))

    def is_bare(self, declared: Declaration) -> bool:
        """Whether its commands have no environment of their own."""
        pythons = [constant(k.value) for k in keywords_of(declared) if k.arg in ("python", "py")]
        return self.backend(declared) == "none" or False in pythons

    def backend(self, declared: Declaration | None) -> str:
        """The backend as it is written, of a session or of all."""
        keywords = keywords_of(declared) if declared is not None else []
        given = [constant(k.value) for k in keywords if k.arg == "venv_backend"]
        return str((given[0] if given else None) or self.default_backend)

    def _is_replaced(self, declared: Declaration) -> bool:
        """Whether a later session has its name, which nox takes in its place."""
        body = self._source.tree.body
        return declared.function in body and any(
            other.name == declared.name
            and other.function in body
            and other.function.lineno > declared.function.lineno
            for other in self._noxfile.declared
        )

    def _leave_out(self, declared: Declaration) -> None:
        self._to.note(
            "left",
            declared.function,
            f"a later session is named {declared.name!r} too, and nox runs that one",
        )
        for decorator in declared.function.decorator_list:
            self._to.done |= set(ast.walk(decorator))
            last = decorator.end_lineno or decorator.lineno
            self._edits.delete_lines(decorator.lineno, last)

    # One session. --------------------------------------------------------------------

    def _session(self, declared: Declaration) -> None:
        call = declared.decorator if isinstance(declared.decorator, ast.Call) else None
        moved = self._moved(declared)
        added: list[Entry] = []
        arguments: Arguments = []
        below: tuple[str, ...] = ()
        if call is not None:
            self._to.done.add(call)
            arguments, below = entries_of(self._source, self._edits, call)
        kept = self._kept(arguments, declared)
        if moved is not None:
            self.declaring += 1
            comments = self._delete(declared, moved)
            added = self._as_arguments(moved.needs, comments)
        if call is not None and not arguments and not added:
            kept = []
        as_it_was = [entry.text for entry in kept] == [entry.text for _, entry in arguments]
        if as_it_was and not added:
            return
        below = (*below, *(moved.needs.below if moved else ()))
        self._write(declared, call, [*kept, *added], below)

    def _moved(self, declared: Declaration) -> Moved | None:
        if (
            not declared.argument
            or declared.tool in ("nox_uv", "nox_poetry")
            or self.is_without(declared)
            or self._noxfile.called_itself(declared.function)
            or not all(self._is_of_nox(d, declared) for d in declared.function.decorator_list)
        ):
            return None
        return installs_to_move(self._to, declared.function, declared.argument)

    def _is_of_nox(self, decorator: ast.expr, declared: Declaration) -> bool:
        """Whether a decorator does nothing around the function."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        return decorator is declared.decorator or self._noxfile.of_nox(called) == "nox.parametrize"

    def _write(
        self,
        declared: Declaration,
        call: ast.Call | None,
        entries: Sequence[Entry],
        below: tuple[str, ...],
    ) -> None:
        decorator = declared.decorator
        head = self._edits.rendered(self._source.span(call.func if call else decorator))
        if (
            not entries
            and not below
            and not self._noxfile.is_wrapper(call.func if call else decorator)
        ):
            self._edits.absorb(self._source.span(decorator), head)
            return
        bracket = Bracket(f"{head}(", tuple(entries), ")", below)
        indent = self._source.indent(decorator.lineno)
        broken = call is not None and is_broken(self._source, call)
        flat = bracket.flat()
        if broken and "\n" not in flat and len(entries) < 2:
            broken = False
        text = bracket.written(indent, self._to.width, ahead=1, broken=broken)
        self._edits.absorb(self._source.span(decorator), text)

    def _delete(self, declared: Declaration, moved: Moved) -> dict[str, tuple[str, ...]]:
        """Take the calls away; the comments above and behind them, by the argument they go to."""
        function = declared.function
        gone = [*moved.calls, *moved.unused]
        comments: dict[str, tuple[str, ...]] = {}
        for number, statement in enumerate(gone):
            self._to.done |= set(ast.walk(statement))
            last = statement.end_lineno or statement.lineno
            behind = self._source.comments_in(
                (self._source.end(statement), self._source.line_start(last + 1))
            )
            name = moved.arguments[number] if number < len(moved.calls) else moved.arguments[0]
            for comment in [*self._source.comments_above(statement.lineno), *behind]:
                comments[name] = (*comments.get(name, ()), comment.text)
                if comment.alone:
                    self._edits.delete_lines(comment.line, comment.line)
        if len(function.body) == len(gone):
            self._edits.absorb(self._source.span(gone[0]), "pass")
            gone = gone[1:]
        for statement in gone:
            self._edits.delete_lines(statement.lineno, statement.end_lineno or statement.lineno)
        return comments

    def _as_arguments(self, needs: Needs, comments: dict[str, tuple[str, ...]]) -> list[Entry]:
        made: dict[str, Entry] = {}
        for name in ("deps", "requirements", "constraints", "groups"):
            entries: tuple[Entry, ...] = getattr(needs, name)
            if entries:
                made[name] = Entry(listing(f"{name}=", entries))
        if needs.project:
            made["project"] = Entry(f"project={self._to.quoted(needs.project)}")
        if needs.extras:
            made["extras"] = Entry(listing("extras=", needs.extras))
        if needs.resolution:
            made["resolution"] = Entry(f"resolution={self._to.quoted(needs.resolution)}")
        return [entry._replace(above=comments.get(name, ())) for name, entry in made.items()]

    # Its arguments. ------------------------------------------------------------------

    def _kept(self, arguments: Arguments, declared: Declaration | None) -> list[Entry]:
        """The arguments in our words; those that say nothing here are left out."""
        kept: list[Entry] = []
        names = {node.arg for node, _ in arguments if isinstance(node, ast.keyword)}
        sync = self._sync(arguments, declared) if declared else []
        for node, entry in arguments:
            if not isinstance(node, ast.keyword) or node.arg is None:
                kept.append(entry)
                continue
            if node.arg.startswith("uv_") and declared is not None:
                continue
            kept += self._argument(node, entry, names, declared)
        return kept + sync

    def _argument(
        self,
        node: ast.keyword,
        entry: Entry,
        names: set[str | None],
        declared: Declaration | None,
    ) -> list[Entry]:
        name, value = str(node.arg), node.value
        given = constant(value)

        def said(words: str) -> list[Entry]:
            return [entry._replace(text=words)]

        if name in ("python", "py"):
            if isinstance(value, (ast.List, ast.Tuple)):
                if declared is not None and self.backend(declared) == "none":
                    return []  # then there is one job
                self._parametrize.name_pythons(value.elts)
            self._parametrize.name_pythons_of(value)
            return said(f"python={self._edits.rendered(self._source.span(value))}")
        text = self._edits.rendered(self._source.span(value))
        if name == "name" and isinstance(given, str) and not is_safe(given):
            safe = cleaned(given)
            self._to.note(
                "approximated",
                node,
                f"{given!r} would not be safe in a shell: it is {safe!r} now",
                beside=False,
            )
            return said(f"name={self._to.quoted(safe)}")
        if name == "venv_backend":
            if isinstance(given, str):
                return said(f"backend={self._to.quoted(backend_of(given))}")
            return [] if is_none(value) else said(f"backend={text}")
        if name == "venv_params":
            return self._params(value, text, entry, names, declared)
        if name == "tags" and isinstance(given, str):
            return said(f"tags=[{text}]")
        if name == "default" and isinstance(value, ast.Call):
            is_bool = ast.unparse(value.func) in ("bool", "isinstance", "all", "any")
            return said(f"default={text}" if is_bool else f"default=bool({text})")
        if name == "download_python" and given != "never":
            self._to.note(
                "approximated", node, "download_python: runenv downloads no Pythons", beside=False
            )
        if name in _FLAGS:
            return said(_FLAGS[name]) if given is False and _FLAGS[name] else []
        return [entry]

    def _params(
        self,
        value: ast.expr,
        text: str,
        entry: Entry,
        names: set[str | None],
        declared: Declaration | None,
    ) -> list[Entry]:
        """`venv_params`, which are packages and channels for conda."""
        backend = backend_of(self.backend(declared))
        if backend == "conda":
            words = [
                constant(item) for item in getattr(value, "elts", []) if constant(item) is not None
            ]
            channels = [
                str(word) for flag, word in itertools.pairwise(words) if flag in ("-c", "--channel")
            ]
            packages = [
                str(word)
                for flag, word in zip(["", *words], words, strict=False)
                if not str(word).startswith("-") and flag not in ("-c", "--channel")
            ]
            if len(channels) * 2 + len(packages) == len(getattr(value, "elts", [])):
                return [
                    Entry(f"{name}=[{', '.join(map(self._to.quoted, found))}]")
                    for name, found in (("conda_deps", packages), ("channels", channels))
                    if found
                ]
            self._to.note(
                "left", value, "venv_params: packages are conda_deps=, channels channels="
            )
            return []
        made = [entry._replace(text=f"backend_options={text}")]
        if not backend and "venv_backend" not in names:
            made.insert(0, Entry(f"backend={self._to.quoted('virtualenv')}"))
        return made

    # nox_uv. -------------------------------------------------------------------------

    def _sync(self, arguments: Arguments, declared: Declaration) -> list[Entry]:
        """What `nox_uv.session` syncs, declared."""
        if declared.tool != "nox_uv":
            return []
        said = {
            str(node.arg): node.value
            for node, _ in arguments
            if isinstance(node, ast.keyword) and str(node.arg).startswith("uv_")
        }
        entries = {node.arg: e for node, e in arguments if isinstance(node, ast.keyword)}
        made = [Entry(f"lock={self._to.quoted('uv')}")]
        only = "uv_only_groups" in said
        for name, ours in (
            ("uv_only_groups", "groups"),
            ("uv_groups", "groups"),
            ("uv_extras", "extras"),
        ):
            if name in said:
                text = self._edits.rendered(self._source.span(said[name]))
                made.append(entries[name]._replace(text=f"{ours}={text}"))
        has_project = not only and not constant(said.get("uv_no_install_project"))
        if has_project:
            made.append(Entry(f"project={self._to.quoted('editable')}"))
        known = {"uv_groups", "uv_extras", "uv_only_groups", "uv_no_install_project", "uv_quiet"}
        other = [name for name, value in said.items() if name not in known and constant(value)]
        for name in other:
            self._to.note(
                "left", declared.decorator, f"{name}: name the groups and extras of uv.lock instead"
            )
        return made

    def _other_call(self, call: ast.Call) -> None:
        """A call of nox's decorators that stands elsewhere than above a function."""
        of_nox = self._noxfile.of_nox(call.func)
        partial = ast.unparse(call.func) in ("functools.partial", "partial") and call.args
        handed = call.args[0] if partial else call.func
        if self._noxfile.tool_of(handed) and (partial or call.keywords):
            arguments, below = entries_of(self._source, self._edits, call)
            kept = self._kept(arguments, None)
            if [str(e.text) for e in kept] != [str(e.text) for _, e in arguments]:
                head = f"{self._edits.rendered(self._source.span(call.func))}("
                bracket = Bracket(head, tuple(kept), ")", below)
                indent = self._source.indent(call.lineno)
                column = self._source.start(call) - self._source.line_start(call.lineno)
                text = bracket.written(indent, self._to.width, ahead=column - len(indent))
                self._edits.absorb(self._source.span(call), text)
        elif of_nox in ("nox.parametrize", "nox.param"):
            self._parametrize.rewrite(call)
