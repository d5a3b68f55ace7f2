"""What rounding of printed numbers can and cannot explain."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.printed_rows import Flags, Floats, raw_values
from counterpulse.synthesis.effects.printed_scale import PrintedScale

SLACK = 1e-9  # a printed 0.615 is not exactly 0.615 in binary


def printed_decimals(*columns: ArrayLike) -> Floats:
    """The most decimals that a row shows in any of these columns, shape (k,).

    Text keeps its trailing zeros ("0.80" has two); a number has lost them, which is why the columns are read together.
    """
    rows = [raw_values(column) for column in columns]
    k = max(len(row) for row in rows)
    if {len(row) for row in rows} - {1, k}:
        raise InputError("the columns have unequal lengths; give one value a study in each")
    counts = [[_decimals(value) for value in row] * (k if len(row) == 1 else 1) for row in rows]
    most: Floats = np.max(np.array(counts, dtype=np.float64), axis=0)
    return most


def could_be_symmetric(estimate: Floats, low: Floats, high: Floats, *, decimals: Floats, scale: PrintedScale) -> Flags:
    """Whether some numbers that round to the printed ones make an interval symmetric about its estimate.

    Each printed number stands for all within half a unit of its last decimal. The interval is symmetric when, on the
    scale of the measure, twice the estimate is the sum of the limits; the two ranges must overlap.
    """
    half = 0.5 * 10.0**-decimals + SLACK
    twice_low, twice_high = (2 * scale.of(estimate + sign * half) for sign in (-1, 1))
    sum_low, sum_high = (scale.of(low + sign * half) + scale.of(high + sign * half) for sign in (-1, 1))
    overlap: Flags = (twice_low <= sum_high) & (sum_low <= twice_high)
    return overlap


def _decimals(value: object) -> int:
    text = isinstance(value, str)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return 0
    if not number.is_finite():
        return 0
    exponent = (number if text else number.normalize()).as_tuple().exponent
    return max(0, -int(exponent))
