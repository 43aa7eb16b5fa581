"""Runs on a Dask cluster of this machine: the same as here, and what is left when something dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Folder
from tests.features.test_faults import MARK, marked, wait_until_none_is_left

pytest.importorskip("distributed", reason="distributed is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

ON = ("--on", "local-cluster:2")


@pytest.fixture
def far(folder: Folder) -> Iterator[Folder]:
    """A project of whose runs nothing is left, with a cache of its own."""
    folder.environ[MARK] = str(folder.root)
    folder.environ["XDG_CACHE_HOME"] = str(folder.root.parent / "far-cache")
    folder.environ["RUNENV_GRACE"] = "1"
    yield folder
    for pid in marked(folder.environ[MARK]):
        os.kill(pid, signal.SIGKILL)


def declare_waiting(far: Folder, more: str = "") -> Path:
    """A job that says who does it and waits; the file that it says that in."""
    here = far.root.parent / "here"
    far.envfile(
        f"""
        import os, pathlib

        @runner.session(python=False{more})
        def waits(session):
            here = pathlib.Path({str(here)!r})
            again = here.exists()
            here.write_text(here.read_text() + "again" if again else f"{{os.getpid()}} {{os.getppid()}}\\n")
            if not again:
                session.run("sleep", "1000", external=True)
        """
    )
    return here


@contextmanager
def begun(far: Folder, here: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run whose job has come to its command."""
    process = far.start(*arguments, start_new_session=True)
    try:
        while not here.exists() or "\n" not in here.read_text():
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="latin-1") as stream:
        return int(stream.read().rpartition(")")[2].split()[1])


def worker_of(here: Path) -> int:
    """The process of Dask that has the job done: the parent of the keeper."""
    return parent_of(int(here.read_text().split()[1]))


@contextmanager
def cluster(far: Folder) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler and a worker as programs of their own: the address, and the scheduler."""
    file = far.root.parent / "scheduler.json"
    env = {**os.environ, **far.environ}
    common = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(file),
        ],
        **common,
    )
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--no-nanny",
                "--host",
                "127.0.0.1",
                "--scheduler-file",
                str(file),
            ],
            **common,
        )
        for _ in range(2)
    ]
    try:
        import json

        while not file.exists() or not file.read_text():
            time.sleep(0.02)
        yield json.loads(file.read_text())["address"], scheduler
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()


def test_200_jobs_end_as_they_do_here(far: Folder):
    far.envfile(
        """
        @runner.session(python=False)
        @runner.parametrize("n", list(range(200)))
        def s(session, n):
            print("job", n)
            with open(f"{n}.txt", "w") as stream:
                stream.write(f"made by {n}")
            session.artifact(f"{n}.txt")
            if n % 50 == 7:
                session.error("as it was told to")
        """
    )

    def results(*arguments: str) -> tuple[object, ...]:
        ran = far.run("--report", "report.json", *arguments)
        import json

        told = json.loads((far.root / "report.json").read_text())
        latest = far.root / ".runenv"
        logs = {
            p.name: p.read_bytes() for p in (latest / "logs/latest").iterdir() if p.suffix == ".out"
        }
        made = {
            str(p.relative_to((latest / "artifacts/latest").resolve())): p.read_bytes()
            for p in (latest / "artifacts/latest").resolve().rglob("*.txt")
        }
        jobs = sorted((j["name"], j["result"], j["reason"]) for j in told["jobs"])
        return ran.code, jobs, logs, made

    here = results("-j", "2")
    there = results("--on", "local-cluster:4")

    assert there == here
    assert here[0] == 1
    assert len(here[3]) == 200  # type: ignore[arg-type]


def test_what_git_ignores_does_not_travel(far: Folder):
    (far.root / "kept.txt").write_text("kept")
    (far.root / "secret.txt").write_text("secret")
    (far.root / ".gitignore").write_text("secret.txt\n")
    subprocess.run(["git", "init", "-q"], cwd=far.root, check=True)
    far.envfile(
        """
        import os

        @runner.session(python=False)
        def s(session):
            print(sorted(name for name in os.listdir() if name.endswith(".txt")))
        """
    )

    ran = far.run(*ON)

    assert ran.out == "['kept.txt']\n"


def test_a_job_whose_worker_is_killed_runs_again_and_the_summary_says_so(far: Folder):
    here = declare_waiting(far)
    with begun(far, here, *ON) as process:
        os.kill(worker_of(here), signal.SIGKILL)
        _, err = process.communicate(timeout=100)

    assert process.returncode == 0
    assert "ran again: its worker" in err
    wait_until_none_is_left(far)


def test_ctrl_c_ends_what_runs_on_workers(far: Folder):
    here = declare_waiting(far)
    with begun(far, here, *ON) as process:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=100)

    assert process.returncode == 130
    wait_until_none_is_left(far)


def test_when_the_run_is_killed_nothing_of_it_is_left(far: Folder):
    here = declare_waiting(far)
    with begun(far, here, *ON) as process:
        process.kill()
        process.communicate(timeout=100)

    wait_until_none_is_left(far)


def test_when_the_scheduler_is_killed_the_job_fails_and_nothing_is_left(far: Folder):
    here = declare_waiting(far)
    with cluster(far) as (address, scheduler):
        with begun(far, here, "--on", address) as process:
            scheduler.kill()
            _, err = process.communicate(timeout=100)
        keeper = int(here.read_text().split()[1])
        while os.path.exists(f"/proc/{keeper}") and time.sleep(0.02) is None:
            pass

    assert process.returncode == 1
    assert "the Dask scheduler is gone" in err
    wait_until_none_is_left(far)


def test_when_the_run_is_killed_the_workers_of_others_end_its_job(far: Folder):
    here = declare_waiting(far)
    with cluster(far) as (address, _):
        with begun(far, here, "--on", address) as process:
            process.kill()
            process.communicate(timeout=100)
        keeper = int(here.read_text().split()[1])
        while os.path.exists(f"/proc/{keeper}") and time.sleep(0.02) is None:
            pass

    wait_until_none_is_left(far)


def test_without_tls_only_this_machine_is_spoken_to(far: Folder):
    far.envfile("@runner.session(python=False)\ndef s(session): ...\n")

    ran = far.run("--on", "tcp://10.1.2.3:8786")

    assert ran.code == 2
    assert "without TLS" in ran.err
