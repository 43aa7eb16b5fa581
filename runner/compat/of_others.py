"""`nox_uv` and `nox_poetry`: what noxfiles import beside nox, where it maps to what we have."""

from __future__ import annotations

import functools
import os
import sys

from runner.compat.session import Session
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from runner.compat.declared import Declarations

# nox_uv. -------------------------------------------------------------------------------

_SYNC: Mapping[str, Any] = {
    "uv_groups": (),
    "uv_extras": (),
    "uv_only_groups": (),
    "uv_all_extras": False,
    "uv_no_extras": (),
    "uv_all_groups": False,
    "uv_no_groups": (),
    "uv_no_install_project": False,
    "uv_sync_locked": True,
    "uv_quiet": False,
    "uv_packages": (),
    "uv_all_packages": False,
}
_MAPPED = ("uv_groups", "uv_extras", "uv_only_groups", "uv_quiet")


def session_of_nox_uv(declarations: Declarations) -> Callable[..., Any]:
    """`nox_uv.session`."""

    def session(*args: Any, **options: Any) -> Any:
        sync = {**_SYNC, **{name: options.pop(name) for name in list(options) if name in _SYNC}}
        return declarations.session(*args, **options, sync=sync)

    return session


def needs_of_sync(sync: Mapping[str, Any] | None, root: str) -> dict[str, Any] | None:
    """What the environment is made of, declared; None where only `uv sync` itself can say."""
    if sync is None or any(sync[name] != _SYNC[name] for name in _SYNC if name not in _MAPPED):
        return None
    if not os.path.isfile(os.path.join(root, "uv.lock")):
        return None  # uv says best what is wrong
    only = tuple(sync["uv_only_groups"])
    if only and (sync["uv_groups"] or sync["uv_extras"]):
        return None
    if only:
        return {"lock": "uv", "groups": only}
    try:
        with open(os.path.join(root, "pyproject.toml"), "rb") as stream:
            is_package = b"[build-system]" in stream.read()
    except OSError:
        return None
    if not is_package:
        return None
    return {
        "lock": "uv",
        "groups": tuple(sync["uv_groups"]),
        "extras": tuple(sync["uv_extras"]),
        "project": "editable",
    }


def sync(session: Session, said: Mapping[str, Any]) -> None:
    """The environment holds what uv.lock says, by `uv sync`."""
    words = [f"--group={name}" for name in said["uv_groups"]]
    words += [f"--extra={name}" for name in said["uv_extras"]]
    words += [f"--only-group={name}" for name in said["uv_only_groups"]]
    if said["uv_all_groups"]:
        words += ["--all-groups", *(f"--no-group={name}" for name in said["uv_no_groups"])]
    if said["uv_all_extras"]:
        words += ["--all-extras", *(f"--no-extra={name}" for name in said["uv_no_extras"])]
    if said["uv_no_install_project"]:
        words.append("--no-install-project")
    words += [f"--package={name}" for name in said["uv_packages"]]
    if said["uv_all_packages"]:
        words.append("--all-packages")
    if session.venv_backend != "uv":
        if words:
            session.error("the uv_ arguments of nox_uv.session need venv_backend='uv'")
        return
    flags = ["--locked"] if said["uv_sync_locked"] else []
    flags += ["--quiet"] if said["uv_quiet"] else []
    session.run_install("uv", "sync", "--no-default-groups", *flags, *words)


# nox_poetry. ---------------------------------------------------------------------------


class PoetrySession(Session):
    """A session whose installs keep to the versions of poetry.lock."""

    @property
    def poetry(self) -> _Poetry:
        """What nox_poetry offers beside `install`."""
        return _Poetry(self)

    def install(self, *args: Any, **options: Any) -> None:
        """Install what pip's arguments ask for, in the versions of poetry.lock."""
        file = _constraints(self)
        super().install(*args, *(("--constraint", str(file)) if file else ()), **options)


class _Poetry:
    def __init__(self, session: PoetrySession) -> None:
        self.session = session

    def installroot(self, distribution_format: str = "wheel", extras: tuple[str, ...] = ()) -> None:  # noqa: ARG002  # a wheel is built of either
        """Install the project."""
        wanted = f".[{','.join(extras)}]" if extras else "."
        self.session.install(wanted)

    def export_requirements(self) -> Path:
        """A file with the versions of poetry.lock."""
        file = _constraints(self.session)
        if file is None:
            self.session.error("there is no poetry.lock to export")
        return file


def _constraints(session: Session) -> Path | None:
    """A file with the version of each package that poetry.lock has once; None without a lock."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    lock = os.path.join(os.path.dirname(session.runner.global_config.noxfile), "poetry.lock")
    try:
        with open(lock, "rb") as stream:
            packages: list[dict[str, Any]] = tomllib.load(stream).get("package", [])
    except OSError:
        return None
    versions: dict[str, set[str]] = {}
    for package in packages:
        # One that comes from elsewhere than an index has no version to ask for.
        if "source" not in package:
            versions.setdefault(package["name"], set()).add(package["version"])
    lines = [f"{name}=={min(found)}\n" for name, found in versions.items() if len(found) == 1]
    file = session.cache_dir / "poetry-constraints.txt"
    file.write_text("".join(sorted(lines)), encoding="utf-8")
    return file


def session_of_nox_poetry(declarations: Declarations) -> Callable[..., Any]:
    """`nox_poetry.session`."""

    def session(*args: Any, **options: Any) -> Any:
        if not args:
            return functools.partial(session, **options)
        [function] = args

        @functools.wraps(function)
        def with_poetry(nox_session: Session, *values: Any, **more: Any) -> Any:
            return function(PoetrySession(nox_session.runner), *values, **more)

        return declarations.session(with_poetry, **options)

    return session
