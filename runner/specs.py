"""From what an envfile said to SessionSpecs; all that is wrong is noted with its line.

Knows nothing of how it was said.
"""

from __future__ import annotations

from runner.declare import Declared, Registry, strings
from runner.errors import did_you_mean
from runner.model import Axis, Needs, SessionSpec
from runner.names import cleaned, is_safe
from runner.session_arguments import (
    PRERELEASES,
    RESOLUTIONS,
    check_conda,
    read_backend,
    read_environment,
    read_line,
    read_lock,
    read_moment,
    read_patterns,
    read_project,
    read_pythons,
    read_resources,
    read_retries,
    read_retries_on_loss,
    read_timeout,
    read_variables,
    read_word,
    with_dots,
)
from runner.settings import as_path, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.model import OwnOption

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
        said = {**said, "channels": with_dots(said["channels"])}
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
            "inputs",
            "outputs",
            "tags",
            "exclusive",
        )
    }
    check_conda(registry, backend, pythons, lists, where, in_list=names_python)
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
            project=read_project(registry, said["project"], where),
            reuse=said["reuse"] is not False,
            lock=read_lock(registry, said, where),
            resolution=read_word(registry, said, "resolution", RESOLUTIONS, where),
            prerelease=read_word(registry, said, "prerelease", PRERELEASES, where),
            exclude_newer=read_moment(registry, said["exclude_newer"], where),
        ),
        env=() if isinstance(said["env"], str) else read_variables(registry, said["env"], where),
        env_file=lists["env_file"],
        inputs=lists["inputs"] and read_patterns(registry, lists["inputs"], "inputs", where),
        outputs=lists["outputs"] and read_patterns(registry, lists["outputs"], "outputs", where),
        tags=lists["tags"],
        requires=_sessions(registry, said["requires"], "requires", where),
        after=_sessions(registry, said["after"], "after", where),
        default=said["default"] is not False,
        environment=read_environment(registry, said, where),
        timeout_s=read_timeout(registry, said["timeout"], where),
        retries=read_retries(registry, said["retries"], where),
        resources=read_resources(registry, said["resources"], where),
        retries_on_loss=read_retries_on_loss(registry, said, where),
        exclusive=tuple(dict.fromkeys(lists["exclusive"])),
        parallel=said["parallel"] is not False,
        options=options,
        group=read_line(registry, said, "group", "release", where),
        confirm=read_line(registry, said, "confirm", "Publish it?", where),
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
