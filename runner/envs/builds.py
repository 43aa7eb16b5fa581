"""Builds the wheel of a project: by its backend's hooks, in an environment that is kept for it.

PEP 517 asks for an environment that holds what the project's [build-system]
requires and nothing else. Making one costs several times what a build does, so
it stays in the environment folder: an environment like any other, with a
journal and a lock, made by the backend that makes the session's and filled by
its installer. Each project has its own, for each Python and backend.

Knows nothing of sessions, nor of where wheels are kept.
"""

from __future__ import annotations

import json
import os
import re

from runner.aside import keep
from runner.digests import sha256
from runner.envs import Policy, folder, load_backend
from runner.envs.build_system import BuildSystem, digest_of_build_files, read_build_system
from runner.envs.journal import site_listing
from runner.envs.judge import judge
from runner.envs.lock import Lock
from runner.envs.replay import Replay
from runner.envs.spec import NOTHING, make_env_spec
from runner.envs.wheels import Wheels
from runner.errors import EnvironmentBroken
from runner.record import Record
from runner.requirements import asks_anew, make_collector
from runner.requirements.local import content_of
from runner.running import Ingredient, InstallerCall, Step
from runner.settings import is_list
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from runner.envs import Backend
    from runner.envs.judge import Verdict
    from runner.envs.wheels import Asking
    from runner.requirements import SourceDigests
    from runner.running import Build, EnvSpec, Interpreter

    Kind = Literal["wheel", "sdist"]

_FORMAT = 1  # of what is remembered; another number: written by a runenv that means otherwise

_PROGRAM = os.path.join(os.path.dirname(__file__), "call_hook.py")

# What an installer does to builds by its variables and configuration, and what it
# does to installs and not to builds: where one of these is in force, the build is
# the installer's own. Of uv ("Settings" in its documentation) and of pip.
_OF_INSTALLER = (
    r"(?im)config[-_]settings?|(global|build)[-_]option|build[-_](constraint|isolation|dependencies|variables)"
    r"|(constraint|override|exclude)[-_]dependencies|^\s*(\[(tool\.uv\.)?pip\b|pip\s*[.=])"
)
# uv heeds these where it installs, and not for what a build requires.
_NOT_OF_BUILDS = tuple((name, None) for name in ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE"))

# Not `-m pip`: with --upgrade a step is handed that, which an uninstall does not know.
_UNINSTALL = (
    "import runpy, sys; sys.argv[1:] = ['uninstall', '--yes', 'setuptools', 'wheel'];"
    " runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)


class Planned(Record):
    """A build environment, and what preparing it would do."""

    path: str
    verdict: Verdict


class _Known(Record):
    """What is remembered of a build, as long as the build files are what they were."""

    files: str  # their digest
    system: BuildSystem
    installed: tuple[str, ...] = ()  # in the environment when the backend was asked
    beside: tuple[str, ...] = ()  # the same with what it asked for
    wants: tuple[str, ...] | None = None  # what that is; None: it was not asked


class Builds:
    """Builds wheels, in the build environments of one environment folder."""

    def __init__(self, envdir: str, environ: Mapping[str, str], sources: SourceDigests) -> None:
        """What it works with.

        environ: the caller's variables. sources: of what local folders hold.
        """
        self._envdir = envdir
        self._home = os.path.join(envdir, folder.BUILDS)
        self._environ = environ
        self._sources = sources
        self._made: set[str] = set()  # the environments that are as this run wants them

    def __call__(self, build: Build, out: str, asking: Asking) -> None:
        """The project's wheel is in the folder `out`."""
        if self._is_the_installers(build, asking.spec):
            asking.run_installer(
                InstallerCall(
                    argv=load_backend(asking.spec.backend).build_argv(
                        asking.environment, build, out
                    ),
                    kind="build",
                    show=build.shown,
                    path=asking.spec.path,
                    cwd=build.folder,
                    changes=asking.step.variables,
                    holds=asking.holds,
                )
            )
        elif build.sdist_first:
            sdist = os.path.join(out, "sdist")
            os.mkdir(sdist)
            self._make("sdist", build, build.folder, sdist, asking)
            self._make("wheel", build, _unpacked(sdist), out, asking)
        else:
            self._make("wheel", build, build.folder, out, asking)

    def plan(
        self, build: Build, spec: EnvSpec, step: Step, *, fresh: bool, upgrade: bool
    ) -> Planned | None:
        """The environment that a build would take; None where it takes none of ours.

        spec: of the environment that the wheel is for, step: what installs it there.
        """
        if self._is_the_installers(build, spec):
            return None
        kind: Kind = "sdist" if build.sdist_first else "wheel"
        name = _name(kind, build, spec.backend, spec.interpreter)
        system = self._known(name, build.folder, build).system
        own, _ = self._spec(name, build, spec.interpreter, spec, step, system)
        verdict, _ = judge(own, Policy(fresh, upgrade), Wheels(self._envdir))
        return Planned(own.path, verdict)

    def _is_the_installers(self, build: Build, spec: EnvSpec) -> bool:
        """Whether something is in force that only the installer's own build follows."""
        backend = load_backend(spec.backend)
        environ = outer_variables(self._environ)
        said = [
            *backend.installer_variables(environ),
            *backend.installer_config(environ, build.folder).values(),
        ]
        if re.search(_OF_INSTALLER, "\n".join(said)):
            return True
        return b"tool.uv.sources" in content_of(os.path.join(build.folder, "pyproject.toml"))

    def _make(self, kind: Kind, build: Build, tree: str, out: str, asking: Asking) -> None:
        """The backend has written an sdist or a wheel of the project in `tree` into `out`."""
        if os.path.islink(self._home):
            raise EnvironmentBroken(
                f"{self._home} stands where an environment belongs, and it is a link",
                mend="move it away; runenv deletes only what it made",
            )
        interpreter = asking.environment.interpreter
        name = _name(kind, build, asking.spec.backend, interpreter)
        known = self._known(name, tree, build)
        spec, backend = self._spec(name, build, interpreter, asking.spec, asking.step, known.system)
        os.makedirs(self._home, exist_ok=True)
        path = os.path.join(self._envdir, ".locks", folder.lock_name(f"{folder.BUILDS}/{name}"))
        lock = Lock(path, asking.on_wait)
        with lock:
            held = _Held(self, kind, build, tree, spec, backend, asking, lock)
            before = known
            try:
                known = held.prepare(known, is_new=name in self._made)
                self._made.add(name)
                # Not of a tree that is there for this build alone, nor of a backend that
                # is itself among the sources: it may ask for something else any time.
                if known != before and tree == build.folder and not known.system.folders:
                    self._remember(name, known)
                held.hook(f"build_{kind}", known.system, out)
            finally:
                held.close()

    def _spec(
        self,
        name: str,
        build: Build,
        interpreter: Interpreter,
        session: EnvSpec,
        step: Step,
        system: BuildSystem,
    ) -> tuple[EnvSpec, Backend]:
        """What a build environment should be before its backend is asked."""
        # conda's Python is in an environment already, and makes others as any Python does.
        backend_name = "uv" if session.backend == "conda" else session.backend
        backend = load_backend(backend_name)
        required = self.step_of(build, "build-system.requires", system.requires, step)
        path = os.path.join(self._home, name)
        spec = make_env_spec(
            name,
            NOTHING,
            root=build.folder,
            envdir=self._home,
            backend_name=backend_name,
            backend=backend,
            interpreter=interpreter,
            steps=(*_bare(path, backend_name, interpreter), *([required] if required else [])),
            environ=outer_variables(self._environ),
            hide=self._sources.of_secret,
        )
        return spec, backend

    def step_of(
        self, build: Build, label: str, requirements: tuple[str, ...], step: Step
    ) -> Step | None:
        """The install of what a build requires, with the variables of the session's; or None."""
        if not requirements:
            return None
        collector = make_collector(build.folder, sources=self._sources, environ=self._environ)
        collector.note(label, requirements)
        arguments = tuple(dict.fromkeys(collector.requirement(text) for text in requirements))
        own = tuple(ingredient for ingredient in step.ingredients if ingredient.label[0] == "$")
        return Step(
            arguments=arguments,
            ingredients=(*collector.ingredients(), *own),
            show=f"{' '.join(requirements)} to build {build.shown}",
            cwd=build.folder,
            variables=(*_NOT_OF_BUILDS, *step.variables),
            in_place=collector.in_place(),
            from_here=collector.from_here,
            asks_anew=asks_anew(arguments, collector),
        )

    # What is remembered. --------------------------------------------------------------

    def _known(self, name: str, tree: str, build: Build) -> _Known:
        """What is known of a project's build; read anew where the build files are others."""
        files = digest_of_build_files(tree)
        known = _read_known(self._memory(name))
        if known is not None and known.files == files:
            return known
        shown = "pyproject.toml" if build.shown == "." else f"{build.shown}/pyproject.toml"
        return _Known(files, read_build_system(tree, shown))

    def _remember(self, name: str, known: _Known) -> None:
        text = json.dumps({"format": _FORMAT, **known._asdict()}, separators=(",", ":"))
        keep(self._memory(name), text)

    def _memory(self, name: str) -> str:
        return os.path.join(self._envdir, ".cache", "builds", f"{name}.json")


class _Held:
    """One build environment while its lock is held, for one project."""

    def __init__(
        self,
        builds: Builds,
        kind: Kind,
        build: Build,
        tree: str,
        spec: EnvSpec,
        backend: Backend,
        asking: Asking,
        lock: Lock,
    ) -> None:
        self._builds = builds
        self._kind = kind
        self._build = build
        self._tree = tree
        self._spec = spec
        self._backend = backend
        self._asking = asking
        self._lock = lock
        self._replays: list[Replay] = []

    def prepare(self, known: _Known, *, is_new: bool) -> _Known:
        """The environment holds what the build requires; what is known of it now."""
        asking, path = self._asking, self._spec.path
        policy = asking.policy._replace(is_new=is_new, no_install=False, upgrade_package=())
        replay = self._replay(policy)
        is_known = is_new or not (asking.policy.fresh or asking.policy.upgrade)
        # Another version of the backend may ask for something else.
        installed = (known.installed, known.beside)
        if known.wants is None or not is_known or _installed(path) not in installed:
            # It is asked where nothing is that it asked for before.
            replay.end()
            there, before = _installed(path), site_listing(path)
            known = known._replace(installed=there, wants=self._ask(known.system))
            if site_listing(path) != before:
                replay = self._replay(policy._replace(is_new=True))
        wanted = self._builds.step_of(
            self._build, "asked for by the build backend", known.wants or (), asking.step
        )
        if wanted is not None:
            replay.step(wanted)
        replay.before_command()
        return known._replace(beside=_installed(path))

    def _replay(self, policy: Policy) -> Replay:
        # It builds no wheels: a project that a build requires is the installer's to build.
        wheels = Wheels(os.path.dirname(self._spec.path))
        replay = Replay(
            self._spec,
            self._backend,
            policy,
            wheels,
            self._run,
            self._asking.on_wait,
            self._asking.store,
        )
        self._replays.append(replay)
        replay.prepare()
        return replay

    def close(self) -> None:
        """What goes on beside the build has ended."""
        for replay in self._replays:
            replay.close()

    def _ask(self, system: BuildSystem) -> tuple[str, ...]:
        """What the backend asks for in addition to what the project's table requires."""
        home, name = os.path.split(self._spec.path)
        answer = os.path.join(home, f".answer-{name}.json")
        hook = f"get_requires_for_build_{self._kind}"
        try:
            self.hook(hook, system, answer)
            wants = _strings_of(_read_json(answer))
        finally:
            if os.path.exists(answer):
                os.unlink(answer)
        if wants is None:
            raise EnvironmentBroken(
                f"the build backend {system.backend} answers {hook} with no list of strings",
                mend="mend the backend",
            )
        return wants

    def hook(self, hook: str, system: BuildSystem, out: str) -> None:
        """Call a hook of the backend, in the project's folder."""
        folders = [os.path.normpath(os.path.join(self._tree, f)) for f in system.folders]
        python = folder.python_in(self._spec.path)
        changes = self._asking.step.variables
        if self._tree != self._build.folder:
            # An sdist has no history: that of the project above it is not its own.
            changes = (*changes, ("GIT_CEILING_DIRECTORIES", os.path.dirname(self._tree)))
        self._run(
            InstallerCall(
                argv=(python, _PROGRAM, hook, system.backend, out, *folders),
                kind="build",
                show=self._build.shown
                if hook.startswith("build_")
                else f"{self._build.shown} (what it needs)",
                path=self._spec.path,
                cwd=self._tree,
                changes=changes,
            )
        )

    def _run(self, call: InstallerCall) -> None:
        # What we leave behind when we are killed keeps others out of the environment.
        holds = (*self._asking.holds, *self._lock.descriptors, *call.holds)
        self._asking.run_installer(call._replace(holds=holds))


def _name(kind: Kind, build: Build, backend: str, interpreter: Interpreter) -> str:
    """The name of a build environment's folder: that of the project first, for people."""
    minor = ".".join(interpreter.version.split(".")[:2])
    own = "\0".join((kind, build.folder, backend, interpreter.real_path))
    digest = sha256(own.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    # So short and plain that it is a folder's name as it is; hidden ones are ours.
    project = re.sub(r"[^a-z0-9._+-]", "_", os.path.basename(build.folder).lower())[:40]
    return f"{project.lstrip('.-') or 'project'}-{minor}-{digest}"


def _bare(path: str, backend: str, interpreter: Interpreter) -> tuple[Step, ...]:
    """What makes an environment hold nothing: what a build does not require is not there."""
    if backend == "uv" or tuple(map(int, interpreter.version.split(".")[:2])) >= (3, 12):
        return ()
    # virtualenv and venv put setuptools, and once wheel, into those of older Pythons.
    return (
        Step(
            arguments=(),
            ingredients=(Ingredient("uninstall", "setuptools\nwheel"),),
            show="pip alone",
            cwd=os.path.dirname(path),
            program=(folder.python_in(path), "-I", "-c", _UNINSTALL),
        ),
    )


def _installed(path: str) -> tuple[str, ...]:
    """The distributions in the environment in `path`, with their versions."""
    names = (name for site in folder.site_packages(path) for name in os.listdir(site))
    return tuple(sorted(name for name in names if name.endswith((".dist-info", ".egg-info"))))


def _unpacked(place: str) -> str:
    """The folder of the sdist that lies in the folder `place`, unpacked there.

    Raises EnvironmentBroken for what is no sdist (PEP 517, "build_sdist").
    """
    import tarfile  # 8 ms that only a build from an sdist costs

    names = os.listdir(place)
    found = [name for name in names if name.endswith(".tar.gz")]
    shown = ", ".join(sorted(names)) or "nothing"
    mend = "the project's build backend made it; its output is shown with --verbose"
    if len(found) != 1:
        raise EnvironmentBroken(f"{shown} is no sdist: one .tar.gz is", mend=mend)
    try:
        with tarfile.open(os.path.join(place, found[0]), "r:gz") as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(place, filter="data")
            else:  # before 3.10.12 and 3.11.4; the project is trusted, it is built
                archive.extractall(place)  # noqa: S202
    except (OSError, EOFError, tarfile.TarError) as error:
        raise EnvironmentBroken(f"{shown} is no sdist: {error}", mend=mend) from None
    tree = os.path.join(place, found[0].removesuffix(".tar.gz"))
    if not os.path.isdir(tree):
        raise EnvironmentBroken(
            f"{shown} is no sdist: it has no folder {os.path.basename(tree)}", mend=mend
        )
    return tree


def _read_known(path: str) -> _Known | None:
    """What was remembered; None for what has another shape."""
    data = _read_json(path)
    try:
        requires, backend, folders = data["system"]
        texts = [_strings_of(t) for t in (requires, folders, data["installed"], data["beside"])]
        wants = _strings_of(data["wants"])
        if data["format"] != _FORMAT or None in (*texts, wants):
            return None
        system = BuildSystem(texts[0] or (), str(backend), texts[1] or ())
        return _Known(str(data["files"]), system, texts[2] or (), texts[3] or (), wants)
    except (KeyError, TypeError, ValueError):
        return None


def _read_json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as stream:
            return json.loads(stream.read())
    except (OSError, ValueError, RecursionError):
        return None


def _strings_of(value: object) -> tuple[str, ...] | None:
    """A list of strings; None for anything else."""
    if not is_list(value) or not all(isinstance(word, str) for word in value):
        return None
    return tuple(map(str, value))
