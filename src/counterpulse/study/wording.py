"""An analysis in words: what it is made of, what the methods section says of it."""

from __future__ import annotations

from collections.abc import Mapping

from counterpulse.data.terms import Interaction, Numeric, Term, variables_of
from counterpulse.protocol.plan import PlannedClusters
from counterpulse.protocol.words import Duration
from counterpulse.study.drafts import Desk
from counterpulse.study.method_spec import MethodSpec

CLUSTERED = {
    "robust": "variance robust to clustering by {name}",
    "random-intercept": "a random intercept for each level of {name}",
    "gee": "generalized estimating equations with {correlation} correlation within {name}",
}


def clustered(clusters: PlannedClusters, name: str) -> str:
    """How the patients of one cluster are taken into account."""
    return CLUSTERED[clusters.treat_as].format(name=name, correlation=clusters.correlation)


def composition(
    maker: str, landmarks: tuple[Duration, ...], spec: MethodSpec, clusters: PlannedClusters | None
) -> tuple[str, ...]:
    """What an analysis is made of, in order."""
    made = f"landmark at {', '.join(map(str, landmarks))}" if landmarks else maker
    return (made, spec.label, *((clustered(clusters, clusters.variable),) if clusters else ()))


def usual_label(spec: MethodSpec) -> str:
    """The name of an analysis that was given none; its outcomes stand beside it wherever it is printed."""
    return f"{spec.label[0].upper()}{spec.label[1:]}"


def term_text(term: Term) -> str:
    """A term of a model as a choice prints it."""
    if isinstance(term, Interaction):
        return " x ".join(variables_of(term))
    if isinstance(term, Numeric):
        name = f"log {term.variable}" if term.log else term.variable
        return name if term.per == 1 else f"{name} per {term.per:g}"
    return variables_of(term)[0]


def sentence(
    desk: Desk, spec: MethodSpec, outcomes: tuple[str, ...], terms: tuple[Term, ...], options: Mapping[str, object],
    measures: tuple[str, ...], maker: str, landmarks: tuple[Duration, ...], clusters: PlannedClusters | None,
) -> str:  # fmt: skip
    """An analysis as the methods section says it."""
    what = " and ".join(desk.outcomes[name].label for name in outcomes)
    names = [desk.variables[name].label for term in terms for name in variables_of(term) if name in desk.variables]
    parts = [f"{what}: {spec.about}"]
    if names:
        parts.append(f"adjusted for {_listed(list(dict.fromkeys(names)))}")
    if landmarks:
        parts.append(
            f"among patients followed to the landmark ({_listed([str(mark) for mark in landmarks])} after time zero), "
            "grouped by the treatment given by then"
        )
    elif maker == "time-varying":
        parts.append("with the exposure as a time-varying covariate, each patient counted as untreated until it starts")
    if clusters is not None:
        parts.append(f"with {clustered(clusters, desk.variables[clusters.variable].label)}")
    words = [option.sentence(options[option.name]) for option in spec.options if options[option.name] not in (None, ())]
    extra = f" Also estimated: {_listed(list(measures[1:]))}." if measures[1:] else ""
    body = ", ".join(parts) + "."
    tail = " ".join(f"{word[0].upper()}{word[1:]}." for word in words if word)
    return f"{body} {tail}{extra}".strip()


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
