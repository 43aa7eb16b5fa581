"""Signals: raised as exceptions, held back, and what waits for a moment."""

from __future__ import annotations

import signal
import threading

import pytest

from runner.errors import Interrupted
from runner.signals import Moment, in_background, signals_as_exceptions, signals_held_back


def test_handlers_are_restored():
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    with signals_as_exceptions():
        within = signal.getsignal(signal.SIGTERM)

    assert within not in before
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_signals_are_exceptions_within_the_block():
    with pytest.raises(Interrupted) as raised, signals_as_exceptions():
        signal.raise_signal(signal.SIGTERM)

    assert (raised.value.signal_name, raised.value.exit_code) == ("SIGTERM", 143)


def test_signals_held_back_are_raised_at_the_end():
    told = []

    with pytest.raises(KeyboardInterrupt), signals_held_back():
        signal.raise_signal(signal.SIGINT)
        told.append("went on")

    assert told == ["went on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_held_back_are_raised_when_asked_to():
    told = []

    with pytest.raises(KeyboardInterrupt), signals_held_back() as held:
        signal.raise_signal(signal.SIGINT)
        told.append("went on")
        held.answer()
        told.append("never")

    assert told == ["went on"]


def test_the_first_signal_that_was_held_back_is_raised_first():
    raised = []

    with signals_as_exceptions(), signals_held_back() as held:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        for _ in range(2):
            try:
                held.answer()
            except (Interrupted, KeyboardInterrupt) as error:
                raised.append(type(error))

    assert raised == [Interrupted, KeyboardInterrupt]


def test_in_another_thread_nothing_is_held_back():
    handlers = []

    def look() -> None:
        with signals_held_back() as held:
            handlers.append(held.handlers)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert handlers == [{}]


def test_a_moment_that_has_come_is_not_waited_for():
    moment = Moment()
    moment.come()
    moment.come()

    assert moment.within(None)


def test_a_moment_that_does_not_come_is_not_waited_for_longer_than_asked():
    assert not Moment().within(0)


def test_a_moment_comes_when_the_work_of_a_thread_is_done():
    moment, done = Moment(), []

    in_background(lambda: done.append(1), moment)

    assert moment.within(None)
    assert done == [1]


def test_a_moment_comes_too_when_the_work_of_a_thread_fails(monkeypatch: pytest.MonkeyPatch):
    moment, told = Moment(), []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_type))

    in_background(lambda: 1 / 0, moment)

    assert moment.within(None)


def test_a_signal_that_is_held_back_ends_a_wait_for_a_moment():
    moment = Moment()

    with pytest.raises(KeyboardInterrupt), signals_held_back() as held:
        held.told = moment.ring
        threading.Timer(0.01, signal.raise_signal, [signal.SIGINT]).start()
        moment.within(None, held.answer)


def test_a_moment_can_be_waited_for_again_after_an_exception():
    moment = Moment()
    threading.Timer(0.01, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        moment.within(None)

    moment.come()

    assert moment.within(None)
