"""PET-PEESE: the intercept of a meta-regression on the standard error, or on the variance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import t_two_sided
from counterpulse.results import Estimate, Provenance, Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate
from counterpulse.synthesis.pooling.asked import LEVEL, choice
from counterpulse.synthesis.small_study.asymmetry_test import AsymmetryTest
from counterpulse.synthesis.small_study.egger import egger

ALPHA = 0.10
"""Of the two-sided test of the PET intercept, which is 0.05 in one direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PetPeese:
    """Both regressions, and the one that the conditional rule chooses.

    Attributes
    ----------
    chosen : "PEESE" where the intercept of PET differs from zero, else "PET"
    adjusted : the intercept of the chosen regression
    pet, peese : the intercepts of both
    pet_line, peese_line : the regressions on the standard error and on the sampling variance
    """

    chosen: Literal["PET", "PEESE"] | None
    adjusted: Estimate
    pet: Estimate
    peese: Estimate
    pet_line: AsymmetryTest
    peese_line: AsymmetryTest
    k: int
    level: float
    status: Status
    notes: tuple[str, ...]
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The adjusted effect, then PET and PEESE."""
        return (self.adjusted, self.pet, self.peese)

    def tidy(self) -> pl.DataFrame:
        """One row an estimate."""
        return tidy(self.estimates())


def pet_peese(yi: ArrayLike, vi: ArrayLike, *, alpha: float = ALPHA, level: float = LEVEL) -> PetPeese:
    """Regress the effects on their standard errors (PET); if the intercept differs from zero, on the variances (PEESE).

    Both are weighted by 1 / vi with a multiplicative residual variance and t with k - 2 degrees of freedom. PET is biased
    toward zero where there is an effect, PEESE away from it where there is none.

    Parameters
    ----------
    yi, vi : effects (ratios as logarithms) and sampling variances, shape (k,)
    alpha : of the two-sided test of the PET intercept that chooses
    level : of the intervals

    Raises
    ------
    InputError : unequal lengths, variances that are not positive, an alpha or level outside (0, 1)

    References
    ----------
    Stanley and Doucouliagos 2014, doi:10.1002/jrsm.1095.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha is {alpha:g}; give a type I error between 0 and 1, such as 0.1")
    pet_line, peese_line = (egger(yi, vi, predictor=p, level=level) for p in ("sei", "vi"))
    provenance = Provenance("PET-PEESE", (choice("alpha", alpha, ALPHA),), ("stanley-doucouliagos-2014", "sterne-2011"))
    pet, peese = _intercept(pet_line, "PET"), _intercept(peese_line, "PEESE")
    chosen: Literal["PET", "PEESE"] | None = None
    adjusted = replace(pet, term="adjusted")
    if pet.p_value is not None:
        chosen = "PEESE" if pet.p_value < alpha else "PET"
        adjusted = replace(peese if chosen == "PEESE" else pet, term=f"adjusted ({chosen})")
    return PetPeese(
        chosen=chosen, adjusted=adjusted, pet=pet, peese=peese, pet_line=pet_line, peese_line=peese_line,
        k=pet_line.k, level=level, status=pet_line.status, notes=pet_line.notes, provenance=provenance,
    )  # fmt: skip


def _intercept(line: AsymmetryTest, term: str) -> Estimate:
    """The effect of an infinitely large study, with its test."""
    if line.limit_interval is None or line.df is None:
        return no_estimate("pooled effect", line.status, term=term, notes=line.notes)
    statistic = line.intercept / line.intercept_std_error
    return Estimate(
        term=term, measure="pooled effect", value=line.limit, std_error=line.intercept_std_error,
        interval=line.limit_interval, statistic=statistic, statistic_name="t", df=line.df,
        p_value=t_two_sided(statistic, line.df), status=line.status, notes=line.notes,
    )  # fmt: skip
