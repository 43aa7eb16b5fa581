"""Every setting: one table, and which of its sources wins.

The table drives the command line, --help, completion, the variables,
`runner.options` and [tool.runenv]. Knows nothing of what a setting does.
"""

from __future__ import annotations

import os
import sys

from runner.amounts import INFINITE_S, age_s, size_bytes, time_s, whole_number
from runner.errors import UsageError, did_you_mean
from runner.model import Option, Settings
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeGuard


# What stands for a --store that nothing stands behind; no argument can hold it.
BARE_STORE = "\0"

SHELLS = ("bash", "zsh", "fish")
GRAPHS = ("text", "mermaid")
ENGINES = ("github", "gitlab", "buildkite", "json")

OPTIONS: tuple[Option, ...] = (
    Option("python", ("-p", "--python"), "many", "only jobs on these Pythons: 3.12, '>=3.11'", "Select", "V", in_envfile=True),
    Option("tag", ("-t", "--tag"), "many", "only jobs with one of these tags", "Select", "T"),
    Option("keyword", ("-k", "--keyword"), "many", "only jobs that match by name or tag: 'a and not b'", "Select", "EXPR", splits=False),
    Option("sessions", ("-s", "--session"), "many", "the same as NAME, for hands that know nox", "Select", "NAME", splits=False),
    Option("failed", ("--failed",), "flag", "only jobs that did not pass when they last ran", "Select"),
    Option("pick", ("--pick",), "flag", "choose from a list at the terminal, searched as you type", "Select"),
    Option("shard", ("--shard",), "value", "only the jobs of machine K of N, split by what they took; auto: as the CI engine says", "Select", "K/N"),
    Option("plan", ("--plan",), "value", "the file with the split: --list --shard N writes it, --shard K/N reads it", "Select", "FILE"),
    Option("default", (), "many", "what runs when nothing is named", "", in_envfile=True),
    Option("list", ("-l", "--list"), "verb", "list the jobs", "Verbs"),
    Option("usage", ("--usage",), "verb with argument", "tell all about a session", "Verbs", "NAME"),
    Option("watch", ("--watch",), "verb", "run, and run again when files change", "Verbs"),
    Option("explain", ("--explain",), "verb", "tell what would run, where and why; run nothing", "Verbs"),
    Option("graph", ("--graph",), "verb with argument", "show what waits for what, as text or mermaid; run nothing", "Verbs", "[=KIND]", GRAPHS, bare="text"),
    Option("shell", ("--shell",), "verb with argument", "open a shell in the environment of a job", "Verbs", "NAME"),
    Option("exec", ("--exec",), "verb with argument", "run the command behind -- in the environment of a job", "Verbs", "NAME"),
    Option("link", ("--link",), "verb with argument", "make .venv lead to the environment of a job, for editors", "Verbs", "NAME"),
    Option("clean", ("--clean",), "verb", "delete environments: all, or those of the jobs named", "Verbs"),
    Option("lock", ("--lock",), "verb", "find versions for what is declared, and install these from then on", "Verbs"),
    Option("matrix", ("--matrix",), "verb with argument", "print the jobs as the matrix of a CI engine", "Verbs", "ENGINE", ENGINES),
    Option("merge", ("--merge",), "verb", "join the JSON reports of all shards, which are named", "Verbs"),
    Option("doctor", ("--doctor",), "verb", "look for what could go wrong here, and tell the mends", "Verbs"),
    Option("init", ("--init",), "verb", "write a first envfile for the project that is here", "Verbs"),
    Option("convert", ("--convert",), "verb with argument", "write an envfile that says what a file of nox, tox or hatch says", "Verbs", " [FILE]", bare="."),
    Option("force", ("--force",), "flag", "with --convert: replace the envfile that is there", "Verbs"),
    Option("completion", ("--completion",), "verb with argument", "print the code that completes in a shell", "Verbs", "SHELL", SHELLS),
    Option("version", ("--version",), "verb", "print the version", "Verbs"),
    Option("help", ("-h", "--help"), "verb", "print this", "Verbs"),
    Option("jobs", ("-j", "--jobs"), "value", "run so many at once; auto: one for each CPU", "Run", "N", in_envfile=True),
    Option("on", ("--on",), "value", "run on a Dask cluster: tcp://HOST:PORT, tls://HOST:PORT, local-cluster:N", "Run", "WHERE"),
    Option("fail_fast", ("-x", "--fail-fast"), "flag", "start nothing more after a failure, and end what runs", "Run", in_envfile=True),
    Option("timeout", ("--timeout",), "value", "what a job may take whose session does not say: 90s, 5m, 1h", "Run", "TIME", in_envfile=True),
    Option("grace", ("--grace",), "value", "what is asked to end may take, then it is killed: 5s, 1m", "Run", "TIME", in_envfile=True),
    Option("skip_missing", ("--skip-missing",), "flag", "skip jobs whose Python is not found", "Run", in_envfile=True),
    Option("on_fail", ("--on-fail",), "value", "shell: open one where a command failed", "Run", "WHAT", ("shell",)),
    Option("non_interactive", ("--non-interactive",), "flag", "tell sessions that nobody is there to answer", "Run"),
    Option("env_file", (), "many", "files of variables for the commands of all sessions", "", in_envfile=True),
    Option("yes", ("-y", "--yes"), "flag", "say yes to what sessions ask before they run", "Run"),
    Option("file", ("-f", "--file"), "value", "the envfile, or its folder", "Run", "FILE"),
    Option("directory", ("-C", "--directory"), "value", "look for the envfile from here on", "Run", "DIR"),
    Option("all_projects", ("--all-projects",), "flag", "as if the envfile here included all that lie below it", "Run"),
    Option("fresh", ("--fresh",), "flag", "make the environments anew", "Environments"),
    Option("upgrade", ("--upgrade",), "flag", "take the newest that is allowed, of all or of one package", "Environments", "[=PACKAGE]", bare="1", named="upgrade_package"),
    Option("upgrade_package", (), "many", "what --upgrade=PACKAGE has named", ""),
    Option("no_install", ("--no-install",), "flag", "use them as they are, and say what differs", "Environments"),
    Option("install_only", ("--install-only",), "flag", "prepare them and run no commands", "Environments"),
    Option("backend", ("--backend",), "value", "what makes them: uv, virtualenv, venv, conda, 'uv|venv'", "Environments", "B", in_envfile=True),
    Option("envdir", ("--envdir",), "value", "where they are (.runenv)", "Environments", "DIR", in_envfile=True),
    Option("store", ("--store",), "value", "where finished ones are kept to link from; with --clean, --explain, --doctor: of these", "Environments", "[=DIR]", bare=BARE_STORE, in_envfile=True),
    Option("store_size", (), "value", "what is kept there at most", "", in_envfile=True),
    Option("max_age", ("--max-age",), "value", "ask again what is newest after 12h, 7d", "Environments", "AGE", in_envfile=True),
    Option("stale", ("--stale",), "value", "with --clean: what no job has, or none used for so many days (30)", "Environments", "[=DAYS]", bare="30"),
    Option("deep", ("--deep",), "flag", "with --doctor: compare each file in the store with its hash", "Environments"),
    Option("check", ("--check",), "flag", "with --lock: tell which locks are stale; with --convert: what the other tool says else; change nothing", "Environments"),
    Option("json", ("--json",), "flag", "with --list, --explain, --doctor: as JSON", "Output"),
    Option("report", ("--report",), "many", "write a report: .json .xml .md .html .trace.json", "Output", "FILE", in_envfile=True),
    Option("verbose", ("-v", "--verbose"), "flag", "show what installers say, and more", "Output", in_envfile=True),
    Option("quiet", ("-q", "--quiet"), "flag", "show only what went wrong", "Output", in_envfile=True),
    Option("output", ("--output",), "value", "with -j: board of what runs, block of each job when it ends, or live", "Output", "HOW", ("board", "block", "live"), in_envfile=True),
    Option("color", ("--color",), "value", "auto, always or never", "Output", "WHEN", ("auto", "always", "never"), in_envfile=True),
)  # fmt: skip

BY_NAME = {option.name: option for option in OPTIONS}
_TIMES = ("timeout", "grace")  # which may be numbers, too
BACKENDS = ("uv", "virtualenv", "venv", "conda", "none")
MOST_SHARDS = 10_000
REPORTS = (".html", ".json", ".md", ".trace.json", ".xml")  # ends of the names of reports

# RUNENV_ variables that are no settings: set for a job's commands.
_OTHER_VARIABLES = ("RUNENV_JOB", "RUNENV_WORKER")


# What a value may be. --------------------------------------------------------------


def split(option: Option, text: str) -> tuple[str, ...]:
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


def check(option: Option, value: str, where: str) -> None:
    """Raise UsageError where an option cannot have that value. where: who says it."""
    trouble = _trouble(option, value)
    if trouble:
        raise UsageError(f"{where} cannot be {value!r}", mend=trouble)


def _trouble(option: Option, value: str) -> str:
    """What to write instead of a value; or empty."""
    name = option.name
    if option.choices and value not in option.choices:
        choices = list(option.choices)
        return did_you_mean(value, choices) or f"it is one of {', '.join(choices)}"
    if name == "backend":
        return backend_trouble(value)
    if name == "report":
        return _report_trouble(value)
    if name == "max_age" and age_s(value) is None:
        return "it is a number of minutes, hours or days: 30m, 12h, 7d"
    if name == "store_size" and size_bytes(value) is None:
        return "it is a number of megabytes, gigabytes or terabytes: 500MB, 10GB, 1TB"
    if name in _TIMES and time_s(value) is None:
        return "it is a number of seconds, minutes or hours: 90s, 5m, 1h"
    if name == "shard" and not is_shard(value):
        return f"it is the machine and how many there are, at most {MOST_SHARDS}: 1/4; or auto; with --list, 4"
    if name == "on" and not _is_place(value):
        return "it is tcp://HOST:PORT, tls://HOST:PORT or local-cluster:N"
    if name == "stale" and whole_number(value) is None:
        return "it is a number of days: --stale=30"
    if name == "jobs" and value != "auto" and not whole_number(value):
        return "it is a number from 1 on, or auto"
    return ""


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


def _report_trouble(files: str) -> str:
    for file in split(BY_NAME["report"], files):
        if not file.endswith(REPORTS):
            return f"a report ends with one of {', '.join(REPORTS)}"
    return ""


def is_shard(value: str) -> bool:
    """Whether it is `auto`, `N` or `K/N`, with K from 1 to N, and N to MOST_SHARDS."""
    index, slash, total = value.rpartition("/")
    count = whole_number(total)
    number = whole_number(index) if slash else count
    return value == "auto" or bool(number and count and number <= count <= MOST_SHARDS)


def _is_place(value: str) -> bool:
    """Whether --on can have that value."""
    kind, colon, count = value.partition(":")
    if kind == "local-cluster" and colon:
        return bool(whole_number(count))
    return kind in ("tcp", "tls") and count.startswith("//") and ":" in count


def timeout_s(value: str | float) -> float | None:
    """The seconds that the setting `timeout` stands for; None where it sets no limit."""
    return (time_s(value) if isinstance(value, str) else float(value)) or None


def grace_s(settings: Settings) -> float:
    """How long what is asked to end may take; then it is killed."""
    seconds = settings.grace
    return (time_s(seconds) or 0.0) if isinstance(seconds, str) else float(seconds)


def misfit(option: Option, value: object) -> str:
    """What to write instead, where what an envfile or a table says is no value of it; or empty."""
    if option.kind == "flag":
        return "" if isinstance(value, bool) else "it is True or False"
    if option.kind == "many":
        if isinstance(value, str):
            return f"write a list: [{value!r}]"
        if is_list(value) and all(isinstance(item, str) for item in value):
            return next(filter(None, (_trouble(option, str(item)) for item in value)), "")
        return "it is a list of strings"
    if option.name in _TIMES and is_number(value):
        return "" if 0 <= value < INFINITE_S else "it is a number of seconds, or 5m, 1h"
    if option.name == "jobs":
        number = isinstance(value, int) and not isinstance(value, bool)
        return _trouble(option, str(value) if number or isinstance(value, str) else "")
    return _trouble(option, value) if isinstance(value, str) else "it is a string"


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


def envdir_in(root: str, settings: Settings) -> str:
    """The folder of all environments of the project in `root`, absolute."""
    return os.path.join(root, os.path.expanduser(settings.envdir))


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


def set_by(settings: Settings, name: str) -> str:
    """Where a setting has its value from, for an error; empty for the command line."""
    origin = settings.origins.get(name, "")
    if origin == "envfile":
        return f"runner.options.{name} of the envfile"
    if origin == "[tool.runenv]":
        return f"{name} in [tool.runenv] of pyproject.toml"
    return origin if origin.startswith(("RUNENV_", "NOX", "nox.")) else ""


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
    check(option, text, option.variable)
    return split(option, text) if option.kind == "many" else text


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
