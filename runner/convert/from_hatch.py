"""[tool.hatch.envs] of pyproject.toml, and hatch.toml.

Rules are those of hatch 1.18 (hatch/project/config.py, MIT).
"""

from __future__ import annotations

import json
import re
import shlex

from runner.convert.braces import NAMES as NAMES_OF_TOX
from runner.convert.braces import command_words, posargs
from runner.convert.factors import python_named
from runner.convert.hatch_commands import Context, by_shell, expanded, needs_shell
from runner.convert.hatch_matrix import Matrix, combinations_of, entries_of, matrix_of, overridden
from runner.convert.model import Code, Command, Declared, Environment, Item, Note
from runner.convert.system import PROGRAMS
from runner.convert.tables import key_lines, list_in, read_table, strings_in, table_in
from runner.convert.words import safe_name
from runner.settings import is_dict
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.convert.model import Text
    from runner.convert.tables import Table

NAMES: tuple[str, ...] = ("pyproject.toml", "hatch.toml")


# What hatch brings itself.
_TEST: Mapping[str, object] = {
    "dependencies": [
        "coverage-enable-subprocess==1.0",
        "coverage[toml]~=7.11",
        "pytest~=9.0",
        "pytest-mock~=3.12",
        "pytest-randomly~=3.15",
        "pytest-rerunfailures~=14.0",
        "pytest-xdist[psutil]~=3.5",
    ],
    "scripts": {
        "run": "pytest {args}",
        "cov": ["coverage run -m pytest {args}", "coverage combine", "coverage report"],
    },
    "matrix": [{"python": ["3.15", "3.15t", "3.14", "3.14t", "3.13", "3.12", "3.11", "3.10"]}],
}
_CHECKS: Mapping[str, object] = {
    "skip-install": True,
    "dependencies": ["ruff"],
    "scripts": {
        "format-check": "ruff format --check --diff {args:.}",
        "format-fix": "ruff format {args:.}",
        "lint-check": "ruff check {args:.}",
        "lint-fix": "ruff check --fix {args:.}",
    },
}
# The job of `hatch-test` on the Python that runs runenv.
_ON_PRESENT = Code('f"hatch-test-{sys.version_info[0]}.{sys.version_info[1]}"', frozenset({"sys"}))
_INTERNAL = {"hatch-test": _TEST, "hatch-static-analysis": _CHECKS}

_NOT_NEEDED = frozenset(
    {
        "installer",
        "path",
        "description",
        "builder",
        "parallel",
        "randomize",
        "retries",
        "retry-delay",
        "config-path",
        "matrix",
        "overrides",
        "template",
        "detached",
        "matrix-name-format",
        "sources",
    }
)
_READ = frozenset(
    {
        "dependencies",
        "extra-dependencies",
        "features",
        "dependency-groups",
        "python",
        "env-vars",
        "scripts",
        "extra-scripts",
        "skip-install",
        "dev-mode",
        "platforms",
        "pre-install-commands",
        "post-install-commands",
        "type",
        "default-args",
        "extra-args",
        "system-packages",
    }
)
_PLUGINS = frozenset(
    {"env-include", "env-exclude", "python-sources", "locked", "locker", "workspace"}
)


def read(name: str, text: str) -> Declared | None:
    """What a file says of hatch's environments."""
    if not name.endswith(".toml"):
        return None
    table = read_table(text)
    prefix = "" if name == "hatch.toml" else "tool.hatch."
    envs = table_in(table, *prefix.split(".")[:-1], "envs")
    if not envs:
        return None
    return _Reader({str(k): strings_in(v) for k, v in envs.items()}, key_lines(text), prefix).read()


_ROOT = NAMES_OF_TOX["tox_root"]


class _Reader:
    """Reads all environments of a file."""

    def __init__(self, envs: Mapping[str, Table], lines: Mapping[str, int], prefix: str) -> None:
        self._written = envs
        self._lines = lines
        self._prefix = prefix + "envs."
        self._notes: list[Note] = []

    def read(self) -> Declared:
        """What the file declares."""
        found: list[Environment] = []
        for name in self._written:
            found += self._environments(name)
        found = _with_own_names(found)
        names = list(dict.fromkeys(one.name for one in found))
        wanted = [name for name in names if _is_check(name)] or names[:1]
        # `hatch test` runs on one Python of the matrix that is hatch's own, and no other script.
        on_all = [o.name for o in found if o.source.startswith("hatch-test ") and self._on_all()]
        wanted = [name for name in wanted if name not in on_all or name == "hatch-test"]
        if len(wanted) > _MANY:
            listed = set(wanted).difference(on_all)
            found = [one._replace(listed=one.name in listed) for one in found]
            return Declared(tuple(found), notes=tuple(self._notes))
        default = tuple(_ON_PRESENT if name in on_all else name for name in wanted)
        options = (("default", default),) if on_all or len(wanted) < len(names) else ()
        return Declared(tuple(found), options, tuple(self._notes))

    def _on_all(self) -> bool:
        """Whether `hatch test` has the matrix that hatch brings."""
        return "matrix" not in self._written.get("hatch-test", {})

    def _line(self, env: str, key: str = "") -> int:
        path = f"{self._prefix}{env}"
        return self._lines.get(f"{path}.{key}" if key else path, 0) or self._lines.get(path, 0)

    def _note(self, kind: str, env: str, key: str, text: str) -> None:
        self._notes.append(Note(kind, self._line(env, key), text))

    # One environment in the file. ----------------------------------------------------

    def _inherited(self, name: str, seen: tuple[str, ...] = ()) -> Table:
        """The table of an environment with what comes from its template."""
        own: Table = dict(self._written.get(name, {}))
        if own.pop("detached", False) is True:
            own["skip-install"] = True
            return own
        template = str(own.pop("template", name if name in _INTERNAL else "default"))
        if template == name or template in seen:
            return {**_INTERNAL.get(name, {}), **own}
        for key, value in self._inherited(template, (*seen, name)).items():
            if key == "scripts":
                own["scripts"] = {**strings_in(value), **strings_in(own.get("scripts"))}
            elif key != "matrix":
                own.setdefault(key, value)
        return own

    def _environments(self, name: str) -> Iterator[Environment]:
        table = self._inherited(name)
        for key in table:
            if key in _PLUGINS:
                self._note("left", name, key, f"{name}.{key}: there is nothing of the kind")
            elif key not in _READ | _NOT_NEEDED and "virtual" in str(table.get("type", "virtual")):
                self._note("ignored", name, key, f"{name}.{key}: hatch has no such setting")
        kind = str(table.get("type", "virtual"))
        if kind != "virtual":
            told = "runenv --lock locks" if "pip-compile" in kind else "a plugin of hatch"
            self._note("left", name, "type", f"{name}.type = {kind}: {told}")
        written = self._written.get(name, {})
        own = {**strings_in(written.get("extra-scripts")), **strings_in(written.get("scripts"))}
        scripts = _scripts(table)
        wanted = [s for s in scripts if s in own] or list(scripts)
        overrides = self._overrides(name, strings_in(table.get("overrides")))
        form = str(table.get("matrix-name-format") or "{value}")
        said = written.get("matrix", _INTERNAL.get(name, {}).get("matrix"))
        matrix = matrix_of(said, overrides, form)
        if matrix is not None:
            for script in wanted or [""]:
                yield self._environment(name, script, table, matrix, len(wanted) > 1)
            return
        for combination in combinations_of(said, form):
            made = overridden(table, overrides, combination)
            one = Matrix(words=combination.words, values=dict(combination.values))
            more = [script for script in _scripts(made) if script not in scripts]
            for script in [*wanted, *more] or [""]:
                yield self._environment(name, script, made, one, len(wanted) > 1)

    def _overrides(self, name: str, said: Table) -> Table:
        """The overrides by the matrix and by names; what the machine decides is noted."""
        made: Table = {}
        for source, of_source in said.items():
            if source not in ("matrix", "name"):
                self._note("left", name, "overrides", f"{name}.overrides.{source}")
                continue
            made[source] = {
                variable: {
                    option: self._decided(f"{name}.overrides.{source}.{variable}.{option}", data)
                    for option, data in strings_in(options).items()
                }
                for variable, options in strings_in(of_source).items()
            }
        return made

    def _decided(self, path: str, data: object) -> list[object]:
        """The entries that neither the platform nor a variable of the machine decides."""
        kept: list[object] = []
        for entry in entries_of(data):
            if is_dict(entry) and {"env", "platform"} & entry.keys():
                self._note("left", path.partition(".")[0], "overrides", f"{path}: {_toml(entry)}")
            else:
                kept.append(entry)
        return kept

    # One session. ----------------------------------------------------------------------

    def _environment(
        self,
        env: str,
        script: str,
        table: Table,
        matrix: Matrix,
        shares: bool,
    ) -> Environment:
        family = _family_name(env, script)
        variables = {k: str(v) for k, v in strings_in(table.get("env-vars")).items()}
        extra = list_in(table.get("extra-args"))
        context = Context(matrix.name_of(env), matrix.values, variables, extra)
        skipped = table.get("skip-install") is True
        project = "" if skipped else "wheel" if table.get("dev-mode") is False else "editable"
        before = self._setup(env, "pre-install-commands", table, context, skipped=skipped)
        behind = self._setup(env, "post-install-commands", table, context, skipped=skipped)
        python = matrix.literal("python") or matrix.literal("py") or str(table.get("python") or "")
        deps = [
            context.text(dep)
            for key in ("dependencies", "extra-dependencies")
            for dep in list_in(table.get(key))
        ]
        # What is known only in the function is installed there.
        later = [
            dep for dep in deps if any(isinstance(p, Code) and p.needs for p in dep if p != _ROOT)
        ]
        extras = list_in(table.get("features"))
        groups = list_in(table.get("dependency-groups"))
        if before:
            # These come first, so that nothing is declared, which is installed before them.
            installs = [*before, *_in_turn(project, extras, behind, deps, groups)]
            deps, extras, groups, project = [], [], [], ""
        else:
            installs = [*(Item(Command((dep,))) for dep in later), *behind]
        changed_env: list[Item[tuple[str, Text]]] = []
        for change in matrix.changes:
            installs += change.installs(context)
            changed_env += change.variables(context)
        own = bool(matrix.words or matrix.axes or installs)
        return Environment(
            name="-".join([family, *filter(None, matrix.words)]),
            source=f"{env} {script}",
            line=self._line(env),
            python=_python(python) if not matrix.pythons else None,
            pythons=tuple(_python(one) or "" for one in matrix.pythons),
            axes=matrix.axes,
            formats=matrix.formats,
            words=matrix.words,
            doc=str(table.get("description") or "") if script == "" or not shares else "",
            deps=tuple(Item(dep) for dep in deps if dep not in later),
            extras=tuple(Item((extra,)) for extra in extras),
            groups=tuple(Item((group,)) for group in groups),
            env=(*(Item((k, context.text(v))) for k, v in variables.items()), *changed_env),
            installs=tuple(installs),
            commands=tuple(self._commands(env, script, table, context)),
            project=project,
            backend_options=("--system-site-packages",) if table.get("system-packages") else (),
            platform=_platform(list_in(table.get("platforms"))),
            shares=env if shares and not own else "",
        )

    def _setup(
        self, env: str, key: str, table: Table, context: Context, *, skipped: bool
    ) -> list[Item[Command]]:
        """The commands before or behind the install of the project."""
        if skipped and table.get(key):
            why = "hatch runs them only where it installs the project"
            self._note("ignored", env, key, f"{env}.{key}: {why}")
            return []
        return list(self._setup_commands(env, key, table, context))

    def _setup_commands(
        self, env: str, key: str, table: Table, context: Context
    ) -> Iterator[Item[Command]]:
        for text in list_in(table.get(key)):
            for command in self._command(env, key, text, context):
                words = command.words
                known = [w[0] if len(w) == 1 and isinstance(w[0], str) else "" for w in words]
                if known[:2] == ["pip", "install"]:
                    yield Item(command._replace(words=words[2:]))
                else:
                    yield Item(command._replace(setup=True))

    def _commands(
        self, env: str, script: str, table: Table, context: Context
    ) -> Iterator[Item[Command]]:
        if not script:
            yield Item(Command(((posargs(()),),)))
            return
        scripts = {name: list_in(value) for name, value in _scripts(table).items()}
        default = list_in(table.get("default-args")) or ["tests"]
        for text in expanded(script, scripts, ()):
            if env == "hatch-test":
                text = text.replace("{args}", f"{{args:{shlex.join(default)}}}")
                extra = " ".join(context.extra)
                text = text.replace("{args:", f"{extra} {{args:") if extra else text
            for command in self._command(env, f"scripts.{script}", text, context):
                yield Item(command)

    def _command(self, env: str, key: str, text: str, context: Context) -> Iterator[Command]:
        may_fail = text.startswith("- ")
        text = context.rewritten(text.removeprefix("- ")).strip()
        text = re.sub(r"\s*\\\n\s*", " ", text)
        if re.match(r"hatch\s", text):
            self._note("approximated", env, key, f"{env} runs hatch itself: {text[:60]}")
        try:
            if needs_shell(text):
                yield by_shell(text, context)._replace(may_fail=may_fail)
                return
            words = command_words(text, context.variables, context.codes)
        except ValueError as error:
            self._note("left", env, key, f"{env} {key}: {text[:60]} ({error})")
            return
        if words:
            first = words[0][0] if len(words[0]) == 1 else ""
            external = isinstance(first, str) and first in PROGRAMS
            yield Command(words, may_fail=may_fail, external=external)


def _in_turn(
    project: str,
    extras: list[str],
    behind: list[Item[Command]],
    deps: list[Text],
    groups: list[str],
) -> Iterator[Item[Command]]:
    """What is installed in a function, in hatch's order."""
    place = f".[{','.join(extras)}]" if extras else "."
    if project:
        option: tuple[Text, ...] = (("-e",),) if project == "editable" else ()
        yield Item(Command((*option, (place,))))
    yield from behind
    if deps:
        yield Item(Command(tuple(deps)))
    for group in groups:
        yield Item(Command((("--group",), (group,))))


# Names and values. ---------------------------------------------------------------------------


def _family_name(env: str, script: str) -> str:
    if env == "default":
        return script or env
    if not script or (env == "hatch-test" and script == "run"):
        return env
    return f"{env}-{script}"


def _with_own_names(found: list[Environment]) -> list[Environment]:
    """The environments with names that are safe and no two of which are the same."""
    taken: set[str] = set()
    made: list[Environment] = []
    for one in found:
        name = safe_name(one.name)
        base, number = name, 2
        if name in taken and not one.source.startswith("default "):
            name = base = f"{name}-env"
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        made.append(one._replace(name=name, shares=safe_name(one.shares)))
    return [
        one._replace(shares=f"{one.shares}-env")
        if one.shares and any(o.name == one.shares and o.shares != one.shares for o in made)
        else one
        for one in made
    ]


_MANY = 12  # names that stand in one list

_CHECKING = re.compile(r"(^|-)(tests?|lint|typing|types|check|checks|all|run|unit)$|^hatch-test")


def _is_check(name: str) -> bool:
    return _CHECKING.search(re.sub(r"-(py)?\d.*$", "", name)) is not None


def _python(text: str) -> str | None:
    if not text:
        return None
    return python_named(text) or text


def _platform(names: list[str]) -> str:
    kinds = {"windows": "win32", "macos": "darwin"}
    return "|".join(kinds.get(name.lower(), name.lower()) for name in names)


def _scripts(table: Table) -> Table:
    return {**strings_in(table.get("extra-scripts")), **strings_in(table.get("scripts"))}


def _toml(entry: Mapping[object, object]) -> str:
    """A table as it is written, but for the spaces."""
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()) + " }"
