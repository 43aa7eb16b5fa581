"""`python -m runner`, the same as `runenv`."""

from __future__ import annotations

import sys

from runner.cli import run_and_exit

if __name__ == "__main__":
    # The working folder, which -m puts first: its modules are not for an envfile elsewhere,
    # and the command `runenv` does not see them.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    run_and_exit()
