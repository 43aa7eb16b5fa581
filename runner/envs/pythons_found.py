"""Where Pythons lie on this machine, as names of files and folders tell it.

Starts none of them, so a name may promise what its program does not keep:
`interpreters.py` asks. Every function takes the platform as a word of
`sys.platform`, and the variables, so that nothing else of the machine counts.
"""

from __future__ import annotations

import os
import re
import sys

from runner.envs.python_spec import (
    FINAL,
    UNKNOWN,
    Version,
    Wanted,
    fits,
    make_version,
    read_spec,
    read_version,
    version_text,
)
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = r"(python|pypy|graalpy)(\d+(?:\.\d+)?)?(t)?(?:\.exe)?"  # of a program: python3.13t
_FOLDER = (
    # 3.12.1, 3.13.0t, 3.15-dev (pyenv, mise, asdf), pypy3.11-7.3.19 (pyenv),
    # cpython-3.13.0+freethreaded-linux-x86_64-gnu (uv), cpython@3.12.3 (rye)
    r"(?:(cpython|pythoncore|python|pypy|graalpy)(?:-[\w-]+@|[-@])?)?"
    r"(\d+(?:\.\d+){1,2})((?:a|b|rc)\d+)?(t)?([-+].*)?"
)
_WINDOWS_FOLDER = r"Python(3)(\d+)(?:-32|-arm64)?"  # Python312, of the installer


class Place(Record):
    """A folder in which a tool keeps Pythons, each in a folder that has its version as name."""

    tool: str
    folder: str
    # Where the Python begins below such a folder; None: in each folder there.
    inner: tuple[str, ...] | None = ("",)
    implementation: str = "cpython"  # where the name tells none
    only_versions: bool = False  # a folder with another name is none of the tool's


class Found(Record):
    """A program that is a Python by its name."""

    path: str
    implementation: str
    version: Version
    free_threaded: bool | None  # None: the name does not tell


def found_versions(spec: str, *, environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The minor versions that are here and fit a range, `("3.10", "3.11")`, in ascending order.

    By names alone, so what stands on PATH with a minor version in its name
    counts as a final release of it. A text that is no range has none. Those of
    a range of free-threaded Pythons or PyPys are `3.13t`, `pypy3.11`.
    """
    wanted = read_spec(spec)
    if wanted is None:
        return ()
    environ = os.environ if environ is None else environ
    own = read_version(version_text(*sys.version_info))
    found = [Found("", sys.implementation.name, own, "free-threading" in sys.version)]
    found += on_path(environ)
    found += in_folders(environ, wanted)
    # Python 2 cannot be asked what it is, and no backend makes environments of it.
    fitting = (each.version.release[:2] for each in found if may_fit(wanted, each))
    minors = {minor for minor in fitting if len(minor) == 2 and minor >= (3, 0)}
    name = "" if wanted.implementation == "cpython" else wanted.implementation
    mark = "t" if wanted.free_threaded else ""
    return tuple(f"{name}{minor[0]}.{minor[1]}{mark}" for minor in sorted(minors))


def may_fit(wanted: Wanted, found: Found) -> bool:
    """Whether the names let it be what is wanted."""
    return fits(wanted, found.implementation, found.version, found.free_threaded)


# PATH. ------------------------------------------------------------------------------


def path_folders(environ: Mapping[str, str]) -> list[str]:
    """The folders of PATH that are there, each once, without those of shims.

    Nor those that depend on the working folder, where another project's
    program would be started.
    """
    folders: dict[tuple[int, int], str] = {}
    for folder in environ.get("PATH", "").split(os.pathsep):
        if not os.path.isabs(folder) or _has_shims(folder):
            continue
        try:
            status = os.stat(folder)
        except OSError:
            continue
        # Where /bin is a link to /usr/bin, a thousand names need not be read twice.
        folders.setdefault((status.st_dev, status.st_ino), folder)
    return list(folders.values())


def _has_shims(folder: str) -> bool:
    """Whether the programs in it are those of a version manager.

    They fail, or are another version, according to the working folder and to
    variables. Scoop's only start the one program that they stand for.
    """
    above, name = os.path.split(folder.rstrip("/\\"))
    return name == "shims" and os.path.basename(above).lower() != "scoop"


def on_path(
    environ: Mapping[str, str], names: tuple[str, ...] = (), platform: str = sys.platform
) -> Iterator[Found]:
    """The Pythons on PATH, in its order; of the names, where any are given.

    A few names are looked at quicker than a folder of thousands is listed.
    """
    for folder in path_folders(environ):
        for name in names or sorted(filter(_is_python_name, _names(folder)), key=_general_first):
            path = os.path.join(folder, name + (".exe" if names and platform == "win32" else ""))
            if is_program(path):
                yield _found_at(path)


def names_for(wanted: Wanted) -> tuple[str, ...]:
    """The names that a program of a version may have, the most telling one first.

    Only `python3` and `python` where the minor version is not given.
    """
    version = wanted.clauses[0].version if wanted.clauses else UNKNOWN
    return _program_names(wanted.implementation, version, wanted.free_threaded)


def _program_names(
    implementation: str, version: Version, free_threaded: bool | None
) -> tuple[str, ...]:
    stem = "python" if implementation == "cpython" else implementation
    major, *rest = version.release or (3,)
    telling = (f"{stem}{major}.{rest[0]}",) if rest else ()
    threaded = tuple(f"{name}t" for name in telling) if free_threaded else ()
    return (*threaded, *telling, f"{stem}{major}", stem)


def _is_python_name(name: str) -> bool:
    return name.startswith(("python", "pypy", "graalpy")) and bool(re.fullmatch(_NAME, name))


def _general_first(name: str) -> tuple[bool, list[int]]:
    """Sorts `python3` before `python3.13` before `python3.9`: it is what the user chose."""
    numbers = [-int(number) for number in re.findall(r"\d+", name)]
    return (len(numbers) > 1, numbers)


def is_program(path: str) -> bool:
    """Whether there is a file that can be run."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _found_at(path: str) -> Found:
    """What the name of a program tells, and the names of what it is a link to."""
    real = os.path.realpath(path)
    named = _read_name(os.path.basename(path))
    target = _read_name(os.path.basename(real))
    best = max(target, named, key=lambda found: len(found.version.release))
    folder = os.path.dirname(real)
    # The folder of the program itself on Windows, elsewhere the one around bin.
    for name in (os.path.basename(folder), os.path.basename(os.path.dirname(folder))):
        around = _read_folder(name, best.implementation)
        # versions/3.12.1/bin/python3.12 tells the patch too.
        if around and around.version.release[: len(best.version.release)] == best.version.release:
            threaded = best.free_threaded or around.free_threaded
            return around._replace(path=path, free_threaded=threaded)
    return best._replace(path=path)


def _read_name(name: str) -> Found:
    match = re.fullmatch(_NAME, name)
    if match is None:
        return Found("", "cpython", UNKNOWN, None)
    implementation = "cpython" if match[1] == "python" else match[1]
    version = make_version(match[2]) if match[2] else UNKNOWN
    # python3 may be a free-threaded one, python3.13 is not by its name.
    tells = bool(match[3]) or len(version.release) > 1
    return Found("", implementation, version, bool(match[3]) if tells else None)


# Folders of tools. ------------------------------------------------------------------


def places(environ: Mapping[str, str], platform: str = sys.platform) -> list[Place]:
    """The folders in which tools keep Pythons here, whether they exist or not.

    As the tools document them. A tool whose folder depends on a variable that
    is not set, such as HOME, has none.
    """
    windows = platform == "win32"
    home = home_folder(environ, platform)
    local = environ.get("LOCALAPPDATA", "")
    roaming = environ.get("APPDATA", "")
    data = environ.get("XDG_DATA_HOME", "") or _below(home, ".local", "share")
    library = _below(home, "Library", "Application Support") if platform == "darwin" else ""

    pyenv = environ.get("PYENV_ROOT", "") or (environ.get("PYENV", "") if windows else "")
    pyenv = pyenv or _below(home, ".pyenv", *(("pyenv-win",) if windows else ()))
    mise = environ.get("MISE_DATA_DIR") or _below(local if windows else data, "mise")
    asdf = environ.get("ASDF_DATA_DIR") or _below(home, ".asdf")
    rye = environ.get("RYE_HOME") or _below(home, ".rye")
    hatch = environ.get("HATCH_DATA_DIR") or _below(local if windows else library or data, "hatch")
    actions = environ.get("AGENT_TOOLSDIRECTORY") or environ.get("RUNNER_TOOL_CACHE") or ""

    found = [
        Place("pyenv", _below(pyenv, "versions")),
        Place("mise", _below(mise, "installs", "python")),
        Place("asdf", _below(asdf, "installs", "python")),
        *(Place("uv", folder) for folder in _uv_folders(environ, data, roaming, library, windows)),
        Place("rye", _below(rye, "py"), ("", "install")),
        Place("hatch", _below(hatch, "pythons"), None),
        Place("hatch", _below(hatch, "env", "virtual", ".pythons"), None),
        Place("setup-python", _below(actions, "Python"), None),
        Place("setup-python", _below(actions, "PyPy"), None, "pypy"),
        Place("setup-python", _below(actions, "GraalPy"), None, "graalpy"),
    ]
    if windows:
        found += [
            Place("python.org", _below(local, "Programs", "Python"), only_versions=True),
            Place("python.org", environ.get("ProgramFiles", ""), only_versions=True),
            Place("python.org", _below(local, "Python"), only_versions=True),
        ]
    found += _places_of_shims(environ)
    first: dict[str, Place] = {}
    for place in found:
        if place.folder:
            first.setdefault(os.path.normcase(place.folder), place)
    return list(first.values())


def _uv_folders(
    environ: Mapping[str, str], data: str, roaming: str, library: str, windows: bool
) -> list[str]:
    chosen = environ.get("UV_PYTHON_INSTALL_DIR")
    if chosen:
        return [chosen]
    if windows:
        return [_below(roaming, "uv", "python"), _below(roaming, "uv", "data", "python")]
    return [_below(data, "uv", "python"), _below(library, "uv", "python")]


def _places_of_shims(environ: Mapping[str, str]) -> Iterator[Place]:
    """The places beside folders of shims on PATH: a tool's variable is not always exported."""
    for folder in environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(folder) and _has_shims(folder):
            root = os.path.dirname(folder.rstrip("/\\"))
            for below in (("versions",), ("installs", "python"), ("py",)):
                place = Place("beside shims", os.path.join(root, *below), ("", "install"))
                if os.path.isdir(place.folder):
                    yield place


def home_folder(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """The user's folder, or an empty string where no variable tells it."""
    return environ.get("USERPROFILE" if platform == "win32" else "HOME", "")


def _below(folder: str, *names: str) -> str:
    return os.path.join(folder, *names) if folder else ""


def in_folders(
    environ: Mapping[str, str], wanted: Wanted | None = None, platform: str = sys.platform
) -> list[Found]:
    """The Pythons in folders of tools, active or not: final releases first, then the newest.

    wanted: leaves out, and does not look into, folders whose names do not fit.
    """
    found = [
        python
        for place in places(environ, platform)
        for name in sorted(_names(place.folder))
        for python in _in_folder(place, name, wanted, platform)
    ]
    return sorted(found, key=lambda each: (each.version.pre == FINAL, *each.version), reverse=True)


def _in_folder(place: Place, name: str, wanted: Wanted | None, platform: str) -> Iterator[Found]:
    named = _read_folder(name, place.implementation)
    if name.startswith(".") or "+debug" in name or (named is None and place.only_versions):
        return
    # What is in it may be a free-threaded build without the folder's name saying so.
    if named and wanted and not may_fit(wanted, named._replace(free_threaded=None)):
        return
    top = os.path.join(place.folder, name)
    if os.path.isfile(os.path.join(top, "pyvenv.cfg")):
        return  # pyenv-virtualenv keeps environments beside the Pythons
    if is_program(top):  # rye registers a Python of elsewhere by a link to its program
        yield named._replace(path=top) if named else _found_at(top)
        return
    for inner in place.inner or sorted(_names(top)):
        folder = os.path.join(top, inner)
        named_all = named
        if named and inner.endswith("-freethreaded"):  # setup-python: 3.13.0/x64-freethreaded
            named_all = named._replace(free_threaded=True)
        yield from _in_version_folder(folder, named_all, platform)


def _in_version_folder(folder: str, named: Found | None, platform: str) -> Iterator[Found]:
    if named is None:
        names = (*_program_names("cpython", UNKNOWN, None), *_program_names("pypy", UNKNOWN, None))
    else:
        names = _program_names(named.implementation, named.version, named.free_threaded)
    paths = [_program_path(folder, name, platform) for name in names]
    path = next(filter(is_program, paths), "")
    if path:
        yield named._replace(path=path) if named else _found_at(path)
    if platform == "win32" and named and len(named.version.release) > 1 and not named.free_threaded:
        # The installer of python.org puts the free-threaded build into the same folder.
        for name in _program_names("cpython", named.version, free_threaded=True)[:1]:
            path = _program_path(folder, name, platform)
            if is_program(path):
                yield named._replace(path=path, free_threaded=True)


def _program_path(folder: str, name: str, platform: str) -> str:
    if platform == "win32":
        return os.path.join(folder, f"{name}.exe")
    return os.path.join(folder, "bin", name)


def _read_folder(name: str, implementation: str) -> Found | None:
    """What the name of a Python's folder tells."""
    windows = re.fullmatch(_WINDOWS_FOLDER, name)
    if windows:
        return Found("", "cpython", make_version(f"{windows[1]}.{windows[2]}"), False)
    match = re.fullmatch(_FOLDER, name)
    if match is None:
        return None
    said, release, pre, mark, rest = match.groups()
    if said:
        implementation = said if said in ("pypy", "graalpy") else "cpython"
    version = make_version(release, pre)
    if implementation == "graalpy" and version.release[0] > 3:
        version = UNKNOWN  # GraalVM's, such as 24.1.0
    threaded = bool(mark) or "+freethreaded" in (rest or "")
    return Found("", implementation, version, threaded)
