"""Loops carried out by a Dask cluster: data sent once, turns counted, a turn lost with its worker taken again."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from counterpulse.errors import UsageError
from counterpulse.numerics.workers import LocalWorkers
from counterpulse.study.cluster.address import ENCRYPT, Certificates, checked_address, is_private
from counterpulse.study.cluster.far_side import PROCESSOR, Done, Parcel, Turns, carry_out, installed, pack, unpack

if TYPE_CHECKING:
    from distributed import Client, Future, Security

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 20.0
"""Seconds to reach the cluster, and to wait for a worker where there is none."""
PARTS = 8
"""Parts that a loop is sent in, for each thread of the cluster."""
ROUNDS = 4
"""How often the parts that were lost are sent before the run gives up."""
GLANCE = 0.5
"""Seconds between two looks at whether any worker is left."""
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1 TiB"}
"""The data travel with the first task, by design."""
INSTALL = 'A cluster needs Dask, which is not installed; install it: pip install "counterpulse[cluster]"'


@contextmanager
def dask_workers(address: str, *, certificates: Certificates | None = None, jobs: int = 1) -> Iterator[DaskWorkers]:
    """Reach a cluster, and let it go at the end.

    Parameters
    ----------
    address : of the scheduler: tls://host:port, or tcp://127.0.0.1:port on this machine
    certificates : of the encryption; by default those that Dask's own configuration names
    jobs : threads of this machine, for what is not sent

    Raises
    ------
    UsageError : Dask is not installed; the address is not one, not private, or nobody answers there; workers have other
        versions of what the digits depend on
    """
    address = checked_address(address)
    try:
        import dask
        import distributed  # noqa: F401  (its settings join those of dask)
    except ImportError as error:
        raise UsageError(INSTALL) from error
    with _quiet(), dask.config.set(SETTINGS):
        client = _connected(address, _security(address, certificates or Certificates()))
        try:
            _check_workers(client, address)
            yield DaskWorkers(client, address, LocalWorkers(max(1, jobs)))
        finally:
            client.close()


def _connected(address: str, security: Security | None) -> Client:
    from distributed import Client

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions that differ are refused in words
            return Client(address, security=security, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"--cluster {address}: nobody answers there; start the scheduler, or check address, certificates and versions"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """What a lost connection means is said by our own errors, without Dask's tracebacks beside them."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    heard = [logger for logger in map(logging.getLogger, names) if not logger.disabled]
    for logger in heard:
        logger.disabled = True
    try:
        yield
    finally:
        for logger in heard:
            logger.disabled = False


def _security(address: str, certificates: Certificates) -> Security | None:
    from distributed import Security

    if not address.startswith("tls:"):
        return None
    files: dict[str, Any] = {}
    if certificates.given:
        files = {
            "tls_client_cert": str(certificates.certificate), "tls_client_key": str(certificates.key),
            "tls_ca_file": str(certificates.authority),
        }  # fmt: skip
    try:
        security = Security(require_encryption=True, **files)
        ready = security.get_connection_args("client").get("ssl_context") is not None
    except OSError as error:
        raise UsageError(
            "the certificate, its key and the authority do not make a pair; check the three files"
        ) from error
    if not ready:
        raise UsageError(
            f"--cluster {address} is encrypted; give --cluster-certificate, --cluster-key and --cluster-authority, "
            "or name them in Dask's configuration"
        )
    return security


def _check_workers(client: Client, address: str) -> None:
    """Refuse a cluster without workers, with workers that data would reach in the clear, or with other versions."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise UsageError(f"--cluster {address} has no worker; start one, then run again") from error
    workers = list(client.nthreads())
    if not all(map(is_private, workers)):
        raise UsageError(f"--cluster {address} has workers on other machines without encryption; {ENCRYPT}")
    try:
        found: Mapping[str, Any] = client.run(installed)
        scheduler: Mapping[str, str] = client.run_on_scheduler(installed)
    except Exception as error:
        raise UsageError(
            f"--cluster {address}: counterpulse is not installed on every machine of it; install it there"
        ) from error
    for answer in (*found.values(), scheduler):
        _refuse_other(answer)


def _refuse_other(theirs: Mapping[str, str]) -> None:
    """Raise if what is installed elsewhere could give other digits."""
    mine = installed()
    other = [name for name in mine if theirs.get(name) != mine[name]]
    if not other:
        return
    listed = ", ".join(f"{name} {theirs.get(name, 'none')} (here {mine[name]})" for name in other)
    remedy = "use machines of one kind" if other == [PROCESSOR] else "install the same versions on every machine"
    raise UsageError(f"a worker of the cluster has {listed}, so its numbers could differ in the last digits; {remedy}")


class DaskWorkers:
    """The workers of a cluster that was reached; see `dask_workers`."""

    def __init__(self, client: Client, address: str, here: LocalWorkers) -> None:
        self._client, self._address, self._here = client, address, here

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent elsewhere: a loop within a loop runs in turn there."""
        return LocalWorkers, (1,)

    @property
    def here(self) -> LocalWorkers:
        """The threads of this machine."""
        return self._here

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """See `Workers`.

        Raises
        ------
        UsageError : the cluster lost its workers for good, or a worker differs from this machine
        """
        waiting: dict[int, Any] = dict(enumerate(items))
        parcel = pack(work)
        results: dict[int, Result] = {}
        errors: dict[int, Exception] = {}
        size = len(waiting)
        for _ in range(ROUNDS):
            if not waiting:
                break
            for done in self._round(parcel, waiting):
                if done.differs is not None:
                    _refuse_other(done.differs)
                results |= done.results
                errors |= dict([done.error] if done.error else ())
            waiting = {place: item for place, item in waiting.items() if place not in results}
            if errors and min(errors) == min(waiting):
                raise errors[min(errors)]
        if waiting:
            raise UsageError(
                f"{self._lost()}: {len(waiting)} of {size} turns were lost {ROUNDS} times; check its workers' memory"
            )
        return [results[place] for place in range(size)]

    def _round(self, parcel: Parcel, waiting: Mapping[int, Any]) -> Iterator[Done]:
        """Send the turns that wait; what came back."""
        from distributed import CancelledError

        try:
            futures = self._send(parcel, list(waiting.items()))
            self._wait(futures)
            lost = [future for future in futures if future.status == "error"]
            if lost:
                raise UsageError(
                    f"{self._lost()}: {type(lost[0].exception()).__name__}; give its workers more memory, or find out why they die"
                )
            yield from self._client.gather([future for future in futures if future.status == "finished"])
        except (OSError, CancelledError) as error:
            if self._client.status != "running":
                raise UsageError(f"{self._lost()}: its scheduler is gone; start it, then run again") from error

    def _send(self, parcel: Parcel, turns: Sequence[tuple[int, Any]]) -> list[Future[Done]]:
        workers = self._workers_in_time()
        size = ceil(len(turns) / (PARTS * sum(workers.values())))
        hosts = sorted({urlsplit(worker).hostname or "" for worker in workers})
        near = (
            None if self._address.startswith("tls:") else hosts
        )  # a worker that joins later is on this machine, or idle
        loop = uuid4().hex  # keys stand in logs: they name no data
        held = self._client.submit(unpack, parcel, pure=False, workers=near, key=f"counterpulse-{loop}")
        return [
            self._client.submit(
                carry_out, held, parcel.installed, Turns(tuple(turns[first : first + size])), pure=False, workers=near,
                key=f"counterpulse-{loop}-{first}",
            )
            for first in range(0, len(turns), size)
        ]  # fmt: skip

    def _wait(self, futures: Sequence[Future[Done]]) -> None:
        """Wait for all, as long as there is a worker or one may come back."""
        from distributed import wait

        while not all(future.done() for future in futures):
            try:
                with self._client.as_current():
                    wait(futures, timeout=GLANCE)
            except TimeoutError:
                self._workers_in_time()

    def _workers_in_time(self) -> Mapping[str, int]:
        """Threads of each worker that data may go to; there is one, or one comes back soon."""
        begin = time.monotonic()
        while not (workers := {name: threads for name, threads in self._client.nthreads().items() if is_private(name)}):
            if time.monotonic() - begin > PATIENCE:
                raise UsageError(f"{self._lost()}: no worker is left; start workers, then run again")
            time.sleep(GLANCE)
        return workers

    def _lost(self) -> str:
        return f"--cluster {self._address} did not finish the work"
