"""Where things are installed: what a backend is, and the table of their names.

A backend only says which commands make an environment and install into it;
`replay.py` decides when they run, `perform.py` how. What a run asks of all of them is here too.
"""

from __future__ import annotations

from importlib import import_module

from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.typed import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model import Needs
    from runner.running import Brought, Build, Environment, Export, Interpreter


class Policy(Record):
    """What the command line says about all environments."""

    fresh: bool = False
    upgrade: bool = False
    no_install: bool = False
    upgrade_package: tuple[str, ...] = ()
    is_new: bool = False  # what is to be made anew in this run has been
    max_age_s: float | None = None  # an environment that was resolved earlier is made anew
    images_since_s: float = 0.0  # one that was resolved earlier is not linked from
    pins_since_s: float = 0.0  # what was resolved earlier is asked anew
    foresees: bool = True  # an unchanged envfile installs after a command what it did before


class Backend(Protocol):
    """What makes environments. A backend is a module with these functions."""

    def why_not(self) -> str:
        """Why it cannot be used here, with the mend; empty when it can."""
        ...

    def bring(
        self,
        wanted: str | None,
        needs: Needs,
        path: str,
        root: str,
        digest: Callable[[str], str],
        /,
    ) -> Brought | None:
        """What it makes the environment in `path` of, its Python too; None: one of this machine.

        wanted: the Python as the envfile wrote it. digest: of a file's content.
        """
        ...

    def make_argv(
        self, path: str, interpreter: Interpreter, options: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The command that makes an environment in `path`, which has our journal in it."""
        ...

    def write_bare(self, path: str, interpreter: Interpreter, options: tuple[str, ...], /) -> bool:
        """Write what that command makes where it is known without it; whether that was done."""
        ...

    def finish(self, environment: Environment) -> Environment:
        """Add what the command does not make, so that `pip` works; what the environment is now."""
        ...

    def check_arguments(self, arguments: tuple[str, ...]) -> None:
        """Raise EnvironmentBroken for arguments that its installer cannot follow."""
        ...

    def install_argv(self, environment: Environment, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """The command that installs what the arguments ask for.

        They are in pip's form; which versions are chosen is said by uv's options.
        """
        ...

    def build_argv(self, environment: Environment, build: Build, out: str) -> tuple[str, ...]:
        """The command that builds a project's wheel into the folder `out`."""
        ...

    def export_argv(self, environment: Environment, export: Export, out: str) -> tuple[str, ...]:
        """The command that makes the lock file `out` of a project's uv.lock."""
        ...

    def offline_arguments(self) -> tuple[str, ...]:
        """The arguments of an install that takes what is in the installer's cache alone."""
        ...

    def forget_argv(self, packages: tuple[str, ...]) -> tuple[str, ...]:
        """The command after which the installer's cache has none of these packages.

        Empty where no environment shares files with it.
        """
        ...

    def rebuilds_slowly(self) -> bool:
        """Whether an install takes seconds: what there was after each is kept then."""
        ...

    def replaces_other_files(self) -> bool:
        """Whether asked for a wheel by its file it replaces what came from another one."""
        ...

    def version(self) -> str:
        """The version of what makes environments, where another one makes others; or empty."""
        ...

    def installer_config(self, environ: Mapping[str, str], root: str) -> dict[str, str]:
        """The configuration files that the installer reads in `root`, with their texts."""
        ...

    def installer_variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables in force that change what the installer does."""
        ...


BACKENDS = {
    "uv": "runner.envs.uv",
    "virtualenv": "runner.envs.virtualenv",
    "venv": "runner.envs.venv",
    "conda": "runner.envs.conda",
}


def load_backend(name: str) -> Backend:
    """The backend of that name; it is imported only now."""
    # A module is checked against the protocol in tests/typing.
    return cast("Backend", import_module(BACKENDS[name]))


def choose_backend(chain: str) -> tuple[str, Backend]:
    """The first backend of a chain such as "uv|virtualenv" that can be used here."""
    troubles: list[str] = []
    for name in (part.strip() for part in chain.split("|")):
        backend = load_backend(name)
        trouble = backend.why_not()
        if not trouble:
            return name, backend
        troubles.append(trouble)
    raise EnvironmentBroken(f"no backend of {chain!r} can be used", mend="; ".join(troubles))
