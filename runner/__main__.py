"""`python -m runner`, the same as `runenv`."""

from __future__ import annotations

from runner.cli import run_and_exit

if __name__ == "__main__":
    run_and_exit()
