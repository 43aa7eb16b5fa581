"""tox.ini, setup.cfg and `legacy_tox_ini`: settings of environments as lines.

Lines come without comments and conditions, with references to other settings written
out, each with what is left of its condition. Rules are those of tox 4.
"""

from __future__ import annotations

import re
from configparser import ConfigParser, Error
from itertools import chain

from runner.convert.braces import NAMES, Braces, command_words, pieces
from runner.convert.factors import (
    expand_names,
    factors_of,
    holds,
    python_named,
    python_of,
    split_condition,
)
from runner.convert.model import Command, Item
from runner.convert.tox_if import of_marker
from runner.convert.tox_keys import canonical, why_unread
from runner.convert.tox_source import Entry
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.convert.model import Condition


class Line(Record):
    """A line of a setting that holds for an environment."""

    text: str
    when: Condition = ()
    platform: str = ""


class Setting(Record):
    """What an environment's setting was found to be."""

    lines: tuple[Line, ...]
    line: int
    key: str  # as it is written


_COMMENT = re.compile(r"\s*(?<!\\)#.*")
_REFERENCE = re.compile(r"(?:\[(?P<section>[^]]+)\])?(?P<key>[-\w]+)(?::(?P<default>.*))?", re.S)


class IniFile:
    """The settings of a file. Raises ValueError where it is none."""

    def __init__(self, text: str, *, core: str = "tox", first_line: int = 1) -> None:
        """first_line: where the text begins in the file that it was taken from."""
        parser = ConfigParser(interpolation=None)
        try:
            parser.read_string(text)
        except Error as error:
            told = " ".join(str(error).split()).replace("file: '<string>', line: ", "line ")
            told = re.sub(
                r"^(While reading from|Source contains parsing errors:) '<string>'", "", told
            )
            raise ValueError(re.sub(r"^ *\[line +(\d+)\]:", r"line \1:", told).strip()) from None
        self.core = core
        self._sections = {name: dict(parser[name]) for name in parser.sections()}
        self._lines = _key_lines(text, first_line)
        self._text = text
        self._of_env: dict[str, str] = {}
        for section in self._sections:
            if section.startswith("testenv:"):
                for name in expand_names(section.removeprefix("testenv:")):
                    self._of_env.setdefault(name, section)

    # What there is. ----------------------------------------------------------------

    def section_line(self, section: str) -> int:
        """The line of a section's head."""
        return self._lines.get((section, ""), 0)

    def is_referred_to(self, key: str) -> bool:
        """Whether another setting refers to a key."""
        return re.search(rf"\{{(\[[^]]*\])?{re.escape(key)}[}}:]", self._text) is not None

    def section_of(self, env: str) -> str:
        """The section that an environment has of its own, or that of all."""
        return self._of_env.get(env, "testenv")

    def environments(self) -> Iterator[tuple[str, bool]]:
        """The names as `tox list` has them, and whether they run by default."""
        seen: set[str] = set()
        listed = self._listed()
        known = set(chain.from_iterable(name.split("-") for name in listed))
        for name in self._of_env:
            known.update(name.split("-"))
        others = chain(self._of_env, self._named_by_conditions(known))
        for name in chain(listed, others):
            if name and name not in seen and not name.startswith("."):
                seen.add(name)
                yield name, name in listed

    def _listed(self) -> list[str]:
        lines = self.core_lines("env_list")
        return list(dict.fromkeys(filter(None, chain.from_iterable(map(expand_names, lines))))) or [
            "py"
        ]

    def _named_by_conditions(self, known: set[str]) -> Iterator[str]:
        for section, settings in self._sections.items():
            if section != self.core and section.partition(":")[0] != "testenv":
                continue
            for line in chain.from_iterable(value.split("\n") for value in settings.values()):
                for alternative in split_condition(line)[0]:
                    if {factor for factor, _ in alternative} - known:
                        yield "-".join(factor for factor, _ in alternative)

    # Settings. ---------------------------------------------------------------------

    def core_lines(self, key: str) -> list[str]:
        """The lines of a setting of tox itself."""
        for written, value in self._sections.get(self.core, {}).items():
            if canonical(written) == key:
                plain = [_without_comment(line) for line in _not_comments(value)]
                lines = tuple(Line(text) for text in plain if text.strip())
                return [line.text.strip() for line in self._expand(lines, "", (), self.core)]
        return []

    def find(self, env: str, key: str) -> Setting | None:
        """An environment's own setting, or what it inherits."""
        for section in self._chain(env):
            for written, value in self._sections.get(section, {}).items():
                if canonical(written) != key:
                    continue
                lines = _for_env(value, env)
                if not lines and value.strip():
                    continue  # all of it is for others, so that the next one decides
                expanded = self._expand(lines, env, (f"{section} {written}",), section)
                line = self._lines.get((section, written), 0)
                return Setting(tuple(expanded), line, written)
        return None

    def entries(self, env: str, key: str) -> list[Entry] | None:
        """The lines of a list."""
        setting = self.find(env, key)
        if setting is None:
            return None
        if key == "set_env":
            python = self._python_of(env)
            entries = (_without_marker(line, python) for line in setting.lines)
            return [entry for entry in entries if entry is not None]
        return [Entry(line.text, line.when, line.platform) for line in setting.lines]

    def _python_of(self, env: str) -> str | None:
        """The Python that an environment asks for, by its name or its setting."""
        said = self.find(env, "base_python")
        words = re.split(r"[,\s]+", said.lines[0].text) if said and said.lines else [""]
        return python_of(env) or python_named(words[0])

    def line_of(self, env: str, key: str) -> int:
        """The line of a setting."""
        setting = self.find(env, key)
        return setting.line if setting else 0

    def commands(self, env: str, key: str, variables: Mapping[str, str]) -> list[Item[Command]]:
        """The commands of a setting. Raises ValueError where one cannot be read."""
        setting = self.find(env, key)
        found: list[Item[Command]] = []
        for line in setting.lines if setting else ():
            prefixes, text = _prefixes(line.text)
            words = command_words(text, variables)
            if words:
                command = Command(words, may_fail="-" in prefixes, must_fail="!" in prefixes)
                found.append(Item(command, line.when, line.platform))
        return found

    def core_entries(self, key: str) -> list[str]:
        """The lines of a setting of tox itself."""
        return self.core_lines(key)

    def core_line(self, key: str) -> int:
        """The line of a setting of tox itself."""
        return self._lines.get((self.core, key), 0)

    def labels(self) -> Iterator[tuple[str, list[str]]]:
        """The labels that tox itself gives."""
        return _labels_in(self.core_lines("labels"))

    def unread(self) -> Iterator[tuple[str, int, str]]:
        """The settings that tox does not read, and nothing refers to; with line and reason."""
        for section in self._sections:
            if section == self.core or section == "testenv" or section in self._of_env.values():
                for key in self._sections.get(section, ()):
                    why = why_unread(key, of_tox=section == self.core)
                    if why and not self.is_referred_to(key):
                        yield key, self._lines.get((section, key), 0), why

    def _chain(self, env: str) -> list[str]:
        own = self._of_env.get(env)
        if own is None:
            return ["testenv"]
        said = self._sections[own].get("base")
        if said is None:
            return [own, "testenv"]
        # These alone then: not [testenv], and not the bases of a base.
        bases = [base.strip() for base in re.split(r"[,\n]", said) if base.strip()]
        return [own, *(s for base in bases for s in (base, self._of_env.get(base, "")) if s)]

    # References. -------------------------------------------------------------------

    def _expand(
        self, lines: Iterable[Line], env: str, seen: tuple[str, ...], section: str
    ) -> Iterator[Line]:
        for line in lines:
            parts = list(pieces(line.text.strip()))
            if len(parts) == 1 and isinstance(parts[0], Braces):
                found = self._referred(parts[0].inner, env, seen, section)
                if found is not None:
                    for one in found:
                        both = " and ".join(filter(None, [line.platform, one.platform]))
                        yield Line(one.text, one.when or line.when, both)
                    continue
            text = self._written_out(line.text.strip(), env, seen, section)
            for part in text.split("\n"):
                if part.strip():
                    yield line._replace(text=part.strip())

    def _written_out(self, text: str, env: str, seen: tuple[str, ...], section: str) -> str:
        made = ""
        for piece in pieces(text):
            if isinstance(piece, str):
                made += piece
                continue
            found = self._referred(piece.inner, env, seen, section)
            if found is None:
                made += "{" + self._written_out(piece.inner, env, seen, section) + "}"
            else:
                made += "\n".join(line.text for line in found)
        return made

    def _referred(
        self, inner: str, env: str, seen: tuple[str, ...], section: str
    ) -> list[Line] | None:
        """The lines of the setting that is referred to; None where it is no reference."""
        match = _REFERENCE.fullmatch(inner)
        if match is None or (not match["section"] and match["key"] in NAMES):
            return None
        if not match["section"] and match["key"] in ("posargs", "env", "tty", "glob"):
            return None
        if canonical(match["key"]) == "base_python" and not match["section"]:
            return [Line("python")]
        found = self._value_of(match["section"] or "", match["key"], env, seen, section)
        if found is None and match["default"] is not None and match["section"]:
            return [Line(match["default"])]
        return found

    def _value_of(
        self, of: str, key: str, env: str, seen: tuple[str, ...], section: str
    ) -> list[Line] | None:
        sections = [of] if of else [*([self.core] if env else []), *self._chain(env), section]
        if of.startswith("testenv:"):
            sections += self._chain(of.removeprefix("testenv:"))
        for name in sections:
            mark = f"{name} {key}"
            for written, value in self._sections.get(name, {}).items():
                same = written == key or canonical(written) == canonical(key)
                if same and mark not in seen and f"{name} {written}" not in seen:
                    lines = _for_env(value, env)
                    return list(self._expand(lines, env, (*seen, mark), name))
        return None


def _without_marker(line: Line, python: str | None) -> Entry | None:
    """The entry of a variable, whose marker stands behind a semicolon (PEP 508).

    None where the marker is not true.
    """
    masked = _masked(r"""\\;|"[^"]*"|'[^']*'""", line.text)
    if ";" not in masked and re.search("[\"']", masked):
        masked = _masked(r"\\;", line.text)  # a quote that is left open hides nothing
    at = masked.find(";")
    text = line.text[:at].rstrip() if at >= 0 else line.text
    try:
        marker = of_marker(line.text[at + 1 :].strip(), python) if at >= 0 else True
    except ValueError as error:
        return Entry(text, trouble=str(error))
    if marker is False:
        return None
    both = " and ".join(filter(None, [line.platform, "" if marker is True else marker]))
    return Entry(text.replace("\\;", ";"), line.when, both)


def _masked(pattern: str, text: str) -> str:
    return re.sub(pattern, lambda found: "_" * len(found[0]), text)


def _prefixes(text: str) -> tuple[str, str]:
    """`-` and `!` before a command, and the rest of it."""
    match = re.match(r"([-!]?)\s*", text)
    assert match is not None  # it matches nothing too
    return match[1], text[match.end() :]


def _not_comments(value: str) -> Iterator[str]:
    return (line for line in value.split("\n") if not line.startswith("#"))


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line).replace("\\#", "#").replace("\r", "")


def _for_env(value: str, env: str) -> list[Line]:
    """The lines that hold for an environment; those that go on with a backslash are one."""
    factors = factors_of(env)
    kept: list[Line] = []
    goes_on = skipping = False
    for physical in map(_without_comment, _not_comments(value)):
        when, content = split_condition(physical)
        active, platform = holds(when, factors)
        if not when:
            if skipping and not goes_on and not content.endswith("\\"):
                skipping = False
                continue
            if content:
                _add(kept, Line(content), goes_on=goes_on)
                goes_on = content.endswith("\\")
            skipping = False
        elif active:
            _add(kept, Line(content, when, platform), goes_on=goes_on)
            goes_on = content.endswith("\\")
            skipping = False
        else:
            skipping = content.endswith("\\")
    return [line._replace(text=line.text.removesuffix("\\")) for line in kept if line.text.strip()]


def _add(kept: list[Line], line: Line, *, goes_on: bool) -> None:
    if goes_on and kept:
        before = kept[-1]
        text = before.text.removesuffix("\\") + line.text
        kept[-1] = Line(text, before.when or line.when, before.platform or line.platform)
    else:
        kept.append(line)


def _key_lines(text: str, first_line: int) -> dict[tuple[str, str], int]:
    """The line of each setting and, under an empty key, of each section."""
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), first_line):
        head = re.match(r"\[(.+)\]", line)
        if head:
            section = head[1]
            found.setdefault((section, ""), number)
            continue
        key = re.match(r"([^\s#;][^=:]*?)\s*[=:]", line)
        if key:
            found.setdefault((section, key[1].lower()), number)
    return found


def _labels_in(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The labels of `name = env, env` lines."""
    for line in lines:
        label, equals, names = line.partition("=")
        if equals:
            try:
                yield label.strip(), expand_names(names.strip())
            except ValueError:
                continue
