"""From the rows of an extraction table to effects: each by the format it is printed in, every doubt told with its row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.protocol.plan import Plan
from counterpulse.results import Notice
from counterpulse.source import Finding, Location, did_you_mean
from counterpulse.study.reviewing.columns import (
    COUNTED,
    DOUBT,
    EVENTS,
    FORMAT,
    NOTE,
    OUTCOME,
    PATIENTS,
    REASON,
    ROW,
    STUDY,
    USED,
    VI,
    YI,
)
from counterpulse.study.reviewing.conversion import can_convert
from counterpulse.study.reviewing.curves import CURVE_READ, CURVES, with_curves
from counterpulse.study.reviewing.formats import FORMATS, UNUSABLE, Printed, Read
from counterpulse.study.reviewing.ledger import Ledger
from counterpulse.study.reviewing.measures import RECIPROCAL, measure_named, one
from counterpulse.synthesis.effects.problem import REMEDIES, Problem

NOTHING, INCOMPLETE = "no effect is printed", "the numbers of the effect are incomplete"
PEOPLE = ("n", "n_treated", "n_control")
"""What alone prints no effect."""
CORRECTED = "corrected"
"""The problem of a row to whose cells something was added."""
COMPLEMENT = "complement"
"""The column that says that a paper prints those without the event."""
OF_PEOPLE: Mapping[str, tuple[tuple[str, str | None], ...]] = {
    "counts": (("events_treated", "n_treated"), ("events_control", "n_control")),
    "percent": (("percent_treated", None), ("percent_control", None)),
    "proportion": (("events", "n"),),
}
"""Formats that count people with the event, and among how many (None: among a hundred)."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """The table with the columns of its effects, what is wrong with rows (and then what is odd), and what is told of them."""

    frame: pl.DataFrame
    findings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()


def with_effects(plan: Plan, table: PatientTable, frame: pl.DataFrame, origin: NDArray[np.intp]) -> Extracted:
    """Make an effect of every row.

    Parameters
    ----------
    plan : of a review
    table : the extraction table
    frame : its rows that are eligible, derived variables among them
    origin : their index in the table, shape (n,)
    """
    frame = with_curves(frame, table.related.get(CURVES))
    k = frame.height
    numbers = np.arange(2, table.frame.height + 2) if table.row_numbers is None else np.asarray(table.row_numbers)
    ledger = Ledger(
        plan=plan, table=table, frame=frame, rows=_numbered(numbers, origin), yi=np.full(k, np.nan), vi=np.full(k, np.nan),
        notes=[[] for _ in range(k)], reasons=[None] * k, formats=[None] * k, events=np.full((k, 2), np.nan),
        patients=np.full((k, 2), np.nan),
    )  # fmt: skip
    outcomes = _outcomes(ledger)
    studies = _studies(ledger)
    for name in plan.outcomes:
        members = [index for index in range(k) if outcomes[index] == name and ledger.reasons[index] is None]
        _of_outcome(ledger, plan.review.measures[name] if plan.review else "", members)
    made, refused = _joined(ledger, outcomes, studies), {finding.where.line for finding in ledger.findings}
    odd = [item for item in of_rows(made, table.file) if item.where.line not in refused] if refused else []
    findings = sorted([*ledger.findings, *odd], key=lambda finding: finding.where.line or 0)
    return Extracted(made, tuple(findings), tuple(_notices(ledger, studies)))


def _numbered(numbers: NDArray[np.int64], origin: NDArray[np.intp]) -> NDArray[np.int64]:
    """Where each row stands in the file; rows from a bundle follow the last one."""
    last = int(numbers[-1]) if len(numbers) else 1
    beyond = [int(numbers[index]) if index < len(numbers) else last + 1 + index - len(numbers) for index in origin]
    return np.array(beyond, dtype=np.int64)


def _outcomes(ledger: Ledger) -> list[str | None]:
    """The outcome of each row; one that the review does not have is an error."""
    known = list(ledger.plan.outcomes)
    if "outcome" not in ledger.frame.columns:
        return [known[0]] * ledger.frame.height
    variable = ledger.plan.variables["outcome"]
    found: list[str | None] = []
    for index, value in enumerate(ledger.frame["outcome"].cast(pl.String).to_list()):
        text = (value or "").strip()
        names = (text, variable.levels.get(text, text))
        match = next((name for name in known if name in names or ledger.plan.outcomes[name].label in names), None)
        found.append(match)
        if match is None:
            seen = "no outcome" if not text else f"the outcome '{text}', which the review does not have"
            ledger.refuse(
                index,
                "E853",
                seen,
                ", ".join(known),
                did_you_mean(text, known) or "add it to `question`, or correct it",
            )
    return found


def _studies(ledger: Ledger) -> list[str]:
    """The study of each row; one that is written in several ways goes by the first."""
    written = [(value or "").strip() for value in ledger.frame["study"].cast(pl.String).to_list()]
    first: dict[str, str] = {}
    for index, name in enumerate(written):
        if not name and ledger.reasons[index] is None:
            ledger.refuse(index, "E854", "no study is named", "", "give every row the name of its study")
        if name and first.setdefault(" ".join(name.casefold().split()), name) != name:
            ledger.doubt(index, "the study is written in another way in a row above, and is taken as the same one")
    return [first.get(" ".join(name.casefold().split()), name) for name in written]


def _of_outcome(ledger: Ledger, measure: str, members: Sequence[int]) -> None:
    """The effects of one outcome, all rows of a format at once."""
    grouped: dict[tuple[str, str], list[int]] = {}
    for index in members:
        chosen = _format(ledger, index, measure)
        if chosen is not None:
            printed = _measure(ledger, index, measure, chosen)
            if printed is not None:
                grouped.setdefault((chosen, printed), []).append(index)
    for (name, printed), rows in grouped.items():
        frame = _of_the_event(ledger, name, rows)
        _read(ledger, FORMATS[name], name, Printed(frame, printed, measure, ledger.effects), rows)
    for index in members:
        _turned(ledger, index, measure)


def _format(ledger: Ledger, index: int, measure: str) -> str | None:
    """The format a row is read in: as it says, else the first whose numbers it has."""
    written = _text(ledger, index, "format")
    if written:
        if written not in FORMATS:
            known = list(FORMATS)
            ledger.refuse(
                index,
                "E855",
                f"the format '{written}' is not known",
                ", ".join(known),
                did_you_mean(written, known) or "choose one of these",
            )
            return None
        makes = FORMATS[written].makes
        if makes is not None and measure not in makes and _measure_written(ledger, index) is None:
            ledger.refuse(
                index,
                "E856",
                f"no {measure} can be made from the format {written}",
                ", ".join(makes),
                "correct the format, or leave it blank",
            )
            return None
        return written
    for name, item in FORMATS.items():
        if (item.makes is None or measure in item.makes) and all(_has(ledger, index, column) for column in item.needs):
            return name
    ledger.leave_out(index, _lacking(ledger, index, measure))
    return None


def _lacking(ledger: Ledger, index: int, measure: str) -> str:
    """Why no effect can be made of a row: it prints none, or not every number of one."""
    found = []
    for item in FORMATS.values():
        blank = [column for column in item.needs if not _has(ledger, index, column)]
        given = [column for column in item.needs if column not in (*blank, *PEOPLE, CURVE_READ)]
        if given and (item.makes is None or measure in item.makes):
            found.append((len(blank), blank))
    if not found:
        return NOTHING
    return f"{INCOMPLETE}: {' and '.join(min(found, key=lambda one: one[0])[1])} missing"


def _has(ledger: Ledger, index: int, column: str) -> bool:
    return column in ledger.frame.columns and ledger.frame[column][index] is not None


def _text(ledger: Ledger, index: int, column: str) -> str:
    return str(ledger.frame[column][index]).strip() if _has(ledger, index, column) else ""


def _measure_written(ledger: Ledger, index: int) -> str | None:
    """The measure that a row says it prints."""
    return measure_named(_text(ledger, index, "measure")) if _text(ledger, index, "measure") else None


def _measure(ledger: Ledger, index: int, measure: str, chosen: str) -> str | None:
    """The measure a row prints in its format; one that is not pooled here is converted as the protocol says, or refused."""
    if FORMATS[chosen].makes is not None:
        return measure
    words = _text(ledger, index, "measure")
    printed = measure_named(words) if words else measure
    if printed is None:
        ledger.refuse(
            index,
            "E857",
            f"the measure '{words}' is not known",
            "odds ratio, risk ratio, hazard ratio, … or OR, RR, HR, …",
            "write the measure of the paper",
        )
        return None
    known = {conversion.source for conversion in ledger.effects.convert if can_convert(conversion, measure)}
    if printed == measure or printed in known:
        return printed
    if ledger.effects.other_measures == "leave-out":
        ledger.leave_out(index, f"{one(printed)}, and {measure}s are pooled")
        return None
    ledger.refuse(
        index, "E858", f"{one(printed)}, and the review pools {measure}s", f"{measure}s, or a conversion that is said",
        f"extract what gives {one(measure)}, or say `convert: {{from: {printed}, control_risk: …}}` or other_measures: leave-out under `effects`",
    )  # fmt: skip
    return None


def _read(ledger: Ledger, reader: Read, name: str, printed: Printed, rows: Sequence[int]) -> None:
    """Read the rows of a format and keep what was said of each."""
    found = reader.read(printed)
    for position, index in enumerate(rows):
        ledger.formats[index] = name
        ledger.yi[index], ledger.vi[index] = found.yi[position], found.vi[position]
        for text in found.assumptions:
            ledger.note(index, text)
    for arm in (0, 1):
        if found.events is not None:
            ledger.events[list(rows), arm] = found.events[arm]
        if found.patients is not None:
            ledger.patients[list(rows), arm] = found.patients[arm]
    for problem in found.problems:
        _judged(ledger, rows[problem.row - 1], problem)


def _judged(ledger: Ledger, index: int, problem: Problem) -> None:
    """What a problem does to its row; of several that leave it without an effect the first is told."""
    if problem.dropped and problem.code in UNUSABLE:
        ledger.leave_out(index, problem.seen)
    elif problem.dropped and ledger.reasons[index] is None:
        ledger.refuse(index, "E860", problem.seen, "numbers as the paper prints them", REMEDIES[problem.code])
    elif not problem.dropped and problem.code == CORRECTED:
        ledger.note(index, f"{ledger.effects.zero_cells.add:g} added to each cell, because one is zero")
    elif not problem.dropped:
        ledger.doubt(index, f"{problem.seen}: {REMEDIES[problem.code]}")


def _of_the_event(ledger: Ledger, name: str, rows: Sequence[int]) -> pl.DataFrame:
    """The rows of a format; where a paper counts those without the event, those with it are counted from its numbers."""
    frame = ledger.frame[rows]
    turned = [index for index in rows if name in OF_PEOPLE and _yes(ledger, index, COMPLEMENT)]
    if not turned:
        return frame
    for index in turned:
        ledger.note(index, "printed for those without the event; the others of each arm are counted")
    wanted = pl.Series([index in turned for index in rows])
    for part, whole in OF_PEOPLE[name]:
        total = pl.lit(100.0) if whole is None else pl.col(whole)
        possible = wanted & frame.select(pl.col(part).is_between(0, total)).to_series().fill_null(value=False)
        frame = frame.with_columns(pl.when(possible).then(total - pl.col(part)).otherwise(pl.col(part)).alias(part))
    return frame


def _turned(ledger: Ledger, index: int, measure: str) -> None:
    """An effect that is of the complement of the event, or of the arms the other way round."""
    if not isfinite(ledger.yi[index]) or ledger.formats[index] is None:
        return
    if _yes(ledger, index, "reversed"):
        ledger.yi[index] = -ledger.yi[index]
        if ledger.formats[index] in OF_PEOPLE:
            ledger.events[index], ledger.patients[index] = ledger.events[index][::-1], ledger.patients[index][::-1]
        ledger.note(index, "printed for the control arm against the treated one, and turned")
    if _yes(ledger, index, COMPLEMENT) and ledger.formats[index] not in OF_PEOPLE:
        printed = _measure_written(ledger, index) or measure
        if not {printed, measure} <= RECIPROCAL:
            ledger.refuse(index, "E859", f"{one(printed)} of those without the event, which does not give {one(measure)} of the event",
                          "odds ratio, risk difference, or counts", "extract the counts, or leave the row out")  # fmt: skip
            ledger.yi[index] = np.nan
            return
        ledger.yi[index] = -ledger.yi[index]
        ledger.note(index, "printed for those without the event, and turned")


def _yes(ledger: Ledger, index: int, column: str) -> bool:
    return _has(ledger, index, column) and ledger.frame[column][index] is True


def of_rows(frame: pl.DataFrame, file: str) -> Iterator[Finding]:
    """Rows that are odd, and rows that give no effect."""
    for row, study, doubt, reason in frame.select(ROW, STUDY, DOUBT, REASON).iter_rows():
        where = Location(file, int(row))
        if reason is not None:
            yield Finding(code="W860", where=where, seen=f"row {row}: {study} has no effect: {reason}",
                          remedy="complete the row from the paper, or ask the authors; nothing is filled in")  # fmt: skip
        elif doubt is not None:
            yield Finding(
                code="W859", where=where, seen=f"row {row}: {study}: {doubt}", remedy="compare the row with the paper"
            )


def _joined(ledger: Ledger, outcomes: Sequence[str | None], studies: Sequence[str]) -> pl.DataFrame:
    used = np.isfinite(ledger.yi) & np.isfinite(ledger.vi) & np.array([reason is None for reason in ledger.reasons])
    return ledger.frame.with_columns(
        pl.Series(ROW, ledger.rows),
        pl.Series(STUDY, studies, dtype=pl.String),
        pl.Series(OUTCOME, outcomes, dtype=pl.String),
        pl.Series(YI, np.where(used, ledger.yi, np.nan)).fill_nan(None),
        pl.Series(VI, np.where(used, ledger.vi, np.nan)).fill_nan(None),
        pl.Series(USED, used),
        pl.Series(REASON, ledger.reasons, dtype=pl.String),
        pl.Series(NOTE, ["; ".join(dict.fromkeys(notes)) or None for notes in ledger.notes], dtype=pl.String),
        pl.Series(
            DOUBT,
            ["; ".join(ledger.doubts.get(index, ())) or None for index in range(len(ledger.notes))],
            dtype=pl.String,
        ),
        pl.Series(FORMAT, ledger.formats, dtype=pl.String),
        pl.Series(COUNTED, [name == "counts" for name in ledger.formats]),
        *(pl.Series(name, ledger.events[:, arm]).fill_nan(None) for arm, name in enumerate(EVENTS)),
        *(pl.Series(name, ledger.patients[:, arm]).fill_nan(None) for arm, name in enumerate(PATIENTS)),
    )


def _notices(ledger: Ledger, studies: Sequence[str]) -> Iterator[Notice]:
    """What was converted, assumed or left out, once for each study."""
    for index, notes in enumerate(ledger.notes):
        if notes and ledger.reasons[index] is None:
            text = "; ".join(dict.fromkeys(notes))
            yield Notice("W859", f"row {ledger.rows[index]}", f"{studies[index]}: {text}.")
    for index, reason in enumerate(ledger.reasons):
        if reason is not None and reason != NOTHING:
            yield Notice("W859", f"row {ledger.rows[index]}", f"{studies[index]} is left out: {reason}.")
    lacking = [
        f"{studies[index]} (row {ledger.rows[index]})"
        for index, reason in enumerate(ledger.reasons)
        if reason == NOTHING
    ]
    if lacking:
        yield Notice(
            "W860",
            "data",
            f"No effect is printed for {', '.join(lacking)}; these rows are listed as missing, and nothing was filled in.",
        )
