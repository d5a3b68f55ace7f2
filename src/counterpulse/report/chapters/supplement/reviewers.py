"""The first page for reviewers: what was planned, what was run, where it is shown, what was changed, and from which inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.data.terms import variables_of
from counterpulse.protocol.nodes import Amendment
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.context import PRINTED, Context
from counterpulse.report.chapters.methods.design_words import registration_sentence
from counterpulse.report.chapters.speech import listed
from counterpulse.report.chapters.supplement.places import linked, places_of
from counterpulse.report.chapters.supplement.shown import in_short, labels_of, labels_starting, shown
from counterpulse.report.chapters.wording import ended, inside, sentence
from counterpulse.report.document import (
    Block,
    Cell,
    Definitions,
    Footnote,
    Listing,
    Paragraph,
    Row,
    Run,
    Section,
    Table,
    columns_of,
    text,
)
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results import AnalysisRecord, Status

ONLY, SEED = "W711", "W712"
PLANNED = {
    "registered": "Registered",
    "stated": "Stated in the protocol",
    "after-data": "After the data were seen",
}
DESCRIBED = (
    ("participants", "Participant flow", "Descriptive"),
    ("selection", "Selection of studies (PRISMA 2020 flow)", "Descriptive"),
    ("included", "Included studies and extracted numbers", "Descriptive"),
    ("risk-of-bias-results", "Risk of bias of the studies", "Descriptive"),
    ("certainty-results", "Summary of findings and certainty", "Descriptive"),
    ("baseline", "Baseline characteristics", "Descriptive"),
    ("description", "Description", "Descriptive"),
    ("immortal-time", "Immortal time: naive and safe answers", "Sensitivity"),
    ("robustness", "Robustness", "Sensitivity"),
    ("imputation", "Imputation of missing values", "Descriptive"),
)
"""Sections that show what is no analysis of its own: their ids, titles and roles."""
SHOWN = "Shown in"
HEADS = ("Analysis", "Role", "Planned", "Run", SHOWN, "Amended by")
PROOF = ("; the registry, not this report, proves when", ", so no public record proves when it was planned")
"""What a registration proves, and what remains without one."""
IDENTITY = "A digest proves identity, not a date."


def reviewers_section(context: Context, sections: Sequence[Section], *, style: str) -> Section:
    """The page before all others; `sections` are those already composed, `style` the number style in force."""
    blocks: list[Block] = [
        text("What was planned, what was run, and where it is shown. Analyses are in the order of the protocol."),
        _table(context, sections),
        *_amendments(context),
        text("Overrides in force:"),
        Listing(tuple(text(words) for words in _overrides(context, style))),
        Definitions(tuple((term, Paragraph((Run(words, "code"),))) for term, words in _inputs(context))),
        text(f"{registration_sentence(context.plan.protocol.study, proof=PROOF)} {IDENTITY}"),
    ]
    return Section(id="reviewers", title="For reviewers: planned, run, shown", blocks=tuple(blocks), new_page=True)


def _table(context: Context, sections: Sequence[Section]) -> Table:
    ids = [item.id for item in context.plan.analyses]
    ran = {record.id: record for record in context.result.analyses}
    where = shown(sections, list(dict.fromkeys([*ids, *ran])))
    rows = [_row(context, item, ran.get(item.id), where[item.id]) for item in context.plan.analyses]
    rows += [_unplanned(record, where[record.id]) for record in ran.values() if record.id not in ids]
    rows += list(_described(context, sections))
    heads = HEADS if context.plan.protocol.amendments else HEADS[:-1]
    return Table(
        id="planned-run-shown",
        label="Table R1",
        title="Planned, run, shown",
        columns=columns_of(heads),
        rows=tuple(_linked(row, places_of(sections), len(heads)) for row in rows),
        footnotes=(
            Footnote(
                "",
                "Stated in the protocol: "
                + (
                    "whether results of studies were known when it was written is not said."
                    if context.plan.review is not None
                    else "the protocol does not state that outcomes were unseen when it was written."
                    if context.plan.protocol.study.data_seen_before_plan
                    else "before anybody had seen the outcomes, as the protocol says."
                ),
            ),
        )
        if any(item.planned == "stated" for item in context.plan.analyses)
        else (),
    )


def _linked(row: Row, places: Mapping[str, str], columns: int) -> Row:
    """A row whose place leads there."""
    return Row(
        tuple(
            linked(cell.text, places) if head == SHOWN else cell
            for head, cell in zip(HEADS[:columns], row.cells, strict=False)
        )
    )


def _row(context: Context, item: PlannedAnalysis, record: AnalysisRecord | None, where: Sequence[str]) -> Row:
    of = f" of {item.of}" if item.of else ""
    amended = [_name(amendment, k) for k, amendment in enumerate(context.plan.protocol.amendments, start=1) if _touches(amendment, item)]  # fmt: skip
    cells = (
        f"{item.id}. {item.label}{_outcomes(context, item)}",
        f"{sentence(item.role)}{of}",
        PLANNED.get(item.planned, item.planned),
        _run(context, item, record),
        in_short(where) or (EM_DASH if record is None else "Text only"),
        ", ".join(amended) or EM_DASH,
    )
    return Row(tuple(Cell(words) for words in cells))


def _outcomes(context: Context, item: PlannedAnalysis) -> str:
    """The outcomes, where the label does not name them."""
    labels = [context.outcome_label(name) for name in item.outcomes]
    missing = [label for label in labels if label.casefold() not in item.label.casefold()]
    return f": {inside(listed(missing))}" if missing and item.of is None else ""


def _run(context: Context, item: PlannedAnalysis, record: AnalysisRecord | None) -> str:
    """Whether an analysis was run, and whether its effects could be estimated."""
    if record is None:
        only = any(notice.code == ONLY for notice in context.result.warnings)
        return f"Not run{' (--only)' if only else ''}"
    effects = [
        row
        for row in context.rows(item.id)
        if row.role != "covariate" and row.subgroup is None and row.estimate.reference is not None
    ]
    failed = [row for row in effects if not context.printed(row)]
    if not failed:
        notes = dict.fromkeys(
            row.estimate.status.code.replace("-", " ") for row in effects if row.estimate.status not in PRINTED
        )
        return f"Yes ({', '.join(notes)})" if notes else "Yes"
    reasons = ", ".join(
        "not shown (small counts)" if status is Status.SMALL_CELL else f"could not be estimated ({status.code})"
        for status in dict.fromkeys(row.estimate.status for row in failed)
    )
    whole = "" if len(failed) == len(effects) else f" for {len(failed)} of {len(effects)} effects"
    return f"Yes; {reasons}{whole}"


def _unplanned(record: AnalysisRecord, where: Sequence[str]) -> Row:
    """A result that no plan announces."""
    cells = (f"{record.id}. {record.label}", sentence(record.role), "Not planned", "Yes", in_short(where), EM_DASH)
    return Row(tuple(Cell(words) for words in cells))


def _described(context: Context, sections: Sequence[Section]) -> Iterator[Row]:
    """Descriptions and subgroups, which are no analyses of their own."""
    planned = context.plan.subgroups
    if planned is not None:
        names = listed([item.label for item in planned.by])
        where = labels_starting(sections, f"subgroups-{planned.of}")
        yield _other(context, f"Subgroups of {planned.of}: {names}", "Exploratory", where)
    for id_, title, role in DESCRIBED:
        labels = labels_of(sections, id_)
        if labels:
            yield _other(context, title, role, labels)


def _other(context: Context, title: str, role: str, where: Sequence[str]) -> Row:
    """What is shown without being an analysis; it was planned when the first analysis was."""
    planned = next((item.planned for item in context.plan.analyses), "stated")
    cells = (
        title,
        role,
        PLANNED.get(planned, planned),
        "Yes" if where else "Not run",
        in_short(where) or EM_DASH,
        EM_DASH,
    )
    return Row(tuple(Cell(words) for words in cells))


def _touches(amendment: Amendment, item: PlannedAnalysis) -> bool:
    """Whether an amendment names an analysis, or an outcome, a covariate or a population that it uses."""
    used = {item.id, item.population, *item.outcomes}
    used |= {name for term in item.every_term for name in variables_of(term)}
    return bool(used & set(amendment.touches))


def _name(amendment: Amendment, number: int) -> str:
    return amendment.id or f"Amendment {number}"


def _amendments(context: Context) -> Iterator[Block]:
    amendments = context.plan.protocol.amendments
    if not amendments:
        yield text("The protocol was not amended.")
        return
    yield text("Amendments to the protocol:")
    yield Listing(
        tuple(
            Paragraph((Run(f"{_name(item, k)} ({item.date}). ", "strong"), Run(_amended(item))))
            for k, item in enumerate(amendments, start=1)
        )
    )


def _amended(item: Amendment) -> str:
    touches = f" It touches {listed(list(item.touches))}." if item.touches else ""
    seen = "Outcomes had been seen." if item.after_data_seen else "No outcome had been seen."
    return f"{ended(item.what)} Reason: {ended(item.why)}{touches} {seen}"


def _overrides(context: Context, style: str) -> Iterator[str]:
    """What the command line changed."""
    given = [notice.text for notice in context.result.warnings if notice.code in (ONLY, SEED)]
    yield from given
    written = context.plan.protocol.report.style
    if style != written:
        given.append(style)
        yield f"Numbers are printed in the style {style}; the protocol says {written}."
    if not given:
        yield "No override: every analysis was run, with the seed and the number style of the protocol."


def _inputs(context: Context) -> Iterator[tuple[str, str]]:
    identity = context.result.identity
    yield "Kind of data", context.result.data_kind
    yield "Protocol", identity.protocol_digest
    yield "Dictionary", identity.dictionary_digest
    yield "Data", identity.data_digest or "no data were read"
    yield "Seed", "none" if identity.seed is None else str(identity.seed)
    yield "Software", ", ".join(f"{name} {version}" for name, version in identity.software.items()) or "unknown"
