"""Who was studied, compared and followed for what, in the words of a methods section; from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.identity_nodes import Registration, Study
from counterpulse.protocol.plan import PlannedCriterion, PlannedOutcome
from counterpulse.protocol.reporting import guidelines_of
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.chapters.wording import ended, inside, quoted, sentence
from counterpulse.report.document import Paragraph, Run

DESIGNS = {
    "cohort": "cohort study",
    "randomized-trial": "randomized trial",
    "case-control": "case-control study",
    "single-arm": "single-arm study",
    "review": "systematic review with meta-analysis",
}
GUIDELINES = {
    "STROBE": "strobe-2007",
    "RECORD": "record-2015",
    "CONSORT-2025": "consort-2025",
    "PRISMA-2020": "prisma-2020",
    "TARGET": "target-2025",
}
"""The works behind the guidelines whose checklists the report fills in."""
PLANNED = {
    "after-data": "The analyses were planned after the data had been seen and are therefore exploratory.",
}
IMMORTAL = (
    "Because treatment could begin after time zero, a patient had to survive until it began in order to be counted as treated; "
    "crediting this immortal time to the treatment biases a comparison in its favor."
)


def design_paragraphs(speech: Speech) -> list[Paragraph]:
    """Design, setting, registration, when the plan was made, ethics, and the guidelines followed."""
    study = speech.plan.protocol.study
    first = [f"This {speech.is_} a {DESIGNS.get(study.design, study.design)}."]
    if study.setting:
        first.append(f"Setting: {ended(study.setting)}")
    return [paragraph(*first, *_registration(speech)), paragraph(*_ethics(speech), *_guidelines(speech))]


def registered(study: Study) -> str:
    """Registry, number, date and address; or that there is none."""
    known = study.registration
    if not isinstance(known, Registration):
        return "Not registered"
    return ", ".join(filter(None, (f"{known.registry} {known.id}", known.date, known.link)))


def registration_sentence(study: Study, *, proof: tuple[str, str] = ("", "")) -> str:
    """Where the study was registered, or that it was not, each with what it proves or leaves unproven."""
    known = study.registration
    if not isinstance(known, Registration):
        return f"This study was not registered{proof[1]}."
    when = f" on {known.date}" if known.date else ""
    return f"The study was registered at {known.registry} ({known.id}){when}{proof[0]}."


def _registration(speech: Speech) -> Iterator[str]:
    study, tense = speech.plan.protocol.study, speech.tense
    yield registration_sentence(study)
    plans = dict.fromkeys(analysis.planned for analysis in speech.plan.analyses)
    version = f" (version {study.version}{f', {study.date}' if study.date else ''})" if study.version else ""
    if "after-data" in plans and len(plans) == 1:
        yield PLANNED["after-data"]
        return
    seen = (
        "the protocol does not state that outcomes were unseen when it was written"
        if study.data_seen_before_plan
        else "it was written before anybody had seen the outcomes"
    )
    yield f"{'The' if 'after-data' in plans else 'All'} analyses {speech.are} specified in a written protocol{version}; {seen}."
    if "after-data" in plans:
        late = [analysis.id for analysis in speech.plan.analyses if analysis.planned == "after-data"]
        yield f"{_analyses(late)} {'were' if len(late) > 1 else 'was'} added after the data had been seen."
    amendments = len(speech.plan.protocol.amendments)
    if amendments and tense == "past":
        yield f"The protocol was amended {_times(amendments)}; every amendment is listed on the first page."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _analyses(ids: list[str]) -> str:
    return f"Analys{'is' if len(ids) == 1 else 'es'} {listed(ids)}"


def _ethics(speech: Speech) -> Iterator[str]:
    ethics = speech.plan.protocol.study.ethics
    if ethics:
        yield ended(ethics)


def _guidelines(speech: Speech) -> Iterator[Run]:
    study = speech.plan.protocol.study
    names = guidelines_of(study.reporting, study.design)
    if names:
        named = listed([name.replace("-", " ") for name in names])
        statements = "statement" if len(names) == 1 else "statements"
        yield speech.run(f"Reporting follows the {named} {statements},", *(GUIDELINES[name] for name in names))
        yield speech.run("and statistics are reported after the SAMPL guidelines.", "sampl-2015")
    else:
        yield speech.run("Statistics are reported after the SAMPL guidelines.", "sampl-2015")


def eligibility_paragraphs(speech: Speech) -> list[Paragraph]:
    """Inclusion, exclusion, and patients whom a rule could not judge."""
    criteria = speech.plan.criteria
    found: list[str] = []
    for kind, start in (
        ("include", f"Patients {speech.were} included if they {speech.either('met', 'meet')} {{all}}: "),
        ("exclude", f"Patients {speech.were} excluded for {{any}}: "),
    ):
        texts = [inside(item.text.rstrip(".")) for item in criteria if item.kind == kind]
        if texts:
            words = {"all": "all of the following", "any": "any of the following"}
            if len(texts) == 1:
                words = {"all": "this criterion", "any": "this reason"}
            found.append(f"{start.format(**words)}{listed(texts, ';')}.")
    if len(criteria) > 1:
        found.append(
            f"The criteria {speech.were} applied in this order, and each patient {speech.was} counted at the first one not met."
        )
    found.append(_unknown(speech, criteria))
    return [paragraph(*found)] if found else []


def _unknown(speech: Speech, criteria: tuple[PlannedCriterion, ...]) -> str:
    """What became of patients whom a rule could not judge."""
    parts = []
    for rule, words in (("keep-patient", "kept"), ("remove-patient", "excluded")):
        concerned = [quoted(inside(item.text.rstrip("."))) for item in criteria if item.if_unknown == rule]
        if concerned:
            parts.append(f"{words} where the open criterion {speech.is_} {listed(concerned).replace(' and ', ' or ')}")
    if not parts:
        return ""
    return f"Patients in whom missing values {speech.either('left', 'leave')} a criterion open {speech.were} {listed(parts)}."


def exposure_paragraphs(speech: Speech) -> list[Paragraph]:
    """Time zero, the groups, how treatment was assigned, populations, and immortal time."""
    plan, said = speech.plan, []
    if plan.time_zero:
        said.append(
            f"Time zero {speech.is_} defined as {_moment(plan.time_zero)}; eligibility, treatment, and follow-up {speech.were} "
            "counted from it."
        )
    if plan.groups:
        others = [group.label for group in plan.groups if not group.is_reference]
        verb = speech.was if len(others) == 1 else speech.were
        said.append(f"{listed(others)} {verb} compared with {speech.group(plan.reference)} (the reference group).")
        said.append(_assigned(speech))
    said += [
        f"{population.label} {speech.is_} defined as: {ended(population.english)}"
        for population in plan.populations.values()
    ]
    immortal = immortal_time_paragraph(speech)
    return [*([paragraph(*said)] if said else []), *([immortal] if immortal else [])]


def _assigned(speech: Speech) -> str:
    groups = speech.plan.protocol.groups
    by_chance = groups is not None and groups.assigned_by == "randomization"
    return f"Treatment {speech.is_} assigned {'at random' if by_chance else 'by the treating clinicians'}."


def _moment(time_zero: str) -> str:
    return f"the moment {quoted(inside(time_zero))}"


def immortal_time_paragraph(speech: Speech) -> Paragraph | None:
    """The plan for the time that the treated had to survive to be treated, and what it means."""
    nodes = speech.plan.protocol
    if nodes.exposure is None:
        return None
    if nodes.exposure.timing == "unknown":
        return paragraph(
            speech.run(IMMORTAL, "suissa-2008"),
            "The start of treatment was not recorded, so immortal time could not be removed, and the comparison may favor the "
            "treated for this reason alone.",
        )
    if nodes.immortal_time is None:
        return None
    marks = listed([str(mark) for mark in nodes.immortal_time.at])
    plan = {
        "landmark": (
            f"A landmark analysis {speech.is_} therefore planned: patients who {speech.either('died or left', 'die or leave')} follow-up before the landmark "
            f"({marks} after time zero) {speech.were} left out, and the others {speech.were} grouped by the treatment "
            f"{speech.either('they had received by then, whatever they received', 'received by then, whatever is received')} later. The estimates apply to patients alive and under observation at the "
            "landmark.",
            "anderson-1983",
        ),
        "time-varying": (
            f"Treatment {speech.was} therefore analyzed as a time-varying exposure: the follow-up of each patient {speech.was} "
            f"counted as untreated until treatment {speech.either('began', 'begins')} and as treated from then on.",
            "mantel-byar-1974",
        ),
        "clone-censor-weight": (
            f"Two strategies {speech.were} therefore compared from time zero on: to begin treatment within a grace period of "
            f"{nodes.immortal_time.grace}, and never to begin it. Each patient {speech.was} cloned to both, and a clone {speech.was} censored when it "
            f"{speech.either('left', 'leaves')} its strategy, so that survival until treatment {speech.is_} counted for both.",
            "hernan-2018",
        ),
        "sequential-trials": (
            f"A sequence of trials, one every {nodes.immortal_time.every}, {speech.was} therefore emulated: in each, patients who "
            f"{speech.either('began', 'begin')} treatment in its first period {speech.were} compared with those who {speech.either('did', 'do')} not, among all still untreated and "
            f"under observation; follow-up {speech.is_} counted from there.",
            "hernan-2008",
        ),
        "ignore-and-report": (
            f"This immortal time {speech.was} not removed; its amount is reported, and the estimates are to be read as favoring "
            "the treated.",
            None,
        ),
    }.get(nodes.immortal_time.plan)
    return None if plan is None else paragraph(speech.run(IMMORTAL, "suissa-2008"), speech.run(*plan))


def outcome_paragraphs(speech: Speech) -> list[Paragraph]:
    """The primary outcome, then the others: definition, horizon, competing events, deaths."""
    outcomes = [item for item in speech.plan.outcomes.values() if item.of_group is None]
    found = []
    for primary in (True, False):
        own = [item for item in outcomes if item.primary is primary]
        if own:
            kind = "primary" if primary else "secondary" if any(item.primary for item in outcomes) else ""
            words = f"The {kind} outcome".replace("  ", " ")
            start = f"{words} {speech.is_}" if len(own) == 1 else f"{words}s {speech.are}"
            found.append(
                paragraph(f"{start} {listed([_outcome(speech, item) for item in own], ';')}.", *_deaths(speech, own))
            )
    return found


def _outcome(speech: Speech, outcome: PlannedOutcome) -> str:
    unit = f" in {outcome.unit}" if outcome.unit else ""
    defined = outcome.definition.partition(";")[0] if outcome.truncation else outcome.definition
    told = outcome.label.casefold()
    defined = "" if defined.casefold() in (told, f"{told} is yes") else defined
    horizon = f"events up to {_horizon(speech, outcome)}" if outcome.horizon is not None else ""
    competing = f"with {outcome.competing} as a competing event" if outcome.competing else ""
    better = f"{outcome.better} is better" if outcome.better == "higher" else ""
    inner = "; ".join(filter(None, (inside(defined), horizon, competing, better)))
    return f"{inside(outcome.label)}{unit}{f' ({inner})' if inner else ''}"


def _horizon(speech: Speech, outcome: PlannedOutcome) -> str:
    """The horizon as the researcher wrote it, else in the unit of the analysis."""
    node = speech.plan.protocol.outcomes.get(outcome.name)
    if node is not None and node.horizon is not None:
        return str(node.horizon)
    return f"{speech.number(outcome.horizon or 0.0)} {outcome.time_unit or ''}".rstrip()


def _deaths(speech: Speech, outcomes: list[PlannedOutcome]) -> Iterator[Run]:
    for item in outcomes:
        if item.truncation is None:
            continue
        label = sentence(inside(item.label))
        plan = {
            "worst-rank": (
                f"{label} is cut short by death; death {speech.was} ranked worse than any value of a survivor.",
                "lachin-1999",
            ),
            "survivors-only": (
                f"{label} {speech.was} analyzed in survivors only, who are not comparable between the groups if treatment "
                "affects survival.",
                "rubin-2006",
            ),
            "competing": (f"Death {speech.was} a competing event of {inside(item.label)}.", None),
        }.get(item.truncation.plan)
        if plan is not None:
            yield speech.run(*plan)
