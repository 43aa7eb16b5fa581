"""What an envfile may write: checks it and makes SessionSpecs.

Knows nothing of files, environments or processes. A mistake is not raised
where it is found but noted with its line, so that one run tells all of them;
`load.py` asks for them when the file has been executed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar, overload

from runner.errors import Mistake, did_you_mean
from runner.model import Axis, Needs, Param, SessionSpec
from runner.settings import (
    BACKENDS,
    OPTIONS,
    as_path,
    backend_trouble,
    is_dict,
    is_list,
    is_set,
    misfit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn, TypeAlias

    Prerelease: TypeAlias = Literal[
        "allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit"
    ]

# No string: the first that is compiled costs 0.7 ms.
Function = TypeVar("Function", bound=Callable[..., object])

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit")
_CHOOSING = ("resolution", "prerelease", "exclude_newer")

# Letters and digits of any script, and what no shell or file system trips over.
_SAFE_PUNCTUATION = "._+-"

# Flags of a code object, as `inspect` names them; importing it costs 9 ms.
_VARARGS, _VARKEYWORDS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x08, 0x20, 0x80, 0x200


class Declared:
    """A function under `@session`, before all decorators have been applied."""

    def __init__(
        self, function: Callable[..., object], where: str, said: dict[str, object]
    ) -> None:
        self.function = function
        self.where = where
        self.said = said


class Parametrized:
    """A function under `@parametrize`, which may be declared as a session yet."""

    def __init__(self, function: Callable[..., object], where: str, axis: Axis | None) -> None:
        """axis: None where too much was wrong, and that is noted."""
        self.function = function
        self.where = where
        self.axis = axis


class Registry:
    """What the envfile that is being executed has declared so far."""

    def __init__(self, root: str = "") -> None:
        self.root = root
        self.declared: list[Declared] = []
        # By id of the function, which is kept alive in it: no other gets that id.
        self.parametrized: dict[int, list[Parametrized]] = {}
        self.mistakes: list[Mistake] = []
        self.options: dict[str, object] = {}
        self.read: list[str] = []  # files whose content decided what is declared

    def note(self, where: str, what: str, mend: str = "") -> None:
        """Remember a mistake."""
        self.mistakes.append(Mistake(where, what, mend))

    def place(self, filename: str, line: int) -> str:
        """`envfile.py:12`, relative to the envfile's folder where it lies in it."""
        if self.root and filename.startswith(self.root + os.sep):
            filename = os.path.relpath(filename, self.root)
        return f"{filename}:{line}"

    def caller(self) -> str:
        """The place in the envfile from which a function of this module was called."""
        return self.caller_outside(__file__)

    def caller_outside(self, file: str) -> str:
        """The innermost place on the stack that is neither in `file` nor in this module."""
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # `inspect` costs 9 ms
        while frame.f_back is not None and frame.f_code.co_filename in (__file__, file):
            frame = frame.f_back
        return self.place(frame.f_code.co_filename, frame.f_lineno)


_registry = Registry()


def start_registry(root: str) -> Registry:
    """An empty registry, into which everything declared from now on goes."""
    global _registry  # decorators have nothing else to reach it by
    _registry = Registry(root)
    return _registry


def current_registry() -> Registry:
    """The registry that declarations go to."""
    return _registry


# The decorators. ---------------------------------------------------------------


@overload
def session(function: Function, /) -> Function: ...
@overload
def session(
    *,
    python: str | Sequence[str] | Literal[False] | None = ...,
    name: str | None = ...,
    deps: Sequence[str] = ...,
    groups: Sequence[str] = ...,
    extras: Sequence[str] = ...,
    requirements: Sequence[str | os.PathLike[str]] = ...,
    constraints: Sequence[str | os.PathLike[str]] = ...,
    project: Literal["wheel", "sdist", "editable", False] = ...,
    lock: Literal["uv"] | None = ...,
    resolution: Literal["highest", "lowest", "lowest-direct"] | None = ...,
    prerelease: Prerelease | None = ...,
    exclude_newer: str | None = ...,
    backend: str | None = ...,
    backend_options: Sequence[str] = ...,
    conda_deps: Sequence[str] = ...,
    channels: Sequence[str | os.PathLike[str]] = ...,
    environment: str | None = ...,
    env: Mapping[str, str | None] | str = ...,
    tags: Sequence[str] = ...,
    requires: Sequence[str | Callable[..., object]] = ...,
    default: bool = ...,
    reuse: bool = ...,
) -> Callable[[Function], Function]: ...
def session(
    function: Function | None = None,
    /,
    *,
    python: str | Sequence[str] | Literal[False] | None = None,
    name: str | None = None,
    deps: Sequence[str] = (),
    groups: Sequence[str] = (),
    extras: Sequence[str] = (),
    requirements: Sequence[str | os.PathLike[str]] = (),
    constraints: Sequence[str | os.PathLike[str]] = (),
    project: Literal["wheel", "sdist", "editable", False] = False,
    lock: Literal["uv"] | None = None,
    resolution: Literal["highest", "lowest", "lowest-direct"] | None = None,
    prerelease: Prerelease | None = None,
    exclude_newer: str | None = None,
    backend: str | None = None,
    backend_options: Sequence[str] = (),
    conda_deps: Sequence[str] = (),
    channels: Sequence[str | os.PathLike[str]] = (),
    environment: str | None = None,
    env: Mapping[str, str | None] | str | None = None,
    tags: Sequence[str] = (),
    requires: Sequence[str | Callable[..., object]] = (),
    default: bool = True,
    reuse: bool = True,
    **unknown: NoReturn,
) -> Function | Callable[[Function], Function]:
    """Declare a function as a session; bare, or with what it needs.

    The function is returned unchanged and is called with a `Session`, and with
    the arguments that `@parametrize` fills.

    python: one version ("3.12"), range (">=3.11": the newest found), name or
        path; several in a list make a job each, and a range in a list stands
        for every minor version found. False: no environment at all. None: the
        Python that runs runenv.
    name: instead of the function's own.
    deps: requirements (PEP 508). groups: dependency groups of pyproject.toml
        (PEP 735). extras: optional dependencies of the project. requirements,
        constraints: files in pip's format.
    project: "wheel" builds and installs the project; "sdist" builds the wheel from
        its sdist, so that a file that is missing there is found; "editable" links it.
    lock: "uv" installs what the project's uv.lock says for the groups, the extras and
        the project.
    resolution: which of the versions that fit, "highest", "lowest" or "lowest-direct"
        (the lowest of what is named here, the highest of what that needs).
        prerelease: "allow", "disallow", "explicit", ... as uv has it. exclude_newer:
        "2024-01-31", or a time by RFC 3339: as if nothing had been uploaded since.
    backend: what makes the environment: uv, virtualenv, venv, conda, none, or a
        chain such as "uv|virtualenv", of which the first that works here is taken.
        backend_options: handed to it.
    conda_deps: packages of conda channels, for backend="conda", whose Python is one
        of them. channels: where they are looked for, the first that has one wins.
    environment: the name of one that it shares with all sessions that say the same
        name: made once, of what all of them need.
    env: variables for the session's commands; None takes one away. A string is
        the same as environment.
    tags: words for `--tag`. requires: sessions that must have passed before,
        by name (`{python}` stands for this job's Python) or as the function.
    default: False keeps it out of a plain `runenv`. reuse: False makes a new
        environment in each run.
    """
    registry = _registry
    where = registry.caller()
    for argument in unknown:
        hint = _hint(argument, _SESSION_ARGUMENTS)
        known = ", ".join(_SESSION_ARGUMENTS)
        registry.note(where, f"@session has no argument {argument!r}", hint or f"it takes {known}")
    said: dict[str, object] = {
        "python": python,
        "name": name,
        "deps": deps,
        "groups": groups,
        "extras": extras,
        "requirements": requirements,
        "constraints": constraints,
        "project": project,
        "lock": lock,
        "resolution": resolution,
        "prerelease": prerelease,
        "exclude_newer": exclude_newer,
        "backend": backend,
        "backend_options": backend_options,
        "conda_deps": conda_deps,
        "channels": channels,
        "environment": environment,
        "env": {} if env is None else env,
        "tags": tags,
        "requires": requires,
        "default": default,
        "reuse": reuse,
    }

    def declare(function: Function) -> Function:
        registry.declared.append(Declared(function, where, said))
        return function

    if function is None:
        return declare
    if not callable(function):  # what types forbid is still written
        registry.note(  # type: ignore[unreachable]  # by types alone
            where,
            f"@session was given {function!r}, not a function",
            "name its arguments: @runner.session(name=...)",
        )
        return declare
    return declare(function)


_SESSION_ARGUMENTS = [
    name for name in session.__kwdefaults__ or {} if not name.startswith("_")
]  # the names in the order in which the signature has them


# What hands that know nox or tox write, where it is far from what it is called here.
_ELSEWHERE = {
    "venv_params": "backend_options",
    "dependencies": "deps",
    "sessions": "default",
    "default_venv_backend": "backend",
    "stop_on_first_error": "fail_fast",
}


def _hint(word: str, known: list[str]) -> str:
    """`did you mean 'deps'?`, or an empty string."""
    meant = _ELSEWHERE.get(word, "")
    return f"did you mean {meant!r}?" if meant in known else did_you_mean(word, known)


def param(*values: object, id: str | None = None, tags: Sequence[str] = ()) -> Param:
    """One set of values for `@parametrize`, with an id for the job's name and tags."""
    where = _registry.caller()
    return Param(
        values=values,
        id=_checked_id(id, where),
        tags=_strings(tags, "tags", where),
    )


def parametrize(
    names: str | Sequence[str],
    values: Iterable[object],
    *,
    ids: Sequence[str | None] | Callable[[object], str | None] | None = None,
    tags: Sequence[str] = (),
) -> Callable[[Function], Function]:
    """Make a job for each of the values; several of these multiply.

    names: one argument of the function, or several ("a, b" or a list), which
        are then filled together from tuples. ids: how the jobs are called,
        one for each set of values, or a function that is asked for each value.
    """
    registry = _registry
    where = registry.caller()
    axis = _make_axis(names, values, ids, _strings(tags, "tags", where), where)

    def declare(function: Function) -> Function:
        made = Parametrized(function, where, axis)
        registry.parametrized.setdefault(id(function), []).append(made)
        return function

    return declare


def _make_axis(
    names: str | Sequence[str],
    values: Iterable[object],
    ids: Sequence[str | None] | Callable[[object], str | None] | None,
    tags: tuple[str, ...],
    where: str,
) -> Axis | None:
    """The checked Axis, or None where too much is wrong to go on."""
    note = _registry.note
    written = names.split(",") if isinstance(names, str) else names
    arguments = tuple(str(name).strip() for name in written)
    shown = ", ".join(arguments)
    odd = [name for name in arguments if not name.isidentifier()]
    if odd or not arguments:
        note(
            where,
            f"parametrize: {shown!r} is not the name of an argument",
            'write parametrize("name", [...])',
        )
        return None
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        note(
            where,
            f"parametrize({shown!r}): {values!r} is no list of values",
            f"write parametrize({shown!r}, [{values!r}])",
        )
        return None
    params: list[Param] = []
    for number, value in enumerate(values, 1):
        made = _make_param(arguments, value)
        if made is None:
            got = len(value.values) if isinstance(value, Param) else _length(value)
            note(
                where,
                f"parametrize({shown!r}): set {number} has {got}, not {len(arguments)}",
                f"each set needs a value for each of {shown}: {value!r} has not",
            )
            return None
        params.append(made)
    if not params:
        note(
            where,
            f"parametrize({shown!r}) has no values: the session would have no jobs",
            "give it at least one, or take the decorator away",
        )
        return None
    params = _with_ids(params, ids, shown, where)
    return Axis(
        names=arguments,
        params=tuple(p._replace(tags=(*tags, *p.tags)) for p in params),
        where=where,
    )


def _make_param(arguments: tuple[str, ...], value: object) -> Param | None:
    """The value as a Param, or None where it does not fill each argument once."""
    if isinstance(value, Param):
        return value if len(value.values) == len(arguments) else None
    if len(arguments) == 1:
        return Param(values=(value,))
    if is_list(value) and len(value) == len(arguments):
        return Param(values=tuple(value))
    return None


def _length(value: object) -> str:
    return f"{len(value)} values" if is_list(value) else "one value"


def _with_ids(
    params: list[Param],
    ids: Sequence[str | None] | Callable[[object], str | None] | None,
    shown: str,
    where: str,
) -> list[Param]:
    """The params with the ids that `ids` gives to those that have none of their own."""
    if ids is None:
        return params
    if callable(ids):
        # As in pytest: asked for each value, and None leaves it to us.
        made: list[str | None] = []
        for one in params:
            words = [ids(value) for value in one.values]
            made.append("-".join(w for w in words if w) or None)
    elif isinstance(ids, str):
        _registry.note(where, "ids is a string where a list belongs", f"write ids=[{ids!r}]")
        return params
    else:
        made = list(ids)
        if len(made) != len(params):
            _registry.note(
                where,
                f"parametrize({shown!r}) has {len(params)} sets of values and {len(made)} ids",
                "give one id for each set; None lets runenv choose",
            )
            return params
    return [
        one if one.id is not None else one._replace(id=_checked_id(word, where))
        for one, word in zip(params, made, strict=True)
    ]


# Options of the envfile. -------------------------------------------------------


class Options:
    """`runner.options`: settings that the envfile decides. Assign to its names.

    A wrong name or type is noted as a mistake with its line.
    """

    default: Sequence[str]
    python: Sequence[str]
    envdir: str
    backend: str
    fail_fast: bool
    skip_missing: bool
    verbose: bool
    quiet: bool
    color: Literal["auto", "always", "never"]

    if not TYPE_CHECKING:  # where a type checker sees it, it lets every name be assigned

        def __setattr__(self, name: str, value: object) -> None:
            _set_option(name, value)


def _set_option(name: str, value: object) -> None:
    known = {option.name: option for option in OPTIONS if option.in_envfile}
    where = _registry.caller()
    if name not in known:
        hint = _hint(name, list(known))
        _registry.note(
            where,
            f"runner.options has no {name!r}",
            hint or f"there are {', '.join(known)}",
        )
        return
    mend = misfit(known[name], value)
    if mend:
        _registry.note(where, f"runner.options.{name} cannot be {value!r}", mend)
        return
    _registry.options[name] = value


options = Options()


# From what was said to SessionSpecs. --------------------------------------------


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
    axes = tuple(one.axis for one in parametrized if one.axis is not None)
    # What a decorator with a mistake would fill is not known.
    all_known = len(axes) == len(parametrized)
    _check_signature(registry, name, declared, axes, all_known=all_known)
    pythons, names_python, backend = _pythons(registry, said["python"], where)
    if said["backend"] is not None:
        backend = _backend(registry, said["backend"], where)
    for flag in ("default", "reuse"):
        if not isinstance(said[flag], bool):
            registry.note(
                where, f"{flag} cannot be {said[flag]!r}", f"write {flag}=True or {flag}=False"
            )
    said = {**said, "channels": _with_dots(said["channels"])}
    lists = {
        key: _strings(said[key], key, where)
        for key in (
            "deps",
            "groups",
            "extras",
            "requirements",
            "constraints",
            "backend_options",
            "conda_deps",
            "channels",
            "tags",
        )
    }
    _check_conda(registry, backend, pythons, lists, where, in_list=names_python)
    return SessionSpec(
        name=name,
        function=function,
        where=where,
        doc=_clean_doc(function.__doc__),
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
        tags=lists["tags"],
        requires=_requires(registry, said["requires"], where),
        default=said["default"] is not False,
        environment=_environment(registry, said, where),
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


def is_safe(word: str) -> bool:
    """Whether a word can stand in the name of a job as it is."""
    fine = all(c.isalnum() or c in _SAFE_PUNCTUATION for c in word)
    return bool(word) and fine and word[0] not in "-."


def cleaned(word: str) -> str:
    """The word with each run of unsafe characters as one `_`, none at its ends."""
    kept = "".join(c if c.isalnum() or c in _SAFE_PUNCTUATION else " " for c in word)
    return "_".join(kept.split()).strip("-._")


def _checked_id(word: object, where: str) -> str | None:
    if word is None:
        return None
    if not isinstance(word, str) or not is_safe(word):
        near = cleaned(str(word))
        _registry.note(
            where,
            f"the id {word!r} would not be safe in a shell or as a folder",
            "use letters, digits, '.', '_', '+' and '-'" + (f": {near!r}" if near else ""),
        )
        return near or None
    return word


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


def _with_dots(value: object) -> object:
    """The channels; a path among them starts with a dot, which tells it from a name."""
    if not is_list(value):
        return value
    pairs = [(item, as_path(item)) for item in value]
    return [
        os.path.join(".", text) if isinstance(text, str) and text is not item else item
        for item, text in pairs
    ]


def _strings(value: object, name: str, where: str) -> tuple[str, ...]:
    """The list of strings that was declared; paths become strings."""
    text = as_path(value)
    if isinstance(text, str):
        _registry.note(
            where, f"{name} is a string where a list belongs", f"write {name}=[{text!r}]"
        )
        return ()
    if not is_list(value) and not is_set(value):
        _registry.note(
            where, f"{name} cannot be {value!r}", f"write a list of strings: {name}=[...]"
        )
        return ()
    strings: list[str] = []
    # The order of a set is another in each run.
    for item in sorted(value, key=str) if is_set(value) else value:
        text = as_path(item)
        if not isinstance(text, str) or not text.strip():
            _registry.note(
                where, f"{name} holds {item!r}, which is not a string", "each entry is a string"
            )
            continue
        strings.append(text)
    return tuple(strings)


def _pythons(
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


def _backend(registry: Registry, value: object, where: str) -> str | None:
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


def _requires(registry: Registry, value: object, where: str) -> tuple[str, ...]:
    """Names; a function is replaced by the names of the sessions made of it."""
    if isinstance(value, str):
        registry.note(
            where, "requires is a string where a list belongs", f"write requires=[{value!r}]"
        )
        return ()
    if not is_list(value):
        registry.note(where, f"requires cannot be {value!r}", "write a list of names or functions")
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
                f"requires holds {shown}, which is not a session",
                "put @runner.session on it, or name a session",
            )
        names += sessions
    return tuple(names)


def _check_signature(
    registry: Registry, name: str, declared: Declared, axes: tuple[Axis, ...], *, all_known: bool
) -> None:
    """Note where the function cannot be called with what the decorators fill."""
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
            if argument in fillable or code.co_flags & _VARKEYWORDS:
                continue
            if argument == "python":
                mend = "write @runner.session(python=[...]) instead"
            else:
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
        if argument not in filled and all_known:
            registry.note(
                where,
                f"nothing fills the argument {argument!r} of session {name!r}",
                f'add @runner.parametrize("{argument}", [...]) or give it a default',
            )


def _clean_doc(doc: str | None) -> str:
    """The docstring without its indentation (PEP 257)."""
    if not doc:
        return ""
    lines = doc.expandtabs().strip("\n").splitlines()
    margins = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(margins, default=0)
    return "\n".join([lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])]).strip()
