"""`runenv --completion SHELL`, and the answer to a TAB, both by argcomplete."""

from __future__ import annotations

import argparse
import os

import argcomplete
from argcomplete.completers import (
    DirectoriesCompleter,
    FilesCompleter,
    SuppressCompleter,
)
from argcomplete.shell_integration import shellcode

from runner.errors import RunnerError
from runner.listing import Listing, listing_of
from runner.load import find_envfile
from runner.settings import BACKENDS, OPTIONS, settle
from runner.typed import TYPE_CHECKING
from runner.user_cache import user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.model import Option, Request

_NOTHING = Listing(sessions={}, jobs={}, tags=(), pythons=())


def main(request: Request) -> int:
    """Print the code that makes a shell complete `runenv`."""
    print(shellcode(["runenv"], shell=request.argument or "bash"))
    return 0


def complete() -> None:
    """Answer the TAB that argcomplete's code in the shell asks about, and end the process."""
    line, point = os.environ.get("COMP_LINE", ""), os.environ.get("COMP_POINT", "")
    typed = line[: int(point)] if point.isdigit() else line
    # What stands behind -- is the sessions' own: files are the best that can be offered.
    parser = _files_parser() if "--" in typed.split(" ")[:-1] else _parser()
    argcomplete.autocomplete(parser, always_complete_options=False)


def _parser() -> argparse.ArgumentParser:
    """An argparse parser over the table of options: argcomplete asks for one."""
    parser = argparse.ArgumentParser("runenv", add_help=False)
    for option in OPTIONS:
        if option.flags:
            _add(parser, option)
    names = parser.add_argument("names", nargs="*")
    names.completer = _names  # type: ignore[attr-defined]  # argcomplete's way
    return parser


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
    said = {"file": parsed.file, "directory": parsed.directory}
    given = {name: value for name, value in said.items() if value is not None}
    try:
        settings = settle(given, os.environ, {}, {})
        envfile = find_envfile(settings.file, settings.directory)
        return listing_of(envfile, user_cache(os.environ))
    except RunnerError:
        return _NOTHING
