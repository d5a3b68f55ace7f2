"""Trial sequential analysis: the cumulative z value against boundaries that allow for repeated looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.errors import InputError
from counterpulse.numerics.distributions import normal_quantile, normal_two_sided
from counterpulse.numerics.group_sequential import Boundaries, Futility, boundaries
from counterpulse.numerics.spending_functions import ImpossibleTestError, Spending
from counterpulse.results.estimate import Estimate, Interval, Scale
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.synthesis.engine.between_variance import estimator_named
from counterpulse.synthesis.exploration.labels import study_labels
from counterpulse.synthesis.pooling.study_input import read_studies
from counterpulse.synthesis.sequential.cumulative_statistics import CumulativeStatistics, cumulative_statistics
from counterpulse.synthesis.sequential.look_schedule import Schedule, participants_so_far, schedule
from counterpulse.synthesis.sequential.stagewise import Stagewise, stagewise

Floats = NDArray[np.float64]
Conclusion = Literal["efficacy", "futility", "information reached", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialLook:
    """One row of the analysis: after a study, or the planned end.

    Attributes
    ----------
    study : its label; None for the planned end
    participants, fraction : so far, and as a share of the required information
    z, effect, std_error : pooled so far; nan at the planned end
    efficacy, futility : boundaries, nan where this was no look or nothing could be spent
    low, high : repeated confidence interval of the effect, the efficacy boundary in place of 1.96
    p_value : of z as if this were the only look
    """

    study: str | None
    participants: float
    fraction: float
    z: float
    effect: float
    std_error: float
    efficacy: float
    futility: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSequential:
    """A trial sequential analysis.

    Attributes
    ----------
    conclusion : "efficacy" (a boundary of efficacy or harm was crossed), "futility", "information reached" (neither,
        with all the information required) or "undecided"
    stopped : the look at which it was reached; None while undecided
    direction : 1 where z crossed upwards, -1 downwards, 0 otherwise
    looks : after each study, and the planned end where it was not reached
    required : participants required for one look, as given
    planned : those required for these looks
    boundaries : at the looks taken and the planned end, in fractions of `planned`
    adjusted : stage-wise adjusted estimate at the stop; None while undecided
    conventional : the z value of a single look
    """

    conclusion: Conclusion
    stopped: SequentialLook | None
    direction: int
    looks: tuple[SequentialLook, ...]
    required: float
    planned: float
    boundaries: Boundaries
    adjusted: Stagewise | None
    conventional: float
    level: float
    measure: str
    scale: Scale
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """The pooled effect of all studies with its repeated interval, and the stage-wise one where the test has ended."""
        last = [look for look in self.looks if look.study is not None][-1]
        interval = Interval(last.low, last.high, self.level, "repeated") if isfinite(last.low) else None
        notes = () if interval else ("no boundary at the last study, so there is no repeated interval",)
        pooled = Estimate(
            term="effect", measure=self.measure, value=last.effect, std_error=last.std_error, interval=interval,
            scale=self.scale, statistic=last.z, statistic_name="z", notes=notes,
        )  # fmt: skip
        if self.adjusted is None:
            return (pooled,)
        found = self.adjusted
        return pooled, Estimate(
            term="effect, stage-wise", measure=self.measure, value=found.median, scale=self.scale, p_value=found.p_value,
            interval=Interval(found.low, found.high, self.level, "stage-wise"),
        )  # fmt: skip

    def tidy(self) -> pl.DataFrame:
        """The estimates, one a row, on the natural scale."""
        return tidy(self.estimates())


def trial_sequential(
    yi: ArrayLike,
    vi: ArrayLike,
    *,
    participants: ArrayLike,
    required: float,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Literal[1, 2] = 2,
    spending: Spending = "obrien-fleming",
    parameter: float | None = None,
    futility: Futility | None = None,
    beta_spending: Spending = "obrien-fleming",
    beta_parameter: float | None = None,
    tau2: str = "DL",
    looks: Sequence[int] | None = None,
    smallest_step: float = 0.01,
    labels: Sequence[str] | None = None,
    measure: str = "effect",
    scale: Scale = "identity",
) -> TrialSequential:
    """Test a growing meta-analysis after each study without inflating the type I error.

    Parameters
    ----------
    yi, vi, participants : effects, sampling variances and participants of the studies in the order they came, shape (k,)
    required : participants that one look would need, from `required_for_risks` or its like
    alpha, power, sides : of the test; the confidence level is ``1 - alpha``, or ``1 - 2 alpha`` of a one-sided test
    spending, parameter, futility, beta_spending, beta_parameter : as for `boundaries`
    tau2 : estimator of the variance between studies, as in `pool`; "common" for the common effect
    looks : studies after which there was a look, counted from 1; by default all that bring enough
    smallest_step : share of the required information by which a look must exceed the look before
    labels : of the studies

    Raises
    ------
    InputError : studies, participants or looks that do not go together; numbers outside their range

    Notes
    -----
    The z values are Wald's. Information is counted in participants, as a share of `required` times the inflation
    that the looks bring. The first look with all of it is the last. Non-binding futility leaves the efficacy boundaries
    as they are.

    References
    ----------
    Wetterslev et al. 2008, doi:10.1016/j.jclinepi.2007.03.013; Lan and DeMets 1983, doi:10.1093/biomet/70.3.659;
    Jennison and Turnbull 2000, chapters 7-9.
    """
    y, v = read_studies(yi, vi)
    names = study_labels(labels, len(y))
    gathered = participants_so_far(participants, len(y))
    _check(required, power, smallest_step)

    def test(fractions: Sequence[float]) -> Boundaries:
        try:
            return boundaries(
                fractions, alpha=alpha, sides=sides, spending=spending, parameter=parameter, beta=1 - power,
                futility=futility, beta_spending=beta_spending, beta_parameter=beta_parameter,
            )  # fmt: skip
        except ImpossibleTestError as error:
            raise InputError(str(error)) from None

    plan = schedule(gathered, float(required), looks=looks, smallest_step=smallest_step, test=test)
    rows = _rows(names, gathered, cumulative_statistics(y, v, tau2), plan)
    conclusion, place, direction = _conclusion([rows[row] for row in plan.taken], plan)
    stopped = None if place is None else rows[plan.taken[place]]
    planned = required * plan.inflation
    tail = alpha / sides
    return TrialSequential(
        conclusion=conclusion, stopped=stopped, direction=direction, required=float(required), planned=planned,
        looks=rows if plan.reached else (*rows, _planned_end(planned, plan.test)), boundaries=plan.test,
        adjusted=None if stopped is None or place is None else stagewise(plan.test, place, stopped.z, stopped.std_error),
        conventional=-normal_quantile(tail), level=1 - 2 * tail, measure=measure, scale=scale, status=Status.OK,
        provenance=Provenance(
            method="trial sequential analysis",
            choices=(
                Choice("tau2", estimator_named(tau2), "given" if tau2 != "DL" else "default"),
                Choice("alpha", alpha, "given" if alpha != 0.05 else "default"),
                Choice("power", power, "given" if power != 0.8 else "default"),
                Choice("sides", sides, "given" if sides != 2 else "default"),
                Choice("alpha spending", spending, "given" if spending != "obrien-fleming" else "default", "lan-demets-1983"),
                Choice("futility", futility or "none", "given" if futility else "default"),
                Choice("required information", float(required), "given", "wetterslev-2008"),
            ),
            citations=("wetterslev-2008", "lan-demets-1983", "jennison-turnbull-2000"),
        ),
    )  # fmt: skip


def _check(required: float, power: float, smallest_step: float) -> None:
    if not (isfinite(required) and required > 0):
        raise InputError("'required' is a number of participants above zero")
    if not 0 < power < 1:
        raise InputError("'power' lies between 0 and 1, for example 0.8")
    if not 0 <= smallest_step < 1:
        raise InputError("'smallest_step' is a share of the required information, for example 0.01")


def _rows(
    names: Sequence[str], gathered: Floats, pooled: CumulativeStatistics, plan: Schedule
) -> tuple[SequentialLook, ...]:
    """A row for each study, with boundaries where there was a look."""
    at = {row: place for place, row in enumerate(plan.taken)}
    found = []
    for row, name in enumerate(names):
        place = at.get(row)
        c, b = (nan, nan) if place is None else _of_look(plan.test, place)
        effect, error, z = (float(part[row]) for part in (pooled.effect, pooled.std_error, pooled.z))
        found.append(
            SequentialLook(
                study=name, participants=float(gathered[row]), fraction=float(plan.fractions[row]), z=z, effect=effect,
                std_error=error, efficacy=c, futility=b, low=effect - c * error, high=effect + c * error,
                p_value=normal_two_sided(z),
            )
        )  # fmt: skip
    return tuple(found)


def _planned_end(participants: float, test: Boundaries) -> SequentialLook:
    c, b = _of_look(test, -1)
    return SequentialLook(
        study=None, participants=participants, fraction=1.0, z=nan, effect=nan, std_error=nan, efficacy=c, futility=b,
        low=nan, high=nan, p_value=nan,
    )  # fmt: skip


def _of_look(test: Boundaries, place: int) -> tuple[float, float]:
    return test.efficacy[place], nan if test.futility is None else test.futility[place]


def _conclusion(taken: Sequence[SequentialLook], plan: Schedule) -> tuple[Conclusion, int | None, int]:
    """The first boundary crossed, the look it was crossed at, and which way."""
    both = plan.test.sides == 2
    for place, look in enumerate(taken):
        if look.z >= look.efficacy or (both and look.z <= -look.efficacy):
            return "efficacy", place, 1 if look.z > 0 else -1
        if plan.reached and place == len(taken) - 1:
            return "information reached", place, 0
        if (abs(look.z) if both else look.z) <= look.futility:
            return "futility", place, 0
    return "undecided", None, 0
