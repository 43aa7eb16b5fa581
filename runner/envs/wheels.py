"""Wheels of local projects: each content built once, whichever environments install it.

Kept in the environment folder by the digest of all that a build reads, so that
ten sessions install one file and an unchanged project is not built at all. A
pure wheel serves every Python, any other the one that it was built with.

Knows nothing of sessions, nor of how a project is built: what builds is handed in.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager, suppress

from runner.aside import write_aside
from runner.digests import sha256
from runner.envs.lock import Lock
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.requirements.groups import normal_name
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from runner.envs import Policy
    from runner.envs.store import Store
    from runner.running import Build, Environment, EnvSpec, Interpreter, RunInstaller, Step

    Builder = Callable[[Build, str, "Asking"], None]

# What any Python 3 can install (platform compatibility tags specification).
_PURE = ("-py3-none-any.whl", "-py2.py3-none-any.whl")

# Of each project. An environment is rebuilt from what is kept, and going back
# and forth between a few states of the sources (a bisection, two branches) is common.
_KEPT = 10


def _no_marks(_folder: str, _digest: str) -> dict[str, str]:
    return {}


class Asking(Record):
    """For what a wheel is built, and how what that takes is run."""

    spec: EnvSpec  # of the environment that it will be installed into
    environment: Environment
    step: Step  # that installs it
    run_installer: RunInstaller
    on_wait: Callable[[str], None]  # told who else builds the same project, before waiting
    policy: Policy
    holds: tuple[int, ...] = ()  # descriptors of locks, for all that builds it
    store: Store | None = None  # what a build environment is linked from


def _no_builder() -> Builder:
    raise AssertionError("nothing was handed in that builds")


class Wheels:
    """The wheels that are kept in one environment folder."""

    def __init__(
        self,
        envdir: str,
        *,
        again_since_s: float = 0.0,
        marks: Callable[[str, str], dict[str, str]] = _no_marks,
        make_builder: Callable[[], Builder] = _no_builder,
    ) -> None:
        """again_since_s: what was built before is not good enough (--fresh, --upgrade).

        marks: of each source of a folder a mark that changes with it, where the
        digest of all of them is the one that is given.

        make_builder: called when something is to be built for the first time. What it
        makes builds the wheel of a project into a folder, and raises where that fails.
        """
        self._home = os.path.join(envdir, ".wheels")
        self._locks = os.path.join(envdir, ".locks")
        self._again_since_s = again_since_s
        self._marks = marks
        self._make_builder = make_builder
        self._builder: Builder | None = None

    def provide(self, build: Build, asking: Asking) -> str:
        """The path of the wheel, built now where it was not before."""
        places = self._places(build, asking.environment.interpreter)
        found = self._find(places)
        if found:
            with suppress(OSError):  # when it was last used: the oldest are forgotten
                os.utime(os.path.dirname(os.path.dirname(found)))
            self._note_sources(build, os.path.dirname(os.path.dirname(found)))
            return found
        os.makedirs(self._locks, exist_ok=True)
        lock = Lock(os.path.join(self._locks, f".wheels-{_short(build.folder)}"), asking.on_wait)
        with lock:
            found = self._find(places)  # by whom we waited for
            if found:
                return found
            aside = os.path.join(self._home, f".new-{_short(build.folder)}")
            remove_tree(aside)
            os.makedirs(aside)
            # setuptools puts into a wheel what an earlier build left in build/lib, of
            # modules that are long deleted too. What is not from us stays, and the
            # wheel is built from the sdist instead, in a folder of its own.
            left = _leftovers(build.folder)
            try:
                asked = build._replace(sdist_first=build.sdist_first or bool(left))
                if self._builder is None:
                    self._builder = self._make_builder()
                self._builder(asked, aside, asking._replace(holds=lock.descriptors))
                wheel = _only_wheel(aside, build)
                _clear_up(build.folder, _leftovers(build.folder) - left)
                place = places.pure if wheel.endswith(_PURE) else places.own
                _put(os.path.join(aside, wheel), place)
            finally:
                remove_tree(aside)
            self._note_sources(build, os.path.dirname(place))
            _forget_old(os.path.dirname(os.path.dirname(place)))
        return os.path.join(place, wheel)

    def note_use(self, build: Build, interpreter: Interpreter) -> None:
        """The wheel was installed, by a link: it is not among those that nobody uses."""
        found = self._find(self._places(build, interpreter))
        if found:
            with suppress(OSError):
                os.utime(os.path.dirname(os.path.dirname(found)))

    def has(self, build: Build, interpreter: Interpreter) -> bool:
        """Whether nothing would have to be built."""
        return bool(self._find(self._places(build, interpreter)))

    # Which sources changed. ------------------------------------------------------------

    def _note_sources(self, build: Build, content: str) -> None:
        """Keep beside a wheel which sources it was built from, to tell later what changed."""
        label = f"sources of {build.shown} "
        digest = next((t.removeprefix(label) for t in build.content if t.startswith(label)), "")
        file = os.path.join(content, _sources_file(digest))
        if digest and not os.path.exists(file):
            marks = self._marks(build.folder, digest)
            with suppress(OSError):
                write_aside(file, json.dumps(marks, separators=(",", ":")))

    def changed_sources(self, folder: str, was: str, now: str) -> list[str]:
        """`src/mine.py`, `+src/new.py`, `-src/old.py` between two digests of a folder's sources.

        Empty where one of them is not known any more.
        """
        project = os.path.join(self._home, _short(folder))
        old = next(filter(None, (_read_marks(project, c, was) for c in _names(project))), None)
        new = self._marks(folder, now) if old else None
        if not old or not new:
            return []
        return [
            *(name for name in sorted(old) if name in new and old[name] != new[name]),
            *(f"+{name}" for name in sorted(new.keys() - old.keys())),
            *(f"-{name}" for name in sorted(old.keys() - new.keys())),
        ]

    def _find(self, places: _Places) -> str:
        """The path of the wheel that was built of this content; empty where none was."""
        for place in places:
            try:
                names = os.listdir(place)
            except OSError:
                continue
            for name in names:
                path = os.path.join(place, name)
                # By the file's time: others of the run may have built it in their process.
                if name.endswith(".whl") and os.stat(path).st_mtime >= self._again_since_s:
                    return path
        return ""

    def _places(self, build: Build, interpreter: Interpreter) -> _Places:
        own = _short(interpreter.real_path, interpreter.build, interpreter.platform)
        kind = "sdist" if build.sdist_first else "tree"
        content = os.path.join(self._home, _short(build.folder), _short(kind, *build.content))
        return _Places(pure=os.path.join(content, "any"), own=os.path.join(content, own))


def _sources_file(digest: str) -> str:
    return f"sources-{_short(digest)}.json"


def _read_marks(project: str, content: str, digest: str) -> dict[str, str]:
    try:
        with open(os.path.join(project, content, _sources_file(digest)), "rb") as stream:
            data = json.loads(stream.read())
        return {str(name): str(mark) for name, mark in data.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}  # it tells less, and decides nothing


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


class _Places(Record):
    """Where the wheel of one content lies."""

    pure: str
    own: str  # that of one interpreter


def _put(wheel: str, place: str) -> None:
    """The wheel is the only one in its place."""
    os.makedirs(place, exist_ok=True)
    for name in os.listdir(place):  # another version of the same content: built at another commit
        if name != os.path.basename(wheel):
            os.unlink(os.path.join(place, name))
    os.replace(wheel, os.path.join(place, os.path.basename(wheel)))


def requirement(build: Build, wheel: str) -> str:
    """What asks an installer for the wheel (PEP 508): `mine[more] @ file:///…`."""
    from urllib.parse import quote  # 4 ms that only those who build pay

    name = os.path.basename(wheel).partition("-")[0]
    extras = f"[{','.join(build.extras)}]" if build.extras else ""
    path = quote(wheel.replace(os.sep, "/"))
    return f"{name}{extras} @ file://{'' if path.startswith('/') else '/'}{path}"


def named_in(wheel: str, extras: tuple[str, ...]) -> tuple[str, ...]:
    """What the wheel's metadata requires with these extras, each as PEP 508 has it."""
    lines = (line.partition(":") for line in needs_of(wheel))
    required = [t.strip() for field, _, t in lines if field.lower() == "requires-dist"]
    given = _with_own(extras, required, os.path.basename(wheel).partition("-")[0])

    def asked_for(found: re.Match[str]) -> str:
        # Nobody but the wheel has extras: in their place stands what is so, or never is.
        return f"python_version {'>=' if normal_name(found[2]) in given else '<'} '0'"

    return tuple(re.sub(_EXTRA, asked_for, text) for text in required)


_EXTRA = r"extra\s*==\s*(['\"])(.*?)\1"


def _with_own(extras: tuple[str, ...], required: list[str], name: str) -> set[str]:
    """The extras, and those of the same project that they name: `mine[docs]; extra == 'all'`."""
    own = [
        (found[2].split(","), [extra for _, extra in re.findall(_EXTRA, text)])
        for text in required
        if (found := re.match(r"([\w.-]+)\s*\[(.*?)\]", text))
        and normal_name(found[1]) == normal_name(name)
    ]
    given = {normal_name(extra) for extra in extras}
    for _ in own:  # so often one may lead to the next
        for named, by in own:
            if not by or given & set(map(normal_name, by)):
                given |= {normal_name(one.strip()) for one in named}
    return given


def needs_of(wheel: str) -> tuple[str, ...]:
    """What decides in a wheel's metadata what else is installed, in the order it has.

    Name, version, required Python, requirements, extras (core metadata
    specification). Raises EnvironmentBroken for a file that is no wheel.
    """
    from zipfile import BadZipFile, ZipFile  # 10 ms that only a changed project costs

    try:
        with ZipFile(wheel) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            return _needs_in(archive.read(name).decode("utf-8", "replace"))
    except (OSError, BadZipFile, StopIteration, KeyError) as error:
        raise EnvironmentBroken(
            f"{os.path.basename(wheel)} is no wheel: {error}",
            mend="the project's build made it; run again with --fresh",
        ) from None


def needs_installed(wheel: str, site_packages: list[str]) -> tuple[str, ...]:
    """The same of the distribution that is installed under the wheel's name; or empty."""
    name, version = os.path.basename(wheel).split("-")[:2]
    for folder in site_packages:
        path = os.path.join(folder, f"{name}-{version}.dist-info", "METADATA")
        with suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
            return _needs_in(stream.read())
    return ()


_FIELDS = ("name", "version", "requires-python", "requires-dist", "provides-extra")


def _needs_in(metadata: str) -> tuple[str, ...]:
    # Core metadata has the format of an email, whose parser takes 12 ms to import.
    headers = metadata.replace("\r\n", "\n").partition("\n\n")[0]
    lines = re.sub(r"\n(?=[ \t])", "", headers).splitlines()
    return tuple(line for line in lines if line.partition(":")[0].lower() in _FIELDS)


def _leftovers(project: str) -> set[str]:
    """What setuptools has left of a build in a project, as names in its build/."""
    try:
        names = os.listdir(os.path.join(project, "build"))
    except OSError:
        return set()
    return {name for name in names if name.partition(".")[0] in ("lib", "bdist", "temp")}


def _clear_up(project: str, names: set[str]) -> None:
    """Take away what our build has left, so that the next one begins as this one did."""
    folder = os.path.join(project, "build")
    for name in names:
        remove_tree(os.path.join(folder, name))
    with suppress(OSError):  # it is not empty, or not there
        os.rmdir(folder)


SETUPTOOLS = "setuptools.cfg"  # in an environment: named by $DIST_EXTRA_CONFIG

_BUILD_BASE = "build/runenv"  # below the project: several may be built in one install


@contextmanager
def builds_of_its_own(path: str, projects: tuple[str, ...]) -> Generator[None]:
    """What is installed within takes nothing of an earlier build of these projects.

    setuptools builds in the project's build/ and leaves there what it made; where
    it shall build instead is said by a file of the environment in `path`
    ("$DIST_EXTRA_CONFIG" in setuptools from 62 on).
    """
    if not projects:
        yield
        return
    folders = [os.path.join(project, *_BUILD_BASE.split("/")) for project in projects]
    with open(os.path.join(path, SETUPTOOLS), "w", encoding="utf-8") as stream:
        stream.write(f"[build]\nbuild_base = {_BUILD_BASE}\n")
    for folder in folders:
        remove_tree(folder)  # of an install that was killed
    try:
        yield
    finally:
        for folder in folders:
            remove_tree(folder)
            with suppress(OSError):  # it is not empty, or not there
                os.rmdir(os.path.dirname(folder))


def _only_wheel(folder: str, build: Build) -> str:
    wheels = [name for name in os.listdir(folder) if name.endswith(".whl")]
    if len(wheels) != 1:
        raise EnvironmentBroken(
            f"the build of {build.folder} made {len(wheels)} wheels",
            mend="its output is shown with --verbose",
        )
    return wheels[0]


def _forget_old(project: str) -> None:
    """Keep the newest contents of a project."""

    def age(name: str) -> float:
        return os.stat(os.path.join(project, name)).st_mtime

    try:
        old = sorted(os.listdir(project), key=age, reverse=True)[_KEPT:]
    except OSError:
        return  # another run clears up too
    for name in old:
        remove_tree(os.path.join(project, name))


def _short(*texts: str) -> str:
    return sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
