"""A job that does nothing on a Dask cluster of this machine: python benchmarks/cluster.py

Needs runenv-cli[dask]. Prints what each further such job costs, in milliseconds of wall time
and of CPU; how long after a job has written a line it is shown; and what sending a project
costs, when its worker has nothing of it and when it has all.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from measure import ENVIRON, Contender, machine, take_turns
from rows import differences

RUNENV = [sys.executable, "-m", "runner"]


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
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(machine(arguments.rounds))
    with tempfile.TemporaryDirectory() as temporary:
        measure_jobs(Path(temporary), arguments.rounds, arguments.workers)
        measure_lines(Path(temporary))
        measure_sending(Path(temporary), arguments.rounds)


if __name__ == "__main__":
    main()
