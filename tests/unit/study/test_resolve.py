import pytest

from counterpulse.data.terms import Categorical, Spline
from counterpulse.protocol.plan import PlannedClusters
from counterpulse.study.answers.curves import ticks
from counterpulse.study.planning.plan_text import plan_as_text

TIMED = """{died: {label: Died, type: binary, event: died = yes, better: lower, primary: yes},
  end: {label: End, type: time-to-event, time: hours, event: died = yes, horizon: 2 days, better: lower},
  level: {label: Age, type: continuous, value: age, better: lower}}"""
CONFOUNDERS = "{baseline: [age, {variable: sex, reference: M}, {variable: age, log: yes, per: 10}]}"
FULL = {"outcomes": TIMED, "confounders": CONFOUNDERS, "time_zero": "{text: admission, counted: yes}"}


def analyses(*items: str) -> dict[str, str]:
    return {**FULL, "analyses": "[" + ", ".join(items) + "]"}


def planned(written, *items):
    return {analysis.id: analysis for analysis in written.plan(**analyses(*items)).analyses}


def choice(analysis, name):
    return next(item for item in analysis.choices if item.name == name)


BASE = "{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: baseline, interval: profile, clusters: {variable: site}}"


def test_an_edit_inherits_what_it_does_not_say(written):
    plans = planned(written, BASE, "{id: S1, of: A1, adjust: [age], estimand: {contrast: odds ratio}}")
    base, edit = plans["A1"], plans["S1"]
    assert (edit.role, edit.of, edit.method, edit.outcomes) == ("sensitivity", "A1", base.method, base.outcomes)
    assert edit.options == base.options == {"interval": "profile", "penalty": "none", "bootstrap": None}
    assert edit.clusters == PlannedClusters(variable="site")
    assert (len(base.terms), edit.terms) == (3, ("age",))
    assert base.citations
    assert edit.label == base.label


def test_another_method_drops_the_options_of_the_first(written):
    plans = planned(
        written,
        "{id: A1, role: primary, outcome: died, method: logistic-regression, interval: profile, also: [risk difference]}",
        "{id: S1, of: A1, method: two-proportions}",
    )
    assert plans["S1"].options == {"interval": "by-measure"}
    assert plans["S1"].measures == ("risk difference",)
    assert choice(plans["S1"], "interval").origin == "default"


def test_edits_of_edits(written):
    plans = planned(
        written, BASE, "{id: S1, of: A1, adjust: [age], estimand: {contrast: odds ratio}}", "{id: S2, of: S1, keep: age >= 65, estimand: {contrast: odds ratio}}"
    )  # fmt: skip
    assert plans["S2"].terms == ("age",)
    assert plans["S2"].options["interval"] == "profile"
    assert plans["S2"].keep == "age >= 65"
    assert plans["S2"].of == "S1"


def test_a_finding_about_an_inherited_key_points_at_where_it_was_written(written):
    text = analyses(
        "{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: baseline}",
        "{id: S1, of: A1, method: two-proportions}",
    )
    found = [finding for finding in written.drafted(**text)[1] if finding.code == "E606"]
    assert len(found) == 1
    line = written.protocol(**text).read_text(encoding="utf-8").splitlines()[found[0].where.line - 1]
    assert line[found[0].where.column - 1 :].startswith(("baseline", "adjust"))


def test_every_choice_says_where_it_comes_from(written):
    (analysis,) = planned(written, BASE).values()
    assert choice(analysis, "method").origin == "given"
    assert choice(analysis, "interval").value == "profile"
    assert choice(analysis, "penalty").origin == "default"
    assert choice(analysis, "confidence level").value == 0.95
    assert choice(analysis, "clusters").reference
    assert choice(analysis, "adjusted for").value == "age, sex, log age per 10"


def test_the_level_follows_alpha(written):
    (analysis,) = written.plan(**analyses(BASE), alpha="0.1").analyses
    assert analysis.level == pytest.approx(0.9)


def test_without_an_outcome_the_primary_one_is_analyzed(written):
    (analysis,) = planned(written, "{id: A1, role: primary, method: two-proportions}").values()
    assert analysis.outcomes == ("died",)


@pytest.mark.parametrize(
    ("analysis", "code", "words"),
    [
        ("{id: A1, role: primary, outcome: died, method: propensity-matching}", "E725", "propensity: {model: …}"),
        ("{id: A1, role: primary, outcome: died, method: logistic}", "E602", "logistic-regression"),
        ("{id: A1, role: primary, outcome: died, method: cox}", "E604", "time-to-event"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: {select: stepwise}}", "E645", "candidates"),
        ("{id: A1, role: primary, outcome: died, method: two-proportions, adjust: [age]}", "E606", "logistic-regression"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 4, log: yes}]}", "E630", "log"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 4, per: 10}]}", "E630", "per"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{interaction: [age, sex], spline: 4}]}", "E630", "interaction"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 3, knots: [60, 50, 80]}]}", "E632", "low to high"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 4, knots: [50, 60, 80]}]}", "E632", "one of both"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 11}]}", "E632", "fewer"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [{variable: age, spline: 4, reference: old}]}", "E633", "number"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [device]}", "E608", "itself"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [start]}", "E609", "date"),
        ("{id: A1, role: primary, outcome: died, method: two-proportions, intervall: wald}", "E610", "interval"),
        ("{id: A1, role: primary, outcome: died, method: two-proportions, interval: walt}", "E611", "wald"),
        ("{id: A1, role: primary, outcome: died, method: two-proportions, also: [hazard ratio]}", "E612", "risk difference"),
        ("{id: A1, role: primary, outcome: end, method: kaplan-meier, clusters: {variable: site}}", "E614", "clusters"),
        ("{id: A1, role: primary, outcome: end, method: cox, adjust: [age], estimand: {contrast: hazard ratio, kind: marginal}}", "E620", "conditional"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age], estimand: {kind: marginal}, clusters: {variable: site, as: random-intercept}}", "E620", "conditional"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age], estimand: {target: treated}}", "E629", "risk difference"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [died, age]}", "E621", "died"),
        ("{id: A1, role: primary, outcome: died, method: logistic-regression, adjust: [age, {interaction: [age, sex]}]}", "E622", "sex"),
        ("{id: A1, role: primary, outcome: end, method: kaplan-meier, draw: [pie]}", "E618", "kaplan-meier"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_way_out(written, analysis, code, words):
    plan, findings = written.drafted(**analyses(analysis))
    assert plan is None
    errors = [finding for finding in findings if finding.severity == "error"]
    assert [finding.code for finding in errors] == [code]
    assert words in f"{errors[0].seen} {errors[0].allowed} {errors[0].remedy}"


def test_options_of_each_kind_are_read(written):
    plans = planned(
        written,
        "{id: A1, role: primary, outcome: died, method: two-proportions}",
        "{id: K1, role: secondary, outcome: end, method: kaplan-meier, at: 12 hours, strata: site, interval: log-log}",
        "{id: K2, role: secondary, outcome: end, method: kaplan-meier, at: [12 hours, 1 day], strata: [site, sex]}",
    )
    one, two = plans["K1"].options, plans["K2"].options
    assert ([str(item) for item in one["at"]], one["strata"], one["interval"]) == (["12 hours"], ("site",), "log-log")
    assert ([str(item) for item in two["at"]], two["strata"]) == (["12 hours", "1 day"], ("site", "sex"))
    assert choice(plans["K2"], "at").value == "12 hours, 1 day"
    assert choice(plans["K1"], "interval").reference == "borgan-liestol-1990"


@pytest.mark.parametrize("option", ["at: soon", "strata: nowhere", "at: [12 hours, soon]"])
def test_an_option_of_the_wrong_kind_is_refused(written, option):
    text = analyses(f"{{id: A1, role: primary, outcome: end, method: kaplan-meier, {option}}}")
    assert written.codes(**text) == ["E611"]


def test_a_plan_for_immortal_time_that_a_method_cannot_use(written):
    keys = {
        "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
        "immortal_time": "{plan: time-varying}",
        "follow_up": "{death: death, last_seen: seen}",
    }
    assert written.codes(**keys) == ["E613"]
    landmark = {
        **keys,
        "analyses": "[{id: A1, role: primary, outcome: died, method: two-proportions, immortal_time: {plan: landmark, at: 2 days}}]",
    }
    plan = written.plan(**landmark)
    assert plan.analyses[0].maker == "landmark"
    assert plan.analyses[0].composition[0] == "landmark at 2 days"
    assert "followed to the landmark (2 days after time zero)" in plan.analyses[0].sentence


def test_one_exposure_cannot_tell_two_treatments_apart(written):
    keys = {
        "groups": "{variable: device, treated: {pump: Pump, other: Other}, reference: {none: No pump}, assigned_by: clinician}",
        "exposure": "{given: 'device != \"none\"', starts: pump_day}",
        "immortal_time": "{plan: landmark, at: 2 days}",
        "follow_up": "{death: death, last_seen: seen}",
    }
    assert written.codes(**keys) == ["E623"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("estimand: {contrast: hazard ratio, also: [risk difference]}", "E624"),
        ("draw: kaplan-meier", "E624"),
        ("also: [rmst difference at 10 hours]", "E624"),
        ("also: [kaplan-meier]", "E613"),
    ],
)
def test_a_time_varying_exposure_has_no_curves_of_its_own(written, more, code):
    keys = {
        "exposure": "{given: 'device = \"pump\"', starts: pump_day}",
        "immortal_time": "{plan: time-varying}",
        "follow_up": "{death: death, last_seen: seen}",
        **analyses(f"{{id: A1, role: primary, outcome: end, method: cox, {more}}}"),
    }
    assert written.codes(**keys) == [code]


def test_clusters_are_a_variance_strata_or_levels(written):
    plans = planned(
        written,
        "{id: A1, role: primary, outcome: died, method: logistic-regression, clusters: {variable: site, as: fixed}}",
        "{id: A2, role: secondary, outcome: died, method: logistic-regression, clusters: {variable: site, as: robust}}",
        "{id: A3, role: secondary, outcome: end, method: cox, adjust: [age], clusters: {variable: site, as: strata}}",
    )
    assert (plans["A1"].terms, plans["A1"].clusters) == ((Categorical("site"),), None)
    assert plans["A2"].clusters == PlannedClusters(variable="site")
    assert (plans["A3"].options["strata"], plans["A3"].clusters) == (("site",), None)


@pytest.mark.parametrize(
    ("end", "unit", "expected"),
    [
        (30, "days", [0, 5, 10, 15, 20, 25, 30]),
        (28, "days", [0, 7, 14, 21, 28]),
        (365, "days", [0, 60, 120, 180, 240, 300, 360]),
        (72, "hours", [0, 12, 24, 36, 48, 60, 72]),
        (5, "years", [0, 1, 2, 3, 4, 5]),
        (1000, None, [0, 200, 400, 600, 800, 1000]),
    ],
)
def test_a_time_axis_is_labeled_where_readers_count(end, unit, expected):
    assert ticks(end, unit) == expected


def test_the_text_of_a_plan_holds_every_choice(written):
    plan = written.plan(**analyses(BASE, "{id: S1, of: A1, adjust: [age], estimand: {contrast: odds ratio}}"))
    text = plan_as_text(plan)
    assert "A1  primary: " in text
    assert "S1  sensitivity, an edit of A1: " in text
    assert "Compared: Pump with No pump" in text
    for analysis in plan.analyses:
        for item in analysis.choices:
            assert item.name in text
            assert item.reference is None or f"[{item.reference}]" in text
    assert "Sources" in text


@pytest.mark.parametrize(
    ("method", "outcome", "told"),
    [
        ("logistic-regression", "died", False),
        ("two-proportions", "died", True),
        ("kaplan-meier", "end", True),
        ("cox", "end", False),
    ],
)
def test_a_risk_of_patients_chosen_by_their_outcome_is_told(written, method, outcome, told):
    parts = analyses(f"{{id: A1, role: primary, outcome: {outcome}, method: {method}}}")
    for design, warned in (("case-control", told), ("cohort", False)):
        plan = written.plan(**parts, study=f"{{id: s, title: T, design: {design}}}")
        assert ("W603" in {notice.code for notice in plan.warnings}) is warned


@pytest.mark.parametrize(
    ("rest", "measure", "kind"),
    [
        ("adjust: [age], estimand: {contrast: odds ratio, kind: marginal}", "marginal odds ratio", "marginal"),
        ("adjust: [age], estimand: {kind: marginal}", "marginal odds ratio", "marginal"),
        ("adjust: [age], estimand: {contrast: odds ratio}", "odds ratio", "conditional"),
        ("estimand: {contrast: odds ratio, kind: marginal}", "odds ratio", "marginal"),
        ("adjust: [age], estimand: {kind: marginal}, clusters: {variable: site, as: gee}", "odds ratio", "marginal"),
        (
            "adjust: [age], estimand: {contrast: marginal odds ratio, target: untreated}",
            "marginal odds ratio",
            "marginal",
        ),
    ],
)
def test_which_odds_ratio_is_meant(written, rest, measure, kind):
    (analysis,) = written.plan(
        **analyses(f"{{id: A1, role: primary, outcome: died, method: logistic-regression, {rest}}}")
    ).analyses
    assert analysis.measures == (measure,)
    assert next(choice for choice in analysis.choices if choice.name == "kind of effect").value == kind


def test_a_score_of_other_terms_is_read_like_an_adjustment(written):
    keys = analyses(
        "{id: A1, role: primary, outcome: died, method: tmle, adjust: [age], score: few, estimand: {target: treated}}",
        "{id: A2, role: secondary, outcome: died, method: augmented-weighting, adjust: [age], score: [sex, {variable: age, spline: 3}]}",
    ) | {"confounders": "{few: [sex, stage]}"}
    first, second = written.plan(**keys).analyses
    assert (first.further_terms, first.target, first.measures) == (("sex", "stage"), "treated", ("risk difference",))
    assert second.every_term == ("age", "sex", Spline("age", 3))
    assert "score" in {choice.name for choice in second.choices}
