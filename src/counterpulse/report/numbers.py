"""Numbers as journals print them. Every rule stands in `STYLES`; a number is rounded once, half up, on its decimal digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
MOST_PLACES = 6
MOST_ESTIMATE_PLACES = 3


@dataclass(frozen=True, slots=True)
class PRule:
    """How a P value is printed.

    `bands` are (upper bound, decimal places): the first band whose bound is above P holds. `smallest` is the least value
    printed; below it stands "<smallest". With `significant`, that many significant figures are printed instead, within
    the places of `smallest`. With `keeps_side`, a P value below 0.05 is never printed as 0.05.
    """

    bands: tuple[tuple[float, int], ...]
    smallest: str = "0.001"
    significant: int | None = None
    leading_zero: bool = True
    keeps_side: bool = False


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """The number rules of one journal.

    `percent_bands` are (denominator below, places); `few_percent` counts places by the percentage instead: one below 10,
    none from 10. `spread` is how a standard deviation follows its mean. Without `baseline_p` Table 1 has no P values;
    without `secondary_p` secondary and exploratory analyses have intervals only, unless the plan adjusts for multiplicity.
    """

    name: str
    p: PRule
    decimal_mark: str = "."
    thousands: str = ","
    separator: str = " to "
    separator_negative: str = " to "
    after_level: str = ""
    percent_bands: tuple[tuple[float, int], ...] = ((100, 0), (float("inf"), 1))
    few_percent: bool = False
    percent_sign: bool = False
    spread: str = "{mean} ({sd})"
    mean_label: str = "mean (SD)"
    median_label: str = "median (IQR)"
    baseline_p: bool = True
    secondary_p: bool = True


TWO_PLACES_THREE_BELOW_01 = ((0.01, 3), (float("inf"), 2))

# Our own style where no journal is named: AMA's rules with a leading zero, "to" in every interval and the % sign.
PLAIN = NumberStyle(
    name="plain",
    p=PRule(TWO_PLACES_THREE_BELOW_01, keeps_side=True),
    percent_sign=True,
    median_label="median (Q1\N{EN DASH}Q3)",
)

STYLES: Mapping[str, NumberStyle] = {
    "plain": PLAIN,
    # AMA Manual of Style, 11th ed.: P to two places, three below .01 or where rounding would cross .05, no leading zero
    # (chapters 18.7.1, 19.5); percentages: none below N = 100, one from 100; no % sign in cells; thin space in thousands.
    # Copy-editors set X.XX-Y.YY and "to" beside a negative limit (gtsummary issue 1590).
    "jama": replace(
        PLAIN,
        name="jama",
        p=PRule(TWO_PLACES_THREE_BELOW_01, leading_zero=False, keeps_side=True),
        thousands=NARROW,
        separator="-",
        after_level=",",
        percent_sign=False,
        median_label="median (IQR)",
    ),
    # NEJM statistical reporting guidelines (2019): two places above .01, three from .001 to .01, then <0.001 (verbatim in
    # Aguinis 2019); no P values of secondary outcomes without a plan for multiplicity. "to", mean ±SD and one decimal of a percentage at most: as printed in its tables.
    "nejm": replace(
        PLAIN,
        name="nejm",
        p=PRule(TWO_PLACES_THREE_BELOW_01),
        after_level=",",
        percent_sign=False,
        spread="{mean}±{sd}",
        mean_label="mean ±SD",
        median_label="median (IQR)",
        secondary_p=False,
    ),
    # Lancet: two significant figures, at most four places, <0·0001; mid-line point; % sign kept (gtsummary issue 1442 and
    # pull request 2375). En dash, "to" beside a negative limit, thin space in thousands: as printed.
    "lancet": replace(
        PLAIN,
        name="lancet",
        p=PRule(((float("inf"), 2),), smallest="0.0001", significant=2),
        decimal_mark="·",
        thousands=NARROW,
        separator="\N{EN DASH}",
        median_label="median (IQR)",
    ),
    # BMJ: "to" in every interval and P<0.001, as printed in its tables; its author pages give no further rule of digits.
    "bmj": replace(
        PLAIN,
        name="bmj",
        p=PRule(TWO_PLACES_THREE_BELOW_01),
        thousands=NARROW,
        percent_sign=False,
        median_label="median (interquartile range)",
    ),
    # JACC: two places, <0.001, "0.31-1.68", median (Q1-Q3); whole percentages, one place below 10 (as printed).
    "jacc": replace(
        PLAIN,
        name="jacc",
        p=PRule(((0.01, 3), (float("inf"), 2))),
        separator="-",
        after_level=":",
        few_percent=True,
        percent_sign=False,
        median_label="median (Q1-Q3)",
    ),
    # Annals of Internal Medicine, general statistical guidance (annals.org/aim/pages/AuthorInformationStatisticsOnly): three
    # places from .001 to .20, two above; one decimal of a percentage from N = 200; mean (SD), never ±; no P in Table 1.
    "annals": replace(
        PLAIN,
        name="annals",
        p=PRule(((0.2005, 3), (float("inf"), 2))),
        percent_bands=((200, 0), (float("inf"), 1)),
        percent_sign=False,
        median_label="median (IQR)",
        baseline_p=False,
    ),
}


def rounded(value: float, places: int) -> Decimal:
    """The value rounded once, half away from zero, from the digits that identify it."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def number(value: float, places: int, style: NumberStyle = PLAIN) -> str:
    """A number with a true minus sign, the journal's decimal mark and thousands; never "-0.0"."""
    if not isfinite(value):
        raise ValueError("a number that is not finite is a status, not text")
    decimal = rounded(value, places)
    whole, _, fraction = f"{abs(decimal):f}".partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", style.thousands)
    text = f"{whole}{style.decimal_mark}{fraction}" if fraction else whole
    return f"{MINUS}{text}" if decimal < 0 else text


def count(n: int, style: NumberStyle = PLAIN) -> str:
    """A count; thousands are set apart from 10,000 on."""
    return number(n, 0, style)


def p_value(p: float, style: NumberStyle = PLAIN) -> str:
    """A P value: never 0.000, never NS, "<0.001" and ">0.99" at the ends."""
    if not 0 <= p <= 1:
        raise ValueError("a P value lies between 0 and 1")
    rule = style.p
    if p < float(rule.smallest):
        text = f"<{rule.smallest}"
    else:
        places = _p_places(p, rule)
        decimal = rounded(p, places)
        text = ">0.99" if decimal >= 1 else f"{decimal:f}"
    if not rule.leading_zero:
        text = text.replace("0.", ".", 1)
    return text.replace(".", style.decimal_mark)


def p_phrase(p: float, style: NumberStyle = PLAIN) -> str:
    """A P value inside a sentence: "P = 0.03", "P < 0.001"."""
    text = p_value(p, style)
    return f"P {text[0]} {text[1:]}" if text[0] in "<>" else f"P = {text}"


def _p_places(p: float, rule: PRule) -> int:
    places = next(places for bound, places in rule.bands if p < bound)
    if rule.significant is not None:
        most = len(rule.smallest) - 2
        places = min(most, max(places, rule.significant - 1 - Decimal(repr(p)).adjusted()))
    while rule.keeps_side and p < 0.05 and rounded(p, places) >= Decimal("0.05") and places < MOST_PLACES:
        places += 1
    return places


def interval(low: float | None, high: float | None, places: int, style: NumberStyle = PLAIN) -> str:
    """Two limits; an end that is not finite or unknown reads as infinity or a dash."""
    ends = [_end(low, places, style), _end(high, places, style)]
    negative = any(end is not None and end < 0 for end in (low, high))
    return (style.separator_negative if negative else style.separator).join(ends)


def _end(value: float | None, places: int, style: NumberStyle) -> str:
    if value is None:
        return "NE"
    if not isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value and not rounded(value, places):
        least = number(10.0**-places, places, style)
        return f"<{least}" if value > 0 else f">{MINUS}{least}"
    return number(value, places, style)


def level(value: float, style: NumberStyle = PLAIN) -> str:
    """The name of an interval: "95% CI"."""
    percentage = Decimal(repr(value)) * 100
    return f"{percentage.normalize():f}% CI".replace(".", style.decimal_mark)


def estimate(
    value: float,
    low: float | None,
    high: float | None,
    style: NumberStyle = PLAIN,
    *,
    places: int = 2,
    null: float | None = None,
) -> str:
    """An estimate with its interval: "0.82 (0.69 to 0.99)"."""
    places = estimate_places(value, low, high, places=places, null=null)
    printed = _end(value, places, style)
    return printed if low is None and high is None else f"{printed} ({interval(low, high, places, style)})"


def estimate_places(
    value: float, low: float | None, high: float | None, *, places: int = 2, null: float | None = None
) -> int:
    """The places an estimate and its limits need together.

    One more where a limit would be rounded onto the null value or onto zero without being it: the reader must see on which
    side an interval ends. Ratios of 100 and more need no second place.
    """
    known = [end for end in (value, low, high) if end is not None and isfinite(end)]
    marks = {Decimal(0)} if null is None else {Decimal(0), Decimal(repr(float(null)))}
    if abs(value) >= 100 and places > 1:
        places = 1
    while places < MOST_ESTIMATE_PLACES and any(
        rounded(end, places) in marks and Decimal(repr(float(end))) not in marks for end in known
    ):
        places += 1
    return places


def percent(n: int, total: int, style: NumberStyle = PLAIN, *, among: int | None = None) -> str:
    """A percentage; `among` sets the precision where a table has several denominators.

    A count that is neither none nor all never reads as 0 or 100.
    """
    if total <= 0:
        return "\N{EM DASH}"
    share = 100 * Decimal(n) / Decimal(total)
    places = percent_places(float(share), total if among is None else among, style)
    unit = Decimal(1).scaleb(-places)
    decimal = share.quantize(unit, ROUND_HALF_UP)
    if n > 0 and decimal == 0:
        text = f"<{number(float(unit), places, style)}"
    elif n < total and decimal == 100:
        text = f">{number(float(100 - unit), places, style)}"
    else:
        text = number(float(decimal), places, style)
    return f"{text}%" if style.percent_sign else text


def percent_places(share: float, total: int, style: NumberStyle) -> int:
    """Decimal places of a percentage."""
    if style.few_percent:
        return 1 if 0 < share < 9.95 else 0
    return next(places for bound, places in style.percent_bands if total < bound)


def count_percent(n: int, total: int, style: NumberStyle = PLAIN, *, among: int | None = None) -> str:
    """A count with its percentage: "593 (71.3)"."""
    return f"{count(n, style)} ({percent(n, total, style, among=among)})"


def count_of(n: int, total: int, style: NumberStyle = PLAIN, *, among: int | None = None) -> str:
    """A count with its denominator and percentage: "399/832 (48.0%)"."""
    return f"{count(n, style)}/{count(total, style)} ({percent(n, total, style, among=among)})"


def mean_sd(mean: float, sd: float, places: int, style: NumberStyle = PLAIN) -> str:
    """A mean with its standard deviation."""
    return style.spread.format(mean=number(mean, places, style), sd=number(sd, places, style))


def median_quartiles(median: float, q1: float, q3: float, places: int, style: NumberStyle = PLAIN) -> str:
    """A median with its quartiles: "60 (51–65)"."""
    separator = " to " if min(q1, q3) < 0 else ("-" if style.separator == "-" else "\N{EN DASH}")
    return f"{number(median, places, style)} ({number(q1, places, style)}{separator}{number(q3, places, style)})"


def measured_places(spread: float) -> int:
    """Places of a measured quantity, from its spread: two significant figures of the spread, one place at least below 100."""
    if spread <= 0 or not isfinite(spread):
        return 1
    if spread >= 100:
        return 0
    return min(4, max(1, 1 - Decimal(repr(float(spread))).adjusted()))


def hundredfold(value: float) -> float:
    """A fraction in percent, exact in its decimal digits."""
    return float(Decimal(repr(float(value))).scaleb(2)) if isfinite(value) else value
