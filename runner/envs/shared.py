"""What an environment has in common with others: the keys that it is kept and found by.

A key covers the ingredients of the environment and of its steps, but for what is
its own: its place, and the sources of projects that are built for it, whose wheels
are replaced alone. Decides what may be shared at all; knows nothing of the store.
"""

from __future__ import annotations

import json
import os

from runner.digests import sha256
from runner.envs.places import is_movable
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.running import EnvSpec, Ingredient, Step

_FORMAT = 1
_OWN = ("location", "interpreter's file")  # a restored cache has other file times
_MADE_WITH = ("backend", "backend_options", "python", "interpreter", "interpreter's build")
SOURCES = ("sources", "git revision")  # of a project, by which its wheel alone differs


def base_of(spec: EnvSpec) -> str:
    """What decides in an environment beside its steps, as text."""
    kept = [_relative(i, spec.root) for i in spec.ingredients if i.label not in _OWN]
    # Programs are written in another way there: at this place alone they are right.
    place = "" if is_movable(spec.path) else spec.path
    return json.dumps([_FORMAT, place, kept])


def _relative(ingredient: Ingredient, root: str) -> tuple[str, str]:
    """A configuration file of the project is labelled by its path, which others have elsewhere."""
    label, value = ingredient
    return (
        os.path.relpath(label, root) if root and label.startswith(root + os.sep) else label
    ), value


def made_with(ingredients: Iterable[Ingredient]) -> list[Ingredient]:
    """Of an environment's ingredients those that say with what it was made, before any step."""
    return [ingredient for ingredient in ingredients if ingredient.label in _MADE_WITH]


def key_of(spec: EnvSpec, steps: Sequence[Step]) -> str:
    """The key of an environment with these steps; empty where it must not be shared."""
    if spec.mark != "pyvenv.cfg" or any(step.asks_anew or step.program for step in steps):
        return ""
    here = spec.root if any(step.from_here or step.in_place for step in steps) else ""
    return _digest(base_of(spec), here, [without_sources(step) for step in steps])


def key_at(key: str, envdir: str) -> str:
    """The key of the same with projects' wheels that were built in one environment folder."""
    return _digest("at", key, envdir)


def key_of_next(spec: EnvSpec, steps: Sequence[Step]) -> str:
    """The key under which a job finds what it went on with the last time; or empty.

    As long as the files that declare it are the same, the steps that its function
    makes can be expected to come again.
    """
    key = key_of(spec, steps)
    if not key or not spec.declared_by:
        return ""
    return _digest("next", key, os.path.basename(spec.path), spec.declared_by)


def without_sources(step: Step) -> list[Ingredient]:
    """The ingredients of a step but for the sources of the projects that are built for it."""
    return leave_out_sources(step, step.ingredients)


def leave_out_sources(step: Step, ingredients: Iterable[Ingredient]) -> list[Ingredient]:
    """Of these ingredients, those that are not sources of the step's projects."""
    labels = {f"{what} of {build.shown}" for build in step.builds for what in SOURCES}
    return [ingredient for ingredient in ingredients if ingredient.label not in labels]


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=True)
    return sha256(text.encode("ascii")).hexdigest()[:32]
