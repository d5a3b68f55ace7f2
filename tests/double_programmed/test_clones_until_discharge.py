"""Clones that nobody can treat any more: weights and effects against the definition, patient by patient and day by day."""

import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import clone_censor_weight
from counterpulse.numerics.random_streams import stream
from counterpulse.survival import cox

SAME = 1e-9  # relative; the same sums in another order, and two runs of Newton's method
GRACE, LAST = 8.0, 40.0


def cohort(n=90):
    random = stream(4, "until")
    x = random.normal(size=n)
    dies, begins = random.exponential(30 * np.exp(-0.4 * x)), random.exponential(12 * np.exp(-0.4 * x))
    leaves = random.exponential(15, n)
    able = np.minimum(np.minimum(dies, leaves), LAST)
    return pl.DataFrame(
        {"x": x, "t": np.minimum(dies, LAST), "d": dies < LAST, "tx": np.where(begins < able, begins, np.nan),
         "able": np.where(leaves < np.minimum(dies, LAST), leaves, np.nan)}
    ).with_columns(pl.col("tx", "able").fill_nan(None))  # fmt: skip


def clones(table, treated):
    """Follow-up under a strategy: end, event, whether it was left, and until when it could be."""
    rows = []
    for row in table.iter_rows(named=True):
        begins = np.inf if row["tx"] is None else row["tx"]
        until = min(row["t"], np.inf if row["able"] is None else row["able"])
        leaves = (GRACE if begins > GRACE and until > GRACE else np.inf) if treated else begins
        end = min(row["t"], leaves)
        rows.append(
            (row["x"], end, bool(row["d"] and end == row["t"] and leaves > end), leaves <= row["t"], min(end, until))
        )
    return pl.DataFrame(rows, schema=["x", "end", "event", "left", "until"], orient="row")


def weighted(own):
    """The weight of each clone at a time: the inverse of the probability that Cox's model gives to have stayed until then."""
    fit = cox(own, time="until", event="left", terms=["x"])
    beta = fit.coefficients[0]
    relative = np.exp(beta * own["x"].to_numpy())
    until, left = own["until"].to_numpy(), own["left"].to_numpy()
    steps = []
    for time in np.unique(until[left]):
        risk, leaving = relative[until >= time].sum(), relative[left & (until == time)]
        steps.append((time, sum(1 / (risk - k / len(leaving) * leaving.sum()) for k in range(len(leaving)))))

    def weight(clone, time):
        last = min(time, np.nextafter(until[clone], np.inf))  # nobody leaves later
        return float(np.exp(relative[clone] * sum(step for at, step in steps if at < last)))

    return weight


def risk(own):
    """One minus the product-limit curve of the weighted clones at the last day."""
    weight, end, event = weighted(own), own["end"].to_numpy(), own["event"].to_numpy()
    survival = 1.0
    for time in np.unique(end[event]):
        at_risk = sum(weight(clone, time) for clone in np.flatnonzero(end >= time))
        died = sum(weight(clone, time) for clone in np.flatnonzero(event & (end == time)))
        survival *= 1 - died / at_risk
    return 1 - survival


def test_risks_by_the_definition():
    table = cohort()
    found = clone_censor_weight(
        table, exposure_time="tx", time="t", event="d", until="able", grace=GRACE, covariates=["x"], horizon=LAST
    )
    treated, never = clones(table, treated=True), clones(table, treated=False)
    assert [arm.artificially_censored for arm in found.arms] == [treated["left"].sum(), never["left"].sum()]
    risks = [row.value for row in found.estimates() if row.measure == "risk"]
    assert risks == pytest.approx([risk(treated), risk(never)], rel=SAME)


def test_until_the_end_of_follow_up_changes_nothing():
    table = cohort()
    options = {"exposure_time": "tx", "time": "t", "event": "d", "grace": GRACE, "covariates": ["x"], "horizon": LAST}
    plain = clone_censor_weight(table, **options)
    same = clone_censor_weight(table.with_columns(able=pl.lit(None, dtype=pl.Float64)), **options, until="able")
    assert [row.value for row in plain.estimates()] == [row.value for row in same.estimates()]
    other = clone_censor_weight(table, **options, until="able")
    assert plain.estimates()[0].value != other.estimates()[0].value
