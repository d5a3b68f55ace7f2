"""Effects of several studies pooled: one effect, how far the studies differ, and what moves it."""

from __future__ import annotations

from counterpulse.study.method_spec import MethodSpec, Option, loaded

MODELS = ("random", "common", "mantel-haenszel", "peto", "generalized-linear", "three-level")
INTERVALS = (
    "hartung-knapp", "wald", "t", "kenward-roger", "hartung-knapp-truncated", "hartung-knapp-wider",
)  # fmt: skip
HETEROGENEITY = ("REML", "DL", "PM", "ML", "EB", "SJ", "HS", "HE")
SMALL_STUDY = (
    "egger", "egger-random", "begg", "harbord", "peters", "macaskill", "deeks", "pustejovsky", "rucker", "thompson-sharp",
    "trim-and-fill", "selection-step", "selection-beta", "limit", "pet-peese", "fail-safe", "excess-significance",
)  # fmt: skip
CONVENTIONS = ("cochrane-2025", "revman-5.4", "metafor", "meta-6")
PREDICTIONS = ("normal", "HTS", "k-1", "HK", "HK-trunc", "HK-PR", "KR", "KR-PR", "none")

SPEC = MethodSpec(
    name="meta-analysis",
    label="meta-analysis",
    about="effects of the studies were pooled",
    outcomes=frozenset({"effect"}),
    measures=(
        "odds ratio", "risk ratio", "risk difference", "hazard ratio", "rate ratio", "mean difference", "standardized mean difference",
        "ratio of means", "proportion", "rate", "correlation",
    ),
    options=(
        Option(name="convention", default="none", kind="word", allowed=("none", *CONVENTIONS), about="named defaults, so that a published number can be repeated",
               phrases=(("none", ""), ("cochrane-2025", "following the defaults of Cochrane of 2025"),
                        ("revman-5.4", "following the defaults of Review Manager 5.4"), ("metafor", "following the defaults of the R package metafor"),
                        ("meta-6", "following the defaults of the R package meta (version 6)")),
               references=(("cochrane-2025", "veroniki-2016"),)),
        Option(name="model", default="random", kind="word", allowed=MODELS, about="how effects are pooled",
               phrases=(("random", "effects were allowed to differ between studies (random effects)"), ("common", "one effect was assumed for all studies"),
                        ("mantel-haenszel", "counts were pooled by the method of Mantel and Haenszel"), ("peto", "counts were pooled by Peto's method"),
                        ("generalized-linear", "counts were pooled by a generalized linear mixed model"),
                        ("three-level", "effects were nested in studies (three levels)")),
               references=(("mantel-haenszel", "mantel-haenszel-1959"), ("peto", "yusuf-1985"))),
        Option(name="tau2", default="REML", kind="word", allowed=HETEROGENEITY, about="the estimator of the variance between studies",
               words="the variance between studies was estimated by {value}",
               references=(("REML", "viechtbauer-2005"), ("DL", "der-simonian-laird-1986"), ("PM", "paule-mandel-1982"))),
        Option(name="interval", default="hartung-knapp", kind="word", allowed=INTERVALS, about="the confidence interval of the pooled effect",
               phrases=(("hartung-knapp", "with confidence intervals of Hartung, Knapp, Sidik and Jonkman"), ("wald", "with Wald confidence intervals"),
                        ("t", "with confidence intervals from the t distribution"), ("kenward-roger", "with confidence intervals after Kenward and Roger"),
                        ("hartung-knapp-truncated", "with confidence intervals of Hartung and Knapp, their factor at least 1"),
                        ("hartung-knapp-wider", "with the wider of the intervals of Hartung and Knapp and of Wald")),
               references=(("hartung-knapp", "hartung-knapp-2001"),)),
        Option(name="prediction", default="yes", kind="word", allowed=("yes", "no", *PREDICTIONS),
               about="the interval in which the effect of a new study is expected",
               phrases=(("no", ""), ("none", ""), ("yes", "prediction intervals were computed"),
                        ("normal", "prediction intervals from the normal distribution were computed"),
                        ("HTS", "prediction intervals with k - 2 degrees of freedom were computed"),
                        ("k-1", "prediction intervals with k - 1 degrees of freedom were computed"),
                        ("HK", "prediction intervals with the standard error of Hartung and Knapp and k - 1 degrees of freedom were computed"),
                        ("HK-trunc", "prediction intervals with the standard error of Hartung and Knapp, their factor at least 1, and k - 1 degrees of freedom were computed"),
                        ("HK-PR", "prediction intervals with the standard error of Hartung and Knapp and k - 2 degrees of freedom were computed"),
                        ("KR", "prediction intervals after Kenward and Roger were computed"), ("KR-PR", "prediction intervals after Kenward and Roger with one degree of freedom less were computed")),
               reference="higgins-2009"),
        Option(name="moderators", default=(), kind="terms", about="variables of the studies on which the effect may depend",
               words="dependence of the effect on {value} was estimated by meta-regression", reference="knapp-hartung-2003"),
        Option(name="permutation", default="no", kind="word", allowed=("no", "yes"), about="whether the effect (or the moderators) is tested by permutation",
               phrases=(("no", ""), ("yes", "P values were also obtained by permutation")), references=(("yes", "higgins-thompson-2004"),)),
        Option(name="leave_one_out", default=False, kind="yes-no", about="whether each study is left out in turn",
               phrases=(("True", "each study was left out in turn"), ("False", ""))),
        Option(name="cumulative", default=None, kind="name", about="the variable by whose order studies are added one by one",
               words="studies were added one by one in the order of {value}"),
        Option(name="influence", default=False, kind="yes-no", about="whether the influence of each study is computed",
               phrases=(("True", "the influence of each study was computed"), ("False", "")), references=(("True", "viechtbauer-cheung-2010"),)),
        Option(name="gosh", default=False, kind="yes-no", about="whether all subsets of the studies are pooled",
               phrases=(("True", "all subsets of the studies were pooled"), ("False", "")), references=(("True", "olkin-2012"),)),
        Option(name="small_study_effects", default=(), kind="words", allowed=SMALL_STUDY, about="tests and corrections for small-study effects",
               words="small-study effects were looked for by {value}", reference="sterne-2011"),
        Option(name="dependence", default="none", kind="word", allowed=("none", "robust"), about="how several effects of one study are taken into account",
               phrases=(("none", ""), ("robust", "variances are robust to the dependence of effects of one study")), references=(("robust", "hedges-2010"),)),
        Option(name="design_bias", default=False, kind="yes-no", about="whether the bias stated for each design is taken away",
               phrases=(("True", "the stated bias of each design was taken away and its uncertainty added"), ("False", "")), references=(("True", "turner-2009"),)),
        Option(name="glmm", default="conditional-exact", kind="word", allowed=("unconditional-fixed", "unconditional-random", "conditional-approximate", "conditional-exact"),
               about="the generalized linear mixed model", phrases=tuple((name, "") for name in ("unconditional-fixed", "unconditional-random", "conditional-approximate", "conditional-exact"))),
    ),
    subgroups=True,
    adjustable=True,
    refuse=loaded("counterpulse.study.reviewing.answers.models:refuse_model"),
    resolve=loaded("counterpulse.study.reviewing.conventions:resolved"),
    calls="counterpulse.synthesis.pooling.pool:pool",
    estimate=loaded("counterpulse.study.reviewing.answers.pooled:pooled_answer"),
)  # fmt: skip
