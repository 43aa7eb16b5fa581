"""Records: tuples whose fields have names, as `typing.NamedTuple` makes them.

To a type checker they are just that. Made here in a fifth of the time, for nothing is
compiled for a class before many records of it are made, and annotations are not looked at:
0.6 of 0.75 million instructions, where a run of one session defines 70 classes.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

__all__ = ["Record"]

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    try:
        # What reads a field of a named tuple: twice as fast as a property.
        from collections import _tuplegetter as _field
    except ImportError:  # it has no public name
        from operator import itemgetter

        def _field(place, doc):
            return property(itemgetter(place), doc=doc)

    # Where it stands is all that reading a field takes: one for all classes.
    _FIELDS = [_field(place, f"Field {place}.") for place in range(64)]
    _MANY = 16  # records from which on compiling a function for their class pays

    class _Kind(type):
        """Makes fields of annotations, and defaults of what they are set to."""

        def __new__(cls, name, bases, namespace):
            if "__annotate_func__" in namespace:  # Python 3.14, by its names for PEP 649
                raise TypeError(f"{name} needs `from __future__ import annotations`")
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {field: namespace.pop(field) for field in fields if field in namespace}
            namespace.update(zip(fields, _FIELDS, strict=False))
            namespace.update(
                __slots__=(),
                __match_args__=fields,
                _fields=fields,
                _field_defaults=defaults,
                _count=0,
            )
            return type.__new__(cls, name, bases, namespace)

    class Record(tuple, metaclass=_Kind):
        """A tuple with named fields; one with a default comes behind those without."""

        def __new__(cls, /, *values, **named):
            if named or len(values) != len(cls._fields):
                values = _completed(cls, values, named)
            return tuple.__new__(cls, values)

        def __repr__(self):
            told = map("{}={!r}".format, self._fields, self)
            return f"{type(self).__name__}({', '.join(told)})"

        def __getnewargs__(self):
            return tuple(self)  # for `copy` and `pickle`

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, /, **new):
            values = [new.pop(field, old) for field, old in zip(self._fields, self, strict=True)]
            if new:
                raise TypeError(f"{type(self).__name__} has no {', '.join(new)}")
            return tuple.__new__(type(self), values)

    def _completed(kind, values, named):
        """The values of all fields, in their order. Raises TypeError for too few or too many."""
        kind._count += 1
        if kind._count == _MANY:
            _compile(kind)
        rest, defaults = kind._fields[len(values) :], kind._field_defaults
        try:
            more = [named.pop(field) if field in named else defaults[field] for field in rest]
        except KeyError as error:
            raise TypeError(f"{kind.__name__} is not given {error}") from None
        if named or len(values) > len(kind._fields):
            given = ", ".join(named) or f"{len(values)} values"
            raise TypeError(f"{kind.__name__} has no place for {given}")
        return (*values, *more)

    def _compile(kind):
        """Further records of the class are made by a function of its own, as `typing`'s are."""
        fields = ", ".join(kind._fields)
        code = f"lambda _kind, {fields}: _new(_kind, ({fields},))"
        new = eval(code, {"_new": tuple.__new__})  # noqa: S307  # names of fields, which Python has read
        new.__defaults__ = tuple(kind._field_defaults.values())
        kind.__new__ = staticmethod(new)
