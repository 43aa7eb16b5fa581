"""Where an environment's own place is written in its files, and how another is put there.

Programs name their Python in the first line, `activate` and `pyvenv.cfg` name the
folder, and RECORD has the digests of the programs (recording installed projects,
binary distribution format). All else that an installer writes is the same anywhere.
"""

from __future__ import annotations

import os
import re
import sys

from runner.digests import sha256
from runner.envs.manifest import FileState, state_of
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.envs.manifest import Manifest

_BIN = "Scripts" if sys.platform == "win32" else "bin"
_LARGEST_BYTES = 1_000_000  # of a program: a larger one is no script
# What every shell and installer writes as it is. virtualenv spells + and % in its
# scripts for xonsh, and what is not ASCII in most.
_PLAIN = r"(?a)/[\w./@=:,-]{1,110}"


def is_movable(path: str) -> bool:
    """Whether what is in an environment there can be put anywhere else, and back.

    Installers write the first line of programs in another form where the path is
    long or has signs that a shell takes for its own. Windows has it in binaries.
    """
    return sys.platform != "win32" and re.fullmatch(_PLAIN, path) is not None


def own_files(root: str, manifest: Manifest) -> dict[str, bytes]:
    """The files that name the place of the environment, with what is in them."""
    place = _pattern(root)
    found: dict[str, bytes] = {}
    for name in _candidates(manifest):
        content = _text_of(os.path.join(root, name))
        if place.search(content):
            found[name] = content
    programs = {name.rpartition("/")[2] for name in found if name.startswith(f"{_BIN}/")}
    for above, files in manifest.folders.items():
        if programs and above.endswith(".dist-info") and "RECORD" in files:
            name = f"{above}/RECORD"
            content = _text_of(os.path.join(root, name), _LARGEST_BYTES * 100)
            if any(program in programs for program, _ in _programs_in(content)):
                found[name] = content
    return found


def _candidates(manifest: Manifest) -> Iterator[str]:
    for above, files in manifest.folders.items():
        if above in ("", _BIN):
            for name, state in files.items():
                if state[0] <= _LARGEST_BYTES:
                    yield f"{above}/{name}" if above else name
        elif above.endswith("site-packages"):
            yield from (f"{above}/{name}" for name in files if name.endswith(".pth"))


def _text_of(path: str, largest_bytes: int = _LARGEST_BYTES) -> bytes:
    """What is in a file; nothing where it is no text."""
    with open(path, "rb") as stream:
        content = stream.read(largest_bytes + 1)
    return b"" if len(content) > largest_bytes or b"\0" in content[:4096] else content


def _pattern(root: str) -> re.Pattern[bytes]:
    # Not the beginning of the path of a folder beside it.
    return re.compile(re.escape(os.fsencode(root)) + rb"(?![\w.+-])")


_RECORDED = rb'(?mi)^"?(?:\.\./)+' + _BIN.encode() + rb'/([^,"]+)"?,sha256=([\w-]+)'


def _programs_in(record: bytes) -> Iterator[tuple[str, bytes]]:
    """The programs whose digests a RECORD has."""
    for match in re.finditer(_RECORDED, record):
        yield os.fsdecode(match[1]), match[2]


def without_place(name: str, content: bytes, root: str) -> bytes:
    """What is in a file of an environment, the same at each place."""
    if name.endswith("/RECORD"):
        return re.sub(_RECORDED, b"", content)
    return _pattern(root).sub(b"", _without_prompt(name, content, os.path.basename(root)))


def write_own(
    source: str, target: str, names: Mapping[str, FileState], was: str, now: str
) -> dict[str, FileState]:
    """Write the files that name the place for another one; returns their states there.

    source, target: the folders. was, now: the environments' places, as the files
    name them. Raises OSError.
    """
    from base64 import urlsafe_b64encode  # 2 ms that only another place costs

    place, written = _pattern(was), os.fsencode(now)
    states: dict[str, FileState] = {}
    digests: dict[str, tuple[str, int]] = {}
    written_as: dict[tuple[bytes, int], str] = {}
    # The records last: the digests of the programs are in them.
    for name in sorted(names, key=lambda name: name.endswith("/RECORD")):
        with open(os.path.join(source, name), "rb") as stream:
            content = stream.read()
        mode = os.stat(os.path.join(source, name)).st_mode
        if name.endswith("/RECORD"):
            content = _recorded_anew(content, digests)
        else:
            # A function, since a path may hold what a template would take for its own.
            content = place.sub(lambda _: written, content)
            content = _with_prompt(name, content, os.path.basename(was), os.path.basename(now))
            digest = urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
            digests[name.rpartition("/")[2]] = (digest, len(content))
        path = os.path.join(target, name)
        same = written_as.setdefault((content, mode), path)
        if same != path:  # `pytest` and `py.test`
            os.link(same, path)
        else:
            with open(path, "wb") as stream:
                stream.write(content)
            os.chmod(path, mode & 0o7777)
        states[name] = state_of(path)
    return states


def _recorded_anew(record: bytes, digests: Mapping[str, tuple[str, int]]) -> bytes:
    import csv  # 2 ms that only a program at another place costs
    import io

    lines = record.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    for number, line in enumerate(lines):
        match = re.match(_RECORDED, os.fsencode(line))
        if match is None or os.fsdecode(match[1]) not in digests:
            continue
        digest, size = digests[os.fsdecode(match[1])]
        row = next(csv.reader([line]))
        end = line[len(line.rstrip("\r\n")) :]
        out = io.StringIO()
        csv.writer(out, lineterminator=end).writerow([row[0], f"sha256={digest}", size])
        lines[number] = out.getvalue()
    return "".join(lines).encode("utf-8", "surrogateescape")


# venv writes the folder's name as the prompt into its activate scripts, in as many
# ways as there are shells: `PS1="(tests) ${PS1:-}"`, `VIRTUAL_ENV_PROMPT=tests`.
_PROMPT = rb"(?mi)^.*(?:prompt|PS1|printf).*$"


def _with_prompt(name: str, content: bytes, was: str, now: str) -> bytes:
    if not name.startswith(f"{_BIN}/activate"):
        return content
    word = re.compile(rb"(?<=[\"'(=])" + re.escape(os.fsencode(was)) + rb"(?=[\"')]|$)")
    new = os.fsencode(now)
    return re.sub(_PROMPT, lambda line: word.sub(lambda _: new, line[0]), content)


def _without_prompt(name: str, content: bytes, was: str) -> bytes:
    return _with_prompt(name, content, was, "")
