"""argv → Request: what a command line asks for, by the table in settings.py.

A parser of our own: argparse costs 8 ms on the way to --list (Python 3.11, CPU),
and suggests nothing. Knows nothing of the other sources of a setting.
"""

from __future__ import annotations

from runner.errors import UsageError, did_you_mean, nearest
from runner.model import Request
from runner.settings import BARE_STORE, BY_NAME, OPTIONS, check, is_list, split
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from typing import Literal

    from runner.model import Job, Option

_BY_FLAG = {flag: option for option in OPTIONS for flag in option.flags}
_ALL = "all"  # of --clean --store=all
# Behind their names are options of sessions.
_OF_SESSIONS = ("run", "watch", "explain", "graph", "list")
_SPLIT = ("run", "list", "explain", "matrix")
# What decides what a job does, whichever others run, and whoever is told of it.
_OF_JOBS = (
    *("directory", "file", "all_projects", "on", "timeout", "non_interactive"),
    *("backend", "envdir", "store", "max_age", "no_install", "install_only"),
)
_OF_ONE = ("shell", "exec", "link")  # what stands behind them may be picked

# Options that mean nothing but with these verbs, as a person reads them; and the mend.
_GOES_WITH: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "check": (("lock", "convert"), "--lock or --convert", "runenv --lock --check"),
    "json": (
        ("list", "explain", "doctor"),
        "--list, --explain or --doctor",
        "runenv --list --json",
    ),
    "stale": (("clean",), "--clean", "runenv --clean --stale"),
    "force": (("convert",), "--convert", "runenv --convert --force"),
    "deep": (("doctor",), "--doctor", "runenv --doctor --deep"),
    "report": (("run", "watch", "merge"), "a run or --merge", "leave one of the two away"),
    "pick": (
        ("run", "explain", "graph", *_OF_ONE),
        "a run, --explain, --graph, --shell, --exec or --link",
        "leave one of the two away",
    ),
    "shard": (_SPLIT, "a run, --list, --explain or --matrix", "leave one of the two away"),
    "plan": (("run", "list", "explain"), "a run, --list or --explain", "leave one of the two away"),
}


def parse(argv: Sequence[str]) -> Request:
    """What a command line asks for. Raises UsageError, with a suggestion where one is near."""
    words = list(argv)
    posargs: list[str] = []
    if "--" in words:
        at = words.index("--")
        words, posargs = words[:at], words[at + 1 :]
    reader = _Reader(words)
    reader.read()
    given, verbs = reader.given, reader.verbs
    if "help" in verbs:
        verbs = {"help": None}  # of whatever verb: the help has them all
    if len(verbs) > 1:
        asked = " and ".join(BY_NAME[verb].flags[-1] for verb in verbs)
        raise UsageError(f"{asked} cannot be asked for at once", mend="run runenv once for each")
    verb, argument = next(iter(verbs.items()), ("run", None))
    for name, (fitting, told, mend) in _GOES_WITH.items():
        if given.get(name) and verb not in fitting:
            raise UsageError(f"--{name} goes with {told}", mend=mend)
    of_store = _of_store(verb, given)
    if reader.unknown and verb not in _OF_SESSIONS:
        raise _unknown_of_session(reader.unknown)
    return Request(
        verb=verb,
        argument=argument,
        given=given,
        posargs=tuple(posargs),
        of_store=of_store,
        own=tuple(reader.own) if reader.unknown else (),
    )


class _Reader:
    """Reads the words before `--`, the first to the last."""

    def __init__(self, words: list[str]) -> None:
        self.given: dict[str, object] = {}
        self.verbs: dict[str, str | None] = {}  # with their arguments
        self.own: list[str | None] = []  # as in Request
        self.unknown = ""  # the first option behind a name that is none of ours
        self._left = words
        self._picks = "--pick" in words

    def read(self) -> None:
        """What the words say is in `given` and `verbs`; what they leave to others in `own`."""
        while self._left:
            word = self._left.pop(0)
            if word == "-" or not word.startswith("-"):
                self._add_name(word)
                continue
            if word.startswith("--"):
                flag, equals, value = word.partition("=")
                if self.own and flag not in _BY_FLAG:
                    self.own.append(word)
                    self.unknown = self.unknown or flag
                    continue
                option = self._option(flag, self._left if equals else self._left[1:])
                self._take(option, flag, value if equals else None)
            elif self._awaits_value() and is_value(word):
                self.own.append(word)
                continue
            else:
                self._take_short(word)
            if self._awaits_value():
                self.own.append(None)

    def _option(self, flag: str, behind: list[str]) -> Option:
        """Our option of that name. Raises UsageError, which says where one of a session stands.

        behind: what follows it and its value.
        """
        if flag not in _BY_FLAG and any(self.verbs.values()):
            raise _unknown_of_session(flag)
        names = any(not word.startswith("-") for word in behind)
        return _option(flag, "what belongs to a session stands behind its name" if names else "")

    def _awaits_value(self) -> bool:
        """Whether an option of a session stood last, which may have its value behind it."""
        return bool(self.own) and str(self.own[-1]).startswith("--")

    def _add_name(self, name: str) -> None:
        """Note a name, or the value of an option of a session: who knows that one can tell."""
        self.own.append(name)
        if not self.unknown:
            self.given["sessions"] = (*_tuple(self.given.get("sessions")), name)

    def _take_short(self, word: str) -> None:
        """`-x`, `-xv`, `-p3.12`, `-p 3.12`: flags share a dash, a value may follow its letter."""
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
                    raise _takes_no_value(flag)
                self._take(option, flag, None)
            else:
                self._take(option, flag, letters.removeprefix("=") or None)
                letters = ""

    def _take(self, option: Option, flag: str, value: str | None) -> None:
        """Note an option that was met; its value may be the next word."""
        if option.kind in ("flag", "verb"):
            self._take_flag(option, flag, value)
            return
        words = self._left
        behind = option.metavar.startswith("[=")  # a word that follows is no value of it
        if value is None and option.kind.startswith("verb") and option.bare and not behind:
            value = words.pop(0) if words and not words[0].startswith("-") else option.bare
        elif value is None and option.bare:
            if words and words[0].isdecimal():
                raise UsageError(
                    f"{flag} takes its value behind an equals sign", mend=f"write {flag}={words[0]}"
                )
            value = option.bare
        elif value is None and words and (words[0] == "-" or not words[0].startswith("-")):
            value = words.pop(0)
        if value is None and self._picks and option.name in _OF_ONE:
            self.verbs[option.name] = None
            return
        # An empty one, as `-p "$PY"` is where PY is not set, would select everything.
        if not value or (option.kind == "many" and not split(option, value)):
            raise UsageError(f"{flag} needs a value", mend=f"write {option.written(flag)}")
        check(option, value, flag)
        if option.kind == "verb with argument":
            self.verbs[option.name] = value
        elif option.name == "sessions":
            if self._awaits_value():
                self.own.append(None)
            self._add_name(value)
        elif option.kind == "many":
            self._add(option.name, split(option, value))
        else:
            self.given[option.name] = value

    def _take_flag(self, option: Option, flag: str, value: str | None) -> None:
        if option.named and value:
            self._add(option.named, split(BY_NAME[option.named], value))
        elif value is not None:
            raise _takes_no_value(flag)
        elif option.kind == "flag":
            self.given[option.name] = True
        else:
            self.verbs[option.name] = None

    def _add(self, name: str, values: tuple[str, ...]) -> None:
        self.given[name] = (*_tuple(self.given.get(name)), *values)


def _tuple(value: object) -> tuple[object, ...]:
    return tuple(value) if is_list(value) else ()


def _takes_no_value(flag: str) -> UsageError:
    return UsageError(f"{flag} takes no value", mend=f"write {flag}")


# Options. ----------------------------------------------------------------------


def _option(flag: str, told: str = "") -> Option:
    option = _BY_FLAG.get(flag)
    if option is None:
        raise _unknown_option(flag, told)
    return option


_REUSED = "an environment is reused whenever nothing has changed"

_NAME_IT = "-p selects among the Pythons that the envfile names; name this one there"
_FORCED = _NAME_IT + ", or in NOXFORCEPYTHON for a noxfile"
_EXTRA = _NAME_IT + ", or in NOXEXTRAPYTHON for a noxfile"

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
    "-P": _FORCED,
    "--force-python": _FORCED,
    "--force-pythons": _FORCED,
    "--extra-python": _EXTRA,
    "--extra-pythons": _EXTRA,
    "--download-python": "install it before: uv python install 3.13",
    "--error-on-external-run": "it is so; session.run(..., external=True) allows it",
    "--no-error-on-external-run": "say which commands: session.run(..., external=True)",
    "--parallel": "write --jobs",
    "--allow-parallel": "every session may run beside others, unless it says parallel=False",
    "--no-allow-parallel": "say parallel=False in the session",
    "--nocolor": "write --color never",
    "--no-color": "write --color never",
    "--forcecolor": "write --color always",
    "--force-color": "write --color always",
    "--no-verbose": "it is so unless --verbose is given",
    "--add-timestamp": "a report tells when each command ran: --report run.html",
    "-ts": "a report tells when each command ran: --report run.html",
    "--no-dependencies": "what a session requires runs before it; take requires away",
    "--script-mode": "what a # /// script block names is installed, and kept while it is the same",
    "--script-venv-backend": "write --backend",
    "-fb": "write --backend",
    "--error-on-missing-interpreters": "it is so unless --skip-missing is given",
    "--no-error-on-missing-interpreters": "write --skip-missing",
}


def _unknown_option(flag: str, told: str = "") -> UsageError:
    """told: what is to be known where it was no slip."""
    hint = _NOX_FLAGS.get(flag) or "; ".join(filter(None, (hint_for(flag, ()), told)))
    return UsageError(
        f"there is no option {flag}",
        mend=hint
        or "runenv --help shows them all; what belongs to a session stands behind its name or --",
    )


def _unknown_of_session(flag: str) -> UsageError:
    """An option behind a session's name, with a verb that takes none of sessions.

    Most likely it is one of the session: what is near among ours is told last.
    """
    near = hint_for(flag, ())
    return UsageError(
        f"there is no option {flag}",
        mend="an option of a session goes with a run, --explain, --graph or --list"
        + (f"; of runenv's own: {near}" if near else ""),
    )


def hint_for(flag: str, known: Iterable[str]) -> str:
    """What was meant by an option that there is not; or empty. known: those beside ours."""
    return _NOX_FLAGS.get(flag) or did_you_mean(flag, [*known, *_BY_FLAG])


def is_value(word: str) -> bool:
    """Whether a word behind an option of a session can be its value: a negative number can."""
    return word == "-" or not word.startswith("-") or word[1:].lstrip(".")[:1].isdecimal()


def given_words(given: Mapping[str, object], keep: Container[str] = ()) -> list[str]:
    """The options of the command line as they were given, but those that select.

    keep: names of some that select, and are told too.
    """
    words: list[str] = []
    for name, value in given.items():
        option = next((o for o in OPTIONS if o.named == name), BY_NAME[name])  # --upgrade=PACKAGE
        if option.group != "Select" or name in keep:
            flag = option.flags[-1]
            values = value if is_list(value) else (value,)
            words += [flag] if value is True else [f"{flag}={each}" for each in values]
    return words


def show_again(jobs: Sequence[Job], request: Request) -> str:
    """The command that runs these jobs of a run again as they ran, and no others."""
    from runner.shown import show  # hardly any command line is shown

    given = {name: value for name, value in request.given.items() if name in _OF_JOBS}
    named = [word for job in jobs for word in (job.name, *job.words)]
    posargs = ["--", *request.posargs] if request.posargs else []
    return show(["runenv", *given_words(given), *named, *posargs])


def is_ours(flag: str) -> bool:
    """Whether it is an option of runenv."""
    return flag in _BY_FLAG


# Verbs. ------------------------------------------------------------------------


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
        if asked == BARE_STORE:
            raise UsageError(
                "--store without a folder goes with --clean, --explain or --doctor",
                mend="write --store=DIR",
            )
        return ""
    for name in ("sessions", "tag", "keyword", "python", "failed", "pick"):
        if given.get(name):
            raise _not_of_store(name, given[name])
    if asked in (_ALL, BARE_STORE):
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


def verb_for_word(word: str) -> str:
    """The option that somebody who typed `runenv list` meant: `--list`; or empty."""
    option = BY_NAME.get(word)
    return option.flags[-1] if option and option.kind.startswith("verb") else ""


def verb_near_word(word: str) -> str:
    """The option of the verb that is near a word: `--list` for `lst`; or empty."""
    verbs = [option.name for option in OPTIONS if option.kind.startswith("verb")]
    return verb_for_word(nearest(word, verbs) or "")
