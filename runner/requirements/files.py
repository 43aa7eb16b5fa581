"""Reads requirement files: their lines, and where a path or URL in them leads.

The rules are pip's ("Requirements File Format" and "Encoding" of its
documentation), which uv follows. Knows nothing of projects and groups.
"""

from __future__ import annotations

import os
import re

from runner.errors import EnvironmentBroken, did_you_mean
from runner.record import Record
from runner.requirements.arguments import Argument, read_arguments
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Line(Record):
    """One logical line: continued ones are joined, comments are gone."""

    number: int  # of its first line in the file
    text: str


def shown_path(path: str, root: str) -> str:
    """The path as it is told: from the root and with `/` where it lies inside."""
    if path == root:
        return "."
    inside = path.startswith(root.rstrip(os.sep) + os.sep)
    return (path[len(root) :].lstrip(os.sep) if inside else path).replace(os.sep, "/")


def read_bytes(path: str, shown: str, *, where: str = "") -> bytes:
    """The content of a file that the install names; where: what names it."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        raise missing(path, shown, where=where) from None
    except OSError as error:
        raise EnvironmentBroken(
            f"{shown} cannot be read: {error.strerror}",
            where=where,
            mend="name a file that can be read" if os.path.isdir(path) else "",
        ) from None


def missing(path: str, shown: str, *, where: str) -> EnvironmentBroken:
    """The error that a file or folder is not there, with the near name beside it."""
    folder, name = os.path.split(path)
    try:
        beside = sorted(os.listdir(folder))
    except OSError:
        beside = []
    return EnvironmentBroken(
        f"there is no {shown}",
        where=where,
        mend=did_you_mean(name, beside) or f"looked for {path}",
    )


# Lines. ------------------------------------------------------------------------

_COMMENT = r"(^|\s+)#.*$"
_VARIABLE = r"\$\{([A-Z0-9_]+)\}"
_CODING = rb"coding[:=]\s*([-\w.]+)"
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),  # before UTF-16, whose mark begins it
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def logical_lines(data: bytes) -> Iterator[Line]:
    """The lines of a requirement file that say something."""
    begun, first = "", 0
    for number, line in enumerate(_decode(data).splitlines(), start=1):
        comment = re.match(_COMMENT, line) is not None
        first = first or number
        if line.endswith("\\") and not comment:
            begun += line.strip("\\")
            continue
        yield from _line(first, begun + (f" {line}" if comment else line))
        begun, first = "", 0
    yield from _line(first, begun)


def _line(number: int, text: str) -> Iterator[Line]:
    text = re.sub(_COMMENT, "", text).strip()
    if text:
        yield Line(number, text)


def _decode(data: bytes) -> str:
    """The text: by its byte order mark, by the coding it declares (PEP 263), else UTF-8.

    What does not fit is kept as it is: the installer will complain of it, and a
    path in it may be fine.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    for line in data.split(b"\n", 2)[:2]:
        declared = re.search(_CODING, line) if line.startswith(b"#") else None
        if declared is not None:
            try:
                return data.decode(declared[1].decode("ascii"), "replace")
            except LookupError:
                break
    return data.decode("utf-8", "surrogateescape")


def expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """The text with `${NAME}` filled in where the variable has a value."""
    return re.sub(_VARIABLE, lambda match: environ.get(match[1]) or match[0], text)


def variables_named(lines: Iterable[Line]) -> list[str]:
    """The names of all `${NAME}` in the lines, sorted."""
    return sorted({name for line in lines for name in re.findall(_VARIABLE, line.text)})


def line_arguments(text: str) -> Iterator[Argument]:
    """What a logical line holds: a requirement and its options, or options alone."""
    # A requirement is not split, its marker may hold blanks and quotes; pip
    # takes the first word with a dash for the begin of the options.
    requirement, dash, options = f" {text}".partition(" -")
    if requirement.strip():
        yield Argument("requirement", "", requirement.strip(), (requirement.strip(),))
    options = (dash + options).strip()
    if any(sign in options for sign in ("'", '"', "\\ ")):
        import shlex  # few lines quote anything, so few runs pay for it

        try:
            words = shlex.split(options)
        except ValueError:  # a quote without its end: the installer will say so
            words = options.split()
    else:
        words = options.split()
    yield from read_arguments(words)


# Where a path or URL leads. ------------------------------------------------------

# `name[extras] @ target` of PEP 508.
_DIRECT = r"\s*[A-Za-z0-9][\w.-]*\s*(\[(?P<extras>[^\]]*)\]\s*)?@\s*(?P<target>\S.*)"
_EXTRAS = r"(?P<path>.+?)\s*\[(?P<extras>[^\[\]]*)\]"
_ARCHIVE = r"(?i).*\.(whl|zip|tar|tgz|tbz|txz|tlz|tar\.(gz|bz2|xz|lz|lzma|zst))"


class Local(Record):
    """A file or folder of this machine that a requirement names."""

    path: str  # absolute
    extras: tuple[str, ...]
    argument: str  # the requirement with this path in it, good from any folder


def is_url(text: str) -> bool:
    """Whether the text is the URL of something that is not a file of this machine."""
    return "://" in text and not text.lower().startswith("file:")


def is_archive(name: str) -> bool:
    """Whether a file of this name can be a wheel or a source distribution."""
    return re.fullmatch(_ARCHIVE, name) is not None


def find_local(text: str, cwd: str, *, editable: bool = False, where: str = "") -> Local | None:
    """The file or folder that a requirement names, None where it names none.

    By pip's rule a path has a separator, begins with a dot or ends like an
    archive; only after `-e` a bare name is one too. Raises EnvironmentBroken
    where it can only be a path and nothing is there.
    """
    text = text.strip()
    direct = re.fullmatch(_DIRECT, text)
    target = direct["target"] if direct else text
    if is_url(target):
        return None
    url = target.lower().startswith("file:")
    bare, _, marker = target.partition(";")
    if not (url or direct or editable or _looks_like_path(bare.strip())):
        return None
    outer = _split_extras(direct["extras"] or "") if direct else ()
    for written, extras in _readings(target):
        path = os.path.normpath(os.path.join(cwd, path_of_url(written) if url else written))
        if os.path.exists(path):
            whole = text if url or direct else path + target[len(written) :]
            return Local(path, outer + extras, whole)
    if marker.strip():
        return None  # for another platform, it may be
    path = os.path.normpath(os.path.join(cwd, path_of_url(target) if url else target))
    raise missing(path, target, where=where)


def _readings(target: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What may be the path in `lib[test] ; marker`, with the extras that follow it.

    A folder may have brackets or a semicolon in its own name, so the caller
    takes the first that exists.
    """
    for written in dict.fromkeys((target, target.partition(";")[0].strip())):
        match = re.fullmatch(_EXTRAS, written)
        if match:
            yield match["path"], _split_extras(match["extras"])
        yield written, ()


def _looks_like_path(text: str) -> bool:
    return "/" in text or os.sep in text or text.startswith(".") or is_archive(text)


def _split_extras(text: str) -> tuple[str, ...]:
    return tuple(extra.strip() for extra in text.split(",") if extra.strip())


def path_of_url(url: str, *, windows: bool = os.name == "nt") -> str:
    """The path of a `file:` URL (RFC 8089), as far as it goes in requirements.

    `#subdirectory=lib` is followed, other fragments are dropped. On Windows
    `file:///C:/x` is `C:/x` and a host is the server of a share.
    """
    from urllib.parse import unquote  # few requirements are file URLs

    address, _, fragment = url[len("file:") :].partition("#")
    host = ""
    if address.startswith("//"):
        host, slash, rest = address[2:].partition("/")
        address = slash + rest
    path = unquote(address)
    if windows and re.match(r"/[A-Za-z]:", path):
        path = path[1:]
    elif windows and host not in ("", "localhost"):
        path = f"//{host}{path}"
    for field in fragment.split("&"):
        name, _, value = field.partition("=")
        if name == "subdirectory":
            path = f"{path}/{value}"
    return path
