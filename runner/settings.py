"""Every setting: one table, and which of its sources wins.

The table drives the command line, --help, completion, the variables,
`runner.options` and [tool.runenv]. Knows nothing of what a setting does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.errors import UsageError, did_you_mean, nearest
from runner.model import Option, Request, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal, TypeGuard


# What stands for a --store that nothing stands behind; no argument can hold it.
_BARE_STORE = "\0"
_ALL = "all"  # of --clean --store=all

SHELLS = ("bash", "zsh", "fish")
ENGINES = ("github", "gitlab", "buildkite", "json")

OPTIONS: tuple[Option, ...] = (
    Option("python", ("-p", "--python"), "many", "only jobs on these Pythons: 3.12, '>=3.11'", "Select", "V", in_envfile=True),
    Option("tag", ("-t", "--tag"), "many", "only jobs with one of these tags", "Select", "T"),
    Option("keyword", ("-k", "--keyword"), "many", "only jobs that match by name or tag: 'a and not b'", "Select", "EXPR", splits=False),
    Option("sessions", ("-s", "--session"), "many", "the same as NAME, for hands that know nox", "Select", "NAME", splits=False),
    Option("failed", ("--failed",), "flag", "only jobs that did not pass when they last ran", "Select"),
    Option("default", (), "many", "what runs when nothing is named", "", in_envfile=True),
    Option("list", ("-l", "--list"), "verb", "list the jobs", "Verbs"),
    Option("usage", ("--usage",), "verb with argument", "tell all about a session", "Verbs", "NAME"),
    Option("explain", ("--explain",), "verb", "tell what would run, where and why; run nothing", "Verbs"),
    Option("shell", ("--shell",), "verb with argument", "open a shell in the environment of a job", "Verbs", "NAME"),
    Option("exec", ("--exec",), "verb with argument", "run the command behind -- in the environment of a job", "Verbs", "NAME"),
    Option("clean", ("--clean",), "verb", "delete environments: all, or those of the jobs named", "Verbs"),
    Option("lock", ("--lock",), "verb", "find versions for what is declared, and install these from then on", "Verbs"),
    Option("matrix", ("--matrix",), "verb with argument", "print the jobs as the matrix of a CI engine", "Verbs", "ENGINE", ENGINES),
    Option("doctor", ("--doctor",), "verb", "look for what could go wrong here, and tell the mends", "Verbs"),
    Option("completion", ("--completion",), "verb with argument", "print the code that completes in a shell", "Verbs", "SHELL", SHELLS),
    Option("version", ("--version",), "verb", "print the version", "Verbs"),
    Option("help", ("-h", "--help"), "verb", "print this", "Verbs"),
    Option("jobs", ("-j", "--jobs"), "value", "run so many at once; auto: one for each CPU", "Run", "N", in_envfile=True),
    Option("fail_fast", ("-x", "--fail-fast"), "flag", "start nothing more after a failure, and end what runs", "Run", in_envfile=True),
    Option("timeout", ("--timeout",), "value", "what a job may take whose session does not say: 90s, 5m, 1h", "Run", "TIME", in_envfile=True),
    Option("skip_missing", ("--skip-missing",), "flag", "skip jobs whose Python is not found", "Run", in_envfile=True),
    Option("on_fail", ("--on-fail",), "value", "shell: open one where a command failed", "Run", "WHAT", ("shell",)),
    Option("non_interactive", ("--non-interactive",), "flag", "tell sessions that nobody is there to answer", "Run"),
    Option("file", ("-f", "--file"), "value", "the envfile, or its folder", "Run", "FILE"),
    Option("directory", ("-C", "--directory"), "value", "look for the envfile from here on", "Run", "DIR"),
    Option("fresh", ("--fresh",), "flag", "make the environments anew", "Environments"),
    Option("upgrade", ("--upgrade",), "flag", "take the newest that is allowed, of all or of one package", "Environments", "[=PACKAGE]", bare="1", named="upgrade_package"),
    Option("upgrade_package", (), "many", "what --upgrade=PACKAGE has named", ""),
    Option("no_install", ("--no-install",), "flag", "use them as they are, and say what differs", "Environments"),
    Option("install_only", ("--install-only",), "flag", "prepare them and run no commands", "Environments"),
    Option("backend", ("--backend",), "value", "what makes them: uv, virtualenv, venv, conda, 'uv|venv'", "Environments", "B", in_envfile=True),
    Option("envdir", ("--envdir",), "value", "where they are (.runenv)", "Environments", "DIR", in_envfile=True),
    Option("store", ("--store",), "value", "where finished ones are kept to link from; with --clean, --explain, --doctor: of these", "Environments", "[=DIR]", bare=_BARE_STORE, in_envfile=True),
    Option("store_size", (), "value", "what is kept there at most", "", in_envfile=True),
    Option("max_age", ("--max-age",), "value", "ask again what is newest after 12h, 7d", "Environments", "AGE", in_envfile=True),
    Option("stale", ("--stale",), "value", "with --clean: what no job has, or none used for so many days (30)", "Environments", "[=DAYS]", bare="30"),
    Option("deep", ("--deep",), "flag", "with --doctor: compare each file in the store with its hash", "Environments"),
    Option("check", ("--check",), "flag", "with --lock: tell which locks are stale, and change none", "Environments"),
    Option("json", ("--json",), "flag", "with --list, --explain, --doctor: as JSON", "Output"),
    Option("report", ("--report",), "many", "write a report: .json .xml .md .html .trace.json", "Output", "FILE", in_envfile=True),
    Option("verbose", ("-v", "--verbose"), "flag", "show what installers say, and more", "Output", in_envfile=True),
    Option("quiet", ("-q", "--quiet"), "flag", "show only what went wrong", "Output", in_envfile=True),
    Option("output", ("--output",), "value", "with -j, of each job: block when it ends, or live", "Output", "HOW", ("block", "live"), in_envfile=True),
    Option("color", ("--color",), "value", "auto, always or never", "Output", "WHEN", ("auto", "always", "never"), in_envfile=True),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
_BY_FLAG = {flag: option for option in OPTIONS for flag in option.flags}
BACKENDS = ("uv", "virtualenv", "venv", "conda", "none")
REPORTS = (".html", ".json", ".md", ".trace.json", ".xml")  # ends of the names of reports

# RUNENV_ variables that are no settings: set for a job's commands.
_OTHER_VARIABLES = ("RUNENV_JOB", "RUNENV_WORKER")


# The command line. -------------------------------------------------------------


def parse(argv: Sequence[str]) -> Request:
    """What a command line asks for. Raises UsageError, with a suggestion where one is near.

    A parser of our own over the table: argparse costs 8 ms on the way to --list
    (Python 3.11, CPU), and suggests nothing.
    """
    words = list(argv)
    posargs: list[str] = []
    if "--" in words:
        at = words.index("--")
        words, posargs = words[:at], words[at + 1 :]
    given: dict[str, object] = {}
    verbs: dict[str, str | None] = {}
    while words:
        word = words.pop(0)
        if word == "-" or not word.startswith("-"):
            given["sessions"] = (*_tuple(given.get("sessions")), word)
        elif word.startswith("--"):
            flag, equals, value = word.partition("=")
            _take(_option(flag), flag, value if equals else None, words, given, verbs)
        else:
            _take_short(word, words, given, verbs)
    if "help" in verbs:
        verbs = {"help": None}  # of whatever verb: the help has them all
    if len(verbs) > 1:
        asked = " and ".join(BY_NAME[verb].flags[-1] for verb in verbs)
        raise UsageError(f"{asked} cannot be asked for at once", mend="run runenv once for each")
    verb, argument = next(iter(verbs.items()), ("run", None))
    if given.get("check") and verb != "lock":
        raise UsageError("--check goes with --lock", mend="runenv --lock --check")
    if given.get("json") and verb not in ("list", "explain", "doctor"):
        raise UsageError(
            "--json goes with --list, --explain or --doctor", mend="runenv --list --json"
        )
    if given.get("stale") and verb != "clean":
        raise UsageError("--stale goes with --clean", mend="runenv --clean --stale")
    if given.get("deep") and verb != "doctor":
        raise UsageError("--deep goes with --doctor", mend="runenv --doctor --deep")
    if given.get("report") and verb != "run":
        raise UsageError("--report goes with a run", mend="leave one of the two away")
    of_store = _of_store(verb, given)
    return Request(
        verb=verb, argument=argument, given=given, posargs=tuple(posargs), of_store=of_store
    )


def _of_store(verb: str, given: dict[str, object]) -> Literal["", "images", "all"]:
    """What of the store a verb is about; that alone is taken out of what is given."""
    asked = given.get("store")
    if asked is None:
        return ""
    if asked == _ALL:
        if verb != "clean":
            raise UsageError(
                "--store=all goes with --clean",
                mend="runenv --clean --store=all; a folder of that name is ./all",
            )
    elif verb not in ("clean", "explain", "doctor"):
        if asked == _BARE_STORE:
            raise UsageError(
                "--store without a folder goes with --clean, --explain or --doctor",
                mend="write --store=DIR",
            )
        return ""
    for name in ("sessions", "tag", "keyword", "python", "failed"):
        if given.get(name):
            raise _not_of_store(name, given[name])
    if asked in (_ALL, _BARE_STORE):
        del given["store"]
    return "all" if asked == _ALL else "images"


def _not_of_store(name: str, value: object) -> UsageError:
    if name == "sessions":
        return UsageError(
            "--store takes its value behind an equals sign",
            mend=f"write --store={_tuple(value)[0]}; of sessions there is nothing in the store",
        )
    return UsageError(
        f"--store and {BY_NAME[name].flags[-1]} cannot be asked for at once",
        mend="of sessions there is nothing in the store",
    )


def _option(flag: str) -> Option:
    option = _BY_FLAG.get(flag)
    if option is None:
        raise _unknown_option(flag)
    return option


_REUSED = "an environment is reused whenever nothing has changed"

# What hands that know nox type, where it is spelt otherwise here.
_NOX_FLAGS = {
    "-r": _REUSED + "; leave it away",
    "-R": _REUSED + "; --no-install keeps it as it is",
    "--reuse-existing-virtualenvs": _REUSED + "; leave it away",
    "--reuse-venv": _REUSED + "; --fresh makes it anew",
    "-N": "write --fresh",
    "--no-reuse-existing-virtualenvs": "write --fresh",
    "-e": "name the session without it: runenv NAME",
    "--sessions": "name the sessions without it: runenv NAME NAME",
    "--list-sessions": "write --list",
    "--pythons": "write --python",
    "--tags": "write --tag",
    "--keywords": "write --keyword",
    "--noxfile": "write --file",
    "--stop-on-first-error": "write --fail-fast",
    "--no-stop-on-first-error": "it is so unless --fail-fast is given",
    "-db": "write --backend",
    "--default-venv-backend": "write --backend",
    "--force-venv-backend": "write --backend",
    "--no-venv": "write --backend none",
    "-P": "-p selects among the Pythons that the envfile names; name this one there",
    "--force-python": "-p selects among the Pythons that the envfile names; name this one there",
    "--force-pythons": "-p selects among the Pythons that the envfile names; name this one there",
    "--extra-python": "-p selects among the Pythons that the envfile names; name this one there",
    "--extra-pythons": "-p selects among the Pythons that the envfile names; name this one there",
    "--download-python": "install it before: uv python install 3.13",
    "--error-on-external-run": "it is so; session.run(..., external=True) allows it",
    "--no-error-on-external-run": "say which commands: session.run(..., external=True)",
    "--parallel": "write --jobs",
    "--allow-parallel": "every session may run beside others, unless it says parallel=False",
    "--nocolor": "write --color never",
    "--forcecolor": "write --color always",
    "--error-on-missing-interpreters": "it is so unless --skip-missing is given",
    "--no-error-on-missing-interpreters": "write --skip-missing",
}


def _unknown_option(flag: str) -> UsageError:
    hint = _NOX_FLAGS.get(flag) or did_you_mean(flag, list(_BY_FLAG))
    return UsageError(
        f"there is no option {flag}",
        mend=hint or "runenv --help shows them all; what belongs to a session stands behind --",
    )


def _take_short(
    word: str, words: list[str], given: dict[str, object], verbs: dict[str, str | None]
) -> None:
    """`-x`, `-xv`, `-p3.12`, `-p 3.12`: flags may share a dash, a value may follow its letter."""
    letters = word[1:]
    if word in _NOX_FLAGS:
        raise _unknown_option(word)
    while letters:
        flag, letters = f"-{letters[0]}", letters[1:]
        if f"-{word}" in _BY_FLAG and flag not in _BY_FLAG:
            raise _unknown_option(word)  # -list, which begins as -l does
        option = _option(flag)
        if option.kind in ("flag", "verb"):
            if letters.startswith("="):
                raise UsageError(f"{flag} takes no value", mend=f"write {flag}")
            _take(option, flag, None, words, given, verbs)
        else:
            _take(option, flag, letters.removeprefix("=") or None, words, given, verbs)
            letters = ""


def _take(
    option: Option,
    flag: str,
    value: str | None,
    words: list[str],
    given: dict[str, object],
    verbs: dict[str, str | None],
) -> None:
    """Note an option that was met; its value may be the next word."""
    if option.kind in ("flag", "verb"):
        if option.named and value:
            named = BY_NAME[option.named]
            given[named.name] = (*_tuple(given.get(named.name)), *_split(named, value))
            return
        if value is not None:
            raise UsageError(f"{flag} takes no value", mend=f"write {flag}")
        if option.kind == "flag":
            given[option.name] = True
        else:
            verbs[option.name] = None
        return
    if value is None and option.bare and words and words[0].isdecimal():
        raise UsageError(
            f"{flag} takes its value behind an equals sign", mend=f"write {flag}={words[0]}"
        )
    if value is None and option.bare:
        value = option.bare
    elif value is None and words and (words[0] == "-" or not words[0].startswith("-")):
        value = words.pop(0)
    # An empty one, as `-p "$PY"` is where PY is not set, would select everything.
    if not value or (option.kind == "many" and not _split(option, value)):
        raise UsageError(f"{flag} needs a value", mend=f"write {option.written(flag)}")
    _check_choice(option, value, flag)
    if option.kind == "verb with argument":
        verbs[option.name] = value
    elif option.kind == "many":
        given[option.name] = (*_tuple(given.get(option.name)), *_split(option, value))
    else:
        given[option.name] = value


def _tuple(value: object) -> tuple[object, ...]:
    return tuple(value) if is_list(value) else ()


def _split(option: Option, text: str) -> tuple[str, ...]:
    """The values in a text; a version range keeps its commas."""
    if not option.splits:
        return (text,)
    parts: list[str] = []
    for part in (p.strip() for p in text.split(",")):
        # >=3.11,<3.13 is one range, and 3.11,3.12 are two versions.
        if parts and option.name == "python" and part[:1] in "<>!=~" and parts[-1][:1] in "<>!=~":
            parts[-1] += "," + part
        elif part:
            parts.append(part)
    return tuple(parts)


def _check_choice(option: Option, value: str, where: str) -> None:
    if option.choices and value not in option.choices:
        hint = did_you_mean(value, list(option.choices))
        raise UsageError(
            f"{where} cannot be {value!r}", mend=hint or f"it is one of {', '.join(option.choices)}"
        )
    if option.name == "stale" and not (value.isascii() and value.isdecimal()):
        raise UsageError(f"{where} cannot be {value!r}", mend="it is a number of days: --stale=30")
    trouble = _trouble(option, value)
    if trouble:
        raise UsageError(f"{where} cannot be {value!r}", mend=trouble)


def _trouble(option: Option, value: str) -> str:
    """What to write instead of a value, where that is checked by its own rule; or empty."""
    if option.name == "backend":
        return backend_trouble(value)
    if option.name == "report":
        return report_trouble(value)
    if option.name == "max_age" and age_s(value) is None:
        return "it is a number of minutes, hours or days: 30m, 12h, 7d"
    if option.name == "store_size" and size_bytes(value) is None:
        return "it is a number of megabytes, gigabytes or terabytes: 500MB, 10GB, 1TB"
    if option.name == "timeout" and time_s(value) is None:
        return "it is a number of seconds, minutes or hours: 90s, 5m, 1h"
    if option.name == "jobs" and value != "auto" and not is_count(value):
        return "it is a number from 1 on, or auto"
    return ""


def is_count(text: str) -> bool:
    """Whether it is a whole number from 1 on."""
    return text.isascii() and text.isdecimal() and int(text) > 0


_UNITS_S = {"m": 60, "h": 60 * 60, "d": 24 * 60 * 60}


def age_s(text: str) -> float | None:
    """The seconds in `30m`, `12h` or `7d`; 0 for `0`; None for anything else."""
    if text == "0":
        return 0.0
    number, unit = text[:-1], _UNITS_S.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdecimal()):
        return None
    return float(int(number) * unit)


_UNITS_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}


def size_bytes(text: str) -> int | None:
    """The bytes in `500MB`, `10GB` or `1TB`; 0 for `0`; None for anything else."""
    if text == "0":
        return 0
    number, unit = text[:-2].rstrip(), _UNITS_BYTES.get(text[-2:].upper())
    if unit is None or not (number.isascii() and number.isdecimal()):
        return None
    return int(number) * unit


INFINITE_S = 10.0 * 365 * 24 * 60 * 60  # longer than anybody means, short of what timers take
_TIME_UNITS_S = {"s": 1, "m": 60, "h": 60 * 60}


def time_s(text: str) -> float | None:
    """The seconds in `90`, `1.5`, `90s`, `5m` or `1h`; None for anything else."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _TIME_UNITS_S else (text, "s")
    whole, _, fraction = number.partition(".")
    digits = whole + fraction
    if not (whole and digits.isascii() and digits.isdecimal()):
        return None
    seconds = float(number) * _TIME_UNITS_S[unit]
    return seconds if seconds < INFINITE_S else None


def timeout_s(value: str | float) -> float | None:
    """The seconds that the setting `timeout` stands for; None where it sets no limit."""
    return (time_s(value) if isinstance(value, str) else float(value)) or None


def backend_trouble(chain: str) -> str:
    """What to write instead, where it is no backend and no chain of them; or empty."""
    names = [name.strip() for name in chain.split("|")]
    for name in names:
        if name not in BACKENDS:
            return (
                did_you_mean(name, list(BACKENDS))
                or f"it is one of {', '.join(BACKENDS)}, or a chain such as 'uv|virtualenv'"
            )
    if "none" in names[1:] or names[0] == "none" != chain.strip():
        return "'none' stands alone: without an environment a session would not be the same"
    return ""


def report_trouble(files: str) -> str:
    """What to write instead, where one of the files has the name of no report; or empty."""
    for file in _split(BY_NAME["report"], files):
        if not file.endswith(REPORTS):
            return f"a report ends with one of {', '.join(REPORTS)}"
    return ""


def verb_for_word(word: str) -> str:
    """The option that somebody who typed `runenv list` meant: `--list`; or empty."""
    option = BY_NAME.get(word)
    return option.flags[-1] if option and option.kind.startswith("verb") else ""


def verb_near_word(word: str) -> str:
    """The option of the verb that is near a word: `--list` for `lst`; or empty."""
    verbs = [option.name for option in OPTIONS if option.kind.startswith("verb")]
    return verb_for_word(nearest(word, verbs) or "")


# What somebody wrote may be anything. ----------------------------------------------

# A type checker makes `list[Unknown]` of isinstance(value, list), and strict ones
# let nothing be done with that. These say that nothing is known of what is in it.


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_set(value: object) -> TypeGuard[set[object] | frozenset[object]]:
    """Whether it is a set, of either kind."""
    return isinstance(value, (set, frozenset))


def is_dict(value: object) -> TypeGuard[dict[object, object]]:
    """Whether it is a dict."""
    return isinstance(value, dict)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number, which True and False are only to Python."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_path(value: object) -> object:
    """A path as the string (or bytes) that it stands for; anything else as it is."""
    return os.fspath(value) if _is_path(value) else value


def _is_path(value: object) -> TypeGuard[os.PathLike[Any]]:
    return isinstance(value, os.PathLike)


# Which source wins. --------------------------------------------------------------


def settle(
    given: Mapping[str, object],
    environ: Mapping[str, str],
    envfile_options: Mapping[str, object],
    table: Mapping[str, object],
) -> Settings:
    """Every setting: command line, then RUNENV_*, then envfile, then [tool.runenv], then default."""
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    _check_table(table)
    for option in OPTIONS:
        if option.kind.startswith("verb"):
            continue
        name = option.name
        if name in given:
            values[name], origins[name] = given[name], "command line"
        elif environ.get(option.variable):
            values[name], origins[name] = (
                _from_variable(option, environ[option.variable]),
                option.variable,
            )
        elif name in envfile_options:
            values[name], origins[name] = _frozen(envfile_options[name]), "envfile"
        elif name in table:
            values[name], origins[name] = _frozen(table[name]), "[tool.runenv]"
        else:
            origins[name] = "default"
    return Settings(**values, origins=origins)  # type: ignore[arg-type]  # checked by kind, one by one


def _frozen(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # a number of jobs
    return tuple(value) if is_list(value) else value


_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _from_variable(option: Option, text: str) -> object:
    if option.kind == "flag":
        if text.lower() in (*_TRUE, *_FALSE):
            return text.lower() in _TRUE
        raise UsageError(f"{option.variable} cannot be {text!r}", mend="it is 1 or 0")
    _check_choice(option, text, option.variable)
    return _split(option, text) if option.kind == "many" else text


def misfit(option: Option, value: object) -> str:
    """What to write instead, where a value is none that the option can have; or empty."""
    if option.kind == "flag":
        return "" if isinstance(value, bool) else "it is True or False"
    if option.kind == "many":
        if isinstance(value, str):
            return f"write a list: [{value!r}]"
        if is_list(value) and all(isinstance(item, str) for item in value):
            troubles = (report_trouble(str(item)) for item in value if option.name == "report")
            return next(filter(None, troubles), "")
        return "it is a list of strings"
    if option.name == "timeout" and is_number(value):
        return "" if 0 <= value < INFINITE_S else "it is a number of seconds, or 5m, 1h"
    if option.name == "jobs":
        number = isinstance(value, int) and not isinstance(value, bool)
        return _trouble(option, str(value) if number or isinstance(value, str) else "")
    if not isinstance(value, str):
        return "it is a string"
    if option.choices and value not in option.choices:
        return (
            did_you_mean(value, list(option.choices)) or f"it is one of {', '.join(option.choices)}"
        )
    return _trouble(option, value)


def _check_table(table: Mapping[str, object]) -> None:
    known = [option.name for option in OPTIONS if option.in_envfile]
    for key, value in table.items():
        if key not in known:
            raise UsageError(
                f"[tool.runenv] has no {key!r}",
                where="pyproject.toml",
                mend=did_you_mean(key, known) or f"there are {', '.join(known)}",
            )
        mend = misfit(BY_NAME[key], value)
        if mend:
            raise UsageError(
                f"[tool.runenv]: {key} cannot be {value!r}", where="pyproject.toml", mend=mend
            )


def read_table(root: str) -> Mapping[str, object]:
    """[tool.runenv] of the project's pyproject.toml; empty where there is none."""
    path = os.path.join(root, "pyproject.toml")
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return {}
    if b"runenv" not in content.replace(b"runenv-cli", b""):
        return {}  # tomllib costs 15 ms, and most projects have no such table
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tool: dict[str, Any] = tomllib.loads(content.decode("utf-8-sig")).get("tool", {})
        table: Mapping[str, object] = tool.get("runenv", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"pyproject.toml is not TOML: {error}",
            where="pyproject.toml",
            mend="[tool.runenv] is read from it: mend the line",
        ) from None
    except AttributeError:
        return {}  # `tool` is no table, so it holds none
    if not isinstance(table, dict):
        raise UsageError(
            "[tool.runenv] is no table", where="pyproject.toml", mend="write [tool.runenv]"
        )
    return table


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A line for each RUNENV_ variable that sets nothing, with the near name."""
    known = [option.variable for option in OPTIONS if option.variable]
    lines: list[str] = []
    for name in sorted(environ):
        if name.startswith("RUNENV_") and name not in (*known, *_OTHER_VARIABLES):
            hint = did_you_mean(name, known)
            lines.append(f"the variable {name} sets nothing" + (f"; {hint}" if hint else ""))
    return lines


def wants_color(color: str, environ: Mapping[str, str], is_terminal: bool) -> bool:
    """Whether to colour: --color, then FORCE_COLOR, then NO_COLOR, then the terminal.

    NO_COLOR by no-color.org: present and not empty. FORCE_COLOR by
    force-color.org, which 0 and false turn off.
    """
    if color != "auto":
        return color == "always"
    if environ.get("FORCE_COLOR", "").lower() not in ("", "0", "false"):
        return True
    if environ.get("NO_COLOR"):
        return False
    return is_terminal and environ.get("TERM") != "dumb"
