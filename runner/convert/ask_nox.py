"""What nox says of its sessions: `nox --list --json`. What they do stands in their functions."""

from __future__ import annotations

import os

from runner.convert.asked import Facts, answer_of, find_tool, json_in, no_answer
from runner.errors import UsageError
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_COMPARED = "what sessions install and run, which nox does not tell"

_NO_SESSION = "no_session_has_this_in_its_name"


def ask(file: str, environ: Mapping[str, str]) -> dict[str, Facts]:
    """What nox says of all sessions of a noxfile, by the names that it gives them.

    Raises UsageError where nox is not installed, is too old, or does not answer.
    """
    nox = find_tool("nox")
    argv = [nox, "-f", file, "--list", "--json"]
    # Without these, what the noxfile says itself narrows what is listed.
    every = _listed([*argv, "-k", f"not {_NO_SESSION}"], file, environ)
    chosen = {str(one.get("session")) for one in _listed(argv, file, environ)}
    return {
        str(one.get("session")): _facts(one, is_default=str(one.get("session")) in chosen)
        for one in every
    }


def _listed(argv: list[str], file: str, environ: Mapping[str, str]) -> list[dict[object, object]]:
    # nox would make an environment of a # /// script block, and run there.
    variables = {"NOX_SCRIPT_MODE": "none"}
    code, out, told = answer_of(argv, os.path.dirname(file), environ, variables)
    answer = json_in(out) if code == 0 else None
    if not is_list(answer):
        if "--json" in told and "unrecognized" in told:
            raise UsageError(
                "this nox is too old to be asked what it would do",
                mend="install a newer one: uv tool install nox",
            )
        raise no_answer("nox", f"nox -f {os.path.relpath(file)} --list --json", told or out)
    return [dict(one) for one in answer if is_dict(one)]


def _facts(one: Mapping[object, object], *, is_default: bool) -> Facts:
    tags, python = one.get("tags"), one.get("python")
    return {
        "python": (str(python),) if python else (),
        "default": ("yes" if is_default else "no",),
        "tags": tuple(sorted(map(str, tags))) if is_list(tags) else (),
    }
