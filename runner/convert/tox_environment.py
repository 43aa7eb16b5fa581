"""One environment of tox: what each of its settings means here.

Knows not how the settings are written, nor of other environments.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from runner.convert.braces import as_text, is_known_early
from runner.convert.factors import expand_names, python_named, python_of
from runner.convert.model import Command, Environment, Item, Note
from runner.convert.tox_keys import LEFT, words_of
from runner.convert.tox_paths import as_path, from_root, prepared
from runner.convert.tox_source import is_true
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.convert.model import Text
    from runner.convert.tox_source import Entry, Source


class Reader:
    """Reads one environment."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name
        self._notes: list[Note] = []
        self._variables = self._raw_variables()
        self._lists: dict[str, list[Item[Text]]] = {"deps": [], "requirements": []}
        self._lists.update({"constraints": [], "extras": []})
        self._installs: list[Item[Command]] = []
        self._project = ""
        self._prerelease = ""
        self._backend_options: list[str] = []

    def environment(self, *, listed: bool, labels: list[str]) -> Environment:
        """The environment with all that holds for it."""
        source, name = self._source, self._name
        self._project = self._package()
        lock = "uv" if "lock" in self.setting("runner") else ""
        if lock and self._project and not self.setting("package"):
            self._project = "editable"  # as uv sync does it
        self._read_deps()
        self._install_command()
        self._backend()
        if self._true("pip_pre"):
            self._prerelease = "allow"
        if self._project or not self._package_is_skipped():
            self._lists["extras"] += self._texts("extras")
        section = source.section_of(name)
        self._sort_out()
        groups = self._texts("dependency_groups")
        if lock:
            groups += self._beside_lock(groups)
        return Environment(
            name=name,
            source=section,
            line=source.section_line(section),
            listed=listed,
            python=self._python(),
            doc=self._doc(),
            deps=tuple(self._lists["deps"]),
            requirements=tuple(self._lists["requirements"]),
            constraints=() if lock else (*self._lists["constraints"], *self._constraints()),
            extras=tuple(self._lists["extras"]),
            groups=tuple(groups),
            tags=(*self._texts("labels"), *(Item(as_text(label, {})) for label in labels)),
            env=tuple(_last_of_each(self._env())),
            installs=tuple(self._installs),
            pre=tuple(self._commands("commands_pre")),
            commands=tuple(self._commands("commands")),
            post=tuple(self._commands("commands_post")),
            project=self._project,
            lock=lock,
            prerelease="" if lock else self._prerelease,
            resolution="" if lock else self.setting("uv_resolution"),
            backend_options=tuple(self._backend_options),
            reuse=not self._true("recreate"),
            folder=self._folder(),
            platform=self._platform(),
            failure_ignored=self._true("ignore_outcome"),
            after=tuple(dict.fromkeys(n for text in self._all("depends") for n in _names(text))),
            notes=tuple(self._notes),
        )

    # Settings as they are. -----------------------------------------------------------

    def _entries(self, key: str) -> list[Entry]:
        try:
            entries = self._source.entries(self._name, key) or []
        except ValueError as error:
            self._note("left", key, f"{key}: {error}")
            return []
        for entry in entries:
            if entry.trouble:
                self._note("left", key, f"{key} {_short(entry.text)}: {entry.trouble}")
        return [entry for entry in entries if not entry.trouble]

    def setting(self, key: str) -> str:
        """A setting of one value; substitutions in it as they are."""
        return " ".join(entry.text for entry in self._entries(key)).strip()

    def _platform(self) -> str:
        """What must match `sys.platform`.

        A line for the platform that tox runs on says nothing there, and another elsewhere.
        """
        entries = self._entries("platform")
        return " ".join(entry.text for entry in entries if not entry.platform).strip()

    def _all(self, key: str) -> list[str]:
        return [entry.text for entry in self._entries(key)]

    def _true(self, key: str) -> bool:
        return is_true([entry.text for entry in self._entries(key)])

    def _text(self, text: str) -> Text:
        return as_text(text, self._variables)

    def _texts(self, key: str) -> list[Item[Text]]:
        found = [
            Item(self._text(word.strip()), entry.when, entry.platform)
            for entry in self._entries(key)
            for word in entry.text.split(",")
            if word.strip()
        ]
        return [item for item in found if self._is_declared(item, key)]

    def _is_declared(self, item: Item[Text], key: str) -> bool:
        """Whether it can stand in a declaration; what cannot is noted."""
        if is_known_early(item.value):
            return True
        self._note("left", key, f"{key}: an entry is known only when the session runs")
        return False

    def _note(self, kind: str, key: str, text: str) -> None:
        note = Note(kind, self._source.line_of(self._name, key), text)
        self._notes += [note] if note not in self._notes else []

    # What each means. ---------------------------------------------------------------

    def _python(self) -> str | None:
        own = python_of(self._name)
        if own:
            return own
        said = [word for e in self._entries("base_python") for word in re.split(r"[,\s]+", e.text)]
        said = [word for word in said if word]
        said = said or self._source.core_entries("default_base_python")
        said = said or self._all("default_base_python")
        if not said or "{" in said[0] or said[0] in ("python", "python3", "py", "py3"):
            return None
        return python_named(said[0]) or said[0]

    def _doc(self) -> str:
        text = " ".join(self.setting("description").split())
        if re.fullmatch(r"""(["'])(?:(?!\1).)+\1""", text):
            text = text[1:-1]  # in an ini they are part of it, which nobody means
        made = [p if isinstance(p, str) else None for p in self._text(text)]
        if None not in made:
            return "".join(filter(None, made))
        return re.sub(r"\s*(with|on|under|using|for)?\s*\{[^{}]*\}", "", text).strip()

    def _package_is_skipped(self) -> bool:
        skips = self._true("skip_install") or self.setting("package") in ("skip", "deps-only")
        return skips or is_true(self._source.core_entries("no_package"))

    def _package(self) -> str:
        develop = self._true("use_develop")
        package = self.setting("package")
        if self.setting("no_package"):
            self._note("ignored", "no_package", "no_package: tox has it only for all environments")
        if self._package_is_skipped():
            if develop and not self._true("skip_install"):
                self._note("ignored", "use_develop", "use_develop: no_package forbids it")
            if package == "deps-only":
                why = "name what the project depends on in deps="
                self._note("left", "package", f"package = deps-only: {why}")
            return ""
        if develop or "editable" in package:
            return "editable"
        if package == "external":
            self._note("left", "package", "package = external: runenv builds the project itself")
            return ""
        return "sdist" if package == "sdist" else "wheel"

    def _sort_out(self) -> None:
        """What has no argument here is noted."""
        for key, mend in LEFT.items():
            if mend and self.setting(key):
                shown = self.setting(key)
                self._note("left", key, f"{key} = {_short(shown)}: {mend}")
        shown = self.setting("env_dir")
        if shown:
            why = "equal environments share their files anyway; see environment="
            self._note("approximated", "env_dir", f"env_dir = {_short(shown)}: {why}")
        if self._true("ignore_errors"):
            self._note(
                "approximated",
                "ignore_errors",
                "ignore_errors: the first command that fails ends the job;"
                " check=False lets it go on",
            )

    def _folder(self) -> Text:
        text = self._text(self.setting("change_dir"))
        return from_root(text)

    def _backend(self) -> None:
        if self._true("system_site_packages"):
            self._backend_options.append("--system-site-packages")

    # Dependencies. ------------------------------------------------------------------

    def _read_deps(self) -> None:
        for entry in self._entries("deps"):
            text = entry.text.strip()
            match = re.match(r"(-r|-c|-e|--requirement|--constraint|--editable)[ =]?\s*(.+)", text)
            if match:
                self._option(match[1].lstrip("-")[0], match[2].strip(), entry)
            elif text == "--pre":
                self._prerelease = "allow"
            elif text.startswith("-"):
                self._installer_option(text, "deps")
            elif text:
                self._requirement(text, entry, "wheel")

    def _option(self, letter: str, value: str, entry: Entry) -> None:
        item = Item(from_root(self._text(value)), entry.when, entry.platform)
        if letter == "r" and not is_known_early(item.value):
            command = Command((("-r",), item.value))
            self._installs.append(Item(command, entry.when, entry.platform))
        elif letter == "r":
            self._lists["requirements"].append(item)
        elif letter == "c":
            self._lists["constraints"] += [item] if self._is_declared(item, "deps") else []
        else:
            self._requirement(value, entry, "editable")

    def _requirement(self, text: str, entry: Entry, project: str) -> None:
        own = re.fullmatch(r"(?:\.|\{toxinidir\}|\{tox_root\})/?(?:\[([^]]*)\])?", text)
        if own:
            # What is conditional cannot be said of the project; the other way round it is
            # installed where it need not be.
            self._project = self._project or project
            for extra in filter(None, map(str.strip, (own[1] or "").split(","))):
                self._lists["extras"].append(Item((extra,), entry.when, entry.platform))
            return
        value = as_path(from_root(self._text(text)), text)
        editable = project == "editable"
        if editable or not is_known_early(value):
            command = Command((("-e",), value) if editable else (value,))
            self._installs.append(Item(command, entry.when, entry.platform))
            return
        self._lists["deps"].append(Item(value, entry.when, entry.platform))

    def _installer_option(self, text: str, key: str) -> None:
        self._note("left", key, f"{text}: an option of the installer; set it for uv and pip")

    def _beside_lock(self, groups: list[Item[Text]]) -> list[Item[Text]]:
        """The groups that flags of uv name; what no lock holds is installed on top."""
        flags = [entry.text for entry in self._entries("uv_sync_flags")]
        found: list[Item[Text]] = []
        words = iter([word for text in flags for word in text.replace(",", " ").split()])
        for word in words:
            flag, equals, value = word.partition("=")
            if flag in ("--group", "--only-group", "--extra"):
                item = Item(self._text(value if equals else next(words, "")))
                (self._lists["extras"] if flag == "--extra" else found).append(item)
            elif flag not in ("--locked", "--frozen", "--no-dev", "--no-editable", "--active"):
                self._note("left", "uv_sync_flags", f"uv_sync_flags: {word}")
        if not groups and not found and not self._true("no_default_groups"):
            why = "uv also installs its default groups: name them in groups=, dev say"
            self._note("approximated", "runner", f"runner = uv-venv-lock-runner: {why}")
        for letter, key in (("", "deps"), ("-r", "requirements")):
            for item in self._lists[key]:
                words_of_it: tuple[Text, ...] = ((letter,), item.value) if letter else (item.value,)
                self._installs.append(Item(Command(words_of_it), item.when, item.platform))
            self._lists[key] = []
        return found

    def _constraints(self) -> list[Item[Text]]:
        return [
            Item(from_root(self._text(re.sub(r"^-c\s*", "", entry.text))), entry.when)
            for entry in self._entries("constraints")
        ]

    def _install_command(self) -> None:
        said = self.setting("install_command")
        try:
            words = shlex.split(said)
        except ValueError:
            words = [said]
        while words and (re.fullmatch(r"python[\d.]*|\{env_?python\}|pip[\d.]*|uv", words[0])):
            words.pop(0)
            while words[:1] in (["-m"], ["-I"], ["-mpip"], ["pip"]):
                words.pop(0)
        if words[:1] == ["install"]:
            words.pop(0)
        while words:
            word = words.pop(0)
            if word in ("{opts}", "{packages}", "-U", "--upgrade", "--no-cache-dir"):
                continue
            if word == "--pre":
                self._prerelease = "allow"
            elif re.fullmatch(r"-c|--constraint", word) and words:
                item = Item(from_root(self._text(words.pop(0))))
                self._lists["constraints"].append(item)
            elif re.match(r"-c.|--constraint=", word):
                value = re.sub(r"^(-c|--constraint=)", "", word)
                self._lists["constraints"].append(Item(from_root(self._text(value))))
            elif word in _HARMLESS_OPTIONS:
                continue
            else:
                self._note(
                    "left",
                    "install_command",
                    f"install_command = {_short(said)}: runenv calls the installer itself",
                )
                return

    # Variables. -----------------------------------------------------------------------

    def _raw_variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for entry in self._entries("set_env"):
            name, equals, value = entry.text.partition("=")
            if equals and not entry.platform:
                found[name.strip()] = value.strip()
        return found

    def _env(self) -> Iterator[Item[tuple[str, Text]]]:
        for entry in self._entries("set_env"):
            name, equals, value = entry.text.partition("=")
            name, value = name.strip(), value.strip()
            if not equals:
                self._note("left", "set_env", f"set_env {_short(entry.text)}: not a variable")
                continue
            others = {n: v for n, v in self._variables.items() if n != name}
            yield Item((name, as_text(value, others)), entry.when, entry.platform)

    # Commands. ------------------------------------------------------------------------

    def _commands(self, key: str) -> Iterator[Item[Command]]:
        try:
            found = self._source.commands(self._name, key, self._variables)
        except ValueError as error:
            self._note("left", key, f"{key}: a command cannot be read ({error})")
            return
        allowed = [entry.text for entry in self._entries("allowlist_externals")]
        patterns = [word.strip() for text in allowed for word in text.split(",") if word.strip()]
        for item in found:
            yield replace(item, value=prepared(item.value, patterns, moved=bool(self._folder())))


def _last_of_each(variables: Iterable[Item[tuple[str, Text]]]) -> list[Item[tuple[str, Text]]]:
    """The variables without those that a later one of the same name always replaces."""
    kept: list[Item[tuple[str, Text]]] = []
    for item in variables:
        if not item.platform:
            kept = [other for other in kept if other.value[0] != item.value[0]]
        kept.append(item)
    return kept


_HARMLESS_OPTIONS = words_of("""
    -q -qq -v --quiet --isolated --no-warn-script-location --disable-pip-version-check --no-input
    --no-warn-conflicts --use-pep517 --prefer-binary --progress-bar=off --upgrade-strategy=eager
""")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def _names(text: str) -> list[str]:
    try:
        return expand_names(text)
    except ValueError:
        return [text]
