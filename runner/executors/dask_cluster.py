"""A Dask cluster as an executor needs it: what its workers offer, tasks, and messages.

What is sent are names of functions of ours and plain data: the standard pickle
refers to a function by its name, and refuses what has none. Nothing waits for the
cluster but what says so. Knows nothing of jobs.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

import dask.config
import distributed

from runner.errors import UsageError
from runner.executors import dask_worker
from runner.executors.places import LOCAL, is_loopback
from runner.record import Record
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_DASK: Any = distributed  # whose functions have no types
_CONFIG: Any = dask.config
_CONNECT_S = 10.0
_LOOK_S = 1.0  # between two looks at the workers, and as much more for each hundred of them


class Worker(Record):
    """What a worker of a cluster has."""

    threads: int
    resources: Mapping[str, float]


class Cluster:
    """A connection to a scheduler."""

    def __init__(self, client: Any, end: Callable[[], None], *, counts_resources: bool) -> None:
        """end: closes the connection, and the cluster where that is ours."""
        self.counts_resources = counts_resources
        self._client = client
        self._end = end
        self._is_closed = threading.Event()
        self._number = 0

    @property
    def is_there(self) -> bool:
        """Whether its scheduler still answers, as far as is known."""
        return bool(self._client.status == "running")

    def workers(self) -> dict[str, Worker]:
        """Its workers by address; waits for the answer."""
        told: Mapping[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return {
            address: Worker(worker["nthreads"], dict(worker.get("resources") or {}))
            for address, worker in told.items()
        }

    def watch(self, tell: Callable[[Mapping[str, Worker]], None]) -> None:
        """From now on tell of its workers, from another thread."""

        def look() -> None:
            wait_s = _LOOK_S
            while not self._is_closed.wait(wait_s):
                with suppress(Exception):  # its scheduler may have gone just now
                    workers = self.workers()
                    wait_s = _LOOK_S * (1 + len(workers) / 100)
                    tell(workers)

        threading.Thread(target=look, daemon=True).start()

    def listen(self, topic: str, hear: Callable[[Any], None]) -> None:
        """From now on hear what workers tell of a topic, from another thread."""

        def hear_message(event: Any) -> None:
            hear(event[1])  # behind when it came

        self._client.subscribe_topic(topic, hear_message)

    def submit(
        self,
        orders: str,
        key: str,
        resources: Mapping[str, float],
        done: Callable[[str, BaseException | None], None],
    ) -> Callable[[], None]:
        """Have a worker do a job; what forgets it.

        done: told from another thread, once, how Dask has settled that.
        """
        self._number += 1
        future: Any = self._client.submit(
            dask_worker.do_job,
            orders,
            key=key,
            pure=False,
            retries=0,
            resources=dict(resources) if self.counts_resources else None,
            priority=-self._number,  # what was handed over first begins first
        )

        def settled(future: Any) -> None:
            status = str(future.status)
            with suppress(Exception):
                done(status, future.exception() if status == "error" else None)

        future.add_done_callback(settled)

        def forget() -> None:
            if self.is_there:
                future.cancel()  # it is not to be done again when its worker goes

        return forget

    def call(
        self, function: Callable[..., object], *told: object, workers: Sequence[str] | None = None
    ) -> None:
        """Call a function of ours in workers (None: in all), and wait for nothing."""
        addresses = None if workers is None else list(workers)

        async def act() -> None:
            with suppress(Exception):  # nobody knows whether they are still there
                await self._client.run(function, *told, workers=addresses, on_error="ignore")

        self._client.loop.add_callback(act)

    def ask_all(self, function: Callable[[], object]) -> dict[str, Any]:
        """What a function gives, or raises, in the scheduler and in each worker; waits for it."""
        answers: dict[str, Any] = {}
        try:
            answers["scheduler"] = self._client.run_on_scheduler(function)
        except Exception as error:  # whatever it says
            answers["scheduler"] = error
        told: Mapping[str, Any] = self._client.run(function, on_error="return")
        return {**answers, **{f"worker {address}": answer for address, answer in told.items()}}

    def call_within(self, seconds: float, function: Callable[..., object], *told: object) -> None:
        """Call a function of ours in all workers, and wait so long for it to end."""
        _within(seconds, lambda: self._client.run(function, *told, on_error="ignore"))

    def close(self, seconds: float) -> None:
        """End the connection, and wait so long for that."""
        self._is_closed.set()
        _within(seconds, self._end)


def _within(seconds: float, act: Callable[[], object]) -> None:
    """Do it, or leave it after a time: nobody knows whether a cluster answers."""

    def quietly() -> None:
        with suppress(Exception):
            act()

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)


def connect(where: str) -> Cluster:
    """The cluster there, or one of this machine made for it.

    Raises UsageError where none answers, where somebody else could give it orders,
    and where its workers have another runenv or Python.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what we say ourselves
    if where.startswith(LOCAL):
        return _make_local(int(where.removeprefix(LOCAL)))
    try:
        client = _DASK.Client(where, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TypeError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"there is no Dask scheduler at {where}: {_in_words(error)}",
            mend="start one: dask scheduler; Dask's configuration names the files for tls://",
        ) from None
    cluster = Cluster(client, client.close, counts_resources=True)
    try:
        check_addresses(where, [client.scheduler_info()["address"], *cluster.workers()])
        check_versions(cluster.ask_all(dask_worker.versions))
    except BaseException:
        cluster.close(_CONNECT_S)
        raise
    return cluster


def _in_words(error: BaseException) -> str:
    """What went wrong, and what that came from, in one line."""
    texts = [str(error).partition("\n")[0]]
    if error.__cause__ is not None:
        texts.append(_in_words(error.__cause__))
    return ": ".join(filter(None, texts))


def check_addresses(where: str, addresses: Sequence[str]) -> None:
    """Raise UsageError where a scheduler or a worker listens to other machines without TLS."""
    for address in addresses:
        if address.startswith("tcp://") and not is_loopback(address):
            raise UsageError(
                f"--on {where}: of that cluster {address} listens to other machines without TLS",
                mend="start scheduler and workers with --host 127.0.0.1, or with TLS",
            )


def check_versions(answers: Mapping[str, Any]) -> None:
    """Raise UsageError where one could not do what we ask of it. answers: by who gave them."""
    ours = dask_worker.versions()
    for who, theirs in answers.items():
        if isinstance(theirs, BaseException):
            raise UsageError(
                f"the {who} cannot run runenv: {_in_words(theirs)}",
                mend=f"install runenv-cli[dask]=={ours[0]} there",
            )
        if tuple(theirs) != ours:
            raise UsageError(
                dask_worker.misfit(who, theirs),
                mend="let both have the same runenv, on the same minor version of Python",
            )


def _make_local(count: int) -> Cluster:
    # With keys of its own: other users of this machine reach its ports too. And with no
    # pages of HTTP, which they could read: that port is anyone's, so no fixed one.
    _CONFIG.set({f"distributed.{who}.http.routes": [] for who in ("scheduler", "worker")})
    security = _DASK.Security.temporary()
    cluster: Any = _DASK.LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        host="127.0.0.1",
        protocol="tls://",
        dashboard_address=None,
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        memory_limit=0,
        silence_logs=logging.CRITICAL,
        security=security,
    )
    client: Any = _DASK.Client(cluster, set_as_default=False)

    def end() -> None:
        client.close()
        cluster.close()

    return Cluster(client, end, counts_resources=False)
