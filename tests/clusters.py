"""Dask clusters for tests: in this process, and of programs of their own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.model import Request
from runner.opening import open_project
from runner.worker import Run

HAS_DASK = pytest.mark.skipif(
    not any((Path(folder) / "distributed").is_dir() for folder in sys.path),
    reason="distributed is not installed",
)


@contextmanager
def here(**worker: object) -> Iterator[Any]:
    """A cluster whose scheduler and worker are threads of this process: its address."""
    import distributed

    with distributed.LocalCluster(
        n_workers=1,
        host="127.0.0.1",
        protocol="tcp://",
        processes=False,
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        memory_limit=0,
        silence_logs=logging.CRITICAL,
        **worker,
    ) as cluster:
        yield cluster.scheduler_address


def dask(
    folder: Path,
    address: str,
    output: Any,
    room: int | None = None,
    hear: Callable[[Any], None] = lambda _: None,
    grace_s: float = 5.0,
    client: Any = None,
) -> Any:
    """Our executor on the cluster there, for the project in a folder.

    client: instead of one of Dask's own.
    """
    import distributed

    from runner.content import content_of
    from runner.executors.dask import Dask
    from runner.executors.dask_cluster import Cluster
    from runner.executors.delivered import Delivered
    from runner.on_dask import orders_of

    given = {"directory": str(folder)}
    request = Request(verb="run", argument=None, given=given, posargs=())
    project, settings = open_project(request, os.environ)
    run = Run(0.0, set(), "never", 80, uuid.uuid4().hex, grace_s)
    if client is None:
        client = distributed.Client(address, set_as_default=False)
    return Dask(
        Cluster(client, client.close, counts_resources=True),
        room,
        orders_of(project, settings, run, is_one=output.is_one),
        content_of(project.root, Delivered(str(folder / ".runenv" / "sent"))),
        output,
        hear,
        lambda job, head, data: None,
        grace_s,
    )


def certify(folder: Path) -> dict[str, str]:
    """Make a key and a certificate for this machine; the variables that hand them to Dask."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a cluster of a test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files = {"CA_FILE": "cert.pem"}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        files |= {f"{role}__CERT": "cert.pem", f"{role}__KEY": "key.pem"}
    prefix = "DASK_DISTRIBUTED__COMM__TLS__"
    return {f"{prefix}{name}": str(folder / file) for name, file in files.items()}


class Programs:
    """A scheduler and its workers as programs of their own."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *options: str) -> None:
        """options: of all of them."""
        self._file = folder / "scheduler.json"
        self._environ, self._options = {**os.environ, **environ}, options
        self.scheduler = self._start("scheduler", "--port", "0")
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard"]
        argv += ["--host", "127.0.0.1", "--scheduler-file", str(self._file)]
        return subprocess.Popen(
            [*argv, *options, *self._options],
            env=self._environ,
            cwd=self._file.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def add_worker(self, *options: str, nthreads: int = 1) -> subprocess.Popen[bytes]:
        words = ["--nthreads", str(nthreads), "--no-nanny", "--memory-limit", "0"]
        self.workers.append(self._start("worker", *words, *options))
        return self.workers[-1]

    @property
    def address(self) -> str:
        """Waits for the scheduler."""
        while not self._file.exists() or not self._file.read_text():
            assert self.scheduler.poll() is None
            time.sleep(0.02)
        return json.loads(self._file.read_text())["address"]

    def close(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()
