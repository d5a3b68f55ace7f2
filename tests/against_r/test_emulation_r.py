"""The Stanford heart transplant study: R 4.2.2, survival 3.5-3 (help(heart), and the stored output ref_survival.out)."""

import numpy as np
import polars as pl
import pytest

import counterpulse.survival as survival
from counterpulse.emulation import landmark, split_at_exposure

PRINTED = 1e-6  # relative; coxph stopped at its default 1e-9 of the log likelihood (run to 1e-14 it agrees to 1e-12)
JASA = {"time": "futime", "event": "fustat", "exposure_time": "wait.time"}
SPLIT = {"start": "start", "time": "stop", "event": "event_at_stop"}


def as_survival_has_it(split):
    return pl.DataFrame(
        {
            "id": split.sample.row_of_origin + 1, "start": split.start, "stop": split.stop,
            "event": split.event.astype(int), "transplant": split.exposed.astype(int),
        }
    ).sort("id", "start")  # fmt: skip


@pytest.mark.parametrize(("file", "first_day"), [("jasa1.csv", 0), ("heart.csv", 1)])
def test_jasa_becomes_the_split_tables_of_survival(file, first_day, shared_data):
    jasa = shared_data("jasa.csv").with_columns(pl.col("futime", "wait.time") + first_day)
    split = as_survival_has_it(split_at_exposure(jasa, half_step=0.5, **JASA))
    stored = shared_data(file).select(
        pl.col("id"), pl.col("start", "stop").cast(pl.Float64), pl.col("event"), pl.col("transplant").cast(pl.Int64)
    )
    assert split.rows() == stored.sort("id", "start").rows()


def test_time_dependent_transplant(shared_data):
    split = split_at_exposure(shared_data("jasa.csv"), half_step=0.5, **JASA)
    fit = survival.cox(split.sample.frame, terms=["exposed", "age", "surgery"], **SPLIT)
    np.testing.assert_allclose(fit.coefficients, [0.01405155243, 0.03055398980, -0.77326386306], rtol=PRINTED)
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), [0.30822199295, 0.01389287945, 0.35966439807], rtol=PRINTED
    )


def test_immortal_time_makes_transplant_look_protective(shared_data):
    jasa = shared_data("jasa.csv")
    columns = {"time": "futime", "event": "fustat", "terms": ["transplant", "age", "surgery"]}
    naive = survival.cox(jasa.filter(pl.col("futime") > 0), **columns)
    np.testing.assert_allclose(naive.coefficients, [-1.66528912337, 0.05697672811, -0.56094371689], rtol=PRINTED)
    everybody = survival.cox(jasa.with_columns(pl.col("futime").clip(lower_bound=0.5)), **columns)
    np.testing.assert_allclose(everybody.coefficients, [-1.71711291438, 0.05888630199, -0.41901587756], rtol=PRINTED)


@pytest.mark.parametrize(
    ("at", "counts", "coefficients", "errors"),
    [
        (30, (79, 35, 52), (-0.24809039006, 0.03827666441, -0.86641395054), (0.28601721636, 0.01727331194, 0.41482100498)),
        (60, (64, 45, 39), (-0.51990385304, 0.06907241172, -0.77842187461), (0.36877206165, 0.02375175735, 0.44878493016)),
        (90, (51, 40, 26), (-0.76699958934, 0.04167791328, -0.30808149494), (0.5136467617, 0.0265023610, 0.4808228178)),
    ],
)  # fmt: skip
def test_landmarks(at, counts, coefficients, errors, shared_data):
    kept = landmark(shared_data("jasa.csv"), at=at, **JASA)
    fit = survival.cox(kept.sample.frame, time="futime", event="fustat", terms=["exposed", "age", "surgery"])
    assert (kept.n, kept.n_exposed, kept.events) == counts
    np.testing.assert_allclose(fit.coefficients, coefficients, rtol=PRINTED)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), errors, rtol=PRINTED)
