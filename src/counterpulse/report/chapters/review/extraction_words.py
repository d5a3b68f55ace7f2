"""How numbers were taken from the reports and made into effects, and how bias was judged; from the plan alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from counterpulse.protocol.nodes import Conversion, Effects
from counterpulse.protocol.planned_review import effects_of
from counterpulse.report.chapters.speech import Speech, listed, paragraph
from counterpulse.report.chapters.wording import ended, inside
from counterpulse.report.document import Paragraph, Run

TOOLS = {
    "newcastle-ottawa": "the Newcastle-Ottawa scale",
    "rob-2": "the revised Cochrane tool for randomized trials (RoB 2)",
    "robins-i": "the tool for nonrandomized studies of interventions (ROBINS-I)",
    "other": "the domains named in the protocol",
}
SMD = {
    "hedges": "divided by the pooled standard deviation and corrected for small samples (Hedges' g)",
    "cohen": "divided by the pooled standard deviation (Cohen's d)",
    "glass": "divided by the standard deviation of the comparator (Glass's delta)",
}
PROPORTIONS = {
    "logit": "on the logit scale", "arcsine": "after the arcsine transformation", "raw": "untransformed", "log": "on the logarithmic scale",
}  # fmt: skip
TOOL_WORKS = {"newcastle-ottawa": "stang-2010", "rob-2": "rob-2-2019", "robins-i": "robins-i-2016"}
OF_COUNTS = ("odds ratio", "risk ratio", "risk difference")
RATIOS = ("odds ratio", "risk ratio", "hazard ratio", "rate ratio", "ratio of means")


def any_of(words: Sequence[str]) -> str:
    """Words in a row, one of which is enough."""
    comma = ";" if any("," in word for word in words) else ","
    if len(words) < 3:
        return f"{comma if comma == ';' else ''} or ".join(words)
    return f"{f'{comma} '.join(words[:-1])}{comma} or {words[-1]}"


def eligibility_paragraphs(speech: Speech) -> list[Paragraph]:
    """Who, what and which designs; further criteria; where was searched."""
    question = speech.plan.protocol.question
    if question is None:
        return []
    found: list[Run | str | None] = [
        f"Studies {speech.were} eligible if they {speech.either('compared', 'compare')} {inside(question.exposure)} with {inside(question.comparator)} in "
        f"{inside(question.population)}, and {speech.either('reported', 'report')} {any_of([inside(item.label) for item in speech.plan.outcomes.values()])}."
    ]
    found.append(
        f"Eligible designs {speech.are}: {ended(question.designs)}"
        if question.designs
        else "The protocol does not restrict the designs of studies."
    )
    for kind, start in (("include", "Further criteria"), ("exclude", "Reasons for exclusion")):
        texts = [inside(item.text.rstrip(".")) for item in speech.plan.criteria if item.kind == kind]
        if texts:
            found.append(f"{start}: {listed(texts, ';')}.")
    return [paragraph(*found)]


def search_paragraphs(speech: Speech) -> list[Paragraph]:
    """What was searched, and how records were counted."""
    nodes = speech.plan.protocol
    question, screening = nodes.question, nodes.screening
    found = []
    if question is not None and question.search:
        found.append(f"Sources and dates of the search: {ended(question.search)}")
    else:
        found.append(
            "The protocol does not say which sources are searched, nor until when; this is to be written by the reviewers."
        )
    if screening is not None:
        how = "counted from the screening log" if screening.log is not None else "entered in the protocol"
        found.append(
            f"The numbers of records, reports and studies {speech.are} {how} and are shown in a PRISMA 2020 flow diagram."
        )
    if screening is not None and screening.previous is not None:
        found.append("This review updates an earlier version, whose studies are counted apart.")
    return [paragraph(*found)]


def extraction_paragraphs(speech: Speech) -> list[Paragraph]:
    """The extraction table, and what became of numbers in other formats, zero cells, shared controls and shared patients."""
    effects = effects_of(speech.plan.protocol)
    table = (
        f"The numbers of every study {speech.were} entered in an extraction table, one row an effect, with the place in the report "
        "where each number stands. A number that no report prints was left blank and is listed as missing; none was filled in."
    )
    table = table if speech.tense == "past" else table.replace("was left", "is left").replace("was filled", "is filled")
    return [
        paragraph(table, *_extractors(speech, effects)),
        paragraph(*_effects(speech, effects), *_conversions(speech, effects), *_dependence(speech, effects)),
    ]


def _extractors(speech: Speech, effects: Effects) -> Iterator[str]:
    if effects.second_extraction is not None:
        yield (
            f"A second extractor {speech.either('filled', 'will fill')} in the same table independently; agreement {speech.is_} given as the percentage of equal entries and, "
            "for judgments and other categories, as Cohen's kappa with its interval, and every difference is listed."
        )
    else:
        yield "The protocol names no second extraction."
    if effects.bundles:
        yield f"Effects of {listed([item.study for item in effects.bundles])} {speech.were} taken from the full-precision results of their own analysis."


def _effects(speech: Speech, effects: Effects) -> Iterator[Run | str]:
    review = speech.plan.review
    measures = list(dict.fromkeys(review.measures.values())) if review is not None else []
    by = [f"the {measure} for {speech.outcome(name)}" for name, measure in review.measures.items()] if review else []
    told = f"the {measures[0]}" if len(measures) == 1 else listed(by, ";" if len(by) > 2 else ",")
    yield f"The effect measure {speech.is_} {told}."
    if any(name in RATIOS for name in measures):
        yield "Ratios are pooled as logarithms and printed as ratios."
    if "odds ratio" in measures and effects.peto:
        yield f"Odds ratios of counts {speech.were} computed by Peto's method."
    if any(name in OF_COUNTS for name in measures):
        yield from _zero_cells(speech, effects)
    if "standardized mean difference" in measures:
        yield f"Mean differences {speech.were} {SMD[effects.smd]}."
    if "proportion" in measures:
        yield f"Proportions {speech.were} pooled {PROPORTIONS[effects.proportion]}."


def _zero_cells(speech: Speech, effects: Effects) -> Iterator[Run | str]:
    zero = effects.zero_cells
    when = {
        "a cell is zero": "to the cells of studies in which a cell is zero, and of no other study",
        "any study has a zero": "to the cells of all studies as soon as one of them has a zero cell",
    }.get(zero.when)
    if when is None or not zero.add:
        yield f"Nothing {speech.was} added to zero cells."
    else:
        yield speech.run(
            f"To compute effects from counts, {speech.number(zero.add)} {speech.was} added {when}.", "sweeting-2004"
        )
    yield "Studies without any event, or with events in everybody, say nothing about a ratio and are listed as not used; they count in risk differences."


def _conversions(speech: Speech, effects: Effects) -> Iterator[str]:
    if effects.convert:
        yield f"Different measures {speech.were} pooled only after a conversion that the protocol states: {listed([_conversion(item) for item in effects.convert], ';')}."
    else:
        yield f"Only effects of one measure {speech.were} pooled; nothing {speech.was} converted."
    if effects.other_measures == "leave-out":
        yield f"Rows that print another measure {speech.were} left out and are listed."
    yield "Rows in other formats (percentages, estimates with intervals or P values, medians, log-rank statistics) are marked in the table with what was assumed."


def _conversion(item: Conversion) -> str:
    risk = f", with a risk of {item.control_risk:g} in the comparator" if item.control_risk is not None else ""
    how = "taken as it is, as if the measures were the same" if item.as_it_is else f"converted{risk}"
    return f"the {item.source}, {how}"


def _dependence(speech: Speech, effects: Effects) -> Iterator[str]:
    shared = {
        "split": f"the patients of the shared comparator {speech.were} divided between the comparisons",
        "combine": f"the arms {speech.were} combined",
        "keep": f"all comparisons {speech.were} kept as they are, so that the patients of the comparator count more than once",
    }[effects.shared_control]
    yield f"Where several arms of a study share one comparator, {shared}."
    overlap = speech.plan.protocol.overlap
    if overlap is None:
        return
    label = speech.variable(overlap.registry)
    kept = {
        "largest": f"only the largest {speech.was} counted",
        "first": f"only the first in the table {speech.was} counted",
        "all": f"all {speech.were} counted, so that patients may count more than once",
    }[overlap.keep]
    yield f"Of studies whose patients come from the same source ({label}), {kept}."


def bias_paragraphs(speech: Speech) -> list[Paragraph]:
    """The tool, its domains, and that bias gives no weight."""
    tool = speech.plan.protocol.risk_of_bias
    review = speech.plan.review
    if tool is None or review is None:
        return []
    domains = listed([inside(label) for label in review.domains.values()])
    whole = (
        f"the judgment of the whole {speech.is_} that of the reviewers ({speech.variable(tool.overall)})"
        if tool.overall is not None
        else f"the judgment of the whole {speech.is_} that of the worst domain"
    )
    how = f"in these domains: {domains}; {whole}" if domains else f"as a whole, without its domains; {whole}"
    return [
        paragraph(
            speech.run(
                f"The risk of bias {speech.was} judged with {TOOLS[tool.tool]} {how}.",
                TOOL_WORKS.get(tool.tool),
            ),
            speech.run(
                f"Studies {speech.either('were', 'will')} not {speech.either('', 'be ')}weighted by their quality: how far and in which direction a judged flaw moves an effect is not known.",
                "greenland-o-rourke-2001",
            ),
        )
    ]


def certainty_paragraphs(speech: Speech) -> list[Paragraph]:
    """GRADE: where the rating begins, what is computed, what is judged."""
    certainty = speech.plan.protocol.certainty
    if certainty is None:
        return []
    tool = speech.plan.protocol.risk_of_bias
    usual = {
        "rob-2": "begins high, as bias is judged by a tool for randomized trials",
        "robins-i": "begins high, as ROBINS-I judges confounding",
    }.get(tool.tool if tool is not None else "", "begins high for randomized trials and low for other designs")
    start = {"high": "begins high", "low": "begins low"}.get(certainty.start or "", usual)
    return [
        paragraph(
            speech.run(f"The certainty of the evidence {speech.was} rated for each outcome by GRADE.", "guyatt-2008"),
            f"The rating {start}; the risk of bias, inconsistency, indirectness, imprecision, and publication bias may lower it.",
            "What can be computed of a domain is shown beside it, with the judgment that it suggests; every judgment is the reviewers' own, with "
            "its reason. An outcome with a domain that nobody has judged has no rating.",
        )
    ]
