"""Numbers of ../shared/reference/observational that no other test compares: curves of competing risks, fits before pooling, a wrong
analysis or two of the colorectal tutorial data (survival 3.5-3, mice 3.15.0, base R)."""

import re

import numpy as np
import polars as pl
import pytest

from counterpulse import regression, survival
from counterpulse.emulation import split_at_exposure

PRINTED = 6e-10  # relative; ten digits were printed
SIX_DIGITS = 5e-6  # relative; so many were printed
R_FIT = 1e-5  # relative; coxph and glm at their default tolerances


@pytest.fixture(scope="module")
def out(shared_path):
    return lambda name: shared_path(f"reference/observational/{name}.out").read_text()


def test_incidence_of_progression_and_death_in_mgus2(out, shared_data):
    table = shared_data("mgus2.csv").with_columns(
        t=pl.when(pl.col("pstat") == 0).then("futime").otherwise("ptime"),
        ended=pl.when(pl.col("pstat") == 1).then(pl.lit("pcm")).when(pl.col("death") == 1).then(pl.lit("death")).otherwise(None)
        .fill_null("censored").cast(pl.Enum(["censored", "pcm", "death"])),
    )  # fmt: skip
    found = survival.cumulative_incidence(table, time="t", event="ended", by="sex")
    section = out("ref_survival").split("[mgus2 AJ]")[1].split("[mgus2 fine")[0]
    for sex, text in zip(("F", "M"), section.split("sex=")[1:], strict=True):
        for line in re.findall(r"^ +(?:60|120|240) .*$", text, re.MULTILINE):
            time, *_, pcm, death = (float(word) for word in line.split())
            ours = {cause: found.curve(sex).at(cause, time).value for cause in ("pcm", "death")}
            assert [ours["pcm"], ours["death"]] == pytest.approx([pcm, death], rel=SIX_DIGITS)


def test_incidence_on_the_waiting_list(out, shared_data):
    table = shared_data("transplant.csv").filter(pl.col("futime") > 0)
    causes = ["censored", "death", "ltx", "withdraw"]
    table = table.with_columns(pl.col("event").cast(pl.Enum(causes)))
    found = survival.cumulative_incidence(table, time="futime", event="event")
    lines = re.findall(r"^\[\d,\] +(.*)$", out("ref_rmst_misc"), re.MULTILINE)
    for time, line in zip((90, 365), lines, strict=True):
        stored = [float(word) for word in line.split()]
        ours = [found.curves[0].at(cause, time).value for cause in causes[1:]]
        assert ours == pytest.approx(stored[1:], rel=PRINTED)
        assert 1 - sum(ours) == pytest.approx(stored[0], rel=PRINTED)


def test_prediction_in_whas500(out, shared_data):
    table = shared_data("whas500.csv")
    fit = regression.logistic(table, outcome="fstat", terms=["age", "gender", "hr", "bmi", "chf", "sho"])
    area, brier = (float(one) for one in re.search(r"AUC (\S+) Brier (\S+)", out("ref_rmst_misc")).groups())
    risk = fit.predict(table)
    assert regression.c_statistic(table["fstat"], risk).value == pytest.approx(area, rel=PRINTED)
    assert regression.brier_of(table["fstat"], risk).score.value == pytest.approx(brier, rel=R_FIT)


def test_two_trials_without_a_difference(out, shared_data):
    test = survival.log_rank(shared_data("veteran.csv"), time="time", event="status", by="trt")
    section = out("ref_rmst_misc").split("data = veteran)")[1]
    stored = [[float(word) for word in line.split()[3:]] for line in re.findall(r"^trt=.*$", section, re.MULTILINE)]
    assert list(test.expected) == pytest.approx([row[0] for row in stored], rel=SIX_DIGITS)
    assert test.statistic == pytest.approx(stored[0][2], rel=SIX_DIGITS)


COVARIATES = ["age", "sex", "perf", "stage", "deprivation", "charlson", "emergency"]


def coefficients(fit):
    row = fit.estimates()[0]
    return [row.value, row.std_error, row.statistic]


def stored_row(text, heading, name):
    after = text[text.index(heading) :]
    line = re.search(rf"^{name} *(-?\d.*)$", after, re.MULTILINE)[1]
    value, _, error, statistic, _ = (float(word) for word in line.split())
    return [value, error, statistic]


def test_wrong_analyses_of_the_tutorial_data(out, shared_data):
    text, toy = out("ref_ccw"), shared_data("maringe_toy.csv")
    options = {"time": "fup_obs", "event": "death"}
    naive = survival.cox(toy, **options, terms=["surgery"])
    assert coefficients(naive) == pytest.approx(stored_row(text, "naive ever-surgery", "surgery"), rel=R_FIT)
    adjusted = survival.cox(toy, **options, terms=["surgery", *COVARIATES])
    assert coefficients(adjusted) == pytest.approx(stored_row(text, "naive adjusted", ""), rel=R_FIT)
    late = toy.filter(pl.col("fup_obs") > 182.62).with_columns(
        (pl.col("fup_obs") - 182.62),
        s=((pl.col("surgery") == 1) & (pl.col("timetosurgery") <= 182.62)).fill_null(value=False),
    )
    assert late["s"].value_counts(sort=True)["count"].to_list() == [98, 80]
    landmark = survival.cox(late, **options, terms=["s"])
    assert coefficients(landmark) == pytest.approx(stored_row(text, "landmark 182.62", "s"), rel=R_FIT)
    split = split_at_exposure(toy, exposure_time="timetosurgery", **options)
    after = text[text.index("time-dependent") :]
    for terms, heading, name in ((["exposed"], "time-dependent", "tx"), (["exposed", *COVARIATES], "tx ", "")):
        fit = survival.cox(split.sample.frame, time="stop", event="event_at_stop", start="start", terms=terms)
        assert coefficients(fit) == pytest.approx(stored_row(after, heading, name), rel=R_FIT)


def test_the_five_fits_before_pooling(out, shared_path):
    tables = pl.read_csv(shared_path("reference/observational/mice_nhanes_m5_long.csv"))
    lines = re.findall(r"^imp (\d)  est (.*)  se (.*)$", out("ref_mice"), re.MULTILINE)
    assert len(lines) == 5
    for number, values, errors in lines:
        fit = regression.linear(tables.filter(pl.col(".imp") == int(number)), outcome="chl", terms=["age", "bmi"])
        assert fit.coefficients == pytest.approx(np.array(values.split(), dtype=float), rel=PRINTED)
        assert [one.std_error for one in fit.estimates()] == pytest.approx(
            [float(one) for one in errors.split()], rel=PRINTED
        )
