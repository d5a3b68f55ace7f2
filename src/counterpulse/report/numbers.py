"""Numbers as journals print them: rounded once, half up, on their decimal digits. The rules stand in `number_styles`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite

from counterpulse.report.number_styles import EM_DASH, MINUS, PLAIN, NumberStyle, PRule

MOST_PLACES = 6
MOST_ESTIMATE_PLACES = 3
EVERY_DIGIT = Context(prec=400)
"""Room for the digits of the largest float, which a limit that ran away may be."""
LARGEST_RATIO = 1000
"""A larger ratio is printed as above it, as one below 0.001 is printed as below that (ours): its digits mean nothing."""


def probability(value: float, style: NumberStyle = PLAIN) -> str:
    """A type I error or a power as written, without a leading zero where P values have none."""
    text = as_written(value, style)
    return text if style.p.leading_zero else text.removeprefix("0")


def rounded(value: float, places: int) -> Decimal:
    """The value rounded once, half away from zero, from the digits that identify it."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EVERY_DIGIT)


def number(value: float, places: int, style: NumberStyle = PLAIN) -> str:
    """A number with a true minus sign, the journal's decimal mark and thousands; never "-0.0"."""
    if not isfinite(value):
        raise ValueError("a number that is not finite is a status, not text")
    decimal = rounded(value, places)
    whole, _, fraction = f"{abs(decimal):f}".partition(".")
    if len(whole) >= style.grouped_from:
        whole = f"{int(whole):,}".replace(",", style.thousands)
    text = f"{whole}{style.decimal_mark}{fraction}" if fraction else whole
    return f"{MINUS}{text}" if decimal < 0 else text


def count(n: int, style: NumberStyle = PLAIN) -> str:
    """A count; thousands are set apart as the journal does."""
    return number(n, 0, style)


def as_written(value: float, style: NumberStyle = PLAIN) -> str:
    """A number of the protocol with the digits it was written with: a time point, a cut, a tick of an axis."""
    digits = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return number(value, max(0, -digits) if isinstance(digits, int) else 0, style)


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
    sign, digits = (text[0], text[1:]) if text[0] in "<>" else ("=", text)
    space = style.p.space
    return f"{style.p.letter}{space}{sign}{space}{digits}"


def _p_places(p: float, rule: PRule) -> int:
    places = next(places for bound, places in rule.bands if p < bound)
    if rule.significant is not None:
        most = len(rule.smallest) - 2
        places = min(most, max(places, rule.significant - 1 - Decimal(repr(p)).adjusted()))
    while rule.keeps_side and p < 0.05 and rounded(p, places) >= Decimal("0.05") and places < MOST_PLACES:
        places += 1
    return places


def interval(
    low: float | None, high: float | None, places: int, style: NumberStyle = PLAIN, *, null: float | None = None
) -> str:
    """Two limits; an end that is not finite reads as infinity, an unknown one as NE.

    A hyphen or dash joins two plain numbers only: beside a minus, a sign or a word stands "to" (ours beyond the minus).
    """
    ends = [_end(end, places, style, null) for end in (low, high)]
    plain = all(end[0].isdigit() for end in ends)
    return (style.separator if plain else style.separator_negative).join(ends)


def _end(value: float | None, places: int, style: NumberStyle, null: float | None) -> str:
    if value is None:
        return "NE"
    if not isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if null == 1 and value > LARGEST_RATIO:
        return f">{number(LARGEST_RATIO, 0, style)}"
    if null == 1 and not value:
        return "0"
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
    printed = _end(value, places, style, null)
    return printed if low is None and high is None else f"{printed} ({interval(low, high, places, style, null=null)})"


def reference(null: float, places: int, style: NumberStyle = PLAIN) -> str:
    """The cell of the level that the others are compared with: "1 [Reference]"."""
    return style.reference.format(null=number(null, places if style.reference_places else 0, style))


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
        return EM_DASH
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
    separator = style.separator_negative if min(q1, q3) < 0 else style.quartile_separator
    return f"{number(median, places, style)} ({number(q1, places, style)}{separator}{number(q3, places, style)})"


def footnote_mark(position: int, style: NumberStyle = PLAIN) -> str:
    """The mark of a footnote by its position from 0: a, b, c … aa; or *, †, ‡, … **."""
    times, sign = divmod(position, len(style.marks))
    return style.marks[sign] * (times + 1)


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
