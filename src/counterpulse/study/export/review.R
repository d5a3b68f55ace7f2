# -- reviews ----------------------------------------------------------------------------------------------------------

# The effects that an analysis pools of an outcome.
effects_of <- function(analysis, outcome) effects[effects$analysis == analysis & effects$outcome == outcome, , drop = FALSE]

# A coefficient of a fit (the first is the pooled effect) as it is read.
coefficient <- function(id, fit, natural, index = 1) {
  compare(id, natural(fit$beta[index]), natural(fit$ci.lb[index]), natural(fit$ci.ub[index]), fit$pval[index])
}

# Where the effect of a new study is expected: t on `df`, the variance between studies added to that of the effect.
new_study <- function(id, fit, natural, df, level) {
  reach <- qt(1 - (1 - level) / 2, df) * sqrt(fit$tau2 + fit$se[1]^2)
  compare(id, natural(fit$beta[1]), natural(fit$beta[1] - reach), natural(fit$beta[1] + reach))
}

# The limits of the Q-profile of a part of the variance.
profiled <- function(fit, part, level) confint(fit, level = 100 * level, control = list(tol = 1e-12, tau2.max = 1e6))$random[part, ]

# The variance between studies with the limits of the Q-profile, where they were asked for.
between <- function(id, fit, level, profile) {
  ends <- if (profile) profiled(fit, "tau^2", level) else c(fit$tau2, NA, NA)
  compare(id, fit$tau2, ends[[2]], ends[[3]])
}

# I-squared and Cochran's test.
share <- function(id, fit, level, profile, p = fit$QEp) {
  ends <- if (profile) profiled(fit, "I^2(%)", level) / 100 else c(fit$I2 / 100, NA, NA)
  compare(id, fit$I2 / 100, ends[[2]], ends[[3]], p)
}

# A treatment of a network against the reference.
against <- function(id, fit, natural, treatment, reference, which) {
  at <- function(what) fit[[paste0(what, ".", which)]][treatment, reference]
  compare(id, natural(at("TE")), natural(at("lower")), natural(at("upper")), at("pval"))
}
