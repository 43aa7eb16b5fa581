"""tox.toml and [tool.tox]: settings of environments as entries and commands.

Rules are those of tox 4 (tox/config/loader/toml and source/toml_pyproject.py).
"""

from __future__ import annotations

import re
from itertools import product

from runner.convert.braces import (
    NAMES,
    Braces,
    argument,
    as_text,
    choice_words,
    needs_of,
    pieces,
    posargs,
)
from runner.convert.factors import open_range, python_named, python_of
from runner.convert.model import Code, Command, Item
from runner.convert.tables import key_lines, table_in
from runner.convert.tox_if import decided, negated, of_marker
from runner.convert.tox_keys import canonical, why_unread
from runner.convert.tox_source import Entry
from runner.record import Record
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.convert.model import Text

_TABLES = ("env", "env_base", "env_run_base", "env_pkg_base", "env_pkg", "labels", "legacy_tox_ini")


class TomlFile:
    """The settings of a file."""

    def __init__(
        self,
        table: Mapping[object, object],
        text: str,
        prefix: str = "",
        root: Mapping[object, object] | None = None,
    ) -> None:
        """prefix: before the keys in the text, `tool.tox.`; root: the table of all of it."""
        self._table = table
        self._root = table if root is None else root
        self._text = text
        self._prefix = prefix
        self._lines = key_lines(text)
        self._labels: dict[str, _Label] = {}
        self._generated: dict[str, str] = {}
        for base, content in table_in(table, "env_base").items():
            said = content.get("factors") if is_dict(content) else None
            groups = list(said) if is_list(said) else []
            if any(isinstance(group, str) for group in groups):
                groups = [groups]  # a flat list is one group
            for name in self._product(groups):
                self._generated[f"{base}-{name}"] = str(base)
        self._names = list(dict.fromkeys(self._listed())) or ["py"]

    # What there is. ----------------------------------------------------------------

    def environments(self) -> Iterator[tuple[str, bool]]:
        """The names as `tox list` has them, and whether they run by default."""
        others = [*map(str, table_in(self._table, "env")), *self._generated]
        for name in dict.fromkeys([*self._names, *others]):
            if not name.startswith("."):
                yield name, name in self._names

    def _listed(self) -> Iterator[str]:
        said = self._core("env_list")
        for item in said if is_list(said) else ():
            if isinstance(item, str):
                yield item
            elif is_dict(item):
                groups = item.get("product", [item])
                left_out = item.get("exclude")
                for name in self._product(groups if is_list(groups) else ()):
                    if not (is_list(left_out) and name in left_out):
                        yield name

    def _product(self, groups: Sequence[object]) -> Iterator[str]:
        """The names that groups of factors make; what their labels stand for is kept."""
        for number, group in enumerate(groups):
            label = _label(group)
            self._labels[str(number)] = label
            if label.name:
                self._labels[label.name] = label
        for words in product(*(_label(group).factors for group in groups)):
            yield "-".join(words)

    def _core(self, key: str) -> object:
        for written, value in self._table.items():
            if canonical(str(written)) == key:
                return value
        return None

    def section_of(self, env: str) -> str:
        """What an environment is declared in."""
        if env in table_in(self._table, "env"):
            return f"env.{env}"
        base = self._generated.get(env)
        return f"env_base.{base}" if base else "env_run_base"

    def section_line(self, section: str) -> int:
        """The line of a table."""
        return self._lines.get(self._prefix + section, 0)

    def core_entries(self, key: str) -> list[str]:
        """The entries of a setting of tox itself."""
        return [one.text for one in self._entries_of(self._core(key), "", ())]

    def core_line(self, key: str) -> int:
        """The line of a setting of tox itself."""
        return self._lines.get(self._prefix + key, 0)

    def labels(self) -> Iterator[tuple[str, list[str]]]:
        """The labels that tox itself gives."""
        for label, names in table_in(self._table, "labels").items():
            if is_list(names):
                yield str(label), [str(name) for name in names]

    def unread(self) -> Iterator[tuple[str, int, str]]:
        """The settings that tox does not read, and nothing refers to; with line and reason."""
        tables: list[tuple[str, Mapping[object, object]]] = [("", self._table)]
        tables.append(("env_run_base.", table_in(self._table, "env_run_base")))
        tables += [
            (f"{kind}.{name}.", content)
            for kind in ("env", "env_base")
            for name, content in table_in(self._table, kind).items()
            if is_dict(content)
        ]
        for prefix, table in tables:
            for key in map(str, table):
                why = why_unread(key, of_tox=not prefix)
                if (not prefix and key in _TABLES) or not why or f"{key}}}" in self._text:
                    continue
                if prefix.startswith("env_base.") and key == "factors":
                    continue
                if not self._is_referred_to(key):
                    line = self._lines.get(f"{self._prefix}{prefix}{key}", 0)
                    yield prefix + key, line, why

    def _is_referred_to(self, key: str) -> bool:
        return re.search(rf"of\s*=\s*\[[^]]*[\"']{re.escape(key)}[\"']", self._text) is not None

    # Settings. ---------------------------------------------------------------------

    def _find(self, env: str, key: str) -> tuple[object, str]:
        """The value of an environment's own setting, or of what it inherits; and where it is."""
        for path in self._chain(env):
            for written, value in table_in(self._table, *path).items():
                if canonical(str(written)) == key:
                    return value, ".".join([*path, str(written)])
        return None, ""

    def _chain(self, env: str) -> list[tuple[str, ...]]:
        said = table_in(self._table, "env", env).get("base")
        if said is not None:  # then these alone
            bases = [str(one) for one in (said if is_list(said) else [said])]
            return [("env", env), *(p for base in bases for p in self._paths_of(base))]
        generated = self._generated.get(env)
        of_base = [("env_base", generated)] if generated else []
        return [("env", env), *of_base, ("env_run_base",)]

    def _paths_of(self, base: str) -> Iterator[tuple[str, ...]]:
        name = base.removeprefix(self._prefix)
        if name.startswith("env_base."):
            yield "env_base", name.removeprefix("env_base.")
        else:
            yield (name,)
            yield "env", base

    def line_of(self, env: str, key: str) -> int:
        """The line of a setting."""
        return self._lines.get(self._prefix + self._find(env, key)[1], 0)

    def entries(self, env: str, key: str) -> list[Entry] | None:
        """The entries of a list. Raises ValueError where a replacement cannot be read."""
        value, where = self._find(env, key)
        return list(self._entries_of(value, env, (where,))) if where else None

    def _entries_of(self, value: object, env: str, seen: tuple[str, ...]) -> Iterator[Entry]:
        if is_list(value):
            for item in value:
                yield from self._entries_of(item, env, seen)
        elif is_dict(value) and "replace" in value:
            yield from self._entries_of_replaced(value, env, seen)
        elif is_dict(value):
            for name, content in value.items():
                yield from self._variable(str(name), content, env, seen)
        elif isinstance(value, bool):
            yield Entry(str(value).lower())
        elif value is not None:
            for text in self._written_out(str(value), env, seen).split("\n"):
                if text.strip():
                    yield Entry(text)

    def _entries_of_replaced(
        self, table: Mapping[object, object], env: str, seen: tuple[str, ...]
    ) -> Iterator[Entry]:
        if str(table) in seen:
            raise ValueError(f"{table.get('of') or table.get('key')} refers to itself")
        seen = (*seen, str(table))
        if table.get("replace") == "if":
            for value, platform in _branches(table, env):
                for entry in self._entries_of(value, env, seen):
                    both = " and ".join(filter(None, [platform, entry.platform]))
                    yield entry._replace(platform=both)
            return
        found = self._replaced(table, env, seen)
        yield from [Entry(found)] if isinstance(found, str) else self._entries_of(found, env, seen)

    def _python_of(self, env: str) -> str | None:
        """The Python that an environment asks for, by its name or its setting."""
        said = self._find(env, "base_python")[0]
        first = str(said[0]) if is_list(said) and said else str(said)
        return python_of(env) or python_named(first)

    def _variable(
        self, name: str, content: object, env: str, seen: tuple[str, ...]
    ) -> Iterator[Entry]:
        """The entry of a variable that is set: `NAME=value`."""
        platform = ""
        if is_dict(content) and content.get("marker"):
            try:
                found = of_marker(str(content["marker"]), self._python_of(env))
            except ValueError as error:
                yield Entry(name, trouble=str(error))
                return
            if found is False:
                return
            platform = "" if found is True else found
            content = {k: v for k, v in content.items() if k != "marker"}
        if is_dict(content) and content.keys() == {"value"}:
            content = content["value"]
        if name == "file":
            yield Entry(f"file|{content}")
            return
        for entry in list(self._entries_of(content, env, seen)) or [Entry("")]:
            both = " and ".join(filter(None, [platform, entry.platform]))
            yield Entry(f"{name}={entry.text}", platform=both)

    def _replaced(self, table: Mapping[object, object], env: str, seen: tuple[str, ...]) -> object:
        """What a `{replace = …}` stands for, as a value or as a text with braces."""
        kind = table.get("replace")
        if kind == "ref":
            return self._referred(table, env)
        default = table.get("default")
        texts = [entry.text for entry in self._entries_of(default, env, seen)]
        if kind == "env":
            return f"{{env:{table.get('name')}:{' '.join(texts)}}}"
        if kind == "posargs":
            return f"{{posargs:{' '.join(texts)}}}"
        if kind == "glob":
            more = f":{' '.join(texts)}" if texts else ""
            return f"{{glob:{table.get('pattern')}{more}}}"
        raise ValueError(f"replace = {kind!r}")

    def _referred(self, table: Mapping[object, object], env: str) -> object:
        of = table.get("of")
        if is_list(of) and of:
            *path, key = (str(part) for part in of)
            for written, value in table_in(self._root, *path).items():
                if canonical(str(written)) == canonical(key):
                    return value
            raise ValueError(f"{'.'.join([*path, key])} is not there")
        own = table.get("env") or env
        return self._find(str(own), canonical(str(table.get("key"))))[0]

    def _written_out(self, text: str, env: str, seen: tuple[str, ...]) -> str:
        """The text with references to other settings written out."""
        made = ""
        for piece in pieces(text):
            if isinstance(piece, Braces):
                found = self._named(piece.inner, env, seen)
                inner = self._written_out(piece.inner, env, seen) if found is None else ""
                made += f"{{{inner}}}" if found is None else found
            else:
                made += piece
        return made

    def _named(self, inner: str, env: str, seen: tuple[str, ...]) -> str | None:
        """What braces stand for that name a factor or another setting; None for all others."""
        factor = re.fullmatch(r"factor:(\w+)(?::(.*))?", inner)
        if factor:
            label = self._labels.get(factor[1], _Label())
            return label.of(env) or factor[2] or label.default
        match = re.fullmatch(
            r"(?:\[(?P<section>[^]]+)\])?(?P<key>[\w-]+)(?::(?P<default>.*))?", inner
        )
        if match is None or (not match["section"] and (match["key"] in NAMES or inner in seen)):
            return None
        key = canonical(match["key"])
        if not match["section"]:
            if key == "base_python":
                return "python"
            value = self._find(env, key)[0] if inner == match["key"] else None
        else:
            value = self._in_section(match["section"], match["key"])
        if value is None:
            return match["default"] if match["section"] else None
        return "\n".join(entry.text for entry in self._entries_of(value, env, (*seen, inner)))

    def _in_section(self, section: str, key: str) -> object:
        env = section.removeprefix(f"{self._prefix}env.")
        if env != section:
            return self._find(env, canonical(key))[0]
        return table_in(self._root, *section.split(".")).get(key)

    # Commands. ---------------------------------------------------------------------

    def commands(self, env: str, key: str, variables: Mapping[str, str]) -> list[Item[Command]]:
        """The commands of a setting. Raises ValueError where one cannot be read."""
        value, _ = self._find(env, key)
        reader = _Commands(self, env, variables)
        return list(reader.all_of(value)) if value is not None else []

    def replaced(self, table: Mapping[object, object], env: str) -> object:
        """What a `{replace = …}` stands for, as a value or as a text with braces."""
        return self._replaced(table, env, ())

    def written_out(self, text: str, env: str) -> str:
        """The text with references to other settings written out."""
        return self._written_out(text, env, ())


class _Commands:
    """Reads the commands of an environment."""

    def __init__(self, file: TomlFile, env: str, variables: Mapping[str, str]) -> None:
        self._file = file
        self._env = env
        self._variables = variables

    def all_of(self, value: object, platform: str = "") -> Iterator[Item[Command]]:
        """The commands of a list, of which each is a list of words."""
        if is_dict(value):
            value = [value]
        if not is_list(value):
            raise ValueError(f"{value!r} is not list")
        for one in value:
            if is_dict(one):
                yield from self._replaced(one, platform)
            elif is_list(one):
                yield from self._command(one, platform)
            else:
                raise ValueError(f"{one!r} is not list")

    def _replaced(self, table: Mapping[object, object], platform: str) -> Iterator[Item[Command]]:
        """The commands, or the one, that a table stands for."""
        if table.get("replace") == "if":
            found = list(_branches(table, self._env))
        elif table.get("replace") == "ref":
            found = [(self._file.replaced(table, self._env), "")]
        else:
            raise ValueError(f"replace = {table.get('replace')!r}")
        for value, where in found:
            both = " and ".join(filter(None, [platform, where]))
            several = is_dict(value) or (is_list(value) and any(map(is_list, value)))
            if several:
                yield from self.all_of(value, both)
            elif is_list(value):
                yield from self._command(value, both)

    def _command(self, value: Sequence[object], platform: str) -> Iterator[Item[Command]]:
        words = [word for one in value for word in self._words(one)]
        prefix = words[0][0] if words and words[0] else ""
        if prefix in ("-", "!"):
            words = words[1:]
        if words:
            command = Command(tuple(words), may_fail=prefix == "-", must_fail=prefix == "!")
            yield Item(command, (), platform)

    def _words(self, value: object) -> Iterator[Text]:
        if is_list(value):
            for one in value:
                yield from self._words(one)
        elif is_dict(value) and value.get("replace") == "if":
            yield from self._chosen(value)
        elif is_dict(value) and value.get("replace") == "posargs":
            yield (posargs(list(self._words(value.get("default", ())))),)
        elif is_dict(value):
            yield from self._words(self._file.replaced(value, self._env))
        else:
            text = self._file.written_out(str(value), self._env)
            made = as_text(text, self._variables)
            yield choice_words(made) or made

    def _chosen(self, table: Mapping[object, object]) -> Iterator[Text]:
        found = [([*self._words(value)], test) for value, test in _branches(table, self._env)]
        if len(found) == 1:
            yield from found[0][0]
            return
        (then, test), (other, _) = found
        needs = frozenset({"os"}).union(*map(needs_of, [*then, *other]))
        shown = [f"[{', '.join(map(argument, words))}]" for words in (then, other)]
        yield (Code(f"({shown[0]} if {test} else {shown[1]})", needs, words=True),)


def _branches(table: Mapping[object, object], env: str) -> Iterator[tuple[object, str]]:
    """What `{replace = "if"}` stands for: one value, or both with what they are for."""
    so = decided(str(table.get("condition")), env)
    then, other = table.get("then"), table.get("else", ())
    if isinstance(so, bool):
        yield (then if so else other), ""
    else:
        yield then, so
        yield other, negated(so)


class _Label(Record):
    """A group of factors of a product."""

    name: str = ""
    factors: tuple[str, ...] = ()
    default: str = ""

    def of(self, env: str) -> str:
        """The factor that an environment's name has; "" where it has none."""
        found = [factor for factor in self.factors if f"-{factor}-" in f"-{env}-"]
        return max(found, key=len, default="")


def _label(group: object) -> _Label:
    """A group: a list, a range, or one of these under a label."""
    if is_list(group):
        return _Label("", tuple(map(str, group)))
    if not is_dict(group):
        raise ValueError(f"{group!r} is no group of factors")
    if "prefix" in group:
        start, stop = group.get("start"), group.get("stop")
        numbers = open_range(
            start if isinstance(start, int) else None, stop if isinstance(stop, int) else None
        )
        factors = tuple(f"{group['prefix']}{number}" for number in numbers)
        return _Label("", factors, str(group.get("default", "")))
    name, content = next(iter(group.items()), ("", ()))
    if is_dict(content) and "values" in content:
        default = str(content.get("default", ""))
        return _label(content["values"])._replace(name=str(name), default=default)
    return _label(content)._replace(name=str(name))
