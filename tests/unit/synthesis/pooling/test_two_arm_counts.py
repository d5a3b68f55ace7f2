import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results.references import REFERENCES
from counterpulse.results.status import Status
from counterpulse.synthesis.pooling.generalized_linear import MODELS, glmm, glmm_proportion
from counterpulse.synthesis.pooling.mantel_haenszel import mantel_haenszel
from counterpulse.synthesis.pooling.peto import peto, peto_from
from counterpulse.synthesis.pooling.three_level import three_level

CLOSE = 1e-10  # relative; closed forms
ARMS = ([4, 0, 7], [20, 30, 40], [2, 3, 9], [21, 29, 41])
WITH_DOUBLE_ZERO = ([4, 0, 7, 0], [20, 30, 40, 10], [2, 3, 9, 0], [21, 29, 41, 11])


@pytest.mark.parametrize("pool", [mantel_haenszel, peto, glmm])
@pytest.mark.parametrize(
    ("position", "values", "said"),
    [
        (0, [4, 31, 7], "events_1 is more than n_1 in row 2"),
        (0, [4, -1, 7], "events_1 is no whole number of 0 or more in row 2"),
        (2, [2, 3.5, np.nan], "events_2 is no whole number of 0 or more in rows 2, 3"),
        (3, [21, 0, 41], "n_2 is zero in row 2"),
        (3, [21, 29], "differ in length"),
        (0, ["a", "b", "c"], "events_1 holds something other than numbers"),
    ],
)
def test_counts_that_cannot_be_are_named(pool, position, values, said):
    arms = list(ARMS)
    arms[position] = values
    with pytest.raises(InputError, match=said):
        pool(*arms)


@pytest.mark.parametrize("pool", [mantel_haenszel, peto, glmm])
def test_no_study_is_refused(pool):
    with pytest.raises(InputError):
        pool([], [], [], [])


@pytest.mark.parametrize("pool", [mantel_haenszel, peto, glmm])
def test_a_double_zero_study_changes_nothing_and_is_told(pool):
    without, with_it = pool(*ARMS), pool(*(pl.Series(part) for part in WITH_DOUBLE_ZERO))
    assert with_it.pooled.value == pytest.approx(without.pooled.value, rel=CLOSE)
    assert (with_it.k, with_it.k_used) == (4, 3)
    assert "row 4 not used" in with_it.pooled.notes[0]


def test_the_risk_difference_keeps_a_double_zero_study():
    fit = mantel_haenszel(*WITH_DOUBLE_ZERO, measure="risk difference")
    assert fit.weights[3] > 0
    assert fit.weights.sum() == pytest.approx(1, rel=CLOSE)
    assert not fit.pooled.notes


@pytest.mark.parametrize("model", [*MODELS, *MODELS.values()])
def test_models_have_two_names(model):
    fit = glmm(*ARMS, model=model)
    assert fit.status is Status.OK
    assert fit.model == MODELS.get(model, model)
    assert set(fit.provenance.citations) <= set(REFERENCES)
    assert fit.tidy().height == 1


def test_an_infinite_ratio_is_a_status():
    empty = ([0, 0], [20, 30], [2, 3], [20, 30])
    for fit in (mantel_haenszel(*empty), *(glmm(*empty, model=model) for model in MODELS)):
        assert fit.status is Status.ZERO_CELL
        assert np.isnan(fit.pooled.value)
    assert peto(*empty).status is Status.OK


def test_nothing_to_learn_is_a_status():
    nothing = ([0], [20], [0], [30])
    for fit in (mantel_haenszel(*nothing), peto(*nothing), glmm(*nothing)):
        assert fit.status is Status.ZERO_CELL
    assert mantel_haenszel(*nothing, measure="risk difference").pooled.value == 0
    assert glmm_proportion([0, 0], [20, 30]).status is Status.NO_EVENTS
    assert glmm_proportion([20, 30], [20, 30]).status is Status.ALL_EVENTS


def test_one_study_has_its_own_effect_and_no_variance_between():
    fit = glmm([4], [20], [2], [20])
    assert fit.status is Status.ONE_STUDY
    assert np.isnan(fit.tau2)
    assert fit.pooled.interval is not None
    assert fit.prediction_interval is None


def test_too_many_tables_for_the_exact_model():
    large = ([150_000, 140_000], [400_000, 400_000], [150_000, 145_000], [400_000, 400_000])
    assert glmm(*large, model="conditional-exact").status is Status.TOO_LARGE
    assert glmm(*large, model="conditional-approximate").status is Status.OK


def test_words_that_are_not_known():
    with pytest.raises(InputError, match="'unconditional-fixed'"):
        glmm(*ARMS, model="UM.XX")
    with pytest.raises(InputError, match="measure is 'OR'"):
        mantel_haenszel(*ARMS, measure="OR")
    with pytest.raises(InputError, match="level"):
        peto(*ARMS, level=95)
    with pytest.raises(InputError, match="quadrature"):
        glmm(*ARMS, quadrature=0)


def test_sums_of_a_log_rank_test():
    fit = peto_from([-3.0, 1.0, -2.0], [4.0, 0.0, 6.0])
    assert fit.pooled.value == pytest.approx(-0.5, rel=CLOSE)
    assert fit.pooled.measure == "hazard ratio"
    assert (fit.k, fit.k_used) == (3, 2)
    with pytest.raises(InputError, match="row 1"):
        peto_from([1.0], [-1.0])


def test_effects_within_studies_are_checked():
    y, v = [0.1, 0.2, 0.3], [0.1, 0.1, 0.2]
    with pytest.raises(InputError, match="rows 1, 2"):
        three_level(y, v, ["a", "a", "b"], ["one", "one", "one"])
    with pytest.raises(InputError, match="correlation"):
        three_level(y, v, ["a", "a", "b"], correlation=1.0)
    with pytest.raises(InputError, match="study has the shape"):
        three_level(y, v, ["a", "a"])
    with pytest.raises(InputError, match="row 2"):
        three_level(y, [0.1, 0.0, 0.2], ["a", "a", "b"])


def test_one_study_or_one_effect_has_what_it_has():
    one = three_level([0.5], [0.04], ["a"])
    assert (one.status, one.pooled.value) == (Status.ONE_STUDY, 0.5)
    assert one.pooled.interval.kind == "wald"
    same = three_level([0.1, 0.9, 0.3], [0.01, 0.02, 0.01], ["a", "a", "a"])
    assert same.status is Status.ONE_STUDY
    assert np.isnan(same.tau2_between)
    assert same.tau2_within > 0
    assert same.pooled.interval is None
