"""`--pick`: somebody at the terminal chooses among the jobs that are selected.

What was chosen is told as the command that asks for the same, to be learnt and repeated.
"""

from __future__ import annotations

import os
import sys

from runner.colors import can_draw, painter, wants_color
from runner.command_line import given_words
from runner.consent import can_ask
from runner.errors import UsageError
from runner.picking import Choice, Question, by_keys, by_lines
from runner.reports.terminal import can_show
from runner.reports.texts import on_one_line
from runner.selection import find_jobs, select
from runner.settings import BY_NAME
from runner.shown import show
from runner.telling import tell
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from runner.model import Job, Project, Request, Settings

_QUESTIONS = {
    "run": Question("Run which?", "runs"),
    "explain": Question("Explain which?", "explains"),
    "graph": Question("Show which?", "shows"),
    "shell": Question("Open a shell in which?", "opens it", several=False),
    "exec": Question("Run it in which?", "runs", several=False),
    "link": Question("Link .venv to which?", "links it", several=False),
}


def pick(
    request: Request, project: Project, settings: Settings, failed: Collection[str] | None
) -> Settings:
    """The settings with the names of what was chosen; KeyboardInterrupt where nothing was.

    failed: as `select` has it.
    """
    if settings.non_interactive or not can_ask():
        raise UsageError(
            "--pick needs somebody at a terminal",
            mend="name what is meant; `runenv --list` shows what there is",
        )
    named = (request.argument,) if not _QUESTIONS[request.verb].several and request.argument else ()
    narrowed = settings._replace(sessions=(*named, *settings.sessions) or ("*",))
    jobs = list({job.name: job for job in select(project.jobs, narrowed, failed).jobs}.values())
    chosen = [jobs[place] for place in _ask(_QUESTIONS[request.verb], jobs, settings)]
    if not chosen:
        raise KeyboardInterrupt("nothing was picked")
    found = names_for(chosen, project.jobs)
    if not settings.quiet:
        words = [word for name, given in found for word in (name, *given)]
        tell(sys.stderr, f"{_command(request, words)}\n")
    # What else selects holds for all of them: among those they were chosen.
    return settings._replace(sessions=tuple(name for name, _ in found))


def _ask(question: Question, jobs: Sequence[Job], settings: Settings) -> list[int]:
    """The places of the jobs that were chosen."""
    choices = [_choice(job) for job in jobs]
    # Who reads line by line says so once for all that is drawn: the board, and this. What an
    # envfile says of the board is said for others.
    own = settings.origins["output"] in ("command line", BY_NAME["output"].variable)
    if (own and settings.output != "board") or not can_draw(sys.stderr, os.environ):
        return by_lines.ask(question, choices, sys.stderr, sys.stdin)
    return by_keys.ask(
        question,
        choices,
        sys.stderr,
        unicode=can_show(sys.stderr, "✓…"),
        paint=painter(color=wants_color(settings.color, os.environ, is_terminal=True)),
    )


def _choice(job: Job) -> Choice:
    doc = job.spec.doc.partition("\n")[0]
    tags = tuple(map(_shown, job.tags))
    return Choice(_shown(job.name), _shown(doc), tags)


def _shown(text: str) -> str:
    """The text on one line, as far as the terminal's encoding has its signs."""
    encoding = sys.stderr.encoding or "ascii"
    return on_one_line(text).encode(encoding, "replace").decode(encoding)


def names_for(chosen: Sequence[Job], jobs: Sequence[Job]) -> list[tuple[str, tuple[str, ...]]]:
    """The names that mean these and no other jobs, each with what its jobs are given.

    That of a session stands for all of its jobs, where these are chosen and given the same.
    """
    names = {job.name for job in chosen}
    told: set[str] = set()
    found: list[tuple[str, tuple[str, ...]]] = []
    for job in chosen:
        if job.name in told:
            continue
        family = [other for other in jobs if other.spec.name == job.spec.name]
        stands_for_all = names.issuperset(other.name for other in family) and (
            all(other.words == job.words for other in family)
            and len(find_jobs(job.spec.name, jobs)) == len(family)
        )
        told.update(other.name for other in (family if stands_for_all else [job]))
        found.append((job.spec.name if stands_for_all else job.name, job.words))
    return found


def _command(request: Request, names: Sequence[str]) -> str:
    """The command that asks for the same without a question."""
    verb = []
    if request.verb != "run":
        flag = BY_NAME[request.verb].flags[-1]
        is_of_graph = request.verb == "graph" and request.argument != "text"
        verb = [f"{flag}={request.argument}" if is_of_graph else flag]
    posargs = ["--", *request.posargs] if request.posargs else []
    # The part of one machine is of what was chosen: the names alone would mean all of that.
    given = given_words(request.given, keep=("shard", "plan"))
    # A name belongs right behind --shell and --exec.
    return show(["runenv", *given, *verb, *names, *posargs])
