"""Patients of one center resemble each other: what the protocol says of it, and the model that takes it into account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from counterpulse import regression
from counterpulse.data.terms import Categorical, Term
from counterpulse.protocol.nodes import Clusters
from counterpulse.protocol.plan import PlannedClusters
from counterpulse.regression import GeeFit
from counterpulse.results import Choice
from counterpulse.study.answers.fitted_model import Fit, FittedModel, ModelKind
from counterpulse.study.method_spec import MethodSpec
from counterpulse.study.planning.drafts import Desk, Draft
from counterpulse.study.planning.measures import MARGINAL
from counterpulse.study.planning.wording import clustered
from counterpulse.study.request import Request

MODELS = ("random-intercept", "gee")
"""Ways that are models of their own, beside the plain model with another variance or with more terms."""

OF = {"variance": ("robust",), "correlation": ("gee",), "quadrature": ("random-intercept",)}
"""Which way a key of `clusters` belongs to."""

PLAIN_ONLY = ("interval", "penalty", "variance", "bootstrap")
"""Options of a method that only its plain model has."""

BY_NUMBER = "CR2 with Satterthwaite degrees of freedom below 40 clusters, CR1 from there on, no interval below 10"
"""The robust variance by cluster where the protocol names none."""

REFERENCES = {"random-intercept": "laird-ware-1982", "gee": "liang-zeger-1986"}

FamilyName = Literal["binomial", "gaussian", "poisson"]
Planned = tuple[PlannedClusters | None, tuple[Term, ...], dict[str, object], tuple[Choice, ...]]


def planned_clusters(desk: Desk, draft: Draft, spec: MethodSpec, options: dict[str, object]) -> Planned:
    """Clusters are a robust variance, a model of their own, strata of the baseline hazard, or levels in every model."""
    clusters = draft.node.clusters
    if clusters is None:
        return None, (), options, ()
    if clusters.treat_as not in spec.clusters:
        desk.refuse(
            draft.where("clusters"), "E614",
            f"analysis {draft.node.id}: {spec.label} cannot treat clusters as {clusters.treat_as}",
            ", ".join(f"as: {word}" for word in spec.clusters) or "no clusters", "change `as`, or take `clusters` out",
        )  # fmt: skip
        return None, (), options, ()
    _refuse_misplaced(desk, draft, spec, clusters)
    name = clusters.variable
    if clusters.treat_as == "strata" and isinstance(strata := options.get("strata"), tuple):
        return None, (), {**options, "strata": (*strata, name)}, (Choice("clusters", f"strata of {name}", "given"),)
    if clusters.treat_as == "fixed":
        return None, (Categorical(name),), options, (Choice("clusters", f"levels of {name} in the model", "given"),)
    planned = PlannedClusters(
        variable=name, treat_as=clusters.treat_as, variance=clusters.variance, correlation=clusters.correlation,
        quadrature=clusters.quadrature,
    )  # fmt: skip
    reference = spec.cluster_reference if clusters.treat_as == "robust" else REFERENCES.get(clusters.treat_as)
    choices = [Choice("clusters", clustered(planned, name), "given", reference)]
    if clusters.variance is not None:
        choices.append(Choice("cluster variance", clusters.variance, "given"))
    elif clusters.treat_as == "gee" or (clusters.treat_as == "robust" and spec.cluster_variances):
        choices.append(Choice("cluster variance", BY_NUMBER, "default", "pustejovsky-tipton-2018"))
    if clusters.quadrature is not None:
        choices.append(Choice("quadrature", f"{clusters.quadrature} points", "given"))
    if clusters.treat_as == "gee":
        given = "correlation" in clusters.model_fields_set
        choices.append(Choice("working correlation", clusters.correlation, "given" if given else "default"))
    return planned, (), options, tuple(choices)


def _refuse_misplaced(desk: Desk, draft: Draft, spec: MethodSpec, clusters: Clusters) -> None:
    """Keys that belong to another way, options and measures that only the plain model has."""
    where, analysis = draft.where("clusters"), draft.node.id
    for key, ways in OF.items():
        if key in clusters.model_fields_set and clusters.treat_as not in ways:
            desk.refuse(
                where, "E635", f"analysis {analysis}: clusters have `{key}` but are treated as {clusters.treat_as}",
                f"`{key}` with as: {' or '.join(ways)}", f"take `{key}` out, or write as: {ways[0]}",
            )  # fmt: skip
    if clusters.treat_as == "robust" and clusters.variance is not None and not spec.cluster_variances:
        desk.refuse(
            where, "E635", f"analysis {analysis}: {spec.label} has one variance by cluster", "no `variance`",
            "take `variance` out",
        )  # fmt: skip
    if clusters.treat_as not in MODELS:
        return
    if clusters.correlation == "ar1":
        desk.refuse(
            where, "E636", f"analysis {analysis}: a serial correlation of patients, who have no order in a center",
            "independence, exchangeable", "write correlation: exchangeable",
        )  # fmt: skip
    for name in (item for item in PLAIN_ONLY if item in draft.node.options and spec.option(item) is not None):
        desk.refuse(
            draft.where(name), "E637", f"analysis {analysis}: `{name}` belongs to the model without {clusters.treat_as}",
            "no such option with as: " + " or ".join(MODELS), f"take `{name}` out, or write clusters: {{as: robust}}",
        )  # fmt: skip
    estimand = draft.node.estimand
    wanted = (*((estimand.contrast, *estimand.also) if estimand else ()), *draft.node.also)
    for measure in (item for item in wanted if item in MARGINAL):
        desk.refuse(
            where, "E638", f"analysis {analysis}: a {measure} is not standardized from a model with {clusters.treat_as}",
            "the measure of the model", f"ask for the {measure} in an analysis with clusters: {{as: robust}}",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One way to take clusters into account: the function that fits, and how its coefficients are read."""

    fit: Callable[[Request, pl.DataFrame, Sequence[Term]], FittedModel]
    kind: ModelKind


def way_of(request: Request, ways: Mapping[str, Way]) -> tuple[Fit, ModelKind]:
    """The fit and the reading that the plan asks for; without clusters those of "robust"."""
    clusters = request.analysis.clusters
    way = ways["robust" if clusters is None else clusters.treat_as]

    def fit(frame: pl.DataFrame, terms: Sequence[Term]) -> FittedModel:
        return way.fit(request, frame, terms)

    return fit, way.kind


def gee_of(request: Request, frame: pl.DataFrame, terms: Sequence[Term], family: FamilyName) -> GeeFit:
    """Estimating equations with the working correlation of the plan."""
    clusters = request.analysis.clusters
    assert clusters is not None
    return regression.gee(
        frame, outcome=request.outcome.name, terms=terms, cluster=clusters.variable, family=family,
        correlation=clusters.correlation, level=request.analysis.level,
    )  # fmt: skip


CONDITIONAL_NOTE = "Conditional on the cluster: compares patients of the same cluster."
MARGINAL_NOTE = "Population-averaged over clusters."
