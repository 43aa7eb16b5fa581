"""`runenv --graph[=KIND]`: what the selected jobs wait for, as a tree or as a Mermaid diagram.

Makes and changes nothing.
"""

from __future__ import annotations

import os
import sys

from runner.commands import failed_before, picked
from runner.opening import open_project
from runner.plan import make_plan
from runner.record import Record
from runner.reports.terminal import can_show
from runner.selection import select
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.model import Job, Plan, Request


class Graph(Record):
    """What jobs wait for, and what they cannot do at once; each by the names of jobs."""

    requires: Mapping[str, tuple[str, ...]]  # of every job, in the order of the plan
    after: Mapping[str, tuple[str, ...]]  # of those alone that run as well
    environments: Mapping[str, tuple[str, ...]]  # those that several of them share
    exclusive: Mapping[str, tuple[str, ...]]  # words that several of them say
    alone: tuple[str, ...]  # nothing runs beside them


def main(request: Request) -> int:
    """Print the graph to standard output."""
    project, settings = open_project(request, os.environ)
    settings = picked(request, project, settings)
    selected = select(project.jobs, settings, failed_before(project, settings))
    graph = graph_of(make_plan(project.jobs, selected.jobs, selected.named))
    print("\n".join(FORMS[request.argument or "text"](graph)))
    return 0


def graph_of(plan: Plan) -> Graph:
    """The graph of a plan."""
    here = {job.name for job in plan.jobs}
    return Graph(
        requires={job.name: job.requires for job in plan.jobs},
        after={job.name: tuple(n for n in job.after if n in here) for job in plan.jobs},
        environments=_of_several(plan.jobs, lambda job: (job.shared,) if job.shared else ()),
        exclusive=_of_several(plan.jobs, lambda job: job.spec.exclusive),
        alone=tuple(job.name for job in plan.jobs if not job.spec.parallel),
    )


def _of_several(
    jobs: Iterable[Job], words: Callable[[Job], Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """The names of the jobs that have a word, for each that more than one has."""
    found: dict[str, list[str]] = {}
    for job in jobs:
        for word in words(job):
            found.setdefault(word, []).append(job.name)
    return {word: tuple(names) for word, names in found.items() if len(names) > 1}


# As text. ---------------------------------------------------------------------------------

_LINES = ("├── ", "└── ", "│   ", "    ")
_ASCII = ("|-- ", "`-- ", "|   ", "    ")


def as_text(graph: Graph) -> list[str]:
    """A tree below each job that nothing waits for: what must end before it starts.

    A job that several wait for stands with what it waits for where it comes first.
    """
    signs = _LINES if can_show(sys.stdout, _LINES[0] + _LINES[1]) else _ASCII
    awaited = {
        n for below in (graph.requires, graph.after) for names in below.values() for n in names
    }
    lines: list[str] = []
    seen: set[str] = set()
    for root in graph.requires:
        if root not in awaited:
            lines += _tree(root, graph, signs, seen)
    for title, groups in (
        ("One environment", graph.environments),
        ("One at a time", graph.exclusive),
        ("Nothing beside", {"": graph.alone} if graph.alone else {}),
    ):
        if groups:
            lines += ["", f"{title}:"]
            lines += [
                f"  {f'{word}: ' if word else ''}{', '.join(groups[word])}" for word in groups
            ]
    return lines


def _tree(root: str, graph: Graph, signs: tuple[str, ...], seen: set[str]) -> list[str]:
    """The lines of a job and all that it waits for; no recursion, since chains may be long."""
    lines: list[str] = []
    left = [(root, "", "", "")]
    while left:
        name, label, before, below = left.pop()
        waits = [(n, "") for n in graph.requires[name]] + [
            (n, "  (after)") for n in graph.after[name]
        ]
        again = name in seen and bool(waits)
        lines.append(f"{before}{name}{label}{'  (see above)' if again else ''}")
        if again:
            continue
        seen.add(name)
        for number, (other, how) in enumerate(reversed(waits)):
            branch, trunk = (signs[1], signs[3]) if number == 0 else (signs[0], signs[2])
            left.append((other, how, below + branch, below + trunk))
    return lines


# As a diagram. ------------------------------------------------------------------------------


def as_mermaid(graph: Graph) -> list[str]:
    """A flowchart: arrows from what runs first, dotted ones to what only follows it."""
    ids = {name: f"j{number}" for number, name in enumerate(graph.requires)}
    boxes = {name: f'{ids[name]}["{_quoted(name)}"]' for name in ids}
    lines = ["flowchart LR"]
    for number, (word, names) in enumerate(graph.environments.items()):
        lines.append(f'  subgraph e{number}["environment {_quoted(word)}"]')
        lines += [f"    {boxes.pop(name)}" for name in names]
        lines.append("  end")
    lines += [f"  {box}" for box in boxes.values()]
    for name in graph.requires:
        lines += [f"  {ids[other]} --> {ids[name]}" for other in graph.requires[name]]
        lines += [f"  {ids[other]} -.-> {ids[name]}" for other in graph.after[name]]
    for number, (word, names) in enumerate(graph.exclusive.items()):
        lines.append(f'  x{number}{{{{"one at a time: {_quoted(word)}"}}}}')
        lines += [f"  x{number} -.- {ids[name]}" for name in names]
    for number, name in enumerate(graph.alone):
        lines += [f'  a{number}{{{{"nothing beside it"}}}}', f"  a{number} -.- {ids[name]}"]
    return lines


def _quoted(text: str) -> str:
    """The text in a label of Mermaid, whose entities begin with # instead of &."""
    return "".join(c if c.isalnum() or c in " ._+-()=,:'/" else f"#{ord(c)};" for c in text)


FORMS: dict[str, Callable[[Graph], list[str]]] = {"text": as_text, "mermaid": as_mermaid}
