"""The formats in which a paper prints an effect: the columns each needs, and how its rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.protocol.nodes import Effects
from counterpulse.study.reviewing.columns import numbers
from counterpulse.study.reviewing.conversion import can_convert, converted
from counterpulse.study.reviewing.curves import CURVE_CODE, CURVE_READ, CURVE_VI, CURVE_YI
from counterpulse.study.reviewing.measures import RATIOS, code_of
from counterpulse.synthesis.effects.correlation import correlations
from counterpulse.synthesis.effects.effect_rows import EffectRows
from counterpulse.synthesis.effects.event_counts import events_from_percent
from counterpulse.synthesis.effects.means import mean_differences, ratios_of_means, standardized_mean_differences
from counterpulse.synthesis.effects.medians import MeansFromMedians, means_from_medians
from counterpulse.synthesis.effects.printed_interval import from_interval, from_standard_error
from counterpulse.synthesis.effects.printed_p_value import from_log_rank, from_p_value
from counterpulse.synthesis.effects.problem import Problem
from counterpulse.synthesis.effects.proportions import incidence_rates, proportions, rate_ratios
from counterpulse.synthesis.effects.two_by_two import two_by_two
from counterpulse.synthesis.pooling.counts import Measure

Floats = NDArray[np.float64]
Arms = tuple[Floats, Floats]
BINARY: tuple[Measure, ...] = ("odds ratio", "risk ratio", "risk difference")
SINGLE = ("proportion", "rate")
MEANS = ("mean difference", "standardized mean difference", "ratio of means")
COUNTS = ("events_treated", "n_treated", "events_control", "n_control")
UNUSABLE = frozenset({"double-zero", "double-full"})
"""Problems that leave a row without an effect and are no error: the study says nothing of the measure."""
NEED_CELLS = ("PLO", "PLN", "PR")
"""Scales on which a proportion of 0 or 1 has no variance; the arcsine needs no correction."""
WHEN: Mapping[str, str] = {
    "a cell is zero": "when-zero", "any study has a zero": "all-if-any", "never": "never",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Printed:
    """Rows of one format: what they print (`measure`) and what the review pools (`wanted`)."""

    frame: pl.DataFrame
    measure: str
    wanted: str
    effects: Effects

    def column(self, name: str) -> Floats:
        """A column as numbers; nan where it is blank, or not in the table."""
        return numbers(self.frame, name) if name in self.frame.columns else np.full(self.frame.height, np.nan)

    @property
    def arms(self) -> Arms:
        """The patients of both arms, as far as they are printed."""
        return self.column("n_treated"), self.column("n_control")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The effects of the rows, on the scale of the pooled measure, and the counts behind them."""

    yi: Floats
    vi: Floats
    problems: tuple[Problem, ...] = ()
    assumptions: tuple[str, ...] = ()
    events: Arms | None = None
    patients: Arms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A format: the columns it cannot do without, the measures it makes (None: what the row says), and its reader."""

    needs: Sequence[str]
    read: Callable[[Printed], Found]
    makes: Sequence[str] | None = None


def _made(
    rows: EffectRows, events: Arms | None = None, patients: Arms | None = None, more: tuple[Problem, ...] = ()
) -> Found:
    problems = tuple(sorted((*more, *rows.problems), key=lambda problem: problem.row))
    return Found(
        yi=rows.yi, vi=rows.vi, problems=problems, assumptions=rows.assumptions, events=events, patients=patients
    )


def _table(printed: Printed, events: Arms, more: tuple[Problem, ...] = ()) -> Found:
    """Two arms with their events and patients."""
    zero, patients = printed.effects.zero_cells, printed.arms
    code = (
        "PETO"
        if printed.effects.peto and printed.measure == "odds ratio"
        else code_of(printed.measure, printed.effects)
    )
    policy = "never" if code == "PETO" else WHEN[zero.when]
    rows = two_by_two(events[0], patients[0], events[1], patients[1], measure=code, zero_cells=policy, add=zero.add)
    return _made(rows, events, patients, more)


def _counts(printed: Printed) -> Found:
    return _table(printed, (printed.column("events_treated"), printed.column("events_control")))


def _percent(printed: Printed) -> Found:
    """Percentages with their patients, as the nearest whole number of events."""
    arms = [
        events_from_percent(printed.column(f"percent_{arm}"), printed.column(f"n_{arm}"))
        for arm in ("treated", "control")
    ]
    problems = (*(problem for arm in arms for problem in arm.problems), *_fractions(printed))
    return _table(printed, (arms[0].events, arms[1].events), problems)


def _fractions(printed: Printed) -> Iterator[Problem]:
    """Percentages of both arms that are at most 1, and look like fractions."""
    treated, control = (printed.column(f"percent_{arm}") for arm in ("treated", "control"))
    alike = (np.maximum(treated, control) <= 1) & (np.maximum(treated, control) > 0)
    yield from (
        Problem(int(i) + 1, "out-of-range", "both percentages are at most 1; are they fractions", False)
        for i in np.flatnonzero(alike)
    )


def _rates(printed: Printed) -> Found:
    zero = printed.effects.zero_cells
    events, times = ([printed.column(f"{what}_{arm}") for arm in ("treated", "control")] for what in ("events", "time"))
    rows = rate_ratios(events[0], times[0], events[1], times[1], zero_cells=WHEN[zero.when], add=zero.add)
    return _made(rows, (events[0], events[1]), printed.arms)


def _single(printed: Printed) -> Found:
    """Events among the patients of one group."""
    zero = printed.effects.zero_cells
    events, n = printed.column("events"), printed.column("n")
    code, said = code_of(printed.measure, printed.effects), "zero_cells" in printed.effects.model_fields_set
    policy = WHEN[zero.when] if said or code in NEED_CELLS else None
    rows = proportions(events, n, measure=code, zero_cells=policy, add=zero.add)
    return _made(rows, (events, np.full(len(n), np.nan)), (n, np.zeros(len(n))))


def _incidence(printed: Printed) -> Found:
    return _made(incidence_rates(printed.column("events"), printed.column("time"), measure="IRLN"))


def _of_means(printed: Printed, means: Arms, deviations: Arms, more: tuple[Problem, ...] = ()) -> Found:
    n = printed.arms
    six = (means[0], deviations[0], n[0], means[1], deviations[1], n[1])
    match printed.measure:
        case "mean difference":
            rows = mean_differences(*six)
        case "ratio of means":
            rows = ratios_of_means(*six)
        case _:
            glass = printed.effects.smd == "glass"
            correction = "none" if printed.effects.smd == "cohen" else "exact"
            rows = standardized_mean_differences(
                *six, standardizer="reference" if glass else "pooled", correction=correction
            )
    return _made(rows, None, n, more)


def _means(printed: Printed) -> Found:
    means, deviations = (
        (printed.column(f"{what}_treated"), printed.column(f"{what}_control")) for what in ("mean", "sd")
    )
    return _of_means(printed, means, deviations)


def _medians(printed: Printed) -> Found:
    """Medians with quartiles, taken for means of nearly normal data."""
    arms = [
        means_from_medians(
            printed.column(f"median_{arm}"), printed.column(f"n_{arm}"), first_quartile=printed.column(f"q1_{arm}"),
            third_quartile=printed.column(f"q3_{arm}"),
        )
        for arm in ("treated", "control")
    ]  # fmt: skip
    return _of_medians(printed, arms, "quartiles")


def _ranges(printed: Printed) -> Found:
    """Medians with minimum and maximum, taken for means of nearly normal data."""
    arms = [
        means_from_medians(
            printed.column(f"median_{arm}"), printed.column(f"n_{arm}"), minimum=printed.column(f"minimum_{arm}"),
            maximum=printed.column(f"maximum_{arm}"),
        )
        for arm in ("treated", "control")
    ]  # fmt: skip
    return _of_medians(printed, arms, "ranges")


def _of_medians(printed: Printed, arms: Sequence[MeansFromMedians], spread: str) -> Found:
    problems = tuple(problem for arm in arms for problem in arm.problems)
    found = _of_means(printed, (arms[0].mean, arms[1].mean), (arms[0].sd, arms[1].sd), problems)
    said = f"means and standard deviations from medians and {spread}, for nearly normal data"
    return replace(found, assumptions=(*found.assumptions, said))


def _interval(printed: Printed) -> Found:
    level = np.nan_to_num(printed.column("conf_level"), nan=0.95)
    rows = from_interval(
        printed.column("estimate"), printed.column("conf_low"), printed.column("conf_high"), level=level,
        measure=code_of(printed.measure, printed.effects),
    )  # fmt: skip
    return _turned(printed, rows)


def _error(printed: Printed) -> Found:
    """An estimate as printed, with the standard error of its logarithm where it is a ratio."""
    ratio = printed.measure in RATIOS
    estimates = printed.column("estimate")
    rows = from_standard_error(
        estimates, printed.column("std_error"), measure=code_of(printed.measure, printed.effects), scale="natural",
        error_scale="log" if ratio else "natural",
    )  # fmt: skip
    return _turned(printed, rows)


def _p_value(printed: Printed) -> Found:
    bound = printed.frame["p_below"].fill_null(value=False).to_numpy() if "p_below" in printed.frame.columns else None
    return _turned(
        printed,
        from_p_value(
            printed.column("estimate"),
            printed.column("p_value"),
            measure=code_of(printed.measure, printed.effects),
            bound=bound,
        ),
    )


def _log_rank(printed: Printed) -> Found:
    rows = from_log_rank(printed.column("observed_minus_expected"), printed.column("variance"))
    events = (printed.column("events_treated"), printed.column("events_control"))
    return _made(rows, events, printed.arms)


def _curves(printed: Printed) -> Found:
    """Hazard ratios that were read off survival curves."""
    codes = printed.frame[CURVE_CODE].to_list()
    problems = tuple(
        Problem(row, code, "no hazard ratio can be read from the curves", True)
        for row, code in enumerate(codes, start=1)
        if code
    )
    return Found(
        yi=printed.column(CURVE_YI), vi=printed.column(CURVE_VI), problems=problems, patients=printed.arms,
        assumptions=("hazard ratio read off the survival curves",),
    )  # fmt: skip


def _correlation(printed: Printed) -> Found:
    return _made(correlations(printed.column("correlation"), printed.column("n")))


def _given(printed: Printed) -> Found:
    """Effect and variance on the scale on which they are pooled."""
    yi, vi = printed.column("yi"), printed.column("vi")
    bad = ~(vi > 0)
    problems = tuple(
        Problem(int(i) + 1, "not-positive", "the variance is not above 0", True) for i in np.flatnonzero(bad)
    )
    found = Found(
        yi=np.where(bad, np.nan, yi), vi=np.where(bad, np.nan, vi), problems=problems, events=_printed_events(printed),
        patients=printed.arms,
    )  # fmt: skip
    return found if printed.measure == printed.wanted else _as_wanted(printed, found)


def _turned(printed: Printed, rows: EffectRows) -> Found:
    """Printed effects, converted where the review pools another measure."""
    found = _made(rows, _printed_events(printed), printed.arms)
    return found if printed.measure == printed.wanted else _as_wanted(printed, found)


def _printed_events(printed: Printed) -> Arms:
    return printed.column("events_treated"), printed.column("events_control")


def _as_wanted(printed: Printed, found: Found) -> Found:
    conversion = next(
        item for item in printed.effects.convert if item.source == printed.measure and can_convert(item, printed.wanted)
    )
    yi, vi, said, problems = converted(found.yi, found.vi, conversion, to=printed.wanted)
    return Found(
        yi=yi, vi=vi, problems=(*found.problems, *problems), assumptions=(*found.assumptions, said), events=found.events,
        patients=found.patients,
    )  # fmt: skip


def _of_arms(read: Callable[[Printed], Found]) -> Callable[[Printed], Found]:
    """A reader of printed effects that refuses what is no effect: a proportion or a rate is made from its events."""

    def checked(printed: Printed) -> Found:
        if printed.measure not in SINGLE:
            return read(printed)
        k, seen = printed.frame.height, f"a {printed.measure} without its events"
        problems = tuple(Problem(row, "events-only", seen, True) for row in range(1, k + 1))
        return Found(yi=np.full(k, np.nan), vi=np.full(k, np.nan), problems=problems)

    return checked


FORMATS: Mapping[str, Read] = {
    "effect-variance": Read(needs=("yi", "vi"), read=_given, makes=None),
    "counts": Read(needs=COUNTS, read=_counts, makes=BINARY),
    "rates": Read(needs=("events_treated", "time_treated", "events_control", "time_control"), read=_rates, makes=("rate ratio",)),
    "proportion": Read(needs=("events", "n"), read=_single, makes=("proportion",)),
    "rate": Read(needs=("events", "time"), read=_incidence, makes=("rate",)),
    "means": Read(needs=("mean_treated", "sd_treated", "n_treated", "mean_control", "sd_control", "n_control"), read=_means, makes=MEANS),
    "log-rank": Read(needs=("observed_minus_expected", "variance"), read=_log_rank, makes=("hazard ratio",)),
    "curves": Read(needs=(CURVE_READ,), read=_curves, makes=("hazard ratio",)),
    "correlation": Read(needs=("correlation", "n"), read=_correlation, makes=("correlation",)),
    "estimate-interval": Read(needs=("estimate", "conf_low", "conf_high"), read=_of_arms(_interval)),
    "estimate-error": Read(needs=("estimate", "std_error"), read=_of_arms(_error)),
    "percent": Read(needs=("percent_treated", "n_treated", "percent_control", "n_control"), read=_percent, makes=BINARY),
    "medians": Read(
        needs=("median_treated", "q1_treated", "q3_treated", "n_treated", "median_control", "q1_control", "q3_control", "n_control"),
        read=_medians, makes=MEANS,
    ),
    "ranges": Read(
        needs=("median_treated", "minimum_treated", "maximum_treated", "n_treated", "median_control", "minimum_control", "maximum_control", "n_control"),
        read=_ranges, makes=MEANS,
    ),
    "estimate-p": Read(needs=("estimate", "p_value"), read=_of_arms(_p_value)),
}  # fmt: skip
"""In the order in which a row without `format` is tried: what says most comes first."""

__all__ = ["FORMATS", "UNUSABLE", "Found", "Printed", "Read"]
