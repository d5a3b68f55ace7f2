"""Results with another shape than one number: curves, balance, forests. Each kind has a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = str | float | int | bool | None

NUMBER = {"type": ["number", "null"]}
COUNT = {"type": ["integer", "null"]}
TEXT = {"type": ["string", "null"]}

KINDS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "survival-curve": {
        "group": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "std_error": NUMBER, "at_risk": NUMBER, "events": NUMBER, "censored": NUMBER,
    },
    "numbers-at-risk": {
        "group": TEXT, "time": NUMBER, "at_risk": NUMBER, "cumulative_events": NUMBER, "cumulative_censored": NUMBER,
    },
    "forest": {
        "variable": TEXT, "level": TEXT, "group": TEXT, "n": COUNT, "events": COUNT,
        "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "p_interaction": NUMBER,
    },
    "proportional-hazards": {"variable": TEXT, "chi_squared": NUMBER, "df": NUMBER, "p_value": NUMBER},
    "proportional-odds": {"variable": TEXT, "chi_squared": NUMBER, "df": NUMBER, "p_value": NUMBER},
    "cumulative-incidence": {
        "group": TEXT, "cause": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "std_error": NUMBER, "at_risk": NUMBER, "events": NUMBER,
    },
    "effect-curve": {
        "variable": TEXT, "measure": TEXT, "reference": NUMBER, "value": NUMBER,
        "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
    },
    "selection-path": {
        "step": COUNT, "action": TEXT, "term": TEXT, "statistic": NUMBER, "df": NUMBER, "p_value": NUMBER, "criterion": NUMBER,
    },
    "selection-frequency": {"term": TEXT, "selected": TEXT, "frequency": NUMBER},
    "lasso-path": {"penalty": NUMBER, "nonzero": COUNT, "deviance": NUMBER, "std_error": NUMBER, "chosen": TEXT},
    "calibration-curve": {
        "model": TEXT, "kind": TEXT, "predicted": NUMBER, "observed": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
        "n": COUNT,
    },
    "roc": {"model": TEXT, "threshold": NUMBER, "sensitivity": NUMBER, "specificity": NUMBER},
    "decision-curve": {"model": TEXT, "threshold": NUMBER, "net_benefit": NUMBER},
    "time-dependent-auc": {
        "model": TEXT, "time": NUMBER, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER,
    },
    "distribution": {
        "variable": TEXT, "group": TEXT, "low": NUMBER, "high": NUMBER, "n": COUNT, "percent": NUMBER,
    },
    "crosstab": {
        "row_variable": TEXT, "row": TEXT, "column_variable": TEXT, "column": TEXT, "n": COUNT, "row_percent": NUMBER,
        "column_percent": NUMBER,
    },
    "missing-pattern": {"pattern": COUNT, "variable": TEXT, "missing": TEXT, "n": COUNT, "percent": NUMBER},
    "missingness": {"variable": TEXT, "group": TEXT, "n": COUNT, "missing": COUNT, "percent": NUMBER},
    "rows-lost": {"analysis": TEXT, "outcome": TEXT, "variable": TEXT, "n": COUNT, "missing": COUNT, "percent": NUMBER},
    "correlation": {"row": TEXT, "column": TEXT, "value": NUMBER, "measure": TEXT, "n": COUNT, "smallest": COUNT},
    "variance-inflation": {"variable": TEXT, "df": COUNT, "gvif": NUMBER, "per_column": NUMBER},
    "center-funnel": {
        "center": TEXT, "n": COUNT, "events": COUNT, "risk": NUMBER, "overall": NUMBER,
        "low_95": NUMBER, "high_95": NUMBER, "low_998": NUMBER, "high_998": NUMBER,
    },
    "events-per-parameter": {
        "analysis": TEXT, "outcome": TEXT, "model": TEXT, "n": COUNT, "events": COUNT, "parameters": COUNT, "ratio": NUMBER,
    },
    "covariance": {"row": TEXT, "column": TEXT, "value": NUMBER},
    "group-test": {
        "group": TEXT, "n": COUNT, "observed": NUMBER, "expected": NUMBER,
    },
    # A standardized difference of each variable (level) in each sample; between more than two groups the largest is `smd_max`.
    "balance": {
        "variable": TEXT, "level": TEXT, "sample": TEXT, "smd": NUMBER, "smd_max": NUMBER, "denominator": TEXT,
        "variance_ratio": NUMBER, "ks": NUMBER,
    },
    # Estimates as a reader reads them; `role` is study, subtotal, total or prediction; weights and I-squared are fractions.
    # Subtotals and totals carry their heterogeneity.
    "study-forest": {
        "study": TEXT, "subgroup": TEXT, "role": TEXT, "measure": TEXT, "events_1": COUNT, "n_1": COUNT, "events_2": COUNT,
        "n_2": COUNT, "estimate": NUMBER, "conf_low": NUMBER, "conf_high": NUMBER, "weight": NUMBER, "tau_squared": NUMBER,
        "i_squared": NUMBER, "q": NUMBER, "df": NUMBER, "p_value": NUMBER,
    },
    # A row for each specification (1, 2, … in order of the estimates) and choice; `main` is yes of the planned one.
    "specification-curve": {
        "specification": COUNT, "choice": TEXT, "option": TEXT, "measure": TEXT, "estimate": NUMBER, "conf_low": NUMBER,
        "conf_high": NUMBER, "p_value": NUMBER, "n": COUNT, "events": COUNT, "main": TEXT,
    },
    # Estimates as a reader reads them, errors on the scale of estimation; `imputed` is yes of a study that was filled in.
    "funnel": {
        "study": TEXT, "measure": TEXT, "estimate": NUMBER, "std_error": NUMBER, "imputed": TEXT, "pooled": NUMBER,
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A rectangular result of a named kind; all columns have one length."""

    id: str
    analysis: str
    kind: str
    columns: Mapping[str, Sequence[Cell]]

    def __post_init__(self) -> None:
        expected = KINDS.get(self.kind)
        if expected is None:
            raise ValueError(f"unknown kind of block {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if list(self.columns) != list(expected):
            raise ValueError(f"a block {self.kind!r} has the columns {list(expected)}, not {list(self.columns)}")
        if len({len(column) for column in self.columns.values()}) > 1:
            raise ValueError(f"the columns of block {self.id!r} differ in length")

    def rows(self) -> list[dict[str, Cell]]:
        """The block row by row."""
        return [dict(zip(self.columns, values, strict=True)) for values in zip(*self.columns.values(), strict=True)]


def schema(kind: str) -> dict[str, object]:
    """The JSON Schema of one kind of block."""
    columns = {name: {"type": "array", "items": dict(cell)} for name, cell in KINDS[kind].items()}
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "analysis": {"type": "string"},
            "kind": {"const": kind},
            "columns": {
                "type": "object", "properties": columns, "required": list(columns), "additionalProperties": False,
            },
        },
        "required": ["id", "analysis", "kind", "columns"],
        "additionalProperties": False,
    }  # fmt: skip
