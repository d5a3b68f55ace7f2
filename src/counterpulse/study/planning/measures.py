"""Words with a time in them: ``risk difference at 60 days``."""

from __future__ import annotations

import re

from counterpulse.protocol.words import Duration, read_duration

STANDARDIZED_ODDS = "marginal odds ratio"
MARGINAL = ("risk difference", "risk ratio", STANDARDIZED_ODDS)
"""What is standardized from a model of a yes/no outcome: averaged over people, where its coefficients are conditional."""

MEASURE_AT = re.compile(r"(?P<measure>.+?)(?: at (?P<time>.+))?")


def split_measure(text: str) -> tuple[str, Duration | None]:
    """``risk difference at 60 days`` is a measure and a time.

    Raises
    ------
    ValueError : what follows "at" is no length of time
    """
    found = re.fullmatch(MEASURE_AT, text)
    assert found is not None
    return found["measure"], read_duration(found["time"]) if found["time"] else None
