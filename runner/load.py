"""Finds and executes an envfile → Project, or all that is wrong with it.

Knows nothing of what is asked or how jobs run.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from runner import declare
from runner.envs.interpreters import found_versions
from runner.errors import EnvfileError, Mistake, RunnerError, UsageError, cut_traceback
from runner.model import Project
from runner.plan import expand
from runner.settings import read_table, settle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.declare import Registry
    from runner.model import Request, Settings

NAME = "envfile.py"

_SAMPLE = """\
a first one, to be saved as envfile.py:

    import runner

    @runner.session(deps=["pytest"])
    def tests(session: runner.Session) -> None:
        session.run("pytest", *session.posargs)"""


def find_envfile(file: str | None, directory: str | None) -> str:
    """The absolute path of the envfile: the one named, else the nearest above.

    file: as given by --file, relative to `directory`; a folder means the
    envfile in it. directory: where to start, the working folder by default.
    """
    try:
        start = os.path.abspath(directory or os.getcwd())
    except FileNotFoundError:
        raise UsageError(
            "the working folder does not exist any more",
            mend="change to one that does, or use --directory",
        ) from None
    if not os.path.isdir(start):
        raise UsageError(
            f"there is no folder {directory}", mend="give --directory a folder that exists"
        )
    if file is not None:
        path = os.path.join(start, os.path.expanduser(file))
        if os.path.isdir(path):
            path = os.path.join(path, NAME)
        if not os.path.isfile(path):
            raise UsageError(f"there is no file {file}", mend=f"looked for {path}")
        return os.path.normpath(path)
    folder = start
    while True:
        path = os.path.join(folder, NAME)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            raise UsageError(f"no {NAME} in {start} or in a folder above it", mend=_SAMPLE)
        folder = above


def load_project(envfile: str) -> Project:
    """The Project that an envfile declares.

    The file is executed with its folder as working folder, and that folder at
    the end of `sys.path`: modules beside it can be imported, and none of them
    hides the standard library or what runenv needs. Raises EnvfileError with
    all mistakes, in the order of their lines.
    """
    root = os.path.dirname(envfile)
    source = _read(envfile)
    if b"needs_version" in source:
        _check_version(source, envfile)
    registry = declare.start_registry(root)
    before = set(sys.modules)
    module = ModuleType("envfile")
    module.__file__ = envfile
    _execute(source, module, registry)
    specs = declare.finish(registry)
    jobs = expand(specs, found_versions, registry.note)
    if not specs and not registry.mistakes:
        registry.note(os.path.basename(envfile), "no session is declared", _SAMPLE)
    if registry.mistakes:
        raise EnvfileError(in_order(registry.mistakes))
    return Project(
        root=root,
        envfile=envfile,
        doc=(module.__doc__ or "").strip(),
        jobs=jobs,
        options=registry.options,
        read=(envfile, *_modules_read(root, before), *registry.read),
    )


def _read(envfile: str) -> bytes:
    try:
        with open(envfile, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise UsageError(f"{envfile} cannot be read: {error.strerror}") from None


def _execute(source: bytes, module: ModuleType, registry: Registry) -> None:
    """Run the envfile; what goes wrong in it joins the mistakes."""
    envfile = str(module.__file__)
    shown = os.path.basename(envfile)
    here = os.getcwd()
    os.chdir(registry.root)
    if registry.root not in sys.path:
        sys.path.append(registry.root)
    sys.modules["envfile"] = module
    try:
        exec(compile(source, envfile, "exec", dont_inherit=True), module.__dict__)
    except SyntaxError as error:
        place = registry.place(error.filename or envfile, error.lineno or 1)
        line = (error.text or "").strip()
        registry.note(place, f"{error.msg}: {line}" if line else str(error.msg))
    except ValueError as error:
        if "null bytes" not in str(error):
            _note_exception(error, registry, shown)
        else:
            registry.note(shown, "the file holds null bytes: it is no Python source")
    except RunnerError as error:
        registry.note(error.where or shown, error.what, error.mend)
    except SystemExit as error:
        registry.note(
            shown, f"the envfile ended the program: sys.exit({error.code!r})", "take the call out"
        )
    except Exception as error:
        _note_exception(error, registry, shown)
    finally:
        os.chdir(here)


def _note_exception(error: Exception, registry: Registry, shown: str) -> None:
    """An exception of the user's own: its last place in the envfile, and their frames."""
    place = shown
    frames = error.__traceback__
    while frames is not None:
        code = frames.tb_frame.f_code
        if code.co_filename.startswith(registry.root + os.sep):
            place = registry.place(code.co_filename, frames.tb_lineno)
        frames = frames.tb_next
    registry.note(place, f"{type(error).__name__}: {error}", cut_traceback(error))


def in_order(mistakes: list[Mistake]) -> list[Mistake]:
    """The mistakes by file and line, each once."""

    def key(mistake: Mistake) -> tuple[str, int]:
        file, _, line = mistake.where.rpartition(":")
        return (file, int(line)) if line.isdigit() else (mistake.where, 0)

    return sorted(dict.fromkeys(mistakes), key=key)


def _modules_read(root: str, before: set[str]) -> list[str]:
    """The files of the modules beside the envfile that it imported."""
    found = []
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        inside = isinstance(file, str) and file.startswith(root + os.sep)
        if inside and "site-packages" not in str(file) and name != "envfile":
            found.append(str(file))
    return sorted(found)


def _check_version(source: bytes, envfile: str) -> None:
    """Raise where `runner.needs_version = "..."` asks for another runenv.

    Read from the text and not by executing it: an envfile for a later runenv
    may use what this one does not have.
    """
    import ast

    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from runner import __version__

    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # said better when it is executed
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            if not (isinstance(target, ast.Attribute) and target.attr == "needs_version"):
                continue
            where, text = f"{os.path.basename(envfile)}:{node.lineno}", str(node.value.value)
            try:
                fits = SpecifierSet(text).contains(__version__, prereleases=True)
            except InvalidSpecifier:
                mistake = Mistake(
                    where, f"needs_version: {text!r} is no version specifier", f'write ">={text}"?'
                )
                raise EnvfileError([mistake]) from None
            if not fits:
                what = f"this envfile needs runenv {text}, and this is runenv {__version__}"
                raise EnvfileError([Mistake(where, what, "install one that fits")])


def open_project(request: Request, environ: Mapping[str, str]) -> tuple[Project, Settings]:
    """The project that a request is about, and every setting for it."""
    early = settle(request.given, environ, {}, {})
    project = load_project(find_envfile(early.file, early.directory))
    table = read_table(project.root)
    return project, settle(request.given, environ, project.options, table)
