"""What tox says of its environments: `tox config`, which makes none and runs nothing."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from configparser import ConfigParser, Error
from fnmatch import fnmatchcase

from runner.convert.asked import (
    Facts,
    Sight,
    Untold,
    answer_of,
    find_tool,
    json_in,
    no_answer,
    normal,
    plain_lines,
    requirement,
    shown_command,
    split_project,
)
from runner.convert.factors import python_named
from runner.convert.recorded import Places
from runner.errors import UsageError
from runner.record import Record
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEYS = (
    *("env_dir", "base_python", "deps", "constraints", "extras", "dependency_groups"),
    *("package", "skip_install", "use_develop", "wheel_build_env", "package_env", "runner"),
    *("set_env", "commands_pre", "commands", "commands_post", "change_dir", "labels", "platform"),
    "depends",
)

NOT_COMPARED = "what commands may see and call (pass_env, allowlist_externals), descriptions"


class Answer(Record):
    """What tox says of one environment."""

    facts: Facts
    sight: Sight
    places: Places


class Asked(Record):
    """What tox says of all, by name; and what it could not say."""

    answers: Mapping[str, Answer]
    untold: tuple[Untold, ...]


def ask(file: str, environ: Mapping[str, str]) -> Asked:
    """What tox says of all environments of a file.

    Raises UsageError where tox is not installed, is too old, or does not answer.
    """
    # Its folder is elsewhere, so that nothing of the project's own .tox is touched.
    with tempfile.TemporaryDirectory() as folder:
        tox = _Tox(find_tool("tox"), file, os.path.realpath(folder), environ)
        core, environments = tox.all_of_it()
        listed = _list(core.get("env_list"))
        if not listed:
            # What runs then; ALL does not mean it.
            listed = ["py"]
            environments.update(tox.some("py"))
        labels = _labels(core.get("labels"))
        environments.update(tox.labelled(labels, environments))
        _add_labels(labels, environments)
    # By ALL tox means the environments that it builds in, too.
    builds = {
        keys.get(key)
        for keys in environments.values()
        for key in ("wheel_build_env", "package_env")
    }
    for name, keys in environments.items():
        # What is not there is ignored.
        followed = _list(keys.get("depends"))
        keys["depends"] = [
            other
            for other in environments
            if other != name and any(fnmatchcase(other, pattern) for pattern in followed)
        ]
    return Asked(
        {
            name: tox.answer(name, keys, is_listed=name in listed)
            for name, keys in environments.items()
            if name not in builds
        },
        tuple(
            Untold(name, (_LABELS_OF.get(key, key),), f"tox cannot say it: {why}")
            for name, keys in environments.items()
            for key, why in _errors(keys)
        ),
    )


def _labels(said: object) -> dict[str, list[str]]:
    """The labels that tox itself gives; none of an older tox, which writes them otherwise."""
    return {str(label): _list(names) for label, names in said.items()} if is_dict(said) else {}


def _add_labels(labels: Mapping[str, list[str]], environments: dict[str, _Keys]) -> None:
    """Each environment has the labels that tox itself gives, too."""
    for label, names in labels.items():
        for name in names:
            keys = environments.get(name)
            if keys is not None:
                keys["labels"] = list(dict.fromkeys([*_list(keys.get("labels")), label]))


class _Tox:
    """tox, and a file that it is asked about."""

    def __init__(self, tox: str, file: str, work: str, environ: Mapping[str, str]) -> None:
        self._root = os.path.dirname(file)
        self._file = file
        self._tox = tox
        self._work = work
        self._environ = environ
        self._marks = True
        self._told = ""

    def _call(self, *words: str) -> tuple[int, str]:
        fixed = ("-c", self._file, "--workdir", self._work, "--no-provision")
        argv = [self._tox, words[0], *fixed, *words[1:]]
        code, out, told = answer_of(argv, self._root, self._environ, {})
        self._told = told or out
        return code, out

    def _config(self, *chosen: str) -> tuple[_Keys, dict[str, _Keys]] | None:
        """What it says of what options choose; None where it says nothing."""
        wanted = ("config", *chosen, "--core", "-k", "env_list", *_KEYS)
        if self._marks:
            # Of what it cannot find out it says why in its place, and ends with another code.
            _, out = self._call(*wanted, "--format", "json")
            said = _of_json(json_in(out))
            if said is not None or "--format" not in self._told:
                return said
        self._marks = False  # before it had JSON it did not tell what may fail, either
        code, out = self._call(*wanted)
        return _of_ini(out) if code == 0 else None

    def some(self, *environments: str) -> dict[str, _Keys]:
        """What it says of some environments; nothing of those of which it cannot."""
        said = self._config("-e", ",".join(environments))
        return said[1] if said else {}

    def labelled(
        self, labels: Mapping[str, list[str]], known: Mapping[str, _Keys]
    ) -> dict[str, _Keys]:
        """What it says of those that labels alone name: ALL does not mean them."""
        missing = {
            label: [name for name in names if "error" in known.get(name, {"error": ""})]
            for label, names in labels.items()
        }
        wanted = [label for label, names in missing.items() if names]
        said = self._config("-m", *wanted) if wanted else None
        alone = {name for names in missing.values() for name in names}
        return {name: keys for name, keys in said[1].items() if name in alone} if said else {}

    def all_of_it(self) -> tuple[_Keys, dict[str, _Keys]]:
        """What it says of all, and of itself. Raises UsageError where it says nothing."""
        said = self._config("-e", "ALL")
        if said is not None:
            return said
        trouble = self._told
        # One whose Python is not here may hide what is said of all others.
        code, out = self._call("list", "--no-desc", "-q")
        names = [word for word in out.split() if not word.startswith(".")] if code == 0 else []
        found: dict[str, _Keys] = {}
        core: _Keys = {}
        for name in names:
            one = self._config("-e", name)
            core = one[0] if one else core
            found.update(one[1] if one else {name: {"error": _last_line(self._told)}})
        if all("error" in keys for keys in found.values()):
            raise self._no_answer(trouble)
        return core, found

    def _no_answer(self, trouble: str) -> UsageError:
        _, out = self._call("--version")
        version = re.search(r"\b(\d+)\.\d[\w.]*", out or self._told)
        if version and int(version[1]) < 4:
            return UsageError(
                f"tox {version[0]} is too old to be asked what it would do",
                mend="install tox 4 or later: uv tool install tox",
            )
        mend = "install what its `requires` names beside tox" if "provision" in trouble else ""
        return no_answer("tox", f"tox config -c {os.path.relpath(self._file)}", trouble, mend)

    def answer(self, name: str, keys: _Keys, *, is_listed: bool) -> Answer:
        """What it says of an environment, in words that can be compared."""
        env_dir = str(keys.get("env_dir") or os.path.join(self._work, name))
        programs = os.path.join(env_dir, "bin" if os.name == "posix" else "Scripts")
        same = ((os.path.join(self._work, ".tmp"), self._work),)
        sight = Sight(self._root, (programs,), same, self._marks)
        facts: Facts = {"default": ("yes" if is_listed else "no",)}
        if "error" not in keys:
            facts.update(_facts(keys, sight))
        version = _version(facts.get("python", ()))
        return Answer(facts, sight, Places(env_dir, self._work, version))


def _last_line(told: str) -> str:
    return plain_lines(told)[-1] if plain_lines(told) else "it says nothing"


_Keys = dict[str, object]


def _of_json(answer: object) -> tuple[_Keys, dict[str, _Keys]] | None:
    if not is_dict(answer) or not is_dict(answer.get("env")):
        return None
    environments = answer["env"]
    assert is_dict(environments)
    core = answer.get("tox")
    return (
        _strings(core),
        {str(n): _strings(keys) for n, keys in environments.items() if not str(n).startswith(".")},
    )


def _of_ini(text: str) -> tuple[_Keys, dict[str, _Keys]] | None:
    parser = ConfigParser(interpolation=None, delimiters=("=",), strict=False)
    try:
        parser.read_string(text)
    except Error:
        return None
    sections = {name: dict(parser[name]) for name in parser.sections()}
    environments: dict[str, _Keys] = {
        name.removeprefix("testenv:"): {key: _value(key, text) for key, text in keys.items()}
        for name, keys in sections.items()
        if name.startswith("testenv:") and not name.startswith("testenv:.")
    }
    core: _Keys = {key: text.split("\n") for key, text in sections.get("tox", {}).items()}
    return core, environments


def _value(key: str, text: str) -> object:
    lines = [line for line in text.split("\n") if line.strip()]
    if text.startswith("# Exception"):
        return text
    if key == "set_env":
        return {name: value for name, _, value in (line.partition("=") for line in lines)}
    if key in ("skip_install", "use_develop"):
        return text == "True"
    one = ("env_dir", "package", "change_dir", "platform", "runner")
    return text if key in one else lines


def _facts(keys: _Keys, sight: Sight) -> Facts:
    """What is said by keys; what tox could not find out is left away."""
    facts: Facts = {
        "python": _python(_list(keys.get("base_python"))),
        "tags": tuple(sorted(_list(keys.get("labels")))),
        "groups": normal(_list(keys.get("dependency_groups"))),
        "variables": _variables(keys.get("set_env"), sight),
        "folder": (sight.text(str(keys.get("change_dir") or sight.root)),),
        "setup": (),
        "after": tuple(sorted(_list(keys.get("depends")))),
    }
    if "lock" not in str(keys.get("runner")):
        facts.update(_installed(keys, sight))
    platform = str(keys.get("platform") or "")
    if not platform or re.fullmatch(platform, sys.platform):
        steps = ("commands_pre", "commands", "commands_post")
        lines = [line for key in steps for line in _list(keys.get(key))]
        facts["commands"] = tuple(_command(line, sight) for line in lines)
    for key, _ in _errors(keys):
        facts.pop(_LABELS_OF.get(key, key), None)
    return facts


_LABELS_OF = {
    "base_python": "python",
    "labels": "tags",
    "dependency_groups": "groups",
    "set_env": "variables",
    "change_dir": "folder",
    "constraints": "deps",
    "package": "project",
    "commands_pre": "commands",
    "commands_post": "commands",
    "error": "all",
}


def _errors(keys: _Keys) -> list[tuple[str, str]]:
    """What tox could not find out, and why."""
    found: list[tuple[str, str]] = []
    for key, value in keys.items():
        if is_dict(value) and value.keys() == {"error"}:
            found.append((key, str(value["error"])))
        elif key == "error" or str(value).startswith("# Exception"):
            found.append((key, str(value)))
    return found


def _installed(keys: _Keys, sight: Sight) -> Facts:
    """What is installed, and how the project is."""
    deps = [*_list(keys.get("deps")), *(f"-c {path}" for path in _list(keys.get("constraints")))]
    plain, extras, how = split_project([requirement(dep, sight) for dep in deps if dep != "--pre"])
    package = "" if keys.get("skip_install") is True else str(keys.get("package") or "skip")
    if keys.get("use_develop") is True or package.startswith(("editable", "dev-legacy")):
        how = "editable" if package else how
    elif package not in ("", "skip", "deps-only"):
        how = "installed"  # in place of the one among deps
    return {
        "deps": tuple(sorted(plain)),
        "extras": normal([*_list(keys.get("extras")), *extras]) if how else (),
        "project": (how,) if how else (),
    }


def _command(line: str, sight: Sight) -> str:
    argv = shlex.split(line)
    prefix = argv.pop(0) if argv[0] in ("-", "!") else ""
    marks = sight.marks
    return shown_command(
        sight.words(argv), may_fail=marks and prefix == "-", must_fail=marks and prefix == "!"
    )


def _python(words: Sequence[str]) -> tuple[str, ...]:
    """The Python that is asked for; () for the one that runs tox."""
    word = words[0] if words else ""
    if not word or os.path.isabs(word) or word in ("py", "python", "py3", "python3"):
        return ()
    return (python_named(word) or word,)


def _version(python: tuple[str, ...]) -> str:
    plain = re.search(r"\d+\.\d+", "".join(python))
    return plain[0] if plain else ".".join(map(str, sys.version_info[:3]))


# What tox sets by itself.
_OF_TOX = re.compile(
    r"TOX_\w+|PYTHONHASHSEED|PIP_DISABLE_PIP_VERSION_CHECK|PIP_USER|PYTHONIOENCODING|VIRTUAL_ENV"
)


def _variables(value: object, sight: Sight) -> tuple[str, ...]:
    pairs = _strings(value).items()
    return tuple(sorted(f"{name}={sight.text(str(text))}" for name, text in pairs if text))


def without_its_own(theirs: Facts, ours: Facts) -> Facts:
    """What tox says without the variables that it sets by itself and the envfile does not."""
    if "variables" not in theirs:
        return theirs
    set_here = {line.partition("=")[0] for line in ours.get("variables", ())}
    kept = tuple(
        line
        for line in theirs["variables"]
        if line.partition("=")[0] in set_here or not _OF_TOX.fullmatch(line.partition("=")[0])
    )
    return {**theirs, "variables": kept}


def _strings(value: object) -> _Keys:
    return {str(k): v for k, v in value.items()} if is_dict(value) else {}


def _list(value: object) -> list[str]:
    if is_dict(value):
        return []  # an error
    if is_list(value):
        return [str(one).strip() for one in value if str(one).strip()]
    return [] if value is None else [str(value)]
