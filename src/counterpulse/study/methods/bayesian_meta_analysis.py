"""A meta-analysis with priors, without simulation."""

from __future__ import annotations

from counterpulse.study.method_spec import MethodSpec, Option, loaded
from counterpulse.study.methods.meta_analysis import SPEC as POOLED

SPEC = MethodSpec(
    name="bayesian-meta-analysis",
    label="Bayesian meta-analysis",
    about="effects of the studies were pooled by a normal-normal hierarchical model with priors, integrated numerically",
    outcomes=frozenset({"effect"}),
    measures=POOLED.measures,
    options=(
        Option(name="heterogeneity_prior", default="half-normal(0.5)", kind="word", about="the prior of the standard deviation between studies: half-normal(0.5), half-cauchy(0.5), half-t(0.5, 4), exponential(0.5), uniform(4), log-normal(-2, 1)",
               words="the standard deviation between studies had the prior {value}", reference="rover-2021"),
        Option(name="effect_prior", default="flat", kind="word", about="the prior of the effect: flat, or normal(0, 4), on the scale on which effects are pooled",
               words="the effect had the prior {value}"),
        Option(name="credible", default="shortest", kind="word", allowed=("shortest", "central"), about="the credible interval",
               phrases=(("shortest", "with shortest credible intervals"), ("central", "with credible intervals of equal tails"))),
        Option(name="below", default=None, kind="number", about="a value as a reader reads it; the probability that the effect is below it is given (by default that of no effect)",
               words="the probability of an effect below {value} was computed"),
        Option(name="other_priors", default=("half-normal(1)", "half-cauchy(0.5)", "uniform(4)"), kind="words", about="further priors of the heterogeneity, to see how far the result depends on it",
               words="the analysis was repeated with the priors {value}"),
    ),
    refuse=loaded("counterpulse.study.reviewing.answers.bayes:refuse_priors"),
    calls="counterpulse.synthesis.bayes.bayes_pool:bayes_pool",
    citations=("rover-2020",),
    estimate=loaded("counterpulse.study.reviewing.answers.bayes:bayes_answer"),
)  # fmt: skip
