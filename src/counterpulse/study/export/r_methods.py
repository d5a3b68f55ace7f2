"""Each method of the protocol language in R. What is not here is listed as not exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from counterpulse.study.export.part import Part, of_type, types_of
from counterpulse.study.export.r_curves import curve_lines, gray_row, incidence_lines, kaplan_meier_lines
from counterpulse.study.export.r_doubly_robust import doubly_robust_lines
from counterpulse.study.export.r_kinds import (
    COX,
    FINE_GRAY,
    LINEAR_WAYS,
    LOGISTIC_WAYS,
    MATCHED,
    NEGATIVE_BINOMIAL,
    ORDINAL,
    POISSON,
    ROBUST_PACKAGES,
    quantile_model,
    repeats_fine_gray,
    way_of,
)
from counterpulse.study.export.r_models import Model, model_lines, standardized_lines
from counterpulse.study.export.r_predictions import prediction_lines
from counterpulse.study.export.r_ranks import (
    exact_lines,
    two_means_lines,
    two_proportions_lines,
    worst_rank_lines,
)
from counterpulse.study.export.r_repeated import MODELS, between_lines, repeated_lines
from counterpulse.study.export.r_subgroups import subgroup_lines

Lines = Callable[[Part], Iterator[str]]


def _nothing(part: Part) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Exported:
    """The code of a method, and the packages that it needs besides survival."""

    lines: Lines
    packages: Callable[[Part], tuple[str, ...]] = _nothing


def _regression(model_of: Callable[[Part], Model], *besides: Lines) -> Exported:
    """A model with its subgroups, and what stands beside it."""

    def lines(part: Part) -> Iterator[str]:
        model = model_of(part)
        yield from model_lines(part, model)
        for more in besides:
            yield from more(part)
        yield from subgroup_lines(part, model)

    def packages(part: Part) -> tuple[str, ...]:
        return (*model_of(part).packages, *(ROBUST_PACKAGES if part.cluster is not None else ("sandwich",)))

    return Exported(lines, packages)


def _always(model: Model) -> Callable[[Part], Model]:
    return lambda part: model


def _logistic_lines(part: Part) -> Iterator[str]:
    if part.option("penalty") == "firth":
        yield "# Firth's penalty: no base R function; not repeated"
        return
    yield from LOGISTIC_REGRESSION.lines(part)


FINE_GRAY_REGRESSION = _regression(_always(FINE_GRAY))
LOGISTIC_REGRESSION = _regression(lambda part: way_of(part, LOGISTIC_WAYS), standardized_lines, between_lines)


def _quantile_lines(part: Part) -> Iterator[str]:
    """A model a quantile; subgroups are of the first."""
    taus = part.analysis.options.get("quantile", (0.5,))
    for tau in taus if isinstance(taus, tuple) else (taus,):
        measure = "median difference" if tau == 0.5 else f"difference at quantile {float(str(tau)):g}"
        rows = [row for row in part.rows if row.estimate.measure in (measure, "interaction", "overall", "nonlinearity")]
        model = quantile_model(measure, float(str(tau)))
        yield from _regression(_always(model)).lines(replace(part, rows=rows))


def _by_type_lines(part: Part) -> Iterator[str]:
    for name in _known_types(part):
        yield from R_METHODS[name].lines(of_type(part, name))


def _known_types(part: Part) -> tuple[str, ...]:
    return tuple(name for name in types_of(part) if name in R_METHODS)


def _by_type_packages(part: Part) -> tuple[str, ...]:
    return tuple(package for name in _known_types(part) for package in R_METHODS[name].packages(of_type(part, name)))


def _incidence_packages(part: Part) -> tuple[str, ...]:
    aalen = part.analysis.options.get("variance") == "aalen"
    return ("cmprsk",) if aalen or gray_row(part) is not None else ()


def _fine_gray_lines(part: Part) -> Iterator[str]:
    if repeats_fine_gray(part):
        yield from FINE_GRAY_REGRESSION.lines(part)
    else:
        yield "# crr() has Breslow's ties only; not repeated"


R_METHODS: Mapping[str, Exported] = {
    "logistic-regression": Exported(_logistic_lines, LOGISTIC_REGRESSION.packages),
    "linear-regression": _regression(lambda part: way_of(part, LINEAR_WAYS), between_lines),
    "cox": _regression(_always(COX), curve_lines),
    "fine-gray": Exported(_fine_gray_lines, FINE_GRAY_REGRESSION.packages),
    "poisson-regression": _regression(_always(POISSON)),
    "negative-binomial": _regression(_always(NEGATIVE_BINOMIAL)),
    "ordinal-regression": _regression(_always(ORDINAL)),
    "conditional-logistic": _regression(_always(MATCHED)),
    "quantile-regression": Exported(_quantile_lines, lambda part: ("quantreg",)),
    "kaplan-meier": Exported(kaplan_meier_lines),
    "rmst": Exported(curve_lines),
    "aalen-johansen": Exported(incidence_lines, _incidence_packages),
    "two-proportions": Exported(two_proportions_lines),
    "two-means": Exported(two_means_lines),
    "worst-rank": Exported(worst_rank_lines, lambda part: ("quantreg",)),
    "exact-logistic": Exported(exact_lines),
    "prediction-quality": Exported(prediction_lines, lambda part: ("pROC",)),
    "repeated-measures": Exported(repeated_lines, lambda part: MODELS[part.option("model")].packages),
    "augmented-weighting": Exported(doubly_robust_lines),
    "tmle": Exported(doubly_robust_lines),
    "by-type": Exported(_by_type_lines, _by_type_packages),
}  # fmt: skip
