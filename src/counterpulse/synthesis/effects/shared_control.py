"""Studies of more than two arms: split the shared reference arm, combine arms, or keep the covariance of the contrasts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from counterpulse.errors import InputError
from counterpulse.synthesis.effects.effect_rows import check_measure
from counterpulse.synthesis.effects.printed_rows import Floats, PrintedRows

NEEDED: Mapping[str, tuple[str, ...]] = {
    "OR": ("events", "n"), "RR": ("events", "n"), "RD": ("events", "n"), "HR": ("events",),
    "MD": ("sd", "n"), "ROM": ("mean", "sd", "n"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CombinedCounts:
    """Events and patients of arms taken together."""

    events: float
    n: float


@dataclass(frozen=True, slots=True)
class CombinedMeans:
    """Mean, standard deviation and patients of arms taken together."""

    mean: float
    sd: float
    n: float


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """A shared reference arm divided among its comparisons; the counts need not be whole (add no correction for that)."""

    events: Floats
    n: Floats
    assumption: str = "the shared arm was divided, which keeps the estimates and ignores the correlation that remains"


def split_counts(events: float, n: float, *, parts: int) -> SplitCounts:
    """Events and patients of a shared arm divided equally among `parts` comparisons (Cochrane Handbook 23.3.4).

    For means, only `n` is divided: mean and standard deviation stay.

    Raises
    ------
    InputError
        Fewer than two parts, or counts no arm can have.
    """
    if parts < 2:
        raise InputError(f"parts is {parts}; a shared arm is split among two comparisons or more")
    _check_arms(PrintedRows(events=events, n=n), events=True)
    return SplitCounts(np.full(parts, events / parts), np.full(parts, n / parts))


def combine_counts(events: ArrayLike, n: ArrayLike) -> CombinedCounts:
    """Events and patients of several arms added.

    Raises
    ------
    InputError
        Counts no arm can have.
    """
    arms = PrintedRows(events=events, n=n)
    _check_arms(arms, events=True)
    return CombinedCounts(float(arms["events"].sum()), float(arms["n"].sum()))


def combine_means(mean: ArrayLike, sd: ArrayLike, n: ArrayLike) -> CombinedMeans:
    """Mean and standard deviation of several arms taken as one group (Cochrane Handbook table 6.5.a).

    The variance is that of all patients: within the arms, and of the arms' means about the common mean.

    Raises
    ------
    InputError
        An arm of fewer than two patients, or a standard deviation below 0.
    """
    arms = PrintedRows(mean=mean, sd=sd, n=n)
    arms.need_not_negative("sd")
    arms.need_patients("n", least=2)
    _check_arms(arms, events=False)
    total = arms["n"].sum()
    common = (arms["n"] * arms["mean"]).sum() / total
    squares = ((arms["n"] - 1) * arms["sd"] ** 2 + arms["n"] * (arms["mean"] - common) ** 2).sum()
    return CombinedMeans(float(common), float(np.sqrt(squares / (total - 1))), float(total))


def reference_variance(
    measure: str,
    *,
    events: ArrayLike | None = None,
    n: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    sd: ArrayLike | None = None,
) -> Floats:
    """The covariance of two contrasts with the same reference arm: what that arm alone contributes to each variance.

    OR 1/e + 1/(n - e); RR 1/e - 1/n; RD p(1 - p)/n; HR 1/e (approximate); MD sd^2/n; ROM sd^2/(n mean^2). A standardized
    mean difference also shares the standard deviation: see `smd_covariance`.

    Parameters
    ----------
    measure : "OR", "RR", "RD", "HR", "MD" or "ROM"
    events, n, mean, sd : of the reference arm of each study, shape (k,)

    Raises
    ------
    InputError
        A number that the measure needs is not given, or no arm can have it.
    """
    name = check_measure(measure, tuple(NEEDED))
    given = {"events": events, "n": n, "mean": mean, "sd": sd}
    names = NEEDED[name]
    missing = [word for word in names if given[word] is None]
    if missing:
        raise InputError(f"{name} needs {' and '.join(names)} of the reference arm; {' and '.join(missing)} not given")
    arms = PrintedRows(**{word: values for word, values in given.items() if word in names and values is not None})
    if name not in ("MD", "ROM"):
        arms.need_counts("events")
    if "n" in names:
        arms.need_patients("n")
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = _shared(name, arms)
    arms.flag(~np.isfinite(shared), "undefined", "the reference arm has no variance")
    _raise_problems(arms)
    return shared


def smd_covariance(yi: ArrayLike, vi: ArrayLike, *, n_reference: float, n_total: float) -> Floats:
    """Covariance matrix of the standardized mean differences of one study with one reference arm, shape (c, c).

    The variances are on the diagonal; off it 1/n0 + d_i d_j / (2 N), N the patients of all arms (Gleser and Olkin,
    Stochastically dependent effect sizes, in The Handbook of Research Synthesis, 2009).

    Raises
    ------
    InputError
        Unequal lengths, or sizes that are not above 0.
    """
    if not (n_reference > 0 and n_total > n_reference):
        raise InputError("the reference arm or the whole study has no patients; give n_reference and n_total")
    rows = PrintedRows(yi=yi, vi=vi)
    rows.need_positive("vi")
    _raise_problems(rows)
    covariance: Floats = 1 / n_reference + np.outer(rows["yi"], rows["yi"]) / (2 * n_total)
    np.fill_diagonal(covariance, rows["vi"])
    return covariance


def contrast_covariance(vi: ArrayLike, *, study: Sequence[Hashable], shared: ArrayLike) -> Floats:
    """Covariance matrix of contrasts, shape (k, k): variances on the diagonal, `shared` between contrasts of one study.

    Parameters
    ----------
    vi : variances, shape (k,)
    study : which study a contrast belongs to, shape (k,)
    shared : what the reference arm of each contrast's study contributes (see `reference_variance`), shape (k,)

    Raises
    ------
    InputError
        Unequal lengths, or a shared part as large as a variance.
    """
    rows = PrintedRows(vi=vi, shared=shared)
    rows.need_positive("vi", "shared")
    rows.flag(rows["shared"] >= rows["vi"], "out-of-range", "the shared part is not below the variance")
    if len(study) != rows.k:
        raise InputError(f"study names {len(study)} contrasts, vi has {rows.k}; give one study a contrast")
    _raise_problems(rows)
    same = np.array([[one == other for other in study] for one in study])
    parts = np.sqrt(np.outer(rows["shared"], rows["shared"]))
    if not np.isclose(rows["shared"][:, None], rows["shared"], atol=0)[same].all():
        raise InputError("contrasts of one study name different shared parts; they have one reference arm")
    covariance = np.where(same, parts, 0.0)
    np.fill_diagonal(covariance, rows["vi"])
    return covariance


def _shared(name: str, arms: PrintedRows) -> Floats:
    match name:
        case "OR":
            return 1 / arms["events"] + 1 / (arms["n"] - arms["events"])
        case "RR":
            return 1 / arms["events"] - 1 / arms["n"]
        case "RD":
            return arms["events"] * (arms["n"] - arms["events"]) / arms["n"] ** 3
        case "HR":
            return 1 / arms["events"]
        case "MD":
            return arms["sd"] ** 2 / arms["n"]
        case _:
            return (arms["sd"] / arms["mean"]) ** 2 / arms["n"]


def _check_arms(arms: PrintedRows, *, events: bool) -> None:
    if events:
        arms.need_events("events", "n")
    _raise_problems(arms)


def _raise_problems(rows: PrintedRows) -> None:
    """Here the rows are the arms of one study, so a bad one leaves nothing to return."""
    if rows.dropped.any():
        raise InputError("; ".join(problem.text for problem in rows.problems if problem.dropped))
