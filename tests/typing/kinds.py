"""What is loaded by its name meets the protocol of its kind. It is type-checked and never run.

`import_module` returns what no type checker can look into; that those modules
fit is checked here, one by one. tests/test_house.py sees that none is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from runner import compat
from runner.bench import Bench
from runner.commands import (
    Verb,
    clean,
    completion,
    convert,
    doctor,
    exec,
    explain,
    graph,
    help,
    init,
    link,
    list,
    lock,
    matrix,
    merge,
    run,
    shell,
    usage,
    version,
    watch,
)
from runner.envs import Backend, conda, uv, venv, virtualenv
from runner.executors import Executor
from runner.executors.local import Local
from runner.executors.processes import Output, Processes, Start
from runner.handle import Hands
from runner.history import Remember
from runner.reports import (
    Form,
    Reporter,
    Several,
    as_html,
    as_json,
    as_junit,
    as_markdown,
    as_trace,
)
from runner.reports.block import Block
from runner.reports.board import Board
from runner.reports.collected import Collector
from runner.reports.live import Live
from runner.reports.logs import Logs
from runner.reports.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.load import Reader
    from runner.model import Job
    from runner.reports.collected import Beginning
    from runner.running import Outcome

BACKENDS: tuple[Backend, ...] = (conda, uv, venv, virtualenv)
FORMS: tuple[Form, ...] = (as_trace, as_json, as_junit, as_markdown, as_html)
VERBS: tuple[Verb, ...] = (
    clean,
    completion,
    convert,
    doctor,
    exec,
    explain,
    graph,
    help,
    init,
    link,
    list,
    lock,
    matrix,
    merge,
    run,
    shell,
    usage,
    version,
    watch,
)


READER: Reader = compat


def executors(
    perform: Callable[[Job, tuple[str, ...]], Outcome], start: Start, output: Output
) -> tuple[Executor, ...]:
    """Each executor."""
    return (Local(perform), Processes(4, start, output))


def reporters(stream: TextIO, beginning: Beginning, logs: Logs) -> tuple[Reporter, ...]:
    """Each reporter."""
    terminal = Terminal(stream, color=True, verbose=False, quiet=False, width=80)
    remember = Remember("history", at=0.0, narrowed=False)
    several = Several([terminal, remember])
    block, live = Block(terminal, logs, str), Live(terminal, logs, str)
    board = Board(terminal, logs, str, {})
    return (terminal, remember, Collector(beginning, []), several, board, block, live)


def hands(bench: Bench) -> Hands:
    """What a Session's methods reach the world by."""
    return bench
