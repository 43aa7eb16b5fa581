"""What a script's `# /// script` block asks for (PEP 723)."""

from __future__ import annotations

import os
import re
import sys

from runner.errors import EnvironmentBroken
from runner.pyproject import script_block
from runner.requirements import install_step
from runner.requirements.groups import normal_name
from runner.settings import is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.requirements import SourceDigests
    from runner.running import Step

_NAME = r"[^\w.-]"  # what a package's name ends at


def script_step(
    script: str,
    *,
    cwd: str,
    root: str,
    sources: SourceDigests,
    environ: Mapping[str, str],
    without: tuple[str, ...] = (),
) -> Step | None:
    """The install of a script's dependencies but those in `without`; None where there are none.

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
        raise EnvironmentBroken(
            f"the script {script} cannot be read: {error.strerror}",
            mend=f"looked for {os.path.join(cwd, script)}",
        ) from None
    except UnicodeDecodeError:
        raise EnvironmentBroken(
            f"the script {script} cannot be read: it is not UTF-8", mend="save it as UTF-8"
        ) from None
    try:
        dependencies: object = tomllib.loads(block).get("dependencies", [])
    except tomllib.TOMLDecodeError as error:
        raise EnvironmentBroken(
            f"the script block of {script} is not TOML: {error}",
            mend='write it like # dependencies = ["..."]',
        ) from None
    words = [d for d in dependencies if isinstance(d, str)] if is_list(dependencies) else None
    if words is None or words != dependencies:
        raise EnvironmentBroken(
            f"the script block of {script} has dependencies that are no list of strings",
            mend='write # dependencies = ["..."]',
        )
    words = [word for word in words if normal_name(re.split(_NAME, word.strip())[0]) not in without]
    if not words:
        return None
    return install_step(tuple(words), cwd, root, sources=sources, environ=environ)
