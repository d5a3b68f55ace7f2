"""A review: its question, the columns of its table, and what a review does not have."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.protocol.desk import Desk
from counterpulse.protocol.review_nodes import RiskOfBias
from counterpulse.source.yaml_file import YamlPath

OF_PATIENTS = (
    "tables", "time_zero", "groups", "exposure", "immortal_time", "follow_up", "populations", "flow", "outcomes", "confounders", "table1",
    "describe", "missing_data", "hypothesis", "trial", "intercurrent_events", "rehearsal", "robustness", "privacy",
)  # fmt: skip
OF_REVIEWS = ("question", "screening", "overlap", "effects", "risk_of_bias", "certainty")
OF_PATIENT_ANALYSES = (
    "adjust", "models", "main_model", "same_rows", "screen", "population", "clusters", "propensity", "estimand", "also",
    "missing_data", "immortal_time", "check", "draw",
)  # fmt: skip
STUDY, OUTCOME = "study", "outcome"
NUMBERS = (
    "events_treated", "n_treated", "events_control", "n_control", "percent_treated", "percent_control", "mean_treated",
    "sd_treated", "mean_control", "sd_control", "median_treated", "q1_treated", "q3_treated", "minimum_treated",
    "maximum_treated", "median_control", "q1_control", "q3_control", "minimum_control", "maximum_control", "estimate",
    "conf_low", "conf_high", "conf_level", "std_error", "p_value", "observed_minus_expected", "variance", "correlation", "n",
    "yi", "vi", "time_treated", "time_control", "events", "time",
)  # fmt: skip
YES_NO = ("reversed", "complement", "p_below")
SERIOUS = ("not serious", "serious", "very serious", "extremely serious")
RATINGS: Mapping[str, tuple[str, ...]] = {
    "risk of bias": SERIOUS, "inconsistency": SERIOUS, "indirectness": SERIOUS, "imprecision": SERIOUS,
    "publication bias": ("undetected", "strongly suspected"), "large effect": ("no", "yes", "very large"), "dose response": ("no", "yes"),
    "confounding against the effect": ("no", "yes"),
}  # fmt: skip
"""The words for each domain of GRADE."""
STAR_DOMAINS = ("selection", "comparability", "outcome", "exposure")
TEXTS = ("source", "quote", "extractor", "note", "treated", "control", "measure", "format", "sign")
"""Columns of an extraction table by the names that mean something; all others may be moderators, designs, judgments."""


def lint_review(desk: Desk) -> None:
    """Check a review; of another design only that it says nothing of one."""
    if desk.nodes.study.design != "review":
        _foreign(
            desk, OF_REVIEWS, f"a {desk.nodes.study.design} has patients and no", "write design: review, or take it out"
        )
        return
    _foreign(desk, OF_PATIENTS, "a review has studies and no", "take it out")
    if desk.nodes.question is None:
        desk.report("E801", (), "`question` is missing: what the review asks",
                    allowed="question: with population, exposure, comparator and outcomes",
                    remedy="add a line such as `question: {population: …, exposure: …, comparator: …, outcomes: [death]}`")  # fmt: skip
        return
    _columns(desk)
    _registry(desk)
    if desk.nodes.risk_of_bias is not None:
        _bias(desk, desk.nodes.risk_of_bias)
    _analyses(desk)
    _effects(desk)
    _certainty(desk)


def _foreign(desk: Desk, keys: tuple[str, ...], seen: str, remedy: str) -> None:
    for key in keys:
        if key in desk.nodes.model_fields_set and getattr(desk.nodes, key):
            desk.report("E802", (key,), f"{seen} `{key}`", key=True, remedy=remedy)


def _columns(desk: Desk) -> None:
    needed = {STUDY: "the name of each study"}
    outcomes = desk.nodes.question.every_outcome if desk.nodes.question else {}
    if len(outcomes) > 1:
        needed[OUTCOME] = "the outcome that a row is about"
    for name, what in needed.items():
        if name not in desk.dictionary:
            desk.report("E803", ("data", "dictionary"), f"the dictionary has no variable `{name}`: {what}",
                        allowed="an extraction table has study and outcome, and the numbers of each effect",
                        remedy=f"add `{name}` to the dictionary; its `source` is the header in the table")  # fmt: skip
    for names, kinds, allowed in (
        (NUMBERS, ("number",), "a number"),
        (YES_NO, ("yesno", "yes-no"), "yes or no (type yesno)"),
    ):
        for name in names:
            if name in desk.dictionary and desk.scope[name].kind not in kinds:
                desk.report("E804", ("data", "dictionary"), f"`{name}` is a variable of type {desk.scope[name].kind}",
                            allowed=allowed, remedy="correct its type in the dictionary")  # fmt: skip


def _registry(desk: Desk) -> None:
    overlap = desk.nodes.overlap
    if overlap is not None:
        desk.variable_of(("overlap", "registry"), overlap.registry, ("text", "category", "id"), "a text or a category")


def _bias(desk: Desk, tool: RiskOfBias) -> None:
    for index, name in enumerate(tool.columns):
        known = desk.variable(("risk_of_bias", "columns", index), name) is not None
        if known and tool.tool == "newcastle-ottawa" and not name.lower().startswith(STAR_DOMAINS):
            desk.report("W883", ("risk_of_bias", "columns", index), f"the name `{name}` tells no domain of the Newcastle-Ottawa scale, so its stars cannot be read",
                        allowed=f"names that begin with {', '.join(STAR_DOMAINS)}", remedy="rename the variable; its `source` stays the header in the table")  # fmt: skip
    if tool.overall is not None:
        desk.variable(("risk_of_bias", "overall"), tool.overall)


def _analyses(desk: Desk) -> None:
    outcomes: Mapping[str, object] = desk.nodes.question.every_outcome if desk.nodes.question else {}
    for index, analysis in enumerate(desk.nodes.analyses):
        path: YamlPath = ("analyses", index)
        for key in OF_PATIENT_ANALYSES:
            if key in analysis.model_fields_set:
                desk.report(
                    "E802", (*path, key), f"a review has studies and no `{key}`", key=True, remedy="take it out"
                )
        for number, name in enumerate(analysis.outcomes):
            place = (*path, "outcome") if len(analysis.outcomes) == 1 else (*path, "outcome", number)
            desk.needs("E233", place, "outcome", name, outcomes, "add it to the outcomes of `question`")


def _effects(desk: Desk) -> None:
    effects = desk.nodes.effects
    if effects is None or desk.nodes.question is None:
        return
    measures = {effects.measure} | {item.measure for item in desk.nodes.question.every_outcome.values() if item.measure}
    for index, conversion in enumerate(effects.convert):
        if measures == {conversion.source}:
            desk.report("E805", ("effects", "convert", index), f"the {conversion.source} is converted into itself",
                        remedy="take it out, or correct `measure`")  # fmt: skip
    if effects.bias is not None:
        desk.variable(("effects", "bias", "column"), effects.bias.column)
    for index, row in enumerate(effects.bundles):
        desk.needs("E233", ("effects", "bundles", index, "outcome"), "outcome", row.outcome,
                   desk.nodes.question.every_outcome, "add it to the outcomes of `question`")  # fmt: skip


def _certainty(desk: Desk) -> None:
    certainty, question = desk.nodes.certainty, desk.nodes.question
    for name in certainty.judged if certainty is not None and question is not None else ():
        desk.needs("E233", ("certainty", "judged", name), "outcome", name, question.every_outcome,  # type: ignore[union-attr]
                   "add it to the outcomes of `question`", key=True)  # fmt: skip
    for name, judged in certainty.judged.items() if certainty is not None else ():
        for domain, judgment in judged.items():
            if judgment.rating not in RATINGS[domain]:
                desk.report("E814", ("certainty", "judged", name, domain, "rating"), f"{domain} is judged '{judgment.rating}'",
                            allowed=", ".join(RATINGS[domain]), remedy="write one of these words")  # fmt: skip
