"""The rehearsal of a study as a document: what was assumed, what each planned analysis then gives, which of them mislead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from counterpulse.report.chapters.context import MARKS, Counter
from counterpulse.report.chapters.finishing import finished_sections
from counterpulse.report.document import (
    Cell,
    Document,
    Footnote,
    Listing,
    Paragraph,
    Row,
    Section,
    Table,
    columns_of,
    text,
)
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import PLAIN
from counterpulse.report.numbers import number
from counterpulse.results import REFERENCES, Block
from counterpulse.results import Cell as Value
from counterpulse.results.rehearsed_study import NO_EFFECT, Biased, RehearsedStudy

HEADS = (
    "Estimate", "Truth", "Mean", "Bias (error)", "SE, of the estimates", "SE, as estimated", "Coverage, % (error)",
    "Power, % (error)", "Failed",
)  # fmt: skip
UNKNOWN = "no truth"
WITHOUT_REASON = "the assumptions do not tell why; the study may be too small for the method, or the model another one"
Line = Mapping[str, Value]


def compose_rehearsal(found: RehearsedStudy) -> Document:
    """Compose the document of a rehearsal."""
    counter = Counter()
    sections = (
        Section(id="about", title="What was done", blocks=tuple(map(text, _about(found)))),
        Section(id="assumptions", title="What was assumed", blocks=(_list(found.assumptions),)),
        Section(id="biased", title="Analyses that miss the truth", blocks=tuple(_verdicts(found))),
        Section(id="characteristics", title="Operating characteristics", blocks=tuple(_tables(found, counter))),
        *_rest(found),
        Section(id="source", title="Source", blocks=(text(REFERENCES["morris-2019"]),)),
    )
    study = found.identity
    return Document(
        title=study.title,
        subtitle=f"Rehearsal of the planned analyses \N{MIDDLE DOT} {study.id}",
        facts=(
            ("Outcomes read", "none"),
            ("Simulated studies", f"{found.replicates} of each scenario, {found.patients} patients each"),
            ("Seed", str(study.seed)),
            ("Protocol digest", study.protocol_digest),
        ),
        sections=finished_sections(sections, PLAIN),
        mark=MARKS.get(found.data_kind, "SIMULATED OUTCOMES: nothing here is a result of the study"),
        colophon=f"Made by Counterpulse {study.software.get('counterpulse', '')} from the protocol and the data without outcomes.",
    )


def estimate_words(row: Line, analysis: str) -> str:
    """What an estimate is called: the analysis, its model where it has several, and the measure."""
    parts = str(row["of"]).split(".")
    model = "" if parts[1] == row["outcome"] else f" ({parts[1].replace('-', ' ')})"
    return f"{analysis}{model}: {row['measure']}"


def shown(row: Line) -> tuple[str, ...]:
    """The numbers of a row as printed: truth, mean, bias, both standard errors, coverage, power, failures."""
    places = 3 if measure_of(str(row["measure"])).kind in ("points", "probability") else 2
    return (
        UNKNOWN if row["truth"] is None and row["mean"] is not None else _number(row["truth"], places),
        _number(row["mean"], places),
        _with_error(row["bias"], row["bias_error"], places + 1),
        _number(row["empirical_error"], places + 1),
        _number(row["mean_std_error"], places + 1),
        _with_error(row["coverage"], row["coverage_error"], 1, times=100),
        _with_error(row["power"], row["power_error"], 1, times=100),
        str(row["failed"]),
    )


def biased_words(item: Biased) -> str:
    """A sentence about an estimate that misses the truth."""
    why = "; ".join(item.reasons) or WITHOUT_REASON
    return f"{item.estimate} ({item.scenario}): biased by {number(item.bias, 3)} (Monte Carlo error {number(item.error, 3)}): {why}."


def _about(found: RehearsedStudy) -> Iterator[str]:
    yield (
        "No outcome was read. Before anything was done, every column that an outcome or the follow-up is made of was blanked: "
        f"{', '.join(found.hidden) or 'none'}. Nothing on these pages depends on what stands in them."
    )
    yield (
        f"Each of {found.replicates} simulated studies of a scenario has {found.patients} patients, drawn with replacement from the "
        "eligible patients of the compared groups with their covariates, their missing values and their exposure as they stand. "
        "So treatment depends on the covariates as it does in the data, and the covariates predict the outcome as assumed: "
        "confounding by indication is planted. Where treatment begins after time zero, whoever is simulated to have a fatal event "
        "before it was never treated: immortal time is planted too. The plan was then carried out unchanged on each study."
    )
    yield (
        "The truth behind an estimate is what the same analysis gives in a large population in which each person is simulated once "
        "under every treatment with the same chances, so that the groups differ in nothing else: treated from time zero (after a "
        "landmark, from the landmark) or never. It is therefore conditional on the covariates of that model, or marginal over the "
        "people the analysis is about, as the measure is. Where those people depend on the sample, or a strategy of treatment is "
        "compared, no truth is given under an effect: only the mean, the standard errors and the power are."
    )
    yield (
        "Coverage is how often the interval holds the truth, power how often the P value is below "
        f"{found.alpha:g}: without an effect it is the type I error. Errors in parentheses are Monte Carlo errors."
    )


def _verdicts(found: RehearsedStudy) -> Iterator[Paragraph | Listing]:
    if not found.biased:
        yield text("No estimate misses its truth by more than three Monte Carlo errors.")
        return
    yield text("By more than three Monte Carlo errors, on the scale of estimation (of a ratio its logarithm):")
    yield _list(tuple(map(biased_words, found.biased)))


def _tables(found: RehearsedStudy, counter: Counter) -> Iterator[Table]:
    for outcome in dict.fromkeys(str(row["outcome"]) for block in found.blocks for row in block.rows()):
        yield Table(
            id=f"characteristics-{outcome}".replace("_", "-"),
            label=counter.table(),
            title=f"Operating characteristics: {found.labels.get(outcome, outcome)}",
            columns=columns_of(HEADS, words=1),
            rows=tuple(_rows(found.blocks, outcome)),
            footnotes=(
                Footnote("", "Truth and mean of a ratio are the ratio (the geometric mean); its bias and standard errors are of its "
                         "natural logarithm."),
                Footnote("", f"Analyses: {'; '.join(_labels(found, outcome))}."),
            ),
            wide=True,
        )  # fmt: skip


def _rows(blocks: Sequence[Block], outcome: str) -> Iterator[Row]:
    lines = [(block.analysis, row) for block in blocks for row in block.rows() if row["outcome"] == outcome]
    for scenario in dict.fromkeys(str(row["scenario"]) for _, row in lines):
        title = "No effect" if scenario == NO_EFFECT else f"True {scenario}"
        yield Row((Cell(title),), strong=True)
        for analysis, row in lines:
            if row["scenario"] == scenario:
                yield Row((Cell(estimate_words(row, analysis)), *map(Cell, shown(row))), indent=1)


def _labels(found: RehearsedStudy, outcome: str) -> list[str]:
    ids = [block.analysis for block in found.blocks if outcome in block.columns["outcome"]]
    return [f"{name}, {found.labels.get(name, name)}" for name in ids]


def _rest(found: RehearsedStudy) -> Iterator[Section]:
    if found.left_out:
        items = tuple(
            f"{item.analysis} ({found.labels.get(item.outcome, item.outcome)}): {item.reason}."
            for item in found.left_out
        )
        yield Section(id="left-out", title="Not rehearsed", blocks=(_list(items),))
    if found.notes:
        yield Section(id="notes", title="Notes", blocks=(_list(found.notes),))


def _list(items: Sequence[str]) -> Listing:
    return Listing(tuple(map(text, items)))


def _number(value: Value, places: int) -> str:
    return "" if value is None else number(float(value), places)


def _with_error(value: Value, error: Value, places: int, *, times: float = 1.0) -> str:
    if value is None or error is None:
        return _number(value, places)
    return f"{number(float(value) * times, places)} ({number(float(error) * times, places)})"
