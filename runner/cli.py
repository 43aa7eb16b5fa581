"""argv → one verb → exit code; the only place that prints an error."""

from __future__ import annotations

import gc
import os
import sys

from runner import errors
from runner.command_line import parse
from runner.commands import load_verb
from runner.errors import EnvfileError, Interrupted, RunnerError
from runner.settings import unknown_variables
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from runner.errors import Mistake

OBJECTS_BETWEEN_COLLECTIONS = 20_000


def run_and_exit(do: Callable[[], int] | None = None) -> None:
    """What the command `runenv` and `python -m runner` do; or another thing, told as these are."""
    # What a run loads stays: to look through it 20 times is 5 million instructions of 185.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    code = main() if do is None else carry_out(do)
    # The last collections look through nothing any more, which takes 2.5 ms of a
    # listing (Python 3.11): what is there goes with the process.
    gc.freeze()
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a command line asks for; the code to exit with."""
    words = sys.argv[1:] if argv is None else list(argv)
    _open_closed_streams()
    if "_ARGCOMPLETE" in os.environ:
        from runner.tab import answer

        if answer(os.environ):
            os._exit(0)
        from runner.commands.completion import complete

        complete()
    return carry_out(lambda: _do(words))


def _do(words: list[str]) -> int:
    request = parse(words)
    for line in unknown_variables(os.environ):
        _print([_told("warning", line)])
    return load_verb(request.verb).main(request)


def carry_out(do: Callable[[], int]) -> int:
    """Do something, and print what goes wrong; the code to exit with."""
    code = _answer_and_flush(do)
    try:
        sys.stderr.flush()
    except OSError:
        _lead_nowhere(sys.stderr)  # else Python tries again at exit, and makes the code 120
    return code


def _open_closed_streams() -> None:
    """Streams that the caller closed (`>&-`), and all under pythonw, lead nowhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # open to the end
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # open to the end


def _lead_nowhere(stream: TextIO) -> None:
    """What is in its buffer is not written again at exit, to where it cannot be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _answer_and_flush(do: Callable[[], int]) -> int:
    try:
        code = _answer(do)
        sys.stdout.flush()  # a full disk is found out here and not after we have said 0
    except BrokenPipeError:
        _lead_nowhere(sys.stdout)  # `runenv --list | head -1`: whoever read has enough
        return errors.PASSED
    except OSError as error:
        if error.filename is not None:
            raise
        _lead_nowhere(sys.stdout)
        _print([f"{_word('error')}: standard output cannot be written: {error.strerror}"])
        return errors.FAILED
    return code


def _answer(do: Callable[[], int]) -> int:
    try:
        return do()
    except EnvfileError as error:
        _print([line for mistake in error.mistakes for line in _mistake(mistake)])
        if len(error.mistakes) > 1:
            _print([f"{len(error.mistakes)} mistakes; nothing was run"])
        return error.exit_code
    except RunnerError as error:
        _print(_mistake(errors.Mistake(error.where, error.what, error.mend)))
        return error.exit_code
    except KeyboardInterrupt as error:
        _print([str(error) or "interrupted"])
        return errors.INTERRUPTED
    except Interrupted as error:
        _print([f"ended by {error.signal_name}"])
        return error.exit_code


def _mistake(mistake: Mistake) -> list[str]:
    """A mistake in lines: what, where, the mend."""
    from runner.colors import columns_of, fold_around  # what goes well has nothing to tell

    lines = [_told("error", mistake.what)]
    if mistake.where:
        lines.append(f"  --> {mistake.where}")
    columns = columns_of(sys.stderr)
    mend = (fold_around(line, columns, 4, begins=2) for line in mistake.mend.splitlines())
    return lines + [f"  {line}".rstrip() for line in mend]


def _told(word: str, text: str) -> str:
    """What is told behind a word, in lines that fit."""
    from runner.colors import columns_of, fold_around  # what goes well has nothing to tell

    return f"{_word(word)}: {fold_around(text, columns_of(sys.stderr), 2, len(word) + 2)}"


def _word(word: str) -> str:
    # What goes well has nothing to tell.
    from runner.colors import painter, shows_escapes, wants_color

    paint = painter(color=wants_color("auto", os.environ, shows_escapes(sys.stderr)))
    return paint("bold_red" if word == "error" else "bold_purple", word)


def _print(lines: list[str]) -> None:
    from runner.telling import tell  # what goes well has nothing to tell

    tell(sys.stderr, "\n".join(lines) + "\n")
