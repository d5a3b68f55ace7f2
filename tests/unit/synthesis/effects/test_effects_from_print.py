import numpy as np
import pytest

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.correlation import correlation_from_fisher_z, correlations
from counterpulse.synthesis.effects.event_counts import events_from_percent
from counterpulse.synthesis.effects.means import (
    mean_differences,
    mean_differences_from_t,
    ratios_of_means,
    standardized_differences_from_t,
    standardized_mean_differences,
)
from counterpulse.synthesis.effects.medians import means_from_medians
from counterpulse.synthesis.effects.printed_interval import from_interval, from_standard_error
from counterpulse.synthesis.effects.printed_p_value import from_log_rank, from_log_rank_p, from_p_value
from counterpulse.synthesis.effects.standard_deviations import (
    correlation_of_change,
    sd_from_interval,
    sd_from_standard_error,
    sd_of_change,
)
from counterpulse.synthesis.effects.survival_curves import from_curves, from_survival_at

Z95 = 1.959963984540054


def codes(made):
    return [(problem.row, problem.code) for problem in made.problems]


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ((1.01, 0.69, 1.76), "asymmetric-interval"), ((0.72, 0.31, 1.68), None), ((0.74, 0.55, 0.99), None),
        ((1.5, 1.6, 2.0), "outside-interval"), ((1.0, 1.2, 0.8), "reversed-limits"), ((0.5, 0.0, 0.9), "not-positive"),
        ((1.0, 1.0, 1.0), "no-width"), ((1.98, 1.39, 2.83), None), ((0.61, None, 1.62), "missing"),
    ],
)  # fmt: skip
def test_printed_hazard_ratios(printed, code):
    made = from_interval(*([value] for value in printed), measure="HR")
    assert [found for _, found in codes(made)] == ([] if code is None else [code])
    assert made.dropped[0] == (code not in (None, "asymmetric-interval"))


def test_the_decimals_of_text_count():
    assert codes(from_interval("1.0", "0.9", "1.2", measure="OR")) == []
    assert codes(from_interval("1.000", "0.900", "1.200", measure="OR")) == [(1, "asymmetric-interval")]
    assert codes(from_interval(1, 0.9, 1.2, measure="OR", decimals=3)) == [(1, "asymmetric-interval")]


def test_levels_by_row_and_t_intervals():
    made = from_interval([0, 0], [-1, -1], [1, 1], measure="MD", level=[0.95, 0.9])
    assert np.sqrt(made.vi) == pytest.approx([1 / Z95, 1 / 1.6448536269514722])
    assert from_interval(0, -1, 1, measure="MD", df=10).vi[0] == pytest.approx(2.2281388519649385**-2)
    with pytest.raises(InputError):
        from_interval(0, -1, 1, measure="MD", level=95)
    with pytest.raises(InputError):
        from_interval([0, 1], [-1], [1], measure="MD")
    assert codes(from_interval([0, 0], -1, 1, measure="MD", level=[0.95, 95])) == [(2, "out-of-range")]


def test_correlations_and_proportions_go_to_their_scale():
    made = from_interval("0.50", "0.34", "0.63", measure="ZCOR")
    assert codes(made) == []
    assert made.yi[0] == pytest.approx(np.arctanh(0.5))
    assert codes(from_interval(0.5, 0.3, 1.2, measure="ZCOR")) == [(1, "out-of-range")]
    share = from_interval("0.20", "0.13", "0.29", measure="PLO")
    assert share.yi[0] == pytest.approx(np.log(0.25))
    assert share.scale == "logit"


def test_standard_errors_on_either_scale():
    assert from_standard_error(2.0, 0.3, measure="OR", scale="natural", error_scale="log").vi[0] == pytest.approx(0.09)
    assert from_standard_error(np.log(2), 0.3, measure="OR", scale="log").yi[0] == pytest.approx(np.log(2))
    natural = from_standard_error(2.0, 0.6, measure="OR", scale="natural")
    assert natural.vi[0] == pytest.approx(0.09)
    assert natural.assumptions
    assert codes(from_standard_error([0.0, 2.0], [1.0, 0.0], measure="HR", scale="natural")) == [
        (1, "not-positive"), (2, "not-positive"),
    ]  # fmt: skip
    for scale, error_scale in (("logit", None), ("log", "natural")):
        with pytest.raises(InputError):
            from_standard_error(2.0, 0.3, measure="OR", scale=scale, error_scale=error_scale)
    with pytest.raises(InputError):
        from_standard_error(2.0, 0.3, measure="MD", scale="log")


def test_p_values_and_their_bounds():
    made = from_p_value([2.0, 2.0, 2.0, 1.0, 2.0], ["0.05", "<0.001", "1", "0.5", "NS"], measure="OR")
    assert made.vi[0] == pytest.approx((np.log(2) / Z95) ** 2)
    assert made.vi[1] == pytest.approx((np.log(2) / 3.2905267314918945) ** 2)
    assert codes(made) == [(2, "bound-only"), (3, "no-information"), (4, "no-information"), (5, "not-a-number")]
    named = from_p_value([3.0, 3.0], [0.05, 0.001], measure="MD", bound=[False, True], df=[10, 10])
    assert codes(named) == [(2, "bound-only")]
    assert codes(from_p_value(3.0, 0.0, measure="MD")) == [(1, "out-of-range")]
    with pytest.raises(InputError):
        from_p_value([3.0], [0.05], measure="MD", bound=[True, False])
    with pytest.raises(InputError):
        from_p_value([0.3], [0.05], measure="PLO")


def test_log_rank():
    made = from_log_rank([-5.0, 1.0], [10.0, 0.0])
    assert (made.yi[0], made.vi[0]) == (-0.5, 0.1)
    assert codes(made) == [(2, "not-positive")]
    by_arm = from_log_rank_p(0.05, favors="treated", events_treated=30, events_reference=50)
    assert by_arm.vi[0] == pytest.approx(80 / 1500)
    assert by_arm.yi[0] == pytest.approx(-Z95 * np.sqrt(80 / 1500))
    by_size = from_log_rank_p(
        ["0.05", "<0.05"], favors=["reference", "treated"], events=80, n_treated=100, n_reference=100
    )
    assert by_size.vi[0] == pytest.approx(4 / 80)
    assert by_size.yi[0] == pytest.approx(-by_size.yi[1])
    assert codes(by_size) == [(2, "bound-only")]
    assert codes(from_log_rank_p(0.05, favors="treated", events=80, n_treated=10, n_reference=10)) == [(1, "above-n")]
    for counts in (
        {},
        {"events_treated": 3},
        {"events": 3, "n_treated": 3},
        {"events": 3, "events_treated": 1, "n_treated": 9},
    ):
        with pytest.raises(InputError):
            from_log_rank_p(0.05, favors="treated", **counts)
    with pytest.raises(InputError):
        from_log_rank_p(0.05, favors="pump", events_treated=3, events_reference=3)


def test_percentages():
    made = events_from_percent(["41.3", "35", "101", "33"], [298, 762, 10, 10])
    assert made.events[:2].tolist() == [123, 267]
    assert codes(made) == [(2, "several-counts"), (3, "out-of-range"), (4, "no-count-fits")]
    assert (made.fewest[1], made.most[1]) == (263, 270)


def test_means_and_their_problems():
    made = mean_differences([5, 5, 5], [1, 0, 1], [10, 10, 1], [4, 4, 4], [2, 2, 2], [10, 10, 10])
    assert (made.yi[0], made.vi[0]) == (1, 0.5)
    assert codes(made) == [(2, "not-positive"), (3, "too-few")]
    pooled = mean_differences(5, 1, 10, 4, 2, 20, variance="pooled")
    assert pooled.vi[0] == pytest.approx((9 + 76) / 28 * (1 / 10 + 1 / 20))
    assert codes(ratios_of_means([5, 0], 1, 10, [-4, 4], 2, 10)) == [(1, "opposite-signs"), (2, "opposite-signs")]
    glass = standardized_mean_differences(5, 1, 10, 4, 2, 20, standardizer="reference", correction="none")
    assert (glass.yi[0], glass.vi[0]) == pytest.approx((0.5, 0.1 + 0.05 + 0.25 / 40))
    for options in ({"standardizer": "treated"}, {"correction": "hedges"}):
        with pytest.raises(InputError):
            standardized_mean_differences(5, 1, 10, 4, 2, 20, **options)


def test_from_t_statistics():
    made = mean_differences_from_t([2.0, 0.0], [-4.0, 1.0])
    assert made.vi[0] == 0.25
    assert codes(made) == [(2, "no-information")]
    m1, s1, n1, m2, s2, n2 = 5.0, 1.0, 10, 4.0, 2.0, 20
    t = 1 / np.sqrt(mean_differences(m1, s1, n1, m2, s2, n2, variance="pooled").vi[0])
    by_t, direct = standardized_differences_from_t(t, n1, n2), standardized_mean_differences(m1, s1, n1, m2, s2, n2)
    assert (by_t.yi[0], by_t.vi[0]) == pytest.approx((direct.yi[0], direct.vi[0]))


def test_standard_deviations():
    assert sd_from_standard_error(0.5, 16).values[0] == 2
    assert sd_from_interval(-1, 1, 11).values[0] == pytest.approx(np.sqrt(11) / 2.2281388519649385)
    assert codes(sd_from_interval([1, 0, 0], [-1, 0, 1], [11, 11, 1])) == [
        (1, "reversed-limits"), (2, "no-width"), (3, "too-few"),
    ]  # fmt: skip
    change = sd_of_change(3, 4, correlation=0.5)
    assert change.values[0] == pytest.approx(np.sqrt(13))
    assert change.assumptions
    assert correlation_of_change(3, 4, np.sqrt(13)).values[0] == pytest.approx(0.5)
    assert codes(correlation_of_change(3, 4, 10)) == [(1, "out-of-range")]


def test_correlations():
    made = correlations([0.5, 1.0, 0.2], [28, 28, 3])
    assert (made.yi[0], made.vi[0]) == pytest.approx((np.arctanh(0.5), 1 / 25))
    assert codes(made) == [(2, "out-of-range"), (3, "too-few")]
    assert correlation_from_fisher_z(made.yi[0]) == pytest.approx(0.5)
    assert correlations(0.5, 26, measure="COR").vi[0] == pytest.approx(0.75**2 / 25)


def test_medians_and_their_problems():
    made = means_from_medians([10, 10, 10], [50, 50, 4], first_quartile=[8, 12, 8], third_quartile=[12, 13, 12])
    assert made.mean[0] == pytest.approx(10)
    assert codes(made) == [(2, "unordered"), (3, "too-few")]
    skewed = means_from_medians(2, 100, first_quartile=1, third_quartile=8)
    assert skewed.skewed[0]
    assert codes(skewed) == [(1, "skewed")]
    assert np.isfinite(skewed.mean[0])
    for ends in (
        {},
        {"minimum": 1},
        {"minimum": 1, "first_quartile": 2},
        {"minimum": 1, "maximum": 9, "third_quartile": 7},
    ):
        with pytest.raises(InputError):
            means_from_medians(5, 20, **ends)


def test_curves_and_their_problems():
    rising = from_curves(
        [0, 1, 2], [1, 0.7, 0.8], [1, 0.6, 0.5], at_risk_treated=[9, 7, 6], at_risk_reference=[9, 6, 4]
    )
    assert rising.problems[0].code == "rising-survival"
    assert rising.effect.dropped[0]
    flat = from_curves(
        [0, 1, 2], [1, 1, 0.9], [1, 0.9, 0.8], at_risk_treated=[90, 90, 80], at_risk_reference=[90, 80, 70]
    )
    assert [(p.row, p.code) for p in flat.problems] == [(1, "empty-interval")]
    assert flat.effect.k == 1
    nothing = from_curves([0, 1], [1, 1], [1, 0.9], at_risk_treated=[90, 90], at_risk_reference=[90, 80])
    assert nothing.effect.dropped[0]
    coarse = from_curves([0, 1], [1, 0.5], [1, 0.3], n_treated=90, n_reference=90, follow_up=(0, 2))
    assert [p.code for p in coarse.problems] == ["coarse-interval"]
    with pytest.raises(InputError, match="one reading"):
        from_curves([0], [1], [1], at_risk_treated=[9], at_risk_reference=[9])
    with pytest.raises(InputError, match="do not rise"):
        from_curves([0, 0], [1, 1], [1, 1], at_risk_treated=[9, 9], at_risk_reference=[9, 9])
    with pytest.raises(InputError, match="numbers at risk"):
        from_curves([0, 1], [1, 0.9], [1, 0.9])
    with pytest.raises(InputError, match="shortest"):
        from_curves([0, 1], [1, 0.9], [1, 0.9], n_treated=9, n_reference=9, follow_up=(5, 5))


def test_survival_at_one_time():
    made = from_survival_at([0.6, 1.0, 1.2], 50, 0.5, 40, measure="HR")
    assert made.yi[0] == pytest.approx(np.log(np.log(0.6) / np.log(0.5)))
    assert codes(made) == [(2, "zero-cell"), (3, "out-of-range")]
    assert made.assumptions
