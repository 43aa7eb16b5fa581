"""What notices that files change while `runenv --watch` waits: the protocol, and the choice.

Knows nothing of what has changed: a bell rings, and `tree.py` looks.
"""

from __future__ import annotations

from importlib.util import find_spec

from runner.requirements.files import shown_path
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from runner.watching.tree import Tree

    class Bell(Protocol):
        """Rings when it is time to look at the files, from a thread of its own."""

        @property
        def told(self) -> str:
            """What it goes by, for people."""
            ...

        def listen(self, folders: Iterable[str]) -> None:
            """Ring for what changes in these folders from now on; nothing below them."""
            ...

        def close(self) -> None:
            """Ring no more."""
            ...


# watchfiles' own variable: the files lie where the system tells of no changes.
_POLL = "WATCHFILES_FORCE_POLLING"
_NO = ("", "false", "disable", "disabled")  # as watchfiles reads it


def make_bell(
    tree: Tree,
    environ: Mapping[str, str],
    ring: Callable[[], None],
    lost: Callable[[str], None],
) -> Bell:
    """The bell that is best here: the system's events where watchfiles is installed.

    ring: called when it is time to look. lost: called with the reason when one cannot go
    on; nothing rings then.
    """
    if environ.get(_POLL, "").lower() not in _NO:
        return make_polling(tree, ring, f"as {_POLL} says")
    if find_spec("watchfiles") is None:
        return make_polling(tree, ring, "with runenv-cli[watch] the system tells of changes")
    from runner.watching.native import Native

    return Native(ring, lost)


def make_polling(tree: Tree, ring: Callable[[], None], why: str) -> Bell:
    """The bell that goes anywhere: it rings again and again."""
    from runner.watching.polling import Polling  # where it is not needed it is not there

    return Polling(ring, lambda: tree.took_s, why)


def shown_names(paths: Iterable[str], root: str) -> str:
    """`src/a.py and 2 more`: the first of the paths, from the root where it lies inside."""
    first, *others = sorted(paths)
    name = shown_path(first, root)
    return f"{name} and {len(others)} more" if others else name
