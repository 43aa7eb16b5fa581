"""`runenv --link NAME`: `.venv` leads to the environment of a job, where editors look for one."""

from __future__ import annotations

import os
import sys

from runner.bench import Bench
from runner.commands.exec import job_to_visit
from runner.envs import editor_link
from runner.envs.interpreters import describe
from runner.errors import CommandFailed, UsageError
from runner.process import run as run_command
from runner.running import Command
from runner.signals import signals_as_exceptions
from runner.surroundings import outer_variables
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Request


def main(request: Request) -> int:
    """Make the environment as it is declared, and the link to it."""
    if request.posargs:
        raise UsageError(
            "--link runs no command",
            mend=f"--exec does: runenv --exec {request.argument} -- {' '.join(request.posargs)}",
        )
    job, world = job_to_visit(request)
    if (job.spec.needs.backend or world.settings.backend) == "none":
        raise UsageError(
            f"job {job.name!r} has no environment to link to",
            where=job.spec.where,
            mend="name one that has; this one says python=False, or its backend is none",
        )
    root = world.project.root_of(job.spec)
    link = os.path.join(root, editor_link.NAME)
    editor_link.check_free(link, world.envdir)  # first: nothing is made in vain
    bench = Bench(job, world, visits=True)
    try:
        with signals_as_exceptions(), bench:
            environment = bench.environment
            editor_link.lead(link, environment.path)
            bench.finish_images()
    finally:
        if world.store is not None:
            world.store.close()
    shown = os.path.relpath(environment.path, root)
    print(f"{editor_link.NAME} leads to {shown} ({describe(environment.interpreter)})")
    if not _is_ignored(root):
        hint = "add a line .venv to .gitignore (.venv/ is for folders alone)"
        tell(sys.stderr, f"git does not ignore {editor_link.NAME}: {hint}\n")
    return 0


def _is_ignored(root: str) -> bool:
    """Whether git leaves the link alone: it ignores it, or is not there."""
    argv = ("git", "check-ignore", "--quiet", editor_link.NAME)
    try:
        command = Command(argv=argv, cwd=root, env=outer_variables(os.environ), capture="merged")
        return run_command(command).returncode != 1  # 128: no repository
    except CommandFailed:
        return True
