"""Environments made of packages of conda channels, their Python too, by rattler.

py-rattler is an extra (`runenv-cli[conda]`) and runs in a process of its own,
`by_rattler.py`. What pip's arguments ask for is installed by uv on top.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec

from runner.envs import uv
from runner.envs.folder import python_in, site_packages
from runner.envs.pip_by_uv import write_pip
from runner.envs.uv import (
    build_argv,
    check_arguments,
    export_argv,
    forget_argv,
    installer_config,
    offline_arguments,
    rebuilds_slowly,
    replaces_other_files,
    write_bare,
)
from runner.requirements.arguments import show_arguments, without_secrets
from runner.running import Brought, Ingredient, Interpreter, Step
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.model import Needs
    from runner.running import Environment

__all__ = [
    "bring",
    "build_argv",
    "check_arguments",
    "export_argv",
    "finish",
    "forget_argv",
    "install_argv",
    "installer_config",
    "installer_variables",
    "make_argv",
    "offline_arguments",
    "rebuilds_slowly",
    "replaces_other_files",
    "version",
    "why_not",
    "write_bare",
]

# As a file and not as a module: its working folder is the project, which may have
# modules of any name.
_PROGRAM = (sys.executable, os.path.join(os.path.dirname(__file__), "by_rattler.py"))

_DEFAULT_CHANNELS = ("conda-forge",)
_TOKEN = re.compile(r"/t/[^/]+(?=/)")  # of a channel that is not for everybody


def why_not() -> str:
    if os.name == "nt":
        return "conda environments are made on Linux and macOS: use --backend uv"
    if find_spec("rattler") is None:
        return "py-rattler was not found beside runenv: install runenv-cli[conda] there"
    return ""


def version() -> str:
    return ""  # each makes the same environments


def bring(
    wanted: str | None, needs: Needs, path: str, root: str, digest: Callable[[str], str]
) -> Brought:
    python = _python_spec(wanted)
    channels = [_absolute(channel, root) for channel in needs.channels or _DEFAULT_CHANNELS]
    options = [word for channel in channels for word in ("--channel", channel)]
    options += [word for spec in (python, *needs.conda_deps) for word in ("--spec", spec)]
    return Brought(
        interpreter=_interpreter_in(path, wanted),
        options=tuple(options),
        ingredients=(
            Ingredient("python", wanted or "any"),
            Ingredient("conda_deps", "\n".join(needs.conda_deps)),
            *_channel_ingredients(channels, root, digest),
        ),
        packages=(python, *needs.conda_deps),
        mark="conda-meta",
    )


def _python_spec(wanted: str | None) -> str:
    """What an envfile wrote for a Python, as conda asks for it."""
    if wanted is None:
        return "python"
    if re.fullmatch(r"\d+(\.\d+)*", wanted):
        return f"python={wanted}"  # 3.12 and all 3.12.x
    return f"python {wanted.replace(' ', '')}" if wanted[0] in "<>=!~" else wanted


def _absolute(channel: str, root: str) -> str:
    """The channel; one that is a path starts at the root."""
    if channel.startswith((".", "/", "~")):
        return os.path.normpath(os.path.join(root, os.path.expanduser(channel)))
    return channel


def _channel_ingredients(
    channels: Sequence[str], root: str, digest: Callable[[str], str]
) -> list[Ingredient]:
    """The channels; of one on this machine what it offers, too."""
    found = [
        Ingredient("channels", "\n".join(_TOKEN.sub("/t", without_secrets(c)) for c in channels))
    ]
    for channel in channels:
        if not os.path.isdir(channel):
            continue
        for subdir in sorted(os.listdir(channel)):
            index = os.path.join(channel, subdir, "repodata.json")
            if os.path.isfile(index):
                found.append(Ingredient(os.path.relpath(index, root), digest(index)))
    return found


def _interpreter_in(path: str, wanted: str | None) -> Interpreter:
    """The Python of the environment in `path`; before it is made the one that is asked for."""
    version, build = wanted or "", ""
    try:
        names = os.listdir(os.path.join(path, "conda-meta"))
    except OSError:
        names = []
    for name in names:
        # python-3.13.0-h9ebbce0_100_cp313.json
        match = re.fullmatch(r"python-(\d[^-]*)-([^-]+)\.json", name)
        if match:
            version, build = match.groups()
    return Interpreter(
        path=python_in(path),
        real_path=python_in(path),
        version=version,
        implementation="pypy" if build.endswith("_pypy") else "cpython",
        build=build,
        platform=_platform(),
        free_threaded=bool(re.search(r"_cp\d+t$", build)),
        stamp="",
    )


def _platform() -> str:
    if sys.platform == "win32":
        return "win32"
    else:  # noqa: RET505  # without it mypy calls the next line unreachable on Windows
        return f"{sys.platform}-{os.uname().machine}"


def make_argv(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001  # it brings its own
    return (*_PROGRAM, path, *options)


def finish(environment: Environment) -> Environment:
    made = environment._replace(
        interpreter=_interpreter_in(environment.path, environment.interpreter.version)
    )
    # A package `pip` of the channel is the real one.
    if not os.path.isdir(os.path.join(site_packages(made.path)[0], "pip")):
        write_pip(made, uv.find_uv())
    return made


def install_argv(environment: Environment, arguments: tuple[str, ...]) -> tuple[str, ...]:
    # A channel may mark its Python as managed by itself (PEP 668); this copy is ours.
    program, *fixed = uv.install_argv(environment, ())
    return (program, *fixed, "--break-system-packages", *arguments)


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    # What conda is told that this machine has: __glibc, __cuda.
    own = {name: value for name, value in environ.items() if name.startswith("CONDA_OVERRIDE_")}
    return {**uv.installer_variables(environ), **own}


def channel_step(
    environment: Environment,
    specs: tuple[str, ...],
    channels: tuple[str, ...],
    declared: tuple[str, ...],
    root: str,
    digest: Callable[[str], str],
) -> Step:
    """The step of `session.conda_install(*specs, channel=channels)`.

    declared: the channels of the session, which are asked after these.
    """
    asked = dict.fromkeys((*channels, *(declared or _DEFAULT_CHANNELS)))
    places = [_absolute(channel, root) for channel in asked]
    options = [word for place in places for word in ("--channel", place)]
    options += [word for spec in specs for word in ("--spec", spec)]
    shown = [word for channel in channels for word in ("--channel", channel)]
    return Step(
        arguments=tuple(options),
        ingredients=(
            Ingredient("conda install", "\n".join(specs)),
            *_channel_ingredients(places, root, digest),
        ),
        show=show_arguments([*shown, *specs]),
        cwd=root,
        program=(*_PROGRAM, environment.path),
    )
