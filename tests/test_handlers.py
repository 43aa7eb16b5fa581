"""Handlers and masks of signals, as numbers."""

from __future__ import annotations

import signal
import sys

import pytest

from runner.handlers import (
    answer_signals,
    getsignal,
    pthread_sigmask,
    restore_signals,
    set_signal,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGUSR1")


def test_what_was_set_is_what_signal_says():
    before = set_signal(signal.SIGUSR1, int(signal.SIG_IGN))
    try:
        assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
        assert getsignal(signal.SIGUSR1) == signal.SIG_IGN
        assert set_signal(signal.SIGUSR1, print) == signal.SIG_IGN
        assert getsignal(signal.SIGUSR1) is print
    finally:
        set_signal(signal.SIGUSR1, before)

    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_a_mask_is_set_and_comes_back_as_numbers():
    before = pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
    try:
        assert signal.SIGUSR1 not in before
        assert pthread_sigmask(signal.SIG_BLOCK, ()) == {*before, signal.SIGUSR1}
    finally:
        pthread_sigmask(signal.SIG_SETMASK, before)


def answer(number: int, frame: object) -> None: ...


def test_signals_are_answered_and_then_as_before():
    was = signal.getsignal(signal.SIGTERM)
    before = answer_signals({int(signal.SIGTERM): answer})
    assert signal.getsignal(signal.SIGTERM) is answer

    restore_signals(before)
    assert signal.getsignal(signal.SIGTERM) == was


def test_a_signal_that_is_ignored_stays_so():
    was = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert answer_signals({int(signal.SIGTERM): answer}) == {}
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, was)
