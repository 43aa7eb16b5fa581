"""`runenv --completion SHELL`, and the answer to a TAB, both by argcomplete."""

from __future__ import annotations

import argparse
import os

import argcomplete
from argcomplete.completers import (
    ChoicesCompleter,
    DirectoriesCompleter,
    FilesCompleter,
    SuppressCompleter,
)
from argcomplete.lexers import split_line
from argcomplete.shell_integration import shellcode

from runner.command_line import parse
from runner.errors import RunnerError
from runner.finding import find_envfile
from runner.listing import Listing, listing_for, listing_of
from runner.opening import load_all
from runner.settings import BACKENDS, OPTIONS, is_list, settle
from runner.tab import flags_of
from runner.typed import TYPE_CHECKING
from runner.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.listing import Own
    from runner.model import Option, Request

_NOTHING = Listing(sessions={}, jobs={}, tags=(), pythons=())


def main(request: Request) -> int:
    """Print the code that makes a shell complete `runenv`."""
    print(shellcode(["runenv"], shell=request.argument or "bash"))
    return 0


def complete() -> None:
    """Answer the TAB that argcomplete's code in the shell asks about, and end the process."""
    line, point = os.environ.get("COMP_LINE", ""), os.environ.get("COMP_POINT", "")
    words = split_line(line, int(point) if point.isdigit() else None)[3][1:]
    # What stands behind -- is the sessions' own: files are the best that can be offered.
    parser = _files_parser() if "--" in words else _parser(words)
    argcomplete.autocomplete(parser, always_complete_options=False)


class _Parser(argparse.ArgumentParser):
    """One that leaves names away: argparse takes none behind an option that stands behind one."""

    def parse_known_args(  # type: ignore[override]  # of its overloads the one that is called
        self, args: Sequence[str], namespace: argparse.Namespace
    ) -> tuple[argparse.Namespace, list[str]]:
        """What the options among the words say."""
        kept: list[str] = []
        takes = False
        for word in args:
            action = self._option_string_actions.get(word)
            if takes or word.startswith("-"):
                kept.append(word)
            takes = not takes and action is not None and action.nargs is None
        return super().parse_known_args(kept, namespace)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """An argparse parser over the table of options: argcomplete asks for one.

    words: those before the one that is typed.
    """
    parser = _Parser("runenv", add_help=False, conflict_handler="resolve")
    for option in OPTIONS:
        if option.flags:
            _add(parser, option)
    _add_own(parser, words)
    names = parser.add_argument("names", nargs="*")
    names.completer = _names  # type: ignore[attr-defined]  # argcomplete's way
    return parser


def _add_own(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the options of the sessions that are named; those of the last are offered."""
    try:
        request = parse(words)
    except RunnerError:  # a value is missing yet
        try:
            request = parse(words[:-1])
        except RunnerError:
            return
    behind = request.own or _names_in(request)
    listing = _listing_for(request.given) if behind else _NOTHING
    known = {name: {own.flag: own for own in each} for name, each in listing.options.items()}
    of_names = _of_names(behind, known)
    for flags in of_names:
        for own in flags.values():
            _add_one(parser, own, own.help if flags is of_names[-1] else argparse.SUPPRESS)


def _of_names(
    words: Sequence[str | None], known: Mapping[str, dict[str, Own]]
) -> list[dict[str, Own]]:
    """The options of each session that is named among the words."""
    found: list[dict[str, Own]] = []
    takes = False
    for word in words:
        if word is not None and word.startswith("--"):
            own = found[-1].get(word) if found else None
            takes = own is not None and bool(own.takes)
        elif word is not None and not takes:
            found.append(flags_of(word, known))
        else:
            takes = False
    return found


def _add_one(parser: argparse.ArgumentParser, own: Own, told: str) -> None:
    if not own.takes:
        parser.add_argument(own.flag, help=told, action="store_true")
        return
    action = parser.add_argument(own.flag, help=told, choices=own.choices or None)
    if own.takes != "choice":
        action.completer = (  # type: ignore[attr-defined]  # argcomplete's way
            FilesCompleter() if own.takes == "path" else ChoicesCompleter({})
        )


def _names_in(request: Request) -> tuple[str, ...]:
    names = request.given.get("sessions")
    return tuple(map(str, names)) if is_list(names) else ()


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    if option.kind in ("flag", "verb"):
        parser.add_argument(
            *option.flags, dest=option.name, action="store_true", help=option.help, default=None
        )
        return
    action = parser.add_argument(
        *option.flags,
        dest=option.name,
        action="append" if option.kind == "many" else "store",
        help=option.help,
        metavar=option.metavar,
        nargs="?" if option.bare else None,
        choices=option.choices or None,
    )
    completers: dict[str, Callable[..., Iterable[str]]] = {
        "python": _pythons,
        "tag": _tags,
        "sessions": _names,
        "usage": _names,
        "shell": _names,
        "exec": _names,
        "link": _names,
        "keyword": SuppressCompleter(),
        "backend": _backends,
        "shard": _machines,
        "convert": FilesCompleter(),
        "directory": DirectoriesCompleter(),
        "envdir": DirectoriesCompleter(),
        "store": DirectoriesCompleter(),
    }
    if option.name in completers:
        action.completer = completers[option.name]  # type: ignore[attr-defined]  # argcomplete's way


def _files_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("runenv", add_help=False)
    words = parser.add_argument("words", nargs="*")
    words.completer = FilesCompleter()  # type: ignore[attr-defined]  # argcomplete's way
    return parser


def _names(*, prefix: str, parsed_args: argparse.Namespace, **_: object) -> Iterable[str]:
    """Sessions and, once a letter is typed, their jobs, each with what it does.

    Reports, where these are to be joined.
    """
    if parsed_args.merge:
        return FilesCompleter("json")(prefix)
    listing = _listing(parsed_args)
    return {**listing.sessions, **listing.jobs} if prefix else listing.sessions


def _pythons(*, parsed_args: argparse.Namespace, **_: object) -> tuple[str, ...]:
    return _listing(parsed_args).pythons


def _tags(*, parsed_args: argparse.Namespace, **_: object) -> tuple[str, ...]:
    return _listing(parsed_args).tags


def _backends(**_: object) -> tuple[str, ...]:
    return BACKENDS


def _machines(**_: object) -> tuple[str, ...]:
    return ("auto",)


def _listing(parsed: argparse.Namespace) -> Listing:
    """What the envfile that is meant declares; nothing where it cannot be loaded.

    What the envfile prints while it is executed goes nowhere: the shell's code
    has taken standard output and error away and reads another descriptor.
    """
    said = {name: getattr(parsed, name) for name in ("file", "directory", "all_projects")}
    return _listing_for({name: value for name, value in said.items() if value is not None})


def _listing_for(given: Mapping[str, object]) -> Listing:
    try:
        settings = settle(given, os.environ, {}, {})
        if settings.all_projects:
            return listing_for(load_all(settings, may_install=False))
        envfile = find_envfile(settings.file, settings.directory)
        return listing_of(envfile, user_cache(os.environ))
    except RunnerError:
        return _NOTHING
