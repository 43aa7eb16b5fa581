"""Reads the arguments of an installer: which of them name a file, a folder, a group.

Knows no file system. The options are those of `pip install` (26.3) and of
`uv pip install` (0.13); an option that is not listed takes no value.
"""

from __future__ import annotations

import re
from itertools import islice

from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Literal

    Kind = Literal["requirement", "file", "editable", "links", "group", "option"]


class Argument(Record):
    """One argument, an option together with its value."""

    kind: Kind
    option: str  # "-r"; "" before a requirement
    value: str  # "" where the option takes none
    tokens: tuple[str, ...]  # as it was given

    def written(self) -> str:
        """The argument in the one way in which all spellings of it are compared."""
        return f"{self.option} {self.value}".strip()

    def changes_builds(self) -> bool:
        """Whether a project that is built may come out otherwise because of it."""
        return self.option.startswith(_BUILD_OPTIONS)

    def asks_anew(self) -> bool:
        """Whether it may be answered otherwise each time, and is meant to be."""
        if self.kind in ("requirement", "editable"):
            return bool(re.search(_VCS, self.value)) and not re.search(_COMMIT, self.value)
        if self.option in ("--prerelease", "--prerelease-package"):
            return "allow" in self.value
        return self.option in ("-U", "--upgrade", "-P", "--upgrade-package", "--pre")

    def with_value(self, value: str) -> tuple[str, ...]:
        """What is handed to the installer, with another value where it differs."""
        if value == self.value:
            return self.tokens
        return (self.option, value) if self.option else (value,)


LOWEST_NAMED = "lowest-direct"
OF_PROJECTS = "resolution of local projects"  # the ingredient where it is that


def takes_lowest_named(
    arguments: Iterable[str],
    variables: Iterable[tuple[str, str | None]] = (),
    around: str = "",
) -> bool:
    """Whether the lowest versions are taken of what is named, and of nothing else.

    variables: of this install. around: what the caller's variables and the
    configuration say, which these and the arguments win over.
    """
    said = [a.value for a in read_arguments(arguments) if a.option == "--resolution"]
    own = [value for name, value in variables if name == "UV_RESOLUTION"]
    return [around, *own, *said][-1] == LOWEST_NAMED


_VCS = r"(?:^|[\s@])(?:git|hg|svn|bzr)\+"
_COMMIT = r"@[0-9a-f]{40}(?![0-9a-f])"  # which is what it is for ever

_BUILD_OPTIONS = (
    "-C",
    "-b",
    "--build-constraint",
    "--check-build-dependencies",
    "--config-setting",
    "--exclude-newer",
    "--force-reinstall",
    "--global-option",
    "--no-binary",
    "--no-build-isolation",
    "--no-sources",
    "--only-binary",
    "--reinstall",
    "--target",
    "-t",
    "--use-pep517",
)
_KINDS: dict[str, Kind] = {
    "-r": "file",
    "--requirement": "file",
    "--requirements": "file",
    "-c": "file",
    "--constraint": "file",
    "--constraints": "file",
    "-b": "file",
    "--build-constraint": "file",
    "--build-constraints": "file",
    "--override": "file",
    "--overrides": "file",
    "--exclude": "file",
    "--excludes": "file",
    "-e": "editable",
    "--editable": "editable",
    "-f": "links",
    "--find-links": "links",
    "--group": "group",
}
_WITH_A_VALUE = """
-i -t -C -P -p --abi --allow-insecure-host --all-releases --cache-dir --cert --client-cert
--color --config-file --config-setting --config-settings --config-settings-package
--default-index --directory --exclude-newer --exclude-newer-package --exists-action
--extra --extra-index-url --fork-strategy --global-option --hash --implementation
--index --index-strategy --index-url --keyring-provider --link-mode --log
--no-binary --no-build-isolation-package --no-editable-package --no-sources-package
--only-binary --only-final --output-format --platform --prefix --prerelease
--prerelease-package --progress-bar --project --proxy --python --python-platform
--python-version --refresh-package --reinstall-package --report --resolution --retries
--root --root-user-action --src --target --timeout --torch-backend --trusted-host
--upgrade-group --upgrade-package --upgrade-strategy --uploaded-prior-to
--use-deprecated --use-feature
"""
_KINDS.update(dict.fromkeys(_WITH_A_VALUE.split(), "option"))


def read_arguments(arguments: Iterable[str]) -> Iterator[Argument]:
    """Each argument with what it is; options in every spelling that pip takes.

    `-r dev.txt`, `-rdev.txt`, `--requirement=dev.txt` and `-qr dev.txt` all give
    the same `-r`, the last one a `-q` before it.
    """
    left = iter(arguments)
    for word in left:
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            kind = _KINDS.get(option)
            if kind is None:
                yield Argument("option", word, "", (word,))
            elif equals:
                yield Argument(kind, option, value, (word,))
            else:
                yield _with_next(kind, option, left)
        elif word.startswith("-") and word != "-":
            yield from _short_options(word, left)
        elif word:
            yield Argument("requirement", "", word, (word,))


def _short_options(token: str, left: Iterator[str]) -> Iterator[Argument]:
    """`-qU`, `-rdev.txt`, `-Ur` with its value behind it."""
    for place, letter in enumerate(token[1:], start=2):
        option = f"-{letter}"
        kind = _KINDS.get(option)
        attached = token[place:]
        if kind is None:
            yield Argument("option", option, "", (option,))
        elif attached:
            # uv takes `-e=lib`; no path that anybody has begins with "=".
            yield Argument(kind, option, attached.removeprefix("="), (option + attached,))
            return
        else:
            yield _with_next(kind, option, left)


def _with_next(kind: Kind, option: str, left: Iterator[str]) -> Argument:
    """The option with the next argument as its value; the installer misses one that is not."""
    value = tuple(islice(left, 1))
    return Argument(kind, option, "".join(value), (option, *value))


_CREDENTIALS = r"(https?://)[^/\s@]+@"


def without_secrets(text: str) -> str:
    """The text with `****` for user and password in URLs.

    They do not decide what is installed, and what is shown or kept on the disk
    is read by others.
    """
    return re.sub(_CREDENTIALS, r"\1****@", text) if "@" in text else text


def show_arguments(tokens: Iterable[str]) -> str:
    """The arguments as a person would type them, without secrets.

    Brackets stand as they are, as in every README; all else that a shell would
    take for its own is quoted.
    """
    return " ".join(_quoted(without_secrets(token)) for token in tokens)


_PLAIN = r"[\w./:@%+=,\\\[\]-]+"
_HARMLESS_IN_QUOTES = r'[^"$`\\!]+'


def _quoted(token: str) -> str:
    if re.fullmatch(_PLAIN, token):
        return token
    if re.fullmatch(_HARMLESS_IN_QUOTES, token):
        return f'"{token}"'
    return "'" + token.replace("'", "'\"'\"'") + "'"
