"""How much a model is asked of how many events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FEW = 10.0
"""The old rule of thumb: below ten events a parameter (Peduzzi 1996) a model deserves a second look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPerParameter:
    """The effective sample size `events` against the parameters besides the intercept; `ratio` is None without any."""

    n: int
    events: int
    parameters: int

    @property
    def ratio(self) -> float | None:
        """Events a parameter."""
        return self.events / self.parameters if self.parameters else None

    @property
    def few(self) -> bool:
        """Whether the ratio is below ten."""
        return self.ratio is not None and self.ratio < FEW


def events_of_binary(*, n: int, events: int, parameters: int) -> EventsPerParameter:
    """For a yes/no outcome: the events or the non-events, whichever are fewer.

    Parameters
    ----------
    n : patients in the model
    events : those with the event
    parameters : coefficients besides the intercept

    References
    ----------
    Peduzzi P, et al. J Clin Epidemiol 1996;49:1373-9. doi:10.1016/S0895-4356(96)00236-3. The number ten itself has no
    rationale (van Smeden M, et al. BMC Med Res Methodol 2016;16:163. doi:10.1186/s12874-016-0267-3); a sample size for a
    prediction model is computed otherwise (Riley RD, et al. Stat Med 2019;38:1276-96. doi:10.1002/sim.7992).
    """
    return EventsPerParameter(n=n, events=min(events, n - events), parameters=parameters)


def events_of_time(*, n: int, events: int, parameters: int) -> EventsPerParameter:
    """For a time to an event: the events.

    Parameters
    ----------
    n : patients in the model
    events : those with the event
    parameters : coefficients besides the intercept
    """
    return EventsPerParameter(n=n, events=events, parameters=parameters)


def events_of_number(*, n: int, parameters: int) -> EventsPerParameter:
    """For a continuous outcome or a count: the patients.

    Parameters
    ----------
    n : patients in the model
    parameters : coefficients besides the intercept
    """
    return EventsPerParameter(n=n, events=n, parameters=parameters)


def events_of_levels(counts: Sequence[int], *, parameters: int) -> EventsPerParameter:
    """For an ordinal outcome: n - sum(counts^3) / n^2.

    Parameters
    ----------
    counts : patients at each level
    parameters : coefficients besides the intercepts

    References
    ----------
    Harrell FE. Regression Modeling Strategies. 2nd ed. Springer; 2015, table 4.1. doi:10.1007/978-3-319-19425-7
    """
    n = sum(counts)
    effective = n - sum(count**3 for count in counts) // n**2 if n else 0
    return EventsPerParameter(n=n, events=effective, parameters=parameters)
