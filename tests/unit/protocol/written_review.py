"""A protocol of a review that writes every key, and the dictionary of its table."""

from __future__ import annotations

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.errors import ProtocolError
from counterpulse.protocol.lint import lint
from counterpulse.protocol.lint_review import NUMBERS

REVIEW = """\
protocol: 1
study: {id: pumps, title: Pumps in shock, design: review, registration: none, data_seen_before_plan: yes}
data: {table: pumps.csv, dictionary: pumps.dictionary.csv, one_row_per: effect}
question:
  population: adults with cardiogenic shock
  exposure: balloon pump
  comparator: no pump
  outcomes:
    death: {label: Death, better: lower, control_risk: 0.4, important: 0.9}
    stay: {label: Days in hospital, measure: mean difference, unit: days, better: lower}
  designs: randomized trials and cohorts
  search: Medline to May 2026
screening:
  identified: {databases: 860}
  removed: {duplicates: 60}
  screened: 800
  excluded: {no shock: 700, no pump: 50}
  sought: 50
  not_retrieved: 1
  full_text: 49
  full_text_excluded: {no comparison: 40}
  included: {studies: 9, reports: 9}
  other_methods: {identified: {citations: 12}, sought: 2, not_retrieved: 0, full_text: 2, full_text_excluded: 1}
  previous: {studies: 0}
overlap: {registry: registry, keep: first}
effects:
  measure: odds ratio
  treated: Balloon pump
  control: Control
  zero_cells: {add: 0.5, when: any study has a zero}
  peto: no
  smd: cohen
  proportion: arcsine
  convert: [{from: hazard ratio, control_risk: 0.4}, {from: risk ratio, as_it_is: yes}]
  other_measures: leave-out
  shared_control: combine
  second_extraction: second.csv
  bias: {column: design, of: {plain: {bias: -0.1, sd: 0.2, inflate: 1.5, reason: Welton 2009}}}
  bundles: [{study: Ours, bundle: ours-report, estimate: A1.death.pump.odds-ratio, outcome: death, columns: {design: plain}}]
risk_of_bias: {tool: newcastle-ottawa, columns: [selection, comparability], overall: overall}
certainty:
  tool: grade
  start: low
  judged: {death: {indirectness: {rating: not serious, reason: all in shock}}}
analyses:
  - {id: M1, role: primary, outcome: death, tau2: REML, keep: design = "plain"}
  - {id: M2, role: sensitivity, of: M1, model: mantel-haenszel}
subgroups: {of: M1, by: [design]}
multiverse: {of: M1, vary: {Variance: {REML: {}, DL: {tau2: DL}}}}
"""
REVIEW_SLIPS = {
    "an unknown key of the question": ("  comparator: no pump", "  comparator: no pump\n  comparater: none", "E2"),
    "no population": ("  population: adults with cardiogenic shock\n", "", "E2"),
    "an unknown measure": ("  measure: odds ratio\n", "  measure: odd ratio\n", "E2"),
    "an unknown measure of an outcome": ("measure: mean difference", "measure: mean diference", "E2"),
    "a risk above 1": ("control_risk: 0.4, important", "control_risk: 40, important", "E2"),
    "a count that is none": ("screened: 800", "screened: many", "E2"),
    "a negative count": ("screened: 800", "screened: -800", "E2"),
    "a log beside counts": ("  screened: 800", "  log: log.csv\n  screened: 800", "E2"),
    "an unknown way of overlap": ("keep: first}", "keep: frist}", "E2"),
    "an unknown registry": ("overlap: {registry: registry", "overlap: {registry: registri", "E"),
    "a registry of another type": ("overlap: {registry: registry", "overlap: {registry: estimate", "E"),
    "an unknown correction": ("when: any study has a zero", "when: always", "E2"),
    "an unknown conversion": ("{from: hazard ratio,", "{from: hazrd ratio,", "E2"),
    "a bias without its source": (", reason: Welton 2009}", "}", "E2"),
    "a bias with an empty source": ("reason: Welton 2009", "reason: ' '", "E2"),
    "a variance that shrinks": ("inflate: 1.5", "inflate: 0.5", "E2"),
    "an unknown column of designs": ("bias: {column: design", "bias: {column: desing", "E"),
    "an outcome of a bundle": ("outcome: death, columns", "outcome: deth, columns", "E233"),
    "an unknown tool": ("tool: newcastle-ottawa", "tool: newcastle", "E2"),
    "an unknown domain of bias": ("[selection, comparability]", "[selection, comparabilty]", "E"),
    "a domain of no stars": ("[selection, comparability]", "[selection, year]", "W883"),
    "an unknown judgment of the whole": ("overall: overall}", "overall: overal}", "E"),
    "an unknown domain of GRADE": ("{indirectness: {rating", "{indirectnes: {rating", "E2"),
    "an unknown rating": ("rating: not serious", "rating: not srious", "E2"),
    "a judgment without its reason": ("{rating: not serious, reason: all in shock}", "{rating: not serious}", "E2"),
    "a judgment of no outcome": ("judged: {death:", "judged: {deth:", "E233"),
    "an analysis of no outcome": ("role: primary, outcome: death", "role: primary, outcome: deth", "E233"),
    "no question": (REVIEW[REVIEW.index("question:") : REVIEW.index("screening:")], "", "E801"),
    "groups": (
        "subgroups:",
        "groups: {variable: design, treated: {plain: Plain}, reference: {rct: Trial}}\nsubgroups:",
        "E802",
    ),
    "time zero": ("subgroups:", "time_zero: year\nsubgroups:", "E802"),
    "outcomes of patients": ("subgroups:", "outcomes: {dead: {type: binary, event: peto = yes}}\nsubgroups:", "E802"),
    "confounders": ("subgroups:", "confounders: {baseline: [year]}\nsubgroups:", "E802"),
    "private counts": ("subgroups:", "privacy: {small_cells: 5}\nsubgroups:", "E802"),
    "adjustment": ("outcome: death, tau2", "outcome: death, adjust: [year], tau2", "E802"),
    "a propensity score": ("outcome: death, tau2", "outcome: death, missing_data: complete-case, tau2", "E802"),
}
_TEXT = {"study", "outcome", "registry", "selection", "comparability", "overall"}
_NAMES = ("study", "outcome", "registry", "design", "selection", "comparability", "overall", "year", *NUMBERS)


def review_dictionary(without=(), kinds=None):
    kind = dict.fromkeys(_TEXT, "text") | {"design": "category"} | (kinds or {})
    levels = {"design": {"rct": "Trial", "plain": "Unmatched cohort"}}
    variables = {
        name: Variable(
            name=name, type=kind.get(name, "number"), source=name, label=name, unit=None, levels=levels.get(name)
        )
        for name in _NAMES
        if name not in without
    }
    return Dictionary(variables, "pumps.dictionary.csv", "sha256:0")


def review_findings(read, text, dictionary=None):
    """What is found of the text of a protocol."""
    try:
        return lint(read(text, "review.yaml"), dictionary or review_dictionary())
    except ProtocolError as error:
        return error.findings
