"""Answers of several imputed tables become one: Rubin's rules, D1, D2, and blocks."""

from dataclasses import replace
from math import log, nan

import numpy as np
import pytest

from counterpulse.imputation import chi_squared_d2, pool, wald_d1
from counterpulse.results import Block, Estimand, Estimate, EstimateRow, GroupCount, Interval, Status, Subgroup
from counterpulse.study.folding.answers import folded
from counterpulse.study.folding.blocks import folded_blocks
from counterpulse.study.request import Answer, Evidence

CLOSED_FORM = 1e-12


def estimate(value, error, **more):
    given = {
        "term": "pump", "variable": "device", "reference": "none", "measure": "odds ratio", "scale": "log", "value": value,
        "std_error": error, "interval": Interval(value - 1.96 * error, value + 1.96 * error, 0.95, "wald"),
        "statistic": value / error, "statistic_name": "z", "p_value": 0.5,
    }  # fmt: skip
    return Estimate(**(given | more))


def row(one, id_="A1.died.pump.odds-ratio", **more):
    given = {
        "id": id_, "analysis": "A1", "role": "primary", "outcome": "died", "population": "eligible", "method": "cox",
        "estimate": one, "n": 100, "events": 40, "estimand": Estimand("conditional", "all"),
    }  # fmt: skip
    return EstimateRow(**(given | more))


def answers(values, errors, **more):
    return [Answer(rows=(row(estimate(value, error), **more),)) for value, error in zip(values, errors, strict=True)]


VALUES, ERRORS = [0.1, 0.3, 0.2, 0.15], [0.2, 0.21, 0.19, 0.22]


def test_an_estimate_is_pooled_as_by_hand():
    (found,) = folded(answers(VALUES, ERRORS)).rows
    direct = pool([estimate(value, error) for value, error in zip(VALUES, ERRORS, strict=True)]).terms[0]
    assert found.estimate.value == pytest.approx(direct.estimate.value, rel=CLOSED_FORM)
    assert found.estimate.std_error == pytest.approx(direct.estimate.std_error, rel=CLOSED_FORM)
    assert (found.imputations, found.fmi) == (4, direct.rubin.fraction_missing)
    assert found.estimate.interval.kind == "rubin"
    within, between = np.mean(np.square(ERRORS)), np.var(VALUES, ddof=1)
    assert found.estimate.std_error**2 == pytest.approx(within + 1.25 * between, rel=CLOSED_FORM)


def test_degrees_of_freedom_of_the_complete_data_are_used():
    made = [replace(one, evidence={one.rows[0].id: Evidence(df_complete=20.0)}) for one in answers(VALUES, ERRORS)]
    few, many = folded(made).rows[0], folded(answers(VALUES, ERRORS)).rows[0]
    assert few.estimate.df < 20 < many.estimate.df
    assert few.estimate.interval.high > many.estimate.interval.high


def test_identical_tables_give_the_first():
    one = answers([0.1] * 3, [0.2] * 3)
    (found,) = folded(one).rows
    assert found.estimate == one[0].rows[0].estimate
    assert (found.imputations, found.fmi) == (3, 0.0)


def test_what_fails_or_is_absent_in_one_table_is_not_pooled_over_the_others():
    made = answers(VALUES, ERRORS)
    made[2] = Answer(rows=(row(estimate(nan, 0.2, status=Status.SEPARATION)),))
    assert folded(made).rows[0].estimate.status is Status.SEPARATION
    made[2] = Answer()
    found = folded(made).rows[0].estimate
    assert found.status is Status.IMPUTATIONS_DIFFER
    assert np.isnan(found.value)


def test_a_joint_test_is_d1_with_its_evidence_and_d2_without():
    statistics = [5.0, 6.0, 4.5]
    tests = [
        row(
            Estimate(
                term="age",
                measure="interaction",
                value=nan,
                statistic=value,
                statistic_name="Wald chi-squared",
                df=2.0,
                p_value=0.05,
            ),
            "i",
        )
        for value in statistics
    ]
    plain = folded([Answer(rows=(one,)) for one in tests]).rows[0].estimate
    d2 = chi_squared_d2(statistics, df=2)
    assert (plain.statistic, plain.p_value, plain.statistic_name) == (d2.statistic, d2.p_value, "F (D2)")
    values = np.array([[0.5, 0.2], [0.6, 0.1], [0.4, 0.3]])
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    evidence = [Evidence(values=tuple(v), covariance=tuple(map(tuple, covariance))) for v in values]
    made = [Answer(rows=(one,), evidence={"i": item}) for one, item in zip(tests, evidence, strict=True)]
    d1 = wald_d1(values.mean(axis=0), covariance, np.cov(values, rowvar=False), m=3)
    found = folded(made).rows[0].estimate
    assert (found.statistic, found.p_value) == pytest.approx((d1.statistic, d1.p_value), rel=CLOSED_FORM)
    assert found.statistic_name == "F (D1)"
    single = [
        replace(one, evidence={"i": replace(item, values=item.values[:1], covariance=((0.04,),))})
        for one, item in zip(made, evidence, strict=True)
    ]
    assert folded(single).rows[0].estimate.statistic_name == "F (D1)"


def test_an_f_becomes_a_chi_squared_before_it_is_pooled():
    tests = [
        row(
            Estimate(
                term="age", measure="overall", value=nan, statistic=value, statistic_name="Wald F", df=2.0, p_value=0.05
            ),
            "i",
        )
        for value in (2.5, 3.0)
    ]
    found = folded([Answer(rows=(one,)) for one in tests]).rows[0].estimate
    assert found.statistic == chi_squared_d2([5.0, 6.0], df=2).statistic


def test_the_estimand_is_that_of_the_table_that_left_somebody_out():
    made = answers(VALUES, ERRORS)
    made[3] = Answer(rows=(replace(made[3].rows[0], estimand=Estimand("marginal", "matched treated")),))
    assert folded(made).rows[0].estimand.target == "matched treated"


def test_counts_are_means():
    made = [
        Answer(rows=(row(estimate(v, e), n=n, groups=(GroupCount("pump", n=n, events=10),)),))
        for v, e, n in zip(VALUES, ERRORS, (100, 102, 101, 101), strict=True)
    ]
    found = folded(made).rows[0]
    assert (found.n, found.groups[0].n) == (101, 101)
    weighted = [
        replace(one, rows=(replace(one.rows[0], effective_n=size),))
        for one, size in zip(made, (80.0, 82.0, 81.0, 81.0), strict=True)
    ]
    assert folded(weighted).rows[0].effective_n == 81.0


# -- blocks ------------------------------------------------------------------------------------------------------------


def curve(times, values, id_="A1.end.curve"):
    n = len(times)
    return Block(
        id=id_, analysis="A1", kind="survival-curve",
        columns={
            "group": ("pump",) * n, "time": tuple(times), "estimate": tuple(values), "conf_low": (None,) * n,
            "conf_high": (None,) * n, "std_error": (0.05,) * n, "at_risk": tuple(range(n, 0, -1)), "events": (1,) * n,
            "censored": (0,) * n,
        },
    )  # fmt: skip


def test_rounded_means_add_up_to_everybody():
    """Pairs of 420, 420 and 421: 841 less 420 and 420 would be somebody in no group."""

    def table(value, n):
        both = tuple(GroupCount(name, n, n // 3) for name in ("pump", "none"))
        shared = {"n": 2 * n, "events": 2 * (n // 3)}
        effect = row(estimate(value, 0.2), groups=both, **shared)
        return Answer(rows=(effect, row(estimate(value, 0.1), "A1.died.pump.risk", groups=both[:1], **shared)))

    for found in folded([table(0.1, 420), table(0.2, 420), table(0.3, 421)]).rows:
        assert (found.n, found.events) == (840, 280)
        assert [(group.n, group.events) for group in found.groups] == [(420, 140)] * len(found.groups)


def test_curves_are_pooled_at_every_time_that_all_tables_reach():
    (found,), kinds = folded_blocks([(curve([1.0, 2.0, 4.0], [0.9, 0.8, 0.8]),), (curve([1.0, 3.0], [0.85, 0.7]),)], ())
    assert kinds == ()
    shown = dict(zip(found.columns["time"], found.columns["estimate"], strict=True))
    assert list(shown) == [1.0, 2.0, 3.0]
    by_hand = {1.0: (0.9, 0.85), 2.0: (0.8, 0.85), 3.0: (0.8, 0.7)}
    for time, pair in by_hand.items():
        q = np.mean([log(-log(value)) for value in pair])
        assert shown[time] == pytest.approx(np.exp(-np.exp(q)), rel=CLOSED_FORM)
    assert all(
        low < middle < high
        for low, middle, high in zip(
            *(found.columns[name] for name in ("conf_low", "estimate", "conf_high")), strict=True
        )
    )


def test_the_largest_imbalance_of_any_table_is_kept():
    def balance(smd):
        return Block(id="b", analysis="A1", kind="balance", columns={
            "variable": ("age",), "level": (None,), "sample": ("matched",), "smd": (smd,), "smd_max": (None,), "denominator": ("treated",),
            "mean_treated": (60.0,), "mean_control": (61.0,), "variance_ratio": (1.0,), "ks": (0.1,)})  # fmt: skip

    ((found,), _) = folded_blocks([(balance(-0.3),), (balance(0.1),)], ())
    assert (found.columns["smd"], found.columns["smd_max"]) == ((pytest.approx(-0.1),), (0.3,))


def test_a_forest_shows_the_pooled_rows():
    def forest(value):
        return Block(id="A1.died.forest", analysis="A1", kind="forest", columns={
            "variable": (None, "sex"), "level": (None, "F"), "group": ("pump", "pump"), "n": (10, 4), "events": (3, 1),
            "estimate": (value, value), "conf_low": (0.5, 0.5), "conf_high": (2.0, 2.0), "p_interaction": (None, 0.3)})  # fmt: skip

    stratum = row(estimate(0.5, 0.2), "A1.died.sex=F.pump.odds-ratio", subgroup=Subgroup("sex", "F"))
    test = row(
        Estimate(term="sex", variable="sex", measure="interaction", value=nan, p_value=0.04), "A1.died.sex.interaction"
    )
    rows = (row(estimate(0.2, 0.1)), stratum, test)
    ((found,), _) = folded_blocks([(forest(1.1),), (forest(1.2),)], rows)
    assert found.columns["estimate"] == (pytest.approx(np.exp(0.2)), pytest.approx(np.exp(0.5)))
    assert found.columns["p_interaction"] == (None, 0.04)
    assert found.columns["n"] == (10, 4)


def test_what_has_no_mean_is_the_first_tables_and_said_to_be():
    def roc(threshold):
        return Block(id="r", analysis="A1", kind="roc", columns={
            "model": ("m",), "threshold": (threshold,), "sensitivity": (0.5,), "specificity": (0.5,)})  # fmt: skip

    made = [Answer(rows=(row(estimate(v, e)),), blocks=(roc(v),)) for v, e in zip(VALUES, ERRORS, strict=True)]
    found = folded(made)
    assert found.blocks == (roc(VALUES[0]),)
    assert [notice.code for notice in found.notices] == ["W723"]
