"""Pooling across designs after an additive bias, with its doubt, is taken off the studies of each design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.exploration.refits import Refits, asked, refit
from counterpulse.synthesis.exploration.robust import rows_by_label
from counterpulse.synthesis.pooling.asked import LEVEL
from counterpulse.synthesis.pooling.study_input import read_studies

Floats = NDArray[np.float64]

QUALITY_WEIGHTS = (
    "quality_weights are not offered: weights by a quality score bias the pooled effect and have no valid standard error "
    "(Greenland and O'Rourke 2001). State for each design its bias, the standard deviation of that bias and a variance inflation "
    "(bias={'cohort': (mean, sd, inflation)}), or pool the designs as subgroups."
)


@dataclass(frozen=True, slots=True)
class DesignBias:
    """What is believed of a design, on the scale of the effects.

    Attributes
    ----------
    mean : bias of a study of this design: what is taken off its effect
    sd : standard deviation of the bias from study to study of the design
    inflation : factor on the variance of a study, 1 or more
    """

    mean: float
    sd: float
    inflation: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasAdjusted:
    """A pooled effect after the stated biases are taken off, beside the one without.

    Attributes
    ----------
    adjusted, unadjusted : pooled effects, one row each
    yi, vi : adjusted effects and variances, shape (k,)
    design : of each study
    bias : what was stated of each design that occurs
    """

    adjusted: Refits
    unadjusted: Refits
    yi: Floats
    vi: Floats
    labels: tuple[str, ...]
    design: tuple[str, ...]
    bias: Mapping[str, DesignBias]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The adjusted pooled effect, then the unadjusted one."""
        return self.adjusted.estimate(0, "adjusted for stated bias"), self.unadjusted.estimate(0, "unadjusted")

    def tidy(self) -> pl.DataFrame:
        """Two rows: adjusted and unadjusted."""
        rows = (
            self.adjusted.frame("analysis", ("adjusted for stated bias",)),
            self.unadjusted.frame("analysis", ("unadjusted",)),
        )
        return pl.concat(rows)

    def studies(self) -> pl.DataFrame:
        """One row a study: its design, adjusted effect and adjusted variance."""
        return pl.DataFrame({"study": self.labels, "design": self.design, "estimate": self.yi, "variance": self.vi})


def bias_adjusted(
    yi: ArrayLike,
    vi: ArrayLike,
    design: Sequence[Any] | NDArray[Any],
    *,
    bias: Mapping[str, DesignBias | Sequence[float]],
    quality_weights: object = None,
    tau2: str | None = None,
    interval: str | None = None,
    prediction: str | None = None,
    convention: str | None = None,
    level: float = LEVEL,
    measure: str = "effect",
    scale: Scale = "identity",
    labels: Sequence[str] | None = None,
) -> BiasAdjusted:
    """Pool ``y - mean`` with variance ``(v + sd^2) * inflation``, the three stated for every design.

    Parameters
    ----------
    yi : effects, shape (k,)
    vi : sampling variances, shape (k,)
    design : of each study, such as "trial", "matched cohort", "unmatched cohort"
    bias : for each design a `DesignBias` or (mean, sd) or (mean, sd, inflation), on the scale of `yi`; a design without
        bias is stated too, as (0, 0)
    quality_weights : refused, with the reason
    tau2, interval, prediction, convention, measure, scale : as in `pool`
    level : of every interval

    Raises
    ------
    InputError : a design of which nothing is stated, a statement that is not three usable numbers, quality weights, or
        what `pool` refuses

    Notes
    -----
    The biases of the studies of a design are taken as independent draws about `mean`. Nothing in the data informs them:
    the result is as good as the statement, which belongs in the protocol.

    References
    ----------
    Turner et al. 2009, doi:10.1111/j.1467-985X.2008.00547.x; Welton et al. 2009, doi:10.1111/j.1467-985X.2008.00548.x.
    """
    if quality_weights is not None:
        raise InputError(QUALITY_WEIGHTS)
    y, v = read_studies(yi, vi)
    stated = _stated(design, bias, len(y))
    how = asked(
        tau2=tau2, interval=interval, prediction=prediction, convention=convention, level=level, measure=measure, scale=scale
    )  # fmt: skip
    names = tuple(str(name) for name in design)
    moved = y - np.array([stated[name].mean for name in names])
    spread = (v + np.array([stated[name].sd ** 2 for name in names])) * np.array([stated[n].inflation for n in names])
    fits = refit(np.stack([moved, y]), np.stack([spread, v]), how)
    return BiasAdjusted(
        adjusted=fits.take(slice(0, 1)), unadjusted=fits.take(slice(1, 2)), yi=moved, vi=spread,
        labels=study_labels(labels, len(y)), design=names, bias=stated,
        provenance=how.provenance("bias-adjusted pooling", ("turner-2009", "welton-2009"), *_statements(stated)),
    )  # fmt: skip


def _stated(
    design: Sequence[Any] | NDArray[Any], bias: Mapping[str, DesignBias | Sequence[float]], k: int
) -> dict[str, DesignBias]:
    occurring = dict.fromkeys(str(list(design)[rows[0]]) for rows in rows_by_label(design, k))
    missing = [name for name in occurring if name not in bias]
    if missing:
        raise InputError(
            f"no bias is stated for {', '.join(map(repr, missing))}; state (mean, sd, inflation) for every design, "
            "(0, 0, 1) where there is none"
        )
    return {name: _read(name, bias[name]) for name in occurring}


def _read(name: str, given: DesignBias | Sequence[float]) -> DesignBias:
    try:
        stated = given if isinstance(given, DesignBias) else DesignBias(*(float(number) for number in given))
    except (TypeError, ValueError):
        raise InputError(f"the bias of {name!r} is not two or three numbers; state (mean, sd, inflation)") from None
    finite = all(map(isfinite, (stated.mean, stated.sd, stated.inflation)))
    if not (finite and stated.sd >= 0 and stated.inflation >= 1):
        raise InputError(
            f"the bias of {name!r} is not usable; the mean is a finite number, the sd 0 or above, the inflation 1 or above"
        )
    return stated


def _statements(stated: Mapping[str, DesignBias]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            f"bias of {name}", f"mean {one.mean:g}, sd {one.sd:g}, inflation {one.inflation:g}", "given", "turner-2009"
        )
        for name, one in stated.items()
    )
