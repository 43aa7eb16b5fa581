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
from contextlib import suppress

from runner.dotenv import files_for
from runner.envs import folder
from runner.errors import RunnerError
from runner.executors.frames import Frames, to_frame
from runner.executors.processes import Processes
from runner.executors.system import CHUNK_BYTES, readable
from runner.executors.wire import to_line
from runner.model import Request
from runner.opening import open_project
from runner.run_folders import ARTIFACTS
from runner.running import EnvironmentReady, Outcome, Said
from runner.several import make_envdir, starting
from runner.trees import remove_tree
from runner.typed import TYPE_CHECKING
from runner.worker import Run, given_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import Any, Literal

    from runner.executors.frames import Head
    from runner.model import Job, Project
    from runner.running import Event

    Frame = tuple[Head, bytes]

_IDLE_S = 60.0  # without a job: whoever started us may have forgotten us
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
    asked = _Asked(commands)
    with_orders = asked.more()
    if not with_orders:
        return
    orders: dict[str, Any] = with_orders[0][0][0]
    try:
        _serve(orders, asked, with_orders[1:], _Told(own, is_one=orders["is_one"]))
    finally:
        os.chdir(os.sep)
        remove_tree(orders["root"])


def _serve(orders: dict[str, Any], asked: _Asked, frames: list[Frame], told: _Told) -> None:
    """Do what is asked for, of a project that can be loaded or of one that cannot."""
    run = Run(
        began_s=time.time(),
        made=set(),
        color=orders["color"],
        columns=orders["columns"],
        run_id=orders["run_id"],
        grace_s=orders["grace_s"],
        answers=orders["answers"],
    )
    given = given_of(orders["given"])
    request = Request(
        verb="run",
        argument=None,
        given=given,
        posargs=(),
        own=tuple(orders["own"]),
        here=os.path.normpath(os.path.join(str(orders["root"]), orders["here"])),
    )
    try:
        project, settings = open_project(request, os.environ, again=True)
        envdir = make_envdir(project, settings)
    except RunnerError as error:
        _refuse(error, asked, frames, told)
        return
    told.begin_run(project, run, os.path.join(envdir, ARTIFACTS, run.run_id))
    start = starting(request, project, settings, run)
    executor = Processes(sys.maxsize, start, told, told.hear, grace_s=run.grace_s)
    jobs = _Jobs(project, executor, told, settings.env_file, orders["left"])
    try:
        for head, _ in frames:
            jobs.obey(head)
        executor.listen(readable(asked.commands), lambda data: jobs.take(asked.frames, data))
        while True:
            told.end_job(executor.wait())
    except _Left:
        pass
    finally:
        executor.close()


def _refuse(error: RunnerError, asked: _Asked, frames: list[Frame], told: _Told) -> None:
    """Let each job fail for the reason why none can run here."""
    while frames:
        for head, _ in frames:
            if head[0] == "start":
                _, name, token, _ = head
                told.tokens[name] = token
                told.say(name, "error", str(error))
                told.write(["ended", token], to_line(Outcome(name, "failed", error.what)))
        frames = asked.more()


class _Asked:
    """What we are asked for, as frames."""

    def __init__(self, commands: int) -> None:
        self.commands = commands
        self.frames = Frames()

    def more(self) -> list[Frame]:
        """The next frames, of which one is whole at least; none at the end."""
        found: list[Frame] = []
        while not found:
            data = os.read(self.commands, CHUNK_BYTES)
            if not data:
                break
            found = self.frames.feed(data)
        return found


class _Jobs:
    """Obeys what is asked for of the jobs of a project."""

    def __init__(
        self,
        project: Project,
        executor: Processes,
        told: _Told,
        env_file: tuple[str, ...],
        left: Sequence[str],
    ) -> None:
        """env_file: of all sessions. left: files of variables that did not travel."""
        self._project, self._env_file, self._left = project, env_file, left
        self._jobs = {job.name: job for job in project.jobs}
        self._executor = executor
        self._told = told

    def take(self, frames: Frames, data: bytes) -> None:
        """Obey what has come. Raises _Left at the end."""
        if not data:
            raise _Left
        for head, _ in frames.feed(data):
            self.obey(head)

    def obey(self, head: Head) -> None:
        if head[0] == "start":
            _, name, token, words = head
            self._told.tokens[name] = token
            if name not in self._jobs:
                reason = f"loaded again, the envfile has no job {name!r}"
                self._told.end_job(Outcome(name, "failed", reason))
            elif not self._lacks(self._jobs[name]):
                self._executor.start(self._jobs[name], tuple(words))
        elif head[0] == "end":
            for name, token in self._told.tokens.items():
                if token == head[1]:
                    self._executor.stop_job(name)
        elif head[0] == "signal":
            signal.raise_signal(head[1])
        else:
            self._executor.stop()

    def _lacks(self, job: Job) -> bool:
        """Whether it cannot run without a file of variables that did not travel; it is told."""
        for file, may_be_missing in files_for(job.spec, self._project, self._env_file):
            if file not in self._left:
                continue
            what = stayed(file)
            if may_be_missing:
                self._told.say(job.name, "warning", f"{what}; the session runs without it")
                continue
            mend = (
                "name a file that each worker's machine has, by an absolute path or ~,"
                " or run the session without --on"
            )
            self._told.say(job.name, "error", f"{what}\n--> {job.spec.where}\n{mend}")
            self._told.end_job(Outcome(job.name, "failed", what))
            return True
        return False


def stayed(file: str) -> str:
    """Why a file of variables is not here."""
    return (
        f"{file} stayed where the run began:"
        " what git ignores, or is not of the project, does not travel"
    )


class _Told:
    """Tells the worker all that jobs write, tell and make: an Output."""

    def __init__(self, own: int, *, is_one: bool) -> None:
        self.is_one = is_one
        self.answers: Mapping[int, Callable[[int, FrameType | None], None]] = {}
        self.tokens: dict[str, str] = {}  # of the jobs that run
        self._own = own
        self._artifacts = ""
        self._environments: dict[str, str] = {}
        self._made: set[str] = set()
        self._idle_since_s = time.monotonic()

    def begin_run(self, project: Project, run: Run, artifacts: str) -> None:
        """A project is loaded whose jobs keep what they make in that folder."""
        self._artifacts = artifacts
        self._environments = {job.name: job.environment for job in project.jobs}
        self._made = run.made

    def write(self, head: Head, data: bytes = b"") -> None:
        left = memoryview(to_frame(head, data))
        # The worker is gone, and with it who would be told; what runs still has its grace.
        with suppress(BrokenPipeError):
            while left:
                left = left[os.write(self._own, left) :]

    def hear(self, event: Event) -> None:
        """Tell an event of a job."""
        if isinstance(event, EnvironmentReady):
            self._made.add(self._environments[event.job])
        name = getattr(event, "job", "")
        self.write(["told", self.tokens.get(name, "")], to_line(event))

    def say(self, job: str, level: Literal["warning", "error"], text: str) -> None:
        """Tell what a job's own process would have told and shown."""
        self.hear(Said(job, level, text))
        shown = text.replace("\n", "\n  ")
        self.take(job, 1 if self.is_one else 2, f"{level}: {shown}\n".encode("utf-8", "replace"))

    def end_job(self, outcome: Outcome) -> None:
        """Tell how a job ended, and what it has made before."""
        token = self.tokens.pop(outcome.job)
        self._send_artifacts(token, os.path.join(self._artifacts, folder.folder_name(outcome.job)))
        self.write(["ended", token], to_line(outcome))
        self._idle_since_s = time.monotonic()

    def _send_artifacts(self, token: str, home: str) -> None:
        for above, folders, files in os.walk(home):
            for name in [*folders, *files]:
                path = os.path.join(above, name)
                shown = os.path.relpath(path, home).replace(os.sep, "/")
                if os.path.islink(path):
                    self.write(["link", token, shown, os.readlink(path)])
                elif os.path.isfile(path):
                    self._send_file(token, path, shown)
                elif os.path.isdir(path) and not os.listdir(path):
                    self.write(["folder", token, shown])

    def _send_file(self, token: str, path: str, shown: str) -> None:
        mode, is_first = stat.S_IMODE(os.stat(path).st_mode), True
        with open(path, "rb", buffering=0) as stream:
            while (data := stream.read(_PIECE_BYTES)) or is_first:
                self.write(["file", token, shown, mode, is_first], data)
                is_first = False

    # An Output: what jobs write. ---------------------------------------------------------

    def expect(self, jobs: Sequence[str]) -> None:
        """Nobody asks here."""

    def begin(self, job: str) -> None:
        """Whoever asked for it knows."""

    def take(self, job: str, stream: int, data: bytes) -> None:
        self.write(["out", self.tokens.get(job, ""), stream], data)

    def tick(self) -> float:
        left = self._idle_since_s + _IDLE_S - time.monotonic()
        if self.tokens:
            return _IDLE_S
        if left <= 0:
            raise _Left
        return left

    def cut(self) -> None:
        """Nothing is shown here."""

    def end(self) -> None:
        """What was told stays told."""
