"""Keys as they are pressed, one by one, at a terminal that is as before on every way out.

A key is its sign, or a name such as "up" or "ctrl-a". Knows nothing of what keys do.
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import sys
import time
from contextlib import contextmanager, suppress

from runner.errors import Interrupted
from runner.handlers import answer_signals, restore_signals
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType
    from typing import TextIO

REDRAW = "redraw"  # no key: what was drawn is not there any more, or does not fit
CLOSED = "closed"  # no key: there is no keyboard any more

_CONTROLS = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}


def _name_of(sign: str) -> str:
    """The name of a key that sends one sign; empty for one that is no use."""
    if sign in _CONTROLS:
        return _CONTROLS[sign]
    if "\x01" <= sign <= "\x1a":
        return f"ctrl-{chr(ord(sign) + 96)}"
    return sign if sign.isprintable() else ""


if sys.platform == "win32":
    import msvcrt

    _BETWEEN_S = 0.02  # between two looks: nothing tells of a console that has another size
    # "_getch, _getwch" of the C runtime: 0 or 0xE0, then the code of the key.
    _CODES = {
        "H": "up", "P": "down", "I": "page up", "Q": "page down", "G": "home", "O": "end",
        "S": "delete", "K": "left", "M": "right", "\x0f": "back tab",
    }  # fmt: skip

    def next_key() -> str:
        """The next key of the console; waits for it."""
        sign = msvcrt.getwch()
        if sign == "\0" or (sign == "\xe0" and msvcrt.kbhit()):  # alone it is a letter
            return _CODES.get(msvcrt.getwch(), "")
        if sign == "\x1b":
            return "escape"
        if "\ud800" <= sign <= "\udbff":  # a sign of two halves
            pair = sign + msvcrt.getwch()
            sign = pair.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return _name_of(sign)

    class Keyboard:
        """What is pressed."""

        def __init__(self, size: Callable[[], tuple[int, int]]) -> None:
            self._size = size
            self._seen = size()

        def has_more(self) -> bool:
            """Whether a key waits to be read."""
            return bool(msvcrt.kbhit())

        def read(self) -> str:
            """The next key, or that it is to be drawn again."""
            while not msvcrt.kbhit():
                if self._size() != self._seen:
                    self._seen = self._size()
                    return REDRAW
                time.sleep(_BETWEEN_S)
            key = next_key()
            if key == "ctrl-c":
                raise KeyboardInterrupt
            return key

    @contextmanager
    def keys_at(
        _stream: TextIO, size: Callable[[], tuple[int, int]], _erase: Callable[[], None]
    ) -> Generator[Keyboard]:
        """The keys of the console, which has no mode to change."""
        yield Keyboard(size)

else:
    import termios

    _INPUT_MODES, _LOCAL_MODES, _SIGNS = 0, 3, 6  # in what tcgetattr tells
    _ESCAPE_S = 0.05  # within which the rest of a key's sequence comes; Escape alone has none
    # ECMA-48 and what terminals that follow xterm send, with and without its keypad mode.
    _SEQUENCES = {
        "[A": "up", "[B": "down", "[C": "right", "[D": "left", "[H": "home", "[F": "end",
        "OA": "up", "OB": "down", "OC": "right", "OD": "left", "OH": "home", "OF": "end",
        "[1~": "home", "[7~": "home", "[4~": "end", "[8~": "end", "[3~": "delete",
        "[5~": "page up", "[6~": "page down", "[Z": "back tab", "OM": "enter",
    }  # fmt: skip
    _ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    _OTHERS = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)

    class Sequences:
        """The keys that a terminal sends, some by several signs. Its modes are not changed."""

        def __init__(self, descriptor: int, encoding: str) -> None:
            self._descriptor = descriptor
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")

        def next(self) -> str:
            """The next key; empty for one that is no use, CLOSED for none any more."""
            sign = self._sign()
            if sign != "\x1b":
                return CLOSED if sign is None else _name_of(sign)
            sequence = ""
            while self.comes_within(_ESCAPE_S):
                sign = self._sign()
                if sign is None:
                    return CLOSED
                sequence += sign
                # "[[": a function key of Linux's console, of one sign more.
                if sequence not in ("[", "[[", "O") and sign not in "0123456789;":
                    break
            if sequence in ("", "\x1b"):
                return "escape"
            return _SEQUENCES.get(sequence, "")

        def _sign(self) -> str | None:
            """The next sign; None where there is no terminal any more.

            Byte by byte, since what is typed behind the last key is for somebody else.
            """
            sign = ""
            while not sign:
                try:
                    data = os.read(self._descriptor, 1)
                except OSError:
                    data = b""
                if not data:
                    return None
                sign = self._decoder.decode(data)
            return sign

        def comes_within(self, seconds: float) -> bool:
            """Whether something waits to be read, or does by then."""
            return bool(select.select([self._descriptor], [], [], seconds)[0])

    class Keyboard:
        """What is pressed, and which signals come meanwhile."""

        def __init__(self, stream: TextIO, erase: Callable[[], None]) -> None:
            self._descriptor = stream.fileno()
            self._erase = erase
            self._came: list[int] = []
            self._before = termios.tcgetattr(self._descriptor)
            self._keys = Sequences(self._descriptor, stream.encoding)
            self._woken, self._waking = os.pipe()
            for end in (self._woken, self._waking):
                os.set_blocking(end, False)

        def has_more(self) -> bool:
            """Whether a key or a signal waits to be read."""
            return bool(self._came) or self._keys.comes_within(0)

        def read(self) -> str:
            """The next key, or REDRAW, or CLOSED. Raises what a signal raises that ends us."""
            while True:
                if self._came:
                    self._answer()
                    return REDRAW
                ready, _, _ = select.select([self._descriptor, self._woken], [], [])
                if self._woken in ready:
                    with suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                elif key := self._keys.next():
                    return key

        # Signals and modes. ----------------------------------------------------------

        def note(self, number: int, _frame: FrameType | None) -> None:
            """A signal has come, which `read` answers: nothing is broken off in the middle."""
            self._came.append(number)

        def _answer(self) -> None:
            """Answer the first of the signals that came."""
            self.end_where_asked()
            # One that ends us and comes only now is behind it, and stays there.
            number = self._came.pop(0)
            if number == signal.SIGTSTP:
                self._stop()
            elif number == signal.SIGCONT:
                self._take_over()  # the shell may have set modes of its own

        def end_where_asked(self) -> None:
            """Raise what a signal raises that asks us to end, where one has come."""
            if signal.SIGINT in self._came:
                raise KeyboardInterrupt
            for number in self._came:
                if number in _ENDING:
                    raise Interrupted(signal.Signals(number).name, 128 + number)

        def _stop(self) -> None:
            """Stop as the signal does that has no handler, and go on when we are told to."""
            self._erase()
            self._put_back()
            before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, before)
            self._take_over()

        def _take_over(self) -> None:
            """Have each key at once, unseen. Ctrl-C and Ctrl-Z stay signals, for our group too."""
            modes = termios.tcgetattr(self._descriptor)
            modes[_INPUT_MODES] &= ~termios.IXON  # Ctrl-S would make a write wait
            modes[_LOCAL_MODES] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            modes[_SIGNS][termios.VMIN], modes[_SIGNS][termios.VTIME] = 1, 0
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)

        def _put_back(self) -> None:
            with suppress(termios.error):  # there is no terminal any more
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

        @contextmanager
        def at_work(self) -> Generator[None]:
            """Until the end of the block each key comes at once, and signals are noted."""
            before = answer_signals(dict.fromkeys((*_ENDING, *_OTHERS), self.note))
            woken_before = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
            try:
                self._take_over()
                yield
            finally:
                self._put_back()
                signal.set_wakeup_fd(woken_before)
                restore_signals(before)
                os.close(self._woken)
                os.close(self._waking)

    @contextmanager
    def keys_at(
        stream: TextIO, _size: Callable[[], tuple[int, int]], erase: Callable[[], None]
    ) -> Generator[Keyboard]:
        """The keys of the terminal that a stream leads from; its modes are put back at the end.

        erase: called before we are stopped (Ctrl-Z), since the shell writes where the cursor
        stands. What ends us is raised, once all is as it was before.
        """
        keyboard = Keyboard(stream, erase)
        with keyboard.at_work():
            yield keyboard
        keyboard.end_where_asked()
