"""A rehearsal: the plan carried out on dummy patients, for the form of its output and for no number in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from counterpulse.errors import DataError, UsageError
from counterpulse.protocol.nodes import Privacy
from counterpulse.protocol.plan import Plan
from counterpulse.results import StudyResult
from counterpulse.source import Finding
from counterpulse.study.load import read_study
from counterpulse.study.mock.mock import usual_size, write_mock
from counterpulse.study.run import run

MOST = 400


def rehearse(path: Path) -> StudyResult:
    """Carry out the plan of a protocol on dummy patients drawn from its dictionary; its data are not read.

    Every table and figure of the study appears, with all its rows: small counts are not hidden, and where the protocol does
    not say what becomes of missing values, incomplete rows are left out.

    Raises
    ------
    UsageError : the protocol file is missing, or no dummy patients can be drawn that its rules accept
    ProtocolError : protocol or dictionary is invalid
    """
    try:
        with TemporaryDirectory() as folder:
            data = Path(folder) / "patients.csv"
            write_mock(path, out=data, n=min(usual_size(path), MOST))
            plan, table = read_study(path, data=data)
        return run(_open(plan), table)
    except DataError as error:
        why = "; ".join(finding.seen for finding in error.findings if isinstance(finding, Finding))
        raise UsageError(
            f"{path} cannot be rehearsed on dummy patients ({why}); widen the ranges of the dictionary until `counterpulse mock` "
            "gives patients whom the rules accept"
        ) from None


def _open(plan: Plan) -> Plan:
    protocol = plan.protocol.model_copy(update={"privacy": Privacy(small_cells=0)})
    analyses = tuple(replace(item, missing=item.missing or "complete-case") for item in plan.analyses)
    return replace(plan, protocol=protocol, analyses=analyses)
