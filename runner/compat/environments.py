"""`nox.virtualenv`: the types that noxfiles ask for, and what `session.virtualenv` is.

What they tell is so; nothing can be made or changed through them.
"""

from __future__ import annotations

import os

from runner.envs.uv import find_uv
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from runner.running import Environment


class InterpreterNotFound(OSError):
    """nox raises it where there is no such Python; here a job without one never begins."""


class ProcessEnv:
    """The environment of a session."""

    is_sandboxed = True
    allowed_globals: tuple[str, ...] = ()

    def __init__(
        self, environment: Environment, backend: str, env: dict[str, str | None], reuse: bool
    ) -> None:
        """backend: as nox calls it. reuse: whether nox would keep the environment."""
        self.location = environment.path
        self.location_name = environment.path
        self.interpreter = environment.interpreter.version
        self.venv_backend = backend
        self.venv_params: list[str] = []
        self.env = env
        self.reuse_existing = reuse
        self.bin_paths = [environment.bin] if environment.bin else None
        # What is installed is compared with what was, call by call: none may be left out.
        self._reused = False
        self._resolved_interpreter = environment.interpreter.path
        self.session: Any = None  # whose it is: nox.Session(runner) is asked for it

    @property
    def bin(self) -> str:
        """The folder of its programs."""
        if self.bin_paths is None:
            raise ValueError("The environment does not have a bin directory.")
        return self.bin_paths[0]

    def create(self) -> bool:
        """It is there already."""
        return False

    def _get_env(
        self, env: dict[str, str | None], *, include_outer_env: bool = True
    ) -> dict[str, str | None]:
        outer = dict(os.environ) if include_outer_env else {}
        return {**outer, **self.env, **env}


class PassthroughEnv(ProcessEnv):
    """No environment: backend none."""

    is_sandboxed = False
    conda_cmd = "conda"

    @staticmethod
    def is_offline() -> bool:
        """Nox asks the network; nobody needs to here."""
        return False


class CondaEnv(ProcessEnv):
    """An environment of conda."""

    allowed_globals = ("conda", "mamba", "micromamba")
    conda_cmd = "conda"

    @staticmethod
    def is_offline() -> bool:
        """Nox asks the network; nobody needs to here."""
        return False


class RattlerEnv(CondaEnv):
    """An environment of conda that py-rattler makes."""


class VirtualEnv(ProcessEnv):
    """A virtual environment."""


_CONDA = {"conda": CondaEnv, "mamba": CondaEnv, "micromamba": CondaEnv, "rattler": RattlerEnv}


def make_virtualenv(
    environment: Environment, declared: str, env: dict[str, str | None], *, reuse: bool
) -> ProcessEnv:
    """What `session.virtualenv` is. declared: the backend, or the chain, as the noxfile has it."""
    if environment.backend == "none":
        return PassthroughEnv(environment, "none", env, reuse)
    names = declared.split("|")
    if environment.backend == "conda":
        name = names[0] if names[0] in _CONDA else "conda"
        return _CONDA[name](environment, name, env, reuse)
    # Ours is uv where it is there; what the noxfile asked for decides what it goes on to do.
    made = VirtualEnv(
        environment, environment.backend if environment.backend in names else names[0], env, reuse
    )
    if made.venv_backend == "uv":
        made.allowed_globals = ("uv", "uvx")
        env.setdefault("UV_PROJECT_ENVIRONMENT", environment.path)
        env.setdefault("UV_PYTHON", environment.path)
    return made


def uv_program() -> str:
    """The path of uv, or its name."""
    return find_uv() or "uv"
