"""`nox.options`: what a noxfile may assign, and what it means as settings of ours."""

from __future__ import annotations

import os

from runner.compat.declared import listed
from runner.errors import did_you_mean
from runner.model import BY_DEFAULT
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_DEFAULTS: Mapping[str, Any] = {
    "allow_parallel": False,
    "default_venv_backend": "virtualenv",
    "download_python": None,
    "envdir": ".nox",
    "error_on_external_run": False,
    "error_on_missing_interpreters": False,
    "force_venv_backend": None,
    "keywords": None,
    "parallel": None,
    "pythons": None,
    "report": None,
    "reuse_existing_virtualenvs": None,
    "reuse_venv": "no",
    "sessions": None,
    "stop_on_first_error": False,
    "tags": None,
    "verbose": False,
}
_LISTS = ("sessions", "pythons", "tags")
_FLAGS = {
    "allow_parallel",
    "error_on_external_run",
    "error_on_missing_interpreters",
    "stop_on_first_error",
    "verbose",
}
REUSE = ("no", "yes", "never", "always")


class Options:
    """`nox.options`: every name that nox has, with nox's defaults."""

    def __init__(self) -> None:
        self.__dict__["said"] = {}
        # Something can be appended before anything was assigned.
        self.__dict__["grown"] = {name: [] for name in _LISTS}

    def __getattr__(self, name: str) -> Any:
        said: dict[str, Any] = self.__dict__["said"]
        if name in said:
            return said[name]
        if name in _LISTS:
            return self.__dict__["grown"][name]
        if name in _DEFAULTS:
            return _DEFAULTS[name]
        raise AttributeError(_no_option(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _DEFAULTS:
            raise AttributeError(_no_option(name))
        if name in _LISTS:
            if value is self.__dict__["grown"][name]:
                return
            value = None if value is None else listed(value)
        if name == "reuse_venv" and value not in REUSE:
            raise ValueError(
                f"nox.options.reuse_venv cannot be {value!r}: it is {', '.join(REUSE)}"
            )
        if name in _FLAGS and not isinstance(value, bool):
            raise ValueError(f"nox.options.{name} cannot be {value!r}: it is True or False")
        self.__dict__["said"][name] = value

    def __dir__(self) -> list[str]:
        return sorted(_DEFAULTS)

    @property
    def chosen(self) -> dict[str, Any]:
        """What the noxfile has decided."""
        grown = {name: words for name, words in self.__dict__["grown"].items() if words}
        return {**grown, **self.__dict__["said"]}


def _no_option(name: str) -> str:
    near = did_you_mean(name, list(_DEFAULTS))
    return f"nox.options has no {name!r}" + (f"; {near}" if near else "")


# nox's names of backends, with ours.
_BACKENDS = {"mamba": "conda", "micromamba": "conda", "rattler": "conda"}


def backend_of(chain: str) -> str:
    """Nox's backend, or chain of them, in our names."""
    names = [_BACKENDS.get(name.strip(), name.strip()) for name in chain.split("|")]
    return "|".join(dict.fromkeys(names))


def envdir_in(of_nox: str) -> str:
    """Where environments are: in nox's folder, which projects and their tools ignore already."""
    return os.path.join(of_nox, ".runenv")


def as_settings(
    chosen: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Our settings that the options and nox's variables stand for, and who has said each."""
    values: dict[str, object] = {}
    origins: dict[str, str] = {}

    def take(name: str, value: object, origin: str) -> None:
        values[name], origins[name] = value, origin

    # nox skips what has no interpreter, but where CI is set.
    take("skip_missing", "CI" not in environ, BY_DEFAULT)
    take("envdir", envdir_in(".nox"), BY_DEFAULT)
    if "error_on_missing_interpreters" in chosen:
        strict = chosen["error_on_missing_interpreters"]
        take("skip_missing", not strict, "nox.options.error_on_missing_interpreters")
    if chosen.get("pythons"):
        take("python", tuple(chosen["pythons"]), "nox.options.pythons")
    if chosen.get("envdir") is not None:
        take("envdir", envdir_in(str(chosen["envdir"])), "nox.options.envdir")
    if chosen.get("default_venv_backend"):
        backend = backend_of(chosen["default_venv_backend"])
        take("backend", backend, "nox.options.default_venv_backend")
    if chosen.get("parallel"):
        take("jobs", str(chosen["parallel"]).strip().lower(), "nox.options.parallel")
    if chosen.get("report"):
        take("report", (str(chosen["report"]),), "nox.options.report")
    for name, ours in (("stop_on_first_error", "fail_fast"), ("verbose", "verbose")):
        if name in chosen:
            take(ours, chosen[name], f"nox.options.{name}")
    if environ.get("NOX_DEFAULT_VENV_BACKEND"):
        variable = "NOX_DEFAULT_VENV_BACKEND"
        take("backend", backend_of(environ[variable]), variable)
    if environ.get("NOX_PARALLEL"):
        take("jobs", environ["NOX_PARALLEL"].strip().lower(), "NOX_PARALLEL")
    for variable in ("NOXPYTHON", "NOXFORCEPYTHON"):
        if environ.get(variable):
            take("python", in_variable(environ[variable]), variable)
    if environ.get("NOXSESSION"):
        take("sessions", in_variable(environ["NOXSESSION"]), "NOXSESSION")
    return values, origins


def in_variable(text: str) -> tuple[str, ...]:
    """The words of a variable that holds several; a comma in brackets parts none."""
    words, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth <= 0:
            words.append("")
        else:
            words[-1] += letter
    return tuple(word.strip() for word in words if word.strip())
