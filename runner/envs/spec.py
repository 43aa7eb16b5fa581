"""A job → what its environment should be: the labelled ingredients and the first steps.

Only what stands here decides whether an environment is reused, and `--explain`
reads the same list.
"""

from __future__ import annotations

import os
from itertools import starmap

from runner.envs.folder import folder_name, is_of_envfile
from runner.envs.installer_config import files_named, uv_resolution
from runner.model import Needs
from runner.requirements.arguments import LOWEST_NAMED, OF_PROJECTS, without_secrets
from runner.running import EnvSpec, Ingredient
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.envs import Backend
    from runner.running import Brought, Interpreter, Step

# Of an environment that no session declares.
NOTHING = Needs(
    backend=None,
    backend_options=(),
    deps=(),
    groups=(),
    extras=(),
    requirements=(),
    constraints=(),
    project="",
    reuse=True,
)


def make_env_spec(
    name: str,
    needs: Needs,
    *,
    root: str,
    envdir: str,
    backend_name: str,
    backend: Backend,
    interpreter: Interpreter,
    steps: tuple[Step, ...],
    environ: Mapping[str, str],
    hide: Callable[[str], str],
    declared_by: str = "",
    brought: Brought | None = None,
) -> EnvSpec:
    """What the environment of that name should be.

    steps: what is declared. hide: the digest of a text that may hold a password.
    declared_by: a digest of the files that declare the session. brought: what the
    backend makes it of, where that is no Python of this machine.
    """
    path = os.path.join(envdir, name if is_of_envfile(name) else folder_name(name))
    # A password that changes with each run of CI changes nothing that is installed.
    variables = {n: without_secrets(v) for n, v in backend.installer_variables(environ).items()}
    texts = backend.installer_config(environ, root)
    around = _surroundings(variables, texts, root, hide)
    resolution = uv_resolution(variables, texts)
    of_python = (
        Ingredient("python", interpreter.version),
        Ingredient("interpreter", interpreter.real_path),
        Ingredient("interpreter's build", f"{interpreter.build} {interpreter.platform}"),
        Ingredient("interpreter's file", interpreter.stamp),
    )
    return EnvSpec(
        path=path,
        backend=backend_name,
        interpreter=interpreter,
        options=(*(brought.options if brought else ()), *needs.backend_options),
        ingredients=(
            Ingredient("backend", f"{backend_name} {backend.version()}".rstrip()),
            Ingredient("backend_options", "\n".join(needs.backend_options)),
            *(brought.ingredients if brought else of_python),
            Ingredient("location", path),
            *starmap(Ingredient, around.items()),
            # As of a session's own (requirements): what was made before is made anew.
            *([Ingredient(OF_PROJECTS, resolution)] if resolution == LOWEST_NAMED else ()),
        ),
        surroundings=tuple(f"{label} {value}" for label, value in around.items()),
        steps=steps,
        reuse=needs.reuse,
        declared_by=declared_by,
        mark=brought.mark if brought else "pyvenv.cfg",
        packages=brought.packages if brought else (),
        root=root,
        resolution=resolution,
    )


def _surroundings(
    variables: Mapping[str, str], config: Mapping[str, str], root: str, hide: Callable[[str], str]
) -> dict[str, str]:
    """The installer's variables and configuration in force; what they hold as digests."""
    texts = {f"${name}": variables[name] for name in sorted(variables)}
    texts |= {path: without_secrets(text) for path, text in config.items()}
    for text in [*texts.values()]:
        texts |= files_named(text, root)
    return {label: hide(text) for label, text in texts.items()}
