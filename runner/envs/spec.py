"""A job → what its environment should be: the labelled ingredients and the first steps.

Only what stands here decides whether an environment is reused, and `--explain`
reads the same list.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from runner.envs.folder import folder_name
from runner.model import EnvSpec, Ingredient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.envs import Backend
    from runner.model import Interpreter, Job, Step


def make_env_spec(
    job: Job,
    *,
    envdir: str,
    backend_name: str,
    backend: Backend,
    interpreter: Interpreter,
    steps: tuple[Step, ...],
    environ: Mapping[str, str],
) -> EnvSpec:
    """What the job's environment should be. `steps`: what is declared."""
    path = os.path.join(envdir, folder_name(job.name))
    needs = job.spec.needs
    return EnvSpec(
        path=path,
        backend=backend_name,
        interpreter=interpreter,
        options=needs.backend_options,
        ingredients=(
            Ingredient("backend", backend_name),
            Ingredient("backend_options", "\n".join(needs.backend_options)),
            Ingredient("python", interpreter.version),
            Ingredient("interpreter", interpreter.real_path),
            Ingredient("interpreter's build", f"{interpreter.build} {interpreter.platform}"),
            Ingredient("interpreter's file", interpreter.stamp),
            Ingredient("location", path),
            *_variables(backend, environ),
        ),
        steps=steps,
        reuse=needs.reuse,
    )


def _variables(backend: Backend, environ: Mapping[str, str]) -> list[Ingredient]:
    """The installer's variables in force; their values, which may hold passwords, as digests."""
    found = backend.installer_variables(environ)
    return [
        Ingredient(
            f"${name}",
            "sha256:" + sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        )
        for name, value in sorted(found.items())
    ]
