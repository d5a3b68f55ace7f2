"""The words that a review's method offers are those its kernels know; they stand twice so that no study waits for the kernels."""

from counterpulse.study.methods import meta_analysis
from counterpulse.synthesis.engine.between_variance import COMMON, ESTIMATORS
from counterpulse.synthesis.pooling.conventions import CONVENTIONS
from counterpulse.synthesis.pooling.intervals import COVARIANCES, WIDER
from counterpulse.synthesis.pooling.prediction_intervals import PREDICTIONS


def test_conventions_and_intervals_are_those_of_pooling():
    assert set(meta_analysis.CONVENTIONS) == set(CONVENTIONS)
    assert set(meta_analysis.PREDICTIONS) == set(PREDICTIONS)
    assert set(meta_analysis.INTERVALS) == {*COVARIANCES, WIDER}


def test_every_estimator_on_offer_is_known():
    assert set(meta_analysis.HETEROGENEITY) <= set(ESTIMATORS) - {COMMON}


def test_every_test_on_offer_is_made():
    from counterpulse.study.reviewing.answers.models import MODELS
    from counterpulse.study.reviewing.answers.small_study import CORRECTIONS, TESTS

    assert set(meta_analysis.SMALL_STUDY) == {*TESTS, *CORRECTIONS}
    assert set(meta_analysis.MODELS) == set(MODELS)
