"""The modules that `import nox` finds while code of a noxfile runs.

Ours stand in `sys.modules` for that time alone; what stood there before, a nox
that is installed say, stands there again afterwards, untouched.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

from runner.compat import environments, popen, project
from runner.compat.behind import Manifest, Runner
from runner.compat.declared import Func, Param, parametrize
from runner.compat.of_others import PoetrySession, session_of_nox_poetry, session_of_nox_uv
from runner.compat.session import CommandFailed, Session
from runner.errors import SessionFailed, SessionSkipped
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from runner.compat.declared import Declarations
    from runner.compat.options import Options

_NAMES = ("nox", "nox_uv", "nox_poetry")


class Modules:
    """nox and what is imported beside it, for one noxfile."""

    def __init__(self, declarations: Declarations, options: Options) -> None:
        self._ours = _make_all(declarations, options)

    @contextmanager
    def in_place(self) -> Generator[None]:
        """What is imported in it as nox is ours."""
        theirs = _take_out()
        sys.modules.update(self._ours)
        try:
            yield
        finally:
            _take_out()
            sys.modules.update(theirs)


def _take_out() -> dict[str, ModuleType]:
    found = [name for name in sys.modules if name.partition(".")[0] in _NAMES]
    return {name: sys.modules.pop(name) for name in found}


def _make_all(declarations: Declarations, options: Options) -> dict[str, ModuleType]:
    """The modules by name, each an attribute of the one above it."""
    project_module = _module(
        "nox.project",
        load_toml=project.load_toml,
        python_versions=project.python_versions,
        dependency_groups=project.dependency_groups,
    )
    made = [
        _module(
            "nox",
            session=declarations.session,
            parametrize=parametrize,
            param=Param,
            options=options,
            project=project_module,
            needs_version=None,
            Session=Session,
            main=_main,
        ),
        project_module,
        _module(
            "nox.sessions",
            Session=Session,
            SessionRunner=Runner,
            _SessionQuit=SessionFailed,
            _SessionSkip=SessionSkipped,
        ),
        _module("nox.command", CommandFailed=CommandFailed, popen=popen.popen),
        _module(
            "nox.popen",
            popen=popen.popen,
            decode_output=popen.decode_output,
            DEFAULT_INTERRUPT_TIMEOUT=popen.DEFAULT_INTERRUPT_TIMEOUT,
            DEFAULT_TERMINATE_TIMEOUT=popen.DEFAULT_TERMINATE_TIMEOUT,
        ),
        _module(
            "nox.registry",
            session_decorator=declarations.session,
            get=declarations.get,
            _REGISTRY=declarations.functions,
        ),
        _module("nox.manifest", Manifest=Manifest),
        _module("nox._decorators", Func=Func),
        _module("nox._parametrize", Param=Param, parametrize_decorator=parametrize),
        _module("nox._options", noxfile_options=options),
        _module("nox._typing", Python=object),
        _module(
            "nox.virtualenv",
            ProcessEnv=environments.ProcessEnv,
            PassthroughEnv=environments.PassthroughEnv,
            CondaEnv=environments.CondaEnv,
            RattlerEnv=environments.RattlerEnv,
            VirtualEnv=environments.VirtualEnv,
            InterpreterNotFound=environments.InterpreterNotFound,
            HAS_UV=True,
            UV=environments.uv_program(),
        ),
        _module("nox.logger", __getattr__=_logger),
        _module("nox_uv", session=session_of_nox_uv(declarations)),
        _module("nox_poetry", session=session_of_nox_poetry(declarations), Session=PoetrySession),
        _module("nox_poetry.sessions", Session=PoetrySession),
    ]
    by_name = {module.__name__: module for module in made}
    for name, module in by_name.items():
        above, _, last = name.rpartition(".")
        if above:
            setattr(by_name[above], last, module)
    return by_name


def _module(name: str, **attributes: object) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None, is_package="." not in name)
    if "." not in name:
        module.__path__ = []
    module.__dict__.update(attributes)
    return module


def _main(*_: object, **__: object) -> None:
    """`nox.main`: the run that loads the noxfile is on its way already."""


_LEVELS = {"success": 25, "session_info": 29, "output": 9}


def _logger(name: str) -> Any:
    """The attributes of `nox.logger`; `logging` costs 10 ms, and few noxfiles log."""
    if name != "logger":
        raise AttributeError(f"module 'nox.logger' has no attribute {name!r}")
    import logging

    class Logger(logging.Logger):
        """nox's logger, with its further levels; it writes to standard error."""

        def __getattr__(self, level: str) -> Any:
            if level in _LEVELS:
                return partial(self.log, _LEVELS[level])
            raise AttributeError(level)

    class ToStderr(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(self.format(record), file=sys.stderr, flush=True)

    logger = Logger("nox", logging.INFO)
    logger.addHandler(ToStderr())
    return logger
