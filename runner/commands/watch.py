"""`runenv --watch [NAME …]`: runs what is selected, and again when files change or a key says so.

Each run is a process of its own, which `watching/child.py` starts; here is decided when, and of
which jobs. Nothing of an envfile is loaded here.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from contextlib import suppress

from runner.errors import PASSED, USAGE, CommandFailed
from runner.finding import envfile_meant
from runner.guard import Guard
from runner.handlers import answer_signals, restore_signals
from runner.record import Record
from runner.settings import settle
from runner.telling import tell
from runner.typed import TYPE_CHECKING
from runner.watching import make_bell, make_polling, shown_names
from runner.watching.child import Child, Told
from runner.watching.concern import Concern
from runner.watching.keys import Keys, are_there
from runner.watching.own import TURNS, OwnFiles
from runner.watching.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Literal

    from runner.model import Request, Settings

_LONGEST_S = 0.1 if sys.platform == "win32" else 60.0  # no Ctrl-C breaks off a wait there
_FOREGROUND_S = 1.0  # a shell tells nobody of a job that it brings to the foreground while it runs

if sys.platform == "win32":
    _ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    _ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_KEYS = "r or Enter: run all; f: what failed; q: quit"


def main(request: Request) -> int:
    """Run and watch until somebody quits; the exit code of what failed, or of the signal."""
    settings = settle(request.given, os.environ, {}, {})
    watch = _Watch(request, os.path.dirname(envfile_meant(settings)), settings)
    before = answer_signals(dict.fromkeys(_ENDING, watch.note))
    try:
        return watch.go()
    finally:
        watch.close()
        restore_signals(before)


def _written_by_us() -> set[tuple[int, int]]:
    """Device and number of the files that our output goes to: `runenv --watch > log`."""
    found: set[tuple[int, int]] = set()
    for descriptor in (1, 2):
        with suppress(OSError):
            state = os.fstat(descriptor)
            found.add((state.st_dev, state.st_ino))
    return found


class _Happening(Record):
    """Something that a thread or a signal tells the loop of."""

    kind: Literal["bell", "lost", "told", "ended", "key", "signal"]
    told: Told = Told()
    number: int = 0  # of a signal; the exit code of a run
    text: str = ""  # the name of a key; why a bell is lost


_ALL: frozenset[str] = frozenset()  # as an order: all that is selected, and not some jobs of it


class _Ended(Record):
    """How a run has ended."""

    code: int
    jobs: Mapping[str, bool] | None  # and whether they have yet to pass; None: there was no run
    number: int = 0  # of the signal that ends us too
    order: frozenset[str] | None = None  # what is to be run at once


class _Watch:
    """Runs one thing after another until it is to end."""

    def __init__(self, request: Request, root: str, settings: Settings) -> None:
        self._request = request
        self._is_quiet = settings.quiet
        self._happened: queue.SimpleQueue[_Happening] = queue.SimpleQueue()
        self._tree = Tree(root, os.environ, _written_by_us())
        # That of an envfile's own packages is made before a run can tell where it is.
        self._tree.learn((), [os.path.join(root, os.path.expanduser(settings.envdir))])
        self._concern = Concern(root)
        self._bell = make_bell(self._tree, os.environ, self._ring, self._lose)
        self._guard = Guard()
        self._keys = Keys(self._press) if are_there() else None
        self._child: Child | None = None
        self._is_begun = False  # whether a run has ended
        # The codes that jobs failed with which have not passed since; "": a run as a whole.
        self._red: dict[str, int] = {}
        self._own = OwnFiles()

    # What threads and signals tell. ---------------------------------------------------------

    def note(self, number: int, _frame: FrameType | None) -> None:
        """A signal has come."""
        self._happened.put(_Happening("signal", number=number))

    def _ring(self) -> None:
        self._happened.put(_Happening("bell"))

    def _lose(self, why: str) -> None:
        self._happened.put(_Happening("lost", text=why))

    def _press(self, key: str) -> None:
        self._happened.put(_Happening("key", text=key))

    def _next(self, seconds: float) -> _Happening | None:
        try:
            return self._happened.get(timeout=max(0.0, min(seconds, _LONGEST_S)))
        except queue.Empty:
            return None

    # The loop. --------------------------------------------------------------------------

    def go(self) -> int:
        """Run and wait by turns; the code to exit with."""
        self._say(f"watching {self._tree.root} ({self._bell.told})")
        self._bell.listen(self._tree.folders())
        order = _ALL
        while True:
            ended = self._run(order)
            if ended.number:
                return 128 + ended.number
            # A name that there is not is not to be waited for; a line of the envfile is.
            if (
                not self._is_begun
                and ended.code == USAGE
                and not self._concern.told.envfile_is_wrong
            ):
                return USAGE
            self._is_begun = True
            self._note(order, ended)
            following = self._wait() if ended.order is None else ended.order
            if isinstance(following, int):
                return following
            order = following

    def _note(self, order: frozenset[str], ended: _Ended) -> None:
        """Know what failed, the last of it last: its code is what we exit with."""
        if order == _ALL:
            self._red.clear()
        jobs = ended.jobs or {}
        for job, is_lost in jobs.items():
            self._red.pop(job, None)
            if is_lost:
                self._red[job] = ended.code
        if ended.code != PASSED and not any(jobs.values()):
            self._red[""] = ended.code

    def close(self) -> None:
        """Nothing is left of it: no run, no thread that goes on, no mode of the terminal."""
        if self._child is not None:
            self._child.kill()
        if self._keys is not None:
            self._keys.close()
        self._bell.close()
        self._guard.close()

    def _run(self, order: frozenset[str]) -> _Ended:
        """Run until it has ended, or files that matter to it have changed."""
        child = self._child = self._started(order)
        jobs: Mapping[str, bool] | None = None
        changed: set[str] = set()
        number = 0
        while (happening := self._next(child.attend())) is None or happening.kind != "ended":
            if happening is None or happening.kind == "key":
                continue
            if happening.kind == "told":
                jobs = happening.told.ended
                self._learn(happening.told)
            elif happening.kind == "signal":
                number = number or happening.number
                child.ask_to_end(happening.number)
            elif happening.kind == "lost":
                self._poll(happening.text)
            elif happening.kind == "bell" and not changed and not number:
                changed = self._changed_in_run()
                if changed:
                    self._say_changed(changed)
                    child.ask_to_end(signal.SIGTERM)
        self._child = None
        if self._keys is not None:
            self._keys.restore()
        was_stopped = bool(changed)
        more = self._changed_in_run()
        self._own.end(changed | more, time.monotonic())
        ended = _Ended(happening.number, jobs, number)
        if number or not changed | more:
            return ended
        if not was_stopped:
            self._say_changed(more)
        following = self._order_for(changed | more, order if was_stopped else None)
        return ended._replace(order=following)

    def _started(self, order: frozenset[str]) -> Child:
        try:
            return Child(
                self._request,
                order,
                self._is_begun,
                lambda told: self._happened.put(_Happening("told", told=told)),
                lambda code: self._happened.put(_Happening("ended", number=code)),
                self._guard,
            )
        except OSError as error:
            raise CommandFailed(
                f"{sys.executable} cannot be started: {error.strerror}",
                mend="is there room for a process?",
            ) from None

    def _wait(self) -> frozenset[str] | int:
        """What is to be run next, once a change or a key says so; or the code to exit with."""
        if self._keys is not None:
            self._keys.open()
        try:
            self._say_waiting()
            while True:
                happening = self._next(self._until_keys_s())
                following = None if happening is None else self._answer(happening)
                if following is not None:
                    return following
        finally:
            if self._keys is not None:
                self._keys.close()

    def _answer(self, happening: _Happening) -> frozenset[str] | int | None:
        """What a happening between two runs leads to."""
        if happening.kind == "bell":
            changed, own = self._own.between(self._matter(), time.monotonic())
            self._say_own(own)
            if changed:
                self._say_changed(changed)
                return self._order_for(changed, None)
        elif happening.kind == "key":
            return self._pressed(happening.text)
        elif happening.kind == "lost":
            self._poll(happening.text)
        elif happening.kind == "signal":
            return 128 + happening.number
        return None

    def _until_keys_s(self) -> float:
        """How long nothing need be done: in the background, until it is seen whether we are."""
        if self._keys is None or self._keys.is_open:
            return _LONGEST_S
        if not self._keys.open():
            return _FOREGROUND_S
        self._say_waiting()
        return _LONGEST_S

    def _pressed(self, key: str) -> frozenset[str] | int | None:
        if key in ("q", "Q", "ctrl-d"):
            return next(reversed(self._red.values()), PASSED)
        if key in ("r", "R", "enter"):
            return _ALL
        if key in ("f", "F"):
            if self._red:
                return _ALL if "" in self._red else frozenset(self._red)
            self._say("nothing failed when it last ran")
        return None

    # What has changed. ----------------------------------------------------------------------

    def _learn(self, told: Told) -> None:
        """Know what a run has told of itself."""
        self._concern.learn(told)
        self._tree.learn(self._concern.files(), told.ignored)
        self._bell.listen(self._tree.folders())

    def _matter(self) -> set[str]:
        """All that has changed, once nothing more does, and is a change for any of the jobs."""
        changed = self._tree.settled()
        if changed:
            self._bell.listen(self._tree.folders())
        return {path for path in changed if self._concern.jobs_of([path]) != frozenset()}

    def _changed_in_run(self) -> set[str]:
        """What has changed that matters, but for what the run itself writes again and again."""
        changed, own = self._own.in_run(self._matter())
        self._say_own(own)
        return changed

    def _order_for(self, changed: set[str], unfinished: frozenset[str] | None) -> frozenset[str]:
        """Whatever the changes are for, and what a run that was stopped has not finished."""
        jobs = self._concern.jobs_of(changed)
        if jobs is None or unfinished == _ALL:
            return _ALL
        return jobs | (unfinished or _ALL)

    # What is said. --------------------------------------------------------------------------

    def _poll(self, why: str) -> None:
        """Go on by polling, since no events come any more."""
        self._bell.close()
        self._bell = make_polling(self._tree, self._ring, f"watchfiles cannot go on: {why}")
        self._bell.listen(self._tree.folders())
        self._say(f"watching {self._tree.root} ({self._bell.told})")

    def _say_waiting(self) -> None:
        self._say(f"waiting for changes ({_KEYS})" if self._keys else "waiting for changes")

    def _say_changed(self, paths: set[str]) -> None:
        self._say(f"changed: {shown_names(paths, self._tree.root)}")

    def _say_own(self, paths: set[str]) -> None:
        if paths:
            self._say(
                f"{shown_names(paths, self._tree.root)} changed in {TURNS} runs in a row: taken for"
                " written by the run, and no change while one goes on; outputs= or .gitignore says"
                " so for good"
            )

    def _say(self, text: str) -> None:
        if not self._is_quiet:
            tell(sys.stderr, f"{text}\n")
