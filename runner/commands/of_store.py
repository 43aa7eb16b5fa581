"""`--clean --store` and `--explain --store`: what is in the store, and what of it goes.

The store is the user's and not a project's: both work outside of projects.
"""

from __future__ import annotations

import os
import sys
import time

from runner import errors
from runner.amounts import DAY_S, counted, size_bytes, size_in_words
from runner.envs.judge import moment
from runner.envs.open_store import open_store
from runner.envs.store_places import store_home, wanted_home
from runner.envs.store_upkeep import Cleaning, rows_of
from runner.errors import UsageError
from runner.opening import open_settings
from runner.settings import envdir_in
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.envs.store import Store
    from runner.envs.store_upkeep import Row
    from runner.model import Request, Settings


def _store_meant(request: Request, environ: Mapping[str, str]) -> tuple[Store, Settings]:
    """The store that is meant here, and every setting. Raises UsageError where there is none."""
    root, settings = open_settings(request, environ)
    if root:
        envdir = envdir_in(root, settings)
        home = store_home(settings.store, envdir, environ)
    else:
        home = wanted_home(settings.store, environ)
    store = open_store(home, settings)
    if store is None:
        raise UsageError("there is no store", mend="name one: --store=DIR, RUNENV_STORE=DIR")
    return store, settings


# --clean. -----------------------------------------------------------------------------


def clean(request: Request) -> int:
    """Delete images: those that no environment goes on from, or all."""
    store, settings = _store_meant(request, os.environ)
    done = False

    def tell(what: str, size: int) -> None:
        nonlocal done
        done = True
        print(f"deleted {what}: {size_in_words(size)}", flush=True)

    cleaning = Cleaning(store, tell)
    cleaning.leftovers()
    if request.of_store == "all":
        cleaning.everything()
    elif settings.stale:
        cleaning.images(time.time() - int(settings.stale) * DAY_S)
    else:
        cleaning.images()
    for kept in cleaning.kept:
        print(f"kept {kept.name}: {kept.why}", file=sys.stderr)
    if done:
        print(cleaning.freed.in_words())
    elif not cleaning.kept:
        print(f"nothing to delete in {store.home}")
    return errors.FAILED if cleaning.kept else errors.PASSED


# --explain. ---------------------------------------------------------------------------


def explain(request: Request) -> int:
    """Print what is in the store."""
    store, settings = _store_meant(request, os.environ)
    rows, total = rows_of(store)
    if settings.json:
        import json

        data = {
            "version": 1,
            "store": store.home,
            "size_bytes": total.size_bytes,
            "inodes": total.inodes,
            "limit_bytes": size_bytes(settings.store_size),
            "images": [row._asdict() for row in rows],
        }
        print(json.dumps(data, indent=2))
        return errors.PASSED
    if rows:
        print("\n".join([*as_text(rows), ""]))
    count = counted(len(rows), "image")
    print(f"{store.home}: {count}, {size_in_words(total.size_bytes)} of {settings.store_size}")
    return errors.PASSED


_HEAD = ("image", "size", "its own", "inodes", "its own", "python", "backend", "made", "last used")
_NUMBERS = range(1, 5)  # the columns that are aligned to the right


def as_text(rows: list[Row]) -> list[str]:
    """The images in lines: a table, and below each what is in it and for whom."""
    cells = [
        (
            row.image[:8],
            size_in_words(row.size_bytes),
            size_in_words(row.own_bytes),
            f"{row.inodes:,}",
            f"{row.own_inodes:,}",
            row.python,
            row.backend,
            moment(row.made_s) if row.made_s else "unusable",
            moment(row.used_s),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(_HEAD, *cells, strict=True)]
    lines = [_line(_HEAD, widths)]
    for row, each in zip(rows, cells, strict=True):
        lines.append(_line(each, widths))
        lines += [f"  {what}" for what in row.holds if what]
        lines += [f"  for {path}" for path in row.environments]
    return lines


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        f"{cell:>{width}}" if column in _NUMBERS else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
