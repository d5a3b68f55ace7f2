"""Loops on a Dask cluster of two worker processes, one of them killed on the way: the same bytes as on this machine alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ward import call

import counterpulse as cp
from counterpulse import study
from counterpulse.errors import USAGE, UsageError
from counterpulse.numerics.random_streams import stream
from counterpulse.results.on_disk import to_json
from counterpulse.study.cluster import dask_workers as module
from counterpulse.study.cluster import far_side
from counterpulse.study.cluster.address import Certificates, checked_address
from counterpulse.study.cluster.dask_workers import dask_workers

pytest.importorskip("distributed")
pytest.importorskip("cryptography")

HERE = Path(__file__).parent
ECLS = Path(cp.__file__).parent / "examples" / "ecls_registry" / "ecls-registry.protocol.yaml"
CANARY = "Canary-Patient-4711"
PATIENTS = 400
QUICK = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}  # a killed worker is not waited for longer
LONGEST = 60  # seconds that a cluster may take to begin or to end


class Cluster:
    """Where it is, the processes of its workers, and what all of them wrote."""

    def __init__(self, process, said, log):
        self.address, self._process, self._log = said["address"], process, log

    @property
    def log(self):
        return self._log.read_text(errors="replace")

    def end(self):
        """Without its scheduler."""
        self._process.kill()

    @contextmanager
    def losing(self, count):
        """Kill so many workers once turns are underway; it is an error if none ever were."""
        from distributed import Client

        killed, over = threading.Event(), threading.Event()
        client = Client(self.address, set_as_default=False)
        client.wait_for_workers(2, timeout=LONGEST)
        workers = list(client.run(os.getpid).values())

        def kill():
            while not over.is_set() and not any(map(len, client.processing().values())):
                time.sleep(0.005)
            if not over.is_set():
                for process in workers[:count]:
                    os.kill(process, signal.SIGKILL)
                killed.set()

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            client.close()
        assert killed.is_set()


@pytest.fixture
def begin(tmp_path_factory):
    """Begin a cluster; it ends with the test."""
    begun = []

    def begin(*arguments):
        log = tmp_path_factory.mktemp("cluster") / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, HERE / "small_cluster.py", *map(str, arguments)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **QUICK},
            )  # fmt: skip
        begun.append(process)
        line = process.stdout.readline()
        assert line, log.read_text()
        return Cluster(process, json.loads(line), log)

    yield begin
    for process in begun:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(begin):
    """One on this machine, in the clear."""
    return begin()


@pytest.fixture
def encrypted(begin, tmp_path_factory):
    """One that is encrypted, and where its certificates are."""
    folder = tmp_path_factory.mktemp("certificates")
    return begin(folder), folder


def patients():
    random = stream(1, "patients of the cluster")
    time, start = random.exponential(50, PATIENTS).clip(1, 100), random.exponential(30, PATIENTS)
    blank = random.random((PATIENTS, 3)) < 0.2
    return pl.DataFrame(
        {
            "time": time, "event": random.random(PATIENTS) < 0.5, "name": [CANARY] * PATIENTS,
            "age": random.normal(60, 10, PATIENTS), "lactate": np.where(blank[:, 0], np.nan, random.exponential(3, PATIENTS)),
            "ph": np.where(blank[:, 1], np.nan, random.normal(7.3, 0.1, PATIENTS)),
            "sex": np.where(random.random(PATIENTS) < 0.5, "female", "male"),
            "shock": np.where(blank[:, 2], None, np.where(random.random(PATIENTS) < 0.3, "yes", "no")),
            "pump": np.where(start < time, start, np.nan),
        }
    ).with_columns(pl.col("lactate", "ph", "pump").fill_nan(None))  # fmt: skip


def imputed(jobs):
    found = cp.imputation.chained_equations(
        patients().drop("pump"), columns=["time", "event", "age", "lactate", "ph", "sex", "shock"],
        m=8, iterations=5, seed=7, jobs=jobs,
    )  # fmt: skip
    return [frame.to_dict(as_series=False) for frame in found.frames()], found.trace.to_dict(as_series=False)


def replicates(jobs):
    found = cp.emulation.clone_censor_weight(
        patients(), exposure_time="pump", time="time", event="event", grace=10, covariates=["age", "sex"], horizon=60,
        bootstrap=48, seed=7, jobs=jobs,
    )  # fmt: skip
    return found.replicates.tobytes()


@pytest.mark.parametrize("loop", [imputed, replicates])
def test_with_a_worker_killed_on_the_way_every_bit_is_the_same(cluster, loop):
    alone = loop(1)
    assert loop(2) == alone
    with dask_workers(cluster.address) as workers, cluster.losing(1):
        assert loop(workers) == alone
    assert CANARY not in cluster.log


@pytest.mark.slow
def test_with_every_worker_killed_on_the_way_those_that_come_back_finish(cluster):
    alone = replicates(1)
    with dask_workers(cluster.address) as workers, cluster.losing(2):
        assert replicates(workers) == alone


@pytest.mark.parametrize(
    "only", [("A1", "Q1"), pytest.param((), marks=pytest.mark.slow)], ids=["two analyses", "whole"]
)
def test_a_study_is_the_same_byte_for_byte(cluster, only):
    plan, table = study.read_study(ECLS)

    def results(jobs):
        return json.dumps(to_json(cp.run(plan, table, only=only, jobs=jobs)))

    with dask_workers(cluster.address) as workers, cluster.losing(1):
        sent = results(workers)
    assert sent == results(1)


def certificates(folder):
    names = {"certificate": "tls_client_cert", "key": "tls_client_key", "authority": "tls_ca_file"}
    return {name: folder / f"{kind}.pem" for name, kind in names.items()}


def test_an_encrypted_cluster_takes_the_draws(encrypted):
    cluster, folder = encrypted
    assert cluster.address.startswith("tls://127.0.0.1:")
    with dask_workers(cluster.address, certificates=Certificates(**certificates(folder))) as workers:
        assert replicates(workers) == replicates(1)
    with pytest.raises(UsageError, match="is encrypted; give --cluster-certificate"), dask_workers(cluster.address):
        pass
    unpaired = Certificates(**certificates(folder) | {"key": folder / "tls_ca_file.pem"})
    with pytest.raises(UsageError, match="do not make a pair"), dask_workers(cluster.address, certificates=unpaired):
        pass


@pytest.mark.slow
def test_the_command_line_takes_an_encrypted_cluster(encrypted, tmp_path):
    cluster, folder = encrypted
    shown = [part for name, file in certificates(folder).items() for part in (f"--cluster-{name}", file)]
    for name, options in (("alone", ("--jobs", 1)), ("cluster", ("--cluster", cluster.address, *shown))):
        said = call("run", ECLS, "--only", "Q1", "--out", tmp_path / name, *options)
        assert (tmp_path / name / "results.json").exists(), said.text
    assert (tmp_path / "alone" / "results.json").read_bytes() == (tmp_path / "cluster" / "results.json").read_bytes()


def test_what_goes_wrong_on_the_way_is_said(cluster, monkeypatch):
    with dask_workers(cluster.address) as workers:
        with pytest.raises(UsageError, match="nonsense: write it as"):
            workers.map(checked_address, ["tls://ward:1", "nonsense", "tls://ward:2"])
        monkeypatch.setattr(module, "PATIENCE", 2.0)
        cluster.end()
        with pytest.raises(UsageError, match="did not finish the work: its scheduler is gone; start it"):
            replicates(workers)


def test_a_cluster_of_other_versions_is_refused(cluster, monkeypatch, request):
    monkeypatch.setattr(far_side, "version", lambda name: "99.0" if name == "counterpulse" else version(name))
    far_side.installed.cache_clear()
    request.addfinalizer(far_side.installed.cache_clear)
    with (
        pytest.raises(UsageError, match=r"counterpulse \S+ \(here 99\.0\).*install the same versions"),
        dask_workers(cluster.address),
    ):
        pass


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cluster", "tcp://192.0.2.1:8786"), "patients' data do not cross a network unencrypted"),
        (("--cluster", "ward"), "write it as tls://HOST:PORT"),
        (("--cluster", "tcp://127.0.0.1:1"), "nobody answers there; start the scheduler"),
        (("--cluster-key", "key.pem"), "belong together; give all three"),
    ],
)
def test_the_command_line_says_what_to_do(tmp_path, monkeypatch, options, words):
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    assert call("example", "stanford-heart", tmp_path / "study").code == 0
    said = call("run", tmp_path / "study" / "stanford-heart.protocol.yaml", "--out", tmp_path / "out", *options)
    assert (said.code, (tmp_path / "out").exists()) == (USAGE, False)
    assert words in " ".join(said.text.split())
