"""What tests of the store need: wheels of every kind, projects that share a store, an index.

And what an environment holds, read from the disk without asking any code of ours.
"""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.conftest import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"
TAG = sys.implementation.cache_tag

# What a command of a session is started with, whatever else is set.
PRINT_VALUE = "import one; print(one.version)"


# Wheels. -------------------------------------------------------------------------


class Member(NamedTuple):
    """A file in a wheel."""

    content: bytes
    executable: bool = False


def write_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    members: dict[str, bytes | str | Member],
    requires: tuple[str, ...] = (),
    entry_points: str = "",
) -> Path:
    """A wheel of these files, with a RECORD as build backends write it.

    A name that begins with `data:` lies in the wheel's .data folder.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {text}\n" for text in requires)
    wheel = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    written = {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}
    if entry_points:
        written[f"{info}/entry_points.txt"] = entry_points
    files: dict[str, Member] = {}
    for path, content in {**members, **written}.items():
        place = path.replace("data:", f"{module}-{version}.data/")
        data = content.encode() if isinstance(content, str) else content
        files[place] = data if isinstance(data, Member) else Member(data)
    record = "".join(
        f"{_quoted(path)},sha256={digest(file.content)},{len(file.content)}\n"
        for path, file in files.items()
    )
    files[f"{info}/RECORD"] = Member(f"{record}{info}/RECORD,,\n".encode())
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, file in files.items():
            entry = zipfile.ZipInfo(path, (2024, 1, 2, 3, 4, 6))
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            archive.writestr(entry, file.content)
    return place


def _quoted(path: str) -> str:
    return f'"{path}"' if "," in path else path


def digest(content: bytes) -> str:
    """The digest as a RECORD has it: url-safe and without padding (PEP 376)."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


SAY_WHERE = "import sys\ndef main():\n    print('{} in', sys.prefix)\n"

# A program that is none of Python's, with bytes that are no text. It is not run.
NO_TEXT = b"\x7fNOT\x00\x01\xff\xfe#!python\n\x00" * 40


def write_every_kind(wheels: Path) -> None:
    """A wheel of every kind that there is."""
    # Two that fill one namespace package.
    write_wheel(wheels, "space-a", members={"space/a.py": "value = 'a'\n"})
    write_wheel(wheels, "space-b", members={"space/b.py": "value = 'b'\n", "space/in/c.py": ""})
    write_wheel(
        wheels,
        "points",
        members={"points.py": SAY_WHERE.format("points")},
        entry_points="[console_scripts]\npoints = points:main\n\n[gui_scripts]\npoints-gui = points:main\n\n"
        "[of.others]\nplug = points:main\n",
    )
    program = functools.partial(Member, executable=True)
    write_wheel(
        wheels,
        "plain",
        members={
            "data:scripts/plain-py": program(
                b"#!python\nimport sys\nprint('plain-py in', sys.prefix)\n"
            ),
            "data:scripts/plain-pyw": program(
                b"#!pythonw\nimport sys\nprint('plain-pyw in', sys.prefix)\n"
            ),
            "data:scripts/plain-sh": program(b"#!/bin/sh\necho plain-sh\n"),
            "data:scripts/plain-bytes": program(NO_TEXT),
            "data:scripts/plain-program": program(
                Path(shutil.which("true") or sys.executable).read_bytes()
            ),
            "plain.py": "",
        },
    )
    write_wheel(
        wheels,
        "pathed",
        members={
            "pathed.pth": "pathed-inside\nimport sys; sys.pathed = 'by pth'\n",
            "pathed-inside/hidden.py": "value = 'hidden'\n",
        },
    )
    write_wheel(
        wheels,
        "data",
        members={
            "data:data/share/data/text.txt": "shared\n",
            "data:data/share/data/bytes.bin": NO_TEXT,
            "data:data/etc/data/data.conf": "on = true\n",
            "data:headers/data.h": "int data;\n",
            "data:platlib/data_plat.py": "value = 'plat'\n",
            "data:purelib/data_pure.py": "value = 'pure'\n",
        },
    )
    write_wheel(wheels, "bare", members={}, requires=("space-a",))
    write_wheel(
        wheels,
        "odd",
        members={
            "odd/__init__.py": "",
            "odd/with blank.txt": "blank\n",
            "odd/-dash.txt": "dash\n",
            "odd/--": "dashes\n",
            "odd/ünï-✓.txt": "no ASCII\n",
            "odd/a,b.txt": "comma\n",
            "odd/empty.txt": "",
            "odd/.hidden/x": "hidden\n",
            "odd/deep/er/and/deeper/still/x.txt": "deep\n",
            "odd/run.sh": Member(b"#!/bin/sh\necho run\n", executable=True),
        },
    )


KINDS = ("space-a", "space-b", "points", "plain", "pathed", "data", "bare", "odd")


# Projects. ------------------------------------------------------------------------


def project(tmp_path: Path, uv_cache: Path, name: str = "p") -> Folder:
    """A project that shares its wheels and its store with all others of the test.

    Its name is short: where a place is long, programs are written in another way.
    """
    root = tmp_path / name
    root.mkdir(parents=True, exist_ok=True)
    (tmp_path / "wheels").mkdir(exist_ok=True)
    folder = Folder(root, tmp_path / "wheels", uv_cache)
    folder.environ["RUNENV_STORE"] = str(tmp_path / "store")
    return folder


def images(store: Path) -> list[Path]:
    """The images in a store."""
    return sorted(path for path in store.glob("images/*") if not path.name.startswith("."))


def left_over(store: Path) -> list[str]:
    """What a process that was killed has left in a store: what begins with a dot, or is half written."""
    found = [*store.glob("images/.*"), *store.glob("known/*"), *store.glob("images/*/*"), *store.glob(".*")]  # fmt: skip
    whole = re.compile(
        r"\.key|\.limited|\.gitignore|\.ignore|\.lock|tree|used|compiled|[^.].*\.(json|txt)"
    )
    return sorted(str(path.relative_to(store)) for path in found if not whole.fullmatch(path.name))


def told(err: str) -> list[str]:
    """What a run said of each environment that it prepared."""
    parts = (line.partition("environment: ")[2] for line in err.splitlines())
    return [part for part in parts if part]


def from_store(err: str) -> bool:
    """Whether the run's last environment was a clone."""
    lines = told(err)
    return bool(lines) and "from the store" in lines[-1]


# What starts an installer, as a run says it with -v.
_INSTALLER = re.compile(r"install |(.*/)?uv (venv|pip|build) |.* -m (virtualenv|venv|pip) ")


def installer_lines(err: str) -> list[str]:
    """The lines of a run with -v that tell of an installer."""
    return [line for line in err.splitlines() if _INSTALLER.match(line)]


# Environments. --------------------------------------------------------------------


def site(place: Path) -> Path:
    """The site-packages of an environment."""
    (found,) = (place / "lib").glob("*/site-packages")
    return found


def snapshot(place: Path) -> dict[str, tuple[str, int, bytes]]:
    """Every file, folder and link of an environment: its kind, mode, and what it holds.

    Left out is bytecode, and what tells of a run: our own files, uv's lock.
    The lines of a RECORD have no order (PEP 376).
    """
    found: dict[str, tuple[str, int, bytes]] = {}
    for path in place.rglob("*"):
        name = str(path.relative_to(place))
        if "__pycache__" in path.parts or name.startswith("runenv") or name == ".lock":
            continue
        if path.is_symlink():
            found[name] = ("link", 0, os.readlink(path).encode())
        elif path.is_dir():
            found[name] = ("folder", path.stat().st_mode & 0o7777, b"")
        else:
            content = path.read_bytes()
            if path.name == "RECORD":
                content = b"\n".join(sorted(content.splitlines()))
            found[name] = ("file", path.stat().st_mode & 0o7777, content)
    return found


_OF_A_BUILD = ("uv_cache.json", "direct_url.json")


def without_builds(held: dict[str, tuple[str, int, bytes]]) -> dict[str, tuple[str, int, bytes]]:
    """A snapshot without what tells when a local project's wheel was built, and its digest then."""
    hashed = re.compile(rb"\b[0-9a-f]{64}\b")
    found = {n: state for n, state in held.items() if not n.endswith("/uv_cache.json")}
    for name, (kind, mode, content) in found.items():
        if name.endswith("/direct_url.json"):
            found[name] = kind, mode, hashed.sub(b"", content)
        if name.endswith("/RECORD"):
            kept = (line for line in content.splitlines() if not any(w.encode() in line for w in _OF_A_BUILD))  # fmt: skip
            found[name] = kind, mode, b"\n".join(kept)
    return found


def differences(one: dict[str, tuple[str, int, bytes]], other: dict[str, tuple[str, int, bytes]]) -> list[str]:  # fmt: skip
    """What differs between two snapshots, in words that fit in an assertion's message."""
    names = sorted({*one, *other})
    return [f"{n}: {one.get(n)!r} and {other.get(n)!r}" for n in names if one.get(n) != other.get(n)]  # fmt: skip


def record_troubles(place: Path) -> list[str]:
    """What is not as the RECORD files of an environment say.

    Bytecode has no digest in a RECORD, and need not be there.
    """
    troubles: list[str] = []
    folder = site(place)
    for record in folder.glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        for name, hashed, size in rows:
            path = folder / name
            if not path.exists():
                if not name.endswith((".pyc", "__pycache__")):
                    troubles.append(f"{record.parent.name}: {name} is not there")
                continue
            if path.is_dir():  # virtualenv's seeds name folders of bytecode
                continue
            content = path.read_bytes()
            if hashed and hashed != f"sha256={digest(content)}":
                troubles.append(f"{record.parent.name}: {name} has another digest")
            if size and int(size) != len(content):
                troubles.append(
                    f"{record.parent.name}: {name} has {len(content)} bytes, not {size}"
                )
    return troubles


def ask(folder: Folder, place: Path, *arguments: str) -> str:
    """What the environment's Python prints, with the installer's settings but nothing of ours."""
    environ = {k: v for k, v in folder.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [place / "bin/python", *arguments],
        cwd=folder.root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.returncode or ''}"


def run_program(place: Path, name: str) -> str:
    """What a program of an environment prints; it finds nothing else of it on PATH."""
    environ = {"PATH": os.defpath}
    done = subprocess.run(
        [place / "bin" / name], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{name}: {done.stderr}"
    return done.stdout.strip()


# An index. ------------------------------------------------------------------------


class Index:
    """An index of wheels as PEP 503 has it, served from a folder; counts what it is asked."""

    def __init__(self, folder: Path, url: str, asked: list[str]) -> None:
        self._folder = folder
        self.url = url
        self.asked = asked

    def put(self, name: str, version: str, **members: str) -> None:
        """A wheel with a module of its name that knows its version is in the index."""
        place = self._folder / name
        files = {f"{name}.py": f"version = {version!r}\n", **members}
        write_wheel(place, name, version, members=dict(files))
        links = (
            f'<a href="{p.name}#sha256={hashlib.sha256(p.read_bytes()).hexdigest()}">{p.name}</a>'
            for p in sorted(place.glob("*.whl"))
        )
        (place / "index.html").write_text(f"<!DOCTYPE html><body>{' '.join(links)}</body>\n")

    def used_by(self, folder: Folder) -> None:
        """The project's installers ask this index and no other."""
        for name in ("UV_OFFLINE", "UV_FIND_LINKS", "PIP_NO_INDEX", "PIP_FIND_LINKS"):
            folder.environ.pop(name, None)
        folder.environ["UV_DEFAULT_INDEX"] = folder.environ["PIP_INDEX_URL"] = self.url


@contextmanager
def serve(folder: Path) -> Iterator[Index]:
    """An index while the block runs, on this machine."""
    asked: list[str] = []
    folder.mkdir(parents=True, exist_ok=True)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            asked.append(self.path)

        def end_headers(self) -> None:
            # Or uv answers from its cache for ten minutes.
            self.send_header("Cache-Control", "no-cache, max-age=0")
            super().end_headers()

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Index(folder, f"http://127.0.0.1:{server.server_address[1]}/", asked)
        finally:
            server.shutdown()
            thread.join()
