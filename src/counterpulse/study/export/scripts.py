"""A bundle becomes scripts for another program, with the patients they read and the numbers to compare."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from counterpulse.data.patient_table import PatientTable
from counterpulse.errors import UsageError
from counterpulse.expression import r_text
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.scope import study_scope
from counterpulse.results import EstimateRow, StudyResult, finite_or_none
from counterpulse.results.bundle import Written, to_bytes, write_bundle
from counterpulse.study.explain import read_result
from counterpulse.study.export.ars import reporting_event
from counterpulse.study.export.left_out import TOLERANCE, tolerance, why
from counterpulse.study.export.part import parts_of
from counterpulse.study.export.r_balanced import BALANCED, Difference, differences_of, given_analyses
from counterpulse.study.export.r_review import effects_frame, review_script
from counterpulse.study.export.r_script import Remade, functions, r_script
from counterpulse.study.export.r_study import taken_elsewhere
from counterpulse.study.export.sas import repeated_rows, sas_head, sas_lines, sas_table, table_columns, with_knots
from counterpulse.study.export.tables import balanced_rows, files_of_imputation, imputed_tables, remade, shared_knots
from counterpulse.study.load import find_protocol, read_study
from counterpulse.study.patients.cohort import make_cohort
from counterpulse.study.patients.derive import settle_not_applicable, take_measurements
from counterpulse.study.patients.measurements import PATIENT
from counterpulse.study.patients.samples import keep_rule, make_samples
from counterpulse.study.request import START, time_column

HEADER = ("id", "estimate", "conf_low", "conf_high", "p_value", "tolerance", "why")
MEASUREMENTS = ("patient", "outcome", "value", "hours", "order")
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written, which estimates the scripts do not repeat, and whether values of patients stand beside them."""

    written: Written
    repeated: int
    left_out: tuple[str, ...]
    of_patients: bool


def export_scripts(
    directory: Path, *, to: str, data: Path | None = None, protocol: Path | None = None, out: Path | None = None
) -> Exported:
    """Write the scripts of a bundle.

    Parameters
    ----------
    directory : the bundle
    to : "r", "sas" or "ars"
    data, protocol : the data and protocol files, if not where the bundle's protocol says
    out : where the scripts go; by default beside the bundle

    Raises
    ------
    UsageError : the directory is no bundle, its protocol is not found, or there is no such program
    ProtocolError, DataError : the inputs cannot be read any more
    """
    if to not in WRITERS:
        raise UsageError(f"--to names '{to}'; scripts are written for {', '.join(WRITERS)}")
    result = read_result(directory)
    path = protocol or find_protocol(result.identity.protocol_digest, directory, data)
    plan, table = read_study(path, data=data)
    files, covered = WRITERS[to](plan, table, result)
    asked = [row.id for row in result.estimates if _comparable(row)]
    left_out = tuple(name for name in asked if name not in covered)
    files["not-exported.csv"] = _csv(
        ("id", "method", "why"),
        [(row.id, row.method, why(row, plan, to)) for row in result.estimates if row.id in left_out],
    )
    written = write_bundle(
        out or directory.with_name(f"{directory.name}-{to}"),
        files,
        identity={"study": result.identity.id, "export": to},
    )
    of_patients = to != "ars" and plan.review is None
    return Exported(written=written, repeated=len(asked) - len(left_out), left_out=left_out, of_patients=of_patients)


def _r(plan: Plan, table: PatientTable, result: StudyResult) -> tuple[Files, frozenset[str]]:
    if plan.review is not None:
        return _r_of_review(plan, table, result)
    setting = remade(plan, table, result)
    script = r_script(plan, table.dictionary, result, Remade(files_of_imputation(setting), shared_knots(setting)))
    covered = frozenset(row.id for row in result.estimates if f'"{row.id}"' in script)
    differences = [
        one
        for analysis in plan.analyses if analysis.balancing is not None
        for part in parts_of(plan, analysis, [row for row in result.estimates if row.analysis == analysis.id])
        for one in differences_of(part, result)
        if r_text(one.id) in script
    ]  # fmt: skip
    files = {
        "analysis.R": script.encode(), "functions.R": functions().encode(), "patients.csv": patients_csv(plan, table, script),
        "expected.csv": expected_csv([row for row in result.estimates if row.id in covered], plan, differences),
    }  # fmt: skip
    if "measurements.csv" in script:
        files["measurements.csv"] = measurements_csv(plan, table)
    files |= {name: _written(filled) for name, filled in imputed_tables(setting) if name in script}
    if BALANCED in script:
        files[BALANCED] = _written(balanced_rows(setting, given_analyses(plan)))
    return files, covered


def _r_of_review(plan: Plan, table: PatientTable, result: StudyResult) -> tuple[Files, frozenset[str]]:
    script = review_script(plan, result)
    covered = frozenset(row.id for row in result.estimates if r_text(row.id) in script)
    files = {
        "analysis.R": script.encode(), "functions.R": functions().encode(), "effects.csv": _written(effects_frame(plan, table)),
        "expected.csv": expected_csv([row for row in result.estimates if row.id in covered], plan),
    }  # fmt: skip
    return files, covered


def _ars(plan: Plan, table: PatientTable, result: StudyResult) -> tuple[Files, frozenset[str]]:
    event = reporting_event(plan, table.dictionary, result)
    covered = frozenset(found["id"] for analysis in event["analyses"] for found in analysis["results"])
    return {"reporting-event.json": to_bytes(event)}, covered


def _sas(plan: Plan, table: PatientTable, result: StudyResult) -> tuple[Files, frozenset[str]]:
    if plan.review is not None:
        return {}, frozenset()
    cohort = make_cohort(plan, table)
    scope = study_scope(plan.protocol, table.dictionary)
    lines = list(sas_head(result.identity.title, plan.protocol_digest))
    files: Files = {}
    covered: set[str] = set()
    for analysis in plan.analyses:
        rows = [row for row in result.estimates if row.analysis == analysis.id and not row.imputations]
        for part in parts_of(plan, analysis, rows) if analysis.balancing is None else ():
            made = make_samples(plan, analysis, part.outcome, cohort, keep_rule(analysis, scope))
            sample = next((item for item in made if item.variant and item.variant in (part.model or "")), made[0])
            number = len(files) + 1
            file = f"table{number}.csv"
            frame = sample.sample.frame.with_columns(pl.Series(PATIENT, sample.sample.row_of_origin))
            columns = [name for name in (*table_columns(part), *part.needed) if name in frame.columns]
            frame = frame.drop_nulls(columns)
            known = with_knots(part, frame)
            files[file] = sas_table(frame, known, START)
            lines += sas_lines(known, f"table{number}", file)
            covered |= {row.id for row in repeated_rows(known)}
    shown = expected_csv([row for row in result.estimates if row.id in covered], plan)
    return {"analysis.sas": "\n".join([*lines, ""]).encode(), "expected.csv": shown, **files}, frozenset(covered)


WRITERS: Mapping[str, Callable[[Plan, PatientTable, StudyResult], tuple[Files, frozenset[str]]]] = {
    "r": _r,
    "sas": _sas,
    "ars": _ars,
}


def _comparable(row: EstimateRow) -> bool:
    """Whether a row holds a number that another program could repeat."""
    return finite_or_none(row.estimate.value) is not None or finite_or_none(row.estimate.p_value) is not None


def expected_csv(rows: Sequence[EstimateRow], plan: Plan, differences: Sequence[Difference] = ()) -> bytes:
    """The numbers of the bundle, on the natural scale, with how near another program comes and why not nearer; then the balance."""
    analyses = {analysis.id: analysis for analysis in plan.analyses}
    lines = []
    for row in rows:
        shown = row.estimate.row()
        numbers = [shown[name] for name in HEADER[1:5]]
        near, because = tolerance(row, analyses.get(row.analysis))
        lines.append((row.id, *("" if number is None else repr(number) for number in numbers), repr(near), because))
    lines += [(one.id, repr(one.value), "", "", "", repr(TOLERANCE), "") for one in differences]
    return _csv(HEADER, lines)


def measurements_csv(plan: Plan, table: PatientTable) -> bytes:
    """Every measurement of the repeated outcomes: its patient (the row of ``patients.csv``), value and hours since time zero."""
    taken = take_measurements(table, plan.protocol).repeated
    lines = [
        (patient + 1, name, repr(value), repr(hours), order)
        for name, rows in taken.items()
        for order, (patient, value, hours) in enumerate(rows.select(PATIENT, name, time_column(name)).iter_rows())
        if value is not None
    ]
    return _csv(MEASUREMENTS, lines)


def patients_csv(plan: Plan, table: PatientTable, script: str) -> bytes:
    """The checked table with the columns that a script names: codes, yes/no, ISO dates, blanks for missing values."""
    frame = settle_not_applicable(table)
    if taken_elsewhere(plan.protocol):
        frame = frame.with_columns(take_measurements(table, plan.protocol).columns)
    words = set(re.findall(r"\w+", script))
    named = [name for name in frame.columns if name in words]
    return _written(frame.select(named))


def _written(frame: pl.DataFrame) -> bytes:
    return frame.select(_as_text(pl.col(name), kind) for name, kind in frame.schema.items()).write_csv().encode()


def _as_text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind == pl.Boolean:
        return column.replace_strict({True: "yes", False: "no"}, return_dtype=pl.String)
    if isinstance(kind, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return column


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
