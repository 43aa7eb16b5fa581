"""Executes an envfile → Project, or all that is wrong with it.

Knows nothing of what is asked or how jobs run.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module, invalidate_caches
from types import ModuleType

from runner import declare
from runner.envs.pythons_found import found_versions
from runner.errors import (
    EnvfileError,
    Mistake,
    RunnerError,
    UsageError,
    cut_traceback,
    nearest,
    place_of,
)
from runner.finding import NAME, NOXFILE, SAMPLE
from runner.model import Project, Read
from runner.plan import expand
from runner.settings import settle
from runner.specs import finish
from runner.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType
    from typing import Protocol

    from runner.declare import Registry
    from runner.model import Settings

    class Reader(Protocol):
        """What reads a file of another tool; it is loaded by its name, for such a file alone."""

        def load(
            self,
            envfile: str,
            source: bytes,
            settings: Callable[[], Settings] | None,
            *,
            may_install: bool,
        ) -> Project:
            """The Project that the file declares, as `load_project` has it."""
            ...


READER = "runner.compat"  # of noxfiles: a room above this one

_LARGE_BYTES = 4096  # below that compiling takes no longer than reading what was compiled


def _is_noxfile(envfile: str, source: bytes) -> bool:
    """By its name, else by what it imports."""
    name = os.path.basename(envfile)
    if name in (NAME, NOXFILE):
        return name == NOXFILE
    if b"nox" not in source:
        return False
    import re

    def imports(names: bytes) -> bool:
        return bool(re.search(rb"(?m)^[ \t]*(?:import|from)[ \t]+(?:%s)\b" % names, source))

    return imports(b"nox|nox_uv|nox_poetry") and not imports(b"runner")


def load_project(
    envfile: str,
    settings: Callable[[], Settings] | None = None,
    *,
    may_install: bool = True,
    source: bytes | None = None,
    below: Sequence[str] = (),
) -> Project:
    """The Project that an envfile declares.

    The file is executed with its folder as working folder, and that folder at
    the end of `sys.path`: modules beside it can be imported, and none of them
    hides the standard library or what runenv needs. settings: those that are known
    by now, asked for where the envfile names packages of its own, which are
    installed first where they may be. source: what would stand in a file that is not
    there. below: further envfiles, as if it included those that it does not. Raises
    EnvfileError with all mistakes, in the order of their lines.
    """
    source = _read(envfile) if source is None else source
    if _is_noxfile(envfile, source):
        reader = cast("Reader", import_module(READER))
        return reader.load(envfile, source, settings, may_install=may_install)
    common = list(sys.path)
    registry = declare.start_registry(os.path.dirname(envfile))
    add = partial(add_packages, settings=settings, may_install=may_install)
    one = _read_one(envfile, source, registry, add, may_be_empty=bool(below))
    joined = None
    if registry.includes or below:
        from runner.including import Including  # 2 ms that most envfiles do without

        def read(file: str, own: Registry, prefix: str) -> Read:
            return _read_one(file, _read(file), own, partial(add, home=envfile, prefix=prefix))

        joined = Including(common, read).joined(registry, envfile, below)
    specs = [*one.specs, *(joined.specs if joined else ())]
    # Of what an exception has cut short nobody knows which names it would declare.
    to_its_end = one.to_its_end and (joined is None or joined.to_their_end)
    jobs = expand(specs, found_versions, registry.note) if to_its_end else ()
    if registry.mistakes:
        raise EnvfileError(in_order(registry.mistakes))
    return Project(
        root=registry.root,
        envfile=envfile,
        doc=one.doc,
        jobs=jobs,
        options=registry.options,
        read=one.read,
        parts=joined.parts if joined else (),
        looked_at=joined.looked_at if joined else (),
    )


def _read_one(
    envfile: str,
    source: bytes,
    registry: Registry,
    add: Callable[[str, bytes], None],
    *,
    may_be_empty: bool = False,
) -> Read:
    """What one envfile says by itself. add: lets it import what its own block asks for."""
    shown = registry.shown(envfile)
    if b"needs_version" in source:
        from runner.version_asked import check_version  # 5 ms that only such an envfile costs

        check_version(source, shown)
    if b"# /// script" in source:
        add(envfile, source)
    before = set(sys.modules)
    module = ModuleType("envfile")
    module.__file__ = envfile
    to_its_end = execute(source, module, registry)
    specs = finish(registry)
    if not specs and not registry.includes and not registry.mistakes and not may_be_empty:
        registry.note(
            shown, "no session is declared", f"a first one, to be saved in it:\n\n{SAMPLE}"
        )
    read = (envfile, *modules_read(registry.root, before), *registry.read)
    return Read(specs, (module.__doc__ or "").strip(), to_its_end, read)


def add_packages(
    envfile: str,
    source: bytes,
    settings: Callable[[], Settings] | None,
    *,
    may_install: bool,
    without: tuple[str, ...] = (),
    home: str = "",
    prefix: str = "",
) -> None:
    """What the envfile's own block asks for (PEP 723) can be imported; not what is in `without`.

    home: the envfile that includes it, with this prefix.
    """
    from runner.envs.of_envfile import packages_of  # 40 ms that only such an envfile costs

    known = settle({}, os.environ, {}, {}) if settings is None else settings()
    for folder in packages_of(
        envfile,
        source,
        known,
        os.environ,
        may_install=may_install,
        without=without,
        home=os.path.dirname(home),
        prefix=prefix,
    ):
        if folder not in sys.path:
            sys.path.append(folder)
    invalidate_caches()


def _read(envfile: str) -> bytes:
    try:
        with open(envfile, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(
            f"{envfile} cannot be read: {error.strerror}",
            mend="make it readable, or name another with --file",
        ) from None


def execute(source: bytes, module: ModuleType, registry: Registry) -> bool:
    """Run the envfile, to its end or not; what goes wrong in it joins the mistakes."""
    envfile = str(module.__file__)
    shown = registry.shown(envfile)
    if b"\0" in source:
        registry.note(
            shown, "the file holds null bytes: it is no Python source", "save it as UTF-8"
        )
        return False
    here = os.getcwd()
    os.chdir(registry.root)
    if registry.root not in sys.path:
        sys.path.append(registry.root)
    sys.modules[module.__name__] = module
    # What it prints must not stand among the JSON of --list.
    stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        exec(_compiled(source, envfile), module.__dict__)
        return True
    except SyntaxError as error:
        place = registry.place(error.filename or envfile, error.lineno or 1)
        registry.note(place, f"{type(error).__name__}: {error.msg}", _pointed_at(error))
    except RunnerError as error:
        registry.note(error.where or shown, error.what, error.mend)
    except SystemExit as error:
        registry.note(
            place_of(error, registry.top) or shown,
            f"the envfile ended the program: sys.exit({error.code!r})",
            "take the call out",
        )
    except Exception as error:
        _note_exception(error, registry, shown)
    finally:
        sys.stdout = stdout
        os.chdir(here)
    return False


def _compiled(source: bytes, envfile: str) -> CodeType:
    if len(source) < _LARGE_BYTES:
        return compile(source, envfile, "exec", dont_inherit=True)
    from runner.compiled import code_of  # 1 ms that a large one alone is worth

    return code_of(source, envfile)


def _pointed_at(error: SyntaxError) -> str:
    """The line that is no Python, and a caret where it ceases to be."""
    line = (error.text or "").rstrip()
    code = line.lstrip()
    column = max((error.offset or 1) - 1 - (len(line) - len(code)), 0)
    return f"{code}\n{' ' * column}^" if code else "mend the file"


def _note_exception(error: Exception, registry: Registry, shown: str) -> None:
    """An exception of the user's own: its last place in the envfile, and their frames."""
    place = place_of(error, registry.top) or shown
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    mend = "\n".join(filter(None, (cut_traceback(error), _hint(error))))
    registry.note(place, what, mend)


def _hint(error: Exception) -> str:
    """What helps against an exception that newcomers meet; or empty."""
    if isinstance(error, ModuleNotFoundError):
        return (
            "an envfile is executed by runenv's own Python: name it in a # /// script block,"
            " or import it in what a session runs"
        )
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        near = nearest(str(error.name), [n for n in vars(error.obj) if not n.startswith("_")])
        return f"did you mean {error.obj.__name__}.{near}?" if near else ""
    return ""


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """The mistakes by file and line, each once."""

    def key(mistake: Mistake) -> tuple[str, int]:
        file, _, line = mistake.where.rpartition(":")
        return (file, int(line)) if line.isdigit() else (mistake.where, 0)

    return sorted(dict.fromkeys(mistakes), key=key)


def modules_read(root: str, before: set[str]) -> list[str]:
    """The files of the modules beside the envfile that it imported."""
    found: list[str] = []
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        inside = isinstance(file, str) and file.startswith(root + os.sep)
        if inside and "site-packages" not in str(file) and name != "envfile":
            found.append(str(file))
    return sorted(found)
