"""The scheduler alone, and a job that does nothing on Dask: python benchmarks/scale.py

The scheduler hands 10,000 and 100,000 jobs to 1,000 workers that are none: a fake
executor with a clock of its own, so that an hour of jobs takes as long as deciding
about them. A tenth of the jobs requires others. Prints CPU per job in microseconds
(the median of the rounds), the end of the last job by that clock as a ratio to what no
order could beat (the longest path, or all work over all workers), and memory per job.

With --dask, which needs runenv-cli[dask], on a cluster of this machine: what each further
job costs that does nothing, in milliseconds of wall time; how long after a job has written
a line it is shown; and what sending a project costs, when its worker has nothing of it and when
it has all.
"""

from __future__ import annotations

import argparse
import gc
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING

from measure import ENVIRON, Contender, machine, take_turns
from rows import differences

from runner import cli, schedule
from runner.model import Job, Needs, Plan, SessionSpec
from runner.running import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKERS = 1_000
SIZES = (1_000, 10_000, 100_000)
RUNENV = [sys.executable, "-m", "runner"]
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


def write_project(folder: Path, session: str, count: int = 1) -> Path:
    """A project with so many jobs of one session."""
    folder.mkdir(parents=True)
    head = "import runner, sys, time\n\n@runner.session(python=False)\n"
    head += f"@runner.parametrize('n', list(range({count})))\n"
    (folder / "envfile.py").write_text(f"{head}def s(session, n):\n    {session}\n")
    return folder


def measure_jobs(folder: Path, rounds: int, workers: int) -> None:
    """What a job that does nothing costs on a cluster of this machine, beside `-j`."""
    hows = {f"--on local-cluster:{workers}": ["--on", f"local-cluster:{workers}"]}
    hows[f"-j {workers}"] = ["-j", str(workers)]
    contenders: dict[str, Contender] = {}
    for count in (workers, 200):
        project = write_project(folder / str(count), "pass", count)
        for how, words in hows.items():
            argv = [*RUNENV, "-C", str(project), *words]
            contenders[f"{how}, {count}"] = Contender(argv, folder)
    took = take_turns(contenders, rounds)
    print(f"\n{'200 jobs that do nothing':<32}{'wall ms':>10}{'a job more':>12}{'its CPU':>10}")
    for how in hows:
        few, many = took[f"{how}, {workers}"], took[f"{how}, 200"]
        wall = statistics.median(one.wall_ms for one in many)
        more = {
            name: statistics.median(values)
            for name, values in differences(many, few, by=200 - workers).items()
        }
        print(f"{how:<32}{wall:>10.0f}{more['wall_ms']:>12.1f}{more['cpu_ms']:>10.1f}")


def measure_lines(folder: Path) -> None:
    """How long after a job has written a line it is shown."""
    write = "[(print('at', time.time(), flush=True), time.sleep(0.05)) for _ in range(40)]"
    project = write_project(folder / "lines", write)
    argv = [*RUNENV, "-C", str(project), "--on", "local-cluster:1", "--output", "live"]
    with subprocess.Popen(
        argv, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        late_ms = [(time.time() - float(line.rpartition("at ")[2])) * 1000 for line in run.stdout]
    print(f"\n{'a line is shown after':<32}{'first ms':>10}{'median':>10}{'most':>10}")
    middle = statistics.median(late_ms)
    print(f"{f'{len(late_ms)} lines':<32}{late_ms[0]:>10.1f}{middle:>10.1f}{max(late_ms):>10.1f}")


def measure_sending(folder: Path, rounds: int) -> None:
    """What sending a project costs, with an empty cache and with a full one."""
    argv = [*RUNENV, "--on", "local-cluster:1", "-C"]
    contenders: dict[str, Contender] = {}
    for count in (0, 1_000):
        project = write_project(folder / f"files{count}", "pass")
        for number in range(count):
            (project / f"{number}.txt").write_bytes(random.Random(number).randbytes(10_000))
        contenders[f"{count} files"] = Contender([*argv, str(project)], folder)
    cache = folder / "cache"
    empty = partial(shutil.rmtree, cache, ignore_errors=True)
    contenders["1000 files, not there"] = contenders["1000 files"]._replace(before=empty)
    took = take_turns(contenders, rounds, {**ENVIRON, "XDG_CACHE_HOME": str(cache)})
    print(f"\n{'a project of 1,000 files, 10 MB':<32}{'ms more':>10}")
    for name in ("1000 files", "1000 files, not there"):
        more = differences(took[name], took["0 files"])["wall_ms"]
        print(f"{name:<32}{statistics.median(more):>10.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dask", type=int, metavar="WORKERS", help="also on so many workers")
    arguments = parser.parse_args()
    # As often as in the command, which is begun by another function than this one.
    gc.set_threshold(cli.OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    print(machine(arguments.rounds), f"{WORKERS:,} workers that are none", sep=", ")
    print(f"{'jobs':>9} {'µs per job':>11} {'least':>6} {'most':>6} {'makespan':>9} {'bytes':>9}")
    for count in SIZES:
        print(measure_scheduler(count, arguments.rounds))
        sys.stdout.flush()
    if arguments.dask:
        with tempfile.TemporaryDirectory() as temporary:
            measure_jobs(Path(temporary), arguments.rounds, arguments.dask)
            measure_lines(Path(temporary))
            measure_sending(Path(temporary), arguments.rounds)


if __name__ == "__main__":
    main()
