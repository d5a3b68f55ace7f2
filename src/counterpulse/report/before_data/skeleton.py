"""A rehearsed result without its numbers: the same rows and columns, every value one that can be told from a real one.

Counts are multiples of `UNIT`, ratios and P values are always the same, nothing failed and nothing was noticed. The report
composes its tables and figures from it as from any result, and `placeholders` finds those numbers again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from counterpulse.protocol.plan import Plan
from counterpulse.report.measures import measure_of
from counterpulse.results import Block, Estimate, EstimateRow, FlowStep, Interval, Status, StudyResult, TableOneRow
from counterpulse.results.block import Cell

UNIT = 1117
"""No year and no round number is a multiple of this prime."""
P_VALUE = 0.123
LEVEL = 0.95
GROUP_UNITS = {"eligible": 40, "analyzed": 30, "analysis": 30}
COUNTED = ("n", "missing", "events", "at_risk", "censored", "cumulative_events", "cumulative_censored")
SEEN = {
    "selection-path": ("step", "action", "term"),
    "selection-frequency": ("term",),
    "missing-pattern": ("pattern", "variable", "missing"),
    "rows-lost": ("variable",),
    "center-funnel": ("center",),
}
"""Kinds whose rows only the data decide: one stands for all that differ in these cells alone, which are left open."""
OPEN = "\N{HORIZONTAL ELLIPSIS}"
JUDGED: Mapping[str, Mapping[str, Cell]] = {
    "risk-of-bias": {"judgment": None, "level": "none", "reason": None},
    "certainty": {"evidence": OPEN, "suggested": OPEN},
    "effect-sizes": {"source": OPEN, "quote": None, "note": None},
}
"""Cells that only studies can fill, by the kind of their block; judgments that nobody has made."""
DRAWN = (
    "study-forest", "leave-one-out", "cumulative", "effect-sizes", "summary-of-findings", "small-study-test", "design-decomposition",
)  # fmt: skip
"""Kinds with the effects of studies, each of which is drawn alike."""
PER_THOUSAND = {"risk_control": 1, "risk_treated": 2, "risk_low": 3, "risk_high": 4}
OF_STUDIES = ("events_1", "n_1", "events_2", "n_2", "studies", "participants", "k")
UNKNOWN = ("i_squared",)
"""Shares that no number can stand for."""


def skeleton(rehearsed: StudyResult, plan: Plan) -> StudyResult:
    """Take every number out of a rehearsed result, and every covariate that its data selected."""
    rows = [row for row in rehearsed.estimates if not (row.role == "covariate" and _selected(plan, row))]
    drawn = {row.analysis for row in rows if row.subgroup is not None}
    return replace(
        rehearsed,
        identity=replace(rehearsed.identity, data_digest=None),
        data_kind="real",
        flow=_flow(rehearsed.flow, plan),
        table_one=tuple(map(_table_one, rehearsed.table_one)),
        analyses=tuple(replace(item, n_missing=UNIT) for item in rehearsed.analyses),
        estimates=tuple(_estimate(row, undrawn=row.analysis in drawn) for row in rows),
        blocks=tuple(map(_block, rehearsed.blocks)),
        details=rehearsed.details if plan.review is None else _details(rehearsed.details),
        warnings=(),
    )


def _selected(plan: Plan, row: EstimateRow) -> bool:
    """Whether a row belongs to a model whose covariates only the data decide."""
    planned = next((item for item in plan.analyses if item.id == row.analysis), None)
    if planned is None:
        return False
    model = next((item for item in planned.models if item.name == row.model), None)
    return planned.selection is not None if model is None else model.selection is not None


def _flow(steps: tuple[FlowStep, ...], plan: Plan) -> tuple[FlowStep, ...]:
    """Counts that agree with each other, so that every box and every reason appears; where nobody may be unknown, nobody is."""
    known = {item.id for item in plan.criteria if item.if_unknown == "stop"}
    removed = UNIT * sum(step.kind == "removed" for step in steps)
    groups = max((len(step.by_group or {}) for step in steps), default=0) or 1
    eligible = UNIT * GROUP_UNITS["eligible"] * groups
    found = []
    for step in steps:
        own = UNIT * GROUP_UNITS.get(step.kind, 1)
        n = {"read": eligible + removed, "eligible": eligible}.get(step.kind, own * groups if step.by_group else own)
        found.append(
            replace(
                step,
                n=n,
                n_alone=None if step.n_alone is None else UNIT,
                unknown=None if step.unknown is None else UNIT * (step.id.rpartition(".")[2] not in known),
                by_group=step.by_group and dict.fromkeys(step.by_group, own),
            )
        )
    return tuple(found)


def _table_one(row: TableOneRow) -> TableOneRow:
    counted = {name: UNIT for name in ("missing", "count") if getattr(row, name)}
    n = {"n": 2 * UNIT} if row.n is not None else {}
    percent = {} if row.percent is None else {"percent": 50.0}
    smd = {} if row.smd is None else {"smd": 0.12}
    p = {} if row.p_value is None else {"p_value": P_VALUE}
    return replace(row, **{**counted, **n, **percent, **smd, **p})  # type: ignore[arg-type]


def _estimate(row: EstimateRow, *, undrawn: bool) -> EstimateRow:
    """An estimate that could be printed; one that a forest plot would draw is left without a value."""
    groups = tuple(
        replace(
            count,
            n=None if count.n is None else 2 * UNIT,
            events=None if count.events is None else UNIT,
            person_time=None,
            risk=None,
        )
        for count in row.groups
    )
    changed = sum(count.n or 0 for count in row.groups) > (row.n or 0)
    n = UNIT if changed else max(2 * UNIT * len(groups), 2 * UNIT)
    item = row.estimate
    open_ = undrawn and measure_of(item.measure).contrasts
    return replace(
        row,
        estimate=replace(_valued(item), status=Status.NO_ROWS if open_ else Status.OK, notes=()),
        p_adjusted=None if row.p_adjusted is None else P_VALUE,
        n=None if row.n is None else n,
        events=None if row.events is None else UNIT,
        n_missing=None if row.n_missing is None else 0,
        clusters=None if row.clusters is None else UNIT,
        groups=groups,
    )


def _valued(item: Estimate) -> Estimate:
    """With a value; what a comparison that failed in the rehearsal has lost, it gets back."""
    lost = item.status is not Status.OK and measure_of(item.measure).contrasts
    p = P_VALUE if lost or item.p_value is not None else None
    df = None if item.df is None else float(UNIT)
    if measure_of(item.measure).kind == "test":
        return replace(item, p_value=p, df=df)
    value, low, high = (0.1, -0.3, 0.5) if item.scale != "identity" else _natural(item)
    had = item.interval or (Interval(low, high, LEVEL, "wald") if lost else None)
    return replace(item, value=value, interval=had and replace(had, low=low, high=high), p_value=p, df=df)


def _natural(item: Estimate) -> tuple[float, float, float]:
    """A value with the decimals that the rehearsal gave it, where it gave any."""
    kind = measure_of(item.measure).kind
    if kind in ("ratio", "points", "probability", "index"):
        return {"ratio": (1.11, 0.72, 1.68)}.get(kind, (0.111, 0.022, 0.199))
    known = item.interval is not None and all(map(isfinite, (item.value, item.interval.low, item.interval.high)))
    return (item.value, item.interval.low, item.interval.high) if known and item.interval else (11.1, 10.2, 12.3)


def _block(block: Block) -> Block:
    open_ = SEEN.get(block.kind, ())
    kept: dict[tuple[Cell, ...], dict[str, Cell]] = {}
    for row in block.rows():
        cells = {name: _cell(name, value) for name, value in row.items()}
        cells.update(JUDGED.get(block.kind, {}))
        cells |= _drawn(cells) if block.kind in DRAWN else {}
        cells |= {name: OPEN for name in open_ if isinstance(cells[name], str)}
        words = tuple(value for value in cells.values() if isinstance(value, str))
        kept.setdefault(words if open_ else (len(kept),), cells)
    return replace(block, columns={name: [cells[name] for cells in kept.values()] for name in block.columns})


def _drawn(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The same effect and the same counts for every study."""
    kind = measure_of(str(cells.get("measure") or "")).kind
    ends = (1.11, 0.72, 1.68) if kind == "ratio" else (0.111, 0.022, 0.199)
    made: dict[str, Cell] = dict(zip(("estimate", "conf_low", "conf_high"), ends, strict=True))
    made |= {name: float(UNIT * times) for name, times in PER_THOUSAND.items()}
    made |= dict.fromkeys(OF_STUDIES, UNIT) | {"weight": 0.111, "df": float(UNIT)}
    return {name: value for name, value in made.items() if cells.get(name) is not None}


def _details(details: Mapping[str, Mapping[str, Cell]]) -> dict[str, dict[str, Cell]]:
    """How many studies there are, as a number that can be told; nothing else that only studies can say."""
    return {id_: {name: UNIT for name in cells if name.endswith(".studies")} for id_, cells in details.items()}


def _cell(name: str, value: Cell) -> Cell:
    if value is None or isinstance(value, str | bool):
        return value
    if name in UNKNOWN:
        return None
    if name in COUNTED:
        return UNIT if isinstance(value, int) else float(UNIT)
    return P_VALUE if name == "p_value" else value
