"""``counterpulse rehearse``."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from counterpulse import errors, study
from counterpulse.cli.console import complain, count, progress, say, say_json, say_table
from counterpulse.cli.options import AsJson, DataPath, ProtocolPath
from counterpulse.cli.parallel import (
    AuthorityOption,
    CertificateOption,
    ClusterOption,
    JobsOption,
    KeyOption,
    chosen_workers,
)
from counterpulse.report import before_data
from counterpulse.results.rehearsed_study import RehearsedStudy, rehearsal_json

if TYPE_CHECKING:
    from counterpulse.protocol.plan import Plan

HEADER = ("Scenario", "Estimate", "Truth", "Mean", "Bias (error)", "SE", "Mean SE", "Coverage %", "Power %", "Failed")


def rehearse(
    protocol: ProtocolPath,
    data: DataPath = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the pages of it there.", show_default=False)
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(min=2, help="How many studies are simulated; default: the protocol's.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Another seed than the protocol's.", show_default=False)
    ] = None,
    jobs: JobsOption = 0,
    as_json: AsJson = False,
    cluster: ClusterOption = None,
    cluster_certificate: CertificateOption = None,
    cluster_key: KeyOption = None,
    cluster_authority: AuthorityOption = None,
) -> None:
    """Bias, coverage and power of every planned analysis, before the outcome is looked at.

    Covariates and exposure are drawn from the data, outcomes are simulated from the `rehearsal:` of the protocol; those of the
    data are not read.

    Example: counterpulse rehearse study.protocol.yaml --data patients.csv --out rehearsal
    """
    if out is not None:
        before_data.check_place(out)
    plan, table = study.read_study(protocol, data=data)
    workers = chosen_workers(jobs, cluster, cluster_certificate, cluster_key, cluster_authority)
    with workers as taking, progress(_steps(plan, replicates)) as begin:
        found = study.rehearse_analyses(plan, table, replicates=replicates, seed=seed, jobs=taking, progress=begin)
    if as_json:
        say_json(rehearsal_json(found))
    else:
        _show(found)
    if out is not None:
        written = before_data.write_rehearsal(found, out)
        tell = complain if as_json else say
        if written.moved_because:
            complain(f"The pages are in a new place, because {written.moved_because}.")
        tell(f"\nReport: {written.report}")
    raise typer.Exit(errors.HAS_FINDINGS if found.failed else errors.DONE)


def _steps(plan: Plan, replicates: int | None) -> int:
    """The words of progress to expect."""
    rehearsal = plan.protocol.rehearsal
    if rehearsal is None:
        return 1
    batches = ceil((replicates or rehearsal.replicates) / study.REPLICATES_A_STEP)
    return sum(batches * (1 + len(assumed.effects)) for assumed in rehearsal.outcomes.values())


def _show(found: RehearsedStudy) -> None:
    say(
        f"{found.identity.title}: {found.replicates} simulated studies of {found.patients} patients. No outcome was read.\n"
    )
    for line in found.assumptions:
        say(f"  {line}")
    say()
    rows = [
        (str(row["scenario"]), before_data.estimate_words(row, block.analysis), *before_data.shown(row))
        for block in found.blocks
        for row in block.rows()
    ]
    say_table(HEADER, rows, right=range(2, len(HEADER)))
    if found.biased:
        say(f"\n{count(len(found.biased), 'estimate')} off the truth by more than three Monte Carlo errors:")
    for item in found.biased:
        say(f"  {before_data.biased_words(item)}")
    for left in found.left_out:
        say(f"Not rehearsed: {left.analysis} ({found.labels.get(left.outcome, left.outcome)}): {left.reason}.")
    for note in found.notes:
        say(f"Note: {note}")
