"""What a job has beside its commands: servers that end with it, and files that are kept of it.

Knows nothing of environments: a command comes as it is to be run.
"""

from __future__ import annotations

import os
from itertools import count

from runner.envs import folder
from runner.errors import CommandFailed, Interrupted
from runner.run_folders import ARTIFACTS, LOGS, keep_newest, make_run_folder
from runner.running import Said, Shown
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Ready
    from runner.running import Command
    from runner.services import Service
    from runner.world import World


class Beside:
    """That of one job."""

    def __init__(self, job: str, world: World) -> None:
        self._job = job
        self._world = world
        self._services: list[Service] = []

    def start(self, command: Command, name: str, ready: Ready, timeout_s: float) -> Service:
        """Start a server; it is ready when this returns. Raises CommandFailed where it is not."""
        from runner.services import ServiceFailed, start_service  # few jobs have servers

        try:
            return start_service(
                command,
                name,
                self._open_log,
                self._services,
                ready,
                timeout_s,
                self._world.guard,
                self._world.grace_s,
            )
        except ServiceFailed as error:
            self._world.emit(Shown(job=self._job, text=error.last_lines))
            raise error.why from None

    def _open_log(self) -> str:
        home = self._run_folder(LOGS)
        for number in count(1):
            name = f"{folder.folder_name(self._job)}~background-{number}.log"
            path = os.path.join(home, name)
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileExistsError:  # of an earlier attempt
                continue
            return path
        raise AssertionError

    @property
    def peak_bytes(self) -> int:
        """The most memory that one of them had at once; of those that have ended."""
        return max((service.peak_bytes for service in self._services), default=0)

    def keep(self, path: str, name: str) -> str:
        """Keep a copy of what the job has made; returns where it is."""
        from runner.artifacts import keep_artifact  # with shutil 2 ms

        home = os.path.join(self._run_folder(ARTIFACTS), folder.folder_name(self._job))
        return keep_artifact(path, name, home)

    def _run_folder(self, kind: str) -> str:
        """The folder of this run for what is kept of it."""
        world = self._world
        folder.make_envdir(world.envdir, world.project.root, world.store_path)
        home = os.path.join(world.envdir, kind)
        path = make_run_folder(home, world.run_id)
        keep_newest(home)
        return path

    def end(self, error: object) -> None:
        """What ran has ended; what did so by itself is told, or fails the job.

        error: what the job ends with, None where it would pass.
        """
        if not self._services:
            return
        from runner.process import ending
        from runner.services import end_services

        interrupted = isinstance(error, (KeyboardInterrupt, Interrupted))
        end_services(self._services, self._world.grace_s, interrupted=interrupted)
        failures: list[CommandFailed] = []
        for service in self._services:
            code = service.returncode or 0
            what = f"{service.name} {ending(code)} while the job ran"
            if service.died and code == 0:
                self._world.emit(Said(job=self._job, level="info", text=what))
            elif service.died:
                # What was tested against it has shown nothing, whatever the tests say.
                self._world.emit(Shown(job=self._job, text=service.last_lines()))
                mend = f"what it wrote is in {service.log}"
                failures.append(CommandFailed(what, returncode=code, mend=mend))
        first = failures[:1] if error is None else []
        for failure in failures[len(first) :]:
            self._world.emit(Said(job=self._job, level="error", text=str(failure)))
        if first:
            raise first[0]
