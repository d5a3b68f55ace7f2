"""How much at a time, and by whom: the options of every verb that computes."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from counterpulse import study
from counterpulse.errors import UsageError
from counterpulse.numerics.workers import LocalWorkers, Workers

JobsOption = Annotated[
    int, typer.Option("--jobs", min=0, help="Analyses and draws side by side; 0 is one a processor. Changes no digit.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="URL", show_default=False,
        help="A Dask cluster that takes the draws: tls://HOST:PORT, or tcp://127.0.0.1:PORT. Changes no digit.",
    ),
]  # fmt: skip
CertificateOption = Annotated[
    Path | None,
    typer.Option("--cluster-certificate", metavar="FILE", show_default=False, help="The cluster's certificate for this machine."),
]  # fmt: skip
KeyOption = Annotated[
    Path | None,
    typer.Option("--cluster-key", metavar="FILE", show_default=False, help="The key of that certificate."),
]
AuthorityOption = Annotated[
    Path | None,
    typer.Option("--cluster-authority", metavar="FILE", show_default=False, help="The authority that signed it."),
]


def chosen_workers(
    jobs: int, cluster: str | None, certificate: Path | None, key: Path | None, authority: Path | None
) -> AbstractContextManager[Workers]:
    """Who carries out the loops: threads of this machine, or a cluster."""
    certificates = study.Certificates(certificate=certificate, key=key, authority=authority)
    jobs = jobs or os.cpu_count() or 1
    if cluster is not None:
        return study.dask_workers(cluster, certificates=certificates, jobs=jobs)
    if certificates.given:
        raise UsageError("--cluster-certificate is of a cluster; name it: --cluster tls://HOST:PORT")
    return nullcontext(LocalWorkers(jobs))
