"""What `@parametrize` is given → an Axis, checked.

Knows nothing of sessions. What is wrong is noted through a function that is handed in.
Loaded where an envfile has parameters.
"""

from __future__ import annotations

from runner.model import Axis, Param
from runner.names import cleaned, is_safe
from runner.settings import is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Note = Callable[[str, str, str], None]


def make_axis(
    names: str | Sequence[str],
    values: Iterable[object],
    ids: Sequence[str | None] | Callable[[object], str | None] | None,
    tags: tuple[str, ...],
    where: str,
    note: Note,
) -> Axis | None:
    """The checked Axis, or None where too much is wrong to go on."""
    written: Iterable[object] = names.split(",") if isinstance(names, str) else names
    if not hasattr(written, "__iter__"):  # what types forbid is still written
        written = [written]
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
    params = _with_ids(params, ids, shown, where, note)
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
    note: Note,
) -> list[Param]:
    """The params with the ids that `ids` gives to those that have none of their own."""
    if ids is None:
        return params
    if callable(ids):
        # As in pytest: asked for each value, and None leaves it to us.
        made: list[str | None] = []
        for one in params:
            words = [ids(value) for value in one.values]
            made.append("-".join(str(w) for w in words if w not in (None, "")) or None)
    elif isinstance(ids, str):
        note(where, "ids is a string where a list belongs", f"write ids=[{ids!r}]")
        return params
    elif not hasattr(ids, "__iter__"):  # what types forbid is still written
        note(
            where,
            f"ids cannot be {ids!r}",
            "give one id for each set, or a function that is asked for each value",
        )
        return params
    else:
        made = list(ids)
        if len(made) != len(params):
            note(
                where,
                f"parametrize({shown!r}) has {len(params)} sets of values and {len(made)} ids",
                "give one id for each set; None lets runenv choose",
            )
            return params
    return [
        one if one.id is not None else one._replace(id=checked_id(word, where, note))
        for one, word in zip(params, made, strict=True)
    ]


def checked_id(word: object, where: str, note: Note) -> str | None:
    """The id as it may stand in a name, or None where there is none."""
    if word is None:
        return None
    if not isinstance(word, str) or not is_safe(word):
        near = cleaned(str(word))
        note(
            where,
            f"the id {word!r} would not be safe in a shell or as a folder",
            "use letters, digits, '.', '_', '+' and '-'" + (f": {near!r}" if near else ""),
        )
        return near or None
    return word
