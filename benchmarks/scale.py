"""The scheduler alone: python benchmarks/scale.py

It hands 1,000, 10,000 and 100,000 jobs to 1,000 workers that are none: a fake executor
with a clock of its own, so that an hour of jobs takes as long as deciding about them. A
tenth of the jobs requires others. Prints CPU per job in microseconds (the median of the
rounds), the end of the last job by that clock as a ratio to what no order could beat (the
longest path, or all work over all workers), and memory per job.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
import tracemalloc
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from measure import machine

from runner import cli, schedule
from runner.model import Job, Needs, Plan, SessionSpec
from runner.running import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKERS = 1_000
SIZES = (1_000, 10_000, 100_000)
NEEDS = Needs(None, (), (), (), (), (), (), "", reuse=True)


class Fake:
    """So many workers, and the seconds that each job takes by a clock that jumps."""

    ended_by = ""

    def __init__(self, durations: dict[str, float], room: int) -> None:
        self.now_s = 0.0
        self._durations, self._room = durations, room
        self._ends: list[tuple[float, str]] = []

    def has_room(self) -> bool:
        return len(self._ends) < self._room

    def expect(self, jobs: Sequence[Job]) -> None:
        pass

    def start(self, job: Job, posargs: tuple[str, ...]) -> None:  # noqa: ARG002  # an Executor's
        heappush(self._ends, (self.now_s + self._durations[job.name], job.name))

    def wait(self) -> Outcome:
        self.now_s, name = heappop(self._ends)
        return Outcome(name, "passed")

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def make_jobs(count: int) -> tuple[tuple[Job, ...], dict[str, float]]:
    """Jobs of lengths as test suites have them, and the seconds that each takes."""
    chance = random.Random(count)
    spec = SessionSpec("s", print, "envfile.py:1", "", (), False, (), NEEDS, (), (), (), True)
    jobs: list[Job] = []
    for number in range(count):
        requires = {jobs[chance.randrange(number)].name for _ in range(2)} if number > 10 else set()
        asked = tuple(sorted(requires)) if chance.random() < 0.1 else ()
        jobs.append(Job(f"s-{number}", f"s-{number}", spec, None, (), (), asked))
    return tuple(jobs), {job.name: chance.lognormvariate(2.0, 1.0) for job in jobs}


def least_s(jobs: Sequence[Job], durations: dict[str, float]) -> float:
    """The seconds that no order of the jobs could beat."""
    ends: dict[str, float] = {}
    for job in jobs:
        ends[job.name] = durations[job.name] + max((ends[n] for n in job.requires), default=0.0)
    return max(max(ends.values()), sum(durations.values()) / WORKERS)


def measure_scheduler(count: int, rounds: int) -> str:
    """A line about a plan of so many jobs."""
    jobs, durations = make_jobs(count)
    plan = Plan(jobs=jobs, named=frozenset())
    took: list[float] = []
    ended_s = 0.0
    for _ in range(rounds):
        executor = Fake(durations, WORKERS)
        began = time.process_time()
        schedule.run(plan, executor, durations=durations)
        took.append((time.process_time() - began) / count * 1e6)
        ended_s = executor.now_s
    tracemalloc.start()
    schedule.run(plan, Fake(durations, WORKERS), durations=durations)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ratio = ended_s / least_s(jobs, durations)
    middle = statistics.median(took)
    return (
        f"{count:>9,} {middle:>11.1f} {min(took):>6.1f} {max(took):>6.1f}"
        f" {ratio:>9.3f} {peak / count:>9,.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    # As often as in the command, which is begun by another function than this one.
    gc.set_threshold(cli.OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    print(machine(arguments.rounds), f"{WORKERS:,} workers that are none", sep=", ")
    print(f"{'jobs':>9} {'µs per job':>11} {'least':>6} {'most':>6} {'makespan':>9} {'bytes':>9}")
    for count in SIZES:
        print(measure_scheduler(count, arguments.rounds))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
