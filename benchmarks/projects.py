"""The same sessions for runenv, nox and tox, and a wheel that no registry is asked for."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BACKENDS = {"hatchling": "hatchling.build", "setuptools": "setuptools.build_meta"}


def write_project(
    folder: Path, deps: Sequence[str], code: str, *, sessions: int = 1, backend: str = ""
) -> None:
    """Sessions s0, s1, …, each of which installs `deps` and executes `code`.

    backend: what builds the project's own wheel, which is installed too; where it is
    empty there is none.
    """
    folder.mkdir(parents=True)
    if backend:
        write_library(folder, backend)
    names = [f"s{number}" for number in range(sessions)]
    command = f"    session.run('python', '-c', {code!r})\n"
    project = "'wheel'" if backend else "False"
    (folder / "envfile.py").write_text(
        "import runner\n"
        + "".join(
            f"\n@runner.session(deps={[*deps]}, project={project})\ndef {name}(session):\n{command}"
            for name in names
        )
    )
    packages = [*deps, "."] if backend else [*deps]
    install = f"    session.install(*{packages})\n" if packages else ""
    (folder / "noxfile.py").write_text(
        "import nox\nnox.options.default_venv_backend = 'uv'\n"
        + "".join(f"\n@nox.session\ndef {name}(session):\n{install}{command}" for name in names)
    )
    deps_line = "deps =\n" + "".join(f"    {dep}\n" for dep in deps)
    (folder / "tox.ini").write_text(
        f"[tox]\nenv_list = {','.join(names)}\n"
        f"[testenv]\n{'package = wheel' if backend else 'package = skip'}\n"
        f'{deps_line}commands = python -c "{code}"\n'
    )


def write_library(folder: Path, backend: str) -> None:
    """A project of one module, `mine`."""
    (folder / "src" / "mine").mkdir(parents=True)
    (folder / "src" / "mine" / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(
        f'[build-system]\nrequires = ["{backend}"]\nbuild-backend = "{BACKENDS[backend]}"\n'
        '[project]\nname = "mine"\nversion = "1.0"\n'
    )


def write_wheel(folder: Path) -> None:
    """A wheel of one empty module, `small`."""
    folder.mkdir()
    info = "small-1.0.dist-info"
    files = {
        "small.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / "small-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
