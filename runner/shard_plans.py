"""Shards as JSON: the file that `--plan` names, and what a report says of them.

By docs/reference/plan.schema.json. Knows nothing of how jobs are split.
"""

from __future__ import annotations

import json
import os

from runner.amounts import counted
from runner.aside import make_folder, write_aside
from runner.errors import UsageError, some_of
from runner.running import Shard
from runner.settings import is_dict, is_list, is_number
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION = 1


def as_json(shards: Sequence[Shard]) -> str:
    """The plan."""
    return json.dumps({"version": _VERSION, "shards": facts_of(shards)}, indent=1) + "\n"


def facts_of(shards: Sequence[Shard]) -> list[dict[str, object]]:
    """The shards as JSON has them."""
    return [
        {"jobs": list(s.jobs), "requires": list(s.requires), "estimate_s": s.estimate_s}
        for s in shards
    ]


def shards_of(data: object) -> tuple[Shard, ...]:
    """The shards of such a list. Raises ValueError where it is none."""
    if not is_list(data) or not data:
        raise ValueError("it has no list of shards")
    shards = tuple(map(_shard, data))
    names = [name for shard in shards for name in shard.jobs]
    if len(names) > len(set(names)):
        twins = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"it has {some_of(twins)} twice")
    return shards


def _shard(data: object) -> Shard:
    if not is_dict(data):
        raise ValueError("one of its shards is no object")
    estimate_s = data.get("estimate_s")
    return Shard(
        jobs=_names(data.get("jobs")),
        requires=_names(data.get("requires")),
        # Neither inf nor NaN: 30 years.
        estimate_s=float(estimate_s)
        if is_number(estimate_s) and 0 <= estimate_s < 1_000_000_000
        else None,
    )


def _names(data: object) -> tuple[str, ...]:
    if not is_list(data) or not all(isinstance(name, str) for name in data):
        raise ValueError("one of its shards has no list of names")
    return tuple(map(str, data))


def write_plan(file: str, shards: Sequence[Shard]) -> None:
    """The file says what each shard is, and its folder is made where there is none.

    Of several that write it at once, one has it whole.
    """
    path = os.path.abspath(os.path.expanduser(file))
    try:
        make_folder(os.path.dirname(path))
        write_aside(path, as_json(shards))
    except OSError as error:
        raise UsageError(
            f"the plan {file} cannot be written: {error.strerror}",
            mend="let it be written, or name another file",
        ) from None


def read_plan(file: str, total: int, required: Mapping[str, Sequence[str]]) -> tuple[Shard, ...]:
    """What the file says each shard is.

    total: how many there are to be. required: of each selected job the names of all that
    runs with it, its own too. Raises UsageError where the file does not fit these.
    """
    again = f"write it anew: runenv --list --shard {total} --plan {file}, with what selects here"
    try:
        with open(os.path.expanduser(file), "rb") as stream:
            shards = _read(stream.read())
    except OSError as error:
        raise UsageError(f"the plan {file} cannot be read: {error.strerror}", mend=again) from None
    except ValueError as error:
        raise UsageError(f"{file} is no plan: {error}", mend=again) from None
    trouble = _misfit(shards, total, required)
    if trouble:
        raise UsageError(f"the plan {file} does not fit: {trouble}", mend=again)
    return shards


def _read(content: bytes) -> tuple[Shard, ...]:
    try:
        data = json.loads(content)  # in UTF-8, or UTF-16 as PowerShell writes
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not is_dict(data):
        raise ValueError("it has no list of shards")
    if data.get("version") != _VERSION:
        raise ValueError(
            f"its version is {data.get('version')!r}, and this runenv reads {_VERSION}"
        )
    return shards_of(data.get("shards"))


def _misfit(shards: Sequence[Shard], total: int, required: Mapping[str, Sequence[str]]) -> str:
    """Why the shards are not of these jobs; empty where they are."""
    if len(shards) != total:
        return f"it has {counted(len(shards), 'shard')}, and {total} are asked for"
    planned = {name for shard in shards for name in shard.jobs}
    absent = [name for name in required if name not in planned]
    if absent:
        return f"it has not {some_of(absent)}"
    others = sorted(planned.difference(required))
    if others:
        return f"it has {some_of(others)}, which is not selected here"
    for number, shard in enumerate(shards, 1):
        there = {other for name in shard.jobs for other in required[name]}
        if there.difference(shard.jobs) != set(shard.requires):
            return f"other jobs are required by now than in its shard {number}"
    return ""
