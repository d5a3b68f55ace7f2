"""How an analysis made its groups comparable, in the words of a methods section: the score, the pairs, the weights, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterpulse.protocol.plan import PlannedAnalysis, PlannedBalancing
from counterpulse.report.chapters.speech import Speech, listed
from counterpulse.report.document import Run

PATIENTS = {"matching": "matched", "weighting": "weighted"}
"""What the patients are whom a way of balancing leaves."""
WHOM = {
    "all": "all patients analyzed",
    "treated": "the treated",
    "untreated": "the untreated",
    "overlap": "the patients who could receive either treatment",
    "matched": "the patients whom matching in pairs would keep",
}
PAIRS = ("nearest", "optimal")
SETS = {
    "nearest": "nearest-neighbor matching", "optimal": "optimal matching", "full": "full matching", "subclasses": "subclasses of the score",
    "coarsened-exact": "coarsened exact matching",
}  # fmt: skip
SCORELESS = ("coarsened-exact", "entropy-balancing")
"""Ways that need no propensity score."""


def balances(item: PlannedAnalysis) -> str:
    """What the patients of an analysis are, "matched" or "weighted"; nothing where they are as they came."""
    return "" if item.balancing is None else PATIENTS[item.balancing.use]


def says_so(item: PlannedAnalysis) -> bool:
    """Whether the method is a word for balancing itself, so that its own clause names matched or weighted patients."""
    return item.balancing is not None and item.method == f"propensity-{item.balancing.use}"


def balancing_runs(speech: Speech, item: PlannedAnalysis, covariates: str) -> Iterator[Run]:
    """The score, the pairs or weights, and what counts as balance, with the works of the plan."""
    planned = item.balancing
    if planned is None:
        return
    choices = {choice.name: choice for choice in item.choices}
    named = [choices[name] for name in (planned.use, "effect in") if name in choices]
    works = tuple(dict.fromkeys(choice.reference for choice in named if choice.reference))
    if planned.by not in SCORELESS:
        several = "multinomial " if len(speech.plan.groups) > 2 else ""
        yield Run(
            f"The probability of treatment (the propensity score) {speech.was} estimated by {several}logistic regression on {covariates}."
        )
    yield speech.run(f"{_made(speech, planned, item.target, covariates)}.", *works)
    limit = speech.number(planned.balance_limit)
    yield speech.run(
        f"Standardized mean differences up to {limit} {speech.were} taken as balance.",
        choices["balance"].reference if "balance" in choices else None,
    )


def variance_run(speech: Speech, item: PlannedAnalysis) -> Run | None:
    """The variance of a method that matched or weighted patients are given to; of a word for balancing its own clause says it."""
    if item.balancing is None or says_so(item):
        return None
    work = next((choice.reference for choice in item.choices if choice.name == "variance"), None)
    return speech.run(
        f"Variances {speech.were} robust{' to matched sets' if item.balancing.use == 'matching' else ''}.", work
    )


def _made(speech: Speech, planned: PlannedBalancing, target: str, covariates: str) -> str:
    were, whom = speech.were, WHOM.get(target, target)
    if planned.use == "weighting":
        how = f"by entropy balancing of {covariates}" if planned.by == "entropy-balancing" else "by the score"
        return f"Patients {were} weighted {how} for the effect in {whom}{_after(_of_weights(speech, planned.options))}"
    if planned.by in PAIRS:
        one = {"treated": "treated patient", "untreated": "patient of the reference group"}.get(
            target, "treated patient"
        )
        other = "treated" if target == "untreated" else "reference"
        return (
            f"Each {one} {speech.was} matched with {_ratio(planned.options)} {other} {_plural(planned.options)} by {SETS[planned.by]} on the score"
            f"{_after(_of_pairs(speech, planned))}"
        )
    on = f"on coarsened {covariates}" if planned.by == "coarsened-exact" else "on the score"
    how = "exactly" if planned.by == "coarsened-exact" else f"by {SETS[planned.by]}"
    return f"Patients {were} matched {how} {on} for the effect in {whom}{_after(_of_pairs(speech, planned))}"


def label_of(speech: Speech, item: PlannedAnalysis, covariates: str) -> str:
    """The balancing of a sensitivity analysis in a phrase: whom it weights for or how it matches, on which covariates."""
    planned = item.balancing
    if planned is None:
        return "no matching or weighting"
    on = f"coarsened {covariates}" if planned.by == "coarsened-exact" else f"a propensity score of {covariates}"
    whom = WHOM.get(item.target, item.target)
    if planned.use == "weighting":
        how = f"entropy balancing of {covariates}" if planned.by == "entropy-balancing" else "propensity weights"
        of = "" if planned.by == "entropy-balancing" else f", from {covariates}"
        return f"{how} for {whom}{of}{_after(_of_weights(speech, planned.options))}"
    if planned.by in PAIRS:
        pairs = f"1:{_ratio_text(planned.options)} {SETS[planned.by]}"
        return f"{pairs} on {on}{_after(_of_pairs(speech, planned))}"
    return f"{SETS[planned.by]} on {on} for {whom}{_after(_of_pairs(speech, planned))}"


def _after(parts: Iterator[str]) -> str:
    """Details behind a comma each."""
    return "".join(f", {part}" for part in parts)


def _ratio(options: Mapping[str, object]) -> str:
    low, high = options.get("min_controls"), options.get("max_controls")
    if high:
        return f"{low} to {high}"
    return {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}.get(
        number := _whole(options.get("ratio", 1)), str(number)
    )


def _ratio_text(options: Mapping[str, object]) -> str:
    low, high = options.get("min_controls"), options.get("max_controls")
    return f"{low}-{high}" if high else str(_whole(options.get("ratio", 1)))


def _plural(options: Mapping[str, object]) -> str:
    return "patients" if options.get("max_controls") or _whole(options.get("ratio", 1)) > 1 else "patient"


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 1


def _of_pairs(speech: Speech, planned: PlannedBalancing) -> Iterator[str]:
    """Calipers, exact matching, replacement, patients outside the common support."""
    options = planned.options
    width = options.get("caliper")
    if isinstance(width, int | float):
        on = "its logit" if options.get("on", "logit") == "logit" else "the score"
        yield f"within {speech.number(width)} standard deviations of {on}"
    near = options.get("caliper_on")
    if isinstance(near, Mapping):
        yield listed(
            [f"{speech.variable(str(name))} within {speech.number(float(value))}" for name, value in near.items()]
        )
    for key, words in (("exact", "exactly on"), ("anti_exact", "different in")):
        names = options.get(key)
        if isinstance(names, tuple | list):
            yield f"{words} {listed([speech.variable(str(name)) for name in names])}"
    count = options.get("count")
    if isinstance(count, int | float):
        yield f"in {_whole(count)} classes"
    if planned.by in PAIRS:
        yield "with replacement" if options.get("replace") else "without replacement"
    if options.get("discard", "none") not in ("none", None):
        outside = {"treated": "treated patients", "control": "reference patients"}.get(
            str(options["discard"]), "patients"
        )
        yield f"{outside} outside the scores of the other group left out first"


def _of_weights(speech: Speech, options: Mapping[str, object]) -> Iterator[str]:
    """Stabilizing, trimming, truncating."""
    if options.get("stabilize"):
        yield "stabilized"
    trim, outside, truncate = (options.get(name) for name in ("trim", "trim_percentile", "truncate"))
    if isinstance(trim, int | float):
        yield f"patients with a probability of a treatment below {speech.number(trim)} left out"
    if isinstance(outside, int | float):
        yield f"patients outside percentile {speech.number(outside)} of the scores of the groups left out"
    if isinstance(truncate, int | float):
        yield f"weights above percentile {speech.number(truncate)} of their group held at it"
