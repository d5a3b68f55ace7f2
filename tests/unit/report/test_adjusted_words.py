"""The words of analyses that are imputed, matched, weighted, doubly robust or emulated: each thing said once, and rightly."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from bench_study import block
from comparative_study import comparative_result
from worded_study import LOGISTIC, text_of, worded_plan, worded_result

from counterpulse.protocol.plan import (
    PlannedBalancing,
    PlannedClause,
    PlannedImputation,
    PlannedRobustness,
    PlannedShift,
)
from counterpulse.protocol.words import Duration
from counterpulse.report.before_data.planned_analyses import planned_analyses_section
from counterpulse.report.chapters.context import Context, changed_groups
from counterpulse.report.chapters.limitations.section import limitations
from counterpulse.report.chapters.methods.missing_words import missing_paragraph
from counterpulse.report.chapters.methods.robustness_words import robustness_paragraph
from counterpulse.report.chapters.methods.section import methods_sections
from counterpulse.report.chapters.methods.statistics_words import analysis_paragraphs
from counterpulse.report.chapters.order import compose
from counterpulse.report.chapters.results.key_result import key_result
from counterpulse.report.chapters.results.results_words import results_paragraphs
from counterpulse.report.chapters.speech import Speech, uncited
from counterpulse.report.checklists.answering import answer_items
from counterpulse.report.checklists.evidence import Evidence, is_adjusted
from counterpulse.report.number_styles import STYLES
from counterpulse.report.proofreading import proofread
from counterpulse.results import Choice, Estimand, GroupCount

SCORE = ("age", "sex", "diabetes", "lactate")
PAIRS = PlannedBalancing(use="matching", by="nearest", terms=SCORE, options={"ratio": 1, "caliper": 0.2, "on": "logit"})
OVERLAP = PlannedBalancing(use="weighting", by="logistic", terms=SCORE)
IMPUTATION = PlannedImputation(
    columns=("age", "lactate"), outcomes=("death_hospital", "death_30d"), passive=("diabetes",), datasets=20, iterations=10,
    center="center", center_as="random-intercept",
)  # fmt: skip
MATCHED = (
    PlannedClause(
        "the risks of matched patients were compared, with variances robust to matched sets", ("abadie-spiess-2022",)
    ),
)
CLONES = (
    PlannedClause("every patient was cloned to both strategies at time zero, and clones were censored on leaving theirs", ("hernan-2018",)),
    PlannedClause("the strategies were to begin treatment within 24 hours of time zero, and never to begin it", ("hernan-2018",)),
)  # fmt: skip


def kind(name):
    return (Choice("kind of effect", name, "default"),)


def first(plan):
    return replace(plan.analyses[0], clusters=None, choices=kind("conditional"))


def matched(plan, id_="P1", **changes):
    changes = {"outcomes": ("death_hospital",), "balancing": PAIRS, **changes}
    return replace(
        first(plan), id=id_, role="secondary", method="propensity-matching", clauses=MATCHED, terms=(), adjusted=False, target="treated",
        measures=("odds ratio",), choices=(*kind("marginal"), Choice("matching", "nearest", "default", "rosenbaum-rubin-1985")), **changes,
    )  # fmt: skip


def edit(plan, id_="S1", **changes):
    return replace(first(plan), id=id_, role="sensitivity", of="A1", **changes)


def planned(*analyses):
    return replace(worded_plan(), analyses=analyses)


def told(plan, tense="past"):
    return " ".join(item.text for item in analysis_paragraphs(Speech(plan, tense=tense)))


def missing(plan, result=None, tense="past"):
    found = missing_paragraph(Speech(plan, tense=tense, result=result))
    return "" if found is None else found.text


# -- matching and weighting --------------------------------------------------------------------------------------------


def test_matched_patients_say_how_and_for_whom_once():
    plan = worded_plan()
    words = told(planned(first(plan), matched(plan), matched(plan, "P2", outcomes=("bleeding",))))
    assert "with variances robust to matched sets, without further adjustment." in words
    assert "without adjustment" not in words
    assert (
        "The probability of treatment (the propensity score) was estimated by logistic regression on age, sex, diabetes, and lactate. "
        "Each treated patient was matched with one reference patient by nearest-neighbor matching on the score, within 0.2 standard "
        "deviations of its logit, without replacement. Standardized mean differences up to 0.1 were taken as balance."
    ) in words
    assert words.count("was estimated by logistic regression on") == 1
    alone = replace(matched(plan, "P2", outcomes=("bleeding",)), measures=("risk difference",))
    assert "Patients were matched as in P1." in told(planned(first(plan), matched(plan), alone))


def test_a_long_score_is_named_by_the_analysis_that_has_the_covariates():
    plan = worded_plan()
    long = (*SCORE, "ph", "center")
    whole = replace(first(plan), terms=long)
    words = told(planned(whole, matched(plan, balancing=replace(PAIRS, terms=long))))
    assert "by logistic regression on the covariates of A1." in words


def test_a_method_given_matched_patients_says_so():
    plan = worded_plan()
    cox = replace(matched(plan, outcomes=("death_30d",)), method="cox", clauses=plan.analyses[3].clauses, companions=("rmst",), companion_labels=("restricted mean times",))  # fmt: skip
    words = told(planned(first(plan), cox))
    assert "by Cox proportional hazards regression, in matched patients, without further adjustment." in words
    assert "Variances were robust to matched sets." in words
    assert "Besides, restricted mean times was applied to the same patients." in words
    assert "further adjusted for age." in told(planned(first(plan), replace(cox, terms=("age",))))


@pytest.mark.parametrize(
    ("balancing", "target", "said"),
    [
        (OVERLAP, "overlap", "weighted by the score for the effect in the patients who could receive either treatment."),
        (replace(OVERLAP, options={"stabilize": True, "truncate": 99.0}), "all", "in all patients analyzed, stabilized, weights above percentile 99 of their group held at it."),
        (replace(OVERLAP, by="entropy-balancing"), "treated", "weighted by entropy balancing of age, sex, diabetes, and lactate for the effect in the treated."),
        (replace(PAIRS, by="full", options={}), "all", "matched by full matching on the score for the effect in all patients analyzed."),
        (replace(PAIRS, by="coarsened-exact", options={}), "treated", "matched exactly on coarsened age, sex, diabetes, and lactate for"),
        (replace(PAIRS, options={"min_controls": 1, "max_controls": 4, "exact": ("sex",), "replace": True}), "treated",
         "matched with 1 to 4 reference patients by nearest-neighbor matching on the score, exactly on sex, with replacement."),
        (replace(PAIRS, by="optimal", options={"caliper_on": {"age": 5.0}}), "untreated", "Each patient of the reference group was matched with one treated patient by optimal matching on the score, age within 5, without replacement."),
    ],
)  # fmt: skip
def test_every_way_of_balancing_has_its_words(balancing, target, said):
    plan = worded_plan()
    words = told(planned(first(plan), replace(matched(plan, balancing=balancing), target=target)))
    assert said in words
    assert ("propensity score" in words) == (balancing.by not in ("entropy-balancing", "coarsened-exact"))


def test_doubly_robust_methods_name_both_models():
    plan = worded_plan()
    clause = (PlannedClause("effects were estimated by augmented inverse probability weighting"),)
    words = told(planned(replace(first(plan), method="augmented-weighting", clauses=clause, terms=("age", "sex"))))
    assert "weighting, with models of treatment and of the outcome, both given age and sex." in words


def test_the_words_of_balancing_stand_in_an_analysis_plan():
    plan = worded_plan()
    section = planned_analyses_section(planned(first(plan), matched(plan)), uncited)
    text = text_of([section])
    assert "Matching or weighting: The probability of treatment (the propensity score) will be estimated" in text
    assert "Adjustment: None further." in text
    assert "marginal, in the treated;" in text


# -- effects -----------------------------------------------------------------------------------------------------------


def test_the_effects_are_said_once_for_those_in_the_same_patients():
    plan = worded_plan()
    unadjusted = replace(plan.analyses[1], choices=kind("marginal"))
    weighted = replace(matched(plan, "W1", balancing=OVERLAP), target="all")
    words = told(planned(first(plan), unadjusted, matched(plan), weighted))
    assert (
        "Effects were estimated in all patients analyzed: conditional on the covariates in A1; marginal (the average treatment effect) in W1. "
        "The effect in P1 was estimated in the treated and is marginal (the average treatment effect in the treated)."
    ) in words
    assert "A2 compares the groups as they were, without adjustment." in words
    trial = plan.protocol.groups.model_copy(update={"assigned_by": "randomization"})
    by_chance = replace(planned(unadjusted), protocol=plan.protocol.model_copy(update={"groups": trial}))
    assert (
        "The effect in A2 was estimated in all patients analyzed and is marginal (the average treatment effect)."
        in told(by_chance)
    )
    assert (
        "Where some of the treated find no match, the effect in P1 is that among the matched treated patients." in words
    )


def test_the_effects_of_a_run_are_those_it_found():
    plan, result = planned(first(worded_plan()), matched(worded_plan())), worded_result()
    rows = tuple(
        replace(row, analysis="P1", estimand=Estimand("marginal", "matched treated")) for row in result.estimates[:1]
    )
    found = replace(result, estimates=rows)
    words = " ".join(item.text for item in analysis_paragraphs(Speech(plan, result=found)))
    assert "Some of the treated found no match: the effect in P1 is that among the matched treated patients." in words
    words = " ".join(item.text for item in analysis_paragraphs(Speech(plan, result=result)))
    assert "no match" not in words


def of_matched(row):
    return replace(row, estimand=Estimand("marginal", "matched treated"))


def test_results_say_among_whom():
    plan, result = worded_plan(), worded_result()
    plan = replace(plan, analyses=(replace(matched(plan), id="A1", role="primary"), *plan.analyses[1:]))
    rows = tuple(of_matched(row) if row.analysis == "A1" and row.estimand else row for row in result.estimates)
    context = Context(plan, replace(result, estimates=rows), STYLES["jama"])
    words = " ".join(item.text for item in results_paragraphs(context))
    assert "The marginal odds ratio among the matched treated patients for IABP after ECMO" in words
    assert "In matched patients, the risk was" in words
    box = key_result(context)
    assert box is not None
    front = box.blocks[0].text
    assert "versus ECMO only (in matched patients; marginal, among the matched treated patients):" in front
    assert "unadjusted" not in words.partition("(A2)")[0]


def test_counts_of_imputed_tables_are_rounded_not_changed():
    row = replace(worded_result().estimates[0], n=839, groups=(GroupCount("a", 420), GroupCount("b", 420)))
    assert changed_groups(row)
    assert not changed_groups(replace(row, imputations=20))
    assert changed_groups(replace(row, imputations=20, groups=(GroupCount("a", 420), GroupCount("b", 600))))


# -- missing values ----------------------------------------------------------------------------------------------------


def imputed(item):
    return replace(item, missing="multiple-imputation", imputation=IMPUTATION)


def test_imputation_is_told_once_for_the_study():
    plan = worded_plan()
    analyses = (imputed(first(plan)), imputed(matched(plan)), edit(plan, "S7", missing="complete-case"))
    text = text_of(methods_sections(planned(*analyses), tense="past"))
    assert text.count("chained equations") == 1
    assert "No value was imputed" not in text
    words = missing(planned(*analyses))
    assert words.startswith(
        "Missing data. In A1 and P1, missing values of age and lactate were imputed by chained equations, in 20 tables of 10 iterations each."
    )
    assert (
        "from all others, the treatment group, and the outcomes (in-hospital death; of death within 30 days the event and the Nelson-Aalen"
        in words
    )
    assert "with a random intercept for each center" in words
    assert "Diabetes was computed from the imputed values. Outcomes were not imputed" in words
    assert (
        "its patients matched anew, and estimates were pooled by Rubin's rules with the degrees of freedom of Barnard and Rubin"
        in words
    )
    assert "(D1)" in words
    assert "complete-case analysis in S7: patients with a missing value of a variable of such an analysis" in words
    assert "resampled" not in words


def test_the_rule_of_the_number_of_tables_and_the_order_of_resampling():
    plan = worded_plan()
    item = replace(
        imputed(first(plan)),
        imputation=replace(IMPUTATION, datasets=None, outcomes=(), from_outcomes=False),
        options={"bootstrap": 200},
    )
    words = missing(planned(item), tense="future")
    assert "in as many tables as the percentage of incomplete patients, at least 20, of 10 iterations each" in words
    assert "without the outcomes" in words
    assert "Outcomes will not be imputed" not in words
    assert "whatever is resampled will be resampled within each imputed table" in words
    assert "none of whose variables has a missing value, nothing will be imputed" in words
    assert " was " not in words
    assert " were " not in words


def test_what_the_run_imputed_and_what_had_no_blanks():
    plan, result = worded_plan(), comparative_result()
    idle = replace(imputed(plan.analyses[1]), choices=())
    records = tuple(
        replace(record, choices=(Choice("imputation", "no variable of this analysis has a missing value", "derived"),)) if record.id == "A2" else record
        for record in result.analyses
    )  # fmt: skip
    result = replace(result, analyses=records, details={"imputation": {"imputed tables": 37}})
    item = replace(imputed(first(plan)), imputation=replace(IMPUTATION, datasets=None))
    words = missing(planned(item, idle), result)
    assert "In A1, missing values of lactate and age were imputed by chained equations, in 37 tables (as many" in words
    assert "by predictive mean matching and Bayesian linear regression." in words
    assert "No variable of A2 had a missing value, so that nothing was imputed for it." in words


def test_complete_cases_alone_keep_their_words():
    assert missing(planned(replace(first(worded_plan()), missing="complete-case"))).endswith(
        "reported. No value was imputed."
    )
    assert missing(planned(replace(first(worded_plan()), missing=None))) == ""


# -- sensitivity analyses ----------------------------------------------------------------------------------------------


def change(plan, item, whole=None):
    words = told(planned(whole or first(plan), item))
    return words.partition("with this change: ")[2]


def test_edits_name_what_they_are():
    plan = worded_plan()
    whole = imputed(
        replace(
            first(plan), composition=("imputation by chained equations", "landmark at 24 hours", "logistic regression")
        )
    )
    weighted = edit(
        plan, "P3", method="propensity-weighting", balancing=OVERLAP, target="overlap", terms=(), adjusted=False, choices=kind("marginal"),
        composition=("imputation by chained equations", "landmark at 24 hours", "propensity weights", "comparison of weighted patients"),
        missing="multiple-imputation", imputation=IMPUTATION,
    )  # fmt: skip
    assert change(plan, weighted, whole) == (
        "propensity weights for the patients who could receive either treatment, from the same covariates (P3, a marginal effect)."
    )
    pairs = replace(weighted, id="P4", method="propensity-matching", balancing=PAIRS, target="treated")
    assert change(plan, pairs, whole).startswith(
        "1:1 nearest-neighbor matching on a propensity score of the same covariates, within 0.2"
    )
    robust = replace(
        whole, id="D1", role="sensitivity", of="A1", method="tmle",
        composition=("imputation by chained equations", "landmark at 24 hours", "targeted maximum likelihood"),
    )  # fmt: skip
    assert change(plan, robust, whole) == "targeted maximum likelihood as the method (D1)."
    assert (
        change(plan, replace(whole, id="S7", role="sensitivity", of="A1", missing="complete-case"), whole)
        == "complete cases only (S7)."
    )
    assert change(plan, edit(plan, "S9", choices=kind("marginal"))).endswith("(S9, a marginal effect).")


def test_the_mean_score_of_all_tables_is_an_edit_of_its_own():
    plan = worded_plan()
    whole = replace(matched(plan), id="A1", role="primary")
    across = replace(whole, id="S3", role="sensitivity", of="A1", balancing=replace(PAIRS, across=True))
    assert change(plan, across, whole) == "the mean propensity score of all imputed tables (S3)."


def test_shifts_are_told_once():
    plan = worded_plan()
    shifts = tuple(PlannedShift(variable="lactate", by=by) for by in (0.0, 0.5, 1.0))
    plan = planned(first(plan), edit(plan, "S8", shifts=shifts))
    assert change(plan, plan.analyses[1]) == (
        "imputed values of lactate shifted by 0, 0.5, and 1 mmol/L, to find where the conclusion would change (S8)."
    )
    assert text_of(methods_sections(plan)).count("shifted") == 1
    own = planned(replace(first(worded_plan()), shifts=shifts))
    assert "tipping-point analysis" in text_of(methods_sections(own))


def test_an_emulated_edit_has_sentences_of_its_own():
    plan = worded_plan()
    clones = edit(
        plan, "S6", estimator="clone-censor-weight", maker="clone-censor-weight", landmarks=(), clauses=CLONES, missing="complete-case",
        choices=kind("marginal"), options={"grace": Duration(24.0, "hours")},
    )  # fmt: skip
    whole = imputed(first(plan))
    words = told(planned(whole, replace(clones, id="S6"), edit(plan, "S1", terms=("age",))))
    assert (
        "In S6, A1 was repeated by cloning, censoring, and weighting, with complete cases only, for the marginal effect: every patient was "
        "cloned to both strategies at time zero, and clones were censored on leaving theirs. The strategies were to begin treatment"
    ) in words
    assert ";" not in words.partition("In S6")[2]


def test_naive_answers_are_named_once_or_counted():
    plan = worded_plan()
    few = tuple(replace(first(plan), id=f"N{k}", of=of) for k, of in enumerate(("A1", "A4", "A4")))
    many = tuple(replace(first(plan), id=f"N{k}", of=f"A{k}") for k in range(6))
    for naive, said in (
        (few, "A1 and A4 were repeated"),
        (few[1:], "A4 was repeated"),
        (many, "six analyses were repeated"),
    ):
        found = robustness_paragraph(Speech(replace(plan, robustness=PlannedRobustness(naive=naive))))
        assert found is not None
        assert f"For comparison only, {said} without a plan for immortal time." in found.text


def test_an_edit_with_the_clauses_of_its_whole_says_nothing_of_them():
    plan = worded_plan()
    assert LOGISTIC[0].text not in change(plan, edit(plan, terms=("age",)))


# -- limitations and checklists ----------------------------------------------------------------------------------------


def limited(plan, result):
    return {item.subject: item.words for item in limitations(Context(plan, result, STYLES["jama"]))}


def test_limitations_give_the_numbers():
    plan, result = worded_plan(), comparative_result()
    result = replace(result, details={"imputation": {"imputed tables": 20, "incomplete patients": 820}})
    weighted = replace(
        first(plan), balancing=replace(OVERLAP, balance_limit=0.001), target="all", imputation=IMPUTATION
    )
    said = limited(
        planned(weighted, replace(edit(plan, "S8", shifts=(PlannedShift(variable="lactate", by=1.0),)))), result
    )
    assert "age" in said["Remaining imbalance"]
    assert "propensity score" not in said["Remaining imbalance"]
    assert "missing at random" in said["Imputed values"]
    assert "820 of" in said["Imputed values"]
    assert "the effective sample size was 50% of the number in IABP" in said["Unequal weights"].replace(
        "IABP after ECMO", "IABP"
    )


def test_overlap_counts_only_whom_the_effect_is_about():
    bins = [
        ("treated", 0.0, 0.5, 0.0),
        ("treated", 0.5, 1.0, 1.0),
        ("control", 0.0, 0.5, 0.2),
        ("control", 0.5, 1.0, 0.8),
    ]
    extreme = block("A1.death_hospital.overlap", [("unadjusted", *row) for row in bins])
    result = replace(worded_result(), blocks=(extreme,))
    found = {}
    for target in ("all", "treated", "untreated", "overlap"):
        item = replace(matched(worded_plan()), id="A1", role="primary", target=target)
        found[target] = limited(planned(item), result).get("Overlap", "")
    assert "the other group had nobody, 20.0% in ECMO only (A1)" in found["all"]
    assert found["untreated"] == found["all"]
    assert found["treated"] == found["overlap"] == ""
    hidden = block("A1.death_hospital.overlap", [("unadjusted", *row[:3], row[3] or None) for row in bins])
    plan = planned(replace(matched(worded_plan()), id="A1", role="primary", target="all"))
    assert "Overlap" not in limited(plan, replace(result, blocks=(hidden,)))


def test_immortal_time_of_other_analyses_is_a_limitation():
    plan = worded_plan()
    assert limited(plan, worded_result())["Immortal time"].startswith("S2 leaves immortal time in the comparison")


def test_matching_counts_as_adjustment_in_checklists():
    plan = worded_plan()
    plan = planned(replace(matched(plan), id="A1", role="primary"))
    document = compose(worded_result(), plan)
    items = {item.item.number: item for item in answer_items("STROBE", Evidence(plan, document.sections))}
    assert is_adjusted(plan.analyses[0])
    assert items["9"].state == "partly"
    assert items["6b"].state == "answered"
    assert "an unadjusted analysis" in items["16a"].remains


def test_the_report_of_such_a_study_reads_well():
    plan, result = worded_plan(), comparative_result()
    plan = replace(
        plan, analyses=(imputed(plan.analyses[0]), *plan.analyses[1:], replace(matched(plan), balancing=PAIRS))
    )
    assert [
        item
        for item in proofread(compose(result, plan))
        if item.place in ("Statistical analysis", "Limitations", "Front")
    ] == []


def test_a_plan_of_such_analyses_is_told_in_the_future():
    plan = worded_plan()
    clones = edit(
        plan, "S6", estimator="clone-censor-weight", maker="clone-censor-weight", landmarks=(), clauses=CLONES
    )
    shifts = edit(plan, "S8", shifts=(PlannedShift(variable="lactate", by=1.0),))
    cox = replace(matched(plan, "P2", outcomes=("death_30d",)), method="cox", clauses=plan.analyses[3].clauses)
    analyses = [imputed(item) for item in (first(plan), matched(plan), cox, shifts)]
    sections = methods_sections(planned(*analyses, clones))
    statistics = text_of([section for section in sections if section.id == "statistics"])
    assert not re.search(r"\b(was|were|found)\b", statistics)
    assert "Outcomes will not be imputed" in statistics
