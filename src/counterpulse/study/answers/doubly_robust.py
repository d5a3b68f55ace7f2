"""Doubly robust comparisons of two groups: the rows of a study, the overlap of the scores, what the models were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from counterpulse import emulation
from counterpulse.data.terms import Term
from counterpulse.propensity.balance import UNADJUSTED
from counterpulse.propensity.score_overlap import histograms
from counterpulse.protocol.nodes import GroupOutcome
from counterpulse.regression import AverageEffect, lasso_learner
from counterpulse.regression.nuisance_models import Estimand, Options
from counterpulse.results import Block, Cell, Choice, EstimateRow, Status
from counterpulse.study.answers.fitted_model import group_counts, patients, total_events
from counterpulse.study.method_spec import Option
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import MARGINAL, split_measure
from counterpulse.study.request import USUAL_SEED, Answer, Request, block_id, event_column, place, time_column

Estimator = Callable[..., AverageEffect]

ESTIMANDS: Mapping[str, Estimand] = {"all": "ATE", "treated": "ATT", "untreated": "ATC"}
DIFFERENCE = "mean difference"
TIMED = "time-to-event"
BY_KIND: Mapping[str, tuple[str, ...]] = {
    "binary": MARGINAL, "continuous": (DIFFERENCE,), "count": (DIFFERENCE,), TIMED: MARGINAL,
}  # fmt: skip

PAIRWISE = "Among patients of the two groups compared."

CENSORING = Option(
    name="censoring", default="cox", kind="word", allowed=("cox", "kaplan-meier"),
    about="how the censoring of a time to an event is modeled in each group: with the covariates of the outcome model, or without",
    phrases=(
        ("cox", ""), ("kaplan-meier", "censoring of a time to an event was modeled by the Kaplan-Meier curve of each group"),
    ),
)  # fmt: skip
OPTIONS = (
    Option(
        name="score", default=(), kind="terms", about="the covariates of the model of treatment, where they are not those of `adjust`",
        words="the covariates of the model of treatment were {value}",
    ),
    Option(
        name="truncate", default=(), kind="numbers", about="two probabilities at which the scores are held, such as [0.01, 0.99]",
        words="probabilities of treatment were held at the bounds {value}", reference="cole-hernan-2008",
    ),
    Option(
        name="nuisance", default="regression", kind="word", allowed=("regression", "lasso"),
        about="the models of treatment and outcome: regression without cross-fitting, or the lasso, cross-fitted in 5 folds",
        phrases=(
            ("regression", "treatment was modeled by logistic regression, and the outcome in each group by itself by regression of its kind (logistic, linear or Cox), without cross-fitting"),
            ("lasso", "treatment, and the outcome in each group by itself, were modeled by the lasso, whose penalty ten-fold cross-validation chose, and the models were cross-fitted in 5 folds"),
        ),
        references=(("lasso", "chernozhukov-2018"),),
    ),
)  # fmt: skip


def refuse(
    desk: Desk, draft: Draft, options: Mapping[str, object], terms: tuple[Term, ...], outcomes: tuple[str, ...]
) -> None:
    """Comparisons without covariates, the exposure itself as the outcome, bounds that are no probabilities."""
    name, node = draft.node.id, draft.node
    if isinstance(node.outcome, GroupOutcome) or node.screen is not None:
        desk.refuse(
            draft.where("screen" if node.screen is not None else "outcome"), "E626",
            f"analysis {name}: a doubly robust comparison of groups cannot model the exposure itself or screen predictors",
            "an outcome, and covariates to adjust for", "use logistic-regression for the exposure or for a screen",
        )  # fmt: skip
    elif not terms and not options["score"] and node.models is None:
        desk.refuse(
            draft.path, "E626", f"analysis {name} names no covariates, so both of its models are empty",
            f"adjust: {', '.join(desk.nodes.confounders) or 'a list of covariates'}", "name the covariates with `adjust`",
        )  # fmt: skip
    _refuse_times(desk, draft, options, outcomes)
    bounds = options["truncate"]
    if isinstance(bounds, tuple) and bounds and not (len(bounds) == 2 and 0 <= bounds[0] < bounds[1] <= 1):
        desk.refuse(
            draft.where("truncate"), "E627", f"analysis {name}: scores are held within two probabilities, the smaller first",
            "truncate: [0.01, 0.99]", "write two probabilities, or take `truncate` out",
        )  # fmt: skip


def _refuse_times(desk: Desk, draft: Draft, options: Mapping[str, object], outcomes: tuple[str, ...]) -> None:
    """A time to an event without a time by which, with a competing event, or with models that are learned."""
    name = draft.node.id
    measures = (*draft.node.also, *((draft.node.estimand.contrast or "",) if draft.node.estimand else ()))
    for outcome in (desk.outcomes[item] for item in outcomes if desk.outcomes[item].kind == TIMED):
        if outcome.horizon is None and not any(" at " in measure for measure in measures):
            desk.refuse(
                draft.where("outcome"), "E628", f"analysis {name}: the risk of '{outcome.name}' by which time is not said",
                "a horizon of the outcome, or contrast: risk difference at 60 days", "add horizon to the outcome",
            )  # fmt: skip
        if outcome.competing is not None:
            desk.refuse(
                draft.where("outcome"), "E688", f"analysis {name}: something competes with '{outcome.name}', which augmented weighting does not allow for",
                "an outcome without a competing event", "use aalen-johansen, or the composite of both events",
            )  # fmt: skip
        if options["nuisance"] == "lasso":
            desk.refuse(
                draft.where("nuisance"), "E689", f"analysis {name}: the lasso is not fitted to a time to an event here", "nuisance: regression",
                "take `nuisance` out, or analyze a binary outcome",
            )  # fmt: skip


def answer_doubly_robust(request: Request, estimator: Estimator) -> Answer:
    """A contrast for every treated group (at every time), then what the groups would show, and the overlap of the scores."""
    answer = Answer()
    for treated in request.treated:
        for asked in _asked(request):
            answer = answer.joined(_compared(request, estimator, treated, asked))
    if request.analysis.options["nuisance"] == "lasso" and request.seed is None:
        answer = answer.joined(Answer(choices=(Choice("seed of cross-fitting", USUAL_SEED, "default"),)))
    contrasts = [row for row in answer.rows if row.estimate.reference is not None]
    blocks = {block.id: block for block in answer.blocks}
    return replace(
        answer, rows=(*contrasts, *(row for row in answer.rows if row not in contrasts)), blocks=tuple(blocks.values())
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Measures at once: of a time to an event those by one time."""

    measures: tuple[str, ...]
    at: float | None = None


def _asked(request: Request) -> tuple[_Asked, ...]:
    """The measures that fit the outcome, by time where it has one."""
    outcome, known = request.outcome, BY_KIND[request.outcome.kind]
    by_time: dict[float | None, list[str]] = {}
    for text in request.analysis.measures:
        measure, written = split_measure(text)
        at = outcome.horizon if written is None else written.within(request.time_unit or "days")
        if measure in known:
            by_time.setdefault(at if outcome.kind == TIMED else None, []).append(measure)
    usual = outcome.horizon if outcome.kind == TIMED else None
    return tuple(_Asked(tuple(found), at) for at, found in (by_time or {usual: [known[0]]}).items())


def _compared(request: Request, estimator: Estimator, treated: str, asked: _Asked) -> Answer:
    """One treated group and the reference."""
    levels = (request.reference, treated)
    own = np.flatnonzero(request.frame[str(request.group)].is_in(list(levels)).to_numpy())
    table = request.frame[own].with_columns(pl.col(str(request.group)).cast(pl.Enum(levels)))
    name, group, options = request.outcome.name, str(request.group), _options(request)
    covariates: Sequence[Term] = request.option("score") or request.analysis.terms
    if asked.at is None:
        found = estimator(table, outcome=name, treatment=group, covariates=covariates, **options)
    else:
        found = emulation.augmented_risk(
            table, time=time_column(name), event=event_column(name), treatment=group, covariates=covariates, at=asked.at,
            censoring=request.option("censoring"), **options,
        )  # fmt: skip
    return Answer(
        rows=tuple(_rows(request, found, treated, own, asked)), blocks=_overlap(request, found, treated, own),
        details=_details(request, found, treated), n_missing=found.n_missing,
        choices=tuple(replace(choice, origin="derived") for choice in found.provenance.choices),
        citations=found.provenance.citations,
    )  # fmt: skip


def _options(request: Request) -> Options:
    terms, seed = request.analysis.terms, request.seed_used
    named = f"{request.analysis.id}.{request.name}"
    told: Options = {
        "outcome_covariates": terms, "estimand": ESTIMANDS[request.analysis.target], "cluster": request.cluster,
        "bounds": request.option("truncate") or None, "seed": seed, "analysis": named, "level": request.analysis.level,
    }  # fmt: skip
    if request.option("nuisance") == "lasso":
        learner = partial(lasso_learner, seed=seed)
        told["treatment_learner"] = learner(
            request.option("score") or terms, binary=True, separated=Status.TREATMENT_PREDICTED, analysis=f"{named}.treatment"
        )  # fmt: skip
        told["outcome_learner"] = learner(
            terms, binary=request.outcome.kind == "binary", separated=Status.ONE_ARM_UNFITTED, analysis=f"{named}.outcome"
        )  # fmt: skip
    return told


def _rows(
    request: Request, found: AverageEffect, treated: str, own: np.ndarray[Any, np.dtype[np.intp]], asked: _Asked
) -> Iterator[EstimateRow]:
    """The contrasts that are asked for, and of two groups what each would show."""
    number = DIFFERENCE in BY_KIND[request.outcome.kind]
    estimates = found.two.numbers() if number else (*found.two.risks(), found.two.odds_ratio())
    rows = own[found.rows_used]
    counts = tuple(count for count in group_counts(request, rows) if count.group in (treated, request.reference))
    several = len(request.treated) > 1
    chosen = [item for name in asked.measures for item in estimates if item.measure == name]
    if found.status is Status.OK and not several:
        chosen += [item for item in estimates if item.reference is None]
    for item in chosen:
        contrast = item.reference is not None
        yield place(
            request,
            replace(
                item, variable=str(request.group), unit=request.outcome.unit if number else None,
                at=None if asked.at is None else request.at(asked.at),
            ),
            kind="marginal", n=patients(request, rows), events=total_events(request, rows), n_missing=found.n_missing,
            groups=counts if contrast else (), clusters=_clusters(request, rows), notes=(PAIRWISE,) if several else (),
        )  # fmt: skip


def _clusters(request: Request, rows: np.ndarray[Any, np.dtype[np.intp]]) -> int | None:
    return None if request.cluster is None else int(request.frame[request.cluster].gather(rows).n_unique())


def _overlap(
    request: Request, found: AverageEffect, treated: str, own: np.ndarray[Any, np.dtype[np.intp]]
) -> tuple[Block, ...]:
    """How the scores are distributed in the two groups."""
    if not len(found.scores):
        return ()
    is_treated = (request.frame[str(request.group)].gather(own[found.rows_used]) == treated).to_numpy()
    shown = histograms(
        found.scores, [(treated, is_treated), (request.reference, ~is_treated)], [(UNADJUSTED, np.ones(len(is_treated)))],
        of=treated, status=found.status,
    )  # fmt: skip
    parts: Sequence[str] = ("overlap",) if len(request.treated) == 1 else ("overlap", treated)
    return (shown.block(id=block_id(request, *parts), analysis=request.analysis.id),)


def _details(request: Request, found: AverageEffect, treated: str) -> dict[str, Cell]:
    """The range of the scores."""
    if not len(found.scores):
        return {}
    of = request.name if len(request.treated) == 1 else f"{request.name}, {treated}"
    return {
        f"{of}: lowest probability of treatment": float(found.scores.min()),
        f"{of}: highest probability of treatment": float(found.scores.max()),
    }
