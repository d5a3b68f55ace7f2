import numpy as np
import polars as pl
import pytest

from counterpulse.emulation import sequence_of_trials
from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream

EXACT = 1e-12  # relative; the same numbers but for rounding
REORDERED = 1e-8  # relative; sums in another order, iterative fits
COLUMNS = {"patient": "id", "period": "m", "eligible": "can", "treatment": "a", "outcome": "y"}
OPTIONS = {**COLUMNS, "covariates": ["v"], "horizon": 3}
PER_PROTOCOL = {"estimand": "per-protocol", "switch_denominator": ["x", "v"], "switch_numerator": ["v"]}


def cohort(n=300, periods=6, seed=1):
    random, rows = stream(seed, "cohort"), []
    for patient in range(n):
        a, v, seen = 0, float(random.normal()), False
        for m in range(periods):
            x = float(random.normal(0.3 * a))
            now = int(random.random() < 1 / (1 + np.exp(1.0 - 2.2 * a - 0.5 * x - 0.2 * v)))
            y = int(random.random() < 1 / (1 + np.exp(2.4 - 0.4 * x - 0.3 * v + 0.3 * now)))
            rows.append((patient, m, int(not seen), now, y, x, v, int(random.random() < 0.05)))
            seen, a = seen or bool(now), now
            if y or rows[-1][-1]:
                break
    return pl.DataFrame(rows, schema=["id", "m", "can", "a", "y", "x", "v", "lost"], orient="row")


def measures(found):
    return np.array([row.value for row in found.estimates()])


def test_trials_of_one_patient():
    one = pl.DataFrame(
        {"id": [1] * 5, "m": [0, 1, 2, 3, 4], "can": [1, 1, 1, 0, 0], "a": [0, 0, 1, 1, 0], "y": [0, 0, 0, 0, 1],
         "v": [1.0, 2.0, 3.0, 4.0, 5.0], "x": [0.0] * 5}
    )  # fmt: skip
    whole = sequence_of_trials(one, **OPTIONS).sample
    assert whole.frame["trial_period"].to_list() == [0] * 5 + [1] * 4 + [2] * 3
    assert whole.frame["follow_up_period"].to_list() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 2]
    assert whole.frame["assigned_treatment"].to_list() == [0] * 9 + [1] * 3
    assert whole.frame["v"].to_list() == [1.0] * 5 + [2.0] * 4 + [3.0] * 3
    assert whole.frame["event_in_period"].sum() == 3
    kept = sequence_of_trials(one, **OPTIONS, estimand="per-protocol", switch_denominator=["v"])
    assert kept.sample.row_of_origin.tolist() == [0, 1, 1, 2, 3]
    assert kept.n_deviated == 3
    assert sequence_of_trials(one, **OPTIONS, longest=2).sample.frame.height == 6


def test_replicates_are_the_method_on_drawn_patients():
    table = cohort()
    options = {**OPTIONS, **PER_PROTOCOL, "follow_up_terms": ["follow_up_period"], "trial_terms": ["trial_period"]}
    found = sequence_of_trials(table, **options, bootstrap=3, seed=9)
    by_patient = table.partition_by("id", maintain_order=True)
    for draw in range(3):
        drawn = stream(9, "sequence-of-trials", draw).integers(0, len(by_patient), len(by_patient))
        again = pl.concat(by_patient[k].with_columns(id=pl.lit(new)) for new, k in enumerate(drawn))
        np.testing.assert_allclose(
            measures(sequence_of_trials(again, **options)), found.replicates[draw], rtol=REORDERED
        )
    twice = sequence_of_trials(table, **options, bootstrap=3, seed=9, jobs=2)
    assert np.array_equal(twice.replicates, found.replicates)
    assert found.estimates()[1].interval.kind == "percentile bootstrap"


def test_a_level_that_is_not_drawn():
    rare = pl.col("id").is_between(30, 32)
    table = cohort().with_columns(c=pl.when(rare).then(pl.lit("rare")).otherwise(pl.lit("usual")))
    options = {**OPTIONS, "estimand": "per-protocol", "switch_denominator": ["c", "x"], "covariates": ["c"]}
    found = sequence_of_trials(table, **options, bootstrap=20, seed=2)
    drawn = [stream(2, "sequence-of-trials", draw).integers(0, 300, 300) for draw in range(20)]
    without = [not np.isin(patients, (30, 31, 32)).any() for patients in drawn]
    assert sum(without) == 1
    assert np.isfinite(found.replicates[without]).all()
    assert found.failed == 12  # a few rare patients, all of one kind: infinite coefficients
    assert found.estimates()[0].interval is None
    assert "so there is no interval" in found.estimates()[0].notes[-1]


def test_order_of_rows_and_names_of_patients_do_not_matter():
    table = cohort()
    options = {**OPTIONS, **PER_PROTOCOL, "censored": "lost", "censoring_denominator": ["x", "v"]}
    found = sequence_of_trials(table, **options)
    assert found.status.code == "ok"
    other = table.with_columns(id=pl.format("p{}", 1000 - pl.col("id"))).sample(fraction=1.0, shuffle=True, seed=1)
    np.testing.assert_allclose(measures(sequence_of_trials(other, **options)), measures(found), rtol=REORDERED)
    assert found.glance()["person_trials"][0] == found.counts["patients"].sum()


def test_weights_without_a_reason_are_one():
    found = sequence_of_trials(
        cohort(), **OPTIONS, estimand="per-protocol", switch_numerator=["x", "v"], switch_denominator=["x", "v"]
    )
    np.testing.assert_allclose(found.sample.weights, 1.0, rtol=EXACT)


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({"m": 0}, {}, "doubled or has a gap"),
        ({"m": pl.col("m") * 2}, {}, "doubled or has a gap"),
        ({"m": pl.col("m") + 0.5}, {}, "not a whole number"),
        ({"y": 1}, {}, "have a later row"),
        ({"a": 2}, {}, "not yes/no"),
        ({"v": None}, {}, "lack a covariate"),
        ({"can": None}, {}, "lack one of"),
        ({}, {"estimand": "as-treated"}, "not known"),
        ({}, {"estimand": "per-protocol"}, "'switch_denominator'"),
        ({}, {"censored": "lost"}, "belong together"),
        ({}, {"horizon": 0}, "'horizon'"),
    ],
)
def test_bad_input(change, options, words):
    columns = {k: v if isinstance(v, pl.Expr) else pl.lit(v, dtype=pl.Float64) for k, v in change.items()}
    with pytest.raises(InputError, match=words):
        sequence_of_trials(cohort(40).with_columns(**columns), **{**OPTIONS, **options})


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({"can": 0}, {}, "no-rows"),
        ({"a": 0}, {}, "no-treated"),
        ({"a": 1}, {}, "no-controls"),
        ({"y": 0}, {}, "no-events"),
        ({"x": pl.col("a") * 1.0}, PER_PROTOCOL, "deviation-predicted"),
    ],
)
def test_impossible_emulations_have_a_status(change, options, code):
    columns = {k: v if isinstance(v, pl.Expr) else pl.lit(v) for k, v in change.items()}
    found = sequence_of_trials(cohort(80).with_columns(**columns), **{**OPTIONS, **options})
    assert found.status.code == code
    assert np.isnan(measures(found)).all()


def test_a_horizon_beyond_follow_up_has_a_status():
    found = sequence_of_trials(cohort(), **{**OPTIONS, "horizon": 50})
    assert [row.status.code for row in found.estimates()[:2]] == ["ok", "beyond-follow-up"]
