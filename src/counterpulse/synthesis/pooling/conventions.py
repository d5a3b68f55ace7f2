"""Which estimator, interval and prediction interval a house uses, so that its published numbers can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from counterpulse.errors import InputError
from counterpulse.results.provenance import Choice, Origin
from counterpulse.synthesis.engine.between_variance import COMMON, estimator_named
from counterpulse.synthesis.pooling import intervals, prediction_intervals
from counterpulse.synthesis.pooling.intervals import HARTUNG_KNAPP, WALD, check_interval
from counterpulse.synthesis.pooling.prediction_intervals import BESIDE, NONE, check_prediction

Q_PROFILE = "q-profile"
FROM_TAU2, FROM_Q = "tau2", "q"


@dataclass(frozen=True, slots=True)
class Convention:
    """Named choices; None leaves the choice to the default.

    Attributes
    ----------
    tau2 : estimator of the variance between studies
    interval : of the pooled effect
    prediction : definition of the prediction interval, or "none"
    tau2_interval : "q-profile" or "none"
    i2 : "tau2" (from the variance and the typical sampling variance) or "q" (from Cochran's Q)
    """

    tau2: str | None = None
    interval: str | None = None
    prediction: str | None = None
    tau2_interval: str | None = None
    i2: str | None = None


_NO_HOUSE = Convention()

CONVENTIONS: Mapping[str, Convention] = {
    "cochrane-2025": Convention("REML", HARTUNG_KNAPP, "HK", Q_PROFILE, FROM_TAU2),
    "revman-5.4": Convention("DL", WALD, NONE, NONE, FROM_Q),
    "metafor": Convention("REML", WALD, "normal", Q_PROFILE, FROM_TAU2),
    "meta-6": Convention("REML", WALD, "HTS", Q_PROFILE, FROM_Q),
}
"""RevMan from January 2025, RevMan 5.4, and the defaults of the R packages metafor (3.8) and meta (6.1)."""

TAU2_SOURCES: Mapping[str, str] = {
    COMMON: "cochran-1954", "DL": "der-simonian-laird-1986", "DL2": "der-simonian-kacker-2007", "SJ": "sidik-jonkman-2005",
    "PM": "paule-mandel-1982", "ML": "viechtbauer-2005", "REML": "viechtbauer-2005", "HE": "viechtbauer-2005",
    "HS": "viechtbauer-2005",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices of one analysis with where each came from."""

    tau2: str
    interval: str
    prediction: str
    tau2_interval: str
    i2: str
    choices: tuple[Choice, ...]


def choose(
    *,
    tau2: str | None,
    interval: str | None,
    prediction: str | None,
    convention: str | None,
    level: float,
    tau2_interval: str | None = None,
) -> Chosen:
    """Fill what was not given from the convention, else from the defaults: REML, Hartung-Knapp and what goes with them.

    The common effect model has no prediction interval and no interval of tau2, and its interval is Wald's by default.

    Raises
    ------
    InputError : a name that does not exist
    """
    house = _NO_HOUSE if convention is None else _house(convention)
    estimator, origin = _first(tau2, house.tau2, "REML")
    estimator = estimator_named(estimator)
    common = estimator == COMMON
    kind, kind_origin = _first(interval, None if common else house.interval, WALD if common else HARTUNG_KNAPP)
    kind = check_interval(kind)
    shown, shown_origin = _first(prediction, house.prediction, BESIDE[kind])
    if common:
        shown, shown_origin = NONE, "derived"
    shown = check_prediction(shown)
    profile, profile_origin = _first(tau2_interval, house.tau2_interval, Q_PROFILE)
    if profile not in (Q_PROFILE, NONE):
        raise InputError(f"tau2_interval is {profile!r}; it can be {Q_PROFILE} or {NONE}. Write one of these.")
    if common:
        profile, profile_origin = NONE, "derived"
    i2, i2_origin = _first(None, house.i2, FROM_TAU2)
    choices = (
        *((Choice("convention", convention, "given"),) if convention else ()),
        Choice("tau2", estimator, origin, TAU2_SOURCES.get(estimator, "veroniki-2016")),
        Choice("interval", kind, kind_origin, intervals.SOURCES[kind]),
        Choice("prediction interval", shown, shown_origin, prediction_intervals.SOURCES[shown]),
        Choice("interval of tau2", profile, profile_origin, "viechtbauer-2007" if profile == Q_PROFILE else None),
        Choice("I2 from", i2, i2_origin, "higgins-thompson-2002"),
        Choice("level", level, "default" if level == 0.95 else "given"),
    )
    return Chosen(estimator, kind, shown, profile, i2, choices)


def _house(convention: str) -> Convention:
    known = str(convention).lower()
    if known not in CONVENTIONS:
        raise InputError(
            f"convention is {convention!r}; it can be one of {', '.join(CONVENTIONS)}. Write one of these."
        )
    return CONVENTIONS[known]


def _first(given: str | None, of_house: str | None, usual: str) -> tuple[str, Origin]:
    if given is not None:
        return given, "given"
    return (of_house, "derived") if of_house is not None else (usual, "default")
