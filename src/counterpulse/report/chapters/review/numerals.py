"""The numbers of a synthesis as printed: effects, prediction intervals, the variance between studies, shares in percent."""

from __future__ import annotations

from math import isfinite

from counterpulse.report import numbers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.review.synthesis import Synthesis
from counterpulse.report.document import Emphasis, Run
from counterpulse.report.measures import measure_of
from counterpulse.report.number_styles import EM_DASH, NumberStyle
from counterpulse.results import EstimateRow

TAU, SQUARED = "\N{GREEK SMALL LETTER TAU}", "\N{SUPERSCRIPT TWO}"
TAU2, I2 = f"{TAU}{SQUARED}", f"I{SQUARED}"


def interval_name(context: Context, row: EstimateRow, *, bayesian: bool = False) -> str:
    """The name of an interval: "95% CI", or "95% CrI" of a posterior."""
    name = context.level_name(row)
    return name.replace("CI", "CrI") if bayesian else name


def effect_run(context: Context, row: EstimateRow, *, bayesian: bool = False, emphasis: Emphasis = "plain") -> Run:
    """An effect with its interval named: "0.47 (95% CI 0.32 to 0.71)"."""
    value, _, rest = context.effect(row).partition(" (")
    unit = context.unit(row)
    unit = unit if unit.startswith("%") else f" {unit}" if unit else ""
    level = f"{interval_name(context, row, bayesian=bayesian)}{context.style.after_level}"
    return Run(f"{value}{unit} ({level} {rest}" if rest else f"{value}{unit}", emphasis, row.id)


OF_ONE_GROUP = ("proportion", "rate")
"""Measures that no value of means no effect, so that a test of them says nothing."""


def tested(context: Context, row: EstimateRow) -> float | None:
    """The P value of an effect that a style gives; none of a proportion or a rate, which are compared with nothing."""
    return None if row.estimate.measure in OF_ONE_GROUP else context.tested(row)


def limits(context: Context, row: EstimateRow | None, *, like: EstimateRow | None = None) -> str:
    """The limits of an interval alone, as of a prediction interval, with the decimals of another; a dash where there are none."""
    if row is None or row.estimate.interval is None:
        return EM_DASH
    value, low, high = context.scaled(row)
    null = measure_of(row.estimate.measure).null
    places = numbers.estimate_places(value, low, high, places=context.places(like or row), null=null)
    return numbers.interval(low, high, places, context.style, null=null)


def prediction_run(context: Context, row: EstimateRow, *, like: EstimateRow) -> Run:
    """The prediction interval inside a sentence."""
    level = context.level_name(row).removesuffix("CI").strip()
    unit = context.unit(row)
    unit = unit if unit.startswith("%") else f" {unit}" if unit else ""
    return Run(f"{level} prediction interval {limits(context, row, like=like)}{unit}", result=row.id)


def crosses_null(context: Context, row: EstimateRow | None) -> bool:
    """Whether an interval holds the value of no effect inside it."""
    if row is None or row.estimate.interval is None:
        return False
    null = measure_of(row.estimate.measure).null
    _, low, high = context.scaled(row)
    return null is not None and low is not None and high is not None and low < null < high


def variance(context: Context, row: EstimateRow | None) -> str:
    """A variance between studies with its interval; a dash where there is none."""
    if row is None or not isfinite(row.estimate.value):
        return EM_DASH
    ends = row.estimate.interval
    low, high = (None, None) if ends is None else (_end(ends.low), _end(ends.high))
    return numbers.estimate(row.estimate.value, low, high, context.style, places=3)


def _end(value: float) -> float | None:
    return None if value != value else value


def share(context: Context, row: EstimateRow | None, *, places: int = 0, sign: str = "") -> str:
    """I-squared in percent with its interval; a dash where there is none."""
    if row is None or not isfinite(row.estimate.value):
        return EM_DASH
    ends = row.estimate.interval
    value, *limits_ = (
        None
        if end is None or not isfinite(end)
        else numbers.number(numbers.hundredfold(end), places, context.style) + sign
        for end in (row.estimate.value, ends.low if ends else None, ends.high if ends else None)
    )
    if None in limits_:
        return str(value)
    return f"{value} ({limits_[0]}{context.style.separator}{limits_[1]})"


def q_words(context: Context, row: EstimateRow | None) -> str:
    """Cochran's test: "Q = 163.16, df = 12, P < 0.001"."""
    if row is None or row.estimate.statistic is None:
        return ""
    item = row.estimate
    parts = [f"Q = {numbers.number(row.estimate.statistic, 1, context.style)}"]
    if item.df is not None:
        parts.append(f"df = {numbers.number(item.df, 0, context.style)}")
    if item.p_value is not None and item.p_value == item.p_value:
        parts.append(numbers.p_phrase(item.p_value, context.style))
    return ", ".join(parts)


def patients_words(context: Context, item: Synthesis) -> str:
    """The patients of the studies; a dash where not every study prints them."""
    return EM_DASH if item.effect.n is None else numbers.count(item.effect.n, context.style)


def studies_words(n: int | None, style: NumberStyle) -> str:
    """A number of studies with its noun."""
    if n is None:
        return "the studies"
    return "one study" if n == 1 else f"{numbers.count(n, style)} studies"
