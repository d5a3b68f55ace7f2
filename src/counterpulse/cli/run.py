"""``counterpulse run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import counterpulse as cp
from counterpulse import errors, study
from counterpulse.cli.console import complain, count, progress, say, say_table
from counterpulse.cli.options import DataPath, ProtocolPath
from counterpulse.cli.parallel import (
    AuthorityOption,
    CertificateOption,
    ClusterOption,
    JobsOption,
    KeyOption,
    chosen_workers,
)


def run(
    protocol: ProtocolPath,
    data: DataPath = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where the report goes.", show_default="PROTOCOLNAME-report"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Another seed than the protocol's; the report says so.")
    ] = None,
    jobs: JobsOption = 0,
    only: Annotated[str, typer.Option(metavar="A1,A2", help="Only these analyses; the report says so.")] = "",
    cluster: ClusterOption = None,
    cluster_certificate: CertificateOption = None,
    cluster_key: KeyOption = None,
    cluster_authority: AuthorityOption = None,
) -> None:
    """Read, check, plan, run, report: the main job.

    Example: counterpulse run study.protocol.yaml --data patients.sav
    """
    place = out or Path(f"{study.study_name(protocol)}-report")
    chosen = tuple(name.strip() for name in only.split(",") if name.strip())
    try:
        plan, table = study.read_study(protocol, data=data)
        workers = chosen_workers(jobs, cluster, cluster_certificate, cluster_key, cluster_authority)
        with workers as taking, progress(2 + len(chosen or plan.analyses) + 1) as begin:
            cohort = study.eligible_patients(plan, table)
            result = cp.run(plan, table, seed=seed, only=chosen, jobs=taking, progress=begin, cohort=cohort)
            begin("report")
            written = cp.report(result, place, private=study.private_queries(table.queries, cohort.queries))
    except errors.DataError as error:
        _keep_questions(error, place)
        raise
    _summarize(result)
    if written.moved_because:
        complain(f"The report is in a new place, because {written.moved_because}.")
    say(f"\nReport: {written.report}")
    raise typer.Exit(errors.HAS_FINDINGS if study.could_not_estimate(result) else errors.DONE)


def _keep_questions(error: errors.DataError, place: Path) -> None:
    """Where no bundle comes to be, the questions for the data manager stand beside its place."""
    if error.queries is not None:
        written = study.write_queries(error.queries, place.with_name(f"{place.name}-private") / "queries.csv")
        if written is not None:
            complain(f"Questions for the data manager (ids and values of patients, not to be shared): {written}\n")


def _summarize(result: study.StudyResult) -> None:
    header, rows = study.summary_lines(result)
    say_table(header, rows, right=(2, 3))
    if result.warnings:
        say(f"\n{count(len(result.warnings), 'warning')}; see the report.")
    if result.data_kind != "real":
        say(f"\n{result.data_kind.upper()} DATA: no real patient is behind these numbers.")
