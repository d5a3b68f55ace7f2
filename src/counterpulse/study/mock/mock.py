"""Dummy patients (of a review: studies) from the dictionary, to rehearse a study before data exist. They carry no finding."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.dictionary import Dictionary, Variable
from counterpulse.data.patient_table import MOCK_MARK
from counterpulse.errors import InputError, UsageError
from counterpulse.expression import Scope, names, parse
from counterpulse.expression.nodes import Comparison, Constant, Name
from counterpulse.numerics.random_streams import stream
from counterpulse.protocol.nodes import Criterion, Population, ProtocolNode
from counterpulse.protocol.planned_review import is_review
from counterpulse.protocol.read import Protocol
from counterpulse.protocol.scope import study_scope
from counterpulse.study.load import read_both
from counterpulse.study.mock.mock_course import Course, draw_course
from counterpulse.study.mock.mock_effects import with_mock_effects
from counterpulse.study.mock.mock_related import draw_related
from counterpulse.study.mock.mock_values import after, draw_values
from counterpulse.study.patients.derive import columns_read, condition, derive_variables, reads
from counterpulse.study.patients.measurement_rules import with_table_dictionaries
from counterpulse.study.patients.outcomes import columns_behind

MEANT_TO_BE_ELIGIBLE = 0.85
ROUNDS = 80
BLANK = 0.02
DEFAULT_SEED = 1
USUAL_PATIENTS, USUAL_STUDIES = 500, 12


def mock_table(
    protocol: Protocol, dictionary: Dictionary, *, n: int | None = None, seed: int | None = None
) -> pl.DataFrame:
    """Draw dummy patients, or for a review dummy studies with the numbers of an effect.

    Most are eligible by the protocol's rules, both groups and events occur, follow-up and exposure begin after time
    zero, `applies_if` holds, and some covariates are blank. Variables are otherwise independent of each other: there is
    no effect to find, but treated patients had to live until treatment began, as in life.

    Parameters
    ----------
    protocol : says which columns are time zero, exposure, follow-up and outcome
    dictionary : says what a value may be
    n : number of patients, 500 by default; of a review of rows of its extraction table, 12 an outcome by default
    seed : of the random streams, one a variable; default: the protocol's `seed`, else 1

    Returns
    -------
    A frame of n rows with the headers and codes of the data file. The same arguments give the same frame.

    Raises
    ------
    InputError : `n` is not positive
    """
    return mock_study(protocol, dictionary, n=n, seed=seed)[0]


def mock_study(
    protocol: Protocol, dictionary: Dictionary, *, n: int | None = None, seed: int | None = None
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Dummy patients, as `mock_table` draws them, and the rows of their tables with several rows a patient, by name.

    Raises
    ------
    InputError : `n` is not positive
    """
    if n is None:
        n = _usual_size(protocol.nodes)
    if n < 1:
        raise InputError(f"n = {n}: a mock table has at least one patient; give n=500, for example")
    dictionary = with_table_dictionaries(protocol.nodes, dictionary)
    nodes = _without_related_tables(protocol.nodes)
    seed = seed if seed is not None else nodes.seed if nodes.seed is not None else DEFAULT_SEED
    makers = _Patients(nodes, dictionary, seed)
    frame = _blanked(makers.mostly_eligible(n), makers.never_blank(), dictionary, seed)
    related = draw_related(protocol.nodes, dictionary, frame, seed)
    tables = {name: _as_in_the_file(rows, dictionary.tables[name]) for name, rows in related.items()}
    return _as_in_the_file(frame, dictionary), tables


def usual_size(path: Path) -> int:
    """How many rows the mock table of a protocol file has where nobody says."""
    return _usual_size(read_both(path)[0].nodes)


def _usual_size(nodes: ProtocolNode) -> int:
    if not is_review(nodes):
        return USUAL_PATIENTS
    return USUAL_STUDIES * (len(nodes.question.every_outcome) if nodes.question is not None else 1)


def write_mock(path: str | Path, *, out: str | Path, n: int | None = None, seed: int | None = None) -> tuple[Path, ...]:
    """Write dummy patients of a protocol file as a CSV, and beside it ``OUT.TABLE.csv`` for every related table.

    Parameters
    ----------
    path : the protocol; its dictionary stands where `data:` says
    out : the file to write; a file that is there is never replaced, it could hold patients
    n, seed : as for `mock_table`

    Returns
    -------
    The paths written, the patients first.

    Raises
    ------
    UsageError : `out` is there already, or cannot be written
    ProtocolError : the protocol or its dictionary is invalid
    """
    protocol, dictionary = read_both(Path(path))
    out = Path(out)
    patients, related = mock_study(protocol, dictionary, n=n, seed=seed)
    files = {out: patients} | {out.with_name(f"{out.stem}.{name}.csv"): rows for name, rows in related.items()}
    for file in files:
        if file.exists():
            raise UsageError(f"{file} is already there and is not replaced; delete it, or name another file with --out")
    try:
        for file, rows in files.items():
            marked = rows.with_columns(pl.lit("yes").alias(MOCK_MARK))
            marked.write_csv(file, datetime_format="%Y-%m-%d %H:%M", time_format="%H:%M")
    except OSError as error:
        why = error.strerror or "its folder is not there"
        raise UsageError(f"cannot write {file}: {why}; name another file with --out") from None
    return tuple(files)


class _Patients:
    """Draws patients of one study."""

    def __init__(self, nodes: ProtocolNode, dictionary: Dictionary, seed: int) -> None:
        self.nodes = nodes
        self.dictionary = dictionary
        self.seed = seed
        self.scope: Scope = study_scope(nodes, dictionary)
        rules = [nodes.groups.variable if nodes.groups else None, nodes.exposure.given if nodes.exposure else None]
        self.compared = columns_read(nodes, rules)
        exposure = nodes.exposure
        self.given = _yes_or_no_column(exposure.given) if exposure else None
        self.given_by_date = exposure is not None and exposure.starts in names(parse(exposure.given))

    def mostly_eligible(self, n: int) -> pl.DataFrame:
        """Rows that are meant to be eligible and are not are drawn again, whole."""
        frame = self._draw(n, 0)
        wanted = stream(self.seed, "mock eligible").random(n) < MEANT_TO_BE_ELIGIBLE
        for draw in range(1, ROUNDS + 1):
            again = np.flatnonzero(wanted & ~self._eligible(frame))
            if not again.size:
                break
            fresh = self._draw(n, draw)
            use = pl.Series(np.isin(np.arange(n), again))
            frame = pl.DataFrame([frame[name].zip_with(~use, fresh[name]) for name in frame.columns])
        return frame

    def never_blank(self) -> set[str]:
        """Columns whose blanks would stop a rehearsal or take its patients away; of a review a blank is a number not found."""
        nodes = self.nodes
        if is_review(nodes):
            return set(self.dictionary.variables)
        follow_up = nodes.follow_up.model_dump().values() if nodes.follow_up else ()
        exposure = (nodes.exposure.given, nodes.exposure.starts, nodes.exposure.stops) if nodes.exposure else ()
        judged: tuple[Criterion | Population, ...] = (
            *nodes.eligibility.include, *nodes.eligibility.exclude, *nodes.populations.values(),
        )  # fmt: skip
        criteria = [item.rule for item in judged if item.if_unknown in (None, "stop")]
        outcomes = [name for outcome in nodes.outcomes.values() for name in columns_behind(outcome)]
        time_zero = nodes.time_zero if isinstance(nodes.time_zero, str) else None
        group = nodes.groups.variable if nodes.groups else None
        rules = [nodes.data.id, nodes.data.site, time_zero, group, *follow_up, *exposure, *criteria, *outcomes]
        return columns_read(nodes, rules)

    def _draw(self, n: int, draw: int) -> pl.DataFrame:
        frame = pl.DataFrame([self._column(item, n, draw) for item in self.dictionary])
        if isinstance(self.nodes.time_zero, str) and self.nodes.time_zero in self.dictionary:
            zero = frame[self.nodes.time_zero]
            random = stream(self.seed, "mock course", draw)
            course = draw_course(
                self.nodes, random, self._last_day(zero), always_exposed=not (self.given or self.given_by_date)
            )
            frame = self._with_course(frame, zero, course)
        if is_review(self.nodes):
            frame = with_mock_effects(self.nodes, self.dictionary, frame, stream(self.seed, "mock effects", draw))
        return self._where_it_applies(frame)

    def _column(self, item: Variable, n: int, draw: int) -> pl.Series:
        shape, values = (
            stream(self.seed, f"mock {what} {item.name}", d) for what, d in (("shape", 0), ("value", draw))
        )
        return draw_values(item, shape, values, n, common=item.name in self.compared)

    def _last_day(self, zero: pl.Series) -> NDArray[np.float64]:
        """Hours from time zero to the earliest maximum that the dictionary gives a date of follow-up."""
        follow_up = self.nodes.follow_up.model_dump().values() if self.nodes.follow_up else ()
        ends = [self.dictionary[name].maximum for name in follow_up if name in self.dictionary]
        last = min((end[:10] for end in ends if end is not None), default=None)
        if last is None:
            return np.full(zero.len(), np.inf)
        minutes = (datetime.fromisoformat(last) - zero.cast(pl.Datetime("us"))).dt.total_minutes()
        return np.maximum(minutes.to_numpy() / 60, 0.0)

    def _with_course(self, frame: pl.DataFrame, zero: pl.Series, course: Course) -> pl.DataFrame:
        """Dates of follow-up, outcomes and exposure, each after time zero."""
        for name, hours in course.hours.items():
            if name in self.dictionary and self.dictionary[name].type in ("date", "datetime"):
                frame = frame.with_columns(_moment(zero, hours, self.dictionary[name]))
        frame = frame.with_columns(
            pl.Series(name, course.died if is_yes else ~course.died) for name, is_yes in self._words_for_death()
        )
        exposure = self.nodes.exposure
        if exposure is None or exposure.starts is None or exposure.starts not in self.dictionary:
            return frame
        if self.given is not None and self.given[0] in self.dictionary:
            name, yes = self.given
            frame = frame.with_columns(((pl.col(name) == yes) & pl.col(exposure.starts).is_not_null()) == yes)
        given = frame.select(condition(exposure.given, self.scope).fill_null(False)).to_series()
        dates = [name for name in (exposure.starts, exposure.stops) if name is not None and name in self.dictionary]
        return frame.with_columns(pl.when(given).then(pl.col(name)) for name in dates)

    def _words_for_death(self) -> list[tuple[str, bool]]:
        """List the yes/no columns that alone are the primary binary outcome: they go with the date of death."""
        if self.nodes.follow_up is None or self.nodes.follow_up.death is None:
            return []
        return [
            found
            for outcome in self.nodes.outcomes.values()
            if outcome.primary and outcome.type == "binary" and outcome.event is not None
            and (found := _yes_or_no_column(outcome.event)) is not None and found[0] in self.dictionary
        ]  # fmt: skip

    def _where_it_applies(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.when(condition(item.applies_if, self.scope)).then(pl.col(item.name)).alias(item.name)
            for item in self.dictionary
            if item.applies_if is not None
        )

    def _eligible(self, frame: pl.DataFrame) -> NDArray[np.bool_]:
        derived = derive_variables(frame, self.nodes, self.scope)
        include = [condition(item.rule, self.scope).fill_null(False) for item in self.nodes.eligibility.include]
        exclude = [~condition(item.rule, self.scope).fill_null(False) for item in self.nodes.eligibility.exclude]
        eligible = derived.select(pl.all_horizontal(pl.lit(True), *include, *exclude).alias("eligible"))["eligible"]
        return np.resize(eligible.to_numpy(), frame.height)


def _without_related_tables(nodes: ProtocolNode) -> ProtocolNode:
    """Leave out what only a related table could answer: its variables, what builds on them, and criteria that read those."""
    kept = dict(nodes.variables)
    gone = {name for name, node in kept.items() if node.table is not None}
    while gone & set(kept):
        kept = {name: node for name, node in kept.items() if name not in gone}
        gone |= {name for name, node in kept.items() if reads(node) & gone}
    criteria = {
        kind: tuple(item for item in getattr(nodes.eligibility, kind) if not gone & set(names(parse(item.rule))))
        for kind in ("include", "exclude")
    }
    return nodes.model_copy(update={"variables": kept, "eligibility": nodes.eligibility.model_copy(update=criteria)})


def _moment(zero: pl.Series, hours: NDArray[np.float64], variable: Variable) -> pl.Series:
    """Time zero plus the hours where they are finite, else null."""
    known = pl.Series(np.isfinite(hours))
    moments = after(zero, np.where(np.isfinite(hours), hours, 0.0))
    if variable.type == "date":
        moments = moments.cast(pl.Date)
    return moments.set(~known, None).rename(variable.name)


def _yes_or_no_column(rule: str) -> tuple[str, bool] | None:
    """Find the column and the answer of a rule such as ``died = yes`` or ``died``; None for any other rule."""
    match parse(rule):
        case Name(name=name):
            return name, True
        case Comparison(operator="=", left=Name(name=name), right=Constant(kind="yesno", value=bool(answer))):
            return name, answer
    return None


def _blanked(frame: pl.DataFrame, never: set[str], dictionary: Dictionary, seed: int) -> pl.DataFrame:
    """Blanks at random in the columns that may have them."""
    return frame.with_columns(
        frame[item.name].set(pl.Series(stream(seed, f"mock blank {item.name}").random(frame.height) < BLANK), None)
        for item in dictionary
        if item.name not in never and item.type not in ("id", "date", "datetime")
    )


def _as_in_the_file(frame: pl.DataFrame, dictionary: Dictionary) -> pl.DataFrame:
    """The columns under their headers in the file, with the codes of the file."""
    return pl.DataFrame([column for variable in dictionary for column in _written(frame[variable.name], variable)])


def _written(values: pl.Series, variable: Variable) -> list[pl.Series]:
    if variable.type == "yesno":
        words = {label.casefold(): code for code, label in (variable.levels or {}).items()}
        codes = {True: words.get("yes", "yes"), False: words.get("no", "no")}
        values = values.replace_strict(codes, return_dtype=pl.String)
    elif isinstance(values.dtype, pl.Enum):
        values = values.cast(pl.String)
    if len(variable.sources) == 1:
        return [values.rename(variable.source)]
    day, clock = variable.sources
    return [values.dt.date().rename(day), values.dt.time().rename(clock)]
