"""Environments made by uv: links instead of copies."""

from __future__ import annotations

import os
import sys

from runner.envs import bare
from runner.envs.installer_config import refuse_places, uv_config
from runner.envs.pip_by_uv import write_pip
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.running import Build, Environment, Export, Interpreter

# What begins so does not change what ends up in an environment.
_NEUTRAL = (
    "UV_CACHE_DIR",
    "UV_CONCURRENT_",
    "UV_CREDENTIALS_DIR",
    "UV_ENV_FILE",
    "UV_HTTP_",
    "UV_INSECURE_HOST",
    "UV_INSTALLER_",
    "UV_INTERNAL_",
    "UV_KEYRING_PROVIDER",
    "UV_LOCK_TIMEOUT",
    "UV_LOG_",
    "UV_NATIVE_TLS",
    "UV_NO_ENV_FILE",
    "UV_NO_PROGRESS",
    "UV_NO_WRAP",
    "UV_OFFLINE",
    "UV_PREVIEW",
    "UV_PROJECT",
    "UV_PUBLISH_",
    "UV_PYTHON",
    "UV_REQUEST_TIMEOUT",
    "UV_RUN_",
    "UV_SHOW_",
    "UV_STACK_SIZE",
    "UV_SYSTEM_CERTS",
    "UV_TEST_",
    "UV_TOOL_",
    "UV_UPLOAD_",
)
_CREDENTIALS = ("_USERNAME", "_PASSWORD")  # of UV_INDEX_<NAME>_: changed by each run of CI


def find_uv() -> str:
    """The path of uv: beside our own Python, in the package `uv`, $UV, PATH; or empty."""
    program = "uv.exe" if os.name == "nt" else "uv"
    beside = os.path.join(os.path.dirname(sys.executable), program)
    if os.access(beside, os.X_OK):  # the usual case, without importing anything
        return beside
    try:
        import uv

        return uv.find_uv_bin()
    except (ImportError, FileNotFoundError):
        from shutil import which  # 1 ms

        return os.environ.get("UV") or which("uv") or ""


def why_not() -> str:
    return (
        ""
        if find_uv()
        else "uv was not found: install it beside runenv, or use --backend virtualenv"
    )


def make_argv(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> tuple[str, ...]:
    # --allow-existing: our journal is in the folder already. --no-project: a
    # requires-python of the project is no concern of this environment.
    fixed = ("venv", "--allow-existing", "--no-project", "--python", interpreter.path)
    return (find_uv(), *fixed, *options, path)


def write_bare(path: str, interpreter: Interpreter, options: tuple[str, ...]) -> bool:
    # A variable such as UV_VENV_SEED asks for what uv alone can do.
    asked = options or any(name.startswith("UV_VENV_") for name in os.environ)
    return not asked and bare.write(path, interpreter)


def bring(*_: object) -> None:
    """It takes a Python of this machine."""


def finish(environment: Environment) -> Environment:
    write_pip(environment, find_uv())
    return environment


def check_arguments(arguments: tuple[str, ...]) -> None:
    """All that can be declared is uv's own."""


def install_argv(environment: Environment, arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (find_uv(), "pip", "install", "--python", environment.python, *arguments)


def build_argv(environment: Environment, build: Build, out: str) -> tuple[str, ...]:
    # Without --wheel it builds the sdist, and the wheel from that.
    kind = () if build.sdist_first else ("--wheel",)
    fixed = ("--python", environment.interpreter.path, "--out-dir", out, build.folder)
    return (find_uv(), "build", *kind, *fixed)


def export_argv(environment: Environment, export: Export, out: str) -> tuple[str, ...]:
    # --locked: one that is not what `uv lock` would make is an error.
    fixed = ("--locked", "--python", environment.interpreter.path, "--project", export.folder)
    form = ("--format", "pylock.toml", "--output-file", out)
    return (find_uv(), "export", *fixed, *form, *export.arguments)


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("UV_")
        and not name.startswith(_NEUTRAL)
        and not (name.startswith("UV_INDEX_") and name.endswith(_CREDENTIALS))
    }


def offline_arguments() -> tuple[str, ...]:
    return ("--offline",)


def forget_argv(packages: tuple[str, ...]) -> tuple[str, ...]:
    return (find_uv(), "cache", "clean", *packages)


def rebuilds_slowly() -> bool:
    return False  # it links what it has in its cache


def replaces_other_files() -> bool:
    # A wheel's path has the digest of its content. --reinstall would have uv ask the
    # interpreter again what it is: 35 ms.
    return True


def version() -> str:
    return ""  # each makes the same environments


def installer_config(environ: Mapping[str, str], root: str) -> dict[str, str]:
    texts = uv_config(environ, root)
    refuse_places(texts, ("pip", "tool.uv.pip"), ("target", "prefix"), "set UV_NO_CONFIG=1")
    return texts
