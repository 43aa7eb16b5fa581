"""Checks of the store: what is in it, and whether it is what was installed."""

from __future__ import annotations

import os

from runner.amounts import counted, size_in_words
from runner.checks import Finding, Here
from runner.checks.folders import nearest_folder
from runner.envs.open_store import open_store
from runner.envs.places import is_movable
from runner.envs.store_damage import Check
from runner.envs.store_places import store_home, wanted_home
from runner.envs.store_upkeep import images_in, needed_by, size_of, told_as, total_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.envs.store import Store

_TOLD_FILES = 20  # of a damaged image


def check_store(here: Here) -> list[Finding]:
    """The store: where it is, whether it can be used here, and with --deep whether it is whole."""
    asked = here.settings.store
    # Outside of projects nothing is linked from it.
    home = wanted_home(asked, here.environ)
    if here.project is not None:
        home = store_home(asked, here.envdir, here.environ)
    if not home:
        told = "none is used, as the setting says" if asked else "there is no folder for caches"
        return [Finding("store", "good", told)]
    above = nearest_folder(home)
    if not os.access(above, os.W_OK | os.X_OK):
        mend = "let it be written, or name another: RUNENV_STORE; none: no store is used"
        return [Finding("store", "broken", f"{above} is not ours to write", mend)]
    store = open_store(home, here.settings)
    if store is None or not os.path.isdir(os.path.join(home, "images")):
        return [
            Finding("store", "good", f"{home} will be made by the first run"),
            *_apart(here, home),
        ]
    names = images_in(store)
    total = total_of(size_of(store, name) for name in names)
    count = counted(len(names), "image")
    told = f"{home}: {count}, {size_in_words(total.size_bytes)} of {here.settings.store_size}"
    findings = [Finding("store", "good", told), *_apart(here, home)]
    if here.settings.deep:
        check = Check(store)
        damaged = [each for name in names for each in _damage_of(store, name, check)]
        whole = Finding("images", "good", "each file is what was installed")
        findings += damaged or [whole]
    return findings


def _apart(here: Here, home: str) -> list[Finding]:
    """What keeps this project from sharing with others."""
    wanted = wanted_home(here.settings.store, here.environ)
    if home != wanted and wanted:
        what = f"{wanted} is on another file system: {here.envdir} has a store of its own"
        mend = f"name one on that of {here.envdir} for all its projects: RUNENV_STORE"
        return [Finding("store", "warning", what, mend)]
    if here.project is not None and not is_movable(here.envdir):
        what = (
            f"{here.envdir} is no plain path: what is made there is linked at the same place alone"
        )
        mend = (
            "choose another with --envdir: letters, digits and . _ + - @ % = : , and not too long"
        )
        return [Finding("store", "warning", what, mend)]
    return []


def _damage_of(store: Store, name: str, check: Check) -> list[Finding]:
    damaged = check.image(name)
    if damaged is None:
        return []
    lines = [f"{file.name}: {file.why}" for file in damaged.files[:_TOLD_FILES]]
    if len(damaged.files) > _TOLD_FILES:
        lines.append(f"and {len(damaged.files) - _TOLD_FILES} more files")
    what = "\n  ".join((f"{told_as(store.image(name), name)} is damaged", *lines))
    mends = [f"delete {store.place_of(name)}"]
    if damaged.packages:  # their files are links that installers and environments have too
        mends.append(f"uv cache clean {' '.join(damaged.packages)}")
    mends += [f"runenv --clean in {os.path.dirname(p)}" for p in needed_by(store, name)]
    return [Finding("images", "broken", what, "\n".join(mends))]
