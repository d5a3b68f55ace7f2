"""The results in words: the whole text, kept in `snapshots/`, and what must never be written."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf, log, nan

import pytest
from bench_study import bench_plan, bench_result
from hypothesis import given, settings
from hypothesis import strategies as st
from worded_study import snapshot, text_of, worded_plan, worded_result

from counterpulse.report import compose
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.results_words import results_paragraphs
from counterpulse.report.document import Section
from counterpulse.report.number_styles import STYLES
from counterpulse.results import FlowStep, GroupCount, Interval, Status

FORBIDDEN = re.compile(
    r"\bno (?:significant |statistically significant )?(?:difference|effect|association|benefit|harm)s?\b"
    r"|\b(?:not|non|in)[- ]?(?:statistically )?significant|\bsignificant(?:ly)?\b|\btrend(?:ed|s)?\b|\bapproach(?:ed|ing) significance"
    r"|\bP\s*[=>]\s*NS\b|\bP\s*=\s*[.]?0?[.]0+\b|\bsimilar between\b|\bproves? that\b|\bdid not differ\b|\bnan\b",
    re.IGNORECASE,
)  # fmt: skip


def words(plan, result, style="jama"):
    found = "\n".join(item.text for item in results_paragraphs(Context(plan, result, STYLES[style])))
    return found.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def changed(result, id_, **changes):
    rows = tuple(
        replace(row, **{key: value for key, value in changes.items() if key != "estimate"}, estimate=replace(row.estimate, **changes.get("estimate", {})))
        if row.id == id_ else row
        for row in result.estimates
    )  # fmt: skip
    return replace(result, estimates=rows)


def document_words(document):
    """What the program wrote: sections but the supplement of choices and the checklists, which quote plan and guidelines."""
    kept = [item for item in document.sections if item.id not in ("choices-section", "checklists", "data-protection")]
    return text_of([Section(id="front", title="Front", blocks=document.front), *kept])


def test_the_results_in_words():
    context = Context(worded_plan(), worded_result(), STYLES["jama"])
    text = text_of([Section(id="results", title="Results", blocks=tuple(results_paragraphs(context)))])
    assert text == snapshot("results", text)


def test_every_number_is_one_of_the_result():
    context = Context(worded_plan(), worded_result(), STYLES["jama"])
    known = {row.id for row in context.result.estimates}
    named = {run.result for item in results_paragraphs(context) for run in item.runs if run.result}
    assert named
    assert named <= known


def test_an_interval_across_equality_is_told_by_its_ends():
    told = words(worded_plan(), worded_result())
    assert "The data are compatible with 21% lower to 5% higher hazard." in told


def test_an_interval_on_one_side_has_no_such_sentence_in_secondary_analyses():
    result = changed(
        worded_result(), "A4.death_30d.iabp.hazard-ratio",
        estimate={"value": log(0.5), "interval": Interval(log(0.4), log(0.6), 0.95, "wald"), "p_value": 1e-6},
    )  # fmt: skip
    told = words(worded_plan(), result)
    assert "The adjusted conditional hazard ratio was 0.50 (95% CI, 0.40-0.60); P < .001.\n" in told


@pytest.mark.parametrize("status", [item for item in Status if item not in (Status.OK, Status.NOT_REACHED)])
def test_an_effect_that_was_not_estimated_says_why(status):
    result = changed(worded_result(), "A4.death_30d.iabp.hazard-ratio", estimate={"value": nan, "status": status})
    told = words(worded_plan(), result)
    assert f"could not be estimated. {status.text}" in told


def test_nejm_gives_secondary_analyses_no_p_value():
    told = words(worded_plan(), worded_result(), "nejm").split("\n")
    primary = next(line for line in told if "primary analysis A1" in line)
    hazard = next(line for line in told if "(A4)" in line and "hazard ratio" in line)
    assert "P" in primary.partition("odds ratio")[2]
    assert "P" not in hazard.partition("hazard ratio")[2]
    assert not any("log-rank" in line for line in told)


def test_adjusted_p_values_are_the_ones_told():
    result = changed(
        worded_result(), "A6.bleeding.iabp.odds-ratio", p_adjusted=0.062,
        estimate={"value": log(1.3), "interval": Interval(log(1.0), log(1.7), 0.95, "wald"), "p_value": 0.031, "status": Status.OK},
    )  # fmt: skip
    told = words(worded_plan(), result)
    assert "adjusted by the method of Holm, P = .06." in told
    assert "P = .03" not in told


def test_sensitivity_analyses_stand_beside_their_analysis():
    told = words(worded_plan(), worded_result())
    assert "Against the odds ratio of 0.82 (95% CI, 0.69-0.99) in A1, the sensitivity analyses gave 0.88 (95% CI, 0.74-1.05) (S1); and 0.71 (95% CI, 0.60-0.85) (S2)." in told  # fmt: skip
    assert "Odds ratios ranged from 0.71 to 0.88." in told
    assert "S2 leaves immortal time in the comparison" in told


def test_subgroups_are_told_by_their_tests():
    told = words(worded_plan(), worded_result())
    assert "Two tests of interaction were made: by age (P = .41) and sex (P = .73)." in told
    assert "does not show that effects are alike" in told


def test_hidden_counts_stay_hidden():
    flow = tuple(replace(step, n=None) if step.kind == "removed" else step for step in worded_result().flow)
    groups = (GroupCount("iabp", 832, None), GroupCount("ecmo_only", 4648, None))
    rows = tuple(replace(row, groups=groups if row.groups else ()) for row in worded_result().estimates)
    told = words(worded_plan(), replace(worded_result(), flow=flow, estimates=rows))
    assert "reasons for exclusion" not in told
    assert "occurred in" not in told


def test_a_small_study():
    flow = (FlowStep(id="read", label="Records read", kind="read", n=1), FlowStep(id="eligible", label="Eligible", kind="eligible", n=1))  # fmt: skip
    bare = replace(worded_result(), flow=flow, table_one=(), analyses=(), estimates=(), blocks=())
    assert words(worded_plan(), bare) == "Of 1 record, 1 patient was eligible."
    assert words(worded_plan(), replace(bare, flow=())) == ""


def test_models_predictions_and_clusters_have_words():
    told = words(bench_plan(), bench_result())
    assert "Across the" in told
    assert "The c-statistic was" in told
    assert not FORBIDDEN.search(told)


ENDS = st.floats(-4.0, 4.0)


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.tuples(ENDS, ENDS, ENDS, st.floats(0.0, 1.0)), min_size=24, max_size=24),
    style=st.sampled_from(sorted(STYLES)),
    open_end=st.booleans(),
)
def test_no_verdict_is_ever_written_from_a_p_value(values, style, open_end):
    result = worded_result()
    rows = []
    for row, (first, second, third, p) in zip(result.estimates, values * 3, strict=False):
        low, value, high = sorted((first, second, third))
        item = row.estimate
        if item.scale == "identity":
            low, value, high = low / 8, value / 8, high / 8
        if item.interval is None:
            item = replace(item, p_value=p)
        else:
            limits = Interval(low, inf if open_end else high, 0.95, item.interval.kind)
            item = replace(item, value=value, interval=limits, p_value=None if item.p_value is None else p)
        rows.append(replace(row, estimate=item))
    document = compose(replace(result, estimates=tuple(rows)), worded_plan(), style=style)
    found = FORBIDDEN.search(document_words(document))
    assert not found, found
