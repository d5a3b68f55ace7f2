"""How each measure is named, on which scale it is printed and drawn, and where it says that groups are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ratio", "points", "difference", "probability", "value", "index", "test"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure.

    `noun` is what goes up or down ("odds"); `label` is printed instead of the name. "points" are differences of proportions,
    printed in percentage points; "probability" is printed in percent; "value" in its own unit; "index" has none.
    """

    name: str
    kind: Kind
    noun: str = ""
    label: str = ""

    @property
    def null(self) -> float | None:
        """The value of equal groups, on the scale that is printed."""
        return {"ratio": 1.0, "points": 0.0, "difference": 0.0}.get(self.kind)

    @property
    def contrasts(self) -> bool:
        """Whether it compares groups."""
        return self.null is not None

    @property
    def places(self) -> int:
        """Decimal places where nothing asks for more."""
        return {"ratio": 2, "points": 1, "probability": 1, "index": 3}.get(self.kind, 2)

    @property
    def title(self) -> str:
        """The name at the start of a cell."""
        return self.words[:1].upper() + self.words[1:]

    @property
    def words(self) -> str:
        """The name inside a sentence."""
        return self.label or self.name.replace("rmst", "RMST")


INDICES = (
    "c-statistic", "concordance", "Brier score", "scaled Brier score", "calibration intercept", "calibration slope",
    "expected/observed ratio", "integrated calibration index", "E50", "E90", "variance between clusters",
    "intraclass correlation", "median odds ratio", "log odds", "probabilistic index", "time-dependent AUC", "Uno's concordance", "time-dependent AUC", "net benefit",
    "optimism-corrected c-statistic", "optimism-corrected concordance", "optimism-corrected calibration slope",
    "optimism-corrected calibration intercept", "optimism-corrected Brier score", "difference in c-statistic",
    "difference in concordance", "variance between studies", "standard deviation between studies", "inconsistency between designs",
)  # fmt: skip
"""Numbers without a unit that compare no groups."""

MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("odds ratio", "ratio", "odds"),
        Measure("hazard ratio", "ratio", "hazard"),
        Measure("risk ratio", "ratio", "risk"),
        Measure("rate ratio", "ratio", "rate"),
        Measure("rmst ratio", "ratio", "restricted mean event-free time"),
        Measure("risk difference", "points", "risk"),
        Measure("survival difference", "points", "survival"),
        Measure("cumulative incidence difference", "points", "cumulative incidence"),
        Measure("cumulative incidence ratio", "ratio", "cumulative incidence"),
        Measure("win odds", "ratio", "odds of the better outcome"),
        Measure("mean difference", "difference", "mean"),
        Measure("median difference", "difference", "median"),
        Measure("rmst difference", "difference", "restricted mean event-free time"),
        Measure("risk", "probability", "risk"),
        Measure("proportion", "probability", "proportion"),
        Measure("proportion who died", "probability", "proportion who died"),
        Measure("survival", "probability", "survival"),
        Measure("cumulative incidence", "probability", "cumulative incidence"),
        Measure("rmst", "value", "restricted mean event-free time"),
        *(Measure(name, "index") for name in INDICES),
        Measure("interaction", "test"),
        Measure("test of curves", "test"),
        Measure("overall", "test", label="test of all its terms"),
        Measure("nonlinearity", "test", label="test of nonlinearity"),
        Measure("coefficient", "index"),
        Measure("slope difference", "difference", "slope"),
        Measure("ratio of means", "ratio", "mean"),
        Measure("correlation", "index"),
        Measure("standardized mean difference", "difference", "mean"),
        Measure("rate", "value", "rate"),
        Measure("I-squared", "probability", "share of variability"),
        Measure("test of moderators", "test"),
    )
}


SMD_DENOMINATORS = {
    "pooled": "the square root of the mean of the groups' variances",
    "treated": "the standard deviation of the treated group",
    "reference": "the standard deviation of the reference group",
    "control": "the standard deviation of the reference group",
    "weighted": "the weighted standard deviation of all patients",
    "all": "the standard deviation of all patients",
}
"""What a difference is divided by to be a standardized mean difference."""


def measure_of(name: str) -> Measure:
    """The measure of a name; one that is not listed is read by its last word."""
    if name in MEASURES:
        return MEASURES[name]
    last = name.rsplit(" ", 1)[-1]
    if last == "ratio":
        return Measure(name, "ratio", noun=name.removesuffix(" ratio"))
    if last == "difference":
        return Measure(name, "difference", noun=name.removesuffix(" difference"))
    if last in ("test", "interaction") or name.startswith("log-rank"):
        return Measure(name, "test")
    return Measure(name, "probability" if last in ("survival", "risk", "incidence") else "value")
