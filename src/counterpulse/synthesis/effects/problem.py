"""What is wrong with a row of an extraction table: data, not an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REMEDIES: Mapping[str, str] = {
    "missing": "complete it from the paper, or leave the row out",
    "not-a-number": "write the number alone, with a point for decimals",
    "not-finite": "write a finite number",
    "negative": "give a number that is 0 or more",
    "not-positive": "give a number above 0",
    "not-whole": "give a whole number of patients",
    "too-few": "a standard deviation needs 2 patients or more; check the number of patients",
    "above-n": "check the events and the patients of this arm",
    "out-of-range": "check the number against the paper",
    "reversed-limits": "write the lower limit first",
    "outside-interval": "the printed interval does not contain its estimate; check all three numbers",
    "asymmetric-interval": "no rounding makes the printed interval symmetric about its estimate on this scale; check the numbers, "
    "and whether the interval is a profile, exact or bootstrap one",
    "no-width": "the limits coincide, so there is no standard error; find more decimals",
    "corrected": "a constant was added to the cells, because one is zero",
    "double-zero": "no event in either arm says nothing about the ratio; the row counts for the risk difference",
    "double-full": "everybody had the event in both arms, which says nothing about the ratio; the row counts for the risk difference",
    "zero-cell": "a zero cell leaves this measure without a finite value; correct the cells or use another measure",
    "undefined": "the measure has no finite value or no variance for these numbers",
    "bound-only": "the P value is printed as a bound, which was used as if exact, so the evidence is understated; find the P value or an interval",
    "no-information": "a P value of 1 or an effect of none leaves the standard error undefined; use the interval or the counts",
    "several-counts": "the nearest one is used; extract the count where it is printed",
    "no-count-fits": "no whole number of patients rounds to the printed percentage; check it and the number of patients",
    "opposite-signs": "a ratio of means needs both means of the same sign, away from 0; use a difference",
    "unordered": "minimum, quartiles, median and maximum must not decrease; check them",
    "skewed": "the data are skewed, so a mean and a standard deviation made from these numbers mislead; use the medians",
    "rising-survival": "a survival curve cannot rise, nor the number at risk; check the readings",
    "empty-interval": "an interval without an event in one of the groups was left out",
    "coarse-interval": "the ratio of interval risks is drawn towards 1; read the curves at closer times, or use the ratio of hazards",
    "events-only": "extract the events, and the patients or the time of follow-up",
    "risk-too-high": "the ratio times the baseline risk exceeds 1; check the baseline risk",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one row.

    `row` counts from 1, `code` is a key of `REMEDIES`, `seen` says what was seen without printing the number, and
    `dropped` whether the row was left without an effect because of it.
    """

    row: int
    code: str
    seen: str
    dropped: bool

    @property
    def text(self) -> str:
        """The problem with one thing to do, as a person reads it."""
        outcome = "the row has no effect" if self.dropped else "the row is used"
        return f"row {self.row}: {self.seen} ({outcome}); {REMEDIES[self.code]}"
