"""The files that a list names: `NAME==VERSION PATH` a line, of source distributions on an index.

Knows nothing of what they are good for. A file is fetched once and kept; nothing of
what is fetched is executed.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

KEPT = Path(os.environ.get("REAL_FILES") or f"{tempfile.gettempdir()}/runenv-real-files")


class Wanted(NamedTuple):
    """A line of a list."""

    name: str
    version: str
    path: str

    @property
    def kept(self) -> Path:
        """Where the file is when it has been fetched, in a folder of its own."""
        return KEPT / f"{self.name}-{self.version}" / self.path


def read_list(file: Path) -> list[Wanted]:
    """The lines of a list, in its order."""
    lines = filter(None, map(str.split, file.read_text(encoding="utf-8").splitlines()))
    return [Wanted(*words[0].split("=="), words[1]) for words in lines if "==" in words[0]]


def fetch_all(wanted: list[Wanted]) -> list[Wanted]:
    """Those that are here now. A list of what is not is told on standard error."""
    missing = [one for one in wanted if not one.kept.exists()]
    index = index_url() if missing else ""
    with ThreadPoolExecutor(4) as threads:
        for one, trouble in zip(
            missing, threads.map(lambda one: _fetch(one, index), missing), strict=True
        ):
            if trouble:
                print(f"{one.name} {one.version}: {trouble}", file=sys.stderr)
    return [one for one in wanted if one.kept.exists()]


def index_url() -> str:
    """The index that pip would ask."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"].rstrip("/") + "/"
    from pip._internal.models.index import PyPI  # pip's own default stands nowhere else

    return PyPI.simple_url.rstrip("/") + "/"


def _fetch(one: Wanted, index: str) -> str:
    """What went wrong, or nothing."""
    try:
        url = _archive_url(one, index)
        if not url:
            return "the index has no such source distribution"
        with urllib.request.urlopen(url, timeout=120) as answer:
            content = _member(answer.read(), url, one.path)
    except (OSError, tarfile.TarError, zipfile.BadZipFile, ValueError) as error:
        return str(error)
    if content is None:
        return f"there is no {one.path} in it"
    one.kept.parent.mkdir(parents=True, exist_ok=True)
    one.kept.write_bytes(content)
    return ""


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
    if url.partition("#")[0].endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = [name for name in opened.namelist() if name.partition("/")[2] == path]
            return opened.read(found[0]) if found else None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.name.removeprefix("./").partition("/")[2] == path:
                stream = tar.extractfile(member)
                return stream.read() if stream else None
    return None
