from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.propensity import balance_over, match, prognostic_score, weight
from counterpulse.regression import linear
from counterpulse.results import Status

SAME = 1e-10  # relative; the same formula in another order


@pytest.fixture
def ward():
    random = np.random.default_rng(3)
    n = 300
    age, lactate = random.normal(65, 10, n), random.exponential(2, n)
    treated = random.random(n) < 1 / (1 + np.exp(1 - 0.05 * (age - 65)))
    return pl.DataFrame(
        {
            "age": age,
            "lactate": lactate,
            "sex": random.choice(["f", "m"], n),
            "device": treated,
            "days": age / 5 + random.normal(0, 1, n),
        }
    )


COVARIATES = ["age", "lactate", "sex"]


def test_the_block_has_the_rows_of_the_table(ward):
    table = match(ward, treatment="device", covariates=COVARIATES).balance()
    block = table.block(id="balance", analysis="main")
    assert block.kind == "balance"
    for name in ("smd", "mean_treated", "mean_control", "ks"):
        assert [row[name] for row in block.rows()] == table.tidy()[name].to_list()
    sizes = table.effective_sizes(id="sizes", analysis="main")
    assert sizes.kind == "effective-size"
    assert sizes.rows()[0] == {
        "sample": "unadjusted",
        "group": "treated",
        "n": ward["device"].sum(),
        "effective": ward["device"].sum(),
    }


def test_raw_differences_of_proportions(ward):
    table = match(ward, treatment="device", covariates=COVARIATES).balance(binary="raw").tidy().filter(variable="sex")
    assert table["denominator"].unique().to_list() == ["none"]
    np.testing.assert_allclose(table["smd"], table["mean_treated"] - table["mean_control"], rtol=SAME)


def test_the_denominator_is_of_the_unadjusted_treated(ward):
    found = match(ward, treatment="device", covariates=COVARIATES, caliper=0.1)
    row = (
        found.balance()
        .tidy()
        .row(by_predicate=(pl.col("variable") == "age") & (pl.col("sample") == "matched"), named=True)
    )
    sd = ward.filter("device")["age"].std()
    assert row["smd"] == pytest.approx((row["mean_treated"] - row["mean_control"]) / sd, rel=SAME)


def test_a_covariate_that_does_not_vary_and_one_with_holes(ward):
    table = ward.with_columns(
        one=pl.lit(1.5),
        apart=pl.col("device").cast(float) + 1,
        holes=pl.when(pl.col("age") > 70).then(None).otherwise("lactate"),
    )
    found = match(table, treatment="device", covariates=COVARIATES).balance(covariates=["one", "apart", "holes"])
    rows = {row.variable: row for row in found.rows if row.sample == "unadjusted"}
    assert rows["one"].smd == 0
    assert rows["apart"].smd is None
    assert rows["apart"].status is Status.ZERO_VARIANCE
    known = table.drop_nulls("holes")
    means = [known.filter(pl.col("device") == side)["holes"].mean() for side in (True, False)]
    assert [rows["holes"].mean_treated, rows["holes"].mean_control] == pytest.approx(means, rel=SAME)
    assert found.largest("unadjusted") == np.inf


def test_squares_and_products_are_centered(ward):
    found = weight(ward, treatment="device", covariates=COVARIATES, estimand="ATO").balance(products=True)
    names = found.tidy()["variable"].unique(maintain_order=True).to_list()
    assert names == [*COVARIATES, "age squared", "lactate squared", "age × lactate", "propensity score"]
    product = (ward["age"] - ward["age"].mean()) * (ward["lactate"] - ward["lactate"].mean())
    row = next(row for row in found.rows if row.variable == "age × lactate")
    means = [product.filter(ward["device"] == side).mean() for side in (True, False)]
    assert [row.mean_treated, row.mean_control] == pytest.approx(means, rel=SAME)
    shock = ward.with_columns(shock=pl.col("age") > 65, age=pl.col("age").replace(ward["age"][0], None))
    some = match(shock, treatment="device", covariates=["lactate"]).balance(covariates=["age", "shock"], products=True)
    assert "shock squared" not in some.tidy()["variable"].to_list()


def test_the_prognostic_score_is_the_model_of_the_controls(ward):
    score = prognostic_score(ward, treatment="device", outcome="days", covariates=COVARIATES)
    fit = linear(ward.filter(~pl.col("device")), outcome="days", terms=COVARIATES)
    np.testing.assert_allclose(score, fit.predict(ward), rtol=SAME)
    found = match(ward, treatment="device", covariates=COVARIATES).balance(prognostic=score)
    assert "prognostic score" in found.tidy()["variable"].to_list()


def test_balance_over_imputations_has_means_and_the_largest(ward):
    shaken = ward.with_columns(pl.col("lactate") * 1.2 + pl.col("age") / 50)
    tables = [match(rows, treatment="device", covariates=COVARIATES).balance() for rows in (ward, shaken)]
    found = balance_over(tables)
    smd = np.array([table.tidy()["smd"].to_list() for table in tables])
    np.testing.assert_allclose(found.tidy()["smd"], smd.mean(axis=0), rtol=SAME)
    np.testing.assert_allclose(found.tidy()["smd_max"], np.abs(smd).max(axis=0), rtol=SAME)
    block = found.block(id="balance", analysis="main").rows()
    assert block[0]["smd_max"] is not None
    means = [table.block(id="balance", analysis="main").rows()[0]["mean_treated"] for table in tables]
    assert block[0]["mean_treated"] == pytest.approx(np.mean(means), rel=SAME)
    sizes = [table.effective_sizes(id="sizes", analysis="main").rows() for table in tables]
    pooled = found.effective_sizes(id="sizes", analysis="main").rows()
    assert [row["sample"] for row in pooled] == ["unadjusted", "unadjusted", "matched", "matched"]
    assert pooled[3]["effective"] == pytest.approx(np.mean([rows[3]["effective"] for rows in sizes]), rel=SAME)
    with pytest.raises(InputError, match="one table or more"):
        balance_over([])
    with pytest.raises(InputError, match="same covariates"):
        balance_over([tables[0], replace(tables[0], rows=tables[0].rows[1:])])
