"""Does the jobs of one run on one worker of a cluster: started there, told by frames.

It loads the project once and copies itself for each job where that is safe. What it
reads from ends when the worker is gone, however that ended: then all that it has
started is ended, and the run's folder removed. Knows nothing of clusters.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

from runner.envs import folder
from runner.errors import RunnerError
from runner.executors.frames import Frames, to_frame
from runner.executors.processes import Processes
from runner.executors.system import CHUNK_BYTES, readable
from runner.executors.wire import to_line
from runner.load import open_project
from runner.model import Request
from runner.run_folders import ARTIFACTS
from runner.running import EnvironmentReady, Outcome, Said
from runner.settings import BY_NAME, is_list
from runner.several import starting
from runner.trees import remove_tree
from runner.worker import Run
from runner.world import envdir_of, make_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

    from runner.executors.frames import Head
    from runner.model import Project, Settings
    from runner.running import Event

_IDLE_S = 15.0  # without a job: whoever started us may have forgotten us
_PIECE_BYTES = 1 << 18  # of an artifact


class _Left(Exception):
    """Nobody wants anything of us any more."""


def main() -> None:
    """Do what standard input asks for until it ends."""
    own = os.dup(1)
    os.dup2(2, 1)  # what an envfile prints is no frame
    commands = os.dup(0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    sys.argv = ["runenv"]
    frames = Frames()
    told: list[tuple[Head, bytes]] = []
    while not told:
        data = os.read(commands, CHUNK_BYTES)
        if not data:
            return
        told += frames.feed(data)
    orders: dict[str, Any] = told.pop(0)[0][0]
    keeper = _Keeper(orders, own)
    try:
        keeper.serve(commands, frames, told)
    finally:
        os.chdir(os.sep)
        remove_tree(orders["root"])


class _Keeper:
    """What is known of the jobs that run here."""

    def __init__(self, orders: dict[str, Any], own: int) -> None:
        self.is_one = bool(orders["is_one"])
        self.answers: Mapping[int, Callable[[int, FrameType | None], None]] = {}
        self._orders = orders
        self._own = own
        self._tokens: dict[str, str] = {}  # of the jobs that run
        self._idle_since_s = time.monotonic()
        self._run = Run(
            time.time(),
            set(),
            orders["color"],
            orders["columns"],
            orders["run_id"],
            orders["grace_s"],
        )
        self._environments: dict[str, str] = {}

    def serve(self, commands: int, frames: Frames, told: list[tuple[Head, bytes]]) -> None:
        """Do what comes until nothing can come."""
        given = {
            name: tuple(value) if is_list(value) and BY_NAME[name].kind == "many" else value
            for name, value in self._orders["given"].items()
        }
        request = Request(verb="run", argument=None, given=given, posargs=())
        try:
            project, settings = open_project(request, os.environ, again=True)
            _make_envdir(project, settings)
        except RunnerError as error:
            self._refuse(str(error), error.what, commands, frames, told)
            return
        jobs = {job.name: job for job in project.jobs}
        self._environments = {job.name: job.environment for job in project.jobs}
        start = starting(request, project, settings, self._run)
        executor = Processes(1 << 30, start, self, self._hear, grace_s=self._run.grace_s)

        def obey(head: Head) -> None:
            if head[0] == "start":
                _, name, token, words = head
                self._tokens[name] = token
                if name in jobs:
                    executor.start(jobs[name], tuple(words))
                else:
                    self._end(_unknown(name), project, settings)
            elif head[0] == "end":
                for name, token in self._tokens.items():
                    if token == head[1]:
                        executor.stop_job(name)
            elif head[0] == "signal":
                signal.raise_signal(head[1])
            else:
                executor.stop()

        def take(data: bytes) -> None:
            if not data:
                raise _Left
            for head, _ in frames.feed(data):
                obey(head)

        try:
            for head, _ in told:
                obey(head)
            executor.listen(readable(commands), take)
            while True:
                self._end(executor.wait(), project, settings)
        except (_Left, BrokenPipeError):
            pass
        finally:
            executor.close()

    def _refuse(
        self,
        text: str,
        what: str,
        commands: int,
        frames: Frames,
        told: list[tuple[Head, bytes]],
    ) -> None:
        """Let each job fail for the reason why none can run here."""
        while True:
            for head, _ in told:
                if head[0] == "start":
                    said = to_line(Said(job=head[1], level="error", text=text))
                    self._write(["told", head[2]], said)
                    self._write(["out", head[2], 2], text.encode("utf-8", "replace") + b"\n")
                    self._write(["ended", head[2]], to_line(Outcome(head[1], "failed", what)))
            data = os.read(commands, CHUNK_BYTES)
            if not data:
                return
            told = frames.feed(data)

    # What is told. ----------------------------------------------------------------------

    def _write(self, head: Head, data: bytes = b"") -> None:
        left = memoryview(to_frame(head, data))
        while left:
            left = left[os.write(self._own, left) :]

    def _hear(self, event: Event) -> None:
        if isinstance(event, EnvironmentReady):
            self._run.made.add(self._environments[event.job])
        name = getattr(event, "job", "")
        self._write(["told", self._tokens.get(name, "")], to_line(event))

    def _end(self, outcome: Outcome, project: Project, settings: Settings) -> None:
        token = self._tokens.pop(outcome.job)
        home = os.path.join(envdir_of(project, settings), ARTIFACTS, self._run.run_id)
        self._send_artifacts(token, os.path.join(home, folder.folder_name(outcome.job)))
        self._write(["ended", token], to_line(outcome))
        self._idle_since_s = time.monotonic()

    def _send_artifacts(self, token: str, home: str) -> None:
        for above, folders, files in os.walk(home):
            for name in [*folders, *files]:
                path = os.path.join(above, name)
                shown = os.path.relpath(path, home).replace(os.sep, "/")
                if os.path.islink(path):
                    self._write(["link", token, shown, os.readlink(path)])
                elif os.path.isfile(path):
                    self._send_file(token, path, shown)
                elif not os.listdir(path):
                    self._write(["folder", token, shown])

    def _send_file(self, token: str, path: str, shown: str) -> None:
        mode, is_first = stat.S_IMODE(os.stat(path).st_mode), True
        with open(path, "rb", buffering=0) as stream:
            while (data := stream.read(_PIECE_BYTES)) or is_first:
                self._write(["file", token, shown, mode, is_first], data)
                is_first = False

    # An Output: what jobs write. ---------------------------------------------------------

    def expect(self, jobs: Sequence[str]) -> None:
        """Nobody asks here."""

    def begin(self, job: str) -> None:
        """Whoever asked for it knows."""

    def take(self, job: str, stream: int, data: bytes) -> None:
        self._write(["out", self._tokens.get(job, ""), stream], data)

    def tick(self) -> float:
        left = self._idle_since_s + _IDLE_S - time.monotonic()
        if self._tokens:
            return _IDLE_S
        if left <= 0:
            raise _Left
        return left

    def cut(self) -> None:
        """Nothing is shown here."""

    def end(self) -> None:
        """What was told stays told."""


def _unknown(name: str) -> Outcome:
    return Outcome(name, "failed", f"on the worker the envfile has no job {name!r}")


def _make_envdir(project: Project, settings: Settings) -> None:
    envdir = envdir_of(project, settings)
    folder.check_place(envdir)
    store = make_store(project, settings, os.environ)
    if store is not None:
        store.make()
    folder.make_envdir(envdir, project.root, "" if store is None else store.home)
