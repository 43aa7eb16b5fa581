"""A worker that is a new interpreter: anywhere, and whatever threads we have.

It finds our modules where we do, whatever lies in the working folder.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress

from runner.typed import TYPE_CHECKING

if sys.platform == "win32":
    import base64
else:
    from runner.signals import UNTIL_ANSWERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.executors.processes import Ends, Start
    from runner.executors.system import Process
    from runner.model import Job

    Orders = Callable[[Job, tuple[str, ...]], Mapping[str, object]]


def interpreter(module: str) -> list[str]:
    """The command of a new interpreter that finds what we find, and calls `main` of a module.

    `-m MODULE` would look in the working folder first, where a `runner` may be.
    """
    program = f"import sys; sys.path[:] = sys.argv[1:]; from {module} import main; main()"
    return [sys.executable, "-c", program, *sys.path]


def spawning(orders: Orders) -> Start:
    """What starts workers that are new interpreters.

    orders: what one must know, all of it fit for JSON.
    """

    def start(
        job: Job, posargs: tuple[str, ...], ends: Ends, forget_parent: Callable[[], None]
    ) -> Process:
        del forget_parent  # it inherits nothing of ours
        argv = interpreter("runner.worker")
        if sys.platform == "win32":
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=ends.stdout,
                stderr=ends.stderr,
                creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
            )
            control: object = base64.b64encode(ends.control.share(process.pid)).decode("ascii")
        else:
            # It inherits the mask.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, UNTIL_ANSWERED)
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=ends.stdout,
                    stderr=ends.stderr,
                    pass_fds=(ends.control.fileno(),),
                    start_new_session=True,
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            control = ends.control.fileno()
        told = {"control": control, **orders(job, posargs)}
        assert process.stdin is not None
        with suppress(OSError), process.stdin as stdin:  # one that has ended tells nothing else
            stdin.write(json.dumps(told).encode("ascii"))
        return process

    return start
