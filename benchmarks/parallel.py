"""Many jobs at once beside nox and tox, in one run: python benchmarks/parallel.py

100 jobs that do nothing, 20 that sleep for half a second, and a graph whose longest
path takes 2 s of the 4 s that there are to do. No environments: what is measured is
starting, awaiting and telling of jobs. Prints milliseconds: the median wall and CPU
time, CPU for each job above a run of one, and the wall time as a ratio to the ideal
one, which is what the jobs take on so many CPUs that sleep.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

from measure import Contender, machine, medians, program, take_turns

AT_ONCE = 4


class Graph(NamedTuple):
    """Jobs with the seconds that they sleep and what they require."""

    jobs: dict[str, tuple[float, tuple[str, ...]]]
    ideal_s: float


def chain(count: int, seconds: float) -> dict[str, tuple[float, tuple[str, ...]]]:
    """Jobs of which each requires the one before."""
    return {f"c{n}": (seconds, (f"c{n - 1}",) if n else ()) for n in range(count)}


GRAPHS = {
    "1 nothing": Graph({"s0": (0.0, ())}, 0.0),
    "100 nothing": Graph({f"s{n}": (0.0, ()) for n in range(100)}, 0.0),
    "20 sleep": Graph({f"s{n}": (0.5, ()) for n in range(20)}, 20 * 0.5 / AT_ONCE),
    # Eight short ones stand before the chain in the file.
    "long path": Graph({**{f"s{n}": (0.25, ()) for n in range(8)}, **chain(10, 0.2)}, 2.0),
}


def write(folder: Path, graph: Graph) -> None:
    """The same sessions for each of the three."""
    folder.mkdir()
    envfile, noxfile = ["import time", "import runner"], ["import time", "import nox"]
    tox = [f"[tox]\nenv_list = {','.join(graph.jobs)}\nno_package = true\n"]
    for name, (seconds, requires) in graph.jobs.items():
        body = f"def {name}(session):\n    time.sleep({seconds})\n"
        envfile.append(f"@runner.session(python=False, requires={[*requires]})\n{body}")
        noxfile.append(f"@nox.session(python=False, requires={[*requires]})\n{body}")
        depends = f"depends = {','.join(requires)}\n" if requires else ""
        command = f"sleep {seconds}" if seconds else "true"
        tox.append(
            f"[testenv:{name}]\n{depends}skip_install = true\nallowlist_externals = sleep,true\n"
            f"commands = {command}\n"
        )
    (folder / "envfile.py").write_text("\n".join(envfile))
    (folder / "noxfile.py").write_text("\n".join(noxfile))
    (folder / "tox.ini").write_text("\n".join(tox))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-tox", action="store_true", help="it makes an environment each")
    arguments = parser.parse_args()
    print(machine(arguments.rounds), f"{AT_ONCE} at once", sep=", ")
    with tempfile.TemporaryDirectory() as temporary:
        contenders: dict[str, Contender] = {}
        for label, graph in GRAPHS.items():
            folder = Path(temporary) / label.replace(" ", "-")
            write(folder, graph)
            jobs = str(AT_ONCE)
            argvs = {
                "runenv -j": [program("runenv"), "-j", jobs],
                "runenv -j, spawned": ["env", "RUNENV_WORKER=spawn", program("runenv"), "-j", jobs],
                "nox -j": [program("nox"), "--allow-parallel", "-j", jobs],
                "tox p": [program("tox"), "run-parallel", "-p", jobs],
            }
            if arguments.without_tox:
                del argvs["tox p"]
            contenders |= {
                f"{label}: {name}": Contender(argv, folder) for name, argv in argvs.items()
            }
        middle = medians(take_turns(contenders, arguments.rounds))
    print(f"\n{'':36}{'wall':>8}{'cpu':>8}{'each':>8}{'of ideal':>10}")
    for label, graph in GRAPHS.items():
        for who in argvs:
            took = middle[f"{label}: {who}"]
            one = middle[f"1 nothing: {who}"]
            more = len(graph.jobs) - 1
            each = f"{(took.cpu_ms - one.cpu_ms) / more:8.1f}" if more else " " * 8
            ratio = f"{took.wall_ms / 1000 / graph.ideal_s:10.2f}" if graph.ideal_s else ""
            row = f"{label:14}{who:22}{took.wall_ms:8.0f}{took.cpu_ms:8.0f}{each}{ratio}"
            print(row.rstrip())


if __name__ == "__main__":
    main()
