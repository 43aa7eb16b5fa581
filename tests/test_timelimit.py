"""A time limit ends what the main thread does."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from runner.errors import TimeUp
from runner.timelimit import TimeLimit


def spin() -> None:
    n = 0
    while True:
        n += 1


def test_what_never_ends_is_ended():
    limit = TimeLimit(0.01)

    with pytest.raises(TimeUp), limit:
        spin()

    assert limit.is_up


def test_what_waits_is_woken():
    with pytest.raises(TimeUp), TimeLimit(0.01):
        threading.Event().wait(600)


def test_what_cleans_up_for_ever_is_ended_too():
    told = []

    with pytest.raises(TimeUp), TimeLimit(0.01, again_s=0.01):
        try:
            spin()
        finally:
            told.append("cleaning")
            spin()

    assert told == ["cleaning"]


def test_without_a_time_nothing_is_ended():
    with TimeLimit(None) as limit:
        pass

    assert not limit.is_up


def test_what_ends_in_time_is_left_alone():
    with TimeLimit(3600) as limit:
        pass

    assert not limit.is_up
    if sys.platform != "win32":
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_entered_again_it_has_what_is_left():
    limit = TimeLimit(0.05)
    with pytest.raises(TimeUp), limit:
        spin()

    with pytest.raises(TimeUp), limit:
        spin()


def test_stopped_it_raises_nothing_until_the_block_ends():
    with TimeLimit(0.001, again_s=0.001) as limit:
        try:
            spin()
        except TimeUp:
            limit.stop()
        for _ in range(1_000_000):  # much longer
            pass


def test_outside_of_the_main_thread_there_is_none():
    ended = []

    def work() -> None:
        with TimeLimit(0.000001) as limit:
            ended.append(limit.is_up)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert ended == [False]
