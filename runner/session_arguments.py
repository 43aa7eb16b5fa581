"""What each argument of `@runner.session` may be, and what a SessionSpec has for it.

Whatever else it is, is noted with its line and a mend. Knows nothing of functions.
"""

from __future__ import annotations

import os

from runner.amounts import INFINITE_S, size_bytes
from runner.errors import did_you_mean
from runner.names import cleaned, is_safe
from runner.settings import BACKENDS, as_path, backend_trouble, is_dict, is_list, is_number
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from runner.declare import Registry

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit")
_MOST_OF_A_RESOURCE = 1e18  # more than anybody has bytes
_CHOOSING = ("resolution", "prerelease", "exclude_newer")


def read_pythons(
    registry: Registry, value: object, where: str
) -> tuple[tuple[str, ...], bool, str | None]:
    """The Pythons, whether they stand in the names of jobs, and the backend if decided."""
    if value is None:
        return (), False, None
    if value is False:
        return (), False, "none"
    if isinstance(value, str) and value.strip():
        return (value.strip(),), False, None
    if isinstance(value, (float, int)) and value is not True:
        registry.note(
            where,
            f"python={value!r} is a number, in which 3.10 and 3.1 are the same",
            f'write it as a string: python="{_meant_version(value)}"',
        )
        return (), False, None
    if not is_list(value):
        registry.note(
            where, f"python cannot be {value!r}", 'write python="3.12" or a list of such strings'
        )
        return (), False, None
    if not value:
        registry.note(
            where,
            "python is an empty list: the session would have no jobs",
            "name a version, or python=False for a session without an environment",
        )
    found: list[str] = []
    for item in value:
        if isinstance(item, float) or not isinstance(item, str) or not item.strip():
            registry.note(
                where,
                f"python holds {item!r}, which is not a string"
                + (", and 3.10 and 3.1 are the same number" if isinstance(item, float) else ""),
                f'write it as a string: "{_meant_version(item)}"'
                if isinstance(item, (int, float))
                else 'name a version: "3" is any Python 3',
            )
        elif item.strip() not in found:
            found.append(item.strip())
    return tuple(found), True, None


def _meant_version(number: float) -> str:
    """The version that a number was meant to be: nobody asks for 3.1, which 3.10 is read as."""
    return "3.10" if number == 3.1 else str(number)


def read_backend(registry: Registry, value: object, where: str) -> str | None:
    """The backends in the order in which they are tried, `a|b`; None for what is none."""
    if not isinstance(value, str):
        registry.note(where, f"backend cannot be {value!r}", f"it is one of {', '.join(BACKENDS)}")
        return None
    trouble = backend_trouble(value)
    if trouble:
        registry.note(where, f"backend cannot be {value!r}", trouble)
        return None
    return "|".join(name.strip() for name in value.split("|"))


def read_project(
    registry: Registry, value: object, where: str
) -> Literal["wheel", "sdist", "editable", ""]:
    """How the project is installed; empty where it is not."""
    if value is False or value is None:
        return ""
    if value == "wheel":
        return "wheel"
    if value == "sdist":
        return "sdist"
    if value == "editable":
        return "editable"
    hint = did_you_mean(value, ["wheel", "sdist", "editable"]) if isinstance(value, str) else ""
    registry.note(
        where, f"project cannot be {value!r}", hint or 'it is "wheel", "sdist", "editable" or False'
    )
    return ""


def read_environment(registry: Registry, said: Mapping[str, object], where: str) -> str:
    """The name of the environment that is shared; empty where there is none to share."""
    name, by_env = said["environment"], said["env"]
    if isinstance(by_env, str):
        if name is not None and name != by_env:
            registry.note(
                where,
                f"environment is {name!r} and env is {by_env!r}, which means the same",
                'keep one of them; variables are a dict: env={"NAME": "value"}',
            )
        name = by_env
    if name is None:
        return ""
    if isinstance(name, str) and is_safe(name):
        return name
    near = cleaned(name) if isinstance(name, str) else ""
    registry.note(
        where,
        f"the environment {name!r} would not be safe in a shell or as a folder",
        "use letters, digits, '.', '_', '+' and '-'" + (f": {near!r}" if near else ""),
    )
    return ""


def read_variables(
    registry: Registry, value: object, where: str
) -> tuple[tuple[str, str | None], ...]:
    """The variables with their values; None takes one away."""
    if not is_dict(value):
        registry.note(where, f"env cannot be {value!r}", 'write a dict: env={"NAME": "value"}')
        return ()
    pairs: list[tuple[str, str | None]] = []
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, (str, type(None))):
            registry.note(
                where,
                f"env: {name!r} is {text!r}; names and values of variables are strings",
                f'write "{text}", or None to take the variable away',
            )
            continue
        pairs.append((name, text))
    return tuple(pairs)


def read_lock(registry: Registry, said: Mapping[str, object], where: str) -> Literal["uv", ""]:
    """The lock file that says what is installed; empty where none does."""
    if said["lock"] is None:
        return ""
    if said["lock"] != "uv":
        registry.note(
            where,
            f"lock cannot be {said['lock']!r}",
            'it is "uv", for uv.lock; what `runenv --lock` has written is found without it',
        )
        return ""
    for name in ("deps", "requirements", "constraints", *_CHOOSING):
        if said[name]:
            registry.note(
                where,
                f'{name} beside lock="uv": what is installed stands in uv.lock',
                "put it into pyproject.toml, into a group say, and run `uv lock`;"
                f" or take {name} away",
            )
    return "uv"


def read_word(
    registry: Registry, said: Mapping[str, object], name: str, words: tuple[str, ...], where: str
) -> str:
    """The word that was said; empty where none was."""
    value = said[name]
    if value is None or value in words:
        return str(value or "")
    hint = did_you_mean(value, list(words)) if isinstance(value, str) else ""
    registry.note(where, f"{name} cannot be {value!r}", hint or f"it is one of {', '.join(words)}")
    return ""


def read_line(
    registry: Registry, said: Mapping[str, object], name: str, example: str, where: str
) -> str:
    """The line of text that was said; empty where none was."""
    value = said[name]
    if value is None:
        return ""
    if isinstance(value, str) and value.strip() and value.isprintable():
        return value.strip()
    registry.note(
        where, f"{name} cannot be {value!r}", f'it is one line of text: {name}="{example}"'
    )
    return ""


def read_moment(registry: Registry, value: object, where: str) -> str:
    """What `exclude_newer` says; empty where it says nothing."""
    if value is None:
        return ""
    if isinstance(value, str) and _is_moment(value.strip()):
        return value.strip()
    registry.note(
        where,
        f"exclude_newer cannot be {value!r}",
        'write a date, "2024-01-31", or a time with its zone, "2024-01-31T12:00:00Z"',
    )
    return ""


def _is_moment(text: str) -> bool:
    """Whether it is a day, or a time with its zone (RFC 3339)."""
    import re  # with datetime 3 ms that only this argument costs
    from datetime import date, datetime

    if not re.fullmatch(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))?", text):
        return False
    try:
        date.fromisoformat(text[:10])
        datetime.fromisoformat(f"{text[:10]}T{text[11:19] or '00:00:00'}")
    except ValueError:
        return False
    return True


def read_timeout(registry: Registry, value: object, where: str) -> float | None:
    """The seconds that a job may take; None where the session does not say."""
    if value is None:
        return None
    if is_number(value) and 0 < value < INFINITE_S:
        return float(value)
    registry.note(
        where,
        f"timeout cannot be {value!r}",
        "it is a number of seconds, more than none: timeout=300",
    )
    return None


def read_retries(registry: Registry, value: object, where: str) -> int:
    """How often a job that did not pass runs again."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    registry.note(
        where, f"retries cannot be {value!r}", "it is a number of further attempts: retries=2"
    )
    return 0


def read_retries_on_loss(registry: Registry, said: Mapping[str, object], where: str) -> int:
    """How often a job runs again when its worker is lost."""
    value = said["retries_on_loss"]
    if value is None:
        return 0 if said["idempotent"] is False else 1
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        registry.note(
            where,
            f"retries_on_loss cannot be {value!r}",
            "it is a number of further runs: retries_on_loss=2",
        )
    elif value and said["idempotent"] is False:
        registry.note(
            where,
            f"retries_on_loss={value} would do twice what idempotent=False forbids",
            "say one of the two",
        )
    else:
        return value
    return 0


def read_resources(registry: Registry, value: object, where: str) -> tuple[tuple[str, float], ...]:
    """The amounts by name; sizes in bytes."""
    if not is_dict(value) or not all(isinstance(name, str) and name for name in value):
        registry.note(
            where,
            f"resources cannot be {value!r}",
            'they are amounts by name: resources={"gpu": 1}',
        )
        return ()
    amounts: dict[str, float] = {}
    for name, amount in value.items():
        size = size_bytes(amount) if isinstance(amount, str) else amount
        if is_number(size) and 0 < size < _MOST_OF_A_RESOURCE:
            amounts[str(name)] = float(size)
        else:
            registry.note(
                where,
                f"resources holds {amount!r} for {name!r}",
                'it is a number, more than none, or a size: "500MB", "8GB", "1TB"',
            )
    return tuple(sorted(amounts.items()))


def with_dots(value: object) -> object:
    """The channels; a path among them starts with a dot, which tells it from a name."""
    if not is_list(value):
        return value
    pairs = [(item, as_path(item)) for item in value]
    return [
        os.path.join(".", text) if isinstance(text, str) and text is not item else item
        for item, text in pairs
    ]


def check_conda(
    registry: Registry,
    backend: str | None,
    pythons: tuple[str, ...],
    lists: Mapping[str, tuple[str, ...]],
    where: str,
    *,
    in_list: bool,
) -> None:
    """Note what only conda has where the backend is another, and what conda has not."""
    if backend != "conda":
        for name in ("conda_deps", "channels"):
            if lists[name]:
                registry.note(
                    where, f"{name} is for conda environments alone", 'add backend="conda"'
                )
        return
    for python in pythons:
        is_range = python[0] in "<>=!~"
        if in_list and is_range:
            registry.note(
                where,
                f"python holds the range {python!r}, and what a channel has is not known here",
                'name the versions: python=["3.12", "3.13"]',
            )
        elif not is_range and not all(part.isdecimal() for part in python.split(".")):
            registry.note(
                where,
                f"python cannot be {python!r} with conda, whose Python is a package",
                'write a version, "3.12", or a range, ">=3.11"',
            )


def read_patterns(
    registry: Registry, patterns: tuple[str, ...], name: str, where: str
) -> tuple[str, ...]:
    """Patterns of files in the project, with `/`."""
    for pattern in patterns:
        parts = pattern.replace("\\", "/").split("/")
        if os.path.isabs(pattern) or os.pardir in parts:
            registry.note(
                where,
                f"{name} cannot be {pattern!r}: it leads out of the project",
                f'write what lies in it: {name}=["src", "tests/**/*.py"]',
            )
    return tuple(pattern.replace(os.sep, "/") for pattern in patterns)
