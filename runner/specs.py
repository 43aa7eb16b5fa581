"""From what an envfile said to SessionSpecs; all that is wrong is noted with its line.

Knows nothing of how it was said.
"""

from __future__ import annotations

import os

from runner.amounts import INFINITE_S, size_bytes
from runner.declare import Declared, Registry, cleaned, is_safe, strings
from runner.errors import did_you_mean
from runner.model import Axis, Needs, SessionSpec
from runner.settings import (
    BACKENDS,
    as_path,
    backend_trouble,
    is_dict,
    is_list,
    is_number,
)
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal, TypeAlias

    from runner.model import OwnOption

    Prerelease: TypeAlias = Literal[
        "allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit"
    ]

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit")
_MOST_OF_A_RESOURCE = 1e18  # more than anybody has bytes
_CHOOSING = ("resolution", "prerelease", "exclude_newer")

# Flags of a code object, as `inspect` names them; importing it costs 9 ms.
_VARARGS, _VARKEYWORDS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x08, 0x20, 0x80, 0x200


def finish(registry: Registry) -> list[SessionSpec]:
    """The SessionSpec of each declared session; mistakes go to the registry."""
    specs: list[SessionSpec] = []
    named: dict[str, SessionSpec] = {}
    for declared in registry.declared:
        spec = _make_spec(registry, declared)
        if spec is None:
            continue
        if spec.name in named:
            registry.note(
                spec.where,
                f"a second session is named {spec.name!r};"
                f" the first is at {named[spec.name].where}",
                "rename one of them, or give it name=",
            )
            continue
        named[spec.name] = spec
        specs.append(spec)
    _note_no_sessions(registry)
    return specs


def _note_no_sessions(registry: Registry) -> None:
    """Note each function that is parametrized and then not declared as a session."""
    sessions = {id(declared.function) for declared in registry.declared}
    for number, (first, *_) in registry.parametrized.items():
        if number not in sessions:
            shown = getattr(first.function, "__name__", None) or repr(first.function)
            registry.note(
                first.where,
                f"{shown} is parametrized, but is no session",
                "put @runner.session above it; other decorators stand below these two",
            )


def _make_spec(registry: Registry, declared: Declared) -> SessionSpec | None:
    said, where, function = declared.said, declared.where, declared.function
    name = _session_name(registry, declared)
    if name is None:
        return None
    parametrized = registry.parametrized.get(id(function), [])
    axes = tuple(
        one.axis._replace(python_at=_python_at(one.axis, function))
        for one in parametrized
        if one.axis is not None
    )
    # What a decorator with a mistake would fill is not known.
    all_known = len(axes) == len(parametrized)
    options = _own_options(registry, name, declared, axes) if all_known else ()
    own = frozenset(option.name for option in options)
    _check_signature(registry, name, declared, axes, own, all_known=all_known)
    pythons, names_python, backend = _pythons(registry, name, said["python"], where, axes)
    if said["backend"] is not None:
        backend = read_backend(registry, said["backend"], where)
    for flag in ("default", "reuse", "parallel", "idempotent"):
        if said[flag] is not True and said[flag] is not False:
            registry.note(
                where, f"{flag} cannot be {said[flag]!r}", f"write {flag}=True or {flag}=False"
            )
    if said["channels"] != ():
        said = {**said, "channels": _with_dots(said["channels"])}
    if isinstance(said["exclusive"], str):
        said = {**said, "exclusive": [said["exclusive"]]}
    if isinstance(as_path(said["env_file"]), str):
        said = {**said, "env_file": [said["env_file"]]}
    lists = {
        key: () if said[key] == () else strings(said[key], key, where)
        for key in (
            "deps",
            "groups",
            "extras",
            "requirements",
            "constraints",
            "backend_options",
            "conda_deps",
            "channels",
            "env_file",
            "tags",
            "exclusive",
        )
    }
    _check_conda(registry, backend, pythons, lists, where, in_list=names_python)
    return SessionSpec(
        name=name,
        function=function,
        where=where,
        doc=clean_doc(function.__doc__),
        pythons=pythons,
        names_python=names_python,
        axes=axes,
        needs=Needs(
            backend=backend,
            backend_options=lists["backend_options"],
            deps=lists["deps"],
            groups=lists["groups"],
            extras=lists["extras"],
            requirements=lists["requirements"],
            conda_deps=lists["conda_deps"],
            channels=lists["channels"],
            constraints=lists["constraints"],
            project=_project(registry, said["project"], where),
            reuse=said["reuse"] is not False,
            lock=_lock(registry, said, where),
            resolution=_one_of(registry, said, "resolution", RESOLUTIONS, where),
            prerelease=_one_of(registry, said, "prerelease", PRERELEASES, where),
            exclude_newer=_moment(registry, said["exclude_newer"], where),
        ),
        env=() if isinstance(said["env"], str) else _variables(registry, said["env"], where),
        env_file=lists["env_file"],
        tags=lists["tags"],
        requires=_sessions(registry, said["requires"], "requires", where),
        after=_sessions(registry, said["after"], "after", where),
        default=said["default"] is not False,
        environment=_environment(registry, said, where),
        timeout_s=_timeout(registry, said["timeout"], where),
        retries=_retries(registry, said["retries"], where),
        resources=_resources(registry, said["resources"], where),
        retries_on_loss=_retries_on_loss(registry, said, where),
        exclusive=tuple(dict.fromkeys(lists["exclusive"])),
        parallel=said["parallel"] is not False,
        options=options,
        group=_line(registry, said, "group", "release", where),
        confirm=_line(registry, said, "confirm", "Publish it?", where),
    )


def _python_at(axis: Axis, function: Callable[..., object]) -> int | None:
    """Which value of each set is the job's Python; None where the function takes it, as in nox."""
    if "python" not in axis.names or "python" in _taken(function):
        return None
    return axis.names.index("python")


def _taken(function: Callable[..., object]) -> tuple[str, ...]:
    """The names of the arguments that a function has, but for those in `**`."""
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()


def _pythons(
    registry: Registry, name: str, said: object, where: str, axes: tuple[Axis, ...]
) -> tuple[tuple[str, ...], bool, str | None]:
    """What `read_pythons` tells, of python= or of the parametrize that names the Python."""
    axis = next((axis for axis in axes if axis.python_at is not None), None)
    if axis is None or axis.python_at is None:
        return read_pythons(registry, said, where)
    if said is not None:
        registry.note(
            axis.where,
            f"session {name!r} has a python= beside this parametrize, which gives the Python too",
            f"keep one; where {name} takes an argument 'python', it is a value like others",
        )
    return read_pythons(
        registry, [param.values[axis.python_at] for param in axis.params], axis.where
    )


def _session_name(registry: Registry, declared: Declared) -> str | None:
    name = declared.said["name"]
    if name is None:
        name = getattr(declared.function, "__name__", None)
    if not isinstance(name, str) or not name:
        registry.note(declared.where, f"a session cannot be named {name!r}", 'write name="..."')
        return None
    if not is_safe(name):
        registry.note(
            declared.where,
            f"the session name {name!r} would not be safe in a shell or as a folder",
            f"use letters, digits, '.', '_', '+' and '-': {cleaned(name) or 'session'!r}",
        )
        return None
    return name


def _check_conda(
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


def _environment(registry: Registry, said: Mapping[str, object], where: str) -> str:
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
                else "a version is a string",
            )
        elif item.strip() not in found:
            found.append(item.strip())
    return tuple(found), True, None


def _meant_version(number: float) -> str:
    """The version that a number was meant to be: nobody asks for 3.1, which 3.10 is read as."""
    return "3.10" if number == 3.1 else str(number)


def read_backend(registry: Registry, value: object, where: str) -> str | None:
    if not isinstance(value, str):
        registry.note(where, f"backend cannot be {value!r}", f"it is one of {', '.join(BACKENDS)}")
        return None
    trouble = backend_trouble(value)
    if trouble:
        registry.note(where, f"backend cannot be {value!r}", trouble)
        return None
    return "|".join(name.strip() for name in value.split("|"))


def _project(
    registry: Registry, value: object, where: str
) -> Literal["wheel", "sdist", "editable", ""]:
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


def _one_of(
    registry: Registry, said: Mapping[str, object], name: str, words: tuple[str, ...], where: str
) -> str:
    """The word that was said; empty where none was."""
    value = said[name]
    if value is None or value in words:
        return str(value or "")
    hint = did_you_mean(value, list(words)) if isinstance(value, str) else ""
    registry.note(where, f"{name} cannot be {value!r}", hint or f"it is one of {', '.join(words)}")
    return ""


def _line(
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


def _timeout(registry: Registry, value: object, where: str) -> float | None:
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


def _retries(registry: Registry, value: object, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    registry.note(
        where, f"retries cannot be {value!r}", "it is a number of further attempts: retries=2"
    )
    return 0


def _resources(registry: Registry, value: object, where: str) -> tuple[tuple[str, float], ...]:
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


def _retries_on_loss(registry: Registry, said: Mapping[str, object], where: str) -> int:
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


def _moment(registry: Registry, value: object, where: str) -> str:
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


def _lock(registry: Registry, said: Mapping[str, object], where: str) -> Literal["uv", ""]:
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


def _variables(registry: Registry, value: object, where: str) -> tuple[tuple[str, str | None], ...]:
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


def _sessions(registry: Registry, value: object, argument: str, where: str) -> tuple[str, ...]:
    """Names; a function is replaced by the names of the sessions made of it."""
    if isinstance(value, str):
        registry.note(
            where, f"{argument} is a string where a list belongs", f"write {argument}=[{value!r}]"
        )
        return ()
    if not is_list(value):
        registry.note(
            where, f"{argument} cannot be {value!r}", "write a list of names or functions"
        )
        return ()
    names: list[str] = []
    for item in value:
        if isinstance(item, str):
            names.append(item)
            continue
        sessions = [
            str(other.said["name"] or getattr(other.function, "__name__", ""))
            for other in registry.declared
            if other.function is item
        ]
        if not sessions:
            shown = getattr(item, "__name__", None) or repr(item)
            registry.note(
                where,
                f"{argument} holds {shown}, which is not a session",
                "put @runner.session on it, or name a session",
            )
        names += sessions
    return tuple(names)


def _own_options(
    registry: Registry, name: str, declared: Declared, axes: tuple[Axis, ...]
) -> tuple[OwnOption, ...]:
    """What of the function's arguments the command line fills."""
    code = getattr(declared.function, "__code__", None)
    if code is None or not (code.co_kwonlyargcount or hasattr(declared.function, "__wrapped__")):
        return ()
    from runner.signature import own_options  # what most envfiles have none of

    where = registry.place(code.co_filename, code.co_firstlineno)
    filled = {argument for axis in axes for argument in axis.names}
    return own_options(name, declared.function, filled, where, registry.note)


def _check_signature(
    registry: Registry,
    name: str,
    declared: Declared,
    axes: tuple[Axis, ...],
    own: frozenset[str],
    *,
    all_known: bool,
) -> None:
    """Note where the function cannot be called with what the decorators and options fill."""
    function = declared.function
    code = getattr(function, "__code__", None)
    if code is None:
        registry.note(
            declared.where, f"session {name!r} is no plain function: {function!r}", "use a def"
        )
        return
    where = registry.place(code.co_filename, code.co_firstlineno)
    if code.co_flags & (_GENERATOR | _COROUTINE | _ASYNC_GENERATOR):
        kind = "a generator" if code.co_flags & _GENERATOR else "async"
        registry.note(
            where, f"session {name!r} is {kind}: calling it would run nothing", "use a plain def"
        )
        return
    taken = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if not taken and not code.co_flags & _VARARGS:
        registry.note(
            where,
            f"session {name!r} takes no argument, and runenv hands it its Session",
            f"write def {name}(session: runner.Session) -> None",
        )
        return
    # The first argument is the Session; with *args alone it is taken by those.
    fillable = [*taken[1:], *keywords]
    filled: set[str] = set()
    for axis in axes:
        for argument in axis.names:
            if argument in filled:
                registry.note(
                    axis.where, f"session {name!r}: {argument!r} is parametrized twice", "keep one"
                )
            filled.add(argument)
            if axis.python_at is not None and argument == "python":
                continue
            if argument in fillable or code.co_flags & _VARKEYWORDS:
                continue
            mend = did_you_mean(argument, fillable) or f"add {argument} to its arguments"
            registry.note(
                axis.where, f"session {name!r} does not take the argument {argument!r}", mend
            )
    defaults = getattr(function, "__defaults__", None) or ()
    keyword_defaults: Mapping[str, object] = getattr(function, "__kwdefaults__", None) or {}
    needed = [
        *taken[1 : len(taken) - len(defaults)],
        *(k for k in keywords if k not in keyword_defaults),
    ]
    for argument in needed:
        if argument not in filled and argument not in own and all_known:
            option = "annotate it, which makes it an option, " if argument in keywords else ""
            registry.note(
                where,
                f"nothing fills the argument {argument!r} of session {name!r}",
                f'{option}add @runner.parametrize("{argument}", [...]) or give it a default',
            )


def clean_doc(doc: str | None) -> str:
    """The docstring without its indentation (PEP 257)."""
    if not doc:
        return ""
    lines = doc.expandtabs().strip("\n").splitlines()
    if len(lines) == 1:
        return lines[0].strip()
    margins = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(margins, default=0)
    return "\n".join([lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])]).strip()


def _with_dots(value: object) -> object:
    """The channels; a path among them starts with a dot, which tells it from a name."""
    if not is_list(value):
        return value
    pairs = [(item, as_path(item)) for item in value]
    return [
        os.path.join(".", text) if isinstance(text, str) and text is not item else item
        for item, text in pairs
    ]
