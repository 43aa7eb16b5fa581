"""`runenv --exec NAME -- COMMAND …`: one command in a job's environment, in our place.

What the session's function does is not done: the environment is as declared, with
what the function has installed in its last run.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from runner.bench import Bench
from runner.commands import picked
from runner.errors import CommandFailed, UsageError, some_of
from runner.opening import open_project
from runner.process import exit_code
from runner.process import run as run_command
from runner.reports import make_terminal
from runner.running import EnvironmentReady
from runner.selection import select
from runner.signals import signals_as_exceptions
from runner.typed import TYPE_CHECKING
from runner.world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.model import Job, Request
    from runner.running import Command, Event
    from runner.world import World


def main(request: Request) -> int:
    """Run the command; what it exits with."""
    if not request.posargs:
        raise UsageError(
            "--exec has no command to run",
            mend=f"write it behind --: runenv --exec {request.argument} -- python -V",
        )
    argv = request.posargs
    # A job's own commands hold the lock, so that nobody changes the environment under them.
    return visit(request, lambda bench: bench.visiting_command(argv), holds=True)


def visit(request: Request, choose: Callable[[Bench], Command], *, holds: bool) -> int:
    """Run what is chosen in the environment of the one job that is meant.

    holds: whether other runs wait until it has ended.
    """
    job, world = job_to_visit(request)
    bench = Bench(job, world, visits=True)
    try:
        with signals_as_exceptions(), bench:
            try:
                command = choose(bench)
            except CommandFailed as error:
                error.exit_code = error.returncode  # 127: there is none, as shells say it
                raise
            bench.finish_images()
            if holds:
                return _in_our_place(command, bench.lock_descriptors)
    finally:
        if world.store is not None:
            world.store.close()
    return _in_our_place(command)


def job_to_visit(request: Request) -> tuple[Job, World]:
    """The one job that is meant, and what it acts on."""
    project, settings = open_project(request, os.environ)
    if settings.pick:
        named = picked(request, project, settings)
    else:
        named = settings._replace(sessions=(request.argument or "", *settings.sessions))
    jobs = select(project.jobs, named).jobs
    if len(jobs) != 1:
        raise UsageError(
            f"several jobs are meant: {some_of([job.name for job in jobs])}",
            mend=f"name one: runenv --{request.verb} {jobs[0].name}",
        )
    terminal = make_terminal(sys.stderr, settings, os.environ)

    def hear(event: Event) -> None:
        # That nothing was to be done is not what was asked for.
        if settings.verbose or not _is_idle(event):
            terminal.hear(event)

    return jobs[0], make_world(project, settings, dict(os.environ), emit=hear, began_s=time.time())


def _is_idle(event: Event) -> bool:
    return isinstance(event, EnvironmentReady) and event.state in ("reused", "none")


def _in_our_place(command: Command, held: tuple[int, ...] = ()) -> int:
    """Become the command; on Windows, where nothing can, what it exits with."""
    if sys.platform == "win32":
        return exit_code(run_command(command).returncode)
    # Signals, job control and the exit code are its own then, and nothing of us waits
    # beside it. The lock is held by whoever has a descriptor of it.
    for descriptor in held:
        os.set_inheritable(descriptor, True)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    os.chdir(command.cwd)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(command.argv[0], command.argv, dict(command.env))
    except OSError as error:
        failed = CommandFailed(
            f"{command.argv[0]} cannot be started: {error.strerror}",
            mend="is it a program of this system?",
        )
        failed.exit_code = 126  # POSIX, Shell Command Language, 2.8.2
        raise failed from None
