"""How each kind of block is shown without small cells: first coarser where it is a curve, then without hidden counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial

from counterpulse.results import privacy_of_adjustment as adjustment
from counterpulse.results.block import Block, Cell
from counterpulse.results.census import blanks, events_of, people
from counterpulse.results.census_of_blocks import (
    bin_of,
    center_of,
    complete_of,
    margin_of,
    outcome_of,
    pair_of,
    pattern_of,
)
from counterpulse.results.privacy_of_adjustment import Withheld
from counterpulse.results.privacy_screen import Screen
from counterpulse.results.small_bins import (
    Columns,
    Row,
    coarse_calibration,
    coarse_centers,
    coarse_distribution,
    number,
    rows_of,
    small_count,
)
from counterpulse.results.small_curves import coarse_curve, coarse_numbers_at_risk, coarse_roc, rounded


def _as_it_is(columns: Columns, smallest: int) -> Columns:
    return columns


def _every_row(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    return rows_of(block.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRule:
    """`coarse` makes the block coarser by itself; `screened` takes out what the whole result must not tell."""

    coarse: Callable[[Columns, int], Mapping[str, Sequence[Cell]]] = _as_it_is
    screened: Callable[[Block, Screen, Withheld], list[Row]] = _every_row


def coarse_block(block: Block, smallest: int) -> Block:
    """The block made coarser."""
    return _with(block, RULES[block.kind].coarse(block.columns, smallest))


def screened_block(block: Block, screen: Screen, withheld: Withheld) -> Block:
    """The block without hidden counts."""
    rows = RULES[block.kind].screened(block, screen, withheld)
    return _with(block, {name: [row[name] for row in rows] for name in block.columns})


def _with(block: Block, columns: Columns) -> Block:
    columns = {name: tuple(column) for name, column in columns.items()}
    return Block(id=block.id, analysis=block.analysis, kind=block.kind, columns=columns)


def _counted(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """The rows of a forest or of a test of curves."""
    outcome = outcome_of(block)
    strata = {(variable, level) for analysis, variable, level in withheld if analysis == block.analysis}
    return [_counted_row(row, outcome, screen, strata) for row in block.rows()]


def _counted_row(row: Row, outcome: str, screen: Screen, withheld: Set[tuple[str | None, str | None]]) -> Row:
    variable, level, group = (
        None if row.get(name) is None else str(row[name]) for name in ("variable", "level", "group")
    )
    at = (group, variable, level)
    what = "events" if "events" in row else "observed"
    n, events = row["n"], row[what]
    known = events is None or float(events) % 1 != 0 or screen.events(int(events), outcome, *at) is not None
    known = known and not small_count(events, screen.smallest)
    changed: Row = {"n": None if n is None else screen.people(int(n), *at), what: events if known else None}
    if not known and "expected" in row:
        changed["expected"] = None
    if "estimate" in row and (variable, level) in withheld:
        changed |= {"estimate": None, "conf_low": None, "conf_high": None}
    return row | changed


def _bins(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Percentages tell their denominator, so a group with a hidden count has none."""
    rows = block.rows()
    open_ = {(row["variable"], row["group"]) for row in rows if row["n"] is None or bin_of(row) in screen.hidden}
    shown = []
    for row in rows:
        gone = bin_of(row) in screen.hidden
        told = (row["variable"], row["group"]) not in open_
        shown.append(row | {"n": None if gone else row["n"], "percent": row["percent"] if told else None})
    return shown


def _crosstab(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    rows = block.rows()
    open_ = {
        (side, level)
        for side in ("row", "column")
        for level in dict.fromkeys(str(row[side]) for row in rows)
        if _margin(rows, side, level, screen) in screen.hidden
    }
    shown = []
    for row in rows:
        changed: Row = {} if pair_of(row, screen.group_variable) not in screen.hidden else {"n": None}
        for side in ("row", "column"):
            if changed or (side, str(row[side])) in open_:
                changed[f"{side}_percent"] = None
        shown.append(row | changed)
    return shown


def _margin(rows: Sequence[Row], side: str, level: str, screen: Screen) -> object:
    own = [row for row in rows if str(row[side]) == level]
    total = sum(int(number(row["n"])) for row in own)
    return margin_of(total, str(own[0][f"{side}_variable"]), level, screen.group_variable)


def _missingness(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    shown = []
    for row in block.rows():
        group = None if row["group"] is None else str(row["group"])
        n, missing = int(number(row["n"])), int(number(row["missing"]))
        gone = blanks(missing, str(row["variable"]), group) in screen.hidden
        whole = not gone and people(n, group) not in screen.hidden
        shown.append(
            row
            | {
                "n": screen.people(n, group),
                "missing": None if gone else missing,
                "percent": row["percent"] if whole else None,
            }
        )
    return shown


def _patterns(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    gone = dict.fromkeys(("n", "percent"), None)
    return [row | gone if pattern_of(block.id, row) in screen.hidden else row for row in block.rows()]


def _rows_lost(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    shown = []
    for row in block.rows():
        n, missing = int(number(row["n"])), int(number(row["missing"]))
        gone = small_count(missing, screen.smallest) or blanks(missing, str(row["variable"]), None) in screen.hidden
        changed: Row = {"n": screen.people(n), "missing": None if gone else missing}
        shown.append(row | changed | ({"percent": None} if None in changed.values() else {}))
    return shown


def _centers(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Control limits tell how large a center is, and the risk overall how many events there were."""
    rows = block.rows()
    deaths = sum(int(number(row["events"])) for row in rows)
    overall = events_of(deaths, outcome_of(block)) not in screen.hidden
    shown = []
    for row in rows:
        sized = center_of(block.id, row, "n") not in screen.hidden
        counted = center_of(block.id, row, "events") not in screen.hidden
        changed: Row = {} if overall else {"overall": None}
        if not (sized and counted):
            changed["risk"] = None
        if not counted:
            changed["events"] = None
        if not sized:
            changed["n"] = None
        if not (sized and overall):
            changed |= dict.fromkeys(("low_95", "high_95", "low_998", "high_998"), None)
        shown.append(row | changed)
    return shown


def _associations(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """A measure of two categories tells their crosstab."""
    shown = []
    for row in block.rows():
        small = small_count(row["smallest"], screen.smallest)
        n = int(number(row["n"]))
        whole = complete_of(n) not in screen.hidden and not small_count(n, screen.smallest)
        shown.append(
            row
            | {
                "value": None if small else row["value"],
                "smallest": None if small else row["smallest"],
                "n": n if whole else None,
            }
        )
    return shown


def _per_parameter(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    shown = []
    for row in block.rows():
        n, events, outcome = int(number(row["n"])), int(number(row["events"])), str(row["outcome"])
        told = {events_of(events, outcome), events_of(n - events, outcome), people(events)}
        gone = small_count(events, screen.smallest) or bool(told & screen.hidden)
        shown.append(row | {"n": screen.people(n)} | ({"events": None, "ratio": None} if gone else {}))
    return shown


AS_IT_IS = BlockRule()

RULES: Mapping[str, BlockRule] = {
    "survival-curve": BlockRule(coarse=coarse_curve),
    "cumulative-incidence": BlockRule(coarse=coarse_curve),
    "numbers-at-risk": BlockRule(coarse=coarse_numbers_at_risk),
    "forest": BlockRule(screened=_counted),
    "group-test": BlockRule(screened=_counted),
    "distribution": BlockRule(coarse=coarse_distribution, screened=_bins),
    "crosstab": BlockRule(screened=_crosstab),
    "missingness": BlockRule(screened=_missingness),
    "missing-pattern": BlockRule(screened=_patterns),
    "rows-lost": BlockRule(screened=_rows_lost),
    "center-funnel": BlockRule(coarse=coarse_centers, screened=_centers),
    "correlation": BlockRule(screened=_associations),
    "events-per-parameter": BlockRule(screened=_per_parameter),
    "calibration-curve": BlockRule(coarse=coarse_calibration),
    "roc": BlockRule(coarse=coarse_roc),
    "decision-curve": BlockRule(coarse=partial(rounded, name="net_benefit", places=2)),
    "effect-curve": AS_IT_IS,
    "selection-path": AS_IT_IS,
    "selection-frequency": AS_IT_IS,
    "lasso-path": AS_IT_IS,
    "time-dependent-auc": AS_IT_IS,
    "variance-inflation": AS_IT_IS,
    "proportional-hazards": AS_IT_IS,
    "proportional-odds": AS_IT_IS,
    "covariance": AS_IT_IS,
    "balance": BlockRule(screened=adjustment.balance),
    "effective-size": BlockRule(screened=adjustment.effective_sizes),
    "overlap": BlockRule(screened=adjustment.overlap),
    "weights": BlockRule(screened=adjustment.weights),
    "imputation": BlockRule(screened=adjustment.imputation),
    "predictor-matrix": AS_IT_IS,
    "imputation-trace": BlockRule(screened=adjustment.imputed_values),
    "imputation-density": BlockRule(screened=adjustment.imputation_density),
    "immortal-time": BlockRule(screened=adjustment.immortal_times),
    "e-value": BlockRule(screened=adjustment.e_values),
    "negative-control": BlockRule(screened=adjustment.negative_controls),
    "bias-analysis": BlockRule(screened=adjustment.bias_analyses),
    "tipping-point": BlockRule(screened=adjustment.tipping_points),
    "operating-characteristics": AS_IT_IS,
    "specification-curve": BlockRule(screened=adjustment.specifications),
    "study-forest": AS_IT_IS,
    "funnel": AS_IT_IS,
    "effect-sizes": AS_IT_IS,
    "leave-one-out": AS_IT_IS,
    "cumulative": AS_IT_IS,
    "influence": AS_IT_IS,
    "gosh": AS_IT_IS,
    "small-study-test": AS_IT_IS,
    "bubble": AS_IT_IS,
    "posterior": AS_IT_IS,
    "posterior-summary": AS_IT_IS,
    "sequential": AS_IT_IS,
    "network": AS_IT_IS,
    "network-treatment": AS_IT_IS,
    "league-table": AS_IT_IS,
    "node-splitting": AS_IT_IS,
    "design-decomposition": AS_IT_IS,
    "risk-of-bias": AS_IT_IS,
    "agreement": AS_IT_IS,
    "discrepancy": AS_IT_IS,
    "summary-of-findings": AS_IT_IS,
    "certainty": AS_IT_IS,
}
"""Of every kind of block. As it is: what holds no count and no value of a patient; counts of studies are published ones, those of
rehearsals are of simulated studies."""
