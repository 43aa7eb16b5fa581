"""The arguments of `conda install`, as noxfiles hand them on."""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_conda_arguments(args: Sequence[str]) -> tuple[list[str], list[str]]:
    """The packages and the channels in the arguments of `conda install`."""
    specs: list[str] = []
    channels: list[str] = []
    left = [str(word) for word in args]
    while left:
        word = left.pop(0)
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if flag in ("-c", "--channel", "--file") and not equals and left:
            value = left.pop(0)
        if flag in ("-c", "--channel"):
            channels.append(value)
        elif flag == "--file":
            specs += _lines_of(value)
        elif not word.startswith("-"):
            specs.append(word)
    return specs, channels


def _lines_of(file: str) -> list[str]:
    with open(file, encoding="utf-8") as stream:
        lines = [line.partition("#")[0].strip() for line in stream]
    return [line for line in lines if line]
