"""A study's results as results.json holds them, and back. Numbers stand in full, on the scale a reader reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from math import asin, atanh, inf, isfinite, isnan, log, nan, nextafter, sqrt, ulp
from numbers import Integral, Real
from typing import Any

from counterpulse.results.block import Block, Cell
from counterpulse.results.estimate import (
    At,
    Estimate,
    GroupCount,
    Interval,
    Scale,
    finite_or_none,
    to_natural,
)
from counterpulse.results.provenance import Choice
from counterpulse.results.schema import FORMAT, results_schema
from counterpulse.results.status import Status
from counterpulse.results.study_result import (
    AnalysisRecord,
    Estimand,
    EstimateRow,
    FlowStep,
    Notice,
    StudyIdentity,
    StudyResult,
    Subgroup,
    TableOneRow,
)

__all__ = ["FORMAT", "from_json", "results_schema", "to_json"]

Json = dict[str, Any]
_ALWAYS_IN_TABLE_ONE = ("variable", "level", "group")
_CLOSE_ENOUGH = 16  # parts of the way to the next double that are tried, so that a value read back is the one written


def to_json(result: StudyResult) -> Json:
    """Write results as a tree for JSON; keys that a design does not have are absent.

    The plan is not part of it; it stands in plan.json.
    """
    parts: Json = {
        "flow": [_flow_json(step) for step in result.flow],
        "table_one": [_table_one_json(row) for row in result.table_one],
    }
    return {
        "format": FORMAT,
        "data_kind": result.data_kind,
        "study": _fields(result.identity),
        **{name: rows for name, rows in parts.items() if rows},
        "analyses": [_analysis_json(record) for record in result.analyses],
        "estimates": [_estimate_json(row) for row in result.estimates],
        "blocks": [_block_json(block) for block in result.blocks],
        "details": {id_: {name: _cell(cell) for name, cell in cells.items()} for id_, cells in result.details.items()},
        "warnings": [_fields(notice) for notice in result.warnings],
    }


def from_json(tree: Mapping[str, Any]) -> StudyResult:
    """Read what `to_json` wrote; every estimate is the same on the scale a reader reads.

    Raises
    ------
    ValueError : the format is another one
    """
    if tree.get("format") != FORMAT:
        raise ValueError(f"results in the format {tree.get('format')!r}; this version reads {FORMAT!r}")
    return StudyResult(
        identity=StudyIdentity(**tree["study"]),
        data_kind=tree["data_kind"],
        flow=tuple(FlowStep(**step) for step in tree.get("flow", ())),
        table_one=tuple(_table_one(row) for row in tree.get("table_one", ())),
        analyses=tuple(_analysis(record) for record in tree["analyses"]),
        estimates=tuple(_estimate_row(row) for row in tree["estimates"]),
        blocks=tuple(Block(**block) for block in tree["blocks"]),
        details=tree["details"],
        warnings=tuple(Notice(**notice) for notice in tree["warnings"]),
    )


# -- flow, Table 1, analyses, blocks -------------------------------------------------------------------------------


def _flow_json(step: FlowStep) -> Json:
    """Only the keys that apply; a count that small cells hide is null."""
    return {name: value for name, value in _fields(step).items() if value is not None or name == "n"}


def _table_one_json(row: TableOneRow) -> Json:
    """Only the keys that apply; an undefined number is null."""
    written = {name: getattr(row, name) for name in (*_ALWAYS_IN_TABLE_ONE, "contrast")}
    written |= {field.name: getattr(row, field.name) for field in fields(row)}
    return {
        name: _cell(value) if name != "contrast" else list(value)
        for name, value in written.items()
        if value is not None or name in _ALWAYS_IN_TABLE_ONE
    }


def _table_one(row: Mapping[str, Any]) -> TableOneRow:
    values: Json = {
        name: nan if value is None and name not in _ALWAYS_IN_TABLE_ONE else value for name, value in row.items()
    }
    values["contrast"] = tuple(row["contrast"]) if "contrast" in row else None
    return TableOneRow(**values)


def _analysis_json(record: AnalysisRecord) -> Json:
    written = _fields(record) | {"choices": [_fields(choice) for choice in record.choices]}
    of = written.pop("of")
    return written | ({"of": of} if of is not None else {})


def _analysis(record: Mapping[str, Any]) -> AnalysisRecord:
    choices = tuple(Choice(**choice) for choice in record["choices"])
    return AnalysisRecord(**{**record, "choices": choices, "citations": tuple(record["citations"])})


def _block_json(block: Block) -> Json:
    columns = {name: [_cell(cell) for cell in column] for name, column in block.columns.items()}
    return {"id": block.id, "analysis": block.analysis, "kind": block.kind, "columns": columns}


# -- estimates -----------------------------------------------------------------------------------------------------


def _estimate_json(row: EstimateRow) -> Json:
    estimate = row.estimate
    reader = estimate.natural()
    interval = reader.interval
    return {
        "id": row.id, "analysis": row.analysis, "model": row.model, "role": row.role, "outcome": row.outcome,
        "population": row.population, "subgroup": _fields(row.subgroup) if row.subgroup else None,
        "variable": estimate.variable, "term": estimate.term, "reference": estimate.reference,
        "measure": estimate.measure, "estimand": _fields(row.estimand) if row.estimand else None,
        "better": row.better, "at": _fields(estimate.at) if estimate.at else None, "unit": estimate.unit,
        "estimate": finite_or_none(reader.value),
        "conf_low": finite_or_none(interval.low) if interval else None,
        "conf_high": finite_or_none(interval.high) if interval else None,
        "conf_level": interval.level if interval else None, "interval_method": interval.kind if interval else None,
        "std_error": finite_or_none(estimate.std_error), "scale": estimate.scale,
        "statistic": finite_or_none(estimate.statistic), "statistic_name": estimate.statistic_name,
        "df": finite_or_none(estimate.df), "p_value": finite_or_none(estimate.p_value),
        "p_adjusted": finite_or_none(row.p_adjusted), "n": _cell(row.n), "events": _cell(row.events),
        "n_missing": _cell(row.n_missing), "groups": [_fields(group) for group in row.groups],
        "imputations": _cell(row.imputations), "fmi": finite_or_none(row.fmi), "clusters": _cell(row.clusters),
        "effective_n": finite_or_none(row.effective_n), "method": row.method, "planned": row.planned,
        "status": estimate.status.code, "notes": [*estimate.notes, *filter(None, [estimate.status.text])],
    }  # fmt: skip


def _estimate_row(row: Mapping[str, Any]) -> EstimateRow:
    own = {
        name: row[name]
        for name in (
            "id", "analysis", "role", "outcome", "population", "method", "model", "better", "p_adjusted", "n", "events",
            "n_missing", "imputations", "fmi", "clusters", "effective_n", "planned",
        )
    }  # fmt: skip
    return EstimateRow(
        **own,
        estimate=_estimate(row),
        subgroup=Subgroup(**row["subgroup"]) if row["subgroup"] else None,
        estimand=Estimand(**row["estimand"]) if row["estimand"] else None,
        groups=tuple(GroupCount(**group) for group in row["groups"]),
    )


def _estimate(row: Mapping[str, Any]) -> Estimate:
    scale, status = row["scale"], Status.from_code(row["status"])
    notes = tuple(row["notes"])
    same = (
        "variable",
        "term",
        "reference",
        "measure",
        "std_error",
        "statistic",
        "statistic_name",
        "df",
        "p_value",
        "unit",
    )
    return Estimate(
        **{name: row[name] for name in same},
        value=nan if row["estimate"] is None else _from_natural(row["estimate"], scale),
        interval=_interval(row, scale),
        scale=scale,
        at=At(**row["at"]) if row["at"] else None,
        status=status,
        notes=notes[:-1] if status.text and notes[-1:] == (status.text,) else notes,
    )


def _interval(row: Mapping[str, Any], scale: Scale) -> Interval | None:
    """An end that is null is open where the other one is known, undefined where neither is."""
    if row["conf_level"] is None:
        return None
    low, high = row["conf_low"], row["conf_high"]
    if low is None and high is None:
        ends = [nan, nan]
    else:
        ends = sorted(
            _from_natural(end, scale) for end in (-inf if low is None else low, inf if high is None else high)
        )
    return Interval(ends[0], ends[1], row["conf_level"], row["interval_method"])


def _logit(natural: float) -> float:
    """The log odds, without loss where they are near zero."""
    return 2 * atanh(2 * natural - 1) if abs(natural - 0.5) < 0.25 else log(natural / (1 - natural))


_INVERSE: Mapping[Scale, Callable[[float], float]] = {
    "identity": lambda natural: natural,
    "log": lambda natural: log(natural) if natural > 0 else -inf,
    "logit": lambda natural: _logit(natural) if 0 < natural < 1 else (-inf if natural <= 0 else inf),
    "log-log": lambda natural: log(-log(natural)) if 0 < natural < 1 else (inf if natural <= 0 else -inf),
    "arcsine": lambda natural: asin(sqrt(min(max(natural, 0.0), 1.0))),
}


def _from_natural(natural: float, scale: Scale) -> float:
    """Find the value whose natural form is exactly this number; rounding may hide it among the inverse's neighbors."""
    if not isfinite(natural):
        return natural
    guess = _INVERSE[scale](natural)
    if to_natural(guess, scale) == natural or not isfinite(guess):
        return guess
    next_guess = _INVERSE[scale](nextafter(natural, inf))
    apart = abs(next_guess - guess) if isfinite(next_guess) else 0.0
    step = max(ulp(guess), apart / _CLOSE_ENOUGH)  # near zero many doubles have one natural form
    steps = (sign * count * step for count in range(1, 2 * _CLOSE_ENOUGH + 1) for sign in (1, -1))
    return next((guess + move for move in steps if to_natural(guess + move, scale) == natural), guess)


# -- values --------------------------------------------------------------------------------------------------------


def _fields(value: Any) -> Json:  # noqa: ANN401  (any of the frozen types above)
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:  # noqa: ANN401  (what a field of a frozen type holds)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return _cell(value)


def _cell(value: Cell) -> Cell:
    """A scalar as JSON holds it: infinity and undefined are null, numbers of libraries are plain."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    number = float(value) if isinstance(value, Real) else nan
    return None if isnan(number) else finite_or_none(number)
