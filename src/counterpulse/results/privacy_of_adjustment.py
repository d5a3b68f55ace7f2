"""How blocks of imputation, matching, weighting and robustness are shown without small cells.

Most hold shares and no counts: the patients behind them come from `Screen.sizes`. Where these are not known, a share is not
shown, or the least share counts as one patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from counterpulse.results.block import Block
from counterpulse.results.census import blanks
from counterpulse.results.census_of_blocks import imputed_of, observed_of, sample_of
from counterpulse.results.privacy_screen import Screen
from counterpulse.results.small_bins import Row, joined, number, rows_of, small_count
from counterpulse.results.status import Status
from counterpulse.results.study_result import EstimateRow

Withheld = Set[tuple[str, str | None, str | None]]
"""Analysis, subgroup variable and level of the estimates that are not shown."""
EFFECT = ("estimate", "conf_low", "conf_high")
QUANTILES = {"p1": 0.01, "p25": 0.25, "p50": 0.5, "p75": 0.25, "p99": 0.01}
"""The share of the patients beyond each quantile of weights."""


def without(row: Row, *names: str) -> Row:
    """A row with blank cells."""
    return row | dict.fromkeys(names, None)


# -- groups ------------------------------------------------------------------------------------------------------------


def balance(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """A mean of a level is a share, and with a difference tells counts: a variable with a small one has neither."""
    rows = block.rows()
    open_ = {cell[2] for cell in screen.hidden if isinstance(cell, tuple) and cell[0] == "patients" and len(cell) > 2}
    open_ |= {row["variable"] for row in rows if row["level"] is not None and _tells(row, block, screen)}
    return [_balance_row(row, block, screen, row["variable"] in open_) for row in rows]


def _balance_row(row: Row, block: Block, screen: Screen, gone: bool) -> Row:
    n = _least(block, screen, row)
    if gone or (n is not None and n < screen.smallest):
        return without(row, "smd", "smd_max", "mean_treated", "mean_control", "variance_ratio", "ks")
    return without(row, "mean_treated", "mean_control") if n is None and row["level"] is not None else row


def _tells(row: Row, block: Block, screen: Screen) -> bool:
    """Whether the share of a level, in either group, is that of few patients, or of all but few."""
    n = _least(block, screen, row) or 0.0
    shares = [number(row[name]) for name in ("mean_treated", "mean_control") if row[name] is not None]
    return any(small_count(count, screen.smallest) for share in shares for count in (share * n, n - share * n))


def _least(block: Block, screen: Screen, row: Row) -> float | None:
    """The patients of the smallest group of a sample."""
    here = ("sample", block.analysis, row["sample"])
    known = [n for key, n in screen.sizes.items() if isinstance(key, tuple) and key[:3] == here]
    return min(known, default=None)


def effective_sizes(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """A sample with a small group has no number."""
    rows = block.rows()
    open_ = {row["sample"] for row in rows if small_count(row["n"], screen.smallest)}
    return [without(row, "n", "effective") if row["sample"] in open_ else row for row in rows]


def overlap(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Join bins of the score until each holds none or enough patients of the group in every sample."""
    shown: list[Row] = []
    for group in dict.fromkeys(row["group"] for row in block.rows()):
        samples: dict[str, list[Row]] = {}
        for row in block.rows():
            if row["group"] == group:
                samples.setdefault(str(row["sample"]), []).append(row)
        edges = {tuple((row["low"], row["high"]) for row in rows) for rows in samples.values()}
        parts = [samples] if len(edges) == 1 else [{name: rows} for name, rows in samples.items()]
        shown += [row for part in parts for row in _joined_bins(part, block, screen)]
    order = list(dict.fromkeys(row["sample"] for row in block.rows()))
    return sorted(shown, key=lambda row: order.index(row["sample"]))


def _joined_bins(samples: Mapping[str, Sequence[Row]], block: Block, screen: Screen) -> list[Row]:
    """The bins of one group in samples that have the same ones."""
    patients = {name: _patients(rows, block, screen) for name, rows in samples.items()}
    counts = [
        [number(row["share"]) * patients[name] for name, row in zip(samples, bins, strict=True)]
        for bins in zip(*samples.values(), strict=True)
    ]
    few = any(n < screen.smallest for n in patients.values())
    return [
        rows[part.start]
        | {
            "high": rows[part.stop - 1]["high"],
            "share": None if few else sum(number(row["share"]) for row in rows[part.start : part.stop]),
        }
        for rows in samples.values()
        for part in _parts(counts, screen.smallest)
    ]


def _parts(counts: Sequence[Sequence[float]], smallest: int) -> list[range]:
    """Neighbors joined until none is small; the empty bins on both sides stay as they are."""
    filled = [k for k, row in enumerate(counts) if any(row)] or [0, len(counts) - 1]
    first, last = filled[0], filled[-1] + 1
    middle = [range(first + part.start, first + part.stop) for part in joined(counts[first:last], smallest)]
    return [*(range(k, k + 1) for k in range(first)), *middle, *(range(k, k + 1) for k in range(last, len(counts)))]


def _patients(rows: Sequence[Row], block: Block, screen: Screen) -> float:
    known = screen.sizes.get(sample_of(block.analysis, rows[0]))
    least = min((share for row in rows if (share := number(row["share"])) > 0), default=1.0)
    return 1 / least if known is None else known


def weights(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No smallest and no largest weight, and no quantile beyond which few patients lie."""
    shown = []
    for row in block.rows():
        n = number(row["n"])
        if small_count(n, screen.smallest):
            shown.append(without(row, *(name for name in row if name != "group")))
        else:
            few = [name for name, share in QUANTILES.items() if n * share < screen.smallest]
            shown.append(without(row, "low", "high", *few))
    return shown


# -- imputation --------------------------------------------------------------------------------------------------------


def imputation(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No small number of missing values, nor of known ones."""
    open_ = _few_imputed(block, screen)
    return [
        without(row, "missing", "percent") if row["missing"] and row["variable"] in open_ else row
        for row in block.rows()
    ]


def imputed_values(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Means of few imputed values may be one patient's: a variable with few missing values has no trace."""
    open_ = _few_imputed(block, screen)
    return [row for row in block.rows() if row["variable"] not in open_]


def _few_imputed(block: Block, screen: Screen) -> set[str]:
    """Variables with few imputed or few observed values, or a number of either that is hidden or unknown."""
    found = set()
    for name in dict.fromkeys(str(cell) for cell in block.columns["variable"]):
        both = [screen.sizes.get(key(block.analysis, name)) for key in (imputed_of, observed_of)]
        if (
            any(n is None or n < screen.smallest for n in both)
            or blanks(int(both[0] or 0), name, None) in screen.hidden
        ):
            found.add(name)
    return found


def imputation_density(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No bump of few patients, no tail, and no share of few."""
    open_ = _few_imputed(block, screen)
    parts: dict[tuple[str, float], list[Row]] = {}
    for row in block.rows():
        if row["variable"] not in open_:
            parts.setdefault((str(row["variable"]), number(row["imputation"])), []).append(row)
    sizes = {
        (name, k): screen.sizes[(imputed_of if k else observed_of)(block.analysis, name)] for name, k in parts
    }  # fmt: skip
    told = {
        at[0]
        for at, rows in parts.items()
        for row in rows
        if row["level"] is not None and small_count(number(row["density"]) * sizes[at], screen.smallest)
    }
    return [
        row
        for at, rows in parts.items()
        if at[0] not in told
        for row in (rows if rows[0]["level"] is not None else _without_tails(rows, sizes[at], screen.smallest))
    ]


def _without_tails(rows: Sequence[Row], n: float, smallest: int) -> list[Row]:
    """The values whose density is above that which `smallest` patients in one place give, and beyond which as many lie.

    With Silverman's bandwidth, one of n patients adds about n ** -0.8 / 0.9 of the highest density of a normal distribution.
    """
    densities = [number(row["density"]) for row in rows]
    least = smallest * n**-0.8 / 0.9 * max(densities)
    whole, below = sum(densities) or 1.0, 0.0
    kept = []
    for row, density in zip(rows, densities, strict=True):
        below += density
        if density >= least and min(below, whole - below) * n >= smallest * whole:
            kept.append(row)
    return kept


# -- designs and robustness --------------------------------------------------------------------------------------------


def immortal_times(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No small count, and no time of few patients; the sizes of two designs may still tell how many one leaves out."""
    return [_design(row, screen.smallest) for row in block.rows()]


def _design(row: Row, smallest: int) -> Row:
    if small_count(row["n"], smallest) or small_count(row["events"], smallest):
        row = without(row, *EFFECT, "n", "events", "person_time")
    if small_count(row["patients_left_out"], smallest):
        row = without(row, "patients_left_out", "treated_left_out", "person_time_left_out")
    rest = number(row["patients_left_out"]) - number(row["treated_left_out"])
    few = small_count(row["treated_left_out"], smallest) or small_count(rest, smallest)
    return without(row, "treated_left_out") if few else row


def e_values(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Nothing of an effect that is not shown; no risk that tells hidden events."""
    return [without(row, *_hidden_of(screen.estimates.get(str(row["of"])))) for row in block.rows()]


def _hidden_of(told: EstimateRow | None) -> tuple[str, ...]:
    if told is None or told.estimate.status is Status.SMALL_CELL:
        return ("estimate", "risk", "e_value", "e_value_limit")
    counted = told.events is not None and all(None not in (group.events, group.n) for group in told.groups)
    tells = ("e_value", "e_value_limit") if told.estimate.measure == "risk difference" else ()
    return () if counted else ("risk", *tells)


def negative_controls(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No counts of controls, and no estimate that rests on few or that the effect, if it is not shown, would follow from."""
    gone = any(analysis == block.analysis and variable is None for analysis, variable, _ in withheld)
    shown = []
    for row in rows_of(block.columns):
        few = small_count(row["n"], screen.smallest) or small_count(row["events"], screen.smallest)
        hidden = few or (gone and row["role"] != "control")
        shown.append(without(row, "n", "events", *((*EFFECT, "p_value") if hidden else ())))
    return shown


def bias_analyses(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Nothing of an effect that is not shown; nothing of a difference with hidden events, which the risk ratio tells."""
    shown = []
    for row in rows_of(block.columns):
        told = screen.estimates.get(str(row["of"]))
        hidden = _hidden_of(told)
        difference = told is not None and told.estimate.measure == "risk difference"
        gone = "estimate" in hidden or (difference and bool(hidden))
        shown.append(without(row, *EFFECT) if gone else row)
    return shown


def tipping_points(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """Nothing of an effect that is not shown."""
    gone = any(analysis == block.analysis and variable is None for analysis, variable, _ in withheld)
    return [without(row, *EFFECT, "p_value") if gone else row for row in block.rows()]


def specifications(block: Block, screen: Screen, withheld: Withheld) -> list[Row]:
    """No counts: those of two specifications may differ by a few patients. No estimate that rests on few."""
    shown = []
    for row in rows_of(block.columns):
        few = small_count(row["n"], screen.smallest) or small_count(row["events"], screen.smallest)
        shown.append(without(row, "n", "events", *((*EFFECT, "p_value") if few else ())))
    return shown
