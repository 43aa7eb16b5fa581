"""What a script's `# /// script` block asks for (PEP 723)."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from runner.errors import EnvironmentBroken
from runner.pyproject import script_block
from runner.requirements import install_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.model import Step
    from runner.requirements import SourceDigests


def script_step(
    script: str, *, cwd: str, root: str, sources: SourceDigests, environ: Mapping[str, str]
) -> Step | None:
    """The install of a script's dependencies; None where it names none.

    Raises EnvironmentBroken for a script that is not there, or whose block is
    not what PEP 723 asks for.
    """
    if sys.version_info >= (3, 11):
        import tomllib  # 15 ms that only scripts cost
    else:
        import tomli as tomllib

    try:
        with open(os.path.join(cwd, script), encoding="utf-8-sig") as stream:
            block = script_block(stream.read())
    except OSError as error:
        raise EnvironmentBroken(f"the script {script} cannot be read: {error.strerror}") from None
    try:
        dependencies = tomllib.loads(block).get("dependencies", [])
    except tomllib.TOMLDecodeError as error:
        raise EnvironmentBroken(f"the script block of {script} is not TOML: {error}") from None
    if not isinstance(dependencies, list) or not all(isinstance(d, str) for d in dependencies):
        raise EnvironmentBroken(
            f"the script block of {script} has dependencies that are no list of strings",
            mend='write # dependencies = ["..."]',
        )
    if not dependencies:
        return None
    return install_step(tuple(dependencies), cwd, root, sources=sources, environ=environ)
