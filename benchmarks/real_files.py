"""The files that a list names: `NAME==VERSION PATH` a line, of source distributions on an index.

Knows nothing of what they are good for. A file, or all of a distribution, is fetched once
and kept; nothing of what is fetched is executed, its build neither.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urljoin

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = Path(os.environ.get("REAL_FILES") or f"{tempfile.gettempdir()}/runenv-real-files")
_TROUBLES = (OSError, tarfile.TarError, zipfile.BadZipFile, ValueError)


class Wanted(NamedTuple):
    """A line of a list."""

    name: str
    version: str
    path: str

    @property
    def kept(self) -> Path:
        """Where the file is when it has been fetched, in a folder of its own."""
        return KEPT / f"{self.name}-{self.version}" / self.path

    @property
    def tree(self) -> Path:
        """Where all of the distribution is when it has been fetched."""
        return KEPT / "trees" / f"{self.name}-{self.version}"


def read_list(file: Path) -> list[Wanted]:
    """The lines of a list, in its order."""
    lines = filter(None, map(str.split, file.read_text(encoding="utf-8").splitlines()))
    return [Wanted(*words[0].split("=="), words[1]) for words in lines if "==" in words[0]]


def fetch_all(wanted: list[Wanted]) -> list[Wanted]:
    """Those that are here now. A list of what is not is told on standard error."""
    return _all(wanted, _keep_file, lambda one: one.kept)


def fetch_trees(wanted: list[Wanted]) -> list[Wanted]:
    """Those that are here now with all that their distribution holds, and with their file."""
    here = _all(wanted, _keep_tree, lambda one: one.tree)
    return [one for one in here if (one.tree / one.path).is_file()]


def _all(
    wanted: list[Wanted], keep: Callable[[Wanted, str], str], place: Callable[[Wanted], Path]
) -> list[Wanted]:
    missing = [one for one in wanted if not place(one).exists()]
    index = index_url() if missing else ""
    with ThreadPoolExecutor(4) as threads:
        troubles = threads.map(lambda one: keep(one, index), missing)
        for one, trouble in zip(missing, troubles, strict=True):
            if trouble:
                print(f"{one.name} {one.version}: {trouble}", file=sys.stderr)
    return [one for one in wanted if place(one).exists()]


def index_url() -> str:
    """The index that pip would ask."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"].rstrip("/") + "/"
    from pip._internal.models.index import PyPI  # pip's own default stands nowhere else

    return PyPI.simple_url.rstrip("/") + "/"


def _keep_file(one: Wanted, index: str) -> str:
    """What went wrong, or nothing."""
    try:
        archive, url = _archive(one, index)
        content = _member(archive, url, one.path)
    except _TROUBLES as error:
        return str(error)
    if content is None:
        return f"there is no {one.path} in it"
    one.kept.parent.mkdir(parents=True, exist_ok=True)
    one.kept.write_bytes(content)
    return ""


def _keep_tree(one: Wanted, index: str) -> str:
    """What went wrong, or nothing."""
    one.tree.parent.mkdir(parents=True, exist_ok=True)
    # A fetch that is ended leaves no half of a tree where a whole one is looked for.
    half = Path(tempfile.mkdtemp(dir=one.tree.parent))
    try:
        archive, url = _archive(one, index)
        if _is_zip(url):
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                opened.extractall(half)
        else:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(half, filter="data")
        (root,) = half.iterdir()
        root.rename(one.tree)
    except _TROUBLES as error:
        return str(error)
    finally:
        shutil.rmtree(half)
    return ""


def _archive(one: Wanted, index: str) -> tuple[bytes, str]:
    """The archive, and where it came from."""
    url = _archive_url(one, index)
    if not url:
        raise ValueError("the index has no such source distribution")
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read(), url


def _archive_url(one: Wanted, index: str) -> str:
    page = index + re.sub(r"[-_.]+", "-", one.name).lower() + "/"
    asked = urllib.request.Request(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        files = json.load(answer)["files"]
    wanted = re.sub(r"[-_.]+", "-", one.name).lower()
    for file in files:
        stem = re.sub(r"\.(tar\.gz|tar\.bz2|tgz|zip)$", "", file["filename"])
        name, _, version = stem.rpartition("-")
        is_it = re.sub(r"[-_.]+", "-", name).lower() == wanted
        if is_it and stem != file["filename"] and version == one.version:
            return urljoin(page, file["url"])
    return ""


def _member(archive: bytes, url: str, path: str) -> bytes | None:
    """The file below the one folder that an archive holds."""
    if _is_zip(url):
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = [name for name in opened.namelist() if name.partition("/")[2] == path]
            return opened.read(found[0]) if found else None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.name.removeprefix("./").partition("/")[2] == path:
                stream = tar.extractfile(member)
                return stream.read() if stream else None
    return None


def _is_zip(url: str) -> bool:
    return url.partition("#")[0].endswith(".zip")
