"""A session function's keyword-only parameters with annotations → the options that they are.

Loaded only for a function that has such a parameter. Knows nothing of command lines. `inspect`
and `typing` take longer to import than a listing may, and little of them is needed: what an
annotation is made of tells what it is.
"""

from __future__ import annotations

from importlib import import_module
from types import UnionType

from runner.command_line import is_ours
from runner.model import OwnOption
from runner.record import Record
from runner.settings import is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal

    Note = Callable[[str, str, str], None]  # where, what is wrong, and the mend

_VARKEYWORDS = 0x08  # a flag of a code object, as `inspect` names it

_TYPES = "bool, str, int, float, Path, Literal, an Enum, a list of these, or None beside one"


class _Unfit(Exception):
    """An annotation that no option can be made of."""


class _Taken(Record):
    """What one word on the command line becomes."""

    takes: Literal["bool", "str", "int", "float", "path", "choice"]
    convert: Callable[[str], object]  # raises ValueError
    choices: tuple[str, ...] = ()
    collect: Callable[[Iterable[object]], object] | None = None  # of many
    has_none: bool = False  # None is a value of it
    help: str = ""


def own_options(
    session: str, function: Any, filled: Iterable[str], where: str, note: Note
) -> tuple[OwnOption, ...]:
    """The options that the function of a session declares; what is wrong with one is noted.

    filled: parameters that something else fills. One without an annotation is none, nor is
    one whose name begins with an underscore.
    """
    function = _innermost(function)
    if not hasattr(function, "__code__"):
        return ()
    annotations = annotations_of(function)
    defaults: Mapping[str, object] = function.__kwdefaults__ or {}
    found: list[OwnOption] = []
    for name in keywords_of(function):
        if name in filled or name not in annotations or name.startswith("_"):
            continue
        try:
            taken = _taken(annotations[name], function.__globals__)
        except (_Unfit, RecursionError) as error:
            why = error if isinstance(error, _Unfit) else "it is made of itself"
            note(
                where,
                f"session {session!r}: the argument {name!r} cannot be an option: {why}",
                f"it may be {_TYPES}; without an annotation it is no option",
            )
            continue
        found.append(_option(name, taken, defaults))
    _note_collisions(session, found, where, note)
    return tuple(found)


def _innermost(function: Any) -> Any:
    """What decorators that hand on all keywords, and caches, have wrapped."""
    while hasattr(function, "__wrapped__"):
        code = getattr(function, "__code__", None)
        if code is not None and not code.co_flags & _VARKEYWORDS:
            break
        function = function.__wrapped__
    return function


def keywords_of(function: Any) -> tuple[str, ...]:
    """The keyword-only parameters of a function."""
    code, count = function.__code__, function.__code__.co_argcount
    names: tuple[str, ...] = code.co_varnames[count : count + code.co_kwonlyargcount]
    return names


def annotations_of(function: Any) -> Mapping[str, object]:
    """The annotations of a function; strings where they stand for what is not there."""
    try:
        annotations: Mapping[str, object] = function.__annotations__
    except NameError:  # from Python 3.14 on: imported for type checkers alone
        library: Any = import_module("annotationlib")
        annotations = library.get_annotations(function, format=library.Format.STRING)
    return annotations


def _option(name: str, taken: _Taken, defaults: Mapping[str, object]) -> OwnOption:
    many = taken.collect is not None
    return OwnOption(
        name=name,
        flag=f"--{name.replace('_', '-')}",
        kind="many" if many else "flag" if taken.takes == "bool" else "value",
        takes=taken.takes,
        convert=taken.convert,
        required=name not in defaults and not taken.has_none,
        choices=taken.choices,
        default=defaults.get(name),
        help=taken.help,
        collect=taken.collect or list,
    )


def _note_collisions(session: str, options: Iterable[OwnOption], where: str, note: Note) -> None:
    known: dict[str, str] = {}
    for option in options:
        for flag in filter(None, (option.flag, option.turned_off)):
            other = known.setdefault(flag, option.name)
            if is_ours(flag) or other != option.name:
                whose = "an option of runenv" if is_ours(flag) else f"that of {other!r}"
                note(
                    where,
                    f"session {session!r}: the argument {option.name!r} would be {flag},"
                    f" which is {whose}",
                    "rename it; without an annotation it is no option",
                )


# What an annotation means. -----------------------------------------------------------


def _taken(annotation: object, names: dict[str, Any]) -> _Taken:
    """What words become by an annotation. names: what may stand in one that is a string."""
    annotation = _resolved(annotation, names)
    origin = getattr(annotation, "__origin__", None)
    notes: tuple[object, ...] = getattr(annotation, "__metadata__", ())
    if notes:  # Annotated[int, "what it is for"]
        told = [text for text in notes if isinstance(text, str)]
        return _taken(origin, names)._replace(help=" ".join(told))
    if isinstance(annotation, UnionType) or _special(origin) in ("Union", "Optional"):
        return _of_union(annotation, names)
    arguments = getattr(annotation, "__args__", ())
    whole = origin or annotation
    if whole is list or whole is tuple or _named(whole, "collections.abc", "Sequence"):
        inner = [each for each in arguments if each is not ...]
        if len(inner) > 1 or (whole is tuple and inner and ... not in arguments):
            raise _Unfit(f"{_shown(annotation)} has parts of several kinds")
        one = _taken(inner[0] if inner else str, names)  # of nothing said: what was typed
        if one.collect is not None or one.has_none or one.takes == "bool":
            raise _Unfit(f"{_shown(annotation)} holds what no word stands for")
        return one._replace(collect=tuple if whole is tuple else list)
    if _special(origin) == "Literal":
        return _of_choices({_word_of(value): value for value in arguments if value is not None})
    return _of_class(annotation)


def _of_union(annotation: object, names: dict[str, Any]) -> _Taken:
    arguments: tuple[object, ...] = getattr(annotation, "__args__", ())
    kinds = [each for each in arguments if each is not type(None)]
    if len(kinds) != 1 or len(kinds) == len(arguments):
        raise _Unfit(f"{_shown(annotation)} is one of several kinds")
    return _taken(kinds[0], names)._replace(has_none=True)


def _of_class(kind: object) -> _Taken:
    if kind is bool:
        return _Taken("bool", bool)
    if kind is str:
        return _Taken("str", str)
    if kind is int:
        return _Taken("int", int)
    if kind is float:
        return _Taken("float", float)
    if isinstance(kind, type):
        if any(_named(each, "enum", "Enum") for each in kind.__mro__):
            members: dict[str, Any] = dict(getattr(kind, "__members__", {}))
            by_value = all(isinstance(member.value, str) for member in members.values())
            choices = {member.value if by_value else n: member for n, member in members.items()}
            return _of_choices(choices)
        if any(_named(each, "pathlib", "PurePath") for each in kind.__mro__):
            return _Taken("path", kind)
    raise _Unfit(f"what would be written for {_shown(kind)} is not known")


def _of_choices(values: Mapping[str, object]) -> _Taken:
    def convert(text: str) -> object:
        if text not in values:
            raise ValueError(text)
        return values[text]

    return _Taken("choice", convert, tuple(values))


def _word_of(value: object) -> str:
    """What is typed for a value of a Literal."""
    if isinstance(value, str):
        return value
    member = getattr(value, "value", value)  # of an Enum
    return str(member)


def _resolved(annotation: object, names: dict[str, Any]) -> object:
    """The annotation that a string, a reference or an alias stands for."""
    text = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(text, str):
        return _resolved(_evaluated(text, names), names)
    if type(annotation).__name__ == "TypeAliasType":
        return _resolved(getattr(annotation, "__value__", None), names)
    return annotation


def _evaluated(text: str, names: dict[str, Any]) -> object:
    try:
        try:
            return eval(text, names)  # noqa: S307  # what Python itself would have evaluated
        except NameError:  # imported for type checkers alone, as linters want it
            typing, pathlib = import_module("typing"), import_module("pathlib")
            known = {**vars(typing), "Path": pathlib.Path, "pathlib": pathlib, "typing": typing}
            return eval(text, {**known, **names})  # noqa: S307
    except RecursionError:
        raise
    except Exception as error:  # whatever a name of the envfile does
        raise _Unfit(f"{text!r} cannot be evaluated: {error}") from None


def _special(origin: object) -> str:
    """The name of a form that `typing` defines: Literal, Union; else empty."""
    module = getattr(origin, "__module__", "")
    is_form = not isinstance(origin, type) and module in ("typing", "typing_extensions")
    name = getattr(origin, "_name", "") or getattr(origin, "__name__", "")
    return str(name) if is_form or name == "Union" else ""


def _named(kind: object, module: str, name: str) -> bool:
    where = getattr(kind, "__module__", "")
    return getattr(kind, "__name__", "") == name and f"{where}.".startswith(f"{module}.")


def _shown(annotation: object) -> str:
    if is_list(annotation) or not isinstance(annotation, type):
        return str(annotation).replace("typing.", "")
    return annotation.__name__ if not getattr(annotation, "__args__", ()) else str(annotation)
