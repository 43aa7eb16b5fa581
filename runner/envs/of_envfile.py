"""The environment of an envfile that names packages of its own: its `# /// script` block.

PEP 723, for the envfile itself: what it imports, and not what its sessions use.
Made with the Python that runs runenv, whose `sys.path` it is appended to. Knows
nothing of jobs; loaded for an envfile with such a block alone.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from runner.envs import Policy, choose_backend, folder
from runner.envs.installing import as_command
from runner.envs.interpreters import describe, find
from runner.envs.judge import judge
from runner.envs.lock import Lock
from runner.envs.open_store import open_store
from runner.envs.replay import Replay
from runner.envs.spec import NOTHING, make_env_spec
from runner.envs.store_places import store_home
from runner.envs.wheels import Wheels
from runner.errors import EnvfileError, EnvironmentBroken, JobError, Mistake
from runner.process import run
from runner.pyproject import script_block
from runner.requirements import SourceDigests
from runner.requirements.script import script_step
from runner.settings import envdir_in
from runner.surroundings import outer_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.envs import Backend
    from runner.envs.store import Store
    from runner.envs.wheels import Builder
    from runner.model import Settings
    from runner.running import EnvSpec, InstallerCall

_BACKENDS = ("uv", "virtualenv", "venv")  # those that take the Python they are given


def packages_of(
    envfile: str,
    source: bytes,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    may_install: bool,
    without: tuple[str, ...] = (),
    home: str = "",
    prefix: str = "",
) -> list[str]:
    """The folders that hold what the envfile's block asks for, made now where they are not there.

    Empty where it asks for nothing, or where nothing may be installed and it is
    not there. without: packages that are here already. home: the folder of the envfile that
    includes this one, with this prefix. Raises EnvfileError for what
    cannot be provided.
    """
    block = script_block(source.decode("utf-8-sig", "replace"))
    home = home or os.path.dirname(envfile)
    shown = os.path.relpath(envfile, home)
    try:
        _check_python(block, shown)
        envdir = envdir_in(home, settings)
        name = folder.folder_of_envfile(prefix)
        wanted = _spec_of(envfile, envdir, name, settings, environ, without)
        if wanted is None:
            return []
        spec, backend, wheels = wanted
        if judge(spec, Policy(), wheels)[0].state != "reused":
            if not may_install:
                return []
            told = shown if not settings.quiet else ""
            store = open_store(store_home(settings.store, envdir, environ), settings)
            _make(spec, backend, wheels, environ, told, store)
    except JobError as error:
        raise EnvfileError([Mistake(shown, error.what, error.mend)]) from None
    return folder.site_packages(spec.path)


def _check_python(block: str, shown: str) -> None:
    if "requires-python" not in block:
        return
    if sys.version_info >= (3, 11):
        import tomllib  # this and the next are what only such a block costs
    else:
        import tomli as tomllib

    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        text = tomllib.loads(block).get("requires-python", "")
    except tomllib.TOMLDecodeError:
        return  # said when its dependencies are read
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        fits = SpecifierSet(text).contains(version, prereleases=True)
    except (InvalidSpecifier, TypeError, AttributeError):
        raise EnvironmentBroken(
            f"requires-python of the script block cannot be {text!r}",
            mend='write # requires-python = ">=3.12"',
        ) from None
    if not fits:
        raise EnvironmentBroken(
            f"{shown} needs Python {text}, and runenv runs on {version}",
            mend="run runenv with a Python that fits; for sessions alone write python= instead",
        )


def _spec_of(
    envfile: str,
    envdir: str,
    name: str,
    settings: Settings,
    environ: Mapping[str, str],
    without: tuple[str, ...],
) -> tuple[EnvSpec, Backend, Wheels] | None:
    """What the environment should be; None where the block names no dependencies."""
    root = os.path.dirname(envfile)
    sources = SourceDigests(environ, key=partial(folder.read_key, envdir))
    step = script_step(
        os.path.basename(envfile),
        cwd=root,
        root=root,
        sources=sources,
        environ=environ,
        without=without,
    )
    if step is None:
        return None
    home = store_home(settings.store, envdir, environ)
    store = open_store(home, settings)
    if store is not None:
        store.make()
    folder.make_envdir(envdir, root, home)
    asked = [name.strip() for name in settings.backend.split("|")]
    chain = [name for name in asked if name in _BACKENDS] or _BACKENDS[:2]
    backend_name, backend = choose_backend("|".join(chain))
    backend.check_arguments(step.arguments)
    spec = make_env_spec(
        name,
        NOTHING,
        root=root,
        envdir=envdir,
        backend_name=backend_name,
        backend=backend,
        interpreter=find(None, cache_dir=os.path.join(envdir, ".cache")),
        steps=(step,),
        environ=outer_variables(environ),
        hide=sources.of_secret,
    )

    def make_builder() -> Builder:
        from runner.envs.builds import Builds  # 1.5 ms that only a build costs

        return Builds(envdir, environ, sources)

    return spec, backend, Wheels(envdir, marks=sources.marks, make_builder=make_builder)


def _make(
    spec: EnvSpec,
    backend: Backend,
    wheels: Wheels,
    environ: Mapping[str, str],
    shown: str,
    store: Store | None,
) -> None:
    """The environment is there; whoever makes it at the same time is waited for."""

    def tell(text: str) -> None:
        if shown:
            print(f"{shown}: {text}", file=sys.stderr, flush=True)

    def run_installer(call: InstallerCall) -> None:
        if call.kind == "install" and not call.may_fail:
            tell(f"install {call.show} ({describe(spec.interpreter)})")
        outer = outer_variables(environ)
        finished = run(as_command(call, outer, lock.descriptors, captured=True))
        if finished.returncode:
            raise EnvironmentBroken(
                f"what its script block asks for cannot be installed: {call.show or call.kind}",
                mend=finished.stdout.rstrip(),
            )

    def tell_wait(holder: str) -> None:
        tell(f"waiting for {holder}, which installs the same")

    locks = os.path.join(os.path.dirname(spec.path), ".locks")
    lock = Lock(os.path.join(locks, os.path.basename(spec.path)), tell_wait)
    with lock:
        replay = Replay(spec, backend, Policy(), wheels, run_installer, tell_wait, store, tell)
        try:
            replay.prepare()
        finally:
            replay.close()
            if store is not None:
                store.close()
