"""How environments that have a real pip are installed into: virtualenv's and venv's."""

from __future__ import annotations

from runner.envs import pip_words, uv
from runner.envs.installer_config import pip_config, refuse_places
from runner.errors import EnvironmentBroken
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.running import Build, Environment, Export

# These do not change what ends up in an environment.
_NEUTRAL = (
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_KEYRING_PROVIDER",
    "PIP_LOG",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_COLOR",
    "PIP_NO_INPUT",
    "PIP_PROGRESS_BAR",
    "PIP_PROXY",
    "PIP_QUIET",
    "PIP_RETRIES",
    "PIP_ROOT_USER_ACTION",
    "PIP_TRUSTED_HOST",
    "PIP_VERBOSE",
)


bring = uv.bring


def write_bare(*_: object) -> bool:
    """There is a pip in it, which takes a program to bring."""
    return False


def install_argv(environment: Environment, arguments: tuple[str, ...]) -> tuple[str, ...]:
    # -I: a json.py of the project, in whose folder we run, is not pip's. --no-user:
    # pip.conf may ask for it, for all that is installed by hand.
    fixed = ("-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-user")
    return (environment.python, *fixed, *pip_words.as_pip_takes_them(arguments, environment))


def check_place(path: str) -> None:
    """Raise EnvironmentBroken where the programs that pip writes could not be run.

    It quotes their Python for sh when the path has a blank or is long, and by
    double quotes alone.
    """
    found = next((sign for sign in '"$`\\' if sign in path), "")
    if found:
        raise EnvironmentBroken(
            f"the environment's folder {path} has a {found} in it,"
            " which programs that pip installs cannot bear",
            mend="choose another folder with --envdir, or use --backend uv",
        )


def check_arguments(arguments: tuple[str, ...]) -> None:
    pip_words.check(arguments)


def build_argv(environment: Environment, build: Build, out: str) -> tuple[str, ...]:
    if build.sdist_first:
        # pip builds no sdist. uv, which we depend on, isolates the build likewise.
        return uv.build_argv(environment, build, out)
    fixed = (
        "-I",
        "-m",
        "pip",
        "wheel",
        "--disable-pip-version-check",
        "--no-deps",
        "--wheel-dir",
        out,
    )
    return (environment.python, *fixed, build.folder)


def export_argv(environment: Environment, export: Export, out: str) -> tuple[str, ...]:
    return uv.export_argv(environment, export, out)  # nobody else reads its lock


def installer_variables(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("PIP_") and name not in _NEUTRAL
    }


def installer_config(environ: Mapping[str, str], root: str) -> dict[str, str]:  # noqa: ARG001  # pip looks at no project
    texts = pip_config(environ)
    refuse_places(texts, ("global", "install"), ("target", "prefix", "root"), "set PIP_CONFIG_FILE")
    return texts


def offline_arguments() -> tuple[str, ...]:
    return ()  # it revalidates what it has in its cache


def forget_argv(packages: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001  # nothing to forget
    return ()  # it copies what it installs, and shares it with nobody


def rebuilds_slowly() -> bool:
    return True


def replaces_other_files() -> bool:
    return False  # a version that is there satisfies it


def nothing_to_finish(environment: Environment) -> Environment:
    """These environments are whole when their command has ended."""
    return environment
