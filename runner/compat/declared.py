"""What a noxfile may write to declare sessions: nox's decorators, with nox's meaning.

Keeps what was said, with its line; what jobs come of it is for `jobs.py`. Nothing
here is global: each noxfile that is loaded has `Declarations` of its own.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from runner.declare import Registry


class Param:
    """One set of values: `nox.param`, and what `nox.parametrize` makes of plain values."""

    def __init__(
        self,
        *args: object,
        arg_names: Sequence[str] = (),
        id: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> None:
        self.args = args
        self.arg_names = tuple(arg_names)
        self.id = id
        self.tags = listed(tags)
        # Of which decorators it was multiplied: names, values and id of each.
        self.parts: tuple[Part, ...] = ()

    @property
    def call_spec(self) -> dict[str, object]:
        """The values by their names."""
        return dict(zip(self.arg_names, self.args, strict=True))

    def __str__(self) -> str:
        """What stands between the brackets of a name."""
        return self.id or ", ".join(f"{k}={_shown(v)}" for k, v in self.call_spec.items())

    __repr__ = __str__

    def under(self, names: Sequence[str]) -> Param:
        """The same, of a decorator with these names."""
        if len(names) != len(self.args):
            raise ValueError(
                f"parametrize({', '.join(names)!r}): a set has {len(self.args)} values,"
                f" not {len(names)}: {self.args!r}"
            )
        made = Param(*self.args, arg_names=names, id=self.id, tags=self.tags)
        made.parts = ((made.arg_names, made.args, made.id),)
        return made

    def times(self, other: Param) -> Param:
        """Both sets at once."""
        made = Param(
            *self.args,
            *other.args,
            arg_names=(*self.arg_names, *other.arg_names),
            id=f"{self}, {other}",
            tags=[*self.tags, *other.tags],
        )
        made.parts = (*self.parts, *other.parts)
        return made


Part = tuple[tuple[str, ...], tuple[object, ...], str | None]


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # whatever a class of the noxfile does
        return f"<{type(value).__name__}>"


def listed(words: Iterable[str] | str | None) -> list[str]:
    """The words as a list; one that was not put into a list is one word, not its letters."""
    return [words] if isinstance(words, str) else list(words or ())


def parametrize(
    arg_names: str | Sequence[str],
    arg_values_list: object,
    ids: Iterable[str | None] | None = None,
    tags: Iterable[Sequence[str]] | None = None,
) -> Callable[[Any], Any]:
    """A job for each of the values; several of these multiply."""
    written = arg_names.split(",") if isinstance(arg_names, str) else arg_names
    names = [name.strip() for name in written if name.strip()]
    values = _values(names, arg_values_list)
    given_ids, given_tags = list(ids or ()), list(tags or ())
    params: list[Param] = []
    for number, value in enumerate(values):
        if isinstance(value, Param):
            params.append(value.under(names))
            continue
        args = tuple(value) if len(names) != 1 and hasattr(value, "__iter__") else (value,)
        params.append(
            Param(
                *args,
                id=given_ids[number] if number < len(given_ids) else None,
                tags=given_tags[number] if number < len(given_tags) else None,
            ).under(names)
        )

    def apply(function: Any) -> Any:
        before: list[Param] | None = getattr(function, "parametrize", None)
        function.parametrize = (
            params if before is None else [old.times(new) for new in params for old in before]
        )
        return function

    return apply


def _values(names: list[str], values: Any) -> list[Any]:
    """What was given as sets of values; for one name a plain value is one of them."""
    if isinstance(values, Param):
        return [values]
    if len(names) == 1 and not _is_several(values):
        return [values]
    return list(values)


def _is_several(values: object) -> bool:
    return isinstance(values, (list, tuple, range, Iterator))


class Func:
    """A function under `@nox.session`; calling it calls the function."""

    def __init__(
        self,
        func: Callable[..., Any],
        python: object = None,
        reuse_venv: bool | None = None,
        name: str | None = None,
        venv_backend: str | None = None,
        venv_params: Sequence[str] = (),
        should_warn: Mapping[str, Any] | None = None,
        tags: Sequence[str] | None = None,
        *,
        default: bool = True,
        requires: Sequence[str] | None = None,
        download_python: str | None = None,
        allow_parallel: bool | None = None,
        where: str = "",
        sync: Mapping[str, Any] | None = None,
    ) -> None:
        """The arguments of `nox.session`; where: its line. sync: those of `nox_uv.session`."""
        functools.update_wrapper(self, func)
        self.func = func
        self.python = python
        self.reuse_venv = reuse_venv
        self.name = name
        self.venv_backend = venv_backend
        self.venv_params = listed(venv_params)
        self.should_warn = dict(should_warn or {})
        self.tags = listed(tags)
        self.default = default
        self.requires = listed(requires)
        self.download_python = download_python
        self.allow_parallel = allow_parallel
        self.where = where
        self.sync = sync

    def __repr__(self) -> str:
        return f"Func(name={self.name!r})"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)


class Declarations:
    """The sessions that a noxfile has declared so far, by name."""

    def __init__(self, registry: Registry, warn: Callable[[str], None]) -> None:
        """warn: tells what the noxfile does that it may not have meant."""
        self.functions: dict[str, Func] = {}
        self._registry = registry
        self._warn = warn

    def get(self) -> dict[str, Func]:
        """The sessions by name: `nox.registry.get`."""
        return dict(self.functions)

    def session(
        self,
        func: Callable[..., Any] | None = None,
        /,
        python: object = None,
        py: object = None,
        reuse_venv: bool | None = None,
        name: str | None = None,
        venv_backend: str | None = None,
        venv_params: Sequence[str] = (),
        tags: Sequence[str] | None = None,
        *,
        default: bool = True,
        requires: Sequence[str] | None = None,
        download_python: str | None = None,
        allow_parallel: bool | None = None,
        sync: Mapping[str, Any] | None = None,
    ) -> Any:
        """Declare a function as a session: `nox.session`, in each way in which it is called."""
        where = self.caller()
        if py is not None and python is not None:
            raise ValueError("nox.session: py means the same as python; give one of them")

        def declare(function: Any) -> Func:
            plain = function.func if isinstance(function, Func) else function
            made = Func(
                plain,
                py if python is None else python,
                reuse_venv,
                name or plain.__name__,
                venv_backend,
                venv_params,
                tags=tags,
                default=default,
                requires=requires,
                download_python=download_python,
                allow_parallel=allow_parallel,
                where=where,
                sync=sync,
            )
            self._add(made)
            return made

        return declare if func is None else declare(func)

    def _add(self, made: Func) -> None:
        name = str(made.name)
        before = self.functions.get(name)
        if before is not None:
            self._warn(
                f"{made.where}: a second session is named {name!r}; the first, {before.where},"
                " is left out, as nox does"
            )
        self.functions[name] = made

    def caller(self) -> str:
        """The innermost place on the stack that is the noxfile's own."""
        frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # `inspect` costs 9 ms
        while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
            frame = frame.f_back
        return self._registry.place(frame.f_code.co_filename, frame.f_lineno)


_BESIDE = os.path.dirname(__file__) + os.sep


def _is_ours(file: str) -> bool:
    return file.startswith(_BESIDE) or file == functools.__file__
