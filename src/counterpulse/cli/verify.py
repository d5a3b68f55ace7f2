"""``counterpulse verify``."""

from __future__ import annotations

from dataclasses import asdict

import typer

from counterpulse import errors, study
from counterpulse.cli.console import say, say_json
from counterpulse.cli.options import AsJson, BundlePath, DataPath, OfProtocol
from counterpulse.cli.parallel import (
    AuthorityOption,
    CertificateOption,
    ClusterOption,
    JobsOption,
    KeyOption,
    chosen_workers,
)

MOST = 20


def verify(
    bundle: BundlePath,
    data: DataPath = None,
    protocol: OfProtocol = None,
    jobs: JobsOption = 0,
    cluster: ClusterOption = None,
    cluster_certificate: CertificateOption = None,
    cluster_key: KeyOption = None,
    cluster_authority: AuthorityOption = None,
    as_json: AsJson = False,
) -> None:
    """Run the study of a bundle again, and compare every number.

    Example: counterpulse verify study-report
    """  # fmt: skip
    with chosen_workers(jobs, cluster, cluster_certificate, cluster_key, cluster_authority) as workers:
        found = study.verify(bundle, data=data, protocol=protocol, jobs=workers)
    if as_json:
        say_json({**asdict(found), "protocol": found.protocol.name, "holds": found.holds})
    else:
        for line in study.verification_lines(found, most=MOST):
            say(line)
    raise typer.Exit(errors.DONE if found.holds else errors.HAS_FINDINGS)
