"""Whether a growing meta-analysis holds enough information."""

from __future__ import annotations

from counterpulse.study.method_spec import MethodSpec, Option, loaded

SPEC = MethodSpec(
    name="sequential-meta-analysis",
    label="sequential meta-analysis",
    about="studies were pooled one after another, with boundaries that keep the type I error over all looks",
    outcomes=frozenset({"effect"}),
    measures=("odds ratio", "risk ratio", "risk difference", "mean difference"),
    options=(
        Option(name="order", default=None, kind="name", required=True, about="the variable by whose order studies came, such as the year", words="studies came in the order of {value}"),
        Option(name="control_risk", default=None, kind="number", about="the risk without the exposure that the required information rests on; by default that of the studies",
               words="a risk of the control group of {value} was assumed"),
        Option(name="relative_risk_reduction", default=None, kind="number", about="the reduction of the risk that is worth finding, as a fraction",
               words="a relative risk reduction of {value} was to be found"),
        Option(name="difference", default=None, kind="number", about="the mean difference that is worth finding", words="a difference of {value} was to be found"),
        Option(name="sd", default=None, kind="number", about="the standard deviation of the outcome", words="the standard deviation was taken as {value}"),
        Option(name="power", default=0.8, kind="number", about="the power of the required information", words="with a power of {value:}"),
        Option(name="tau2", default="DL", kind="word", allowed=("common", "DL", "REML", "PM", "ML", "EB", "SJ", "HS", "HE"), about="the estimator of the variance between studies",
               words="the variance between studies was estimated by {value}"),
        Option(name="diversity", default=None, kind="number", about="the share of the variance that heterogeneity brings (D2); by default that of the studies",
               words="a diversity of {value} was assumed", reference="wetterslev-2008"),
        Option(name="spending", default="obrien-fleming", kind="word", allowed=("obrien-fleming", "pocock"), about="how the type I error is spent",
               phrases=(("obrien-fleming", "the type I error was spent by a function of the O'Brien-Fleming type"), ("pocock", "the type I error was spent by a function of the Pocock type")),
               references=(("obrien-fleming", "lan-demets-1983"), ("pocock", "lan-demets-1983"))),
        Option(name="futility", default="non-binding", kind="word", allowed=("none", "non-binding", "binding"), about="the boundary beyond which the effect can hardly be found any more",
               phrases=(("none", ""), ("non-binding", "boundaries of futility were computed and did not bind"), ("binding", "boundaries of futility were binding"))),
    ),
    refuse=loaded("counterpulse.study.reviewing.answers.sequential:refuse_information"),
    calls="counterpulse.synthesis.sequential.trial_sequential:trial_sequential",
    citations=("wetterslev-2008", "jennison-turnbull-2000"),
    estimate=loaded("counterpulse.study.reviewing.answers.sequential:sequential_answer"),
)  # fmt: skip
