from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from counterpulse.data.sample import Sample
from counterpulse.data.terms import Interaction
from counterpulse.numerics.random_streams import stream
from counterpulse.protocol.plan import PlannedClusters, PlannedOutcome
from counterpulse.regression import gee, mixed_linear
from counterpulse.results import Status
from counterpulse.study.catalog import METHODS
from counterpulse.study.request import Request

CLOSED_FORM = 1e-9

OUTCOMES = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower},
  years: {label: Age, type: continuous, value: age, better: lower}}"""


def analyses(*items):
    return {"outcomes": OUTCOMES, "time_zero": "{text: admission, counted: yes}", "analyses": f"[{', '.join(items)}]"}


def logistic(rest, outcome="died", method="logistic-regression"):
    return analyses(f"{{id: A1, role: primary, outcome: {outcome}, method: {method}, {rest}}}")


@pytest.mark.parametrize(
    ("written_as", "planned", "reference"),
    [
        ("{variable: site}", PlannedClusters(variable="site"), "liang-zeger-1986"),
        ("{variable: site, variance: CR1}", PlannedClusters(variable="site", variance="CR1"), "liang-zeger-1986"),
        ("{variable: site, as: gee, correlation: independence}",
         PlannedClusters(variable="site", treat_as="gee", correlation="independence"), "liang-zeger-1986"),
        ("{variable: site, as: random-intercept, quadrature: 25}",
         PlannedClusters(variable="site", treat_as="random-intercept", quadrature=25), "laird-ware-1982"),
    ],
)  # fmt: skip
def test_clusters_are_planned_with_their_source(written, written_as, planned, reference):
    (analysis,) = written.plan(**logistic(f"clusters: {written_as}")).analyses
    assert analysis.clusters == planned
    assert next(choice for choice in analysis.choices if choice.name == "clusters").reference == reference


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("adjust: [age], clusters: {variable: site, as: gee}", "marginal"),
        ("clusters: {variable: site, as: random-intercept}", "conditional"),
        ("adjust: [age], clusters: {variable: site}", "conditional"),
        ("clusters: {variable: site}", "marginal"),
    ],
)
def test_the_kind_of_effect_is_that_of_the_model(written, rest, kind):
    (analysis,) = written.plan(**logistic(rest)).analyses
    assert next(choice for choice in analysis.choices if choice.name == "kind of effect").value == kind


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        (logistic("clusters: {variable: site, as: gee, variance: CR2}"), "E635"),
        (logistic("clusters: {variable: site, correlation: exchangeable}"), "E635"),
        (logistic("clusters: {variable: site, as: gee, quadrature: 5}"), "E635"),
        (logistic("clusters: {variable: site, variance: CR2}", "end", "cox"), "E635"),
        (logistic("clusters: {variable: site, as: gee, correlation: ar1}"), "E636"),
        (logistic("penalty: firth, clusters: {variable: site, as: random-intercept}"), "E637"),
        (logistic("variance: robust, clusters: {variable: site, as: gee}", "years", "linear-regression"), "E637"),
        (logistic("also: [risk difference], clusters: {variable: site, as: gee}"), "E638"),
        (analyses("{id: A1, role: primary, outcome: died, method: conditional-logistic}"), "E639"),
        (logistic("clusters: {variable: site}", "end", "kaplan-meier"), "E614"),
        (analyses("{id: A1, role: primary, outcome: died, method: gee}"), "E601"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(written, protocol, code):
    assert code in written.codes(**protocol)


def test_a_stratum_is_a_variable(written):
    (analysis,) = written.plan(**logistic("adjust: [age], stratum: site", "died", "conditional-logistic")).analyses
    assert analysis.options["stratum"] == "site"


# -- repeated measurements ---------------------------------------------------------------------------------------------


def measurements():
    """Forty patients with one to nine measurements each; the groups drift apart by 0.1 an hour."""
    rng = stream(20260101, "repeated", 0)
    size = rng.integers(1, 10, 40)
    patient = np.repeat(np.arange(40), size)
    n = len(patient)
    arm, hours = (np.arange(40) % 2)[patient], np.round(rng.uniform(0, 48, n), 2)
    value = 4 + arm * (0.5 + 0.1 * hours) - 0.05 * hours + rng.normal(size=40)[patient] + 0.5 * rng.normal(size=n)
    levels = pl.Enum(["none", "pump"])
    return pl.DataFrame(
        {"device": pl.Series(np.where(arm == 1, "pump", "none"), dtype=levels), "age": rng.normal(60, 10, 40)[patient],
         "map": value, "map.time": hours, "who": patient}
    )  # fmt: skip


@pytest.fixture
def asked(written):
    plan = written.plan(**logistic("adjust: [age]"))
    table = measurements()
    patient = table["who"].to_numpy().astype(np.intp)
    outcome = PlannedOutcome(name="map", label="Pressure", kind="repeated", definition="pressure", unit="mmHg")
    sample = Sample(frame=table, row_of_origin=patient, cluster=patient, stage=("eligible",))
    spec = METHODS["repeated-measures"]

    def ask(terms=("age",), **options):
        values = {option.name: option.default for option in spec.options} | options
        analysis = replace(
            plan.analyses[0], method=spec.name, outcomes=("map",), measures=spec.measures, options=values, terms=terms,
        )  # fmt: skip
        return spec.estimate(Request(plan=plan, analysis=analysis, outcome=outcome, sample=sample))

    return ask


@pytest.mark.parametrize("model", ["random-intercept", "gee"])
def test_the_difference_over_all_times(asked, model):
    answer = asked(model=model)
    row = answer.rows[0]
    table, terms = measurements(), ["device", "age", "map.time"]
    if model == "gee":
        alone = gee(table, outcome="map", terms=terms, cluster="who", family="gaussian")
    else:
        alone = mixed_linear(table, outcome="map", terms=terms, cluster="who")
    expected = alone.estimates()[1]
    ours, theirs = row.estimate, expected
    assert (ours.value, ours.std_error, ours.p_value) == pytest.approx(
        (theirs.value, theirs.std_error, theirs.p_value), rel=CLOSED_FORM
    )
    assert (ours.measure, ours.variable, ours.reference) == ("mean difference", "device", "none")
    assert (row.n, row.clusters, row.estimand.kind) == (
        40,
        40,
        "conditional" if model == "random-intercept" else "marginal",
    )
    assert [count.n for count in row.groups] == [20, 20]
    assert len({row.id for row in answer.rows}) == len(answer.rows)
    assert ("patient" in {item.estimate.term for item in answer.rows}) is (model == "random-intercept")


class Hours:
    """A length as the plan holds it."""

    def __init__(self, hours):
        self.hours = hours

    def within(self, unit):
        return self.hours


def test_differences_at_times_and_of_slopes(asked):
    answer = asked(interaction=True, at=(Hours(6.0), Hours(24.0)))
    fit = mixed_linear(
        measurements(), outcome="map", cluster="who",
        terms=["device", "age", "map.time", Interaction("device", "map.time")],
    )  # fmt: skip
    first, second, slope, test, *rest = answer.rows
    for row, hours in ((first, 6.0), (second, 24.0)):
        expected = fit.contrast({"device=pump": 1.0, "device=pump:map.time": hours})
        assert row.estimate.at.time == hours
        found, wanted = row.estimate, expected
        assert (found.value, found.std_error, found.df) == pytest.approx(
            (wanted.value, wanted.std_error, wanted.df), rel=CLOSED_FORM
        )
    assert slope.estimate.measure == "slope difference"
    assert slope.estimate.interval.low < 0.1 < slope.estimate.interval.high
    assert slope.estimate.unit == "mmHg per hour"
    assert test.estimate.p_value == pytest.approx(slope.estimate.p_value, rel=CLOSED_FORM)
    assert all(":" not in str(row.estimate.variable) for row in rest)


def test_courses_by_splines(asked):
    answer = asked(interaction=True, time="spline", at=(Hours(24.0),), terms=())
    difference, test = answer.rows[:2]
    assert difference.estimate.status is Status.OK
    assert difference.estimate.interval.low < 0.5 + 2.4 < difference.estimate.interval.high
    assert (test.estimate.measure, test.estimate.df) == ("interaction", 3)
    assert test.estimate.p_value < 1e-6


def test_without_times_the_median_is_taken_and_said(asked):
    answer = asked(interaction=True)
    (choice,) = [choice for choice in answer.choices if choice.name == "times of the differences"]
    assert choice.origin == "derived"
    assert answer.rows[0].estimate.at.time == np.median(measurements()["map.time"].to_numpy())
