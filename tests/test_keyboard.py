"""Keys as terminals send them, signals that come meanwhile, and modes that are put back."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from runner.errors import Interrupted
from runner.keyboard import CLOSED, REDRAW, keys_at
from tests.terminals import open_terminal

if sys.platform != "win32":
    import termios

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")


class Desk:
    """A terminal: what is typed there, and the stream that programs read it from."""

    def __init__(self) -> None:
        self.keyboard, inside = open_terminal()
        self.stream = open(inside, encoding="utf-8")  # noqa: SIM115  # closed by the fixture
        self.erased = 0

    def keys(self):
        return keys_at(self.stream, lambda: (80, 24), self.erase)

    def erase(self) -> None:
        self.erased += 1

    def type(self, data: bytes) -> None:
        os.write(self.keyboard, data)

    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self.keyboard))


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.stream.close()
    os.close(desk.keyboard)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"a Z-.", ["a", " ", "Z", "-", "."]),
        ("ñ日🐍".encode(), ["ñ", "日", "🐍"]),
        (b"\r\n", ["enter", "enter"]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        (b"\x1bOA\x1bOB\x1bOM", ["up", "down", "enter"]),
        (b"\x1b[H\x1b[F\x1bOH\x1bOF\x1b[1~\x1b[4~", ["home", "end"] * 3),
        (b"\x1b[5~\x1b[6~\x1b[3~", ["page up", "page down", "delete"]),
        (b"\t\x1b[Z", ["tab", "back tab"]),
        (b"\x7f\x08", ["backspace", "backspace"]),
        (b"\x01\x0e\x10\x13\x15", ["ctrl-a", "ctrl-n", "ctrl-p", "ctrl-s", "ctrl-u"]),
        (b"\x1b[200~\x1b[[A\x1b[1;5C\x1bxa", ["a"]),  # what nobody asked for is passed over
        (b"\xff\xfea", ["\ufffd", "\ufffd", "a"]),  # no UTF-8
        (b"\x1b\x1b[A", ["escape", "[", "A"]),
        (b"\x1b", ["escape"]),
    ],
)
def test_keys_have_names(desk: Desk, data: bytes, keys: list[str]):
    with desk.keys() as keyboard:
        desk.type(data)
        assert keyboard.has_more()
        assert [keyboard.read() for _ in keys] == keys
        assert not keyboard.has_more()


def test_its_modes_are_put_back(desk: Desk):
    before = desk.modes()

    with desk.keys():
        assert desk.modes() != before
    assert desk.modes() == before

    with pytest.raises(ZeroDivisionError), desk.keys():
        raise ZeroDivisionError
    assert desk.modes() == before


def test_keys_are_not_shown(desk: Desk):
    with desk.keys():
        assert not termios.tcgetattr(desk.stream)[3] & termios.ECHO


def test_ctrl_s_stops_nothing(desk: Desk):
    with desk.keys():
        assert not termios.tcgetattr(desk.stream)[0] & termios.IXON


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (signal.SIGINT, KeyboardInterrupt()),
        (signal.SIGTERM, Interrupted("SIGTERM", 143)),
        (signal.SIGQUIT, Interrupted("SIGQUIT", 131)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
@pytest.mark.parametrize("reads", [True, False])
def test_what_ends_us_is_raised_when_all_is_as_before(
    desk: Desk, number: signal.Signals, raised: BaseException, reads: bool
):
    before, handler = desk.modes(), signal.getsignal(number)

    with pytest.raises(type(raised)) as caught, desk.keys() as keyboard:
        os.kill(os.getpid(), number)
        if reads:
            keyboard.read()

    assert str(caught.value) == str(raised)
    assert desk.modes() == before
    assert signal.getsignal(number) == handler
    assert signal.set_wakeup_fd(-1) == -1


def test_a_signal_that_is_ignored_stays_so(desk: Desk):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with desk.keys() as keyboard:
            os.kill(os.getpid(), signal.SIGTERM)
            desk.type(b"a")
            assert keyboard.read() == "a"
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("number", [signal.SIGWINCH, signal.SIGCONT], ids=lambda n: n.name)
def test_what_was_drawn_is_drawn_again(desk: Desk, number: signal.Signals):
    with desk.keys() as keyboard:
        os.kill(os.getpid(), number)
        assert keyboard.read() == REDRAW


def test_modes_that_another_program_has_set_meanwhile_are_set_again(desk: Desk):
    before = desk.modes()

    with desk.keys() as keyboard:
        ours = desk.modes()
        termios.tcsetattr(desk.stream, termios.TCSANOW, before)
        os.kill(os.getpid(), signal.SIGCONT)
        keyboard.read()
        assert desk.modes() == ours


def test_a_keyboard_that_is_gone_is_told(desk: Desk):
    with desk.keys() as keyboard:
        os.close(desk.keyboard)
        desk.keyboard = os.open(os.devnull, os.O_RDONLY)

        assert keyboard.read() == CLOSED
