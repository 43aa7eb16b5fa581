"""What an envfile may write: keeps what was said, with the line.

Knows nothing of files, environments or processes. A mistake is not raised
where it is found but noted with its line, so that one run tells all of them;
`specs.py` checks the rest when the file has been executed.
"""

from __future__ import annotations

import os
import sys
from bisect import bisect_right

from runner.errors import Mistake, did_you_mean
from runner.model import Include, Param
from runner.settings import OPTIONS, as_path, is_list, is_set, misfit
from runner.typed import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import CodeType, FrameType
    from typing import Literal, NoReturn, TypeAlias, TypeVar

    from runner.model import Axis

    Prerelease: TypeAlias = Literal[
        "allow", "disallow", "if-necessary", "explicit", "if-necessary-or-explicit"
    ]

    Function = TypeVar("Function", bound=Callable[..., object])


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

    def __init__(self, root: str = "", above: Registry | None = None) -> None:
        """above: of the envfile that includes this one, which hears of mistakes."""
        self.root = root
        self.top: str = above.top if above else root  # where the places of mistakes start
        self.declared: list[Declared] = []
        # By id of the function, which is kept alive in it: no other gets that id.
        self.parametrized: dict[int, list[Parametrized]] = {}
        self.mistakes: list[Mistake] = above.mistakes if above else []
        self.includes: list[Include] = []
        self.options: dict[str, object] = {}
        self.read: list[str] = []  # files whose content decided what is declared
        # By id of a code object, which is kept alive in it.
        self._lines: dict[int, tuple[CodeType, list[int], list[int]]] = {}

    def note(self, where: str, what: str, mend: str = "") -> None:
        """Remember a mistake."""
        self.mistakes.append(Mistake(where, what, mend))

    def place(self, filename: str, line: int) -> str:
        """`envfile.py:12`, relative to the project's folder where it lies in it."""
        return f"{self.shown(filename)}:{line}"

    def shown(self, filename: str) -> str:
        """A file, relative to the project's folder where it lies in it."""
        inside = self.top and filename.startswith(self.top + os.sep)
        return filename[len(self.top) + 1 :] if inside else filename

    def caller(self) -> str:
        """The place in the envfile from which a function of this module was called."""
        return self.caller_outside(__file__)

    def caller_outside(self, file: str) -> str:
        """The innermost place on the stack that is neither in `file` nor in this module."""
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # `inspect` costs 9 ms
        while frame.f_back is not None and frame.f_code.co_filename in (__file__, file):
            frame = frame.f_back
        return self.place(frame.f_code.co_filename, self._line_of(frame))

    def _line_of(self, frame: FrameType) -> int:
        """The line at which a frame is.

        `f_lineno` looks through all lines before it each time: 40 % of a listing of 1,000.
        """
        code = frame.f_code
        if id(code) not in self._lines:
            starts = [(start, line) for start, _, line in code.co_lines() if line is not None]
            self._lines[id(code)] = (code, [s for s, _ in starts], [line for _, line in starts])
        _, offsets, lines = self._lines[id(code)]
        index = bisect_right(offsets, frame.f_lasti) - 1
        return lines[index] if index >= 0 else code.co_firstlineno


_registry = Registry()


def start_registry(root: str) -> Registry:
    """An empty registry, into which everything declared from now on goes."""
    return use_registry(Registry(root))


def use_registry(registry: Registry) -> Registry:
    """Everything declared from now on goes into this registry."""
    global _registry  # decorators have nothing else to reach it by
    _registry = registry
    return registry


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
    env_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = ...,
    inputs: Sequence[str | os.PathLike[str]] = ...,
    outputs: Sequence[str | os.PathLike[str]] = ...,
    tags: Sequence[str] = ...,
    group: str | None = ...,
    requires: Sequence[str | Callable[..., object]] = ...,
    after: Sequence[str | Callable[..., object]] = ...,
    exclusive: str | Sequence[str] = ...,
    parallel: bool = ...,
    default: bool = ...,
    reuse: bool = ...,
    timeout: float | None = ...,
    retries: int = ...,
    resources: Mapping[str, float | str] = ...,
    retries_on_loss: int | None = ...,
    idempotent: bool = ...,
    confirm: str | None = ...,
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
    env_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    inputs: Sequence[str | os.PathLike[str]] = (),
    outputs: Sequence[str | os.PathLike[str]] = (),
    tags: Sequence[str] = (),
    group: str | None = None,
    requires: Sequence[str | Callable[..., object]] = (),
    after: Sequence[str | Callable[..., object]] = (),
    exclusive: str | Sequence[str] = (),
    parallel: bool = True,
    default: bool = True,
    reuse: bool = True,
    timeout: float | None = None,
    retries: int = 0,
    resources: Mapping[str, float | str] | None = None,
    retries_on_loss: int | None = None,
    idempotent: bool = True,
    confirm: str | None = None,
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
        the same as environment. env_file: files with more of them, `.env`, which yield
        to env and to what the caller has set; "-.env" may be missing.
    inputs: patterns of the files that it reads ("src", "tests/**/*.py"): under
        `--watch` it runs again when one of them changes, without inputs when anything
        does. outputs: of those that it writes, which start no run.
    tags: words for `--tag`. group: the heading that it is listed under.
    requires: sessions that must have passed before, by name (`{python}` stands for
        this job's Python) or as the function. after: sessions that it follows,
        however they end, where they run as well; a pattern ("tests-*") may stand
        for names.
    exclusive: a word, or several; of the sessions that say the same one runs at a
        time under `-j`. parallel: False lets nothing run beside it.
    default: False keeps it out of a plain `runenv`. reuse: False makes a new
        environment in each run.
    timeout: seconds that a job may take, with its environment and all attempts; then
        what it runs is ended, and its `finally` blocks run. retries: further attempts
        after one that failed.
    resources: what a worker of a cluster must offer it, {"gpu": 1, "memory": "8GB"}; here
        nobody counts them. retries_on_loss: how often it runs again when its worker is
        lost; once, or never where idempotent is False: what it does must not be done twice.
    confirm: a question, "Publish it?", that must be answered with yes, at the terminal
        before the run or by `--yes`.
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
        "env_file": env_file,
        "inputs": inputs,
        "outputs": outputs,
        "tags": tags,
        "group": group,
        "requires": requires,
        "after": after,
        "exclusive": exclusive,
        "parallel": parallel,
        "default": default,
        "reuse": reuse,
        "timeout": timeout,
        "retries": retries,
        "resources": {} if resources is None else resources,
        "retries_on_loss": retries_on_loss,
        "idempotent": idempotent,
        "confirm": confirm,
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
    from runner.axes import checked_id  # what many envfiles have none of

    where = _registry.caller()
    return Param(
        values=values,
        id=checked_id(id, where, _registry.note),
        tags=strings(tags, "tags", where),
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
        are then filled together from tuples. "python" among them is the Python of
        the jobs, where the function takes no such argument. ids: how the jobs are
        called, one for each set of values, or a function that is asked for each value.
    """
    from runner.axes import make_axis  # what many envfiles have none of

    registry = _registry
    where = registry.caller()
    axis = make_axis(names, values, ids, strings(tags, "tags", where), where, registry.note)

    def declare(function: Function) -> Function:
        made = Parametrized(function, where, axis)
        registry.parametrized.setdefault(id(function), []).append(made)
        return function

    return declare


# Other envfiles. ---------------------------------------------------------------


def include(pattern: str | os.PathLike[str], *, prefix: str | None = None) -> None:
    """Let the sessions of other envfiles join this one's, each as `prefix:name`.

    pattern: a path that starts at this envfile's folder, "packages/api/envfile.py", or a
        pattern for several, "packages/*/envfile.py"; that there is none is a mistake.
    prefix: instead of the name of the folder that an envfile lies in.

    Each has its own folder for its root, and what it can import. In its `requires`
    and `after` a name is one of its own; behind a colon, ":core:wheel", it is one of this
    envfile's.
    """
    from runner.names import cleaned, is_safe  # `--version` and most envfiles do without

    registry = _registry
    where = registry.caller()
    text = as_path(pattern)
    if not isinstance(text, str) or not text.strip():
        registry.note(
            where,
            f"include: {pattern!r} is no path",
            'write include("packages/*/envfile.py")',
        )
        return
    if prefix is not None and not is_safe(prefix):
        registry.note(
            where,
            f"include: the prefix {prefix!r} would not be safe in a shell or as a folder",
            f"use letters, digits, '.', '_', '+' and '-': {cleaned(str(prefix)) or 'api'!r}",
        )
        return
    registry.includes.append(Include(text, prefix, where))


# Options of the envfile. -------------------------------------------------------


class Options:
    """`runner.options`: settings that the envfile decides. Assign to its names.

    A wrong name or type is noted as a mistake with its line.
    """

    default: Sequence[str]
    python: Sequence[str]
    envdir: str
    backend: str
    store: str
    store_size: str
    max_age: str
    env_file: Sequence[str]
    fail_fast: bool
    timeout: str | float
    skip_missing: bool
    report: Sequence[str]
    verbose: bool
    quiet: bool
    jobs: int | str
    output: Literal["board", "block", "live"]
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


# What lists are made of. -------------------------------------------------------


def strings(value: object, name: str, where: str) -> tuple[str, ...]:
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
