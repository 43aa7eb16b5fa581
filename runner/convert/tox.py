"""All that a file says to tox: its environments, their order, labels and plugins.

Knows not how it is written: `tox_ini.py` and `tox_toml.py` do. What the settings of one
environment mean: `tox_environment.py`.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from runner.convert.factors import python_named
from runner.convert.model import Declared, Note
from runner.convert.tox_environment import Reader
from runner.convert.tox_keys import words_of
from runner.convert.tox_source import is_true
from runner.plan import find_cycles
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.convert.model import Environment
    from runner.convert.tox_source import Source


def read(source: Source) -> Declared:
    """All that a file declares."""
    tags: dict[str, list[str]] = {}
    for label, names in source.labels():
        for name in names:
            tags.setdefault(name, []).append(label)
    named = dict(source.environments())
    by_label = {name: False for name in tags if name not in named}
    environments = tuple(
        Reader(source, name).environment(listed=listed, labels=tags.get(name, []))
        for name, listed in _run_environments(source, {**named, **by_label})
    )
    environments = tuple(_followable(environments, source))
    options: list[tuple[str, str]] = []
    if is_true(source.core_entries("skip_missing_interpreters")):
        options.append(("skip_missing", "True"))
    notes = [Note("ignored", line, f"{key}: {why}") for key, line, why in source.unread()]
    notes += _plugins(source)
    notes += _labels_alone(source, named)
    return Declared(environments, tuple(options), tuple(notes))


def _run_environments(source: Source, named: Mapping[str, bool]) -> list[tuple[str, bool]]:
    """What tox runs, and whether it does so by default; not what it builds in."""
    keys = ("wheel_build_env", "package_env")
    built_in = {Reader(source, name).setting(key) for name in named for key in keys}
    return [(name, listed) for name, listed in named.items() if listed or name not in built_in]


def _labels_alone(source: Source, named: Iterable[str]) -> Iterator[Note]:
    """What a label alone names, a part of which tox does not know: a slip, most often."""
    known = {"py", *(factor for name in named for factor in name.split("-"))}
    for label, names in source.labels():
        for name in names:
            if any(f not in known and not python_named(f) for f in name.split("-")):
                told = f"no setting is of {name}: `tox -e` refuses it, `tox -m {label}` runs it"
                yield Note("ignored", source.core_line("labels"), f"labels: {told}")


def _followable(environments: Sequence[Environment], source: Source) -> Iterator[Environment]:
    """The environments, each after others that there are, and none after itself through others."""
    names = [one.name for one in environments]
    meant = {
        one.name: [
            name
            for name in names
            if name != one.name and any(fnmatchcase(name, pattern) for pattern in one.after)
        ]
        for one in environments
    }
    circles = {name for circle in find_cycles(meant) for name in circle}
    for one in environments:
        missing = [p for p in one.after if not any(fnmatchcase(name, p) for name in names)]
        line = source.line_of(one.name, "depends")
        notes = [Note("ignored", line, _not_named(missing))] if missing else []
        after = tuple(p for p in one.after if p not in missing)
        if one.name in circles:
            why = "tox refuses to run these, which depend on each other"
            notes.append(Note("left", line, f"depends of {one.name}: {why}"))
            after = ()
        if not meant[one.name]:
            after = ()
        yield one._replace(after=after, notes=(*one.notes, *notes))


def _not_named(depends: Sequence[str]) -> str:
    if len(depends) == 1:
        return f"depends = {depends[0]}: no environment is named so"
    others = f" and {len(depends) - 3} more" if len(depends) > 3 else ""
    return f"depends = {', '.join(depends[:3])}{others}: no environments are named so"


# Plugins that change nothing of what is converted, or whose work runenv does itself.
_HARMLESS = words_of("""
    tox tox-uv tox-uv-bare tox-gh tox-gh-actions tox-extra tox-pip-version tox-venv virtualenv
    setuptools pip wheel setuptools-scm uv certifi tox-pyenv tox-wheel tox-ini-fmt tox-battery
    tox-pip-extensions tox-factor tox-constraints tox-travis filelock packaging
""")


def _plugins(source: Source) -> Iterator[Note]:
    for entry in source.core_entries("requires"):
        name = re.split(r"[\s<>=!~;\[,]", entry.strip(), maxsplit=1)[0].lower().replace("_", "-")
        if name and name not in _HARMLESS:
            yield Note("left", 0, f"requires = {entry.strip()}: what this plugin does is not known")
