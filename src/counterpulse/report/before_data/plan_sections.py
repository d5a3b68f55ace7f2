"""The sections of an analysis plan around the methods: objectives, flow, baseline, principles, checks, signatures."""

from __future__ import annotations

from importlib.metadata import version

from counterpulse.protocol.plan import Plan
from counterpulse.report.chapters.context import Counter
from counterpulse.report.chapters.speech import Cite, Speech, listed
from counterpulse.report.chapters.supplement.provenance import choices_table
from counterpulse.report.chapters.wording import inside, sentence
from counterpulse.report.document import (
    Block,
    Cell,
    Definitions,
    Listing,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    columns_of,
    text,
)

SIGNERS = ("Author of the plan", "Senior statistician", "Chief investigator")
BLANK = ""
LINES = (26, 26, 12)
"""How many strokes make the lines for a name, a signature and a date."""


def objectives_section(plan: Plan) -> Section:
    """What the primary analysis asks, and the other questions in order."""
    speech = Speech(plan, tense="future")
    found: list[Block] = []
    primary = [item for item in plan.analyses if item.role == "primary"]
    if plan.groups and primary:
        others = listed([group.label for group in plan.groups if not group.is_reference])
        asked = listed([speech.outcomes(item) for item in primary])
        found.append(
            text(f"The primary question is how {others} compares with {speech.group(plan.reference)} as to {asked}.")
        )
    elif primary:
        found.append(text(f"The primary question is about {listed([speech.outcomes(item) for item in primary])}."))
    first = {name for item in primary for name in item.outcomes}
    further = list(dict.fromkeys(name for item in plan.analyses if item.role == "secondary" for name in item.outcomes))
    further = [speech.outcome(name) for name in further if name not in first]
    if further:
        found.append(text(f"Secondary questions are about {listed(further, ';' if len(further) > 2 else ',')}."))
    found.append(text("Background and rationale are to be written by the investigators."))
    return Section(id="objectives", title="Introduction and objectives", blocks=tuple(found))


def flow_section(plan: Plan) -> Section:
    """What the flow diagram will show."""
    steps = [item.text.rstrip(".") for item in plan.criteria]
    screened = plan.protocol.eligibility.screened
    words = (
        "A flow diagram will show the records read, those removed by each criterion in the order given, with how many each one "
        "concerns alone and in how many it cannot be judged, the patients eligible, and for the primary analysis those whom its "
        "design or a missing value leaves out, by group."
    )
    found: list[Block] = [text(words)]
    if screened is not None:
        found.append(text(f"Screened: {screened.count}{f' ({screened.source})' if screened.source else ''}."))
    if steps:
        found.append(Listing(tuple(text(sentence(step)) for step in steps), ordered=True))
    return Section(id="flow-plan", title="Screening and flow of patients", blocks=tuple(found))


def baseline_section(plan: Plan) -> tuple[Section, ...]:
    """The characteristics of Table 1, by name."""
    planned = plan.table_one
    if planned is None:
        return ()
    labels = [_labeled(plan, name) for name in planned.variables]
    by = " by group" if plan.groups else ""
    overall = " and for all patients" if plan.groups and planned.overall else ""
    words = text(f"Table 1 will describe these characteristics{by}{overall}:")
    return (
        Section(
            id="baseline",
            title="Baseline characteristics",
            blocks=(words, text(listed(labels, ";" if len(labels) > 2 else ",") + ".")),
        ),
    )


def _labeled(plan: Plan, name: str) -> str:
    variable = plan.variables.get(name)
    if variable is None:
        return name
    return f"{inside(variable.label)} ({variable.unit})" if variable.unit else inside(variable.label)


def populations_section(plan: Plan, counter: Counter) -> Section:
    """Who is in each analysis."""
    names = {"eligible": "All eligible patients", **{name: item.label for name, item in plan.populations.items()}}
    definitions = tuple((item.label, text(f"{sentence(item.english)}.")) for item in plan.populations.values())
    rows = tuple(
        Row(
            (
                Cell(f"{item.id}. {item.label}"),
                Cell(names.get(item.population, item.population)),
                Cell(_sample(item.composition)),
            )
        )
        for item in plan.analyses
    )
    table = Table(
        id="analyzed",
        label=counter.table(),
        title="Who is in each analysis",
        columns=columns_of(("Analysis", "Population", "Sample")),
        rows=rows,
    )
    defined: tuple[Block, ...] = (Definitions(definitions),) if definitions else ()
    return Section(id="populations", title="Analysis populations", blocks=(*defined, table))


def _sample(composition: tuple[str, ...]) -> str:
    return sentence(composition[0]) if composition else "As observed"


def principles_section(plan: Plan) -> Section:
    """Level, sides, intervals, multiplicity, framework."""
    alpha, hypothesis = plan.protocol.alpha, plan.protocol.hypothesis
    levels = sorted({item.level for item in plan.analyses})
    entries = [
        ("Significance level", f"Two-sided, {alpha:g} in each analysis."),
        ("Confidence intervals", f"Two-sided, with level {listed([f'{100 * level:g}%' for level in levels])}; every estimate is given with one."),
        ("Multiplicity", _multiplicity(plan)),
        ("Framework", _framework(plan) if hypothesis is not None else "Estimation: no margin and no formal hypothesis is stated in the protocol."),
        ("P values", "Given exactly; none is read as evidence of no effect. In subgroups one test of interaction is made for each variable."),
    ]  # fmt: skip
    return Section(
        id="principles",
        title="Statistical principles",
        blocks=(Definitions(tuple((term, text(words)) for term, words in entries)),),
    )


def _framework(plan: Plan) -> str:
    hypothesis = plan.protocol.hypothesis
    if hypothesis is None:
        return ""
    margin = f", margin {hypothesis.margin:g}" if hypothesis.margin is not None else ""
    on = f" on the {hypothesis.on}" if hypothesis.on else ""
    return f"{sentence(hypothesis.type)}{on}{margin}."


def _multiplicity(plan: Plan) -> str:
    adjusted = [
        f"{item.id} by the method of {item.multiplicity.capitalize()}"
        for item in plan.analyses
        if item.multiplicity != "none"
    ]
    others = (
        "No other P value is adjusted."
        if adjusted
        else "No P value is adjusted for multiplicity; the primary analysis is named beforehand."
    )
    return f"Adjusted: {listed(adjusted)}. {others}" if adjusted else others


def missing_section(plan: Plan) -> tuple[Section, ...]:
    """Analyses of which the protocol does not yet say what becomes of missing values."""
    unsaid = [item.id for item in plan.analyses if item.missing is None]
    if not unsaid:
        return ()
    which = "is" if len(unsaid) == 1 else "are"
    words = (
        f"For {listed(unsaid)} the protocol does not say what becomes of patients with a missing value. If there {which} any, these "
        "analyses stop and ask for a decision, which is then recorded as an amendment; none is made silently."
    )
    return (Section(id="missing-open", title="Missing values: open decisions", blocks=(text(words),)),)


def assumptions_section(plan: Plan) -> Section:
    """Which assumptions are checked, and that no check chooses an analysis."""
    checked = [
        (item.id, ", ".join(check.replace("-", " ") for check in item.checks)) for item in plan.analyses if item.checks
    ]
    entries = tuple((name, text(f"{sentence(words)}.")) for name, words in checked)
    rule = (
        "No check and no preliminary test chooses an analysis. The planned analysis is reported whatever a check shows, with the "
        "check beside it; another analysis is added only as an amendment, marked as planned after the data were seen. Where an "
        "estimate does not exist, as in separation or when a curve does not reach its median, that is reported in its place "
        "with the reason."
    )
    blocks: list[Block] = [Definitions(entries)] if entries else [text("The protocol names no check of an assumption.")]
    return Section(id="assumptions", title="Checks of assumptions", blocks=(*blocks, text(rule)))


def software_section(plan: Plan) -> Section:
    """The program, its seed, and how the inputs are identified."""
    seed = plan.protocol.seed
    drawn = (
        f" Random numbers start from the seed {seed}."
        if seed is not None
        else " No seed is set; methods that need random numbers take a fixed one."
    )
    words = (
        f"The analyses will be carried out by Counterpulse from the protocol itself; this plan was written with version "
        f"{version('counterpulse')}, and the report names the versions used.{drawn} The report prints the digests of protocol, dictionary "
        "and data: with the same inputs and versions it can be made again, number by number."
    )
    return Section(id="software", title="Software and reproducibility", blocks=(text(words),))


def amendments_section(plan: Plan, counter: Counter) -> Section:
    """Every amendment, with when and why."""
    if not plan.protocol.amendments:
        return Section(id="amendments", title="Revisions", blocks=(text("This plan has not been revised."),))
    rows = tuple(
        Row(
            (
                Cell(item.id or BLANK),
                Cell(item.date),
                Cell(item.what),
                Cell(item.why),
                Cell("yes" if item.after_data_seen else "no"),
            )
        )
        for item in plan.protocol.amendments
    )
    heads = ("No.", "Date", "What was changed", "Why", "After outcomes were seen")
    table = Table(
        id="amendments-table", label=counter.table(), title="Revisions", columns=columns_of(heads), rows=rows,
    )  # fmt: skip
    return Section(id="amendments", title="Revisions", blocks=(table,))


def choices_section(plan: Plan, counter: Counter, cite: Cite) -> Section:
    """Every choice with its origin and source; a rule that needs data stands as its rule."""
    words = (
        "Given: written in the protocol. Default: the program's own, where the protocol says nothing. Derived: follows from "
        "another choice. What depends on the data stands as the rule that will decide it."
    )
    analyses = [(item.id, item.choices) for item in plan.analyses]
    table = choices_table(plan.choices, analyses, cite, counter.supplement())
    return Section(id="choices-section", title="Every choice", blocks=(text(words), table), new_page=True)


def signatures_section(counter: Counter) -> Section:
    """Lines to sign on."""
    heads = ("Role", "Name and affiliation", "Signature", "Date")
    table = Table(
        id="signatures-table",
        label=counter.table(),
        title="Signatures",
        columns=columns_of(heads),
        rows=tuple(Row((Cell(f"\n{role}"), *(Cell(f"\n{'_' * width}") for width in LINES))) for role in SIGNERS),
    )
    approved = Paragraph(
        (Run("By signing, each person approves this plan as identified by the digests on its first page."),)
    )
    return Section(id="signatures", title="Signatures", blocks=(approved, table), new_page=True)
