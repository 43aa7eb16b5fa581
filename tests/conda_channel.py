"""A conda channel on this disk: packages that are made here, with a Python that is a real one."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import sysconfig
import tarfile
from pathlib import Path

_MACHINES = {"x86_64": "64", "aarch64": "aarch64", "arm64": "arm64", "ppc64le": "ppc64le"}


def own_subdir() -> str:
    """What conda calls this machine: linux-64, osx-arm64."""
    system = "osx" if sys.platform == "darwin" else "linux"
    return f"{system}-{_MACHINES[platform.machine()]}"


# What Debian's `site` and `sysconfig` leave as it was made where this name is there.
_AS_UPSTREAM = """\
import site, sys
sys.real_prefix = sys.prefix
site.addsitedir("%s/lib/python%d.%d/site-packages" % (sys.prefix, *sys.version_info[:2]))
"""


class Channel:
    """A folder with an index and packages, as `channels=` names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, dict[str, object]] = {own_subdir(): {}, "noarch": {}}
        self._write_index()

    def add(
        self,
        name: str,
        version: str = "1.0",
        *,
        depends: tuple[str, ...] = (),
        files: dict[str, str | Path] | None = None,
        noarch: str | None = "generic",
    ) -> None:
        """A package. files: the text of each, or the file that is copied.

        noarch: "generic", "python" (files under site-packages/), or None for
        one of this machine.
        """
        subdir = "noarch" if noarch else own_subdir()
        build = "py_0" if noarch == "python" else "0"
        index: dict[str, object] = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "depends": list(depends),
            "subdir": subdir,
            **({"noarch": noarch} if noarch else {}),
        }
        data = _archive(index, files or {f"share/{name}.txt": f"{name} {version}\n"})
        path = self.folder / subdir / f"{name}-{version}-{build}.tar.bz2"
        path.write_bytes(data)
        self._records[subdir][path.name] = {
            **index,
            "md5": hashlib.md5(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
        }
        self._write_index()

    def add_python(self) -> str:
        """The Python that runs the tests as a package; returns its version.

        The program is a copy, so that it finds its prefix where it is installed; its
        library are links to the one of this machine. Where Debian has given that a layout of
        its own (dist-packages), which no package of conda has, it is taken back.
        """
        version = platform.python_version()
        minor = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        program = Path(os.path.realpath(sys.executable))
        library = Path(sysconfig.get_path("stdlib"))
        files: dict[str, str | Path] = {f"bin/{minor}": program}
        links = {f"bin/{name}": minor for name in ("python", "python3")}
        links |= {
            f"lib/{minor}/{each.name}": str(each)
            for each in library.iterdir()
            if each.name not in ("site-packages", "__pycache__", "EXTERNALLY-MANAGED")
        }
        if "posix_local" in sysconfig.get_scheme_names():
            customize = f"lib/{minor}/sitecustomize.py"
            files[customize] = _AS_UPSTREAM
            links.pop(customize, None)
        files[f"lib/{minor}/site-packages/README.txt"] = "Installed packages lie here.\n"
        shared = Path(sys.base_prefix, "lib", str(sysconfig.get_config_var("INSTSONAME")))
        if shared.is_file():
            links[f"lib/{shared.name}"] = str(shared)
        index: dict[str, object] = {
            "name": "python",
            "version": version,
            "build": "0_cpython",
            "build_number": 0,
            "depends": [],
            "subdir": own_subdir(),
        }
        data = _archive(index, files, links)
        path = self.folder / own_subdir() / f"python-{version}-0_cpython.tar.bz2"
        path.write_bytes(data)
        self._records[own_subdir()][path.name] = {
            **index,
            "md5": hashlib.md5(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
        }
        self._write_index()
        return version

    def _write_index(self) -> None:
        for subdir, records in self._records.items():
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            index = {"info": {"subdir": subdir}, "packages": records, "packages.conda": {}}
            (self.folder / subdir / "repodata.json").write_text(json.dumps(index))


def _archive(
    index: dict[str, object], files: dict[str, str | Path], links: dict[str, str] | None = None
) -> bytes:
    """The package as .tar.bz2."""
    paths: list[dict[str, object]] = []
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2", compresslevel=1) as archive:

        def write(name: str, data: bytes, mode: int = 0o644) -> None:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            archive.addfile(member, io.BytesIO(data))

        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content.read_bytes()
            write(name, data, 0o755 if name.startswith("bin/") else 0o644)
            paths.append(
                {
                    "_path": name,
                    "path_type": "hardlink",
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size_in_bytes": len(data),
                }
            )
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
            paths.append({"_path": name, "path_type": "softlink", "size_in_bytes": 0})
        about = {"index.json": index, "paths.json": {"paths": paths, "paths_version": 1}}
        if index.get("noarch") == "python":
            about["link.json"] = {"noarch": {"type": "python"}, "package_metadata_version": 1}
        for name, data in about.items():
            write(f"info/{name}", json.dumps(data).encode())
    return buffer.getvalue()
