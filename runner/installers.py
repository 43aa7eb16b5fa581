"""Runs what a job's environment asks for: told of, its output kept back until it is needed.

Knows nothing of what is installed: `envs/` makes the calls.
"""

from __future__ import annotations

import os

from runner.envs.installing import as_command
from runner.envs.network import run_patiently
from runner.errors import EnvironmentBroken
from runner.process import ending
from runner.running import CommandEnded, CommandStarted, Said, Shown
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.running import CommandKind, Finished, InstallerCall
    from runner.world import World


class Installers:
    """Those of one job."""

    def __init__(self, job: str, world: World) -> None:
        self.shows = world.settings.verbose  # all that they write, at once
        self.holds: tuple[int, ...] = ()  # descriptors of the environment's lock
        self._job = job
        self._world = world
        self._tried = ""  # the call that was tried last, as it was shown

    def run(self, call: InstallerCall) -> None:
        """Run it; raises EnvironmentBroken where it fails."""
        world = self._world
        shown = world.show(call.argv) if call.kind == "make" else f"{call.kind} {call.show}"
        if shown != self._tried:  # else it is tried another way
            world.emit(CommandStarted(job=self._job, show=shown, kind=call.kind))
        self._tried = shown if call.may_fail else ""
        captured = not self.shows or call.kind == "export" or call.may_fail
        command = as_command(call, world.outer, self.holds, captured=captured)
        if call.may_fail:
            finished = world.run(command)
        else:
            finished = run_patiently(world.run, command, world.wait, self._warn)
        tell_ended(world, self._job, shown, call.kind, finished)
        if finished.returncode == 0:
            self._tried = ""
            return
        if not call.may_fail:
            world.emit(Shown(job=self._job, text=finished.stdout))
        raise self._failure(call, finished)

    def _warn(self, text: str) -> None:
        self._world.emit(Said(job=self._job, level="warning", text=text))

    def _failure(self, call: InstallerCall, finished: Finished) -> EnvironmentBroken:
        if call.kind == "export" and "needs to be updated" in finished.stdout:
            return EnvironmentBroken(
                "uv.lock is not what uv would make of pyproject.toml", mend="run `uv lock`"
            )
        doing = {
            "make": f"{call.show} made no environment",
            "build": f"the build of {call.show} failed",
            "export": "the export of uv.lock failed",
            "install": "the install failed",
            "forget": "the installer's cache could not be mended",
        }[call.kind]
        return EnvironmentBroken(
            f"{doing}: {how_it_ended(call.argv, finished)}",
            mend=f"{_hint(finished.stdout)}the command was: {self._world.show(call.argv)}",
        )


_HINTS = {
    # setuptools looks for the modules of a project that names none, and knows of no
    # envfile: "Automatic discovery" in its documentation.
    "Multiple top-level modules discovered": "name what belongs to the project, as"
    ' [tool.setuptools] py-modules = ["mymodule"] in pyproject.toml; envfile.py does not',
}


def _hint(output: str) -> str:
    """What helps against a failure that installers explain badly, as a line; or empty."""
    return "".join(f"{mend}\n" for sign, mend in _HINTS.items() if sign in output)


def tell_ended(world: World, job: str, shown: str, kind: CommandKind, finished: Finished) -> None:
    """Tell of the end of a command, under what it was told of by when it started."""
    world.emit(
        CommandEnded(
            job=job,
            show=shown,
            kind=kind,
            returncode=finished.returncode,
            duration_s=finished.duration_s,
            timed_out=finished.timed_out,
        )
    )


def how_it_ended(argv: tuple[str, ...], finished: Finished) -> str:
    """`pytest exited with code 1`, `pytest was ended by SIGTERM`."""
    name = os.path.basename(argv[0])
    if finished.timed_out:
        return f"{name} was stopped after its time was up"
    return f"{name} {ending(finished.returncode)}"
