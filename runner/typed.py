"""What `typing` has for who checks types, of which a run needs next to nothing.

`typing` takes 11 million instructions to import (2 ms), with all that an annotation could be made
of; annotations here are strings, which only a type checker reads. To it these names are
those of `typing`.
"""

from __future__ import annotations

__all__ = ["TYPE_CHECKING", "Protocol", "TypedDict", "cast", "overload"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol, TypedDict, cast, overload
else:

    class Protocol:
        """What something must have, and no more: nobody is made of it."""

    class TypedDict(dict):
        """A dict with such keys."""

        def __init_subclass__(cls, *, total=True):
            """total: whether it has all of them."""

    def cast(_kind, value):
        """The value, of which more is known than a type checker can."""
        return value

    def overload(function):
        """One of the ways to call what is defined below it."""
        return function
