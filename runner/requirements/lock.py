"""What a lock is: where it lies, what it was made for, and the steps that install one.

A lock is a file by PEP 751 in `runenv-locks/`, of one family of jobs: for all its
Pythons, or one for each. It records a digest of what was declared when it was
made, so that the two cannot grow apart unseen. `uv.lock`, which is uv's own, is
turned into such a file when it is installed from.

Knows nothing of who makes locks, and starts nothing.
"""

from __future__ import annotations

import os
import re

from runner.digests import sha256
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.requirements import declared_step, make_collector
from runner.requirements.arguments import read_arguments
from runner.requirements.files import read_bytes, shown_path
from runner.requirements.groups import with_marker
from runner.requirements.local import BUILD_FILES, content_of
from runner.requirements.pylock import is_lock_name
from runner.running import Export, Ingredient, Step
from runner.settings import is_dict, is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from runner.model import Needs
    from runner.requirements.collect import Collector
    from runner.requirements.local import SourceDigests

FOLDER = "runenv-locks"


class Family(Record):
    """What one lock serves."""

    session: str  # as `--lock` is given it
    stem: str  # of its file names
    needs: Needs
    pythons: tuple[str, ...]  # as declared


# Which files. ------------------------------------------------------------------------


def lock_name(stem: str, minor: str = "") -> str:
    """`pylock.tests.toml`, or that of one Python, `pylock.tests@313.toml`.

    The names that PEP 751 allows have no further dot; neither `@` nor `~` can
    stand in the name of a session.
    """
    own = f"@{minor.replace('.', '')}" if minor else ""
    return f"pylock.{stem.replace('.', '~')}{own}.toml"


def locks_of(stem: str, root: str) -> list[str]:
    """The names of the family's locks that there are: that for all Pythons first."""
    whole = lock_name(stem)
    begin = whole.removesuffix(".toml") + "@"
    try:
        names = sorted(os.listdir(os.path.join(root, FOLDER)))
    except OSError:
        return []
    return [name for name in names if name == whole] + [n for n in names if n.startswith(begin)]


_NEEDS = r'(?m)^\[tool\.runenv\]\s+needs = "(sha256:[0-9a-f]+)"$'
_LOWEST = r'(?m)^requires-python = ">=(\d+)\.(\d+)'


def needs_recorded(text: str) -> str:
    """The digest of what was declared when the lock was made; empty where there is none."""
    match = re.search(_NEEDS, text)
    return match[1] if match else ""


def with_record(text: str, digest: str) -> str:
    """A lock file that says what it was made for."""
    return (
        "# What `runenv --lock` found for what is declared. It is installed exactly;\n"
        "# `runenv --lock` makes it anew.\n"
        f'{text.rstrip()}\n\n[tool.runenv]\nneeds = "{digest}"\n'
    )


def needs_digest(
    family: Family, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> str:
    """A digest of all that is declared and has a say in which versions are found.

    The sources of local projects have none, nor has where they lie, what else stands
    in pyproject.toml, and what a variable in a requirement file holds. Raises
    EnvironmentBroken for what cannot be read.
    """
    said = [*_ingredients_of_needs(family.needs, root, sources=sources, environ=environ)]
    if family.pythons:
        said.append(Ingredient("pythons", "\n".join(family.pythons)))
    return digest_of(said)


def digest_of(ingredients: Iterable[Ingredient]) -> str:
    """`sha256:…` over ingredients in their order."""
    text = "".join(f"{label}\0{value}\0" for label, value in ingredients)
    return f"sha256:{sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}"


def portable_ingredients(
    family: Family, minor: str, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> tuple[Ingredient, ...]:
    """What is declared and decides which versions are installed, equal in every checkout.

    Without the sources of local projects. Locks count by what they hold: those that
    may serve the Python `minor`, all where it is not known (""). Raises
    EnvironmentBroken for what cannot be read.
    """
    if family.needs.lock == "uv":
        locks = [path for path in [_uv_lock_of(root)] if path]
    else:
        wanted = (lock_name(family.stem), lock_name(family.stem, minor))
        names = [name for name in locks_of(family.stem, root) if not minor or name in wanted]
        locks = [os.path.join(root, FOLDER, name) for name in names]
    return (
        *_ingredients_of_needs(family.needs, root, sources=sources, environ=environ),
        *(Ingredient(shown_path(path, root), sources.of_file(path)) for path in locks),
    )


def _ingredients_of_needs(
    needs: Needs, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> tuple[Ingredient, ...]:
    """All that is declared and has a say in which versions are found."""
    collector = make_collector(root, sources=sources, environ=environ)
    _note_project(collector, needs, root)
    step = declared_step(_without_project(needs), root, sources=sources, environ=environ)
    said = [*(step.ingredients if step else ()), *collector.ingredients()]
    return tuple(each for each in said if not each.label.startswith(_HERE_ALONE))


# Labels of what is another thing in each checkout, or is now and then. Of a variable
# only a digest is kept, made with a key that no other checkout has.
_HERE_ALONE = ("sources of ", "git revision of ", "packages of ", "place of ", "variable ")


def _without_project(needs: Needs) -> Needs:
    extras = () if needs.project else needs.extras  # those of an installed project are its own
    return needs._replace(project="", extras=extras)


def _note_project(collector: Collector, needs: Needs, root: str) -> None:
    """Keep what the project's own requirements are made of, where they are asked for."""
    if not needs.project:
        return
    requirements = _project_requirements(collector, root)
    if requirements is None:
        for name in BUILD_FILES:
            digest = sha256(content_of(os.path.join(root, name))).hexdigest()
            collector.note(name, (f"sha256:{digest}",))
        collector.note("extras", needs.extras)
        return
    collector.note("project's dependencies", requirements)
    for extra in needs.extras:
        collector.note(f"extra {extra}", collector.pyproject(root).extra_requirements(extra))


def _project_requirements(collector: Collector, root: str) -> tuple[str, ...] | None:
    """What [project] says that it needs; None where only a build can tell all of it."""
    if not os.path.isfile(os.path.join(root, "pyproject.toml")):
        return None
    project = collector.pyproject(root).content.get("project")
    if not is_dict(project) or project.get("dynamic", []) != []:
        return None
    needed, asked = project.get("dependencies", ()), project.get("requires-python", "")
    return (*map(str, needed if is_list(needed) else ()), f"Python {asked}".rstrip())


# What is installed. --------------------------------------------------------------------


def declared_steps(
    family: Family,
    minor: str,
    root: str,
    *,
    sources: SourceDigests,
    environ: Mapping[str, str],
) -> tuple[Step, ...]:
    """The installs of all that a session declares: from its lock where it has one.

    minor: of the Python that it is installed for. Raises EnvironmentBroken for a
    lock that was made for something else, and as `declared_step` does.
    """
    needs = family.needs
    if needs.lock == "uv":
        steps = (
            _uv_step(needs, root, sources=sources, environ=environ),
            _project_step(needs, root, sources=sources, environ=environ),
        )
        return tuple(filter(None, steps))
    locks = locks_of(family.stem, root)
    if locks:
        path = _fitting(family, locks, minor, root, sources=sources, environ=environ)
        steps = (
            _lock_step(path, root, sources=sources, environ=environ),
            _project_step(needs, root, sources=sources, environ=environ),
        )
        return tuple(filter(None, steps))
    if any(is_lock_name(path) for path in needs.requirements):
        return _steps_of_locks_named(needs, root, sources=sources, environ=environ)
    step = declared_step(needs, root, sources=sources, environ=environ)
    return () if step is None else (step,)


def _fitting(
    family: Family,
    locks: list[str],
    minor: str,
    root: str,
    *,
    sources: SourceDigests,
    environ: Mapping[str, str],
) -> str:
    """The path of the lock that serves this Python, made for what is declared now."""
    mend = f"runenv --lock {family.session}"
    wanted = (lock_name(family.stem), lock_name(family.stem, minor))
    name = next((name for name in locks if name in wanted), None)
    if name is None:
        raise EnvironmentBroken(
            f"{FOLDER}/ has no lock of {family.session!r} for Python {minor}", mend=mend
        )
    path, shown = os.path.join(root, FOLDER, name), f"{FOLDER}/{name}"
    text = read_bytes(path, shown).decode("utf-8", "replace")
    lowest = re.search(_LOWEST, text)
    if lowest and _number(minor) < (int(lowest[1]), int(lowest[2])):
        raise EnvironmentBroken(
            f"{shown} is for Python {lowest[1]}.{lowest[2]} and later, and this is {minor}",
            mend=mend,
        )
    if needs_recorded(text) != needs_digest(family, root, sources=sources, environ=environ):
        raise EnvironmentBroken(
            f"{shown} was made for something else than is declared now", mend=mend
        )
    return path


def _number(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def _lock_step(path: str, root: str, *, sources: SourceDigests, environ: Mapping[str, str]) -> Step:
    """The install of what a lock file says, and of nothing else."""
    collector = make_collector(root, sources=sources, environ=environ)
    path = collector.file(path, installs=True, where="requirements")
    text = content_of(path).decode("utf-8", "replace")
    again = _follow_folders(collector, re.finditer(_FOLDERS, text), os.path.dirname(path))
    return Step(
        arguments=("--no-deps", *again, "-r", path),
        ingredients=collector.ingredients(),
        show=f"-r {shown_path(path, root)}",
        cwd=root,
        locked=True,
        from_here=bool(again),
    )


# Of a package that uv writes, the name and then its folder: of a lock by PEP 751,
# and of uv.lock.
_FOLDERS = (
    r'(?m)^name = "(?P<name>[^"]+)"\n(?:(?!\[\[)[^\n]*\n)*?'
    r'directory = \{ path = "(?P<path>[^"]+)"(?P<editable>, editable = true)?'
)
_UV_FOLDERS = (
    r'(?m)^name = "(?P<name>[^"]+)"\n(?:version = [^\n]*\n)?'
    r'source = \{ (?:directory|(?P<editable>editable)) = "(?P<path>[^"]+)" \}'
)


def _follow_folders(
    collector: Collector, found: Iterable[re.Match[str]], home: str
) -> tuple[str, ...]:
    """Keep the folders that a lock names; the options that build them anew.

    uv takes its old wheel of a folder in which only sources have changed (0.13.9).
    """
    again: list[str] = []
    for match in found:
        path = os.path.normpath(os.path.join(home, match["path"]))
        if match["path"] == ".":
            continue  # the project itself, which is not installed from its lock
        collector.project(path, editable=bool(match["editable"]))
        if not match["editable"]:
            again += ["--reinstall-package", match["name"]]
    return tuple(again)


def _project_step(
    needs: Needs, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> Step | None:
    """The install of the project alone: what it needs stands in the lock."""
    if not needs.project:
        return None
    alone = needs._replace(deps=(), groups=(), requirements=(), constraints=())
    step = declared_step(alone, root, sources=sources, environ=environ)
    if step is None:
        return None
    return step._replace(arguments=("--no-deps", *step.arguments), show=f"--no-deps {step.show}")


def _steps_of_locks_named(
    needs: Needs, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> tuple[Step, ...]:
    """The installs of `requirements=["pylock.toml"]`, and of the project on top."""
    others = [path for path in needs.requirements if not is_lock_name(path)]
    beside = {"requirements": others, "deps": needs.deps, "groups": needs.groups}
    if not needs.project:
        beside["extras"] = needs.extras
    told = [name for name, value in beside.items() if value]
    if told:
        raise EnvironmentBroken(
            f"a lock file holds all that is installed: {', '.join(told)} cannot stand beside it",
            where=f"requirements={list(needs.requirements)}",
            mend="put it into what the lock is made from; or, on top of the lock,"
            " session.install(...)",
        )
    steps = [
        _lock_step(path, root, sources=sources, environ=environ) for path in needs.requirements
    ]
    alone = needs._replace(requirements=())
    project = declared_step(alone, root, sources=sources, environ=environ)
    return (*steps, *([] if project is None or not needs.project else [project]))


# uv's own lock. --------------------------------------------------------------------------


def _uv_step(
    needs: Needs, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> Step:
    """The install of what uv.lock says for the groups, the extras and the project."""
    collector = make_collector(root, sources=sources, environ=environ)
    path = _uv_lock_of(root)
    if not path:
        raise EnvironmentBroken(
            "there is no uv.lock", where='lock="uv"', mend="`uv lock` makes it, from pyproject.toml"
        )
    collector.note("lock", ("uv",))
    text = content_of(collector.file(path, installs=True, where='lock="uv"')).decode(
        "utf-8", "replace"
    )
    again = _follow_folders(collector, re.finditer(_UV_FOLDERS, text), os.path.dirname(path))
    pyproject = collector.pyproject(root, where='lock="uv"')
    for group in needs.groups:
        collector.note(f"group {group}", pyproject.group_requirements(group))
    asked: list[str] = []
    if needs.groups and not needs.extras and not needs.project:
        asked += [word for name in needs.groups for word in ("--only-group", name)]
    else:
        collector.note("project's dependencies", _project_requirements(collector, root) or ())
        pyproject.check_extras(needs.extras)
        collector.note("extras", needs.extras)
        asked += ["--no-emit-project"]
        asked += [word for name in needs.groups for word in ("--group", name)]
        asked += [word for name in needs.extras for word in ("--extra", name)]
    groups = [word for name in needs.groups for word in ("--group", name)]
    extras = [word for name in needs.extras for word in ("--extra", name)]
    return Step(
        arguments=("--no-deps", *again),
        ingredients=collector.ingredients(),
        show=" ".join(["-r", shown_path(path, root), *groups, *extras]),
        cwd=root,
        export=Export(folder=root, arguments=("--no-default-groups", *asked)),
        locked=True,
        from_here=bool(again),
    )


def _uv_lock_of(root: str) -> str:
    """The uv.lock of a project, or of the workspace above that it belongs to; or empty."""
    folder = root
    while True:
        path = os.path.join(folder, "uv.lock")
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above


# What a lock is made of. -------------------------------------------------------------------


class LockInput(Record):
    """What `uv pip compile` is asked."""

    session: str
    requirements: str  # its standard input
    arguments: tuple[str, ...]

    def for_python(self, minor: str) -> LockInput:
        """The same for one Python: what only others have to fit is left out."""
        lines = (
            line if line.startswith("-") else with_marker(line, f"python_version == '{minor}'")
            for line in self.requirements.splitlines()
        )
        return self._replace(requirements="".join(f"{line}\n" for line in lines))


def lock_input(
    family: Family, root: str, *, sources: SourceDigests, environ: Mapping[str, str]
) -> LockInput | None:
    """What a lock of the family is made of; None where nothing is declared."""
    needs = family.needs
    step = declared_step(_without_project(needs), root, sources=sources, environ=environ)
    if step is None and not needs.project:
        return None
    lines: list[str] = []
    options: list[str] = []
    for argument in read_arguments(step.arguments if step else ()):
        if argument.kind == "option":
            options += argument.tokens
        else:
            # Relative, so that the lock is the same in another checkout.
            text = argument.written()
            lines.append(text.replace(f"{root}{os.sep}", f".{os.sep}"))
    files = ["-"]
    if needs.project:
        files.append(next(n for n in BUILD_FILES if os.path.isfile(os.path.join(root, n))))
        options += [word for name in needs.extras for word in ("--extra", name)]
    text = "".join(f"{line}\n" for line in lines)
    return LockInput(family.session, text, (*files, *options))
