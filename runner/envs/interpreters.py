"""What an envfile wrote for a Python → the Interpreter on this machine that it means.

`python_spec.py` knows what such a word means, `pythons_found.py` where Pythons
lie, and `python_answers.py` asks them. Names only say whom to ask first;
answers decide.
"""

from __future__ import annotations

import os
import sys
from itertools import chain

from runner.envs.python_answers import Asker, running
from runner.envs.python_spec import SIGNS, fits, read_spec, read_version
from runner.envs.pythons_found import (
    Found,
    home_folder,
    in_folders,
    is_program,
    may_fit,
    names_for,
    on_path,
    path_folders,
    places,
)
from runner.errors import InterpreterMissing, JobError, did_you_mean
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from runner.envs.python_spec import Wanted
    from runner.running import Interpreter

__all__ = ["describe", "find", "survey"]

_FORMS = (
    'write a version ("3.12", "3.13t"), a range (">=3.10,<3.13"), "pypy3.11", '
    "the name of a program on PATH, or the path of a Python"
)


def describe(interpreter: Interpreter) -> str:
    """Its implementation and version: `cpython 3.13.0`, `cpython 3.13.0t` when free-threaded."""
    mark = "t" if interpreter.free_threaded else ""
    return f"{interpreter.implementation} {interpreter.version}{mark}"


def find(
    spec: str | None,
    *,
    cache_dir: str,
    environ: Mapping[str, str] | None = None,
    root: str = "",
) -> Interpreter:
    """The Interpreter that an envfile's `python` means; None is the Python that runs runenv.

    spec: a version, of which PATH's first is taken, else the newest that a tool
    keeps; a range, of which the newest is taken; a program's name; a path,
    relative to `root`, or else to the working folder. A virtual environment's Python stands for the
    one that it was made with. cache_dir: where answers are kept.

    Raises InterpreterMissing where there is none, and JobError where the text
    means nothing, so that what is misspelt is not skipped as missing.
    """
    if spec is None:
        return running()
    asker = Asker(cache_dir, os.environ if environ is None else environ)
    try:
        return _find(spec.strip(), asker, root)
    finally:
        asker.save()


def survey(
    *, cache_dir: str, environ: Mapping[str, str]
) -> tuple[list[Interpreter], dict[str, str]]:
    """Each Python of this machine, the oldest first; and by path why others are no use.

    Answers are kept where `cache_dir` is there already.
    """
    asker = Asker(cache_dir, environ)
    asker.ask_troubled_again()
    found = _interpreters_here(asker)
    if os.path.isdir(cache_dir):
        asker.save()
    return found, dict(asker.troubles)


def _find(text: str, asker: Asker, root: str) -> Interpreter:
    if text.startswith("~") or os.sep in text or "/" in text:
        return _find_path(text, asker, root)
    wanted = read_spec(text)
    if wanted is None:
        return _find_name(text, asker)
    likely = (found.path for found in _likely(wanted, asker))
    remembered = filter(None, [asker.path_of(text)])
    found = _first_fitting(wanted, chain(likely, remembered), asker)
    if found is None:
        # A name may have hidden one, and a trouble may be over.
        asker.ask_troubled_again()
        found = _first_fitting(wanted, _all_paths(asker), asker)
    if found is None and sys.platform == "win32":
        found = _first_fitting(wanted, _paths_by_library(text, asker), asker)
    if found is None:
        raise _nothing_fits(text, wanted, asker)
    return found


def _first_fitting(wanted: Wanted, paths: Iterable[str], asker: Asker) -> Interpreter | None:
    for path in paths:
        it = asker.interpreter(path)
        if it and fits(wanted, it.implementation, read_version(it.version), it.free_threaded):
            return it
    return None


def _likely(wanted: Wanted, asker: Asker) -> Iterable[Found]:
    """Those that fit by their names, in the order in which they are preferred."""
    if not wanted.is_range:
        # One by one: most often PATH has it, and no folder is looked into.
        return (found for found in _in_turn(wanted, asker) if may_fit(wanted, found))

    def minor(found: Found) -> tuple[int, ...]:
        if len(found.version.release) > 1:
            return found.version.release[:2]
        it = asker.interpreter(found.path)
        return read_version(it.version).release[:2] if it else ()

    # The sort is stable: of one minor version PATH's is still before the others.
    fitting = (found for found in _everything(asker, wanted) if may_fit(wanted, found))
    return sorted(fitting, key=minor, reverse=True)


def _in_turn(wanted: Wanted, asker: Asker) -> Iterator[Found]:
    names = names_for(wanted)
    yield from on_path(asker.environ, names)
    if len(names) < 3:  # python3 is not there, but python3.12 may be
        yield from on_path(asker.environ)
    yield from _not_on_path(asker, wanted)


def _everything(asker: Asker, wanted: Wanted | None = None) -> Iterator[Found]:
    """All Pythons by their names: PATH's, those that tools keep, the one that runs us."""
    yield from on_path(asker.environ)
    yield from _not_on_path(asker, wanted)


def _not_on_path(asker: Asker, wanted: Wanted | None) -> Iterator[Found]:
    yield from in_folders(asker.environ, wanted)
    own = asker.running
    version = read_version(own.version)
    yield Found(own.path, own.implementation, version, own.free_threaded)


def _all_paths(asker: Asker) -> list[str]:
    return [each.path for each in _everything(asker)]


def _find_path(text: str, asker: Asker, root: str) -> Interpreter:
    home = home_folder(asker.environ)
    plain_home = home and (text == "~" or text.startswith(("~/", "~" + os.sep)))
    whole = home + text[1:] if plain_home else os.path.expanduser(text)
    # Not from the working folder, which a session may change while this is asked.
    path = os.path.abspath(os.path.join(root, whole))
    if os.path.isdir(path):
        raise InterpreterMissing(
            f"{text!r} is a folder, not a Python",
            mend="write the path of the program in it, such as bin/python",
        )
    asker.ask_troubled_again()
    found = asker.interpreter(path)
    if found is None:
        shown = repr(text) if text == path else f"{text!r}, which is {path},"
        raise InterpreterMissing(
            f"{shown} cannot be used as a Python: {asker.troubles[path]}",
            mend=f"{_found_line(asker)}\nname a Python that is here, by its version or its path",
        )
    return found


def _find_name(text: str, asker: Asker) -> Interpreter:
    """What is named by a program's name, or by a word that only python-discovery knows."""
    asker.ask_troubled_again()
    tried: list[str] = []
    says_range = any(sign in text for sign in SIGNS)
    if text and not says_range:
        name = f"{text}.exe" if sys.platform == "win32" else text
        here = filter(is_program, (os.path.join(f, name) for f in path_folders(asker.environ)))
        remembered = filter(None, [asker.path_of(text)])
        for path in chain(here, remembered, _paths_by_library(text, asker)):
            found = asker.interpreter(path)
            if found:
                return found
            tried.append(path)
    minors = [each.version.rpartition(".")[0] for each in _interpreters_here(asker)]
    hint = did_you_mean(text, [*minors, *(f"python{minor}" for minor in minors)])
    mend = [*_passed_over(tried, asker), f"{hint}  {_FORMS}" if hint else _FORMS]
    if says_range or not text[:1].isalpha():
        raise JobError(f"{text!r} is no version and no range of Pythons", mend="\n".join(mend))
    raise InterpreterMissing(
        f"{text!r} is no version, and no Python of that name is on PATH", mend="\n".join(mend)
    )


def _paths_by_library(text: str, asker: Asker) -> Iterator[str]:
    """What python-discovery finds: by the registry of Windows (PEP 514), or for `3.12-64`.

    It takes 80 ms to import and asks every Python anew, so it comes last, and
    what it finds is remembered.
    """
    import logging

    from python_discovery import PythonSpec, get_interpreter

    # Else what it warns of would be on the user's terminal.
    logging.getLogger("python_discovery").addHandler(logging.NullHandler())
    path = os.pathsep.join(path_folders(asker.environ))
    try:
        # A word that it reads as a program's name was looked for already.
        readable = PythonSpec.from_string_spec(text).path is None
        ours = [each.path for each in _interpreters_here(asker)] if readable else []
        environ = {**asker.environ, "PATH": path}
        found = get_interpreter(text, try_first_with=ours, env=environ) if readable else None
    except (ValueError, RuntimeError):  # of a text that it cannot read
        return
    if found is not None:
        asker.remember_path(text, found.system_exe)
        yield found.system_exe


# What is said when there is none. ---------------------------------------------------


def _nothing_fits(text: str, wanted: Wanted, asker: Asker) -> InterpreterMissing:
    tried = [each.path for each in _everything(asker, wanted) if may_fit(wanted, each)]
    name = "" if wanted.implementation == "cpython" else wanted.implementation
    versions = f"'{wanted.versions}'" if wanted.is_range else f"{name}{wanted.versions}"
    lines = [
        *_passed_over(tried, asker),
        _looked_at(asker.environ),
        _found_line(asker),
        f"install one, with `uv python install {versions}` for example, or ask for one of these",
    ]
    return InterpreterMissing(f"no Python that fits {text!r} was found", mend="\n".join(lines))


def _interpreters_here(asker: Asker) -> list[Interpreter]:
    """Each Python of this machine once, the oldest first."""
    found = {each.real_path: each for each in map(asker.interpreter, _all_paths(asker)) if each}
    return sorted(
        found.values(), key=lambda each: (each.implementation, read_version(each.version))
    )


def _found_line(asker: Asker) -> str:
    """`found: cpython 3.10.13, 3.13.0; pypy 3.11.9`."""
    versions: dict[str, dict[str, None]] = {}
    for each in _interpreters_here(asker):
        implementation, _, version = describe(each).partition(" ")
        versions.setdefault(implementation, {})[version] = None
    shown = [f"{name} {', '.join(each)}" for name, each in versions.items()]
    return f"found: {'; '.join(shown)}"


def _passed_over(paths: list[str], asker: Asker) -> list[str]:
    """A line for each of the first three that could not be used."""
    troubled = [path for path in dict.fromkeys(paths) if path in asker.troubles]
    lines = [
        f"passed over: {_short(path, asker.environ)}: {asker.troubles[path]}"
        for path in troubled[:3]
    ]
    more = len(troubled) - len(lines)
    return [*lines, f"passed over: {more} more"] if more else lines


def _looked_at(environ: Mapping[str, str]) -> str:
    """`looked at: PATH (7 folders), pyenv (~/.pyenv/versions); none of mise, asdf is here`."""
    here: list[str] = []
    absent: dict[str, None] = {}
    everywhere = places(environ)
    existing = {place.tool for place in everywhere if os.path.isdir(place.folder)}
    for place in everywhere:
        if os.path.isdir(place.folder):
            here.append(f"{place.tool} ({_short(place.folder, environ)})")
        elif place.tool not in existing:
            absent[place.tool] = None
    count = len(path_folders(environ))
    shown = ", ".join([f"PATH ({count} folder{'' if count == 1 else 's'})", *here])
    return f"looked at: {shown}" + (f"; none of {', '.join(absent)} is here" if absent else "")


def _short(path: str, environ: Mapping[str, str]) -> str:
    home = home_folder(environ)
    return f"~{path[len(home) :]}" if home and path.startswith(home + os.sep) else path
