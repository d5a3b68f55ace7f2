"""What became of an estimate. A failure is data: its text is the cause and the remedy."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The state of an estimate; `code` is its name on disk, `text` the cause and one thing to do."""

    OK = ("ok", "")
    NOT_CONVERGED = (
        "not-converged",
        "The fit did not converge; look for a covariate with few events in a level, merge levels or drop it.",
    )
    SEPARATION = (
        "separation",
        "A covariate (or a combination) predicts the outcome perfectly, so its maximum-likelihood estimate is infinite; "
        "use the penalized likelihood (penalty: firth) or drop it.",
    )
    RANK_DEFICIENT = (
        "rank-deficient",
        "This term is a linear combination of the others and was left out; drop it from the model or merge its levels.",
    )
    CONSTANT = ("constant", "The covariate has one value in the rows used; drop it from the model.")
    NO_EVENTS = ("no-events", "No patient had the event; describe the counts instead of an effect.")
    ALL_EVENTS = ("all-events", "Every patient had the event; describe the counts instead of an effect.")
    EMPTY_GROUP = (
        "empty-group",
        "A compared group has no patients in the rows used; check the eligibility and the group codes.",
    )
    NO_ROWS = ("no-rows", "No rows remain after missing values were dropped; impute, or drop the incomplete covariate.")
    TOO_FEW_ROWS = ("too-few-rows", "There are not more rows than coefficients; use fewer covariates.")
    NOT_REACHED = (
        "not-reached",
        "The curve does not come down to this value within follow-up; report it as not reached.",
    )
    MEDIAN_IS_DEATH = (
        "median-is-death",
        "Half of the group or more died, so the median of the ranked values is death; report it as death.",
    )
    BEYOND_FOLLOW_UP = (
        "beyond-follow-up",
        "Follow-up of a group ends before this time; choose an earlier time.",
    )
    ZERO_CELL = (
        "zero-cell",
        "A cell of the table is zero, so the ratio is zero or infinite; report the difference instead.",
    )
    ZERO_VARIANCE = (
        "zero-variance",
        "The values do not vary, so the variance of the estimate is zero or undefined; describe them.",
    )
    NO_GROUP_VARIANCE = (
        "no-group-variance",
        "Nobody in a group, or everybody, had the event by this time, so the method has no variance for it: there is no interval and "
        "no test; read the counts.",
    )
    TOO_LARGE = (
        "too-large-for-exact",
        "The exact method would enumerate too many tables; use the asymptotic or the Monte Carlo method.",
    )
    TIES = ("ties", "Values are tied, so the exact distribution does not apply; use the normal approximation.")
    FEW_CLUSTERS = (
        "few-clusters",
        "There are fewer than 10 clusters, too few for a robust interval; use levels in the model (`as: fixed` under `clusters:`).",
    )
    ZERO_RANDOM_VARIANCE = (
        "zero-random-variance",
        "The variance between clusters is estimated as zero: the model is the one without a random intercept; say so, or use "
        "`as: robust` under `clusters:`.",
    )
    SINGLE_ROW_CLUSTERS = (
        "single-row-clusters",
        "Every cluster has one row, so nothing tells a cluster from its row; drop `clusters`, or name the column of the centers.",
    )
    EMPTY_LEVEL = (
        "empty-level",
        "A level of the ordinal outcome has no patient in the rows used; merge it with its neighbor.",
    )
    FEW_VALUES = (
        "few-values",
        "The variable of a spline has fewer distinct values than knots, or so many equal ones that knots coincide; use fewer "
        "knots, name them (knots: [...]), or use the variable as a category.",
    )
    NO_OVERDISPERSION = (
        "no-overdispersion",
        "The counts vary no more than Poisson counts do, so the dispersion of the negative binomial model has no finite estimate; "
        "use Poisson regression (method: poisson-regression).",
    )
    NO_MEASUREMENT = (
        "no-measurement",
        "No patient has a measurement in the window; widen the window, or check the times of the related table.",
    )
    MISSING_INPUT = (
        "missing-input",
        "The score has no value in any row, because an input is missing; complete the inputs or impute them.",
    )
    NOTHING_SELECTED = (
        "nothing-selected",
        "No candidate was selected; report the model without covariates, or name the adjustment set.",
    )
    DISJOINT_SUPPORT = (
        "disjoint-support",
        "The groups share no level, so the standardized difference is infinite; describe the counts.",
    )
    SMALL_CELL = (
        "small-cell",
        "This rests on, or gives away, a count below the smallest that the protocol lets be shown; see `privacy: small_cells`.",
    )
    NO_TREATED = (
        "no-treated",
        "No patient is treated in the rows used; check the eligibility and how treatment is coded.",
    )
    NO_CONTROLS = (
        "no-controls",
        "Every patient is treated in the rows used; check the eligibility and how treatment is coded.",
    )
    TREATMENT_PREDICTED = (
        "treatment-predicted",
        "The covariates predict treatment perfectly for some patients, so they have no comparable patients; drop the covariate that "
        "decides treatment, or restrict eligibility to patients who could have received either.",
    )
    NO_OVERLAP = (
        "no-overlap",
        "The propensity scores of the groups do not overlap, so nobody is comparable; restrict eligibility to patients who could have "
        "received either treatment.",
    )
    FEWER_CONTROLS = (
        "fewer-controls",
        "There are fewer controls than matches asked for, so treated patients stay unmatched; match with replacement, ask for a lower "
        "ratio, or use weights.",
    )
    FEWER_TREATED = (
        "fewer-treated",
        "There are fewer treated patients than matches asked for, so controls stay unmatched; match with replacement, ask for the effect "
        "among the treated, or use weights.",
    )
    NOTHING_MATCHED = (
        "nothing-matched",
        "No control lies within the caliper and the exact covariates of any treated patient; widen the caliper or use overlap weights.",
    )
    FEW_REPLICATES = (
        "few-replicates",
        "More than a tenth of the bootstrap draws have no estimate, so their percentiles tell nothing; use the robust variance, or merge "
        "rare levels.",
    )
    EXTREME_WEIGHTS = (
        "extreme-weights",
        "A weight exceeds 10,000, so single patients decide the result; use overlap weights, or trim the propensity scores near 0 and 1.",
    )
    NOT_BALANCEABLE = (
        "not-balanceable",
        "No weights of one group reproduce the covariate means of the target; drop or coarsen a covariate, or use overlap weights.",
    )
    IMPUTATIONS_DIFFER = (
        "imputations-differ",
        "The imputed tables do not all have this term, so it cannot be pooled; merge rare levels before imputing.",
    )
    ALL_MISSING = (
        "all-missing",
        "The column has no value in any row, so it was neither imputed nor used; leave it out of the imputation.",
    )
    IMPUTATION_NOT_MIXED = (
        "imputation-not-mixed",
        "The imputations of this column still depend on where they began; use more iterations, or drop a predictor that "
        "nearly determines it.",
    )
    GRACE_BEYOND_FOLLOW_UP = (
        "grace-beyond-follow-up",
        "Nobody is followed beyond the grace period, so the strategies cannot be told apart; choose a shorter grace period.",
    )
    NONE_EXPOSED_IN_GRACE = (
        "none-exposed-in-grace",
        "Nobody is exposed within the grace period, so nobody follows the treated strategy; choose a longer grace period.",
    )
    ALL_EXPOSED_IN_GRACE = (
        "all-exposed-in-grace",
        "Everybody is exposed within the grace period, so nobody follows the untreated strategy; choose a shorter grace period.",
    )
    DEVIATION_PREDICTED = (
        "deviation-predicted",
        "The covariates predict perfectly who leaves a strategy, so the weights are infinite; drop or coarsen the covariate that "
        "decides treatment.",
    )
    EXTREME_CENSORING_WEIGHTS = (
        "extreme-censoring-weights",
        "A weight against artificial censoring exceeds 10,000, so single patients decide the result; hold the weights at quantiles "
        "(truncate), or drop the covariate that nearly decides treatment.",
    )
    EXTREME_SCORES = (
        "extreme-scores",
        "A treatment probability is so near 0 or 1 that a patient would count more than 10,000 times; bound the scores (bounds), or "
        "restrict eligibility to patients who could have received either treatment.",
    )
    ONE_ARM_UNFITTED = (
        "one-arm-unfitted",
        "The outcome model of a treatment arm cannot be fitted; use fewer covariates, or a model of both arms together.",
    )
    CENSORING_UNFITTED = (
        "censoring-unfitted",
        "The model of the censoring in a treatment arm cannot be fitted; use its Kaplan-Meier curve (censoring: kaplan-meier), or fewer "
        "covariates.",
    )
    NO_TIPPING_POINT = (
        "no-tipping-point",
        "No delta that was tried changes the conclusion; say so with the range tried, or try larger ones.",
    )
    NO_STUDIES = (
        "no-studies",
        "No study printed an effect of this outcome; list what is missing and ask the authors, and pool nothing.",
    )
    ONE_STUDY = (
        "one-study",
        "There is one study, so nothing is known of the variance between studies; report its own effect and do not call it pooled.",
    )
    ONE_EFFECT_A_STUDY = (
        "one-effect-a-study",
        "Every study has one effect, so the variance within studies cannot be told from that between; pool the studies without "
        "effects nested in them.",
    )
    UNDEFINED = ("undefined", "The quantity is not defined for these data; describe the counts instead.")

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text

    @classmethod
    def from_code(cls, code: str) -> Status:
        """The status whose name on disk is `code`; a ValueError where there is none."""
        for status in cls:
            if status.code == code:
                return status
        raise ValueError(f"no status is called {code!r}")
