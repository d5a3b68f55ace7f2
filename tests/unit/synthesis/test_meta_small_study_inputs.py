import numpy as np
import polars as pl
import pytest

from counterpulse.errors import InputError
from counterpulse.results import Status
from counterpulse.results.references import REFERENCES
from counterpulse.synthesis.small_study.begg import begg
from counterpulse.synthesis.small_study.box_newton import Curve, climb_in_box
from counterpulse.synthesis.small_study.deeks import deeks
from counterpulse.synthesis.small_study.egger import egger
from counterpulse.synthesis.small_study.harbord import harbord
from counterpulse.synthesis.small_study.limit_meta_analysis import limit_meta_analysis
from counterpulse.synthesis.small_study.macaskill import macaskill
from counterpulse.synthesis.small_study.pet_peese import pet_peese
from counterpulse.synthesis.small_study.peters import peters
from counterpulse.synthesis.small_study.pustejovsky import pustejovsky
from counterpulse.synthesis.small_study.rucker import rucker, rucker_rank
from counterpulse.synthesis.small_study.schwarzer import schwarzer
from counterpulse.synthesis.small_study.selection_model import selection_model
from counterpulse.synthesis.small_study.thompson_sharp import thompson_sharp
from counterpulse.synthesis.small_study.trim_and_fill import trim_and_fill

EFFECTS = (egger, thompson_sharp, begg, trim_and_fill, limit_meta_analysis, pet_peese, selection_model)
COUNTS = (harbord, peters, deeks, schwarzer, rucker, rucker_rank)
Y, V = [0.1, 0.5, 0.9, 0.2], [0.01, 0.09, 0.25, 0.02]
TABLE = ([4, 6, 3, 30], [120, 300, 220, 900], [11, 29, 11, 45], [130, 310, 215, 880])


@pytest.mark.parametrize("method", EFFECTS)
@pytest.mark.parametrize(
    ("yi", "vi", "message"),
    [
        ([0.1, 0.2], [0.1], "vi has 1"), ([], [], "no study"), ([0.1, float("nan")], [0.1, 0.1], "row 2"),
        ([0.1, 0.2, 0.3], [0.1, 0.0, -1.0], "rows 2, 3"), (["a"], [0.1], "numbers"),
    ],
)  # fmt: skip
def test_misuse_names_the_row(method, yi, vi, message):
    with pytest.raises(InputError, match=message):
        method(yi, vi)


@pytest.mark.parametrize("method", COUNTS)
def test_more_events_than_patients(method):
    with pytest.raises(InputError, match="row 2"):
        method([1, 9], [10, 8], [1, 1], [10, 10])


@pytest.mark.parametrize("method", EFFECTS)
@pytest.mark.parametrize("k", [1, 2])
def test_fewer_than_three_studies(method, k):
    found = method(Y[:k], V[:k])
    assert found.status is Status.UNDEFINED
    assert found.estimates()[0].status is Status.UNDEFINED
    assert "fewer than 3 studies" in found.notes[0]
    assert found.tidy()["estimate"][0] is None


@pytest.mark.parametrize("method", COUNTS)
def test_fewer_than_three_tables(method):
    found = method(*(column[:2] for column in TABLE))
    assert found.status is Status.UNDEFINED


@pytest.mark.parametrize("method", EFFECTS)
def test_few_studies_are_noted_and_citations_known(method):
    found = method(Y, V)
    if method is not selection_model:
        assert any("fewer than 10 studies" in note for note in found.notes)
        assert found.estimates()[0].notes == found.notes
    assert set(found.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize("method", COUNTS)
def test_few_tables_are_noted(method):
    found = method(*TABLE)
    assert any("fewer than 10 studies" in note for note in found.notes)
    assert set(found.provenance.citations) <= set(REFERENCES)


@pytest.mark.parametrize("method", [harbord, peters, deeks, schwarzer])
def test_tables_without_events_are_left_out_and_named(method):
    table = [[*column, extra] for column, extra in zip(TABLE, (0, 50, 0, 60), strict=True)]
    found = method(*table)
    assert found.k == 4
    assert any("row 5" in note for note in found.notes)
    assert found.p_value == method(*TABLE).p_value


def test_lists_arrays_and_series_agree():
    found = [egger(kind(Y), kind(V)).p_value for kind in (list, np.array, pl.Series)]
    assert found[0] == found[1] == found[2]


def test_words():
    with pytest.raises(InputError, match="predictor"):
        egger(Y, V, predictor="se")
    with pytest.raises(InputError, match="model"):
        egger(Y, V, model="bayes")
    with pytest.raises(InputError, match="give ni"):
        egger(Y, V, predictor="ninv")
    with pytest.raises(InputError, match="ni"):
        egger(Y, V, predictor="ninv", ni=[10, 20])
    with pytest.raises(InputError, match="row 3"):
        macaskill(Y, V, [10, 20, 0, 30])
    with pytest.raises(InputError, match="level"):
        pustejovsky(Y, V, [10] * 4, [10] * 4, level=5)
    with pytest.raises(InputError, match="tau2"):
        egger(Y, V, model="random", tau2="XX")
    with pytest.raises(InputError, match="side"):
        trim_and_fill(Y, V, side="up")
    with pytest.raises(InputError, match="alpha"):
        pet_peese(Y, V, alpha=5)
    with pytest.raises(InputError, match="distribution"):
        begg(Y, V, distribution="t")


def test_names_of_metafor_are_understood():
    assert egger(Y, V, model="lm") == egger(Y, V)
    assert egger(Y, V, model="rma", tau2="reml").model == "random"


def test_studies_of_one_size_have_no_slope():
    found = egger(Y, [0.1] * 4)
    assert found.status is Status.UNDEFINED
    assert "same standard error" in found.notes[-1]
    assert begg(Y, [0.1] * 4).status is Status.UNDEFINED


def test_studies_on_a_line_have_no_test():
    found = egger([0.3, 0.3, 0.3, 0.3], V)
    assert found.status is Status.ZERO_VARIANCE
    assert np.isnan(found.p_value)
    assert pet_peese([0.3, 0.3, 0.3, 0.3], V).status is Status.ZERO_VARIANCE


def test_ties_bring_the_normal_distribution():
    found = begg(Y, [0.01, 0.09, 0.09, 0.02])
    assert not found.exact
    assert any("tied" in note for note in found.notes)
    assert begg(Y, V).exact


def test_an_estimator_without_a_value():
    found = trim_and_fill([0.3, 0.2, 0.1], [0.1, 0.2, 0.3], estimator="Q0")
    assert (found.status, found.k0) == (Status.UNDEFINED, None)
    assert any("use L0 or R0" in note for note in found.notes)
    assert found.filled.sum() == 0


def test_filled_studies_can_be_drawn():
    found = trim_and_fill([0.1, 0.15, 0.2, 0.8, 1.0, 1.3], [0.01, 0.01, 0.02, 0.3, 0.4, 0.5], side="left")
    assert found.funnel().height == found.k + found.k0
    assert found.funnel()["filled"].sum() == found.k0
    assert found.estimates()[0].value <= found.estimates()[1].value


def test_an_interval_of_p_without_a_study():
    found = selection_model(np.linspace(-0.5, 0.1, 12), [0.1] * 12, alternative="greater")
    assert found.status is Status.UNDEFINED
    assert found.counts == (0, 12)
    assert "no estimate" in found.notes[0]
    fixed = selection_model(np.linspace(-0.5, 0.1, 12), [0.1] * 12, alternative="greater", weights=[0.5])
    assert fixed.status is Status.OK
    assert fixed.weights == ()
    assert fixed.df == 0


def test_the_direction_follows_the_effect():
    assert selection_model([-y for y in Y], V).alternative == "less"
    choice = next(c for c in selection_model(Y, V).provenance.choices if c.name == "alternative")
    assert (choice.value, choice.origin) == ("greater", "derived")


@pytest.mark.parametrize("given", [{"steps": ()}, {"steps": (0.5, 0.025)}, {"steps": (0.0,)}, {"weights": (1, 2)},
                                   {"weights": (-1,)}, {"form": "cubic"}, {"alternative": "two-sided"}])  # fmt: skip
def test_selection_arguments(given):
    with pytest.raises(InputError):
        selection_model(Y, V, **given)


def test_more_parameters_than_studies():
    found = selection_model(Y, V, form="beta")
    assert found.status is Status.UNDEFINED
    assert "4 studies cannot tell 4 parameters" in found.notes[0]


def test_climbing_stays_in_the_box():
    peak = climb_in_box(
        lambda at: Curve(-float((at + 1) @ (at + 1)), -2 * (at + 1), -2 * np.eye(2)),
        np.array([3.0, 3.0]),
        np.array([0.0, -np.inf]),
    )
    assert peak.at == pytest.approx([0, -1])
    assert peak.free.tolist() == [False, True]
    assert peak.converged
