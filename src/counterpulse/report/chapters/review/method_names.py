"""What models, estimators and intervals are called in print, with the works they rest on."""

from __future__ import annotations

from collections.abc import Mapping

Said = tuple[str, str | None]
TAU2: Mapping[str, Said] = {
    "REML": ("restricted maximum likelihood (REML)", "viechtbauer-2005"),
    "DL": ("the method of DerSimonian and Laird", "der-simonian-laird-1986"),
    "PM": ("the method of Paule and Mandel", "paule-mandel-1982"),
    "ML": ("maximum likelihood", "viechtbauer-2005"),
    "EB": ("the empirical Bayes method of Morris", "morris-1983"),
    "SJ": ("the method of Sidik and Jonkman", "sidik-jonkman-2005"),
    "HS": ("the method of Hunter and Schmidt", "viechtbauer-2005"),
    "HE": ("the method of Hedges and Olkin", "viechtbauer-2005"),
}
INTERVALS: Mapping[str, Said] = {
    "hartung-knapp": ("by the method of Hartung, Knapp, Sidik, and Jonkman", "hartung-knapp-2001"),
    "wald": ("by the normal distribution (Wald)", None),
    "t": ("by Student's t distribution", None),
    "kenward-roger": ("by the method of Kenward and Roger", "kenward-roger-1997"),
    "hartung-knapp-truncated": ("by the method of Hartung and Knapp with a factor of at least 1", "hartung-knapp-2001"),
    "hartung-knapp-wider": ("as the wider of those of Hartung and Knapp and of Wald", "hartung-knapp-2001"),
}
PREDICTIONS: Mapping[str, Said] = {
    "normal": ("by the normal distribution", "higgins-2009"),
    "HTS": (
        "by Student's t distribution with k \N{MINUS SIGN} 2 degrees of freedom (Higgins, Thompson, and Spiegelhalter)",
        "higgins-2009",
    ),
    "k-1": ("by Student's t distribution with k \N{MINUS SIGN} 1 degrees of freedom", "higgins-2009"),
    "HK": ("with the standard error of Hartung and Knapp and k \N{MINUS SIGN} 1 degrees of freedom", "int-hout-2014"),
    "HK-trunc": (
        "with the standard error of Hartung and Knapp, their factor at least 1, and k \N{MINUS SIGN} 1 degrees of freedom",
        "knapp-hartung-2003",
    ),
    "HK-PR": (
        "with the standard error of Hartung and Knapp and k \N{MINUS SIGN} 2 degrees of freedom",
        "partlett-riley-2017",
    ),
    "KR": ("by the method of Kenward and Roger", "partlett-riley-2017"),
    "KR-PR": ("by the method of Kenward and Roger with one degree of freedom less", "partlett-riley-2017"),
}
CONVENTIONS: Mapping[str, str] = {
    "cochrane-2025": "the defaults of Cochrane of 2025",
    "revman-5.4": "the defaults of Review Manager 5.4",
    "metafor": "the defaults of the R package metafor",
    "meta-6": "the defaults of the R package meta (version 6)",
}
MODELS: Mapping[str, Said] = {
    "random": (
        "by inverse-variance weighting in a random-effects model, which allows the effects to differ between studies",
        None,
    ),
    "common": (
        "by inverse-variance weighting in a common-effect model, which takes the effect as the same in all studies",
        None,
    ),
    "mantel-haenszel": (
        "from their counts by the method of Mantel and Haenszel, which takes the effect as the same in all studies",
        "mantel-haenszel-1959",
    ),
    "peto": ("from their counts by Peto's method, which takes the effect as the same in all studies", "yusuf-1985"),
    "generalized-linear": ("from their counts by a generalized linear mixed model", "stijnen-2010"),
    "three-level": ("in a three-level model, with effects nested in studies", "konstantopoulos-2011"),
}
SHORT = {
    "random": "a random-effects model", "common": "a common-effect model", "mantel-haenszel": "the method of Mantel and Haenszel",
    "peto": "Peto's method", "generalized-linear": "a generalized linear mixed model", "three-level": "a three-level model",
}  # fmt: skip
GLMM = {
    "unconditional-fixed": "with a fixed intercept for each study", "unconditional-random": "with a random intercept for each study",
    "conditional-approximate": "conditional on the events of each study, approximately (binomial)",
    "conditional-exact": "conditional on the events of each study (noncentral hypergeometric)",
}  # fmt: skip
PREDICTED = ("random", "three-level", "generalized-linear")
SPENDING = {"obrien-fleming": "the O'Brien-Fleming type", "pocock": "the Pocock type"}
FUTILITY = {"non-binding": "Nonbinding", "binding": "Binding"}
