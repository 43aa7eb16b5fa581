"""Runs on a Dask cluster of this machine: the same as here, and what is left when something dies."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.errors import UsageError
from tests import clusters
from tests.conftest import ROOT, Folder
from tests.contracts.test_executors import Kept
from tests.features.test_faults import MARK, marked, wait_until_none_is_left
from tests.test_schedule import job

pytest.importorskip("distributed", reason="distributed is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

JOBS = 200 if os.environ.get("TESTS_FULL") == "1" else 40


@pytest.fixture
def far(folder: Folder) -> Iterator[Folder]:
    """A project of whose runs nothing is left, with a cache of its own."""
    folder.environ[MARK] = str(folder.root)
    folder.environ["XDG_CACHE_HOME"] = str(folder.root.parent / "far-cache")
    folder.environ["RUNENV_GRACE"] = "1"
    yield folder
    for pid in marked(folder.environ[MARK]):
        os.kill(pid, signal.SIGKILL)


class Secured(NamedTuple):
    """A scheduler, and a worker for two jobs, with TLS."""

    address: str
    environ: dict[str, str]
    mark: str

    def wait_until_only_it_is_left(self, far: Folder) -> None:
        wait_until_none_is_left(far)
        far.environ[MARK] = self.mark
        wait_until_none_is_left(far, but=2)
        far.environ[MARK] = str(far.root)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("cluster")
    environ = clusters.certify(folder / "keys")
    own = {MARK: str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    programs = clusters.Programs(folder, {**environ, **own}, "--protocol", "tls")
    try:
        programs.add_worker(nthreads=2)
        yield Secured(programs.address, environ, str(folder))
    finally:
        programs.close()


@pytest.fixture
def secured(cluster: Secured, far: Folder) -> Secured:
    """The cluster, whose keys the project's runs have."""
    far.environ.update(cluster.environ)
    return cluster


def declare_waiting(far: Folder, **arguments: str) -> None:
    """Jobs that tell where they are and wait, when they run for the first time.

    arguments: of each by its name, as they are written.
    """
    text = f"""
        import os, pathlib

        def tell_and_wait(session):
            here = pathlib.Path({str(far.root.parent)!r}, session.name)
            again = here.exists()
            with here.open("a") as stream:
                print(os.getppid(), file=stream)
            if not again:
                session.run("sleep", "1000", external=True)
        """
    for name, more in arguments.items():
        text += f"""
        @runner.session(python=False{more})
        def {name}(session):
            tell_and_wait(session)
        """
    far.envfile(text)


def deputies(far: Folder, name: str) -> list[int]:
    """The processes that have had a job done, one for each time that it ran."""
    file = far.root.parent / name
    text = file.read_text() if file.exists() else ""
    return [int(line) for line in text.splitlines() if text.endswith("\n")]


@contextmanager
def begun(far: Folder, *arguments: str, jobs: tuple[str, ...] = ("waits",)) -> Iterator[Any]:
    """A run whose jobs have come to their commands."""
    process = far.start(*arguments, start_new_session=True)
    try:
        while not all(deputies(far, name) for name in jobs):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="latin-1") as stream:
        return int(stream.read().rpartition(")")[2].split()[1])


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 60
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < deadline, "its deputy is left"
        time.sleep(0.02)


# The same as here. ------------------------------------------------------------------------


def test_many_jobs_end_as_they_do_here(far: Folder):
    far.envfile(
        f"""
        import sys

        @runner.session(python=False)
        @runner.parametrize("n", list(range({JOBS})))
        def s(session, n):
            print("job", n)
            print("to stderr", n, file=sys.stderr)
            with open(f"{{n}}.txt", "w") as stream:
                stream.write(f"made by {{n}}")
            session.artifact(f"{{n}}.txt")
            if n % 20 == 7:
                session.error("as it was told to")
        """
    )

    def results(*arguments: str) -> tuple[Any, ...]:
        ran = far.run("--report", "report.json", *arguments)
        told = json.loads((far.root / "report.json").read_text())
        logs, made = (
            (far.root / ".runenv" / name / "latest").resolve() for name in ("logs", "artifacts")
        )
        return (
            ran.code,
            sorted((job["name"], job["result"], job["reason"]) for job in told["jobs"]),
            {path.name: path.read_bytes() for path in logs.iterdir()},
            {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*.txt")},
        )

    here = results("-j", "2")
    there = results("--on", "local-cluster:4")

    assert there == here
    assert here[0] == 1
    assert len(here[3]) == JOBS


# What dies. -------------------------------------------------------------------------------


def test_of_jobs_whose_workers_are_killed_one_runs_again_and_one_may_not(far: Folder):
    declare_waiting(far, again="", once=", idempotent=False")
    names = ("again", "once")
    with begun(far, "--on", "local-cluster:2", "--report", "report.json", jobs=names) as process:
        for name in names:
            os.kill(parent_of(deputies(far, name)[0]), signal.SIGKILL)
        _, err = process.communicate(timeout=100)

    told = json.loads((far.root / "report.json").read_text())["jobs"]
    again, once = sorted(told, key=lambda one: one["name"])
    assert process.returncode == 1
    assert (again["result"], once["result"]) == ("passed", "failed")
    assert again["reason"] == f"ran again: its worker {again['lost_workers'][0]} was lost"
    assert (
        once["reason"] == f"its worker {once['lost_workers'][0]} was lost, and it may not run again"
    )
    assert again["reason"] in err
    assert [len(deputies(far, name)) for name in names] == [2, 1]
    wait_until_none_is_left(far)


def test_when_the_scheduler_is_killed_the_job_fails_and_nothing_is_left(far: Folder):
    declare_waiting(far, waits="")
    programs = clusters.Programs(far.root.parent, far.environ)
    try:
        programs.add_worker()
        with begun(far, "--on", programs.address) as process:
            programs.scheduler.kill()
            _, err = process.communicate(timeout=100)
        wait_until_gone(deputies(far, "waits")[0])
    finally:
        programs.close()

    assert process.returncode == 1
    assert "the Dask scheduler is gone" in err
    wait_until_none_is_left(far)


def test_when_the_run_is_killed_a_cluster_of_its_own_goes_with_it(far: Folder):
    declare_waiting(far, waits="")
    with begun(far, "--on", "local-cluster:1") as process:
        process.kill()

    wait_until_none_is_left(far)


def test_when_the_run_is_killed_the_workers_of_others_end_its_job(far: Folder, secured: Secured):
    declare_waiting(far, waits="")
    with begun(far, "--on", secured.address) as process:
        process.kill()

    wait_until_gone(deputies(far, "waits")[0])
    secured.wait_until_only_it_is_left(far)


def test_ctrl_c_ends_what_runs_on_workers(far: Folder, secured: Secured):
    declare_waiting(far, waits="")
    with begun(far, "--on", secured.address) as process:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=100)

    assert process.returncode == 130
    assert "! interrupted  waits" in err
    secured.wait_until_only_it_is_left(far)


def test_what_fails_ends_what_runs_beside_it_on_workers(far: Folder, secured: Secured):
    declare_waiting(far, waits="")
    text = (far.root / "envfile.py").read_text()
    text += f"""
@runner.session(python=False)
def fails(session):
    while not pathlib.Path({str(far.root.parent)!r}, "waits").exists():
        pass
    session.error("as it was told to")
"""
    (far.root / "envfile.py").write_text(text)

    ran = far.run("--on", secured.address, "-x")

    assert ran.code == 1
    assert "ended: fails did not pass (--fail-fast)" in ran.err
    secured.wait_until_only_it_is_left(far)


# TLS. -------------------------------------------------------------------------------------


def test_without_tls_only_this_machine_is_spoken_to(far: Folder):
    far.envfile("@runner.session(python=False)\ndef s(session): ...\n")

    ran = far.run("--on", "tcp://10.1.2.3:8786")

    assert ran.code == 2
    assert "without TLS" in ran.err


def test_a_scheduler_that_is_certified_by_somebody_else_is_not_spoken_to(
    far: Folder, secured: Secured
):
    far.environ.update(clusters.certify(far.root.parent / "other"))
    far.envfile("@runner.session(python=False)\ndef s(session): ...\n")

    ran = far.run("--on", secured.address)

    assert ran.code == 2
    assert f"error: there is no Dask scheduler at {secured.address}: " in ran.err
    assert "certificate" in ran.err


# What is sent, and to whom. ---------------------------------------------------------------


def test_what_is_sent_is_plain_data_and_names_of_our_functions(tmp_path: Path, monkeypatch):
    import distributed

    sent: list[Any] = []

    class Noting(distributed.Client):
        """Notes what is sent."""

        def submit(self, function, *arguments, **more):
            sent.append((function, arguments))
            return super().submit(function, *arguments, **more)

        def run(self, function, *arguments, **more):
            sent.append((function, arguments))
            return super().run(function, *arguments, **more)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=False)\ndef a(session): ...\n"
    )
    with clusters.here() as address:
        client = Noting(address, set_as_default=False)
        executor = clusters.dask(tmp_path, address, Kept(), client=client)
        executor.start(job("a"), ("-k", "x"))
        outcome = executor.wait()
        executor.close()

    assert outcome.result == "passed"
    assert {function.__name__ for function, _ in sent} == {"do_job", "grant", "put", "end_run"}
    for function, arguments in sent:
        # A name, and no code: that is all that the standard pickle knows of a function.
        assert pickle.dumps(function, 0) == (
            f"crunner.executors.dask_worker\n{function.__name__}\np0\n.".encode()
        )
        assert is_plain(arguments)


def is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or type(value) in (str, int, bytes)


def test_a_worker_that_offers_what_is_asked_for_is_given_the_job(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=False)\ndef a(session): ...\n"
    )
    one = job("a")

    def asking(amount: float) -> Any:
        return one._replace(spec=one.spec._replace(resources=(("gpu", amount),)))

    with clusters.here(resources={"gpu": 2}) as address:
        executor = clusters.dask(tmp_path, address, Kept())
        executor.start(asking(2.0), ())
        fits = executor.wait()
        executor.start(asking(3.0), ())
        fits_not = executor.wait()
        executor.close()

    assert fits.result == "passed"
    assert fits_not.reason == "no worker offers gpu=3: they offer gpu=2"


def test_a_worker_with_another_runenv_is_an_error_before_anything_is_sent(far: Folder):
    from runner.executors.dask_cluster import connect
    from runner.executors.dask_worker import versions

    other = far.root.parent / "other"
    shutil.copytree(ROOT / "runner", other / "runner")
    package = other / "runner" / "__init__.py"
    ours, python = versions()
    package.write_text(package.read_text().replace(f'"{ours}"', '"0.0.9"'))
    programs = clusters.Programs(far.root.parent, {**far.environ, "PYTHONPATH": str(other)})
    try:
        programs.add_worker()
        address = programs.address
        wait_for_a_worker(address)
        with pytest.raises(UsageError) as caught:
            connect(address)
    finally:
        programs.close()

    assert caught.value.what.endswith(
        f" has runenv 0.0.9 on Python {python}, and runenv {ours} on Python {python} is here"
    )


def wait_for_a_worker(address: str) -> None:
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=60)


def test_a_cluster_that_listens_to_other_machines_without_tls_is_not_used(far: Folder):
    from runner.executors.dask_cluster import connect

    file = far.root.parent / "scheduler.json"
    argv = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--port", "0"]
    scheduler = subprocess.Popen([*argv, "--scheduler-file", str(file)], stderr=subprocess.DEVNULL)
    try:
        while not file.exists() or not file.read_text():
            time.sleep(0.02)
        address = json.loads(file.read_text())["address"]
        port = address.rpartition(":")[2]
        with pytest.raises(
            UsageError, match=f"of that cluster {address} listens to other machines"
        ):
            connect(f"tcp://127.0.0.1:{port}")
    finally:
        scheduler.kill()
        scheduler.wait()
